"""What stands beside a measurement: the arithmetic for this machine and for a device, and energy as an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from openvet.core.quantity import brief, exact, number_text
from openvet.errors import OpenVetError
from openvet.evidence.predicates.bench_v1 import (
    Estimated,
    Figure,
    Predicted,
)
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.profile.device import Device
from openvet.profile.device import Figure as DeviceFigure
from openvet.profile.devices import efficiencies
from openvet.sandbox import host
from openvet.workflows.bench_work import Timed
from openvet.workflows.fits import fits_of

__all__ = ["energy", "predictions", "text", "this_machine"]

_HERE: Final = "this-machine"


def predictions(
    profile: ProfileV1 | None,
    here: Device | None,
    device: Device | None,
    timed: Sequence[Timed],
    figures: Sequence[Figure],
) -> list[Predicted]:
    """What arithmetic says of a model on this machine and on a device, each beside what was measured.

    Args:
        here: of :func:`this_machine`.
        timed: by which it is known how long a sequence was.
    """
    if profile is None:
        return []
    by_name = {each.name: each for each in figures}
    devices = [each for each in (here, device) if each is not None]
    lengths = [each.read + each.written for each in timed]
    context = max(1, round(sum(lengths) / len(lengths))) if lengths and any(lengths) else None
    try:
        parts = [each for each in fits_of(profile, devices, context) if each.fits]
    except OpenVetError:
        return []
    if len(parts) != 1:
        return []  # several models in one: which of them answered is not known
    out = []
    for each_device, found in zip(devices, parts[0].fits, strict=True):
        name = each_device.label
        basis = f"{brief(_nearest(each_device) / 10**9)} GB/s, {'measured here before it began' if each_device is here else 'as the device table has it'}"
        rate = by_name.get("decode-rate")
        if found.decode is not None and rate is not None:
            out.append(
                Predicted(
                    name, "decode-rate", _shown(found.decode.best), _shown(found.decode.low), _shown(found.decode.high),
                    _ratio(rate, found.decode.best), f"{found.decode.limit} bound; {basis}",
                )
            )  # fmt: skip
        if each_device is here and (peak := by_name.get("peak-resident")):
            out.append(
                Predicted(
                    name, "peak-resident", str(found.serve_bytes), None, None, _ratio(peak, Fraction(found.serve_bytes)),
                    f"weights{f' and the cache of {found.work.context} tokens' if found.needs.caches else ''}; without buffers, the runtime and the interpreter",
                )
            )  # fmt: skip
    return out


def this_machine(
    seen: host.Machine, bandwidth: float, threads: int, cpus: float | None, memory_limit: int | None
) -> Device | None:
    """This machine as a device: by the bandwidth that so many threads have, in byte/s, and under limits of memory and processor time."""
    found = exact(round(bandwidth))
    if not found:
        return None
    # a quota lets so much time go by, in which nothing is read
    share = min(Fraction(1), Fraction(cpus or threads) / max(1, threads))
    memory = min(seen.memory, memory_limit or seen.memory)
    figure = DeviceFigure(found * share, found * share, "measured")
    return Device(
        _HERE, _HERE, (memory,), memory, None, None, figure, {}, None, None, efficiencies()["processor"],
        DeviceFigure(Fraction(memory), Fraction(memory), "measured"), {},
    )  # fmt: skip


def _nearest(device: Device) -> Fraction:
    found = device.achieved or device.nominal
    return Fraction(0) if found is None else found.high


def _shown(value: Fraction) -> str:
    return text(float(value))


def _ratio(figure: Figure, best: Fraction) -> str | None:
    return text(float(figure.value) / float(best)) if best else None


def energy(device: Device | None, figures: Sequence[Figure]) -> list[Estimated]:
    """Watts of the device times seconds here: an estimate, which nobody measured."""
    if device is None or device.load is None:
        return []
    out = []
    for name, figure, invert in (
        ("energy-per-request", "request-p50", False),
        ("energy-per-token", "decode-rate", True),
    ):
        found = next((each for each in figures if each.name == figure), None)
        if found is None or not float(found.value):
            continue
        seconds = 1.0 / float(found.value) if invert else float(found.value)
        watts = device.load
        out.append(
            Estimated(
                name, "J", text(float(watts.low) * seconds), text(float(watts.high) * seconds),
                f"estimate: {number_text(watts.low)} to {number_text(watts.high)} W under load ({watts.basis}: {watts.source or 'no source'}), times {text(seconds)} s that were measured on this machine and not on the device",
            )
        )  # fmt: skip
    return out


def text(value: float) -> str:
    """A number as a statement has it: six digits, more are noise of a clock."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
