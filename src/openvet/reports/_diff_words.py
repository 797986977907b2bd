"""A diff in words, the same for every form: what to say of each entry, and the table of layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.diff_v1 import (
    KINDS,
    STATUSES,
    DiffV1,
    FileChange,
    ModelChange,
    TensorChange,
    TensorGroup,
    TextChange,
    ValueChange,
    WordsChange,
)
from openvet.reports._wording import bytes_for_people, plural, visible

__all__ = [
    "KINDS",
    "Row",
    "file_text",
    "headline",
    "height",
    "layer_rows",
    "tally",
    "tensor_text",
    "text_title",
    "value_text",
    "words_text",
]

_VERDICTS: Final = {
    "same": "nothing differs",
    "differs": "they differ",
    "cannot-tell": "nothing is known to differ, but not everything could be compared",
}
_TITLES: Final = {
    "chat-template": "chat template",
    "code": "code",
    "card": "card",
    "license": "licence",
    "program": "program",
    "text": "text",
}
#: The scale of the plot: relative differences from 10^-6 on have a bar, and that of 1 is full.
_DECADES: Final = 6


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of layers: what it is called, a cell for each kind, and the largest relative difference."""

    label: str
    cells: Mapping[str, str]
    relative: float


def headline(diff: DiffV1) -> str:
    """The answer in a few words."""
    return _VERDICTS[diff.verdict]


def file_text(each: FileChange) -> str:
    """One file."""
    if each.a is not None and each.b is not None:
        if each.change == "moved":
            return f"{visible(each.a.place)} → {visible(each.b.place)}"
        one = bytes_for_people(each.a.size)
        size = one if each.a.size == each.b.size else f"{one} → {bytes_for_people(each.b.size)}"
        place = visible(each.b.place)
        return f"{place}, {size}" if each.a.place == each.b.place else f"{visible(each.a.place)} → {place}, {size}"
    side = each.a or each.b
    return "" if side is None else f"{visible(side.place)}, {bytes_for_people(side.size)}"


def value_text(each: ValueChange) -> str:
    """One value, without its file."""
    pointer = visible(each.pointer) or "(the whole)"
    if each.a is None:
        return f"{pointer}: {visible(each.b or '')} is new"
    if each.b is None:
        return f"{pointer}: {visible(each.a)} is gone"
    return f"{pointer}: {visible(each.a)} → {visible(each.b)}"


def text_title(each: TextChange) -> str:
    """What kind of text it is, and where."""
    places = [each.a, each.b]
    if each.a == each.b:
        places = [each.b]
    shown = " → ".join(visible(place) for place in places if place is not None)
    how = " (new)" if each.a is None else " (gone)" if each.b is None else ""
    return f"{_TITLES[each.kind]} {shown}{how}"


def words_text(each: WordsChange) -> str:
    """A vocabulary or the merges."""
    parts = [f"{each.in_a:,} → {each.in_b:,}"]
    for count, what in ((each.added, "added"), (each.removed, "removed"), (each.renumbered, "renumbered")):
        if count:
            parts.append(f"{count:,} {what}")
    return f"{each.what} {', '.join(parts)}"


def tally(counts: Mapping[str, int]) -> str:
    """``3 equal, 1 cast``."""
    return ", ".join(f"{counts[status]:,} {status}" for status in STATUSES if counts.get(status))


def tensor_text(each: TensorChange) -> str:
    """What became of one tensor, without its name and status."""
    parts = []
    if each.name_a is not None:
        parts.append(f"was {visible(each.name_a)}")
    if each.dtype_a is not None and each.dtype_b is not None and each.dtype_a != each.dtype_b:
        parts.append(f"{visible(each.dtype_a)} → {visible(each.dtype_b)}")
    shapes = [
        None if each.shape_a is None else _shape(each.shape_a),
        None if each.shape_b is None else _shape(each.shape_b),
    ]
    if None in shapes:
        parts.append(f"{visible(each.dtype_b or each.dtype_a or '')} {shapes[1] or shapes[0]}")
    elif shapes[0] != shapes[1]:
        parts.append(" → ".join(shape for shape in shapes if shape is not None))
    if each.changed is not None and each.values and each.status not in {"cast", "quantized"}:
        parts.append(f"{_share(each.changed, each.values)} of the values changed")
    if each.relative is not None:
        parts.append(f"relative difference {each.relative}")
    if each.steps is not None:
        away = f", {each.outside:,} values beyond what rounding gives" if each.outside else ""
        parts.append(f"at most {each.steps} steps away{away}")
    if each.not_finite is not None:
        parts.append(f"not finite: {each.not_finite[0]:,} → {each.not_finite[1]:,} values")
    if each.note:
        parts.append(visible(each.note))
    return "; ".join(parts)


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _share(part: int, whole: int) -> str:
    percent = part * 100 / whole
    if part == whole:
        return "all"
    return f"{percent:.1f} %" if percent >= 0.1 else f"{part:,}"


def layer_rows(model: ModelChange) -> list[Row]:
    """The table of layers; neighbours that say the same are one row."""
    layers: dict[int | None, dict[str, TensorGroup]] = {}
    for group in model.groups:
        layers.setdefault(group.layer, {})[group.kind] = group
    rows: list[tuple[int | None, int | None, Row]] = []
    for layer, groups in layers.items():
        cells: dict[str, str] = {kind: _cell(groups[kind]) for kind in KINDS if kind in groups}
        relative = max((float(each.relative or 0) for each in groups.values()), default=0.0)
        row = Row("outside" if layer is None else str(layer), cells, relative)
        last = rows[-1] if rows else None
        if (
            last is not None
            and layer is not None
            and last[1] is not None
            and last[1] + 1 == layer
            and last[2].cells == cells
        ):
            rows[-1] = (last[0], layer, last[2])
        else:
            rows.append((layer, layer, row))
    return [
        Row(row.label if first == last else f"{first}–{last}", row.cells, row.relative) for first, last, row in rows
    ]


def _cell(group: TensorGroup) -> str:
    statuses = [status for status in STATUSES if status in group.tensors]
    text = "+".join(statuses)
    return f"{text} {group.relative}" if group.relative is not None and float(group.relative) else text


def height(relative: float) -> float:
    """Where a relative difference lies on the plot's scale, 0 to 1; by its logarithm."""
    if relative <= 0:
        return 0.0
    return min(max(1 + log10(min(relative, 1.0)) / _DECADES, 0.02), 1.0)


def more(diff: DiffV1) -> Iterator[str]:
    """What is not listed."""
    for name, count in sorted(diff.left_off.items()):
        yield f"and {plural(count, 'more entry').replace('entrys', 'entries')} of {name} that are not listed"
