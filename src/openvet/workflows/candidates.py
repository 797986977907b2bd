"""What is known of several models: statements, dossiers and models themselves, gathered by the model that they are about. Nothing is made up.

A statement in a file or a dossier counts for what it is: signed by a key that was named, or not verified. A model that is named by its path is read now, with no
code of it run, and what that gives is evidence that nobody has signed.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import OpenVetError, SubjectError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.dossier.layout import CLAIMS, INDEX
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates.bench_v1 import BenchV1
from openvet.evidence.predicates.eval_v1 import EvalV1, ModelRef
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.evidence.signing import SignedStatement, parse_line, parse_statement, statement_digest
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.evidence.verifier import verify_with_key
from openvet.policy.builtin import decide
from openvet.policy.decision import Decision, Verdict
from openvet.reports.report import ModelReport
from openvet.workflows.check import Options, check_each
from openvet.workflows.decide import kind_of
from openvet.workflows.dossier import verify
from openvet.workflows.model_files import read_small

__all__ = ["MADE", "Candidate", "Evidence", "gather"]

_LARGEST: Final = 256 * 1024 * 1024
_HEAD: Final = 200_000
_MOST: Final = 1000
#: The basis of what is made from the model's files now.
MADE: Final = "made now"
_WORSE: Final = (Verdict.ADMIT, Verdict.REVIEW, Verdict.REJECT)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement.

    Attributes:
        kind: as packs call it, such as ``eval``.
        predicate: its body, of a kind that is known.
        sha256: of the statement.
        source: where it was read, printable.
        basis: ``signed`` by a key that was named, ``not verified``, or ``made now`` from the model's files.
        key: SHA-256 of the key; '' where none was named.
        path: of its file, for what lies beside it; '' where it is in none of its own.
    """

    kind: str
    predicate: Any
    sha256: str
    source: str
    basis: str
    key: str = ""
    path: str = ""

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "sha256": self.sha256, "source": self.source, "basis": self.basis, "key": self.key}


@dataclass(slots=True)
class Candidate:
    """One model.

    Attributes:
        name: for people.
        digest: of its files; empty where it is known by its name alone.
        evidence: in the order in which it was given.
        paths: where its files or its dossier lie.
        report: of the check that was made now, where its files are at hand.
        dossier: the folder or zip, where there is one.
    """

    name: str
    digest: dict[str, str] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    report: ModelReport | None = None
    dossier: str = ""

    def of(self, kind: str) -> list[Evidence]:
        """All of one kind."""
        return [each for each in self.evidence if each.kind == kind]

    def last(self, kind: str) -> Evidence | None:
        """The last of one kind; what is read off the model's files now stands above what others said of them, in any order."""
        found = self.of(kind)
        return next((each for each in reversed(found) if each.basis == MADE), found[-1] if found else None)

    def told(self, kind: str) -> list[Evidence]:
        """What counts of one kind, each statement once: what is read off the model's files now, else all that others said."""
        found = self.of(kind)
        made = [each for each in found if each.basis == MADE]
        return list({each.sha256 or str(at): each for at, each in enumerate(made or found)}.values())

    def by_name_alone(self, model: ModelRef) -> bool:
        """Whether a statement names its model without a digest, while this one is known by its own: nothing says that both are the same."""
        return bool(self.digest) and not model.digest

    def safety(self) -> tuple[Evidence, Decision, str] | None:
        """The scan that counts, what follows from it, and what to know about it: of several that say different things the worst, however they were ordered."""
        found = [
            (each, self.report.decision if self.report is not None and each.basis == MADE else decide(each.predicate))
            for each in self.of("scan")
            if isinstance(each.predicate, Scan)
        ]
        if not found:
            return None
        source, decision = max(found, key=lambda each: _WORSE.index(each[1].verdict))
        differ = len({each.verdict for _, each in found}) > 1
        return source, decision, f"{len(found)} scans of it differ: the worst counts" if differ else ""


def gather(
    named: Sequence[str], key: PublicKey | None = None, options: Options | None = None, progress: Progress | None = None
) -> list[Candidate]:
    """The models that are named, in the order of naming, each with all that was given of it.

    Args:
        key: who has to have signed statements and dossiers; without it statements are taken unverified, and say so.
        options: how models at hand are read.

    Raises:
        UsageError: something is neither a model nor a statement, or a dossier was named and no key.
        VerifyError: a statement or a dossier is not signed by the key, or malformed.
        SubjectError: a model cannot be read.
    """
    progress = progress or Progress()
    found: list[Candidate] = []
    for path in named:
        shown = printable(path)
        progress.subject = shown
        if _is_dossier(path):
            _from_dossier(path, shown, key, found)
        elif (data := _statements_in(path)) is not None:
            _from_statements(path, shown, data, key, found)
        else:
            _from_model(path, shown, options or Options(), progress, found)
    _tell_apart(found)
    return found


def _is_dossier(path: str) -> bool:
    if os.path.isdir(path):
        return os.path.isfile(os.path.join(path, INDEX)) and os.path.isfile(os.path.join(path, CLAIMS))
    if not path.endswith(".zip") or not os.path.isfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return {INDEX, CLAIMS} <= set(file.namelist()[:_MOST])
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return False


def _statements_in(path: str) -> bytes | None:
    """The bytes of a file with statements; ``None`` where it is something else."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if head.lstrip()[:1] != b"{" or not (b'"predicateType"' in head or b'"dsseEnvelope"' in head):
        return None
    return read_small(path, _LARGEST)


def _from_dossier(path: str, shown: str, key: PublicKey | None, found: list[Candidate]) -> None:
    if key is None:
        raise UsageError(
            f"{shown}: is a dossier, and of one only what is verified is believed: name its owner's key by --key"
        )
    dossier = verify(path, key).dossier
    for claim in dossier.claims:
        payload = parse_line(claim.line, "line").envelope.payload
        _add(parse_statement(payload), claim.sha256, shown, "signed", claim.key, "", found, place=path)


def _from_statements(path: str, shown: str, data: bytes, key: PublicKey | None, found: list[Candidate]) -> None:
    import hashlib

    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
        lines = [data.strip()]
    if len(lines) > _MOST:
        raise UsageError(f"{shown}: holds more than {_MOST} statements")
    for line in lines:
        try:
            payload = line
            if b'"dsseEnvelope"' in line[:_HEAD]:
                bundle = Bundle.parse(line)
                if key is not None:
                    verify_with_key(bundle, key)
                payload = bundle.envelope.payload
            elif key is not None:
                raise VerifyError("untrusted", "nobody signed it")
            said = parse_statement(payload)
        except VerifyError as error:
            raise VerifyError(error.reason, f"{shown}: {error.message}") from error
        basis = "not verified" if key is None else "signed"
        _add(said, hashlib.sha256(payload).hexdigest(), shown, basis, key.hint if key else "", path, found)


def _add(
    said: SignedStatement,
    sha256: str,
    shown: str,
    basis: str,
    key: str,
    path: str,
    found: list[Candidate],
    place: str = "",
) -> None:
    """One statement; of a kind that is not known nothing can be shown, and it is left out."""
    if said.predicate is None:
        return
    if isinstance(said.predicate, EvalV1 | BenchV1):
        # of an evaluation by name alone the subject is its log
        digest, name = dict(said.predicate.model.digest or {}), said.predicate.model.name
    else:
        digest, name = dict(said.subjects[0].digest), said.subjects[0].name
    kind = kind_of(said.predicate_type) or said.predicate_type
    candidate = _candidate(name, digest, found)
    candidate.evidence.append(Evidence(kind, said.predicate, sha256, shown, basis, key, path))
    if place and place not in candidate.paths:
        candidate.paths.append(place)
        candidate.dossier = candidate.dossier or place


def _from_model(path: str, shown: str, options: Options, progress: Progress, found: list[Candidate]) -> None:
    if not os.path.exists(path):
        raise UsageError(f"{shown}: there is no such file or folder: name a model, a dossier, or files with statements")
    try:
        (report,) = check_each([path], options, progress)
    except SubjectError:
        raise
    except OpenVetError as error:
        raise UsageError(f"{shown}: {error}") from error
    candidate = _candidate(report.subject.name, dict(report.subject.digest), found)
    candidate.report = report
    candidate.paths.append(path)
    for statement in report.statements():
        kind = kind_of(statement.predicate.predicate_type)
        candidate.evidence.append(Evidence(kind, statement.predicate, _digest(report.subject, statement), shown, MADE))


def _digest(subject: ResourceDescriptor, statement: Statement) -> str:
    return statement_digest(statement) if subject.digest else ""


def _candidate(name: str, digest: Mapping[str, str], found: list[Candidate]) -> Candidate:
    """The one with this digest; by name where one of both has no digest."""
    for each in found:
        shared = each.digest.keys() & digest.keys()
        if shared and all(each.digest[kind] == digest[kind] for kind in shared):
            each.digest.update(digest)
            return each
    if not digest:
        for each in found:
            if each.name == printable(name):
                return each
    else:
        for each in found:
            if not each.digest and each.name == printable(name):
                each.digest.update(digest)
                return each
    made = Candidate(printable(name)[:200], dict(digest))
    found.append(made)
    return made


def _tell_apart(found: Sequence[Candidate]) -> None:
    """Two of one name get the beginning of their digests behind it."""
    names = [each.name for each in found]
    for each in found:
        if names.count(each.name) > 1 and each.digest:
            each.name = f"{each.name} ({next(iter(each.digest.values()))[:8]})"
