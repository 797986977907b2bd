"""Netpbm images (``.pbm .pgm .ppm .pam .pfm``) with binary samples: a header of words, then as many bytes as it says.

::

    "P4" "P5" "P6" width height [largest value]     "P7" lines of words up to ENDHDR     "Pf" "PF" width height scale
    one white space, samples; several images may follow each other

Those with samples as text (P1 to P3) are text. Specification: https://netpbm.sourceforge.net/doc/ , https://netpbm.sourceforge.net/doc/pfm.html
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="netpbm",
    title="Netpbm image",
    extensions=(".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm"),
    media_types=("image/x-portable-anymap",),
    can_tell=("that it is an image up to its last byte",),
    cannot_tell=("what it shows, or what its pixels hide",),
)
_HEADER = 1024
_SPACE = rb"(?:\s|#[^\n]{0,200}\n)"
_PLAIN = pattern(
    rb"P([456])" + _SPACE + rb"{1,20}(\d{1,9})" + _SPACE + rb"{1,20}(\d{1,9})(?:" + _SPACE + rb"{1,20}(\d{1,5}))?\s"
)
_FLOAT = pattern(rb"P([fF])\s{1,9}(\d{1,9})\s{1,9}(\d{1,9})\s{1,9}-?[0-9.]{1,20}\s")
_ARBITRARY = pattern(
    rb"P7\n((?:(?:WIDTH|HEIGHT|DEPTH|MAXVAL) \d{1,9}\n|TUPLTYPE \w{1,40}\n|#[^\n]{0,200}\n){1,20})ENDHDR\n"
)
_FIELD = pattern(rb"(WIDTH|HEIGHT|DEPTH|MAXVAL) (\d+)\n")
#: What its bytes begin with.
STARTS = (b"P4", b"P5", b"P6", b"P7\n", b"Pf", b"PF")


def _image(data: bytes) -> tuple[int, int] | None:
    """Bytes of the header and of the samples; ``None`` where no image begins."""
    if found := _PLAIN.match(data):
        kind, width, height = found[1], int(found[2]), int(found[3])
        if kind == b"4":  # one bit for each pixel, and no largest value
            end = found.end(3) + 1
            return (end, (width + 7) // 8 * height) if data[end - 1 : end].isspace() else None
        if found[4] is None or not 0 < int(found[4]) < 65536:
            return None
        return found.end(), width * height * (3 if kind == b"6" else 1) * (2 if int(found[4]) > 255 else 1)
    if found := _FLOAT.match(data):
        return found.end(), int(found[2]) * int(found[3]) * (12 if found[1] == b"F" else 4)
    if found := _ARBITRARY.match(data):
        fields = {each[1]: int(each[2]) for each in _FIELD.finditer(found[1])}
        if len(fields) == 4:
            wide = 2 if fields[b"MAXVAL"] > 255 else 1
            return found.end(), fields[b"WIDTH"] * fields[b"HEIGHT"] * fields[b"DEPTH"] * wide
    return None


def probe(head: Head) -> Likeness:
    """A header whose samples fit into the file."""
    found = _image(head.data[:_HEADER])
    return Likeness.STRONG if found is not None and 0 < sum(found) <= head.size and found[1] else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk image by image.

    Raises:
        MalformedError: no image begins, or one goes beyond the end.
    """
    at, count = 0, 0
    while (found := _image(source.upto(at, _HEADER))) is not None:
        facts.budget.check_time()
        if at + sum(found) > source.size:
            raise MalformedError("an image goes beyond the end", offset=at)
        at += sum(found)
        count += 1
    if not count:
        raise MalformedError("has no image", offset=0)
    facts.note("images", count)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last image")
