"""A diff as one page of HTML that needs nothing else: no script, no font, no address; its plot is SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
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

__all__ = ["compose"]

_ROWS: Final = 2_000
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse}"
    "td,th{padding:.15rem .7rem .15rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #e4e7eb}"
    "td:last-child{overflow-wrap:anywhere}pre{background:#f6f8fa;padding:.7rem;overflow-x:auto}"
    ".added,ins{color:#116329;text-decoration:none}.removed,del{color:#a40e26;text-decoration:none}"
    ".changed,.moved{color:#7d4e00}.note{color:#57606a}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}pre{background:#161b22}"
    "td,th{border-color:#30363d}.added,ins{color:#56d364}.removed,del{color:#ff7b72}.changed,.moved{color:#e3b341}.note{color:#9198a1}}"
)
_WIDE, _HIGH, _LEFT, _TOP = 720, 180, 50, 10


def compose(name_b: str, diff: DiffV1) -> str:
    """The whole page."""
    title = f"{_text(diff.name_a)} → {_text(name_b)}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}: {headline(diff)}</h1>",
        _digests(diff),
        f"<h2>Files</h2><p>{plural(diff.same_files, 'file')} the same</p>",
        _table(((each.change, _text(file_text(each))) for each in diff.files), ()),
    ]
    if diff.values:
        parts.append("<h2>Values</h2>")
        parts.append(_table(((_text(each.place), _text(value_text(each))) for each in diff.values), ("file", "value")))
    for each in diff.words:
        parts.append(f"<h2>Tokenizer {_text(each.b)}</h2><p>{_text(words_text(each))}</p>")
        parts.append(f"<pre>{chr(10).join(map(_text, each.examples))}</pre>")
    for text in diff.texts:
        parts.extend(_a_text(text))
    for model in diff.models:
        parts.extend(_model(model))
    if diff.not_compared:
        parts.append("<h2>Not compared</h2>")
        parts.append(_table(((_text(each.place), _text(each.reason)) for each in diff.not_compared), ()))
    parts.extend(f'<p class="note">{_text(each)}</p>' for each in more(diff))
    parts.append("</body></html>\n")
    return "\n".join(filter(None, parts))


def _text(text: str) -> str:
    return escape(visible(text))


def _digests(diff: DiffV1) -> str:
    if not diff.digest_a:
        return ""
    shown = ", ".join(f"{_text(name)} {_text(value)}" for name, value in sorted(diff.digest_a.items()))
    return f'<p class="note">{_text(diff.name_a)}: {shown}</p>'


def _table(rows: Iterable[Sequence[str]], head: Sequence[str]) -> str:
    """Cells are HTML already; the first one of a row without a head is also its class."""
    out = [f"<tr>{''.join(f'<th>{each}</th>' for each in head)}</tr>"] if head else []
    count = 0
    for count, row in enumerate(rows, 1):
        if count > _ROWS:
            continue
        mark = f' class="{row[0]}"' if row and row[0] in {"added", "removed", "changed", "moved"} else ""
        out.append(f"<tr>{''.join(f'<td{mark if at == 0 else str()}>{cell}</td>' for at, cell in enumerate(row))}</tr>")
    note = f'<p class="note">and {count - _ROWS:,} more</p>' if count > _ROWS else ""
    return f"<table>{''.join(out)}</table>{note}" if out else ""


def _a_text(text: TextChange) -> Iterator[str]:
    yield f"<h2>{_text(text_title(text))}</h2>"
    items = [f"<li>does more: {_text(each)}</li>" for each in text.gained]
    items += [f"<li>does less: {_text(each)}</li>" for each in text.lost]
    if text.judged and not items:
        items.append("<li>does the same, as far as its readers tell</li>")
    if items:
        yield f"<ul>{''.join(items)}</ul>"
    if text.lines:
        marks = {"+": "ins", "-": "del"}
        lines = [
            f"<{marks[each[0]]}>{_text(each)}</{marks[each[0]]}>" if each[:1] in marks else _text(each)
            for each in text.lines
        ]
        yield f"<pre>{chr(10).join(lines)}{chr(10) + '…' if text.cut else ''}</pre>"


def _model(model: ModelChange) -> Iterator[str]:
    yield f"<h2>Tensors{' of ' + _text(model.b) if model.b else ''}</h2><p>{tally(model.counts()) or 'none'}</p>"
    if not model.counts().keys() - {"equal"}:
        return
    rows = layer_rows(model)
    yield _plot(model)
    kinds = [kind for kind in KINDS if any(kind in row.cells for row in rows)]
    yield _table(((row.label, *(row.cells.get(kind, "") for kind in kinds)) for row in rows), ("layer", *kinds))
    if model.tensors:
        yield "<h2>Tensors by name</h2>"
        yield _table(
            ((each.status, _text(each.name), _text(tensor_text(each))) for each in model.tensors), ("", "tensor", "")
        )


def _plot(model: ModelChange) -> str:
    """Bars: the largest relative difference of each layer, by its logarithm."""
    layers: dict[int, float] = {}
    for group in model.groups:
        if group.layer is not None:
            layers[group.layer] = max(layers.get(group.layer, 0.0), float(group.relative or 0))
    bars = [Row(str(layer), {}, relative) for layer, relative in sorted(layers.items())][:_ROWS]
    if not any(row.relative for row in bars):
        return ""
    room = (_WIDE - _LEFT) / len(bars)
    parts = [
        f'<svg role="img" viewBox="0 0 {_WIDE} {_HIGH + 40}" width="100%" font-size="11" fill="currentColor">',
        "<title>relative difference of each layer</title>",
    ]
    for power in range(-6, 1, 2):
        y = _TOP + _HIGH * (-power / 6)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" stroke-opacity=".2"/>'
        )
        parts.append(f'<text x="0" y="{y + 4:.1f}">{"1" if not power else f"1e{power}"}</text>')
    for number, row in enumerate(bars):
        tall = _HIGH * height(row.relative)
        parts.append(
            f'<rect x="{_LEFT + number * room:.1f}" y="{_TOP + _HIGH - tall:.1f}" width="{max(room - 1, 0.5):.1f}" height="{tall:.1f}" fill="#0969da">'
            f"<title>layer {row.label}: {row.relative:.4g}</title></rect>"
        )
    parts.extend(
        f'<text x="{_LEFT + number * room:.1f}" y="{_TOP + _HIGH + 16}">{bars[number].label}</text>'
        for number in range(0, len(bars), max(len(bars) // 12, 1))
    )
    parts.append(f'<text x="{_LEFT}" y="{_TOP + _HIGH + 30}">layer</text></svg>')
    return "".join(parts)
