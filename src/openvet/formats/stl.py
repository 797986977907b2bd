"""STL meshes with binary triangles: 80 bytes of any text, a count, and 50 bytes for each triangle.

Those with triangles as text are text. A file that begins like text and has exactly the bytes for its count is binary, as readers of STL
tell the two apart.

Specification: 3D Systems, "StereoLithography Interface Specification" (1989); https://www.loc.gov/preservation/digital/formats/fdd/fdd000505.shtml
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._hidden import look_inside
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="stl",
    title="STL mesh",
    extensions=(".stl",),
    media_types=("model/stl",),
    can_tell=("that it is a list of triangles up to its last byte",),
    cannot_tell=("what it shows, or what its numbers hide",),
)
_HEAD, _TRIANGLE = 84, 50


def probe(head: Head) -> Likeness:
    """A size that is exactly that of the triangles it counts, and normals that are numbers: likely, for there is no mark."""
    count = int.from_bytes(head.data[80:84], "little")
    if not count or head.size != _HEAD + _TRIANGLE * count:
        return Likeness.NO
    text = head.data[:80].rstrip(b"\0 ")
    return Likeness.WEAK if text.isascii() and text.decode("ascii").replace("\n", " ").isprintable() else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Hold the count to the file.

    Raises:
        MalformedError: the triangles go beyond the end.
    """
    count = int.from_bytes(source.read(80, 4), "little")
    end = _HEAD + _TRIANGLE * count
    if end > source.size:
        raise MalformedError(f"counts {count} triangles, which go beyond the end", offset=80)
    look_inside(facts, source.read(0, 80), "the text in front", 0)
    facts.note("triangles", count)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, end, "the last triangle")
