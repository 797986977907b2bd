"""A lineage as an inline SVG drawing: columns of boxes from the model to what it was made of, and lines between them.

No script, no reference to anything outside, a title and a description for those who cannot see it. Colours come from the page. All
coordinates are whole numbers, so that every machine draws the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvet.core.text import shorten
from openvet.evidence.predicates.lineage_v1 import THIS, LineageV1
from openvet.reports._text import columns, plural, visible
from openvet.reports.lineage import WORDS, verdict_words
from openvet.reports.markup import Html, join, lines, tag

__all__ = ["drawing"]

_WIDTH, _HEIGHT, _GAP, _BETWEEN = 230, 40, 16, 190
_EDGE: Final = 12
#: Boxes that are drawn; the tables list all.
_BOXES: Final = 40
_LETTERS: Final = 30
_PER_COLUMN: Final = 12
_NOTE: Final = 22


def drawing(lineage: LineageV1, id_: str = "lineage") -> Html:
    """The ``svg`` element; ``id_`` is unique on the page."""
    steps = _columns(lineage)
    places = {
        name: (_EDGE + at * (_WIDTH + _BETWEEN), _EDGE + row * (_HEIGHT + _GAP))
        for at, column in enumerate(steps)
        for row, name in enumerate(column)
    }
    tallest = max(len(each) for each in steps)
    for at, column in enumerate(steps):  # each column in the middle
        down = (tallest - len(column)) * (_HEIGHT + _GAP) // 2
        for name in column:
            places[name] = (_EDGE + at * (_WIDTH + _BETWEEN), places[name][1] + down)
    width = 2 * _EDGE + len(steps) * _WIDTH + (len(steps) - 1) * _BETWEEN
    height = 2 * _EDGE + tallest * (_HEIGHT + _GAP) - _GAP
    left_out = len(lineage.nodes) - len(places)
    height += _NOTE if left_out else 0
    described = "; ".join(
        f"{_name(lineage, each.derivative)} {WORDS[each.relation]} {_name(lineage, each.origin)}"
        for each in lineage.edges[:_BOXES]
    )
    if left_out:
        described += f"; {plural(left_out, 'further box')} not drawn".replace("boxs", "boxes")
    note = None
    if left_out:
        said = "1 more is" if left_out == 1 else f"{left_out} more are"
        note = tag(
            "text", f"{said} in the tables alone", class_="what", text_anchor="end", x=width - _EDGE, y=height - _EDGE
        )
    return tag(
        "svg",
        Html("\n"),
        lines(
            tag("title", f"Lineage of {visible(lineage.nodes[0].name)}", id=f"{id_}-t"),
            tag("desc", described or "nothing is said of where it comes from", id=f"{id_}-d"),
            *_lines(lineage, places),
            *_boxes(lineage, places),
            note,
        ),
        Html("\n"),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{id_}-t {id_}-d",
    )


def _name(lineage: LineageV1, identifier: str) -> str:
    node = lineage.node(identifier)
    return visible(node.name if node is not None else identifier)


def _fitting(text: str) -> str:
    """A name as it fits into a box: its beginning and its end; letters of double width take two places."""
    room = _LETTERS
    while room > 4 and columns(shorten(text, room)) > _LETTERS:
        room -= 1
    return shorten(text, room)


def _columns(lineage: LineageV1) -> list[list[str]]:
    """Identifiers by how many steps they are away from the model; what has no way from it is left to the tables."""
    steps, known = [[THIS]], {THIS}
    tested = {each.origin for each in lineage.tests if each.derivative == THIS}
    while len(known) < _BOXES:
        ahead = [each.origin for name in steps[-1] for each in lineage.origins(name)]
        if len(steps) == 1:
            ahead = [*sorted(tested), *ahead]
        fresh = [each for each in dict.fromkeys(ahead) if each not in known][: min(_PER_COLUMN, _BOXES - len(known))]
        if not fresh:
            break
        steps.append(fresh)
        known.update(fresh)
    return steps


def _lines(lineage: LineageV1, places: Mapping[str, tuple[int, int]]) -> list[Html]:
    """One line for each two boxes that have something to do with each other, with the words of all of it."""
    words: dict[tuple[str, str], list[str]] = {}
    measured = set()
    for edge in lineage.edges:
        key = (edge.derivative, edge.origin)
        if edge.basis == "measured":
            measured.add(key)
            words.setdefault(key, [])
        else:
            words.setdefault(key, []).append(WORDS[edge.relation])
    for test in lineage.tests:
        words.setdefault((test.derivative, test.origin), [])
    paths, texts = [], []
    for (one, two), said in words.items():
        if one not in places or two not in places or one == two:
            continue
        verdict = lineage.verdict(one, two)
        kind = " ".join(filter(None, (verdict, "measured" if (one, two) in measured else "")))
        (x1, y1), (x2, y2) = places[one], places[two]
        start, end = (x1 + _WIDTH, y1 + _HEIGHT // 2), (x2, y2 + _HEIGHT // 2)
        middle = (start[0] + end[0]) // 2
        curve = f"M{start[0]},{start[1]} C{middle},{start[1]} {middle},{end[1]} {end[0]},{end[1]}"
        paths.append(tag("path", class_=kind or "declared", d=curve))
        text = shorten(", ".join([*dict.fromkeys(said), *([verdict_words(verdict)] if verdict else [])]), _LETTERS)
        # on the side from which no line comes
        beside = end[1] + 13 if start[1] < end[1] else end[1] - 5
        texts.append(tag("text", text, class_="what", text_anchor="end", x=end[0] - 6, y=beside))
    return [*paths, *texts]


def _boxes(lineage: LineageV1, places: Mapping[str, tuple[int, int]]) -> list[Html]:
    out = []
    for name, (x, y) in places.items():
        node = lineage.node(name)
        kind = node.kind if node is not None else ""
        whole = _name(lineage, name)
        kind = "this model" if name == THIS and kind == "model" else kind
        out.append(
            tag(
                "g",
                join(tag("title", whole), tag("rect", class_="box", x=x, y=y, width=_WIDTH, height=_HEIGHT, rx=6)),
                # an svg of its own cuts off what a wide letter takes beyond the box
                tag("svg", tag("text", _fitting(whole), x=0, y=17), x=x + 10, y=y, width=_WIDTH - 14, height=_HEIGHT),
                tag("text", kind, class_="what", x=x + 10, y=y + 33),
            )
        )
    return out
