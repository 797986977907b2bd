"""Where the value of an expression in a Python source may come from: through names, attributes, parameters and results of functions.

It is a slice backwards through one source, blind to the order of statements and to conditions: every expression that may flow in.
Parameters stand for what the calls of their function hand over, attributes for whatever is assigned to an attribute of that name, an object of a class
for what its special methods give, and the constant path of a file for what is written to it.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from openvet.formats._python_calls import arguments_of, last_name
from openvet.formats._python_ends import ends
from openvet.formats._python_indirect import Indirect, spread
from openvet.formats._python_nodes import FUNCTIONS, children
from openvet.formats._python_settled import Bindings, Function

__all__ = ["Flows", "Scopes"]

#: The functions around an expression, innermost first, without the module.
Scopes = tuple[ast.AST, ...]
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
#: Methods that put what they are given into their object, and those that put their object into what they are given.
_PUTS: Final = frozenset({"write", "read", "writestr", "append", "extend", "add", "put", "update", "insert", "setdefault", "appendleft", "writelines", "attach",
                          "set_payload", "set_content", "read_file", "load", "put_nowait", "send_bytes", "writeframes", "writerow", "writerows", "addfile",
                          "set_result", "set", "push", "lpush", "feed", "write_text", "write_bytes", "__setitem__", "add_attachment", "add_alternative", "add_field", "add_file", "write_string"})  # fmt: skip
_FILLS: Final = frozenset(
    {"save", "dump", "readinto", "recv_into", "copyfileobj", "savefig", "tofile", "download_fileobj", "pack_into"}
)

#: What is given a buffer or a path, and puts into it what it is given later.
_WRAPS: Final = frozenset(
    {
        "ZipFile",
        "TarFile",
        "GzipFile",
        "BZ2File",
        "LZMAFile",
        "TextIOWrapper",
        "BufferedWriter",
        "writer",
        "DictWriter",
        "open",
        "Pickler",
        "File",
    }
)
#: Methods of a class whose results its objects give, by whatever they are asked with.
_SPECIAL: Final = frozenset(
    {"__call__", "__enter__", "__aenter__", "__iter__", "__next__", "__aiter__", "__anext__", "__getitem__", "__str__", "__repr__", "__bytes__", "__format__",
     "__await__", "__getattr__", "__reduce__", "__add__", "__get__", "__missing__"}
)  # fmt: skip
_PROPERTIES: Final = frozenset({"property", "cached_property", "lazy_property", "setter", "hybrid_property"})
#: Functions that put what they are given first into what they are given second.
_COPIES: Final = frozenset({"copy", "copy2", "copyfile", "move", "copytree", "rename", "link", "symlink"})


class Flows:
    """The flows of one source; its index is made when the first slice is asked for."""

    __slots__ = (
        "_attributes",
        "_bindings",
        "_calls",
        "_defined",
        "_files",
        "_gives",
        "_indirect",
        "_inner",
        "_items",
        "_left",
        "_parameters",
        "_raised",
        "_scopes",
        "_special",
        "_tree",
        "_written",
    )

    def __init__(self, tree: ast.AST, bindings: Bindings) -> None:
        self._tree = tree
        self._bindings = bindings
        self._left = _MOST_IN_ALL
        self._defined: dict[str, list[Function]] = {}
        self._calls: dict[str, list[tuple[ast.Call, Scopes]]] = {}
        self._attributes: dict[str, list[tuple[ast.expr, Scopes]]] = {}
        self._items: dict[str, list[tuple[ast.expr, Scopes]]] = {}
        self._scopes: dict[int, Scopes] = {}
        self._parameters: dict[int, dict[str, int]] = {}
        self._special: dict[str, list[Function]] = {}
        self._gives: dict[int, list[ast.expr]] = {}
        self._inner: dict[int, tuple[ast.expr, ...]] = {}
        self._indirect = Indirect()
        #: what is raised, and the names under which it is caught
        self._raised: tuple[list[tuple[ast.expr, Scopes]], set[str]] = ([], set())
        #: what is put into which expression, and what that makes of files by their constant paths, once it is asked for
        self._written: list[tuple[ast.expr, list[tuple[ast.expr, Scopes]], Scopes]] = []
        self._files: dict[str, list[tuple[ast.expr, Scopes]]] | None = None
        self._index()
        self._indirect.settle(self._defined)
        for name in self._raised[1]:
            self._items.setdefault(name, []).extend(self._raised[0][:_MOST_OF_A_NAME])

    def scopes_of(self, function: ast.AST | None) -> Scopes:
        """The scopes for expressions in the body of a function of the source; those of the module for ``None``."""
        return () if function is None else (function, *self._scopes.get(id(function), ()))

    def functions(self, name: str) -> list[Function]:
        """The functions and methods that are defined by this name."""
        return self._defined.get(name, [])

    def every_call(self) -> Iterator[tuple[ast.Call, Scopes]]:
        """Each call of the source whose callable has a name, with the functions around it."""
        return (each for calls in self._calls.values() for each in calls)

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
                if part.id in self._defined or part.id in self._special:
                    waiting += self._given_by(part.id, seen)
            elif isinstance(part, ast.Lambda):
                if (id(part), "result") not in seen:
                    seen.add((id(part), "result"))
                    waiting.append((part.body, (part, *where)))
            elif isinstance(part, ast.Constant):
                if isinstance(part.value, str) and ("/" in part.value or "." in part.value):
                    waiting += self._of_file(part.value, seen)
            else:
                if isinstance(part, ast.Attribute) and (part.attr, "attribute") not in seen:
                    seen.add((part.attr, "attribute"))
                    waiting += self._attributes.get(part.attr, [])[:_MOST_OF_A_NAME]
                    waiting += self._of_property(part.attr, seen)
                elif isinstance(part, ast.Call):
                    waiting += self._of_result(part, seen)
                inner = self._inner.get(id(part))
                if inner is None:
                    inner = self._inner[id(part)] = tuple(_inner(part))
                waiting += [(each, where) for each in inner]

    def _of_name(self, name: str, scopes: Scopes, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        found = [] if (name, "items") in seen else self._items.get(name, [])[: 2 * _MOST_OF_A_NAME]
        seen.add((name, "items"))
        for at, scope in enumerate((*scopes, self._tree)):
            around = scopes[at:]
            if (id(scope), name) in seen:
                continue
            seen.add((id(scope), name))
            values = self._bindings.origins(name, scope, 40)[1][:40]
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
        names = [(called, 0), *self._indirect.names_of(called)] if called else self._of_lambda(function)
        for other, already in names:
            for call, where in self._calls.get(other, [])[:_MOST_OF_A_NAME]:
                given = next((each.value for each in call.keywords if each.arg == name), None)
                if given is None and 0 <= place - already < len(call.args):
                    given = call.args[place - already]
                if given is not None:
                    found.append((given, where))
        return found[: 2 * _MOST_OF_A_NAME]

    def _of_lambda(self, function: ast.AST) -> list[tuple[str, int]]:
        """The names by which a lambda is called."""
        return [(name, 0) for name, made in self._defined.items() if function in made]

    def _given_by(self, name: str, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        """What a function gives that is named and not called here, and what special methods of a class give."""
        found = self._results(self._defined.get(name, [])[:2], seen)
        return found + self._results(self._special.get(name, ()), seen) if name in self._special else found

    def _of_property(self, name: str, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        made = [each for each in self._defined.get(name, [])[:3] if isinstance(each, ast.FunctionDef) and any(
            last_name(mark) in _PROPERTIES for mark in each.decorator_list)]  # fmt: skip
        return self._results(made, seen)

    def _of_file(self, path: str, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        """What is written to a file of this constant path."""
        if (path, "file") in seen:
            return []
        seen.add((path, "file"))
        if self._files is None:
            self._files = {}
            for owner, values, scopes in self._written[:200]:
                for text in self._paths([owner], scopes):
                    self._files.setdefault(text, []).extend(values)
        return self._files.get(path, [])[:_MOST_OF_A_NAME]

    def _paths(self, nodes: list[ast.expr], scopes: Scopes) -> list[str]:
        parts = islice(self.into(nodes, scopes, lambda part: isinstance(part, ast.Attribute)), 12)
        texts = [part.value for part, _ in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        return [text for text in texts if len(text) > 3 and ("/" in text or "." in text)]

    def _of_result(self, call: ast.Call, seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        name = last_name(call.func)
        found = self._results(self._defined.get(name, [])[:3], seen)
        if name in self._special:
            found += self._results(self._special[name], seen)
        elif isinstance(call.func, ast.Name) and name not in self._defined and (name, "called") not in seen:
            seen.add((name, "called"))
            found.append((call.func, self._around(call)))
        return found

    def _around(self, call: ast.Call) -> Scopes:
        return next((where for each, where in self._calls.get(last_name(call.func), []) if each is call), ())

    def _results(self, functions: Iterable[Function], seen: set[object]) -> list[tuple[ast.expr, Scopes]]:
        """What functions return or yield."""
        found = []
        for function in functions:
            if (id(function), "result") in seen:
                continue
            seen.add((id(function), "result"))
            where = self.scopes_of(function)
            found += [(each, where) for each in self._given(function)]
        return found

    def _given(self, function: Function) -> list[ast.expr]:
        """What one function returns or yields; it is asked for again and again."""
        if isinstance(function, ast.Lambda):
            return [function.body]
        found = self._gives.get(id(function))
        if found is None:
            found = self._gives[id(function)] = [
                each.value
                for each in islice(_of_body(function), 2_000)
                if isinstance(each, ast.Return | ast.Yield | ast.YieldFrom) and each.value is not None
            ]
        return found

    def _note_filled(self, node: ast.Call, scopes: Scopes) -> None:
        """``buffer.write(x)`` puts ``x`` into a name, and so do ``image.save(buffer)`` and ``shutil.copy(x, path)``."""
        if last_name(node.func) in _COPIES and len(node.args) > 1 and isinstance(node.args[1], ast.Name):
            self._items.setdefault(node.args[1].id, []).append((node.args[0], scopes))
            return
        if last_name(node.func) in _COPIES and len(node.args) > 1:
            self._written.append((node.args[1], [(node.args[0], scopes)], scopes))
        if last_name(node.func) == "setattr" and len(node.args) == 3 and isinstance(node.args[1], ast.Constant):
            self._attributes.setdefault(str(node.args[1].value), []).append((node.args[2], scopes))
        if not isinstance(node.func, ast.Attribute):
            return
        given = arguments_of(node)
        owner, method = node.func.value, node.func.attr
        if method in _PUTS and given and isinstance(owner, ast.Name | ast.Call) and len(self._written) < _MOST_PARTS:
            self._written.append((owner, [(each, scopes) for each in given[:4]], scopes))
        if isinstance(owner, ast.Name) and method in _PUTS:
            self._items.setdefault(owner.id, []).extend((each, scopes) for each in given[:4])
        elif isinstance(owner, ast.Attribute) and method in _PUTS:
            self._attributes.setdefault(owner.attr, []).extend((each, scopes) for each in given[:4])
        elif method in _FILLS:
            for each in given[:2]:
                if isinstance(each, ast.Name):
                    others = [other for other in given[:2] if other is not each]
                    self._items.setdefault(each.id, []).extend((other, scopes) for other in (owner, *others))
            if len(given) > 1:
                self._written.append((given[1], [(given[0], scopes)], scopes))

    def _note_wrapped(self, target: ast.expr, value: ast.expr, scopes: Scopes) -> None:
        """``with ZipFile(buffer, "w") as archive``: what is put into the archive is in the buffer."""
        if not isinstance(value, ast.Call) or last_name(value.func) not in _WRAPS or not isinstance(target, ast.Name):
            return
        for each in (
            *value.args[:1],
            *(word.value for word in value.keywords if word.arg in ("fileobj", "file", "fp")),
        ):
            if isinstance(each, ast.Name):
                self._items.setdefault(each.id, []).append((target, scopes))

    def _note_assigned(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, value: ast.expr, scopes: Scopes) -> None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                self._items.setdefault(target.value.id, []).append((value, scopes))
            if isinstance(target, ast.Attribute):
                self._attributes.setdefault(target.attr, []).append((value, scopes))
            self._note_wrapped(target, value, scopes)
            self._indirect.bind(target, value)
            if isinstance(value, ast.Lambda) and last_name(target):
                self._defined.setdefault(last_name(target), []).append(value)

    def _note_class(self, node: ast.ClassDef, scopes: Scopes) -> None:
        """What the body of a class binds is an attribute of its objects."""
        for each in node.body:
            if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
                for target in each.targets if isinstance(each, ast.Assign) else [each.target]:
                    if isinstance(target, ast.Name):
                        self._attributes.setdefault(target.id, []).append((each.value, scopes))

    def _note_call(self, node: ast.Call, scopes: Scopes) -> None:
        self._calls.setdefault(last_name(node.func), []).append((node, scopes))
        self._note_filled(node, scopes)
        self._indirect.hand(node)
        for name, call in spread(node):
            held = self._calls.setdefault(name, [])
            if len(held) < 4 * _MOST_OF_A_NAME:
                held.append((call, scopes))

    def _index(self) -> None:  # noqa: C901 - one branch for each kind of node
        waiting: list[tuple[ast.AST, Scopes, str]] = [(self._tree, (), "")]
        for _ in range(_MOST_NODES):
            if not waiting:
                return
            node, scopes, owner = waiting.pop()
            inner, of = scopes, owner
            if isinstance(node, FUNCTIONS):
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
                    if node.name in _SPECIAL and owner:
                        self._special.setdefault(owner, []).append(node)
            elif isinstance(node, ast.ClassDef):
                of = node.name
                self._note_class(node, scopes)
            elif isinstance(node, ast.Call):
                self._note_call(node, scopes)
            elif isinstance(node, ast.withitem):
                if node.optional_vars is not None:
                    self._note_wrapped(node.optional_vars, node.context_expr, scopes)
            elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                self._indirect.bind(node.target, node.iter)
            elif isinstance(node, ast.Raise):
                if node.exc is not None:
                    self._raised[0].append((node.exc, scopes))
            elif isinstance(node, ast.ExceptHandler):
                if node.name:
                    self._raised[1].add(node.name)
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
        headed = ends().headed
        yield from (each.value for each in node.keywords if each.arg not in headed)
        return
    for each in children(node):
        if isinstance(each, ast.expr):
            yield each
        elif isinstance(each, ast.comprehension):
            yield each.iter


def _of_body(function: ast.AST) -> Iterator[ast.AST]:
    waiting = list(getattr(function, "body", ()))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            waiting += children(node)
