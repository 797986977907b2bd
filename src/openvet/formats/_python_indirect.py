"""By which other names, and with what, the functions of a Python source are called: threads, pools, callbacks, tables of handlers, ``functools.partial``.

``Thread(target=send, args=(x,))``, ``pool.submit(send, x)`` and ``partial(send, x)`` call ``send(x)`` sooner or later, and so does ``hook(x)`` after
``hook = send``. Whoever asks what a parameter may be is told of these calls as well, by names alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from openvet.formats._python_calls import last_name
from openvet.formats._python_settled import Function

__all__ = ["Indirect", "spread"]

_MOST_NAMES: Final = 4_000
_MOST_OF_A_NAME: Final = 8
_MOST_HOPS: Final = 3
#: Under these keywords a call is told what a function that it calls later is given.
_GIVEN: Final = frozenset({"args", "kwargs", "kwds", "iterable", "op_args", "op_kwargs"})


class Indirect:
    """The other names of functions: what is bound to them, handed over for a parameter, or taken out of a table of them."""

    __slots__ = ("_handed", "_names")

    def __init__(self) -> None:
        #: name -> names that stand for it, each with how many arguments are given already
        self._names: dict[str, dict[str, int]] = {}
        #: (callee, place or keyword, name that is handed over)
        self._handed: list[tuple[str, int | str, str]] = []

    def bind(self, target: ast.expr, value: ast.expr) -> None:
        """``hook = send``, ``HOOKS = {"a": send}``, ``go = partial(send, x)``, ``for each in HOOKS``."""
        name = last_name(target)
        if not name or len(self._names) >= _MOST_NAMES:
            return
        for each, given in _callables(value):
            if each != name and len(held := self._names.setdefault(each, {})) < _MOST_OF_A_NAME:
                held.setdefault(name, given)

    def hand(self, node: ast.Call) -> None:
        """``use(send)``: the parameter of ``use`` is another name of ``send``."""
        callee = last_name(node.func)
        if not callee or len(self._handed) >= _MOST_NAMES:
            return
        for place, each in enumerate(node.args[:8]):
            if isinstance(each, ast.Name | ast.Attribute):
                self._handed.append((callee, place, last_name(each)))
        for keyword in node.keywords[:8]:
            if keyword.arg and isinstance(keyword.value, ast.Name | ast.Attribute):
                self._handed.append((callee, keyword.arg, last_name(keyword.value)))

    def settle(self, defined: Mapping[str, list[Function]]) -> None:
        """Say which parameters stand for functions of the source, once these are all known."""
        for callee, place, name in self._handed:
            if name not in defined:
                continue
            for function in defined.get(callee, [])[:3]:
                names = [
                    each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
                ]
                names = names[1:] if names[:1] in (["self"], ["cls"]) else names
                parameter = place if isinstance(place, str) else names[place] if place < len(names) else ""
                if parameter in names and parameter != name:
                    self._names.setdefault(name, {}).setdefault(parameter, 0)
        self._handed.clear()

    def names_of(self, name: str) -> Iterator[tuple[str, int]]:
        """The other names by which a function is called, with how many arguments each has given already."""
        waiting, seen = [(name, 0, 0)], {name}
        while waiting:
            each, given, hops = waiting.pop()
            for other, more in self._names.get(each, {}).items():
                if other in seen or len(seen) > 2 * _MOST_OF_A_NAME:
                    continue
                seen.add(other)
                yield other, given + more
                if hops < _MOST_HOPS:
                    waiting.append((other, given + more, hops + 1))


def spread(node: ast.Call) -> Iterator[tuple[str, ast.Call]]:
    """The calls of functions that are handed over, each with the name of the function: what stands behind it, as it is and item by item."""
    for at, each in enumerate(node.args[:6]):
        if isinstance(each, ast.Name | ast.Attribute):
            yield from _later(each, node, node.args[at + 1 : at + 9], after=True)
    for keyword in node.keywords:
        if keyword.arg and isinstance(keyword.value, ast.Name | ast.Attribute):
            yield from _later(keyword.value, node, [], after=False)


def _later(called: ast.expr, node: ast.Call, rest: list[ast.expr], *, after: bool) -> Iterator[tuple[str, ast.Call]]:
    name = last_name(called)
    named = [each for each in node.keywords if each.arg not in _GIVEN] if after else []
    told = [each.value for each in node.keywords if each.arg in _GIVEN]
    if rest:
        yield name, _call(called, rest, named)
    for each in (*rest, *told):
        if isinstance(each, ast.Tuple | ast.List | ast.Set):
            yield name, _call(called, each.elts[:12], named)
            for item in each.elts[1:6]:  # map() and starmap() give one of them at a time
                yield name, _call(called, item.elts if isinstance(item, ast.Tuple) else [item], [])
        elif isinstance(each, ast.Dict):
            pairs = zip(each.keys, each.values, strict=True)
            given = [ast.keyword(key.value, value) for key, value in pairs
                     if isinstance(key, ast.Constant) and isinstance(key.value, str)]  # fmt: skip
            yield name, _call(called, [], given)
        elif each in told:
            yield name, _call(called, [each], [])
    if not rest and named:
        yield name, _call(called, [], named)


def _call(called: ast.expr, given: list[ast.expr], named: list[ast.keyword]) -> ast.Call:
    return ast.copy_location(ast.Call(called, list(given), list(named)), called)


def _callables(value: ast.expr) -> Iterator[tuple[str, int]]:
    """Names of what may be called among what is bound to a name, each with how many arguments it was given."""
    if isinstance(value, ast.Name | ast.Attribute):
        yield last_name(value), 0
    elif isinstance(value, ast.Call):
        if (
            last_name(value.func) in ("partial", "partialmethod", "curry", "delayed", "wraps", "staticmethod")
            and value.args
        ):
            yield last_name(value.args[0]), len(value.args) - 1
        elif isinstance(value.func, ast.Attribute) and value.func.attr in (
            "get",
            "values",
            "items",
            "pop",
            "setdefault",
        ):
            yield last_name(value.func.value), 0
    elif isinstance(value, ast.Dict | ast.List | ast.Tuple | ast.Set):
        for each in (value.values if isinstance(value, ast.Dict) else value.elts)[:40]:
            if not isinstance(each, ast.Dict | ast.List | ast.Set):
                yield from _callables(each)
    elif isinstance(value, ast.Subscript):
        yield last_name(value.value), 0
    elif isinstance(value, ast.IfExp):
        yield from _callables(value.body)
        yield from _callables(value.orelse)
