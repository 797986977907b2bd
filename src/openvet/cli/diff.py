"""``openvet diff``: what changed between two models."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import complete_limits
from openvet.cli.signed import check_statement, statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.evidence.keys import PrivateKey
    from openvet.workflows.diff import Difference

__all__ = ["DIFF_TYPE", "diff"]

DIFF_TYPE: Final = "https://openvet/diff/v1"
_PATH = click.Path(readable=False)
_DIFFERS, _CANNOT_TELL = 1, 3


@click.command(short_help="Say what changed between two models: files, values, code, tensors.")
@click.argument("a", metavar="A", type=_PATH)
@click.argument("b", metavar="B", type=_PATH)
@click.option("--format", "-f", "form", type=click.Choice(["text", "json", "markdown", "html"]), default="text", show_default=True, help="How to print it; json lists everything, html draws the layers.")  # fmt: skip
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write the report to FILE: whole or not at all.")
@click.option("--statement", is_flag=True, help="Give an in-toto statement about B in place of the report.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--jobs", "-j", type=click.IntRange(min=1, max=1024), metavar="N", help="Threads that hash and compare. Default: one for each core.")  # fmt: skip
@click.option("--exclude", multiple=True, metavar="GLOB", help="Do not read names that match, on either side. May be repeated.")  # fmt: skip
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", shell_complete=complete_limits, help="Change what one model may cost; `openvet doctor` lists the limits. May be repeated.")  # fmt: skip
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def diff(ctx: click.Context, /, a: str, b: str, **asked: Any) -> None:
    """Say what changed from model A to model B: two versions, or two packagings of one.

    A and B are folders, files, archives, hf: or oci: models; one may be GGUF and the other safetensors or PyTorch. Files are matched by
    name and by digest, configurations are compared value by value, code and templates line by line and by what they do, tensors number
    by number: equal, cast, quantized, pruned or changed. Nothing is executed. Quantized and other rare numbers need NumPy: pip install 'openvet[numbers]'.

    \b
    Examples:
      openvet diff ./downloads ./my-model
      openvet diff ./my-model weights.gguf
      openvet diff --format html --output diff.html ./downloads ./my-model
      openvet diff --statement --sign release.key ./my-model weights.gguf

    \b
    Exit codes:
      0    nothing differs
      1    something differs
      3    nothing is known to differ, but not everything could be compared
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.options import make_limits
    from openvet.cli.output import open_output
    from openvet.workflows.check import Options
    from openvet.workflows.diff import diff as compare

    check_statement(ctx, asked)
    if any(not each for each in asked["exclude"]):
        raise click.UsageError("--exclude '' matches nothing; give a pattern such as '*.md'")
    key = written_key(asked["sign"])
    options = Options(jobs=asked["jobs"] or 0, exclude=tuple(asked["exclude"]), limits=make_limits(asked["limits"]))
    # hashing threads ask for the interpreter once a block; the usual 5 ms would cost them as much as the block itself
    sys.setswitchinterval(0.0002)
    machine = asked["statement"] or asked["form"] != "text"
    with open_output(asked["output"], [a, b], utf8=machine) as output:
        with progress_line(not asked["no_progress"]) as (progress, hide):
            found = compare(a, b, options, progress)
            hide()
        output.write(_statement(found, key) if asked["statement"] else _report(found, asked))
        output.commit()
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'statement' if asked['statement'] else 'report'} is in {asked['output']}")
    ctx.exit({"differs": _DIFFERS, "cannot-tell": _CANNOT_TELL}.get(found.predicate.verdict, 0))


def _report(found: Difference, asked: dict[str, Any]) -> str:
    from openvet.reports.look import PLAIN

    name, predicate = found.b.name, found.predicate
    if asked["form"] == "json":
        from openvet.cli.signed import as_json

        return as_json(
            {"type": DIFF_TYPE, "a": found.a.to_json(), "b": found.b.to_json(), "statement": found.statement.to_json()}
        )
    if asked["form"] == "markdown":
        from openvet.reports import diff_markdown

        return diff_markdown.compose(name, predicate)
    if asked["form"] == "html":
        from openvet.reports import diff_html

        return diff_html.compose(name, predicate)
    from openvet.reports import diff as report

    return report.compose(name, predicate, look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN)


def _statement(found: Difference, key: PrivateKey | None) -> str:
    from openvet.errors import UsageError

    if not found.b.digest:
        raise UsageError("B could not be hashed as a whole, so that a statement could not say what it is about")
    return statement_line(found.statement, key)
