"""``openvet compare``: several models side by side, with intervals and sources."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.evidence.keys import PublicKey
    from openvet.workflows.candidates import Candidate

__all__ = ["compare", "gathered", "public_key"]

_PATH = click.Path(readable=False)
_NOTHING = 3


@click.command(short_help="Put several models side by side: quality, latency, memory, size, cost, rights.")
@click.argument("paths", metavar="WHAT...", nargs=-1, required=True, type=_PATH)
@click.option("--key", metavar="KEY", type=_PATH, help="The public key that has to have signed statements and owns dossiers; without one nothing is verified.")  # fmt: skip
@click.option("--axis", "axes", metavar="ID", multiple=True, help="An axis of the front, by its id in --format json. Default: quality and the first of latency, memory, size and cost that is known of two. May be repeated.")  # fmt: skip
@click.option("--usd-per-hour", type=click.FloatRange(min=0, min_open=True), metavar="USD", help="What the machine costs that was measured on; adds the cost of a million tokens.")  # fmt: skip
@click.option("--use", "uses", metavar="USE", multiple=True, help="Uses that the licences of models at hand are asked about, as `openvet licenses --use` takes them.")  # fmt: skip
@click.option("--level", type=click.FloatRange(min=0, max=1, min_open=True, max_open=True), default=0.95, show_default=True, metavar="P", help="Of intervals between two on the same samples, over all pairs together.")  # fmt: skip
@click.option("--format", "-f", "form", type=click.Choice(["text", "json", "markdown", "html"]), default="text", show_default=True, help="How to print it; json has every digit, html a plot.")  # fmt: skip
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write it to FILE: whole or not at all.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def compare(ctx: click.Context, /, paths: tuple[str, ...], **asked: Any) -> None:
    """Put models side by side on what is known of them, each figure with its interval and its source.

    WHAT is a model's folder or file, which is read and never run; a dossier; or a file with statements, such as results of
    `openvet eval` and `openvet bench`. What is about one model, by its digest, stands in one column. What nobody measured is said to be
    not measured.

    The front says which models none of the others is better than. A model is dominated only where the intervals resolve it, and open
    where only the middles say so. Results of one task are compared on the same samples where their logs lie beside them. Latencies and
    memory are compared only where machine, runtime, limits and work are the same.

    \b
    Examples:
      openvet compare a.eval.json a.bench.json b.eval.json b.bench.json
      openvet compare ./model-a ./model-b --use commercial
      openvet compare ./model-a a.eval.json ./model-b b.eval.json --format html -o page.html

    \b
    Exit codes:
      0    compared; which is better, the report says
      3    no figure is known of two of them
      2    the command itself failed: not two models, a statement that is not verified
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.output import open_output
    from openvet.reports import compare as report
    from openvet.reports.compare_page import comparison_page
    from openvet.reports.look import PLAIN
    from openvet.workflows.compare import compare as side_by_side

    form = asked["form"]
    with open_output(asked["output"], paths, utf8=form != "text") as output:
        found = side_by_side(
            gathered(paths, asked["key"], asked["uses"], quiet=asked["no_progress"]), asked["axes"], usd_per_hour=asked["usd_per_hour"], level=asked["level"],
        )  # fmt: skip
        value = found.to_json()
        if form == "json":
            from openvet.cli.signed import as_json

            output.write(as_json(value))
        elif form == "markdown":
            output.write(report.markdown_comparison(value))
        elif form == "html":
            output.write(comparison_page(value))
        else:
            look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
            output.write(report.compose_comparison(value, look))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the comparison is in {asked['output']}")
    ctx.exit(0 if found.chosen else _NOTHING)


def gathered(
    paths: tuple[str, ...],
    key: str | None,
    uses: tuple[str, ...],
    *,
    quiet: bool,
    packs: tuple[str, ...] = (),
    beside: str = "",
) -> list[Candidate]:
    """What is known of the models that are named; of models at hand also what ``packs`` ask for."""
    from openvet.cli.check import progress_line
    from openvet.cli.paths import expand
    from openvet.workflows.candidates import gather
    from openvet.workflows.check import Options

    also: tuple[str, ...] = ("rights",)
    if packs:
        from openvet.policy.vocabulary import BESIDE
        from openvet.workflows.packs import load_pack

        loaded = [load_pack(each, beside) for each in packs]
        needed = {kind for pack in loaded for kind in pack.kinds}
        also = tuple(dict.fromkeys((*also, *(each for each in BESIDE if each in needed))))
        uses = tuple(dict.fromkeys((*uses, *(use for pack in loaded for use in pack.pack.uses))))
    options = Options(also=also, uses=uses)
    with progress_line(not quiet) as (progress, hide):
        found = gather(expand(paths), public_key(key), options, progress)
        hide()
    return found


def public_key(path: str | None) -> PublicKey | None:
    """The public key in a file, where one is named."""
    if path is None:
        return None
    from openvet.workflows.keys import read_public

    return read_public(path)
