"""SLSA provenance: what was made, of what, by whom, and how. The spec page is ``provenance_v1.md``.

Source: SLSA ``build-provenance`` (predicate ``https://slsa.dev/provenance/v1``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.fields import Descriptor, Fields, with_extensions, without_none

__all__ = ["PREDICATE_TYPE", "Builder", "Provenance"]

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"


@dataclass(frozen=True, slots=True)
class Builder:
    """Who made it: a URI that stands for everything that was trusted with the making; versions by component."""

    id: str
    version: Mapping[str, str] | None = None
    dependencies: tuple[Descriptor, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "id": self.id,
                "builderDependencies": _listed(self.dependencies),
                "version": None if self.version is None else dict(self.version),
            }
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the subjects of a statement were made.

    Attributes:
        build_type: a URI that says how to understand the parameters.
        external, internal: parameters that whoever asked for it chose, and those that the builder set.
        inputs: what it was made of (``resolvedDependencies``).
        builder: who made it.
        invocation, started, finished: of the run itself.
        byproducts: what else came out.
        with_metadata: whether the run's own object is there, which may be empty.
        extensions: fields that the specification does not name, by their JSON Pointers.

    ``None`` is a field that is not there.
    """

    build_type: str
    external: Mapping[str, Any]
    builder: Builder
    inputs: tuple[Descriptor, ...] | None = None
    internal: Mapping[str, Any] | None = None
    byproducts: tuple[Descriptor, ...] | None = None
    invocation: str | None = None
    started: str | None = None
    finished: str | None = None
    with_metadata: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict)
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        run = {"invocationId": self.invocation, "startedOn": self.started, "finishedOn": self.finished}
        body = {
            "buildDefinition": without_none(
                {
                    "buildType": self.build_type,
                    "externalParameters": dict(self.external),
                    "internalParameters": None if self.internal is None else dict(self.internal),
                    "resolvedDependencies": _listed(self.inputs),
                }
            ),
            "runDetails": without_none(
                {
                    "builder": self.builder.to_json(),
                    "metadata": without_none(run) if self.with_metadata else None,
                    "byproducts": _listed(self.byproducts),
                }
            ),
        }
        return with_extensions(body, self.extensions)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Provenance:
        """Take a body.

        Raises:
            FieldError: it is none of this kind.
        """
        found = Fields(value)
        definition, run = found.below("buildDefinition"), found.below("runDetails")
        builder, metadata = run.below("builder"), run.may_below("metadata")
        made = cls(
            build_type=definition.uri("buildType"),
            external=definition.take("externalParameters", dict),
            internal=definition.may("internalParameters", dict),
            inputs=_taken(definition, "resolvedDependencies"),
            builder=Builder(builder.uri("id"), builder.may_map("version", str), _taken(builder, "builderDependencies")),
            byproducts=_taken(run, "byproducts"),
            invocation=None if metadata is None else metadata.may("invocationId", str),
            started=None if metadata is None else metadata.may_time("startedOn"),
            finished=None if metadata is None else metadata.may_time("finishedOn"),
            with_metadata=metadata is not None,
            extensions=found.extensions,
        )
        for each in (builder, metadata, definition, run, found):
            if each is not None:
                each.end()
        return made


def _listed(descriptors: tuple[Descriptor, ...] | None) -> list[dict[str, Any]] | None:
    return None if descriptors is None else [each.to_json() for each in descriptors]


def _taken(found: Fields, name: str) -> tuple[Descriptor, ...] | None:
    each = found.may_objects(name)
    return None if each is None else tuple(map(Descriptor.take, each))
