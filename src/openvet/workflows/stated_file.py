"""A file in which a person states something, in TOML, YAML or JSON, with the line of everything in it."""

from __future__ import annotations

from typing import Any

from openvet.errors import ConfigError
from openvet.workflows.lined_text import read_json, read_yaml
from openvet.workflows.toml_reader import LARGEST, TomlReader

__all__ = ["StatedReader"]


class StatedReader(TomlReader):
    """Reads TOML, and YAML and JSON by their endings.

    Args:
        data: the file.
        shown: how problems name it.
        ending: of its name, lower case with the point.
        what: the file's top table in words, for a file that is none.
    """

    def __init__(self, data: bytes, shown: str, ending: str, what: str) -> None:
        super().__init__(data, shown)
        self._ending, self._what = ending, what

    def document(self) -> dict[str, Any]:
        """The file's top table (raises like :meth:`TomlReader.document`)."""
        if self._ending not in {".json", ".yaml", ".yml"}:
            return super().document()
        if len(self._data) > LARGEST:
            raise ConfigError(f"{self._shown}: is longer than {LARGEST} bytes")
        try:
            text = self._data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._data.count(b"\n", 0, error.start) + 1
            raise ConfigError(f"{self._shown}:{line}: is not UTF-8 text") from error
        read = read_json if self._ending == ".json" else read_yaml
        value, self.lines = read(text, self._shown)
        if not isinstance(value, dict):
            raise ConfigError(f"{self._shown}:1: must be a table with {self._what}")
        return value
