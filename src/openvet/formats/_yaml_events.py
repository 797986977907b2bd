"""YAML to plain values from the parser's events, without constructing anything that a tag asks for.

PyYAML's parser gives events and its loaders build objects from them; only the parser is used. Aliases share the value
that they name, and the size of the document with all of them written out is bounded, so that no later walk through it
meets an alias bomb. A tag beyond YAML's own schema is handed back with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError

__all__ = ["AliasBombError", "Tag", "YamlText", "parse_yaml"]

_MOST_VALUES = 500_000
#: Values that nobody writes down, and that take gigabytes once something goes through them.
_BOMB = 5_000_000
#: Pure Python scans some hundred thousand characters a second, the C library some millions.
_LONGEST = 8 * 1024 * 1024
#: A key may be as long as the text, and above ten thousand tags.
_LONGEST_POINTER = 1000
#: Lines are for people who look for a key: so many, and no deeper.
_MOST_LINES = 2000
_DEEPEST_LINE = 8
_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(_CORE + name for name in (
    "str", "int", "float", "bool", "null", "map", "seq", "set", "omap", "pairs", "binary", "timestamp", "merge", "value",
))  # fmt: skip
_BOOLS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NULLS = ("", "~", "null", "Null", "NULL")
_INT = pattern(r"[-+]?(?:[0-9][0-9_]{0,24}|0x[0-9a-fA-F_]{1,24}|0b[01_]{1,64}|0o[0-7_]{1,24})\Z")
#: Tags of values that are no text, however they are written: ``!!int "99"``.
_TAGGED = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))
_FLOAT = pattern(r"[-+]?(?:[0-9]{1,32}\.[0-9]{0,32}|\.[0-9]{1,32})(?:[eE][-+]?[0-9]{1,3})?\Z")


class AliasBombError(LimitError):
    """A short text becomes very large with its aliases written out: nothing but an attack does that."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag beyond YAML's own: its name (``tag:yaml.org,2002:python/object/apply:os.system``), line and pointer."""

    name: str
    line: int
    pointer: str


@dataclass(slots=True)
class YamlText:
    """What a text holds: its documents, its foreign tags, and (key, line) of keys that a map has twice.

    ``lines`` are the first keys and items by JSON Pointer, each with its line, where they were asked for. Of several documents they
    are the first one's.
    """

    documents: list[Any]
    tags: list[Tag]
    duplicates: list[tuple[str, int]]
    lines: dict[str, int]


@dataclass(slots=True)
class _Frame:
    value: Any
    anchor: str | None
    key: Any = None
    has_key: bool = False
    size: int = 1
    pointer: str | None = None
    inherited: set[str] | None = None


def parse_yaml(
    text: str, limits: Limits, check_time: Callable[[], None], *, with_lines: bool = False, first_line: int = 1
) -> YamlText:
    """The documents in ``text``; ``with_lines`` also says where their keys stand, counted in ``text``.

    Args:
        text: to be parsed.
        limits: of its length, its nesting and its size.
        check_time: called from time to time.
        with_lines: whether the lines of keys are kept.
        first_line: the line of the file on which ``text`` begins; a line that an error names is one of the file.

    Raises:
        MalformedError: it is no YAML.
        LimitError: too long, nested too deeply, or too large with its aliases written out (an :class:`AliasBombError` where it is
            these that make it so).
    """
    import yaml

    if len(text) > min(_LONGEST, limits.text):
        raise LimitError("text", min(_LONGEST, limits.text), "the YAML text is too long to be parsed")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder(limits, with_lines=with_lines)
    try:
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            if count % 4096 == 0:
                check_time()
            builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" in line {mark.line + first_line}"
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "syntax error"
        raise MalformedError(f"is not well-formed YAML: {shorten(printable(str(problem)), 120)}{where}") from None
    except (RecursionError, ValueError, OverflowError, UnicodeError) as error:
        raise MalformedError(f"is not well-formed YAML: {shorten(printable(str(error)), 120)}") from None
    return builder.end()


class _Builder:
    """Turns events into values with a stack of its own."""

    def __init__(self, limits: Limits, *, with_lines: bool = False) -> None:
        self._limits = limits
        self._with_lines = with_lines
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0
        self._over = False
        self.result = YamlText([], [], [], {})

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._note_tag(event)
            if self._with_lines:
                self._line(event)
            self._complete(_scalar(event), 1, event.anchor, event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._note_tag(event)
            if len(self._stack) >= self._limits.nesting:
                raise LimitError("nesting", self._limits.nesting, "values are nested too deeply")
            frame = _Frame({} if kind == "MappingStartEvent" else [], event.anchor)
            if self._with_lines:
                frame.pointer = self._line(event)
            self._stack.append(frame)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            frame = self._stack.pop()
            self._complete(frame.value, frame.size, frame.anchor, event)
        elif kind == "AliasEvent":
            value, size = self._anchors.get(event.anchor, (None, 1))
            self._complete(value, size, None, event)
        elif kind == "DocumentStartEvent":
            self._anchors.clear()

    def _line(self, event: Any) -> str | None:
        """Note where an item or the value of a key begins; gives its pointer, ``None`` where it has none that is of use."""
        if not self._stack:
            return "" if not self.result.documents else None
        frame = self._stack[-1]
        if frame.pointer is None or len(self._stack) > _DEEPEST_LINE or len(self.result.lines) >= _MOST_LINES:
            return None
        if isinstance(frame.value, list):
            pointer = below(frame.pointer, len(frame.value))
        elif frame.has_key:
            pointer = below(frame.pointer, _as_key(frame.key))
        else:  # a key: its value, which comes next, has the same pointer and perhaps a later line
            key = event.value if type(event).__name__ == "ScalarEvent" else "?"
            self.result.lines.setdefault(below(frame.pointer, _as_key(key)), event.start_mark.line + 1)
            return None
        self.result.lines.setdefault(pointer, event.start_mark.line + 1)
        return pointer

    def _complete(self, value: Any, size: int, anchor: str | None, event: Any) -> None:
        self._count(1)
        if size > _BOMB:
            raise AliasBombError("text", self._limits.text, "the YAML text is an alias bomb")
        self._over = self._over or size > _MOST_VALUES
        if anchor is not None:
            self._anchors[anchor] = (value, size)
        if not self._stack:
            self.result.documents.append(value)
            return
        frame = self._stack[-1]
        frame.size += size
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif not frame.has_key:
            frame.key, frame.has_key = value, True
        else:
            frame.has_key = False
            self._set(frame, value, event.start_mark.line + 1)

    def _count(self, values: int) -> None:
        self._values += values
        if self._values > _MOST_VALUES:
            raise self._too_many()

    def _too_many(self) -> LimitError:
        return LimitError("text", self._limits.text, "the YAML text holds too many values")

    def end(self) -> YamlText:
        """What the text holds; raises where its aliases make it too large to be walked through."""
        if self._over:
            raise self._too_many()
        return self.result

    def _set(self, frame: _Frame, value: Any, line: int) -> None:
        key = frame.key if isinstance(frame.key, str) else _as_key(frame.key)
        if key == "<<":
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    self._count(len(each))
                    frame.size += len(each)
                    for name, inherited in each.items():
                        if name not in frame.value:
                            frame.value[name] = inherited
                            frame.inherited = frame.inherited or set()
                            frame.inherited.add(name)
            return
        if frame.inherited is not None and key in frame.inherited:  # what is merged is there to be written over
            frame.inherited.discard(key)
            frame.value[key] = value
            return
        if key in frame.value and frame.value[key] is not value and len(self.result.duplicates) < 100:
            self.result.duplicates.append((key, line))
        frame.value[key] = value

    def _note_tag(self, event: Any) -> None:
        tag = event.tag
        if tag is None or tag == "!" or tag in _PLAIN_TAGS or len(self.result.tags) >= self._limits.records:
            return
        parts = [
            _as_key(frame.key)[:_LONGEST_POINTER] if isinstance(frame.value, dict) else str(len(frame.value))
            for frame in self._stack
        ]
        pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
        self.result.tags.append(Tag(tag[:1000], event.start_mark.line + 1, pointer[:_LONGEST_POINTER]))


def _as_key(key: Any) -> str:
    if isinstance(key, dict | list):  # a map or list as a key: legal, and nothing that a loader of ours looks up
        return "?"
    return key if isinstance(key, str) else str(key)


def _scalar(event: Any) -> Any:
    """YAML 1.1's plain scalars as far as checks tell them apart; everything else is text."""
    text: str = event.value
    if not event.implicit[0] and event.tag not in _TAGGED:
        return text
    if text in _NULLS:
        return None
    lower = text.lower()
    if lower in _BOOLS:
        return _BOOLS[lower]
    if _INT.match(text):
        return _whole(text)
    return float(text) if _FLOAT.match(text) else text


def _whole(text: str) -> int | str:
    """A whole number in one of the spellings of YAML 1.1, or of 1.2's octal numbers."""
    text = text.replace("_", "")
    digits = text.lstrip("+-")
    base = {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2].lower(), 8 if digits[:1] == "0" and len(digits) > 1 else 10)
    try:
        return int(text, base)
    except ValueError:  # 09 is text
        return text
