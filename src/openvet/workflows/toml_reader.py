"""A TOML file that a person wrote, read strictly: every problem is named with its line, and the file is taken whole or not at all."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any, Final

from openvet.core.text import printable
from openvet.errors import ConfigError
from openvet.workflows.toml_lines import Path, key_lines, nearest

__all__ = ["LARGEST", "TomlReader", "near_word"]

#: Bytes of a file that a person writes.
LARGEST: Final = 4 * 1024 * 1024
_LONGEST: Final = 1000
_SAID: Final = 50


class TomlReader:
    """One file. Problems are collected while it is read, so that a person learns of all of them at once.

    Args:
        data: the file.
        shown: how problems name it.

    Attributes:
        lines: where each key stands, once :meth:`document` was called.
    """

    def __init__(self, data: bytes, shown: str) -> None:
        self.lines: dict[Path, int] = {}
        self._data, self._shown = data, shown
        self._problems: list[tuple[int, str]] = []

    def document(self) -> dict[str, Any]:
        """The file's top table.

        Raises:
            ConfigError: it is too long, or no TOML.
        """
        if len(self._data) > LARGEST:
            raise ConfigError(f"{self._shown}: is longer than {LARGEST} bytes")
        try:
            text = self._data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._data.count(b"\n", 0, error.start) + 1
            raise ConfigError(f"{self._shown}:{line}: is not UTF-8 text") from error
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"\(at line (\d+)", str(error))
            line = int(place[1]) if place else text.count("\n") + 1
            why = re.sub(r" \(at [^()]*\)$", "", str(error))
            raise ConfigError(f"{self._shown}:{line}: is not TOML: {printable(why)[:200]}") from error
        except (RecursionError, ValueError) as error:  # nested too deeply, or a number of thousands of digits
            raise ConfigError(f"{self._shown}:1: is not TOML that can be read: {type(error).__name__}") from error
        self.lines = key_lines(text)
        return document

    def entries(self, value: Any, path: Path, spelling: str) -> list[tuple[Path, Any]]:
        """The tables of an array of tables, each with its path; ``spelling`` is how the file writes it."""
        if not isinstance(value, list):
            self.problem(path, f"{path[0]} must be a list of tables; write {spelling}")
            return []
        return [((*path, index), each) for index, each in enumerate(value)]

    def table(self, value: Any, path: Path, known: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
        """``value`` as a table, without keys that are not ``known``, which are problems, as are ``required`` ones that are missing."""
        where = f" in [{path[0]}]" if path else ""
        if not isinstance(value, dict):
            self.problem(path, f"{path[0] if path else 'the file'} must be a table")
            return {}
        for key in value:
            if key not in known:
                self.problem((*path, key), f"unknown key {printable(key)[:100]!r}{where}{near_word(key, known)}")
        missing = sorted(set(required) - set(value))
        if missing:
            self.problem(path, f"{path[0]} needs {' and '.join(missing)}")
        return {key: each for key, each in value.items() if key in known}

    def text(self, table: Mapping[str, Any], at: Path, key: str) -> str | None:
        """The text at ``key``, its white space folded; ``None`` where it is missing, or a problem."""
        if key not in table:
            return None
        value = table[key]
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
            self.problem((*at, key), f"{key} must be a text that says something, of at most {_LONGEST} characters")
            return None
        return printable(" ".join(value.split()))

    def problem(self, path: Path, text: str) -> None:
        """Note what is wrong at ``path``."""
        self._problems.append((nearest(self.lines, path), text))

    @property
    def faultless(self) -> bool:
        """Whether no problem was noted so far."""
        return not self._problems

    def finish(self) -> None:
        """Say what is wrong with the file.

        Raises:
            ConfigError: something is; the first fifty problems in order of their lines.
        """
        if self._problems:
            raise ConfigError(*(f"{self._shown}:{line}: {text}" for line, text in sorted(self._problems)[:_SAID]))


def near_word(word: str, known: Collection[str]) -> str:
    """`` did you mean``, where one of the ``known`` words is like ``word``; else ''."""
    import difflib

    near = difflib.get_close_matches(word[:100], sorted(known), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""
