"""verify, for a file that was signed as a file: a Sigstore bundle over its bytes, as ``cosign sign-blob`` and ``sigstore sign`` write it.

Such a signature is about bytes and nothing else: it names no model, no path and no kind of statement.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.snapshot import EntryKind
from openvet.core.text import printable
from openvet.errors import ReadError, VerifyError
from openvet.evidence.file_bundle import FileBundle
from openvet.evidence.verifier import Signer
from openvet.io.digest_cache import DigestCache
from openvet.origins.local import LocalOrigin
from openvet.workflows.model_files import Reused, digest

__all__ = ["CheckFile", "FileVerification", "signature_beside", "verify_file"]

#: Checks a bundle over the file of this SHA-256 by what the caller trusts.
CheckFile = Callable[[FileBundle, bytes], Signer]
#: How other tools name the bundle of a file.
_ENDINGS: Final = (".sigstore.json", ".sigstore")


@dataclass(frozen=True, slots=True)
class FileVerification:
    """A file that is what was signed.

    ``model`` and ``signature`` are paths, printable; ``sha256`` is in hex, ``size`` in bytes; ``reused`` says what came from the digest
    cache, if one was used.
    """

    model: str
    signature: str
    sha256: str
    size: int
    signer: Signer
    notes: tuple[str, ...]
    reused: Reused | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "signature": self.signature,
            "subject": {"name": os.path.basename(self.model), "digest": {"sha256": self.sha256}},
            "files": 1,
            "bytes": self.size,
            "signer": self.signer.to_json(),
            "not_covered": [],
            "notes": list(self.notes),
            **({} if self.reused is None else {"digest_cache": self.reused.to_json()}),
        }


def signature_beside(file: str) -> str | None:
    """The bundle of a file that another tool put beside it, by its name; ``None`` where there is none."""
    return next((file + each for each in _ENDINGS if os.path.isfile(file + each)), None)


def verify_file(
    path: str,
    place: str,
    document: bytes,
    check: CheckFile,
    jobs: int,
    cache: DigestCache | None,
    progress: Progress,
) -> FileVerification:
    """Verify the file at ``path`` against the bundle ``document``, which was read from ``place``.

    Args:
        jobs, cache: as in :class:`openvet.workflows.verify.VerifyOptions`.

    Raises:
        VerifyError: it is not verified, for the reason given.
        SubjectError: there is no such file.
    """
    bundle = FileBundle.parse(document)
    reused = None if cache is None else Reused()
    origin = LocalOrigin(path)
    try:
        if not origin.snapshot.single:
            raise VerifyError("mismatch", "this is a folder, and the signature is over the bytes of one file")
        entry = origin.snapshot.entries[0]
        if entry.kind is not EntryKind.FILE:
            raise VerifyError("mismatch", f"it cannot be read: {entry.detail}")
        try:
            found = next(
                iter(digest(origin, [("", entry, [(0, None)])], "sha256", jobs, progress, cache, reused))
            ).digest
        except ReadError as error:
            raise VerifyError("mismatch", str(error)) from error
    finally:
        origin.close()
    signer = check(bundle, bytes.fromhex(found))
    return FileVerification(
        printable(path), printable(place), found, entry.size, signer, tuple(_notes(bundle, signer)), reused
    )


def _notes(bundle: FileBundle, signer: Signer) -> Iterator[str]:
    yield "the signature is over the bytes of this file alone, and names no model"
    if signer.method != "sigstore" and bundle.material.log_entries:
        yield "the bundle's log entries are about this signature; whether a log has them was not checked"
    if signer.method != "sigstore" and bundle.material.timestamps is not None:
        yield "the bundle carries timestamps, which were not checked"
    if signer.signed_at is None:
        yield "when it was signed is not proven"
