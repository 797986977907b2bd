"""What the rules about TorchScript share: the operators of every archive, and what kind each is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind, classify
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.tables import read_table

if TYPE_CHECKING:
    from openvet.formats._torchscript import Operator, TorchScript

__all__ = ["NEEDS", "findings", "kind_of", "of_kind"]

NEEDS = ("torch-zip", "torch-export")


@cache
def _table() -> dict[str, dict[str, frozenset[str]]]:
    table: dict[str, dict[str, Any]] = read_table("torchscript")
    return {key: {inner: frozenset(names) for inner, names in value.items()} for key, value in table.items()}


def kind_of(name: str, own: frozenset[str]) -> str:
    """``files escapes custom`` or ``''`` for an operator; ``own`` are the functions that the scripts define themselves."""
    table = _table()
    space, _, rest = name.partition(".")
    if space == "method":
        return "" if rest not in table["methods"]["files"] else "custom" if rest in own else "files"
    if space == "call":
        return _walked(rest)
    if space == "class":
        owner = rest.partition(".")[0]
        return (
            "escapes"
            if owner in table["escapes"]["classes"]
            else ""
            if owner in table["known"]["classes"]
            else "custom"
        )
    bare = name.partition(":")[0]
    if bare in table["files"]["names"] or space in table["files"]["namespaces"]:
        return "files"
    if bare in table["escapes"]["names"] or space in table["escapes"]["namespaces"]:
        return "escapes"
    return "" if space in table["known"]["namespaces"] else "custom"


def _walked(path: str) -> str:
    """What a walk over attributes leads to, as an exported program names what it calls."""
    if path in _table()["calls"]["names"]:
        return ""
    known = classify(path.partition(".")[0], path.partition(".")[2])
    return "escapes" if known.kind is Kind.DANGEROUS else "custom"


def of_kind(ctx: Context, kind: str) -> Iterator[tuple[Location, Operator]]:
    """Every operator of one kind, and where it is."""
    for component in ctx.inventory.walk():
        for program in component.programs:
            if program.kind != "torchscript":
                continue
            script = cast("TorchScript", program)
            for operator in script.operators:
                if kind_of(operator.name, script.methods) == kind:
                    yield Location(operator.place, line=operator.line or None), operator


def findings(ctx: Context, kind: str, what: str, remedy: str) -> Iterator[Finding]:
    """One finding for each operator of one kind."""
    for location, operator in of_kind(ctx, kind):
        given = f" with {operator.argument!r}" if operator.argument else ""
        yield ctx.finding(
            location,
            f"{what} {operator.name}{given}",
            remedy,
            evidence={"operator": operator.name, "argument": operator.argument},
        )
