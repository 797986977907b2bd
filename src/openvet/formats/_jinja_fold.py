"""Constants out of Jinja expressions, as far as names are put together from pieces, and which names cannot be known."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import nodes

__all__ = ["Constants", "key_of"]

_BUILDERS = frozenset({"join", "format", "replace", "reverse", "format_map", "translate"})
_LONGEST = 4096
_DEEPEST = 40


def key_of(node: nodes.Node) -> str | None:
    """The name under which a value was assigned: ``x``, or ``ns.x`` in a namespace."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.NSRef):
        return f"{node.name}.{node.attr}"
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return None


class Constants:
    """What is known about the names of one template, and constant folding over them."""

    def __init__(self, everything: list[nodes.Node]) -> None:
        self.assigned: dict[str, list[nodes.Node]] = {}
        for node in everything:
            if isinstance(node, nodes.Assign):
                key = key_of(node.target)
                if key is not None:
                    self.assigned.setdefault(key, []).append(node.node)
                    self._of_namespace(key, node.node)
            elif isinstance(node, nodes.AssignBlock) and (key := key_of(node.target)) is not None:
                self.assigned.setdefault(key, []).append(_written(node))
        self._folding: set[str] = set()
        self._of_names: dict[str, list[Any]] = {}
        self._of_nodes: dict[int, Any] = {}
        for node in reversed(everything):  # children before parents, so that no fold goes deep and each is done once
            if type(node) in _FOLDERS:
                self.fold(node)
        self._computed = self._computed_names()

    def _of_namespace(self, key: str, value: nodes.Node) -> None:
        if (
            isinstance(value, nodes.Call)
            and isinstance(value.node, nodes.Name)
            and value.node.name in ("namespace", "dict")
        ):
            for pair in value.kwargs:
                self.assigned.setdefault(f"{key}.{pair.key}", []).append(pair.value)

    def _computed_names(self) -> set[str]:
        """The names that ever get a computed text, also by way of other names."""
        copies: dict[str, list[str]] = {}
        computed: list[str] = []
        for name, values in self.assigned.items():
            for value in values:
                source = key_of(value)
                if source is not None:
                    copies.setdefault(source, []).append(name)
                elif self._builds(value):
                    computed.append(name)
        seen: set[str] = set()
        while computed:
            name = computed.pop()
            if name not in seen:
                seen.add(name)
                computed.extend(copies.get(name, ()))
        return seen

    def values(self, node: nodes.Node) -> list[Any]:
        """The constants that ``node`` may stand for: of a name, of everything that is assigned to it."""
        key = key_of(node)
        if key is not None:
            return self._of_name(key)
        value = self.fold(node)
        return [] if value is None else [value]

    def _of_name(self, name: str) -> list[Any]:
        if name in self._of_names:
            return self._of_names[name]
        if name in self._folding or name not in self.assigned:
            return []
        self._folding.add(name)
        values = [value for node in self.assigned[name][:16] if (value := self.fold(node)) is not None]
        self._folding.discard(name)
        self._of_names[name] = values
        return values

    def fold(self, node: nodes.Node, depth: int = 0) -> Any:
        """The constant (text, integer, list of those) that ``node`` is, or ``None``."""
        if depth > _DEEPEST:
            return None
        if isinstance(node, nodes.Const):
            return node.value if isinstance(node.value, str | int) and not isinstance(node.value, bool) else None
        if isinstance(node, nodes.TemplateData):
            return node.data
        key = key_of(node)
        if key is not None:
            values = self._of_name(key)
            return values[0] if len(values) == 1 and len(self.assigned[key]) == 1 else None
        folder = _FOLDERS.get(type(node))
        if folder is None:
            return None
        if id(node) in self._of_nodes:
            return self._of_nodes[id(node)]
        try:
            value = folder(self, node, depth + 1)
        except (TypeError, ValueError, KeyError, IndexError, OverflowError):
            value = None
        if isinstance(value, str | list) and len(value) > _LONGEST:
            value = None
        self._of_nodes[id(node)] = value
        return value

    def all(self, items: list[Any], depth: int) -> list[Any] | None:
        out = [self.fold(each, depth) for each in items[:_LONGEST]]
        return None if None in out else out

    def computed(self, node: nodes.Node) -> bool:
        """Whether ``node`` is a text put together in a way that could give an internal name."""
        key = key_of(node)
        return self._builds(node) if key is None else key in self._computed

    def _builds(self, node: nodes.Node) -> bool:
        if self.fold(node) is not None:
            return False
        if isinstance(node, nodes.Concat):
            return self._may_begin_internal(node.nodes[0])
        if isinstance(node, nodes.Add):  # integers are added too; text only where one side is text
            sides = (self.fold(node.left), self.fold(node.right))
            return any(isinstance(side, str) for side in sides) and self._may_begin_internal(node.left)
        if isinstance(node, nodes.Mod):
            return isinstance(self.fold(node.left), str)
        if isinstance(node, nodes.Filter):
            return node.name in _BUILDERS
        return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr) and node.node.attr in _BUILDERS

    def _may_begin_internal(self, first: nodes.Node) -> bool:
        begin = self.fold(first)
        return not (isinstance(begin, str) and begin and not begin.startswith("_"))


def _written(block: nodes.AssignBlock) -> nodes.Node:
    """What ``{% set x %}...{% endset %}`` assigns, where nothing in it decides: the text of its parts."""
    parts: list[nodes.Node] = []
    for each in block.body:
        if not isinstance(each, nodes.Output):
            return block
        parts.extend(each.nodes)
    return nodes.Concat(parts, lineno=block.lineno)


def _short(value: Any) -> bool:
    return isinstance(value, int) and -_LONGEST <= value <= _LONGEST


def _fold_add(search: Constants, node: Any, depth: int) -> Any:
    left, right = search.fold(node.left, depth), search.fold(node.right, depth)
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return left + right if _short(left) and _short(right) else None


def _fold_mul(search: Constants, node: Any, depth: int) -> Any:
    left, right = search.fold(node.left, depth), search.fold(node.right, depth)
    if isinstance(left, int) and isinstance(right, str):
        left, right = right, left
    if isinstance(left, str) and _short(right) and len(left) * max(right, 0) <= _LONGEST:
        return left * right
    return left * right if _short(left) and _short(right) else None


def _fold_neg(search: Constants, node: Any, depth: int) -> Any:
    value = search.fold(node.node, depth)
    return -value if _short(value) else None


def _fold_concat(search: Constants, node: Any, depth: int) -> Any:
    parts = search.all(node.nodes, depth)
    return None if parts is None or any(isinstance(part, list) for part in parts) else "".join(map(str, parts))


def _fold_list(search: Constants, node: Any, depth: int) -> Any:
    return search.all(node.items, depth)


def _fold_mod(search: Constants, node: Any, depth: int) -> Any:
    return _percent(search.fold(node.left, depth), [search.fold(node.right, depth)])


def _percent(template: Any, values: list[Any]) -> Any:
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    # a width in the template could ask for gigabytes
    if not isinstance(template, str) or None in values or re.search(r"%[^%a-zA-Z]*\d{3,}|%[^%a-zA-Z]*\*", template):
        return None
    return template % tuple(values)


def _fold_item(search: Constants, node: Any, depth: int) -> Any:
    base = search.fold(node.node, depth)
    if isinstance(node.arg, nodes.Slice):
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        parts = [None if each is None else search.fold(each, depth) for each in bounds]
        known = all(each is None or part is not None for each, part in zip(bounds, parts, strict=True))
        return base[slice(*parts)] if known and isinstance(base, str | list) else None
    index = search.fold(node.arg, depth)
    return base[index] if isinstance(base, str | list) and isinstance(index, int) else None


def _fold_filter(search: Constants, node: Any, depth: int) -> Any:
    base = None if node.node is None else search.fold(node.node, depth)
    arguments = search.all(node.args, depth)
    return None if base is None or arguments is None else _method(node.name, base, arguments)


def _fold_call(search: Constants, node: Any, depth: int) -> Any:
    if not isinstance(node.node, nodes.Getattr):
        return None
    base, arguments = search.fold(node.node.node, depth), search.all(node.args, depth)
    if base is None or arguments is None:
        return None
    if node.node.attr == "join" and arguments:  # the method takes its text and list the other way round
        return _method("join", arguments[0], [base])
    if node.node.attr == "format":
        return re.sub(r"\{\d*\}", lambda _: str(arguments.pop(0)), base) if isinstance(base, str) else None
    return _method(node.node.attr, base, arguments)


def _method(name: str, base: Any, arguments: list[Any]) -> Any:
    """The filters and text methods with which names are put together."""
    if name == "format":
        return _percent(base, arguments)
    if name == "join":
        return str(arguments[0] if arguments else "").join(map(str, base))
    if name in ("reverse", "list"):
        items = list(base)
        return items if name == "list" else "".join(reversed(base)) if isinstance(base, str) else items[::-1]
    if name in ("first", "last"):
        return base[0 if name == "first" else -1]
    if name in ("split", "rsplit") and isinstance(base, str) and all(isinstance(each, str) for each in arguments[:1]):
        return base.split(*arguments[:1])
    if not isinstance(base, str):
        return None
    if name == "replace" and len(arguments) >= 2 and len(base) * max(len(str(arguments[1])), 1) <= _LONGEST:
        return base.replace(str(arguments[0]), str(arguments[1]))
    plain: dict[str, Callable[[], str]] = {
        "lower": base.lower,
        "upper": base.upper,
        "trim": base.strip,
        "strip": base.strip,
        "string": base.__str__,
        "safe": base.__str__,
    }
    return plain[name]() if name in plain else None


_FOLDERS: dict[type[nodes.Node], Callable[[Constants, Any, int], Any]] = {
    nodes.Add: _fold_add,
    nodes.Mul: _fold_mul,
    nodes.Mod: _fold_mod,
    nodes.Neg: _fold_neg,
    nodes.Concat: _fold_concat,
    nodes.List: _fold_list,
    nodes.Tuple: _fold_list,
    nodes.Getitem: _fold_item,
    nodes.Filter: _fold_filter,
    nodes.Call: _fold_call,
}
