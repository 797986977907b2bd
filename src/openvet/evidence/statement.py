"""in-toto Statement v1: one typed predicate about one subject; unsigned here, signed by :mod:`openvet.evidence.signing`.

Source: in-toto attestation framework, ``spec/v1/statement.md`` and ``resource_descriptor.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from openvet.core.dataclass import dataclass

__all__ = ["STATEMENT_TYPE", "Predicate", "ResourceDescriptor", "Statement"]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class Predicate(Protocol):
    """What a statement carries."""

    @property
    def predicate_type(self) -> str: ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class ResourceDescriptor:
    """A subject: its name and its digests. ``digest`` is empty when not all of it could be read."""

    name: str
    digest: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "digest": dict(self.digest)}


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim about one subject; about several, where one act made them all (``others``)."""

    subject: ResourceDescriptor
    predicate: Predicate
    others: tuple[ResourceDescriptor, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "_type": STATEMENT_TYPE,
            "subject": [self.subject.to_json(), *(each.to_json() for each in self.others)],
            "predicateType": self.predicate.predicate_type,
            "predicate": self.predicate.to_json(),
        }
