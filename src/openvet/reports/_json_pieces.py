"""JSON written piece by piece: a report of many findings is never held as one value and one text.

The text is that of ``json.dumps(clean(value), indent=2, ensure_ascii=False)``, byte for byte; a test holds it to that. What is
long in our evidence (files, findings, unknowns, items, tensors, programs) is taken apart only when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from json.encoder import encode_basestring
from typing import Any, Final

from openvet.evidence.predicates.inventory_v1 import InventoryV1, Item
from openvet.evidence.predicates.scan_v1 import FileScan, Scan
from openvet.evidence.statement import Statement
from openvet.reports._wording import DEEPEST, clean, visible
from openvet.reports.report import ModelReport, Report

__all__ = ["pieces"]

#: Characters gathered before they are handed on.
_PIECE: Final = 256 * 1024
#: Keys that are remembered as they are written: more than evidence of ours has.
_KEYS: Final = 1_000
_KEY: Final = 64
#: Every integer of so many bits is one that each JSON reader carries exactly.
_EXACT_BITS: Final = 53
#: What is long in each word of the evidence: the fields whose elements are written one by one.
_LONG: Final[dict[type, tuple[str, ...]]] = {
    FileScan: ("findings", "unknowns"),
    Scan: ("files", "findings", "unknowns"),
    Item: ("tensors", "programs"),
    InventoryV1: ("items",),
    Report: ("models", "errors"),
}


class _Hollow:
    """Stands in for a predicate while the rest of its statement is written down."""

    def __init__(self, predicate_type: str) -> None:
        self.predicate_type = predicate_type

    def to_json(self) -> dict[str, Any]:
        return {}


def pieces(value: Any, *, indent: int | None = 2) -> Iterator[str]:
    """``value`` as JSON; with ``indent=None`` on one line, without blanks. Ends with a newline."""
    writer = _Writer(indent)
    yield from writer.write(value, 0)
    yield "".join([*writer.taken(), "\n"])


def opened(value: Any) -> Any:
    """What ``value.to_json()`` gives, but with the long parts as they are."""
    kind = type(value)
    if kind in _LONG:
        out: dict[str, Any] = replace(value, **dict.fromkeys(_LONG[kind], ())).to_json()
        return out | {name: getattr(value, name) for name in _LONG[kind]}
    if kind is Statement:
        if type(value.predicate) not in _LONG:
            return value.to_json()
        hollow = Statement(value.subject, _Hollow(value.predicate.predicate_type), value.others).to_json()
        return hollow | {"predicate": value.predicate}
    if kind is ModelReport:
        few = replace(value, scan=replace(value.scan, files=(), findings=(), unknowns=()), inventory=None, answers={})
        return few.to_json() | {"statements": value.statements()}
    return value.to_json() if hasattr(value, "to_json") else value


class _Writer:
    def __init__(self, indent: int | None) -> None:
        self._indent = indent
        self._colon = ":" if indent is None else ": "
        self._parts: list[str] = []
        self._length = 0
        self._keys: dict[str, str] = {}  # keys as they are written; the same few stand in every object

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def taken(self) -> list[str]:
        """What was gathered, which is forgotten."""
        parts, self._parts, self._length = self._parts, [], 0
        return parts

    def _line(self, level: int) -> str:
        return "" if self._indent is None else "\n" + " " * (self._indent * level)

    def write(self, value: Any, level: int) -> Iterator[str]:
        """Write one value: its long parts lazily, everything else at once."""
        value = opened(value)
        lazy = isinstance(value, Mapping) and any(_is_long(each) for each in value.values())
        if not lazy and not _is_long(value):
            self._whole(value, level)
        elif isinstance(value, Mapping):
            yield from self._mapping(value, level)
        else:
            yield from self._list(value, level)
        if self._length >= _PIECE:
            yield "".join(self.taken())

    def _mapping(self, value: Mapping[Any, Any], level: int) -> Iterator[str]:
        start, line = "{", self._line(level + 1)
        for key, each in value.items():
            self._put(start + line + encode_basestring(visible(str(key), keep="\n\t")) + self._colon)
            start = ","
            yield from self.write(each, level + 1)
        self._put(self._line(level) + "}" if start == "," else "{}")

    def _list(self, value: Iterable[Any], level: int) -> Iterator[str]:
        start, line = "[", self._line(level + 1)
        for each in value:
            self._put(start + line)
            start = ","
            yield from self.write(each, level + 1)
        self._put(self._line(level) + "]" if start == "," else "[]")

    def _whole(self, value: Any, level: int) -> None:
        """A value that is not long, recursively: no generator for each of its parts."""
        kind = type(value)  # what nearly every value is comes first: asking whether something is a Mapping takes long
        if kind is str:
            self._put(encode_basestring(visible(value, keep="\n\t")))
        elif kind is int and value.bit_length() <= _EXACT_BITS:
            self._put(int.__repr__(value))
        elif kind is dict and level <= DEEPEST:
            self._object(value, level)
        elif isinstance(value, str):
            self._put(encode_basestring(visible(value, keep="\n\t")))
        elif isinstance(value, Mapping) and level <= DEEPEST:
            self._object(value, level)
        elif isinstance(value, Iterable) and not isinstance(value, bytes) and level <= DEEPEST:
            start, line = "[", self._line(level + 1)
            for each in value:
                self._put(start + line)
                start = ","
                self._whole(each, level + 1)
            self._put(self._line(level) + "]" if start == "," else "[]")
        else:
            self._put(_scalar(clean(value, level)))

    def _object(self, value: Mapping[Any, Any], level: int) -> None:
        start, line, keys = "{", self._line(level + 1), self._keys
        for key, each in value.items():
            written = keys.get(key) if type(key) is str else None
            if written is None:
                written = encode_basestring(visible(str(key), keep="\n\t")) + self._colon
                if type(key) is str and len(key) <= _KEY and len(keys) < _KEYS:
                    keys[key] = written
            self._put(start + line + written)
            start = ","
            self._whole(each, level + 1)
        self._put(self._line(level) + "}" if start == "," else "{}")


def _is_long(value: Any) -> bool:
    """Whether the parts of ``value`` are taken apart one by one: an iterator, or words of the evidence."""
    if isinstance(value, Iterator):
        return True
    if type(value) in _LONG or isinstance(value, Statement | ModelReport):
        return True
    return isinstance(value, tuple) and bool(value) and hasattr(value[0], "to_json")


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    return float.__repr__(value) if isinstance(value, float) else encode_basestring(value)
