"""Pickles: the gallery's gadgets, re-exports, linkers, tricks, broken streams, carried code and harmless look-alikes."""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.testing.case import Case
from openvet.testing.forge_gallery import HARMLESS, HOSTILE, Sample

__all__ = ["CASES"]

_ADVISORY = pattern(r"(?:CVE-\d+-\d+|GHSA(?:-[a-z0-9]{4}){3}|arXiv \d+\.\d+)")


def _case(sample: Sample) -> Case:
    word = re.sub(r"[^a-z0-9]+", "-", sample.name.lower()).strip("-")
    decision = "reject" if sample.rejected else "review" if sample.rules else "admit"
    return Case(
        id=f"pickle/{word}",
        technique=sample.name,
        forge=sample.forge,
        decision=decision,  # type: ignore[arg-type]
        rules=sample.rules,
        formats=("pickle",),
        advisories=tuple(_ADVISORY.findall(sample.name)),
        name="model.pkl",
    )


CASES: tuple[Case, ...] = tuple(_case(sample) for sample in (*HOSTILE, *HARMLESS))
