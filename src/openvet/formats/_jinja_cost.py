"""What a template costs to render, as far as its constants go: turns of loops, and sizes of texts and lists.

The tree is gone through once in the order in which it would be rendered, with a number or a size in the place of every value; what
comes from messages is one character long. A loop over something of a known size is gone through twice: what grew by the second turn
grows so by every other. Nothing is rendered. Told is only what no machine ends: five hundred million turns or characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from jinja2 import nodes

from openvet.core.dataclass import dataclass
from openvet.formats._jinja_fold import key_of

__all__ = ["costly"]

#: Turns of loops, or characters or items, that are too many.
_TOO_MUCH: Final = 5e8
_MOST: Final = 1e30
#: Nodes that are gone through, and macros within macros.
_STEPS: Final = 200_000
_DEEP: Final = 12
_STEEP: Final = 1.2


@dataclass(frozen=True, slots=True)
class _Value:
    """A number (its size is itself), or a text or list (its length)."""

    number: bool
    size: float


_ONE: Final = _Value(False, 1.0)
_KEEPS: Final = frozenset(
    {"capitalize", "e", "escape", "forceescape", "list", "lower", "lstrip", "map", "reject", "reverse", "rstrip", "safe", "select", "sort", "string", "strip",
     "striptags", "title", "tojson", "trim", "unique", "upper", "urlencode", "wordwrap", "split", "splitlines", "items", "copy"}
)  # fmt: skip
_WIDE: Final = frozenset({"center", "ljust", "rjust", "zfill", "indent", "expandtabs"})

Found = tuple[int, str]


def costly(tree: nodes.Template) -> list[Found]:
    """Line and name of what takes all time or memory; the first of each name."""
    rendering = _Rendering()
    rendering.macros = {each.name: each for each in tree.find_all(nodes.Macro)}
    rendering.endless_lists(tree)
    rendering.endless_macros()
    rendering.go(tree.body, 1.0)
    return [(line, name) for name, line in rendering.found.items()]


class _Rendering:
    def __init__(self) -> None:
        self.found: dict[str, int] = {}
        self.macros: dict[str, nodes.Macro] = {}
        self._values: dict[str, _Value] = {}
        self._steps = 0
        self._looked = 0
        self._turns = 0.0
        self._written = 0.0
        self._inside: list[str] = []

    def _tell(self, node: nodes.Node, name: str) -> None:
        self.found.setdefault(name, node.lineno)

    # --- statements

    def go(self, body: list[nodes.Node], times: float) -> None:
        """The statements of ``body``, which are come to so many ``times``."""
        for node in body:
            self._steps += 1
            if self._steps > _STEPS:
                return
            if isinstance(node, nodes.Output):
                for each in node.nodes:
                    self._write(each, times)
            elif isinstance(node, nodes.Assign):
                self._assign(node.target, node.node, times)
            elif isinstance(node, nodes.AssignBlock):
                key = key_of(node.target)
                size = sum(
                    self._size(each, times)
                    for part in node.body
                    if isinstance(part, nodes.Output)
                    for each in part.nodes
                )
                self.go(node.body, times)
                if key is not None:
                    self._values[key] = _Value(False, size)
            elif isinstance(node, nodes.For):
                self._loop(node, times)
            elif isinstance(node, nodes.If):
                self._value(node.test, times)
                self._branches([node.body, *(each.body for each in node.elif_), node.else_], times)
            elif isinstance(node, nodes.ExprStmt):
                self._value(node.node, times)
            elif isinstance(node, nodes.CallBlock):
                self._value(node.call, times)
                self.go(node.body, times)
            elif isinstance(node, nodes.FilterBlock | nodes.With | nodes.Scope | nodes.Block):
                self.go(node.body, times)

    def _write(self, node: nodes.Node, times: float) -> None:
        self._written += times * self._size(node, times)
        if self._written > _TOO_MUCH:
            self._tell(node, "all that it writes")

    def _assign(self, target: nodes.Node, source: nodes.Node, times: float) -> None:
        value = self._value(source, times)
        key = key_of(target)
        if key is None:
            return
        if (
            isinstance(source, nodes.Call)
            and isinstance(source.node, nodes.Name)
            and source.node.name in ("namespace", "dict")
        ):
            for pair in source.kwargs:
                if (inner := self._value(pair.value, times)) is not None:
                    self._values[f"{key}.{pair.key}"] = inner
        elif value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value

    def _branches(self, bodies: list[list[nodes.Node]], times: float) -> None:
        """Each from where all begin; afterwards the largest of each."""
        before = self._values
        after: dict[str, _Value] = {}
        for body in bodies:
            self._steps += len(before) // 20
            self._values = dict(before)
            self.go(body, times)
            for key, value in self._values.items():
                if key not in after or after[key].size < value.size:
                    after[key] = value
        self._values = after

    def _loop(self, node: nodes.For, times: float) -> None:
        over = self._value(node.iter, times)
        turns = over.size if over is not None and not over.number else 1.0
        self._turns += times * turns
        if self._turns > _TOO_MUCH:
            self._tell(node, "loops")
        if turns < 1.0:
            return
        inner = min(times * turns, _MOST)
        target = key_of(node.target)
        if target is not None:
            self._values.pop(target, None)
        self._steps += len(self._values) // 20
        before = dict(self._values)
        self.go(node.body, inner)
        if turns <= 1.0:
            return
        first = dict(self._values)
        found, turned, written = dict(self.found), self._turns, self._written
        self.go(node.body, inner)
        self.found, self._turns, self._written = found, turned, written  # what is told is told once
        for key, value in list(self._values.items()):
            if key in before and key in first and not value.number and not first[key].number:
                self._values[key] = _Value(False, _grown(before[key].size, first[key].size, value.size, turns))
                if self._values[key].size > _TOO_MUCH:
                    self._tell(node, f"{key}, which grows with every turn of a loop")

    # --- expressions

    def _size(self, node: nodes.Node, times: float) -> float:
        value = self._value(node, times)
        if value is None:
            return 1.0
        return 20.0 if value.number else value.size

    def _value(self, node: nodes.Node, times: float) -> _Value | None:
        self._steps += 1
        if self._steps > _STEPS:
            return None
        work = _WORK.get(type(node))
        if work is None:
            for each in node.iter_child_nodes():
                self._value(each, times)
            return None
        try:
            value = work(self, node, times)
        except (OverflowError, ZeroDivisionError, ValueError):
            return None
        if value is not None and not value.number and value.size > _TOO_MUCH:
            self._tell(node, _described(node))
        return None if value is None else _Value(value.number, max(-_MOST, min(value.size, _MOST)))

    def _const(self, node: nodes.Const, _: float) -> _Value | None:
        value = node.value
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return _Value(True, max(-_MOST, min(float(value), _MOST)) if abs(value) < _MOST else _MOST)
        return _Value(False, float(len(value))) if isinstance(value, str) else None

    def _data(self, node: nodes.TemplateData, _: float) -> _Value:
        return _Value(False, float(len(node.data)))

    def _list(self, node: Any, times: float) -> _Value:
        for each in node.items:
            self._value(each, times)
        return _Value(False, float(len(node.items)))

    def _name(self, node: nodes.Node, times: float) -> _Value | None:
        key = key_of(node)
        if key is not None and key in self._values:
            return self._values[key]
        if isinstance(node, nodes.Getattr):
            self._value(node.node, times)
        return None

    def _item(self, node: nodes.Getitem, times: float) -> _Value | None:
        value = self._value(node.node, times)
        self._value(node.arg, times)
        return value if isinstance(node.arg, nodes.Slice) else None

    def _added(self, node: Any, times: float) -> _Value | None:
        left, right = self._value(node.left, times), self._value(node.right, times)
        if left is not None and right is not None and left.number and right.number:
            return _Value(True, left.size + right.size)
        if (
            (left is None and right is None)
            or (left is not None and left.number)
            or (right is not None and right.number)
        ):
            return None
        return _Value(False, (left or _ONE).size + (right or _ONE).size)

    def _joined(self, node: nodes.Concat, times: float) -> _Value:
        return _Value(False, sum(self._size(each, times) for each in node.nodes))

    def _product(self, node: Any, times: float) -> _Value | None:
        left, right = self._value(node.left, times), self._value(node.right, times)
        if left is None or right is None or not (left.number or right.number):
            return None
        if left.number and right.number:
            return _Value(True, left.size * right.size)
        return _Value(False, max(left.size, 0.0) * max(right.size, 0.0))

    def _numbers(self, node: Any, times: float) -> _Value | None:
        left, right = self._value(node.left, times), self._value(node.right, times)
        if left is None or right is None or not (left.number and right.number):
            return None
        if isinstance(node, nodes.Sub):
            return _Value(True, left.size - right.size)
        if isinstance(node, nodes.Pow):
            return _Value(True, left.size**right.size if abs(right.size) < 1_000 else _MOST)
        if isinstance(node, nodes.Mod):
            return _Value(True, left.size % right.size)
        return _Value(True, left.size // right.size if isinstance(node, nodes.FloorDiv) else left.size / right.size)

    def _negative(self, node: Any, times: float) -> _Value | None:
        value = self._value(node.node, times)
        return _Value(True, -value.size) if value is not None and value.number else None

    def _either(self, node: nodes.CondExpr, times: float) -> _Value | None:
        self._value(node.test, times)
        both = [self._value(each, times) for each in (node.expr1, node.expr2) if each is not None]
        known = [each for each in both if each is not None]
        return max(known, key=lambda each: each.size) if known else None

    def _filter(self, node: nodes.Filter, times: float) -> _Value | None:
        base = None if node.node is None else self._value(node.node, times)
        return self._done(node, node.name, base, node.args, node.kwargs, times)

    def _call(self, node: nodes.Call, times: float) -> _Value | None:
        called = node.node
        if isinstance(called, nodes.Getattr):
            base = self._value(called.node, times)
            key = key_of(called.node)
            if called.attr in ("append", "extend", "insert") and node.args and key is not None:
                given = self._value(node.args[-1], times)
                more = (
                    (given.size if given is not None and not given.number else 1.0) if called.attr == "extend" else 1.0
                )
                self._values[key] = _Value(False, (base.size if base is not None and not base.number else 0.0) + more)
                return None
            if called.attr == "join" and node.args:  # the method takes its text and list the other way round
                return self._done(node, "join", self._value(node.args[0], times), [called.node], [], times)
            return self._done(node, called.attr, base, node.args, node.kwargs, times)
        name = called.name if isinstance(called, nodes.Name) else ""
        values = [self._value(each, times) for each in node.args]
        for pair in node.kwargs:
            self._value(pair.value, times)
        if name == "range" and values and all(each is not None and each.number for each in values):
            bounds = [each.size for each in values if each is not None]
            low, high = (0.0, bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
            step = bounds[2] if len(bounds) > 2 and bounds[2] else 1.0
            return _Value(False, max((high - low) / step, 0.0))
        macro = self.macros.get(name)
        if macro is not None and name not in self._inside and len(self._inside) < _DEEP:
            return self._macro(macro, values, times)
        return None

    def _macro(self, macro: nodes.Macro, values: list[_Value | None], times: float) -> _Value:
        before, written = self._values, self._written
        self._values = dict(before)
        for argument, value in zip(macro.args, values, strict=False):
            self._values.pop(argument.name, None)
            if value is not None:
                self._values[argument.name] = value
        self._inside.append(macro.name)
        self.go(macro.body, times)
        self._inside.pop()
        size = (self._written - written) / max(times, 1.0)
        self._written = written  # it is written where the macro's text is
        self._values = before
        return _Value(False, size)

    def _done(
        self, node: nodes.Node, name: str, base: _Value | None, args: list[Any], kwargs: list[Any], times: float
    ) -> _Value | None:
        """A filter, or a method of a text, of the size of what it is given."""
        values = [self._value(each, times) for each in args]
        named = {pair.key: self._value(pair.value, times) for pair in kwargs}
        first = values[0] if values else None
        size = base.size if base is not None and not base.number else 1.0
        if name in ("length", "count"):
            return _Value(True, size) if base is not None and not base.number else None
        if name in ("int", "abs", "round", "float"):
            return base if base is not None and base.number else None
        if name in _WIDE:
            wide = first.size if first is not None and first.number else 0.0
            return _Value(False, size + wide if name == "indent" else max(size, wide))
        if name == "join":
            apart = first.size if first is not None and not first.number else 0.0
            return _Value(False, self._inner(node, base) + max(size - 1.0, 0.0) * apart)
        if name == "replace" and len(values) > 1:
            old, new = values[0], values[1]
            if old is not None and new is not None and not old.number and not new.number and base is not None:
                return _Value(False, size * max(new.size / max(old.size, 1.0), 1.0))
            return base
        if name in ("batch", "slice") and first is not None and first.number:
            filled = len(values) > 1 or "fill_with" in named
            if name == "slice" or filled:
                return _Value(False, first.size)
        return base if name in _KEEPS else None

    def _inner(self, node: nodes.Node, base: _Value | None) -> float:
        """The characters of the items of what is joined."""
        given = (
            node.node
            if isinstance(node, nodes.Filter)
            else node.args[0]
            if isinstance(node, nodes.Call) and node.args
            else None
        )
        if isinstance(given, nodes.List | nodes.Tuple):
            return sum(self._size(each, 1.0) for each in given.items)
        return base.size if base is not None and not base.number else 1.0

    # --- what never ends

    def endless_lists(self, tree: nodes.Template) -> None:
        """Loops over a list that each turn makes longer, and loops that begin themselves again with a constant."""
        for loop in tree.find_all(nodes.For):
            key = key_of(loop.iter)
            for node in self._below(loop.body, through=loop.recursive):
                if not isinstance(node, nodes.Call):
                    continue
                called = node.node
                if isinstance(called, nodes.Getattr) and called.attr in ("append", "extend", "insert"):
                    if key is not None and key_of(called.node) == key and not loop.recursive:
                        self._tell(loop, f"a loop over {key}, which it makes longer")
                elif loop.recursive and not loop.test and _begins_again(node):
                    self._tell(loop, "a loop that begins itself again")

    def endless_macros(self) -> None:
        """Macros that always call themselves, and those that call themselves twice with one less."""
        always: dict[str, set[str]] = {}
        for name, macro in self.macros.items():
            calls = [
                each
                for each in self._below(macro.body)
                if isinstance(each, nodes.Call) and isinstance(each.node, nodes.Name)
            ]
            always[name] = {each.node.name for each in calls if isinstance(each.node, nodes.Name)} & set(self.macros)
            less = 0
            for each in self._below(macro.body, through=True):
                if isinstance(each, nodes.Call) and isinstance(each.node, nodes.Name) and each.node.name == name:
                    less += any(isinstance(one, nodes.Sub) and isinstance(one.right, nodes.Const) for one in each.args)
            if less > 1:
                self._tell(macro, f"the macro {name}, which calls itself twice each time")
        for name, macro in self.macros.items():
            seen, waiting = set[str](), list(always[name])
            while waiting and len(seen) < _DEEP:
                other = waiting.pop()
                if other not in seen:
                    seen.add(other)
                    waiting.extend(always[other])
            if name in seen:
                self._tell(macro, f"the macro {name}, which calls itself again and again")

    def _below(self, body: list[nodes.Node], *, through: bool = False) -> Iterator[nodes.Node]:
        """The nodes that are come to on every way through ``body``; with ``through`` those behind conditions too."""
        waiting: list[nodes.Node] = list(body)
        while waiting and self._looked < _STEPS:
            self._looked += 1
            node = waiting.pop()
            yield node
            if through:
                waiting.extend(node.iter_child_nodes())
            elif isinstance(node, nodes.If | nodes.CondExpr):
                waiting.append(node.test)
            elif isinstance(node, nodes.For):
                waiting.append(node.iter)
            elif not isinstance(node, nodes.Macro | nodes.And | nodes.Or):
                waiting.extend(node.iter_child_nodes())


def _begins_again(call: nodes.Call) -> bool:
    """Whether ``loop`` is called with a constant list."""
    named = isinstance(call.node, nodes.Name) and call.node.name == "loop"
    return named and bool(call.args) and isinstance(call.args[0], nodes.List | nodes.Const)


def _grown(start: float, first: float, second: float, turns: float) -> float:
    """What comes of a size after all turns, by what the first two make of it."""
    if second <= first or first <= 0:
        return second
    ratio = second / first
    if ratio >= _STEEP and first > start and first / max(start, 1.0) >= _STEEP:
        return float(min(second * ratio ** min(turns - 2.0, 400.0), _MOST))
    return min(second + (second - first) * (turns - 2.0), _MOST)


def _described(node: nodes.Node) -> str:
    if isinstance(node, nodes.Filter):
        return f"|{node.name}"
    if isinstance(node, nodes.Call):
        called = node.node
        return called.attr if isinstance(called, nodes.Getattr) else getattr(called, "name", "a call")
    return {"Mul": "*", "Add": "+", "Concat": "~"}.get(type(node).__name__, "a value")


_WORK: Final[dict[type[nodes.Node], Callable[[_Rendering, Any, float], _Value | None]]] = {
    nodes.Add: _Rendering._added,
    nodes.Call: _Rendering._call,
    nodes.Concat: _Rendering._joined,
    nodes.CondExpr: _Rendering._either,
    nodes.Const: _Rendering._const,
    nodes.Div: _Rendering._numbers,
    nodes.Filter: _Rendering._filter,
    nodes.FloorDiv: _Rendering._numbers,
    nodes.Getattr: _Rendering._name,
    nodes.Getitem: _Rendering._item,
    nodes.List: _Rendering._list,
    nodes.Mod: _Rendering._numbers,
    nodes.Mul: _Rendering._product,
    nodes.Name: _Rendering._name,
    nodes.Neg: _Rendering._negative,
    nodes.Pow: _Rendering._numbers,
    nodes.Sub: _Rendering._numbers,
    nodes.TemplateData: _Rendering._data,
    nodes.Tuple: _Rendering._list,
}
