"""A diff as Markdown, for a pull request's comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.evidence.predicates.diff_v1 import DiffV1, ModelChange, TextChange
from openvet.reports._diff_words import (
    KINDS,
    file_text,
    headline,
    layer_rows,
    more,
    tally,
    tensor_text,
    text_title,
    value_text,
    words_text,
)
from openvet.reports._wording import plural
from openvet.reports.markdown import code, safe

__all__ = ["compose"]

_SHOWN: Final = 50


def compose(name_b: str, diff: DiffV1) -> str:
    """The whole report."""
    out = [f"## {safe(diff.name_a)} → {safe(name_b)}: {headline(diff)}", ""]
    out.append(f"{plural(diff.same_files, 'file')} the same, {plural(len(diff.files), 'other')}.")
    out += _list("Files", [f"{each.change} {code(file_text(each))}" for each in diff.files])
    out += _list("Values", [f"{code(each.place)} {code(value_text(each))}" for each in diff.values])
    out += _list("Tokenizers", [f"{code(each.b)}: {safe(words_text(each))}" for each in diff.words])
    for text in diff.texts:
        out += _text(text)
    for model in diff.models:
        out += _model(model)
    out += _list("Not compared", [f"{code(each.place)}: {safe(each.reason)}" for each in diff.not_compared])
    out += more(diff)
    return "\n".join(out) + "\n"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if not items:
        return
    yield from ("", f"### {title}", "")
    yield from (f"- {item}" for item in items[:_SHOWN])
    if len(items) > _SHOWN:
        yield f"- and {len(items) - _SHOWN:,} more"


def _text(text: TextChange) -> Iterator[str]:
    yield from ("", f"### {safe(text_title(text))}", "")
    yield from (f"- does more: {code(each)}" for each in text.gained[:_SHOWN])
    yield from (f"- does less: {code(each)}" for each in text.lost[:_SHOWN])
    if text.judged and not text.gained and not text.lost:
        yield "- does the same, as far as its readers tell"
    if text.lines:
        yield ""
        yield f"<pre>{'<br>'.join(safe(each) for each in text.lines[:_SHOWN])}</pre>"
    if text.cut or len(text.lines) > _SHOWN:
        yield "It goes on."


def _model(model: ModelChange) -> Iterator[str]:
    yield from ("", f"### Tensors{' of ' + safe(model.b) if model.b else ''}: {tally(model.counts()) or 'none'}", "")
    if not model.counts().keys() - {"equal"}:
        return
    rows = layer_rows(model)
    kinds = [kind for kind in KINDS if any(kind in row.cells for row in rows)]
    yield f"| layer | {' | '.join(kinds)} |"
    yield f"|---|{'---|' * len(kinds)}"
    for row in rows[:_SHOWN]:
        yield f"| {row.label} | {' | '.join(row.cells.get(kind, '') for kind in kinds)} |"
    if len(rows) > _SHOWN:
        yield f"\nand {len(rows) - _SHOWN:,} more rows"
    shown = [each for each in model.tensors if each.status not in {"cast", "quantized"}]
    yield from _list(
        "Tensors by name", [f"{each.status} {code(each.name)} {safe(tensor_text(each))}" for each in shown]
    )
