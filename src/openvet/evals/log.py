"""The log of a run: one line for each sample, each a leaf of a Merkle tree whose root the result states.

The first line says what was run and is no leaf. Every other is canonical JSON: the prompt, what should have come, what came, and the score. Whoever has
the log and the root can tell whether a line is what it was, and that there are no more and no fewer (RFC 9162 section 2.1; ``leaf_hash`` of
the line without its newline). Times are not in it: the same answers make the same log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evals.backends._backend import Usage
from openvet.evals.scorers import Output, Score
from openvet.evals.task import Ask
from openvet.evidence.merkle import Tree, leaf_hash
from openvet.evidence.predicates import NAMES
from openvet.evidence.signing import signable

__all__ = ["LOG_TYPE", "Log", "LogError", "Scored", "header_line", "number", "read_log", "record_line"]

LOG_TYPE: Final = f"{NAMES}/eval-log/v1"
#: Bytes of a line.
LONGEST: Final = 64 * 1024 * 1024


class LogError(UsageError):
    """A log makes no sense, or is not the one that a result states."""


def number(value: float) -> str:
    """A number as a record and a result write it: the shortest decimal that stands for it."""
    whole = value.is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else repr(value)


@dataclass(frozen=True, slots=True)
class Scored:
    """What metrics need of a line.

    Attributes:
        score: ``None`` where the sample was not answered.
        target: of a similarity, what people say; else ``None``.
    """

    index: int
    id: str
    cluster: str
    score: float | None
    weight: float
    target: float | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read: its first line, the samples in order, and the tree over them."""

    header: Mapping[str, Any]
    samples: tuple[Scored, ...]
    tree: Tree


def header_line(header: Mapping[str, Any]) -> bytes:
    """The first line, without its newline."""
    return canonical_json(signable({"type": LOG_TYPE, **header}))


def record_line(
    ask: Ask, output: Output | None, score: Score | None, usage: Usage, ended: str = "", error: str = ""
) -> bytes:
    """The line of one sample, without its newline; ``error`` says why there is no output."""
    record: dict[str, Any] = {"index": ask.index, "id": ask.id}
    if ask.cluster:
        record["cluster"] = ask.cluster
    if ask.media is not None:
        record["media"] = {"name": ask.media.name, "sha256": ask.media.sha256}
    elif ask.pair:
        record["pair"] = list(ask.pair)
    else:
        record["prompt"] = ask.prompt.text
        if ask.prompt.system:
            record["system"] = ask.prompt.system
    if ask.choices:
        record["choices"] = list(ask.choices)
    record["targets"] = list(ask.targets)
    if output is None or score is None:
        record["error"] = error
    else:
        if output.similarity is not None:
            record["similarity"] = number(output.similarity)
        elif output.logprobs:
            record["logprobs"] = [number(each) for each in output.logprobs]
            record["tokens"] = list(output.tokens)
        else:
            record["output"] = output.text
            if ended:
                record["ended"] = ended
        record["score"] = number(score.value)
        if score.weight != 1.0:
            record["weight"] = number(score.weight)
        if score.taken:
            record["taken"] = score.taken
    counts = {"prompt": usage.prompt, "completion": usage.completion}
    if any(each is not None for each in counts.values()):
        record["usage"] = {name: each for name, each in counts.items() if each is not None}
    return canonical_json(signable(record))


def read_log(lines: Iterable[bytes], shown: str) -> Log:
    """Read a log, one line after another.

    Raises:
        LogError: it is none; with its line.
    """
    found = iter(_numbered(lines, shown))
    first = next(found, None)
    if first is None or first[1].get("type") != LOG_TYPE:
        raise LogError(f"{shown}:1: is no log of an evaluation: its first line says what was run")
    tree = Tree()
    samples = []
    for place, value, line in found:
        try:
            samples.append(scored_of(value))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            raise LogError(f"{place}: is no sample of a log: {printable(str(error))[:100]}") from None
        tree.append(leaf_hash(line))
    return Log(first[1], tuple(samples), tree)


def _numbered(lines: Iterable[bytes], shown: str) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    for count, raw in enumerate(lines, 1):
        line = raw.rstrip(b"\n")
        if len(line) > LONGEST:
            raise LogError(f"{shown}:{count}: the line is longer than {LONGEST} bytes")
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise LogError(f"{shown}:{count}: is not JSON") from None
        if not isinstance(value, dict):
            raise LogError(f"{shown}:{count}: is no object")
        yield f"{shown}:{count}", value, line


def scored_of(value: Mapping[str, Any]) -> Scored:
    """What metrics need of a line (raises :class:`KeyError`, :class:`TypeError` or :class:`ValueError` where it is none)."""
    usage = value.get("usage", {})
    target = float(value["targets"][0].replace(",", "")) if "similarity" in value else None
    score = None if "error" in value else float(value["score"])
    weight = float(value.get("weight", "1"))
    if not (
        isinstance(value["index"], int) and isinstance(value["id"], str) and isinstance(value.get("cluster", ""), str)
    ):
        raise TypeError("a field is of another kind")
    if score is not None and not (abs(score) < float("inf") and 0.0 <= weight < float("inf")):
        raise ValueError("a score is no number")
    return Scored(
        value["index"], value["id"], value.get("cluster", ""), score, weight, target,
        Usage(usage.get("prompt"), usage.get("completion")),
    )  # fmt: skip
