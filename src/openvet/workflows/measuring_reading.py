"""How far parent and child agree on what they read in images or hear, and graphs on the numbers that they give."""

from __future__ import annotations

import json
import math
import random
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.core.text import printable
from openvet.engines.model import Model
from openvet.evals.log import number
from openvet.evals.scorers import Output, score
from openvet.evals.stats.estimate import Estimate, ratio
from openvet.evals.task import Ask, ScorerSpec, Task
from openvet.evidence.predicates.derivation_v1 import Agreement
from openvet.workflows.measuring_figures import agreed, cosine, greatest

__all__ = ["SEEDS", "graphs_agree", "page", "texts_agree"]

#: Inputs of graphs that are drawn, one from each.
SEEDS: Final = (1, 2, 3, 4)
_CER: Final = ScorerSpec("cer", {})
_SIDE: Final = 480


def texts_agree(task: Task, parent: Sequence[bytes], child: Sequence[bytes]) -> list[Agreement]:
    """Texts that both read or heard, by the lines of both logs: the same ones, characters between them, and errors of each.

    Intervals hold samples of one cluster together, as everywhere.
    """
    others = {each["id"]: each for each in map(_record, child)}
    pairs = [(one, others[one["id"]]) for one in map(_record, parent) if "output" in one]
    pairs = [(one, other) for one, other in pairs if "output" in other]
    if not pairs:
        return []
    asks = [task.ask(one["index"]) for one, _ in pairs]
    clusters = [each.cluster for each in asks] if any(each.cluster for each in asks) else None
    what = f"{'recordings' if task.audio is not None else 'images'} of {printable(task.name)}"
    same = ratio([float(one["output"] == other["output"]) for one, other in pairs], None, clusters, share=True)
    found = [agreed("same-text", same, len(pairs), what)]
    read = [
        ("text-difference", [(_of(ask, one), other) for ask, (one, other) in zip(asks, pairs, strict=True)]),
        ("character-errors-of-parent", [(ask, one) for ask, (one, _) in zip(asks, pairs, strict=True)]),
        ("character-errors", [(ask, other) for ask, (_, other) in zip(asks, pairs, strict=True)]),
    ]
    for measure, listed in read:
        rate = _rate(listed, clusters)
        if rate is not None:
            found.append(agreed(measure, rate, len(pairs), what))
    return found


def _record(line: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    return found


def _of(ask: Ask, said: Mapping[str, Any]) -> Ask:
    """The same sample with what one of both said as what stands there."""
    return replace(ask, targets=(said["output"],))


def _rate(listed: Sequence[tuple[Ask, Mapping[str, Any]]], clusters: Sequence[str] | None) -> Estimate | None:
    """Characters that are wrong per character that stands there; ``None`` where nothing stands there."""
    scores = [score(_CER, ask, Output(said["output"])) for ask, said in listed]
    try:
        found = ratio(
            [each.value for each in scores], [each.weight for each in scores], list(clusters) if clusters else None
        )
    except ValueError:
        return None
    # equal errors, such as none, are no proof that others would be equal; and there are never fewer than none
    return (
        replace(found, low=max(found.low, 0.0))
        if found.se
        else replace(found, low=-math.inf, high=math.inf, method="none")
    )


def graphs_agree(parent: Model, child: Model) -> tuple[list[Agreement], list[str]]:
    """The numbers that graphs of both give for the same drawn inputs, output by output, and those that cannot be compared.

    Raises:
        AskedError: one of both cannot compute on them.
    """
    given: dict[str, tuple[list[float], list[float]]] = {}
    left: dict[str, None] = {}
    for seed in SEEDS:
        one, other = parent.outputs(seed), child.outputs(seed)
        for name in dict.fromkeys((*one, *other)):
            first, second = one.get(name, ()), other.get(name, ())
            if not first or len(first) != len(second):
                left[name] = None
                continue
            sides = given.setdefault(name, ([], []))
            sides[0].extend(first)
            sides[1].extend(second)
    found = []
    for name, both in given.items():
        what = f"numbers of {name}"
        near = Agreement("cosine", number(cosine(*both)), None, None, len(both[0]), what)
        found += [near, greatest([abs(a - b) for a, b in zip(*both, strict=True)], what)]
    return found, list(left)


def page() -> bytes:
    """An image of strokes, a little like lines of text, to be read where a task gives none: a PNG, always the same."""
    drawn = random.Random(1)  # noqa: S311 - a picture
    rows = [bytearray(b"\xff" * _SIDE) for _ in range(_SIDE)]
    for line in (100, 240, 380):
        for left in range(30, _SIDE - 40, 18):
            for _ in range(3):
                across = drawn.random() < 0.5
                top, at = line + drawn.randrange(-10, 8), left + drawn.randrange(10)
                for row in range(top, top + (2 if across else 10)):
                    size = 10 if across else 2
                    rows[row][at : at + size] = b"\x00" * size
    packed = zlib.compress(b"".join(b"\x00" + bytes(each) for each in rows), 9)
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, (b"IHDR", b"IDAT", b"IEND"), (head, packed, b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
