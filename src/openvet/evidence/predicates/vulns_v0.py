"""in-toto's vulnerabilities: which advisories a scanner saw an artefact hit. The spec page is ``vulns_v0.md``.

Version 0.2 is written; 0.1 is read as well, whose text puts each result into an object ``vulnerability`` and whose example does not.

Source: in-toto attestation framework, ``spec/predicates/vulns_02.md`` and ``vuln.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.fields import FieldError, Fields, with_extensions, without_none

__all__ = ["OLDER_TYPE", "PREDICATE_TYPE", "Hit", "Vulns"]

PREDICATE_TYPE: Final = "https://in-toto.io/attestation/vulns/v0.2"
OLDER_TYPE: Final = "https://in-toto.io/attestation/vulns/v0.1"


@dataclass(frozen=True, slots=True)
class Hit:
    """One advisory.

    Attributes:
        id: as published, for instance ``CVE-2026-4372``.
        severity: pairs of a method and what it gives.
        annotations: what the scanner adds; ``None`` where nothing is there.
        wrapped: it stood in an object ``vulnerability`` (version 0.1).
    """

    id: str
    severity: tuple[tuple[str, str], ...]
    annotations: tuple[Mapping[str, Any], ...] | None = None
    wrapped: bool = False

    def to_json(self) -> dict[str, Any]:
        each = without_none(
            {
                "id": self.id,
                "severity": [{"method": method, "score": score} for method, score in self.severity],
                "annotations": None if self.annotations is None else [dict(item) for item in self.annotations],
            }
        )
        return {"vulnerability": each} if self.wrapped else each

    @classmethod
    def take(cls, found: Fields, *, may_wrap: bool) -> Hit:
        inner = found.may_below("vulnerability") if may_wrap else None
        of = found if inner is None else inner
        severity = []
        for each in of.objects("severity"):
            severity.append((each.take("method", str), each.take("score", str)))
            each.end()
        annotations = of.may("annotations", list)
        if annotations is not None and not all(isinstance(each, dict) for each in annotations):
            raise FieldError(f"{of.at}/annotations has something else than objects")
        hit = cls(
            of.take("id", str), tuple(severity), None if annotations is None else tuple(annotations), inner is not None
        )
        of.end()
        found.end()
        return hit


@dataclass(frozen=True, slots=True)
class Vulns:
    """What a scanner found; an empty ``hits`` says that it found none, and nothing about what it does not look for.

    Attributes:
        scanner, version: URI and version of the scanner.
        database, database_version, updated: the advisories that it knows: URI, version, and when they were last brought up to date.
        hits: the advisories.
        started, finished: when it looked.
        extensions: fields that the specification does not name, by their JSON Pointers.
    """

    scanner: str
    updated: str
    hits: tuple[Hit, ...]
    started: str
    finished: str
    version: str | None = None
    database: str | None = None
    database_version: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)
    predicate_type: str = PREDICATE_TYPE

    def to_json(self) -> dict[str, Any]:
        database = {"uri": self.database, "version": self.database_version, "lastUpdate": self.updated}
        body = {
            "scanner": without_none(
                {
                    "uri": self.scanner,
                    "version": self.version,
                    "db": without_none(database),
                    "result": [each.to_json() for each in self.hits],
                }
            ),
            "metadata": {"scanStartedOn": self.started, "scanFinishedOn": self.finished},
        }
        return with_extensions(body, self.extensions)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], predicate_type: str = PREDICATE_TYPE) -> Vulns:
        """Take a body of version 0.2, or of the version that ``predicate_type`` says.

        Raises:
            FieldError: it is none of this kind.
        """
        found = Fields(value)
        scanner, metadata = found.below("scanner"), found.below("metadata")
        database = scanner.below("db")
        may_wrap = predicate_type == OLDER_TYPE
        made = cls(
            scanner=scanner.uri("uri"),
            version=scanner.may("version", str),
            database=database.may("uri", str),
            database_version=database.may("version", str),
            updated=database.time("lastUpdate"),
            hits=tuple(Hit.take(each, may_wrap=may_wrap) for each in scanner.objects("result")),
            started=metadata.time("scanStartedOn"),
            finished=metadata.time("scanFinishedOn"),
            extensions=found.extensions,
            predicate_type=predicate_type,
        )
        for each in (database, scanner, metadata, found):
            each.end()
        return made
