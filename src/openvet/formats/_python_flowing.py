"""Texts and expressions that flow into a call, in one source, and the texts that stand in it at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.formats._addresses import KNOWN, is_foreign
from openvet.formats._python_nodes import walk
from openvet.formats._python_resolve import NEAR

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["Flowing", "texts_of"]

_MOST_NODES: Final = 100_000


class Flowing:
    """What flows in one source."""

    __slots__ = ("_constants", "_of", "_to_others", "text")

    def __init__(self, uses: Record, text: str) -> None:
        self._of = uses
        self.text = text
        #: every text of the source, and whether one is an address of somebody else; read where a call first asks for it
        self._constants: frozenset[str] | None = None
        self._to_others: bool | None = None

    def parts(self, nodes: list[ast.expr], *, headers: bool = False) -> Iterator[ast.expr]:
        """Everything that may flow into expressions of what is being read; ``headers``: also by the headers of a call on the way."""
        for part, _ in self._of.flows.into(nodes, self._of.scopes):
            yield part
            if headers and isinstance(part, ast.Call):
                for word in part.keywords:
                    if word.arg == "headers":
                        yield word.value

    def texts(self, nodes: list[ast.expr]) -> list[str]:
        """The constant texts and places among what flows in."""
        found = []
        for part in islice(self.parts(nodes), 400):
            text = part.value if isinstance(part, ast.Constant) else None
            if text is None and isinstance(part, ast.Call | ast.BinOp | ast.JoinedStr):
                text = self._of.fold(part)
                text = text if isinstance(text, str) else self._of.place_of(part)
            if isinstance(text, bytes):
                text = text.decode("latin-1")
            if isinstance(text, str):
                found.append(text)
        return found

    def name(self, node: ast.expr) -> str:
        """The full name of what is called, also of what a neighbouring file gives; empty where that is not known."""
        return (self._of.resolve(node) or "").removeprefix(NEAR)

    def every_text(self) -> frozenset[str]:
        """Every text that stands in the source."""
        if self._constants is None:
            self._constants = frozenset(texts_of(self._of.tree))
        return self._constants

    def names_others(self) -> bool:
        """Whether an address of somebody else stands in the source."""
        if self._to_others is None:
            self._to_others = any(
                is_foreign([f"https:{each}" if each.startswith("//") else each])
                for each in self.every_text()
                if "//" in each and not KNOWN.match(each)
            )
        return self._to_others


def texts_of(node: ast.AST) -> Iterator[str]:
    """The texts that stand in a part of a source."""
    for each in islice(walk(node), _MOST_NODES):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
