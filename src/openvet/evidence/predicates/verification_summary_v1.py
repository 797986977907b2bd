"""SLSA's verification summary (VSA): a verifier held an artefact against a policy, and it passed or not.

The spec page is ``verification_summary_v1.md``.

Source: SLSA ``verification_summary`` (predicate ``https://slsa.dev/verification_summary/v1``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.fields import Descriptor, FieldError, Fields, with_extensions, without_none

__all__ = ["FAILED", "PASSED", "PREDICATE_TYPE", "VerificationSummary"]

PREDICATE_TYPE: Final = "https://slsa.dev/verification_summary/v1"
PASSED: Final = "PASSED"
FAILED: Final = "FAILED"


@dataclass(frozen=True, slots=True)
class VerificationSummary:
    """The outcome of one policy.

    Attributes:
        verifier: URI of who verified; who that is says the signature.
        policy: what it was held against; has a ``uri``.
        resource: URI of what was verified, as its user knows it.
        result: :data:`PASSED` or :data:`FAILED`.
        levels: what was verified; only ``FAILED`` where it did not pass.
        time: when.
        inputs: the statements that it was computed from; each has a digest.
        version: of the verifier, by component.
        dependencies: how many dependencies have which level; ``None`` says nothing about them.
        slsa: version of the SLSA specification.
        extensions: fields that the specification does not name, by their JSON Pointers.
    """

    verifier: str
    policy: Descriptor
    resource: str
    result: str
    levels: tuple[str, ...]
    time: str | None = None
    inputs: tuple[Descriptor, ...] | None = None
    version: Mapping[str, str] | None = None
    dependencies: Mapping[str, int] | None = None
    slsa: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        version = None if self.version is None else dict(self.version)
        body = {
            "verifier": without_none({"id": self.verifier, "version": version}),
            "timeVerified": self.time,
            "resourceUri": self.resource,
            "policy": self.policy.to_json(),
            "inputAttestations": None if self.inputs is None else [each.to_json() for each in self.inputs],
            "verificationResult": self.result,
            "verifiedLevels": list(self.levels),
            "dependencyLevels": None if self.dependencies is None else dict(self.dependencies),
            "slsaVersion": self.slsa,
        }
        return with_extensions(without_none(body), self.extensions)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> VerificationSummary:
        """Take a body.

        Raises:
            FieldError: it is none of this kind; one that says ``PASSED`` and ``FAILED`` is none.
        """
        found = Fields(value)
        verifier = found.below("verifier")
        inputs = found.may_objects("inputAttestations")
        made = cls(
            verifier=verifier.uri("id"),
            version=verifier.may_map("version", str),
            time=found.may_time("timeVerified"),
            resource=found.uri("resourceUri"),
            policy=Descriptor.take(found.below("policy")),
            inputs=None if inputs is None else tuple(map(Descriptor.take, inputs)),
            result=found.word("verificationResult", (PASSED, FAILED)),
            levels=found.texts("verifiedLevels"),
            dependencies=found.may_map("dependencyLevels", int),
            slsa=found.may("slsaVersion", str),
            extensions=found.extensions,
        )
        if not made.policy.uri:
            raise FieldError("/policy has no uri")
        if not all(each.digest for each in made.inputs or ()):
            raise FieldError("/inputAttestations names one without its digest")
        if made.result == PASSED and FAILED in made.levels:
            raise FieldError("/verificationResult is PASSED, and /verifiedLevels says FAILED")
        verifier.end()
        found.end()
        return made
