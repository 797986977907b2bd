"""Every kind of statement whose body is read, and what reads it. A kind that is not here is kept and nothing is concluded from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from openvet.evidence.predicates import (
    admission_v1,
    advisories_v1,
    answers_v1,
    bench_v1,
    card_v1,
    claims_v1,
    decision_v1,
    derivation_v1,
    diff_v1,
    eval_plan_v1,
    eval_v1,
    fingerprint_v1,
    inventory_v1,
    licenses_v1,
    lineage_v1,
    observation_v1,
    openness_v1,
    origin_v1,
    profile_v1,
    provenance_v1,
    revocations_v1,
    rights_v1,
    scan_v1,
    svr_v0,
    test_result_v0,
    verification_summary_v1,
    vulns_v0,
)

__all__ = ["KNOWN"]

KNOWN: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    scan_v1.PREDICATE_TYPE: scan_v1.Scan.from_json,
    inventory_v1.PREDICATE_TYPE: inventory_v1.InventoryV1.from_json,
    profile_v1.PREDICATE_TYPE: profile_v1.ProfileV1.from_json,
    advisories_v1.PREDICATE_TYPE: advisories_v1.AdvisoriesV1.from_json,
    claims_v1.PREDICATE_TYPE: claims_v1.Claims.from_json,
    admission_v1.PREDICATE_TYPE: admission_v1.AdmissionV1.from_json,
    revocations_v1.PREDICATE_TYPE: revocations_v1.RevocationsV1.from_json,
    answers_v1.PREDICATE_TYPE: answers_v1.AnswersV1.from_json,
    decision_v1.PREDICATE_TYPE: decision_v1.DecisionV1.from_json,
    card_v1.PREDICATE_TYPE: card_v1.CardV1.from_json,
    licenses_v1.PREDICATE_TYPE: licenses_v1.LicensesV1.from_json,
    openness_v1.PREDICATE_TYPE: openness_v1.OpennessV1.from_json,
    derivation_v1.PREDICATE_TYPE: derivation_v1.DerivationV1.from_json,
    diff_v1.PREDICATE_TYPE: diff_v1.DiffV1.from_json,
    eval_v1.PREDICATE_TYPE: eval_v1.EvalV1.from_json,
    bench_v1.PREDICATE_TYPE: bench_v1.BenchV1.from_json,
    eval_plan_v1.PREDICATE_TYPE: eval_plan_v1.EvalPlanV1.from_json,
    fingerprint_v1.PREDICATE_TYPE: fingerprint_v1.FingerprintV1.from_json,
    lineage_v1.PREDICATE_TYPE: lineage_v1.LineageV1.from_json,
    observation_v1.PREDICATE_TYPE: observation_v1.ObservationV1.from_json,
    origin_v1.PREDICATE_TYPE: origin_v1.OriginV1.from_json,
    rights_v1.PREDICATE_TYPE: rights_v1.RightsV1.from_json,
    test_result_v0.PREDICATE_TYPE: test_result_v0.SuiteResult.from_json,
    provenance_v1.PREDICATE_TYPE: provenance_v1.Provenance.from_json,
    verification_summary_v1.PREDICATE_TYPE: verification_summary_v1.VerificationSummary.from_json,
    svr_v0.PREDICATE_TYPE: svr_v0.SimpleVerification.from_json,
    svr_v0.OLDER_TYPE: partial(svr_v0.SimpleVerification.from_json, predicate_type=svr_v0.OLDER_TYPE),
    vulns_v0.PREDICATE_TYPE: vulns_v0.Vulns.from_json,
    vulns_v0.OLDER_TYPE: partial(vulns_v0.Vulns.from_json, predicate_type=vulns_v0.OLDER_TYPE),
}
