"""Logs and dossiers of these tests wait for no disk, and lie in memory where that can be.

An end of the process loses nothing of what was written, and an end of the power is modelled (``power.py``).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from openvet.evidence.log import disk

MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """As pytest's, and in memory where that can be: to remove a file from a disk takes milliseconds, and here it is done 10,000 times."""
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        yield tmp_path_factory.mktemp("evidence")
        return
    folder = Path(tempfile.mkdtemp(prefix="openvet-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_sync", lambda _: None)
