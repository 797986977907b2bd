"""Whole outputs, kept as files and compared byte for byte. ``OPENVET_UPDATE_SNAPSHOTS=1`` writes them anew: read the diff."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["matches"]

FOLDER = Path(__file__).resolve().parent


def matches(name: str, text: str) -> None:
    """Fail unless ``text`` is what stands in ``name``."""
    path = FOLDER / name
    if os.environ.get("OPENVET_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    assert path.exists(), f"no snapshot {name}; make it with OPENVET_UPDATE_SNAPSHOTS=1"
    assert text == path.read_bytes().decode(), f"differs from tests/snapshots/{name}"
