"""What is stated of a step beside its figures: notes for readers, and the same step as SLSA provenance."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from openvet.core.canonical import canonical_json
from openvet.evals.log import number
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.derivation_v1 import DerivationV1, Weights
from openvet.evidence.predicates.fields import Descriptor
from openvet.evidence.predicates.provenance_v1 import Builder, Provenance
from openvet.workflows.deriving_facts import FLOATS
from openvet.workflows.making import Made, Step
from openvet.workflows.measuring import Measured
from openvet.workflows.provenance import BUILDER
from openvet.workflows.statements import rules_of

__all__ = ["notes_on", "provenance_of", "said"]


def said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def notes_on(step: Step, before: Weights, after: Weights, made: Made, found: Measured) -> list[str]:
    """What the figures do not say by themselves."""
    notes = [f"the check of what was made would have a person look: {each}" for each in made.reviewed[:5]]
    if step.transform.id == "gguf-quantize":
        wanted = step.to.upper().removesuffix("_M").removesuffix("_S")
        if not any(each.type == wanted for each in after.mix):
            notes.append(
                f"There is not one tensor of the type {wanted} in what is called {step.to.upper()}: rows that cannot be cut in blocks of 256 get another type."
            )
    floats = sum(each.bytes for each in after.mix if each.type in FLOATS)
    if (
        step.transform.command == "quantize"
        and after.weight_bytes
        and floats > after.weight_bytes / 4
        and step.to != "f16"
    ):
        notes.append(
            f"{100 * floats / after.weight_bytes:.0f} % of the bytes are floats that were not compressed: see what stayed as it was."
        )
    if step.transform.command == "quantize" and after.bytes >= before.bytes:
        notes.append("It is not smaller than its parent.")
    if found.tasks and not any(
        each.measure in ("kl", "cosine", "flips", "same-text", "similarity-correlation") for each in found.agreement
    ):
        notes.append(
            "A task alone can look better than the parent by chance; agreement with the parent was not measured."
        )
    if after.weight_bytes < before.weight_bytes and found.slower:
        notes.append(
            "Smaller is not faster here: it takes longer than its parent on this processor, by a sign test over turns."
        )
    return notes


def provenance_of(body: DerivationV1, step: Step, made: Made) -> Provenance:
    """The same step as SLSA provenance, with what the child says of its work (losses, step by step) as a by-product.

    What is random is drawn from the seed among the parameters; the same inputs, seed and threads give the same file on the same processor and packages.
    """
    known = body.tool
    record = canonical_json({name: _plain(value) for name, value in made.record.items()})
    inputs = [Descriptor(name=body.parent.name, digest=dict(body.parent.digest), annotations={"role": "parent"})]
    inputs += [
        Descriptor(name=each.name, digest={"sha256": each.sha256}, annotations={"role": each.role})
        for each in body.inputs
        if each.role in step.transform.data
    ]
    return Provenance(
        build_type=f"{NAMES}/builds/{step.transform.id}/v1",
        external={"command": step.transform.command, "to": step.to, "settings": {name: said(value) for name, value in sorted(step.settings.items())}},
        internal=dict(body.runtime),
        inputs=tuple(inputs),
        builder=Builder(BUILDER, {known.name: known.version, **_versions(made.version)}, (rules_of(known),)),
        byproducts=(
            Descriptor(
                name="record",
                digest={"sha256": hashlib.sha256(record).hexdigest()},
                content=base64.b64encode(record).decode(),
                media_type="application/json",
            ),
        ),
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Numbers that are not whole as text: canonical JSON has no others."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return number(value) if isinstance(value, float) else value


def _versions(text: str) -> dict[str, str]:
    return {name: version for name, _, version in (each.partition(" ") for each in text.split(", ")) if version}
