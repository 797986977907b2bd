"""NetCDF 3 (``.nc``): named arrays of numbers, the classic form and those with 64-bit places or sizes. NetCDF 4 is HDF5.

::

    "CDF", version (1, 2 or 5), records, dimensions, attributes, variables; each list: mark u32, count, entries; all big-endian
    variable   name, dimensions, attributes, type, bytes, where it begins
    data       variables with fixed extents, then records: one part of each variable whose first dimension grows

Specification: https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.text import printable
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._trailing import account_for_rest, all_zero, look_in_gap, say_incomplete
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="netcdf",
    title="NetCDF table",
    extensions=(".nc", ".cdf"),
    media_types=("application/x-netcdf",),
    can_tell=("every variable with its name, and that its numbers and nothing else stand in the file",),
    cannot_tell=("what the values say",),
)

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_LISTED = 1_000_000
_STREAMING = 0xFFFFFFFF


def probe(head: Head) -> Likeness:
    """The letters and a version."""
    return Likeness.STRONG if head.data[:4] in {b"CDF\1", b"CDF\2", b"CDF\5"} and head.size >= 32 else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the header, and see that every byte behind it belongs to a variable.

    Raises:
        MalformedError: the header has what no table has.
        LimitError: more entries than are followed.
    """
    walk = _Header(source, facts)
    walk.read()
    facts.note("variables", walk.names)
    end = walk.at
    for begin, size in sorted(walk.ranges):
        if begin > end and begin <= source.size and not all_zero(source, end, begin):
            facts.anomaly("file/trailing-data", f"{begin - end} bytes belong to no variable", end, end=end, size=begin)
            facts.unknown("unsupported", f"{begin - end} bytes that belong to no variable were not read", end)
            look_in_gap(source, facts, end, begin)
        end = max(end, begin + size)
    if end - 3 > source.size:
        say_incomplete(facts, end, source.size)
        return
    facts.coverage = Coverage.INERT if not facts.unknowns else facts.coverage
    account_for_rest(source, facts, end, "the last variable")


class _Header:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.source, self.facts = source, facts
        version = source.read(3, 1)[0]
        self.count = 8 if version == 5 else 4
        self.place = 4 if version == 1 else 8
        self.at = 4
        self.listed = 0
        self.names: list[str] = []
        self.ranges: list[tuple[int, int]] = []

    def number(self, width: int) -> int:
        self.at += width
        return int.from_bytes(self.source.read(self.at - width, width), "big")

    def entries(self, mark: int) -> range:
        begun = self.at
        found, count = self.number(4), self.number(self.count)
        self.listed += count
        if self.listed > _LISTED:
            raise LimitError("records", _LISTED, "more entries than are followed", offset=begun)
        if (found, count) != (0, 0) and found != mark:
            raise MalformedError(f"a list has the mark {found} instead of {mark}", offset=begun)
        self.facts.budget.check_time()
        return range(count)

    def skip(self, size: int) -> int:
        """Step over bytes that are filled up to four; gives where they begin."""
        begin = self.at
        self.at += size + -size % 4
        if self.at > self.source.size:
            raise MalformedError("a name or an attribute goes beyond the end", offset=begin)
        return begin

    def name(self) -> str:
        size = self.number(self.count)
        return printable(self.source.upto(self.skip(size), min(size, 200)).decode("utf-8", "replace"))

    def width(self) -> int:
        kind = self.number(4)
        if kind not in _WIDTHS:
            raise MalformedError(f"there is no type {kind}", offset=self.at - 4)
        return _WIDTHS[kind]

    def attributes(self) -> None:
        for _ in self.entries(_ATTRIBUTES):
            self.name()
            width = self.width()
            self.skip(width * self.number(self.count))

    def read(self) -> None:
        records = self.number(self.count)
        extents = [(self.name(), self.number(self.count))[1] for _ in self.entries(_DIMENSIONS)]
        self.attributes()
        growing: list[tuple[int, int]] = []
        for _ in self.entries(_VARIABLES):
            name = self.name()
            self.names += [name] if len(self.names) < 1000 else []
            dimensions = [self.number(self.count) for _ in range(min(self.number(self.count), 1024))]
            if any(each >= len(extents) for each in dimensions):
                raise MalformedError("a variable has a dimension that is not there", offset=self.at)
            self.attributes()
            size = self.width()
            self.number(self.count)  # the size once more, which is not to be relied on
            begin = self.number(self.place)
            grows = bool(dimensions) and not extents[dimensions[0]]
            for each in dimensions[grows:]:
                size *= extents[each]
            (growing if grows else self.ranges).append((begin, size if grows else size + -size % 4))
        alone = len(growing) == 1
        stride = sum(size if alone else size + -size % 4 for _, size in growing)
        if growing and records != _STREAMING:
            self.ranges.append((min(begin for begin, _ in growing), stride * records))
        elif growing:
            self.ranges.append((min(begin for begin, _ in growing), self.source.size))
