"""Functions of Python in plans and expressions of Polars, which Polars unpickles to run them.

::

    "PLPYFN", the version of Python u8 u8, 4 to 32 bytes more, a pickle or one of cloudpickle

A plan keeps them as bytes, or as an array of numbers, in which MessagePack puts ``cc`` in front of each byte above 7f.

Reference: ``crates/polars-plan/src/dsl/python_dsl`` of https://github.com/pola-rs/polars
"""

from __future__ import annotations

import re
from functools import partial

from openvet.core.pattern import pattern
from openvet.errors import LimitError
from openvet.formats._format import Facts, Member
from openvet.io.source import BytesSource, Source

__all__ = ["hand_on_function", "hand_on_functions"]

_AHEAD = 128
_PICKLE = pattern(rb"\x80[\x02-\x05]")
_BEGINS = pattern(rb"\x80[\x02-\x05](?:\x95.{6}\x00\x00|[(\]}c\x8c])", re.DOTALL)
_WIDE = pattern(rb"\xcc([\x80-\xff])", re.DOTALL)
_MOST_MEMBERS = 64


def hand_on_function(data: Source, facts: Facts, at: int) -> None:
    """Make a member of the pickle in bytes that begin with the mark."""
    found = _PICKLE.search(data.upto(0, _AHEAD))
    if found is not None:
        _add(data.window(found.start(), data.size - found.start()), facts, at)


def hand_on_functions(source: Source, facts: Facts) -> None:
    """Make members of the pickles anywhere in a plan, also of those that are arrays of numbers.

    Raises:
        LimitError: the plan is longer than is looked through.
    """
    if source.size > facts.limits.text:
        raise LimitError("text", facts.limits.text, "a plan is longer than is looked through", offset=0)
    plain = source.read(0, source.size)
    for data in (plain, _WIDE.sub(rb"\1", plain)):
        for number, found in enumerate(_BEGINS.finditer(data)):
            if number >= _MOST_MEMBERS:
                facts.unknown(
                    "limit", f"more than {_MOST_MEMBERS} functions of Python, the rest of which were not read"
                )
                return
            _add(BytesSource(data[found.start() :]), facts, found.start())


def _add(data: Source, facts: Facts, at: int) -> None:
    facts.add_members([Member(f"python-function-{at}.pkl", data.size, partial(_same, data), at)])


def _same(data: Source) -> Source:
    return data
