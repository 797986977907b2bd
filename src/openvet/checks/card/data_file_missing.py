"""A data set card lists data files that are not here.

What it finds:
    Paths and patterns in ``configs`` that no file beside the card matches, where others of the list do.

Why it matters:
    Loaders fail, or load a part of the data and say nothing.

Example:
    ``data_files: train.csv`` and ``test.csv``, of which only the first is there.

Remedy:
    Fetch the missing files, or ask the publisher.

What it cannot see:
    Files behind links, and lists of which nothing is here.

References:
    https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.card._problems import problems
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="card/data-file-missing",
    severity=Severity.NOTE,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    needs=("markdown",),
    whole=True,
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each problem of the kind in a document."""
    yield from problems(ctx, "Fetch the missing files, or ask the publisher.")
