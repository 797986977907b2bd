"""A template's syntax tree, searched for what an ordinary template never does.

The words for what is found:

* ``internal-attribute``: an attribute or item whose name Python keeps for itself (``__class__``, ``mro``);
* ``internal-name``: such a name as a text constant or a keyword, where it is not seen to reach anything;
* ``attr-filter``: ``|attr`` or ``map('attr', ...)``: the attribute access that no check of item names sees;
* ``format-string``: ``'{0.__class__}'.format(...)``, which walks attributes by itself;
* ``computed-name``: a name put together while rendering, that cannot be known from the text;
* ``load-template``: ``include``, ``import``, ``extends``: reads another file;
* ``exhausts``: a loop, repetition or width of a constant size that takes all time or memory;
* ``call-process``: a call of a method that starts a process or evaluates code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log2
from typing import Any

from jinja2 import nodes

from openvet.core.pattern import pattern
from openvet.formats._jinja_fold import Constants, key_of

__all__ = ["suspicious"]

# jinja2.sandbox refuses names that begin with an underscore, and these
_UNSAFE = frozenset({
    "mro", "func_globals", "func_code", "func_closure", "func_defaults", "im_class", "im_func", "im_self",
    "gi_frame", "gi_code", "cr_frame", "cr_code", "ag_frame", "ag_code", "f_globals", "f_builtins", "f_locals",
    "f_back", "tb_frame", "co_code",
})  # fmt: skip
# the names of Python's data model over which a value leads to everything else
_DUNDERS = frozenset({
    "__annotations__", "__base__", "__bases__", "__builtins__", "__call__", "__class__", "__closure__", "__code__",
    "__defaults__", "__del__", "__dict__", "__doc__", "__enter__", "__exit__", "__file__", "__format__", "__func__",
    "__getattr__", "__getattribute__", "__getitem__", "__globals__", "__import__", "__init__", "__init_subclass__",
    "__kwdefaults__", "__loader__", "__module__", "__mro__", "__name__", "__new__", "__path__", "__qualname__",
    "__reduce__", "__reduce_ex__", "__self__", "__set_name__", "__slots__", "__spec__", "__subclasses__",
    "__subclasshook__", "__weakref__", "__wrapped__",
})  # fmt: skip
# names of the data model that only compute: what they give leads no further than the value itself
_PLAIN = frozenset({
    "__len__", "__str__", "__repr__", "__contains__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__",
    "__bool__", "__int__", "__float__", "__index__", "__hash__", "__abs__", "__neg__", "__add__", "__sub__", "__mul__",
    "__mod__", "__iter__", "__next__", "__reversed__",
})  # fmt: skip
_PROCESS_CALLS = frozenset({
    "popen", "system", "check_output", "Popen", "eval", "exec", "execfile", "__import__", "import_module",
})  # fmt: skip
_FORMAT_WALK = pattern(r"\{[^{}]{0,200}[.\[]_")
_ATTRIBUTE_ARGUMENT = {"map": None, "groupby": 0, "sum": 0, "sort": 2, "unique": 1, "min": 1, "max": 1,
                       "selectattr": 0, "rejectattr": 0}  # fmt: skip

#: More than this of anything is no prompt; jinja2's sandbox has a limit of 100,000 for ``range`` alone.
_HUGE = 5_000_000
_WITHOUT_END = 10**18
_WIDTHS = frozenset({"center", "ljust", "rjust", "zfill", "indent", "expandtabs"})
_WIDTH = pattern(r"%[-+# 0]{0,9}\d{7,}|\{[^{}]{0,99}:[^{}]{0,9}?\d{7,}")
Found = tuple[str, int, str]


def suspicious(tree: nodes.Template, most: int) -> list[Found]:
    """What the tree does that is suspicious: (word, line, detail), by line, each once, at most ``most``."""
    everything = list(_walk(tree))
    search = Constants(everything)
    found: dict[Found, None] = {}
    for node in everything:
        look = _LOOKS.get(type(node))
        if look is None:
            continue
        if len(found) >= most:
            break
        for what, detail in look(search, node):
            found.setdefault((what, node.lineno, detail))
    if not any(what == "exhausts" for what, _, _ in found):
        from openvet.formats._jinja_cost import costly

        for line, detail in costly(tree):
            if len(found) < most:
                found.setdefault(("exhausts", line, detail))
    # a constant is named only where nothing worse is said about the same name on that line
    reached = {(line, detail) for what, line, detail in found if what in ("internal-attribute", "attr-filter")}
    kept = [each for each in found if each[0] != "internal-name" or (each[1], each[2]) not in reached]
    return sorted(kept, key=lambda each: (each[1], each[0], each[2]))


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Every node without recursion: an operator chain makes a tree as deep as it is long."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(node.iter_child_nodes())


def _internal(name: Any) -> bool:
    return isinstance(name, str) and (name in _UNSAFE or name in _DUNDERS)


Look = Iterator[tuple[str, str]]


def _name_is_internal(search: Constants, node: nodes.Node, what: str) -> Look:
    for value in search.values(node):
        parts = value.split(".") if isinstance(value, str) else ()
        for part in parts:
            if _internal(part):
                yield what, part
    if search.computed(node):
        yield "computed-name", _described(node)


def _described(node: nodes.Node) -> str:
    """A few words for an expression that has no constant value."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        return key_of(node) or node.attr
    if isinstance(node, nodes.Filter):
        return f"|{node.name}"
    return type(node).__name__.lower()


def _look_attribute(_: Constants, node: Any) -> Look:
    if (node.attr.startswith("_") and node.attr not in _PLAIN) or node.attr in _UNSAFE:
        yield "internal-attribute", node.attr


def _look_built(search: Constants, node: Any) -> Look:
    value = search.fold(node)
    if isinstance(value, str) and value in _DUNDERS:
        yield "internal-name", value


def _look_item(search: Constants, node: Any) -> Look:
    yield from _look_built(search, node)
    if not isinstance(node.arg, nodes.Slice):
        yield from _name_is_internal(search, node.arg, "internal-attribute")


def _is_huge(search: Constants, node: nodes.Node) -> bool:
    return abs(_about(search, node)) > _HUGE


def _about(search: Constants, node: nodes.Node, depth: int = 0) -> float:
    """A number that is written as one, or about; 0 where it is none. Products and powers are not worked out."""
    if isinstance(node, nodes.Mul | nodes.Pow | nodes.Add) and depth < 20:
        left, right = _about(search, node.left, depth + 1), _about(search, node.right, depth + 1)
        if isinstance(node, nodes.Mul):
            return min(left * right, _WITHOUT_END)
        if isinstance(node, nodes.Add):
            return min(left + right, _WITHOUT_END)
        if abs(left) <= 1 or right < 0:
            return left
        return _WITHOUT_END if right * log2(abs(left)) > 60 else abs(left) ** right
    value = search.fold(node)
    return float(max(min(value, _WITHOUT_END), -_WITHOUT_END)) if isinstance(value, int) else 0.0


def _look_power(search: Constants, node: Any) -> Look:
    left, right = _about(search, node.left), _about(search, node.right)
    if abs(left) > 1 and right * log2(abs(left)) > _HUGE:  # the digits of the result
        yield "exhausts", "**"


def _look_product(search: Constants, node: Any) -> Look:
    yield from _look_built(search, node)
    for text, count in ((node.left, node.right), (node.right, node.left)):
        if isinstance(search.fold(text), str | list) and _is_huge(search, count):
            yield "exhausts", "*"


def _look_remainder(search: Constants, node: Any) -> Look:
    yield from _look_built(search, node)
    template = search.fold(node.left)
    if isinstance(template, str) and _WIDTH.search(template):
        yield "exhausts", "%"


def _look_filter(search: Constants, node: Any) -> Look:
    yield from _look_built(search, node)
    if node.name in _WIDTHS and any(_is_huge(search, each) for each in node.args):
        yield "exhausts", f"|{node.name}"
    if node.name == "format" and node.node is not None:
        text = search.fold(node.node)
        if isinstance(text, str) and _WIDTH.search(text):
            yield "exhausts", "|format"
    if node.name == "attr":
        yield "attr-filter", next((str(value) for each in node.args[:1] for value in search.values(each)), "")
    elif node.name in _ATTRIBUTE_ARGUMENT:
        position = _ATTRIBUTE_ARGUMENT[node.name]
        arguments = [pair.value for pair in node.kwargs if pair.key == "attribute"]
        if position is not None:
            arguments += node.args[position : position + 1]
        elif node.args:
            called = search.values(node.args[0])
            if "attr" in called:
                yield "attr-filter", next((str(value) for each in node.args[1:2] for value in search.values(each)), "")
            elif search.computed(node.args[0]):
                yield "computed-name", f"|{node.name}"
        for argument in arguments:
            yield from _name_is_internal(search, argument, "internal-attribute")


def _look_call(search: Constants, node: Any) -> Look:
    yield from _look_built(search, node)
    called = node.node
    arguments = [*node.args, *(pair.value for pair in node.kwargs)]
    name = called.name if isinstance(called, nodes.Name) else called.attr if isinstance(called, nodes.Getattr) else ""
    if (name in _WIDTHS or name in ("range", "lipsum")) and any(_is_huge(search, each) for each in arguments):
        yield "exhausts", name
    if isinstance(called, nodes.Getattr):
        text = search.fold(called.node) if called.attr in ("format", "format_map") else None
        if isinstance(text, str) and _WIDTH.search(text):
            yield "exhausts", called.attr
        if called.attr in _PROCESS_CALLS:
            yield "call-process", called.attr
        if called.attr in ("format", "format_map"):
            for value in search.values(called.node):
                if isinstance(value, str) and _FORMAT_WALK.search(value):
                    yield "format-string", value
    elif isinstance(called, nodes.Name) and called.name in _PROCESS_CALLS:
        yield "call-process", called.name


def _look_constant(_: Constants, node: Any) -> Look:
    if isinstance(node.value, str) and node.value in _DUNDERS:
        yield "internal-name", node.value


def _look_keyword(_: Constants, node: Any) -> Look:
    if node.key in _DUNDERS:
        yield "internal-name", node.key


def _look_name(_: Constants, node: Any) -> Look:
    if node.name in _DUNDERS:
        yield "internal-name", node.name


def _look_namespace(_: Constants, node: Any) -> Look:
    if node.attr.startswith("_"):
        yield "internal-attribute", node.attr


def _look_load(search: Constants, node: Any) -> Look:
    yield "load-template", next((str(value) for value in search.values(node.template)), "")


_LOOKS: dict[type[nodes.Node], Callable[[Constants, Any], Look]] = {
    nodes.Getattr: _look_attribute,
    nodes.Getitem: _look_item,
    nodes.Filter: _look_filter,
    nodes.Call: _look_call,
    nodes.Const: _look_constant,
    nodes.Keyword: _look_keyword,
    nodes.Name: _look_name,
    nodes.NSRef: _look_namespace,
    nodes.Concat: _look_built,
    nodes.Add: _look_built,
    nodes.Mul: _look_product,
    nodes.Pow: _look_power,
    nodes.Mod: _look_remainder,
    nodes.Include: _look_load,
    nodes.Import: _look_load,
    nodes.FromImport: _look_load,
    nodes.Extends: _look_load,
}
