"""statsmodels and our statistics of evaluations say the same; ``make interop`` makes its environment."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from openvet.evals.stats.correction import CORRECTIONS
from openvet.evals.stats.estimate import ratio, wilson
from openvet.evals.stats.paired import mcnemar

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/statistics/bin/python"
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="statsmodels is not installed; make interop does that"
)


def close(found: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(abs(a - b) <= 1e-12 for a, b in zip(found, wanted, strict=True))


def test_statsmodels_says_the_same() -> None:
    rng = random.Random(1)
    clustered: list[dict[str, Any]] = []
    for _ in range(20):
        n = rng.randint(5, 200)
        scores = [rng.random() for _ in range(n)]
        clustered.append({"scores": scores, "clusters": [rng.randint(0, max(2, n // 4)) for _ in range(n)]})
    shares = [(rng.randint(0, 50), 50) for _ in range(20)]
    flips = [(rng.randint(0, 40), rng.randint(1, 40)) for _ in range(20)]
    families = [[rng.random() ** 3 for _ in range(8)] for _ in range(10)]
    asked = {"clustered": clustered, "wilson": shares, "mcnemar": flips, "p": families}
    driver = Path(__file__).with_name("statistics_driver.py")
    done = subprocess.run(
        [str(PYTHON), str(driver)], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    theirs = json.loads(done.stdout)
    for said, each in zip(theirs["clustered"], clustered, strict=True):
        found = ratio(each["scores"], None, each["clusters"])
        assert found.se is not None
        assert close((found.value, found.se, found.low, found.high), said)
    assert all(close(wilson(*each), said) for each, said in zip(shares, theirs["wilson"], strict=True))
    assert close([mcnemar(*each) for each in flips], theirs["mcnemar"])
    for name in ("holm", "benjamini-hochberg"):
        assert all(close(CORRECTIONS[name](p), said) for p, said in zip(families, theirs[name], strict=True))
