"""What the readers of whole shapes of a source share: what names are bound to by all of its bindings, what is put in the place of something, and signs of numbers.

The flows of a source follow an order of its statements and the calls between its functions. A shape joins places that no call joins (a method that fills a
list, another one that reads it), so that every binding of a name counts here, wherever it stands.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from openvet.formats._python_calls import last_name
from openvet.formats._python_nodes import children

__all__ = ["MOST_IN_ONE", "bindings_of", "is_least", "led", "puts"]

#: Nodes that are looked at in one function.
MOST_IN_ONE: Final = 5_000
_MOST_LED: Final = 400
_MOST_OF_A_NAME: Final = 10


def bindings_of(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """What names, and attributes of objects by their last part, are bound to anywhere among ``nodes``."""
    found: dict[str, list[ast.expr]] = {}
    for each in nodes:
        if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
            for target in each.targets if isinstance(each, ast.Assign) else [each.target]:
                if name := last_name(target):
                    found.setdefault(name, []).append(each.value)
    return found


def led(
    node: ast.AST, held: dict[str, list[ast.expr]], leaves_out: Callable[[ast.AST], bool] = lambda _: False
) -> Iterator[ast.AST]:
    """What an expression is made of, through names and attributes.

    Args:
        held: what these are bound to.
        leaves_out: whether an expression, and what it is made of, says nothing of what is looked for.
    """
    waiting, seen = [node], set[str]()
    for _ in range(_MOST_LED):
        if not waiting:
            return
        part = waiting.pop()
        if leaves_out(part):
            continue
        yield part
        name = last_name(part)
        if name and name not in seen:
            seen.add(name)
            waiting.extend(held.get(name, ())[-_MOST_OF_A_NAME:])
        waiting.extend(children(part))


def puts(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, ast.Attribute, ast.expr]]:
    """Line, attribute and value of what is put in the place of attributes: by an assignment, or by ``setattr``."""
    for node in nodes:
        if isinstance(node, ast.Assign):
            yield from ((node.lineno, each, node.value) for each in node.targets if isinstance(each, ast.Attribute))
        elif isinstance(node, ast.Call) and last_name(node.func) == "setattr" and len(node.args) == 3:
            key = node.args[1]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield node.lineno, ast.Attribute(node.args[0], key.value, ast.Load()), node.args[2]


def is_least(node: ast.expr) -> bool:
    """Whether a number is below zero: ``-inf``, in one of the ways to write it, or any other with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return True
    return isinstance(node, ast.Call) and any("-" in str(getattr(each, "value", "")) for each in node.args)
