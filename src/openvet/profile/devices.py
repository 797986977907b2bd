"""Devices that a model may run on: memory, bandwidth, peaks and watts, each with who says so. ``data/devices.toml``, or a user's file.

What nobody says is ``None`` or missing, and nothing is guessed. A bare number in a user's file is a claim of the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from openvet.core.quantity import exact, number_text
from openvet.core.tables import read_table
from openvet.core.text import printable
from openvet.profile.claims.chips import chips
from openvet.profile.device import GIB, Device, Efficiency, Figure

__all__ = ["BASES", "DTYPES", "devices", "efficiencies", "take_devices"]

#: Called with the path of a key and what is wrong there.
Problem = Callable[[tuple[str | int, ...], str], None]

#: The maker says it; computed from that; measured; somebody says it and nobody here has checked.
BASES: Final = ("declared", "derived", "measured", "claim")
DTYPES: Final = ("fp32", "tf32", "bf16", "fp16", "fp8", "fp4", "int8", "int4")
_OF_FIGURE: Final = ("value", "low", "high", "source", "date", "basis", "note")
_KEYS: Final = ("name", "efficiency", "source", "date", "basis", "chip", "memory_gib", "usable_mib", "bandwidth_nominal", "bandwidth_achieved", "peak",
                "watts_idle", "watts_load")  # fmt: skip
_SHARES: Final = ("of_achieved", "of_nominal", "prefill")
_MOST: Final = 500
_LONGEST: Final = 500
#: What a number can be at all, and how it is written: most mistakes are of a unit.
_RANGES: Final[Mapping[str, tuple[Fraction | int, Fraction | int, str]]] = {
    "bandwidth": (10**6, 10**18, "in byte/s, such as 51.2e9"),
    "peak": (10**6, 10**21, "in FLOP/s, such as 121e12"),
    "watts": (Fraction(1, 1000), 10**7, "in W"),
    "share": (Fraction(1, 10**6), 1, "a share above 0 and at most 1"),
    "memory": (Fraction(1, 1024), 10**7, "in GiB, such as 16"),
    "usable": (1, 10**10, "in MiB, such as 7942"),
}


def devices() -> dict[str, Device]:
    """All that ship, by id."""
    return take_devices(read_table("devices"), _fault)


def take_devices(
    document: Mapping[str, Any], problem: Problem, known: Mapping[str, Efficiency] | None = None
) -> dict[str, Device]:
    """The devices of ``document`` by id; whatever is wrong is given to ``problem``, and the result is then good for nothing.

    Args:
        known: efficiencies that a device may name beside those of the document.
    """
    for key in document:
        if key not in {"device", "efficiency"}:
            problem(
                (key,), f"unknown key {_shown(key)}: a file has tables [device.NAME], and may have [efficiency.NAME]"
            )
    tables = {}
    for section in ("efficiency", "device"):
        value = document.get(section, {})
        tables[section] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping) or len(value) > _MOST:
            problem((section,), f"{section} must be tables, as [{section}.NAME], at most {_MOST}")
            return {}
    if not tables["device"]:
        problem((), "there is no [device.NAME]")
    shares = {**(known or {}), **_shares(tables["efficiency"], problem)}
    made = [_device(name, each, shares, problem) for name, each in tables["device"].items()]
    return {each.id: each for each in made if each is not None}


def efficiencies() -> dict[str, Efficiency]:
    """Those that ship, by name."""
    return _shares(read_table("devices")["efficiency"], _fault)


def _fault(at: tuple[str | int, ...], text: str) -> None:
    raise ValueError(f"devices.toml: {'.'.join(map(str, at))}: {text}")


def _shares(tables: Mapping[str, Any], problem: Problem) -> dict[str, Efficiency]:
    out = {}
    for name, each in tables.items():
        taken = _Taker(each, ("efficiency", name), problem, _SHARES)
        found = [taken.figure(key, "share") for key in _SHARES]
        if found[0] and found[1] and found[2]:
            out[name] = Efficiency(found[0], found[1], found[2])
        elif not taken.failed:
            problem(("efficiency", name), f"needs {', '.join(_SHARES)}")
    return out


class _Taker:
    """One table while it is read."""

    def __init__(self, table: Any, at: tuple[str | int, ...], problem: Problem, known: tuple[str, ...]) -> None:
        self.failed = False
        self.at = at
        self._problem = problem
        self.table: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
        if not isinstance(table, Mapping):
            self.wrong((), "must be a table")
        for key in self.table:
            if key not in known:
                self.wrong((key,), f"unknown key {_shown(key)}{_near(key, known)}")
        self.said = {name: self.text(self.table, (), name) for name in ("source", "date", "basis")}
        self.said["basis"] = self._basis(self.said["basis"], ())

    def wrong(self, key: tuple[str | int, ...], text: str) -> None:
        self.failed = True
        self._problem((*self.at, *key), text)

    def text(self, table: Mapping[str, Any], key: tuple[str | int, ...], name: str) -> str:
        value = table.get(name, "")
        if not isinstance(value, str) or len(value) > _LONGEST:
            self.wrong((*key, name), f"{name} must be a text of at most {_LONGEST} characters")
            return ""
        return printable(" ".join(value.split()))

    def _basis(self, word: str, key: tuple[str | int, ...]) -> str:
        if word and word not in BASES:
            self.wrong((*key, "basis"), f"basis is {_shown(word)}; it may be {', '.join(BASES)}")
        return word or "claim"

    def raw(self, key: str, kind: str = "") -> tuple[Any, Figure] | None:
        """What is written at ``key``, and a figure with who says so, whose numbers mean nothing yet."""
        if key not in self.table:
            return None
        value = self.table[key]
        plain = not isinstance(value, Mapping) or not set(value) & set(_OF_FIGURE)
        table: Mapping[str, Any] = {"value": value} if plain else value
        for name in table:
            if name not in _OF_FIGURE:
                self.wrong(
                    (key, name), f"{key} has the unknown key {_shown(name)}; it may have {', '.join(_OF_FIGURE)}"
                )
        own = {name: self.text(table, (key,), name) for name in ("source", "date", "basis", "note")}
        basis = self._basis(own["basis"], (key,)) if own["basis"] else self.said["basis"]
        who = Figure(
            Fraction(0),
            Fraction(0),
            basis,
            own["source"] or self.said["source"],
            own["date"] or self.said["date"],
            own["note"],
        )
        if "value" in table:
            if {"low", "high"} & set(table):
                self.wrong((key,), f"{key} has either a value, or low and high")
            return table["value"], who
        if not {"low", "high"} <= set(table):
            self.wrong((key,), f"{key} needs a value, or low and high")
            return None
        low, high = (self.number(table[name], (key, name), key, kind) for name in ("low", "high"))
        if low is None or high is None:
            return None
        if low > high:
            self.wrong((key,), f"{key} must have low <= high")
        return (low, high), who

    def number(self, value: Any, key: tuple[str | int, ...], name: str, kind: str = "") -> Fraction | None:
        least, most, how = _RANGES[kind or _kind(name)]
        found = exact(value)
        if found is None or not least <= found <= most:
            self.wrong(key, f"{key[-1] if isinstance(key[-1], str) else name} must be {how}, not {_shown(value)}")
            return None
        return found

    def figure(self, key: str, kind: str = "") -> Figure | None:
        """A number or a band."""
        found = self.raw(key, kind)
        if found is None:
            return None
        value, who = found
        if isinstance(value, tuple):
            return replace(who, low=value[0], high=value[1])
        number = self.number(value, (key,), key, kind)
        return None if number is None else replace(who, low=number, high=number)


def _device(name: str, table: Any, shares: Mapping[str, Efficiency], problem: Problem) -> Device | None:
    taken = _Taker(table, ("device", name), problem, _KEYS)
    if taken.failed:
        return None
    efficiency = taken.table.get("efficiency", "processor")
    if not isinstance(efficiency, str) or efficiency not in shares:
        taken.wrong(("efficiency",), f"efficiency is {_shown(efficiency)}; it may be {', '.join(shares) or 'none'}")
        return None
    sizes, memory = _sizes(taken)
    peak, load = _peak(taken)
    nominal, achieved = taken.figure("bandwidth_nominal"), taken.figure("bandwidth_achieved")
    if nominal and achieved and achieved.low > nominal.high:
        taken.wrong(("bandwidth_achieved",), "no more can be achieved than bandwidth_nominal")
    usable = _usable(taken, sizes)
    idle = taken.figure("watts_idle")
    load = taken.figure("watts_load") or load
    if not sizes and not taken.failed:
        taken.wrong((), f"device {_shown(name)} needs memory_gib")
    if taken.failed or memory is None:
        return None
    shown = taken.text(taken.table, (), "name") or printable(name)
    return Device(
        printable(name)[:100],
        shown,
        sizes,
        sizes[0],
        usable.get(sizes[0]),
        nominal,
        achieved,
        peak,
        idle,
        load,
        shares[efficiency],
        memory,
        usable,
    )


def _sizes(taken: _Taker) -> tuple[tuple[int, ...], Figure | None]:
    found = taken.raw("memory_gib")
    if found is None:
        return (), None
    value, who = found
    listed = list(value) if isinstance(value, list | tuple) else [value]
    if not 0 < len(listed) <= 50:
        taken.wrong(("memory_gib",), "memory_gib must be a number of GiB, or a list of them with the usual one first")
        return (), None
    numbers = [taken.number(each, ("memory_gib",), "memory_gib") for each in listed]
    sizes = tuple(int(each * GIB) for each in numbers if each is not None)
    if len(set(sizes)) < len(sizes):
        taken.wrong(("memory_gib",), "memory_gib has a size twice")
    if len(sizes) < len(listed):
        return (), None
    return sizes, replace(who, low=Fraction(min(sizes)), high=Fraction(max(sizes)))


def _usable(taken: _Taker, sizes: tuple[int, ...]) -> dict[int, Figure]:
    found = taken.raw("usable_mib")
    if found is None:
        return {}
    value, who = found
    if not isinstance(value, Mapping):
        if len(sizes) != 1:
            taken.wrong(("usable_mib",), 'usable_mib must say of which size, as { "8" = 7942 }')
            return {}
        value = {number_text(Fraction(sizes[0], GIB)): value}
    out = {}
    by_name = {number_text(Fraction(size, GIB)): size for size in sizes}
    for name, each in value.items():
        number = taken.number(each, ("usable_mib", name), "usable_mib")
        if name not in by_name:
            taken.wrong(("usable_mib", name), f"{_shown(name)} is no size of memory_gib")
        elif number is not None and number * 2**20 > by_name[name]:
            taken.wrong(("usable_mib", name), f"{_shown(number)} MiB are more than {name} GiB")
        elif number is not None:
            out[by_name[name]] = replace(who, low=number * 2**20, high=number * 2**20)
    return out


def _peak(taken: _Taker) -> tuple[dict[str, Figure], Figure | None]:
    """Peaks by dtype, and the watts of a chip that is named: those of its row, and what is written here above them."""
    peak: dict[str, Figure] = {}
    load = None
    named = taken.table.get("chip")
    if named is not None:
        row = chips().get(named) if isinstance(named, str) else None
        if row is None:
            taken.wrong(("chip",), f"chip {_shown(named)} is not known; `openvet claims --chips` lists those that are")
        else:
            peak = {dtype: Figure(each, each, "declared", row.source, row.date) for dtype, each in row.peak.items()}
            load = None if row.watts is None else Figure(row.watts, row.watts, "declared", row.source, row.date)
    found = taken.raw("peak")
    if found is not None:
        value, who = found
        if not isinstance(value, Mapping):
            taken.wrong(("peak",), "peak must be a table by dtype, as { fp16 = 121e12 }")
            return peak, load
        for dtype, each in value.items():
            number = taken.number(each, ("peak", dtype), "peak")
            if dtype not in DTYPES:
                taken.wrong(("peak", dtype), f"{_shown(dtype)} is no dtype of {', '.join(DTYPES)}")
            elif number is not None:
                peak[dtype] = replace(who, low=number, high=number)
    return peak, load


def _kind(key: str) -> str:
    return key.partition("_")[0]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return "a table" if isinstance(value, Mapping) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    found = exact(value)
    if found is not None:
        return number_text(found)
    return "a number beyond all limits" if isinstance(value, int) else repr(printable(str(value)[:60]))


def _near(word: Any, known: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(str(word)[:100], known, 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
