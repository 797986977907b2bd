"""Where the value of an expression in a Python source may come from: through names, attributes, parameters and results of functions.

It is a slice backwards through one source, blind to the order of statements and to conditions: every expression that may flow in.
Parameters stand for what the calls of their function hand over, attributes for whatever is assigned to an attribute of that name.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from openvet.formats._python_settled import Bindings, Function

__all__ = ["Flows", "Scopes"]

#: The functions around an expression, innermost first, without the module.
Scopes = tuple[ast.AST, ...]
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
#: Expressions of one slice, nodes of all slices of a source, and definitions or calls of one name that are looked at.
_MOST_PARTS: Final = 1_500
_MOST_IN_ALL: Final = 300_000
_MOST_OF_A_NAME: Final = 12
_MOST_NODES: Final = 600_000
#: What a tree holds that holds no expression: skipped before it is looked at, since most nodes are of these.
_LEAVES: Final = frozenset({
    ast.Constant, ast.Name, ast.Load, ast.Store, ast.Del, ast.arg, int, str, type(None), bytes, float, complex, bool, type(...), ast.Import, ast.ImportFrom,
    *ast.operator.__subclasses__(), *ast.cmpop.__subclasses__(), *ast.boolop.__subclasses__(), *ast.unaryop.__subclasses__(),
})  # fmt: skip
#: By these one's own service is asked: they are in no answer and in no file.
_OWN_SERVICE: Final = frozenset({"headers", "token", "use_auth_token", "hf_token", "auth", "credentials", "api_key"})
#: Methods that put what they are given into their object, and those that put their object into what they are given.
_PUTS: Final = frozenset({"write", "read", "writestr", "append", "extend", "add", "put", "update", "insert", "setdefault", "appendleft", "writelines", "attach",
                          "set_payload", "set_content", "read_file", "load"})  # fmt: skip
_FILLS: Final = frozenset(
    {"save", "dump", "readinto", "recv_into", "copyfileobj", "savefig", "tofile", "download_fileobj", "pack_into"}
)


class Flows:
    """The flows of one source; its index is made when the first slice is asked for."""

    __slots__ = (
        "_attributes",
        "_bindings",
        "_calls",
        "_defined",
        "_items",
        "_left",
        "_origins",
        "_parameters",
        "_scopes",
        "_tree",
    )

    def __init__(self, tree: ast.AST, bindings: Bindings) -> None:
        self._tree = tree
        self._bindings = bindings
        self._left = _MOST_IN_ALL
        self._origins: dict[tuple[int, str], list[ast.expr]] = {}
        self._defined: dict[str, list[Function]] = {}
        self._calls: dict[str, list[tuple[ast.Call, Scopes]]] = {}
        self._attributes: dict[str, list[tuple[ast.expr, Scopes]]] = {}
        self._items: dict[str, list[tuple[ast.expr, Scopes]]] = {}
        self._scopes: dict[int, Scopes] = {}
        self._parameters: dict[int, dict[str, int]] = {}
        self._index()

    def scopes_of(self, function: ast.AST | None) -> Scopes:
        """The scopes for expressions in the body of a function of the source; those of the module for ``None``."""
        return () if function is None else (function, *self._scopes.get(id(function), ()))

    def functions(self, name: str) -> list[Function]:
        """The functions and methods that are defined by this name."""
        return self._defined.get(name, [])

    def into(
        self, nodes: Iterable[ast.expr], scopes: Scopes, stop: Callable[[ast.expr], bool] | None = None
    ) -> Iterator[tuple[ast.expr, Scopes]]:
        """Each expression that may flow into ``nodes``, with the scopes in which it stands, these first.

        Args:
            nodes: expressions.
            scopes: of these.
            stop: whether an expression is told, and what it is made of is not looked at.
        """
        waiting = deque((node, scopes) for node in nodes)
        seen: set[object] = set()
        for _ in range(_MOST_PARTS):
            if not waiting or self._left <= 0:
                return
            part, where = waiting.popleft()
            self._left -= 1
            yield part, where
            if stop is not None and stop(part):
                continue
            if isinstance(part, ast.Name):
                waiting += self._of_name(part.id, where, seen)
            elif isinstance(part, _SCOPES):
                continue
            else:
                if isinstance(part, ast.Attribute) and (part.attr, "attribute") not in seen:
                    seen.add((part.attr, "attribute"))
                    waiting += self._attributes.get(part.attr, [])[:_MOST_OF_A_NAME]
                elif isinstance(part, ast.Call):
                    waiting += self._of_result(part, seen)
                waiting += [(each, where) for each in _inner(part)]

    def _of_name(self, name: str, scopes: Scopes, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        found = [] if (name, "items") in seen else self._items.get(name, [])[: 2 * _MOST_OF_A_NAME]
        seen.add((name, "items"))
        for at, scope in enumerate((*scopes, self._tree)):
            around = scopes[at:]
            if (id(scope), name) in seen:
                continue
            seen.add((id(scope), name))
            values = self._origins.get((id(scope), name))
            if values is None:
                every = self._bindings.origins(name, scope)[1]
                values = self._origins[id(scope), name] = [each for each in every if not isinstance(each, _SCOPES)][:40]
            found += [(each, around) for each in values]
            place = self._parameters.get(id(scope), {}).get(name)
            if place is not None:
                found += self._handed(scope, name, place)
                found += [(each, around[1:]) for each in _by_default(scope, name)]
            if values or place is not None:
                break
        return found

    def _handed(self, function: ast.AST, name: str, place: int) -> list[tuple[ast.expr, Scopes]]:
        """What the calls of a function hand over for one of its parameters."""
        called = getattr(function, "name", "")
        if called == "__init__":
            called = next((each for each, made in self._defined.items() if function in made and each != called), called)
        found = []
        for call, where in self._calls.get(called, [])[:_MOST_OF_A_NAME]:
            given = next((each.value for each in call.keywords if each.arg == name), None)
            if given is None and place < len(call.args):
                given = call.args[place]
            if given is not None:
                found.append((given, where))
        return found

    def _of_result(self, call: ast.Call, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        name = _last(call.func)
        found = []
        for function in self._defined.get(name, [])[:3]:
            if isinstance(function, ast.Lambda) or (id(function), "result") in seen:
                continue
            seen.add((id(function), "result"))
            where = self.scopes_of(function)
            found += [
                (each.value, where)
                for each in islice(_of_body(function), 2_000)
                if isinstance(each, ast.Return | ast.Yield) and each.value is not None
            ]
        return found

    def _note_filled(self, node: ast.Call, scopes: Scopes) -> None:
        """``buffer.write(x)`` puts ``x`` into a name, and so does ``image.save(buffer)``."""
        if not isinstance(node.func, ast.Attribute):
            return
        given = [*node.args, *(each.value for each in node.keywords)]
        owner, method = node.func.value, node.func.attr
        if isinstance(owner, ast.Name) and method in _PUTS:
            self._items.setdefault(owner.id, []).extend((each, scopes) for each in given[:4])
        elif isinstance(owner, ast.Attribute) and method in _PUTS:
            self._attributes.setdefault(owner.attr, []).extend((each, scopes) for each in given[:4])
        elif method in _FILLS:
            for each in given[:2]:
                if isinstance(each, ast.Name):
                    others = [other for other in given[:2] if other is not each]
                    self._items.setdefault(each.id, []).extend((other, scopes) for other in (owner, *others))

    def _note_assigned(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, value: ast.expr, scopes: Scopes) -> None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                self._items.setdefault(target.value.id, []).append((value, scopes))
            if isinstance(target, ast.Attribute):
                self._attributes.setdefault(target.attr, []).append((value, scopes))

    def _index(self) -> None:
        waiting: list[tuple[ast.AST, Scopes, str]] = [(self._tree, (), "")]
        for _ in range(_MOST_NODES):
            if not waiting:
                return
            node, scopes, owner = waiting.pop()
            inner, of = scopes, owner
            if isinstance(node, _SCOPES):
                self._scopes[id(node)] = scopes
                arguments = node.args
                names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
                names = names[1:] if names[:1] in (["self"], ["cls"]) else names
                places = {name: at for at, name in enumerate(names)}
                places.update((each.arg, 1_000) for each in arguments.kwonlyargs)
                self._parameters[id(node)] = places
                inner, of = (node, *scopes), ""
                if not isinstance(node, ast.Lambda):
                    self._defined.setdefault(node.name, []).append(node)
                    if node.name == "__init__" and owner:
                        self._defined.setdefault(owner, []).append(node)
            elif isinstance(node, ast.ClassDef):
                of = node.name
            elif isinstance(node, ast.Call):
                self._calls.setdefault(_last(node.func), []).append((node, scopes))
                self._note_filled(node, scopes)
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
                self._note_assigned(node, node.value, scopes)
            for value in node.__dict__.values():
                if type(value) is list:
                    waiting.extend([(part, inner, of) for part in value if type(part) not in _LEAVES])
                elif type(value) not in _LEAVES:
                    waiting.append((value, inner, of))


def _by_default(function: ast.AST, name: str) -> list[ast.expr]:
    """What a parameter is where a call leaves it out."""
    arguments: ast.arguments = function.args  # type: ignore[attr-defined]
    placed = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(placed[len(placed) - len(arguments.defaults) :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return [value for argument, value in pairs if argument.arg == name and value is not None]


def _inner(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of which one is made, without the names that it calls."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
        elif not isinstance(node.func, ast.Name):
            yield node.func
        yield from node.args
        yield from (each.value for each in node.keywords if each.arg not in _OWN_SERVICE)
        return
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.expr):
            yield each
        elif isinstance(each, ast.comprehension):
            yield each.iter


def _of_body(function: ast.AST) -> Iterator[ast.AST]:
    waiting = list(getattr(function, "body", ()))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*_SCOPES, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
