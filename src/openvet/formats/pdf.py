"""PDF documents: numbered objects, some of them inside compressed object streams, and an end mark.

Specification: ISO 32000-2, https://pdfa.org/resource/iso-32000-2/ . The document is not rendered; its names are
searched, also inside object streams, for anything that acts: scripts, programs to launch, files inside, forms that
send. Without these it is inert. What is encrypted, or compressed in a way other than deflate, cannot be searched.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="pdf",
    title="PDF document",
    extensions=(".pdf",),
    media_types=("application/pdf",),
    can_tell=("whether it carries scripts, actions that start or send something, or files inside",),
    cannot_tell=("what it says", "anything inside encrypted documents"),
)

#: An action needs one of these types to do more than turn to a page or open a link; /OpenAction alone does not.
_ACTIVE = (
    b"JavaScript", b"JS", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"RichMedia", b"XFA", b"SubmitForm",
    b"ImportData", b"GoToE", b"Rendition", b"Movie", b"Encrypt",
)  # fmt: skip
_ESCAPED = pattern(rb"#([0-9A-Fa-f]{2})")
_STREAM = pattern(rb"(?<!end)stream\r?\n")
#: What may follow a name. A name inside compressed bytes by chance is mostly followed by something else.
_DELIMITERS = b" \t\r\n\f\0()<>[]{}/%"
_OVERLAP = 4096
#: What is read of an object stream at first, most of which are short, and at most at a time.
_FIRST_BLOCK = 4096
_LAST_BLOCK = 1024 * 1024
#: How many times the document's size all its object streams may take: one that breaks off at once took a block.
_OVER = 4
#: What its bytes begin with.
STARTS = (b"%PDF-",)

#: What opens a program of the system, in one dictionary.
_STARTS_PROGRAM = pattern(
    rb"/Launch\b[^()]{0,200}\((?:[^()]{0,200}[\\/])?((?:cmd|powershell|pwsh|mshta|rundll32|wscript|cscript|bash|sh|python3?)(?:\.exe)?)[\s)]",
    re.IGNORECASE,
)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if re.match(rb"%PDF-[12]\.\d", head.data) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Search names and object streams.

    Raises:
        MalformedError: there is no end mark.
        LimitError: the object streams expand too much.
    """
    found: set[bytes] = set()
    seen: set[int] = set()
    streams = _Streams(source, facts)
    end, told = 0, False
    for at, data in _overlapping(source):
        facts.budget.check_time()
        found.update(_active(data))
        if b"Launch" in found and (started := _STARTS_PROGRAM.search(_plain(data))) and not told:
            told = True
            name = started[1].decode("latin-1")
            facts.anomaly("hub/shell-command", f"starts {name} once somebody opens it", kind="hidden")
        for match in _STREAM.finditer(data):
            start = at + match.end()
            dictionary = data[max(match.start() - _OVERLAP // 2, 0) : match.start()].rpartition(b"obj")[2]
            if start not in seen and b"/ObjStm" in _plain(dictionary):
                seen.add(start)
                found.update(streams.inside(start, _plain(dictionary)))
        mark = data.rfind(b"%%EOF")
        if mark >= 0:
            end = at + mark + 5
    if not end:
        raise MalformedError("has no end mark", offset=source.size)
    if found:
        names = " ".join(sorted(f"/{name.decode('latin-1')}" for name in found))
        facts.unknown("unsupported", f"holds {names}: what that does was not read")
    if not facts.unknowns:
        facts.coverage = Coverage.INERT
    after = source.upto(end, 16)
    account_for_rest(source, facts, end + len(after) - len(after.lstrip(b"\r\n\t \0")), "the document")


def _overlapping(source: Source) -> Iterator[tuple[int, bytes]]:
    """Blocks with their offsets, each beginning with the end of the one before."""
    at = 0
    carried = b""
    for block in source.chunks():
        yield at - len(carried), carried + block
        at += len(block)
        carried = block[-_OVERLAP:]


def _plain(data: bytes) -> bytes:
    """``data`` with the escapes of names undone: ``#4A`` stands for ``J``."""
    return _ESCAPED.sub(lambda match: bytes([int(match.group(1), 16)]), data)


def _active(data: bytes) -> set[bytes]:
    """The names in ``data`` that act."""
    out = set()
    for text in (data, _plain(data)) if b"#" in data else (data,):
        for name in _ACTIVE:
            start = text.find(b"/" + name)
            while start >= 0:
                after = text[start + 1 + len(name) : start + 2 + len(name)]
                if after in _DELIMITERS:  # nothing at all, at the end of a block, counts too
                    out.add(name)
                    break
                start = text.find(b"/" + name, start + 1)
    return out


class _Streams:
    """Searches compressed object streams. Those of an honest document do not lie over each other, so that all together take its size."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.taken = 0
        self.given = 0

    def inside(self, at: int, dictionary: bytes) -> set[bytes]:
        """The acting names in the object stream at ``at``.

        Raises:
            LimitError: the streams expand too much, or lie over each other.
        """
        filters = re.findall(rb"/([A-Za-z0-9]+Decode)", dictionary)
        if not filters:
            return set()  # it stands open, and was searched with the rest
        if filters != [b"FlateDecode"]:
            self.facts.unknown("unsupported", "an object stream is compressed in a way that is not read", at)
            return set()
        return self._search_deflated(at)

    def _search_deflated(self, at: int) -> set[bytes]:
        decoder = zlib.decompressobj()
        found: set[bytes] = set()
        carried = b""
        taken = 0
        size = _FIRST_BLOCK
        try:
            while block := self.source.upto(at + taken, size):
                taken += len(block)
                self.taken += len(block)
                if self.taken > _OVER * self.source.size + _FIRST_BLOCK:
                    raise LimitError("text", self.source.size, "the object streams lie over each other", offset=at)
                size = min(size * 4, _LAST_BLOCK)
                while block and not decoder.eof:
                    data = decoder.decompress(block, 1024 * 1024)
                    block = decoder.unconsumed_tail
                    self.given += len(data)
                    self.facts.budget.add_decoded(len(data), self.given, self.taken)
                    found.update(_active(carried + data))
                    carried = data[-64:]
                if decoder.eof:
                    self.taken -= len(decoder.unused_data)
                    return found
        except zlib.error:
            pass
        self.facts.unknown("malformed", "an object stream cannot be decompressed", at)
        return found
