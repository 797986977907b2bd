"""``openvet licenses --use``: what the licences say to uses that are asked about."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.failures import FAILED
from openvet.cli.signed import check_statement, statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from openvet.evidence.keys import PrivateKey
    from openvet.reports.report import NotChecked
    from openvet.workflows.answer import Answer

__all__ = ["answer_uses", "use_options"]

_NOT_ALLOWED, _DEPENDS = 1, 3
_CODES: Final = {"allowed": 0, "depends": _DEPENDS, "not-allowed": _NOT_ALLOWED}


def use_options(command: Any) -> Any:
    """``--use``, ``--base``, ``--statement`` and ``--sign``."""
    command = click.option(
        "--sign", metavar="KEY", type=click.Path(readable=False), help="The private key that signs the --statement."
    )(command)
    command = click.option(
        "--statement", is_flag=True, help="With --use: give an in-toto statement of each model in place of the report; it hashes every byte."
    )(command)  # fmt: skip
    command = click.option(
        "--base", "bases", metavar="[NAME=]WHAT", multiple=True,
        help="What a base model is: its folder, its dossier or a statement, a bill of materials in JSON, or its licence (meta-llama/Llama-3.1-8B=llama3.1). May be repeated.",
    )(command)  # fmt: skip
    return click.option(
        "--use", "uses", metavar="USES", multiple=True, shell_complete=_complete,
        help="Say what the licences say to these uses, and what has to be done: commercial, redistribute, serve, modify, merge, distil, "
        "train-on-outputs, research, internal; places (eu, uk, us); users (100M-mau); revenue (5M-usd). Commas between them.",
    )(command)  # fmt: skip


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    from openvet.licenses.uses import USES

    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{word}", help=text) for word, text in USES.items() if word.startswith(last)]


def answer_uses(ctx: click.Context, asked: dict[str, Any]) -> None:
    """Answer ``--use`` for each path, and end: 0 where all is allowed, 1 where something is not, 3 where it depends."""
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.core.progress import Progress
    from openvet.core.text import printable
    from openvet.evidence.predicates.rights_v1 import RightsV1, worst
    from openvet.licenses.uses import take_uses
    from openvet.reports.look import PLAIN
    from openvet.reports.rights import compose_rights
    from openvet.reports.unread import compose_unread
    from openvet.workflows.answer import Answer
    from openvet.workflows.rights import ask_rights, idle_bases, read_bases, take_base

    check_statement(ctx, asked)
    uses = take_uses(asked["uses"])
    bases = [take_base(each) for each in asked["bases"]]
    paths = expand(asked["paths"])
    options = make_options(asked, look_for_config(asked, paths).config, with_inventory=True)
    given = read_bases(bases, options.settled(), Progress())
    key = written_key(asked["sign"])
    machine = asked["statement"] or asked["form"] == "json"
    answers: list[Answer] = []
    errors: list[NotChecked] = []
    verdicts: list[str] = []
    to_file = asked["output"] not in {None, "-"}
    look = PLAIN if to_file else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=machine) as output:
        for result in read_each(
            paths,
            lambda path, progress: ask_rights(
                path, uses, given, options, progress, digests=asked["digests"] or asked["statement"]
            ),
            show_progress=not asked["no_progress"],
        ):
            if not isinstance(result, Answer) or not isinstance(result.predicate, RightsV1):
                errors.append(result)  # type: ignore[arg-type]
                continue
            answers.append(result)
            verdicts.append(result.predicate.verdict)
            if asked["statement"]:
                output.write(_statement(result, key))
            elif asked["form"] == "text":
                start = "\n" if len(answers) > 1 else ""
                output.write(
                    start
                    + compose_rights(result.subject.name, result.predicate, look, everything=asked["everything"])
                    + compose_unread(result.unknowns, look, everything=asked["everything"])
                )
        if asked["form"] == "json" and not asked["statement"]:
            output.write(_as_json(answers, errors))
        output.commit()
    if not errors:
        for sentence in idle_bases(bases, [each.predicate for each in answers if isinstance(each.predicate, RightsV1)]):
            say(sentence)
    if to_file and not errors:
        say(f"the {'statement' if asked['statement'] else 'report'} is in {printable(asked['output'])}")
    ctx.exit(FAILED if errors else _CODES[worst(verdicts)])


def _statement(answer: Answer, key: PrivateKey | None) -> str:
    """A line: the statement, or its signed envelope."""
    from openvet.evidence.statement import Statement

    made = Statement(answer.subject, answer.predicate)
    return statement_line(made, key)


def _as_json(answers: Sequence[Answer], errors: Sequence[NotChecked]) -> str:
    import json

    from openvet.evidence.predicates.rights_v1 import RightsV1
    from openvet.reports._wording import clean
    from openvet.workflows.knowledge import tool
    from openvet.workflows.rights import REPORT_TYPE

    models = [
        {**each.to_json(), "verdict": each.predicate.verdict}
        for each in answers
        if isinstance(each.predicate, RightsV1)
    ]
    value = {
        "type": REPORT_TYPE,
        "tool": tool().to_json(),
        "models": models,
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
