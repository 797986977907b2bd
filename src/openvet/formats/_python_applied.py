"""What a function of a source gives for constants, where it only computes on texts and numbers: ``_d("bHM=")`` of a source that hides its names.

Assignments, loops over known items, ``append`` and ``return`` are followed; at anything else nothing is known. Steps are those of the
expressions inside, which the folder counts.
"""

from __future__ import annotations

import ast
from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

__all__ = ["applied", "literal"]

Values = Mapping[str, ast.expr]
#: Gives the constant that an expression is, or ``None``.
Value = Callable[[ast.expr, Values], Any]
_MOST_ITEMS: Final = 4_096


class _UnknownError(Exception):
    """Something is done that is not followed."""


def applied(function: ast.AST, given: list[ast.expr], named: list[ast.keyword], values: Values, value: Value) -> Any:
    """What ``function`` gives, or ``None``.

    Args:
        function: a definition or a lambda of the source.
        given: its arguments by their places.
        named: its arguments by their names.
        values: what names of the source were last assigned.
        value: gives the constant that an expression is with such names.
    """
    if not isinstance(function, ast.FunctionDef | ast.Lambda):
        return None
    inner = _bound(function.args, given, named, values, value)
    if inner is None:
        return None
    names: MutableMapping[str, ast.expr] = ChainMap(inner, values)  # type: ignore[arg-type]
    if isinstance(function, ast.Lambda):
        return value(function.body, names)
    if function.decorator_list:
        return None
    try:
        return _run(function.body, names, value)
    except _UnknownError:
        return None


def literal(value: Any) -> ast.expr:
    """A constant, or a list of them, as an expression."""
    if isinstance(value, list):
        return ast.List([literal(each) for each in value], ast.Load())
    return ast.Constant(value)


def _bound(
    parameters: ast.arguments, given: list[ast.expr], named: list[ast.keyword], values: Values, value: Value
) -> dict[str, ast.expr] | None:
    """What each parameter stands for; ``None`` where one is not known."""
    places = [*parameters.posonlyargs, *parameters.args]
    found = [value(each, values) for each in given[: len(places) + _MOST_ITEMS]]
    if None in found or (len(found) > len(places) and parameters.vararg is None) or parameters.kwarg is not None:
        return None
    out = {each.arg: literal(held) for each, held in zip(places, found, strict=False)}
    if parameters.vararg is not None:
        out[parameters.vararg.arg] = literal(found[len(places) :])
    for each in named:
        held = value(each.value, values)
        if each.arg is None or held is None:
            return None
        out[each.arg] = literal(held)
    defaults = [*zip(reversed(places), reversed(parameters.defaults), strict=False),
                *((each, held) for each, held in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if held is not None)]  # fmt: skip
    for parameter, default in defaults:
        out.setdefault(parameter.arg, default)
    return out if all(each.arg in out for each in (*places, *parameters.kwonlyargs)) else None


def _run(body: list[ast.stmt], names: MutableMapping[str, ast.expr], value: Value) -> Any:
    """What statements return; ``None`` where they come to their end."""
    for statement in body:
        if isinstance(statement, ast.Return):
            found = None if statement.value is None else value(statement.value, names)
            if found is None:
                raise _UnknownError
            return found
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            _assign(statement.targets[0], _known(value(statement.value, names)), names)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            _assign(statement.target, _known(value(statement.value, names)), names)
        elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            left = ast.Name(statement.target.id, ast.Load())
            _assign(statement.target, _known(value(ast.BinOp(left, statement.op, statement.value), names)), names)
        elif isinstance(statement, ast.For) and not statement.orelse:
            _loop(statement, names, value)
        elif isinstance(statement, ast.Expr):
            _express(statement.value, names, value)
        elif not isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
            raise _UnknownError
    return None


def _loop(statement: ast.For, names: MutableMapping[str, ast.expr], value: Value) -> None:
    items = _known(value(statement.iter, names))
    if not isinstance(items, list | str | bytes) or len(items) > _MOST_ITEMS:
        raise _UnknownError
    for item in items:
        _assign(statement.target, item, names)
        if _run(statement.body, names, value) is not None:
            raise _UnknownError


def _express(node: ast.expr, names: MutableMapping[str, ast.expr], value: Value) -> None:
    """``out.append(chr(x ^ 7))``; a text that stands alone says something to readers."""
    if isinstance(node, ast.Constant):
        return
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) != 1:
        raise _UnknownError
    held, name = node.func.value, node.func.attr
    base = value(held, names)
    if not isinstance(held, ast.Name) or not isinstance(base, list) or name not in ("append", "extend"):
        raise _UnknownError
    more = _known(value(node.args[0], names))
    if len(base) > _MOST_ITEMS:
        raise _UnknownError
    names[held.id] = literal([*base, more] if name == "append" else [*base, *more])


def _assign(target: ast.expr, held: Any, names: MutableMapping[str, ast.expr]) -> None:
    if isinstance(target, ast.Name):
        names[target.id] = literal(held)
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(held, list) and len(held) == len(target.elts):
        for each, part in zip(target.elts, held, strict=True):
            _assign(each, part, names)
    else:
        raise _UnknownError


def _known(held: Any) -> Any:
    if held is None:
        raise _UnknownError
    return held
