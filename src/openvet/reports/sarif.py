"""The report as SARIF 2.1.0, for code scanning and for viewers.

One run for each model. A finding in a member of an archive points at the archive, with the member as a logical location:
an offset in decoded bytes is no offset of the archive's. What was not read is a notification of the invocation.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from openvet.core.coverage import Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.rule import SARIF_LEVEL, SARIF_SECURITY_SEVERITY, Outcome, Severity
from openvet.policy.decision import Acceptance
from openvet.reports._json_pieces import pieces as _pieces
from openvet.reports._wording import UNREAD, group_unknowns, lookup_unread, visible
from openvet.reports.config_use import ConfigUse
from openvet.reports.report import ModelReport, NotChecked, Report, RuleText

__all__ = ["compose", "pieces"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BASE = "MODEL"
_ABOUT_CONFIG = {
    "config/ignored": "A configuration is not used.",
    "config/expired": "An entry of the configuration has expired.",
    "config/unused": "An entry of the configuration matches nothing.",
}
_ESCAPE = pattern(r"\\\\|\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


def pieces(report: Report) -> Iterator[str]:
    """The whole report, piece by piece: results and artifacts are written one by one."""
    return _pieces({"$schema": _SCHEMA, "version": "2.1.0", "runs": _runs(report)})


def compose(report: Report) -> str:
    """The report as one text."""
    return "".join(pieces(report))


def _runs(report: Report) -> Iterator[dict[str, Any]]:
    for model in report.models:
        yield _run(model, report)
    if report.errors:
        yield _failed_run(report)


def _run(model: ModelReport, report: Report) -> dict[str, Any]:
    places = _Places(model)
    scan = model.scan
    named = {finding.rule for finding in scan.all_findings()}
    named.update(name for name, outcome in scan.rules.items() if outcome is Outcome.ERROR)
    told = tuple(rule for rule in report.rules if rule.id in named)  # the texts of all others would only make it long
    rules = {rule.id: index for index, rule in enumerate(told)}
    notifications = [*_notifications(model, places), *_broken_rules(model)]
    failed = any(outcome is Outcome.ERROR for outcome in scan.rules.values())
    out: dict[str, Any] = {
        "tool": _tool(report, told, notifications),
        "automationDetails": {"id": f"openvet/{quote(model.path)}/"},
        "invocations": [
            {
                "executionSuccessful": not failed,
                "toolExecutionNotifications": notifications,
                **_configuration(report.config),
            }
        ],
        "artifacts": (_artifact(places, index) for index in range(len(scan.files))),
        "results": _results(model, places, rules),
        "properties": {
            "subject": model.subject.to_json(),
            "decision": model.decision.to_json(),
            "config": None if report.config is None else report.config.to_json(),
            "reproducible": scan.reproducible,
            "rules": {name: str(outcome) for name, outcome in scan.rules.items()},
        },
    }
    if places.base is not None:
        out["originalUriBaseIds"] = {_BASE: places.base}
    return out


def _failed_run(report: Report) -> dict[str, Any]:
    """A run that says which paths could not be checked at all."""
    return {
        "tool": _tool(report, (), []),
        "automationDetails": {"id": "openvet/not-checked/"},
        "invocations": [
            {
                "executionSuccessful": False,
                "toolExecutionNotifications": [_not_checked(error) for error in report.errors],
                **_configuration(report.config),
            }
        ],
        "results": [],
    }


def _configuration(use: ConfigUse | None) -> dict[str, Any]:
    """Section 3.20.22: what there is to say about the configuration itself."""
    if use is None:
        return {}
    notes = [("config/ignored", f"{each.file}: ignored: {each.why}") for each in use.ignored]
    notes += [(f"config/{each.kind}", line) for each, line in zip(use.idle, use.lines(), strict=True)]
    found = [
        {"descriptor": {"id": word}, "level": "warning", "message": {"text": _message(text)}} for word, text in notes
    ]
    return {"toolConfigurationNotifications": found} if found else {}


def _not_checked(error: NotChecked) -> dict[str, Any]:
    return {
        "descriptor": {"id": "not-checked"},
        "level": "error",
        "message": {"text": _message(f"{error.path}: {error.message}")},
    }


# --- the tool and its rules ---


def _tool(report: Report, rules: Sequence[RuleText], notifications: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The tool, with the texts of what its run names and of nothing else."""
    named = {each["descriptor"]["id"] for each in notifications}
    configured = {} if report.config is None else _ABOUT_CONFIG
    return {
        "driver": {
            "name": "OpenVet",
            "version": report.tool.version,
            "semanticVersion": report.tool.version,
            "rules": [_rule(rule) for rule in rules],
            "notifications": [
                {
                    "id": f"unread/{word}",
                    "shortDescription": {"text": _message(_sentence(unread.meaning))},
                    "help": {"text": _message(unread.remedy)},
                }
                for word, unread in UNREAD.items()
                if f"unread/{word}" in named
            ]
            + [{"id": word, "shortDescription": {"text": meaning}} for word, meaning in configured.items()],
            "properties": {"knowledge": {"sha256": report.tool.knowledge}},
        }
    }


def _rule(rule: RuleText) -> dict[str, Any]:
    severity = Severity[rule.severity.upper()]
    sections = dict(rule.sections)
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in re.split(r"[^a-z0-9]+", rule.id) if part),
        "shortDescription": {"text": _message(rule.summary)},
        "fullDescription": {"text": _message(sections.get("Why it matters") or rule.summary)},
        "help": {
            "text": _message("\n\n".join(f"{heading}:\n{text}" for heading, text in rule.sections) or rule.summary),
            "markdown": "\n\n".join(f"### {heading}\n\n{text}" for heading, text in rule.sections) or rule.summary,
        },
        "defaultConfiguration": {"level": SARIF_LEVEL[severity]},
        "properties": {
            "tags": ["security", rule.id.partition("/")[0], *(f"external/cwe/cwe-{number}" for number in rule.cwe)],
            "security-severity": SARIF_SECURITY_SEVERITY[severity],
            "precision": rule.confidence,
            "since": rule.since,
        },
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _message(text: str) -> str:
    """``text`` as a SARIF message (section 3.11): no placeholder and no link may come out of what a subject says."""
    text = re.sub(r"\{(\d+)\}", r"{{\1}}", visible(text, keep="\n"))
    return re.sub(r"[\[\]]", r"\\\g<0>", text) if "](" in text else text


# --- places ---


class _Places:
    """Where the files of one model are, as URIs, and which of them a location means."""

    def __init__(self, model: ModelReport) -> None:
        self.model = model
        self.index = {file.path: index for index, file in enumerate(model.scan.files)}
        self.single = _is_single(model)
        raw = posixpath.normpath(_raw(model.path))
        absolute = raw.startswith(b"/")
        self.base: dict[str, Any] | None = None
        self._prefix = raw
        if absolute or raw.split(b"/")[0] == b"..":
            # a relative path stays relative to the working folder, as forges want it; any other gets a base of its own
            self._prefix = posixpath.basename(raw) if self.single else b"."
            folder = posixpath.dirname(raw) if self.single else raw
            self.base = {"description": {"text": _message(model.path)}}
            if absolute:
                self.base["uri"] = "file://" + quote(folder).rstrip("/") + "/"

    def uri(self, path: str) -> str:
        """The URI of one file of the model: relative, percent-encoded."""
        whole = self._prefix if self.single else posixpath.join(self._prefix, _raw(path))
        first, slash, rest = quote(posixpath.normpath(whole)).partition("/")
        # RFC 3986, section 4.2: a colon in the first segment would make it a scheme
        return first.replace(":", "%3A") + slash + rest

    def location(self, where: Location) -> dict[str, Any]:
        """A SARIF location: the file, the region in it, the member."""
        file, member = self._split(where.place)
        out: dict[str, Any] = {}
        if file:
            physical: dict[str, Any] = {"artifactLocation": self._artifact_location(file)}
            region = {} if member else _region(where)
            if region:
                physical["region"] = region
            out["physicalLocation"] = physical
        logical = list(self._logical(where, member))
        if logical:
            out["logicalLocations"] = logical
        if member and (where.offset is not None or where.line is not None):
            out["properties"] = {
                "memberOffset" if where.offset is not None else "memberLine": where.offset or where.line or 0
            }
        return out

    def _artifact_location(self, file: str) -> dict[str, Any]:
        out: dict[str, Any] = {"uri": self.uri(file)}
        if self.base is not None:
            out["uriBaseId"] = _BASE
        if file in self.index:
            out["index"] = self.index[file]
        return out

    def _split(self, place: str) -> tuple[str, str]:
        """The file and the member. A folder may end in ``!``, so a file of the model decides where its members begin."""
        if place in self.index:
            return place, ""
        at = place.find("!/")
        while at >= 0:
            if place[:at] in self.index:
                return place[:at], place[at + 2 :]
            at = place.find("!/", at + 1)
        return place, ""

    def _logical(self, where: Location, member: str) -> Iterator[dict[str, Any]]:
        if member:
            yield {"name": member, "fullyQualifiedName": where.place, "kind": "resource"}
        elif not where.place:
            yield {"name": self.model.subject.name, "kind": "resource"}
        if where.pointer:
            yield {"name": where.pointer, "fullyQualifiedName": where.pointer, "kind": "property"}


def _region(where: Location) -> dict[str, Any]:
    if where.line is not None:
        return {"startLine": max(where.line, 1)}
    return {} if where.offset is None else {"byteOffset": where.offset}


def _is_single(model: ModelReport) -> bool:
    """Whether the subject is one file. Its digest says so: a folder's is a ``dirHash``."""
    files = model.scan.files
    if len(files) != 1 or "dirHash" in model.subject.digest:
        return False
    return model.path.rstrip("/").rpartition("/")[2] == files[0].path


def _raw(place: str) -> bytes:
    """The bytes of the name that shows as ``place``: the inverse of :func:`openvet.core.text.printable`."""

    def unescape(match: re.Match[str]) -> str:
        byte, short, long = match.groups()
        if byte is not None:
            code = int(byte, 16)
            return chr(code) if code < 0x80 else chr(0xDC00 + code)
        if short is None and long is None:
            return "\\"
        return chr(min(int(short or long, 16), 0x10FFFF))

    text = _ESCAPE.sub(unescape, place)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a character that no file system gives
        return place.encode("utf-8", "backslashreplace")


# --- what is in a run ---


def _artifact(places: _Places, index: int) -> dict[str, Any]:
    file = places.model.scan.files[index]
    location = places._artifact_location(file.path)
    location.pop("index")
    out: dict[str, Any] = {"location": location, "length": file.size, "roles": ["analysisTarget"]}
    if "sha256" in file.digest:
        out["hashes"] = {"sha-256": file.digest["sha256"]}
    out["properties"] = {"coverage": str(file.coverage), "formats": list(file.formats)}
    return out


def _results(model: ModelReport, places: _Places, rules: dict[str, int]) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for finding in model.scan.all_findings():
        print_ = _fingerprint(finding)
        seen[print_] = seen.get(print_, 0) + 1
        out: dict[str, Any] = {
            "ruleId": finding.rule,
            "level": SARIF_LEVEL[finding.severity],
            "message": {"text": _message(f"{finding.message}\n{finding.remedy}")},
            "locations": [places.location(finding.location)],
            "partialFingerprints": {"openvetFinding/v1": f"{print_}:{seen[print_]}"},
            "properties": {
                "severity": str(finding.severity),
                "confidence": str(finding.confidence),
                "security-severity": SARIF_SECURITY_SEVERITY[finding.severity],
                "remedy": finding.remedy,
                "place": str(finding.location),
                "evidence": dict(finding.evidence),
            },
        }
        if finding.rule in rules:
            out["ruleIndex"] = rules[finding.rule]
        acceptance = model.decision.acceptance_of(finding)
        if acceptance is not None:
            out["suppressions"] = [_suppression(acceptance)]
        yield out


def _suppression(acceptance: Acceptance) -> dict[str, Any]:
    """Section 3.35: suppressed by something outside of the subject, and why."""
    return {
        "kind": "external",
        "status": "accepted",
        "justification": visible(f"{acceptance.reason} (accepted by {acceptance.owner} until {acceptance.expires})"),
        "properties": {
            "owner": acceptance.owner,
            "expires": acceptance.expires.isoformat(),
            "digest": acceptance.digest,
        },
    }


def _fingerprint(finding: Finding) -> str:
    """The same for the same thing in the next version of a file: what and in which member, but not at which byte."""
    where = finding.location
    parts = (finding.rule, where.place, where.pointer or "", finding.message)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _notifications(model: ModelReport, places: _Places) -> Iterator[dict[str, Any]]:
    for reason, unknowns in group_unknowns(model.scan):
        for unknown in unknowns:
            yield _notification(reason, unknown, places)
    if not model.scan.reproducible:
        yield {
            "descriptor": {"id": "unread/time"},
            "level": "warning",
            "message": {"text": _message(_sentence(lookup_unread("time").meaning))},
        }


def _notification(reason: str, unknown: Unknown, places: _Places) -> dict[str, Any]:
    return {
        "descriptor": {"id": f"unread/{reason}"},
        "level": "warning",
        "message": {"text": _message(f"{unknown.location}: {unknown.message}")},
        "locations": [places.location(unknown.location)],
    }


def _broken_rules(model: ModelReport) -> Sequence[dict[str, Any]]:
    return [
        {
            "descriptor": {"id": "unread/rule"},
            "level": "error",
            "associatedRule": {"id": name},
            "message": {"text": _message(f"The rule {name} could not be run.")},
        }
        for name, outcome in model.scan.rules.items()
        if outcome is Outcome.ERROR
    ]
