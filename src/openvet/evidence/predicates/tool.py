"""Which tool, with which knowledge, made a statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates.fields import FieldError, Fields

__all__ = ["Tool"]

_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """The tool behind a statement.

    Attributes:
        name, version: as published.
        digest: :attr:`knowledge`, or what computes it: a report on a terminal does not show it.
    """

    name: str
    version: str
    digest: str | Callable[[], str]

    @property
    def knowledge(self) -> str:
        """SHA-256 (hex) over the tool's own code and data files (readers, rules, tables).

        By it two results can be told to come from the same knowledge.
        """
        return self.digest if isinstance(self.digest, str) else self.digest()

    def __eq__(self, other: object) -> bool:
        return self.to_json() == other.to_json() if isinstance(other, Tool) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, "knowledge": {"sha256": self.knowledge}}

    @classmethod
    def take(cls, found: Fields) -> Tool:
        """The tool that ``found`` says, which is ended.

        Raises:
            FieldError: it says none, or its knowledge is no SHA-256.
        """
        knowledge = found.below("knowledge")
        made = cls(found.take("name", str), found.take("version", str), knowledge.take("sha256", str))
        if not _SHA256.fullmatch(made.knowledge):
            raise FieldError(f"{knowledge.at}/sha256 is no digest")
        for each in (knowledge, found):
            each.end()
        return made

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tool:
        return cls(value["name"], value["version"], value["knowledge"]["sha256"])
