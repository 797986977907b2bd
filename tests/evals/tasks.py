"""Tasks as tests write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openvet.evals.reading import take_task
from openvet.evals.task import Task, TaskError

SAMPLES = [
    {"country": "France", "capital": "Paris"},
    {"country": "Peru", "capital": "Lima"},
    {"country": "Kenya", "capital": "Nairobi"},
]
CAPITALS: dict[str, Any] = {
    "name": "capitals",
    "version": "1",
    "prompt": "Q: The capital of {{country}}?\nA:",
    "target": "{{capital}}",
    "scorer": "exact",
    "samples": SAMPLES,
}


def lines(*samples: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in samples)


def task(files: Mapping[str, bytes] | None = None, **changed: Any) -> Task:
    """The capitals, with other keys; ``None`` takes a key away. Raises :class:`TaskError` with every problem."""
    document = {key: each for key, each in {**CAPITALS, **changed}.items() if each is not None}
    problems: list[str] = []
    found = take_task(
        document,
        "t.yaml",
        (files or {}).__getitem__,
        lambda at, text: problems.append(f"{'.'.join(map(str, at))}: {text}"),
    )
    if problems:
        raise TaskError(*problems)
    assert found is not None
    found.check()
    return found
