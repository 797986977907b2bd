"""What somebody states for ``openvet cost``, taken strictly: every number above zero, a share at most 1, a band the right way round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import brief, exact, plain_spelling
from openvet.core.text import printable
from openvet.profile.claims.span import Span, point

__all__ = ["KEYS", "Key", "take_cost_inputs"]

#: Called with the key and what is wrong there.
Problem = Callable[[tuple[str | int, ...], str], None]


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be stated: ``kind`` is ``number`` (above zero), ``count`` (a whole one) or ``share`` (above 0, at most 1)."""

    name: str
    kind: str
    unit: str
    text: str


KEYS: Final[Mapping[str, Key]] = {
    each.name: each
    for each in (
        Key("price_per_hour", "number", "USD", "Price of an hour of one device, in USD."),
        Key("count", "number", "", "Devices. Default: those of one copy."),
        Key("devices_per_copy", "count", "", "Devices that hold one copy of the model together. Default: 1."),
        Key("hours", "number", "h", "Hours that are paid for: 24 for a day. Default: 730, a month."),
        Key("utilisation", "share", "", "Share of its capacity that the hardware is busy with requests, such as 0.3."),
        Key("tokens_per_second", "number", "token/s", "Output of one copy, as measured; else it follows from the device's bounds."),
        Key("requests", "number", "", "Requests in these hours."),
        Key("tokens_in", "number", "token", "Fresh input of a request."),
        Key("tokens_cached", "number", "token", "Input of a request that the cache has."),
        Key("tokens_out", "number", "token", "Output of a request."),
        Key("api_price_in", "number", "USD", "The API's price for a million tokens of fresh input."),
        Key("api_price_cached", "number", "USD", "The API's price for a million tokens of input from its cache. Default: that of fresh input."),
        Key("api_price_out", "number", "USD", "The API's price for a million tokens of output."),
        Key("parameters", "count", "", "In place of a MODEL: parameters that work on each token."),
        Key("bits", "number", "", "With --parameters: bits of a weight. Default: 16."),
    )
}  # fmt: skip


def take_cost_inputs(document: Mapping[str, Any], problem: Problem) -> dict[str, Span]:
    """What is stated, strictly; whatever is wrong is given to ``problem``, and the result is then good for nothing."""
    out = {}
    for name, value in document.items():
        key = KEYS.get(name)
        if key is None:
            problem((name,), f"unknown key {printable(str(name))[:100]!r}; it may be {', '.join(KEYS)}")
            continue
        span = _span(key, value, problem)
        if span is not None:
            out[name] = span
    for name, others in (("price_per_hour", ""), ("tokens_out", ""), ("api_price_out", "")):
        if name not in document:
            problem((), f"{name} is not stated{others}")
    if "tokens_in" in out and "api_price_in" not in document:
        problem(("tokens_in",), "tokens_in has no api_price_in")
    if "tokens_cached" in out and not {"api_price_cached", "api_price_in"} & set(document):
        problem(("tokens_cached",), "tokens_cached has neither api_price_cached nor api_price_in")
    if "count" in out and "devices_per_copy" in out and out["count"].high < out["devices_per_copy"].low:
        problem(("devices_per_copy",), "devices_per_copy are more than count")
    if "bits" in out and "parameters" not in document:
        problem(("bits",), "bits belong to parameters")
    return out


def _span(key: Key, value: Any, problem: Problem) -> Span | None:
    if isinstance(value, Mapping):
        if set(value) != {"low", "high"}:
            problem((key.name,), f"{key.name} must be a number, or have low and high")
            return None
        low, high = (_number(key, value[name], (key.name, name), problem) for name in ("low", "high"))
    else:
        low = high = _number(key, value, (key.name,), problem)
    if low is None or high is None:
        return None
    if low > high:
        problem((key.name,), f"{key.name} must have low <= high")
        return None
    return point(low) if low == high else Span(None, low, high, low, high)


def _number(key: Key, value: Any, at: tuple[str | int, ...], problem: Problem) -> Fraction | None:
    found = exact(value)
    must = {
        "number": "a number above zero",
        "count": "a whole number above zero",
        "share": "a share above 0 and at most 1",
    }[key.kind]
    fits = found is not None and found > 0
    if found is not None and fits:
        fits = found <= 1 if key.kind == "share" else found.denominator == 1 if key.kind == "count" else True
        if key.kind == "share" and 1 < found <= 100:
            must += ", such as 0.3 for 30 %"
    if found is None or not fits:
        unit = f" ({key.unit})" if key.unit else ""
        shown = brief(found) if found is not None else repr(printable(str(value)[:60]))
        advice = plain_spelling(value) if isinstance(value, str) else ""
        problem(at, f"{key.name} must be {must}{unit}, not {shown}{advice}")
        return None
    return found
