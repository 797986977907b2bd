"""``STARTS``: what a format says its bytes begin with spares its probe a look, and never costs a file its format."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

from openvet.errors import ReadError
from openvet.formats._format import Head, Likeness
from openvet.inventory import identify as identifying
from openvet.inventory.identify import formats, identify
from openvet.io.source import BytesSource
from openvet.testing import all_cases

#: Of the formats that no case has: beginnings that are enough for their probes.
BEGINNINGS: tuple[tuple[str, bytes], ...] = (
    ("a", b"RIFF\0\0\0\0WAVE"),
    ("a", b"RIFF\0\0\0\0WEBP"),
    ("a", b"OggS\0"),
    ("a", b"%PDF-1.4\n"),
    ("a", b"MATLAB 5.0 MAT-file".ljust(126) + b"IM"),
    ("a", b"ID3\3\0\0\0\0\0\0" + b"\xff\xfb\x90\0" + bytes(413)),
    ("a", (b"\xff\xfb\x90\0" + bytes(413)) * 2),
    ("a", b"version https://git-lfs.github.com/spec/v1\n"),
    ("a", (b"\x0a\x0a\x0a\x03<a>\x15\0\0\0\0") * 8),
    ("a", b"ttcf\0\1\0\0"),
    ("a", b"OTTO\0\1\0\x10\0\0\0\0"),
    ("a", b"MM\0*\0\0\0\x08" + bytes(8)),
    ("a", b"\x95\x04\x12\xde" + bytes(24)),
    ("a", b"MIDX\1\1" + bytes(8)),
    ("a", b"wOF2\0\1\0\0" + bytes(20)),
)
DECLARED = [module for module in formats().modules if hasattr(module, "STARTS")]


@cache
def files() -> tuple[tuple[str, bytes], ...]:
    """Every file of every case, and heads of the kinds of marks with something else before, in and behind them."""
    # many cases hold the same README and the same configuration, and one of each is enough
    return tuple(dict.fromkeys((*_of_cases(), *BEGINNINGS, *_made_up())))


def _of_cases() -> Iterator[tuple[str, bytes]]:
    for case in all_cases():
        made = case.forge()
        yield from [(case.name, made)] if isinstance(made, bytes) else made.items()


def _made_up() -> Iterator[tuple[str, bytes]]:
    chance = random.Random(11)
    beginnings = [start for module in DECLARED for start in module.STARTS]
    endings = [*sorted({ending for module in formats().modules for ending in module.FORMAT.extensions}), ""]
    some = [data for _, data in _of_cases() if 0 < len(data) < 5_000]
    for _ in range(1_500):
        data = bytearray(chance.choice(some))
        data[0] = chance.randrange(256)
        yield "a" + chance.choice(endings), bytes(data)
        yield "a" + chance.choice(endings), chance.choice(beginnings)[: chance.randint(1, 8)] + bytes(data)
        yield "a" + chance.choice(endings), chance.randbytes(chance.randint(0, 200))


def test_most_formats_with_a_mark_say_so() -> None:
    assert len(DECLARED) > 45


@pytest.mark.parametrize("module", DECLARED, ids=lambda module: module.FORMAT.id)
def test_nothing_else_is_likely(module: ModuleType) -> None:
    assert module.STARTS
    assert all(isinstance(start, bytes) and start for start in module.STARTS)
    found = 0
    for name, data in files():
        try:
            likeness = module.probe(Head(name, BytesSource(data)))
        except ReadError:
            continue
        assert likeness is Likeness.NO or data.startswith(module.STARTS), (name, data[:40])
        found += likeness is not Likeness.NO
    assert found


def test_the_same_formats_are_found_as_by_asking_all(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [identify(Head(name, BytesSource(data))) for name, data in files()]
    monkeypatch.setattr(identifying, "_asked", lambda registered, data: registered.modules)
    for (name, data), identity in zip(files(), found, strict=True):
        assert identify(Head(name, BytesSource(data))) == identity, (name, data[:40])
