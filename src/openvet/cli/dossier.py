"""``openvet dossier``: everything that is said about one model, signed and logged, in one folder or zip."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import form_option

if TYPE_CHECKING:
    from openvet.evidence.dossier.reading import Claim
    from openvet.workflows.dossier import Difference, Verified

__all__ = ["dossier"]

_PATH = click.Path(readable=False)
_NOT_VERIFIED = 1
_PRIVATE = click.option("--key", metavar="FILE", type=_PATH, required=True, help="The private key of its owner, of Ed25519.")  # fmt: skip
_PUBLIC = click.option("--key", metavar="FILE", type=_PATH, required=True, help="The public key of its owner, in PEM.")
_KEPT = click.option("--checkpoint", metavar="FILE", type=_PATH, help="A checkpoint of its log, kept from an earlier day: it has to continue that.")  # fmt: skip


@click.group(short_help="Keep all evidence about a model in one verifiable folder.")
def dossier() -> None:
    """Keep all evidence about a model in one folder that anybody can verify with the owner's public key.

    A dossier holds signed statements, one a line, the documents and keys that belong to them, a log, and a signed index. A line, a
    document or a key that is removed, moved, edited or added is seen. `openvet check --dossier DIR --sign KEY` fills one.

    \b
    Examples:
      openvet keys new owner.key --kind ed25519
      openvet dossier create ./dossier --key owner.key
      openvet check ./my-model --dossier ./dossier --sign owner.key
      openvet dossier verify ./dossier --key owner.key.pub --model ./my-model
      openvet dossier export ./dossier dossier.zip --key owner.key.pub

    \b
    Exit codes:
      0    done, and whatever was read is verified; for diff: both say the same
      1    not verified: the first line says why (tampered, missing, mismatch and so on)
           for diff also: both are verified, and do not say the same
      2    the command itself failed (a missing path, a full disk); nothing was acknowledged
    """  # noqa: D301


@dossier.command(short_help="Make an empty dossier.")
@click.argument("folder", metavar="DOSSIER", type=_PATH)
@_PRIVATE
@click.option("--origin", metavar="NAME", help="The name of its log for ever, which no other dossier may have; a new one if not given.")  # fmt: skip
@form_option("How to print it.")
def create(folder: str, key: str, origin: str | None, form: str) -> None:
    """Make an empty dossier in the folder DOSSIER, which must be new or empty."""
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.dossier import DOSSIER_TYPE
    from openvet.workflows.dossier import create as run
    from openvet.workflows.keys import read_private

    name = run(folder, read_private(key, ask_passphrase), origin)
    _print(
        form, {"type": DOSSIER_TYPE, "dossier": folder, "origin": name}, f"made the dossier {folder}\n  log  {name}\n"
    )


@dossier.command(short_help="Add signed statements, keys or documents.")
@click.argument("folder", metavar="DOSSIER", type=_PATH)
@click.argument("bundles", metavar="[BUNDLE]...", type=_PATH, nargs=-1)
@_PRIVATE
@click.option("--signer", "signers", metavar="FILE", type=_PATH, multiple=True, help="The public key of somebody who signed a BUNDLE; you vouch for it. May be repeated.")  # fmt: skip
@click.option("--blob", "blobs", metavar="FILE", type=_PATH, multiple=True, help="A document to take in. May be repeated.")  # fmt: skip
@form_option("How to print it.")
def add(
    folder: str, bundles: tuple[str, ...], key: str, signers: tuple[str, ...], blobs: tuple[str, ...], form: str
) -> None:
    """Add each BUNDLE (a Sigstore bundle around an in-toto statement, like model.sig), all of them or none.

    What is printed is on the disk. A statement that is there already is not added again.
    """
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.dossier import DOSSIER_TYPE
    from openvet.workflows.dossier import add as run
    from openvet.workflows.keys import read_private

    def go() -> tuple[dict[str, Any], str]:
        lines = run(folder, read_private(key, ask_passphrase), bundles, signers, blobs)
        text = f"added {len(lines)} of {len(bundles)} statements to {folder}\n"
        return {"type": DOSSIER_TYPE, "dossier": folder, "lines": list(lines)}, text

    _report(form, folder, go)


@dossier.command(short_help="Verify a dossier and list what it says.")
@click.argument("path", metavar="DOSSIER", type=_PATH)
@_PUBLIC
@click.option("--line", metavar="N", type=click.IntRange(1), help="Print the statement in this line as it was signed.")
@form_option("How to print it.")
def show(path: str, key: str, line: int | None, form: str) -> None:
    """Verify DOSSIER and list its statements, or print one of them as it was signed."""
    from openvet.cli.output import StandardOutput
    from openvet.errors import UsageError
    from openvet.evidence.signing import parse_line
    from openvet.workflows.dossier import verify as run
    from openvet.workflows.keys import read_public

    def go() -> tuple[dict[str, Any], str]:
        found = run(path, read_public(key))
        return found.to_json(), _shown(found) if line is None else _payload(found)

    def _payload(found: Verified) -> str:
        claims = found.dossier.claims
        if line is None or line > len(claims):
            raise UsageError(f"the dossier has {len(claims)} lines, and none of number {line}")
        return parse_line(claims[line - 1].line, f"line {line}").envelope.payload.decode()

    if line is None:
        _report(form, path, go)
    else:  # signed bytes stay bytes, whatever the format
        _report(form, path, go, lambda text: StandardOutput(utf8=True).write(text + "\n"))


@dossier.command(short_help="Verify a dossier, and a model against it.")
@click.argument("path", metavar="DOSSIER", type=_PATH)
@_PUBLIC
@click.option("--model", metavar="PATH", type=_PATH, help="The model, which is hashed and held against the statements.")
@_KEPT
@form_option("How to print it.")
def verify(path: str, key: str, model: str | None, checkpoint: str | None, form: str) -> None:
    """Verify everything in DOSSIER, a folder or a zip, with the public key of its owner and nothing else.

    `tools/openvet_verify.py` does the same without OpenVet. Without --checkpoint a rollback cannot be excluded: a copy of
    yesterday's dossier is a good dossier of yesterday. To keep one, copy DOSSIER/log/checkpoint somewhere else.
    """
    from openvet.workflows.dossier import verify as run
    from openvet.workflows.keys import read_public

    def go() -> tuple[dict[str, Any], str]:
        found = run(path, read_public(key), checkpoint, model)
        return found.to_json(), _verified(found)

    _report(form, path, go)


@dossier.command(short_help="Write a dossier as a zip.")
@click.argument("folder", metavar="DOSSIER", type=_PATH)
@click.argument("target", metavar="ZIP", type=_PATH)
@_PUBLIC
@click.option("--force", is_flag=True, help="Replace what is there.")
@form_option("How to print it.")
def export(folder: str, target: str, key: str, force: bool, form: str) -> None:
    """Verify DOSSIER and write it as ZIP. The same dossier always gives the same bytes."""
    from openvet.workflows.dossier import DOSSIER_TYPE
    from openvet.workflows.dossier_zip import export_dossier
    from openvet.workflows.keys import read_public

    def go() -> tuple[dict[str, Any], str]:
        found = export_dossier(folder, target, read_public(key), force=force)
        value = {"type": DOSSIER_TYPE, "dossier": folder, "zip": target, "lines": len(found.claims)}
        return value, f"wrote {target}: {len(found.claims)} statements\n"

    _report(form, folder, go)


@dossier.command("import", short_help="Unpack a zip and verify what was in it.")
@click.argument("path", metavar="ZIP", type=_PATH)
@click.argument("folder", metavar="DOSSIER", type=_PATH)
@_PUBLIC
@form_option("How to print it.")
def import_(path: str, folder: str, key: str, form: str) -> None:
    """Unpack ZIP into the new folder DOSSIER, which is there only if everything in it is verified."""
    from openvet.workflows.dossier import DOSSIER_TYPE
    from openvet.workflows.dossier_zip import import_dossier
    from openvet.workflows.keys import read_public

    def go() -> tuple[dict[str, Any], str]:
        found = import_dossier(path, folder, read_public(key))
        value = {"type": DOSSIER_TYPE, "dossier": folder, "zip": path, "lines": len(found.claims)}
        return value, f"made {folder}: {len(found.claims)} statements, verified\n"

    _report(form, path, go)


@dossier.command(short_help="Say which statements only one of two dossiers has.")
@click.argument("first", metavar="FIRST", type=_PATH)
@click.argument("second", metavar="SECOND", type=_PATH)
@_PUBLIC
@click.option("--second-key", metavar="FILE", type=_PATH, help="The public key of the owner of SECOND, if it is another one.")  # fmt: skip
@form_option("How to print it.")
@click.pass_context
def diff(ctx: click.Context, /, first: str, second: str, key: str, second_key: str | None, form: str) -> None:
    """Verify FIRST and SECOND, and say which statements only one of them has. Exits with 1 where there are any."""
    from openvet.workflows.dossier import compare
    from openvet.workflows.dossier import verify as run
    from openvet.workflows.keys import read_public

    same = False

    def go() -> tuple[dict[str, Any], str]:
        nonlocal same
        before = run(first, read_public(key)).dossier
        after = run(second, read_public(second_key or key)).dossier
        found = compare(before, after)
        same = before.index.lines == after.index.lines
        return found.to_json(), _differing(found)

    _report(form, f"{first}, {second}", go)
    ctx.exit(0 if same else _NOT_VERIFIED)


def _report(
    form: str, path: str, go: Callable[[], tuple[dict[str, Any], str]], write: Callable[[str], None] | None = None
) -> None:
    """Print what ``go`` found, or why it is not verified."""
    from openvet.errors import VerifyError
    from openvet.workflows.dossier import refusal

    try:
        value, text = go()
    except VerifyError as error:
        _print(form, refusal(path, error), f"NOT verified: {path}: {error.reason}: {error.message}\n")
        click.get_current_context().exit(_NOT_VERIFIED)
    if write is not None:
        write(text)
    else:
        _print(form, value, text)


def _print(form: str, value: dict[str, Any], text: str) -> None:
    import json

    from openvet.cli.output import StandardOutput, write_text
    from openvet.reports._wording import clean, visible

    if form == "json":
        StandardOutput(utf8=True).write(json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        write_text("".join(f"{visible(line)}\n" for line in text.split("\n")[:-1]))


def _claim(claim: Claim) -> str:
    said = claim.statement
    about = ", ".join(f"{each.name or 'unnamed'} ({', '.join(sorted(each.digest))})" for each in said.subjects[:3])
    return f"{said.predicate_type.replace(chr(10), ' ')}  about {about.replace(chr(10), ' ')}"


def _shown(found: Verified) -> str:
    lines = [_head(found)]
    for number, each in enumerate(found.dossier.claims, 1):
        whose = "the owner" if each.key == found.dossier.owner else f"{each.key}, whom the owner vouches for"
        lines += [f"  {number}  {_claim(each)}\n", f"     signed by {whose}\n"]
    lines += [f"  document  {each}\n" for each in found.dossier.index.blobs]
    return "".join(lines)


def _head(found: Verified) -> str:
    return f"verified: {found.path}: statements: {len(found.dossier.claims)}\n  owner     {found.dossier.owner}\n"


def _verified(found: Verified) -> str:
    lines = [_head(found)]
    if found.compared is None:
        lines.append("  the model was not looked at (--model)\n")
    else:
        rest = len(found.dossier.claims) - found.compared
        lines.append(f"  model     is what {found.compared} statements are about; {rest} could not be compared\n")
    kept = found.dossier.kept
    if kept is None:
        lines.append("  a rollback cannot be excluded: no checkpoint was kept (--checkpoint)\n")
    else:
        lines.append(f"  continues the kept checkpoint of {kept.size} lines\n")
    return "".join(lines)


def _differing(found: Difference) -> str:
    lines = [f"  - {_claim(each)}\n    {each.sha256}\n" for each in found.only_first]
    lines += [f"  + {_claim(each)}\n    {each.sha256}\n" for each in found.only_second]
    order = "" if found.continues else "; the second does not continue the first"
    return f"statements in both: {found.both}{order}\n" + "".join(lines)
