"""Chips with what their makers say of them: ``data/chips.toml``. What no source says is not there, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from openvet.core.dataclass import dataclass
from openvet.core.quantity import exact
from openvet.core.tables import read_table

__all__ = ["Chip", "chips"]


@dataclass(frozen=True, slots=True)
class Chip:
    """One chip.

    Attributes:
        id: as in ``training.chip``.
        name: as its maker writes it.
        peak: dtype -> dense peak, FLOP/s (operations for integers).
        watts: thermal design power in W, where it has one that is published.
        source, date: where that stands, and of when.
    """

    id: str
    name: str
    peak: Mapping[str, Fraction]
    watts: Fraction | None
    source: str
    date: str


def chips() -> dict[str, Chip]:
    """All that are known, by id."""
    return {id_: _chip(id_, each) for id_, each in read_table("chips").items()}


def _chip(id_: str, each: Mapping[str, object]) -> Chip:
    peak = each["peak_flop_per_second"]
    if not isinstance(peak, dict):
        raise TypeError(f"chips.toml: {id_} has no peaks")
    return Chip(
        id_,
        str(each["name"]),
        {dtype: _number(value) for dtype, value in peak.items()},
        None if "watts" not in each else _number(each["watts"]),
        str(each["source"]),
        str(each["date"]),
    )


def _number(value: object) -> Fraction:
    found = exact(value)
    if found is None or found <= 0:
        raise ValueError(f"chips.toml: {value!r} is no number above zero")
    return found
