"""More of what no honest code beside a model does: judgements of single calls, and of a source as a whole.

Where :mod:`openvet.formats._python_attacks` follows what is fetched, this asks what is done to the user: what somebody who asks a server or a
tool gives is run or read, what a keychain or a store of secrets holds is sent, files that are found in a home are removed, encrypted or
changed, a container gets the whole machine, clients of a hub are pointed elsewhere. Each is a heuristic over what flows into one call, and
each question has a room of its own.

Sources: MITRE ATT&CK T1499, T1505 and those of the rooms.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from openvet.formats._python_flowing import Flowing
from openvet.formats._python_given_away import GivenAway
from openvet.formats._python_overwritten import Overwritten
from openvet.formats._python_resolve import NEAR
from openvet.formats._python_served import Served

if TYPE_CHECKING:
    from openvet.formats._python_processes import Processes

__all__ = ["Families"]


class Families:
    """The judgements of one source, call by call and at its end."""

    __slots__ = ("_given_away", "_of", "_overwritten", "_served")

    def __init__(self, uses: Processes, text: str) -> None:
        self._of = uses
        flowing = Flowing(uses, text)
        self._served = Served(uses, flowing)
        self._overwritten = Overwritten(uses, flowing)
        self._given_away = GivenAway(uses, flowing)

    def call(self, node: ast.Call, full: str, last: str, capability: str | None) -> str:
        """What a call does, in a few words; empty for an ordinary one."""
        full = full.removeprefix(NEAR)
        return (
            self._served.runs(node, full, last, capability)
            or self._overwritten.changes(node, full, last)
            or self._served.opens(node, full, last)
            or self._given_away.sends(node, full, last, capability)
        )

    def finish(self) -> Iterator[tuple[int, str, str]]:
        """Line, what stands there, and what it does."""
        for part in self._of.nodes:
            if isinstance(part, ast.While) and isinstance(part.test, ast.Constant) and part.test.value:
                for each in part.body:
                    if (
                        isinstance(each, ast.Expr)
                        and isinstance(each.value, ast.Call)
                        and self._of.resolve(each.value.func) == "os.fork"
                    ):
                        yield part.lineno, "os.fork", "starts itself until nothing else can run"
            elif isinstance(part, ast.Assign):
                yield from self._overwritten.assigned(part)
            elif isinstance(part, ast.JoinedStr) and self._given_away.shows(part):
                yield (
                    part.lineno,
                    "a text",
                    "puts what is said into the address of a picture, which whoever shows it asks for",
                )
