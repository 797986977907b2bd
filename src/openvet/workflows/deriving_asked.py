"""What is asked of a step that makes a model of another: how, of what data, what is measured, and the budget where a ladder is searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.profile.device import Device

__all__ = ["Asked", "Wanted", "parse_budget", "parse_share"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a budget asks for: bytes at most, or what a device has; and the loss that is still as good."""

    loss: float
    memory: int = 0
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What to make, how, and what to measure.

    Attributes:
        given: settings as ``NAME=VALUE``.
        data: files that are learned from, by role.
        wanted: searches the ladder; ``to`` is '' then.
        memory: bytes of address space of a child; 0 for three times the model and 8 GiB.
        loss: how much worse is still as good, where there is no budget.
    """

    command: str
    source: str
    target: str
    to: str = ""
    given: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    loss: float | None = None
    wanted: Wanted | None = None
    speed: bool = True
    force: bool = False
    python: str = ""
    level: str = ""
    accepted: bool = False
    threads: int = 1
    seconds: float = 3600.0
    memory: int = 0


def parse_budget(text: str) -> tuple[str, int, float]:
    """``device=rpi5,memory=600MB,loss=2%`` -> the device's name or '', bytes or 0, and the loss as a share.

    Raises:
        UsageError: it makes no sense.
    """
    from openvet.core.limits import parse_amount

    found: dict[str, str] = {}
    for each in text.split(","):
        name, equals, value = each.strip().partition("=")
        if name not in ("device", "memory", "loss") or not equals or not value or name in found:
            raise UsageError(f"--budget {printable(text)[:100]!r}: it is written device=NAME,memory=600MB,loss=2%")
        found[name] = value
    if "loss" not in found or not ({"device", "memory"} & found.keys()):
        raise UsageError("--budget needs a loss, and a device or a memory to keep to")
    memory = 0
    if "memory" in found:
        memory = int(parse_amount(found["memory"], whole=True))
    return found.get("device", ""), memory, parse_share(found["loss"], "loss")


def parse_share(text: str, name: str) -> float:
    """``2%`` or ``0.02`` (raises :class:`UsageError`)."""
    try:
        value = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1.0:
        raise UsageError(f"{name} {printable(text)[:40]!r} is no share: 2% or 0.02")
    return value
