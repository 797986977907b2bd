"""The machine itself: broken and truncated streams, stack and memo, and every way to resolve and to call."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.formats.pickle.reading import calls, facts_of, program_of, programs, reasons, resolved

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Head, Likeness
from openvet.formats.pickle.machine import Machine
from openvet.formats.pickle.values import KEPT_ITEMS
from openvet.io.source import BytesSource
from openvet.testing.forge import Call, Name, assemble, dump

# -- broken and truncated ---------------------------------------------------------------------------------------------

HOSTILE = {
    "protocol 0": b"cos\nsystem\n(S'echo x'\ntR.",
    "protocol 0, INST": b"(S'echo x'\nios\nsystem\n.",
    "protocol 1, OBJ": b"(cos\nsystem\nU\x06echo xo.",
    "protocol 2": b"\x80\x02cos\nsystem\nU\x06echo x\x85Rq\x00.",
    "protocol 4": b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x06echo x\x94\x85\x94R\x94.",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_every_truncation_of_a_hostile_stream(name: str) -> None:
    whole = HOSTILE[name]
    full = facts_of(whole)
    (offset, _, opcode, arguments), = calls(programs(full)[0])  # fmt: skip
    assert (arguments, full.coverage, full.anomalies) == (("'echo x'",), Coverage.READ, [])
    size = {"INST": 11}.get(opcode, 1)
    for cut in range(1, len(whole)):
        facts = facts_of(whole[:cut])
        (program,) = programs(facts)
        assert facts.coverage is Coverage.PARTIAL
        assert program.stopped is False
        assert program.broken is not None
        assert [unknown.reason for unknown in facts.unknowns] == ["malformed"]
        assert "pickle/broken-stream" in {anomaly.rule for anomaly in facts.anomalies}
        expected = [(offset, "os.system", opcode, ("'echo x'",))] if cut >= offset + size else []
        if opcode == "INST" and cut > offset and not expected:
            continue  # in the middle of its name
        assert calls(program) == expected, cut
        assert pickle_format.probe(Head("x", BytesSource(whole[:cut]))) is not Likeness.NO or cut < offset + size


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("junk", [bytes([byte]) for byte in (0x00, 0xFF, 0x7F, 0x20, 0x0A, 0xC0)])
def test_junk_behind_the_payload(name: str, junk: bytes) -> None:
    data = HOSTILE[name][:-1] + junk
    facts = facts_of(data)
    (program,) = programs(facts)
    assert [call[1] for call in calls(program)] == ["os.system"]
    assert (program.broken, program.broken_at) == (f"0x{junk[0]:02x} is no opcode", len(data) - 1)
    assert reasons(facts) == [("malformed", f"the pickle breaks: 0x{junk[0]:02x} is no opcode")]
    assert facts.anomalies[-1].rule == "pickle/broken-stream"
    assert facts.anomalies[-1].location.offset == len(data) - 1


PAYLOAD = "GLOBAL os system\nSHORT_BINUNICODE 'echo x'\nTUPLE1\nREDUCE\n"
#: what stands in front of a payload -> why a loader fails there
FAILING: dict[str, str] = {
    "POP": "takes a value from an empty stack",
    "NONE\nPOP\nPOP": "takes a value from an empty stack",
    "MARK\nNONE\nTUPLE\nPOP\nREDUCE": "takes a value from an empty stack",
    "NONE\nMARK\nREDUCE": "takes a value from an empty stack",
    "NONE\nMARK\nDUP": "needs a value on an empty stack",
    "NONE\nMARK\nBINPUT 0": "needs a value on an empty stack",
    "BINPUT 0": "needs a value on an empty stack",
    "MEMOIZE": "needs a value on an empty stack",
    "PUT 1": "needs a value on an empty stack",
    "APPENDS": "needs a mark where there is none",
    "TUPLE": "needs a mark where there is none",
    "POP_MARK": "needs a mark where there is none",
    "MARK\nPOP\nLIST": "needs a mark where there is none",
    "BINGET 0": "gets memo entry 0, which was never put",
    "LONG_BINGET 4000000000": "gets memo entry 4000000000, which was never put",
    "GET 5": "gets memo entry 5, which was never put",
    "NONE\nBINPUT 3\nBINGET 2": "gets memo entry 2, which was never put",
    "GET x": "a memo entry without a number",
    "GET -1": "a memo entry without a number",
    "NONE\nPUT 1L": "a memo entry without a number",
    "INT x": "a number that is none",
    "LONG 1.5L": "a number that is none",
    "FLOAT x": "a number that is none",
    "STRING abc": "a string without its quotes",
    "STRING 'abc": "a string without its quotes",
    "MARK\nOBJ": "an object without a class",
    "NONE\nEMPTY_TUPLE\nREDUCE": "calls None, which is no callable",
    "EMPTY_LIST\nEMPTY_TUPLE\nNEWOBJ": "calls [], which is no callable",
    "BININT1 1\nBININT1 2\nSTACK_GLOBAL": "resolves a name that is no text",
    "SHORT_BINUNICODE 'os'\nSHORT_BINBYTES b'system'\nSTACK_GLOBAL": "resolves a name that is no text",
    "BININT1 7\nEMPTY_DICT\nNONE\nNONE\nSETITEM\nBUILD": "sets the state of 7",
    "EMPTY_TUPLE\nNONE\nAPPEND": "adds items to ()",
    "EMPTY_DICT\nMARK\nNONE\nSETITEMS": "sets an odd number of items",
    "MARK\nNONE\nDICT": "sets an odd number of items",
    "PROTO 6": "protocol 6 does not exist",
    "PROTO 255": "protocol 255 does not exist",
}


@pytest.mark.parametrize("broken", FAILING)
def test_the_walk_goes_on_behind_a_failure(broken: str) -> None:
    data = assemble(f"{broken}\n{PAYLOAD}STOP")
    facts = facts_of(data)
    (program,) = programs(facts)
    assert program.broken == FAILING[broken]
    assert program.broken_at is not None
    assert program.broken_at <= len(assemble(broken))
    assert program.stopped
    assert calls(program)[-1][1:] == ("os.system", "REDUCE", ("'echo x'",))
    assert [(anomaly.rule, anomaly.evidence["reason"]) for anomaly in facts.anomalies] == [
        ("pickle/broken-stream", FAILING[broken])
    ]
    assert [unknown.reason for unknown in facts.unknowns] == ["malformed"]


@pytest.mark.parametrize(
    "broken",
    [each for each in FAILING if each not in ("MARK\nOBJ", "STRING abc", "STRING 'abc") and "POP\nREDUCE" not in each],
)
def test_what_is_called_broken_breaks_both_unpicklers(broken: str) -> None:
    data = assemble(f"{broken}\nEMPTY_DICT\nSTOP")
    for loads in (pickle.loads, pickle._loads):  # type: ignore[attr-defined]
        with pytest.raises(Exception):  # noqa: B017, PT011 - they raise anything
            loads(data)


def test_only_the_first_failure_is_named() -> None:
    program = program_of(assemble("POP\nBINGET 9\nPROTO 99\nNONE\nSTOP"))
    assert (program.broken, program.broken_at) == ("takes a value from an empty stack", 0)


@pytest.mark.parametrize("text", ["STOP", "MARK\nSTOP", "NONE\nPOP\nSTOP", "NONE\nMARK\nSTOP"])
def test_stop_without_a_value(text: str) -> None:
    assert program_of(assemble(text)).broken == "stops with nothing on the stack"


@pytest.mark.parametrize(
    "raw", ["58ffffff7f", "8dffffffffffffffff", "8effffffffffffff7f", "8b00000080", "4200000080", "96ffffffffffffff00",
            "8cff", "4aff", "95ff", "6a00", "80", "63", "636f730a", "49", "56", "697f"]
)  # fmt: skip
def test_an_opcode_that_the_end_cuts_off(raw: str) -> None:
    data = assemble(PAYLOAD) + bytes.fromhex(raw)
    facts = facts_of(data)
    (program,) = programs(facts)
    assert calls(program)[0][1] == "os.system"
    assert program.broken is not None
    assert program.end == len(data) or raw[:2] in ("58", "8d", "8e", "8b", "42", "96")
    assert facts.coverage is Coverage.PARTIAL


# -- stack, marks and memo --------------------------------------------------------------------------------------------


@st.composite
def memo_programs(draw: st.DrawFn) -> list[tuple[str, int]]:
    far = st.integers(0, 8) | st.sampled_from([1_020, 1_026, 1_030, 3_000, 70_000])
    step = st.tuples(st.sampled_from(["PUT", "BINPUT", "MEMOIZE", "MEMOIZE", "MANY", "GET"]), far)
    return draw(st.lists(step, max_size=30))


@example(steps=[("PUT", 1_030), *[("MANY", 0)] * 3, ("MEMOIZE", 0), ("GET", 1_030)], many=0)
@given(steps=memo_programs(), many=st.sampled_from([0, 0, 1_015, 1_022]))
@settings(deadline=None, max_examples=200)
def test_the_memo_is_that_of_the_unpickler(steps: list[tuple[str, int]], many: int) -> None:
    """Every value is a number of its own; the unpickler loads numbers only."""
    lines = ["BININT 0", *["MEMOIZE"] * many]
    known: dict[int, int] = dict.fromkeys(range(many), 0)
    value = 0
    for name, index in steps:
        if name == "GET":
            if index in known:
                lines += ["POP", f"LONG_BINGET {index}"]
                value = known[index]
            continue
        value = len(lines)
        lines += ["POP", f"BININT {value}"]
        if name in ("MEMOIZE", "MANY"):
            for _ in range(1 if name == "MEMOIZE" else 350):
                known[len(known)] = value
                lines.append("MEMOIZE")
        else:
            known[index] = value
            lines.append(f"PUT {index}" if name == "PUT" else f"LONG_BINPUT {index}")
    data = assemble("\n".join([*lines, "STOP"]))
    assert pickle.loads(data) == value
    machine = Machine(BytesSource(data), Budget())
    machine.run()
    assert machine.broken is None
    assert machine.integer(machine.result) == value
    assert machine.tape.memo_count == len(known)
    for index, expected in known.items():
        assert machine.integer(machine.memo_get(index, 0)) == expected


STACKS = ("NONE", "BININT1 1", "SHORT_BINUNICODE 'a'", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE", "EMPTY_SET", "MARK", "POP",
          "POP_MARK", "DUP", "TUPLE1", "TUPLE2", "TUPLE3", "TUPLE", "LIST", "FROZENSET", "APPEND", "APPENDS", "MEMOIZE",
          "BINGET 0", "BINGET 1")  # fmt: skip


@given(lines=st.lists(st.sampled_from(STACKS), max_size=25))
@settings(deadline=None, max_examples=400)
def test_the_stack_is_that_of_the_unpickler(lines: list[str]) -> None:
    """Where the unpickler gets through, the machine does too, and shows the same value; where it says broken, so do they."""
    data = assemble("\n".join([*lines, "STOP"]))
    machine = Machine(BytesSource(data), Budget())
    machine.run()
    try:
        value = pickle._loads(data)  # type: ignore[attr-defined]
    except (pickle.UnpicklingError, IndexError, KeyError, TypeError, AttributeError, ValueError):
        return
    assert machine.broken is None
    text = machine.show(machine.result)
    if not set("{…") & set(text) and "..." not in repr(value):
        assert text == repr(value)


def test_pop_takes_a_mark_that_is_on_top() -> None:
    data = assemble(f"NONE\nMARK\nPOP\nPOP\n{PAYLOAD}STOP")
    program = program_of(data)
    assert program.broken is None
    assert [call[1] for call in calls(program)] == ["os.system"]


def test_values_below_a_mark_stay() -> None:
    program = program_of(
        assemble("GLOBAL os system\nMARK\nNONE\nPOP_MARK\nMARK\nMARK\nPOP\nSHORT_BINUNICODE 'x'\nTUPLE\nREDUCE\nSTOP")
    )
    assert [call[1:] for call in calls(program)] == [("os.system", "REDUCE", ("'x'",))]


def test_a_memo_entry_that_is_put_twice() -> None:
    program = program_of(
        assemble(
            "SHORT_BINUNICODE 'posixpath'\nBINPUT 0\nSHORT_BINUNICODE 'os'\nBINPUT 0\nPOP\nPOP\nBINGET 0\nSHORT_BINUNICODE 'system'\nSTACK_GLOBAL\nSTOP"
        )
    )
    assert resolved(program) == ["os.system"]


# -- names and calls --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "opcode", "arguments"),
    [
        ("MARK\nSHORT_BINUNICODE 'x'\nBININT1 1\nINST m f", "INST", ("'x'", "1")),
        ("MARK\nINST m f", "INST", ()),
        ("MARK\nGLOBAL m f\nNONE\nOBJ", "OBJ", ("None",)),
        ("GLOBAL m f\nNEWTRUE\nTUPLE1\nNEWOBJ", "NEWOBJ", ("True",)),
        ("GLOBAL m f\nNEWFALSE\nTUPLE1\nEMPTY_DICT\nSHORT_BINUNICODE 'k'\nBININT1 2\nSETITEM\nNEWOBJ_EX", "NEWOBJ_EX", ("False", "{'k': 2}")),
        ("GLOBAL m f\nEMPTY_TUPLE\nREDUCE", "REDUCE", ()),
        ("GLOBAL m f\nMARK\nINT 00\nINT 01\nINT 7\nLONG 8L\nFLOAT 1.5\nTUPLE\nREDUCE", "REDUCE", ("False", "True", "7", "8", "1.5")),
        ("GLOBAL m f\nSHORT_BINBYTES b'ab'\nBYTEARRAY8 b'cd'\nTUPLE2\nREDUCE", "REDUCE", ("b'ab'", "bytearray(b'cd')")),
        ("GLOBAL m f\nGLOBAL n g\nTUPLE1\nREDUCE", "REDUCE", ("n.g",)),
        ("GLOBAL m f\nGLOBAL m f\nEMPTY_TUPLE\nNEWOBJ\nTUPLE1\nREDUCE", "REDUCE", ("m.f(…)",)),
        ("GLOBAL m f\nPERSID key\nTUPLE1\nREDUCE", "REDUCE", ("<persistent object>",)),
        ("GLOBAL m f\nNEXT_BUFFER\nREADONLY_BUFFER\nTUPLE1\nREDUCE", "REDUCE", ("<unknown>",)),
        ("GLOBAL m f\nMARK\n" + "BININT1 5\n" * 20 + "TUPLE\nREDUCE", "REDUCE", ("5",) * 8),
        ("GLOBAL m f\nMARK\n" + "BININT1 5\n" * 20 + "LIST\nTUPLE1\nREDUCE", "REDUCE", ("[" + "5, " * 8 + "…]",)),
        ("GLOBAL m f\nSHORT_BINUNICODE 'a\\n\\x1b'\nTUPLE1\nREDUCE", "REDUCE", ("'a\\x0a\\x1b'",)),
    ],
)  # fmt: skip
def test_every_way_to_call(text: str, opcode: str, arguments: tuple[str, ...]) -> None:
    program = program_of(assemble(f"PROTO 5\n{text}\nSTOP"))
    assert calls(program)[-1][1:] == ("m.f", opcode, arguments)
    assert program.broken is None


@pytest.mark.parametrize(
    "words",
    [
        "SHORT_BINUNICODE 'os'\nSHORT_BINUNICODE 'system'",
        "BINUNICODE 'os'\nBINUNICODE8 'system'",
        "STRING 'os'\nSTRING \"system\"",
        "STRING 'o\\x73'\nSTRING '\\163ystem'",
        "UNICODE 'os'\nUNICODE 'system'",
        "SHORT_BINSTRING b'os'\nBINSTRING b'system'",
        "SHORT_BINUNICODE 'os'\nMEMOIZE\nSHORT_BINUNICODE 'system'\nMEMOIZE\nMARK\nPOP_MARK\nPOP\nPOP\nBINGET 0\nBINGET 1",
        "SHORT_BINUNICODE 'system'\nPUT 7\nPOP\nSHORT_BINUNICODE 'os'\nDUP\nPOP\nGET 7",
        "RAW 566f5c75303037330a\nSHORT_BINUNICODE 'system'",  # UNICODE with an escape
    ],
)
def test_stack_global_with_any_text(words: str) -> None:
    program = program_of(assemble(f"PROTO 4\n{words}\nSTACK_GLOBAL\nSHORT_BINUNICODE 'echo x'\nTUPLE1\nREDUCE\nSTOP"))
    assert resolved(program) == ["os.system"]
    assert calls(program)[0][3] == ("'echo x'",)
    assert program.broken is None
    assert program.computed == ()


@pytest.mark.parametrize(
    "words",
    [
        "GLOBAL builtins str\nBININT1 1\nTUPLE1\nREDUCE\nSHORT_BINUNICODE 'system'",
        "SHORT_BINUNICODE 'os'\nGLOBAL builtins str\nEMPTY_TUPLE\nREDUCE",
        "SHORT_BINUNICODE 'os'\nBINPERSID",
        "SHORT_BINUNICODE 'os'\nNEXT_BUFFER",
        "SHORT_BINUNICODE 'os'\nGLOBAL a b",
        "EMPTY_LIST\nEMPTY_TUPLE",
    ],
)
def test_names_that_are_computed(words: str) -> None:
    program = program_of(assemble(f"PROTO 5\nNONE\n{words}\nSTACK_GLOBAL\nEMPTY_TUPLE\nREDUCE\nSTOP"))
    assert [(each.kind, each.opcode) for each in program.computed] == [("name", "STACK_GLOBAL")]
    assert sum(each.calls for each in program.references if "<unknown>" in each.name) == 1


@pytest.mark.parametrize(("name", "code"), [("EXT1", 1), ("EXT2", 300), ("EXT4", 70_000), ("EXT4", -1)])
def test_extension_codes(name: str, code: int) -> None:
    program = program_of(assemble(f"PROTO 2\n{name} {code}\nEMPTY_TUPLE\nREDUCE\nSTOP"))
    assert [(each.kind, each.opcode, each.detail, each.offset) for each in program.computed] == [
        ("extension", name, f"copyreg extension code {code}", 2)
    ]
    registered = Call(Name("copyreg", "add_extension"), ("os", "system", code))
    program = program_of(dump(registered)[:-1] + assemble(f"{name} {code}\nSHORT_BINUNICODE 'x'\nTUPLE1\nREDUCE\nSTOP"))
    assert calls(program)[-1][1:] == ("os.system", "REDUCE", ("'x'",))


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_names_of_python_2_are_mapped_below_protocol_3(protocol: int) -> None:
    program = program_of(
        assemble(
            f"PROTO {protocol}\nGLOBAL __builtin__ eval\nGLOBAL itertools izip\nGLOBAL copy_reg _reconstructor\nSTOP"
        )
    )
    spelled = ["__builtin__.eval", "itertools.izip", "copy_reg._reconstructor"]
    mapped = ["builtins.eval", "builtins.zip", "copyreg._reconstructor"]
    assert resolved(program) == (mapped if protocol < 3 else spelled)
    assert [each.written for each in program.references] == (spelled if protocol < 3 else ["", "", ""])


def test_persistent_ids() -> None:
    program = program_of(
        assemble(
            "PERSID key\nMARK\nSHORT_BINUNICODE 'storage'\nGLOBAL torch FloatStorage\nTUPLE\nBINPERSID\nTUPLE2\nSTOP"
        )
    )
    assert program.persistent == 2
    assert program.persistent_first == ("'key'", "('storage', torch.FloatStorage)")
    called = program_of(assemble("PERSID key\nSHORT_BINUNICODE 'echo'\nTUPLE1\nREDUCE\nSTOP"))
    assert [(each.name, each.calls) for each in called.references] == [("<unknown>", 1)]


def test_build_on_names_and_instances() -> None:
    program = program_of(
        assemble(
            "PROTO 4\nGLOBAL m f\nEMPTY_DICT\nSHORT_BINUNICODE 'k'\nBININT1 1\nSETITEM\nBUILD\nEMPTY_TUPLE\nREDUCE\nEMPTY_DICT\nBUILD\nSTOP"
        )
    )
    assert [(each.opcode, each.how, each.target, each.arguments) for each in program.mutations] == [
        ("BUILD", "state", ("m", "f"), ("{'k': 1}",))
    ]
    assert [(each.calls, each.builds) for each in program.references] == [(1, 1)]


@pytest.mark.parametrize("fill", ["NONE\nAPPEND", "MARK\nNONE\nAPPENDS", "NONE\nNONE\nSETITEM", "MARK\nNONE\nNONE\nSETITEMS", "MARK\nNONE\nADDITEMS"])  # fmt: skip
def test_items_set_on_a_name(fill: str) -> None:
    program = program_of(assemble(f"PROTO 4\nGLOBAL sys path\n{fill}\nSTOP"))
    assert [(each.opcode, each.how, each.target) for each in program.mutations] == [
        (fill.split("\n")[-1], "item", ("sys", "path"))
    ]


@pytest.mark.parametrize("items", [1, KEPT_ITEMS, KEPT_ITEMS + 1, 1_000])
@pytest.mark.parametrize("shape", ["({}t", "]({}e", "}}({}u", "(l({}e", "({}l", "({}d", "\x8f({}\x90", "({}\x91"])
def test_callables_anywhere_in_a_container_are_passed_on(items: int, shape: str) -> None:
    body = "K\x01K\x02" * items + "cos\nsystem\nK\x01"
    data = b"\x80\x04cm\nf\n" + shape.format(body).encode("latin-1") + b"\x85R."
    program = program_of(data)
    assert [(each.qualified, each.passes) for each in program.references] == [
        ("m.f", (("os", "system"),)),
        ("os.system", ()),
    ]
