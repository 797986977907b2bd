"""Raw tensors in files of their own: TensorFlow's variables, ONNX's external data, chunks of Zarr's arrays, values of OCDBT,
arrays of joblib before 0.10.

Such a file has no mark and no structure; another file of the folder says which bytes are which tensor. Where it says so
for every byte that is not zero, the file is inert: the only thing that reads it is a tensor. What no tensor takes stays
unread. Where the whole file is one tensor and compressed by itself, that is what its content is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from posixpath import normpath

from openvet.core.coverage import Coverage, Unknown
from openvet.core.location import Location
from openvet.errors import ReadError
from openvet.inventory.component import Component
from openvet.io.source import Source

__all__ = ["claims_through", "settle_claims"]

#: Formats of one compressed stream.
_STREAMS = frozenset({"bzip2", "gzip", "joblib-zfile", "lz4", "xz", "zlib", "zstd"})
#: Zeros between tensors are looked at up to here; more of them is no alignment.
_GAPS_READ = 256 * 1024 * 1024


def settle_claims(components: Sequence[Component], reopen: Callable[[int], Source]) -> list[Component]:
    """``components`` of one folder or archive, where those that others claim are no longer unread."""
    by_name = {component.name: index for index, component in enumerate(components)}
    claimed: dict[int, list[tuple[int, int]]] = {}
    for component in components:
        folder = component.name[: len(component.name) - len(component.basename)]
        for name, ranges in component.claims.items():
            index = by_name.get(normpath(folder + name) if name.startswith("../") else folder + name)
            if index is not None and components[index] is not component:
                claimed.setdefault(index, []).extend(ranges)
    out = list(components)
    for index, ranges in claimed.items():
        children = out[index].children
        if len(children) == 1 and out[index].format in _STREAMS and _may_be_raw(children[0]):
            if not _gaps(ranges, out[index].size):
                inner = replace(children[0], coverage=Coverage.INERT, role="tensor-data", unknowns=())
                out[index] = replace(out[index], children=(inner,))
        elif _may_be_raw(out[index]):
            gaps = _gaps(ranges, out[index].size)
            out[index] = _settled(out[index], gaps, lambda index=index: reopen(index))  # type: ignore[misc]
    return out


def claims_through(
    formats: Sequence[str], own: Mapping[str, Sequence[tuple[int, int]]], children: Sequence[Component]
) -> Mapping[str, Sequence[tuple[int, int]]]:
    """What a file describes of other files: where it is one compressed stream, what its content describes."""
    through = not own and len(children) == 1 and formats and formats[0] in _STREAMS
    return children[0].claims if through else own


def _may_be_raw(component: Component) -> bool:
    """Whether nothing but its name, if that, is known of the file."""
    named = all(each.startswith("named-") for each in component.formats)
    return (
        named
        and component.coverage is Coverage.UNREAD
        and {each.reason for each in component.unknowns} == {"no-reader"}
    )


def _gaps(ranges: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    """(start, end) of the runs of bytes that no range covers."""
    gaps = []
    at = 0
    for start, length in sorted(ranges):
        if start > at:
            gaps.append((at, min(start, size)))
        at = max(at, start + length)
        if at >= size:
            return gaps
    gaps.append((at, size))
    return [gap for gap in gaps if gap[0] < gap[1]]


def _settled(component: Component, gaps: list[tuple[int, int]], reopen: Callable[[], Source]) -> Component:
    where = Location(component.place, gaps[0][0] if gaps else None)
    unread = sum(end - start for start, end in gaps)
    if gaps:
        try:
            if unread <= _GAPS_READ and _all_zero(gaps, component.size, reopen):
                unread = 0
        except ReadError as error:
            unknown = Unknown("changed", f"the bytes between its tensors could not be read: {error.message}", where)
            return replace(component, coverage=Coverage.PARTIAL, role="tensor-data", unknowns=(unknown,))
    if not unread:
        return replace(component, coverage=Coverage.INERT, role="tensor-data", unknowns=())
    unknown = Unknown("unsupported", f"{unread} bytes that belong to no tensor were not read", where)
    return replace(component, coverage=Coverage.PARTIAL, role="tensor-data", unknowns=(unknown,))


def _all_zero(gaps: list[tuple[int, int]], size: int, reopen: Callable[[], Source]) -> bool:
    with reopen() as source:
        return source.size == size and all(
            not block.strip(b"\0") for start, end in gaps for block in source.chunks(start, end - start)
        )
