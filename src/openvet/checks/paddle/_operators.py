"""The operators of a PaddlePaddle program, in both of its forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.inventory.component import Component

__all__ = ["counted", "told"]

_TEXTS = 32
#: Dialects of the newer form: what is built in, and the operators of PaddlePaddle.
_OWN = {"0", "1", "2", "pd_op", "builtin", "cf"}


def counted(ctx: Context) -> Iterator[tuple[Component, dict[str, int]]]:
    """Each program with its operators and how often it has them; one of a foreign dialect keeps its dialect."""
    for component in ctx.components("paddle-program"):
        yield component, component.metadata.get("operators", {})
    for component in _newer(ctx):
        counts: dict[str, int] = {}
        for operator, _ in _operators(component.document):
            dialect, name = _name(operator)
            name = name if dialect in _OWN else f"{dialect}.{name}"
            counts[name] = counts.get(name, 0) + 1
        yield component, counts


def told(ctx: Context, wanted: frozenset[str]) -> Iterator[tuple[Location, str, list[str]]]:
    """Each operator with one of these names: where it stands, its name, and the texts that it is given."""
    for component in ctx.components("paddle-program"):
        for use in component.metadata.get("told", ()):
            if use["operator"] in wanted:
                yield Location(component.place, use["offset"]), use["operator"], use["texts"]
    for component in _newer(ctx):
        for operator, pointer in _operators(component.document):
            name = _name(operator)[1]
            if name in wanted:
                yield Location(component.place, pointer=pointer), name, _texts(operator.get("A"))


def _newer(ctx: Context) -> Iterator[Component]:
    for component in ctx.components("json"):
        document = component.document
        if isinstance(document, dict) and "program" in document and isinstance(document.get("base_code"), dict):
            yield component


def _operators(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Everything with a name and inputs, attributes or results, at any depth of regions and blocks."""
    stack: list[tuple[Any, str]] = [(document.get("program"), "/program")]
    while stack:
        value, pointer = stack.pop()
        if isinstance(value, dict):
            for key in ("regions", "blocks", "ops"):
                inner = value.get(key)
                if isinstance(inner, list):
                    stack.extend((each, f"{pointer}/{key}/{index}") for index, each in reversed(list(enumerate(inner))))
            if pointer.rsplit("/", 2)[-2] == "ops":
                yield value, pointer


def _name(operator: dict[str, Any]) -> tuple[str, str]:
    """Dialect and name of an operator; one that works in place ends in a line."""
    text = printable(shorten(str(operator.get("#", "")), 200))
    dialect, dot, name = text.partition(".")
    return (dialect, name.rstrip("_")) if dot else ("0", text)


def _texts(attributes: Any) -> list[str]:
    """The texts in an operator's attributes, at any depth."""
    out: list[str] = []
    stack = [attributes]
    seen = 0
    while stack and seen < 10_000 and len(out) < _TEXTS:
        value = stack.pop()
        seen += 1
        if isinstance(value, dict):
            stack.extend(each for key, each in value.items() if key not in {"#", "N"})
        elif isinstance(value, list):
            stack.extend(reversed(value))
        elif isinstance(value, str) and value:
            out.append(printable(shorten(value, 300)))
    return out
