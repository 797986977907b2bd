"""What the rules about TensorFlow share: the operations of every graph that are not ordinary, by what they are known for."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity
from openvet.formats._tf_program import TfGraph, TfUse, is_outside, op_knowledge

__all__ = ["NEEDS", "found", "outside", "uses"]

#: Formats that hold graphs.
NEEDS = ("tf-saved-model", "tf-graph", "tf-meta-graph", "tf-graph-text")


def uses(ctx: Context, *groups: str) -> Iterator[tuple[TfGraph, TfUse]]:
    """Every use of an operation of these groups; the group '' is that of operations that are not known."""
    for component in ctx.components(*NEEDS):
        for program in component.programs:
            if isinstance(program, TfGraph):
                for use in program.uses:
                    knowledge = op_knowledge().get(use.op)
                    if (knowledge.group if knowledge is not None else "") in groups:
                        yield program, use


def outside(use: TfUse) -> str:
    """The first argument that leads out of the model's folder, or ''."""
    return next((each for each in use.arguments if is_outside(each)), "")


def found(
    ctx: Context,
    program: TfGraph,
    use: TfUse,
    message: str,
    remedy: str,
    severity: Severity | None = None,
    confidence: Confidence | None = None,
) -> Finding:
    """A finding at the place of the operation."""
    where = Location(program.location.place, use.offset, pointer=None if use.offset is not None else use.node)
    evidence = use.to_json()
    inside = f" in the function {use.function}" if use.function else ""
    text = f"{message} ({use.op} at {use.node or 'a node without a name'}{inside})"
    return ctx.finding(where, text, remedy, severity=severity, confidence=confidence, evidence=evidence)
