"""``openvet licenses``: which licences a model declares, and whose texts lie with it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import form_option, reading_options
from openvet.cli.terminal import look_of, say
from openvet.cli.uses import answer_uses, use_options

if TYPE_CHECKING:
    from openvet.reports.report import NotChecked
    from openvet.workflows.answer import Answer

__all__ = ["LICENSES_TYPE", "licenses"]

LICENSES_TYPE = "https://openvet/licenses-report/v1"


@click.command(short_help="Say which licences a model declares, and what they say to a use.")
@use_options
@form_option("How to print it; json lists everything.")
@click.option("--all", "everything", is_flag=True, help="List every place and change, and whole quotations.")
@click.option("--digests", is_flag=True, help="Hash every byte too, so that the result names what it is about.")
@reading_options
@click.pass_context
def licenses(ctx: click.Context, /, **asked: Any) -> None:
    """Say which licences are declared of a model, whose texts were found in it, and what was changed in them. It decides nothing.

    Declarations are read in cards, GGUF and safetensors headers, configurations, packages, bills of materials and notices; texts are
    compared with those of some 180 licences, those of AI models among them. A name that may mean several licences stays ambiguous. A
    licence whose text is not at hand is known by its name and link alone, and shown as declared.

    With --use it says what the licences of the model, and of everything that it was made of, say to these uses: each line has its
    clause, or what has to be known. It lists what has to be shipped, shown, named and passed on, and what the model drops of what its
    base models ask for. What clauses say, read by a program, is no advice about law.

    \b
    Examples:
      openvet licenses ./my-model
      openvet licenses --all ./my-model
      openvet licenses --use commercial,eu,redistribute ./my-model
      openvet licenses --use serve,100M-mau --base org/base=mit ./my-model

    \b
    Exit codes:
      0    every path was read, whatever the licences are; with --use: all of it is allowed
      1    with --use: a clause forbids some of it
      3    with --use: some of it depends on what has to be known
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.core.text import printable
    from openvet.evidence.predicates.licenses_v1 import LicensesV1
    from openvet.reports.licenses import compose_licenses
    from openvet.reports.look import PLAIN
    from openvet.reports.unread import compose_unread
    from openvet.workflows.answer import Answer, ask

    if asked["uses"]:
        answer_uses(ctx, asked)
    for option in ("bases", "statement", "sign"):
        if asked[option]:
            raise click.UsageError(f"--{option.removesuffix('s')} belongs to --use: what is asked")
    paths = expand(asked["paths"])
    options = make_options(asked, look_for_config(asked, paths).config, with_inventory=True)
    answers: list[Answer] = []
    errors: list[NotChecked] = []
    to_file = asked["output"] not in {None, "-"}
    look = PLAIN if to_file else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=asked["form"] != "text") as output:
        for result in read_each(
            paths,
            lambda path, progress: ask(path, "licenses", options, progress, digests=asked["digests"]),
            show_progress=not asked["no_progress"],
        ):
            if not isinstance(result, Answer):
                errors.append(result)
                continue
            answers.append(result)
            if asked["form"] == "text" and isinstance(result.predicate, LicensesV1):
                start = "\n" if len(answers) > 1 else ""
                everything = asked["everything"]
                output.write(
                    start
                    + compose_licenses(result.subject.name, result.predicate, look, everything=everything)
                    + compose_unread(result.unknowns, look, everything=everything)
                )
        if asked["form"] == "json":
            output.write(_as_json(answers, errors))
        output.commit()
    if to_file and not errors:
        say(f"the report is in {printable(asked['output'])}")
    ctx.exit(FAILED if errors else 0)


def _as_json(answers: Sequence[Answer], errors: Sequence[NotChecked]) -> str:
    import json

    from openvet.reports._wording import clean
    from openvet.workflows.knowledge import tool

    value = {
        "type": LICENSES_TYPE,
        "tool": tool().to_json(),
        "models": [each.to_json() for each in answers],
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
