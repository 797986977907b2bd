"""Linkers: what they lead to is reported with arguments and offset, and what is not certain is never claimed."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.formats import pickle as pickle_format
from openvet.formats._format import Facts
from openvet.formats.pickle.program import PickleProgram, Reference
from openvet.io.source import BytesSource
from openvet.testing.forge import Call, Name, assemble, dump

SYSTEM = Name("os", "system")
GETATTR = Name("builtins", "getattr")
IMPORT = Name("builtins", "__import__")
OS = Call(IMPORT, ("os",))


def facts_of(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("place", "x", Budget(limits or Limits()))
    pickle_format.read(BytesSource(data), facts)
    return facts


def program_of(data: bytes) -> PickleProgram:
    facts = facts_of(data)
    assert len(facts.programs) == 1
    program = facts.programs[0]
    assert isinstance(program, PickleProgram)
    return program


def found(program: PickleProgram, qualified: str) -> Reference | None:
    return next((each for each in program.references if each.qualified == qualified), None)


# -- what linkers lead to ---------------------------------------------------------------------------------------------

#: what the pickle makes -> linkers on the way to os.system, and which opcode or linker calls it
LINKED: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "getattr of an import": (
        Call(Call(GETATTR, (OS, "system")), ("echo forged",)), ("builtins.getattr",), "REDUCE"),
    "getattr of import_module": (
        Call(Call(GETATTR, (Call(Name("importlib", "import_module"), ("os",)), "system")), ("echo forged",)),
        ("builtins.getattr",), "REDUCE"),
    "getattr without a default that helps": (
        Call(Call(GETATTR, (OS, "system", None)), ("echo forged",)), ("builtins.getattr",), "REDUCE"),
    "object.__getattribute__": (
        Call(Call(Name("builtins", "object.__getattribute__"), (OS, "system")), ("echo forged",)),
        ("builtins.getattr",), "REDUCE"),
    "attrgetter": (
        Call(Call(Call(Name("operator", "attrgetter"), ("system",)), (OS,)), ("echo forged",)),
        ("operator.attrgetter",), "REDUCE"),
    "attrgetter with dots": (
        Call(Call(Call(Name("_operator", "attrgetter"), ("path.os.system",)), (OS,)), ("echo forged",)),
        ("operator.attrgetter",), "REDUCE"),
    "methodcaller": (
        Call(Call(Name("operator", "methodcaller"), ("system", "echo forged")), (OS,)),
        ("operator.methodcaller",), "operator.methodcaller"),
    "partial": (Call(Call(Name("functools", "partial"), (SYSTEM, "echo forged"))), (), "functools.partial"),
    "partial of partial": (
        Call(Call(Name("functools", "partial"), (Call(Name("_functools", "partial"), (SYSTEM,)),)), ("echo forged",)),
        (), "functools.partial"),
    "partial of getattr": (
        Call(Call(Call(Name("functools", "partial"), (GETATTR, OS)), ("system",)), ("echo forged",)),
        ("builtins.getattr",), "REDUCE"),
    "partial by its state": (
        Call(Call(Name("functools", "partial"), (Name("builtins", "len"),), state=(SYSTEM, ("echo forged",), {}, None))),
        (), "functools.partial"),
    "func of partial": (
        Call(Call(GETATTR, (Call(Name("functools", "partial"), (SYSTEM,)), "func")), ("echo forged",)), (), "REDUCE"),
    "map": (Call(Name("builtins", "list"), (Call(Name("builtins", "map"), (SYSTEM, ["echo forged"])),)), (), "map"),
    "starmap": (
        Call(Name("builtins", "list"), (Call(Name("itertools", "starmap"), (SYSTEM, [("echo forged",)])),)),
        (), "itertools.starmap"),
    "filter": (
        Call(Name("builtins", "list"), (Call(Name("builtins", "filter"), (SYSTEM, ("echo forged",))),)), (), "filter"),
    "operator.call": (Call(Name("operator", "call"), (SYSTEM, "echo forged")), (), "operator.call"),
    "apply": (Call(Name("__builtin__", "apply"), (SYSTEM, ("echo forged",))), (), "apply"),
    "__newobj__": (Call(Name("copyreg", "__newobj__"), (SYSTEM, "echo forged")), (), "operator.call"),
    "resolve_name": (
        Call(Call(Name("pkgutil", "resolve_name"), ("os:system",)), ("echo forged",)), ("pkgutil.resolve_name",), "REDUCE"),
    "pydoc.locate": (
        Call(Call(Name("pydoc", "locate"), ("os.system",)), ("echo forged",)), ("pkgutil.resolve_name",), "REDUCE"),
    "ufunc": (
        Call(Call(Name("numpy._core", "_ufunc_reconstruct"), ("os", "system")), ("echo forged",)),
        ("numpy.core._ufunc_reconstruct",), "REDUCE"),
    "sys.modules": (
        Call(Call(GETATTR, (Call(Name("operator", "getitem"), (Name("sys", "modules"), "os")), "system")), ("echo forged",)),
        ("builtins.getattr",), "REDUCE"),
    "a module's __dict__": (
        Call(Call(Name("operator", "getitem"), (Call(GETATTR, (OS, "__dict__")), "system")), ("echo forged",)),
        ("operator.getitem",), "REDUCE"),
    "an item of a list": (
        Call(Call(Name("operator", "getitem"), ([1, SYSTEM], 1)), ("echo forged",)), (), "REDUCE"),
    "the last item of a tuple": (
        Call(Call(Name("operator", "getitem"), ((1, SYSTEM), -1)), ("echo forged",)), (), "REDUCE"),
    "an item of a dict": (
        Call(Call(Call(Name("operator", "itemgetter"), ("f",)), ({"a": 1, "f": SYSTEM},)), ("echo forged",)), (), "REDUCE"),
    "a name out of a list": (
        Call(Call(GETATTR, (OS, Call(Name("operator", "getitem"), (["x", "system"], 1)))), ("echo forged",)),
        ("builtins.getattr",), "REDUCE"),
}  # fmt: skip


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("protocol", [2, 4])
def test_linkers_lead_to_what_they_call(name: str, protocol: int) -> None:
    value, via, opcode = LINKED[name]
    data = dump(value, protocol)
    program = program_of(data)
    wanted = "os.path.os.system" if name == "attrgetter with dots" else "os.system"
    system = found(program, wanted)
    assert system is not None
    assert system.via == via
    assert system.calls == 1
    assert [(call.opcode, call.arguments) for call in system.first_calls] == [(opcode, ("'echo forged'",))]
    offset = system.first_calls[0].offset
    assert data[offset : offset + 1] == b"R"
    assert program.computed == ()
    assert program.broken is None


def test_every_row_that_is_mapped() -> None:
    """The first is harmless, what comes later is not."""
    value = Call(Name("builtins", "map"), (GETATTR, [Name("collections", "deque"), OS], ["append", "system"]))
    program = program_of(dump(value))
    assert found(program, "collections.deque.append") is not None
    assert found(program, "os.system") is not None
    starred = Call(Name("itertools", "starmap"), (GETATTR, [(Name("collections", "deque"), "append"), (OS, "system")]))
    assert found(program_of(dump(starred)), "os.system") is not None


@pytest.mark.parametrize("linker", ["map", "filter", "reduce", "starmap", "defaultdict", "partial", "getattr"])
def test_arguments_that_are_not_known(linker: str) -> None:
    """A tuple that was made so long ago that its items are forgotten."""
    names = {"map": "builtins map", "filter": "builtins filter", "reduce": "functools reduce", "partial": "functools partial",
             "starmap": "itertools starmap", "defaultdict": "collections defaultdict", "getattr": "builtins getattr"}  # fmt: skip
    head = assemble(f"PROTO 4\nGLOBAL {names[linker]}\nGLOBAL os system\nEMPTY_LIST\nTUPLE2")
    program = program_of(head + b"]0" * 40_000 + b"R.")
    assert len(program.computed) == 1
    assert found(program, "os.system") is not None


@pytest.mark.parametrize("count", [9, 70])
def test_many_rows(count: int) -> None:
    """More than are followed: called with anything."""
    program = program_of(dump(Call(Name("builtins", "map"), (SYSTEM, ["echo forged"] * count))))
    system = found(program, "os.system")
    assert system is not None
    assert system.calls == (9 if count == 9 else 1)
    assert system.first_calls[-1].arguments == (("'echo forged'",) if count == 9 else ("…",))


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (Call(GETATTR, (Name("m", "C"), Call(Name("builtins", "chr"), (111,)))), "getattr(m.C, builtins.chr(…))"),
        (Call(GETATTR, (Name("m", "C"), b"system")), "getattr(m.C, b'system')"),
        (Call(GETATTR, (Name("m", "C"),)), "getattr with arguments that are not known"),
        (Call(IMPORT, (Call(Name("builtins", "chr"), (111,)),)), "imports a module whose name is computed"),
        (Call(Name("importlib", "import_module"), ()), "imports a module whose name is computed"),
        (Call(Name("pkgutil", "resolve_name"), (1,)), "resolves a name that is computed"),
        (Call(Name("functools", "reduce"), (GETATTR, ["system"], OS)), "getattr with arguments that are not known"),
        (Call(Name("builtins", "map"), (GETATTR, Call(Name("m", "f")), ["system"])), "getattr with arguments that are not known"),
        (Call(Name("m", "a" * 600)), None),
        (Call(Name("datetime", "date" + ".min" * 1_100 + ".__class__")), None),
    ],
)  # fmt: skip
def test_computed_names(value: Any, detail: str | None) -> None:
    program = program_of(dump(value, 4))
    assert [each.kind for each in program.computed] == ["name"]
    assert detail is None or program.computed[0].detail == detail


def test_calls_nested_deeply() -> None:
    value: Any = SYSTEM
    for _ in range(60):
        value = Call(Name("functools", "partial"), (value,))
    program = program_of(dump(Call(value, ("echo forged",))))
    assert [each.detail for each in program.computed] == ["calls nested too deeply to follow"]
    assert found(program, "os.system") is not None


# -- what is not certain ----------------------------------------------------------------------------------------------

_PICK = "GLOBAL operator getitem"
_SHADOW = "SHORT_BINUNICODE 'OrderedDict'"
_TRUTH = "SHORT_BINUNICODE 'deque'"
_LONG = "k" * 4_096
#: Programs that push the text 'deque' while a careless reader would read 'OrderedDict'.
CONFUSING: dict[str, str] = {
    "the last of many": f"{_PICK}\nEMPTY_LIST\nMARK\n" + f"{_SHADOW}\n" * 64 + f"{_TRUTH}\nAPPENDS\nBININT -1\nTUPLE2\nREDUCE",
    "the last of many in a tuple": f"{_PICK}\nMARK\n" + f"{_SHADOW}\n" * 64 + f"{_TRUTH}\nTUPLE\nBININT -1\nTUPLE2\nREDUCE",
    "a list that is reversed": f"""
        EMPTY_LIST\nMARK\n{_SHADOW}\n{_TRUTH}\nAPPENDS\nMEMOIZE\nPOP
        GLOBAL builtins list.reverse\nBINGET 0\nTUPLE1\nREDUCE\nPOP
        {_PICK}\nBINGET 0\nBININT1 0\nTUPLE2\nREDUCE""",
    "a list that is sorted by its method": f"""
        EMPTY_LIST\nMARK\n{_SHADOW}\n{_TRUTH}\nAPPENDS\nMEMOIZE\nPOP
        GLOBAL operator methodcaller\nSHORT_BINUNICODE 'reverse'\nTUPLE1\nREDUCE\nBINGET 0\nTUPLE1\nREDUCE\nPOP
        {_PICK}\nBINGET 0\nBININT1 0\nTUPLE2\nREDUCE""",
    "a list inside a tuple that is reversed": f"""
        EMPTY_LIST\nMARK\n{_SHADOW}\n{_TRUTH}\nAPPENDS\nMEMOIZE\nTUPLE1\nMEMOIZE\nPOP
        GLOBAL builtins list\nGLOBAL builtins map\nGLOBAL builtins list.reverse\nBINGET 1\nTUPLE2\nREDUCE\nTUPLE1\nREDUCE\nPOP
        {_PICK}\nBINGET 0\nBININT1 0\nTUPLE2\nREDUCE""",
    "SETITEM on a list": f"{_PICK}\nEMPTY_LIST\n{_SHADOW}\nAPPEND\nBININT1 0\n{_TRUTH}\nSETITEM\nBININT1 0\nTUPLE2\nREDUCE",
    "SETITEMS on a list": f"{_PICK}\nEMPTY_LIST\n{_SHADOW}\nAPPEND\nMARK\nBININT1 0\n{_TRUTH}\nSETITEMS\nBININT1 0\nTUPLE2\nREDUCE",
    "PUT with leading zeros": f"{_SHADOW}\nPUT 12\nPOP\n{_TRUTH}\nPUT {'0' * 39}12\nPOP\nGET 12",
    "GET with leading zeros": f"{_SHADOW}\nPUT 1\nPOP\n{_TRUTH}\nPUT 12\nPOP\nGET {'0' * 39}12",
    "MEMOIZE over a far entry": f"{_SHADOW}\nLONG_BINPUT 2000\n" + "MEMOIZE\n" * 2_000 + f"POP\n{_TRUTH}\nMEMOIZE\nPOP\nLONG_BINGET 2000",
    "BINPUT over a far entry": f"{_SHADOW}\nPUT 1500\nMEMOIZE\n"
    + "".join(f"LONG_BINPUT {at}\n" for at in range(2, 1_501))
    + f"POP\n{_TRUTH}\nMEMOIZE\nPOP\nLONG_BINGET 1500",
    "a key that was made bytes": f"""
        GLOBAL builtins dict.get\nEMPTY_DICT\nGLOBAL _codecs encode\nSHORT_BINUNICODE 'a'\nSHORT_BINUNICODE 'utf-8'\nTUPLE2\nREDUCE
        {_SHADOW}\nSETITEM\nSHORT_BINUNICODE 'a'\n{_TRUTH}\nTUPLE3\nREDUCE""",
    "a key that is computed": f"""
        GLOBAL builtins str.lower\nSHORT_BINUNICODE 'A'\nTUPLE1\nREDUCE\nMEMOIZE\nPOP
        {_PICK}\nEMPTY_DICT\nSHORT_BINUNICODE 'a'\n{_SHADOW}\nSETITEM\nBINGET 0\n{_TRUTH}\nSETITEM
        SHORT_BINUNICODE 'a'\nTUPLE2\nREDUCE""",
    "keys that only begin alike": f"""
        {_PICK}\nEMPTY_DICT\nBINUNICODE '{_LONG}1'\n{_TRUTH}\nSETITEM\nBINUNICODE '{_LONG}2'\n{_SHADOW}\nSETITEM
        BINUNICODE '{_LONG}1'\nTUPLE2\nREDUCE""",
    "keys that are written differently": f"""
        {_PICK}\nEMPTY_DICT\nUNICODE '\\ud800'\n{_SHADOW}\nSETITEM\nSHORT_BINUNICODE '\\ud800'\n{_TRUTH}\nSETITEM
        UNICODE '\\ud800'\nTUPLE2\nREDUCE""",
    "the type of an item": f"""
        GLOBAL builtins type\n{_PICK}\nGLOBAL builtins str.split\nSHORT_BINUNICODE 'a b'\nTUPLE1\nREDUCE\nBININT1 0\nTUPLE2\nREDUCE
        TUPLE1\nREDUCE\nSHORT_BINBYTES b'deque'\nSHORT_BINUNICODE 'ascii'\nTUPLE2\nREDUCE""",
    "what a dict is set to later": f"""
        {_PICK}\nEMPTY_DICT\nSHORT_BINUNICODE 'a'\n{_SHADOW}\nSETITEM\nSHORT_BINUNICODE 'a'\n{_TRUTH}\nSETITEM
        SHORT_BINUNICODE 'a'\nTUPLE2\nREDUCE""",
}  # fmt: skip
#: The same for C only, where a leading zero makes a number octal.
OCTAL = f"{_PICK}\nEMPTY_LIST\nMARK\n" + "NONE\n" * 8 + f"{_TRUTH}\nNONE\n{_SHADOW}\nAPPENDS\nINT 010\nTUPLE2\nREDUCE"

HARMLESS = {("collections", "deque"), ("collections", "OrderedDict"), ("operator", "getitem"), ("builtins", "dict.get"),
            ("_codecs", "encode"), ("builtins", "list.reverse"), ("operator", "methodcaller"), ("builtins", "list"),
            ("builtins", "map"), ("builtins", "str.lower"), ("builtins", "str.split"), ("builtins", "type")}  # fmt: skip


class Careful(pickle.Unpickler):
    """Loads what was checked to be harmless by hand; everything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        assert (module, name) in HARMLESS
        return super().find_class(module, name)


class CarefulPython(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        assert (module, name) in HARMLESS
        return super().find_class(module, name)


def confused(expression: str) -> bytes:
    """``collections.<what the expression gives>``."""
    return assemble(f"PROTO 4\nSHORT_BINUNICODE 'collections'\n{expression}\nSTACK_GLOBAL\nSTOP")


@pytest.mark.parametrize("name", CONFUSING)
def test_names_that_are_not_certain_are_not_claimed(name: str) -> None:
    data = confused(CONFUSING[name])
    assert Careful(io.BytesIO(data)).load().__name__ == "deque"
    assert CarefulPython(io.BytesIO(data)).load().__name__ == "deque"
    program = program_of(data)
    assert found(program, "collections.OrderedDict") is None
    assert found(program, "collections.deque") is not None or [each.kind for each in program.computed] == ["name"]


def test_octal_numbers() -> None:
    data = confused(OCTAL)
    assert Careful(io.BytesIO(data)).load().__name__ == "deque"
    program = program_of(data)
    assert found(program, "collections.OrderedDict") is None
    assert [each.kind for each in program.computed] == ["name"]


def test_names_change_their_meaning_with_the_protocol() -> None:
    """Below protocol 3 names of Python 2 are mapped, from it on they are not: the same memo entries, two names."""
    data = assemble(
        """
        PROTO 2\nSHORT_BINUNICODE 'commands'\nMEMOIZE\nSHORT_BINUNICODE 'getoutput'\nMEMOIZE\nSTACK_GLOBAL
        PROTO 4\nBINGET 0\nBINGET 1\nSTACK_GLOBAL\nSTOP"""
    )
    program = program_of(data)
    assert [(each.qualified, each.written) for each in program.references] == [
        ("subprocess.getoutput", "commands.getoutput"),
        ("commands.getoutput", ""),
    ]


def test_the_state_of_a_partial_that_is_not_known() -> None:
    """Its function is not the one that it was made with."""
    state = Call(Name("builtins", "tuple"), ([SYSTEM, ("echo forged",), {}, None],))
    value = Call(Call(Name("functools", "partial"), (Name("builtins", "len"),), state=state), ((),))
    program = program_of(dump(value))
    length = found(program, "builtins.len")
    assert length is not None
    assert length.calls == 0
    unknown = found(program, "<unknown>")
    assert unknown is not None
    assert unknown.calls == 1


@pytest.mark.parametrize("owner", ["EMPTY_DICT", "GLOBAL collections OrderedDict\nEMPTY_TUPLE\nREDUCE"])
def test_a_callable_planted_by_any_mapping(owner: str) -> None:
    data = assemble(
        f"""
        PROTO 4\nGLOBAL collections Counter\nEMPTY_TUPLE\nNEWOBJ
        {owner}\nSHORT_BINUNICODE '__setstate__'\nGLOBAL os system\nSETITEM\nBUILD
        SHORT_BINUNICODE 'echo forged'\nBUILD\nSTOP"""
    )
    program = program_of(data)
    system = found(program, "os.system")
    assert system is not None
    assert system.calls == 1
    assert [(each.how, each.target, each.key, each.callable) for each in program.mutations] == [
        ("hijack", ("collections", "Counter"), "__setstate__", ("os", "system"))
    ]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_list_that_is_filled_after_it_was_put_away(depth: int) -> None:
    """The function gets os.system inside of tuples that were made while the list in them was empty."""
    data = assemble(
        "PROTO 4\nEMPTY_LIST\nMEMOIZE\n"
        + "TUPLE1\n" * depth
        + "MEMOIZE\nPOP\nBINGET 0\nGLOBAL os system\nAPPEND\nPOP\n"
        "GLOBAL helpers run_later\nBINGET 1\nREDUCE\nSTOP"
    )
    later = found(program_of(data), "helpers.run_later")
    assert later is not None
    assert later.passes == (("os", "system"),)


def test_records_that_were_dropped_are_unknown() -> None:
    data = dump([Call(Name("m", f"f{number}")) for number in range(30)])
    assert facts_of(data, Limits(records=30)).unknowns == []
    facts = facts_of(data, Limits(records=20))
    assert facts.coverage is Coverage.PARTIAL
    assert [(each.reason, each.message) for each in facts.unknowns] == [
        ("limit", "10 more calls and records than are kept")
    ]
