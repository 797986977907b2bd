"""Signatures with BLAKE3 digests, which model-signing makes and verifies by its API: both ways."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.test_model_signing import Theirs, ours, place, pytestmark, theirs

__all__ = ["place", "pytestmark", "theirs"]


def test_blake3_both_ways(place: Path, theirs: Theirs) -> None:
    asked = {"model": place / "m", "signature": place / "m/model.sig", "ignore": ["model.sig"]}
    assert ours("sign", "--key", "p256.key", "--hash", "blake3", "m") == 0
    assert theirs("verify", key=place / "p256.pub", hash="blake3", **asked) == "ok"
    assert theirs("sign", key=place / "p256.key", hash="blake3", **asked) == "ok"
    assert ours("verify", "--key", "p256.pub", "m") == 0
    (place / "m/a.b").write_bytes(b"x")
    assert ours("verify", "--key", "p256.pub", "m") == 1
