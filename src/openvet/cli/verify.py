"""``openvet verify``: verify a model against its signature."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from openvet.cli.options import form_option

if TYPE_CHECKING:
    from openvet.errors import VerifyError
    from openvet.evidence.bundle import Bundle
    from openvet.evidence.file_bundle import FileBundle
    from openvet.evidence.verifier import Signer, Verified
    from openvet.workflows.trusted import TrustCheck
    from openvet.workflows.verify import Verification
    from openvet.workflows.verify_file import CheckFile, FileVerification

__all__ = ["verify"]

_PATH = click.Path(readable=False)
_NOT_VERIFIED = 1
_LISTED = 20


@click.command(short_help="Verify a model's files against their signature.")
@click.argument("model", type=_PATH)
@click.option("--key", metavar="FILE", type=_PATH, help="The public key that you trust, in PEM.")
@click.option("--trust", metavar="FILE", type=_PATH, help="Whom you trust about which models: a trust.toml.")
@click.option("--cosignature", "more", metavar="FILE", type=_PATH, multiple=True, help="One more signature of the same statement, where --trust asks for several. May be repeated.")  # fmt: skip
@click.option("--model-name", metavar="NAME", help="What the model is called in --trust; the last part of MODEL if not given.")  # fmt: skip
@click.option("--certificate-chain", "chain", metavar="FILE", type=_PATH, multiple=True, help="The root certificates that you trust, in PEM, and others that lead to them. May be repeated.")  # fmt: skip
@click.option("--at", metavar="TIME", help="Check certificates and --trust as of this time (2026-11-28 or 2026-11-28T10:00:00Z); now if not given.")  # fmt: skip
@click.option("--identity", metavar="ID", help="Who must have signed keyless: an e-mail address or URI.")
@click.option("--issuer", metavar="URL", help="The identity provider that knows --identity.")
@click.option("--trusted-root", metavar="FILE", type=_PATH, help="Sigstore's trusted root; that of the public instance if not given.")  # fmt: skip
@click.option("--signature", metavar="FILE", type=_PATH, help="Where it is; MODEL/model.sig, FILE.sig or FILE.sigstore.json if not given.")  # fmt: skip
@click.option("--ignore", metavar="PATH", multiple=True, help="Let a file or folder be unsigned, relative to MODEL. May be repeated.")  # fmt: skip
@click.option("--allow-unsigned-files", is_flag=True, help="List files that are not signed, and do not refuse them.")
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="Hashing threads; all cores if not given.")
@click.option("--digest-cache", is_flag=True, help="Do not read files again that have not changed; say which. See the guide for what that cannot see.")  # fmt: skip
@form_option("How to report; json lists everything.")
@click.option("--quiet", "-q", is_flag=True, help="Only the exit code, and no progress.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def verify(ctx: click.Context, /, **asked: Any) -> None:
    """Verify that a model's files are those that somebody whom you trust has signed.

    Whom you trust is --key, --trust, --certificate-chain, or --identity with --issuer for keyless signatures (an extra,
    openvet[sigstore]). Signatures of `openvet sign` and of every released `model_signing` are verified, with no network, and of
    one file the bundles of `cosign sign-blob` and `sigstore sign`. What the signature does not cover is printed: `openvet check`
    reads that too.

    \b
    Examples:
      openvet verify --key release.key.pub ./my-model
      openvet verify --trust trust.toml ./my-model
      openvet verify --certificate-chain ca.pem --at 2026-06-01 ./my-model
      openvet verify --identity me@example.org --issuer https://accounts.example.org ./my-model

    \b
    Exit codes:
      0    verified
      1    not verified: the first line says why, as in tampered, wrong-key, mismatch, expired
      2    the command itself failed (a missing path, a wrong argument)
      130  interrupted with Ctrl-C; nothing is verified
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.output import write_text
    from openvet.cli.signed import as_json, digest_cache, hash_fast
    from openvet.errors import VerifyError
    from openvet.workflows.verify import VerifyOptions, confirmation, verify_either

    hash_fast()
    whom = _trust(asked)
    options = VerifyOptions(
        asked["signature"] or "",
        asked["ignore"],
        asked["allow_unsigned_files"],
        asked["jobs"] or 0,
        digest_cache() if asked["digest_cache"] else None,
    )
    for_script = asked["form"] == "json"
    try:
        with progress_line(not asked["quiet"] and not asked["no_progress"]) as (progress, _):
            found = verify_either(asked["model"], whom.check, whom.check_file, options, progress)
    except VerifyError as error:
        if not asked["quiet"]:
            write_text(_refused_json(asked, error) if for_script else _refused(asked, error))
        ctx.exit(_NOT_VERIFIED)
    if not asked["quiet"]:
        write_text(
            as_json({**confirmation(found), **_trust_json(whom.trust)}) if for_script else _as_text(found, whom.trust)
        )
    ctx.exit(0)


class _Whom(NamedTuple):
    """How to check a signature: of a model, of one file where that can be, and by which trust file if by one."""

    check: Callable[[Bundle], Verified]
    check_file: CheckFile | None = None
    trust: TrustCheck | None = None


def _trust(asked: dict[str, Any]) -> _Whom:
    """How to check signatures, by what the options say is trusted."""
    keyless = asked["identity"] is not None or asked["issuer"] is not None
    if [asked["key"] is not None, asked["trust"] is not None, bool(asked["chain"]), keyless].count(True) != 1:
        raise click.UsageError(
            "say whom you trust with one of --key, --trust, --certificate-chain, or --identity and --issuer"
        )
    if asked["at"] is not None and not asked["chain"] and asked["trust"] is None:
        raise click.UsageError("--at belongs to --certificate-chain and --trust")
    if asked["trusted_root"] is not None and not keyless and asked["trust"] is None:
        raise click.UsageError("--trusted-root belongs to --identity and --issuer, and to --trust")
    if asked["trust"] is None and (asked["more"] or asked["model_name"] is not None):
        raise click.UsageError("--cosignature and --model-name belong to --trust")
    from openvet.cli.signed import time_of
    from openvet.workflows.keys import read_pem, read_public

    if asked["key"] is not None:
        from openvet.evidence.verifier import verify_with_key

        key = read_public(asked["key"])

        def check_file(bundle: FileBundle, digest: bytes) -> Signer:
            from openvet.evidence.file_signature import verify_file_with_key  # few models are signed so

            return verify_file_with_key(bundle, digest, key)

        return _Whom(lambda bundle: verify_with_key(bundle, key), check_file)
    if asked["trust"] is not None:
        by_trust = _by_trust(asked)
        return _Whom(by_trust, trust=by_trust)
    if asked["chain"]:
        from openvet.evidence.certificates import load_roots
        from openvet.evidence.verifier import verify_with_roots

        roots = load_roots(b"\n".join(read_pem(each) for each in asked["chain"]))
        at = time_of(asked["at"])
        return _Whom(lambda bundle: verify_with_roots(bundle, roots, at))
    if asked["identity"] is None or asked["issuer"] is None:
        raise click.UsageError("--identity and --issuer belong together: who signed, and which provider knows that")
    from openvet.evidence.file_signature import verify_file_keyless
    from openvet.evidence.keyless import load_trusted_root, verify_keyless

    who = (asked["identity"], asked["issuer"])
    root = load_trusted_root(None if asked["trusted_root"] is None else read_pem(asked["trusted_root"]))
    return _Whom(
        lambda bundle: verify_keyless(bundle, *who, root),
        lambda bundle, sha256: verify_file_keyless(bundle, sha256, *who, root),
    )


def _by_trust(asked: dict[str, Any]) -> TrustCheck:
    from openvet.cli.signed import time_of
    from openvet.evidence.keyless import load_trusted_root
    from openvet.workflows.keys import read_pem
    from openvet.workflows.trust_file import load_trust
    from openvet.workflows.trusted import TrustCheck, name_of

    given = asked["trusted_root"]
    return TrustCheck(
        load_trust(asked["trust"]),
        time_of(asked["at"]),
        name_of(asked["model"]) if asked["model_name"] is None else asked["model_name"],
        asked["more"],
        lambda: load_trusted_root(None if given is None else read_pem(given)),
    )


def _trust_json(check: TrustCheck | None) -> dict[str, Any]:
    return {} if check is None else {"trust": check.to_json()}


def _trust_text(check: TrustCheck | None) -> list[str]:
    """By whose word a model is accepted, and which signatures did not count."""
    if check is None:
        return []
    lines = [
        f"  trusted    {', '.join(each.by)}: {len(each.by)} of the {each.threshold} needed, by line {each.line} of the trust file"
        for each in check.judgement.accepted
    ]
    lines += [
        f"  note: {each.said.source} does not count: {each.reason}: {each.message}" for each in check.judgement.refused
    ]
    return lines + [f"  note: not counted: {each}" for each in check.ignored]


def _refused(asked: dict[str, Any], error: VerifyError) -> str:
    from openvet.cli.signed import reused
    from openvet.reports._text import visible
    from openvet.workflows.verify import MismatchError

    lines = [f"NOT verified: {asked['model']}: {error.reason}: {error.message}"]
    if isinstance(error, MismatchError):
        lines[0] = (
            f"NOT verified: {asked['model']}: {error.reason}: the signature is good, but the model is not what was signed"
        )
        lines += [
            f"  {each.what}: {each.path}{': ' if each.detail else ''}{each.detail}"
            for each in error.differences[:_LISTED]
        ]
        if len(error.differences) > _LISTED:
            lines.append(f"  and {len(error.differences) - _LISTED:,} more; --format json lists all")
        lines += [*_signer(error.signer), *reused(error.reused)]
    return "".join(f"{visible(line)}\n" for line in lines)


def _refused_json(asked: dict[str, Any], error: VerifyError) -> str:
    from openvet.cli.signed import as_json
    from openvet.workflows.verify import refusal

    return as_json(refusal(asked["model"], asked["signature"] or "", error))


def _as_text(found: Verification | FileVerification, check: TrustCheck | None) -> str:
    from openvet.cli.signed import not_covered, reused
    from openvet.reports._text import bytes_for_people, plural, visible
    from openvet.workflows.verify_file import FileVerification

    if isinstance(found, FileVerification):
        lines = [
            f"verified: {found.model}: {bytes_for_people(found.size)}",
            f"  signature  {found.signature}",
            f"  file       sha256 {found.sha256}",
            *_signer(found.signer),
            *reused(found.reused),
            *(f"  note: {each}" for each in found.notes),
        ]
        return "".join(f"{visible(line)}\n" for line in lines)
    lines = [
        f"verified: {found.model}: {plural(len(found.statement.files), 'file')}, {bytes_for_people(found.size)}",
        f"  signature  {found.signature}",
        f"  root       sha256 {found.statement.root}",
        *_signer(found.signer),
        *_trust_text(check),
        *reused(found.reused),
        *not_covered([(each.path, each.why) for each in found.not_covered]),
        *(f"  note: {each}" for each in found.notes),
    ]
    return "".join(f"{visible(line)}\n" for line in lines)


def _signer(signer: Signer) -> list[str]:
    lines = []
    if signer.identity:
        lines.append(f"  signed by  {signer.identity}, says {signer.provider}")
    if signer.certificate is not None and signer.root is not None:
        lines.append(f"  signed by  {signer.certificate.subject or 'an unnamed certificate'}")
        lines.append(f"  root cert  {signer.root.subject or 'unnamed'}, sha256 {signer.root.fingerprint}")
    if signer.at is not None:
        lines.append(
            f"  as of      {signer.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC; revocation cannot be seen offline"
        )
    if signer.signed_at is not None:
        lines.append(f"  signed at  {signer.signed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, says the log")
    lines.append(f"  key        {signer.key_kind} {signer.key}")
    return lines
