"""The walk against ``pickletools.genops``: the same opcodes at the same offsets with the same arguments, to the same STOP."""

from __future__ import annotations

import io
import pickle
import pickletools
import random
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats.pickle import literals
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.opcodes import KIND, NAMES, RARE, WIDTH
from openvet.formats.pickle.program import PickleProgram
from openvet.io.source import BytesSource

PROTOCOLS = range(6)
#: Longer than every literal here.
LONG = 1 << 22
TEXT_OPCODES = ("STRING", "UNICODE", "BINSTRING", "SHORT_BINSTRING", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
BYTES_OPCODES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
INTEGER_OPCODES = ("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4")

Dump = Callable[[Any, int], bytes]
DUMPS: dict[str, Dump] = {"C": pickle.dumps, "Python": pickle._dumps}  # type: ignore[attr-defined]

KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**2100), 2**2100),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
)
SCALARS = st.one_of(
    KEYS,
    st.floats(),
    st.complex_numbers(),
    st.binary().map(bytearray),
    st.text(max_size=40).map(lambda text: text * 30),
    st.binary(min_size=1, max_size=40).map(lambda raw: raw * 30),
    st.builds(slice, st.none() | st.integers(), st.none() | st.integers(), st.none() | st.integers()),
    st.builds(range, st.integers(-1000, 1000), st.integers(-1000, 1000)),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=6).map(tuple),
        st.dictionaries(KEYS, inner, max_size=6),
        st.sets(KEYS, max_size=6),
        st.frozensets(KEYS, max_size=6),
        inner.map(lambda value: [value, value, (value,)]),  # memo entries that are fetched again
    ),
    max_leaves=12,
)


def walked(data: bytes, start: int = 0) -> Machine:
    machine = Machine(BytesSource(data), Budget(), start=start)
    machine.trace = []
    machine.run()
    return machine


def trace(machine: Machine) -> list[tuple[int, str]]:
    assert machine.trace is not None
    return [(offset, NAMES.get(machine.peek(offset, 1)[0], "?")) for offset in machine.trace]


def facts_of(data: bytes) -> Facts:
    facts = Facts("place", "x", Budget())
    pickle_format.read(BytesSource(data), facts)
    return facts


def programs(facts: Facts) -> list[PickleProgram]:
    return [program for program in facts.programs if isinstance(program, PickleProgram)]


def reference(data: bytes, start: int = 0) -> tuple[list[tuple[int, str, Any]], bool]:
    """What pickletools sees from ``start`` on, and whether it came to STOP."""
    stream = io.BytesIO(data)
    stream.seek(start)
    out: list[tuple[int, str, Any]] = []
    try:
        for opcode, argument, position in pickletools.genops(stream):
            assert position is not None
            out.append((position, opcode.name, argument))
    except ValueError:  # UnicodeDecodeError is one
        return out, False
    return out, True


def assert_same_arguments(machine: Machine, expected: list[tuple[int, str, Any]]) -> None:
    for offset, name, argument in expected:
        opcode = machine.peek(offset, 1)[0]
        if name in TEXT_OPCODES:
            assert literals.text_of(machine.peek, offset, opcode, LONG) == argument
        elif name in BYTES_OPCODES:
            start, size = literals.span(machine.peek, offset, opcode, LONG)
            assert machine.peek(start, size) == argument
        elif name in INTEGER_OPCODES:
            number = literals.integer_of(machine.peek, offset, opcode)
            assert number == argument or (number is None and abs(argument) > 10**37)
            if isinstance(argument, bool):
                assert literals.show_literal(machine.peek, offset, opcode) == str(argument)
        elif name in ("BINFLOAT", "NONE", "NEWTRUE", "NEWFALSE"):
            plain = {"NONE": "None", "NEWTRUE": "True", "NEWFALSE": "False"}.get(name, repr(argument))
            assert literals.show_literal(machine.peek, offset, opcode) == plain
        elif name == "PROTO":
            assert machine.highest_protocol == argument


def assert_same(data: bytes) -> Machine:
    machine = walked(data)
    expected, complete = reference(data)
    assert complete
    assert trace(machine) == [(offset, name) for offset, name, _ in expected]
    assert machine.opcodes == len(expected)
    assert (machine.stopped, machine.end) == (True, expected[-1][0] + 1)
    assert (machine.broken, machine.broken_at, machine.frames) == (None, None, [])
    assert machine.tape.marked == 0
    assert machine.tape.depth == 1
    assert_same_arguments(machine, expected)
    return machine


# -- the table --------------------------------------------------------------------------------------------------------


def test_the_table_is_pickletools() -> None:
    assert {ord(opcode.code): opcode.name for opcode in pickletools.opcodes} == NAMES
    assert {byte for byte in range(256) if KIND[byte]} == set(NAMES)
    for opcode in pickletools.opcodes:
        fixed = 0 if opcode.arg is None else opcode.arg.n
        lengths = {
            pickletools.TAKEN_FROM_ARGUMENT1: 1,
            pickletools.TAKEN_FROM_ARGUMENT4: 4,
            pickletools.TAKEN_FROM_ARGUMENT4U: 4,
            pickletools.TAKEN_FROM_ARGUMENT8U: 8,
            pickletools.UP_TO_NEWLINE: -1,
        }
        assert WIDTH[ord(opcode.code)] == 1 + lengths.get(fixed, fixed), opcode.name


def test_every_opcode_that_may_resolve_or_call_is_rare() -> None:
    """The fast paths of the walk never see one of these."""
    callers = ("GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "PERSID",
               "BINPERSID", "EXT1", "EXT2", "EXT4")  # fmt: skip
    assert {name for byte, name in NAMES.items() if KIND[byte] == RARE} >= set(callers)


# -- pickles of the standard library ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
@given(value=DATA, protocol=st.sampled_from(PROTOCOLS))
@settings(deadline=None, max_examples=150)
def test_pickles_of_data(dump: Dump, value: Any, protocol: int) -> None:
    assert_same(dump(value, protocol))


@given(value=DATA, protocol=st.sampled_from(PROTOCOLS))
@settings(deadline=None, max_examples=60)
def test_optimized_pickles(value: Any, protocol: int) -> None:
    assert_same(pickletools.optimize(pickle.dumps(value, protocol)))


@given(
    values=st.lists(st.tuples(DATA, st.sampled_from(PROTOCOLS)), min_size=1, max_size=5).filter(
        # a stream without PROTO behind another one must show more than a single literal to be told from stray bytes
        lambda each: all(protocol >= 2 for _, protocol in each[1:])
    )
)
@settings(deadline=None, max_examples=60)
def test_several_pickles_behind_one_another(values: list[tuple[Any, int]]) -> None:
    dumped = [pickle.dumps(value, protocol) for value, protocol in values]
    data = b"".join(dumped)
    facts = facts_of(data)
    bounds = []
    start = 0
    for each, (_, protocol) in zip(dumped, values, strict=True):
        expected, _ = reference(data, start)
        bounds.append((start, start + len(each), len(expected), protocol if protocol >= 2 else 0, True, None))
        start += len(each)
    assert [
        (each.start, each.end, each.opcodes, each.protocol, each.stopped, each.broken)
        for each in programs(facts)
        if not each.container
    ] == bounds
    if not any(each.carried for each in programs(facts)):  # Hypothesis finds pickles among the constants of the sources
        assert (facts.anomalies, facts.unknowns) == ([], [])
    assert facts.metadata["pickles"] == len(values)
    assert facts.metadata["opcodes"] >= sum(each[2] for each in bounds)


@pytest.mark.parametrize("first", PROTOCOLS)
@pytest.mark.parametrize("second", PROTOCOLS)
def test_protocols_may_change_between_pickles(first: int, second: int) -> None:
    one, two = pickle.dumps({"a": [1]}, first), pickle.dumps({"b": [2, (3, 4)]}, second)
    assert [(each.start, each.end) for each in programs(facts_of(one + two))] == [
        (0, len(one)),
        (len(one), len(one) + len(two)),
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("size", [0, 1, 255, 256, 7_670, 7_690, 8_170, 8_192, 32_768, 65_536, 270_000])
def test_literals_over_the_edges_of_blocks_and_frames(size: int, protocol: int) -> None:
    """The walk reads in blocks of 8 KiB and more, the pickler writes frames of 64 KiB: neither may show."""
    rows = {str(number): number for number in range(1_500)}
    long = 1 << min(size * 8, 14_000)  # int() takes 4300 digits
    assert_same(pickle.dumps(["x" * size, b"x" * size, bytearray(size), ["ä" * 7, "y" * size, long], rows], protocol))


@pytest.mark.parametrize("shift", range(0, 24, 5))
def test_short_opcodes_over_the_edge_of_a_block(shift: int) -> None:
    source = random.Random(shift)
    rows = [(source.random(), source.randrange(1 << 40), str(source.random()), None) for _ in range(1_500)]
    for protocol in PROTOCOLS:
        assert_same(pickle.dumps(["p" * shift, *rows], protocol))


def test_thousands_of_memo_entries() -> None:
    rows = [[number] for number in range(66_000)]
    for protocol in (0, 4):
        machine = assert_same(pickle.dumps([rows, rows[::-9]], protocol))
        assert machine.tape.memo_count > 66_000


def test_out_of_band_buffers() -> None:
    for raw, opcode in ((bytearray(b"abc"), "NEXT_BUFFER"), (b"abc", "READONLY_BUFFER")):
        taken: list[pickle.PickleBuffer] = []
        value = [pickle.PickleBuffer(raw), {"a": pickle.PickleBuffer(raw)}]
        data = pickle.dumps(value, 5, buffer_callback=taken.append)
        machine = assert_same(data)
        assert len(taken) == 2
        assert [name for _, name in trace(machine)].count("NEXT_BUFFER") == 2
        assert opcode in {name for _, name in trace(machine)}
        assert_same(pickle.dumps(value, 5))  # the same in band


def test_frames_of_the_pickler_hold_together() -> None:
    data = pickle.dumps([list(range(60_000)), "x" * 100_000, list(range(60_000)), b"y" * 100_000, "z" * 10], 4)
    machine = assert_same(data)
    frames = [argument for _, name, argument in reference(data)[0] if name == "FRAME"]
    assert len(frames) > 4
    facts = facts_of(data)
    assert (facts.anomalies, facts.unknowns) == ([], [])
    assert machine.frame_end == len(data)


@pytest.mark.parametrize("change", [*range(-40, 4), 100, 1 << 62])
def test_a_wrong_frame_is_noticed(change: int) -> None:
    """A frame may end between two opcodes only. Numbers, so that they may be loaded."""
    data = pickle.dumps(list(range(40)), 4)
    length = int.from_bytes(data[3:11], "little") + change
    data = data[:3] + struct.pack("<Q", length) + data[11:]
    wrong = 11 + length not in [offset for offset, _, _ in reference(data)[0]] + [len(data)]
    for loads in (pickle.loads, pickle._loads):  # type: ignore[attr-defined]
        try:
            assert loads(data) == list(range(40))
        except (pickle.UnpicklingError, EOFError):
            assert wrong
    facts = facts_of(data)
    assert [anomaly.rule for anomaly in facts.anomalies] == (["pickle/frame-mismatch"] if wrong else [])
    assert [program.broken for program in programs(facts)] == [None]


@given(value=DATA, protocol=st.sampled_from([2, 3, 4, 5]))
@settings(deadline=None, max_examples=80)
def test_headed_pickles_are_identified(value: Any, protocol: int) -> None:
    assert pickle_format.probe(Head("x", BytesSource(pickle.dumps(value, protocol)))) is Likeness.STRONG


# -- streams of any opcodes -------------------------------------------------------------------------------------------


def _line(draw: st.DrawFn, allowed: str = "abcxyz019_. ") -> bytes:
    return draw(st.text(allowed, max_size=12)).encode() + b"\n"


@st.composite
def instructions(draw: st.DrawFn) -> bytes:
    """One opcode with an argument that pickletools accepts; what it finds on the stack is of no concern to it."""
    opcode = draw(st.sampled_from([each for each in pickletools.opcodes if each.name != "STOP"]))
    name, code = opcode.name, opcode.code.encode("latin-1")
    width = WIDTH[code[0]]
    if name in ("GLOBAL", "INST"):
        return code + _line(draw) + _line(draw)
    if name in ("PERSID", "UNICODE"):
        return code + _line(draw)
    if name in ("PUT", "GET", "INT"):
        return code + b"%d\n" % draw(st.integers(0, 10**6))
    if name == "LONG":
        return code + b"%dL\n" % draw(st.integers())
    if name == "FLOAT":
        return code + b"%r\n" % draw(st.floats())
    if name == "STRING":
        return code + b"'" + _line(draw).strip() + b"'\n"
    if name == "PROTO":
        return code + bytes([draw(st.integers(0, 5))])
    if opcode.arg is not None and opcode.arg.n < -1:  # a length and that many bytes
        raw = draw(st.text(max_size=20)).encode()
        return code + len(raw).to_bytes(width - 1, "little") + raw
    return code + draw(st.binary(min_size=width - 1, max_size=width - 1))


@given(stream=st.lists(instructions(), max_size=40).map(b"".join))
@settings(deadline=None, max_examples=400)
def test_any_sequence_of_opcodes(stream: bytes) -> None:
    """However wrong for the stack, the walk decodes what pickletools decodes, and it says that a loader fails."""
    data = stream + b"."
    expected, complete = reference(data)
    machine = walked(data)
    assert complete
    assert trace(machine) == [(offset, name) for offset, name, _ in expected]
    assert (machine.stopped, machine.end) == (True, len(data))
    memo = [machine.tape.memo_at(index) for index in range(machine.tape.memo_size)]
    for value in (*memo, *machine.sparse.values(), *machine.tape.pop_mark()):
        assert 0 <= value < 1 << 63


@given(
    seed=st.one_of(st.binary(max_size=60), st.lists(instructions(), max_size=12).map(b"".join)),
    junk=st.binary(max_size=12),
    at=st.integers(0, 400),
)
@settings(deadline=None, max_examples=400)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pickletools, about the escapes that it decodes
def test_any_bytes_are_read_as_far_as_pickletools_reads_them(seed: bytes, junk: bytes, at: int) -> None:
    data = seed[:at] + junk + seed[at:]
    expected, complete = reference(data)
    machine = walked(data)
    seen = trace(machine)
    assert seen[: len(expected)] == [(offset, name) for offset, name, _ in expected]
    if complete:
        assert len(seen) == len(expected)
        assert machine.stopped
        assert machine.end == expected[-1][0] + 1
    if not machine.stopped:
        assert machine.broken is not None
        assert machine.broken_at is not None
        assert 0 <= machine.broken_at <= len(data)


@pytest.mark.parametrize(
    "line",
    ["a", "a\\tb", "\\x41\\x4", "\\101\\8\\18", "\\\\", "\\'", '\\"', "\\q", "\\", "\\\\x41", "\\n\\r\\a\\b\\f\\v", "\\777\\400", "ä"],
)  # fmt: skip
@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_escapes_of_strings(line: str, quote: str) -> None:
    """STRING as CPython's own decoder of escapes reads it."""
    import codecs

    raw = f"{quote}{line}{quote}".encode()
    try:
        expected = codecs.escape_decode(raw[1:-1])[0]
    except ValueError:
        return  # a loader fails
    data = b"S" + raw + b"\n."
    machine = walked(data)
    assert literals.text_of(machine.peek, 0, ord("S"), 1000) == expected.decode("utf-8", "surrogateescape")


@given(text=st.text(st.characters(exclude_characters="\n\r\x1a\x00", exclude_categories=["Cs"]), max_size=30))
@settings(deadline=None, max_examples=100)
def test_unicode_lines(text: str) -> None:
    data = pickle.dumps(text, 0)
    assert literals.text_of(walked(data).peek, 0, ord("V"), 1000) == text
