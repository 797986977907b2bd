"""The bundle cases of sigstore-conformance, Sigstore's own suite for clients; and what it has no cases for, by an instance of our own.

``make conformance SIGSTORE_CONFORMANCE=DIR`` runs the suite, where DIR is a checkout of it, and tells how many cases are answered as it
wants them. All of it needs the environment that ``make interop`` makes, since keyless signatures are checked by the library
``sigstore``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.sigstore_instance import AT, IDENTITY, ISSUER, Instance, encode, pem

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/model-signing/bin/python"
SUITE = os.environ.get("SIGSTORE_CONFORMANCE", "")
#: Cases that we answer otherwise than the suite wants, each with its reason.
KNOWN: dict[str, str] = {}
FILE = b"a file\n"
INSTANCE = Instance()
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="sigstore is not installed; make interop does that"
)


def run(folder: Path, home: Path) -> Iterator[tuple[str, str, str]]:
    """Name, ``file`` or ``digest``, and the answer of each case in ``folder``; offline, in a home where nothing was fetched."""
    command = [str(PYTHON), str(Path(__file__).with_name("sigstore_client.py")), "cases", str(folder)]
    place = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(home), "PATH": "/nowhere"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=place)
    for line in done.stdout.splitlines():
        name, how, answer = json.loads(line)
        yield name, how, answer


@pytest.mark.skipif(not SUITE, reason="SIGSTORE_CONFORMANCE names no checkout of sigstore/sigstore-conformance")
def test_the_whole_suite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = list(run(Path(SUITE) / "test/assets/bundle-verify", tmp_path))
    wrong = [(name, how, answer) for name, how, answer in found if (answer != "ok") != name.endswith("fail")]
    with capsys.disabled():
        sys.stdout.write(f"\nsigstore-conformance: {len(found) - len(wrong)} of {len(found)}\n")
        for name, how, answer in wrong:
            sys.stdout.write(f"  {name} by {how}: {answer} ({KNOWN.get(name, 'not known')})\n")
    assert found
    assert {name for name, _, _ in wrong} <= set(KNOWN)


class Cases:
    """Folders as the suite has them, answered all at once."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.wanted: dict[str, str] = {}

    def add(self, name: str, wanted: str, bundle: Any, root: Any = None, key: bytes = b"") -> None:
        folder = self.place / "cases" / name
        folder.mkdir(parents=True)
        self.wanted[name] = wanted
        for part, data in {
            "bundle.sigstore.json": json.dumps(bundle).encode(), "artifact": FILE, "identity": IDENTITY.encode(),
            "issuer": ISSUER.encode(), "trusted_root.json": json.dumps(root or INSTANCE.trusted_root()).encode(), "key.pub": key,
        }.items():  # fmt: skip
            if data:
                (folder / part).write_bytes(data)

    def check(self) -> None:
        found = {name: answer for name, _, answer in run(self.place / "cases", self.place)}
        assert {name: answer.partition(":")[0] for name, answer in found.items()} == self.wanted, found


@pytest.fixture
def cases(tmp_path: Path) -> Iterator[Cases]:
    made = Cases(tmp_path)
    yield made
    made.check()


def entry(bundle: Any) -> Any:
    return bundle["verificationMaterial"]["tlogEntries"][0]


def flip(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return encode(bytes(data))


def proof(bundle: Any) -> None:
    part = entry(bundle)["inclusionProof"]
    part["rootHash"] = flip(part["rootHash"])


def promise(bundle: Any) -> None:
    part = entry(bundle)["inclusionPromise"]
    part["signedEntryTimestamp"] = flip(part["signedEntryTimestamp"])


def later(bundle: Any) -> None:
    entry(bundle)["integratedTime"] = str(int(entry(bundle)["integratedTime"]) + 1)


def checkpoint(bundle: Any) -> None:
    part = entry(bundle)["inclusionProof"]["checkpoint"]
    text, _, signature = part["envelope"].strip().rpartition(" ")
    part["envelope"] = f"{text} {flip(signature)}\n"


def body(bundle: Any) -> None:
    """Another digest, in an entry that the log has signed: it is true, and about another file."""
    value = json.loads(base64.b64decode(entry(bundle)["canonicalizedBody"]))
    value["spec"]["data"]["hash"]["value"] = "00" * 32
    bundle["verificationMaterial"]["tlogEntries"] = [INSTANCE.entry(value)]


def other(bundle: Any) -> None:
    bundle["verificationMaterial"]["tlogEntries"] = [entry(INSTANCE.of_file(FILE))]


def stated(bundle: Any) -> None:
    bundle["messageSignature"]["messageDigest"]["digest"] = encode(bytes(32))


def forged(bundle: Any) -> None:
    part = bundle["messageSignature"]
    part["signature"] = flip(part["signature"])


def unknown(bundle: Any) -> None:
    bundle["note"] = "unsigned"


def both(bundle: Any) -> None:
    bundle["dsseEnvelope"] = {"payload": "", "payloadType": "", "signatures": []}


CHANGES: dict[Callable[[Any], None], str] = {
    proof: "tampered", promise: "tampered", later: "tampered", checkpoint: "tampered", body: "tampered", other: "tampered",
    stated: "mismatch", forged: "tampered", unknown: "malformed", both: "malformed",
}  # fmt: skip


def test_bundles_about_a_file(cases: Cases) -> None:
    """Keyless, and by a key: clients may ignore what the bundle of a key says of the log, and we do not."""
    for keyless in (True, False):
        key = b"" if keyless else pem(INSTANCE.signer)
        name = "keyless" if keyless else "key"
        cases.add(f"{name}-good", "ok", INSTANCE.of_file(FILE, keyless=keyless), key=key)
        for change, reason in CHANGES.items():
            bundle = INSTANCE.of_file(FILE, keyless=keyless)
            change(bundle)
            cases.add(f"{name}-{change.__name__}", reason, bundle, key=key)
    cases.add("key-for-keyless", "untrusted", INSTANCE.of_file(FILE), key=pem(INSTANCE.signer))
    cases.add("keyless-for-key", "untrusted", INSTANCE.of_file(FILE, keyless=False))
    cases.add("another-key", "wrong-key", INSTANCE.of_file(FILE, keyless=False), key=pem(Instance().signer))
    cases.add("another-instance", "untrusted", INSTANCE.of_file(FILE), Instance().trusted_root())


def statement(data: bytes) -> bytes:
    subject = [{"name": "f", "digest": {"sha256": hashlib.sha256(data).hexdigest()}}]
    kind = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.com/x/v1", "predicate": {}}
    return json.dumps({**kind, "subject": subject}).encode()


def test_statements_about_a_file(cases: Cases) -> None:
    cases.add("good", "ok", INSTANCE.of_statement(statement(FILE)))
    cases.add("another-file", "mismatch", INSTANCE.of_statement(statement(b"other")))
    mixed = INSTANCE.of_statement(statement(FILE))
    mixed["dsseEnvelope"] = INSTANCE.of_statement(statement(FILE))["dsseEnvelope"]
    cases.add("signed-twice-logged-once", "tampered", mixed)
    of_file = INSTANCE.of_file(FILE)
    of_file["dsseEnvelope"] = mixed["dsseEnvelope"]
    del of_file["messageSignature"]
    cases.add("the-entry-of-a-file", "unsupported", of_file)


def test_statements_with_entries_of_the_old_kind(cases: Cases) -> None:
    """The library reads no entries of kind ``intoto``. We take their time from timestamp authorities, and never from the log."""
    payload, minute = statement(FILE), timedelta(minutes=1)
    cases.add("good", "ok", INSTANCE.of_old_statement(payload))
    cases.add("another-file", "mismatch", INSTANCE.of_old_statement(statement(b"other")))
    cases.add("no-timestamp", "untrusted", INSTANCE.of_old_statement(payload, None))
    cases.add("stamped-late", "untrusted", INSTANCE.of_old_statement(payload, AT + 6 * minute))
    cases.add("stamped-early", "untrusted", INSTANCE.of_old_statement(payload, AT - 6 * minute))
    cases.add("taken-late", "expired", INSTANCE.of_old_statement(payload, AT, AT + 6 * minute))
    cases.add("another-clock", "untrusted", stamped(Instance().timestamp(b"data", AT)))
    cases.add("a-stamp-of-another", "untrusted", stamped(INSTANCE.timestamp(b"data", AT)))
    for change, reason in {proof: "tampered", promise: "tampered", later: "tampered", checkpoint: "tampered"}.items():
        bundle = INSTANCE.of_old_statement(payload)
        change(bundle)
        cases.add(change.__name__, reason, bundle)
    forged = INSTANCE.of_old_statement(payload)
    forged["dsseEnvelope"]["payload"] = encode(payload + b" ")
    cases.add("another-payload", "tampered", forged)
    mixed = INSTANCE.of_old_statement(payload)
    mixed["dsseEnvelope"] = INSTANCE.of_old_statement(payload)["dsseEnvelope"]
    cases.add("another-signature", "tampered", mixed)


def stamped(stamp: bytes) -> dict[str, Any]:
    """A bundle with another timestamp."""
    bundle = INSTANCE.of_old_statement(statement(FILE))
    bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = [
        {"signedTimestamp": encode(stamp)}
    ]
    return bundle


def test_a_signature_that_the_entry_does_not_hold_for(cases: Cases) -> None:
    """An entry over a signature of another key that claims this certificate: the log does not verify what it takes."""
    payload = statement(FILE)
    other = Instance()
    other.certificate, other.log = INSTANCE.certificate, INSTANCE.log
    other.clock, other.clock_authority = INSTANCE.clock, INSTANCE.clock_authority
    other.clock_root, other.clock_certificate = INSTANCE.clock_root, INSTANCE.clock_certificate
    for name, bundle in {
        "old": other.of_old_statement(payload), "statement": other.of_statement(payload), "file": other.of_file(FILE),
    }.items():  # fmt: skip
        cases.add(name, "tampered", bundle)


def test_the_last_moment_of_a_timestamp_authority(cases: Cases) -> None:
    for name, end, wanted in (
        ("at-the-end", "2024-05-01T12:00:00Z", "ok"),
        ("in-another-zone", "2024-05-01T14:00:00+02:00", "ok"),
        ("a-second-before", "2024-05-01T11:59:59Z", "untrusted"),
        ("a-moment-before", "2024-05-01T11:59:59.999998Z", "untrusted"),
    ):
        root = INSTANCE.trusted_root()
        root["timestampAuthorities"][0]["validFor"]["end"] = end
        cases.add(name, wanted, INSTANCE.of_old_statement(statement(FILE)), root)


TIMES = {
    "before": ({"start": "2024-06-01T00:00:00Z"}, "not-yet-valid"),
    "after": ({"start": "2000-01-01T00:00:00Z", "end": "2024-04-01T00:00:00Z"}, "expired"),
    "never": ({}, "usage"),
    "open": ({"start": "2024-01-01T00:00:00Z"}, "ok"),
    "to-the-second": ({"start": "2024-05-01T11:55:00Z", "end": "2024-05-01T12:00:00Z"}, "ok"),
}


def test_what_was_not_trusted_at_that_time(cases: Cases) -> None:
    """Of these the library itself looks at none; the intervals are closed ones."""
    for part in ("certificateAuthorities", "ctlogs", "tlogs"):
        for when, (span, wanted) in TIMES.items():
            root = INSTANCE.trusted_root()
            holder = root[part][0] if part == "certificateAuthorities" else root[part][0]["publicKey"]
            holder["validFor"] = span
            cases.add(f"{part}-{when}", wanted, INSTANCE.of_file(FILE), root)
        root = INSTANCE.trusted_root()
        root[part] = Instance().trusted_root()[part]
        cases.add(f"{part}-of-another", "untrusted", INSTANCE.of_file(FILE), root)
