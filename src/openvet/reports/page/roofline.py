"""The roofline of a model on a device: what reading memory allows, what computing allows, and where its two kinds of work lie below that.

Both axes are logarithmic: operations for each byte that is read, and operations in a second. To make a token reads all weights for few
operations and lies on the slope; to read a prompt shares one reading among all its tokens and lies farther right.

Source: Williams, Waterman, Patterson, "Roofline: an insightful visual performance model", CACM 52(4), 2009.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, log10
from typing import Final

from openvet.profile.fit import Fit
from openvet.profile.needs import cache_bytes, prompt_flop, token_flop
from openvet.reports._text import visible
from openvet.reports.fit import rate
from openvet.reports.markup import Html, figure, lines, tag

__all__ = ["roofline"]

_WIDTH: Final = 640
_HEIGHT: Final = 260
_LEFT: Final = 88
_RIGHT: Final = 24
_TOP: Final = 20
_BOTTOM: Final = 40
_UNITS: Final = ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k"), (0, ""))


def roofline(id_: str, fit: Fit) -> Html | None:
    """The drawing, or nothing where bandwidth, peak or work is not known. ``id_`` is unique on the page."""
    peak = _peak(fit)
    if peak is None or fit.device.nominal is None:
        return None
    points = list(_points(fit))
    if not points:
        return None
    slope = log10(fit.device.nominal.high)
    bend = log10(peak) - slope
    first = floor(min(bend - 1, *(x for _, x, _ in points)))
    last = ceil(max(bend + 1, *(x for _, x, _ in points)))
    top = ceil(log10(peak) + 0.15)
    low = floor(min(slope + first, *(y for _, _, y in points)))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)
        return _LEFT + across, _HEIGHT - _BOTTOM - (y - low) / (top - low) * (_HEIGHT - _TOP - _BOTTOM)

    name = f"Roofline on {visible(fit.device.name)}"
    said = "; ".join(f"{word}: {_number(10**x)} operations a byte" for word, x, _ in points)
    drawn = [tag("title", name, id=f"{id_}-t"), tag("desc", f"{said}.", id=f"{id_}-d")]
    for power in range(low, top + 1, max(1, (top - low) // 5)):
        x, y = place(first, power)
        drawn.append(tag("line", class_="grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}"))
        drawn.append(tag("text", f"{_number(10.0**power)}FLOP/s", class_="y", x=_LEFT - 8, y=f"{y:.1f}", dy="0.32em"))
    start = max(first, low - slope)
    roof = [(start, slope + start), (bend, log10(peak)), (last, log10(peak))]
    drawn.append(tag("polyline", class_="line", points=" ".join("{:.1f},{:.1f}".format(*place(*each)) for each in roof)))  # fmt: skip
    for word, x, y in points:
        left, down = place(x, y)
        right = left > _WIDTH * 0.6
        drawn.append(tag("circle", class_="spot", cx=f"{left:.1f}", cy=f"{down:.1f}", r=5))
        drawn.append(tag("text", word, class_="end" if right else None, x=f"{left + (-9 if right else 9):.1f}", y=f"{down + 16:.1f}"))  # fmt: skip
    for power in range(first, last + 1, max(1, (last - first) // 6)):
        left, _ = place(power, low)
        drawn.append(tag("text", _number(10.0**power), class_="x", text_anchor="middle", x=f"{left:.1f}", y=_HEIGHT - 22))  # fmt: skip
    drawn.append(tag("text", "operations for each byte that is read", class_="x end", x=_WIDTH - _RIGHT, y=_HEIGHT - 6))
    return figure(
        tag("svg", Html("\n"), lines(*drawn), Html("\n"), viewBox=f"0 0 {_WIDTH} {_HEIGHT}", width=_WIDTH, role="img", aria_labelledby=f"{id_}-t {id_}-d"),
        f"{name}: nothing is faster than the line, by the figures of its maker.",
    )  # fmt: skip


def _peak(fit: Fit) -> Fraction | None:
    speed = fit.prefill or fit.decode
    found = None if speed is None else fit.device.peak.get(speed.dtype)
    return None if found is None else found.high


def _points(fit: Fit) -> Iterator[tuple[str, float, float]]:
    """A kind of work, its operations for each byte, and how many in a second at best; both by their logarithms."""
    needs, work = fit.needs, fit.work
    if fit.decode is not None:
        size = needs.read_bytes + work.batch * cache_bytes(needs.caches, work.context, work.bits)
        flop = work.batch * token_flop(needs, work.context)
        if size and flop:
            yield f"decode, {rate(fit.decode.best)} tokens/s", log10(flop / size), log10(flop / fit.decode.seconds)
    if fit.prefill is not None:
        flop = work.batch * prompt_flop(needs, max(1, work.context))
        if needs.read_bytes and flop:
            yield f"prompt, {rate(fit.prefill.best)} tokens/s", log10(flop / needs.read_bytes), log10(flop / fit.prefill.seconds)  # fmt: skip


def _number(value: float) -> str:
    power = floor(log10(value) + 1e-9) if value > 0 else 0
    for unit, letter in _UNITS:
        if power >= unit:
            return f"{value / 10**unit:.3g} {letter}".rstrip() if not letter else f"{value / 10**unit:.3g} {letter}"
    return f"{value:.3g}"
