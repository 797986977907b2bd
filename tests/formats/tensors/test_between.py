"""What lies between the tensors of a file: programs and pickles in freed space, exact marks only, and a bounded look."""

from __future__ import annotations

import pickle
import random
import struct
import time

import pytest

from openvet.core.limits import Budget
from openvet.formats._between import look_between
from openvet.formats._format import Facts, Tensor
from openvet.io.source import BytesSource
from openvet.testing.forge import Call, Name, dump

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 3, 62, 1) + bytes(40)
PE = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x64\x86" + bytes(40)
MACHO = b"\xcf\xfa\xed\xfe" + struct.pack("<III", 0x0100000C, 0, 2) + bytes(40)
CALL = Call(Name("os", "system"), ("echo forged",))


def look(data: bytes, formats: tuple[str, ...] = ("hdf5",), *tensors: tuple[int, int]) -> Facts:
    facts = Facts("m", "m", Budget())
    facts.tensors.extend(Tensor("t", "U8", (size,), offset, size) for offset, size in tensors)
    look_between(BytesSource(data), facts, formats)
    return facts


def found(facts: Facts) -> list[tuple[int | None, int]]:
    return [(member.offset, member.size) for member in facts.members]


@pytest.mark.parametrize("program", [ELF, PE, MACHO], ids=["elf", "pe", "mach-o"])
@pytest.mark.parametrize("at", [0, 7, 2**20 - 3, 2**20 + 5])
def test_a_program_is_found_wherever_it_begins(program: bytes, at: int) -> None:
    made = random.Random(1).randbytes(at) + program
    assert found(look(made)) == [(at, len(program))]
    assert found(look(made, ("safetensors",))) == []
    assert found(look(made, ("hdf5",), (at, len(program)))) == []
    assert found(look(made, ("hdf5",), (0, at))) == [(at, len(program))]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_that_calls_something_is_handed_on_up_to_its_end(protocol: int) -> None:
    stream = dump(CALL, protocol)
    assert found(look(b"words" + stream + b"more words")) == [(5, len(stream))]


def test_a_frame_has_to_end_in_the_file() -> None:
    stream = dump(CALL, 4)
    framed = b"\x80\x04\x95" + struct.pack("<Q", len(stream) - 2) + stream[2:]
    assert found(look(bytes(9) + framed + bytes(9))) == [(9, len(framed))]
    assert found(look(bytes(9) + framed[:3] + struct.pack("<Q", 2**40) + framed[11:])) == []


def test_a_pickle_that_breaks_off_behind_a_dangerous_name_is_handed_on() -> None:
    stream = dump(CALL, 4)[:-1]
    assert [offset for offset, _ in found(look(bytes(8) + stream))] == [8]


def test_pickles_of_data_and_marks_by_chance_are_nothing() -> None:
    data = pickle.dumps({"a": [1, 2, 3], "b": "words"}, 4)
    assert found(look(bytes(8) + data + bytes(8))) == []
    made = random.Random(2)
    marks = (b"\x7fELF", b"MZ\x90\0", b"PE\0\0", b"\xcf\xfa\xed\xfe", b"\x80\x04\x95", b"\x80\x02c", b"\x80\x03}q\0")
    noise = b"".join(made.choice(marks) + made.randbytes(60) for _ in range(1500))
    assert found(look(noise)) == []


def test_a_program_that_the_reader_handed_on_is_not_told_twice() -> None:
    from openvet.formats._format import Member

    facts = Facts("m", "m", Budget())
    facts.add_members([Member("stream", len(ELF), lambda: BytesSource(ELF), 0)])
    look_between(BytesSource(bytes(64) + ELF), facts, ("ole",))
    assert [member.name for member in facts.members] == ["stream"]


def test_decoys_do_not_hide_what_comes_behind_them_in_silence() -> None:
    decoys = b"\x80\x04K\x01" * 30_000
    facts = look(decoys + dump(CALL, 4))
    assert [unknown.reason for unknown in facts.unknowns] == ["limit"]


def test_a_large_file_costs_no_more_than_its_first_megabytes() -> None:
    data = bytes(64 * 2**20)
    begun = time.process_time()
    look(data)
    assert time.process_time() - begun < 3
