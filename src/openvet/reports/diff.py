"""A diff for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.diff_v1 import DiffV1, ModelChange, TextChange, ValueChange
from openvet.reports._diff_words import (
    KINDS,
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
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table, wrapped

__all__ = ["compose"]

_FILES: Final = 40
_VALUES: Final = 60
_LINES: Final = 60
_TENSORS: Final = 20
_ROWS: Final = 60
_BAR: Final = 20
_COLOURS: Final = {"added": "green", "removed": "red", "changed": "yellow", "moved": "cyan"}


def compose(name_b: str, diff: DiffV1, look: Look = PLAIN) -> str:
    """The whole report."""
    out = [look.paint(f"{visible(diff.name_a)} → {visible(name_b)}", "bold") + f": {headline(diff)}"]
    out += _files(diff, look)
    out += _values(diff.values, look)
    for text in diff.texts:
        out += _text(text, look)
    for each in diff.words:
        out += ["", f"tokenizer {visible(each.b)}: {words_text(each)}"]
        out += [f"  {visible(example)}" for example in each.examples]
    for model in diff.models:
        out += _model(model, look)
    if diff.not_compared:
        out += ["", "not compared"]
        for missing in diff.not_compared[:_VALUES]:
            out += wrapped(
                f"{visible(missing.place) or 'the model'}: {visible(missing.reason)}",
                look.width - 2,
                indent=4,
                first="  ",
            )
        out += _rest(len(diff.not_compared), _VALUES)
    out += more(diff)
    return look.finish("\n".join(out) + "\n")


def _rest(count: int, shown: int) -> list[str]:
    return [f"  … and {count - shown:,} more; --format json lists all"] if count > shown else []


def _files(diff: DiffV1, look: Look) -> Iterator[str]:
    yield ""
    counts: dict[str, int] = {}
    for each in diff.files:
        counts[each.change] = counts.get(each.change, 0) + 1
    said = [f"{plural(diff.same_files, 'file')} the same", *(f"{count:,} {change}" for change, count in counts.items())]
    yield f"files: {', '.join(said)}"
    for each in diff.files[:_FILES]:
        yield f"  {look.paint(each.change.ljust(8), _COLOURS[each.change])}{file_text(each)}"
    yield from _rest(len(diff.files), _FILES)


def _values(values: Sequence[ValueChange], look: Look) -> Iterator[str]:
    place = None
    for each in values[:_VALUES]:
        if each.place != place:
            place = each.place
            yield ""
            yield f"values of {visible(place)}"
        yield from wrapped(value_text(each), look.width - 2, indent=4, first="  ")
    yield from _rest(len(values), _VALUES)


def _text(text: TextChange, look: Look) -> Iterator[str]:
    yield ""
    yield text_title(text)
    for what, items in (("does more", text.gained), ("does less", text.lost)):
        for item in items:
            yield from wrapped(f"{what}: {visible(item)}", look.width - 2, indent=4, first="  ")
    if text.judged and not text.gained and not text.lost:
        yield "  does the same, as far as its readers tell"
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in text.lines[:_LINES]:
        yield "  " + (look.paint(visible(line), colours[line[0]]) if line[:1] in colours else visible(line))
    yield from _rest(len(text.lines), _LINES)
    if text.cut:
        yield "  … it goes on"


def _model(model: ModelChange, look: Look) -> Iterator[str]:
    name = f" of {visible(model.b)}" if model.b else ""
    yield ""
    yield f"tensors{name}: {tally(model.counts()) or 'none'}"
    if not model.counts().keys() - {"equal"}:
        return
    rows = layer_rows(model)
    kinds = [kind for kind in KINDS if any(kind in row.cells for row in rows)]
    lines = [["  layer", *kinds, "relative difference"]]
    lines += [
        [f"  {row.label}", *(row.cells.get(kind, "") for kind in kinds), _bar(row.relative, look)]
        for row in rows[:_ROWS]
    ]
    yield from table(lines, max(look.width, 40))
    yield from _rest(len(rows), _ROWS)
    shown = [each for each in model.tensors if each.status not in {"cast", "quantized"}] or list(model.tensors)
    for tensor in shown[:_TENSORS]:
        said = tensor_text(tensor)
        yield from wrapped(
            f"{tensor.status} {visible(tensor.name)}{': ' if said else ''}{said}", look.width - 2, indent=4, first="  "
        )
    yield from _rest(len(shown) + model.left_off, _TENSORS)


def _bar(relative: float, look: Look) -> str:
    return ("█" if look.unicode else "#") * round(height(relative) * _BAR)
