"""What running a model costs beside paying for an API, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.core.quantity import STATED_DIGITS, brief
from openvet.profile.claims.span import Span
from openvet.profile.cost import NOT_COUNTED, Cost, Quantity
from openvet.profile.cost_inputs import KEYS
from openvet.reports._text import visible
from openvet.reports.fit import pairs
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table, wrapped

__all__ = ["compose"]

_WORDS: Final = {
    "run-it": ("run it", "green"),
    "pay-for-it": ("pay for it", "green"),
    "cannot-tell": ("cannot tell", "yellow"),
    "no-room": ("no room", "red"),
    "too-much-traffic": ("too much traffic", "red"),
}
_DIGITS: Final = 4
_LABELS: Final = {
    "hardware": "hardware",
    "api_request": "API, a request",
    "break_even_requests": "break-even, requests",
    "break_even_tokens": "break-even, tokens",
    "copy_requests_per_second": "a copy serves",
    "capacity_requests": "capacity, requests",
    "break_even_utilisation": "break-even, utilisation",
    "own_request": "own, a request",
    "own_million_out": "own, a million of output",
    "api": "API, all requests",
    "api_over_hardware": "API over hardware",
}


def compose(cost: Cost, name: str, look: Look = PLAIN) -> str:
    """The whole report; the same cost gives the same text."""
    return look.finish("\n".join(_lines(cost, name, look)) + "\n")


def _lines(cost: Cost, name: str, look: Look) -> Iterator[str]:
    word, colour = _WORDS[cost.verdict]
    first, *rest = wrapped(f"{word}: {cost.reason}", look.width, indent=2)
    yield f"{look.paint(word, 'bold', colour)}{first[len(word) :]}"
    yield from rest
    yield ""
    yield look.paint("What follows from what is stated", "bold")
    rows = [[f"  {_LABELS[each.name]}", f"{_amount(each)} [{each.formula}]"] for each in cost.results]
    yield from table(rows, look.width, wrap=True)
    if cost.fit is not None:
        yield ""
        yield look.paint(f"{visible(name)} on {visible(cost.fit.device.name)}", "bold")
        yield from table([[f"  {label}", text] for label, text in pairs(cost.fit)], look.width, wrap=True)
    texts = [*cost.assumptions, *(() if cost.fit is None else (*cost.fit.needs.assumptions, *cost.fit.unknown))]
    for title, lines in (("Assumed", texts), ("Not counted", NOT_COUNTED)):
        if lines:
            yield ""
            yield look.paint(title, "bold")
            for text in lines:
                yield from wrapped(visible(text), look.width, indent=4, first="  ")
    yield ""
    yield look.paint("Stated", "bold")
    yield from table(
        [[f"  {key}", f"{_ends(each, STATED_DIGITS)} {KEYS[key].unit}".rstrip()] for key, each in cost.stated.items()],
        look.width,
    )


def _amount(each: Quantity) -> str:
    unit = "" if each.unit in {"request", "token"} else each.unit
    text = f"{_ends(each.span, _DIGITS)} {unit}".rstrip()
    return (
        text
        if each.span.least == each.span.low and each.span.most == each.span.high
        else f"{text} (possible {_far(each.span)})"
    )


def _far(span: Span) -> str:
    if span.least == span.low:
        return f"up to {brief(span.most)}"
    return f"from {brief(span.least)}" if span.most == span.high else f"{brief(span.least)} to {brief(span.most)}"


def _ends(span: Span, digits: int) -> str:
    low, high = brief(span.low, digits), brief(span.high, digits)
    return low if low == high else f"{low} to {high}"
