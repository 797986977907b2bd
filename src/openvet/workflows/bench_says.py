"""What a bench bounds, and whether its limits are those of a device: a value that was seen once is no interval, and a limit that is larger is none."""

from __future__ import annotations

import math
from typing import Final

from openvet.evidence.predicates.bench_v1 import BenchV1
from openvet.profile.device import Device
from openvet.reports._text import bytes_for_people

__all__ = ["KILLED", "limit_of", "memory_of", "memory_was_short"]

#: How a bench begins its detail where the limit of memory ended the process.
KILLED: Final = "the kernel ended it: no memory within the limit"


def memory_of(device: Device) -> int:
    """Bytes that programs can have of a device, or all of its memory where nobody says what they can have."""
    return int(device.usable.low) if device.usable else device.memory


def limit_of(body: BenchV1, device: Device) -> int | str:
    """The bytes that a bench had, which are never more than a device has; or why the bench says nothing of the device.

    A machine with less memory than the device keeps the limit by itself.
    """
    label, there = device.label, memory_of(device)
    if body.device is None or body.device.id != label:
        return f"measured, and not under the limits of {label}"
    kept = [float(each.asked) for each in body.limits if each.what == "memory" and each.enforced]
    size = min([*kept, *([float(body.machine.memory)] if body.machine.memory else [])], default=math.inf)
    if size <= there:
        return int(size)
    if not kept or math.isinf(size):
        return f"measured, and memory was not limited to what {label} has"
    return (
        f"measured with {bytes_for_people(int(size))} of memory, and {label} has {bytes_for_people(there)} for programs"
    )


def memory_was_short(body: BenchV1, device: Device) -> bool:
    """Whether it ended since the device's own memory, page cache included, was not enough.

    With less than the device has, or under a limit of the address space in its place, it may end where the device would have had room.
    """
    limits = [each for each in body.limits if each.what == "memory"]
    return (
        body.detail.startswith(KILLED)
        and bool(limits)
        and all(
            each.enforced and each.how.startswith("cgroup") and float(each.asked) >= memory_of(device)
            for each in limits
        )
    )
