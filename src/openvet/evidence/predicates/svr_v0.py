"""in-toto's simple verification result (SVR): which properties a verifier saw hold. The spec page is ``svr_v0.md``.

Version 0.2 is written; 0.1, in which policies could be left out, is read as well.

Source: in-toto attestation framework, ``spec/predicates/svr.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.fields import Descriptor, FieldError, Fields, with_extensions, without_none

__all__ = ["OLDER_TYPE", "PREDICATE_TYPE", "SimpleVerification"]

PREDICATE_TYPE: Final = "https://in-toto.io/attestation/svr/v0.2"
OLDER_TYPE: Final = "https://in-toto.io/attestation/svr/v0.1"


@dataclass(frozen=True, slots=True)
class SimpleVerification:
    """What held, at one point in time.

    Attributes:
        verifier: URI of who verified; who that is says the signature.
        time: when.
        properties: those that hold; one that is not there was not seen to hold.
        policies: what it was held against; only ``None``, not there, in version 0.1.
        extensions: fields that the specification does not name, by their JSON Pointers.
    """

    verifier: str
    time: str
    properties: tuple[str, ...]
    policies: tuple[Descriptor, ...] | None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    predicate_type: str = PREDICATE_TYPE

    def to_json(self) -> dict[str, Any]:
        policies = None if self.policies is None else [each.to_json() for each in self.policies]
        body = {
            "verifier": without_none({"id": self.verifier, "policies": policies}),
            "timeCreated": self.time,
            "properties": list(self.properties),
        }
        return with_extensions(body, self.extensions)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], predicate_type: str = PREDICATE_TYPE) -> SimpleVerification:
        """Take a body of version 0.2, or of the version that ``predicate_type`` says.

        Raises:
            FieldError: it is none of this kind.
        """
        found = Fields(value)
        verifier = found.below("verifier")
        policies = verifier.may_objects("policies")
        if policies is None and predicate_type != OLDER_TYPE:
            raise FieldError("/verifier/policies is not there")
        made = cls(
            verifier=verifier.uri("id"),
            time=found.time("timeCreated"),
            properties=found.texts("properties"),
            policies=None if policies is None else tuple(map(Descriptor.take, policies)),
            extensions=found.extensions,
            predicate_type=predicate_type,
        )
        verifier.end()
        found.end()
        return made
