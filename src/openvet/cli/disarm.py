"""``openvet disarm``: rewrite a checkpoint to safetensors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option, make_limits
from openvet.cli.terminal import say

if TYPE_CHECKING:
    from openvet.disarm.report import FileReport
    from openvet.evidence.keys import PrivateKey
    from openvet.workflows.disarm import DisarmReport

__all__ = ["disarm"]

_LISTED = 20
_PATH = click.Path(readable=False)


@click.command(short_help="Rewrite a checkpoint to safetensors, executing nothing.")
@click.argument("source", metavar="IN", type=_PATH)
@click.argument("target", metavar="OUT", type=_PATH)
@form_option("How to report what was done; json lists everything.")
@click.option(
    "--report", metavar="FILE", type=_PATH, help="Write the JSON report to FILE as well: whole or not at all."
)
@click.option("--provenance", metavar="FILE", type=_PATH, help="Write a SLSA provenance to FILE: of which input each output was made. With --sign.")  # fmt: skip
@click.option("--sign", metavar="KEY", type=_PATH, help="The private key that signs --provenance.")
@click.option("--save-rest", is_flag=True, help="Write plain values (numbers, text, lists of such) to OUT.rest.json.")
@click.option(
    "--drop-the-rest", is_flag=True, help="Leave out what safetensors cannot carry; without it that is refused."
)
@click.option("--copy-others", is_flag=True, help="Of a folder, copy other files too in which nothing was found.")
@click.option("--force", is_flag=True, help="Replace what is at OUT.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing on success, and no progress.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="Change what one file may cost. May be repeated.")  # fmt: skip
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def disarm(ctx: click.Context, /, **asked: Any) -> None:
    """Rewrite a checkpoint to safetensors, without executing anything of it.

    IN is a file of PyTorch, joblib, pickle or NumPy, or a folder; OUT is the file or folder to make. Tensors are copied
    element for element and never converted. What a pickle would run is never part of OUT: it is left out and reported. What
    else safetensors cannot carry makes the command refuse, unless an option says where it goes.

    \b
    Examples:
      openvet disarm weights.pt safe.safetensors
      openvet disarm --save-rest --report disarm.json checkpoint.ckpt safe.safetensors
      openvet disarm --copy-others ./shards ./shards-safe
      openvet disarm --provenance made.json --sign release.key weights.pt safe.safetensors

    \b
    Exit codes:
      0    written, with everything that IN holds
      1    written; IN is dangerous to load, and what makes it so was left out
      3    written; something else was left out, as the report says
      2    nothing was written: refused, or the command itself failed
      130  interrupted with Ctrl-C; nothing was written
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.output import open_output, write_text
    from openvet.disarm.rewrite import DisarmOptions
    from openvet.workflows.disarm import Outcome
    from openvet.workflows.disarm import disarm as run

    key = _check_places(asked)
    # hashing threads ask for the interpreter once a block; the usual 5 ms would cost them as much as the block itself
    sys.setswitchinterval(0.0002)
    options = DisarmOptions(
        drop_the_rest=asked["drop_the_rest"],
        save_rest=asked["save_rest"],
        copy_others=asked["copy_others"],
        force=asked["force"],
        limits=make_limits(asked["limits"]),
    )
    spared = [asked["source"]]
    with open_output(asked["report"], spared) as output, open_output(asked["provenance"], spared) as second:
        with progress_line(not asked["quiet"] and not asked["no_progress"]) as (progress, _):
            report = run(asked["source"], asked["target"], options, progress)
        if asked["report"] is not None:
            output.write(_as_json(report))
            output.commit()
        if key is not None:
            second.write(_signed(report, key, with_report=asked["report"] is not None))
            second.commit()
    if not asked["quiet"]:
        write_text(_as_json(report) if asked["form"] == "json" else _as_text(report))
    if report.outcome is Outcome.DANGEROUS:
        say("openvet: the input is dangerous to load; what makes it so is not in the output")
    ctx.exit({Outcome.WHOLE: 0, Outcome.DANGEROUS: 1, Outcome.PARTIAL: 3}[report.outcome])


def _check_places(asked: dict[str, Any]) -> PrivateKey | None:
    """Say before the long work what cannot be written; gives the key that signs the provenance."""
    if (asked["provenance"] is None) != (asked["sign"] is None):
        raise click.UsageError("--provenance and --sign belong together: where it goes, and who signs it")
    places = [os.path.realpath(asked["target"])]
    for name in ("report", "provenance"):
        if asked[name] is None:
            continue
        if os.path.realpath(asked[name]) in places:
            raise click.UsageError(f"--{name} names the file that is to be made; choose another place")
        places.append(os.path.realpath(asked[name]))
    if asked["sign"] is None:
        return None
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.keys import read_private

    return read_private(asked["sign"], ask_passphrase)


def _signed(report: DisarmReport, key: PrivateKey, *, with_report: bool) -> str:
    from openvet.evidence.signing import sign_statement, to_line
    from openvet.workflows.provenance import provenance_of

    statement = provenance_of(
        report, printed=_as_json(report).encode("utf-8", "backslashreplace") if with_report else None
    )
    return to_line(sign_statement(statement, key)).decode("utf-8") + "\n"


def _as_json(report: DisarmReport) -> str:
    import json

    from openvet.reports._wording import clean

    return json.dumps(clean(report.to_json()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _as_text(report: DisarmReport) -> str:
    lines: list[str] = []
    for file in report.files:
        lines += _file(file)
    lines += [f"copied {each.name}" for each in report.copied]
    lines += [f"wrote {each.name}" for each in report.indexes]
    lines += [f"not in the output: {each.name}: {each.why}" for each in report.skipped]
    decision = report.checked.decision
    lines.append(f"the check of the input says: {decision.verdict}")
    lines += [f"  {reason.message}" for reason in decision.reasons[:_LISTED]]
    from openvet.reports._wording import visible

    return "".join(f"{visible(line)}\n" for line in lines)


def _file(file: FileReport) -> list[str]:
    from openvet.reports._wording import bytes_for_people, plural

    gathered = sum(not each.contiguous for each in file.tensors)
    aliases = sum(len(each.aliases) for each in file.tensors)
    size = bytes_for_people(sum(each.nbytes for each in file.tensors))
    lines = [
        f"{file.source} -> {file.target}",
        f"  {plural(len(file.tensors), 'tensor')}, {size}, read back and compared",
    ]
    if gathered:
        lines.append(f"  {gathered} gathered from views that are not contiguous")
    if aliases:
        lines.append(f"  {plural(aliases, 'other name')} of a tensor, in the metadata")
    if file.saved is not None:
        lines.append(f"  {plural(len(file.plain), 'plain value')} in {file.saved}")
    elif file.plain:
        lines += _listed("plain values left out", [each.name or "the whole" for each in file.plain])
    lines += _listed("left out", [f"{each.name}: {each.what}" if each.name else each.what for each in file.left])
    if file.dropped:
        lines.append(f"  and {file.dropped} more")
    lines += _listed("never called", [f"{each.qualified}({', '.join(each.arguments)})" for each in file.calls])
    lines.append(f"  SHA-256 {file.target_digest}")
    return lines


def _listed(what: str, items: list[str]) -> list[str]:
    lines = [f"  {what}: {each[:200]}" for each in items[:_LISTED]]
    return lines + ([f"  {what}: and {len(items) - _LISTED} more"] if len(items) > _LISTED else [])
