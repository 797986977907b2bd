"""Does a model fit a device, and how fast can it be at best: arithmetic over a :class:`ModelPart`, no measurement.

::

    to serve   = weights + batch x cache(context)                     without activations, buffers and the runtime itself
    decode:  t >= (weights of a token + batch x cache(context)) / bandwidth,   t >= batch x FLOP of a token / peak
    prefill: t >= FLOP of all tokens / peak,                                   t >= weights of a token / bandwidth

A step takes at least the longer of the two; which one it is, is said. Programs stay below such bounds, for small models on one core by
a factor of 1.5 to 5.5, so that each speed comes with the band that programs were seen in (:class:`Efficiency`), and is no promise.

Sources: Pope et al., arXiv 2211.05102, section 3; Williams et al., Roofline, CACM 52(4), 2009.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import number_text
from openvet.profile.device import Device, Figure
from openvet.profile.needs import Needs, Workload, cache_bytes, prompt_flop, token_flop

__all__ = ["STORED_IN", "Fit", "Speed", "Stored", "fit", "room_on"]

#: What all weights would take if each of them were stored in so many bits, scales included (ggml, MX).
STORED_IN: Final = (
    ("F16, BF16", Fraction(16)), ("Q8_0", Fraction(17, 2)), ("FP8", Fraction(8)), ("Q6_K", Fraction(105, 16)), ("Q5_K", Fraction(11, 2)),
    ("Q4_K", Fraction(9, 2)), ("MXFP4", Fraction(17, 4)), ("Q3_K", Fraction(55, 16)), ("Q2_K", Fraction(21, 8)),
)  # fmt: skip
#: Of what programs can have, or of all memory where that is not known: more is tight, since activations, buffers, the runtime and the
#: system need room too.
_TIGHT_USABLE: Final = Fraction(9, 10)
_TIGHT_ALL: Final = Fraction(3, 4)
#: Tokens beyond which nobody asks, where the model's own context is not known.
_FARTHEST: Final = 2**24
#: In which of the device's types weights can be multiplied; the fastest that is known counts, since the bound is one at best.
_COMPUTED_IN: Final = {"F32": ("fp32", "tf32"), "F64": (), "BF16": ("bf16", "fp16"), "F16": ("fp16", "bf16")}
_QUANTIZED_IN: Final = ("int8", "fp8", "fp16", "bf16")
_POINTS: Final = 33


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens/s of all sequences together.

    Attributes:
        best: that nothing exceeds.
        limit: what sets it: ``bandwidth`` or ``compute``.
        low, high: where programs were seen.
        seconds: of the step, or of the whole prompt, at best.
        dtype: in which the device would multiply; '' where its peak is not known and does not count.
    """

    best: Fraction
    limit: str
    low: Fraction
    high: Fraction
    seconds: Fraction
    dtype: str

    def to_json(self) -> dict[str, str]:
        return {
            "best": number_text(self.best),
            "limit": self.limit,
            "low": number_text(self.low),
            "high": number_text(self.high),
            "seconds_at_best": number_text(self.seconds),
            "dtype": self.dtype,
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """What would be if every weight were stored in ``bits`` bits; hypothetical, since quantizers keep some weights larger."""

    name: str
    bits: Fraction
    weight_bytes: int
    serve_bytes: int
    fits: str

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "bits": number_text(self.bits),
            "weight_bytes": self.weight_bytes,
            "serve_bytes": self.serve_bytes,
            "fits": self.fits,
        }


@dataclass(frozen=True, slots=True)
class Fit:
    """One model on one device under one workload.

    Attributes:
        serve_bytes: to serve; ``needs.weight_bytes`` are those to load.
        available_bytes: that programs can have, or all memory where that is not known (``usable_known``).
        fits: ``yes``, ``tight`` or ``no``.
        missing_bytes: that it would need beside what is available.
        largest_context: tokens for which there is room, at most the model's own context; ``None`` where even the weights have none.
        largest_by: what limits that: ``memory``, ``model`` (its own context), or ``nothing`` (no cache grows, or none is known).
        decode, prefill: speeds, or ``None`` with a reason in ``unknown``.
        fitting_sizes: the sizes of memory that the device is sold with and in which it fits, in bytes.
        curve: context, bytes to serve, tokens/s at best.
    """

    device: Device
    work: Workload
    needs: Needs
    serve_bytes: int
    available_bytes: int
    usable_known: bool
    fits: str
    missing_bytes: int
    largest_context: int | None
    largest_by: str
    decode: Speed | None
    prefill: Speed | None
    unknown: tuple[str, ...]
    stored: tuple[Stored, ...]
    fitting_sizes: tuple[int, ...]
    curve: tuple[tuple[int, int, Fraction | None], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "device": self.device.to_json(),
            "workload": {"context": self.work.context, "batch": self.work.batch, "cache_type": self.work.cache_type},
            "needs": self.needs.to_json(),
            "serve_bytes": self.serve_bytes,
            "available_bytes": self.available_bytes,
            "usable_known": self.usable_known,
            "fits": self.fits,
            "missing_bytes": self.missing_bytes,
            "largest_context": self.largest_context,
            "largest_by": self.largest_by,
            "decode": None if self.decode is None else self.decode.to_json(),
            "prefill": None if self.prefill is None else self.prefill.to_json(),
            "unknown": list(self.unknown),
            "if_stored_in": [each.to_json() for each in self.stored],
            "fitting_sizes_bytes": list(self.fitting_sizes),
            "curve": [
                {"context": context, "serve_bytes": size, "decode_best": None if best is None else number_text(best)}
                for context, size, best in self.curve
            ],
        }


def fit(needs: Needs, device: Device, work: Workload) -> Fit:
    """``needs`` on ``device``."""
    serve = needs.serve_bytes(work)
    available, known, fits = room_on(device, serve)
    largest, by = _largest(needs, work, available)
    unknown = []
    decode = prefill = None
    peak = _peak(needs, device)
    if needs.multiplied is None:
        unknown.append("speed: what one token takes is not known of this model")
    elif device.nominal is None and device.achieved is None:
        unknown.append(f"speed: no bandwidth of {device.id} is known")
    else:
        if needs.decodes:
            decode = _decode(needs, device, work, peak, work.context)
        if not needs.prompted:
            unknown.append("prefill: the input passes the encoder, whose work for a token is not known")
        elif peak is None:
            unknown.append(f"prefill: of {device.id} no peak is known for {needs.dtype or 'these weights'}")
        else:
            prefill = _prefill(needs, device, work, peak)
    farthest = max(work.context, needs.context or 0, 1)
    contexts = {farthest * at // (_POINTS - 1) for at in range(_POINTS)} | {work.context}
    # where a window is full the curve has a bend
    contexts |= {each.window for each in needs.caches if each.window is not None and each.window < farthest}
    curve = tuple(
        (
            each,
            needs.serve_bytes(work, each),
            None if decode is None else _decode(needs, device, work, peak, each).best,
        )
        for each in sorted(contexts)
    )
    return Fit(
        device,
        work,
        needs,
        serve,
        available,
        known,
        fits,
        max(0, serve - available),
        largest,
        by,
        decode,
        prefill,
        tuple(unknown),
        tuple(_stored(needs, work, available, known)),
        tuple(size for size in device.sizes if room_on(device.sized(size), serve)[2] != "no"),
        curve,
    )


def room_on(device: Device, need: int) -> tuple[int, bool, str]:
    """Bytes that are available, whether those are what programs can have of the memory, and whether ``need`` bytes fit."""
    available, known = (int(device.usable.low), True) if device.usable else (device.memory, False)
    return available, known, _verdict(need, available, known)


def _verdict(need: int, available: int, known: bool) -> str:
    if need > available:
        return "no"
    return "tight" if need > available * (_TIGHT_USABLE if known else _TIGHT_ALL) else "yes"


def _stored(needs: Needs, work: Workload, available: int, known: bool) -> list[Stored]:
    if not needs.parameters:
        return []
    cache = needs.serve_bytes(work) - needs.weight_bytes
    out = []
    for name, bits in STORED_IN:
        size = -int(-needs.parameters * bits // 8)
        if size < needs.weight_bytes:
            out.append(Stored(name, bits, size, size + cache, _verdict(size + cache, available, known)))
    return out


def _largest(needs: Needs, work: Workload, available: int) -> tuple[int | None, str]:
    most = needs.context or _FARTHEST
    if needs.serve_bytes(work, 0) > available:
        return None, "memory"
    if needs.serve_bytes(work, most) <= available:
        grows = needs.serve_bytes(work, most) > needs.serve_bytes(work, 0)
        return (most, "model") if needs.context is not None else (None if not grows else most, "nothing")
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needs.serve_bytes(work, middle) <= available else (low, middle)
    return low, "memory"


def _peak(needs: Needs, device: Device) -> tuple[str, Figure] | None:
    known = [
        (each.high, name) for name in _COMPUTED_IN.get(needs.dtype, _QUANTIZED_IN) if (each := device.peak.get(name))
    ]
    if not known:
        return None
    name = max(known)[1]
    return name, device.peak[name]


def _decode(needs: Needs, device: Device, work: Workload, peak: tuple[str, Figure] | None, context: int) -> Speed:
    size = needs.read_bytes + work.batch * cache_bytes(needs.caches, context, work.bits)
    return _speed(device, size, work.batch * token_flop(needs, context), peak, work.batch)


def _prefill(needs: Needs, device: Device, work: Workload, peak: tuple[str, Figure]) -> Speed:
    tokens = max(1, work.context)
    return _speed(device, needs.read_bytes, work.batch * prompt_flop(needs, tokens), peak, work.batch * tokens)


def _speed(device: Device, size: int, flop: int, peak: tuple[str, Figure] | None, tokens: int) -> Speed:
    """Of a step that moves ``size`` bytes, does ``flop`` operations and makes ``tokens`` tokens."""
    nominal, achieved, shares = device.nominal, device.achieved, device.efficiency
    at_best = nominal or achieved
    if at_best is None:
        raise AssertionError("a bandwidth is known")
    bandwidth, share = (achieved, shares.of_achieved) if achieved else (at_best, shares.of_nominal)
    top = None if peak is None else peak[1]

    work = Fraction(flop)
    moving, computing = size / at_best.high, work / top.high if top else Fraction(0)
    seconds = max(moving, computing, Fraction(1, 10**12))
    slow = max(
        size / (bandwidth.low * share.low), work / (top.low * shares.prefill.low) if top else Fraction(0), seconds
    )
    fast = max(
        size / (bandwidth.high * share.high), work / (top.high * shares.prefill.high) if top else Fraction(0), seconds
    )
    limit = "compute" if computing > moving else "bandwidth"
    return Speed(tokens / seconds, limit, tokens / slow, tokens / fast, seconds, "" if peak is None else peak[0])
