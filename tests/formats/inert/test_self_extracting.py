"""Self-extracting scripts: where the script ends, and what is no such script."""

from __future__ import annotations

import gzip

import pytest

from openvet.core.limits import Budget
from openvet.errors import LimitError
from openvet.formats import self_extracting
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource

_PACKED = gzip.compress(b"weights " * 40, mtime=0)


def probe(data: bytes, name: str = "model.run") -> Likeness:
    return self_extracting.probe(Head(name, BytesSource(data)))


def members(data: bytes) -> dict[str, bytes]:
    facts = Facts("model.run", "model.run", Budget())
    self_extracting.read(BytesSource(data), facts)
    out = {}
    for each in facts.members:
        source = each.open()
        out[each.name] = source.read(0, source.size)
    return out


def test_a_script_and_what_it_unpacks() -> None:
    script = "#!/bin/sh\necho größer\nexit 0\n".encode()
    assert members(script + _PACKED) == {"script.sh": script, "unpacked": _PACKED}
    assert members(script + b"GGUF\3\0\0\0") == {"script.sh": script, "unpacked": b"GGUF\3\0\0\0"}
    python = b"#!/usr/bin/env python3\nprint(1)\n"
    assert set(members(python + _PACKED)) == {"script.py", "unpacked"}


@pytest.mark.parametrize(
    ("data", "likeness"),
    [
        (b"#!/bin/sh\n" + _PACKED, Likeness.WEAK),
        (b"#! /usr/bin/env bash\n" + _PACKED, Likeness.WEAK),
        (b"tail -n +2 $0 | tar x; exit\n" + _PACKED, Likeness.WEAK),  # by its name
        (b"#!/bin/sh\necho all of it is text\n", Likeness.NO),
        (b"#!/bin/sh" + _PACKED[:20], Likeness.NO),
        (_PACKED, Likeness.NO),
    ],
)
def test_what_is_such_a_script(data: bytes, likeness: Likeness) -> None:
    assert probe(data) is likeness


def test_without_its_name_a_first_line_is_asked_for() -> None:
    assert probe(b"tail -n +2 $0 | tar x; exit\n" + _PACKED, "model.bin") is Likeness.NO
    assert probe(b"#!/bin/sh\n" + _PACKED, "model.bin") is Likeness.WEAK


def test_a_first_line_without_an_end() -> None:
    with pytest.raises(LimitError):
        members(b"\0" * 100)
