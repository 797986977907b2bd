"""What running a model costs beside paying for an API: from stated prices, traffic and utilisation, in bands.

::

    hardware            = price_per_hour x count x hours
    API, a request      = (tokens_cached x api_price_cached + tokens_in x api_price_in + tokens_out x api_price_out) / 1000000
    break-even requests = hardware / API, a request
    capacity            = requests/s of a copy x 3600 x hours x count / devices_per_copy
    break-even utilisation = break-even requests / capacity
    own, a request      = hardware / (capacity x utilisation)

How many requests a copy serves in a second is stated (``tokens_per_second``), or follows from the bounds of :mod:`openvet.profile.fit`:
then what programs were seen to reach is the band, and the bound at best is only what is possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import brief, number_text
from openvet.profile.claims.span import Span, point
from openvet.profile.cost_inputs import KEYS
from openvet.profile.device import Device
from openvet.profile.fit import Fit, fit
from openvet.profile.needs import Needs, Workload

__all__ = ["NOT_COUNTED", "VERDICTS", "Cost", "Quantity", "compute_cost"]

VERDICTS: Final = ("run-it", "pay-for-it", "cannot-tell", "no-room", "too-much-traffic")
NOT_COUNTED: Final = (
    "people, networks, storage, standby, failures and development",
    "whether the API's model is as good as this one, and whether its prices last",
)


_MILLION: Final = 10**6
_MOST_TOKENS: Final = 10**9
_INPUT: Final = ("tokens_cached", "tokens_in")
_ALL: Final = (*_INPUT, "tokens_out")
_DEFAULTS: Final[Mapping[str, Fraction]] = {
    "devices_per_copy": Fraction(1),
    "hours": Fraction(730),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One result: what the inputs give (``low`` to ``high`` of the span) and what is possible (``least`` to ``most``)."""

    name: str
    unit: str
    span: Span
    formula: str

    def to_json(self) -> dict[str, Any]:
        return {
            "quantity": self.name,
            "unit": self.unit,
            "value": None if self.span.value is None else number_text(self.span.value),
            "low": number_text(self.span.low),
            "high": number_text(self.span.high),
            "least": number_text(self.span.least),
            "most": number_text(self.span.most),
            "formula": self.formula,
        }


@dataclass(frozen=True, slots=True)
class Cost:
    """What came out.

    Attributes:
        verdict: one of :data:`VERDICTS`.
        reason: why, in words.
        stated: the inputs, defaults among them.
        results: in the order in which they follow from each other.
        assumptions: what was taken, in words.
        fit: of the model on the device, where both are known.
    """

    verdict: str
    reason: str
    stated: Mapping[str, Span]
    results: tuple[Quantity, ...]
    assumptions: tuple[str, ...]
    fit: Fit | None

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "inputs": [
                {"key": key, "unit": KEYS[key].unit, "low": number_text(each.low), "high": number_text(each.high)}
                for key, each in self.stated.items()
            ],
            "results": [each.to_json() for each in self.results],
            "assumptions": list(self.assumptions),
            "not_counted": list(NOT_COUNTED),
            "fit": None if self.fit is None else self.fit.to_json(),
        }


def compute_cost(
    stated: Mapping[str, Span], needs: Needs | None, device: Device | None, batch: int, cache_type: str
) -> Cost:
    """Everything that follows.

    Args:
        stated: as from :func:`~openvet.profile.cost_inputs.take_cost_inputs`.
        needs, device: of the model and what it runs on, where they are known.
        batch: sequences that a copy works on at once.
        cache_type: of the numbers in the cache.
    """
    given = {**{name: point(value) for name, value in _DEFAULTS.items()}, **stated}
    given.setdefault("count", given["devices_per_copy"])
    sheet = _Sheet()
    hardware = given["price_per_hour"] * given["count"] * given["hours"]
    sheet.put("hardware", "USD", hardware, "price_per_hour x count x hours")
    api, tokens = _api(given, sheet)
    even = sheet.put("break_even_requests", "request", hardware / api, "hardware / api_request")
    sheet.put("break_even_tokens", "token", even * tokens, "break_even_requests x tokens of a request")
    found = start = None
    if needs is not None and device is not None:
        joined = _joined(device, int(given["devices_per_copy"].low))
        found = fit(needs, joined, Workload(_context(given, _ALL), batch, cache_type))
        start = fit(needs, joined, Workload(_context(given, _INPUT), batch, cache_type))
    rate = _rate(given, found, start, batch, sheet)
    if rate is not None:
        copies = given["count"] / given["devices_per_copy"]
        capacity = sheet.put("capacity_requests", "request", rate * point(3600) * given["hours"] * copies, "requests/s of a copy x 3600 x hours x count / devices_per_copy")  # fmt: skip
        sheet.put("break_even_utilisation", "", even / capacity, "break_even_requests / capacity_requests")
        if "utilisation" in given:
            own = sheet.put("own_request", "USD", hardware / (capacity * given["utilisation"]), "hardware / (capacity_requests x utilisation)")  # fmt: skip
            sheet.put(
                "own_million_out",
                "USD",
                own * point(_MILLION) / given["tokens_out"],
                "own_request x 1000000 / tokens_out",
            )
    if "requests" in given:
        total = sheet.put("api", "USD", api * given["requests"], "api_request x requests")
        sheet.put("api_over_hardware", "", total / hardware, "api / hardware")
    verdict, reason = _verdict(sheet, given, found)
    return Cost(verdict, reason, given, tuple(sheet.results.values()), tuple(sheet.assumptions), found)


class _Sheet:
    def __init__(self) -> None:
        self.results: dict[str, Quantity] = {}
        self.assumptions: list[str] = []

    def put(self, name: str, unit: str, span: Span, formula: str) -> Span:
        self.results[name] = Quantity(name, unit, span, formula)
        return span

    def span(self, name: str) -> Span | None:
        found = self.results.get(name)
        return None if found is None else found.span


def _api(given: Mapping[str, Span], sheet: _Sheet) -> tuple[Span, Span]:
    """What a request costs there, and how many tokens it has."""
    if "tokens_cached" in given and "api_price_cached" not in given:
        sheet.assumptions.append("api_price_cached is not stated: that of fresh input is taken")
    parts, formula, tokens = [], [], []
    for kind in ("cached", "in", "out"):
        if f"tokens_{kind}" in given:
            price = f"api_price_{kind}" if f"api_price_{kind}" in given else "api_price_in"
            parts.append(given[f"tokens_{kind}"] * given[price] / point(_MILLION))
            tokens.append(given[f"tokens_{kind}"])
            formula.append(f"tokens_{kind} x {price}")
    total, count = parts[0], tokens[0]
    for part, each in zip(parts[1:], tokens[1:], strict=True):
        total, count = total.plus(part), count.plus(each)
    return sheet.put("api_request", "USD", total, f"({' + '.join(formula)}) / 1000000"), count


def _context(given: Mapping[str, Span], kinds: tuple[str, ...]) -> int:
    """Tokens of a request of these kinds, together."""
    return max(1, min(_MOST_TOKENS, int(sum(given[kind].high for kind in kinds if kind in given))))


def _joined(device: Device, count: int) -> Device:
    """``count`` devices as one: nothing is lost between them, at best."""
    if count == 1:
        return device

    def times(each: Any) -> Any:
        return None if each is None else replace(each, low=each.low * count, high=each.high * count)

    return replace(
        device,
        name=f"{count:,} x {device.name}",
        memory=device.memory * count,
        sizes=(device.memory * count,),
        usable=times(device.usable),
        usable_by_size={},
        nominal=times(device.nominal),
        achieved=times(device.achieved),
        peak={dtype: times(each) for dtype, each in device.peak.items()},
    )


def _rate(given: Mapping[str, Span], found: Fit | None, start: Fit | None, batch: int, sheet: _Sheet) -> Span | None:
    """Requests/s of one copy: as stated, or by the bounds.

    Args:
        found, start: at the full length of a request, and at that of its input: answers are made between the two.
    """
    name = "copy_requests_per_second"
    out = given["tokens_out"]
    if "tokens_per_second" in given:
        return sheet.put(name, "1/s", given["tokens_per_second"] / out, "tokens_per_second / tokens_out")
    if found is None or start is None or found.decode is None or start.decode is None:
        return None
    fresh = given.get("tokens_in")
    sheet.assumptions.append(
        f"a copy works on {batch:,} request{'' if batch == 1 else 's'} at once; the band is what programs were seen to reach at a request's full length, and nothing was measured"
    )
    if found.prefill is None and fresh is not None:
        sheet.assumptions.append(
            "reading the input is not counted, since it is not known how long that takes: the capacity is less than that"
        )
    least, most = (None, None) if fresh is None else (fresh.low, fresh.high)
    slow, fast, best = (
        (None, None, None) if found.prefill is None else (found.prefill.low, found.prefill.high, found.prefill.best)
    )
    if start.prefill is not None and best is not None:
        best = max(best, start.prefill.best)
    ends = [
        _requests(out.high, most, found.decode.low, slow),
        _requests(out.low, least, found.decode.high, fast),
        _requests(out.low, least, start.decode.best, best),
    ]
    span = Span(None, ends[0], max(ends[:2]), ends[0], max(ends))
    return sheet.put(name, "1/s", span, "1 / (tokens_out / decode + tokens_in / prefill)")


def _requests(out: Fraction, fresh: Fraction | None, decode: Fraction, prefill: Fraction | None) -> Fraction:
    seconds = out / decode
    return 1 / (seconds if fresh is None or prefill is None else seconds + fresh / prefill)


def _verdict(sheet: _Sheet, given: Mapping[str, Span], found: Fit | None) -> tuple[str, str]:
    hardware, request = sheet.results["hardware"].span, sheet.results["api_request"].span
    even, capacity, own = (
        sheet.results["break_even_requests"].span,
        sheet.span("capacity_requests"),
        sheet.span("own_request"),
    )
    if found is not None and found.fits == "no":
        return "no-room", f"a copy needs {brief(Fraction(found.missing_bytes, 10**9))} GB of memory more than there is; devices_per_copy puts it on several"  # fmt: skip
    if "requests" in given:
        asked, total = given["requests"], sheet.results["api"].span
        if capacity is not None and asked.low > capacity.most:
            return (
                "too-much-traffic",
                f"{brief(asked.low)} requests are asked for, and the hardware serves {_ends(capacity)} at most",
            )
        if total.low > hardware.high:
            unsure = capacity is not None and asked.high > capacity.low
            if unsure and capacity is not None:
                return "cannot-tell", f"running costs less ({_ends(hardware)} USD, not {_ends(total)}) if the hardware serves all requests, of which it may serve {_ends(capacity)}"  # fmt: skip
            return "run-it", f"running costs {_ends(hardware)} USD, and the API {_ends(total)} USD"
        if total.high < hardware.low:
            return "pay-for-it", f"the API costs {_ends(total)} USD, and running {_ends(hardware)} USD"
        return "cannot-tell", f"the API costs {_ends(total)} USD and running {_ends(hardware)} USD: the bands meet"
    if capacity is not None and even.low > capacity.most:
        return (
            "pay-for-it",
            f"running would cost less from {_ends(even)} requests on, and the hardware serves {_ends(capacity)}",
        )
    if own is not None:
        if own.most < request.low:
            return "run-it", f"a request costs {_ends(own)} USD, and {_ends(request)} USD at the API"
        if own.least > request.high:
            return "pay-for-it", f"a request costs {_ends(request)} USD at the API, and {_ends(own)} USD here"
        return (
            "cannot-tell",
            f"a request costs {_ends(own)} USD here and {_ends(request)} USD at the API: the bands meet",
        )
    return "cannot-tell", f"it depends on the traffic: running costs less from {_ends(even)} requests on"


def _ends(span: Span) -> str:
    return brief(span.low) if span.low == span.high else f"{brief(span.low)} to {brief(span.high)}"
