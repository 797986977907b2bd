"""Signed notes: a text, and below it who signed it. A reader passes over signatures of keys that it does not know.

::

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=

Source: C2SP ``signed-note`` v1.0. Of its kinds of signatures only Ed25519 (0x01) is made and verified here.
"""

from __future__ import annotations

import hashlib
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evidence.keys import PrivateKey, PublicKey, public_of
from openvet.evidence.strict import decode_base64, encode_base64

__all__ = ["Note", "NoteSignature", "Verifier", "check_name", "sign_note"]

_ED25519: Final = b"\x01"
#: The specification asks for at least 16 signatures; those of post-quantum keys have about 5 kB.
_SIGNATURES: Final = 64
_MOST: Final = 1024 * 1024
_CONTROL: Final = pattern(r"[\x00-\x09\x0b-\x1f]")
_LINE: Final = pattern(r"— (\S+) (\S+)")


def check_name(name: str) -> None:
    """Return where a key may have this name: not empty, no Unicode spaces, no plus.

    Raises:
        UsageError: it may not.
    """
    if not _is_name(name):
        raise UsageError(
            f"{printable(name)!r} names no log: write something like example.com/log, without spaces and plus signs"
        )


def _is_name(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return bool(name) and "+" not in name and not any(each.isspace() or _CONTROL.match(each) for each in name)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key together with the name that it signs under.

    Raises:
        UsageError: the key is no Ed25519 one, or cannot have this name.
    """

    name: str
    key: PublicKey

    def __post_init__(self) -> None:
        check_name(self.name)
        _ = self.key.raw

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell the keys of one name apart; they prove nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.key.raw).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.key.raw)}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """The key in ``name+id+key``, as C2SP tools write it.

        Raises:
            UsageError: it is none, or not of Ed25519.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        parts = text.strip().split("+", 2)
        try:
            material = decode_base64(parts[2], "the key")
        except (IndexError, VerifyError):
            raise UsageError("this is no verifier key of the form name+id+key") from None
        if material[:1] != _ED25519 or len(material) != 33:
            raise UsageError("the verifier key is not one of Ed25519")
        found = cls(parts[0], public_of(Ed25519PublicKey.from_public_bytes(material[1:])))
        if found.key_id.hex() != parts[1]:
            raise UsageError("the verifier key has an id that is not its own")
        return found


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line: who is said to have signed, the id of the key, and the signature itself."""

    name: str
    key_id: bytes
    sig: bytes

    @property
    def line(self) -> str:
        return f"— {self.name} {encode_base64(self.key_id + self.sig)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends with a newline, and its signatures; those of unknown keys are kept."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        return self.text + b"\n" + "".join(each.line for each in self.signatures).encode()

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Take bytes for a signed note. What it says counts only after :meth:`verify`.

        Raises:
            VerifyError: ``malformed``.
        """
        if len(data) > _MOST:
            raise VerifyError("malformed", f"the note has more than {_MOST} bytes")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise VerifyError("malformed", "the note is not in UTF-8") from None
        text, gap, lines = whole.rpartition("\n\n")
        if not gap or not lines.endswith("\n") or _CONTROL.search(whole):
            raise VerifyError("malformed", "this is no signed note: a text, an empty line, and signature lines")
        parts = lines[:-1].split("\n")
        if len(parts) > _SIGNATURES:
            raise VerifyError("malformed", f"the note has {len(parts)} signatures")
        return cls((text + "\n").encode(), tuple(_signature(each) for each in parts))

    def verify(self, verifier: Verifier) -> None:
        """Return where ``verifier`` signed this text. Every line that is said to be its own has to be.

        Raises:
            VerifyError: ``wrong-key``: no signature of this key; ``tampered``: there is one, but not of this text.
        """
        own = [each for each in self.signatures if (each.name, each.key_id) == (verifier.name, verifier.key_id)]
        if not own:
            said = ", ".join(f"{printable(each.name)}+{each.key_id.hex()}" for each in self.signatures[:4])
            wanted = f"{printable(verifier.name)}+{verifier.key_id.hex()}"
            raise VerifyError("wrong-key", f"the note is signed by {said}, and not by {wanted}")
        for each in own:
            verifier.key.verify(each.sig, self.text)


def _signature(line: str) -> NoteSignature:
    found = _LINE.fullmatch(line)
    if found is None or not _is_name(found[1]):
        raise VerifyError("malformed", "a line of the note is no signature: — NAME BASE64")
    data = decode_base64(found[2], "a signature of the note")
    if len(data) < 5:
        raise VerifyError("malformed", "a signature of the note is too short to be one")
    return NoteSignature(found[1], data[:4], data[4:])


def sign_note(text: bytes, name: str, key: PrivateKey) -> Note:
    """The note that ``key`` signs under ``name``.

    Raises:
        UsageError: the key is no Ed25519 one, or cannot have this name.
    """
    note = Note(text, (NoteSignature(name, Verifier(name, key.public).key_id, key.sign(text)),))
    if Note.parse(note.to_bytes()) != note:
        raise AssertionError("what is signed is what a reader will read")
    return note
