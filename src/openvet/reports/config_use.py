"""What a report says of the team's configuration: which file, by which digest, and which of its entries are of no use."""

from __future__ import annotations

from typing import Any

from openvet.core.dataclass import dataclass

__all__ = ["ConfigName", "ConfigUse", "Idle", "IgnoredFile"]


@dataclass(frozen=True, slots=True)
class ConfigName:
    """The file in use, as printable text; its SHA-256; the day by which its entries expire, where the decision depends on one."""

    file: str
    sha256: str | None
    date: str | None

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "sha256": self.sha256, "date": self.date}


@dataclass(frozen=True, slots=True)
class Idle:
    """An entry that does nothing: ``kind`` is ``expired`` or ``unused``."""

    line: int
    kind: str
    message: str

    def to_json(self) -> dict[str, Any]:
        return {"line": self.line, "kind": self.kind, "message": self.message}


@dataclass(frozen=True, slots=True)
class IgnoredFile:
    """A configuration that is there and is not used."""

    file: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "why": self.why}


@dataclass(frozen=True, slots=True)
class ConfigUse:
    """All of it, for one command.

    Attributes:
        name: the file in use; ``None`` where there is none.
        source: how it was found.
        strict: whether what is not proven to be data is rejected.
        idle: its entries that do nothing.
        ignored: the files that are not used, and why.
    """

    name: ConfigName | None
    source: str
    strict: bool
    idle: tuple[Idle, ...] = ()
    ignored: tuple[IgnoredFile, ...] = ()

    def lines(self) -> list[str]:
        """Each entry that does nothing as a line for a person, with its place."""
        file = self.name.file if self.name is not None else ""
        return [f"{file}:{each.line}: {each.message}" if each.line else each.message for each in self.idle]

    def to_json(self) -> dict[str, Any]:
        return {
            "file": None if self.name is None else self.name.file,
            "sha256": None if self.name is None else self.name.sha256,
            "date": None if self.name is None else self.name.date,
            "source": self.source,
            "strict": self.strict,
            "idle": [each.to_json() for each in self.idle],
            "ignored": [each.to_json() for each in self.ignored],
        }
