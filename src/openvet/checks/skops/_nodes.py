"""What a node of a skops file makes: plain, unknown, or dangerous."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind, classify
from openvet.core.location import Location
from openvet.core.tables import read_table

if TYPE_CHECKING:
    from openvet.formats.skops import SkopsNode, SkopsSchema

__all__ = ["DANGEROUS", "LYING", "UNKNOWN", "judged", "nodes"]

DANGEROUS, LYING, UNKNOWN = "dangerous", "lying", "unknown"


@cache
def _table() -> dict[str, frozenset[str]]:
    table: dict[str, Any] = read_table("skops")
    return {key: frozenset(names) for key, names in table.items()}


def nodes(ctx: Context) -> Iterator[tuple[Location, SkopsNode, str, str]]:
    """Every node that is not plain: where it is, what kind, and why."""
    for component in ctx.inventory.walk():
        for program in component.programs:
            if program.kind == "skops":
                schema = cast("SkopsSchema", program)
                for node in schema.nodes:
                    kind, why = judged(node)
                    if kind:
                        yield Location(schema.location.place, pointer=node.pointer), node, kind, why


def judged(node: SkopsNode) -> tuple[str, str]:
    """The kind of a node, empty for a plain one, and a few words."""
    table = _table()
    if node.loader == "OperatorFuncNode":
        if node.module != "operator":
            return LYING, f"calls operator.{node.name} and says that it is {node.qualified}"
        if node.name in table["operators"]:
            return "", ""
        return (
            DANGEROUS if node.name in ("call", "methodcaller", "attrgetter") else UNKNOWN
        ), f"calls operator.{node.name}"
    if node.loader == "MethodNode":
        return _method(node)
    if node.loader == "FunctionNode" and node.owner and node.attribute:
        return _type(node.owner, node.attribute)
    # a function is only looked up: whether it is called is another node's matter
    kind, why = _type(node.module, node.name, called=node.loader != "FunctionNode")
    if not kind and node.loader not in table["loaders"]:
        return UNKNOWN, f"is made by {node.loader or 'a loader without a name'}, which skops does not have"
    return kind, why


def _method(node: SkopsNode) -> tuple[str, str]:
    if node.owner != node.qualified:
        return LYING, f"takes {node.attribute} of {node.owner} and says that it is of {node.qualified}"
    if node.attribute.startswith("_") or "." in node.attribute:
        return DANGEROUS, f"takes {node.attribute} of {node.qualified}"
    kind, why = _type(node.module, f"{node.name}.{node.attribute}")
    return (kind, why) if kind == DANGEROUS else _type(node.module, node.name)


def _type(module: str, name: str, *, called: bool = True) -> tuple[str, str]:
    table = _table()
    known = classify(module, name, called=called)
    if module == "builtins" and name in table["builtins"]:
        return "", ""
    if known.kind is Kind.DANGEROUS:
        return DANGEROUS, f"uses {module}.{name}, which {known.what}"
    if f"{module}.{name}" == "collections.defaultdict":
        return "", ""  # what makes its values is a node of its own
    if known.kind is Kind.DATA or module in table["functions"]:
        return "", ""
    if known.kind is Kind.FRAMEWORK and module.partition(".")[0] in table["packages"]:
        return "", ""
    if known.kind is Kind.LINKER and f"{module}.{name}" == "functools.partial":
        return "", ""  # what it is a partial of is a node of its own
    return UNKNOWN, f"uses {module}.{name}"
