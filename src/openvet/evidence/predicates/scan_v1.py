"""The scan predicate: what the rules found in a subject, how much of it was read, and what was not.

Facts, not a verdict: ``admit``, ``review`` and ``reject`` are computed from this by a policy. The spec page is ``scan_v1.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from openvet.core.coverage import Coverage, Unknown
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.rule import Outcome
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.tool import Tool

__all__ = ["PREDICATE_TYPE", "FileScan", "Scan"]

PREDICATE_TYPE = f"{PREDICATE_BASE}/scan/v1"


@dataclass(frozen=True, slots=True)
class FileScan:
    """One file of the subject, with everything inside it.

    Attributes:
        path: printable relative path.
        formats: what it was read as, the best first; empty when nothing recognised it.
        size: bytes.
        digest: algorithm -> lower-case hex; empty when the file could not be read.
        coverage: the least of the file's own and its members'.
        findings, unknowns: of the file and its members; each location's place says which.
    """

    path: str
    formats: tuple[str, ...]
    size: int
    digest: Mapping[str, str]
    coverage: Coverage
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "format": self.formats[0] if self.formats else None,
            "formats": list(self.formats),
            "size": self.size,
            "digest": dict(self.digest),
            "coverage": str(self.coverage),
            "findings": [each.to_json() for each in self.findings],
            "unknowns": [each.to_json() for each in self.unknowns],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FileScan:
        return cls(
            path=value["path"],
            formats=tuple(value["formats"]),
            size=value["size"],
            digest=dict(value["digest"]),
            coverage=Coverage(value["coverage"]),
            findings=tuple(Finding.from_json(each) for each in value["findings"]),
            unknowns=tuple(Unknown.from_json(each) for each in value["unknowns"]),
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """The body of a scan statement.

    Attributes:
        tool: what made it.
        limits: the limits in force, by name.
        files: every file, in byte order of the paths.
        findings, unknowns: those about the subject as a whole.
        rules: rule id -> outcome.
        reproducible: ``False`` when the guard in seconds cut something short; such a result is never signed.
    """

    tool: Tool
    limits: Mapping[str, float]
    files: tuple[FileScan, ...]
    rules: Mapping[str, Outcome]
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    reproducible: bool = True
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def all_findings(self) -> Iterator[Finding]:
        """Every finding, those of the whole subject first, then file by file."""
        yield from self.findings
        for file in self.files:
            yield from file.findings

    def all_unknowns(self) -> Iterator[Unknown]:
        """Every unknown, in the same order."""
        yield from self.unknowns
        for file in self.files:
            yield from file.unknowns

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "limits": dict(self.limits),
            "reproducible": self.reproducible,
            "files": [each.to_json() for each in self.files],
            "findings": [each.to_json() for each in self.findings],
            "unknowns": [each.to_json() for each in self.unknowns],
            "rules": {name: str(outcome) for name, outcome in self.rules.items()},
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scan:
        return cls(
            tool=Tool.from_json(value["tool"]),
            limits=dict(value["limits"]),
            files=tuple(FileScan.from_json(each) for each in value["files"]),
            rules={name: Outcome(outcome) for name, outcome in value["rules"].items()},
            findings=tuple(Finding.from_json(each) for each in value["findings"]),
            unknowns=tuple(Unknown.from_json(each) for each in value["unknowns"]),
            reproducible=value["reproducible"],
        )
