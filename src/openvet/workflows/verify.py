"""verify: who signed a model's files, whether they are still those, and what the signature says nothing about."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry
from openvet.core.text import printable
from openvet.errors import ReadError, SubjectError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.file_bundle import is_over_a_file
from openvet.evidence.model_signature import DIGESTS_V01, SIGNATURE_V1, SINGLE, ModelSignature, Resource
from openvet.evidence.verifier import Signer, Verified
from openvet.io.digest_cache import DigestCache
from openvet.origins.local import LocalOrigin
from openvet.workflows.model_files import (
    FileError,
    Listing,
    NotCovered,
    Reused,
    Span,
    default_signature,
    digest,
    list_files,
    own_path,
    read_small,
)
from openvet.workflows.verify_file import CheckFile, FileVerification, signature_beside, verify_file

__all__ = ["VERIFICATION_TYPE", "Difference", "MismatchError", "Verification", "VerifyOptions", "confirmation", "describe", "differences", "refusal", "verify", "verify_either"]  # fmt: skip

VERIFICATION_TYPE: Final = "https://openvet/verification/v1"
_BUNDLE: Final = 256 * 1024 * 1024
_SAID: Final = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a model is not what was signed. ``what`` is ``changed``, ``missing``, ``unsigned`` or ``unreadable``."""

    path: str
    what: str
    detail: str = ""

    def to_json(self) -> dict[str, str]:
        return {"path": self.path, "what": self.what, **({"detail": self.detail} if self.detail else {})}

    def __str__(self) -> str:
        return f"{self.path} ({self.what}{': ' if self.detail else ''}{self.detail})"


class MismatchError(VerifyError):
    """A good signature, and a model that is not the signed one. ``signer`` signed, ``differences`` says what is not so."""

    def __init__(self, signer: Signer, differences: Sequence[Difference], reused: Reused | None = None) -> None:
        said = describe(differences)
        super().__init__("mismatch", f"the signature is good, but the model is not what was signed: {said}")
        self.signer = signer
        self.differences = tuple(differences)
        self.reused = reused


def describe(differences: Sequence[Difference]) -> str:
    """The first few, for people."""
    more = f", and {len(differences) - _SAID} more" if len(differences) > _SAID else ""
    return ", ".join(map(str, differences[:_SAID])) + more


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """How to verify.

    Attributes:
        signature: where it is; '' means ``MODEL/model.sig``, or ``FILE.sig``, or the bundle of another tool beside FILE.
        ignore: more paths of the model, relative to it, whose files need no signature.
        allow_unsigned: files that are not signed are listed, and not refused.
        jobs: hashing threads; 0 means all cores.
        cache: digests of files that have not changed since are taken from it: their bytes are believed, and not verified.
    """

    signature: str = ""
    ignore: tuple[str, ...] = ()
    allow_unsigned: bool = False
    jobs: int = 0
    cache: DigestCache | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """A model that is what was signed.

    ``model`` and ``signature`` are paths, printable; ``reused`` says what came from the digest cache, if one was used.
    """

    model: str
    signature: str
    statement: ModelSignature
    size: int
    signer: Signer
    not_covered: tuple[NotCovered, ...]
    notes: tuple[str, ...]
    reused: Reused | None = None

    def to_json(self) -> dict[str, Any]:
        statement = self.statement
        return {
            "model": self.model,
            "signature": self.signature,
            "predicate_type": DIGESTS_V01 if statement.legacy else SIGNATURE_V1,
            "subject": {"name": statement.name, "digest": {"sha256": statement.root}},
            "serialization": statement.serialization.to_json(),
            "files": len(statement.files),
            "bytes": self.size,
            "signer": self.signer.to_json(),
            "not_covered": [each.to_json() for each in self.not_covered],
            "notes": list(self.notes),
            **({"declared": _declared(statement)} if statement.declared else {}),
            **({} if self.reused is None else {"digest_cache": self.reused.to_json()}),
        }


def confirmation(found: Verification | FileVerification) -> dict[str, Any]:
    """What a program is told about a model that is verified."""
    return {"type": VERIFICATION_TYPE, "verified": True, **found.to_json()}


def _declared(statement: ModelSignature) -> list[dict[str, str]]:
    return [{"path": printable(name), "by": printable(by)} for name, by in statement.declared]


def refusal(model: str, signature: str, error: VerifyError) -> dict[str, Any]:
    """What a program is told about a model that is not verified."""
    value: dict[str, Any] = {
        "type": VERIFICATION_TYPE,
        "verified": False,
        "model": printable(model),
        "signature": printable(signature or _place(model)),
        "reason": error.reason,
        "message": error.message,
        "differences": [],
    }
    if isinstance(error, MismatchError):
        value["signer"] = error.signer.to_json()
        value["differences"] = [each.to_json() for each in error.differences]
        if error.reused is not None:
            value["digest_cache"] = error.reused.to_json()
    return value


def verify(
    path: str,
    check: Callable[[Bundle], Verified],
    options: VerifyOptions | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Verify the model at ``path`` against its signature.

    Args:
        check: checks the bundle's signature by what the caller trusts, as :func:`openvet.evidence.verifier.verify_with_key` does.

    Raises:
        VerifyError: it is not verified, for the reason given; :class:`MismatchError` where the model differs.
        SubjectError: the model cannot be listed.
        UsageError: an option makes no sense.
    """
    options = options or VerifyOptions()
    place, document = _signature(path, options)
    if is_over_a_file(document):
        raise VerifyError("unsupported", "a signature over one file says nothing about a model, so that only its signer can be asked for: a key, or an identity and its issuer")  # fmt: skip
    return _verify_model(path, place, document, check, options, progress or Progress())


def verify_either(
    path: str,
    check: Callable[[Bundle], Verified],
    check_file: CheckFile | None,
    options: VerifyOptions,
    progress: Progress,
) -> Verification | FileVerification:
    """Verify what is at ``path``, be it signed as a model, or as one file by other tools.

    Args:
        check: as in :func:`verify`.
        check_file: does so for a signature over one file, as :func:`openvet.evidence.file_signature.verify_file_with_key` does.

    Raises:
        VerifyError, SubjectError, UsageError: as :func:`verify`.
    """
    place, document = _signature(path, options)
    if check_file is not None and is_over_a_file(document):
        return verify_file(path, place, document, check_file, options.jobs, options.cache, progress)
    return verify(path, check, replace(options, signature=place), progress)


def differences(path: str, statement: ModelSignature, progress: Progress) -> list[Difference]:
    """Where the model at ``path`` is not what ``statement`` says; none where it is.

    Raises:
        SubjectError: the model cannot be listed.
    """
    origin = LocalOrigin(path)
    try:
        return _hold(origin, statement, VerifyOptions(), None, progress, None)[2]
    finally:
        origin.close()


def _hold(
    origin: LocalOrigin,
    statement: ModelSignature,
    options: VerifyOptions,
    own: str | None,
    progress: Progress,
    reused: Reused | None,
) -> tuple[dict[str, Entry], list[NotCovered], list[Difference]]:
    """The signed files that are there, what is not covered, and where the model is not what was signed."""
    listing = _list(origin, statement, options, None if origin.snapshot.single else own)
    files, differing = _match(statement, listing, origin)
    not_covered = list(listing.not_covered)
    unsigned = list(_unsigned(listing, files))
    if options.allow_unsigned:
        not_covered += unsigned
    elif files or not differing:  # the signature of something else altogether need not be told file by file
        differing += [Difference(each.path, "unsigned", each.why) for each in unsigned]
    if statement.serialization.shard_size is not None:
        not_covered += [
            NotCovered(each.place, "is empty, which a signature by shards does not hold")
            for each in listing.empty
            if each.name not in files
        ]
    if not differing:  # the cheap answer first: what is known to differ need not be hashed
        differing += _compare(origin, statement, files, options, progress, reused)
    return files, not_covered, differing


def _signature(path: str, options: VerifyOptions) -> tuple[str, bytes]:
    if not os.path.exists(path):
        LocalOrigin(path).close()  # says what is wrong: a model that is not there is no model without a signature
    place = options.signature or _place(path)
    return place, _read(place)


def _verify_model(
    path: str,
    place: str,
    document: bytes,
    check: Callable[[Bundle], Verified],
    options: VerifyOptions,
    progress: Progress,
) -> Verification:
    reused = None if options.cache is None else Reused()
    bundle = Bundle.parse(document)
    verified = check(bundle)
    statement = ModelSignature.parse(verified.payload)
    origin = LocalOrigin(path)
    try:
        files, not_covered, differing = _hold(origin, statement, options, own_path(place, path), progress, reused)
    finally:
        origin.close()
    if differing:
        raise MismatchError(verified.signer, differing, reused)
    size = sum(entry.size for entry in files.values())
    notes = tuple(_notes(origin, statement, bundle, verified.signer))
    return Verification(
        printable(path), printable(place), statement, size, verified.signer, tuple(not_covered), notes, reused
    )


def _place(model: str) -> str:
    """Where a model's signature is, when nobody says."""
    place = default_signature(model)
    return place if os.path.isdir(model) or os.path.lexists(place) else signature_beside(model) or place


def _read(place: str) -> bytes:
    try:
        return read_small(place, _BUNDLE)
    except FileNotFoundError:
        raise VerifyError("missing", f"there is no signature at {printable(place)}") from None
    except OSError as error:
        raise VerifyError("missing", f"the signature {printable(place)} cannot be read: {error.strerror}") from error
    except SubjectError as error:
        raise VerifyError("malformed", str(error)) from error


def _list(origin: LocalOrigin, statement: ModelSignature, options: VerifyOptions, own: str | None) -> Listing:
    serialization = statement.serialization
    mine = tuple(each.strip("/").removeprefix("./") for each in options.ignore)
    paths = (*serialization.ignore_paths, *mine)
    return list_files(origin, replace(serialization, ignore_paths=paths), own, statement.files)


def _match(
    statement: ModelSignature, listing: Listing, origin: LocalOrigin
) -> tuple[dict[str, Entry], list[Difference]]:
    """The signed files that are there, by name, and those that are not or are something else."""
    single, name = origin.snapshot.single, origin.snapshot.name
    about_one = len(statement.files) == 1 and set(statement.files) <= {SINGLE, *({name} if single else ())}
    if single and not about_one:
        return {}, [
            Difference(name, "changed", f"is one file, and a folder of {len(statement.files)} files was signed")
        ]
    if not single and SINGLE in statement.files:
        return {}, [Difference(name, "changed", "is a folder, and one file was signed")]
    others = {each.path: each.why for each in listing.others}
    files: dict[str, Entry] = {}
    differences: list[Difference] = []
    for path, pieces in statement.files.items():
        entry = listing.files.get(SINGLE if single else path)
        if entry is None:
            place = printable(path)
            what = "unreadable" if place in others else "missing"
            differences.append(Difference(place, what, others.get(place, "")))
            continue
        files[path] = entry
        end = pieces[-1].end
        if end is not None and end != entry.size:
            said = _pointer(origin, entry, None) or f"has {entry.size} bytes, {end} were signed"
            differences.append(Difference(entry.place, "changed", said))
    return files, differences


def _unsigned(listing: Listing, files: Mapping[str, Entry]) -> Iterator[NotCovered]:
    known = {entry.place for entry in files.values()}
    spared = {entry.place for entry in listing.empty}
    for entry in listing.files.values():
        if entry.place not in known and entry.place not in spared:
            yield NotCovered(entry.place, "is not signed")
    yield from (each for each in listing.others if each.path not in known)


def _compare(
    origin: LocalOrigin,
    statement: ModelSignature,
    files: Mapping[str, Entry],
    options: VerifyOptions,
    progress: Progress,
    reused: Reused | None,
) -> list[Difference]:
    signed: dict[tuple[str, int, int | None], Resource] = {
        (each.path, each.start, each.end): each for each in statement.resources
    }
    wanted: list[tuple[str, Entry, Sequence[Span]]] = [
        (path, entry, [(each.start, each.end) for each in statement.files[path]]) for path, entry in files.items()
    ]
    changed: dict[str, str] = {}
    try:
        algorithm = statement.serialization.hash_type
        for found in digest(origin, wanted, algorithm, options.jobs, progress, options.cache, reused):
            wanted_one = signed.pop((found.path, found.start, found.end))
            if found.digest != wanted_one.digest:
                span = "" if found.end is None else f"bytes {found.start} to {found.end}"
                span = _pointer(origin, files[found.path], wanted_one if algorithm == "sha256" else None) or span
                changed.setdefault(files[found.path].place, span)
    except FileError as error:
        return [Difference(error.place, "unreadable", str(error).removeprefix(f"{error.place}: "))]
    if signed and not changed:
        raise AssertionError("every signed piece is hashed")
    return [Difference(path, "changed", span) for path, span in sorted(changed.items())]


def _pointer(origin: LocalOrigin, entry: Entry, signed: Resource | None) -> str:
    """What to say of a Git LFS pointer in place of the signed file: never that it is good, whatever it names.

    ``signed`` is ``None`` where what was signed is no SHA-256 of the whole file, so that the pointer cannot be compared.
    """
    from openvet.workflows.declared import pointer_in  # only what has changed need be looked at so

    try:
        with origin.open(entry) as source:
            found = pointer_in(source)
    except ReadError:
        return ""
    if found is None:
        return ""
    which = ""
    if signed is not None:
        which = " to the signed digest" if found.sha256 == signed.digest else " to another file than the signed one"
    return f"is a Git LFS pointer{which}; a pointer is no file: fetch it (git lfs pull)"


def _notes(origin: LocalOrigin, statement: ModelSignature, bundle: Bundle, signer: Signer) -> Iterator[str]:
    if statement.legacy:
        yield "an old kind of signature (model-signing 0.2): sign again to record what it leaves out"
    elif statement.name != origin.snapshot.name:
        yield f"it was signed under the name {printable(statement.name)}; names of models are not part of what is verified"
    if statement.declared:
        some = ", ".join(printable(name) for name, _ in statement.declared[:_SAID])
        more = f" and {len(statement.declared) - _SAID} more" if len(statement.declared) > _SAID else ""
        yield f"the signer took digests that others had declared, without reading the files: {some}{more}; their bytes were compared here all the same"
    if signer.method != "sigstore" and (bundle.material.log_entries or bundle.material.timestamps is not None):
        yield "the bundle carries log entries or timestamps, which were not checked"
    if signer.signed_at is None:
        yield "when it was signed is not proven"
