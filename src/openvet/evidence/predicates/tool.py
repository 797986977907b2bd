"""Which tool, with which knowledge, made a statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvet.core.dataclass import dataclass

__all__ = ["Tool"]


@dataclass(frozen=True, slots=True)
class Tool:
    """The tool behind a statement.

    Attributes:
        name, version: as published.
        knowledge: SHA-256 (hex) over the tool's own code and data files (readers, rules, tables), so that two results
            can be told to come from the same knowledge.
    """

    name: str
    version: str
    knowledge: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "knowledge": {"sha256": self.knowledge}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tool:
        return cls(value["name"], value["version"], value["knowledge"]["sha256"])
