"""Packages whose classes evaluate the text that they are given: what their constructors are called with is looked at.

``sympy.Abs("...")`` hands its argument to ``sympify``, which runs ``eval`` on it, and so does whatever of the package takes an
expression: functions, matrices, tuples, sums, polynomials, and what is set as an item of a matrix. A pickle of an expression gives
them expressions, numbers and names of symbols, never text to be read. So an argument with text in it is told as a call of what
evaluates it. Where not everything is known of one, that is told as an unknown argument; and as a computed name where other text of the
same program reads as a call of what runs something (a heuristic), or a call made the argument that only makes text.

A container is looked at once: what was seen of it is remembered, and of one that grew only the rest is read. Containers in containers
that may have changed are met again, up to a bound for all of the program, beyond which nothing is known any more.

References: ``sympify`` and ``parse_expr`` of sympy, https://docs.sympy.org/latest/modules/core.html#sympy.core.sympify.sympify
("uses eval, and thus shouldn't be used on unsanitized input").
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from openvet.core.pattern import pattern
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

__all__ = ["KEPT_OF_EXPRESSIONS", "Expressions", "builds_expression", "evaluates", "is_evaluator", "makes_the_same"]

#: Package -> what reads the text.
_READERS: Final = {"sympy": ("sympy.core.sympify", "sympify")}
#: What takes text for the name of a symbol or for a number, and reads neither with ``eval``.
_NAMES: Final = frozenset(
    {
        "CoordinateSym",
        "CoordinateSymbol",
        "DeferredVector",
        "Dummy",
        "FactKB",
        "FactRules",
        "Float",
        "Function",
        "Integer",
        "Object",
        "Pauli",
        "Rational",
        "StandardCartan",
        "StdFactKB",
        "Str",
        "Symbol",
        "TypeA",
        "TypeB",
        "TypeC",
        "TypeD",
        "TypeE",
        "TypeF",
        "TypeG",
        "UndefinedFunction",
        "Wild",
        "_rebuild_undef",
    }
)
#: Packages of which an instance is a number or an expression by itself.
_NUMBERS: Final = frozenset({"decimal", "flint", "fractions", "gmpy2", "mpmath", "numbers", "sympy"})
#: Parts of such packages that give text, which may be what somebody named a symbol.
_WRITERS: Final = frozenset({("sympy", "printing"), ("sympy", "parsing"), ("sympy", "utilities")})
#: Built-in types of which an instance is a number, and those of which one holds what it was given.
_BUILT_IN: Final = frozenset({"builtins", "__builtin__"})
_PLAIN: Final = frozenset({"bool", "complex", "float", "int", "long", "range", "slice", "xrange", "bytes", "bytearray"})
_HOLDERS: Final = frozenset(
    {("collections", name) for name in ("ChainMap", "Counter", "OrderedDict", "UserDict", "UserList", "deque")}
    | {(module, name) for module in _BUILT_IN for name in ("dict", "frozenset", "list", "set", "tuple")}
)
#: What gives text: of the interpreter, and of modules for it.
_TEXT_MAKERS: Final = frozenset({"ascii", "bin", "chr", "format", "hex", "oct", "repr", "str", "unichr", "unicode"})
_TEXT_MODULES: Final = frozenset({"_codecs", "_operator", "codecs", "operator", "string", "textwrap"})
#: Codes of NumPy's dtypes that are numbers.
_NUMERIC: Final = frozenset("biufc?BHILQhlqefdgFDGpPmM<>=|")
#: Text that reads as a call of what runs or opens something, or as a way to it: what somebody would have evaluated.
_CALLS = pattern(
    rb"__(?:import|builtins|class|subclasses|globals|base|bases|mro|loader|getattribute)__|"
    rb"\b(?:eval|exec|open|compile|getattr|setattr|globals|vars|system|popen|Popen|breakpoint|input|run|call|check_output|import_module)\s*\("
)
_BEFORE: Final = 1 << 26
#: Items of containers that are met again in one program.
_AGAIN: Final = 500_000
_CONTAINERS: Final = 200_000
#: Items of one container that are kept where expressions are built: rows of a matrix, terms of a sum.
KEPT_OF_EXPRESSIONS: Final = 65_536
_NO, _TEXT, _UNKNOWN, _HOLDS = 0, 1, 2, 3


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


def makes_the_same(ref: Ref, klass: Ref) -> bool:
    """Whether ``ref(klass, ...)`` makes what ``klass(...)`` does: protocol 2 writes what has arguments by name as a call of ``__new__``,
    which a class of names may have from another one.
    """
    if not is_evaluator(ref.module) or not is_evaluator(klass.module):
        return False
    owner = ref.name.removesuffix(".__new__")
    return owner in _NAMES or (ref.module, owner) == (klass.module, klass.name)


class _Inside:
    """What was seen of one container."""

    __slots__ = ("nested", "seen", "text", "unknown")

    def __init__(self) -> None:
        self.seen = 1  # of the entry that is kept, whose first item is the count
        self.text = 0
        self.unknown = False
        self.nested: list[int] = []

    @property
    def closed(self) -> bool:
        """Whether there is nothing in it but what can never be text."""
        return not (self.nested or self.unknown or self.text)


class Expressions:
    """What a program hands to a package that evaluates text. Made with the first name of one that the program resolves.

    Args:
        machine: the walk under way.
    """

    def __init__(self, machine: Semantics) -> None:
        self._m = machine
        self._known: dict[int, _Inside] = {}
        self._results: dict[int, int] = {}
        self._changed_at = machine.tape.called_at  # where something was called last that may have changed a container
        self._again = 0
        self._over = False
        self._read_to = 0  # up to where it is known whether there is text that calls
        self._calls = False
        self._dtypes = 0
        self._words = False  # an array or scalar of NumPy may hold text

    def follow(self, ref: Ref, items: list[int] | None, offset: int, opcode: str) -> None:
        """Look at a call, whatever it is of."""
        if evaluates(ref):
            self.called(ref, items, offset, opcode)
            return
        self._met(ref, items, offset)
        if (ref.module, ref.name) in _HOLDERS and items is not None and not self._m.cut:
            self._m.held.put(offset, [len(items), *items])

    def _met(self, ref: Ref, items: list[int] | None, offset: int) -> None:
        """Note a call of something else, which may change containers: methods of them, and functions that are given one."""
        if _is_harmless(ref):
            return
        if (
            items is None
            or "." in ref.name
            or ref.kind != "global"
            or any(tag_of(item) not in _SIMPLE for item in items)
        ):
            self._changed_at = offset

    def called(self, ref: Ref, items: list[int] | None, offset: int, opcode: str) -> None:
        """Tell what a call of ``ref`` with these arguments, or these items set on what it gave, evaluates."""
        m = self._m
        found, text = _UNKNOWN, 0
        if items is not None:
            handed = self._handed(ref, items, opcode)
            found, text = self._search(handed)
            if m.cut and m.arguments[0] is not items and found == _NO:
                found = _UNKNOWN
        if found == _TEXT:
            module, name = _READERS[ref.module.partition(".")[0]]
            reader = m.reference(module, name, offset, opcode, via=ref.qualified)
            m.call_items(reader, [text], 0, offset, f"{ref.qualified}()"[:80])
        elif found == _UNKNOWN:
            kind = "name" if text or self._reads_as_call(offset) else "argument"
            if kind == "argument" and self._over:
                return
            self._over = self._again > _AGAIN
            m.compute(
                kind, f"{ref.qualified} with arguments that are not known, of which it evaluates text", offset, opcode
            )

    def _handed(self, ref: Ref, items: list[int], opcode: str) -> list[int]:
        """The arguments to look through: without those that are names, and all of them where only the first were kept."""
        if ref.name in _NAMES:
            return [item for item in items if not _is_name(self._m, ref.name, item, opcode)]
        kept, whole = self._m.arguments
        if kept is not items:
            return items
        return whole if isinstance(whole, list) else [whole]

    def _search(self, items: list[int]) -> tuple[int, int]:
        """Whether there is text in what is handed over, and one that is; otherwise whether all of it is known.

        Of what is not known the second number is one where text is made by what was called.
        """
        m = self._m
        waiting = list(items)
        met: set[int] = set()
        found = made = 0
        while waiting:
            item = waiting.pop()
            kind = self._kind(item)
            if kind == _TEXT:
                if tag_of(item) == LIT:
                    return _TEXT, item
                found, made = _UNKNOWN, 1
            elif kind == _UNKNOWN:
                found = _UNKNOWN
            elif kind == _HOLDS and offset_of(item) not in met:
                met.add(offset_of(item))
                held = m.held.get(offset_of(item))
                if held is None:
                    found = _UNKNOWN
                    continue
                if self._again > _AGAIN and offset_of(item) in self._known:
                    found = found if self._is_closed(item) else _UNKNOWN
                    continue
                inside = self._look(item, held)
                if inside.text and tag_of(inside.text) == LIT:
                    return _TEXT, inside.text
                made |= 1 if inside.text else 0
                changed = tag_of(item) not in (TUPLE, FROZENSET) and offset_of(item) < self._changed_at
                if inside.unknown or inside.text or changed or held[0] != len(held) - 1:
                    found = _UNKNOWN
                waiting += inside.nested
        return found, made

    def _look(self, item: int, held: list[int]) -> _Inside:
        """What is in a container, of which only the part is read that was not yet."""
        inside = self._known.get(offset_of(item))
        if inside is None:
            if len(self._known) >= _CONTAINERS:
                self._known.clear()
            inside = self._known[offset_of(item)] = _Inside()
        else:
            self._again += 1 + len(inside.nested)
            inside.nested = [each for each in inside.nested if not self._is_closed(each)]
        for each in held[inside.seen :] if len(held) > inside.seen else ():
            kind = self._kind(each)
            if kind == _HOLDS:
                inside.nested.append(each)
            elif kind == _TEXT:
                inside.text = each
                break
            elif kind == _UNKNOWN:
                inside.unknown = True
        else:
            inside.seen = len(held)
        return inside

    def _is_closed(self, item: int) -> bool:
        known = self._known.get(offset_of(item)) if tag_of(item) in (TUPLE, FROZENSET) else None
        return known is not None and known.closed

    def _kind(self, item: int) -> int:
        tag = tag_of(item)
        if tag == LIT:
            return _TEXT if literals.is_text(a_of(item)) and not a_of(item) & ENCODED else _NO
        if tag in (TUPLE, LIST, DICT, SET, FROZENSET):
            return _HOLDS
        if tag == REF:
            return _UNKNOWN if self._m.refs[a_of(item)].kind == "method" else _NO
        if tag != RESULT:
            return _UNKNOWN
        kind = self._results.get(a_of(item))
        if kind is None:
            kind = self._results[a_of(item)] = _of_call(self._m.refs[a_of(item)])
        if kind == _ARRAY:
            return _UNKNOWN if self._arrays_hold_words() else _NO
        return kind

    def _arrays_hold_words(self) -> bool:
        """Whether any dtype of the program is one of text or of objects, or not known."""
        dtypes = self._m.dtypes
        if self._dtypes < len(dtypes):
            codes = [each.code for each in islice(dtypes.values(), self._dtypes, None)]
            self._words = self._words or any(
                not code or code.strip("0123456789")[-1:] not in _NUMERIC for code in codes
            )
            self._dtypes = len(dtypes)
        return self._words

    def _reads_as_call(self, offset: int) -> bool:
        """Whether text before ``offset`` reads as a call of what runs something."""
        at = max(self._read_to, offset - _BEFORE)
        while not self._calls and at < offset:
            self._calls = _CALLS.search(self._m.peek(at, min(offset - at, 1 << 20))) is not None
            at += (1 << 20) - 64
        self._read_to = max(self._read_to, offset - 64)
        return self._calls


#: Kind of what NumPy gives, which depends on its dtypes.
_ARRAY: Final = 4
_SIMPLE: Final = frozenset({LIT, REF, RESULT})


def _is_harmless(ref: Ref) -> bool:
    """Whether a call leaves the containers alone that it is given: a constructor does, and so does what makes numbers."""
    top = ref.module.partition(".")[0]
    if ref.kind != "global" or "." in ref.name:
        return False
    if top in ("copyreg", "copy_reg"):
        return True  # what it makes is followed as a call of its own
    written = ref.name.lstrip("_")[:1].isupper()
    return (
        written
        or top in _NUMBERS
        or top == "numpy"
        or (ref.module in _BUILT_IN and ref.name in _PLAIN | {"set", "frozenset"})
    )


def _of_call(ref: Ref) -> int:
    """What a call of ``ref`` gives."""
    top, _, rest = ref.module.partition(".")
    if ref.module in _BUILT_IN or ref.module in _TEXT_MODULES:
        if (ref.module, ref.name) in _HOLDERS:
            return _HOLDS
        if ref.name in _PLAIN:
            return _NO
        last = ref.name
        made = (
            ref.module in _TEXT_MODULES or last in _TEXT_MAKERS or last.partition(".")[0] in ("bytes", "str", "unicode")
        )
        return _TEXT if made or last.endswith(("Error", "Exception", "Warning", "Exit", "Interrupt")) else _UNKNOWN
    if (ref.module, ref.name) in _HOLDERS:
        return _HOLDS
    if ref.kind != "global" or "." in ref.name:
        return _UNKNOWN
    if top in _NUMBERS:
        return _TEXT if (top, rest.partition(".")[0]) in _WRITERS else _NO
    return _ARRAY if top == "numpy" else _UNKNOWN


def _is_name(m: Semantics, taker: str, item: int, opcode: str) -> bool:
    """A name or a number as text, the tuple of a float in hexadecimal digits, or the assumptions of a symbol."""
    tag = tag_of(item)
    if tag == LIT:
        return True
    if not (tag == TUPLE and taker == "Float") and not (tag == DICT and opcode in {"NEWOBJ_EX", "REDUCE"}):
        return False
    inside = m.sure(item)
    return inside is not None and all(tag_of(each) == LIT for each in inside)
