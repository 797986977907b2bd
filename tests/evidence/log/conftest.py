"""Logs of tests wait for no disk: an end of the process loses nothing of it, and an end of the power is modelled."""

from __future__ import annotations

import pytest

from openvet.evidence.log import disk


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_sync", lambda _: None)
