"""Statements held against a model at hand: which of them are about it.

A scan names a model by the digest of all of it, which is compared. A signature of OpenSSF Model Signing names it by a digest over its own
list of files, and is compared as ``openvet verify`` compares it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from stat import S_ISLNK
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.digest import dir_hash
from openvet.core.progress import Progress
from openvet.core.snapshot import EntryKind
from openvet.core.text import printable
from openvet.errors import SubjectError, VerifyError
from openvet.evidence.dossier.reading import Claim
from openvet.evidence.model_signature import DIGESTS_V01, SIGNATURE_V1, ModelSignature
from openvet.evidence.signing import parse_line
from openvet.origins.local import LocalOrigin
from openvet.workflows.model_files import FileError, digest
from openvet.workflows.verify import describe, differences

__all__ = ["OPENSSF", "Held", "hold", "identities", "model_digest"]

#: Their subjects' digests are of another make: over the list of files that they sign.
OPENSSF: Final = (SIGNATURE_V1, DIGESTS_V01)
_SAID: Final = 5


@dataclass(frozen=True, slots=True)
class Held:
    """Lines of a dossier, by their numbers: those that are ``about`` the model, and signatures that are not, each with the reason."""

    about: tuple[int, ...]
    unlike: Mapping[int, str] = field(default_factory=dict)


def hold(path: str, claims: Sequence[Claim], progress: Progress, *, signatures: bool) -> Held:
    """Hold the lines of a dossier against the model at ``path``.

    Args:
        signatures: compare signatures of the model's files too, for which it is read once more. One that is not about the model is
            told, and refuses nothing: it may be about an earlier version.

    Raises:
        VerifyError: ``mismatch``: a statement is about another model; ``missing``: none can be held against this one.
        SubjectError: the model cannot be listed.
    """
    name, whole, by_file = model_digest(path, progress)
    about, unlike = [], {}
    for number, claim in enumerate(claims, 1):
        said = claim.statement
        if said.predicate_type in OPENSSF:
            if signatures and (why := _why_unlike(path, claim, progress)):
                unlike[number] = why
            elif signatures:
                about.append(number)
            continue
        signed = said.subjects[0].digest.get(name)
        if len(said.subjects) != 1 or signed is None:
            continue
        if signed != whole:
            text = f"line {number} is about {name} {printable(signed)}, and the model is {whole}{_differing(said.body, by_file)}"
            raise VerifyError(
                "mismatch", f"{text}; a dossier is about one version of a model, and another begins a new one"
            )
        about.append(number)
    if not about and not unlike:
        raise VerifyError("missing", f"no statement names a {name}, so that none can be held against the model")
    return Held(tuple(about), unlike)


def _why_unlike(path: str, claim: Claim, progress: Progress) -> str:
    """Why a signature is not one of the model's files, for people; '' where it is."""
    try:
        statement = ModelSignature.parse(parse_line(claim.line, "the signature").envelope.payload)
    except VerifyError as error:
        return printable(error.message)
    found = differences(path, statement, progress)
    return f"the model is not what was signed: {describe(found)}" if found else ""


def model_digest(path: str, progress: Progress) -> tuple[str, str, dict[str, str]]:
    """Which digest a subject of this kind has, the digest itself, and that of each file by its printable place.

    Raises:
        VerifyError: ``mismatch``: a file cannot be read, so that no statement is about this model.
        SubjectError: the model cannot be listed.
    """
    origin = LocalOrigin(path)
    try:
        if origin.snapshot.cut:
            raise SubjectError(f"{origin.snapshot.name}: {origin.snapshot.cut}")
        entries = [each for each in origin.snapshot.entries if each.kind is not EntryKind.FOLDER_LINK]
        for each in entries:
            if each.kind is not EntryKind.FILE:
                raise VerifyError("mismatch", f"{each.place} cannot be hashed: {each.detail}")
        wanted = [(each.name, each, [(0, None)]) for each in entries]
        try:
            digests = {each.name: each.digest for each in digest(origin, wanted, "sha256", 0, progress)}
        except FileError as error:
            raise VerifyError("mismatch", str(error)) from error
        places = {each.place: digests[each.name] for each in entries}
        if origin.snapshot.single:
            return "sha256", next(iter(digests.values())), places
    finally:
        origin.close()
    whole = dir_hash(digests)
    if whole is None:
        raise VerifyError("mismatch", "the name of a file has a line break, so that the model has no digest")
    return "dirHash", whole, places


def identities(path: str) -> tuple[Any, ...]:
    """What every file, folder and link is (inode, size, times of the content and of the entry, which nobody sets; where a link leads, and what lies there): by what to
    see that a model changed while it was run.
    """

    def walk() -> Iterator[str]:
        yield path
        for folder, folders, files in os.walk(path):
            folders.sort()
            yield from (os.path.join(folder, each) for each in (*folders, *sorted(files)))

    found: list[Any] = []
    for each in walk():
        try:
            entry, target = os.lstat(each), os.stat(each)
            leads = os.readlink(each) if S_ISLNK(entry.st_mode) else ""
        except OSError:
            found.append((each, "cannot be looked at"))
            continue
        found.append((each, leads, *_identity(entry), *(_identity(target) if leads else ())))
    return tuple(found)


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _differing(body: Mapping[str, Any], by_file: Mapping[str, str]) -> str:
    """The first files that differ, where the statement lists files as a scan does."""
    listed = body.get("files")
    if not isinstance(listed, list):
        return ""
    signed = {}
    for each in listed:
        if isinstance(each, dict) and isinstance(each.get("digest"), dict):
            signed[str(each.get("path"))] = each["digest"].get("sha256")
    names = [name for name in sorted({*signed, *by_file}) if signed.get(name) != by_file.get(name)]
    return f"; differing: {', '.join(map(printable, names[:_SAID]))}" if names else ""
