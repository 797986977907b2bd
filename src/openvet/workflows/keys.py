"""Keys in files: making, reading and listing them.

A private key is a file that only its owner may read (mode 0600), its public key the same name with ``.pub`` behind it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError
from openvet.evidence.keys import PrivateKey, PublicKey, generate, load_private, load_public
from openvet.io.new_file import NewFile, WriteError
from openvet.workflows.model_files import read_small

__all__ = ["KEYS_TYPE", "KeyFile", "list_keys", "new_key", "read_pem", "read_private", "read_public", "show_key"]

KEYS_TYPE = "https://openvet/keys/v1"
#: Bytes of a key file; a chain of certificates is one, too.
_MOST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What stands in one key file.

    Attributes:
        path: printable.
        private: whether it is the private key.
        kind, key: of the key, and SHA-256 of its public PEM text; '' where a passphrase hides them and no ``.pub`` is beside it.
        encrypted: whether a passphrase protects it.
        readable: whether others than its owner may read it, which for a private key is a fault.
    """

    path: str
    private: bool
    kind: str
    key: str
    encrypted: bool = False
    readable: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "private": self.private,
            "kind": self.kind,
            "sha256": self.key,
            "encrypted": self.encrypted,
            "readable_by_others": self.readable,
        }


def new_key(path: str, kind: str, passphrase: bytes | None) -> KeyFile:
    """Make a key pair: ``path`` and ``path.pub``. Nothing that exists is ever replaced: a lost key cannot be made again.

    Raises:
        UsageError: no such kind.
        WriteError: one of the two exists, or cannot be written.
    """
    public = f"{path}.pub"
    for each in (path, public):
        if os.path.lexists(each):
            raise WriteError(f"{printable(each)} exists; a key is never replaced, choose another name or move it away")
    key = generate(kind)
    with NewFile(path, replace=False, mode=0o600) as secret, NewFile(public, replace=False, mode=0o644) as open_one:
        secret.write(key.pem(passphrase))
        open_one.write(key.public.pem)
        secret.commit()
        open_one.commit()
    return KeyFile(printable(path), True, key.kind, key.public.hint, bool(passphrase))


def read_pem(path: str) -> bytes:
    """The text of a key or certificate file.

    Raises:
        UsageError: it is not there, may not be read, or is too large to be one.
    """
    try:
        return read_small(path, _MOST)
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(str(error)) from error


def read_private(path: str, ask: Callable[[str], bytes | None]) -> PrivateKey:
    """The private key in a file.

    Args:
        ask: gives the passphrase of the key at that path; called only where the key has one.

    Raises:
        UsageError: it is no private key, or the passphrase is missing or wrong.
    """
    pem = read_pem(path)
    try:
        return load_private(pem, ask(printable(path)) if _is_encrypted(pem) else None)
    except UsageError as error:
        raise UsageError(f"{printable(path)}: {error}") from None


def read_public(path: str) -> PublicKey:
    """The public key in a file.

    Raises:
        UsageError: it is none; a private key is refused and not used in its place.
    """
    pem = read_pem(path)
    if b"PRIVATE KEY-----" in pem:
        raise UsageError(
            f"{printable(path)}: is a private key; name the public one, which may be given away ({printable(path)}.pub?)"
        )
    try:
        return load_public(pem)
    except UsageError as error:
        raise UsageError(f"{printable(path)}: {error}") from None


def show_key(path: str) -> KeyFile:
    """What stands in a key file. No passphrase is asked for: an encrypted key is known by the public one beside it.

    Raises:
        UsageError: it is no key.
    """
    pem = read_pem(path)
    if b"PRIVATE KEY-----" not in pem:
        public = read_public(path)
        return KeyFile(printable(path), False, public.kind, public.hint)
    others = bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)
    if not _is_encrypted(pem):
        try:
            known = load_private(pem).public
        except UsageError as error:
            raise UsageError(f"{printable(path)}: {error}") from None
        return KeyFile(printable(path), True, known.kind, known.hint, False, others)
    try:
        beside = read_public(f"{path}.pub")
    except UsageError:
        return KeyFile(printable(path), True, "", "", True, others)
    return KeyFile(printable(path), True, beside.kind, beside.hint, True, others)


def list_keys(folder: str) -> list[KeyFile]:
    """Every key file right in ``folder``, in order of their names; what is no key is passed over.

    Raises:
        UsageError: the folder cannot be listed.
    """
    found = []
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError as error:
        raise UsageError(f"{printable(folder)}: {error.strerror or error}") from error
    for name in names:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                likely = b"-----BEGIN " in file.read(4096)
            if likely:
                found.append(show_key(path))
        except (OSError, UsageError):
            continue
    return found


def _is_encrypted(pem: bytes) -> bool:
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem or b"Proc-Type: 4,ENCRYPTED" in pem
