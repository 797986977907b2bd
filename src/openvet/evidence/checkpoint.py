"""Checkpoints: what a log says about itself at one size, signed as a note.

The text is the origin (which log), the size (how many entries), the root (base64 of the Merkle root over them), one a line; further
lines are kept and mean nothing to us. Source: C2SP ``tlog-checkpoint``.
"""

from __future__ import annotations

from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.keys import PrivateKey, PublicKey
from openvet.evidence.merkle import EMPTY_ROOT, HASH_BYTES
from openvet.evidence.note import Note, Verifier, sign_note
from openvet.evidence.strict import decode_base64, encode_base64

__all__ = ["MOST_ENTRIES", "Checkpoint", "parse_decimal", "read_checkpoint", "sign_checkpoint"]

#: More entries than this fit no signed number of 64 bits.
MOST_ENTRIES: Final = 2**63 - 1
_DECIMAL: Final = pattern(r"0|[1-9][0-9]{0,18}")


def parse_decimal(text: str, what: str) -> int:
    """A number as C2SP writes it: decimal, no sign, no leading zeros.

    Raises:
        VerifyError: ``malformed``.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MOST_ENTRIES:
        raise VerifyError("malformed", f"{what} is no plain number")
    return int(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One size of a log. ``root`` are the 32 bytes of the Merkle root over its first ``size`` entries."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> bytes:
        lines = [self.origin, str(self.size), encode_base64(self.root), *self.extensions]
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def parse(cls, text: bytes) -> Checkpoint:
        """Take the text of a note for a checkpoint.

        Raises:
            VerifyError: ``malformed``.
        """
        lines = text.decode("utf-8", "replace").split("\n")
        if len(lines) < 4 or "" in lines[:-1] or lines[-1]:
            raise VerifyError("malformed", "the checkpoint has not the lines origin, size and root")
        origin, size, root, *extensions = lines[:-1]
        found = cls(
            origin, parse_decimal(size, "the size in the checkpoint"), decode_base64(root, "the root in the checkpoint"), tuple(extensions)
        )  # fmt: skip
        if len(found.root) != HASH_BYTES or (found.size == 0 and found.root != EMPTY_ROOT):
            raise VerifyError("malformed", "the root in the checkpoint is none of a tree of that size")
        return found


def read_checkpoint(data: bytes, key: PublicKey, origin: str | None = None) -> Checkpoint:
    """The checkpoint in ``data``, signed by ``key`` under the name of its origin.

    Args:
        data: the signed note.
        key: the key of the log, of Ed25519.
        origin: which log it has to be; without it, every log of that key.

    Raises:
        VerifyError: ``malformed``; ``mismatch``: of another log; ``wrong-key`` or ``tampered``: not signed by that key.
    """
    note = Note.parse(data)
    found = Checkpoint.parse(note.text)
    if origin is not None and found.origin != origin:
        raise VerifyError(
            "mismatch", f"the checkpoint is one of {printable(found.origin)}, and not of {printable(origin)}"
        )
    try:
        verifier = Verifier(found.origin, key)
    except UsageError as error:
        if key.kind != "ed25519":
            raise
        raise VerifyError("malformed", f"the origin in the checkpoint: {error}") from None
    note.verify(verifier)
    return found


def sign_checkpoint(checkpoint: Checkpoint, key: PrivateKey) -> bytes:
    """The checkpoint as a note, signed under the name of its origin.

    Raises:
        UsageError: the key is no Ed25519 one, or the origin is no name.
    """
    return sign_note(checkpoint.text, checkpoint.origin, key).to_bytes()
