"""What advisories say about a subject, as VEX documents that other people's tools read: OpenVEX, and CycloneDX with vulnerabilities.

A status says what is known and no more. ``affected`` is a version that somebody names and that has the problem; ``not_affected`` a
version that is named and does not have it; everything else is under investigation, since nobody has said which version loads the model.

Sources: OpenVEX 0.2.0, https://github.com/openvex/spec ; CycloneDX 1.7, ``vulnerabilities`` and ``analysis``.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from openvet.core.canonical import canonical_json
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1, AdvisoryHit
from openvet.evidence.predicates.fields import timestamp
from openvet.evidence.statement import ResourceDescriptor
from openvet.reports.advisories import do_about

__all__ = ["cyclonedx", "openvex"]

_TYPES: Final = {"PyPI": "pypi", "Go": "golang", "npm": "npm", "crates.io": "cargo", "Maven": "maven", "NuGet": "nuget"}
_STATES: Final = {"affected": "exploitable", "not-affected": "not_affected"}


def _purl(hit: AdvisoryHit, version: str = "") -> str:
    kind = _TYPES.get(hit.ecosystem, "generic")
    name = quote(
        hit.name.replace(":", "/") if kind == "maven" else hit.name,
        safe="/" if kind in {"golang", "npm", "maven"} else "",
    )
    return f"pkg:{kind}/{name}" + (f"@{quote(version, safe='')}" if version else "")


def _versions(hit: AdvisoryHit, found: AdvisoriesV1) -> list[str]:
    """The versions that are named with ``==``, or one empty text."""
    named = (each.specifier for each in found.named_by([hit]))
    pinned = [
        each.removeprefix("==") for each in named if each.startswith("==") and "," not in each and "*" not in each
    ]
    return list(dict.fromkeys(pinned)) or [""]


def _product(subject: ResourceDescriptor) -> str:
    for name in ("dirHash", "sha256"):
        if name in subject.digest:
            return f"{NAMES}/models/{name}/{subject.digest[name]}"
    return f"{NAMES}/models/name/{quote(subject.name, safe='')}"


def _impact(hit: AdvisoryHit) -> str:
    places = "; ".join(f"{feature} at {where}" for feature, where in hit.reasons[:5])
    return f"the model's content reaches it: {places}" if places else "a file of the model names the package"


def openvex(subject: ResourceDescriptor, found: AdvisoriesV1, moment: datetime) -> dict[str, Any]:
    """An OpenVEX document about one subject. Its id is made from what it says, so that the same says the same under the same name."""
    statements = []
    for hit in found.hits:
        product: dict[str, Any] = {"@id": _product(subject)}
        if "sha256" in subject.digest:
            product["hashes"] = {"sha-256": subject.digest["sha256"]}
        product["subcomponents"] = [{"@id": _purl(hit, version)} for version in _versions(hit, found)]
        known = hit.published
        vulnerability: dict[str, Any] = {"name": known}
        if others := sorted(hit.names - {known}):
            vulnerability["aliases"] = others
        if hit.summary:
            vulnerability["description"] = hit.summary
        one: dict[str, Any] = {"vulnerability": vulnerability, "products": [product]}
        if hit.status == "affected":
            one |= {"status": "affected", "action_statement": do_about([hit])}
        elif hit.status == "not-affected":
            one |= {
                "status": "not_affected",
                "justification": "vulnerable_code_not_present",
                "impact_statement": _impact(hit),
            }
        else:
            one["status"] = "under_investigation"
        if hit.status != "not-affected":
            one["status_notes"] = f"{_impact(hit)}; {do_about([hit])}"
        statements.append(one)
    time = timestamp(moment)
    digest = hashlib.sha256(canonical_json({"at": time, "statements": statements})).hexdigest()
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"{NAMES}/vex/{digest}",
        "author": f"{found.tool.name} {found.tool.version}",
        "timestamp": time,
        "version": 1,
        "tooling": f"{found.tool.name} {found.tool.version}; advisories up to {found.snapshot.date}",
        "statements": statements,
    }


def cyclonedx(subject: ResourceDescriptor, found: AdvisoriesV1, moment: datetime) -> dict[str, Any]:
    """A CycloneDX document (1.7) with the subject, the loaders and packages, and what is known of their problems."""
    components: dict[str, dict[str, Any]] = {}
    vulnerabilities = []
    for hit in found.hits:
        affects = []
        for version in _versions(hit, found):
            ref = _purl(hit, version)
            component = {"type": "library", "bom-ref": ref, "name": hit.name, "purl": ref}
            components.setdefault(ref, component | ({"version": version} if version else {}))
            affects.append({"ref": ref})
        analysis: dict[str, Any] = {"state": _STATES.get(hit.status, "in_triage"), "detail": _impact(hit)}
        if hit.status == "not-affected":
            analysis["justification"] = "code_not_present"
        elif hit.fixed:
            analysis["response"] = ["update"]
        known = hit.published
        one: dict[str, Any] = {"bom-ref": f"{known}/{hit.name}", "id": known, "analysis": analysis, "affects": affects}
        if hit.severity in {"critical", "high", "medium", "low"}:
            one["ratings"] = [{"severity": hit.severity}]
        if hit.summary:
            one["description"] = hit.summary
        if hit.status != "not-affected":
            one["recommendation"] = do_about([hit])
        if others := sorted(hit.names - {known}):
            one["references"] = [{"id": each, "source": {"name": each.split("-", 1)[0]}} for each in others]
        vulnerabilities.append(one)
    model: dict[str, Any] = {"type": "machine-learning-model", "bom-ref": "model", "name": subject.name}
    if "sha256" in subject.digest:
        model["hashes"] = [{"alg": "SHA-256", "content": subject.digest["sha256"]}]
    time = timestamp(moment)
    body: dict[str, Any] = {
        "metadata": {
            "timestamp": time,
            "tools": {"components": [{"type": "application", "name": found.tool.name, "version": found.tool.version}]},
            "component": model,
        },
        "components": [components[ref] for ref in sorted(components)],
        "vulnerabilities": vulnerabilities,
    }
    serial = uuid.UUID(bytes=hashlib.sha256(canonical_json(body)).digest()[:16], version=4)
    return {"bomFormat": "CycloneDX", "specVersion": "1.7", "serialNumber": f"urn:uuid:{serial}", "version": 1, **body}
