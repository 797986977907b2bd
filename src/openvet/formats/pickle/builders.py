"""What dill and cloudpickle put functions and classes together with, evaluated on abstract arguments.

Making a code object, a function of it or a class runs nothing; calling what was made does. So each builder here that gets what
these two packages write is noted under a variant of its own and records the code object with the names and texts in it; with any
other arguments it stays the dangerous callable that it is.

numba carries what it compiles in the same way, inside of a literal (:mod:`openvet.formats.pickle.compiled`).

References: ``dill/_dill.py`` of dill; ``cloudpickle/cloudpickle.py`` of cloudpickle; ``code_new_impl`` in ``Objects/codeobject.c`` of CPython.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.tables import read_table
from openvet.formats.pickle import literals
from openvet.formats.pickle.building import hijack
from openvet.formats.pickle.compiled import COMPILED, is_rebuild, note_state
from openvet.formats.pickle.program import BUILDS, CodeObject
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.values import DICT, LIT, OPCODE, REF, RESULT, TUPLE, a_of, make, offset_of, tag_of

__all__ = ["BUILDERS", "builds"]

Items = list[int] | None
Linker = Callable[[Semantics, Items, int, int], int | None]

#: cloudpickle, and the copies of it that other packages bring along.
_CLOUDS: Final = tuple(
    f"{home}cloudpickle.cloudpickle" for home in ("", "numba.", "joblib.externals.", "ray.", "pyspark.")
)
_SHOWN_METHOD: Final = pattern(r"<(?:method|slot wrapper|built-in method) '(\w+)' of '(\w+)' objects>")
_DILL: Final = "dill._dill"
_CODE: Final = frozenset({("types", "CodeType"), (_DILL, "_create_code")})
_CODE_FIELDS: Final = 14
_TEXTS: Final = 2_000
_DEPTH: Final = 4
_BYTECODE: Final = 65_536
#: The class of the functions that somebody only named: its bases and its dictionary go to ``type``, and nothing of them is read as text.
_UNDEFINED: Final = "sympy.core.function.UndefinedFunction"
_METACLASSES: Final = frozenset({"builtins.type", "abc.ABCMeta", "enum.EnumMeta", "enum.EnumType", _UNDEFINED})
_ENUMS: Final = frozenset(
    {"enum.Enum", "enum.Flag", "enum.IntEnum", "enum.IntFlag", "enum.StrEnum", "builtins.int", "builtins.str"}
)
#: What makes a function of code that the pickle carries.
_FUNCTIONS: Final = frozenset(
    {
        ("types", "FunctionType"),
        ("types", "LambdaType"),
        (_DILL, "_create_function"),
        *((home, "_make_function") for home in _CLOUDS),
    }
)
#: LOAD_NAME and LOAD_GLOBAL up to 3.12, LOAD_GLOBAL and LOAD_NAME of 3.13 and 3.14.
_LOADS: Final = frozenset({101, 116, 91, 92, 93})


@cache
def _table() -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in read_table("code_builders").items()}


def builds(m: Semantics, module: str, name: str, offset: int) -> int:
    """The call that was counted just now only builds: it is counted under its variant instead."""
    ref = m.refs[m.references.intern(module, name, "global", "", offset, "REDUCE")]
    ref.count -= 1
    ref.calls -= 1
    if ref.first_calls and ref.first_calls[-1].offset == offset:
        ref.first_calls.pop()
    value = m.reference(module, name, offset, "REDUCE", variant=BUILDS)
    m.refs[a_of(value)].calls += 1
    return make(RESULT, a_of(value), offset)


def _made_by(m: Semantics, value: int) -> tuple[str, str] | None:
    """What made a value, where that is a builder that was held to its arguments."""
    if tag_of(value) != RESULT:
        return None
    ref = m.refs[a_of(value)]
    return (ref.module, ref.name) if ref.variant == BUILDS else None


def _texts(m: Semantics, value: int, out: list[str], depth: int = 0) -> bool:
    """Collect the texts of a tuple of constants or names; whether they are all."""
    if tag_of(value) == LIT:
        text = m.text(value) if literals.is_text(a_of(value)) else ""
        if text and len(out) < _TEXTS:
            out.append(text)
        return text is not None and len(out) < _TEXTS
    if tag_of(value) == RESULT:
        return _made_by(m, value) is not None
    items = m.items(value) if depth < _DEPTH else None
    held = m.held.get(offset_of(value)) if items is not None else None
    if items is None or held is None:
        return False
    whole = [_texts(m, item, out, depth + 1) for item in items]
    return all(whole) and held[0] == len(items)


def _code(module: str, name: str) -> Linker:
    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        tuples = [] if items is None else [item for item in items if tag_of(item) == TUPLE]
        if items is None or len(items) < _CODE_FIELDS or len(tuples) < 2:
            return None
        # constants, names, names of variables, and those of cells, in this order in every version
        out: list[list[str]] = [[], [], []]
        whole = [_texts(m, value, out[min(at, 2)]) for at, value in enumerate(tuples)]
        if is_rebuild(m, items, out[1], out[0]):
            m.rebuilds.add(offset)
        elif m.room():
            loaded = _loaded(m, items, out[1])
            m.codes.append(CodeObject(offset, tuple(out[0]), tuple(out[1]), tuple(loaded), all(whole)))
        return builds(m, module, name, offset)

    return linker


def _loaded(m: Semantics, items: list[int], names: list[str]) -> list[str]:
    """The names that the bytecode may take from the globals or the built-ins, as far as that can be told without a version."""
    blocks = [item for item in items if tag_of(item) == LIT and not literals.is_text(a_of(item))]
    found: set[int] = set()
    for block in blocks:
        start, size = literals.span(m.peek, offset_of(block), a_of(block) & OPCODE, 64)
        data = m.peek(start, min(size, _BYTECODE))
        found.update(data[at + 1] for at in range(0, len(data) - 1, 2) if data[at] in _LOADS)
    return [name for at, name in enumerate(names) if at in found or 2 * at in found or 2 * at + 1 in found or at > 127]


def _function(module: str, name: str) -> Linker:
    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        if not items or len(items) < 2 or _made_by(m, items[0]) not in _CODE:
            return None
        scope = items[1]
        if tag_of(scope) == REF and m.refs[a_of(scope)].name != "__main__":
            home = m.refs[a_of(scope)]
            if home.name != "__dict__" or not home.module:
                return None
            m.reference(home.module, home.name, offset, "REDUCE", variant=BUILDS)
            m.codes[:] = [
                replace(code, scope=home.module) if code.offset == offset_of(items[0]) else code for code in m.codes
            ]
        if offset_of(items[0]) in m.rebuilds:
            m.rebuilds.add(offset)
        return builds(m, module, name, offset)

    return linker


def _always(module: str, name: str) -> Linker:
    return lambda m, _items, _bag, offset: builds(m, module, name, offset)


def _type_by_name(module: str, name: str) -> Linker:
    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        wanted = m.text(items[0]) if items else None
        table = _table()
        if wanted is None:
            return None
        if wanted == "SuperType":  # dill's own word for ``super``
            return builds(m, module, name, offset)
        if wanted == "PartialType":  # dill's own word for a class that is a linker
            builds(m, module, name, offset)
            return m.reference("functools", "partial", offset, "REDUCE", via=f"{module}.{name}")
        home = "types" if wanted in table["types"] else "builtins" if wanted in table["builtins"] else ""
        if not home:
            return m.reference("types", wanted, offset, "REDUCE", via=f"{module}.{name}")
        builds(m, module, name, offset)
        return m.reference(home, wanted, offset, "REDUCE", via=f"{module}.{name}")

    return linker


def _create_type(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``_create_type(metaclass, *arguments)`` calls its first argument."""
    if not items:
        return None
    metaclass = items[0]
    if tag_of(metaclass) == REF and m.refs[a_of(metaclass)].qualified == _UNDEFINED:
        metaclass = m.reference("builtins", "type", offset, "REDUCE", via=_UNDEFINED)
    result = m.call_items(metaclass, items[1:], bag, offset, f"{_DILL}._create_type")
    if tag_of(items[0]) == REF and m.refs[a_of(items[0])].qualified in _METACLASSES:
        return builds(m, _DILL, "_create_type", offset)
    return result


def _skeleton(module: str) -> Linker:
    def linker(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
        if not items:
            return None
        if tag_of(items[0]) == REF and m.refs[a_of(items[0])].qualified in _METACLASSES:
            return builds(m, module, "_make_skeleton_class", offset)
        m.call_items(items[0], None, bag, offset, f"{module}._make_skeleton_class")
        return None

    return linker


def _holds_function(name: str) -> Linker:
    """``staticmethod(f)`` and ``classmethod(f)`` of a function that the pickle made hold it and call nothing."""

    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        made = _made_by(m, items[0]) if items and len(items) == 1 else None
        return builds(m, "builtins", name, offset) if made in _FUNCTIONS else None

    return linker


def _call_held(m: Semantics, attributes: int, offset: int, who: str) -> None:
    """What stands among the attributes of a class may be called while the class is made."""
    for key, hidden in m.keyed.get(offset_of(attributes), ()) if tag_of(attributes) == DICT else ():
        m.call_items(hidden, None, 0, offset, f"{who} {key[:40]!r}")


def _class_of(module: str, name: str) -> Linker:
    """``EnumMeta(name, bases, attributes)`` makes a class, as ``type`` does."""

    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        if not items or len(items) != 3 or m.text(items[0]) is None or tag_of(items[2]) != DICT:
            return None
        _call_held(m, items[2], offset, name)
        return builds(m, module, name, offset)

    return linker


def _skeleton_enum(module: str) -> Linker:
    """``_make_skeleton_enum(bases, name, qualname, members, ...)`` makes an enumeration with these members."""

    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        bases = m.items(items[0]) if items and len(items) > 4 and tag_of(items[0]) == TUPLE else None
        if not items or not bases or tag_of(items[3]) != DICT:
            return None
        for base in bases:
            known = tag_of(base) == REF and m.refs[a_of(base)].qualified in _ENUMS
            if not known and _made_by(m, base) is None:
                return None
        _call_held(m, items[3], offset, "_make_skeleton_enum")
        return builds(m, module, "_make_skeleton_enum", offset)

    return linker


def _state(module: str, name: str) -> Linker:
    """Sets the state of a function or class that the pickle made."""

    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        if not items or len(items) < 2 or _made_by(m, items[0]) is None:
            return None
        note_state(m, items[0], items[1])
        parts = m.items(items[1]) or []
        if tag_of(items[1]) != TUPLE or len(parts) != 2:
            return None
        for part in parts:
            for key, value in m.keyed.get(offset_of(part), ()) if tag_of(part) == DICT else ():
                if tag_of(value) == REF and (key, m.refs[a_of(value)].qualified) != ("__new__", "enum.Enum.__new__"):
                    hijack(m, items[0], key, value, offset)
        return builds(m, module, name, offset)

    return linker


def _named_tuple(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``_create_namedtuple(name, fields, module)`` takes the class from its module where that is there, and else makes one with these fields."""
    if not items or len(items) < 3:
        return None
    name, module, fields = m.text(items[0]), m.text(items[2]), m.sure(items[1])
    if not name or not module or fields is None or not all((m.text(each) or "").isidentifier() for each in fields):
        return None
    builds(m, _DILL, "_create_namedtuple", offset)
    return m.reference(module, name, offset, "IMPORT", via=f"{_DILL}._create_namedtuple")


def _setattr(module: str, name: str) -> Linker:
    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        if (
            items
            and len(items) == 3
            and _made_by(m, items[0]) is not None
            and m.text(items[1]) in _table()["attributes"]
        ):
            return builds(m, module, name, offset)
        return None

    return linker


def _method_of(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``_getattr(str, "split", "<method 'split' of 'str' objects>")`` evaluates a part of the last text: only what Python writes there is followed."""
    if not items or len(items) != 3 or tag_of(items[0]) != REF:
        return None
    ref, name, shown = m.refs[a_of(items[0])], m.text(items[1]), _SHOWN_METHOD.fullmatch(m.text(items[2]) or "")
    if ref.module not in ("builtins", "__builtin__") or shown is None or shown.groups() != (name, ref.name):
        return None
    builds(m, _DILL, "_getattr", offset)
    return m.attribute(items[0], shown[1], offset, f"{_DILL}._getattr")


def _import(module: str, name: str, *, attributes: bool = False) -> Linker:
    """Imports a module; dill takes the last part of a dotted name as an attribute of what stands before it."""

    def linker(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
        wanted = m.text(items[0]) if items else None
        if wanted is None:
            return None
        whole = not attributes or wanted in _table()["submodules"]
        holder, _, last = ("", "", wanted) if whole else wanted.rpartition(".")
        value = m.reference(holder or wanted, last if holder else "", offset, "IMPORT", via=f"{module}.{name}")
        if wanted.partition(".")[0] in _table()["modules"]:
            builds(m, module, name, offset)
        return value

    return linker


BUILDERS: dict[tuple[str, str], Linker] = {
    ("types", "CodeType"): _code("types", "CodeType"),
    (_DILL, "_create_code"): _code(_DILL, "_create_code"),
    ("types", "FunctionType"): _function("types", "FunctionType"),
    ("types", "LambdaType"): _function("types", "LambdaType"),
    (_DILL, "_create_function"): _function(_DILL, "_create_function"),
    (_DILL, "_create_cell"): _always(_DILL, "_create_cell"),
    (_DILL, "_load_type"): _type_by_name(_DILL, "_load_type"),
    (_DILL, "_create_namedtuple"): _named_tuple,
    (_DILL, "_create_type"): _create_type,
    (_DILL, "_getattr"): _method_of,
    ("builtins", "setattr"): _setattr("builtins", "setattr"),
    ("dill", "_dill._setattr"): _setattr("dill", "_dill._setattr"),
    (_DILL, "_import_module"): _import(_DILL, "_import_module", attributes=True),
    ("builtins", "staticmethod"): _holds_function("staticmethod"),
    ("builtins", "classmethod"): _holds_function("classmethod"),
    ("enum", "EnumMeta"): _class_of("enum", "EnumMeta"),
    ("enum", "EnumType"): _class_of("enum", "EnumType"),
    ("abc", "ABCMeta"): _class_of("abc", "ABCMeta"),
    **COMPILED,
}
for home in _CLOUDS:
    BUILDERS |= {
        (home, "_make_function"): _function(home, "_make_function"),
        (home, "_make_cell"): _always(home, "_make_cell"),
        (home, "_make_empty_cell"): _always(home, "_make_empty_cell"),
        (home, "_make_skeleton_enum"): _skeleton_enum(home),
        (home, "_get_dataclass_field_type_sentinel"): _always(home, "_get_dataclass_field_type_sentinel"),
        (home, "_builtin_type"): _type_by_name(home, "_builtin_type"),
        (home, "_make_skeleton_class"): _skeleton(home),
        (home, "_class_setstate"): _state(home, "_class_setstate"),
        (home, "_function_setstate"): _state(home, "_function_setstate"),
        (home, "subimport"): _import(home, "subimport"),
    }
