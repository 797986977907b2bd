"""Python code that comes with the model runs code of other repositories by itself.

What it finds:
    Calls that hand on ``trust_remote_code=True`` (``from_pretrained``, ``pipeline``, ``load_dataset``, ``SentenceTransformer``), by a
    keyword or in a dictionary of keywords, at import, when a class is constructed or loaded, and when the model is used. Where code
    that loaders take (``modeling_x.py``) names a repository of an account that OpenVet does not know, it is of high severity. In other
    code it is a note where the repository is what a user names, or one of a publisher that OpenVet knows.

Why it matters:
    Whether code of a repository may run is for the person who loads the model to say. Here the code says it for them, and what
    the other repository holds was not looked at and can change at any time.

Example:
    ``self.encoder = AutoModel.from_pretrained("somebody/encoder", trust_remote_code=True)`` in the constructor of a model.

Remedy:
    Vet the repository that is named, and pin its revision (``revision=`` and ``code_revision=``), or delete the argument.

What it cannot see:
    Functions that nothing calls, keywords that are put together, and what the other repository holds. ``from_config`` takes the code
    that lies beside the model, and is left out.

References:
    CWE-829; https://huggingface.co/docs/transformers/models#custom-models
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._programs import is_users_choice
from openvet.checks.python._taken import OF_A_CONFIGURATION
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/trusts-remote-code",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {
    "import": (Severity.MEDIUM, Confidence.HIGH),
    "construction": (Severity.MEDIUM, Confidence.HIGH),
    "inference": (Severity.LOW, Confidence.HIGH),
}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    remedy = "Vet the repository that is named, and pin its revision."
    for finding in found(ctx, "trust", "runs code of another repository", remedy, _GRADES):
        taken = OF_A_CONFIGURATION.search(finding.location.place) is not None
        ours = is_users_choice(str(finding.evidence["detail"]))
        if taken and not ours and finding.severity is Severity.MEDIUM:
            yield replace(finding, severity=Severity.HIGH, confidence=Confidence.MEDIUM)
        elif ours and not taken:  # what whoever makes an object of it names, and no loader does
            yield replace(finding, severity=Severity.NOTE)
        else:
            yield finding
