"""What the metadata of a Zarr array say of the files beside them: they are its chunks, and hold numbers.

::

    .zarray      version 2: shape, chunks, dtype, filters, compressor, dimension_separator; a chunk is "1.0" or "1/0"
    zarr.json    version 3: shape, chunk_grid, data_type, codecs, chunk_key_encoding; a chunk is "c/1/0", "c.1.0" or as in version 2

A chunk has no mark: its bytes are compressed numbers. It is claimed where its type is one of numbers and every codec is one that gives
numbers. Objects are not: version 2 lets a filter of the metadata unpickle them, so that such chunks are read for what they are.

Specification: https://zarr-specs.readthedocs.io/ ; codecs: https://numcodecs.readthedocs.io/
"""

from __future__ import annotations

from itertools import product
from typing import Any

from openvet.core.pattern import pattern
from openvet.formats._format import Facts

__all__ = ["look"]

_NUMBERS_2 = pattern(r"[<>|](?:[biufc][0-9]{1,2}|[Mm]8\[[0-9]{0,4}[a-zA-Z]{1,2}\])")
_NUMBERS_3 = pattern(r"bool|u?int(?:2|4|8|16|32|64)|b?float(?:16|32|64)|complex(?:64|128)")
_CODECS = frozenset(
    {
        "adler32", "astype", "bitround", "blosc", "bytes", "bz2", "crc32", "crc32c", "delta", "fixedscaleoffset", "fletcher32", "gzip",
        "jenkins_lookup3", "lz4", "lzma", "packbits", "quantize", "sharding_indexed", "shuffle", "transpose", "zfpy", "zlib", "zstd",
    }
)  # fmt: skip
#: Chunks of one array that are claimed; of more none is.
_MOST = 200_000
_DIMENSIONS = 32
_WHOLE = 1 << 62


def look(facts: Facts) -> None:
    """Claim the chunks of the array that the document just read describes."""
    document = facts.document
    if not isinstance(document, dict) or document.get("zarr_format") not in {2, 3}:
        return
    told = _version_2(document) if document["zarr_format"] == 2 else _version_3(document)
    if told is None:
        return
    prefix, separator, counts = told
    total = 1
    for count in counts:
        total *= count
    if total > _MOST:
        return
    for place in product(*map(range, counts)):
        if len(facts.claims) % 4096 == 0:
            facts.budget.check_time()
        words = [*([prefix] if prefix else []), *map(str, place)]
        facts.claims[separator.join(words) or "0"] = [(0, _WHOLE)]


def _counts(shape: Any, chunks: Any) -> list[int] | None:
    """How many chunks lie along each dimension."""
    if not isinstance(shape, list) or not isinstance(chunks, list) or not len(shape) == len(chunks) <= _DIMENSIONS:
        return None
    if not all(type(each) is int and each >= 0 for each in (*shape, *chunks)) or 0 in chunks:
        return None
    return [-(-long // short) for long, short in zip(shape, chunks, strict=True)]


def _only_numbers(codecs: Any, key: str) -> bool:
    """Whether all codecs, those inside of others too, are known to give numbers."""
    waiting = [codecs]
    while waiting:
        each = waiting.pop()
        if each is None:
            continue
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            if each.get(key) not in _CODECS:
                return False
            inner = each.get("configuration")
            if isinstance(inner, dict):
                waiting += [inner.get("codecs"), inner.get("index_codecs")]
        elif each not in _CODECS:
            return False
    return True


def _version_2(document: dict[str, Any]) -> tuple[str, str, list[int]] | None:
    kind, separator = document.get("dtype"), document.get("dimension_separator", ".")
    counts = _counts(document.get("shape"), document.get("chunks"))
    if counts is None or not isinstance(kind, str) or not _NUMBERS_2.fullmatch(kind) or separator not in {".", "/"}:
        return None
    if not _only_numbers([document.get("filters"), document.get("compressor")], "id"):
        return None
    return "", separator, counts


def _version_3(document: dict[str, Any]) -> tuple[str, str, list[int]] | None:
    kind, grid, keys = (document.get(each) for each in ("data_type", "chunk_grid", "chunk_key_encoding"))
    if (
        not isinstance(kind, str)
        or not _NUMBERS_3.fullmatch(kind)
        or not isinstance(grid, dict)
        or not isinstance(keys, dict)
    ):
        return None
    if not isinstance(grid.get("configuration"), dict) or not isinstance(keys.get("configuration", {}), dict):
        return None
    counts = _counts(document.get("shape"), grid["configuration"].get("chunk_shape"))
    older = keys.get("name") == "v2"
    separator = keys.get("configuration", {}).get("separator", "." if older else "/")
    if counts is None or separator not in {".", "/"} or not _only_numbers(document.get("codecs"), "name"):
        return None
    return ("" if older else "c"), separator, counts
