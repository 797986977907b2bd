"""Claims as text for a person: what was published, what follows, and what was assumed on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from textwrap import wrap
from typing import Final

from openvet.core.quantity import STATED_DIGITS, brief
from openvet.evidence.predicates.claims_v1 import Claims, Input, Judgement, Result
from openvet.reports._text import columns, visible
from openvet.reports.look import PLAIN, Look

__all__ = ["compose"]

_COLOURS: Final = {"consistent": "green", "cannot-tell": "yellow", "inconsistent": "red"}
_WORDS: Final = {"consistent": "consistent", "cannot-tell": "cannot tell", "inconsistent": "inconsistent"}
_GAP: Final = "  "


def compose(claims: Claims, look: Look = PLAIN) -> str:
    """The whole report; the same claims give the same text."""
    return "".join(f"{look.finish(line)}\n" for line in _lines(claims, look))


def _lines(claims: Claims, look: Look) -> Iterator[str]:
    verdict = claims.verdict
    told = "no published figure was given" if verdict is None else _WORDS[verdict]
    yield f"{look.paint(visible(claims.name), 'bold')}: {look.paint(told, *_styles(verdict), 'bold')}"
    if claims.judgements:
        yield ""
        yield from _judged(claims, look)
    if claims.results:
        yield ""
        yield look.paint("What follows from what is stated", "bold")
        yield from _results(claims.results, look)
    for title, texts in (("Assumed, since it is not stated", claims.assumptions), ("Notes", claims.notes)):
        if texts:
            yield ""
            yield look.paint(title, "bold")
            for each in texts:
                yield from _wrapped(visible(each), look, "  ")
    if claims.inputs:
        yield ""
        yield look.paint("Stated", "bold")
        yield from _stated(claims.inputs, look)


def _styles(verdict: str | None) -> tuple[str, ...]:
    return () if verdict is None else (_COLOURS[verdict],)


def _judged(claims: Claims, look: Look) -> Iterator[str]:
    follows = {each.quantity: each.value for each in claims.results if each.value is not None and not each.reading}
    rows = [("figure", "published", "follows", "verdict")]
    rows += [
        (
            each.figure,
            _amount(each.low, each.high, each.unit),
            _brief(follows[each.figure]) if each.figure in follows else "",
            _WORDS[each.verdict],
        )
        for each in claims.judgements
    ]
    table = _table(rows)
    yield look.paint(table[0], "bold")
    for line, each in zip(table[1:], claims.judgements, strict=True):
        head = line[: len(line) - len(_WORDS[each.verdict])]
        yield ""
        yield head + look.paint(_WORDS[each.verdict], *_styles(each.verdict))
        yield from _wrapped(visible(_because(each)), look, "    ")


def _because(each: Judgement) -> str:
    return each.reason + (f" [{each.formula}]" if each.formula else "")


def _results(results: Sequence[Result], look: Look) -> Iterator[str]:
    rows = [("quantity", "value", "as stated", "possible", "unit")]
    rows += [
        (
            each.quantity,
            "" if each.value is None else _brief(each.value),
            "exact" if each.low == each.high else f"{_brief(each.low)} to {_brief(each.high)}",
            "" if each.least == each.most else f"{_brief(each.least)} to {_brief(each.most)}",
            each.unit,
        )
        for each in results
    ]
    table = _table(rows)
    yield "  " + look.paint(table[0], "dim")
    for line, each in zip(table[1:], results, strict=True):
        yield f"  {line}"
        with_ = f" (with {each.reading})" if each.reading else ""
        yield from _wrapped(visible(f"= {each.formula}: {each.numbers}{with_}"), look, "    ")


def _stated(inputs: Sequence[Input], look: Look) -> Iterator[str]:
    sources = list(dict.fromkeys(each.source for each in inputs if each.source))
    numbers = {source: f"[{number}]" for number, source in enumerate(sources, 1)}
    rows = [(visible(each.key), _input(each), numbers.get(each.source, "no source")) for each in inputs]
    yield from (f"  {line}" for line in _table(rows))
    if sources:
        yield ""
        yield look.paint("Sources", "bold")
        for source, number in numbers.items():
            yield from _wrapped(f"{number} {visible(source)}", look, "  ")


def _input(each: Input) -> str:
    if each.word is not None:
        return visible(each.word)
    if each.value is not None:
        others = "".join(f" or {_as_stated(other)}" for other in each.readings or ())
        return f"{_as_stated(each.value)}{others} {each.unit}".rstrip()
    if each.low is not None and each.high is not None:
        return _amount(each.low, each.high, each.unit)
    return ""


def _amount(low: str, high: str, unit: str) -> str:
    text = _as_stated(low) if low == high else f"{_as_stated(low)} to {_as_stated(high)}"
    return f"{text} {unit}".rstrip()


def _as_stated(text: str) -> str:
    """What somebody wrote, with all the digits that people write."""
    return brief(Fraction(text), STATED_DIGITS)


def _brief(text: str) -> str:
    return brief(Fraction(text))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(columns(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [_GAP.join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _wrapped(text: str, look: Look, indent: str) -> Iterator[str]:
    yield from wrap(text, look.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False) or [
        indent
    ]
