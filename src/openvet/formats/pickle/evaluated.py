"""Packages whose classes evaluate the text that they are given: what their constructors are called with is looked at.

``sympy.Abs("...")`` hands its argument to ``sympify``, which runs ``eval`` on it, and so does whatever of the package takes an
expression: functions, matrices, tuples, sums, polynomials, and what is set as an item of a matrix. A pickle of an expression gives
them expressions, numbers and names of symbols, never text to be read. So an argument with text in it is told as a call of what
evaluates it, and one of which not everything is known as a computed name.

References: ``sympify`` and ``parse_expr`` of sympy, https://docs.sympy.org/latest/modules/core.html#sympy.core.sympify.sympify
("uses eval, and thus shouldn't be used on unsanitized input").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openvet.formats.pickle import literals
from openvet.formats.pickle.values import (
    DICT,
    ENCODED,
    FROZENSET,
    LIST,
    LIT,
    REF,
    RESULT,
    SET,
    TUPLE,
    a_of,
    offset_of,
    tag_of,
)

if TYPE_CHECKING:
    from openvet.formats.pickle.references import Ref
    from openvet.formats.pickle.semantics import Semantics

__all__ = ["KEPT_OF_EXPRESSIONS", "builds_expression", "evaluates", "is_evaluator", "look_at"]

#: Package -> what reads the text.
_READERS: Final = {"sympy": ("sympy.core.sympify", "sympify")}
#: What takes text for the name of a symbol or for a number, and reads neither with ``eval``.
_NAMES: Final = frozenset(
    {
        "Dummy",
        "Float",
        "Function",
        "Integer",
        "Rational",
        "Str",
        "Symbol",
        "UndefinedFunction",
        "Wild",
        "_rebuild_undef",
    }
)
#: Packages of which an instance is a number or an expression by itself.
_NUMBERS: Final = frozenset({"decimal", "fractions", "gmpy2", "mpmath", "sympy"})
_DEPTH: Final = 6
#: Items that are looked at in one call, and in all of one program: shared lists are met again and again.
_ITEMS: Final = 100_000
_ALL_ITEMS: Final = 2_000_000
#: Items of one container that are kept where expressions are built: rows of a matrix, terms of a sum.
KEPT_OF_EXPRESSIONS: Final = 512
_NO, _TEXT, _UNKNOWN = 0, 1, 2


def is_evaluator(module: str) -> bool:
    """Whether a module belongs to such a package; a program that names one is followed call by call."""
    return module.partition(".")[0] in _READERS


def evaluates(ref: Ref) -> bool:
    """Whether a call of ``ref`` may read its arguments."""
    return (
        is_evaluator(ref.module)
        and ref.kind == "global"
        and (ref.module, ref.name) != _READERS[ref.module.partition(".")[0]]
    )


def builds_expression(ref: Ref) -> bool:
    """Whether a call of ``ref`` is that of a class of such a package, which leaves the containers it is given as they are."""
    return evaluates(ref) and "." not in ref.name and ref.name.lstrip("_")[:1].isupper()


def look_at(m: Semantics, ref: Ref, items: list[int] | None, offset: int, opcode: str) -> None:
    """Tell what a call of ``ref`` with these arguments, or these items set on what it gave, evaluates."""
    if items is not None and ref.name in _NAMES:
        items = [item for item in items if not _is_name(m, ref.name, item, opcode)]
    found, text = (_UNKNOWN, 0) if items is None or m.cut else _search(m, items)
    if found == _TEXT:
        module, name = _READERS[ref.module.partition(".")[0]]
        reader = m.reference(module, name, offset, opcode, via=ref.qualified)
        m.call_items(reader, [text], 0, offset, f"{ref.qualified}()"[:80])
    elif found == _UNKNOWN:
        m.compute(
            "name", f"{ref.qualified} with arguments that are not known, of which it evaluates text", offset, opcode
        )


def _is_name(m: Semantics, taker: str, item: int, opcode: str) -> bool:
    """A name or a number as text, the tuple of a float in hexadecimal digits, or the assumptions of a symbol."""
    tag = tag_of(item)
    if tag == LIT:
        return True
    if not (tag == TUPLE and taker == "Float") and not (tag == DICT and opcode in {"NEWOBJ_EX", "REDUCE"}):
        return False
    inside = m.sure(item)
    return inside is not None and all(tag_of(each) == LIT for each in inside)


def _search(m: Semantics, items: list[int]) -> tuple[int, int]:
    """Whether there is text in what is handed over, and one that is; otherwise whether all of it is known."""
    waiting = [(item, 0) for item in items]
    seen = 0
    found = _NO
    while waiting:
        item, depth = waiting.pop()
        seen += 1
        m.looked_at += 1
        if m.looked_at > _ALL_ITEMS:
            return _UNKNOWN, 0
        tag = tag_of(item)
        if tag == LIT:
            if literals.is_text(a_of(item)) and not a_of(item) & ENCODED:
                return _TEXT, item
        elif tag in (TUPLE, LIST, DICT, SET, FROZENSET):
            held = m.held.get(offset_of(item))
            inside = m.sure(item)
            if inside is None or depth >= _DEPTH or seen > _ITEMS:
                found = _UNKNOWN
            waiting.extend((each, depth + 1) for each in (held[1:] if held is not None and depth < _DEPTH else ()))
        elif tag == RESULT:
            if m.refs[a_of(item)].module.partition(".")[0] not in _NUMBERS:
                found = _UNKNOWN
        elif tag != REF:
            found = _UNKNOWN
    return found, 0
