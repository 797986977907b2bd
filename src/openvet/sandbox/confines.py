"""How much a confined child may spend."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError

__all__ = ["Confines"]

MiB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Confines:
    """The bounds of one child.

    Attributes:
        seconds: wall time for one answer; after it the child is killed.
        cpu_seconds: processor time of the child's whole life.
        memory: bytes of address space.
        message: bytes of one question or one answer.
    """

    seconds: float = 30.0
    cpu_seconds: int = 600
    memory: int = 4096 * MiB
    message: int = 64 * MiB

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise UsageError(f"confines: {field.name} must be greater than zero")

    def to_text(self) -> str:
        """As one argument of the child's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Confines:
        return cls(**json.loads(text))
