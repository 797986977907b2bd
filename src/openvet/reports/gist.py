"""The gist of a statement of each known kind, in a line or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openvet.evidence.predicates.admission_v1 import AdmissionV1
    from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
    from openvet.evidence.predicates.answers_v1 import AnswersV1
    from openvet.evidence.predicates.bench_v1 import BenchV1
    from openvet.evidence.predicates.card_v1 import CardV1
    from openvet.evidence.predicates.claims_v1 import Claims
    from openvet.evidence.predicates.decision_v1 import DecisionV1
    from openvet.evidence.predicates.derivation_v1 import DerivationV1
    from openvet.evidence.predicates.diff_v1 import DiffV1
    from openvet.evidence.predicates.eval_plan_v1 import EvalPlanV1
    from openvet.evidence.predicates.eval_v1 import EvalV1
    from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1
    from openvet.evidence.predicates.inventory_v1 import InventoryV1
    from openvet.evidence.predicates.licenses_v1 import LicensesV1
    from openvet.evidence.predicates.lineage_v1 import LineageV1
    from openvet.evidence.predicates.observation_v1 import ObservationV1
    from openvet.evidence.predicates.openness_v1 import OpennessV1
    from openvet.evidence.predicates.origin_v1 import OriginV1
    from openvet.evidence.predicates.profile_v1 import ProfileV1
    from openvet.evidence.predicates.provenance_v1 import Provenance
    from openvet.evidence.predicates.revocations_v1 import RevocationsV1
    from openvet.evidence.predicates.rights_v1 import RightsV1
    from openvet.evidence.predicates.scan_v1 import Scan
    from openvet.evidence.predicates.svr_v0 import SimpleVerification
    from openvet.evidence.predicates.test_result_v0 import SuiteResult
    from openvet.evidence.predicates.verification_summary_v1 import VerificationSummary
    from openvet.evidence.predicates.vulns_v0 import Vulns

__all__ = ["gist"]

_LISTED: Final = 10


def gist(predicate: Any) -> list[str] | None:
    """What a predicate says, in a line or more that may hold any text; ``None`` for a kind that is not known."""
    known = _GISTS.get(type(predicate).__name__)
    return None if known is None else known(predicate)


def _scan(found: Scan) -> list[str]:
    findings, unknowns = len(list(found.all_findings())), len(list(found.all_unknowns()))
    return [f"findings: {findings}, unknowns: {unknowns}, files: {len(found.files)}"]


def _inventory(found: InventoryV1) -> list[str]:
    return [f"facts: {len(found.facts)}, files and members: {len(found.items)}"]


def _profile(found: ProfileV1) -> list[str]:
    return [f"models and parts of models: {len(found.parts) + found.left_off}"]


def _card(found: CardV1) -> list[str]:
    problems = sum(len(one.problems) for one in found.documents)
    return [f"documents: {', '.join(one.kind for one in found.documents[:_LISTED]) or 'none'}, problems: {problems}"]


def _answers(found: AnswersV1) -> list[str]:
    about = f" about {found.about}" if found.about else ""
    return [
        f"answers of {', '.join(found.by.values())}{about}: {', '.join(one.question for one in found.answers[:_LISTED]) or 'none'}"
    ]


def _decision(found: DecisionV1) -> list[str]:
    counts = Counter(one.outcome for one in found.lines)
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    return [f"decision of {found.pack.name} as of {found.as_of}: {found.verdict} ({said or 'no requirement'})"]


def _claims(found: Claims) -> list[str]:
    first = f"claims about {found.name}: {found.verdict or 'nothing was published'}"
    return [first, *(f"{one.figure}: {one.verdict}" for one in found.judgements[:_LISTED])]


def _eval(found: EvalV1) -> list[str]:
    figure = found.figure
    span = "no interval" if figure.low is None else f"{figure.low} to {figure.high} at {figure.level}"
    first = (
        f"{found.task.label} of {found.model.name} on {found.task.name}: {figure.value} ({span}, {figure.n} samples)"
    )
    plan = (
        []
        if found.plan is None
        else [f"planned; deviations: {', '.join(each.what for each in found.plan.deviations) or 'none'}"]
    )
    return [first, *plan, *found.notes[:_LISTED]]


def _bench(found: BenchV1) -> list[str]:
    named = (found.figure(each) for each in ("request-p50", "request-p90", "decode-rate", "peak-resident"))
    figures = ", ".join(f"{each.name} {each.value} {each.unit}" for each in named if each is not None)
    about = f"bench of {found.model.name} on {found.machine.cpu}: {found.outcome}, {'certified' if found.certified else 'not certified'}"
    return [f"{about}; {figures or found.detail or 'no figure'}", *found.reasons[:_LISTED]]


def _eval_plan(found: EvalPlanV1) -> list[str]:
    return [
        f"plan: {found.samples} samples of {found.task.name}, to resolve {found.detectable} with power {found.power}"
    ]


def _derivation(found: DerivationV1) -> list[str]:
    name = f"{found.method} {found.parameters.get('to', '')}".strip()
    size = f"{found.before.bytes:,} bytes became {found.after.bytes:,}, {found.after.bits} real bits per weight"
    measured = ", ".join(f"{each.measure} {float(each.value):.4g}" for each in found.agreement[:_LISTED])
    return [
        f"made of {found.parent.name} by {name}: {found.verdict}",
        size,
        *([measured] if measured else []),
        *found.notes[:_LISTED],
    ]


def _admission(found: AdmissionV1) -> list[str]:
    until = f", until {found.until}" if found.until else ""
    return [
        f"{found.kind} of {found.name}@{found.commit[:8]} by {found.by}: {found.outcome}{until}",
        found.reason,
        *(f"{each.by}: {each.reason}" for each in found.approvals),
    ]


def _revocations(found: RevocationsV1) -> list[str]:
    head = f"list {found.number} of what is revoked in {found.project}, made {found.at}, to be relied on until {found.until}"
    return [head, f"commits that are revoked: {len(found.revoked)}"]


def _advisories(found: AdvisoriesV1) -> list[str]:
    counts = Counter(each.status for each in found.hits)
    hits = ", ".join(f"{status}: {count}" for status, count in sorted(counts.items())) or "none"
    return [f"published problems known up to {found.snapshot.date}: {hits}"]


def _licenses(found: LicensesV1) -> list[str]:
    return [
        f"declared and found: {found.model.state}",
        f"declarations: {len(found.declared)}, texts: {len(found.found)}",
    ]


def _rights(found: RightsV1) -> list[str]:
    answers = [f"{one.use}: {one.verdict}" for one in found.answers[:_LISTED]]
    return [*answers, f"duties: {len(found.duties)}, dropped or contradicted: {len(found.drifts)}"]


def _openness(found: OpennessV1) -> list[str]:
    against = sum(one.count("against") for one in found.checklists)
    classes = ", ".join(f"{one.name} {one.reached or 'none'}" for one in found.readings)
    return [
        f"class of the Model Openness Framework: {classes}",
        f"lines of checklists with something against them: {against}",
    ]


def _lineage(found: LineageV1) -> list[str]:
    names = {node.id: node.name for node in found.nodes}
    tested = [f"{one.claim} of {names[one.origin]}: {one.verdict}" for one in found.tests[:_LISTED]]
    return [f"origins: {len(found.origins())}, tests: {len(found.tests)}", *tested]


def _fingerprint(found: FingerprintV1) -> list[str]:
    return [f"sketches of {len(found.tensors)} matrices ({found.recipe})"]


def _observation(found: ObservationV1) -> list[str]:
    level = f"level {found.walls.level}{', no isolation accepted' if found.walls.accepted else ''}"
    loads = [f"{one.path or 'the model'} by {one.loader}: {one.verdict}" for one in found.loads[:_LISTED]]
    return [
        f"{found.verdict} in a sandbox of {level}, which is no proof of safety; not loaded: {len(found.not_loaded)}",
        *loads,
    ]


def _origin(found: OriginV1) -> list[str]:
    place = "nowhere that is known" if found.published is None else found.published.repository
    remarks = ", ".join(one.kind for one in found.remarks[:_LISTED]) or "none"
    return [f"published at {place}, signers: {len(found.signers)}, remarks: {remarks}"]


def _diff(found: DiffV1) -> list[str]:
    tensors = sum(sum(one.counts().values()) - one.counts().get("equal", 0) for one in found.models)
    parts = (("files", found.files), ("values", found.values), ("texts", found.texts))
    counts = ", ".join(f"{name}: {len(each)}" for name, each in parts)
    return [f"beside {found.name_a}: {found.verdict}", f"{counts}, tensors: {tensors}"]


def _suite(found: SuiteResult) -> list[str]:
    failed = f": failed {', '.join(found.failed[:_LISTED])}" if found.failed else ""
    return [f"{found.result}{failed}", f"passed: {len(found.passed or ())}, warned: {len(found.warned or ())}"]


def _summary(found: VerificationSummary) -> list[str]:
    verdict = f"{found.result} ({', '.join(found.levels)}) by {found.policy.uri}"
    return [verdict, f"resource {found.resource}", _by(found.verifier, found.time)]


def _verification(found: SimpleVerification) -> list[str]:
    return [f"holds: {', '.join(found.properties) or 'nothing'}", _by(found.verifier, found.time)]


def _vulns(found: Vulns) -> list[str]:
    hits = ", ".join(hit.id for hit in found.hits[:_LISTED]) or "none"
    return [f"hits: {hits}", _by(found.scanner, found.finished)]


def _provenance(found: Provenance) -> list[str]:
    made = ", ".join(one.name or one.uri or "unnamed" for one in (found.inputs or ())[:_LISTED])
    return [f"made of: {made or 'nothing that it names'}", f"by {found.builder.id} as {found.build_type}"]


def _by(who: str, when: str | None) -> str:
    return f"says {who}" + (f", {when}" if when else "")


#: By the name of the class, so that no kind is imported that nobody met; a test holds it against all that are known.
_GISTS: Final[Mapping[str, Callable[[Any], list[str]]]] = {
    "Scan": _scan,
    "DerivationV1": _derivation,
    "InventoryV1": _inventory,
    "ProfileV1": _profile,
    "CardV1": _card,
    "Claims": _claims,
    "AdmissionV1": _admission,
    "AdvisoriesV1": _advisories,
    "RevocationsV1": _revocations,
    "AnswersV1": _answers,
    "DecisionV1": _decision,
    "LicensesV1": _licenses,
    "RightsV1": _rights,
    "OpennessV1": _openness,
    "LineageV1": _lineage,
    "FingerprintV1": _fingerprint,
    "ObservationV1": _observation,
    "OriginV1": _origin,
    "DiffV1": _diff,
    "EvalV1": _eval,
    "BenchV1": _bench,
    "EvalPlanV1": _eval_plan,
    "SuiteResult": _suite,
    "VerificationSummary": _summary,
    "SimpleVerification": _verification,
    "Vulns": _vulns,
    "Provenance": _provenance,
}
