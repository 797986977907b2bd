"""Three-way verdicts: is a published figure what follows from the other inputs, is it impossible, or can nobody tell."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import STATED_DIGITS, brief, number_text
from openvet.evidence.predicates.claims_v1 import VERDICTS, Judgement
from openvet.profile.claims.inputs import Stated
from openvet.profile.claims.keys import published_keys
from openvet.profile.claims.sheet import Computed, Sheet
from openvet.profile.claims.span import Span
from openvet.profile.claims.training import OVER_HOURS

__all__ = ["LARGEST_MFU", "SMALLEST_MFU", "judge"]

_CONSISTENT, _CANNOT_TELL, _INCONSISTENT = VERDICTS
#: Beyond these no dense training is known to have stayed over all its hours, and hours and work do not belong together.
LARGEST_MFU: Final = Fraction(75, 100)
SMALLEST_MFU: Final = Fraction(5, 100)
#: Where dense training in bf16 is usually found.
_USUAL: Final = (Fraction(15, 100), Fraction(55, 100))
#: What is counted exactly is published rounded.
_ROUNDING: Final = (Fraction(1, 100), Fraction(1, 20))

#: What may explain a figure that the stated inputs do not give.
_HINTS: Final = {
    "training_flop": "authors count differently what is computed again, attention, and tokens that are seen more than once",
    "mfu": "a published utilisation is often of the running steps, while hours have restarts, evaluation and failed steps in them",
    "utilisation": "a stated utilisation is often of the running steps, while hours have restarts, evaluation and failed steps in them",
    "energy_mwh": "the load and the data centre's own use may be others",
    "co2e_tonnes": "the carbon intensity may be that of another place or time",
    "cost_usd": "the price of an hour may be another, or the cost of more than these hours",
}


@dataclass(frozen=True, slots=True)
class _Opinion:
    verdict: str
    reason: str
    formula: str


def judge(sheets: Sequence[tuple[str, Sheet]]) -> tuple[Judgement, ...]:
    """Every published figure under every reading, and the hours of the chips against the work that they would have done."""
    found = []
    for key in published_keys():
        stated = sheets[0][1].inputs.stated.get(key.name)
        if stated is not None:
            found.append(_figure(key.leaf, key.unit, stated, key.leaf, sheets))
    share = sheets[0][1].inputs.stated.get("training.utilisation")
    if share is not None and all("training_flop_by_hardware" in sheet.results for _, sheet in sheets):
        found.append(_figure("utilisation", "", share, "mfu", sheets))
    speed = sheets[0][1].inputs.stated.get("training.flop_per_second")
    if speed is not None:
        beyond = [(name, each) for name, sheet in sheets if (each := _beyond_peak(sheet)) is not None]
        if beyond:
            found.append(_merged("flop_per_second", "FLOP/s", speed, beyond))
    hours = sheets[0][1].inputs.stated.get("training.chip_hours")
    if hours is not None:
        opinions = [(name, _plausible(sheet)) for name, sheet in sheets]
        told = [(name, each) for name, each in opinions if each is not None]
        if told:
            found.append(_merged("chip_hours", "chip-hour", hours, told))
    return tuple(found)


def _figure(figure: str, unit: str, stated: Stated, quantity: str, sheets: Sequence[tuple[str, Sheet]]) -> Judgement:
    low, high = _ends(stated)
    opinions = []
    for name, sheet in sheets:
        result = sheet.results.get(quantity)
        if result is None:
            opinions.append((name, _unknown(figure, low, high, sheet)))
        else:
            opinions.append((name, _compared(figure, unit, low, high, result, sheet)))
    return _merged(figure, unit, stated, opinions)


def _ends(stated: Stated) -> tuple[Fraction, Fraction]:
    if stated.low is not None and stated.high is not None:
        return stated.low, stated.high
    if stated.value is None:
        raise AssertionError("a number has a value or a band")
    return stated.value, stated.value


def _merged(figure: str, unit: str, stated: Stated, opinions: Sequence[tuple[str, _Opinion]]) -> Judgement:
    """One verdict where all readings agree, else none."""
    low, high = _ends(stated)
    verdicts = {each.verdict for _, each in opinions}
    reasons = dict.fromkeys(each.reason for _, each in opinions)
    if len(verdicts) == 1:
        verdict = verdicts.pop()
        reason = (
            next(iter(reasons))
            if len(reasons) == 1
            else "; ".join(f"with {name}: {each.reason}" for name, each in opinions)
        )
    else:
        verdict = _CANNOT_TELL
        told = "; ".join(f"with {name} {each.verdict.replace('-', ' ')}: {each.reason}" for name, each in opinions)
        reason = f"it depends on how the inputs are read: {told}"
    return Judgement(figure, unit, number_text(low), number_text(high), verdict, reason, opinions[0][1].formula)


def _compared(figure: str, unit: str, low: Fraction, high: Fraction, result: Computed, sheet: Sheet) -> _Opinion:
    span = result.span
    if span.low == span.high:
        rounding = span.widened(*_ROUNDING)
        span = Span(span.value, rounding.low, rounding.high, rounding.least, rounding.most)
    given = (
        f"{brief(low, STATED_DIGITS)} {unit}"
        if low == high
        else f"{brief(low, STATED_DIGITS)} to {brief(high, STATED_DIGITS)} {unit}"
    )
    given = given.rstrip()
    follows = (
        _amount(span.value, unit) if span.value is not None else f"{brief(span.low)} to {_amount(span.high, unit)}"
    )
    ratio = f", {brief(low / span.value, 3)} times that" if span.value is not None and low == high else ""
    if _agrees(low, high, span):
        also = "" if span.value is None else f" (with its room {brief(span.low)} to {brief(span.high)})"
        speed = ""
        if figure == "mfu" and "training.flop_per_second" in sheet.inputs.stated and OVER_HOURS not in sheet.results:
            speed = "; this is a speed, and says nothing about hours or cost"
        return _Opinion(_CONSISTENT, f"{given} is published, and {follows} follows{also}{ratio}{speed}", result.formula)
    if high < span.least or low > span.most:
        reason = f"{given} is published, but {follows} follows{ratio}; all that is possible is {brief(span.least)} to {brief(span.most)}"
        return _Opinion(_INCONSISTENT, reason, result.formula)
    hint = _HINTS.get(figure)
    reason = (
        f"{given} is published, and {follows} follows{ratio}; that is beyond {brief(span.low)} to {brief(span.high)}, but within "
        f"what is possible, {brief(span.least)} to {brief(span.most)}{': ' + hint if hint else ''}"
    )
    return _Opinion(_CANNOT_TELL, reason, result.formula)


def _agrees(low: Fraction, high: Fraction, span: Span) -> bool:
    """Whether a figure lies in what follows; a published band does that whole, or has what follows in it."""
    if span.value is None:
        return low <= span.high and high >= span.low
    return (span.low <= low and high <= span.high) or low <= span.value <= high


def _amount(value: Fraction, unit: str) -> str:
    return f"{brief(value)} {unit}".rstrip()


def _unknown(figure: str, low: Fraction, high: Fraction, sheet: Sheet) -> _Opinion:
    missing = ", ".join(sheet.missing.get(figure, ())) or "what it would follow from"
    return _Opinion(_CANNOT_TELL, f"not stated: {missing}{_implied(figure, (low + high) / 2, sheet)}", "")


def _implied(figure: str, value: Fraction, sheet: Sheet) -> str:
    """What the published figures would mean for what is missing."""
    hours = sheet.one_of("training.all_chip_hours", "training.chip_hours")
    energy = sheet.get("published.energy_mwh")
    if figure == "energy_mwh" and hours and hours.value:
        return f"; the figure would mean {brief(value * 10**6 / hours.value)} W for a chip, the data centre's own use included"
    if figure == "co2e_tonnes" and energy and energy.value:
        return f"; with the published energy the figure would mean {brief(value * 1000 / energy.value)} gCO2e/kWh"
    if figure == "co2e_tonnes" and (follows := sheet.results.get("energy_mwh")) is not None:
        return f"; with the energy that follows the figure would mean {_grams(value, follows.span)} gCO2e/kWh"
    if figure == "cost_usd" and hours and hours.value:
        return f"; the figure would mean {brief(value / hours.value)} USD for an hour of a chip"
    return ""


def _grams(tonnes: Fraction, energy: Span) -> str:
    """Grams for a kWh that make so many tonnes of an energy in MWh: a number, or a band where the energy is one."""
    kilograms = tonnes * 1000
    if energy.value is not None:
        return brief(kilograms / energy.value)
    return f"{brief(kilograms / energy.high)} to {brief(kilograms / energy.low)}"


def _plausible(sheet: Sheet) -> _Opinion | None:
    """The hours against the work: no training keeps its chips above three quarters of their peak, nor needs them below a twentieth."""
    result = sheet.results.get(OVER_HOURS) or sheet.results.get("mfu")
    if result is None or "chip_hours" not in result.formula:
        return None
    share = result.span.value
    low, high = (result.span.low, result.span.high) if share is None else (share, share)
    told = f"{_percent(low)} %" if low == high else f"{_percent(low)} to {_percent(high)} %"
    if low > LARGEST_MFU:
        return _Opinion(_INCONSISTENT, f"the work would need {told} of the chips' peak in all these hours, and above {_percent(LARGEST_MFU)} % no training is known to stay", result.formula)  # fmt: skip
    if high < SMALLEST_MFU:
        return _Opinion(_INCONSISTENT, f"the work would need {told} of the chips' peak in all these hours, less than the {_percent(SMALLEST_MFU)} % of the least efficient training", result.formula)  # fmt: skip
    if _USUAL[0] <= low and high <= _USUAL[1]:
        return _Opinion(_CONSISTENT, f"the work needs {told} of the chips' peak in all these hours; {_percent(_USUAL[0])} to {_percent(_USUAL[1])} % is usual", result.formula)  # fmt: skip
    return _Opinion(_CANNOT_TELL, f"the work needs {told} of the chips' peak in all these hours, which is unusual ({_percent(_USUAL[0])} to {_percent(_USUAL[1])} %) and not impossible", result.formula)  # fmt: skip


def _beyond_peak(sheet: Sheet) -> _Opinion | None:
    """A measured speed above the chip's peak is none; one below says nothing by itself."""
    result = sheet.results.get("mfu")
    if result is None or "flop_per_second" not in result.formula or (result.span.value or result.span.low) <= 1:
        return None
    told = _percent(result.span.value or result.span.low)
    return _Opinion(_INCONSISTENT, f"the speed is {told} % of the chip's dense peak for this dtype", result.formula)


def _percent(share: Fraction) -> str:
    return brief(share * 100, 3)
