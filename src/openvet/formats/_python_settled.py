"""What a name in a Python source may stand for: every expression that is bound to it, not the last one alone.

A command is judged to be harmless only where that holds for each of the commands it may be. So a loop is all of its items, a
name that is bound in two branches is both, and what is changed in place is what was added to it, or unknown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import field
from itertools import islice, product
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.formats._python_calls import last_name
from openvet.formats._python_nodes import FUNCTIONS, children, walk

__all__ = ["Bindings", "Overlay", "defaults_of"]

Overlay = dict[str, ast.expr]

#: What a name stands for that says nothing.
NOTHING: Final = ast.Constant(None)
#: Functions are scopes; the bodies of classes count to the scope around them.
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_CHANGES: Final = frozenset({"insert", "clear", "remove", "pop", "popitem", "sort", "reverse", "update", "setdefault", "setitem",
                             "__setitem__", "__iadd__", "__delitem__", "delitem"})  # fmt: skip
#: These give the items of what they are given.
_THROUGH: Final = frozenset({"reversed", "sorted", "list", "tuple", "set", "iter", "tqdm"})
_MOST: Final = 24
_MOST_NAMES: Final = 12
_MOST_GROWN: Final = 3
_LARGEST: Final = 200
_MOST_ORIGINS: Final = 60
#: Expressions that are kept as what names come from; so few of one name are kept in any case.
_MOST_KEPT, _FEW = 1_000_000, 100
_MOST_NODES: Final = 400_000
_DEEPEST: Final = 6


@dataclass(slots=True)
class _Items:
    """The items of ``of``, or what stands at ``index`` of each; ``of_values`` for those of a table."""

    of: ast.expr
    index: int | None = None
    of_values: bool = False

    def each(self, of: ast.expr) -> Iterator[ast.expr]:
        if isinstance(of, ast.Dict):
            if self.index is not None and not self.of_values:
                yield NOTHING
                return
            for given in of.values if self.of_values else of.keys:
                yield given or NOTHING
        elif isinstance(of, ast.List | ast.Tuple | ast.Set):
            for item in of.elts:
                parts = item.elts if isinstance(item, ast.List | ast.Tuple) else []
                if isinstance(item, ast.Starred) or self.of_values or (self.index or 0) >= max(len(parts), 1):
                    yield NOTHING
                else:
                    yield item if self.index is None else parts[self.index] if parts else NOTHING
        else:
            yield NOTHING


@dataclass(slots=True)
class _Bound:
    """What one scope does to one name: ``other`` where it is bound to what cannot be said (of ``passed``), ``changed`` where that is done in place."""

    values: list[ast.expr | _Items] = field(default_factory=list)
    grown: list[ast.expr] = field(default_factory=list)
    passed: list[ast.expr] = field(default_factory=list)
    other: bool = False
    changed: bool = False
    parameter: bool = False


class Bindings:
    """The bindings of one source, looked at scope by scope as they are asked for."""

    def __init__(self, tree: ast.AST) -> None:
        self._tree = tree
        self._known: dict[int, dict[str, _Bound]] = {}
        self._foreign: dict[int, set[str]] = {}
        self._left = _MOST_NODES
        #: what :meth:`origins` found, as long as that is little: a source may ask for one name at each of its calls
        self._found: dict[tuple[str, int, int], tuple[frozenset[str], list[ast.expr]]] = {}
        self._room = _MOST_KEPT

    def overlays(self, nodes: list[ast.expr], scopes: list[ast.AST], given: Overlay, skipped: frozenset[str]
                 ) -> list[Overlay]:  # fmt: skip
        """Each way in which the names of ``nodes`` may be bound; a name that may be anything is bound to ``NOTHING``.

        Args:
            nodes: expressions of the innermost scope.
            scopes: the functions around them, innermost first.
            given: what the parameters of the innermost function stand for.
            skipped: names that are left as they are.
        """
        choices: dict[str, list[ast.expr]] = {}
        waiting = [name for node in nodes for name in _names(node)]
        count = 1
        while waiting:
            name = waiting.pop()
            if name in choices or name in skipped:
                continue
            options = self._options(name, [*scopes, self._tree], given) if len(choices) < _MOST_NAMES else None
            if options is None or any(name in _names(each) for each in options):
                options = [NOTHING]
            choices[name] = options
            count *= len(options)
            waiting += [inner for each in options for inner in _names(each)]
        if count > _MOST or self._left <= 0:
            return [dict.fromkeys(choices, NOTHING)]
        return [dict(zip(choices, each, strict=True)) for each in product(*choices.values())]

    def origins(self, name: str, scope: ast.AST, most: int = _MOST_NODES) -> tuple[frozenset[str], list[ast.expr]]:
        """The parameters of a function from which ``name`` comes, and every expression on the way, or the first ``most`` of them."""
        asked = name, id(scope), most
        found = self._found.get(asked)
        if found is None:
            found = self._sought(name, scope, most)
            self._room -= len(found[1])
            if self._room > 0 or len(found[1]) <= _FEW:
                self._found[asked] = found
        return found

    def _sought(self, name: str, scope: ast.AST, most: int) -> tuple[frozenset[str], list[ast.expr]]:
        parameters: set[str] = set()
        passed: list[ast.expr] = []
        known, waiting = {name}, [name]
        while waiting and len(known) <= _MOST_ORIGINS and len(passed) < most:
            bound = self._of(scope).get(waiting.pop())
            if bound is None:
                continue
            for value in (*bound.values, *bound.grown, *bound.passed):
                expression = value.of if isinstance(value, _Items) else value
                passed.append(expression)
                new = [each for each in _names(expression) if each not in known]
                known.update(new)
                waiting += new
        parameters.update(each for each in known if (bound := self._of(scope).get(each)) and bound.parameter)
        return frozenset(parameters), passed

    def _options(self, name: str, scopes: list[ast.AST], given: Overlay, depth: int = 0) -> list[ast.expr] | None:
        """What ``name`` may stand for in the innermost scope; ``None`` where that may be anything."""
        for number, scope in enumerate(scopes):
            bound = self._of(scope).get(name)
            if bound is None or not (bound.values or bound.other or bound.parameter):
                if bound is not None and (bound.changed or bound.grown):
                    return None  # an outer scope's, changed here
                continue
            values = list(bound.values)
            if bound.parameter:
                if number or name not in given:
                    return None
                values.append(given[name])
            if bound.other or bound.changed or len(bound.grown) > _MOST_GROWN:
                return None
            options = self._spread(values, scopes, given, depth)
            for grown in bound.grown:
                options += [_added(each, grown) for each in options]
            return options if 0 < len(options) <= _MOST and all(map(_is_small, options)) else None
        return None

    def _spread(
        self, values: list[ast.expr | _Items], scopes: list[ast.AST], given: Overlay, depth: int
    ) -> list[ast.expr]:
        out: list[ast.expr] = []
        for value in values:
            if not isinstance(value, _Items):
                out.append(value)
                continue
            lists: list[ast.expr] | None = [value.of]
            if isinstance(value.of, ast.Name):
                lists = self._options(value.of.id, scopes, given, depth + 1) if depth < _DEEPEST else None
            for each in lists or [NOTHING]:
                out += value.each(each)
        return out

    def _of(self, scope: ast.AST) -> dict[str, _Bound]:
        found = self._known.get(id(scope))
        if found is None:
            found = self._known[id(scope)] = {}
            self._collect(scope, found)
        return found

    def _collect(self, scope: ast.AST, found: dict[str, _Bound]) -> None:
        waiting: list[ast.AST] = [scope.body] if isinstance(scope, ast.Lambda) else list(getattr(scope, "body", ()))
        if isinstance(scope, FUNCTIONS):
            arguments = scope.args
            for parameter in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
                _bound(found, parameter.arg).parameter = True
            for star in (arguments.vararg, arguments.kwarg):
                if star is not None:
                    _bound(found, star.arg).other = True
        foreign: set[str] = set()
        inner: list[ast.AST] = []
        while waiting and self._left > 0:
            self._left -= 1
            node = waiting.pop()
            kind = type(node)
            if kind is ast.Name or kind is ast.Constant:
                continue
            if isinstance(node, ast.Global | ast.Nonlocal):
                foreign.update(node.names)
            elif isinstance(node, FUNCTIONS):
                if not isinstance(node, ast.Lambda):
                    _bound(found, node.name).other = True
                inner.append(node)
            else:
                if kind in _NOTED:
                    _note(node, found)
                waiting += children(node)
        self._foreign[id(scope)] = foreign
        for each in inner:
            for name, bound in self._of(each).items():
                # what a function inside binds for this one, or changes without binding it
                local = bound.values or bound.other or bound.parameter
                if name in self._foreign[id(each)] or (not local and (bound.grown or bound.changed)):
                    mine = _bound(found, name)
                    mine.values += bound.values
                    mine.grown += bound.grown
                    mine.other = mine.other or bound.other
                    mine.changed = mine.changed or bound.changed


def _bound(found: dict[str, _Bound], name: str) -> _Bound:
    held = found.get(name)
    if held is None:
        held = found[name] = _Bound()
    return held


#: Nodes that do something to names.
_NOTED: Final = frozenset({
    ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem, ast.Delete, ast.Import, ast.ImportFrom, ast.ClassDef,
    ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.Match, ast.MatchMapping, ast.Call,
})  # fmt: skip


def _note(node: ast.AST, found: dict[str, _Bound]) -> None:  # noqa: C901 - one branch for each kind of statement
    """What one node does to names."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            _bind(target, node.value, found)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
        if node.value is not None:
            _bind(node.target, node.value, found)
    elif isinstance(node, ast.AugAssign):
        if isinstance(node.target, ast.Name) and isinstance(node.op, ast.Add):
            _bound(found, node.target.id).grown.append(node.value)
        else:
            _change(node.target, found)
            if isinstance(node.target, ast.Name):
                _bound(found, node.target.id).passed.append(node.value)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        _loop(node.target, node.iter, found)
    elif isinstance(node, ast.withitem):
        if node.optional_vars is not None:
            _lose(node.optional_vars, found, node.context_expr)
    elif isinstance(node, ast.Delete):
        for target in node.targets:
            _change(target, found)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            _bound(found, (alias.asname or alias.name).split(".", 1)[0]).other = True
    elif isinstance(node, ast.ClassDef | ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        if node.name is not None:
            _bound(found, node.name).other = True
    elif isinstance(node, ast.Match):
        for part in (each for case in node.cases for each in walk(case.pattern)):
            if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name is not None:
                _bound(found, part.name).passed.append(node.subject)
    elif isinstance(node, ast.MatchMapping):
        if node.rest is not None:
            _bound(found, node.rest).other = True
    elif isinstance(node, ast.Call):
        _call(node, found)


def _call(node: ast.Call, found: dict[str, _Bound]) -> None:
    """``c.append(x)`` adds to a name; ``c.insert(0, x)`` and ``list.insert(c, 0, x)`` change it."""
    if not isinstance(node.func, ast.Attribute):
        return
    owner, method = node.func.value, node.func.attr
    if isinstance(owner, ast.Name) and method in ("append", "extend") and len(node.args) == 1:
        added = node.args[0] if method == "extend" else ast.List([node.args[0]], ast.Load())
        _bound(found, owner.id).grown.append(added)
    elif method in _CHANGES:
        for each in (owner, *node.args[:1]):
            if isinstance(each, ast.Name):
                _bound(found, each.id).changed = True


def _bind(target: ast.expr, value: ast.expr, found: dict[str, _Bound]) -> None:
    if isinstance(target, ast.Name):
        _bound(found, target.id).values.append(value)
    elif isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        if len(parts) == len(target.elts) and not any(isinstance(each, ast.Starred) for each in (*parts, *target.elts)):
            for each, part in zip(target.elts, parts, strict=True):
                _bind(each, part, found)
        else:
            _lose(target, found, value)
    else:
        _change(target, found)


def _loop(target: ast.expr, items: ast.expr, found: dict[str, _Bound]) -> None:
    of_values = pairs = False
    while isinstance(items, ast.Call):
        called = items.func
        name = last_name(called)
        if isinstance(called, ast.Attribute) and name in ("items", "values", "keys") and not items.args:
            items, of_values, pairs = called.value, name != "keys", name == "items"
            break
        if name == "enumerate" and items.args and isinstance(target, ast.Tuple) and len(target.elts) == 2:
            _lose(target.elts[0], found)
            target, items = target.elts[1], items.args[0]
        elif name in _THROUGH and items.args:
            items = items.args[0]
        else:
            _lose(target, found, items)
            return
    if isinstance(target, ast.Name):
        _bound(found, target.id).values.append(_Items(items, None, of_values and not pairs))
    elif isinstance(target, ast.Tuple | ast.List):
        for index, each in enumerate(target.elts):
            if not isinstance(each, ast.Name):
                _lose(each, found)
            elif pairs:
                _bound(found, each.id).values.append(_Items(items, None, index == 1))
            else:
                _bound(found, each.id).values.append(_Items(items, index))
    else:
        _lose(target, found)


def _lose(target: ast.expr, found: dict[str, _Bound], source: ast.expr | None = None) -> None:
    for part in walk(target):
        if isinstance(part, ast.Name):
            held = _bound(found, part.id)
            held.other = True
            if source is not None:
                held.passed.append(source)


def _change(target: ast.expr, found: dict[str, _Bound]) -> None:
    """``c[0] = x`` changes ``c``."""
    while isinstance(target, ast.Subscript | ast.Starred):
        target = target.value
    if isinstance(target, ast.Name):
        _bound(found, target.id).changed = True
    elif isinstance(target, ast.Tuple | ast.List):
        _lose(target, found)


def _added(base: ast.expr, more: ast.expr) -> ast.expr:
    if not isinstance(base, ast.List):
        return ast.BinOp(base, ast.Add(), more)
    return ast.List([*base.elts, *(more.elts if isinstance(more, ast.List | ast.Tuple) else [NOTHING])], ast.Load())


def _is_small(node: ast.expr) -> bool:
    """Whether an expression is of the size that a command has."""
    return next(islice(walk(node), _LARGEST, None), None) is None


def _names(node: ast.expr) -> list[str]:
    return [each.id for each in walk(node) if isinstance(each, ast.Name)]


def defaults_of(function: Function) -> list[tuple[str, ast.expr]]:
    """The parameters that have a default, with it."""
    arguments = function.args
    positional = [each.arg for each in [*arguments.posonlyargs, *arguments.args]]
    named = [each.arg for each in arguments.kwonlyargs]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(named, arguments.kw_defaults, strict=True),
    ]
    return [(name, default) for name, default in pairs if default is not None]
