"""What a Python syntax tree does, and when: the walk behind :mod:`openvet.formats.python`.

Statements are taken in order with the names that they bind; the body of a function is put off until something in the
file calls it, and then counts as happening when the call does. What is left over at the end counts as construction
(``__init__`` and what loaders call) or as call.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from openvet.formats._python_fold import fold
from openvet.formats._python_names import words
from openvet.formats._python_resolve import LOCAL, MOST_DEPTH, Function, Names

__all__ = ["Reading"]

#: What runs when an object of a class comes to be, or when a loader makes a model of a folder.
_CONSTRUCTION = frozenset({
    "__init__", "__new__", "__post_init__", "__setstate__", "__reduce__", "__reduce_ex__", "__init_subclass__",
    "__set_name__", "__class_getitem__", "__prepare__", "__del__", "__getattr__", "__getattribute__", "__call__",
    "from_pretrained", "_from_pretrained", "from_config", "_from_config", "from_dict", "load", "_load", "load_model",
    "_load_pyfunc", "setup", "initialize", "model_fn", "load_context", "handler", "handle", "_init_weights", "post_init",
})  # fmt: skip
#: At module level or in a class these run on import.
_MODULE_HOOKS = frozenset({"__getattr__", "__dir__"})
#: These call a function that they are given, now or soon.
_RUNS = frozenset({
    "builtins.map", "builtins.filter", "functools.reduce", "threading.Thread", "threading.Timer", "multiprocessing.Process",
    "atexit.register", "_thread.start_new_thread", "asyncio.run", "contextlib.ExitStack().callback", "weakref.finalize",
})  # fmt: skip
_RUNNING_METHODS = frozenset({"submit", "map", "apply", "apply_async", "call_soon", "run_in_executor", "callback"})
# asking about a callable is not using it
_ASKING = frozenset(
    {"isinstance", "issubclass", "hasattr", "callable", "type", "print", "repr", "id", "len", "str", "super"}
)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
# what an expression holds that holds no expression: skipped before it is looked at, since most nodes are of these
_LEAVES = frozenset({
    ast.Constant, ast.Name, ast.Load, ast.Store, ast.Del, ast.arg, int, str, type(None), bytes, float, complex, bool, type(...),
    *ast.operator.__subclasses__(), *ast.cmpop.__subclasses__(), *ast.boolop.__subclasses__(), *ast.unaryop.__subclasses__(),
})  # fmt: skip
_MOST_NESTED = 3


class Reading(Names):
    """One source being read. ``uses`` are (line, name, capability, when, detail)."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__()
        self._text = text
        self._most = most
        self._depth = depth
        self._waiting: list[tuple[str, str]] = []
        self._done: set[int] = set()
        self._lines: list[int] | None = None
        self._seen: set[tuple[int, str, str]] = set()
        self.uses: list[tuple[int, str, str, str, str]] = []

    def module(self, tree: ast.Module, when: str) -> None:
        """Read the whole module, of which the top level runs ``when``."""
        self._block(tree.body, when, "")
        if when == "import":
            for name in _MODULE_HOOKS & self._functions.keys():
                self._waiting.append((name, when))
        self._called()
        for name in list(self._functions):
            if name.rsplit(".", 1)[-1] in _CONSTRUCTION:
                self._waiting.append((name, "construction" if when == "import" else when))
        self._called()
        for name, function in list(self._functions.items()):
            if id(function) not in self._done and self._is_hot(function):
                self._waiting.append((name, "call"))
        self._called()

    def _called(self) -> None:
        """Read the bodies of functions that something calls, and of those that they call."""
        while self._waiting:
            name, when = self._waiting.pop()
            function = self._function(name)
            if function is None or id(function) in self._done:
                continue
            self._done.add(id(function))
            outer = dict(self._names)
            owner = name.rpartition(".")[0]
            self._parameters(function, owner)
            if isinstance(function, ast.Lambda):
                self._expression(function.body, when)
            else:
                self._block(function.body, when, f"{name}.")
            self._names = outer

    def _function(self, name: str, depth: int = 0) -> Function | ast.Lambda | None:
        """The function ``name``; a method that its class inherits from another class of the file as well."""
        if name in self._functions:
            return self._functions[name]
        owner, _, method = name.rpartition(".")
        if owner in self._classes and depth < MOST_DEPTH:
            for base in self._classes[owner].bases[:10]:
                resolved = self.resolve(base)
                if (
                    resolved
                    and resolved.startswith(LOCAL)
                    and (found := self._function(f"{resolved[len(LOCAL) :]}.{method}", depth + 10))
                ):
                    return found
        return None

    def _parameters(self, function: Function | ast.Lambda, owner: str) -> None:
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        for each in [*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
            if each is not None:
                self._names.pop(each.arg, None)
        if owner and owner in self._classes and positional:
            self._names[positional[0].arg] = f"{LOCAL}{owner}()"
        defaults = zip(reversed(positional), reversed(arguments.defaults), strict=False)
        for each, default in [*defaults, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]:
            if default is not None and (name := self.resolve(default)):
                self._names[each.arg] = name

    def _is_hot(self, function: Function | ast.Lambda) -> bool:
        """Whether a word that matters occurs in the function's lines; the others need not be walked."""
        if self._lines is None:
            known = words()
            aliases = {
                name
                for name, full in self._names.items()
                if (self._known.of(full) or self._known.decodes(full)) and not known.fullmatch(name)
            }
            lines = _lines_of(known, self._text)
            if aliases:
                pattern = r"\b(?:" + "|".join(sorted(map(re.escape, aliases))) + r")\b"
                lines = sorted({*lines, *_lines_of(re.compile(pattern), self._text)})
            self._lines = lines
        if not self._text.isascii():
            return True
        index = bisect_left(self._lines, function.lineno)
        return index < len(self._lines) and self._lines[index] <= (function.end_lineno or function.lineno)

    # statements

    def _block(self, body: list[ast.stmt], when: str, scope: str) -> None:
        stack: list[Iterator[ast.stmt]] = [iter(body)]
        while stack:
            statement = next(stack[-1], None)
            if statement is None:
                stack.pop()
                continue
            inner = self._statement(statement, when, scope)
            if inner:
                stack.append(inner)

    def _statement(self, node: ast.stmt, when: str, scope: str) -> Iterator[ast.stmt] | None:
        """Read one statement; gives the statements inside it that run with it."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._define(node, when, scope)
        elif isinstance(node, ast.ClassDef):
            self._class(node, when, scope)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self._assign(node, when, scope)
        elif isinstance(node, ast.If) and _is_main(node.test):
            self._block(node.body, "call", scope)
            return iter(node.orelse)
        else:
            return self._compound(node, when)
        return None

    def _compound(self, node: ast.stmt, when: str) -> Iterator[ast.stmt] | None:
        blocks: list[ast.stmt] = []
        if isinstance(node, ast.For | ast.AsyncFor):
            self._bind(node.target, _first(node.iter))
        for field, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.stmt):
                    blocks.append(each)
                elif isinstance(each, ast.ExceptHandler):
                    blocks.extend(each.body)
                elif isinstance(each, ast.match_case):
                    blocks.extend(each.body)
                    if each.guard is not None:
                        self._expression(each.guard, when)
                elif isinstance(each, ast.withitem):
                    self._expression(each.context_expr, when)
                    if each.optional_vars is not None:
                        self._bind(each.optional_vars, each.context_expr)
                elif isinstance(each, ast.expr) and field != "target":
                    self._expression(each, when)
        return iter(blocks) if blocks else None

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._names[alias.asname or alias.name.split(".", 1)[0]] = (
                    alias.name if alias.asname else alias.name.split(".", 1)[0]
                )
            return
        if node.level or not node.module:
            for alias in node.names:  # the repository's own modules: read on their own
                self._names.pop(alias.asname or alias.name, None)
            return
        for alias in node.names:
            if alias.name != "*":
                self._names[alias.asname or alias.name] = self._known.from_carrier(f"{node.module}.{alias.name}")
                continue
            module = self._known.from_carrier(node.module)
            for name in self._known.names:
                if name.rpartition(".")[0] == module:
                    self._names[name.rpartition(".")[2]] = name

    def _define(self, node: Function, when: str, scope: str) -> None:
        name = f"{scope}{node.name}"
        for decorator in node.decorator_list:
            self._expression(decorator, when)
            self._use_callable(decorator, when, "decorates a function")
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        annotations = [each.annotation for each in every if each is not None]
        for value in [*node.args.defaults, *node.args.kw_defaults, *annotations, node.returns]:
            if value is not None:
                self._expression(value, when)
        self._functions[name] = node
        self._names[node.name] = LOCAL + name

    def _class(self, node: ast.ClassDef, when: str, scope: str) -> None:
        name = f"{scope}{node.name}"
        self._classes[name] = node
        for decorator in node.decorator_list:
            self._expression(decorator, when)
            self._use_callable(decorator, when, "decorates a class")
        for value in [*node.bases, *(keyword.value for keyword in node.keywords)]:
            self._expression(value, when)
        for keyword in node.keywords:  # class X(metaclass=...): the metaclass is called now
            if keyword.arg == "metaclass":
                self._use_callable(keyword.value, when, "is the metaclass")
                self._queue(self.resolve(keyword.value), when)
        outer = dict(self._names)
        self._block(node.body, when, f"{name}.")
        self._names = outer
        self._names[node.name] = LOCAL + name
        for base in node.bases:
            resolved = self.resolve(base)
            if resolved and resolved.startswith(LOCAL):
                self._waiting.append((f"{resolved[len(LOCAL) :]}.__init_subclass__", when))

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, when: str, scope: str) -> None:
        if isinstance(node, ast.AnnAssign):
            self._expression(node.annotation, when)
        if node.value is None:
            return
        self._expression(node.value, when)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Attribute | ast.Subscript):
                self._expression(target, when)
                self._use_callable(node.value, when, "is put in place of something", local=False)
            elif isinstance(target, ast.Name) and _in_class(scope, self._classes) and target.id.startswith("__"):
                self._use_callable(node.value, "construction", f"is made {target.id}")
            if isinstance(node, ast.AugAssign):
                if isinstance(target, ast.Name):
                    self._values.pop(target.id, None)
            else:
                self._bind(target, node.value)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            values = (
                value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
            )
            for index, each in enumerate(target.elts):
                self._bind(each, values[index] if values else None)
            return
        if not isinstance(target, ast.Name):
            return
        if isinstance(value, ast.Lambda):
            self._functions[target.id] = value
            self._names[target.id] = LOCAL + target.id
            return
        name = None if value is None else self.resolve(value)
        if name is None:
            self._names.pop(target.id, None)
        else:
            self._names[target.id] = name
        if value is not None and len(self._values) < 10_000:
            self._values[target.id] = value

    # expressions

    def _expression(self, node: ast.expr, when: str) -> None:
        stack: list[Any] = [node]
        while stack:
            each = stack.pop()
            kind = type(each)
            if kind is ast.Call:
                self._call(each, when)
            elif kind is ast.NamedExpr:
                self._bind(each.target, each.value)
            elif kind in _COMPREHENSIONS:
                for generator in each.generators:
                    self._bind(generator.target, _first(generator.iter))
            elif kind is ast.Subscript:
                self._use_item(each, when)
            # the first child is taken first, so that what binds a name comes before what uses it
            for value in reversed(each.__dict__.values()):
                if type(value) is list:
                    stack.extend([part for part in reversed(value) if type(part) not in _LEAVES])
                elif type(value) not in _LEAVES:
                    stack.append(value)

    def _call(self, node: ast.Call, when: str) -> None:
        name = self.resolve(node.func)
        if name is None:
            if isinstance(node.func, ast.Lambda):
                return
            self._hidden_name(node, when)
        else:
            capability = self._known.of(name)
            if capability == "import":
                self._imported(node, name, when)
            elif capability == "code":
                self._given_code(node, name, when)
            elif capability is not None:
                self._use(node, name, capability, when, self._arguments(node))
            elif name == "builtins.open" and _writes(node):
                self._use(node, "open", "file", when, self._arguments(node))
            self._queue(name, when)
        if name is None or name.removeprefix("builtins.") not in _ASKING:
            runs = (
                name in _RUNS if name else isinstance(node.func, ast.Attribute) and node.func.attr in _RUNNING_METHODS
            )
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                given = argument.value if isinstance(argument, ast.Starred) else argument
                for each in given.elts if isinstance(given, ast.List | ast.Tuple) else [given]:
                    self._use_callable(each, when, f"is handed to {_shown(name)}", local=runs)

    def _queue(self, name: str | None, when: str) -> None:
        """Functions of this file that a call of ``name`` runs."""
        if name is None or not name.startswith(LOCAL):
            return
        local = name[len(LOCAL) :]
        self._waiting.append((local.replace("()", ""), when))
        if local in self._classes:
            self._waiting.extend((f"{local}.{method}", when) for method in ("__init__", "__new__", "__post_init__"))

    def _use_callable(self, node: ast.expr, when: str, detail: str, *, local: bool = True) -> None:
        """A dangerous callable that is not called here but given to something that may call it.

        ``local``: whether a function of this file runs as well when it is given.
        """
        if isinstance(node, ast.Call | ast.Constant):
            return
        name = self.resolve(node)
        if name is None:
            return
        if self._known.of(name) == "process" or name in ("builtins.exec", "builtins.eval"):
            self._use(node, name, str(self._known.of(name)), when, detail)
        elif local and name.startswith(LOCAL):
            self._queue(name, when)

    def _use_item(self, node: ast.Subscript, when: str) -> None:
        """``X[...]`` on a class of this file runs its ``__class_getitem__``."""
        name = self.resolve(node.value)
        if name is not None and name.startswith(LOCAL):
            self._waiting.append((f"{name[len(LOCAL) :]}.__class_getitem__", when))

    def _imported(self, node: ast.Call, name: str, when: str) -> None:
        """``__import__(...)`` is an ordinary import where its name is constant."""
        if node.args and fold(node.args[0], self._values) is None:
            self._use(node, name, "import", when, self._arguments(node))

    def _given_code(self, node: ast.Call, name: str, when: str) -> None:
        """What ``exec`` or ``eval`` gets: decoded; or constant, and so as readable as the rest; or computed."""
        if node.args and name in ("builtins.exec", "builtins.eval"):
            for part in ast.walk(node.args[0]):
                inner = self.resolve(part) if isinstance(part, ast.Call | ast.Name) else None
                if inner is not None and self._known.decodes(inner):
                    self._use(node, f"{name}({_shown(inner)}(…))", "hidden", when, "runs what it decodes")
                    break
            code = fold(node.args[0], self._values)
            if isinstance(code, bytes):
                code = code.decode("utf-8", "replace")
            if isinstance(code, str) and self._depth < _MOST_NESTED and self._nested(code.strip(), when, node.lineno):
                return
        self._use(node, name, "code", when, self._arguments(node))

    def _nested(self, code: str, when: str, line: int) -> bool:
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        inner = Reading(code, self._most, self._depth + 1)
        inner._names = dict(self._names)
        inner.module(tree, when)
        for _, name, capability, moment, detail in inner.uses:
            self._record(line, name, capability, moment, detail)
        return True

    def _hidden_name(self, node: ast.Call, when: str) -> None:
        """A call of something dangerous by a name that is put together: ``getattr(os, x)()``."""
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "__subclasses__" and _is_root(called.value):
            self._use(node, "object.__subclasses__", "hidden", when, "looks for a class among all that are loaded")
        if isinstance(called, ast.Call) and self.resolve(called.func) == "builtins.getattr" and len(called.args) >= 2:
            base = self.resolve(called.args[0])
            if base is not None and base in self._known.carriers:
                self._use(node, f"{base}.?", "hidden", when, "calls what a computed name gives")
        elif isinstance(called, ast.Subscript):
            base = self.resolve(called.value)
            if base is not None and base.removesuffix(".__dict__") in self._known.carriers:
                self._use(
                    node, f"{base.removesuffix('.__dict__')}.?", "hidden", when, "calls what a computed name gives"
                )

    def _use(self, node: ast.expr, name: str, capability: str, when: str, detail: str) -> None:
        self._record(node.lineno, name.removeprefix("builtins."), capability, when, detail)

    def _record(self, line: int, name: str, capability: str, when: str, detail: str) -> None:
        if (line, name, capability) not in self._seen and len(self.uses) < self._most:
            self._seen.add((line, name, capability))
            self.uses.append((line, name, capability, when, detail))

    def _arguments(self, node: ast.Call) -> str:
        shown = []
        for argument in node.args[:3]:
            value = fold(argument, self._values)
            if value is None and isinstance(argument, ast.List | ast.Tuple):
                parts = [fold(each, self._values) for each in argument.elts[:6]]
                value = " ".join("…" if part is None else str(part) for part in parts)
            shown.append("…" if value is None else repr(value))
        return ", ".join(shown)


def _first(node: ast.expr) -> ast.expr | None:
    """What a loop over a written-out list begins with."""
    return node.elts[0] if isinstance(node, ast.List | ast.Tuple | ast.Set) and node.elts else None


def _lines_of(pattern: re.Pattern[str], text: str) -> list[int]:
    """The lines on which ``pattern`` occurs, each once."""
    lines: list[int] = []
    line = 1
    at = 0
    for match in pattern.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        if not lines or lines[-1] != line:
            lines.append(line)
    return lines


def _is_root(node: ast.expr) -> bool:
    """``object`` by any of the ways that lead to it."""
    if isinstance(node, ast.Subscript):
        node = node.value
    return (isinstance(node, ast.Name) and node.id == "object") or (
        isinstance(node, ast.Attribute) and node.attr in ("__base__", "__bases__", "__mro__")
    )


def _in_class(scope: str, classes: dict[str, ast.ClassDef]) -> bool:
    return scope.removesuffix(".") in classes


def _is_main(test: ast.expr) -> bool:
    """``__name__ == '__main__'``: not run on import."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_main(each) for each in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def _writes(node: ast.Call) -> bool:
    mode: Any = (
        node.args[1] if len(node.args) > 1 else next((each.value for each in node.keywords if each.arg == "mode"), None)
    )
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and any(letter in mode.value for letter in "wax+")
    )


def _shown(name: str | None) -> str:
    return "something" if name is None else name.removeprefix("builtins.").removeprefix(LOCAL)
