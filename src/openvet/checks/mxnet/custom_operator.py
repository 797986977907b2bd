"""An MXNet network calls custom code, or an address in memory.

What it finds:
    Nodes ``Custom`` of a ``-symbol.json``, which call a class that Python registered under a name, and nodes ``_Native`` and
    ``_NDArray``, whose attribute ``info`` is the address of a structure with functions.

Why it matters:
    The class of a custom operator is not in the model. An address in a file is never right: MXNet takes it as it stands, and
    jumps to where the structure at that address says.

Example:
    ``{"op": "_Native", "attrs": {"info": "0x41414141"}}``.

Remedy:
    For a custom operator, find out which project registers it. A network with an address is not to be loaded.

What it cannot see:
    What the class does.

References:
    ``src/operator/custom/native_op-inl.h`` and ``custom.cc`` of https://github.com/apache/mxnet ; CWE-822, CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten

__all__ = ["RULE", "check"]

RULE = Rule(
    id="mxnet/custom-operator",
    severity=Severity.LOW,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(822, 829),
    needs=("json",),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such node, also in networks inside a node."""
    for component in ctx.components():
        for pointer, node in _nodes(component.document):
            settings: dict[str, Any] = next(
                (node[key] for key in ("attrs", "attr", "param") if isinstance(node.get(key), dict)), {}
            )
            where = Location(component.place, pointer=pointer)
            if node.get("op") in {"_Native", "_NDArray"}:
                address = printable(shorten(str(settings.get("info", "")), 80))
                yield ctx.finding(
                    where,
                    f"calls what stands at the address {address or 'that it names'}",
                    "Do not load it: an address in a file is never right.",
                    severity=Severity.HIGH,
                    evidence={"operator": node["op"], "address": address},
                )
            elif node.get("op") == "Custom":
                name = printable(shorten(str(settings.get("op_type", "")), 80))
                yield ctx.finding(
                    where,
                    f"needs the custom operator {name or 'without a name'}, which Python code registers",
                    "Find out which project registers it, and read its source.",
                    evidence={"operator": name},
                )


def _nodes(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The nodes of a network and of the networks inside its nodes."""
    stack = [("", document)]
    while stack:
        pointer, graph = stack.pop()
        if not isinstance(graph, dict) or not isinstance(graph.get("nodes"), list) or "heads" not in graph:
            continue
        for index, node in enumerate(graph["nodes"]):
            if isinstance(node, dict):
                yield f"{pointer}/nodes/{index}", node
                inner = node.get("subgraphs")
                if isinstance(inner, list):
                    stack.extend((f"{pointer}/nodes/{index}/subgraphs/{at}", each) for at, each in enumerate(inner))
