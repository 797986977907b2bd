"""A model's configuration, taken key by key: of the right type, within bounds, and with where each was read.

A configuration is a stranger's text. A number that is no number, or that no model can have, is refused with its place; it never becomes
the size of anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from openvet.core.text import printable
from openvet.errors import MalformedError

__all__ = ["LARGEST", "LAYERS", "Config"]

#: No extent of a tensor is larger: 2**40 rows would be terabytes.
LARGEST = 2**40
#: No model has more layers or experts; a larger number would cost time here for each.
LAYERS = 100_000

_MISSING: Any = object()
_SHOWN = 40


class Config:
    """One object of a configuration.

    Args:
        values: the parsed object.
        pointer: its JSON Pointer in the text.
        read: key -> pointer of all that was taken, shared with the objects below.

    Every method raises :class:`~openvet.errors.MalformedError` for a value that is not of its kind, naming its place.
    """

    def __init__(self, values: Mapping[str, Any], pointer: str = "", read: dict[str, str] | None = None) -> None:
        self.values = values
        self.pointer = pointer
        self.read: dict[str, str] = {} if read is None else read

    def _find(self, names: Sequence[str]) -> tuple[str, Any]:
        for name in names:
            value = self.values.get(name)
            if value is not None:
                where = f"{self.pointer}/{name}"
                self.read[name] = where
                return where, value
        return f"{self.pointer}/{names[0]}", _MISSING

    def may(self, *names: str, most: int = LARGEST, least: int = 1) -> int | None:
        """The first of these keys that is there, as a whole number from ``least`` to ``most``; ``None`` where none is."""
        where, value = self._find(names)
        if value is _MISSING:
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise MalformedError(f"{where} is {_spelled(value)}, and must be a whole number from {least} to {most}")
        return value

    def whole(self, *names: str, default: int | None = None, most: int = LARGEST, least: int = 1) -> int:
        """The same, where it has to be there or has a default."""
        found = self.may(*names, most=most, least=least)
        if found is not None:
            return found
        if default is None:
            raise MalformedError(f"{self.pointer}/{names[0]} is not there")
        return default

    def number(self, *names: str, default: float, least: float = 0.0, most: float = 1e6) -> float:
        """A number that may be a fraction."""
        where, value = self._find(names)
        if value is _MISSING:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise MalformedError(f"{where} is no number from {least:g} to {most:g}")
        return float(value)

    def auto(self, *names: str, default: int, most: int = LARGEST) -> int:
        """A whole number, where ``auto`` and nothing at all mean ``default``."""
        if any(self.values.get(name) == "auto" for name in names):
            return default
        return self.whole(*names, default=default, most=most)

    def flag(self, *names: str, default: bool = False) -> bool:
        where, value = self._find(names)
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            raise MalformedError(f"{where} is neither true nor false")
        return value

    def word(self, *names: str, default: str = "") -> str:
        where, value = self._find(names)
        if value is _MISSING:
            return default
        if not isinstance(value, str):
            raise MalformedError(f"{where} is no text")
        return value

    def may_list(self, *names: str, most: int = LAYERS) -> list[Any] | None:
        where, value = self._find(names)
        if value is _MISSING:
            return None
        if not isinstance(value, list) or len(value) > most:
            raise MalformedError(f"{where} is no list of at most {most} items")
        return value

    def texts(self, *names: str) -> list[str] | None:
        """A list of words."""
        found = self.may_list(*names)
        for number, each in enumerate(found or ()):
            if not isinstance(each, str):
                raise MalformedError(f"{self.pointer}/{names[0]}/{number} is no text")
        return found

    def wholes(
        self, *names: str, default: Sequence[int] | None = None, most: int = LARGEST, least: int = 0
    ) -> list[int]:
        """A list of whole numbers."""
        found = self.may_list(*names)
        if found is None:
            if default is None:
                raise MalformedError(f"{self.pointer}/{names[0]} is not there")
            return list(default)
        for each in found:
            if isinstance(each, bool) or not isinstance(each, int) or not least <= each <= most:
                raise MalformedError(f"{self.pointer}/{names[0]} is no list of whole numbers from {least} to {most}")
        return list(found)

    def below(self, *names: str) -> Config | None:
        """The object under one of these keys, if there is one."""
        where, value = self._find(names)
        if value is _MISSING:
            return None
        if not isinstance(value, Mapping):
            raise MalformedError(f"{where} is no object")
        return Config(value, where, self.read)

    def part(self, *names: str) -> Config:
        """The same, empty where there is none."""
        return self.below(*names) or Config({}, f"{self.pointer}/{names[0]}", self.read)

    def with_absent(self, values: Mapping[str, Any]) -> Config:
        """This one, with ``values`` for the keys that it leaves to its class; what it says to be nothing stays nothing."""
        return Config({**values, **self.values}, self.pointer, self.read)

    def denies(self, name: str) -> bool:
        """Whether it says that this is nothing, rather than leaving it to its class."""
        return name in self.values and self.values[name] is None


def _spelled(value: Any) -> str:
    """A value as JSON spells it, so that a number in quotes is seen to be a text."""
    if isinstance(value, Mapping | list | tuple):
        return "an object" if isinstance(value, Mapping) else "a list"
    if isinstance(value, int) and abs(value) >= LARGEST**3:
        return "a number beyond all limits"
    return json.dumps(printable(value[:_SHOWN]) if isinstance(value, str) else value, ensure_ascii=False)[: _SHOWN + 2]
