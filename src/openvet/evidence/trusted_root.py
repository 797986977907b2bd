"""What keyless signatures are believed by: the authorities, logs and timestamp authorities of a Sigstore instance, each in its time.

A trusted root says of everything in it from when to when it was good. The library ``sigstore`` looks at that for timestamp
authorities only, and takes their last moment for one too late; the specification has closed intervals. So the times are held
here: the authority when it issued the certificate, the certificate log when it promised to list it, the log when it took the entry.

Source: sigstore protobuf-specs ``sigstore_trustroot.proto``.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError, VerifyError
from openvet.evidence.strict import decode_base64, parse_json

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot

__all__ = ["SigstoreRoot", "check_times", "load_trusted_root", "logs_told_apart"]


@dataclass(frozen=True, slots=True)
class SigstoreRoot:
    """A trusted root: ``library`` is the library's view of it, ``value`` the parsed document."""

    library: TrustedRoot
    value: dict[str, Any]


def load_trusted_root(document: bytes | None) -> SigstoreRoot:
    """What is trusted: that of the public instance as the library carries it, or ``document``: a trusted root, or a client trust
    configuration with one in it.

    Raises:
        UsageError: the extra is not installed, or the document is neither.
    """
    try:
        from sigstore.models import ClientTrustConfig, TrustedRoot
    except ImportError as error:
        raise UsageError("keyless signatures need an extra: pip install 'openvet[sigstore]'") from error
    try:
        if document is None:
            value = json.loads(ClientTrustConfig.production(offline=True).trusted_root._inner.to_json())
        else:
            value = parse_json(document, "the trusted root")
            value = next((value[name] for name in ("trustedRoot", "trusted_root") if name in value), value)
        _check_shape(value)
        return SigstoreRoot(_read(TrustedRoot, _with_closed_ends(value)), value)
    except VerifyError as error:
        raise UsageError(error.message) from None
    except Exception as error:
        raise UsageError(f"the trusted root cannot be used: {type(error).__name__}: {str(error)[:200]}") from error


def check_times(root: SigstoreRoot, certificate: Certificate, entry: Any) -> None:
    """Return where all that vouches for a certificate and its entry in the log was good at that time.

    Args:
        certificate: the signer's, which the library has verified.
        entry: the bundle's log entry, which it has verified too.

    Raises:
        VerifyError: ``expired``, ``not-yet-valid``, or ``untrusted`` where nothing in the root vouches for it.
    """
    issued = certificate.not_valid_before_utc
    authorities = [each for each in _items(root.value, "certificateAuthorities") if _issued(certificate, each)]
    _one_in_time(authorities, issued, "the authority that issued the signer's certificate")
    for log, when in _promises(certificate):
        logs = [each for each in _items(root.value, "ctlogs") if _id(each) == log]
        _one_in_time([each.get("publicKey", {}) for each in logs], when, "the log of certificates")
    seconds = str(entry.get("integratedTime") or "0")
    if seconds.isdecimal() and 0 < int(seconds) < 1 << 40:
        when = datetime.fromtimestamp(int(seconds), UTC)
        wanted = decode_base64(entry["logId"]["keyId"], "the log's name")
        logs = [each for each in _items(root.value, "tlogs") if _id(each) == wanted]
        _one_in_time([each.get("publicKey", {}) for each in logs], when, "the key of the log")


@contextmanager
def logs_told_apart(root: SigstoreRoot, certificate: bytes, entries: Iterable[Any]) -> Iterator[None]:
    """Say that a log is none of the trusted root where the library, asked within, says that a signature is broken.

    It has the same words for both. Whoever is verified under the wrong trusted root was not tampered with.

    Args:
        certificate: DER of the signer's; b'' where it signed with a key.
        entries: the bundle's log entries, whatever they hold.

    Raises:
        VerifyError: ``untrusted`` in place of ``tampered``.
    """
    try:
        yield
    except VerifyError as error:
        log = _unlisted_log(root, certificate, entries) if error.reason == "tampered" else ""
        if not log:
            raise
        raise VerifyError("untrusted", f"{log} is none of the trusted root") from None


def _unlisted_log(root: SigstoreRoot, certificate: bytes, entries: Iterable[Any]) -> str:
    """Which log that vouches for a signature is none of the trusted root, for people; '' where all of them are."""
    from cryptography.x509 import load_der_x509_certificate

    try:
        known = [_id(each) for each in _items(root.value, "ctlogs")]
        if certificate and any(log not in known for log, _ in _promises(load_der_x509_certificate(certificate))):
            return "the log of certificates"
        known = [_id(each) for each in _items(root.value, "tlogs")]
        if any(decode_base64(each["logId"]["keyId"], "the log's name") not in known for each in entries):
            return "the log that took the signature"
    except (VerifyError, ValueError, KeyError, TypeError):
        pass  # not even a name: the library's word stands
    return ""


def _one_in_time(found: list[dict[str, Any]], when: datetime, what: str) -> None:
    late = False
    for each in found:
        start, end = _span(each.get("validFor"))
        if start <= when and (end is None or when <= end):
            return
        late = late or when > start
    if not found:
        raise VerifyError("untrusted", f"{what} is none of the trusted root")
    said = "expired" if late else "not-yet-valid"
    raise VerifyError(said, f"{what} was not trusted at {when:%Y-%m-%dT%H:%M:%SZ}, says the trusted root")


def _span(value: Any) -> tuple[datetime, datetime | None]:
    """A closed interval; nothing is good since ever."""
    if not isinstance(value, dict) or not isinstance(value.get("start"), str):
        raise VerifyError("malformed", "the trusted root does not say since when something in it is good")
    end = value.get("end")
    return _time(value["start"]), None if end is None else _time(end)


def _time(text: Any) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise VerifyError("malformed", f"the trusted root has {str(text)[:40]!r} for a time") from None
    if found.tzinfo is None:
        raise VerifyError("malformed", "the trusted root has a time of no zone")
    return found


def _issued(certificate: Certificate, authority: dict[str, Any]) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509 import load_der_x509_certificate

    for each in authority.get("certChain", {}).get("certificates", []):
        try:
            issuer = load_der_x509_certificate(decode_base64(each["rawBytes"], "a certificate of the trusted root"))
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return True
    return False


def _promises(certificate: Certificate) -> Iterator[tuple[bytes, datetime]]:
    """Each log that promised to list the certificate, and when (RFC 6962, section 3.2)."""
    from cryptography.x509 import ExtensionNotFound, PrecertificateSignedCertificateTimestamps

    try:
        found = certificate.extensions.get_extension_for_class(PrecertificateSignedCertificateTimestamps).value
    except ExtensionNotFound:
        return
    for each in found:
        yield each.log_id, each.timestamp.replace(tzinfo=UTC)


def _id(log: dict[str, Any]) -> bytes:
    return decode_base64(str(log.get("logId", {}).get("keyId", "")), "the name of a log in the trusted root")


def _items(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in value.get(name, []) if isinstance(each, dict)]


def _check_shape(value: Any) -> None:
    """Everything that has a time has one that can be read: the library takes some that lack it for good."""
    if not isinstance(value, dict):
        raise VerifyError("malformed", "the trusted root is no object")
    for name in ("tlogs", "ctlogs"):
        for each in _items(value, name):
            _span(each.get("publicKey", {}).get("validFor"))
    for name in ("certificateAuthorities", "timestampAuthorities"):
        for each in _items(value, name):
            _span(each.get("validFor"))


def _with_closed_ends(value: dict[str, Any]) -> dict[str, Any]:
    """The same, with the ends of timestamp authorities a microsecond later: before that is the same as not after the end."""
    out = copy.deepcopy(value)
    for each in _items(out, "timestampAuthorities"):
        _, end = _span(each["validFor"])
        if end is not None:
            later = end.astimezone(UTC) + timedelta(microseconds=1)
            each["validFor"]["end"] = later.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return out


def _read(kind: type[TrustedRoot], value: dict[str, Any]) -> TrustedRoot:
    """The library reads a trusted root from a file only."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(value, file)
        file.flush()
        return kind.from_file(file.name)
