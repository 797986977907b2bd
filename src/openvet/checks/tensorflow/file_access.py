"""A TensorFlow graph opens files.

What it finds:
    Operations that read or write whatever file they are told: ``ReadFile``, ``WriteFile``, ``MatchingFiles``,
    ``WholeFileReader``, ``LMDBReader``, writers of summaries, snapshots and data sets. Operations that read data sets or
    lists of words (``TextLineDataset``, ``TFRecordDataset``, ``ImmutableConst`` ...) where the file is a constant outside of
    the model's own folder; with another name they want a review. ``PrintV2``, ``DebugIdentity`` and ``CacheDataset`` where
    they are given a file. ``SqlDataset``, ``SnapshotDataset`` and ``SaveDataset`` count wherever they lead. Graphs, functions,
    functions in attributes and graphs inside constants are all looked at; the name is followed through joins and calls.

Why it matters:
    The operations of a graph run with the rights of the process that loads it. A model that answers a question needs no
    file but its own; one that writes a start-up file or a key runs code the next time, one that reads a file can answer with
    what stands in it.

Example:
    A SavedModel whose function writes ``../../.bashrc`` with ``WriteFile``.

Remedy:
    Do not load it, with any version of TensorFlow: this is what the operations are for. Ask for weights alone
    (safetensors) and build the graph from source.

What it cannot see:
    Names that are only known when the graph runs; the operation is reported all the same.

References:
    https://github.com/tensorflow/tensorflow/blob/master/SECURITY.md ; modelscan issue 153; CWE-73, CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.tensorflow._uses import NEEDS, found, outside, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._tf_program import TfUse, is_outside

RULE = Rule(
    id="tensorflow/file-access",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22, 73),
    needs=NEEDS,
)

_REMEDY = "Do not load it: no model needs this file. Ask for the weights alone and build the graph from source."
_ASK = "Ask the publisher what the file is; a graph for inference reads none."

#: Data sets that keep on disk what they are given, and those that open a database.
_WRITES = frozenset(
    {"SnapshotDataset", "SnapshotDatasetV2", "SaveDataset", "SaveDatasetV2", "SqlDataset", "ExperimentalSqlDataset"}
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each operation with other arguments."""
    for program, use in uses(ctx, "file"):
        told = f" {use.arguments[0]}" if use.arguments else " that it is told"
        severity = Severity.CRITICAL if use.op == "WriteFile" else None
        yield found(ctx, program, use, f"the graph opens the file{told}", _REMEDY, severity)
    for program, use in uses(ctx, "data"):
        path = outside(use)
        if use.op in _WRITES:
            told = f" {use.arguments[0]}" if use.arguments else ""
            yield found(ctx, program, use, f"the graph writes files of data, or asks a database{told}", _REMEDY)
        elif path:
            yield found(ctx, program, use, f"the graph reads the file {path}", _REMEDY)
        else:
            told = f" {use.arguments[0]}" if use.arguments else ""
            yield found(
                ctx, program, use, f"the graph reads a file of data{told}", _ASK, Severity.MEDIUM, Confidence.MEDIUM
            )
    for program, use in uses(ctx, "stream"):
        path = next((each for each in use.arguments if _is_file(use, each)), "")
        if path:
            yield found(ctx, program, use, f"the graph writes to {path}", _REMEDY)


def _is_file(use: TfUse, told: str) -> bool:
    """``file://`` of PrintV2 and the debug operations; a path outside for what keeps a data set."""
    return told.startswith("file:") or (use.op.startswith("CacheDataset") and is_outside(told))
