"""Proofs that travel with what was logged: the place of an entry, the way from it to the root, and the checkpoint.

::

    c2sp.org/tlog-proof@v1
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=      the inclusion proof, nearest to the leaf first
    ...

    example.com/log                                   the checkpoint as it was signed
    ...

Source: C2SP ``tlog-proof``. A proof does not say what the entry is; who verifies it has to know.
"""

from __future__ import annotations

import hashlib
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.errors import VerifyError
from openvet.evidence.checkpoint import Checkpoint, parse_decimal, read_checkpoint
from openvet.evidence.keys import PublicKey
from openvet.evidence.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from openvet.evidence.note import Note
from openvet.evidence.strict import decode_base64, encode_base64

__all__ = ["SUFFIX", "Proof", "entry_for", "entry_for_digest"]

#: What the names of files with proofs end with.
SUFFIX: Final = ".tlog-proof"
_FIRST: Final = "c2sp.org/tlog-proof@v1"
_MOST: Final = 2 * 1024 * 1024
_HEIGHT: Final = 64


def entry_for(document: bytes) -> bytes:
    """What is logged for a document of any length: ``sha256:`` and its digest, in ASCII.

    Entries of a log in tiles have at most 65,535 bytes, and everybody can read them; a digest gives nothing away.
    """
    return entry_for_digest(hashlib.sha256(document).hexdigest())


def entry_for_digest(sha256: str) -> bytes:
    """As :func:`entry_for`, for a document whose digest is known, in hex."""
    return f"sha256:{sha256}".encode()


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof for one entry. ``checkpoint`` is a signed note; ``extra`` is not signed by anybody."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        lines = [_FIRST, f"index {self.index}", *map(encode_base64, self.path), "", ""]
        if self.extra is not None:
            lines.insert(1, f"extra {encode_base64(self.extra)}")
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Proof:
        """Take bytes for a proof. What it says counts only after :meth:`verify`.

        Raises:
            VerifyError: ``malformed``.
        """
        head, gap, checkpoint = data.partition(b"\n\n")
        if len(data) > _MOST or not gap:
            raise VerifyError("malformed", "this is no proof: some lines, an empty one, and a checkpoint")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise VerifyError("malformed", "the lines of the proof are no ASCII") from None
        if lines.pop(0) != _FIRST:
            raise VerifyError("malformed", f"this is no proof: its first line is not {_FIRST}")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0)[6:], "the extra data of the proof")
        if not lines or not lines[0].startswith("index "):
            raise VerifyError("malformed", "the proof has no index")
        index = parse_decimal(lines.pop(0)[6:], "the index in the proof")
        path = tuple(decode_base64(line, "a hash of the proof") for line in lines)
        if len(path) > _HEIGHT or any(len(each) != HASH_BYTES for each in path):
            raise VerifyError("malformed", "the proof holds something else than hashes")
        Checkpoint.parse(Note.parse(checkpoint).text)
        return cls(index, path, checkpoint, extra)

    def verify(self, entry: bytes, key: PublicKey, origin: str | None = None) -> Checkpoint:
        """The checkpoint that the proof leads to, where ``entry`` is in the log of ``key`` at the place that it says.

        Args:
            entry: what has to be logged, for a document :func:`entry_for` it.
            key: the key of the log, of Ed25519.
            origin: which log it has to be; without it, every log of that key.

        Raises:
            VerifyError: ``malformed``, ``wrong-key``, ``tampered``: as :func:`read_checkpoint`; ``mismatch``: of another log, or of
                another entry.
        """
        checkpoint = read_checkpoint(self.checkpoint, key, origin)
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint
