r"""xar archives, which installers of macOS are (``.pkg``): a table of contents in XML, then the files, packed one by one.

::

    "xar!", size of the header (u16), version (u16), packed and unpacked size of the table (u64 each), kind of checksum (u32); big endian
    the table of contents, by zlib: <xar><toc> <file> <name> <type> <data> <offset> <length> <encoding style=".."/> </data> </file>
    the heap: what the offsets count from

Every file becomes a member as it is packed, and is read by what packed it: zlib (whose style is called ``x-gzip``), bzip2, LZMA, xz. An
installer's ``Scripts`` are run as root.

Reference: https://github.com/apple-oss-distributions/xar ; https://en.wikipedia.org/wiki/Xar_(archiver)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from openvet.core.coverage import Coverage
from openvet.core.limits import MiB
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="xar",
    title="xar archive (installer of macOS)",
    extensions=(".xar", ".pkg"),
    media_types=("application/x-xar", "application/vnd.apple.installer+xml"),
    can_tell=("every file of the table of contents, and where it lies", "the scripts that an installer runs as root"),
    cannot_tell=("signatures and checksums", "files packed in another way, as Apple's own installers are (pbzx)"),
)

_MAGIC = b"xar!"
_TABLE = 32 * MiB
_DEPTH = 64
_INSTALLER = frozenset(("Distribution", "PackageInfo"))
#: What its bytes begin with.
STARTS = (_MAGIC,)


#: Elements that give a place in the heap, and the field that says how many bytes lie there.
_PLACED = {"data": "length", "ea": "length", "checksum": "size", "signature": "size", "x-signature": "size"}
#: What a packed file is called, so that its own name is left when it is unpacked.
_PACKED = {
    "application/x-gzip": ".z", "application/x-bzip2": ".bz2", "application/x-lzma": ".lzma", "application/x-xz": ".xz",
}  # fmt: skip
_TOLD = frozenset(("name", "type", "link", "offset", "length", "size"))
_ELEMENTS = frozenset(("file", *_PLACED))


def probe(head: Head) -> Likeness:
    """The mark, and a header of at least its size."""
    return (
        Likeness.STRONG if head.data.startswith(_MAGIC) and int.from_bytes(head.data[4:6], "big") >= 28 else Likeness.NO
    )


def read(source: Source, facts: Facts) -> None:
    """Make every file a member.

    Raises:
        MalformedError: the table is none, or a file lies outside.
        LimitError: the table is too large, or nested too deeply.
    """
    from openvet.formats._extents import account_for_all
    from openvet.io.archive.anomaly import Remarks
    from openvet.io.archive.names import NameJudge

    header = source.read(0, 28)
    size, packed = int.from_bytes(header[4:6], "big"), int.from_bytes(header[8:16], "big")
    heap = size + packed
    text = _table(source, size, packed)
    extents = [(0, heap)]
    remarks = Remarks(facts.budget)
    judge = NameJudge(remarks)
    try:
        for path, kind, fields in _elements(text, facts):
            if kind == "file":
                judge.name(path, None)
                if fields.get("type", "").strip() == "symlink":
                    judge.link(path, fields.get("link", ""), None, hard=False)
            elif place := _place(source, heap, kind, fields):
                extents.append(place)
                if kind == "data":
                    name = path + _PACKED.get(fields.get("style", ""), "")
                    facts.add_members([Member(name, place[1], partial(source.window, *place), place[0], plain=True)])
        judge.chains()
    finally:
        for remark in remarks.anomalies:
            facts.anomaly(remark.rule, remark.message, remark.offset, **remark.evidence)
        facts.dropped += remarks.dropped
    if any(member.name.rpartition("/")[2].partition(".")[0] in _INSTALLER for member in facts.members):
        message = "is an installer of macOS, whose scripts are run as root when it is opened"
        facts.anomaly("hub/shell-command", message, 0, kind="shown")
    facts.note("members", len(facts.members))
    account_for_all(source, facts, extents, "the archive")
    if facts.coverage is Coverage.INERT:
        facts.coverage = Coverage.READ


def _table(source: Source, start: int, packed: int) -> bytes:
    """The table of contents, unpacked."""
    import zlib

    if packed > _TABLE:
        raise LimitError("header", _TABLE, "the table of contents is too large", offset=8)
    decoder = zlib.decompressobj()
    try:
        text = decoder.decompress(source.read(start, packed), _TABLE)
    except zlib.error:
        raise MalformedError("its table of contents does not unpack", offset=start) from None
    if decoder.unconsumed_tail:
        raise LimitError("header", _TABLE, "the table of contents is too large", offset=start)
    return text


def _elements(text: bytes, facts: Facts) -> Iterator[tuple[str, str, dict[str, str]]]:
    """For each file, and each element with a place in the heap: the path of the file, the kind of element, its fields.

    Nothing that the table declares is expanded. A file comes behind what stands in it.
    """
    from xml.parsers import expat

    walk = _Walk(facts)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = walk.characters, walk.entity
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise MalformedError(f"its table of contents is no XML: {expat.ErrorString(error.code)}") from None
    except (ValueError, LookupError) as error:
        raise MalformedError(
            f"its table of contents is in an encoding that is not read: {printable(str(error))}"
        ) from None
    return iter(walk.found)


class _Walk:
    """The elements of the table, on their way."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self.open: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.tags: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "encoding" and self.tags[-1:] == ["data"] and self.open:
            self.open[-1]["style"] = attributes.get("style", "")
        self.tags.append(tag)
        if len(self.tags) > _DEPTH:
            raise LimitError("nesting", _DEPTH, "the table of contents is nested too deeply")
        if tag in _ELEMENTS:
            self.facts.budget.check_time()
            self.open.append({})
            if tag == "file":
                self.paths.append("")

    def characters(self, data: str) -> None:
        tag, parent = self.tags[-1], self.tags[-2] if len(self.tags) > 1 else ""
        if tag in _TOLD and parent in _ELEMENTS and self.open:
            fields = self.open[-1]
            fields[tag] = fields.get(tag, "") + data
            if tag == "name" and parent == "file":
                self.paths[-1] = fields[tag]

    def end(self, tag: str) -> None:
        self.tags.pop()
        if tag in _ELEMENTS:
            if len(self.found) >= 4 * self.facts.limits.members:
                raise LimitError("members", self.facts.limits.members, "the table of contents names more files")
            self.found.append(("/".join(self.paths), tag, self.open.pop()))
            if tag == "file":
                self.paths.pop()

    def entity(self, *_: object) -> None:
        raise MalformedError("its table of contents declares entities")


def _place(source: Source, heap: int, kind: str, fields: dict[str, str]) -> tuple[int, int] | None:
    """Where the bytes of an element lie, and how many; ``None`` where it has none."""
    try:
        place, length = heap + int(fields.get("offset", "0")), int(fields.get(_PLACED[kind], "0"))
    except ValueError:
        raise MalformedError("a file of the table has a place that is no number") from None
    if not length:
        return None
    if place < heap or length < 0 or place + length > source.size:
        raise MalformedError("a file of the table lies outside of the archive", offset=min(max(place, 0), source.size))
    return place, length
