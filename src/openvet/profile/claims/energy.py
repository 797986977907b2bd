"""Energy, emissions and cost of a run, from the hours of its chips.

Power is never taken to be the thermal design power: where the load is not stated it is a band. Ai2 saw a training swing between 15
and 85 % of its chips' most (arXiv 2503.05804).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from openvet.profile.claims.sheet import PRODUCT_ROOM, Sheet
from openvet.profile.claims.span import Span, point, spread

__all__ = ["LOAD", "PUE", "compute_energy"]

#: Mean power through thermal design power, where it is not stated.
LOAD: Final = spread(Fraction(6, 10), Fraction(1), Fraction(15, 100), Fraction(1))
#: Power usage effectiveness, where it is not stated: from the best halls of chips to the mean of all data centres.
PUE: Final = spread(Fraction(105, 100), Fraction(16, 10), Fraction(1), Fraction(2))
_WH_IN_MWH: Final = 10**6
#: g/kWh times MWh is kg.
_KG_IN_TONNE: Final = 1000


def compute_energy(sheet: Sheet) -> None:
    """Energy, emissions and cost, as far as the inputs go."""
    hours = sheet.one_of("training.all_chip_hours", "training.chip_hours")
    energy = _energy(sheet, hours)
    _emissions(sheet, energy)
    price = sheet.get("training.usd_per_chip_hour")
    if sheet.needs("cost_usd", training__chip_hours=hours, training__usd_per_chip_hour=price) and hours and price:
        sheet.put(
            "cost_usd", "USD", hours * price, f"{_hours(sheet)} x usd_per_chip_hour", hours, price, room=PRODUCT_ROOM
        )


def _hours(sheet: Sheet) -> str:
    return "all_chip_hours" if sheet.get("training.all_chip_hours") is not None else "chip_hours"


def _energy(sheet: Sheet, hours: Span | None) -> Span | None:
    watts, chip = sheet.get("training.chip_watts"), sheet.inputs.chip
    if watts is None and hours is not None and chip is not None and chip.watts is not None:
        watts = point(chip.watts)
        sheet.of_chip["chip.watts", "W"] = chip.watts
        sheet.assume(f"training.chip_watts is not stated: the thermal design power of {chip.name} is taken")
    if not sheet.needs("energy_mwh", training__chip_hours=hours, training__chip_watts=watts):
        return None
    if hours is None or watts is None:
        raise AssertionError("needs says that they are there")
    load = sheet.band("training.load", LOAD, "power is rarely the most that a chip may draw")
    pue = sheet.band("training.pue", PUE, "the data centre's own use")
    energy = hours * watts * load * pue / point(_WH_IN_MWH)
    formula = f"{_hours(sheet)} x chip_watts x load x pue"
    sheet.put("energy_mwh", "MWh", energy, formula, hours, watts, load, pue, room=PRODUCT_ROOM)
    return energy


def _emissions(sheet: Sheet, energy: Span | None) -> None:
    grams, of = sheet.get("training.grams_per_kwh"), "energy"
    if energy is None:
        energy, of = sheet.get("published.energy_mwh"), "the published energy"
    if not sheet.needs("co2e_tonnes", training__grams_per_kwh=grams, training__chip_hours=energy):
        return
    if grams is None or energy is None:
        raise AssertionError("needs says that they are there")
    basis = sheet.word("training.carbon_basis")
    if not basis:
        sheet.assume(
            "training.carbon_basis is not stated: whether the carbon intensity is the grid's (location) or of what was bought (market) is not known"
        )
    formula = f"{of} x grams_per_kwh" + (f" ({basis} based)" if basis else "")
    sheet.put("co2e_tonnes", "tCO2e", energy * grams / point(_KG_IN_TONNE), formula, energy, grams, room=PRODUCT_ROOM)
