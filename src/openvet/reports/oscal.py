"""Decisions as assessment results in OSCAL 1.2, for the tools of those who audit by it.

Each requirement is an observation, with the statements that it rests on; what is decided about is a finding, too. OSCAL knows two states of a
finding: what nobody can say yet is not satisfied there, and ``outcome`` beside it says what it is. What does not apply, or is not in force
yet, has an observation and no finding. Identifiers are computed from digests, so that the same decision gives the same document.

Source: OSCAL assessment results model 1.2.1 (pages.nist.gov/OSCAL); RFC 6920 for addresses by digest; RFC 9562, section 5.5, for version 5.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from openvet.evidence.predicates.decision_v1 import Basis, DecisionV1, Line
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.signing import statement_digest
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.reports._text import clean

__all__ = ["OSCAL_VERSION", "compose"]

OSCAL_VERSION: Final = "1.2.1"
_NAMESPACE: Final = "https://openvet/oscal"
_ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE)
_METHODS: Final = {"computed": "TEST", "presence": "EXAMINE", "attested": "INTERVIEW"}
_DECIDED: Final = {
    "satisfied-by-evidence": ("satisfied", "pass"),
    "satisfied-by-attestation": ("satisfied", "pass"),
    "violated": ("not-satisfied", "fail"),
    "indeterminate": ("not-satisfied", "other"),
}
_REMARKS: Final = "What is decided rests on the statements in the back matter and on nothing else. Whether that is sufficient is for people to judge."


def compose(subject: ResourceDescriptor, decisions: Sequence[DecisionV1], places: Mapping[str, int]) -> str:
    """The document.

    Args:
        decisions: at least one, all about ``subject`` and of the same day.
        places: SHA-256 of a statement -> its line in the dossier.
    """
    results = [_Result(subject, each, places) for each in decisions]
    resources = {key: each for result in results for key, each in result.resources().items()}
    name, packs = subject.name or "an unnamed model", ", ".join(each.pack.name for each in decisions)
    value = {
        "assessment-results": {
            "uuid": _uuid("document", *(each.base for each in results)),
            "metadata": {
                "title": _line(f"{name} by {packs}"),
                "last-modified": _time(decisions[0].as_of),
                "version": decisions[0].as_of,
                "oscal-version": OSCAL_VERSION,
                "remarks": _REMARKS,
            },
            "import-ap": {"href": f"#{results[0].pack_id}"},
            "results": [each.to_json() for each in results],
            "back-matter": {"resources": list(resources.values())},
        }
    }
    return json.dumps(clean(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


class _Result:
    """One decision."""

    def __init__(self, subject: ResourceDescriptor, decision: DecisionV1, places: Mapping[str, int]) -> None:
        self._subject = subject
        self._decision = decision
        self._places = places
        self.base = statement_digest(Statement(subject, decision))
        digests = ",".join(f"{name}:{each}" for name, each in sorted(subject.digest.items()))
        self._model = _uuid("model", digests or subject.name)
        tool = decision.tool
        self._tool = _uuid("tool", tool.name, tool.version, tool.knowledge)
        self.pack_id = _uuid("pack", decision.pack.name, *decision.pack.files)
        self._inputs: dict[str, list[Basis]] = {}
        for each in decision.inputs:
            self._inputs.setdefault(each.kind, []).append(each)

    def resources(self) -> dict[str, dict[str, Any]]:
        """The pack, and every statement that was looked at, by their identifiers."""
        pack = self._decision.pack
        law = f", from the law as of {pack.law}" if pack.law else ""
        found = {
            "uuid": self.pack_id,
            "title": _line(f"policy pack {pack.name}: {pack.title}"),
            "description": f"The requirements{law}.",
        }
        links = [{"href": _address(each), "hashes": [_hash(each)]} for each in pack.files]
        out: dict[str, dict[str, Any]] = {self.pack_id: {**found, "rlinks": links} if links else found}
        for each in self._decision.inputs:
            out[_statement(each.sha256)] = self._resource(each)
        return out

    def _resource(self, each: Basis) -> dict[str, Any]:
        props = [_prop("predicate-type", each.type)]
        signed = each.sha256 in self._places
        if signed:
            props.append(_prop("dossier-line", str(self._places[each.sha256])))
        link = {
            "href": _address(each.sha256),
            "media-type": "application/vnd.in-toto+json",
            "hashes": [_hash(each.sha256)],
        }
        return {
            "uuid": _statement(each.sha256),
            "title": _line(f"statement of kind {each.kind}"),
            "description": f"A statement about the model, {'signed, in its dossier' if signed else 'signed by nobody'}.",
            "props": props,
            "rlinks": [link],
        }

    def to_json(self) -> dict[str, Any]:
        decision = self._decision
        decided = [each for each in decision.lines if each.outcome in _DECIDED]
        selected = [{"control-id": self._control(each)} for each in decided]
        found: dict[str, Any] = {
            "uuid": _uuid("result", self.base),
            "title": _line(f"{decision.pack.name} as of {decision.as_of}"),
            "description": f"{len(decision.lines)} requirements: {decision.pack.title}.",
            "start": _time(decision.as_of),
            "end": _time(decision.as_of),
            "props": [_prop("verdict", decision.verdict), _prop("decision-sha256", self.base)],
            "local-definitions": {"components": [self._component(), _tool_component(self._tool, decision.tool)]},
            "reviewed-controls": {
                "control-selections": [{"include-controls": selected} if selected else {"include-all": {}}]
            },
            "observations": [self._observation(each) for each in decision.lines],
        }
        return {**found, "findings": [self._finding(each) for each in decided]} if decided else found

    def _component(self) -> dict[str, Any]:
        found = {
            "uuid": self._model,
            "type": "software",
            "title": _line(self._subject.name or "unnamed"),
            "description": "The model that the statements are about.",
            "status": {"state": "other"},
        }
        digests = [_prop(f"digest-{name}", each) for name, each in sorted(self._subject.digest.items())]
        return {**found, "props": digests} if digests else found

    def _control(self, line: Line) -> str:
        return f"{self._decision.pack.id}.{line.id}"

    def _observation(self, line: Line) -> dict[str, Any]:
        methods = dict.fromkeys([_METHODS[line.level], *(["INTERVIEW"] if line.answers else [])])
        dated = {"in-force-from": line.since, "foreseen": line.foreseen}
        found = {
            "uuid": self._observed(line),
            "title": _line(f"{line.id} {line.title}"),
            "description": f"{line.clause} ({line.source}): {line.why}",
            "props": [*_props(line), *(_prop(name, value) for name, value in dated.items() if value)],
            "methods": list(methods),
            "types": ["control-objective"],
            "origins": [{"actors": [{"type": "tool", "actor-uuid": self._tool}]}],
            "subjects": [{"subject-uuid": self._model, "type": "component"}],
            "collected": _time(self._decision.as_of),
        }
        evidence = list(self._evidence(line))
        return {**found, "relevant-evidence": evidence} if evidence else found

    def _observed(self, line: Line) -> str:
        return _uuid("observation", self.base, line.id)

    def _evidence(self, line: Line) -> Iterator[dict[str, Any]]:
        for kind in line.kinds:
            for each in self._inputs.get(kind, ()):
                yield {"href": f"#{_statement(each.sha256)}", "description": f"the statement of kind {kind}"}
        for answer in self._decision.answers:
            if answer.question in line.answers:
                counts = f"it does not count: {answer.problem}" if answer.problem else "it counts"
                said = f"the answer to {answer.question} by {answer.by} on {answer.said}; {counts}"
                yield {"href": f"#{_statement(answer.statement)}", "description": said}

    def _finding(self, line: Line) -> dict[str, Any]:
        state, reason = _DECIDED[line.outcome]
        waived = line.waived
        remarks = [f"to do: {line.remedy}"] if line.remedy else []
        remarks += [f"waived until {waived.expires} by {waived.owner}: {waived.reason}"] if waived is not None else []
        found = {
            "uuid": _uuid("finding", self.base, line.id),
            "title": _line(f"{line.id} {line.title}"),
            "description": line.why,
            "props": _props(line),
            "target": {
                "type": "objective-id",
                "target-id": self._control(line),
                "title": _line(line.title),
                "status": {"state": state, "reason": reason, "remarks": line.outcome},
            },
            "related-observations": [{"observation-uuid": self._observed(line)}],
        }
        return {**found, "remarks": "; ".join(remarks)} if remarks else found


def _props(line: Line) -> list[dict[str, str]]:
    named = {
        "level": line.level,
        "outcome": line.outcome,
        "severity": line.severity,
        "verdict": line.verdict,
        "clause": line.clause,
    }
    return [_prop(name, value) for name, value in named.items()]


def _tool_component(identifier: str, tool: Tool) -> dict[str, Any]:
    return {
        "uuid": identifier,
        "type": "software",
        "title": _line(f"{tool.name} {tool.version}"),
        "description": "What computed the decision.",
        "props": [_prop("knowledge-sha256", tool.knowledge)],
        "status": {"state": "operational"},
    }


def _prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": _NAMESPACE, "value": _line(value)}


def _statement(sha256: str) -> str:
    return _uuid("statement", sha256)


def _uuid(*names: str) -> str:
    return str(uuid.uuid5(_ROOT, "\n".join(names)))


def _address(sha256: str) -> str:
    """A name by digest, which says nothing of where it lies."""
    return f"ni:///sha-256;{base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode('ascii').rstrip('=')}"


def _hash(sha256: str) -> dict[str, str]:
    return {"algorithm": "SHA-256", "value": sha256}


def _time(day: str) -> str:
    return f"{day}T00:00:00Z"


def _line(text: str) -> str:
    """Text on one line, which has something in it."""
    return " ".join(text.split()) or "-"
