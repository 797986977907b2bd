"""Keys in other stores (PKCS #11 tokens, cloud key services) through the library ``securesystemslib``, which is an extra.

A store is named by a URI as that library has it: ``hsm:...``, ``awskms:...``, ``gcpkms:...``, ``azurekms:...``, ``hv:...``. Only
its own ``file2:`` is part of our tests; the others need hardware or an account, and are untested here.

Source: https://python-securesystemslib.readthedocs.io, "CRYPTO_SIGNER" and ``securesystemslib.signer``.
"""

from __future__ import annotations

from typing import Any

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evidence.keys import PublicKey

__all__ = ["StoredKey", "open_stored"]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key that never leaves its store; ``public`` is what the caller says it is, and each signature is checked against it."""

    public: PublicKey
    _signer: Any

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``.

        Raises:
            UsageError: the store refuses, or what it gives is no signature of the public key.
        """
        from openvet.errors import VerifyError

        try:
            signature = bytes.fromhex(self._signer.sign(data).signature)
        except Exception as error:
            raise UsageError(f"the key store does not sign: {type(error).__name__}: {str(error)[:200]}") from error
        try:
            self.public.verify(signature, data)
        except VerifyError as error:
            raise UsageError("the key store signed with another key than the public key given") from error
        return signature


def open_stored(uri: str, public: PublicKey) -> StoredKey:
    """The key that ``uri`` names, whose public key is ``public``.

    Raises:
        UsageError: the extra is not installed, or the store cannot be used.
    """
    try:
        from securesystemslib.signer import Signer, SSlibKey
    except ImportError as error:
        raise UsageError("keys in other stores need an extra: pip install 'openvet[key-stores]'") from error
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return StoredKey(public, Signer.from_priv_key_uri(uri, SSlibKey.from_crypto(load_pem_public_key(public.pem))))  # type: ignore[arg-type, unused-ignore]
    except Exception as error:
        raise UsageError(f"the key store cannot be used: {type(error).__name__}: {str(error)[:200]}") from error
