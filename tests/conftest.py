"""What holds for every test: a busy machine is no reason to fail."""

from __future__ import annotations

import gc

from hypothesis import HealthCheck, settings

settings.register_profile("openvet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("openvet")


def pytest_collection_finish() -> None:
    """Twenty-five thousand tests wait in memory: the collector need not walk them again and again."""
    gc.collect()
    gc.freeze()
