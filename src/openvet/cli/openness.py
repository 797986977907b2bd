"""``openvet openness``: which parts of a release are there, and how open it is by the rules of three schemes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import form_option, reading_options
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.reports.report import NotChecked
    from openvet.workflows.answer import Answer

__all__ = ["OPENNESS_TYPE", "openness"]

OPENNESS_TYPE = "https://openvet/openness/v1"


@click.command(short_help="Say how open a release is, and what the next class needs.")
@form_option("How to print it; json lists everything.")
@click.option("--all", "everything", is_flag=True, help="List every piece of evidence, not only the first of each.")
@click.option("--digests", is_flag=True, help="Hash every byte too, so that the result names what it is about.")
@reading_options
@click.pass_context
def openness(ctx: click.Context, /, **asked: Any) -> None:
    """Say how open a release is: by the Model Openness Framework, the Open Source AI Definition, and the AI Act's exemption for open source.

    Each part of a release is shown with its evidence (found among the files, named by a link, only recorded, or missing) and its licence. The
    schemes stand side by side, each by its own rules; there is no score over all of them, and nothing here says that a law is complied with.

    PATH is a model, with a record of the Model Openness Tool among its files or without, or such a record alone (RECORD.yml), which is
    taken at its word. Links are not opened.

    \b
    Examples:
      openvet openness ./my-model
      openvet openness MOF.yml
      openvet openness --format json ./my-model

    \b
    Exit codes:
      0    every path was read, however open it is
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.core.text import printable
    from openvet.evidence.predicates.openness_v1 import OpennessV1
    from openvet.reports.look import PLAIN
    from openvet.reports.openness import compose_openness
    from openvet.reports.unread import compose_unread
    from openvet.workflows.answer import Answer, ask

    paths = expand(asked["paths"])
    options = make_options(asked, look_for_config(asked, paths).config, with_inventory=True)
    answers: list[Answer] = []
    errors: list[NotChecked] = []
    to_file = asked["output"] not in {None, "-"}
    look = PLAIN if to_file else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=asked["form"] != "text") as output:
        for result in read_each(
            paths,
            lambda path, progress: ask(path, "openness", options, progress, digests=asked["digests"]),
            show_progress=not asked["no_progress"],
        ):
            if not isinstance(result, Answer):
                errors.append(result)
                continue
            answers.append(result)
            if asked["form"] == "text" and isinstance(result.predicate, OpennessV1):
                start = "\n" if len(answers) > 1 else ""
                name, everything = result.subject.name, asked["everything"]
                said = compose_openness(name, result.predicate, look, everything=everything)
                output.write(start + said + compose_unread(result.unknowns, look, everything=everything))
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
        "type": OPENNESS_TYPE,
        "tool": tool().to_json(),
        "models": [each.to_json() for each in answers],
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
