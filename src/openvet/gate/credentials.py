"""Passwords and tokens: made, kept as what cannot be turned back, and recognised.

A password is kept as Argon2id in PHC form with the memory and passes of the second set that RFC 9106 (section 4) recommends, 64 MiB and
three, but one lane: with more, two computations at once wait for each other's threads for ever (cryptography 50 on OpenSSL 3). A token is 160 bits from the system's source of randomness, so a plain SHA-256 of it is enough (there is nothing to
guess), and looking it up is one query. Its form ``ovt_`` with 32 and 8 characters ends in a checksum, so that scanners for leaked
secrets can tell one from noise without asking anybody.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import threading
import unicodedata
import zlib
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError

__all__ = ["NewToken", "check_password", "hash_password", "is_token", "make_token", "token_digest"]

_SHORTEST, _LONGEST = 12, 1024
_TOKEN: Final = pattern(r"ovt_[a-z2-7]{32}[0-9a-f]{8}", re.ASCII)
#: Each computation takes 64 MiB: a flood of logins must not take the machine's memory.
_AT_ONCE: Final = threading.BoundedSemaphore(2)
_MEMORY, _PASSES, _LANES = 64 * 1024, 3, 1
#: Stands in for the account that does not exist, so that the time of an answer does not tell which do.
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=1$UL4Kpft653Ud+fBx95KBOA$eNGvIM0/fq+cX7MzFrUSYKjs23gR8ixm5SGyjClO9/g"


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the one moment at which it is known.

    Attributes:
        text: what its owner keeps.
        digest: what we keep (:func:`token_digest`).
        hint: the beginning, by which people tell their tokens apart.
    """

    text: str
    digest: str
    hint: str


def hash_password(password: str) -> str:
    """A new password as Argon2id in PHC form.

    Raises:
        UsageError: it is too short, or absurdly long. There is no rule about kinds of characters (NIST SP 800-63B-4, 3.1.1.2).
    """
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    raw = _normal(password)
    if len(password) < _SHORTEST:
        raise UsageError(f"a password has at least {_SHORTEST} characters; a sentence is a good one")
    if len(raw) > _LONGEST:
        raise UsageError(f"a password has at most {_LONGEST} bytes")
    with _AT_ONCE:
        kdf = Argon2id(salt=secrets.token_bytes(16), length=32, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY)
        return kdf.derive_phc_encoded(raw)


def check_password(password: str, kept: str | None) -> bool:
    """Whether ``password`` is the one that was kept; ``None`` (nobody of that name) takes as long and is false."""
    from cryptography.exceptions import InvalidKey
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    raw = _normal(password)
    if len(raw) > _LONGEST:
        return False
    with _AT_ONCE:
        try:
            Argon2id.verify_phc_encoded(raw, _NOBODY if kept is None else kept)
        except InvalidKey:
            return False
    return kept is not None


def _normal(password: str) -> bytes:
    """The same bytes for what looks the same on two keyboards (SP 800-63B-4, 3.1.1.2: NFC or NFKC before hashing)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def make_token() -> NewToken:
    """A new token."""
    body = base64.b32encode(secrets.token_bytes(20)).decode("ascii").lower()
    text = f"ovt_{body}{_checksum(body)}"
    return NewToken(text, token_digest(text), text[:12])


def is_token(text: str) -> bool:
    """Whether ``text`` has the form of a token, its checksum included; whether it is anybody's is another question."""
    return _TOKEN.fullmatch(text) is not None and hmac.compare_digest(text[-8:], _checksum(text[4:-8]))


def token_digest(text: str) -> str:
    """What is kept of a token: SHA-256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode('ascii')):08x}"
