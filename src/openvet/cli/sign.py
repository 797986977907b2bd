"""``openvet sign``: sign a model's files."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.options import amount_of, form_option

if TYPE_CHECKING:
    from openvet.evidence.model_signature import Serialization
    from openvet.evidence.signing import SigningKey
    from openvet.workflows.sign import Signing

__all__ = ["sign"]

_PATH = click.Path(readable=False)


@click.command(short_help="Sign a model's files, for anybody to verify.")
@click.argument("model", type=_PATH)
@click.option("--key", metavar="KEY", required=True, help="The private key: a PEM file, or a key store's URI.")
@click.option("--public-key", metavar="FILE", type=_PATH, help="The public key of a key store's URI.")
@click.option("--certificate", "certificates", metavar="FILE", type=_PATH, multiple=True, help="The key's certificate in PEM, then those that issued it. May be repeated.")  # fmt: skip
@click.option(
    "--signature", metavar="FILE", type=_PATH, help="Where to write it; MODEL/model.sig or FILE.sig if not given."
)
@click.option("--force", is_flag=True, help="Replace the signature that is there.")
@click.option(
    "--ignore", metavar="PATH", multiple=True, help="Leave out a file or folder, relative to MODEL. May be repeated."
)
@click.option("--shards", is_flag=True, help="Sign large files in pieces, which are hashed on all cores.")
@click.option("--shard-size", metavar="BYTES", help="Sign in pieces of this size; 1000000000 with --shards.")
@click.option("--hash", "algorithm", type=click.Choice(["sha256", "blake3"]), default="sha256", show_default=True, help="How to hash files.")  # fmt: skip
@click.option("--allow-symlinks", is_flag=True, help="Sign what links inside MODEL lead to.")
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="Hashing threads; all cores if not given.")
@click.option("--digest-cache", is_flag=True, help="Do not read files again that have not changed; say which. See the guide for what that cannot see.")  # fmt: skip
@click.option("--declared", is_flag=True, help="Sign digests that are named already (Git LFS, a hub, OCI) without reading the files. The signature says which.")  # fmt: skip
@form_option("How to report what was signed; json lists everything.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing on success, and no progress.")
@click.option("--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal.")
@click.pass_context
def sign(ctx: click.Context, /, **asked: Any) -> None:
    """Sign a model's files, so that anybody can verify that they are the ones that you signed.

    MODEL is a folder or a file. The signature follows OpenSSF Model Signing 1.0 and can be verified with `openvet verify`,
    `model_signing verify` and every other tool that knows it. It covers every file but what --ignore names, .git and its
    like at the top, and the signature itself; what it does not cover is printed.

    With --declared you sign digests that somebody else named, of files that you need not have: you vouch for them. The signed
    statement names these files, and who verifies reads every byte.

    A key with a passphrase asks for it, or takes it from OPENVET_KEY_PASSPHRASE.

    \b
    Examples:
      openvet sign --key release.key ./my-model
      openvet sign --key release.key --signature my-model.sig ./my-model
      openvet sign --key release.key --certificate me.pem --certificate ca.pem ./my-model

    \b
    Exit codes:
      0    signed
      2    nothing was written: the model cannot be signed, or the command itself failed
      130  interrupted with Ctrl-C; nothing was written
    """  # noqa: D301
    from openvet.cli.check import progress_line
    from openvet.cli.output import write_text
    from openvet.cli.signed import as_json, digest_cache, hash_fast
    from openvet.workflows.sign import SignOptions, certificates_of
    from openvet.workflows.sign import sign as run

    hash_fast()
    options = SignOptions(
        signature=asked["signature"] or "",
        serialization=_serialization(asked),
        force=asked["force"],
        jobs=asked["jobs"] or 0,
        certificates=certificates_of(asked["certificates"]),
        cache=digest_cache() if asked["digest_cache"] else None,
        declared=asked["declared"],
    )
    key = _key(asked)
    with progress_line(not asked["quiet"] and not asked["no_progress"]) as (progress, _):
        report = run(asked["model"], key, options, progress)
    if not asked["quiet"]:
        write_text(as_json(report.to_json()) if asked["form"] == "json" else _as_text(report))
    ctx.exit(0)


def _serialization(asked: dict[str, Any]) -> Serialization:
    from openvet.evidence.model_signature import SHARD_SIZE, Serialization
    from openvet.io.hashing import digest_chunks

    size: int | None = SHARD_SIZE if asked["shards"] else None
    if asked["shard_size"] is not None:
        size = amount_of(asked["shard_size"], "--shard-size")
    if size is not None and asked["algorithm"] == "blake3":
        raise click.UsageError(
            "--hash blake3 and shards exclude each other: other verifiers do not take blake3 in shards"
        )
    digest_chunks([], (asked["algorithm"],))  # raises where the extra is missing: now, and not after the first file
    return Serialization(asked["algorithm"], size, asked["allow_symlinks"], asked["ignore"])


def _key(asked: dict[str, Any]) -> SigningKey:
    from openvet.cli.signed import ask_passphrase
    from openvet.workflows.keys import read_private, read_public

    name = asked["key"]
    if re.match(r"[a-z][a-z0-9+.-]+:", name) and not os.path.exists(name):
        from openvet.evidence.key_store import open_stored

        if asked["public_key"] is None:
            raise click.UsageError("a key store's URI needs --public-key FILE as well")
        return open_stored(name, read_public(asked["public_key"]))
    if asked["public_key"] is not None:
        raise click.UsageError("--public-key belongs to a key store's URI; a key in a file has its own")
    return read_private(name, ask_passphrase)


def _as_text(report: Signing) -> str:
    from openvet.cli.signed import not_covered, not_read, reused
    from openvet.reports._text import bytes_for_people, plural, visible

    statement = report.statement
    size = statement.serialization.shard_size
    pieces = "" if size is None else f" in {plural(len(statement.resources), 'shard')} of {size:,} bytes"
    lines = [
        f"signed {report.model}: {plural(len(statement.files), 'file')}, {bytes_for_people(report.size)}{pieces}",
        f"  signature  {report.signature}",
        f"  root       sha256 {statement.root}",
        f"  key        {report.key.kind} {report.key.hint}",
    ]
    if statement.serialization.allow_symlinks:
        lines.append("  links      what links inside the model lead to is signed under the links' names")
    lines += reused(report.reused)
    lines += not_read([(each.path, each.by, each.here) for each in report.taken])
    lines += not_covered([(each.path, each.why) for each in report.not_covered])
    return "".join(f"{visible(line)}\n" for line in lines)
