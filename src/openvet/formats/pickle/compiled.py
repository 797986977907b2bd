"""Functions compiled by numba, as numba carries them: a pickle of the class and its parts, inside of a literal.

Rebuilding one runs nothing. numba compiles the function anew where somebody calls it, and in its mode without the interpreter it knows
numbers, arrays and what of numpy, math and the built-ins it has itself: code of such a function never reaches a process or a file.
What leads out of that mode (a block that the interpreter runs, addresses of memory) is told where the code names it.

A function that another compiled one uses lies in the same literal: there cloudpickle writes ``_CustomPickled._rebuild`` as code. It is
taken for that only where the code is what numba's own becomes, to the last byte.

Reference: ``numba/core/serialize.py`` and ``numba/core/dispatcher.py`` of numba.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats.pickle import literals
from openvet.formats.pickle.program import BUILDS
from openvet.formats.pickle.references import Ref
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.values import DICT, LIT, OPCODE, REF, RESULT, TUPLE, a_of, offset_of, tag_of

__all__ = ["COMPILED", "bound_rebuild", "is_rebuild", "look_at_compiled", "note_state"]

Items = list[int] | None
Linker = Callable[[Semantics, Items, int, int], int | None]

_NUMBA: Final = "numba.core.serialize"
_PARTS: Final = "_CustomPickled._rebuild"
#: Classes of compiled functions: of one type, of elements of arrays, and what the latter keeps.
_DISPATCHERS: Final = frozenset(
    {
        "numba.core.registry.CPUDispatcher",
        "numba.np.ufunc.dufunc.DUFunc",
        "numba.np.ufunc.gufunc.GUFunc",
        "numba.np.ufunc.ufuncbuilder.UFuncDispatcher",
    }
)
#: A compiled function as numba writes it into a literal: the class comes first, with the parts that it is rebuilt from behind.
_COMPILED: Final = pattern(
    rb"\x80[\x03-\x05](?:\x95.{8})?(?:\x8c\x13numba\.core\.registry\x94?\x8c\rCPUDispatcher\x94?\x93"
    rb"|cnumba\.core\.registry\nCPUDispatcher\n"
    rb"|\x8c\x15numba\.np\.ufunc\.dufunc\x94?\x8c\x06DUFunc\x94?\x93|cnumba\.np\.ufunc\.dufunc\nDUFunc\n"
    rb"|\x8c\x15numba\.np\.ufunc\.gufunc\x94?\x8c\x06GUFunc\x94?\x93|cnumba\.np\.ufunc\.gufunc\nGUFunc\n)",
    re.DOTALL,
)
_SIGNATURES: Final = frozenset({"sigs", "siglist", "typesigs"})
#: ``return cls(ctor, states)`` in CPython 3.8 to 3.10, 3.11, 3.12 and 3.13.
_REBUILD: Final = frozenset(
    bytes.fromhex(code)
    for code in (
        "7c007c017c0283025300",
        "970002007c007c017c02a6020000ab0200000000000000005300",
        "970002007c007c017c02ab020000000000005300",
        "950055002200581235020000000000002400",
    )
)
#: Arguments of a code object before its bytes: three arguments, as many variables, room for at least that many values on its stack.
_COUNTS: Final = (3, 0, 0, 3)
_STACKS: Final = frozenset({3, 4, 5})
_FLAGS: Final = frozenset({3, 67})
#: Modules with what changes containers.
_CHANGING: Final = frozenset({"builtins", "__builtin__", "operator", "_operator", "collections"})
#: State of a function that makes another function of it.
_CHANGES_CODE: Final = frozenset({"__code__", "__class__"})


def is_rebuild(m: Semantics, items: list[int], names: list[str], constants: list[str]) -> bool:
    """Whether the arguments of a code object are those of ``_CustomPickled._rebuild``, which makes an instance and does nothing else."""
    if names or constants or len(items) not in (16, 18):
        return False
    block, tables = items[6], items[7:10] + items[-2:]
    if tag_of(block) != LIT or literals.is_text(a_of(block)) or any(tag_of(each) != TUPLE for each in tables):
        return False
    counts = [m.integer(each) for each in items[:6]]
    if tuple(counts[:4]) != _COUNTS or counts[4] not in _STACKS or counts[5] not in _FLAGS:
        return False
    inside = [m.sure(each) for each in tables]
    lengths = [None if each is None else len(each) for each in inside]
    if lengths != [1, 0, 3, 0, 0] or m.show((inside[0] or [0])[0]) != "None":
        return False
    if len(items) == 18 and _bytes(m, items[-3]) != b"":  # where it goes on after an exception
        return False
    return _bytes(m, block) in _REBUILD


def _bytes(m: Semantics, value: int) -> bytes | None:
    """The bytes of a short literal."""
    if tag_of(value) != LIT or literals.is_text(a_of(value)):
        return None
    start, size = literals.span(m.peek, offset_of(value), a_of(value) & OPCODE, 64)
    return m.peek(start, size) if size <= 64 else None


def note_state(m: Semantics, function: int, state: int) -> None:
    """The state of a function is set: where that may give it other code, it is not known any more what it does."""
    if offset_of(function) not in m.rebuilds:
        return
    parts = m.sure(state) if tag_of(state) == TUPLE else None
    for part in parts or [0]:
        entries = m.sure(part) if tag_of(part) == DICT else None
        keys = [None] if entries is None else [m.text(each) for each in entries[::2]]
        if any(key is None or key in _CHANGES_CODE for key in keys):
            m.rebuilds.discard(offset_of(function))


def _builds(m: Semantics, name: str, offset: int) -> int:
    from openvet.formats.pickle.builders import builds

    return builds(m, _NUMBA, name, offset)


def _is_made(m: Semantics, value: int, *names: str) -> bool:
    """Whether one of these builders of numba made a value, and was held to its arguments."""
    if tag_of(value) != RESULT:
        return False
    ref = m.refs[a_of(value)]
    return ref.variant == BUILDS and ref.module == _NUMBA and ref.name in names


def _is_dispatcher(m: Semantics, value: int) -> bool:
    return tag_of(value) == REF and m.refs[a_of(value)].qualified in _DISPATCHERS


def _compiled(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """Numba loads the pickle in the literal, which is judged as a program of its own; only one of its dispatcher is followed."""
    if not items or len(items) != 1 or tag_of(items[0]) != LIT or literals.is_text(a_of(items[0])):
        return None
    start, size = literals.span(m.peek, offset_of(items[0]), a_of(items[0]) & OPCODE, 64)
    if _COMPILED.match(m.peek(start, min(size, 128))) is None or not m.is_carried(items[0]):
        return None
    return _builds(m, "_unpickle__CustomPickled", offset)


def _parts(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``_CustomPickled._rebuild(class, parts)`` keeps both, for a function that another one in the same literal uses."""
    if not items or len(items) != 2 or not _is_dispatcher(m, items[0]) or tag_of(items[1]) != DICT:
        return None
    _look_at_parts(m, items[1])
    return _builds(m, _PARTS, offset)


def _rebuilt(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """The dispatcher compiles its function for the types that it was called with, and calls it not."""
    if not items or len(items) != 1 or not _is_made(m, items[0], "_unpickle__CustomPickled", _PARTS):
        return None
    return _builds(m, "custom_rebuild", offset)


def look_at_compiled(m: Semantics) -> None:
    """Note what is known of the code in a literal of numba's, and tell the signatures in it that are text.

    numba evaluates such signatures as it compiles, and itself writes them as objects. The literal holds the class and what it is
    rebuilt from.
    """
    parts = m.items(m.result) if tag_of(m.result) == TUPLE else None
    if not parts or len(parts) != 2 or not _is_dispatcher(m, parts[0]) or tag_of(parts[1]) != DICT:
        return
    _look_at_parts(m, parts[1])
    if m.compiles and not any(ref.calls and _may_change(ref) for ref in m.refs):
        m.codes[:] = [replace(code, compiled=True) for code in m.codes]


def _look_at_parts(m: Semantics, parts: int) -> None:
    entries = m.items(parts) or []
    whole = _whole(m, parts)
    for at in range(0, len(entries) - 1, 2):
        key, value = m.text(entries[at]), entries[at + 1]
        if key in _SIGNATURES:
            _look_at_signatures(m, value)
        if not whole or key is None or (key == "targetoptions" and not _without_interpreter(m, value)):
            m.compiles = False


def _whole(m: Semantics, container: int) -> bool:
    """Whether all items of a container are known, but for what a call may have changed."""
    held = m.held.get(offset_of(container))
    return held is not None and held[0] == len(held) - 1


def _may_change(ref: Ref) -> bool:
    """Whether a call of ``ref`` may change a container that the program filled: methods of the built-in ones, and operators."""
    return ref.module in _CHANGING and ref.name not in ("getattr", "object")


def _without_interpreter(m: Semantics, options: int) -> bool:
    """Whether options say ``nopython``, without which numba may fall back to objects of the interpreter."""
    entries = m.items(options) if tag_of(options) == DICT and _whole(m, options) else None
    if not entries:
        return False
    said = {m.text(entries[at]): m.show(entries[at + 1]) for at in range(0, len(entries) - 1, 2)}
    return said.get("nopython") == "True" and said.get("forceobj", "None") in ("None", "False")


def _look_at_signatures(m: Semantics, value: int) -> None:
    inside = m.items(value)
    for each in [value] if inside is None else inside:
        if tag_of(each) not in (RESULT, TUPLE):
            callee = m.reference("numba.core.sigutils", "normalize_signature", offset_of(each), "BUILD", via=_NUMBA)
            m.call_items(callee, [each], 0, offset_of(each), "BUILD")


def bound_rebuild(m: Semantics, items: Items, offset: int) -> int | None:
    """``MethodType(function, _CustomPickled)`` where the function is known to be numba's own."""
    if not items or len(items) != 2 or tag_of(items[0]) != RESULT or offset_of(items[0]) not in m.rebuilds:
        return None
    if tag_of(items[1]) != REF or m.refs[a_of(items[1])].qualified != f"{_NUMBA}._CustomPickled":
        return None
    m.reference(_NUMBA, "_CustomPickled", offset, "REDUCE", variant=BUILDS)
    return m.reference(_NUMBA, _PARTS, offset, "REDUCE")


COMPILED: Final[dict[tuple[str, str], Linker]] = {
    (_NUMBA, "_unpickle__CustomPickled"): _compiled,
    (_NUMBA, "custom_rebuild"): _rebuilt,
    (_NUMBA, _PARTS): _parts,
}
