"""One reading of what was stated, and what has been computed from it so far."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import brief
from openvet.profile.claims.inputs import Inputs
from openvet.profile.claims.span import Span, point, spread

__all__ = ["FLOP_ROOM", "PRODUCT_ROOM", "Computed", "Sheet"]

Room = tuple[Fraction, Fraction]
#: Of an estimate of operations: as stated, and what is possible. The AI Office allows an estimate of training compute an error of
#: 30 % (guidelines on general-purpose AI models, annex); of 6·N·D against published figures the facts' table shows a tenth.
FLOP_ROOM: Final[Room] = (Fraction(1, 10), Fraction(3, 10))
#: Of a product of stated numbers: they are rounded where they are published, hours to two digits.
PRODUCT_ROOM: Final[Room] = (Fraction(1, 20), Fraction(3, 20))


@dataclass(frozen=True, slots=True)
class Computed:
    """One result: a quantity in a unit, the formula in words, and the same with the numbers put in."""

    quantity: str
    unit: str
    span: Span
    formula: str
    numbers: str


class Sheet:
    """What is stated, under one reading, and what follows.

    Args:
        inputs: what was stated.
        chosen: for each key that can be read in several ways, the one of this reading.

    Attributes:
        results: by quantity.
        missing: quantity -> the keys that it would need and that are not stated.
        assumptions: what was taken where nothing was stated, each once.
        of_chip: what was taken from the table of chips: key, unit, number.
    """

    def __init__(self, inputs: Inputs, chosen: Mapping[str, Fraction]) -> None:
        self.inputs = inputs
        self.results: dict[str, Computed] = {}
        self.missing: dict[str, tuple[str, ...]] = {}
        self.assumptions: list[str] = []
        self.of_chip: dict[tuple[str, str], Fraction] = {}
        self._chosen = chosen

    def word(self, key: str, otherwise: str = "") -> str:
        """A stated word, or ``otherwise``."""
        found = self.inputs.stated.get(key)
        return otherwise if found is None else found.word

    def get(self, key: str) -> Span | None:
        """A stated number."""
        found = self.inputs.stated.get(key)
        if found is None:
            return None
        if key in self._chosen:
            return point(self._chosen[key])
        if found.low is None or found.high is None:
            return None if found.value is None else point(found.value)
        return Span(found.value, found.low, found.high, found.low, found.high)

    def parameters(self) -> Span | None:
        """Those that work on each token: as stated, or all of them but the lookup, as a dense model has it."""
        found = self.get("model.parameters")
        if found is not None:
            return found
        total, lookup = self.get("model.total_parameters"), self.get("model.embedding_parameters")
        if total is None:
            return None
        without = "" if lookup is None else " without embedding_parameters"
        self.assume(
            f"model.parameters is not stated: total_parameters{without} are taken, all of which work on each token in a dense model"
        )
        return total if lookup is None else total.less(lookup)

    def one_of(self, *keys: str) -> Span | None:
        """The first of these that is stated."""
        return next((found for found in map(self.get, keys) if found is not None), None)

    def needs(self, quantity: str, **found: Span | None) -> bool:
        """Whether everything is there that ``quantity`` needs; what is not is remembered. Keys have ``__`` for the point."""
        missing = tuple(name.replace("__", ".") for name, each in found.items() if each is None)
        if missing:
            self.missing[quantity] = missing
        return not missing

    def assume(self, text: str) -> None:
        """Note what was taken where nothing was stated."""
        if text not in self.assumptions:
            self.assumptions.append(text)

    def put(self, quantity: str, unit: str, span: Span, formula: str, *numbers: Span, room: Room) -> Computed:
        """Keep a result, with so much room around it."""
        found = Computed(quantity, unit, span.widened(*room), formula, "; ".join(map(_shown, numbers)))
        self.results[quantity] = found
        return found

    def band(self, key: str, span: Span, text: str) -> Span:
        """What is stated for ``key``, or the band that is assumed, which is noted."""
        found = self.get(key)
        if found is not None:
            return found
        self.assume(f"{key} is not stated: {_band(span)} is taken, {_wide(span)} is possible ({text})")
        return spread(span.low, span.high, span.least, span.most)


def _shown(span: Span) -> str:
    return brief(span.value, 6) if span.value is not None else _band(span)


def _band(span: Span) -> str:
    return f"{brief(span.low)} to {brief(span.high)}"


def _wide(span: Span) -> str:
    return f"{brief(span.least)} to {brief(span.most)}"
