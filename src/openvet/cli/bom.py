"""``openvet bom``: what a model is made of, in the forms that others read, and what differs between two bills."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.failures import FAILED
from openvet.cli.options import form_option, reading_options
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.bom.bill import Bill

__all__ = ["COVERAGE_TYPE", "DIFFERENCE_TYPE", "bom"]

COVERAGE_TYPE = "https://openvet/bom-coverage/v1"
DIFFERENCE_TYPE = "https://openvet/bom-difference/v1"
_DIFFERENT = 1


class _Bom(click.Group):
    """A group in which a path stands for the command that is asked most."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["create", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Bom, short_help="Write a model's bill of materials; compare two.")
def bom() -> None:
    """Write the bill of materials of a model, in CycloneDX or SPDX, or compare two bills, of ours or of others.

    `openvet bom PATH` is short for `openvet bom create PATH`.

    \b
    Examples:
      openvet bom ./my-model > my-model.cdx.json
      openvet bom --form spdx -o my-model.spdx.json ./my-model
      openvet bom --coverage ./my-model
      openvet bom diff before.cdx.json after.cdx.json

    \b
    Exit codes:
      0    the bill was written; for diff: both list the same
      1    for diff: they do not
      2    the command itself failed (a missing path, a wrong argument, a file that is no bill)
      130  interrupted with Ctrl-C
    """  # noqa: D301


@bom.command(short_help="Write the bill of materials of a model.")
@click.option(
    "--form",
    "document",
    type=click.Choice(["cyclonedx", "spdx"]),
    default="cyclonedx",
    show_default=True,
    help="CycloneDX 1.7, or SPDX 3.0.1 in JSON-LD.",
)
@click.option("--coverage", is_flag=True, help="Say instead what it has of the G7's minimum elements for AI.")
@form_option("How to print --coverage; a bill is JSON.")
@click.option("--purl", default="", metavar="PURL", help="The package URL under which its users know the model.")
@click.option(
    "--time",
    metavar="TIME",
    help="When it was made (2026-11-28 or 2026-11-28T10:00:00Z); SOURCE_DATE_EPOCH counts too. Without, it says no time.",
)
@reading_options
@click.pass_context
def create(ctx: click.Context, /, **asked: Any) -> None:
    """Write the bill of materials of a model: its files with their digests, its model card, data sets, base models, licences, packages.

    Each field says from which bytes it was read, and whether it is declared or derived. Nothing is looked up and nothing is filled in.
    The same model gives the same bytes.

    \b
    Examples:
      openvet bom ./my-model > my-model.cdx.json
      openvet bom --form spdx -o my-model.spdx.json ./my-model
      openvet bom --purl pkg:huggingface/org/name@0123456789012345678901234567890123456789 ./my-model
      openvet bom --coverage ./my-model
    """  # noqa: D301
    from openvet.bom.bill import Bill
    from openvet.cli.check import look_for_config, make_options, read_each
    from openvet.cli.output import open_output
    from openvet.cli.paths import expand
    from openvet.core.text import printable
    from openvet.workflows.bom import bill_of, time_of

    time = time_of(asked["time"])
    paths = expand(asked["paths"])
    if len(paths) != 1:
        raise click.UsageError("a bill is of one model; name one PATH")
    if not asked["coverage"] and asked["form"] != "text":
        raise click.UsageError("--format is how --coverage is printed; --form is the form of a bill")
    options = make_options(asked, look_for_config(asked, paths).config, with_inventory=True)
    to_file = asked["output"] not in {None, "-"}
    failed = True
    with open_output(asked["output"], paths, utf8=True) as output:
        for result in read_each(
            paths,
            lambda path, progress: bill_of(path, options, progress, asked["purl"]),
            show_progress=not asked["no_progress"],
        ):
            if isinstance(result, Bill):
                output.write(_written(result, asked, time))
                failed = False
        if not failed:
            output.commit()
    if to_file and not failed:
        say(f"the {'report' if asked['coverage'] else 'bill'} is in {printable(asked['output'])}")
    ctx.exit(FAILED if failed else 0)


def _written(bill: Bill, asked: dict[str, Any], time: Any) -> str:
    from openvet.workflows.bom import document_of

    if not asked["coverage"]:
        return _json(document_of(bill, asked["document"], time).to_json())
    from openvet.bom.coverage import cover
    from openvet.reports.bom import compose_coverage
    from openvet.reports.look import PLAIN

    lines = [each.to_json() for each in cover(bill, timed=time is not None)]
    if asked["form"] == "json":
        value = {
            "type": COVERAGE_TYPE,
            "tool": bill.tool.to_json(),
            "subject": bill.subject.to_json(),
            "elements": lines,
        }
        return _json(value)
    return compose_coverage(
        bill.subject.name, lines, PLAIN if asked["output"] not in {None, "-"} else look_of(sys.stdout)
    )


@bom.command(short_help="Say what differs between two bills.")
@click.argument("before", metavar="BEFORE", type=click.Path(readable=False))
@click.argument("after", metavar="AFTER", type=click.Path(readable=False))
@form_option("How to print it.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(readable=False),
    help="Write the report to FILE: whole or not at all.",
)
@click.pass_context
def diff(ctx: click.Context, /, before: str, after: str, form: str, output: str | None) -> None:
    """Say what differs between two bills: components, versions, digests, licences, properties.

    Read are CycloneDX 1.4 to 1.7 and SPDX 2.2, 2.3 and 3.0, in JSON, of any tool; the two may have different forms. Components are
    matched by package URL, else by name; one with another name and the same digest was renamed.

    \b
    Examples:
      openvet bom diff before.cdx.json after.cdx.json
      openvet bom diff --format json vendor.spdx.json ours.cdx.json
    """  # noqa: D301
    from openvet.cli.output import open_output
    from openvet.reports.bom import compose_difference
    from openvet.reports.look import PLAIN
    from openvet.workflows.bom_diff import compare_bills

    found = compare_bills(before, after)
    look = PLAIN if output not in {None, "-"} else look_of(sys.stdout)
    with open_output(output, [before, after], utf8=form != "text") as target:
        if form == "json":
            target.write(_json({"type": DIFFERENCE_TYPE, **found.to_json()}))
        else:
            target.write(compose_difference(found.to_json(), look))
        target.commit()
    ctx.exit(_DIFFERENT if found.difference.differs else 0)


def _json(value: Any) -> str:
    import json

    from openvet.reports._wording import clean

    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
