"""Published problems of loaders and packages that a model reaches, in the words of both forms of a bill.

A status says what is known and no more, as in a VEX document: a version that somebody names and that has the problem is affected, one that
does not have it is not, and everything else is under investigation.

Specifications: CycloneDX 1.7, ``vulnerabilities`` and ``analysis``; SPDX 3.0.1, profile Security.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from openvet.bom.bill import Bill
from openvet.core.pattern import pattern
from openvet.evidence.predicates.advisories_v1 import AdvisoryHit

__all__ = ["problems", "vulnerabilities"]

_STATES: Final = {"affected": "exploitable", "not-affected": "not_affected"}
_VEX: Final = {"affected": ("Affected", "affects"), "not-affected": ("NotAffected", "doesNotAffect")}
_SEVERITIES: Final = frozenset({"critical", "high", "medium", "low"})
_CVE: Final = pattern(r"CVE-[0-9]{4}-[0-9]{4,}")
_PLACES: Final = 5


def vulnerabilities(bill: Bill) -> list[dict[str, Any]]:
    """CycloneDX's list; empty where nothing was found, or nobody looked."""
    out: list[dict[str, Any]] = []
    for number, (hit, refs) in enumerate(_hits(bill)):
        one: dict[str, Any] = {"bom-ref": f"vulnerability:{number}", "id": hit.published}
        if others := sorted(hit.names - {hit.published}):
            one["references"] = [{"id": each, "source": {"name": each.split("-", 1)[0]}} for each in others]
        if hit.severity in _SEVERITIES:
            one["ratings"] = [{"severity": hit.severity}]
        if hit.summary:
            one["description"] = hit.summary
        analysis: dict[str, Any] = {"state": _STATES.get(hit.status, "in_triage"), "detail": _why(hit)}
        if hit.status == "not-affected":
            analysis["justification"] = "code_not_present"
        else:
            one["recommendation"] = _advice(hit)
            if hit.fixed:
                analysis["response"] = ["update"]
        out.append({**one, "analysis": analysis, "affects": [{"ref": each} for each in refs]})
    return out


def problems(bill: Bill, named: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """SPDX's elements: each problem, and what is known of it; ``named`` makes an id of a piece's name in the document."""
    for number, (hit, refs) in enumerate(_hits(bill)):
        known = [{"type": "ExternalIdentifier", "externalIdentifierType": "cve" if _CVE.fullmatch(each) else "securityOther", "identifier": each}
                 for each in (hit.published, *sorted(hit.names - {hit.published}))]  # fmt: skip
        problem = {
            "type": "security_Vulnerability",
            "spdxId": named(f"vulnerability:{number}"),
            "name": hit.published,
            "externalIdentifier": known,
        }
        yield {**problem, **({"summary": hit.summary} if hit.summary else {})}
        word, relation = _VEX.get(hit.status, ("UnderInvestigation", "underInvestigationFor"))
        said: dict[str, Any] = {
            "type": f"security_Vex{word}VulnAssessmentRelationship",
            "spdxId": named(f"vex:{number}"),
            "from": problem["spdxId"],
            "relationshipType": relation,
            "to": [named(each) for each in refs],
            "security_statusNotes": _why(hit),
        }
        if hit.status == "affected":
            said["security_actionStatement"] = _advice(hit)
        elif hit.status == "not-affected":
            said["security_justificationType"] = "vulnerableCodeNotPresent"
        yield said


def _hits(bill: Bill) -> Iterator[tuple[AdvisoryHit, list[str]]]:
    """Each problem, and the pieces that have it: the libraries of its name, or else the model, whose content reaches it."""
    if bill.advisories is None:
        return
    libraries: dict[str, list[str]] = {}
    for each in bill.of("library"):
        libraries.setdefault(_plain(each.name), []).append(each.ref)
    for hit in bill.advisories.hits:
        yield hit, libraries.get(_plain(hit.name)) or ["model"]


def _plain(name: str) -> str:
    """The name of a package as PyPI compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _why(hit: AdvisoryHit) -> str:
    places = "; ".join(f"{feature} at {where}" for feature, where in hit.reasons[:_PLACES])
    named = f"in {hit.name}: "
    return named + (f"the model's content reaches it: {places}" if places else "a file of the model names the package")


def _advice(hit: AdvisoryHit) -> str:
    if hit.fixed:
        return f"use {hit.name} {' or '.join(hit.fixed)}, or later"
    return f"use a version of {hit.name} that is not affected"
