"""What a policy pack decided, in the words of others: SLSA's verification summary (VSA) and in-toto's simple verification result (SVR).

Both are made of the decision alone, so that who has the decision can make them again. They say less: a VSA that it was admitted or not, an SVR what
holds. Why something does not hold, and what nobody can say yet, stands in the decision.
"""

from __future__ import annotations

from typing import Final

from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.decision_v1 import DecisionV1
from openvet.evidence.predicates.fields import Descriptor
from openvet.evidence.predicates.svr_v0 import SimpleVerification
from openvet.evidence.predicates.verification_summary_v1 import FAILED, PASSED, VerificationSummary
from openvet.evidence.statement import Predicate, ResourceDescriptor, Statement
from openvet.workflows.statements import UNEVALUATED, VERIFIER, resource_of

__all__ = ["RESULTS", "result_statement"]

#: Statements that a decision can be given as.
RESULTS: Final = ("decision", "svr", "vsa")
_HOLDS: Final = ("satisfied-by-evidence", "satisfied-by-attestation")


def result_statement(kind: str, subject: ResourceDescriptor, decision: DecisionV1, resource: str = "") -> Statement:
    """A decision about ``subject`` as a statement of ``kind``, one of :data:`RESULTS`.

    Args:
        resource: for a VSA: the URI under which its users know the model; '' takes one made from the digest.

    Raises:
        UsageError: the URI is none.
    """
    made: Predicate = decision
    if kind == "svr":
        made = _svr(decision)
    elif kind == "vsa":
        made = _vsa(decision, resource_of(resource, "", subject.digest))
    return Statement(subject, made)


def _time(decision: DecisionV1) -> str:
    """When it was verified: the day that is asked about, since nothing else of a decision depends on the clock."""
    return f"{decision.as_of}T00:00:00Z"


def _policy(decision: DecisionV1) -> Descriptor:
    """The pack by its own file. A team's configuration makes another policy of it, whose URI says so."""
    uri = f"{NAMES}/packs/{decision.pack.id}/v{decision.pack.version}"
    if decision.configuration:
        uri += f"?configuration={decision.configuration}"
    return Descriptor(uri=uri, digest={"sha256": decision.pack.files[0]})


def _admitted(decision: DecisionV1) -> str:
    waived = any(each.waived is not None for each in decision.lines)
    return f"OPENVET_ADMITTED_BY_PACK_{decision.pack.id.upper().replace('-', '_')}{'_WITH_WAIVERS' if waived else ''}"


def _svr(decision: DecisionV1) -> SimpleVerification:
    """What holds: that the pack admits the model, and each line that is satisfied, with how that is known."""
    below = tuple(Descriptor(digest={"sha256": each}) for each in decision.pack.files[1:])
    team = Descriptor(name="openvet.toml", digest={"sha256": decision.configuration})
    admitted = (_admitted(decision),) if decision.verdict == "admit" else ()
    lines = tuple(
        f"OPENVET_{each.outcome.upper().replace('-', '_')}:{decision.pack.id}/{each.id}"
        for each in decision.lines
        if each.outcome in _HOLDS
    )
    return SimpleVerification(
        verifier=VERIFIER,
        time=_time(decision),
        properties=(*admitted, *lines),
        policies=(_policy(decision), *below, *((team,) if decision.configuration else ())),
    )


def _vsa(decision: DecisionV1, resource: str) -> VerificationSummary:
    """Passed where it is admitted; what a person has to look at, or nobody can say, has not passed."""
    passed = decision.verdict == "admit"
    return VerificationSummary(
        verifier=VERIFIER,
        version={decision.tool.name: decision.tool.version},
        time=_time(decision),
        resource=resource,
        policy=_policy(decision),
        inputs=tuple(Descriptor(digest={"sha256": each.sha256}) for each in decision.inputs),
        result=PASSED if passed else FAILED,
        levels=(UNEVALUATED, _admitted(decision)) if passed else (FAILED,),
    )
