"""Which functions of a source run because of a call in it, what they are given, and which calls go to neighbouring files."""

from __future__ import annotations

import ast
from collections import ChainMap
from typing import NamedTuple

from openvet.formats._python_callers import is_of_its_own
from openvet.formats._python_calls import last_name
from openvet.formats._python_nodes import walk
from openvet.formats._python_processes import LONGEST_COMMAND, Processes
from openvet.formats._python_record import NOTHING
from openvet.formats._python_resolve import LOCAL, NEAR
from openvet.formats._python_settled import defaults_of

__all__ = ["BY_DEFAULT", "Given", "Queue", "Waiting"]

Given = tuple[tuple[str, str], ...]
#: Parameters with the text of the expressions that they stand for; :data:`BY_DEFAULT` where a loader calls, and leaves defaults.
Handed = tuple[tuple[str, str], ...]
BY_DEFAULT: Handed = (("", ""),)
#: Names that methods of all sorts of things have: ``model.eval()``.
_OF_ANYTHING = frozenset({"eval", "exec", "compile", "evaluate", "main", "get"})
_MOST_NEAR = 5_000
_MOST_HANDED = 400


class Waiting(NamedTuple):
    """A function of the file that something calls, with the names and the expressions that are given for its parameters."""

    name: str
    given: Given = ()
    handed: Handed = ()


class Queue(Processes):
    """The functions of one source that wait to be read, by when they run."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        self._waiting: dict[str, list[Waiting]] = {"import": [], "construction": [], "inference": [], "call": []}
        self._handed_texts: dict[str, ast.expr] = {}
        self._runners: dict[int, bool] = {}
        #: calls into neighbouring files, and between functions that nothing calls: (owner, name, when) and the line
        self.near: dict[tuple[str, str, str], int] = {}
        #: those of them that hand over an address of the source's own choice
        self.addressed: set[tuple[str, str, str]] = set()

    def _queue(
        self, name: str | None, when: str, line: int = 0, given: Given = (), node: ast.Call | None = None
    ) -> None:
        """Functions of this file that a call of ``name`` runs; calls into neighbouring files are noted."""
        if name is None:
            return
        if name.startswith(NEAR):
            self._near_call(name, when, line)
            if node is not None and is_of_its_own(node):
                self.addressed.add((self._owner if when == "call" else "", name.replace("()", ""), when))
            return
        if not name.startswith(LOCAL):
            return
        local = name[len(LOCAL) :]
        if when == "call" and self._owner and local != self._owner:
            self._near_call(name, when, line)
        if local.endswith("()"):  # an object is called
            local = f"{local[:-2]}.__call__"
        owner, _, method = local.rpartition(".")
        if owner.endswith("()"):  # of an object; a class made of its class may have the method anew
            self._methods_named(method, when, node)
        plain = local.replace("()", "")
        self._wait(plain, when, given, node, bound=owner.endswith("()") or self._is_of_class(plain))
        if plain in self._classes:
            self._made(plain, when, given, node)

    def _near_call(self, name: str, when: str, line: int) -> None:
        if len(self.near) < _MOST_NEAR:
            self.near.setdefault((self._owner if when == "call" else "", name.replace("()", ""), when), line)
        else:
            self.overflown = True

    def _unknown_call(self, node: ast.Call, when: str) -> None:
        """A call of something that cannot be known: a method of some object, an item of some container."""
        called = node.func
        if isinstance(called, ast.Name):
            for star in self._stars:
                self._near_call(f"{star}.{called.id}", when, node.lineno)
        elif isinstance(called, ast.Attribute):
            self._methods_named(called.attr, when, node)
        held = called
        if isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute):
            held = called.func.value  # handlers.get(kind)()
        elif isinstance(called, ast.Subscript):
            held = called.value
        if isinstance(held, ast.Name):
            held = self._values.get(held.id, held)
        if isinstance(held, ast.Dict | ast.List | ast.Tuple):
            for each in (held.values if isinstance(held, ast.Dict) else held.elts)[:100]:
                if (name := self.resolve(each)) and name.startswith(LOCAL):
                    self._queue(name, when, node.lineno)

    def _methods_named(self, method: str, when: str, node: ast.Call | None = None) -> None:
        for name in self._methods.get(method, ())[:20]:
            self._wait(name, when, (), node, bound=True)

    def _is_of_class(self, name: str) -> bool:
        """Whether a method is given its class, whatever it is called on."""
        function = self._functions.get(name)
        return any(last_name(each) == "classmethod" for each in getattr(function, "decorator_list", ()))

    def _made(self, local: str, when: str, given: Given, node: ast.Call | None, depth: int = 0) -> None:
        """An object of a class of this file comes to be: any of its special methods may be reached by an operator."""
        for given_base in self._classes[local].bases[:10] if node is not None and local in self._classes else []:
            full = self.resolve(given_base)
            if full is not None and node is not None and self._known.of(full) == "process":
                self._use(node, full, self._kind(node, full), when, self._arguments(node))
        for method in self._methods_of.get(local, ()):
            if method == "__init__":
                self._wait(f"{local}.{method}", when, given, node, bound=True)
            elif method.startswith("__") and method.endswith("__"):
                self._waiting[when].append(Waiting(f"{local}.{method}"))
        for base in self._local_bases(local) if depth < 5 else []:
            self._made(base, when, given, node, depth + 1)

    # once for each command that is handed over

    def _wait(self, name: str, when: str, given: Given, node: ast.Call | None, *, bound: bool = False) -> None:
        """A call of a function of this file; once for each command that it hands over, where it runs what it is given."""
        function = self._functions.get(name)
        if function is None or node is None or not self._is_by_name(node.func, name, function):
            self._waiting[when].append(Waiting(name, given))
            return
        if not self._runs_commands(function):
            self._waiting[when].append(Waiting(name, given))
            return
        for handed in self._handed_over(node, function, bound=bound):
            self._waiting[when].append(Waiting(name, given, handed))

    def _is_by_name(self, called: ast.expr, name: str, function: ast.AST) -> bool:
        """Whether a function is called as what it is, and not as what ``functools.partial`` made of it."""
        if isinstance(function, ast.Lambda):
            return isinstance(called, ast.Name) and self._values.get(called.id) is function
        owner, _, own = name.rpartition(".")
        return last_name(called) == (owner.rpartition(".")[2] if own == "__init__" else own)

    def _runs_commands(self, function: ast.AST, hops: int = 3) -> bool:
        """Whether a function may run a command or a text that it is given."""
        known = self._runners.get(id(function))
        if known is None:
            self._runners[id(function)] = False  # where it calls itself
            calls = [each.func for each in walk(function) if isinstance(each, ast.Call)]
            called = {last_name(each) for each in calls
                      if not (isinstance(each, ast.Attribute) and each.attr in _OF_ANYTHING)}  # fmt: skip
            named = [self._functions.get(each) for each in sorted(called) if hops]
            known = (
                not self._known.runners.isdisjoint(called)
                or any(isinstance(each, ast.Call) for each in calls)
                or any(each is not None and self._runs_commands(each, hops - 1) for each in named)
            )
            self._runners[id(function)] = known
        return known

    def _handed_over(self, node: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, *, bound: bool
                     ) -> list[Handed]:  # fmt: skip
        """What the parameters of ``function`` stand for in this call, in each way; nothing of it where that cannot be said."""
        arguments = function.args
        names = [each.arg for each in [*arguments.posonlyargs, *arguments.args]][1 if bound else 0 :]
        starred = any(isinstance(each, ast.Starred) for each in node.args) or any(
            not each.arg for each in node.keywords
        )
        if starred or len(node.args) > len(names) or len(self._handed_texts) > _MOST_HANDED:
            return [()]
        passed = dict(zip(names, node.args, strict=False))
        passed.update((each.arg, each.value) for each in node.keywords if each.arg)
        found: list[Handed] = []
        values = self._values
        for overlay in self._overlays(list(passed.values())):
            self._values = ChainMap(overlay, values)
            pairs = {**dict(defaults_of(function)), **{name: self._short(value) for name, value in passed.items()}}
            found.append(tuple((name, self._kept_text(value)) for name, value in pairs.items()) or BY_DEFAULT)
        self._values = values
        return found

    def _short(self, node: ast.expr) -> ast.expr:
        """The text, or the list of texts, that is handed over, or an expression that says nothing."""
        if isinstance(node, ast.List | ast.Tuple):
            return (
                ast.List([self._short(each) for each in node.elts[:60]], ast.Load())
                if len(node.elts) <= 60
                else NOTHING
            )
        if isinstance(node, ast.Name | ast.Attribute | ast.Call) and self.resolve(node) == "sys.executable":
            return node
        value = self.fold(node)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return ast.List([ast.Constant(each) for each in value[:60]], ast.Load()) if len(value) <= 60 else NOTHING
        short = isinstance(value, str | bytes) and len(value) <= LONGEST_COMMAND
        return ast.Constant(value) if short else NOTHING

    def _kept_text(self, value: ast.expr) -> str:
        text = ast.dump(value)
        self._handed_texts.setdefault(text, value)
        return text

    # what parameters stand for

    def _bound(self, node: ast.Call, name: str) -> Given:
        """What the parameters of a function of this file stand for in this call, as far as it matters."""
        if not name.startswith(LOCAL):
            return ()
        local = name[len(LOCAL) :].replace("()", "")
        function = self._functions.get(local)
        skipped = 1 if "." in local and local.rpartition(".")[0] in self._classes else 0
        if local in self._classes:
            function, skipped = self._functions.get(f"{local}.__init__"), 1
        if function is None:
            return ()
        names = [each.arg for each in [*function.args.posonlyargs, *function.args.args]][skipped:]
        pairs = [*zip(names, node.args, strict=False), *((each.arg, each.value) for each in node.keywords if each.arg)]
        return tuple((key, value) for key, argument in pairs if (value := self._worth_giving(argument)))[:20]

    def _worth_giving(self, argument: ast.expr) -> str | None:
        """The name of a function or module that matters when it is called somewhere else."""
        if isinstance(argument, ast.Constant):
            return None
        name = self.resolve(argument)
        if name is None or name in self._known.carriers or self._known.of(name):
            return name
        return name if name.startswith((LOCAL, NEAR)) and not name.endswith("()") else None
