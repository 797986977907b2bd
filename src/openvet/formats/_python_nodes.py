"""The nodes of a Python source's tree, in the order of :func:`ast.walk`, in a third of its time: half of a tree says only whether a name is loaded or
bound, which operator stands where, and at which line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["FUNCTIONS", "children", "fields_of", "walk"]

#: Nodes that have parameters and a body.
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: Kinds of fields, in the words of Python's own grammar, that hold no node that anybody asks for.
_PLAIN: Final = frozenset({"identifier", "int", "string", "constant", "expr_context", "boolop", "operator", "unaryop", "cmpop", "type_ignore"})  # fmt: skip


class _Fields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node that may hold others, by the grammar that each class tells."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        told = re.findall(r"\b(\w{1,40})([?*]{0,2}) (\w{1,40})\b", (kind.__doc__ or "").partition("(")[2])
        known = {name for _, _, name in told}
        kinds = {name for each, _, name in told if each in _PLAIN}
        # a class that tells nothing of a field has it looked at
        found = tuple(name for name in getattr(kind, "_fields", ()) if name not in kinds or name not in known)
        self[kind] = found
        return found


_FIELDS: Final = _Fields()


def fields_of(node: ast.AST) -> tuple[str, ...]:
    """The names of the fields in which a node may hold others."""
    return _FIELDS[type(node)]


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes of which one is made, but its context and its operators; in the order of its fields."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += value if None not in value else [each for each in value if each is not None]
        elif value is not None:
            found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """A node, and all of which it is made, outer ones first."""
    found = [node]
    for each in found:  # which grows while it is gone through
        yield each
        for name in _FIELDS[type(each)]:
            value = getattr(each, name, None)
            if type(value) is list:
                found += value if None not in value else [part for part in value if part is not None]
            elif value is not None:
                found.append(value)
