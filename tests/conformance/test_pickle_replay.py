"""What CPython's unpicklers resolve and call is part of what the abstract machine says about the same bytes.

Every stream is replayed in a confined child by the unpickler in C and by the one in Python, with inert globals
(:mod:`openvet.sandbox.recorder`). ``OPENVET_FUZZ_EXAMPLES`` sets how many streams are made.
"""

from __future__ import annotations

import _compat_pickle
import json
import os
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts
from openvet.formats.pickle.linkers import LINKERS
from openvet.formats.pickle.program import PickleProgram
from openvet.io.source import BytesSource
from openvet.sandbox.recorder import REGISTERED
from openvet.sandbox.worker import ChildDiedError, Worker, how_confined
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_soup import mutated, soup

pytestmark = pytest.mark.skipif(how_confined().startswith("nothing"), reason="nothing confines a child here")

STREAMS = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "3000"))
PARTS = 6
RECORDER = "openvet.sandbox.recorder"

Name = tuple[str, str]


class Replayer:
    """A child that is started again when a stream kills it."""

    def __init__(self) -> None:
        self._worker = Worker(RECORDER)

    def loads(self, unpickler: bytes, stream: bytes) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads(self._worker.ask(unpickler + stream))["loads"]
            return found
        except ChildDiedError:  # out of memory or out of its C stack: nothing is known of this stream
            self._worker = Worker(RECORDER)
            return []

    def close(self) -> None:
        self._worker.close()


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    one = Replayer()
    yield one
    one.close()


def read(stream: bytes) -> Facts:
    facts = Facts("x", "x", Budget())
    pickle_format.read(BytesSource(stream), facts)
    return facts


def programs(facts: Facts) -> list[PickleProgram]:
    return [
        each
        for each in facts.programs
        if isinstance(each, PickleProgram) and each.container in ("", "reread", "shifted")
    ]


def today(name: Name) -> Name:
    """A name of Python 2 as the unpicklers translate it for protocols below 3."""
    module, attribute = name
    if name in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), attribute


def misses(facts: Facts, loads: list[dict[str, Any]]) -> list[tuple[str, Name]]:
    """What was resolved or called and is not in the facts."""
    found = programs(facts)
    references = [reference for program in found for reference in program.references]
    resolved = {(each.module, each.name) for each in references}
    called = {(each.module, each.name) for each in references if each.calls}
    # the state of a callable, or the class of an object, was changed: the rule about that reviews or rejects the file,
    # and which of the names in it are called later cannot be told apart any more
    changed = any(program.mutations for program in found)
    # what an extension code stands for is not in the file; that the file has one is a reason to reject it
    codes = any(each.kind == "extension" for program in found for each in program.computed)
    coded = set(REGISTERED.values())
    starts = {program.start for program in found}
    out = []
    at = 0
    for load in loads:
        if at not in starts:  # nobody loads on in what is left over, unless it begins like a pickle
            assert not load["resolved"] or facts.coverage is not Coverage.READ, "the rest is not said to be unread"
            break
        at = load["end"]
        names = [name for name in map(tuple, load["resolved"]) if not (name in coded and codes)]
        out += [("resolved", name) for name in names if not {name, today(name)} & resolved]
        for name in map(tuple, load["called"]):
            root = (name[0], name[1].partition("(")[0])
            if root in coded and codes and _calls_unknown(found):
                continue
            if root != name and {root, today(root)} & LINKERS.keys():
                continue  # the machine follows where a linker leads, which an inert one does not
            if not {name, today(name)} & called and not changed and not (name[0] == "" and _calls_unknown(found)):
                out.append(("called", name))
    return out


def _calls_unknown(found: list[PickleProgram]) -> bool:
    return any(each.calls and each.name.startswith("<unknown>") for program in found for each in program.references)


def check(stream: bytes, replayer: Replayer) -> int:
    """Compare one stream; how many calls there were."""
    facts = read(stream)
    calls = 0
    for unpickler in (b"c", b"p"):
        loads = replayer.loads(unpickler, stream)
        assert misses(facts, loads) == [], (unpickler, stream)
        calls += sum(len(load["called"]) for load in loads)
    return calls


@pytest.mark.parametrize("part", range(PARTS))
def test_streams_from_a_grammar(part: int, replayer: Replayer) -> None:
    streams = STREAMS // PARTS
    calls = sum(check(soup(random.Random(part * 1_000_003 + number)), replayer) for number in range(streams))
    assert calls > streams, "the streams are to call something, or they show nothing"


@pytest.mark.parametrize("part", range(PARTS))
def test_samples_of_the_gallery_with_changes(part: int, replayer: Replayer) -> None:
    samples = [sample.forge() for sample in (*HOSTILE, *HARMLESS)]
    samples = [sample for sample in samples if len(sample) < 20_000]
    for number in range(STREAMS // PARTS):
        rng = random.Random(part * 1_000_003 + number)
        check(mutated(rng.choice(samples), rng), replayer)


@pytest.mark.parametrize("sample", [*HOSTILE, *HARMLESS], ids=lambda sample: sample.name)
def test_samples_of_the_gallery(sample: Any, replayer: Replayer) -> None:
    check(sample.forge(), replayer)


def framed(body: bytes, size: int) -> bytes:
    return b"\x80\x04\x95" + struct.pack("<Q", size) + body


PAYLOAD = b"(S'echo x'\ntR."


@pytest.mark.parametrize(
    ("stream", "reads"),
    [
        # a name that only the unpickler in C reads, for it forgets what is left of a frame
        (framed(b"cos\nharmlesssystem\n" + PAYLOAD, len(b"cos\nharmless")), b"c"),
        (framed(b"\x8c\x02os\x8c\x06xxsystem\x93" + PAYLOAD, len(b"\x8c\x02os\x8c\x06xx")), b"c"),
        # a line that the end of the file cuts, which only the one in Python reads
        (b"(S'echo x'\nios\nsystemX", b"p"),
        # a frame that is longer than the file: only the one in Python goes on
        (framed(b"cos\nsystem\n" + PAYLOAD, 10_000), b"p"),
        # a frame inside a frame: only the one in C goes on
        (framed(framed(b"cos\nsystem\n" + PAYLOAD, 3)[2:], 9 + 11 + len(PAYLOAD)), b"c"),
    ],
    ids=["line-cut-by-frame", "literal-cut-by-frame", "line-cut-by-end", "frame-too-long", "frame-in-frame"],
)
def test_where_the_two_differ(stream: bytes, reads: bytes, replayer: Replayer) -> None:
    facts = read(stream)
    called = [
        (
            name,
            tuple(call) in {(each.module, each.name) for p in programs(facts) for each in p.references if each.calls},
        )
        for name in (b"c", b"p")
        for load in replayer.loads(name, stream)
        for call in load["called"]
    ]
    assert called == [(reads, True)]
    assert facts.coverage is not Coverage.READ or any(each.rule == "pickle/frame-mismatch" for each in facts.anomalies)
