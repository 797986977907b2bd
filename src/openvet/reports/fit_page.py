"""How models fit devices, as one page: tables and drawings in one file, without scripts and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from openvet.evidence.predicates.profile_v1 import ModelPart
from openvet.profile.fit import Fit
from openvet.reports._text import bytes_for_people, plural, visible
from openvet.reports.fit import BOUNDS, gib, kinds, memory_words, pairs, rate, said_by
from openvet.reports.markup import Html, details, document, figure, lines, listed, table, tag
from openvet.reports.markup import pairs as in_pairs
from openvet.reports.profile import facts_of
from openvet.reports.svg import Curve, drawing

__all__ = ["Row", "of_model", "on_device", "overview", "page"]

#: A model's name, the model, and its fits; no fit without a reason in words.
Row = tuple[str, ModelPart, Sequence[Fit], Sequence[str]]

_STEPS: Final = 4


def page(rows: Sequence[Row]) -> str:
    """The whole page."""
    names = {row[0] for row in rows}
    title = f"What {visible(rows[0][0])} needs" if len(names) == 1 else "What these models need"
    body = [each for number, row in enumerate(rows) for each in _model(number, row)]
    return document(title, tag("main", lines(tag("h1", title), *body, tag("p", BOUNDS, class_="soft"))))


def _model(number: int, row: Row) -> Iterator[Html]:
    name, part, fits, _ = row
    yield tag("h2", f"{name} / {part.name}" if part.name else name)
    yield from of_model(row)
    if len(fits) > 1:
        yield overview(fits)
    for at, each in enumerate(fits):
        yield tag("h3", f"On {visible(each.device.name)}, {gib(each.device.memory)}")
        yield from on_device(f"m{number}d{at}", each)


def of_model(row: Row) -> Iterator[Html]:
    """What it is, and what could not be said."""
    _, part, _, reasons = row
    found = in_pairs(facts_of(part))
    if found is not None:
        yield found
    for text in (*reasons, *part.missing):
        yield tag("p", text, class_="soft")


def on_device(id_: str, each: Fit) -> Iterator[Html]:
    """One model on one device; ``id_`` is unique on the page, of letters and digits."""
    found = in_pairs(pairs(each))
    if found is not None:
        yield found
    plots = [figure(drawing(curve), curve.title) for curve in _curves(id_, each)]
    yield tag("div", Html("\n"), lines(*plots), Html("\n"), class_="plots")
    for text in dict.fromkeys((*each.unknown, *each.needs.assumptions)):
        yield tag("p", text)
    yield details("Who says so", listed(said_by(each.device)))


def overview(fits: Sequence[Fit]) -> Html:
    """One model on several devices, one a row."""
    heads = ("device", "fits", "context", "decode at best, tokens/s", "programs reach", "prefill at best, tokens/s")
    rows = []
    for each in fits:
        decode, prefill = each.decode, each.prefill
        rows.append(
            (
                each.device.label,
                tag("span", memory_words(each), class_=each.fits),
                "none" if each.largest_context is None else f"{each.largest_context:,}",
                "not known" if decode is None else rate(decode.best),
                "" if decode is None else f"{rate(decode.low)} to {rate(decode.high)}",
                "not known" if prefill is None else rate(prefill.best),
            )
        )
    found = table(heads, rows, caption=f"{kinds(fits[0])}, cache in {fits[0].work.cache_type}")
    return found or Html("")


def _curves(id_: str, each: Fit) -> Iterator[Curve]:
    ends = (f"{each.curve[0][0]:,}", f"{plural(each.curve[-1][0], 'token')}")
    sizes = [(context, Fraction(size)) for context, size, _ in each.curve]
    top = max(Fraction(1), *(size for _, size in sizes))
    if each.available_bytes <= 4 * top:
        top = max(top, Fraction(each.available_bytes))
    there = bytes_for_people(each.available_bytes)
    lowest, highest = bytes_for_people(int(sizes[0][1])), bytes_for_people(int(sizes[-1][1]))
    yield Curve(
        f"{id_}m",
        "Memory to serve, by tokens of context",
        f"It takes {lowest} at {ends[0]} and {highest} at {ends[1]}; {there} are there.",
        sizes,
        top,
        ends,
        [bytes_for_people(int(top * step / _STEPS)) for step in range(_STEPS + 1)],
        (Fraction(each.available_bytes), f"{there} there"),
    )
    speeds = [(context, best) for context, _, best in each.curve if best is not None]
    if len(speeds) == len(sizes):
        top = max(best for _, best in speeds)
        yield Curve(
            f"{id_}s",
            "Decode at best in tokens/s, by tokens of context",
            f"At best {rate(speeds[0][1])} tokens/s at {ends[0]} and {rate(speeds[-1][1])} at {ends[1]}.",
            speeds,
            top,
            ends,
            ["0", *(rate(top * step / _STEPS) for step in range(1, _STEPS + 1))],
        )
