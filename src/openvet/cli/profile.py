"""``openvet profile``: what a model is and needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import form_option, reading_options
from openvet.cli.terminal import look_of

if TYPE_CHECKING:
    from openvet.reports.report import NotChecked
    from openvet.workflows.answer import Answer

__all__ = ["PROFILES_TYPE", "profile"]

PROFILES_TYPE = "https://openvet/profiles/v1"


@click.command(short_help="Say what a model is and needs: parameters, memory, compute.")
@form_option("How to print it; json lists everything, with its sources.")
@click.option("--digests", is_flag=True, help="Hash every byte too, so that the result names what it is about.")
@reading_options
@click.pass_context
def profile(ctx: click.Context, /, **asked: Any) -> None:
    """Say what a model is and needs: family, parameters, types of numbers, memory and compute for a sequence.

    Everything comes from headers, keys and configurations, so that a model of any size takes a moment; no framework is loaded.
    What the files only say about themselves is marked as declared, and held against the tensors.

    \b
    Examples:
      openvet profile ./my-model
      openvet profile weights.gguf
      openvet profile --format json hf:org/name

    \b
    Exit codes:
      0    every path was profiled as far as it can be
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.evidence.predicates.profile_v1 import ProfileV1
    from openvet.reports import profile as report
    from openvet.reports.look import PLAIN
    from openvet.workflows.answer import Answer, ask

    paths = expand(asked["paths"])
    found = look_for_config(asked, paths)
    options = make_options(asked, found.config, with_inventory=True)
    answers: list[Answer] = []
    errors: list[NotChecked] = []
    look = PLAIN if asked["output"] not in {None, "-"} else look_of(sys.stdout)
    with open_output(asked["output"], paths, utf8=asked["form"] != "text") as output:
        for result in read_each(
            paths,
            lambda path, progress: ask(path, "profile", options, progress, digests=asked["digests"]),
            show_progress=not asked["no_progress"],
        ):
            if not isinstance(result, Answer):
                errors.append(result)
                continue
            answers.append(result)
            if asked["form"] == "text" and isinstance(result.predicate, ProfileV1):
                start = "\n" if len(answers) > 1 else ""
                output.write(start + report.model(result.subject.name, result.predicate, look))
        if asked["form"] == "json":
            output.write(_as_json(answers, errors))
        output.commit()
    ctx.exit(FAILED if errors else 0)


def _as_json(answers: Sequence[Answer], errors: Sequence[NotChecked]) -> str:
    import json

    from openvet.reports._wording import clean
    from openvet.workflows.knowledge import tool

    value = {
        "type": PROFILES_TYPE,
        "tool": tool().to_json(),
        "models": [each.to_json() for each in answers],
        "errors": [each.to_json() for each in errors],
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
