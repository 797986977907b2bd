"""What a model says of itself is not what its tensors say.

What it finds:
    A configuration that asks for tensors of other shapes than the files have, or for tensors that are in no file; another
    type of numbers than the one that is declared; plain numbers where the configuration declares quantized ones; a GGUF file whose count of parameters, size label or type of file does
    not fit its tensors; a value that no model of that family can have, such as a negative number of layers; a file that is
    shorter than its header says.

Why it matters:
    The model does not load, or loads with weights that were never trained. Somebody who chose it by its label gets another
    size, precision or context than they planned for. A repository that was put together from parts of two models shows it here.

Example:
    ``"num_hidden_layers": 32`` in ``config.json``, and tensors of 24 layers.

Remedy:
    Look at ``openvet profile``, which shows both statements with their sources, and ask the publisher which one is meant. Plan
    with what was derived from the tensors.

What it cannot see:
    Whether weights of the right shape are the right weights; anything of a family that is not known, which the profile says.

References:
    ``openvet profile --format json``; https://huggingface.co/docs/transformers/main_classes/configuration
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.profile.profile import profile_parts

RULE = Rule(
    id="profile/contradiction",
    severity=Severity.NOTE,
    confidence=Confidence.HIGH,
    since="0.1.0",
    whole=True,
)

_REMEDY = "Compare both statements with openvet profile, and plan with what the tensors say."


def check(ctx: Context) -> Iterator[Finding]:
    """A finding for each pair of statements that cannot both be true, and for each that cannot be true by itself."""
    parts, _ = ctx.inventory.once(profile_parts)
    for part in parts:
        for each in part.comparisons:
            if not each.agree:
                where = next(iter(each.other.sources), Location(part.name))
                message = f"{each.what}: {each.note}"
                yield ctx.finding(where, message, _REMEDY, evidence={"is": each.one.value, "says": each.other.value})
        # a configuration that cannot be read contradicts nothing; file/malformed tells it
        for problem in part.problems if part.facts else ():
            yield ctx.finding(problem.location, problem.message, _REMEDY)
