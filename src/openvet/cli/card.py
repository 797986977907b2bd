"""``openvet card``: what the documents about a model say, and a draft of its card."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import form_option, reading_options
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.core.progress import Progress
    from openvet.reports.report import NotChecked
    from openvet.workflows.answer import Answer
    from openvet.workflows.check import Options

__all__ = ["CARDS_TYPE", "card"]

CARDS_TYPE = "https://openvet/cards/v1"


@click.command(short_help="Say what a model's card says and leaves out; draft one.")
@form_option("How to print it; json lists everything.")
@click.option("--all", "everything", is_flag=True, help="List every statement, not only the first ones.")
@click.option(
    "--draft",
    is_flag=True,
    help="Write a model card in the hub's form, from evidence alone; what only people know is left open.",
)
@click.option(
    "--digests",
    is_flag=True,
    help="Hash every byte too: the result names what it is about, and digests in documents are compared.",
)
@reading_options
@click.pass_context
def card(ctx: click.Context, /, **asked: Any) -> None:
    """Say what a model's card declares, what it leaves out, and what is malformed or contradicted by the files. It decides nothing.

    Read are the model or data set card of a hub (README.md with its metadata), .eval_results, Croissant descriptions and
    CITATION.cff. Each statement is shown with its place, and whether it is declared or derived from the files. --draft writes a new
    model card: whatever the files do not say stands in it as [to be filled in by a person: ...].

    \b
    Examples:
      openvet card ./my-model
      openvet card --draft ./my-model > README.draft.md
      openvet card --format json ./my-model

    \b
    Exit codes:
      0    every path was read, whatever the cards say
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.core.text import printable
    from openvet.evidence.predicates.card_v1 import CardV1
    from openvet.reports.card import compose_cards
    from openvet.reports.look import PLAIN
    from openvet.reports.unread import compose_unread
    from openvet.workflows.answer import Answer

    draft = asked["draft"]
    paths = expand(asked["paths"])
    if draft and asked["form"] != "text":
        raise click.UsageError("a draft is Markdown: --draft and --format json exclude each other")
    if draft and len(paths) != 1:
        raise click.UsageError("a draft is of one model; name one PATH")
    options = make_options(asked, look_for_config(asked, paths).config, with_inventory=True)
    answers: list[Answer] = []
    errors: list[NotChecked] = []
    to_file = asked["output"] not in {None, "-"}
    look = PLAIN if to_file else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=draft or asked["form"] != "text") as output:
        for result in read_each(paths, _examine(options, asked), show_progress=not asked["no_progress"]):
            if isinstance(result, str):
                output.write(result)
            elif not isinstance(result, Answer):
                errors.append(result)
            else:
                answers.append(result)
                if asked["form"] == "text" and isinstance(result.predicate, CardV1):
                    start = "\n" if len(answers) > 1 else ""
                    name, everything = result.subject.name, asked["everything"]
                    said = compose_cards(name, result.predicate, look, everything=everything)
                    output.write(start + said + compose_unread(result.unknowns, look, everything=everything))
        if asked["form"] == "json":
            output.write(_as_json(answers, errors))
        output.commit()
    if to_file and not errors:
        say(f"the {'draft' if draft else 'report'} is in {printable(asked['output'])}")
    ctx.exit(FAILED if errors else 0)


def _examine(options: Options, asked: dict[str, Any]) -> Callable[[str, Progress], Answer | str]:
    """What is asked of each path: the draft as a text, or the cards."""
    if asked["draft"]:
        return lambda path, progress: _draft(path, options, progress)
    from openvet.workflows.answer import ask

    return lambda path, progress: ask(path, "card", options, progress, digests=asked["digests"])


def _draft(path: str, options: Options, progress: Progress) -> str:
    """The draft of the card of one model, which is read as by a check: a draft names every file by its digest."""
    from openvet.cards.draft import draft_card
    from openvet.core.text import printable
    from openvet.evidence.predicates.card_v1 import CardV1
    from openvet.workflows.check import check_each

    report = next(check_each([path], options, progress))
    said = report.answers.get("card")
    documents = said.documents if isinstance(said, CardV1) else ()
    if documents and documents[0].kind == "dataset-card":
        raise click.UsageError("this is a data set; a draft is of a model's card")
    for each in documents[:1]:
        if each.unread is not None:
            say(
                f"warning: {printable(each.place)}: {printable(each.unread.message)}; nothing that its front matter says is in the draft"
            )
    items = () if report.inventory is None else report.inventory.items
    return draft_card(report.subject.name, report.facts or (), documents, items)


def _as_json(answers: Sequence[Answer], errors: Sequence[NotChecked]) -> str:
    import json

    from openvet.reports._wording import clean
    from openvet.workflows.knowledge import tool

    value = {
        "type": CARDS_TYPE,
        "tool": tool().to_json(),
        "models": [each.to_json() for each in answers],
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
