"""What the commands about digests and signatures share: passphrases, the digest cache, and how they say what was not read."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.terminal import is_terminal

if TYPE_CHECKING:
    from datetime import datetime

    from openvet.evidence.keys import PrivateKey
    from openvet.evidence.statement import Statement
    from openvet.io.digest_cache import DigestCache
    from openvet.workflows.model_files import Reused

__all__ = [
    "PASSPHRASE",
    "as_json",
    "ask_passphrase",
    "check_statement",
    "digest_cache",
    "hash_fast",
    "not_covered",
    "not_read",
    "reused",
    "statement_line",
    "time_of",
    "written_key",
]

PASSPHRASE = "OPENVET_KEY_PASSPHRASE"  # noqa: S105 - the name of the variable
_LISTED = 10


def hash_fast() -> None:
    """Hashing threads ask for the interpreter once a block; the usual 5 ms would cost them as much as the block itself."""
    sys.setswitchinterval(0.0002)


def as_json(value: Mapping[str, Any]) -> str:
    """A report as a script reads it."""
    import json

    from openvet.reports._text import clean

    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def ask_passphrase(shown: str) -> bytes | None:
    """The passphrase of the key at ``shown``: from the environment, or from the person at the terminal."""
    given = os.environ.get(PASSPHRASE)
    if given is not None:
        return given.encode("utf-8", "surrogateescape")
    if not is_terminal(sys.stdin):
        return None
    text: str = click.prompt(f"Passphrase of {shown}", hide_input=True, default="", show_default=False, err=True)
    return text.encode("utf-8")


def written_key(path: str | None) -> PrivateKey | None:
    """The private key at ``path``, if one is named; a passphrase is asked for."""
    if path is None:
        return None
    from openvet.workflows.keys import read_private

    return read_private(path, ask_passphrase)


def check_statement(ctx: click.Context, asked: Mapping[str, Any]) -> None:
    """That --sign goes with --statement, and --format without it (raises :class:`click.UsageError`)."""
    if asked["sign"] is not None and not asked["statement"]:
        raise click.UsageError("--sign belongs to --statement: what is signed")
    if asked["statement"] and ctx.get_parameter_source("form") is not click.core.ParameterSource.DEFAULT:
        raise click.UsageError("--format and --statement exclude each other: a statement takes the report's place")


def statement_line(statement: Statement, key: PrivateKey | None) -> str:
    """The statement, or its signed envelope where there is a key, as a line."""
    from openvet.evidence.signing import sign_statement, statement_bytes, to_line

    data = statement_bytes(statement) if key is None else to_line(sign_statement(statement, key))
    return f"{data.decode('utf-8')}\n"


def not_covered(files: list[tuple[str, str]]) -> list[str]:
    """The files that a signature says nothing about, grouped by the reason, and not more than a person reads."""
    from openvet.reports._text import plural

    groups: dict[str, list[str]] = {}
    for path, why in files:
        groups.setdefault(why, []).append(path)
    lines = []
    for why, paths in groups.items():
        lines.append(f"  NOT covered: {plural(len(paths), 'file')} ({why})")
        lines += _some(paths)
    return lines


def not_read(files: Sequence[tuple[str, str, bool]]) -> list[str]:
    """The files whose digests are declared: path, who named the digest, whether the bytes are here."""
    from openvet.reports._text import plural

    groups: dict[tuple[str, bool], list[str]] = {}
    for path, by, here in files:
        groups.setdefault((by, here), []).append(path)
    lines = []
    for (by, here), paths in groups.items():
        where = "" if here else ", which is not here" if len(paths) == 1 else ", which are not here"
        lines.append(f"  NOT read: {plural(len(paths), 'file')}{where} (digests declared: {by})")
        lines += _some(paths)
    return lines


def _some(paths: Sequence[str]) -> list[str]:
    more = [f"    and {len(paths) - _LISTED:,} more; --format json lists all"] if len(paths) > _LISTED else []
    return [f"    {each}" for each in paths[:_LISTED]] + more


def digest_cache() -> DigestCache:
    """The user's cache of digests."""
    import time

    from openvet.io.digest_cache import DigestCache, cache_folder

    return DigestCache(cache_folder(os.environ), time.time_ns)


def reused(found: Reused | None) -> list[str]:
    """Which digests came from the cache, and what is wrong with it."""
    from openvet.reports._text import bytes_for_people, plural

    if found is None:
        return []
    notes = [f"  note: {each}" for each in found.messages]
    if not found.paths:
        return ["  digest cache: gave nothing", *notes]
    size = bytes_for_people(found.size)
    lines = [f"  NOT read now: {plural(len(found.paths), 'file')}, {size} (digests from the digest cache)"]
    return [*lines, *_some(sorted(found.paths)), *notes]


def time_of(text: str | None) -> datetime:
    """The time that ``--at`` names; now where it names none."""
    from datetime import UTC, datetime

    if text is None:
        return datetime.now(UTC)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at {text!r}: write 2026-11-28 or 2026-11-28T10:00:00Z") from None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
