"""Programs inside literals, and limits: what was reached before one is reported, and that it was reached."""

from __future__ import annotations

import zlib
from base64 import b64encode

import pytest
from tests.formats.pickle.reading import calls, facts_of, program_of, programs, reasons

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts
from openvet.formats.pickle.machine import Machine
from openvet.io.source import BytesSource
from openvet.testing.forge import Call, Name, assemble, dump

PAYLOAD = "GLOBAL os system\nSHORT_BINUNICODE 'echo x'\nTUPLE1\nREDUCE\n"

# -- programs inside literals -----------------------------------------------------------------------------------------

INNER = b"\x80\x02cos\nsystem\nU\x0becho hidden\x85R."
CARRIED: dict[str, tuple[str, bytes]] = {
    "pickle": ("pickle", b"B" + len(INNER).to_bytes(4, "little") + INNER),
    "pickle in a bytearray": ("pickle", b"\x96" + len(INNER).to_bytes(8, "little") + INNER),
    "zlib": ("zlib", dump(zlib.compress(INNER), 3)[2:-1]),
    "base64": ("base64", dump(b64encode(INNER).decode(), 3)[2:-1]),
    "pickle in latin-1": ("pickle in latin-1", dump(INNER.decode("latin-1"), 3)[2:-1]),
    "pickle in raw-unicode-escape": ("pickle in raw-unicode-escape", dump(INNER.decode("latin-1"), 0)[:-1]),
}


@pytest.mark.parametrize("name", CARRIED)
@pytest.mark.parametrize("loaded", [False, True])
def test_pickles_hidden_in_literals(name: str, loaded: bool) -> None:
    kind, literal = CARRIED[name]
    data = b"\x80\x05cpickle\nloads\n" + literal + b"\x85" + (b"R." if loaded else b".")
    outer, inner = programs(facts_of(data))
    assert [(each.kind, each.loaded) for each in outer.carried] == [(kind, "pickle.loads" if loaded else "")]
    assert inner.container == ("loaded" if loaded else "carried")
    assert [call[1:] for call in calls(inner)] == [("os.system", "REDUCE", ("'echo hidden'",))]
    place = data.index(literal) + len(literal) - outer.carried[0].size - (1 if name.endswith("escape") else 0)
    assert outer.carried[0].start == place
    assert inner.at(calls(inner)[0][0]).offset == (place if inner.decoded else data.index(b"R.", place))


@pytest.mark.parametrize(
    ("taker", "loaded"), [("", ""), ("their_lib.restore", "their_lib.restore"), ("builtins.bytes", "")]
)
def test_a_copy_of_a_pickle_is_loaded_by_what_gets_the_copy(taker: str, loaded: str) -> None:
    value = Call(Name("builtins", "bytearray"), (INNER,))
    facts = facts_of(dump(Call(Name(*taker.rsplit(".", 1)), (value,)) if taker else value, 4))
    outer, inner = programs(facts)
    assert [each.loaded for each in outer.carried] == [loaded]
    assert inner.container == ("loaded" if loaded else "carried")


def test_pickles_in_pickles_in_pickles() -> None:
    data = INNER
    for _ in range(6):
        data = dump(Call(Name("pickle", "loads"), (data,)), 3)
    facts = facts_of(data)
    assert [each.container for each in programs(facts)] == ["", "loaded", "loaded", "loaded"]
    assert reasons(facts) == [("limit", "more pickles inside literals than are walked")]


@pytest.mark.parametrize(
    "raw", [b"\x80\x02", b"\x80\x02" + b"\xff" * 40, b"c" * 40, b"(" * 40, b"x\x9c" + bytes(40), bytes(range(128, 200))]
)
def test_bytes_that_only_look_like_a_pickle(raw: bytes) -> None:
    facts = facts_of(dump([raw, raw.decode("latin-1")], 4))
    assert [each.carried for each in programs(facts)] == [()]
    assert facts.coverage is Coverage.READ


# -- limits -----------------------------------------------------------------------------------------------------------


def test_limit_of_opcodes() -> None:
    data = assemble(PAYLOAD + "POP\n" + "NONE\nPOP\n" * 50 + "NONE\nSTOP")
    assert facts_of(data, Limits(opcodes=107)).coverage is Coverage.READ
    facts = facts_of(data, Limits(opcodes=106))
    assert reasons(facts) == [("limit", "the pickle has too many opcodes (limit opcodes = 106)")]
    assert [call[1] for call in calls(programs(facts)[0])] == ["os.system"]
    assert facts.anomalies == []
    assert facts.coverage is Coverage.PARTIAL


def test_limit_of_memo() -> None:
    data = assemble(PAYLOAD + "MEMOIZE\n" * 2_000 + "LONG_BINPUT 5000\n" * 2 + "STOP")
    assert facts_of(data, Limits(memo=2_001)).coverage is Coverage.READ
    facts = facts_of(data, Limits(memo=2_000))
    assert reasons(facts) == [("limit", "the pickle's memo is too large (limit memo = 2000)")]
    assert [call[1] for call in calls(programs(facts)[0])] == ["os.system"]


def test_limit_of_far_memo_entries() -> None:
    data = b"N" + b"".join(b"r" + (1 << 31 | number).to_bytes(4, "little") for number in range(100_001)) + b"."
    assert reasons(facts_of(data)) == [
        ("limit", "the pickle's memo has too many far-apart entries (limit memo = 100000)")
    ]


def test_limit_of_marks() -> None:
    facts = facts_of(assemble(PAYLOAD) + b"(" * 1_000_001)
    assert reasons(facts) == [("limit", "the pickle has too many open marks (limit stack = 1000000)")]
    assert [call[1] for call in calls(programs(facts)[0])] == ["os.system"]


def test_limit_of_stack() -> None:
    facts = facts_of(assemble(PAYLOAD) + b"N" * 6_300_000)
    assert reasons(facts) == [("limit", "the pickle's stack is too deep (limit stack = 6000000)")]
    assert [call[1] for call in calls(programs(facts)[0])] == ["os.system"]


def test_limit_of_references() -> None:
    data = b"".join(b"cm\nf%d\n0" % number for number in range(50_010)) + assemble(PAYLOAD) + b"."
    facts = facts_of(data)
    assert reasons(facts) == [("limit", "the pickle resolves more names than are told apart")]
    assert [(each.name, each.calls) for each in programs(facts)[0].references if each.calls] == [("<unknown>", 1)]


def test_limit_of_pickles() -> None:
    facts = facts_of(b"\x80\x02N." * 30, Limits(records=20))
    assert len(facts.programs) == 20
    assert ("limit", "more than 20 pickles in one file") in reasons(facts)


def test_limit_of_seconds() -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            self.now += 1
            return self.now

    facts = Facts("place", "x", Budget(Limits(seconds=5), Clock()))
    pickle_format.read(BytesSource(assemble(PAYLOAD) + b"N0" * 2_000_000), facts)
    assert [each.reason for each in facts.unknowns] == ["limit"]
    assert [call[1] for call in calls(programs(facts)[0])] == ["os.system"]


def test_depth_of_containers_costs_nothing() -> None:
    data = b"]" * 100_000 + b"a" * 99_999 + b"."
    facts = facts_of(data)
    assert facts.coverage is Coverage.READ
    deep = b"cm\nf\n" + b")" + b"\x85" * 100_000 + b"R."
    assert len(calls(program_of(deep))) == 1
    chain = b"cm\nf\n" + b")R" * 20_000 + b"."
    assert program_of(chain).computed != ()


def test_contradictions_of_frames_are_not_collected_without_end() -> None:
    data = b"N" + (b"\x95" + (1).to_bytes(8, "little") + b"K\x010") * 5_000 + b"."
    machine = Machine(BytesSource(data), Budget())
    machine.run()
    assert machine.stopped
    assert len(machine.frames) == 16
    assert [each.rule for each in facts_of(data).anomalies] == ["pickle/frame-mismatch"] * 16
