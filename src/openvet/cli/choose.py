"""``openvet choose``: which of several models meets a need, by the evidence there is."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.compare import gathered
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.workflows.need import Need

__all__ = ["choose"]

_PATH = click.Path(readable=False)
_CODES: Final = {"chosen": 0, "none": 1, "open": 3}


@click.command(short_help="Choose the model that meets a need, by the evidence there is.")
@click.argument("need", metavar="NEED", type=_PATH)
@click.argument("paths", metavar="WHAT...", nargs=-1, required=True, type=_PATH)
@click.option("--key", metavar="KEY", type=_PATH, help="The public key that has to have signed statements and owns dossiers; without one nothing is verified.")  # fmt: skip
@click.option("--as-of", metavar="DATE", help="The day that packs are asked about; today if not given.")
@click.option("--all", "everything", is_flag=True, help="List what is met, too.")
@click.option("--format", "-f", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True, help="How to print it; json has every line.")  # fmt: skip
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def choose(ctx: click.Context, /, need: str, paths: tuple[str, ...], **asked: Any) -> None:
    """Choose among models the one that meets NEED, a file in YAML that says what it has to do, on what, and within which budget.

    WHAT is a model's folder or file, which is read and never run; a dossier; or a file with statements, as for `openvet compare`. A
    requirement is met, or not met, only where evidence says so with its whole interval. What nobody can say is unknown, with the
    command that would make the evidence. Whatever one requirement excludes is not chosen.

    \b
    Examples:
      openvet choose need.yaml ./model-a ./model-b a.eval.json b.eval.json
      openvet choose need.yaml --key team.pub --format json a.bench.json b.bench.json

    \b
    Exit codes:
      0    one is chosen
      1    none meets the need
      3    none is known to meet it, and evidence is missing that could change that
      2    the command itself failed: the need makes no sense, or a statement is not verified
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.compare import public_key
    from openvet.cli.days import day_of
    from openvet.cli.output import open_output
    from openvet.reports.choice import compose_choice, markdown_choice
    from openvet.reports.look import PLAIN
    from openvet.workflows.choose import choose as weigh

    form = asked["form"]
    with open_output(asked["output"], [need, *paths], utf8=form != "text") as output:
        wanted = _need(need)
        day = day_of(asked["as_of"])
        beside = os.path.dirname(need)
        candidates = gathered(
            paths, asked["key"], wanted.uses, quiet=asked["no_progress"], packs=wanted.packs, beside=beside
        )
        value = (found := weigh(wanted, candidates, day, key=public_key(asked["key"]), beside=beside)).to_json()
        if form == "json":
            from openvet.cli.signed import as_json

            output.write(as_json(value))
        elif form == "markdown":
            output.write(markdown_choice(value))
        else:
            look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
            output.write(compose_choice(value, look, everything=asked["everything"]))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the choice is in {asked['output']}")
    ctx.exit(_CODES[found.verdict])


def _need(path: str) -> Need:
    from openvet.core.text import printable
    from openvet.errors import UsageError
    from openvet.policy.yaml_reader import LARGEST
    from openvet.workflows.model_files import read_small
    from openvet.workflows.need import read_need

    try:
        return read_need(read_small(path, LARGEST), printable(path))
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
