"""YAML and JSON that a person wrote, as plain values and the line of each key. Nothing is constructed but text, numbers, lists and tables.

Anchors, aliases and tags are refused: whoever states figures needs none, and each is a way to make one thing look like another.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import ConfigError
from openvet.workflows.toml_lines import Path

__all__ = ["read_json", "read_yaml"]

_MOST_VALUES: Final = 20_000
_DEEPEST: Final = 20
_INT: Final = pattern(r"[-+]?[0-9]{1,100}\Z")
_FLOAT: Final = pattern(r"[-+]?([0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})([eE][-+]?[0-9]{1,4})?\Z")
_WORDS: Final = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
    ".nan": float("nan"),
    ".inf": float("inf"),
}


def read_json(text: str, shown: str) -> tuple[Any, dict[Path, int]]:
    """The value, and the line (from 1) of each key as far as it can be told.

    Raises:
        ConfigError: it is no JSON, or has a key twice.
    """
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{shown}:{error.lineno}: is not JSON: {printable(error.msg)[:200]}") from error
    except RecursionError as error:
        raise ConfigError(f"{shown}:1: is nested too deeply") from error
    except ValueError as error:  # a key twice, or a number of thousands of digits
        raise ConfigError(f"{shown}:1: is not JSON that can be read: {printable(str(error))[:200]}") from error
    try:  # JSON without its tabs is YAML, which says where things stand
        return value, read_yaml(text.replace("\t", " "), shown)[1]
    except ConfigError:
        return value, {}


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {printable(twice)[:100]!r} is there twice")
    return out


def read_yaml(text: str, shown: str) -> tuple[Any, dict[Path, int]]:
    """The one document, and the line (from 1) of each key.

    Raises:
        ConfigError: it is no YAML, has more than one document, a key twice, an anchor, an alias or a tag, or is too large.
    """
    import yaml

    walk = _Walk(shown)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            walk.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "syntax error"
        line = 1 if mark is None else mark.line + 1
        raise ConfigError(f"{shown}:{line}: is not YAML: {printable(str(why))[:200]}") from error
    except (RecursionError, ValueError, OverflowError) as error:
        raise ConfigError(f"{shown}:1: is not YAML that can be read: {type(error).__name__}") from error
    return walk.value, walk.lines


class _Walk:
    """Builds the value from the parser's events, with a stack of its own."""

    def __init__(self, shown: str) -> None:
        self.value: Any = None
        self.lines: dict[Path, int] = {}
        self._shown = shown
        self._stack: list[tuple[Any, Path]] = []
        self._key: list[str | None] = []
        self._values = self._documents = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        if kind == "AliasEvent" or getattr(event, "anchor", None):
            raise self._refusal(line, "has an anchor or an alias (& or *), which is not taken; write the value out")
        if kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                raise self._refusal(line, "has a second document; one is taken")
        elif kind in ("ScalarEvent", "MappingStartEvent", "SequenceStartEvent"):
            if event.tag is not None:
                raise self._refusal(line, "has a tag (!), which is not taken")
            self._begin(event, kind, line)
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._stack.pop()
            self._key.pop()

    def _refusal(self, line: int, why: str) -> ConfigError:
        return ConfigError(f"{self._shown}:{line}: {why}")

    def _begin(self, event: Any, kind: str, line: int) -> None:
        self._values += 1
        if self._values > _MOST_VALUES or len(self._stack) > _DEEPEST:
            raise self._refusal(line, "has too many values, or too deep ones")
        if self._stack and isinstance(self._stack[-1][0], dict) and self._key[-1] is None:
            if kind != "ScalarEvent":
                raise self._refusal(line, "has a key that is no word")
            self._name(event.value, line)
            return
        value: Any = {} if kind == "MappingStartEvent" else [] if kind == "SequenceStartEvent" else _scalar(event)
        path = self._keep(value, line)
        if kind != "ScalarEvent":
            self._stack.append((value, path))
            self._key.append(None)

    def _name(self, key: str, line: int) -> None:
        table, path = self._stack[-1]
        if key in table:
            raise self._refusal(line, f"has the key {printable(key)[:100]!r} twice")
        self._key[-1] = key
        self.lines[(*path, key)] = line

    def _keep(self, value: Any, line: int) -> Path:
        if not self._stack:
            self.value = value
            return ()
        holder, path = self._stack[-1]
        if isinstance(holder, list):
            holder.append(value)
            path = (*path, len(holder) - 1)
            self.lines[path] = line
            return path
        key = self._key[-1]
        if key is None:
            raise AssertionError("a value of a mapping follows its key")
        holder[key] = value
        self._key[-1] = None
        return (*path, key)


def _scalar(event: Any) -> Any:
    """A plain scalar as the number or word that it is; a quoted one is text."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return _WORDS.get(text.lower(), text)
