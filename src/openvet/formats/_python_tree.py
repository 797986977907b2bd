"""What a Python syntax tree does, and when: the walk behind :mod:`openvet.formats.python`.

Statements are taken in order with the names that they bind; the body of a function is put off until something in the
file calls it, and then counts as happening when the call does: after each statement of the module the functions that
it called are read, with the names as they are then. What is left over at the end counts as construction (``__init__``
and what loaders call), as inference, or as call. Where an object of a class of the file comes to be, all of its special
methods count as called: which operator reaches which of them is not followed.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections import ChainMap
from collections.abc import Iterator
from typing import Any

from openvet.formats._python_match import binds
from openvet.formats._python_moments import (
    CONSTRUCTION,
    ENTRIES,
    INFERENCE,
    MODULE_HOOKS,
    OF_A_CLASS,
    ON_EVENT,
    PROPERTIES,
    REGISTERS,
    STARTS,
)
from openvet.formats._python_names import from_beside, loaders, modules, words
from openvet.formats._python_resolve import LOCAL, MOST_DEPTH, NEAR, Function
from openvet.formats._python_settled import defaults_of
from openvet.formats._python_uses import BY_DEFAULT, Uses, Waiting

__all__ = ["Reading"]

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
# what an expression holds that holds no expression: skipped before it is looked at, since most nodes are of these
_LEAVES = frozenset({
    ast.Constant, ast.Name, ast.Load, ast.Store, ast.Del, ast.arg, int, str, type(None), bytes, float, complex, bool, type(...),
    *ast.operator.__subclasses__(), *ast.cmpop.__subclasses__(), *ast.boolop.__subclasses__(), *ast.unaryop.__subclasses__(),
})  # fmt: skip
# what gives a text out of others: kept as the text, since the names in it may be bound anew before it is used
_COMPUTED = (ast.BinOp, ast.JoinedStr, ast.Subscript, ast.Call, ast.ListComp, ast.Name)
#: Decorators that make a command of a program, and words that only makers of a package type behind ``setup.py``.
_COMMANDS = frozenset({"command", "group", "function", "local_entrypoint", "cli", "app"})
_ASKED = frozenset({"publish", "upload", "release", "tag", "register", "docs", "clean"})
#: The names under which everybody has them.
_USUAL = {"numpy": "np", "tensorflow.keras.models": "models", "keras.models": "models"}
#: How often one function is read with other functions given to it.
_MOST_GIVEN = 4
#: How often it is read with other commands handed to it.
_MOST_HANDED = 40
_MOST_VALUES = 20_000


class Reading(Uses):
    """One source being read."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        self._done: dict[int, set[Any]] = {}
        self._lines: list[int] | None = None
        self._nested_block = False
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
        if last not in names or name == "call":
            return False
        made = getattr(self._functions[name], "decorator_list", ())
        return "." in name or not any(
            _last(each.func if isinstance(each, ast.Call) else each) in _COMMANDS for each in made
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
                self._values[each.arg] = _NOTHING
        if owner and owner in self._classes and positional:
            self._names[positional[0].arg] = f"{LOCAL}{owner}()"
        for argument, name, default in given:
            self._values[argument] = default
            if name:
                self._names[argument] = name

    def _is_hot(self, function: Function | ast.Lambda) -> bool:
        """Whether a word that matters occurs in the function's lines; the others need not be walked."""
        if self._lines is None:
            known = words()
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
                and not known.fullmatch(name)
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

    def _loop(self, target: ast.expr, items: ast.expr, when: str) -> None:
        """The target of a loop is the first item of what is written out; functions among the items may all be called."""
        held = self._values.get(items.id, items) if isinstance(items, ast.Name) else items
        if isinstance(held, ast.List | ast.Tuple | ast.Set) and held.elts:
            for each in held.elts[:100]:
                if isinstance(each, ast.Name | ast.Attribute | ast.Lambda):
                    self._use_callable(each, when, "is looped over")
            self._bind(target, held.elts[0])
            return
        self._bind(target, None)
        if isinstance(target, ast.Name):
            self._names[target.id] = self.listed(items)
        elif isinstance(target, ast.Tuple) and target.elts and isinstance(target.elts[-1], ast.Name):
            self._names[target.elts[-1].id] = self.listed(items)

    def _import(self, node: ast.Import | ast.ImportFrom, when: str) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                near = NEAR if from_beside(alias.name) else ""
                whole = alias.name if alias.asname else alias.name.split(".", 1)[0]
                if near:
                    self._attacks.imports(node, alias.name, when)
                self._set(alias.asname or whole, near + whole)
            return
        near = NEAR + "^." * (node.level - 1) if node.level else NEAR if from_beside(node.module or "") else ""
        module = node.module or ""
        if near and not node.level:
            self._attacks.imports(node, module, when)
        for alias in node.names:
            if alias.name != "*":
                full = f"{module}.{alias.name}" if module else alias.name
                # a module may hand on what it imported itself: `from .x import os`
                plain = self._known.from_carrier(full)
                reached = plain if plain != full or (near and alias.name in self._known.carriers) else near + full
                self._set(alias.asname or alias.name, alias.name if alias.name in self._known.carriers else reached)
                continue
            if near:
                self._stars.append(near + module)
            module = self._known.from_carrier(module)
            for name in self._known.names:
                if name.rpartition(".")[0] == module:
                    self._set(name.rpartition(".")[2], name)

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
            starts = _last(decorator.func if isinstance(decorator, ast.Call) else decorator) in STARTS or (
                isinstance(decorator, ast.Call)
                and _last(decorator.func) == "fixture"
                and self.file == "conftest.py"
                and any(each.arg == "autouse" and self._is_true(each.value) for each in decorator.keywords)
            )
            if self._registers(self.resolve(decorator)) or starts:
                self._waiting[when].append(Waiting(name))
        owner = scope.removesuffix(".")
        if owner in self._classes:
            self._methods.setdefault(node.name, []).append(name)
            self._methods_of.setdefault(owner, []).append(node.name)
            if any(_last(each) in PROPERTIES for each in node.decorator_list):
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
                self._replaced(target, node.value, when)
                self._named_by_item(target, node.value)
                self._watch_target(node, target, node.value, when)
                self._keep_attribute(target, node.value)
            elif (isinstance(target, ast.Name) and target.id.startswith("__")
                  and scope.removesuffix(".") in self._classes):  # fmt: skip
                self._use_callable(node.value, "construction", f"is made {target.id}")
            if isinstance(node, ast.AugAssign):
                if isinstance(target, ast.Name) and (held := self._values.get(target.id)) is not None:
                    self._values[target.id] = ast.BinOp(held, node.op, node.value)
                    self._values[target.id] = self._plain(self._values[target.id])
            else:
                self._bind(target, node.value)

    def _watch_target(self, node: ast.stmt, target: ast.Attribute | ast.Subscript, value: ast.expr, when: str) -> None:
        """``client.on_message = f``; ``os.environ['LD_PRELOAD'] = x``."""
        if isinstance(target, ast.Attribute):
            self._attacks.listens(target.attr, value)
        elif self.resolve(target.value) == "os.environ" and (
            said := self._attacks.variable(self.fold(target.slice), value)
        ):
            self._record(node.lineno, "os.environ", "attack", when, said)

    def _keep_attribute(self, target: ast.Attribute | ast.Subscript, value: ast.expr) -> None:
        """``self.run = os.system``: the attribute is remembered whatever it is an attribute of."""
        name = self.resolve(value)
        if name is None:
            return
        matters = name.startswith(LOCAL) or name in self._known.carriers or self._known.of(name)
        if matters and isinstance(target, ast.Attribute) and len(self._attributes) < 5_000:
            self._attributes.setdefault(target.attr, name)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            held = self._values.get(value.id, value) if isinstance(value, ast.Name) else value
            values = (
                held.elts if isinstance(held, ast.Tuple | ast.List) and len(held.elts) == len(target.elts) else None
            )
            for index, each in enumerate(target.elts):
                self._bind(each, values[index] if values else None)
            return
        if not isinstance(target, ast.Name):
            return
        name = None if value is None else self.resolve(value)
        before = self._names.get(target.id)
        if name is None and self._nested_block and before is not None and self._known.of(before):
            name = before  # the other branch may not be taken
        self._set(target.id, name)
        if value is None:
            self._values[target.id] = _NOTHING
        elif self._kept < _MOST_VALUES:
            self._kept += 1
            ambiguous = self._nested_block and target.id in self._values
            self._values[target.id] = _NOTHING if ambiguous and _is_text(value) else self._plain(value)

    def _plain(self, value: ast.expr) -> ast.expr:
        if not isinstance(value, _COMPUTED):
            return value
        if isinstance(value, ast.Name):
            return self._values.get(value.id, value)
        text = self.fold(value)
        return ast.Constant(text) if isinstance(text, str | bytes | int) else value

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
                    self._loop(generator.target, generator.iter, when)
            elif kind is ast.Subscript:
                self._use_item(each, when)
            elif kind is ast.Attribute:
                if each.attr in self._properties:
                    self._waiting[when].extend(Waiting(name) for name in self._methods.get(each.attr, ())[:10])
            elif kind is ast.List or kind is ast.Dict or kind is ast.Tuple or kind is ast.Set:
                self._use_items(each, when)
            # the first child is taken first, so that what binds a name comes before what uses it
            for value in reversed(each.__dict__.values()):
                if type(value) is list:
                    stack.extend([part for part in reversed(value) if type(part) not in _LEAVES])
                elif type(value) not in _LEAVES:
                    stack.append(value)


#: What a name stands for that says nothing.
_NOTHING = ast.Constant(None)


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)
    )


def _is_named(node: ast.Assign, name: str) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == name


def _last(decorator: ast.expr) -> str:
    return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")


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
