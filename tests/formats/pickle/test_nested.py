"""What tells a program inside a literal from data that begins alike."""

from __future__ import annotations

import marshal
import random
import struct

import pytest

from openvet.core.limits import Budget
from openvet.formats.pickle.nested import suspect
from openvet.testing.forge_bytecode import import_and_call


@pytest.mark.parametrize("version", range(marshal.version + 1))
@pytest.mark.parametrize("source", ["1", "import os", "def f(a, *, b): return [lambda: a for _ in b]"])
def test_marshalled_code_of_this_python(source: str, version: int) -> None:
    code = compile(source, "", "exec")
    assert suspect(marshal.dumps(code, version), text=False, budget=Budget()) == "marshal"
    assert suspect(marshal.dumps(code.co_consts, version), text=False, budget=Budget()) is None


@pytest.mark.parametrize("version", [(2, 7), (3, 6), (3, 8), (3, 10), (3, 11), (3, 13)])
def test_marshalled_code_of_others(version: tuple[int, int]) -> None:
    code = import_and_call(version)
    assert suspect(code, text=False, budget=Budget()) == "marshal"
    assert suspect(b"\xe3" + code[1:], text=False, budget=Budget()) == "marshal"


def test_numbers_that_begin_alike() -> None:
    """Arrays of whole numbers whose first byte is that of a code object: each 256th of them."""
    chance = random.Random(1)
    for first in range(0x63, 1 << 20, 0x4000):
        numbers = struct.pack("<8q", *range(first, first + 8))
        assert suspect(numbers, text=False, budget=Budget()) is None
        noise = b"\xe3" + struct.pack("<I", chance.randrange(64)) + chance.randbytes(60)
        assert suspect(noise, text=False, budget=Budget()) is None
