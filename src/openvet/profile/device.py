"""One device, one figure about it, and which share of a bound programs reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import number_text

__all__ = ["GIB", "Device", "Efficiency", "Figure"]

GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or a band, with who says so; ``low == high`` for a number. ``date`` is that of the source."""

    low: Fraction
    high: Fraction
    basis: str = "claim"
    source: str = ""
    date: str = ""
    note: str = ""

    def to_json(self) -> dict[str, str]:
        return {
            "low": number_text(self.low),
            "high": number_text(self.high),
            "basis": self.basis,
            "source": self.source,
            "date": self.date,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Which share of the bounds programs reach: of a measured bandwidth, of a nominal one, and of the peak in prefill."""

    of_achieved: Figure
    of_nominal: Figure
    prefill: Figure


@dataclass(frozen=True, slots=True)
class Device:
    """One device with one size of memory.

    Attributes:
        id, name: in the table, and for people.
        sizes: bytes of memory that it is sold with, the usual one first.
        memory: bytes of the size that is meant.
        usable: bytes that programs can have of it, where somebody says so.
        nominal, achieved: byte/s, as declared and as measured.
        peak: dtype -> dense FLOP/s (operations for integers).
        idle, load: W.
        efficiency: see :class:`Efficiency`.
        memory_basis: who says which sizes there are; its numbers are the sizes' ends in bytes.
    """

    id: str
    name: str
    sizes: tuple[int, ...]
    memory: int
    usable: Figure | None
    nominal: Figure | None
    achieved: Figure | None
    peak: Mapping[str, Figure]
    idle: Figure | None
    load: Figure | None
    efficiency: Efficiency
    memory_basis: Figure
    usable_by_size: Mapping[int, Figure]

    def sized(self, size: int) -> Device:
        """The same with ``size`` bytes of memory, one of :attr:`sizes`."""
        return replace(self, memory=size, usable=self.usable_by_size.get(size))

    @property
    def label(self) -> str:
        """``rpi5:16`` where it has several sizes, else the id."""
        return self.id if len(self.sizes) == 1 else f"{self.id}:{number_text(Fraction(self.memory, GIB))}"

    def to_json(self) -> dict[str, Any]:
        def shown(each: Figure | None) -> dict[str, str] | None:
            return None if each is None else each.to_json()

        return {
            "id": self.id,
            "name": self.name,
            "memory_bytes": self.memory,
            "sizes_bytes": list(self.sizes),
            "memory": {name: text for name, text in self.memory_basis.to_json().items() if name not in {"low", "high"}},
            "usable_bytes": shown(self.usable),
            "bandwidth_nominal": shown(self.nominal),
            "bandwidth_achieved": shown(self.achieved),
            "peak": {dtype: each.to_json() for dtype, each in self.peak.items()},
            "watts_idle": shown(self.idle),
            "watts_load": shown(self.load),
            "efficiency": {
                "of_achieved": self.efficiency.of_achieved.to_json(),
                "of_nominal": self.efficiency.of_nominal.to_json(),
                "prefill": self.efficiency.prefill.to_json(),
            },
        }
