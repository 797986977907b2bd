"""``openvet lineage``: what a model was made of, as declared, and as its weights show it beside others."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.cli.options import complete_limits
from openvet.cli.signed import check_statement, statement_line, written_key
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.evidence.keys import PrivateKey
    from openvet.workflows.lineage import Lined

__all__ = ["LINEAGE_TYPE", "lineage"]

LINEAGE_TYPE: Final = "https://openvet/lineage/v1"
_PATH = click.Path(readable=False)
_NOT_CONSISTENT, _CANNOT_TELL = 1, 3


@click.command(short_help="Say what a model was made of, and test it against other models' weights.")
@click.argument("model", metavar="MODEL", type=_PATH)
@click.argument("others", metavar="[ORIGIN]...", nargs=-1, type=_PATH)
@click.option("--format", "-f", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True, help="How to print it; json lists everything, html draws the graph.")  # fmt: skip
@click.option("--output", "-o", metavar="FILE", type=_PATH, help="Write the report to FILE: whole or not at all.")
@click.option("--key", metavar="PUBLIC", type=_PATH, help="The public key that has to have signed the fingerprints.")
@click.option("--statement", is_flag=True, help="Give an in-toto statement about MODEL in place of the report.")
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs the --statement.")
@click.option("--jobs", "-j", type=click.IntRange(min=1, max=1024), metavar="N", help="Threads that hash and compare. Default: one for each core.")  # fmt: skip
@click.option("--exclude", multiple=True, metavar="GLOB", help="Do not read names that match, of any model. May be repeated.")  # fmt: skip
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", shell_complete=complete_limits, help="Change what one model may cost; `openvet doctor` lists the limits. May be repeated.")  # fmt: skip
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def lineage(ctx: click.Context, /, model: str, others: tuple[str, ...], **asked: Any) -> None:
    """Say what MODEL declares that it was made of; with ORIGIN, whether its weights are consistent with coming from there.

    MODEL and every ORIGIN are a folder, file or archive, or a statement that `openvet fingerprint` wrote; of hf: and oci: models only what
    they declare is read. Weights are known again after fine-tuning, merged adapters, quantization, pruning, merging, casting, sharding, other names, and other orders of
    neurons, heads and layers. Each claim comes with its test, threshold and the chance of an error; equal configurations are never a
    reason. What was trained anew on another model's outputs is not known again. Tests need NumPy: pip install 'openvet[numbers]'.

    \b
    Examples:
      openvet lineage ./my-model
      openvet lineage ./my-model ./downloads
      openvet lineage ./my-model base.fingerprint.json --key release.key.pub
      openvet lineage --format html --output lineage.html ./my-model ./downloads weights.gguf

    \b
    Exit codes:
      0    consistent with every ORIGIN, or none was given
      1    not consistent with one of them
      3    not inconsistent with any, but of one nobody can tell
      2    the command itself failed (a missing path, a wrong argument, a fingerprint that is none)
      130  interrupted with Ctrl-C
    """  # noqa: D301
    from openvet.cli.check import progress_line, reading
    from openvet.cli.options import make_limits
    from openvet.cli.output import open_output
    from openvet.cli.signed import hash_fast
    from openvet.workflows.check import Options
    from openvet.workflows.lineage import lineage as trace

    check_statement(ctx, asked)
    if any(not each for each in asked["exclude"]):
        raise click.UsageError("--exclude '' matches nothing; give a pattern such as '*.md'")
    signer, public = written_key(asked["sign"]), None
    if asked["key"] is not None:
        from openvet.workflows.keys import read_public

        public = read_public(asked["key"])
    options = Options(jobs=asked["jobs"] or 0, exclude=tuple(asked["exclude"]), limits=make_limits(asked["limits"]))
    hash_fast()
    machine = asked["statement"] or asked["form"] != "text"
    with open_output(asked["output"], [model, *others], utf8=machine) as output:
        with reading(model, *others), progress_line(not asked["no_progress"]) as (progress, hide):
            found = trace(model, others, options, progress, public)
            hide()
        output.write(_statement(found, signer) if asked["statement"] else _report(found, asked))
        output.commit()
    for each in found.notes:
        say(f"openvet: {each}")
    if asked["output"] not in {None, "-"}:
        say(f"openvet: the {'statement' if asked['statement'] else 'report'} is in {asked['output']}")
    ctx.exit({"not-consistent": _NOT_CONSISTENT, "cannot-tell": _CANNOT_TELL}.get(found.verdict or "", 0))


def _report(found: Lined, asked: dict[str, Any]) -> str:
    from openvet.reports.look import PLAIN

    if asked["form"] == "json":
        from openvet.cli.signed import as_json
        from openvet.workflows.knowledge import tool

        return as_json({"type": LINEAGE_TYPE, "tool": tool().to_json(), "models": [found.to_json()], "errors": []})
    if asked["form"] == "html":
        from openvet.reports import lineage_page

        return lineage_page.page(found.predicate)
    from openvet.reports import lineage as report
    from openvet.reports.unread import compose_unread

    look = look_of(sys.stdout) if asked["output"] in {None, "-"} else PLAIN
    return report.compose(found.predicate, look) + compose_unread(found.unknowns, look)


def _statement(found: Lined, key: PrivateKey | None) -> str:
    from openvet.errors import UsageError

    if not found.subject.digest:
        raise UsageError("MODEL could not be hashed as a whole, so that a statement could not say what it is about")
    return statement_line(found.statement, key)
