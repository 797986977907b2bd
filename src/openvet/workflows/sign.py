"""sign: hash a model's files, and sign the list of them as OpenSSF Model Signing has it.

A signature is over digests. Those that were declared are signed only where the caller asks for it, and the signed statement
names the files (docs/adr/0019).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError
from openvet.evidence.bundle import Bundle, Material
from openvet.evidence.dsse import IN_TOTO, Envelope, Signature, pae
from openvet.evidence.keys import PublicKey
from openvet.evidence.model_signature import ALWAYS_IGNORED, ModelSignature, Resource, Serialization
from openvet.io.digest_cache import DigestCache
from openvet.io.new_file import NewFile, WriteError
from openvet.origins.local import LocalOrigin
from openvet.workflows.declared import Taken, declared_digests, is_remote, measure_remote, open_model, take
from openvet.workflows.model_files import (
    FileError,
    Listing,
    NotCovered,
    Reused,
    default_signature,
    digest,
    list_files,
    own_path,
)

if TYPE_CHECKING:
    from openvet.evidence.signing import SigningKey
    from openvet.origins.remote import RemoteOrigin

__all__ = ["SIGNING_TYPE", "SignOptions", "Signing", "certificates_of", "sign"]

SIGNING_TYPE: Final = "https://openvet/signing/v1"
_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class SignOptions:
    """How to sign.

    Attributes:
        signature: where to write it; '' means ``MODEL/model.sig``, or ``FILE.sig``.
        serialization: files or shards, the hash, links, and what else is left out: paths relative to the model.
        force: replace a signature that is there.
        jobs: hashing threads; 0 means all cores.
        certificates: DER, the signer's first; they go into the bundle in place of the key's name.
        cache: digests of files that have not changed since are taken from it.
        declared: digests that somebody named already are signed without reading those files.
    """

    signature: str = ""
    serialization: Serialization = field(default_factory=Serialization)
    force: bool = False
    jobs: int = 0
    certificates: tuple[bytes, ...] = ()
    cache: DigestCache | None = None
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Signing:
    """What was signed.

    Attributes:
        model, signature: paths, printable.
        size: of all files in bytes, those that are declared as large as they are said to be.
        reused: what came from the digest cache, if it was used.
        taken: files that were not read, since their digests were declared.
    """

    model: str
    signature: str
    statement: ModelSignature
    size: int
    key: PublicKey
    not_covered: tuple[NotCovered, ...]
    reused: Reused | None = None
    taken: tuple[Taken, ...] = ()

    def to_json(self) -> dict[str, Any]:
        statement = self.statement
        return {
            "type": SIGNING_TYPE,
            "model": self.model,
            "signature": self.signature,
            "subject": {"name": statement.name, "digest": {"sha256": statement.root}},
            "serialization": statement.serialization.to_json(),
            "files": len(statement.files),
            "bytes": self.size,
            "key": {"kind": self.key.kind, "sha256": self.key.hint},
            "not_covered": [each.to_json() for each in self.not_covered],
            **({} if self.reused is None else {"digest_cache": self.reused.to_json()}),
            **({"declared": [each.to_json() for each in self.taken]} if self.taken else {}),
        }


def sign(path: str, key: SigningKey, options: SignOptions | None = None, progress: Progress | None = None) -> Signing:
    """Sign the model at ``path`` and write the signature.

    Raises:
        SubjectError: the model cannot be listed, holds something that cannot be signed, or changes meanwhile.
        UsageError: an option makes no sense, or the key is of a kind that other verifiers do not take.
        WriteError: the signature cannot be written; nothing was left there.
    """
    options = options or SignOptions()
    _check_declared(path, options)
    target = options.signature or default_signature(path)
    _check_key(key, options)
    reused = None if options.cache is None else Reused()
    origin = open_model(path) if options.declared else LocalOrigin(path)
    try:
        own = None if origin.snapshot.single or origin.remote else own_path(target, path)
        _spare(target, path, force=options.force)
        serialization = _settled(options.serialization, origin, own)
        found = list_files(origin, serialization, own)
        _check_listing(found, origin, options.serialization)
        known = declared_digests(origin) if options.declared else {}
        resources, taken, left = take(found.files, known)
        resources += _measured(origin, left, serialization, options, progress or Progress(), reused)
        said = [(name, known[entry.name].by) for name, entry in found.files.items() if entry.name in known]
        statement = ModelSignature.of(origin.snapshot.name, resources, serialization, said)
        size = sum(known[each.name].size if each.name in known else each.size for each in found.files.values())
    finally:
        origin.close()
    payload = statement.to_bytes()
    envelope = Envelope(IN_TOTO, payload, (Signature(key.sign(pae(IN_TOTO, payload))),))
    material = (
        Material("x509CertificateChain", certificates=options.certificates)
        if options.certificates
        else Material("publicKey", key.public.hint)
    )
    with NewFile(target, replace=options.force) as file:
        file.write(Bundle(material, envelope).to_bytes())
        file.commit()
    empty = (NotCovered(each.place, "is empty, which a signature by shards does not hold") for each in found.empty)
    not_covered = (*found.not_covered, *empty)
    return Signing(printable(path), printable(target), statement, size, key.public, not_covered, reused, tuple(taken))


def _check_declared(path: str, options: SignOptions) -> None:
    remote = is_remote(path)
    if remote and not options.declared:
        raise UsageError(
            f"{printable(path)}: is on a server; download it to sign what you have, or sign the digests that the server names with --declared"
        )
    if remote and not options.signature:
        raise UsageError("a model on a server has no place for its signature; name one with --signature")
    if options.declared and (
        options.serialization.shard_size is not None or options.serialization.hash_type != "sha256"
    ):
        raise UsageError("--declared takes digests of whole files in SHA-256, which shards and other hashes are not")


def _measured(
    origin: LocalOrigin | RemoteOrigin,
    files: Mapping[str, Entry],
    serialization: Serialization,
    options: SignOptions,
    progress: Progress,
    reused: Reused | None,
) -> list[Resource]:
    if origin.remote:
        return list(measure_remote(origin, files, progress))
    wanted = [(name, entry, serialization.spans(entry.size)) for name, entry in files.items()]
    try:
        return list(digest(origin, wanted, serialization.hash_type, options.jobs, progress, options.cache, reused))
    except FileError as error:
        raise SubjectError(str(error)) from error


def _check_key(key: SigningKey, options: SignOptions) -> None:
    if key.public.kind == "ed25519":
        raise UsageError(
            "OpenSSF Model Signing knows no Ed25519, and other verifiers would fail on it; sign models with a key on P-256, "
            "P-384 or P-521 (`openvet keys new` makes one)"
        )
    if options.certificates:
        from openvet.errors import VerifyError
        from openvet.evidence.certificates import facts_of

        try:
            certified, facts = facts_of(options.certificates[0])
        except VerifyError as error:
            raise UsageError(error.message) from error
        if certified.hint != key.public.hint:
            raise UsageError(f"the certificate of {facts.subject} is for another key than the one that signs")


def _settled(asked: Serialization, origin: LocalOrigin | RemoteOrigin, own: str | None) -> Serialization:
    """What was asked for, with what is always ignored, and links allowed where a cache consists of them."""
    if origin.snapshot.single:
        return replace(asked, ignore_paths=())
    names = [entry.name for entry in origin.snapshot.entries]
    ignored = []
    for each in asked.ignore_paths:
        path = _ignorable(each)
        if not any(name == path or name.startswith(path + "/") for name in names):
            raise UsageError(
                f"--ignore {printable(each)}: there is no such file or folder in the model; paths are relative to it"
            )
        ignored.append(path)
    paths = {*ignored, *ALWAYS_IGNORED, *([own] if own is not None else [])}
    return replace(
        asked,
        ignore_paths=tuple(sorted(paths)),
        allow_symlinks=asked.allow_symlinks or (not origin.remote and origin.cached),
    )


def _ignorable(text: str) -> str:
    """A path to ignore in its one spelling. Patterns are refused: a verifier takes every character as it is."""
    path = os.path.normpath(text).replace(os.sep, "/") if text else ""
    if not path or path == "." or path.startswith(("/", "../")) or path == "..":
        raise UsageError(f"--ignore {printable(text)!r}: name a file or folder below the model, relative to it")
    if not set(path).isdisjoint("*?["):
        raise UsageError(f"--ignore {printable(text)}: no patterns; name each file or folder")
    return path


def _check_listing(found: Listing, origin: LocalOrigin | RemoteOrigin, asked: Serialization) -> None:
    if found.others:
        lines = [f"{each.path} ({each.why})" for each in found.others[:_LISTED]]
        more = f", and {len(found.others) - _LISTED} more" if len(found.others) > _LISTED else ""
        links = any(each.why == "is a link" for each in found.others)
        advice = (
            "--allow-symlinks signs what links inside the model lead to; " if links and not asked.allow_symlinks else ""
        )
        raise SubjectError(
            f"{origin.snapshot.name}: cannot be signed: {', '.join(lines)}{more}; {advice}--ignore leaves a path out"
        )
    for each in found.empty:
        found.files.pop(each.name, None)
    if not found.files:
        raise SubjectError(f"{origin.snapshot.name}: there is nothing to sign in it")


def _spare(target: str, model: str, *, force: bool) -> None:
    """Say before the long work what would fail after it, and never let a signature replace anything but a signature."""
    shown = printable(target)
    if not os.path.lexists(target):
        if not os.path.isdir(os.path.dirname(os.path.abspath(target))):
            raise WriteError(f"cannot write {shown}: its folder does not exist; make it first")
        return
    if os.path.realpath(target) == os.path.realpath(model):
        raise WriteError(f"cannot write {shown}: it is what is signed")
    if not force:
        raise WriteError(f"{shown} exists; --force replaces it")
    from openvet.workflows.model_files import read_small

    try:
        older = b"sigstore.bundle" in read_small(target, 1 << 28)[:4096]
    except (OSError, SubjectError):
        older = False
    if not older:
        raise WriteError(
            f"cannot write {shown}: what is there is no signature, and would be lost; choose another place"
        )


def certificates_of(paths: Sequence[str]) -> tuple[bytes, ...]:
    """The certificates in PEM files, in their order, as DER.

    Raises:
        UsageError: a file is missing or holds none.
    """
    from openvet.evidence.certificates import load_certificate
    from openvet.workflows.keys import read_pem

    return tuple(der for path in paths for der in load_certificate(read_pem(path)))
