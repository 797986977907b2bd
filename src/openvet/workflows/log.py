"""Documents in a log: what is logged of a file, where it stands, and whether that can be believed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.checkpoint import Checkpoint, read_checkpoint
from openvet.evidence.keys import PrivateKey, PublicKey
from openvet.evidence.log.audit import Audit
from openvet.evidence.log.index import find
from openvet.evidence.log.index import known as entries_known
from openvet.evidence.log.proof import Proof, entry_for_digest
from openvet.evidence.log.reading import LogReader, read_checkpoint_file
from openvet.evidence.log.writing import open_writer
from openvet.evidence.strict import encode_base64

__all__ = ["LOG_TYPE", "LogTrust", "Logged", "Proven", "append_files", "audit_json", "find_proof", "refusal", "shown", "verify_proof"]  # fmt: skip

LOG_TYPE: Final = "https://openvet/log/v1"
_PROOF_BYTES: Final = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LogTrust:
    """What a log is held against: its key, its name where that is known, and a file with a checkpoint that was kept."""

    key: PublicKey
    origin: str | None = None
    checkpoint: str | None = None

    def kept(self) -> bytes | None:
        """The kept checkpoint as it is.

        Raises:
            UsageError: it cannot be read. That is no statement about the log.
        """
        if self.checkpoint is None:
            return None
        try:
            return read_checkpoint_file(self.checkpoint)
        except VerifyError as error:
            raise UsageError(error.message) from None


@dataclass(frozen=True, slots=True)
class Logged:
    """A file and its place in the log. ``known`` says that it stood there before."""

    path: str
    sha256: str
    index: int
    known: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "digest": {"sha256": self.sha256}, "index": self.index, "known": self.known}


@dataclass(frozen=True, slots=True)
class Proven:
    """A file that is in a log. ``kept`` is the checkpoint that the log was held against, where there was one."""

    path: str
    sha256: str
    index: int
    checkpoint: Checkpoint
    kept: Checkpoint | None

    def to_json(self) -> dict[str, Any]:
        return {
            "type": LOG_TYPE,
            "verified": True,
            "path": self.path,
            "digest": {"sha256": self.sha256},
            "index": self.index,
            **_continuity(self.checkpoint, self.kept),
        }


def digest_of(path: str) -> str:
    """SHA-256 of a regular file, in hex.

    Raises:
        UsageError: it is none, or cannot be read.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UsageError(f"{printable(path)} is no file; name a document such as a signature or a report")
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {printable(path)}: {error.strerror or error}") from error


def append_files(folder: str, paths: Sequence[str], key: PrivateKey, wait: float) -> list[Logged]:
    """Log the digests of files, all in one batch; those that the log has already are not logged again.

    Args:
        wait: seconds to wait for another writer.

    Raises:
        UsageError: a file cannot be read.
        StorageError: nothing was acknowledged.
        VerifyError: the log is not one of this key, or damaged.
    """
    digests = {path: digest_of(path) for path in paths}
    with open_writer(folder, key, wait=wait) as writer:
        wanted = dict.fromkeys(map(entry_for_digest, digests.values()))
        known = entries_known(LogReader(folder, key.public), wanted)
        fresh = [each for each in wanted if each not in known]
        places = dict(zip(fresh, writer.append(fresh), strict=True))
    out = []
    for path, digest in digests.items():
        entry = entry_for_digest(digest)
        out.append(Logged(printable(path), digest, known.get(entry, places.get(entry, -1)), entry in known))
    return out


def find_proof(folder: str, path: str, trust: LogTrust) -> tuple[Logged, Proof]:
    """The place of a file in the log, and the proof of it.

    Raises:
        VerifyError: ``missing``: the log does not have it; or the log is damaged, or not one of this key.
    """
    reader = LogReader(folder, trust.key, trust.origin)
    _continued(reader, trust)
    digest = digest_of(path)
    index = find(reader, entry_for_digest(digest))
    if index is None:
        raise VerifyError("missing", f"{printable(path)} (sha256 {digest}) is not in the log")
    return Logged(printable(path), digest, index, known=True), reader.prove(index)


def verify_proof(path: str, proof_path: str, trust: LogTrust, folder: str | None) -> Proven:
    """Verify that a file is in a log.

    Args:
        path, proof_path: the file, and the proof that travels with it.
        folder: the log, where it is at hand. It is needed to compare checkpoints of different sizes.

    Raises:
        UsageError: a file cannot be read, or the kept checkpoint cannot be compared without the log.
        VerifyError: it is not proven, or the log was rolled back or forked.
    """
    digest = digest_of(path)
    try:
        with open(proof_path, "rb") as file:
            data = file.read(_PROOF_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {printable(proof_path)}: {error.strerror or error}") from error
    proof = Proof.parse(data)
    now = proof.verify(entry_for_digest(digest), trust.key, trust.origin)
    kept = _kept(trust, now)
    if folder is not None:
        reader = LogReader(folder, trust.key, now.origin)
        _continued(reader, trust)
        reader.check_continues(now)
    elif kept is not None:
        if kept.size != now.size:
            raise UsageError(
                f"the proof is one for {now.size} entries and the kept checkpoint for {kept.size}; name the log with --log to compare them"
            )
        if kept.root != now.root:
            raise VerifyError("fork", f"the proof is for other {now.size} entries than the kept checkpoint")
    return Proven(printable(path), digest, proof.index, now, kept)


def _kept(trust: LogTrust, now: Checkpoint) -> Checkpoint | None:
    data = trust.kept()
    return None if data is None else read_checkpoint(data, trust.key, now.origin)


def _continued(reader: LogReader, trust: LogTrust) -> None:
    kept = _kept(trust, reader.checkpoint)
    if kept is not None:
        reader.check_continues(kept)


def shown(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint for programs."""
    return {"origin": printable(checkpoint.origin), "size": checkpoint.size, "root": encode_base64(checkpoint.root)}


def _continuity(now: Checkpoint, kept: Checkpoint | None) -> dict[str, Any]:
    return {
        "checkpoint": shown(now),
        "kept_checkpoint": None if kept is None else shown(kept),
        "rollback": "cannot be excluded" if kept is None else "excluded up to the kept checkpoint",
    }


def audit_json(found: Audit) -> dict[str, Any]:
    """An audit for programs."""
    return {
        "type": LOG_TYPE,
        "verified": True,
        **_continuity(found.checkpoint, found.kept),
        "tiles": found.tiles,
        "earlier_tiles": found.earlier,
        "leftovers": list(found.leftovers),
        "strangers": list(found.strangers),
    }


def refusal(error: VerifyError) -> dict[str, Any]:
    """What did not verify, for programs."""
    return {"type": LOG_TYPE, "verified": False, "reason": error.reason, "message": error.message}
