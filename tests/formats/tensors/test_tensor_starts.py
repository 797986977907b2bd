"""The starts of tensors (file/program-in-weights): exact marks only, and a look at each tensor that costs next to nothing."""

from __future__ import annotations

import random
import struct

import pytest

from openvet.core.limits import Budget
from openvet.formats._format import Facts, Tensor
from openvet.formats._tensor_starts import look_at_starts
from openvet.io.source import BytesSource

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)


def look(data: bytes, offset: int, size: int | None, formats: tuple[str, ...] = ("safetensors",)) -> list[str]:
    facts = Facts("m", "m", Budget())
    facts.tensors.append(Tensor("weight", "U8", (size or 0,), offset, size))
    look_at_starts(BytesSource(data), facts, formats)
    return [each.rule for each in facts.anomalies]


def test_a_program_is_seen_at_the_start_of_a_tensor_and_nowhere_else() -> None:
    assert look(bytes(100) + ELF, 100, len(ELF)) == ["file/program-in-weights"]
    assert look(bytes(100) + ELF, 100, None) == ["file/program-in-weights"]
    assert look(bytes(100) + ELF, 99, len(ELF)) == []
    assert look(bytes(100) + ELF, 100, 8) == []


@pytest.mark.parametrize("offset", [-1, 10_000, 2**64])
def test_a_tensor_beyond_the_file_is_no_matter(offset: int) -> None:
    assert look(ELF, offset, 64) == []


def test_tensors_that_lie_in_other_files_are_not_looked_for_here() -> None:
    assert look(ELF, 0, len(ELF), ("torch-zip",)) == []


def test_random_weights_are_no_program() -> None:
    made = random.Random(5)
    facts = Facts("m", "m", Budget())
    data = bytearray()
    for index in range(4_000):
        facts.tensors.append(Tensor(str(index), "U8", (64,), len(data), 64))
        data += made.choice((b"MZ", b"\x80\x04", b"\x7fEL", b"PK\3", b"\0asm", b"BC", b"\xfd7z")) + made.randbytes(60)
        data += bytes(-len(data) % 64)
    look_at_starts(BytesSource(bytes(data)), facts, ("safetensors",))
    assert (facts.anomalies, facts.members) == ([], [])
