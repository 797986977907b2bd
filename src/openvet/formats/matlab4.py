"""MATLAB data of version 4 (``.mat``): matrices of numbers one after the other, with no mark in front.

::

    kind u32    a decimal number MOPT: order of the bytes (0 little, 1 big), 0, type of the numbers (0 to 5), full, text or sparse (0 to 2)
    rows, columns, whether imaginary parts follow, bytes of the name: u32 each      the name with its zero      the numbers

Specification: https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf, appendix
"""

from __future__ import annotations

import struct

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="matlab-4",
    title="MATLAB data (version 4)",
    extensions=(".mat",),
    media_types=("application/x-matlab-data",),
    can_tell=("every matrix with its name and size, to the last byte of the file",),
    cannot_tell=("what the values say",),
)

_WIDTHS = (8, 4, 4, 2, 2, 1)
_HEAD = 20
_MATRICES = 1_000_000


def probe(head: Head) -> Likeness:
    """A first matrix that fits into the file and has a name: there is no mark, so it is only likely."""
    if len(head.data) < _HEAD:
        return Likeness.NO
    found = _matrix(head.data[:_HEAD])
    if found is None or _HEAD + found[0] + found[1] > head.size:
        return Likeness.NO
    return Likeness.WEAK if _name(head.data[_HEAD : _HEAD + found[0]]) else Likeness.NO


def _matrix(data: bytes) -> tuple[int, int] | None:
    """Bytes of the name and of the numbers; ``None`` where this is no matrix."""
    for order, digit in (("<", 0), (">", 1)):
        kind, rows, columns, imaginary, named = struct.unpack(f"{order}5I", data)
        big, reserved, width, shape = kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10
        if big == digit and not reserved and width < 6 and shape < 3 and imaginary < 2 and 1 < named <= 256:
            return named, rows * columns * _WIDTHS[width] * (1 + imaginary)
    return None


def _name(data: bytes) -> bool:
    """Whether a name of MATLAB and its zero stand here."""
    text = data[:-1].decode("latin-1")
    return data[-1:] == b"\0" and text.isascii() and text.replace("-", "_").isidentifier()


def read(source: Source, facts: Facts) -> None:
    """Walk matrix by matrix.

    Raises:
        MalformedError: what stands there is no matrix, or it goes beyond the end.
        LimitError: more matrices than are followed.
    """
    names: list[str] = []
    at = 0
    for count in range(_MATRICES + 1):
        if at + _HEAD > source.size:
            break
        if not count % 1024:
            facts.budget.check_time()
        found = _matrix(source.read(at, _HEAD))
        if found is None:
            break
        name = source.upto(at + _HEAD, found[0])
        if not _name(name):
            break
        end = at + _HEAD + sum(found)
        if end > source.size:
            raise MalformedError("a matrix goes beyond the end", offset=at)
        if len(names) < 1000:
            names.append(printable(name[:-1].decode("latin-1")))
        at = end
    else:
        raise LimitError("records", _MATRICES, "more matrices than are followed", offset=at)
    if not at:
        raise MalformedError("has no matrix", offset=0)
    facts.note("variables", names)
    facts.coverage = Coverage.INERT
    account_for_rest(source, facts, at, "the last matrix")
