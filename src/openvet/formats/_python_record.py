"""What is said of one Python source so far, and what those who judge its calls ask of it.

:class:`Record` keeps what was found, each once, with the function in which it is; and answers where a value may come from, what a path or an
argument looks like, what a class is made of.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from openvet.core.pattern import pattern
from openvet.formats._python_calls import last_name, receiver
from openvet.formats._python_flows import Flows, Scopes
from openvet.formats._python_names import Capabilities
from openvet.formats._python_nodes import walk
from openvet.formats._python_resolve import LOCAL, NEAR, Names
from openvet.formats._python_secrets import may_take
from openvet.formats._python_settled import Bindings

__all__ = ["MOST_LOOKED_AT", "NOTHING", "UNCERTAIN", "Record", "shown"]

#: What a name stands for that says nothing; and what stands for a part of a text that is computed.
NOTHING = ast.Constant(None)
_MOST_NODES = 200_000
UNCERTAIN = "…"
#: Classes that a server makes of a model's own file, by their names.
_HANDLERS = frozenset({"EndpointHandler", "TritonPythonModel", "InferenceHandler", "ModelHandler", "Predictor"})
_CONNECTS = pattern(r"\bsocket\.(?:socket|create_connection)\(|\bfrom[ \t]+socket[ \t]+import\b|\.connect\(")
#: How many parts of what flows into a call are looked at.
MOST_LOOKED_AT = 300
_MOST_ASKED = 10


class Record(Names):
    """What is found in one source. ``uses`` are (line, name, capability, when, detail, owner)."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__()
        self._text = text
        self._most = most
        self._depth = depth
        self._owner = ""
        self._seen: set[tuple[int, str, str, str]] = set()
        self._secretive = may_take(text)
        self.uses: list[tuple[int, str, str, str, str, str]] = []
        self.overflown = False
        self._tree: ast.AST = ast.Module([], [])
        self._nodes: list[ast.AST] | None = None
        self._bindings: Bindings | None = None
        self._flows: Flows | None = None
        #: a function that was read for each call in the file is read for the calls that others make
        self._for_others = False
        #: functions of the file that were put in place of others, with what they are in place of
        self._in_place: dict[str, str] = {}
        #: where processes are started, and whether each command there starts an ordinary program
        self.tools: dict[tuple[int, str, str], bool] = {}
        self._is_tool = False

    # what judgements ask for

    @property
    def text(self) -> str:
        return self._text

    @property
    def known(self) -> Capabilities:
        return self._known

    @property
    def owner(self) -> str:
        """The function that is being read."""
        return self._owner

    @property
    def bindings(self) -> Bindings:
        """What the names of the source are bound to, and where."""
        if self._bindings is None:
            self._bindings = Bindings(self._tree)
        return self._bindings

    @property
    def flows(self) -> Flows:
        """Where values of the source come from."""
        if self._flows is None:
            self._flows = Flows(self._tree, self.bindings)
        return self._flows

    @property
    def scopes(self) -> Scopes:
        """The functions around what is being read."""
        return tuple(self._scopes_around())

    @property
    def tree(self) -> ast.AST:
        return self._tree

    @property
    def nodes(self) -> list[ast.AST]:
        """The nodes of the tree, outer ones first, gone through once for all who look at each."""
        if self._nodes is None:
            self._nodes = list(islice(walk(self._tree), _MOST_NODES))
        return self._nodes

    @property
    def functions(self) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
        """The functions of the source by their names."""
        return self._functions

    @property
    def bound(self) -> Mapping[str, str | None]:
        """What the names of the module stand for."""
        return self._module_names

    @property
    def takes_secrets(self) -> bool:
        """Whether the source holds a word by which a secret is taken."""
        return self._secretive

    def bases_of(self, name: str) -> list[str]:
        """The full names of what a class of the source is made of."""
        made = self._classes.get(name)
        return [] if made is None else [full for each in made.bases if (full := self.resolve(each)) is not None]

    def function_of(self, owner: str) -> ast.AST:
        """The function that is called so; the module for no name."""
        return self._functions.get(owner, self._tree)

    def is_model(self, name: str) -> bool:
        """Whether a class of the source is made of another."""
        return name in self._classes and (bool(self._classes[name].bases) or name in _HANDLERS)

    @property
    def connects(self) -> bool:
        """Whether the source connects a socket somewhere."""
        return _CONNECTS.search(self._text) is not None

    def _flowing(self, nodes: list[ast.expr], stop: Callable[[ast.expr], bool]) -> Iterator[ast.expr]:
        """Everything that may flow into expressions of what is being read."""
        return (part for part, _ in self.flows.into(nodes, self.scopes, stop))

    def is_shown(self, node: ast.Call, names: frozenset[str]) -> bool:
        """Whether one of the callables is among what a call is given."""
        return any(
            not isinstance(each, ast.Call | ast.Constant) and (self.resolve(each) or "") in names for each in node.args
        )

    def all_of(self, node: ast.expr) -> list[ast.expr]:
        """Everything in an expression, and in what its names come from."""
        parts = list(walk(node))
        for name in [part.id for part in parts if isinstance(part, ast.Name)][:_MOST_ASKED]:
            parts += [part for each in self.led_from(name) for part in walk(each)]
        return [part for part in parts if isinstance(part, ast.expr)]

    def led_from(self, name: str) -> list[ast.expr]:
        """The expressions from which ``name`` may come in the function that is being read, or in the module."""
        found: list[ast.expr] = []
        for scope in [*self._scopes_around(), self._tree]:
            found += self.bindings.origins(name, scope)[1]
        return [*found, *super().led_from(name)][:MOST_LOOKED_AT]

    def _scopes_around(self) -> list[ast.AST]:
        """The functions of the source around what is being read, innermost first."""
        scopes: list[ast.AST] = []
        owner = self._owner
        while owner:
            if owner in self._functions:
                scopes.append(self._functions[owner])
            owner = owner.rpartition(".")[0]
        return scopes

    # how it is told

    def place_of(self, node: ast.expr, hops: int = 12) -> str | None:
        """The text of a path, as far as it can be said: where it is said to be, not where that is on a machine."""
        if isinstance(node, ast.Name) and hops and (held := self._values.get(node.id)) is not None:
            return self.place_of(held, hops - 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and hops:
            left, right = self.place_of(node.left, hops - 1), self.fold(node.right)
            return f"{left or UNCERTAIN}/{right if isinstance(right, str) else UNCERTAIN}"
        if not isinstance(node, ast.Call) or not hops:
            text = self.fold(node)
            return text if isinstance(text, str) else None
        name = last_name(node.func)
        if name == "home" and not node.args:
            return "~"
        if (
            name in ("get", "getenv")
            and len(node.args) == 2
            and self.resolve(node.func) in ("os.environ.get", "os.getenv")
        ):
            return self.place_of(node.args[1], hops - 1)  # where it is unless somebody said otherwise
        first = receiver(node) if name != "Path" else []
        parts = [self.place_of(each, hops - 1) for each in (*first, *node.args)]
        return "/".join(each or UNCERTAIN for each in parts)

    def _arguments(self, node: ast.Call) -> str:
        parts = []
        on_path = [each for each in receiver(node) if self.resolve(each) == "pathlib.Path()"]
        for argument in [*on_path, *node.args[:3]]:
            value = self.fold(argument)
            if value is None and self.resolve(argument) == "pathlib.Path()":
                value = self.place_of(argument)
            if value is None and isinstance(argument, ast.List | ast.Tuple):
                texts = [self.fold(each) for each in argument.elts[:6]]
                value = " ".join("…" if part is None else str(part) for part in texts)
            elif isinstance(value, list):
                value = " ".join(map(str, value[:6]))
            parts.append("…" if value is None else repr(value[:200] if isinstance(value, str | bytes) else value))
        return ", ".join(parts)

    # what was found

    def _use(self, node: ast.expr, name: str, capability: str, when: str, detail: str) -> None:
        self._record(node.lineno, name.removeprefix("builtins."), capability, when, detail)

    def _record(self, line: int, name: str, capability: str, when: str, detail: str) -> None:
        if capability in ("process", "fetch"):
            where = (line, name, when)
            self.tools[where] = self.tools.get(where, True) and self._is_tool
        self._is_tool = False
        if self._for_others and when == "call":
            if capability not in ("process", "code", "attack"):
                return
            capability = "handed" if capability != "attack" else capability
        moment = f"{when} {self._owner}" if when == "call" else ""
        if (line, name, capability, moment) in self._seen:
            return
        if capability == "network" and self._in_place and (replaced := self._in_place.get(self._owner)):
            self._record(line, replaced, "hidden", when, "has a function that uses the network put in its place")
        if len(self.uses) >= self._most:
            self.overflown = True
            return
        self._seen.add((line, name, capability, moment))
        self.uses.append((line, name, capability, when, detail, self._owner))


def shown(name: str | None) -> str:
    return "something" if name is None else name.removeprefix("builtins.").removeprefix(LOCAL).removeprefix(NEAR)
