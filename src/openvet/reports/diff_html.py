"""A diff as one page of HTML that needs nothing else: no script, no font, no address; its plot is SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from openvet.evidence.predicates.diff_v1 import DiffV1, ModelChange, TextChange
from openvet.reports._diff_words import (
    KINDS,
    Row,
    file_text,
    headline,
    height,
    layer_rows,
    more,
    tally,
    tensor_text,
    text_title,
    value_text,
    words_text,
)
from openvet.reports._wording import plural, visible
from openvet.reports.markup import Content, Html, document, figure, lines, listed, table, tag

__all__ = ["compose"]

_ROWS: Final = 2_000
_WIDE, _HIGH, _LEFT, _TOP = 720, 180, 50, 10
_CHANGES: Final = frozenset(["added", "removed", "changed", "moved"])


def compose(name_b: str, diff: DiffV1) -> str:
    """The whole page."""
    title = f"{visible(diff.name_a)} → {visible(name_b)}"
    body: list[Html | None] = [
        tag("h1", f"{title}: {headline(diff)}"),
        _digests(diff),
        tag("h2", "Files"),
        tag("p", f"{plural(diff.same_files, 'file')} the same"),
        *_table([(each.change, file_text(each)) for each in diff.files], ("change", "file")),
    ]
    if diff.values:
        body.append(tag("h2", "Values"))
        body.extend(_table([(each.place, value_text(each)) for each in diff.values], ("file", "value")))
    for each in diff.words:
        body.append(tag("h2", f"Tokenizer {each.b}"))
        body.append(tag("p", words_text(each)))
        body.append(_block([visible(one) for one in each.examples]))
    for text in diff.texts:
        body.extend(_a_text(text))
    for model in diff.models:
        body.extend(_model(model))
    if diff.not_compared:
        body.append(tag("h2", "Not compared"))
        body.extend(_table([(each.place, each.reason) for each in diff.not_compared], ("place", "why")))
    body.extend(tag("p", each, class_="soft") for each in more(diff))
    return document(title, tag("main", Html("\n"), lines(*body), Html("\n")))


def _digests(diff: DiffV1) -> Html | None:
    if not diff.digest_a:
        return None
    shown = ", ".join(f"{name} {value}" for name, value in sorted(diff.digest_a.items()))
    return tag("p", f"{visible(diff.name_a)}: {shown}", class_="soft")


def _table(rows: Sequence[Sequence[Content]], head: Sequence[str]) -> Iterator[Html | None]:
    """Rows up to a limit; a word for a change is set in its colour."""
    shown = [
        (tag("span", row[0], class_=str(row[0])) if row[0] in _CHANGES else row[0], *row[1:])
        for row in islice(rows, _ROWS)
    ]
    yield table(head, shown)
    if len(rows) > _ROWS:
        yield tag("p", f"and {len(rows) - _ROWS:,} more", class_="soft")


def _block(shown: Sequence[Content]) -> Html:
    """Lines as they stand."""
    return tag("pre", [[Html("\n") if at else None, each] for at, each in enumerate(shown)])


def _a_text(text: TextChange) -> Iterator[Html | None]:
    yield tag("h2", text_title(text))
    items = [f"does more: {each}" for each in text.gained] + [f"does less: {each}" for each in text.lost]
    if text.judged and not items:
        items.append("does the same, as far as its readers tell")
    yield listed(items)
    if text.lines:
        marks = {"+": "ins", "-": "del"}
        shown: list[Content] = [tag(marks[each[0]], each) if each[:1] in marks else each for each in text.lines]
        yield _block([*shown, *(["…"] if text.cut else [])])


def _model(model: ModelChange) -> Iterator[Html | None]:
    yield tag("h2", f"Tensors of {model.b}" if model.b else "Tensors")
    yield tag("p", tally(model.counts()) or "none")
    if not model.counts().keys() - {"equal"}:
        return
    rows = layer_rows(model)
    yield _plot(model)
    kinds = [kind for kind in KINDS if any(kind in row.cells for row in rows)]
    yield from _table([(row.label, *(row.cells.get(kind, "") for kind in kinds)) for row in rows], ("layer", *kinds))
    if model.tensors:
        yield tag("h2", "Tensors by name")
        yield from _table(
            [(each.status, each.name, tensor_text(each)) for each in model.tensors], ("change", "tensor", "what")
        )


def _plot(model: ModelChange) -> Html | None:
    """Bars: the largest relative difference of each layer, by its logarithm."""
    layers: dict[int, float] = {}
    for group in model.groups:
        if group.layer is not None:
            layers[group.layer] = max(layers.get(group.layer, 0.0), float(group.relative or 0))
    bars = [Row(str(layer), {}, relative) for layer, relative in sorted(layers.items())][:_ROWS]
    if not any(row.relative for row in bars):
        return None
    room = (_WIDE - _LEFT) / len(bars)
    drawn: list[Html] = []
    for power in range(-6, 1, 2):
        y = _TOP + _HIGH * (-power / 6)
        drawn.append(tag("line", class_="grid", x1=_LEFT, x2=_WIDE, y1=f"{y:.1f}", y2=f"{y:.1f}"))
        drawn.append(tag("text", "1" if not power else f"1e{power}", class_="x", x=0, y=f"{y + 4:.1f}"))
    for number, row in enumerate(bars):
        tall = _HIGH * height(row.relative)
        drawn.append(
            tag(
                "rect",
                tag("title", f"layer {row.label}: {row.relative:.4g}"),
                class_="bar",
                x=f"{_LEFT + number * room:.1f}",
                y=f"{_TOP + _HIGH - tall:.1f}",
                width=f"{max(room - 1, 0.5):.1f}",
                height=f"{tall:.1f}",
            )
        )
    drawn += [
        tag("text", bars[number].label, class_="x", x=f"{_LEFT + number * room:.1f}", y=_TOP + _HIGH + 16)
        for number in range(0, len(bars), max(len(bars) // 12, 1))
    ]
    drawn.append(tag("text", "layer", class_="x", x=_LEFT, y=_TOP + _HIGH + 30))
    title = "relative difference of each layer"
    return figure(
        tag("svg", tag("title", title), *drawn, role="img", viewBox=f"0 0 {_WIDE} {_HIGH + 40}", width=_WIDE), title
    )
