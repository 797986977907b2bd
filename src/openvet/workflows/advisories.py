"""Which advisories a model reaches: of a model, of the statements in a dossier, of a bill of materials."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeVar

from openvet.advisories.facts import files_of
from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import MalformedError, SubjectError, UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1, FileFeatures, NamedPackage
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.knowledge import tool

if TYPE_CHECKING:
    from openvet.advisories.snapshot import Known
    from openvet.evidence.keys import PublicKey
    from openvet.evidence.predicates.scan_v1 import Scan
    from openvet.inventory.component import Inventory
    from openvet.workflows.check import Options

__all__ = ["ADVISORIES_TYPE", "Asked", "Judged", "advisories_of", "judge", "judge_again"]

ADVISORIES_TYPE: Final = f"{NAMES}/advisories/v1"
_LARGEST: Final = 256 * 1024 * 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """With what to judge.

    Attributes:
        more: folders, files and zips of OSV records; they come before those that ship.
        vex: files of VEX statements.
        loaders: ``name==version`` of programs that somebody has.
        as_of: what was published after this day does not count; ``None`` counts everything.
        key: the owner's, where a dossier or a signed statement is asked about.
        digests: hash the model, so that the answer names what it is about.
    """

    more: tuple[str, ...] = ()
    vex: tuple[str, ...] = ()
    loaders: tuple[str, ...] = ()
    as_of: date | None = None
    key: PublicKey | None = None
    digests: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What advisories say about one subject.

    Attributes:
        path: what the user named, printable.
        subject: its name and digests.
        advisories: the answer.
        basis: what the facts are taken from: ``model bom dossier statement``.
        notes: in words, what is missing: files that are no advisories, facts that a statement does not have.
    """

    path: str
    subject: ResourceDescriptor
    advisories: AdvisoriesV1
    basis: str
    notes: tuple[str, ...] = ()

    @property
    def hit(self) -> bool:
        """Whether somebody has to do something: a loader is reached that is not known to be well, or a version is affected."""
        return any(
            each.status == "affected" or (each.reasons and each.status != "not-affected")
            for each in self.advisories.hits
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "subject": self.subject.to_json(),
            "basis": self.basis,
            "notes": list(self.notes),
            "statements": [Statement(self.subject, self.advisories).to_json()],
        }


@dataclass(frozen=True, slots=True)
class _Facts:
    path: str
    subject: ResourceDescriptor
    files: tuple[FileFeatures, ...]
    packages: tuple[NamedPackage, ...]
    basis: str
    notes: tuple[str, ...] = ()


def advisories_of(scan: Scan, inventory: Inventory) -> AdvisoriesV1:
    """The answer of a check: with the advisories that ship, which are only read where the model gives a reason to."""
    from openvet.advisories.packages import named_packages

    files, packages = files_of(scan, inventory.walk()), inventory.once(named_packages)[0]
    return _matched(files, packages, _known((), files, packages), "")


def judge(path: str, asked: Asked, options: Options, progress: Progress) -> list[Judged]:
    """What advisories say about whatever lies at ``path``; of a dossier, one answer for each subject.

    Raises:
        SubjectError: it cannot be examined.
        UsageError: a file of advisories, VEX or a bill of materials is none; a dossier needs a key.
        VerifyError: a dossier or signed statement is not verified.
    """
    from openvet.advisories.documents import beside, read_vex

    said = tuple(each for name in asked.vex for each in _read(name, read_vex))
    extra = tuple(map(_loader, asked.loaders))
    day = "" if asked.as_of is None else asked.as_of.isoformat()
    out = []
    for facts in _facts(path, asked, options, progress):
        judged = _judged(facts, asked.more, day, extra)
        hits = beside(judged.advisories.hits, said)
        out.append(replace(judged, advisories=replace(judged.advisories, hits=hits)))
    return out


def judge_again(path: str, subject: ResourceDescriptor, said: Sequence[Any], more: Sequence[str], day: date) -> Judged:
    """What further advisories say about the subject of statements, as of a day and without the subject's bytes.

    Args:
        path: where the statements are, for notes.
        said: the predicates about it: its advisories, or else its scan and inventory.
        more: folders, files and zips of OSV records; they come before those that ship.
        day: what was published later does not count.

    Raises:
        UsageError: there are no advisories in one of them, or the statements have no facts.
    """
    (facts,) = _of_statements(path, [(subject, each) for each in said], "dossier")
    return _judged(facts, more, day.isoformat())


def _judged(facts: _Facts, more: Sequence[str], day: str, extra: Sequence[NamedPackage] = ()) -> Judged:
    packages = (*facts.packages, *extra)
    known = _known(more, facts.files, packages)
    found = _matched(facts.files, packages, known, day)
    notes = (*facts.notes, *(f"not taken for an advisory: {each}" for each in (known.refused if known else ())))
    return Judged(facts.path, facts.subject, found, facts.basis, notes)


def _matched(
    files: tuple[FileFeatures, ...], packages: tuple[NamedPackage, ...], known: Known | None, day: str
) -> AdvisoriesV1:
    if known is None:
        from openvet.advisories.snapshot import about_bundled

        return AdvisoriesV1(tool(), about_bundled(), files, packages, (), day)
    from openvet.advisories.match import match

    hits, left_off = match(known.records, files, packages, day)
    return AdvisoriesV1(tool(), known.about, files, packages, hits, day, left_off)


def _known(more: Sequence[str], files: Iterable[FileFeatures], packages: Iterable[NamedPackage]) -> Known | None:
    """The advisories to look through; ``None`` where none of those that ship can be about these facts."""
    from openvet.advisories.snapshot import bundled, from_path, joined, triggers

    names = frozenset(each.name for each in packages)
    if not more and not names:
        rules, formats = triggers()
        if not any(not rules.isdisjoint(each.rules) or not formats.isdisjoint(each.formats) for each in files):
            return None
    known = bundled(names)
    for path in reversed(more):
        known = joined(from_path(path, "", names), known)
    return known


def _loader(text: str) -> NamedPackage:
    """A program that the user has: a package of Python, or one that is in no index of Python (``R==4.3``, ``example.org/x/y==0.17``)."""
    from openvet.advisories.osv import package_name
    from openvet.advisories.pep440 import allowed
    from openvet.advisories.snapshot import programs
    from openvet.core.location import Location
    from openvet.formats.requirements import packages_of

    name, equals, version = (printable(each.strip()) for each in text.partition("=="))
    own = programs().get(name.lower(), name)
    named = packages_of(text.strip()) if own not in programs().values() and "/" not in name else []
    if len(named) == 1 and "place" not in named[0] and allowed(named[0].get("versions", "")) is not None:
        package = package_name("PyPI", named[0]["name"])
        return NamedPackage("PyPI", package, named[0].get("versions", "").replace(" ", ""), Location(""), "user")
    if not equals or not name or not version:
        raise UsageError(f"--loader {text!r}: write NAME==VERSION, or a requirement such as torch>=2.6")
    return NamedPackage("Go" if "/" in name else "", own, f"=={version}", Location(""), "user")


def _facts(path: str, asked: Asked, options: Options, progress: Progress) -> list[_Facts]:
    if _is_dossier(path):
        return _of_dossier(path, asked.key)
    start = _start(path)
    if b'"dsseEnvelope"' in start or b"sigstore.bundle" in start:
        from openvet.workflows.statement_file import read_statements

        read = read_statements(path, _needed(asked.key, path))
        return _of_statements(path, [(each.subjects[0], each.predicate) for each in read.statements], "statement")
    if any(each in start for each in (b"bomFormat", b"spdx", b"SPDX")):
        bill = _bill(path)
        if bill is not None:
            return [bill]
    return [_of_model(path, asked, options, progress)]


def _is_dossier(path: str) -> bool:
    """Whether a folder or zip has the files that every dossier has."""
    import zipfile

    needed = ("index.json", "claims.jsonl", "log/checkpoint")
    if os.path.isdir(path):
        return all(os.path.isfile(os.path.join(path, each)) for each in needed)
    try:
        if not os.path.isfile(path) or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return set(needed) <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return False  # read as a model, which says what is wrong with it


def _start(path: str) -> bytes:
    """The first bytes of a file that begins like a JSON object; what is no such file has none."""
    try:
        if not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            start = file.read(4096)
    except OSError:
        return b""
    return start if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else b""


def _bill(path: str) -> _Facts | None:
    """The packages of a bill of materials; ``None`` where the file is none after all."""
    from openvet.advisories.documents import is_bill, packages_of_bill, value_of
    from openvet.workflows.model_files import read_small

    shown = printable(os.path.basename(path))
    try:
        document = value_of(read_small(path, _LARGEST).removeprefix(b"\xef\xbb\xbf"), shown)
    except (OSError, SubjectError, MalformedError):
        return None  # read as a model, which says what is wrong with it
    if not is_bill(document):
        return None
    return _Facts(printable(path), ResourceDescriptor(shown, {}), (), packages_of_bill(document, shown), "bom")


def _of_model(path: str, asked: Asked, options: Options, progress: Progress) -> _Facts:
    from openvet.workflows.check import check_each

    settled = options.settled()
    if not asked.digests:
        settled = replace(settled, algorithms=())
    report = next(check_each([path], settled, progress))
    found = report.answers["advisories"]
    if not isinstance(found, AdvisoriesV1):
        raise SubjectError(f"{printable(path)}: no facts were taken")  # never: the check makes them
    unread = sum(1 for _ in report.scan.all_unknowns())
    notes = (f"{unread} notes say what could not be read of it: openvet check lists them",) if unread else ()
    return _Facts(report.path, report.subject, found.files, found.packages, "model", notes)


def _needed(key: PublicKey | None, path: str) -> PublicKey:
    if key is None:
        raise UsageError(f"{printable(path)}: is signed; say with --key whose it has to be")
    return key


def _of_dossier(path: str, key: PublicKey | None) -> list[_Facts]:
    from openvet.evidence.predicates import advisories_v1, inventory_v1, scan_v1
    from openvet.evidence.signing import parse_line, parse_statement
    from openvet.workflows.dossier import verify

    found = verify(path, _needed(key, path)).dossier
    wanted = {advisories_v1.PREDICATE_TYPE, scan_v1.PREDICATE_TYPE, inventory_v1.PREDICATE_TYPE}
    pairs = []
    for number, claim in enumerate(found.claims, 1):
        if claim.statement.predicate_type in wanted:  # the others may be of kinds and sizes that nobody needs here
            read = parse_statement(parse_line(claim.line, f"line {number}").envelope.payload)
            pairs.append((read.subjects[0], read.predicate))
    return _of_statements(path, pairs, "dossier")


def _of_statements(path: str, pairs: Sequence[tuple[ResourceDescriptor, Any]], basis: str) -> list[_Facts]:
    """The facts of each subject: of its last advisories statement, or else of its last scan and inventory."""
    from openvet.advisories.packages import named_in_items
    from openvet.evidence.predicates.inventory_v1 import InventoryV1
    from openvet.evidence.predicates.scan_v1 import Scan

    by_subject: dict[tuple[Any, ...], tuple[ResourceDescriptor, dict[type, Any]]] = {}
    for subject, predicate in pairs:
        kept = by_subject.setdefault((subject.name, *sorted(subject.digest.items())), (subject, {}))[1]
        kept[type(predicate)] = predicate
    out = []
    for subject, kept in by_subject.values():
        facts: Mapping[type, Any] = kept
        shown = f"{printable(path)}: {subject.name}"
        if AdvisoriesV1 in facts:
            before: AdvisoriesV1 = facts[AdvisoriesV1]
            packages = tuple(each for each in before.packages if each.via != "user")
            out.append(_Facts(shown, subject, before.files, packages, basis))
        elif Scan in facts:
            inventory = facts.get(InventoryV1)
            items = inventory.items if inventory is not None else ()
            notes = "there is no advisories statement: packages in settings, locks and environments are not known"
            out.append(_Facts(shown, subject, files_of(facts[Scan], items), named_in_items(items)[0], basis, (notes,)))
    if not out:
        raise UsageError(f"{printable(path)}: has neither a statement about advisories nor a scan")
    return out


def _read(path: str, take: Callable[[bytes, str], T]) -> T:
    from openvet.workflows.model_files import read_small

    shown = printable(os.path.basename(path))
    try:
        return take(read_small(path, _LARGEST), shown)
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except (SubjectError, MalformedError) as error:
        raise UsageError(str(error)) from error
