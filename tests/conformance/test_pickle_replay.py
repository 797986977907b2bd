"""What CPython's unpicklers resolve and call is part of what the abstract machine says about the same bytes.

Every stream is replayed in a confined child by the unpickler in C and by the one in Python, with inert globals
(:mod:`openvet.sandbox.recorder`). ``OPENVET_FUZZ_EXAMPLES`` sets how many streams are made.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.replaying import Replayer, check, programs, read

from openvet.core.coverage import Coverage
from openvet.sandbox.worker import how_confined
from openvet.testing.forge_gallery import HARMLESS, HOSTILE
from openvet.testing.forge_soup import mutated, soup

pytestmark = pytest.mark.skipif(how_confined().startswith("nothing"), reason="nothing confines a child here")

STREAMS = int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "3000"))
PARTS = 6


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    one = Replayer()
    yield one
    one.close()


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


@pytest.mark.parametrize(
    "text", [b"S'__class__'\n\x85", b"\x89\x85"], ids=["bytes that take no state", "an encoding of what is no text"]
)
def test_what_encode_gives_takes_no_methods(text: bytes, replayer: Replayer) -> None:
    """Found by a long run: an inert ``_codecs.encode`` took a planted ``extend``, which bytes refuse."""
    planted = b"N}X\x08\0\0\0__dict__}X\x06\0\0\0extendcfunctools\npartial\nss\x86b"
    check(b"\x80\x02c_codecs\nencode\n" + text + b"R" + planted + b"(NNe.", replayer)
