"""What functions of a Python source give and take, so that what one file takes from its user and another sends can be joined.

Three lists for each source: functions (and constants) that *give* something private, functions that *send* what they are given, and calls by which
one meets the other: of a neighbour's function, or of what sends, with what a neighbour gives among what flows in. Rules go through the sources of a
repository with them (:mod:`openvet.checks.python._handed`). Names are resolved as the module binds them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.formats._private_places import PRIVATE
from openvet.formats._python_calls import last_name, parameters
from openvet.formats._python_ends import ends
from openvet.formats._python_flows import Scopes
from openvet.formats._python_nodes import walk
from openvet.formats._python_resolve import LOCAL, NEAR
from openvet.formats._python_secrets import is_answer, secret_of, variable_of
from openvet.formats._python_told import NETWORK, Handed, Meeting

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["handed"]

_MOST_CALLS: Final = 3_000
_MOST_PARTS: Final = 200
_MOST: Final = 200
_VARIABLE: Final = " of the environment"


def handed(uses: Record) -> Handed:
    """The lists of one source that was read."""
    near = any(full is not None and full.startswith(NEAR) for full in uses.bound.values())
    talks = any(capability == "network" for _, _, capability, _, _, _ in uses.uses)
    if not (near or talks or uses.takes_secrets):
        return Handed()
    reader = _Reader(uses)
    gives = dict(reader.constants()) if uses.takes_secrets else {}
    passes: dict[str, tuple[str, ...]] = {}
    for name, function in islice(uses.functions.items(), _MOST):
        private, given = reader.returned(function)
        if private:
            gives[name] = private
        if given:
            passes[name] = given
    sends, meetings = reader.calls() if near or talks else ((), ())
    return Handed(tuple(gives.items()), tuple(passes.items()), sends, meetings)


class _Reader:
    def __init__(self, uses: Record) -> None:
        self._of = uses
        self._owners = {id(function): name for name, function in uses.functions.items()}
        #: what is told of expressions that are met again and again, by their identity: names are all bound by now
        self._secrets: dict[int, str] | None = None
        self._variables: dict[int, bool] = {}
        self._neighbours: dict[int, str] = {}

    def constants(self) -> Iterator[tuple[str, str]]:
        """Names of the module that stand for a private place."""
        for node in getattr(self._of.tree, "body", ()):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                text = self._of.fold(node.value)
                if isinstance(text, str) and (found := PRIVATE.search(text)):
                    yield node.targets[0].id, f"takes {found.group()}"

    def returned(self, function: ast.AST) -> tuple[str, tuple[str, ...]]:
        """What a function gives that is private, and whose values it gives beside."""
        scopes = self._of.flows.scopes_of(function)
        body = [function.body] if isinstance(function, ast.Lambda) else [
            each.value for each in islice(walk(function), 5_000) if isinstance(each, ast.Return | ast.Yield) and each.value is not None
        ]  # fmt: skip
        if not body:
            return "", ()
        return self._private(body, scopes), self._near(body, scopes)

    def _private(self, nodes: list[ast.expr], scopes: Scopes) -> str:
        """What flows into expressions that is private as a whole: a file, or the environment; single variables of it do not count."""
        if not self._of.takes_secrets:
            return ""
        if self._secrets is None:
            parts = (each for each in self._of.nodes if isinstance(each, ast.expr))
            self._secrets = {id(each): found for each in parts if (found := secret_of(self._of, each, variables=True))}
        secrets = self._secrets
        if all(_VARIABLE in each for each in secrets.values()):
            return ""

        def stops(part: ast.expr) -> bool:
            known = self._variables.get(id(part))
            if known is None:
                known = self._variables[id(part)] = variable_of(self._of, part) is not None
            return known or (part not in nodes and is_answer(self._of, part))

        flowing = self._of.flows.into(nodes, scopes, stops)
        found = next((secrets[id(part)] for part, _ in flowing if id(part) in secrets), "")
        return "" if _VARIABLE in found else found

    def _near(self, nodes: list[ast.expr], scopes: Scopes) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for part, where in islice(self._of.flows.into(nodes, scopes), _MOST_PARTS):
            name = self._neighbours.get(id(part))
            if name is None:
                name = self._neighbours[id(part)] = self._neighbour(part, where)
            if name:
                found.setdefault(name)
        return tuple(found)[:20]

    def _neighbour(self, part: ast.expr, scopes: Scopes) -> str:
        """The neighbour's function or constant that an expression is or calls; empty for any other."""
        named = part.func if isinstance(part, ast.Call) else part
        name = self.name_of(named, scopes) if isinstance(named, ast.Name | ast.Attribute) else None
        return name if name is not None and name.startswith(NEAR) else ""

    def calls(self) -> tuple[tuple[str, ...], tuple[Meeting, ...]]:
        """Functions that send what they are given, and calls that are given something."""
        sends: dict[str, None] = {}
        meetings: list[Meeting] = []
        own = ends().own
        said = own.headers | own.logins | own.limits
        for call, scopes in islice(self._of.flows.every_call(), _MOST_CALLS):
            resolved = self._of.resolve(call.func) or ""
            network = (
                self._of.known.of(resolved) == "network"
                or self._of.known.of(resolved.split("()")[0]) == "network"
                or last_name(call.func) in ends().senders
                or self._asks(call, scopes)
            )
            name = NETWORK if network else self.name_of(call.func, scopes) or ""
            given = [
                *call.args,
                *(each.value for each in call.keywords if each.arg not in said),
            ]
            if not name or not given or len(meetings) >= _MOST:
                continue
            if network:
                for part, where in islice(self._of.flows.into(given, scopes), _MOST_PARTS):
                    for scope in where if isinstance(part, ast.Name) else ():
                        if part.id in parameters(scope, starred=True) and id(scope) in self._owners:  # type: ignore[attr-defined]
                            sends.setdefault(self._owners[id(scope)])
                            break
            near = self._near(given, scopes)
            private = self._private(given, scopes) if not network else ""
            if near or private:
                owner = next((self._owners[id(each)] for each in scopes if id(each) in self._owners), "")
                meetings.append(Meeting(call.lineno, owner, name, near, private))
        return tuple(sends), tuple(meetings)

    def _asks(self, call: ast.Call, scopes: Scopes) -> bool:
        """Whether a method is one of a connection that something flows from."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in ends().sends.asks:
            return False
        parts = islice(self._of.flows.into([call.func.value], scopes), 20)
        return any(
            isinstance(part, ast.Call) and self._of.known.of(self._of.resolve(part.func) or "") == "network"
            for part, _ in parts
        )

    def name_of(self, node: ast.expr, scopes: Scopes) -> str | None:
        """The full name of a function of this source or of a neighbour's; ``None`` for any other."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        rest = "".join(f".{each}" for each in reversed(parts))
        if node.id in ("self", "cls") and len(parts) == 1:
            owner = next((self._owners[id(each)] for each in scopes if id(each) in self._owners), "").rpartition(".")[0]
            if f"{owner}{rest}" in self._of.functions:
                return f"{LOCAL}{owner}{rest}"
            return next((f"{base}{rest}" for base in self._of.bases_of(owner) if base.startswith(NEAR)), None)
        full = self._of.bound.get(node.id)
        return full + rest if full is not None and full.startswith((NEAR, LOCAL)) else None
