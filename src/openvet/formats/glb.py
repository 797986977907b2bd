r"""glTF in binary (``.glb``): a scene as JSON, and a chunk with its numbers and pictures.

::

    "glTF", version u32 (2), length u32        chunk: bytes u32, "JSON" or "BIN\0" or an extension's own, data

The JSON becomes a member. Scenes run nothing; they may name files beside them. Specification: Khronos, glTF 2.0, 4.4
(https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html#glb-file-format-specification).
"""

from __future__ import annotations

from functools import partial

from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="glb",
    title="glTF scene",
    extensions=(".glb", ".vrm"),
    media_types=("model/gltf-binary",),
    can_tell=("the scene as JSON, and that it is a chain of chunks up to its last byte",),
    cannot_tell=("what it shows, or what its numbers and pictures hide",),
)
_HEAD = 12
_VERSION = b"glTF\2\0\0\0"
#: What its bytes begin with.
STARTS = (_VERSION,)


def probe(head: Head) -> Likeness:
    fits = head.data.startswith(_VERSION) and head.data[16:20] == b"JSON"
    return Likeness.STRONG if fits else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the chunks.

    Raises:
        MalformedError: it or a chunk goes beyond the end, or a chunk is of no known kind.
    """
    end = int.from_bytes(source.read(8, 4), "little")
    if end > source.size:
        raise MalformedError(f"says that it is {end} bytes long, and {source.size} are there", offset=8)
    at = _HEAD
    kinds: list[bytes] = []
    while at + 8 <= end:
        facts.budget.check_time()
        start = source.read(at, 8)
        size, kind = int.from_bytes(start[:4], "little"), start[4:]
        if at + 8 + size > end:
            raise MalformedError("a chunk goes beyond the end", offset=at)
        if kind == b"JSON":
            window = source.window(at + 8, size)
            facts.add_members([Member(f"scene-{len(kinds)}.json", size, partial(_same, window), at)])
        elif kind != b"BIN\0":
            facts.unknown("unsupported", "a chunk of a kind that an extension defines was not read", at)
        kinds.append(kind)
        at += 8 + size
    if not kinds or kinds[0] != b"JSON":
        raise MalformedError("has no scene", offset=_HEAD)
    account_for_rest(source, facts, at, "the last chunk")


def _same(window: Source) -> Source:
    return window
