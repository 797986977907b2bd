"""PaddlePaddle programs: ``.pdmodel`` and ``__model__``.

A protocol buffer (ProgramDesc)::

    1 blocks: variables, operators with their inputs, outputs and attributes     4 version     5 versions of operators

Loading a program runs nothing; running it runs every operator, and some open the file or the address that an attribute names.
The newer form, JSON with ``"magic": "pir"``, is read as JSON, and the same rules look at it.

Specification: ``paddle/phi/core/framework/framework.proto`` of https://github.com/PaddlePaddle/Paddle
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

from openvet.core.tables import read_table
from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._protobuf import Field, Walker, may_begin, probing, schema
from openvet.io.source import Source

__all__ = ["FORMAT", "operators", "probe", "read"]

FORMAT = Format(
    id="paddle-program",
    title="PaddlePaddle program",
    extensions=(".pdmodel",),
    media_types=(),
    can_tell=("every operator of every block, and the texts that dangerous ones are given",),
    cannot_tell=("what the numbers do", "what custom operators do"),
)

_RULE = "paddle/structure-lies"
_NAMES = 5_000
_TEXTS = 32
_PROBED = 64
_PROBED_INSIDE = 4096


def probe(head: Head) -> Likeness:
    """Blocks that have a number, their parent's, and variables or operators; other fields are passed over, up to a number."""
    if head.size < 8 or not may_begin(head, 1):
        return Likeness.NO
    walker = probing(head, schema("paddle"))
    for field in walker.first("ProgramDesc", 0, head.size, _PROBED):
        if field.name == "blocks":
            return Likeness.STRONG if _is_block(walker, field) else Likeness.NO
    return Likeness.NO


def _is_block(walker: Walker, block: Field) -> bool:
    seen: set[int] = set()
    for part in walker.first("BlockDesc", block.at, block.end, _PROBED_INSIDE):
        seen.add(part.number)
        if {1, 2} <= seen and {3, 4} & seen:
            return True
    return False


def read(source: Source, facts: Facts) -> None:
    """Walk every block.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more kinds of operators than are read.
    """
    reader = _Reader(source, facts)
    try:
        for field in reader.walker.message("ProgramDesc", 0, source.size):
            if field.name == "blocks":
                reader.block(field)
            elif field.spec.type:
                reader.walker.sweep(field.spec.type, field.at, field.end)
    finally:
        reader.put()


class _Reader:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.facts = facts
        self.walker = Walker(source, facts, schema("paddle"))
        self.counts: Counter[str] = Counter()
        self.told: list[dict[str, Any]] = []
        self.risky = operators("code", "writes", "reads", "network", "engines")
        self.variables = 0

    def block(self, whole: Field) -> None:
        for field in self.walker.message("BlockDesc", whole.at, whole.end):
            if field.name == "ops":
                self.operator(field)
            elif field.spec.type:
                self.variables += field.name == "vars"
                self.walker.sweep(field.spec.type, field.at, field.end)

    def operator(self, whole: Field) -> None:
        """One OpDesc. Where it has two types, both are judged."""
        names: list[str] = []
        texts: list[str] = []
        for field in self.walker.message("OpDesc", whole.at, whole.end):
            if field.name == "type":
                names.append(printable(self.walker.text(field, 200)))
            elif field.name == "attrs":
                self.attribute(field, texts)
            elif field.spec.type:
                self.walker.sweep(field.spec.type, field.at, field.end)
        for name in names:
            self.counts[name] += 1
            if len(self.counts) > _NAMES:
                raise LimitError("records", _NAMES, "more kinds of operators than are read", offset=whole.at)
            if name in self.risky and len(self.told) < self.facts.limits.records:
                self.told.append({"operator": name, "texts": texts, "offset": whole.tag_at})

    def attribute(self, whole: Field, texts: list[str]) -> None:
        for field in self.walker.message("OpDesc-Attr", whole.at, whole.end):
            if field.name in {"s", "strings"} and len(texts) < _TEXTS:
                text = self.walker.text(field)
                if text:
                    texts.append(printable(shorten(text, 300)))
            elif field.spec.type:
                self.walker.sweep(field.spec.type, field.at, field.end)

    def put(self) -> None:
        self.facts.note("operators", dict(sorted(self.counts.items())))
        self.facts.note("variables", self.variables)
        if self.told:
            self.facts.note("told", self.told)
        self.walker.report(_RULE, "a program of PaddlePaddle")


@cache
def _table() -> dict[str, str]:
    return read_table("paddle_operators")


def operators(*keys: str) -> frozenset[str]:
    """The operators under these keys of ``data/paddle_operators.toml``."""
    return frozenset(name for key in keys for name in _table()[key].split())
