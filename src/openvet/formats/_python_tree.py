"""What a Python syntax tree does, and when: the walk behind :mod:`openvet.formats.python`.

Statements are taken in order with the names that they bind; the body of a function is put off until something in the
file calls it, and then counts as happening when the call does: after each statement of the module the functions that
it called are read, with the names as they are then. What is left over at the end counts as construction (``__init__``
and what loaders call), as inference, or as call. Where an object of a class of the file comes to be, all of its special
methods count as called: which operator reaches which of them is not followed.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections import ChainMap
from collections.abc import Iterator
from typing import Any

from openvet.core.pattern import pattern
from openvet.formats._python_bound import Bound
from openvet.formats._python_calls import last_name
from openvet.formats._python_match import binds
from openvet.formats._python_moments import (
    CONSTRUCTION,
    ENTRIES,
    INFERENCE,
    MODULE_HOOKS,
    OF_A_CLASS,
    OF_A_COMMAND,
    ON_EVENT,
    PROPERTIES,
    REGISTERS,
    STARTS,
)
from openvet.formats._python_names import loaders, modules, split_words
from openvet.formats._python_queue import BY_DEFAULT, Waiting
from openvet.formats._python_record import NOTHING
from openvet.formats._python_resolve import LOCAL, MOST_DEPTH, NEAR, Function
from openvet.formats._python_settled import defaults_of

__all__ = ["Reading"]

_WORD = pattern(r"\w+")
#: Decorators that make a command of a program, and words that only makers of a package type behind ``setup.py``.
_COMMANDS = frozenset({"command", "group", "function", "local_entrypoint", "cli", "app"})
_ASKED = frozenset({"publish", "upload", "release", "tag", "register", "docs", "clean"})
#: The names under which everybody has them.
_USUAL = {"numpy": "np", "tensorflow.keras.models": "models", "keras.models": "models"}
#: How often one function is read with other functions given to it.
_MOST_GIVEN = 4
#: How often it is read with other commands handed to it.
_MOST_HANDED = 40


class Reading(Bound):
    """One source being read."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        self._done: dict[int, set[Any]] = {}
        self._lines: list[int] | None = None
        self._busy = False
        self._left = False
        self._of_others: set[int] = set()
        #: the name of the file, and methods that an attribute of their class names (``FUNCTION`` of ComfyUI)
        self.file = ""
        self._asked: set[str] = set()

    def module(self, tree: ast.Module, when: str) -> None:
        """Read the whole module, of which the top level runs ``when``."""
        self._tree = tree
        self._block(tree.body, when, "")
        if when == "import":
            self._waiting[when].extend(Waiting(name) for name in MODULE_HOOKS & self._functions.keys())
        self._called(when)
        known: set[str] = set()
        while new := [name for name in self._functions if name not in known]:  # those inside others come with these
            known.update(new)
            for moment, names in (("construction", CONSTRUCTION), ("inference", INFERENCE)):
                at = moment if when == "import" else when
                for name in new:
                    if self._is_hook(name, names) or (moment == "inference" and self._is_special(name)):
                        self._waiting[at].append(Waiting(name, (), BY_DEFAULT))
                self._called(at)
        self._left_over()
        for line, name, what, moment, owner in self._attacks.finish():
            self._owner = owner
            self._record(line, name, "attack", moment, what)
        self._owner = ""

    def _is_hook(self, name: str, names: frozenset[str]) -> bool:
        """Whether loaders and libraries call a function by its name; a command of a program is called by people, by that of the program."""
        last = name.rsplit(".", 1)[-1]
        if self.file == "setup.py" and names is CONSTRUCTION and "." in name and last in OF_A_COMMAND:
            return True
        if last not in names or name == "call":
            return False
        made = getattr(self._functions[name], "decorator_list", ())
        return "." in name or not any(
            last_name(each.func if isinstance(each, ast.Call) else each) in _COMMANDS for each in made
        )

    def _is_special(self, name: str) -> bool:
        """Whether an operator, ``str()``, an attribute that looks like any other, or the framework of its class runs this method."""
        owner, _, method = name.rpartition(".")
        if name in self._asked or (
            not owner and method.startswith(ENTRIES.get(self.file, ("\0",))) and not method.startswith("_")
        ):
            return True
        if (
            owner in self._classes
            and (method in OF_A_CLASS or method.startswith(ON_EVENT))
            and self._classes[owner].bases
        ):
            return True
        if owner.rpartition(".")[2] == "TritonPythonModel":
            return True
        return owner in self._classes and (
            (method.startswith("__") and method.endswith("__")) or method in self._properties
        )

    def handed_on(self) -> list[tuple[str, str]]:
        """Names of the module that neighbouring files define."""
        found = [
            (name, full) for name, full in self._module_names.items() if full is not None and full.startswith(NEAR)
        ]
        return [*found, *(("*", star) for star in self._stars)][:1_000]

    def _left_over(self) -> None:
        """The functions that nothing calls: those in which a word occurs, and where one counts, what calls it."""
        self._left = True
        for only_hot in (True, False):
            known: set[str] = set()
            while new := [name for name in self._functions if name not in known]:  # those inside others come with these
                known.update(new)
                for name in new:
                    function = self._functions[name]
                    done = self._done.get(id(function), ())
                    # one that was read for the commands that this file hands to it is read for those of others as well
                    again = all(handed for _, handed in done) and (
                        not done or (_takes_something(function) and self._runs_commands(function))
                    )
                    if again and (not only_hot or self._is_hot(function)):
                        self._waiting["call"].append(Waiting(name))
                self._called("call")
            if not any(when == "call" for _, _, _, when, _, _ in self.uses) and not (self.near or self._stars):
                return

    def _called(self, when: str) -> None:
        """Read the bodies of functions that something calls, and of those that they call."""
        if self._busy:
            return
        self._busy = True
        waiting = self._waiting[when]
        while waiting:
            each = waiting.pop()
            function = self._function(each.name)
            if function is None:
                continue
            done = self._done.setdefault(id(function), set())
            handed = each.handed if len(done) < _MOST_HANDED else ()
            read = sum(1 for _, other in done if other == handed)
            if (each.given, handed) in done or read >= (_MOST_GIVEN if each.given else 1):
                continue
            if self._left and done and all(other for _, other in done):
                self._of_others.add(id(function))
            self._for_others = id(function) in self._of_others
            done.add((each.given, handed))
            self._enter(each._replace(handed=handed), function, when)
            self._for_others = False
        self._busy = False

    def _enter(self, each: Waiting, function: Function | ast.Lambda, when: str) -> None:
        """Read one body, with its own names over those of the functions around it and of the module."""
        outer = self._names, self._values, self._declared, self._owner, self._nested_block, self._handed
        names: Any = self._names
        values: Any = self._values
        parent = each.name
        while parent := parent.rpartition(".")[0]:
            if parent in self._scopes:
                names, values = self._scopes[parent]
                break
        self._names, self._values, self._declared = ChainMap({}, names), ChainMap({}, values), set()
        self._owner = each.name
        self._parameters(function, each.name.rpartition(".")[0])
        for name, value in each.given:
            self._names[name] = value
        self._handed = {}
        for name, text in each.handed:
            if name:
                self._handed[name] = self._values[name] = self._handed_texts[text]
        if each.handed == BY_DEFAULT:
            self._handed = dict(defaults_of(function))
        if isinstance(function, ast.Lambda):
            self._expression(function.body, when)
        else:
            if len(self._scopes) < 2_000:
                self._scopes[each.name] = self._names, self._values
            self._block(function.body, when, f"{each.name}.")
        self._names, self._values, self._declared, self._owner, self._nested_block, self._handed = outer

    def _function(self, name: str, depth: int = 0) -> Function | ast.Lambda | None:
        """The function ``name``; a method that its class inherits from another class of the file as well."""
        if name in self._functions:
            return self._functions[name]
        owner, _, method = name.rpartition(".")
        if owner in self._classes and depth < MOST_DEPTH:
            for base in self._local_bases(owner):
                if found := self._function(f"{base}.{method}", depth + 10):
                    return found
        return None

    def _parameters(self, function: Function | ast.Lambda, owner: str) -> None:
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        given = [(name, self.resolve(default), default) for name, default in defaults_of(function)]
        for each in [*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]:
            if each is not None:
                self._names[each.arg] = None
                self._values[each.arg] = NOTHING
        if owner and owner in self._classes and positional:
            self._names[positional[0].arg] = f"{LOCAL}{owner}()"
        for argument, name, default in given:
            self._values[argument] = default
            if name:
                self._names[argument] = name

    def _is_hot(self, function: Function | ast.Lambda) -> bool:
        """Whether a word that matters occurs in the function's lines; the others need not be walked."""
        if not self._text.isascii():
            return True
        if self._lines is None:
            plain, _ = split_words()
            # a module under another name hides the word: ``import subprocess as sp``
            aliases = {
                name
                for name, full in self._names.items()
                if full is not None
                and (
                    full.startswith(NEAR)
                    or self._known.of(full)
                    or self._known.decodes(full)
                    or full in modules()
                    or full in self._known.loaders
                    or (full in loaders() and name not in (full, _USUAL.get(full)))
                )
                and name not in plain
            }
            self._lines = _lines_of(self._text, aliases)
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
            self._nested_block = len(stack) > 1
            inner = self._statement(statement, when, scope)
            if inner:
                stack.append(inner)
            if not scope and self._waiting[when]:
                self._called(when)

    def _statement(self, node: ast.stmt, when: str, scope: str) -> Iterator[ast.stmt] | None:
        """Read one statement; gives the statements inside it that run with it."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node, when)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._define(node, when, scope)
        elif isinstance(node, ast.ClassDef):
            self._class(node, when, scope)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self._assign(node, when, scope)
        elif isinstance(node, ast.Global):
            self._declared.update(node.names)
        elif isinstance(node, ast.If) and (_is_main(node.test) or self._is_asked_for(node.test)):
            self._block(node.body, "call", scope)
            return iter(node.orelse)
        else:
            if isinstance(node, ast.Return) and node.value is not None:
                given = self.resolve(node.value)
                if given is not None and given.startswith(LOCAL + scope) and scope:
                    self._queue(given, when, node.lineno)  # a decorator's inner function
            return self._compound(node, when)
        return None

    def _is_asked_for(self, test: ast.expr) -> bool:
        """``if sys.argv[-1] == 'publish'``: a word that makers of a package type, and no installer."""
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq | ast.In):
            return False
        sides = (test.left, test.comparators[0])
        words = {each.value for each in sides if isinstance(each, ast.Constant)}
        asked = any(
            self.resolve(each.value if isinstance(each, ast.Subscript) else each) == "sys.argv" for each in sides
        )
        return asked and bool(words) and words <= _ASKED

    def _compound(self, node: ast.stmt, when: str) -> Iterator[ast.stmt] | None:
        blocks: list[ast.stmt] = []
        if isinstance(node, ast.For | ast.AsyncFor):
            self._loop(node.target, node.iter, when)
        for field, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.stmt):
                    blocks.append(each)
                elif isinstance(each, ast.ExceptHandler):
                    if each.type is not None:
                        self._expression(each.type, when)
                    blocks.extend(each.body)
                elif isinstance(each, ast.match_case):
                    for name, bound in binds(each.pattern, node.subject):  # type: ignore[attr-defined]
                        self._bind(ast.Name(name), bound)
                    if each.guard is not None:
                        self._expression(each.guard, when)
                    # read here, with the names that this pattern binds
                    self._block(each.body, when, f"{self._owner}." if self._owner else "")
                elif isinstance(each, ast.withitem):
                    self._expression(each.context_expr, when)
                    if each.optional_vars is not None:
                        self._bind(each.optional_vars, each.context_expr)
                elif isinstance(each, ast.expr) and field != "target":
                    self._expression(each, when)
        return iter(blocks) if blocks else None

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
        for decorator in node.decorator_list:
            starts = last_name(decorator.func if isinstance(decorator, ast.Call) else decorator) in STARTS or (
                isinstance(decorator, ast.Call)
                and last_name(decorator.func) == "fixture"
                and self.file == "conftest.py"
                and any(each.arg == "autouse" and self._is_true(each.value) for each in decorator.keywords)
            )
            if self._registers(self.resolve(decorator)) or starts:
                self._waiting[when].append(Waiting(name))
        owner = scope.removesuffix(".")
        if owner in self._classes:
            self._methods.setdefault(node.name, []).append(name)
            self._methods_of.setdefault(owner, []).append(node.name)
            if any(last_name(each) in PROPERTIES for each in node.decorator_list):
                self._properties.add(node.name)
        self._set(node.name, LOCAL + name)

    @staticmethod
    def _registers(name: str | None) -> bool:
        """A decorator that keeps the function to run it by itself later."""
        if name is not None and name.removeprefix(NEAR).startswith(REGISTERS):
            return True
        return name in ("atexit.register", "signal.signal", "threading.Thread", "os.register_at_fork")

    def _class(self, node: ast.ClassDef, when: str, scope: str) -> None:
        name = f"{scope}{node.name}"
        self._classes[name] = node
        for decorator in node.decorator_list:
            self._expression(decorator, when)
        for value in [*node.bases, *(keyword.value for keyword in node.keywords)]:
            self._expression(value, when)
        for each in node.body:
            if isinstance(each, ast.Assign) and _is_named(each, "FUNCTION") and isinstance(each.value, ast.Constant):
                self._asked.update(
                    f"{name}.{method}"
                    for method in (str(each.value.value), "INPUT_TYPES", "IS_CHANGED", "VALIDATE_INPUTS")
                )
        outer = self._names, self._nested_block
        self._names = ChainMap({}, self._names)
        self._block(node.body, when, f"{name}.")
        self._members[name] = dict(self._names.maps[0])
        self._names, self._nested_block = outer
        self._set(node.name, LOCAL + name)
        for decorator in node.decorator_list:
            self._use_callable(decorator, when, "decorates a class")
        for keyword in node.keywords:  # class X(metaclass=...): the metaclass is called now
            if keyword.arg == "metaclass":
                self._use_callable(keyword.value, when, "is the metaclass")
                self._queue(self.resolve(keyword.value), when)
        for given in node.bases:  # a command of setuptools is run by the installer
            if (self.resolve(given) or "").startswith(
                ("setuptools.command.", "distutils.command.", "setuptools.Command")
            ):
                self._waiting[when].append(Waiting(f"{name}.run"))
        for base in self._local_bases(name):
            self._waiting[when].append(Waiting(f"{base}.__init_subclass__"))
            self._waiting[when].append(Waiting(f"{base}.__mro_entries__"))
            for keyword in self._classes[base].keywords if base in self._classes else []:
                if keyword.arg == "metaclass":
                    self._queue(self.resolve(keyword.value), when)


def _is_named(node: ast.Assign, name: str) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == name


def _lines_of(text: str, aliases: set[str]) -> list[int]:
    """The lines on which a word that matters occurs, or one of ``aliases``; a look-up for each word is faster than a pattern of hundreds of them."""
    plain, other = split_words()
    names = plain | aliases
    return [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if not names.isdisjoint(_WORD.findall(line)) or other.search(line) is not None
    ]


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


def _takes_something(function: Function | ast.Lambda) -> bool:
    """Whether others can hand a function anything, beside what it is a method of."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    return bool(names[names[:1] in (["self"], ["cls"]) :] or given.kwonlyargs or given.vararg or given.kwarg)
