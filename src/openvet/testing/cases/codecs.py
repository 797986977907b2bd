"""Streams of LZ4 and Zstandard: hidden pickles and archives, tricks with frames, and what ordinary tools write."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip
from openvet.testing.forge_codecs import lz4_frame, lz4_legacy, lz4_literals, skippable, zstd_frame

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_GOOD = dump({"weights": [1.0, 2.0, 3.0], "name": "linear" * 20}, 4)
_NAMES = frozenset({"pickle/runs-process"})
_SEEK = (100).to_bytes(4, "little") * 2 + (1).to_bytes(4, "little") + b"\0" + bytes.fromhex("b1ea928f")


def _linked() -> bytes:
    """The hostile pickle, its second block referring to the first one."""
    text = b"posix-posix-posix-posix-" + bytes(4)
    first = dump([text], 4)[:-1]
    # what the first block says, by a match over all of it; then the payload's own opcodes as literals
    match = bytes([0x0F]) + len(first).to_bytes(2, "little") + bytes([len(first) - 19])
    content = first + first + _EVIL
    return lz4_frame(content, blocks=[lz4_literals(first), match + lz4_literals(_EVIL)])


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    rules: frozenset[str] = frozenset(),
    file: str = "model.joblib",
    advisories: tuple[str, ...] = (),
) -> Case:
    formats = ("lz4",) if "lz4" in name else ("zstd",)
    return Case(f"codecs/{name}", technique, forge, decision, rules, formats, advisories, file)


_HOSTILE = (
    _case("lz4-joblib", "a pickle in an LZ4 frame, as joblib compresses it", lambda: lz4_frame(_EVIL), "reject", _NAMES),
    _case("lz4-independent", "independent blocks with checksums and a size",
          lambda: lz4_frame(_EVIL, linked=False, checksums=True, size=len(_EVIL)), "reject", _NAMES),
    _case("lz4-linked", "a pickle whose second block refers to its first", _linked, "reject", _NAMES),
    _case("lz4-legacy", "a pickle in a legacy frame", lambda: lz4_legacy(_EVIL), "reject", _NAMES, "model.pkl.lz4"),
    _case("lz4-second-frame", "the payload begins in a second frame, behind an empty one",
          lambda: lz4_frame(b"") + lz4_frame(_EVIL), "reject", _NAMES),
    _case("lz4-behind-skippable", "a skippable frame stands in front, so that the magic is not at the start",
          lambda: skippable(bytes(40)) + lz4_frame(_EVIL), "reject", _NAMES),
    _case("lz4-no-end", "the frame has no end mark", lambda: lz4_frame(_EVIL, end=False), "reject",
          _NAMES | {"file/malformed"}),
    _case("lz4-wrong-checksum", "checksums that do not fit, which some loaders do not look at",
          lambda: lz4_frame(_EVIL, checksums=True, wrong=True), "reject", _NAMES | {"archive/checksum-mismatch"}),
    _case("lz4-tar", "a tar with a pickle in an LZ4 frame",
          lambda: lz4_frame(forge_tar([TarPart(b"model.pkl", _EVIL)])), "reject", _NAMES, "model.tar.lz4"),
    _case("lz4-in-gzip", "LZ4 in gzip", lambda: gzip.compress(lz4_frame(_EVIL), mtime=0), "reject", _NAMES,
          "model.pkl.lz4.gz"),
    _case("lz4-in-lz4", "LZ4 three times over", lambda: lz4_frame(lz4_frame(lz4_frame(_EVIL))), "reject", _NAMES),
    _case("lz4-hidden-pickle", "a pickle hides in a frame that decoders skip",
          lambda: lz4_frame(_GOOD) + skippable(_EVIL), "reject", _NAMES | {"archive/hidden-data"}),
    _case("zstd-pickle", "a pickle in a Zstandard frame", lambda: zstd_frame(_EVIL), "reject", _NAMES, "model.pkl.zst"),
    _case("zstd-tar", "a tar with a pickle in a Zstandard frame",
          lambda: zstd_frame(forge_tar([TarPart(b"model.pkl", _EVIL)])), "reject", _NAMES, "model.tar.zst"),
    _case("zstd-second-frame", "the payload begins in a second frame",
          lambda: zstd_frame(b"") + zstd_frame(_EVIL), "reject", _NAMES, "model.pkl.zst"),
    _case("zstd-behind-skippable", "a skippable frame stands in front",
          lambda: skippable(bytes(9), 0) + zstd_frame(_EVIL), "reject", _NAMES, "model.pkl.zst"),
    _case("zstd-no-end", "the last block is missing", lambda: zstd_frame(_EVIL, last=False), "reject",
          _NAMES | {"file/malformed"}, "model.pkl.zst"),
    _case("zstd-in-zip", "a member of a zip under method 93, which zipfile reads from Python 3.14 on",
          lambda: forge_zip([ZipPart(b"model.pkl", _EVIL, 93, raw=zstd_frame(_EVIL))]), "reject", _NAMES, "model.zip"),
    _case("zstd-hidden-pickle", "a pickle hides in a frame that decoders skip",
          lambda: skippable(_EVIL) + zstd_frame(_GOOD), "reject", _NAMES | {"archive/hidden-data"}, "model.pkl.zst"),
)  # fmt: skip
_REVIEW = (
    _case("lz4-dictionary", "a frame that needs a dictionary", lambda: lz4_frame(_GOOD, flags=1), "review",
          file="model.lz4"),
    _case("lz4-trailing", "something follows the stream", lambda: lz4_frame(_GOOD) + b"tail of unknown bytes\xff",
          "review", frozenset({"archive/hidden-data"})),
    _case("lz4-size", "a content size that lies", lambda: lz4_frame(_GOOD, size=5), "review",
          frozenset({"archive/checksum-mismatch"})),
    _case("lz4-bad-match", "a match outside the content", lambda: lz4_frame(b"", blocks=[b"\x10a\xff\xff\0"]), "review",
          frozenset({"file/malformed"}), file="model.lz4"),
    _case("zstd-dictionary", "a frame that needs a dictionary", lambda: zstd_frame(_GOOD, dictionary=7), "review",
          file="model.zst"),
    _case("zstd-window", "a frame that wants a window of gigabytes", lambda: zstd_frame(_GOOD, window=0xB0), "review",
          file="model.zst"),
)  # fmt: skip
_HARMLESS = (
    _case("lz4-ordinary-joblib", "an ordinary joblib file under LZ4", lambda: lz4_frame(_GOOD), "admit"),
    _case("lz4-ordinary-checksums", "what the command line writes", lambda: lz4_frame(_GOOD, checksums=True), "admit",
          file="model.pkl.lz4"),
    _case("lz4-ordinary-legacy", "an ordinary legacy frame", lambda: lz4_legacy(_GOOD), "admit", file="model.pkl.lz4"),
    _case("lz4-ordinary-frames", "several frames, as parallel compressors write them",
          lambda: lz4_frame(_GOOD[:30]) + lz4_frame(_GOOD[30:]), "admit"),
    _case("zstd-ordinary", "an ordinary Zstandard stream", lambda: zstd_frame(_GOOD), "admit", file="model.pkl.zst"),
    _case("zstd-ordinary-tar", "an ordinary .tar.zst",
          lambda: zstd_frame(forge_tar([TarPart(b"notes.txt", b"some words about the model\n")])), "admit",
          file="model.tar.zst"),
    _case("zstd-ordinary-seekable", "a table for seeking in a skippable frame",
          lambda: zstd_frame(_GOOD) + skippable(_SEEK, 14), "admit", file="model.pkl.zst"),
    _case("zstd-ordinary-pzstd", "a small skippable frame in front of each, as pzstd writes it",
          lambda: skippable((99).to_bytes(4, "little"), 0) + zstd_frame(_GOOD), "admit", file="model.pkl.zst"),
)  # fmt: skip
CASES: tuple[Case, ...] = _HOSTILE + _REVIEW + _HARMLESS
