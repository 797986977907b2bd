"""``openvet log``: an append-only log of documents, and proofs that travel with them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option

if TYPE_CHECKING:
    from openvet.errors import VerifyError
    from openvet.evidence.checkpoint import Checkpoint
    from openvet.evidence.log.audit import Audit
    from openvet.workflows.log import LogTrust, Proven

__all__ = ["log"]

_PATH = click.Path(readable=False)
_NOT_VERIFIED = 1
_LISTED = 20
_PRIVATE = click.option("--key", metavar="FILE", type=_PATH, required=True, help="The private key of the log, of Ed25519.")  # fmt: skip


def _trusting(command: Any) -> Any:
    """What every command that reads a log is told about whom to trust."""
    for option in (
        click.option("--checkpoint", metavar="FILE", type=_PATH, help="A checkpoint kept from an earlier day: the log has to continue it."),
        click.option("--origin", metavar="NAME", help="Which log it has to be; every log of that key, if not given."),
        click.option("--key", metavar="FILE", type=_PATH, required=True, help="The public key of the log that you trust, in PEM."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(short_help="Log documents so that none can be changed or dropped unseen.")
def log() -> None:
    """Log documents so that none can be changed or dropped unseen.

    A log is a folder. It holds the digests of documents (signatures, reports), a Merkle tree over them, and a checkpoint that its
    key signed, all as C2SP's specifications have it. Whoever kept a checkpoint sees whether anything before it was changed.

    \b
    Examples:
      openvet keys new log.key --kind ed25519
      openvet log init ./log --origin example.com/log --key log.key
      openvet log append ./log my-model/model.sig --key log.key
      openvet log proof ./log my-model/model.sig --key log.key.pub --output my-model.tlog-proof
      openvet log verify my-model/model.sig --proof my-model.tlog-proof --key log.key.pub
      openvet log audit ./log --key log.key.pub --checkpoint kept

    \b
    Exit codes:
      0    done; for proof, verify, audit and show: verified
      1    not verified: the first line says why (tampered, rollback, fork, missing and so on)
      2    the command itself failed (a missing path, a full disk); nothing was acknowledged
    """  # noqa: D301


@log.command(short_help="Make an empty log.")
@click.argument("folder", metavar="LOG", type=_PATH)
@click.option("--origin", metavar="NAME", required=True, help="The name of the log for ever, like example.com/log; it need not be reachable.")  # fmt: skip
@_PRIVATE
@form_option("How to print it.")
def init(folder: str, origin: str, key: str, form: str) -> None:
    """Make an empty log in the folder LOG, which must be new or empty."""
    from openvet.cli.signed import ask_passphrase
    from openvet.evidence.log.writing import create_log
    from openvet.evidence.note import Verifier
    from openvet.workflows.keys import read_private
    from openvet.workflows.log import LOG_TYPE

    private = read_private(key, ask_passphrase)
    create_log(folder, origin, private)
    verifier = str(Verifier(origin, private.public))
    text = f"made the log {origin} in {folder}\n  verifier key  {verifier}\n"
    _print(form, {"type": LOG_TYPE, "origin": origin, "verifier_key": verifier}, text)


@log.command(short_help="Log documents.")
@click.argument("folder", metavar="LOG", type=_PATH)
@click.argument("files", metavar="FILE...", type=_PATH, nargs=-1, required=True)
@_PRIVATE
@click.option("--wait", type=click.FloatRange(0, 86400), metavar="SECONDS", default=60.0, show_default=True, help="How long to wait for another writer.")  # fmt: skip
@form_option("How to print it.")
def append(folder: str, files: tuple[str, ...], key: str, wait: float, form: str) -> None:
    """Log the digest of each FILE, all of them or none. What is printed is on the disk and stays there.

    A document that the log has already is not logged again.
    """
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.keys import read_private
    from openvet.workflows.log import LOG_TYPE, append_files

    def run() -> tuple[dict[str, Any], str]:
        found = append_files(folder, files, read_private(key, ask_passphrase), wait)
        text = "".join(f"{each.index}  {each.path}{'  (there before)' if each.known else ''}\n" for each in found)
        return {"type": LOG_TYPE, "entries": [each.to_json() for each in found]}, text

    _report(form, run)


@log.command(short_help="Write the proof that a document is logged.")
@click.argument("folder", metavar="LOG", type=_PATH)
@click.argument("file", metavar="FILE", type=_PATH)
@_trusting
@click.option("--output", "-o", metavar="PROOF", type=_PATH, help="Where to write it; FILE.tlog-proof if not given.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@form_option("How to print it.")
def proof(folder: str, file: str, output: str | None, force: bool, form: str, **trust: Any) -> None:
    """Write the proof that FILE is in the log LOG. It travels with the document and is verified without the log."""
    from openvet.errors import UsageError
    from openvet.evidence.log.proof import SUFFIX
    from openvet.io.new_file import NewFile
    from openvet.workflows.log import LOG_TYPE, find_proof
    from openvet.workflows.model_files import SIGNATURE

    def run() -> tuple[dict[str, Any], str]:
        if output is None and os.path.basename(file) == SIGNATURE:
            raise UsageError(
                f"{file}{SUFFIX} would be a file of the model that is not signed, which `openvet verify` refuses; name another place with --output"
            )
        logged, found = find_proof(folder, file, _trust(trust))
        target = output or f"{file}{SUFFIX}"
        with NewFile(target, replace=force) as new:
            new.write(found.to_bytes())
            new.commit()
        return {"type": LOG_TYPE, **logged.to_json(), "proof": target}, f"{target}: entry {logged.index}\n"

    _report(form, run)


@log.command(short_help="Verify that a document is logged.")
@click.argument("file", metavar="FILE", type=_PATH)
@_trusting
@click.option("--proof", "proof_file", metavar="PROOF", type=_PATH, help="Its proof; FILE.tlog-proof if not given.")
@click.option("--log", "folder", metavar="LOG", type=_PATH, help="The log itself, where it is at hand: it has to continue the proof.")  # fmt: skip
@form_option("How to print it.")
def verify(file: str, proof_file: str | None, folder: str | None, form: str, **trust: Any) -> None:
    """Verify with its proof that FILE is in a log. Neither the log nor a network is needed."""
    from openvet.evidence.log.proof import SUFFIX
    from openvet.workflows.log import verify_proof

    def run() -> tuple[dict[str, Any], str]:
        found = verify_proof(file, proof_file or f"{file}{SUFFIX}", _trust(trust), folder)
        return found.to_json(), _proven(found)

    _report(form, run)


@log.command(short_help="Compute a log anew and compare.")
@click.argument("folder", metavar="LOG", type=_PATH)
@_trusting
@form_option("How to print it.")
def audit(folder: str, form: str, **trust: Any) -> None:
    """Compute everything in the log LOG anew from its entries and compare it with its tiles and its checkpoint.

    To keep a checkpoint, copy the file LOG/checkpoint somewhere else. With --checkpoint a log that was rolled back or forked since
    then shows; without, that cannot be excluded, and the result says so.
    """
    from openvet.evidence.log.audit import audit as run_audit
    from openvet.workflows.log import audit_json

    def run() -> tuple[dict[str, Any], str]:
        asked = _trust(trust)
        found = run_audit(folder, asked.key, asked.origin, asked.kept())
        return audit_json(found), _audited(found)

    _report(form, run)


@log.command(short_help="Print the checkpoint and the last entries.")
@click.argument("folder", metavar="LOG", type=_PATH)
@_trusting
@click.option("--last", type=click.IntRange(0), metavar="N", default=_LISTED, show_default=True, help="How many entries to print.")  # fmt: skip
@form_option("How to print it.")
def show(folder: str, last: int, form: str, **trust: Any) -> None:
    """Print what the log LOG says about itself, and its last entries. They are not compared with the tree; the audit does that."""
    from openvet.core.text import printable
    from openvet.evidence.checkpoint import read_checkpoint
    from openvet.evidence.log.reading import LogReader
    from openvet.workflows.log import LOG_TYPE, shown

    def run() -> tuple[dict[str, Any], str]:
        asked = _trust(trust)
        reader = LogReader(folder, asked.key, asked.origin)
        kept = asked.kept()
        if kept is not None:
            reader.check_continues(read_checkpoint(kept, asked.key, reader.checkpoint.origin))
        begin = max(0, reader.checkpoint.size - last)
        entries = [(begin + at, printable(each.decode("utf-8", "backslashreplace"))) for at, each in enumerate(reader.entries(begin))]  # fmt: skip
        value = {"type": LOG_TYPE, "checkpoint": shown(reader.checkpoint), "entries": [{"index": at, "entry": each} for at, each in entries]}  # fmt: skip
        return value, "".join([_head(reader.checkpoint), *(f"  {at}  {each}\n" for at, each in entries)])

    _report(form, run)


def _trust(asked: dict[str, Any]) -> LogTrust:
    from openvet.workflows.keys import read_public
    from openvet.workflows.log import LogTrust

    return LogTrust(read_public(asked["key"]), asked["origin"], asked["checkpoint"])


def _report(form: str, run: Callable[[], tuple[dict[str, Any], str]]) -> None:
    """Print what ``run`` found, or why it is not verified."""
    from openvet.errors import VerifyError

    try:
        value, text = run()
    except VerifyError as error:
        _print(form, _refused(error), f"not verified: {error.reason}\n  {error.message}\n")
        click.get_current_context().exit(_NOT_VERIFIED)
    _print(form, value, text)


def _refused(error: VerifyError) -> dict[str, Any]:
    from openvet.workflows.log import refusal

    return refusal(error)


def _print(form: str, value: dict[str, Any], text: str) -> None:
    import json

    from openvet.cli.output import StandardOutput, write_text
    from openvet.reports._text import clean, visible

    if form == "json":
        StandardOutput(utf8=True).write(json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        write_text("".join(f"{visible(line)}\n" for line in text.split("\n")[:-1]))


def _head(checkpoint: Checkpoint) -> str:
    from openvet.evidence.strict import encode_base64

    return f"{checkpoint.origin}: entries: {checkpoint.size:,}\n  root  {encode_base64(checkpoint.root)}\n"


def _continuity(kept: Checkpoint | None) -> str:
    if kept is None:
        return "  a rollback cannot be excluded: no checkpoint was kept (--checkpoint)\n"
    return f"  continues the kept checkpoint of {kept.size} entries\n"


def _proven(found: Proven) -> str:
    lines = f"verified: {found.path}: entry {found.index} of {found.checkpoint.origin}\n"
    return lines + f"  sha256 {found.sha256}\n  among {found.checkpoint.size} entries\n" + _continuity(found.kept)


def _audited(found: Audit) -> str:
    lines = ["verified: ", _head(found.checkpoint), f"  tiles and bundles compared: {found.tiles} and {found.earlier} of earlier sizes\n"]  # fmt: skip
    lines.append(_continuity(found.kept))
    for what, names in (("left by an interrupted append, or of a log that was cut", found.leftovers), ("not part of a log", found.strangers)):  # fmt: skip
        lines += [f"  {what}: {name}\n" for name in names[:_LISTED]]
        if len(names) > _LISTED:
            lines.append(f"  {what}: {len(names) - _LISTED} more\n")
    return "".join(lines)
