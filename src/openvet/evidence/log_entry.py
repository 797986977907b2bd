"""What an entry of Sigstore's log has to say, so that it is about this signature and no other.

An entry proves that *something* was logged. It counts for a bundle only where the digest, the signature and the key or
certificate in its body are those of the bundle (CVE-2022-36056 came of not looking). Four kinds are read::

    hashedrekord 0.0.1   spec.data.hash.value, spec.signature.{content, publicKey.content}
    hashedrekord 0.0.2   spec.hashedRekordV002.{data.digest, signature.{content, verifier}}
    dsse 0.0.1           spec.payloadHash.value, spec.signatures[].{signature, verifier}
    intoto 0.0.2         spec.content.{payloadHash.value, envelope.signatures[].{sig, publicKey}}

The log's own signatures and proofs are checked elsewhere (:mod:`openvet.evidence.sigstore_library`).

Source: sigstore/rekor ``pkg/types/*/*_schema.json``; Rekor v2 client specification, section 6.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from openvet.core.dataclass import dataclass
from openvet.errors import VerifyError
from openvet.evidence.strict import decode_base64, parse_json

__all__ = ["Signed", "check_entry", "kind_of"]

_HASHES: Final = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_LABEL: Final = rb"-----BEGIN %s-----\n([0-9A-Za-z+/=\n]+)\n-----END %s-----\n?"
_PEM: Final = tuple(re.compile(_LABEL % (each, each)) for each in (b"CERTIFICATE", b"PUBLIC KEY"))
_V2_HASHES: Final = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}


@dataclass(frozen=True, slots=True)
class Signed:
    """What the bundle says, to which the entry is compared.

    Attributes:
        signature: as it is, in DER for ECDSA.
        verifiers: DER of the signer's certificate, or of the public key.
        digest: SHA-256 of the file, for a signature over a file.
        payload, encoded: of an envelope: what it holds, and its PAE.
    """

    signature: bytes
    verifier: bytes
    digest: bytes = b""
    payload: bytes = b""
    encoded: bytes = b""


def kind_of(entry: Any) -> str:
    """Kind and version of a bundle's log entry, such as ``dsse 0.0.1``.

    Raises:
        VerifyError: ``malformed``, where it does not say so.
    """
    kind = _at(entry, "kindVersion")
    return f"{_text(kind, 'kind')} {_text(kind, 'version')}"


def check_entry(entry: Any, signed: Signed) -> None:
    """Return where the entry is about what was signed.

    Args:
        entry: one of the bundle's ``tlogEntries``.

    Raises:
        VerifyError: ``tampered``: it is about something else; ``malformed``; ``unsupported`` for other kinds.
    """
    kind = kind_of(entry)
    body = parse_json(decode_base64(_text(entry, "canonicalizedBody"), "the log entry"), "the log entry")
    if f"{_text(body, 'kind')} {_text(body, 'apiVersion')}" != kind:
        raise VerifyError("malformed", "the log entry is of another kind than the bundle says")
    check = _KINDS.get((kind, bool(signed.encoded)))
    if check is None:
        what = "a statement" if signed.encoded else "a file"
        raise VerifyError("unsupported", f"a log entry of kind {kind[:60]!r} is not read for a signature over {what}")
    check(_at(body, "spec"), signed)


def _rekord_1(spec: Any, signed: Signed) -> None:
    found = _at(_at(spec, "data"), "hash")
    if _text(found, "algorithm") != "sha256" or _text(found, "value") != signed.digest.hex():
        _other("the digest of another file")
    signature = _at(spec, "signature")
    _same_signature(_base64(signature, "content"), signed)
    _same_verifier(_der(_base64(_at(signature, "publicKey"), "content")), signed)


def _rekord_2(spec: Any, signed: Signed) -> None:
    found = _at(spec, "hashedRekordV002")
    data, signature = _at(found, "data"), _at(found, "signature")
    name = _V2_HASHES.get(_text(data, "algorithm"))
    if name is None:
        raise VerifyError("unsupported", f"the log entry's digest is {_text(data, 'algorithm')[:40]!r}")
    if signed.encoded:
        wanted = _HASHES[name](signed.encoded).digest()
    elif name == "sha256":
        wanted = signed.digest
    else:
        raise VerifyError("unsupported", "the log entry's digest is not SHA-256, and only that of the file is known")
    if _base64(data, "digest") != wanted:
        _other("the digest of something else")
    _same_signature(_base64(signature, "content"), signed)
    verifier = _at(signature, "verifier")
    kinds = [each for each in ("x509Certificate", "publicKey") if each in verifier]
    if len(kinds) != 1:
        raise VerifyError("malformed", "the log entry names no verifier, or two")
    _same_verifier(_base64(_at(verifier, kinds[0]), "rawBytes"), signed)


def _dsse_1(spec: Any, signed: Signed) -> None:
    _same_payload(spec, signed)
    only = _only(_at(spec, "signatures", list))
    _same_signature(_base64(only, "signature"), signed)
    _same_verifier(_der(_base64(only, "verifier")), signed)


def _intoto_2(spec: Any, signed: Signed) -> None:
    content = _at(spec, "content")
    _same_payload(content, signed)
    only = _only(_at(_at(content, "envelope"), "signatures", list))
    # this kind has base64 of base64
    try:
        signature = _base64(only, "sig").decode("ascii")
    except UnicodeDecodeError:
        raise VerifyError("malformed", "the log entry's signature is not base64") from None
    _same_signature(decode_base64(signature, "the log entry's signature"), signed)
    _same_verifier(_der(_base64(only, "publicKey")), signed)


_KINDS: Final[dict[tuple[str, bool], Callable[[Any, Signed], None]]] = {
    ("hashedrekord 0.0.1", False): _rekord_1,
    ("hashedrekord 0.0.2", False): _rekord_2,
    ("hashedrekord 0.0.2", True): _rekord_2,
    ("dsse 0.0.1", True): _dsse_1,
    ("intoto 0.0.2", True): _intoto_2,
}


def _same_payload(spec: Any, signed: Signed) -> None:
    found = _at(spec, "payloadHash")
    if _text(found, "algorithm") != "sha256" or _text(found, "value") != hashlib.sha256(signed.payload).hexdigest():
        _other("another payload")


def _same_signature(found: bytes, signed: Signed) -> None:
    if found != signed.signature:
        _other("another signature")


def _same_verifier(found: bytes, signed: Signed) -> None:
    if found != signed.verifier:
        _other("the signature of another key or certificate")


def _other(what: str) -> NoReturn:
    raise VerifyError("tampered", f"the log entry in the bundle is about {what}")


def _only(items: list[Any]) -> Any:
    if len(items) != 1:
        raise VerifyError("malformed", f"the log entry has {len(items)} signatures, and not one")
    return items[0]


def _at(value: Any, name: str, kind: type = dict) -> Any:
    if not isinstance(value, dict) or not isinstance(value.get(name), kind):
        raise VerifyError("malformed", f"the log entry has no {name!r} where one belongs")
    return value[name]


def _text(value: Any, name: str) -> str:
    found: str = _at(value, name, str)
    return found


def _base64(value: Any, name: str) -> bytes:
    return decode_base64(_text(value, name), f"{name!r} in the log entry")


def _der(pem: bytes) -> bytes:
    """The bytes of one PEM block with a key or a certificate: they are only compared."""
    found = next(filter(None, (each.fullmatch(pem) for each in _PEM)), None)
    if found is None:
        raise VerifyError("malformed", "the log entry's key or certificate is not PEM")
    return decode_base64(found[1].replace(b"\n", b"").decode("ascii"), "the log entry's key or certificate")
