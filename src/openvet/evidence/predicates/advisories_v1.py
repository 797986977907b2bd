"""The advisories predicate: which published problems of loaders and packages a subject reaches. The spec page is ``advisories_v1.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields
from openvet.evidence.predicates.tool import Tool

__all__ = ["PREDICATE_TYPE", "STATUSES", "VIA", "AdvisoriesV1", "AdvisoryHit", "AdvisorySource", "FileFeatures", "NamedPackage", "Snapshot", "VexStatement"]  # fmt: skip

PREDICATE_TYPE = f"{PREDICATE_BASE}/advisories/v1"
_EXACT: Final = 2**53
_SHA256: Final = pattern(r"[0-9a-f]{64}")
_DAY: Final = pattern(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?")
#: Kinds of places that name packages.
VIA: Final = ("requirements", "script", "pyproject", "lock", "conda", "bom", "user")
#: The versions that are named have the problem; they may (a range allows some that have it); nothing names a version; they do not.
STATUSES: Final = ("affected", "may-be-affected", "unknown", "not-affected")


def _count(found: Fields, name: str) -> int:
    return _whole(found.take(name, int), f"{found.at}/{name}")


def _whole(value: Any, at: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _EXACT:
        raise FieldError(f"{at} is no count")
    return value


def _some(found: Fields, name: str) -> str:
    text = found.take(name, str)
    if not text:
        raise FieldError(f"{found.at}/{name} is empty")
    return text


def _hex(text: str, at: str) -> str:
    if not _SHA256.fullmatch(text):
        raise FieldError(f"{at} has no SHA-256")
    return text


def _digests(found: Fields) -> Mapping[str, str]:
    out = found.may_map("digest", str)
    if out is None or not all(name in {"sha256", "blake3"} and _SHA256.fullmatch(each) for name, each in out.items()):
        raise FieldError(f"{found.at}/digest is none")
    return out


def _location(found: Fields) -> Location:
    place, pointer = found.take("place", str), found.may("pointer", str)
    offset, line = (_count(found, name) if found.may_be(name) else None for name in ("offset", "line"))
    found.end()
    if line == 0:
        raise FieldError(f"{found.at}/line begins with 1")
    return Location(place, offset, line, pointer)


@dataclass(frozen=True, slots=True)
class FileFeatures:
    """One file of the subject, as far as advisories are about it.

    Attributes:
        place: the file; what lies in it counts as its own.
        digest: algorithm -> hex; empty where it was not hashed.
        formats: what it and its members were read as, in order of their names.
        rules: id of a rule -> where it found something first.
    """

    place: str
    digest: Mapping[str, str]
    formats: tuple[str, ...]
    rules: Mapping[str, Location]

    def to_json(self) -> dict[str, Any]:
        rules = {name: where.to_json() for name, where in self.rules.items()}
        return {"place": self.place, "digest": dict(self.digest), "formats": list(self.formats), "rules": rules}

    @classmethod
    def take(cls, found: Fields) -> FileFeatures:
        rules = found.below("rules")
        made = cls(
            found.take("place", str),
            _digests(found),
            found.texts("formats"),
            {name: _location(rules.below(name)) for name in rules.names},
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class NamedPackage:
    """A package that a file of the subject, a bill of materials or the user names.

    Attributes:
        ecosystem: as OSV names it (``PyPI``); '' for a program that is in no index.
        name: as its index spells it.
        specifier: what is said of its version, in the ecosystem's own words (``>=2,<3``, ``==2.5.1``); '' where nothing is.
        location: where that stands; an empty place means that the user said so.
        via: kind of the source: ``requirements script pyproject lock conda bom user``.
    """

    ecosystem: str
    name: str
    specifier: str
    location: Location
    via: str

    def to_json(self) -> dict[str, Any]:
        return {
            "ecosystem": self.ecosystem,
            "name": self.name,
            "specifier": self.specifier,
            "location": self.location.to_json(),
            "via": self.via,
        }

    @classmethod
    def take(cls, found: Fields) -> NamedPackage:
        made = cls(
            found.take("ecosystem", str),
            _some(found, "name"),
            found.take("specifier", str),
            _location(found.below("location")),
            found.word("via", VIA),
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class VexStatement:
    """What somebody else says of a problem in this subject. It is shown beside ours and changes nothing."""

    source: str
    author: str
    status: str
    justification: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "author": self.author,
            "status": self.status,
            "justification": self.justification,
            "text": self.text,
        }

    @classmethod
    def take(cls, found: Fields) -> VexStatement:
        made = cls(*(found.take(name, str) for name in ("source", "author", "status", "justification", "text")))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class AdvisoryHit:
    """One problem of one loader or package.

    Attributes:
        id, aliases: as published.
        ecosystem, name: of what has the problem; an empty ecosystem means a program that is in no index.
        status: one of :data:`STATUSES`, of the versions that are named.
        summary, severity: as published; '' where it is not said.
        fixed: the first versions without the problem.
        last: the last versions with it, where that is what is published.
        reasons: places of the subject's files that reach it: the id of a rule or a format, and where; empty where only a name is.
        evidence: why those reach it.
        named: positions in ``packages`` of the statement.
        references: addresses of descriptions.
        vex: what others say of it.
    """

    id: str
    aliases: tuple[str, ...]
    ecosystem: str
    name: str
    status: str
    summary: str = ""
    severity: str = ""
    fixed: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    reasons: tuple[tuple[str, Location], ...] = ()
    evidence: str = ""
    named: tuple[int, ...] = ()
    references: tuple[str, ...] = ()
    vex: tuple[VexStatement, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every id under which it is known."""
        return frozenset((self.id, *self.aliases))

    @property
    def published(self) -> str:
        """The id that most people know: its CVE number where it has one."""
        return next((each for each in (self.id, *self.aliases) if each.startswith("CVE-")), self.id)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "aliases": list(self.aliases),
            "ecosystem": self.ecosystem,
            "name": self.name,
            "status": self.status,
            "summary": self.summary,
            "severity": self.severity,
            "fixed": list(self.fixed),
            "last": list(self.last),
            "reasons": [{"feature": feature, "location": where.to_json()} for feature, where in self.reasons],
            "evidence": self.evidence,
            "named": list(self.named),
            "references": list(self.references),
            "vex": [each.to_json() for each in self.vex],
        }

    @classmethod
    def take(cls, found: Fields) -> AdvisoryHit:
        reasons = found.objects("reasons")
        named = found.take("named", list)
        made = cls(
            id=_some(found, "id"),
            aliases=found.texts("aliases"),
            ecosystem=found.take("ecosystem", str),
            name=_some(found, "name"),
            status=found.word("status", STATUSES),
            summary=found.take("summary", str),
            severity=found.take("severity", str),
            fixed=found.texts("fixed"),
            last=found.texts("last"),
            reasons=tuple((each.take("feature", str), _location(each.below("location"))) for each in reasons),
            evidence=found.take("evidence", str),
            named=tuple(_whole(each, f"{found.at}/named") for each in named),
            references=found.texts("references"),
            vex=tuple(map(VexStatement.take, found.objects("vex"))),
        )
        for each in (*reasons, found):
            each.end()
        return made


@dataclass(frozen=True, slots=True)
class AdvisorySource:
    """Where records come from: when they were taken from their publisher, a URI, and in words."""

    retrieved: str
    uri: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"retrieved": self.retrieved, "uri": self.uri, "text": self.text}

    @classmethod
    def take(cls, found: Fields) -> AdvisorySource:
        made = cls(found.take("retrieved", str), found.take("uri", str), found.take("text", str))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The advisories that were looked through.

    Attributes:
        date: the day up to which they are known; what was published later may be missing.
        stale_after: days after which somebody should get newer ones.
        records: how many there are.
        sha256: of the records' bytes.
        sources: where they come from; the first one's day is ``date``.
    """

    date: str
    stale_after: int
    records: int
    sha256: str
    sources: tuple[AdvisorySource, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "date": self.date,
            "staleAfter": self.stale_after,
            "records": self.records,
            "sha256": self.sha256,
            "sources": [each.to_json() for each in self.sources],
        }

    @classmethod
    def take(cls, found: Fields) -> Snapshot:
        made = cls(
            found.take("date", str),
            _count(found, "staleAfter"),
            _count(found, "records"),
            _hex(found.take("sha256", str), found.at),
            tuple(map(AdvisorySource.take, found.objects("sources"))),
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class AdvisoriesV1:
    """The body of an advisories statement.

    Attributes:
        files, packages: the facts about the subject. With them alone, newer advisories can be asked without the subject's bytes.
        as_of: the day by which was judged, as YYYY-MM-DD: what was published later does not count; '' where everything counts.
        hits: the worst first.
        left_off: how many further hits there are that are not listed: of packages that only may be affected.
    """

    tool: Tool
    snapshot: Snapshot
    files: tuple[FileFeatures, ...]
    packages: tuple[NamedPackage, ...]
    hits: tuple[AdvisoryHit, ...]
    as_of: str = ""
    left_off: int = 0
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def named_by(self, hits: Iterable[AdvisoryHit]) -> list[NamedPackage]:
        """The packages that these hits are about, each once, in order of the statement."""
        numbers = sorted({number for hit in hits for number in hit.named})
        return [self.packages[number] for number in numbers if number < len(self.packages)]

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "snapshot": self.snapshot.to_json(),
            "asOf": self.as_of,
            "files": [each.to_json() for each in self.files],
            "packages": [each.to_json() for each in self.packages],
            "hits": [each.to_json() for each in self.hits],
            "leftOff": self.left_off,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AdvisoriesV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        as_of = found.take("asOf", str)
        if not _DAY.fullmatch(as_of):
            raise FieldError("/asOf is no day")
        made = cls(
            tool=tool,
            snapshot=Snapshot.take(found.below("snapshot")),
            files=tuple(map(FileFeatures.take, found.objects("files"))),
            packages=tuple(map(NamedPackage.take, found.objects("packages"))),
            hits=tuple(map(AdvisoryHit.take, found.objects("hits"))),
            as_of=as_of,
            left_off=_count(found, "leftOff"),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
