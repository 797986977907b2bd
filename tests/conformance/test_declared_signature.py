"""A signature over declared digests is one that model-signing verifies like any other: it ignores the list of what was not measured."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.conformance.test_model_signing import Theirs, ours, place, pytestmark, theirs

from openvet.evidence.bundle import Bundle

__all__ = ["place", "pytestmark", "theirs"]


def test_they_verify_what_was_declared(place: Path, theirs: Theirs) -> None:
    big = (place / "m/big").read_bytes()
    (place / "m/big").write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(big).hexdigest()}\nsize {len(big)}\n"
    )
    assert ours("sign", "--key", "p256.key", "--declared", "m") == 0
    assert b"openvet_declared" in Bundle.parse((place / "m/model.sig").read_bytes()).envelope.payload
    asked = {"key": f"{place}/p256.pub", "model": place / "m", "signature": place / "m/model.sig"}
    assert "mismatch" in theirs("verify", **asked, ignore=["model.sig"])
    (place / "m/big").write_bytes(big)
    assert theirs("verify", **asked, ignore=["model.sig"]) == "ok"
    assert ours("verify", "--key", "p256.pub", "m") == 0
