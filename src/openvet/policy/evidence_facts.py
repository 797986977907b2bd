"""Facts for conditions, taken from each kind of statement. One function per kind: predicate in, values by name out.

A value that a statement does not settle is not there, so that what depends on it stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openvet.core.rule import Severity

if TYPE_CHECKING:
    from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
    from openvet.evidence.predicates.card_v1 import CardDocument, CardV1
    from openvet.evidence.predicates.claims_v1 import Claims
    from openvet.evidence.predicates.diff_v1 import DiffV1
    from openvet.evidence.predicates.inventory_v1 import InventoryV1
    from openvet.evidence.predicates.licenses_v1 import LicensesV1
    from openvet.evidence.predicates.lineage_v1 import LineageV1
    from openvet.evidence.predicates.observation_v1 import ObservationV1
    from openvet.evidence.predicates.openness_v1 import OpennessV1
    from openvet.evidence.predicates.origin_v1 import OriginV1
    from openvet.evidence.predicates.profile_v1 import ProfileV1
    from openvet.evidence.predicates.rights_v1 import RightsV1
    from openvet.evidence.predicates.scan_v1 import Scan
    from openvet.evidence.statement import Predicate

__all__ = ["FACTS_OF", "Values"]

Values = dict[str, Any]
#: Findings that conditions can look at one by one; the lists of rules hold all.
MOST_FINDINGS: Final = 1_000


def _scan(scan: Scan) -> Values:
    from openvet.core.coverage import Coverage

    above = sorted(
        (each for each in scan.all_findings() if each.severity > Severity.NOTE), key=lambda each: each.sort_key()
    )
    return {
        "scan.rules": _sorted(each.rule for each in above),
        "scan.noted": _sorted(each.rule for each in scan.all_findings()),
        "scan.files": len(scan.files),
        "scan.unread": sum(each.coverage in {Coverage.PARTIAL, Coverage.UNREAD} for each in scan.files),
        "scan.formats": _sorted(format_ for each in scan.files for format_ in each.formats),
        "scan.findings": [
            {
                "rule": each.rule,
                "severity": str(each.severity),
                "confidence": str(each.confidence),
                "place": each.location.place,
                "message": each.message,
            }
            for each in above[:MOST_FINDINGS]
        ],
    }


def _profile(profile: ProfileV1) -> Values:
    """Of the only part, of the pipeline as a whole, or what all parts agree about."""
    whole = [each for each in profile.parts if (found := each.fact("kind")) is not None and found.value == "pipeline"]
    parts = whole or profile.parts
    if profile.left_off and not whole:
        return {}
    wanted: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
        ("parameters", "parameters", float),
        ("active_parameters", "active parameters", float),
        ("weight_bytes", "weight bytes", float),
        ("context_length", "context length", float),
        ("layers", "layers", float),
        ("family", "family", str),
        ("kind", "kind", str),
        ("input", "input", list),
        ("output", "output", list),
    )
    out: Values = {}
    for name, fact, convert in wanted:
        said = [convert(each.value) for part in parts if (each := part.fact(fact)) is not None]
        if said and len(said) == len(parts) and all(each == said[0] for each in said):
            out[f"profile.{name}"] = said[0]
    return out


def _inventory(inventory: InventoryV1) -> Values:
    out: Values = {}
    for name, fact in (("library", "library"), ("tokenizer", "tokenizer")):
        found = inventory.fact(fact)
        if found is not None and isinstance(found.value, str):
            out[f"inventory.{name}"] = found.value
    for name, fact in (("architectures", "architecture"), ("dtypes", "dtypes")):
        found = inventory.fact(fact)
        if found is not None and isinstance(found.value, list | tuple | Mapping):
            out[f"inventory.{name}"] = _sorted(map(str, found.value))
    tensors = inventory.fact("tensors")
    if tensors is not None and isinstance(tensors.value, int):
        out["inventory.tensors"] = tensors.value
    return out


def _card(card: CardV1) -> Values:
    found = next((each for each in card.documents if each.kind == "model-card"), None)
    out: Values = {
        "card.present": found is not None,
        "card.problems": _sorted(problem.kind for each in card.documents for problem in each.problems),
    }
    if found is None or found.unread is not None:
        return out
    out |= {
        "card.sections": _sorted(each.name for each in found.sections if each.state == "filled"),
        "card.missing": _sorted(f"{each.of}:{each.name}" for each in found.missing),
        "card.fields": _sorted(each.name for each in found.facts),
        "card.datasets": _listed(found, "datasets"),
        "card.languages": _listed(found, "language"),
    }
    if tag := _listed(found, "pipeline_tag"):
        out["card.pipeline_tag"] = tag[0]
    return out


def _listed(card: CardDocument, name: str) -> list[str]:
    found = card.fact(name)
    value = [] if found is None else found.value
    return _sorted(str(each) for each in (value if isinstance(value, list | tuple) else [value]))


def _licenses(licenses: LicensesV1) -> Values:
    return {
        "licenses.state": licenses.model.state,
        "licenses.declared": _sorted(key for keys in licenses.model.declared for key in keys),
        "licenses.found": _sorted(key for keys in licenses.model.found for key in keys),
        "licenses.texts": _sorted(f"{each.source.place}: {' or '.join(each.keys)}" for each in licenses.found),
        "licenses.sure": all(len(keys) == 1 for keys in (*licenses.model.declared, *licenses.model.found)),
    }


def _rights(rights: RightsV1) -> Values:
    return {
        "rights.uses": {each.use: each.verdict for each in rights.answers},
        "rights.uses_but_data": _but_data(rights),
        "rights.verdict": rights.verdict,
        "rights.drifts": _sorted(each.kind for each in rights.drifts),
        "rights.duties": _sorted(each.kind for each in rights.duties),
        "rights.missing_duties": _sorted(each.kind for each in rights.duties if each.state == "missing"),
    }


def _but_data(rights: RightsV1) -> dict[str, str]:
    """The verdict on each use by the reasons that are not about data sets."""
    data = {each.id for each in rights.works if each.relation in {"trained-on", "evaluated-on"}}
    out = {}
    for answer in rights.answers:
        said = {each.verdict for each in answer.reasons if each.work not in data}
        out[answer.use] = next((each for each in ("not-allowed", "depends") if each in said), "allowed")
    return out


def _lineage(lineage: LineageV1) -> Values:
    from openvet.evidence.predicates.lineage_v1 import THIS

    names = {each.id: each.hub or each.name for each in lineage.nodes}
    kinds = {each.id: each.kind for each in lineage.nodes}
    mine = lineage.origins(THIS)
    return {
        "lineage.bases": _sorted(names[each.origin] for each in mine if kinds[each.origin] != "dataset"),
        "lineage.datasets": _sorted(names[each.origin] for each in lineage.edges if each.relation == "trained-on"),
        "lineage.relations": _sorted(each.relation for each in mine),
        "lineage.problems": len(lineage.problems),
        "lineage.contradicted": _sorted(
            names[each.origin] for each in lineage.tests if each.derivative == THIS and each.verdict == "not-consistent" and each.claim == "derived"
        ),
    }  # fmt: skip


def _openness(openness: OpennessV1) -> Values:
    reached = {each.name: each.reached for each in openness.readings}
    out: Values = {
        "openness.lines": {
            f"{each.scheme}/{line.id}": line.state for each in openness.checklists for line in each.lines
        },
        "openness.parts": {each.id: each.state for each in openness.parts},
    }
    for name in ("files", "declared"):
        if name in reached:
            out[f"openness.class_{name}"] = reached[name]
    return out


def _advisories(found: AdvisoriesV1) -> Values:
    by: dict[str, list[str]] = {}
    for each in found.hits:
        by.setdefault(each.status, []).append(each.published)
    out: Values = {
        "advisories.affected": _sorted(by.get("affected", [])),
        "advisories.maybe": _sorted(by.get("may-be-affected", [])),
        "advisories.reached": _sorted(
            each.published for each in found.hits if each.reasons and each.status != "not-affected"
        ),
    }
    named = (f"{each.name} {each.specifier}".rstrip() for each in found.packages if each.via != "user")
    out["advisories.packages"] = _sorted(named)
    if found.snapshot.date:
        out["advisories.date"] = _midnight(found.snapshot.date)
    return out


def _origin(origin: OriginV1) -> Values:
    return {
        "origin.remarks": _sorted(each.kind for each in origin.remarks),
        "origin.publishers": _sorted(each.id for each in origin.publishers),
        "origin.seats": _sorted(each.seat for each in origin.publishers if each.seat),
        "origin.signers": _sorted(each.identity or each.key for each in origin.signers if each.verified),
    }


def _claims(claims: Claims) -> Values:
    out: Values = {
        "claims.inconsistent": _sorted(each.figure for each in claims.judgements if each.verdict == "inconsistent")
    }
    formulas = []
    for quantity, name in (("training_flop", "compute"), ("energy_mwh", "energy")):
        found = [each for each in claims.results if each.quantity == quantity]
        if len(found) == 1:  # several readings are several answers
            out[f"claims.{name}_low"], out[f"claims.{name}_high"] = float(found[0].low), float(found[0].high)
            formulas.append(f"{name}: {found[0].formula}: {found[0].numbers}")
    if formulas:
        out["claims.formulas"] = formulas
    return out


def _observation(found: ObservationV1) -> Values:
    level = int(found.walls.level[:1]) if found.walls.level[:1].isdigit() else 0
    held = bool(found.walls.outcomes) and "reached" not in found.walls.outcomes.values()
    went = [{each.name for each in load.phases if each.outcome == "completed"} for load in found.loads]
    return {
        "observation.verdict": found.verdict,
        "observation.level": level,
        "observation.proven": level >= 2 and held and not found.walls.accepted,
        "observation.phases": _sorted(set.intersection(*went) - {"prepare"}) if went else [],
    }


def _diff(diff: DiffV1) -> Values:
    return {"diff.verdict": diff.verdict}


def _cyclonedx(bill: Predicate) -> Values:
    listed = bill.to_json().get("components")
    return _components("cyclonedx", listed, "type", ("file", "data"), "version")


def _spdx(bill: Predicate) -> Values:
    listed = bill.to_json().get("@graph")
    kinds = ("software_Package", "ai_AIPackage")
    chosen = [each for each in listed if isinstance(each, Mapping) and each.get("type") in kinds] if isinstance(listed, list) else None  # fmt: skip
    return _components("spdx", chosen, "type", (), "software_packageVersion")


def _components(form: str, listed: Any, type_: str, left_out: Collection[str], version: str) -> Values:
    """What somebody's bill lists; it is of no kind that was read before, so that nothing in it is taken for granted."""
    out: Values = {"bom.formats": [form]}
    if isinstance(listed, list):
        named = [each for each in listed if isinstance(each, Mapping) and isinstance(each.get("name"), str) and each.get(type_) not in left_out]  # fmt: skip
        out["bom.components"] = _sorted(f"{each['name']} {each[version]}" if isinstance(each.get(version), str) else each["name"] for each in named)  # fmt: skip
    return out


def _tests(found: Predicate) -> Values:
    from openvet.evidence.predicates.test_result_v0 import SuiteResult

    if not isinstance(found, SuiteResult):
        return {}
    out: Values = {"tests.result": found.result}
    out |= {f"tests.{name}": _sorted(each) for name, each in (("passed", found.passed), ("failed", found.failed)) if each is not None}  # fmt: skip
    return out if found.url is None else {**out, "tests.address": found.url}


def _sorted(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def _midnight(day: str) -> datetime:
    return datetime.fromisoformat(day[:10]).replace(tzinfo=UTC)


#: Kind of statement -> what it says to conditions.
FACTS_OF: Final[Mapping[str, Callable[[Any], Values]]] = {
    "scan": _scan,
    "profile": _profile,
    "card": _card,
    "licenses": _licenses,
    "rights": _rights,
    "lineage": _lineage,
    "openness": _openness,
    "advisories": _advisories,
    "origin": _origin,
    "observation": _observation,
    "claims": _claims,
    "diff": _diff,
    "inventory": _inventory,
    "test-result": _tests,
    "spdx": _spdx,
    "cyclonedx": _cyclonedx,
}
