"""The table of chips: every number has a source and a date, and dense peaks are in the order that their dtypes are."""

from __future__ import annotations

import re

import pytest

from openvet.profile.claims.chips import Chip, chips


@pytest.mark.parametrize("chip", chips().values(), ids=lambda each: each.id)
def test_a_chip_has_its_shape(chip: Chip) -> None:
    assert chip.source
    assert re.fullmatch(r"20\d\d-\d\d", chip.date)
    assert {"bf16", "fp16"} & set(chip.peak)
    order = [chip.peak[each] for each in ("fp32", "tf32", "bf16", "fp8") if each in chip.peak]
    assert order == sorted(order)
    assert all(10**12 < each < 10**17 for each in chip.peak.values())
    assert chip.watts is None or 50 < chip.watts < 3000


def test_what_the_facts_were_computed_with() -> None:
    known = chips()
    assert known["a100-sxm"].peak["bf16"] == 312 * 10**12
    assert known["a100-sxm"].watts == 400
    assert known["h100-sxm"].watts == 700
    assert round(known["h100-sxm"].peak["bf16"] / 10**12) == 989
    assert known["tpu-v4"].watts is None
