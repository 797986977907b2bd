"""``openvet dossier``: everything that is said about one model, signed and logged, in one folder or zip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openvet.cli.dossier_report import differing_text, print_report, report, shown_text, verified_text
from openvet.cli.options import form_option, with_options
from openvet.cli.packs import config_options, pack_options, verifier_for

if TYPE_CHECKING:
    from openvet.evidence.keys import PublicKey
    from openvet.evidence.predicates.decision_v1 import DecisionV1
    from openvet.workflows.dossier import VerifiedDossier
    from openvet.workflows.dossier_trust import DossierTrust

__all__ = ["dossier"]

_PATH = click.Path(readable=False)
_NOT_VERIFIED = 1
_PRIVATE = click.option("--key", metavar="FILE", type=_PATH, required=True, help="The private key of its owner, of Ed25519.")  # fmt: skip
_PUBLIC = click.option("--key", metavar="FILE", type=_PATH, required=True, help="The public key of its owner, in PEM.")
_TRUST = click.option(
    "--trust", metavar="FILE", type=_PATH, help="Whom you trust about which statements: a trust.toml."
)
_AT = click.option("--at", metavar="TIME", help="Judge --trust as of this time (2026-11-28 or 2026-11-28T10:00:00Z); now if not given.")  # fmt: skip
_ROOT = click.option("--trusted-root", metavar="FILE", type=_PATH, help="Sigstore's trusted root, for keyless signatures; that of the public instance if not given.")  # fmt: skip
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
      openvet dossier report ./dossier page.html --key owner.key.pub
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
    print_report(
        form, {"type": DOSSIER_TYPE, "dossier": folder, "origin": name}, f"made the dossier {folder}\n  log  {name}\n"
    )


@dossier.command(short_help="Add signed statements, keys or documents.")
@click.argument("folder", metavar="DOSSIER", type=_PATH)
@click.argument("bundles", metavar="[BUNDLE]...", type=_PATH, nargs=-1)
@_PRIVATE
@click.option("--signer", "signers", metavar="FILE", type=_PATH, multiple=True, help="The public key of somebody who signed a BUNDLE; you vouch for it. May be repeated.")  # fmt: skip
@click.option("--blob", "blobs", metavar="FILE", type=_PATH, multiple=True, help="A document to take in. May be repeated.")  # fmt: skip
@_TRUST
@_AT
@_ROOT
@form_option("How to print it.")
def add(
    folder: str,
    bundles: tuple[str, ...],
    key: str,
    signers: tuple[str, ...],
    blobs: tuple[str, ...],
    form: str,
    **asked: Any,
) -> None:
    """Add each BUNDLE (a Sigstore bundle around an in-toto statement, like model.sig), all of them or none.

    A BUNDLE that is signed with a certificate, or keyless, is taken in where --trust knows who that is.

    What is printed is on the disk. A statement that is there already is not added again.
    """
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.dossier import DOSSIER_TYPE
    from openvet.workflows.dossier import add as run
    from openvet.workflows.keys import read_private

    def go() -> tuple[dict[str, Any], str]:
        lines = run(folder, read_private(key, ask_passphrase), bundles, signers, blobs, _by(asked))
        text = f"added {len(lines)} of {len(bundles)} statements to {folder}\n"
        return {"type": DOSSIER_TYPE, "dossier": folder, "lines": list(lines)}, text

    report(form, folder, go)


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
        return found.to_json(), shown_text(found) if line is None else _payload(found)

    def _payload(found: VerifiedDossier) -> str:
        claims = found.dossier.claims
        if line is None or line > len(claims):
            raise UsageError(f"the dossier has {len(claims)} lines, and none of number {line}")
        return parse_line(claims[line - 1].line, f"line {line}").envelope.payload.decode()

    if line is None:
        report(form, path, go)
    else:  # signed bytes stay bytes, whatever the format
        report(form, path, go, lambda text: StandardOutput(utf8=True).write(text + "\n"))


@dossier.command(short_help="Verify a dossier, and a model against it.")
@click.argument("path", metavar="DOSSIER", type=_PATH)
@_PUBLIC
@click.option("--model", metavar="PATH", type=_PATH, help="The model, which is hashed and held against the statements.")
@click.option("--model-name", metavar="NAME", help="What the model is called in --trust; the last part of --model if not given.")  # fmt: skip
@_TRUST
@click.option("--require", metavar="KIND", multiple=True, help="A kind of statement (scan, signature, bom, decision or a predicate type) of which --trust has to believe one. May be repeated.")  # fmt: skip
@_AT
@_ROOT
@_KEPT
@form_option("How to print it.")
def verify(path: str, key: str, model: str | None, checkpoint: str | None, form: str, **asked: Any) -> None:
    """Verify everything in DOSSIER, a folder or a zip, with the public key of its owner and nothing else.

    The owner vouches for the keys of all who signed statements. With --trust you judge them by your own trust file, lines signed
    with certificates and keyless ones too: at least one statement, and one of each --require, has to be believed.

    `tools/openvet_verify.py` does the same without OpenVet, but for --trust. Without --checkpoint a rollback cannot be excluded: a copy of
    yesterday's dossier is a good dossier of yesterday. To keep one, copy DOSSIER/log/checkpoint somewhere else.
    """
    from openvet.workflows.dossier import verify as run
    from openvet.workflows.keys import read_public

    def go() -> tuple[dict[str, Any], str]:
        if asked["require"] and asked["trust"] is None:
            raise click.UsageError("--require belongs to --trust")
        by = _by(asked, model)
        found = run(path, read_public(key), checkpoint, model, by=by, require=asked["require"])
        return found.to_json(), verified_text(found)

    report(form, path, go)


@dossier.command("report", short_help="Make a page for people from a dossier.")
@click.argument("path", metavar="DOSSIER", type=_PATH)
@click.argument("target", metavar="FILE", type=_PATH)
@_PUBLIC
@click.option("--model-name", metavar="NAME", help="What the model is called in --trust.")
@_TRUST
@_AT
@_ROOT
@_KEPT
@with_options(pack_options())
@with_options(
    config_options(
        "Use this openvet.toml: whom it trusts to sign packs; `openvet config` shows which one counts otherwise."
    )
)
@click.option("--as-of", metavar="DATE", help="The day that --policy is asked about (2026-12-03); today if not given.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@form_option("How to print what was done.")
def report_(path: str, target: str, key: str, checkpoint: str | None, force: bool, form: str, **asked: Any) -> None:
    """Verify DOSSIER and write what it says of its model as a page: FILE ends in .html, which needs nothing else, or in .md.

    No network and no model is needed. Of each kind of statement the last one about the model counts; with --trust, the last one that
    is believed. The decision is computed again, from the scan; with --policy, the packs' lines are too, as `openvet decide` does. Of packs
    that are not asked, the last decision in the dossier is shown.

    \b
    Examples:
      openvet dossier report ./dossier page.html --key owner.key.pub
      openvet dossier report ./dossier page.html --key owner.key.pub --policy baseline
    """  # noqa: D301
    from openvet.cli.page import form_of, write_page
    from openvet.io.new_file import NewFile
    from openvet.reports.page.verdict import verdict_of
    from openvet.workflows.dossier import DOSSIER_TYPE
    from openvet.workflows.dossier import verify as run
    from openvet.workflows.keys import read_public
    from openvet.workflows.page import sheet_of_dossier

    kind = form_of(target)
    if asked["model_name"] is not None and asked["trust"] is None:
        raise click.UsageError("--model-name belongs to --trust")

    if asked["as_of"] is not None and not asked["packs"]:
        raise click.UsageError("--as-of belongs to --policy")

    def go() -> tuple[dict[str, Any], str]:
        owner, by = read_public(key), _by(asked)
        decisions: tuple[DecisionV1, ...] = ()
        if asked["packs"]:
            from openvet.cli.days import day_of
            from openvet.policy.decision import Terms
            from openvet.workflows.decide import Trusting, decide_dossier
            from openvet.workflows.packs import load_held

            day = day_of(asked["as_of"])
            verify = verifier_for(asked, [path], day)
            packs = [load_held(each, day, verify=verify) for each in asked["packs"]]
            decisions = decide_dossier(path, Trusting(owner, by, checkpoint), packs, day, Terms()).decisions
        sheet = sheet_of_dossier(run(path, owner, checkpoint, by=by), decisions)
        with NewFile(target, replace=force) as file:
            file.write(write_page([sheet], kind).encode("utf-8", "backslashreplace"))
            file.commit()
        verdict = verdict_of(sheet)
        value = {
            "type": DOSSIER_TYPE,
            "dossier": path,
            "page": target,
            "lines": len(sheet.evidence),
            "verdict": str(verdict),
        }
        return value, f"wrote {target}: {verdict}, from {len(sheet.evidence)} statements\n"

    report(form, path, go)


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

    report(form, folder, go)


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

    report(form, path, go)


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
        return found.to_json(), differing_text(found)

    report(form, f"{first}, {second}", go)
    ctx.exit(0 if same else _NOT_VERIFIED)


@dossier.command(short_help="Hand a dossier over to a new key.")
@click.argument("folder", metavar="DOSSIER", type=_PATH)
@click.option(
    "--new-key", metavar="FILE", type=_PATH, required=True, help="The private key that takes over, of Ed25519."
)
@click.option("--key", metavar="FILE", type=_PATH, help="The private key that it belongs to.")
@click.option("--owner", metavar="FILE", type=_PATH, help="Where that key is lost: its public half, with --approval.")
@click.option("--approval", "approvals", metavar="FILE", type=_PATH, multiple=True, help="What `openvet dossier approve` wrote. May be repeated.")  # fmt: skip
@click.option("--signer", "signers", metavar="FILE", type=_PATH, multiple=True, help="The public key of somebody who approves. May be repeated.")  # fmt: skip
@_TRUST
@_AT
@_ROOT
@form_option("How to print it.")
def rotate(folder: str, new_key: str, key: str | None, form: str, **asked: Any) -> None:
    """Hand DOSSIER over to a new key, which alone signs its index and log from then on.

    The old key signs the handover, a line like any other. Whoever trusts the old key goes on with it and is led to the new one; what the
    old key signs from now on is refused. Where it is lost, --approval takes its place for all whose --trust lets those who
    approve say "owner".

    \b
    Examples:
      openvet dossier rotate ./dossier --key old.key --new-key new.key
      openvet dossier rotate ./dossier --owner old.key.pub --new-key new.key --approval ann.json --approval bob.json \\
        --signer ann.pub --signer bob.pub --trust trust.toml
    """  # noqa: D301
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.dossier import DOSSIER_TYPE, hand_over
    from openvet.workflows.keys import read_private, read_public

    if (key is None) == (asked["owner"] is None):
        raise click.UsageError("say whose it is with one of --key and --owner")
    if asked["owner"] is not None and (not asked["approvals"] or asked["trust"] is None):
        raise click.UsageError("--owner needs --approval, and --trust that says who may approve")

    def go() -> tuple[dict[str, Any], str]:
        later = read_private(new_key, ask_passphrase)
        old = None if key is None else read_private(key, ask_passphrase)
        owner = None if asked["owner"] is None else read_public(asked["owner"])
        lines = hand_over(
            folder, later, old, owner=owner, approvals=asked["approvals"], signers=asked["signers"], by=_by(asked)
        )
        value = {"type": DOSSIER_TYPE, "dossier": folder, "owner": later.public.hint, "lines": list(lines)}
        return value, f"handed {folder} over\n  owner  {later.public.hint}\n"

    report(form, folder, go)


@dossier.command(short_help="Approve that a new key takes over a dossier.")
@click.argument("path", metavar="DOSSIER", type=_PATH)
@click.argument("target", metavar="FILE", type=_PATH)
@click.option("--key", metavar="FILE", type=_PATH, required=True, help="Your private key.")
@click.option("--owner", metavar="FILE", type=_PATH, required=True, help="The public key that the dossier belongs to.")
@click.option("--new-key", metavar="FILE", type=_PATH, required=True, help="The public key that is to take over.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@form_option("How to print it.")
def approve(path: str, target: str, key: str, owner: str, new_key: str, force: bool, form: str) -> None:
    """Sign that the key --new-key may take over DOSSIER, and write that to FILE, for `openvet dossier rotate --approval`."""
    from openvet.cli.signed import ask_passphrase
    from openvet.io.new_file import NewFile
    from openvet.workflows.dossier import DOSSIER_TYPE, approval
    from openvet.workflows.keys import read_private, read_public

    def go() -> tuple[dict[str, Any], str]:
        later: PublicKey = read_public(new_key)
        made = approval(path, read_public(owner), later, read_private(key, ask_passphrase))
        with NewFile(target, replace=force) as file:
            file.write(made.to_bytes())
            file.commit()
        value = {"type": DOSSIER_TYPE, "dossier": path, "approval": target, "owner": later.hint}
        return value, f"approved, in {target}: {path} may be handed over to {later.hint}\n"

    report(form, path, go)


def _by(asked: dict[str, Any], model: str | None = None) -> DossierTrust | None:
    """Whom the options trust, if they say so."""
    if asked["trust"] is None:
        if asked["at"] is not None or asked["trusted_root"] is not None or asked.get("model_name") is not None:
            raise click.UsageError("--at, --trusted-root and --model-name belong to --trust")
        return None
    from openvet.cli.signed import time_of
    from openvet.evidence.keyless import load_trusted_root
    from openvet.workflows.dossier_trust import DossierTrust
    from openvet.workflows.keys import read_pem
    from openvet.workflows.trust_file import load_trust
    from openvet.workflows.trusted import name_of

    given, name = asked["trusted_root"], asked.get("model_name")
    if name is None:
        name = "" if model is None else name_of(model)
    return DossierTrust(
        load_trust(asked["trust"]),
        time_of(asked["at"]),
        name,
        lambda: load_trusted_root(None if given is None else read_pem(given)),
    )
