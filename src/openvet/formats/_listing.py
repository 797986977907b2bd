"""What every format with members does with a listing: anomalies and problems into facts, entries into members."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openvet.errors import BombError, ChangedError, LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats._format import Facts
from openvet.formats._trailing import look_in_gap
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.io.archive.tar import TarListing
    from openvet.io.archive.zip import ZipListing

__all__ = ["judge_declared", "put_listing", "put_problem"]

_REASONS: tuple[tuple[type[ReadError], str], ...] = (
    (LimitError, "limit"),
    (MalformedError, "malformed"),
    (UnsupportedError, "unsupported"),
    (ChangedError, "changed"),
)


def put_problem(facts: Facts, error: ReadError) -> None:
    """Record that reading broke off at one place and went on at another."""
    reason = next((word for kind, word in _REASONS if isinstance(error, kind)), "error")
    facts.unknown(reason, error.message, error.offset)
    if reason == "malformed":
        facts.anomaly("file/malformed", error.message, error.offset)
    elif isinstance(error, BombError):
        facts.anomaly("archive/decompression-bomb", error.message, error.offset)


def put_listing(source: Source, facts: Facts, listing: ZipListing | TarListing) -> None:
    """Record the anomalies and problems of a listing, how many members it has, and what runs in bytes that belong to none of them."""
    for anomaly in listing.anomalies:
        facts.anomaly(anomaly.rule, anomaly.message, anomaly.offset, **anomaly.evidence)
        if anomaly.rule == "archive/hidden-data" and anomaly.offset and "bytes" in anomaly.evidence:
            look_in_gap(source, facts, anomaly.offset, anomaly.offset + int(anomaly.evidence["bytes"]))
    for error in listing.problems:
        put_problem(facts, error)
    facts.dropped += listing.dropped
    if listing.outside:
        facts.unknown("no-reader", f"{listing.outside} bytes that belong to no member were not read")
    facts.note("members", len(listing.entries))
    judge_declared(facts, listing.declared(), listing.extent)


def judge_declared(facts: Facts, sizes: Iterable[tuple[int, int]], size: int) -> None:
    """Say it where an archive announces a bomb, before anything of it is unpacked.

    Args:
        facts: of the archive.
        sizes: of each member, decoded and encoded. Stored ones may be among them.
        size: of the archive, which members that share their bytes do not exceed together.
    """
    whole = thick = packed = 0
    for decoded, encoded in sizes:
        whole += decoded
        if facts.budget.is_dense(decoded, encoded):  # a filling that does not compress must not hide the rest
            thick += decoded
            packed += encoded
    try:
        facts.budget.add_declared(thick, min(packed, size))
        facts.budget.add_declared(whole, size)
    except LimitError as error:
        put_problem(facts, error)
