"""Plans of Polars (``LazyFrame.serialize``): what is to be done with which tables, as MessagePack.

::

    "DSL_VERSION", format u32 u32 (little-endian), sum of the schema: 64 hexadecimal digits, MessagePack

A plan may hold functions of Python, which become members, libraries that Polars loads, and tables; it may name files to read. Who
deserializes a plan and collects it runs all of that.

Reference: ``crates/polars-plan/src/dsl/plan.rs`` of https://github.com/pola-rs/polars
"""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.errors import MalformedError
from openvet.formats import msgpack
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._polars import hand_on_functions
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="polars-plan",
    title="Polars plan",
    extensions=(),
    media_types=(),
    can_tell=("functions of Python that it holds, and whether it has a library loaded", "every value to the last byte"),
    cannot_tell=("what the plan does to tables", "which files it reads"),
)
_MARK = b"DSL_VERSION"
_SUM = pattern(rb"DSL_VERSION.{2,12}?(?=[0-9a-f]{64})[0-9a-f]{64}", re.DOTALL)
_HEAD = 96
_LIBRARY = pattern(rb"Ffi[A-Z]\w{2,20}")
#: What its bytes begin with.
STARTS = (_MARK,)


def probe(head: Head) -> Likeness:
    return Likeness.STRONG if _SUM.match(head.data[:_HEAD]) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the values, and look for functions.

    Raises:
        MalformedError: it has no head, or the values break off.
        LimitError: it is longer than is looked through.
    """
    head = _SUM.match(source.upto(0, _HEAD))
    if head is None:
        raise MalformedError("does not begin as a plan", offset=0)
    body = source.window(head.end(), source.size - head.end())
    hand_on_functions(body, facts)
    if _LIBRARY.search(body.read(0, body.size)):
        facts.unknown("unsupported", "has a library loaded that it names")
    msgpack.read(body, facts)
