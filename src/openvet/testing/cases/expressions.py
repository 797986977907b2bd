"""Expressions of sympy in pickles: its classes evaluate text that they are given, and honest ones are given none."""

from __future__ import annotations

from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_TEXT = '__import__("os").system("echo forged")'
_RUNS = frozenset({"pickle/runs-code"})
_SIN = Name("sympy.functions.elementary.trigonometric", "sin")
_TUPLE = Name("sympy.core.containers", "Tuple")
_MATRIX = Name("sympy.matrices.dense", "MutableDenseMatrix")


def _new(module: str, name: str, *arguments: Any) -> Call:
    return Call(Name(module, name), arguments, how="NEWOBJ")


_X = _new("sympy.core.symbol", "Symbol", "x")


def _case(
    word: str,
    technique: str,
    value: Any,
    decision: Literal["admit", "review", "reject"],
    rules: frozenset[str] = frozenset(),
) -> Case:
    return Case(f"expressions/{word}", technique, lambda: dump(value, 4), decision, rules, ("pickle",), (), "model.pkl")


def _many(count: int) -> Call:
    """A matrix of one row, as older versions wrote them: its entries in a list."""
    return Call(_MATRIX, (1, count, [_new("sympy.core.numbers", "Integer", n) for n in range(count)]))


#: A double, as NumPy pickles its scalars.
_F8 = Call(Name("numpy._core.multiarray", "scalar"), (Call(Name("numpy", "dtype"), ("f8", False, True)), b"\0" * 8))


def _changed() -> bytes:
    """A list, into which ``list.append`` puts text beside the calls that are followed."""
    text = _TEXT.encode()
    return b"".join(
        (
            b"\x80\x04]\x940cbuiltins\nlist.append\nh\x00\x8c",
            bytes((len(text),)),
            text,
            b"\x86R0csympy.core.containers\nTuple\nh\x00\x85R.",
        )
    )


def _many_shared() -> bytes:
    """Calls over the same lists of lists, and then text in a tuple."""
    text = _TEXT.encode()
    lists = b"](" + b"](K\x01K\x01e" * 512 + b"e\x85\x940"
    calls = b"h\x00h\x01R0" * 1_500
    return (
        b"\x80\x04csympy.core.containers\nTuple\n\x940"
        + lists
        + calls
        + b"h\x00\x8c"
        + bytes((len(text),))
        + text
        + b"\x85\x85R."
    )


_X_OF_TEXT = _new("sympy.core.symbol", "Symbol", _TEXT)

CASES: tuple[Case, ...] = (
    _case("function", "a function of text, which is evaluated", Call(_SIN, (_TEXT,)), "reject", _RUNS),
    _case("class", "a class written as one, whose constructor evaluates text", _new("sympy.functions.elementary.complexes", "Abs", _TEXT), "reject",
          _RUNS),
    _case("polynomial", "a polynomial of text", _new("sympy.polys.polytools", "Poly", _TEXT), "reject", _RUNS),
    _case("nested", "text in lists in a tuple", Call(_TUPLE, ([[(1, [_TEXT])]],)), "reject", _RUNS),
    _case("sum", "text between the terms of an integral", _new("sympy.integrals.integrals", "Integral", _X, (_X, 0, _TEXT)), "reject", _RUNS),
    _case("later", "text behind ten calls that were given none", [*(Call(_TUPLE, (n,)) for n in range(10)), Call(_TUPLE, (_TEXT,))], "reject", _RUNS),
    _case("number", "text in a list, of which a number is to be made", _new("sympy.core.numbers", "Rational", [_TEXT]), "reject", _RUNS),
    _case("number-tuple", "text in a tuple, of which a number is to be made", _new("sympy.core.numbers", "Rational", (_TEXT,)), "reject", _RUNS),
    _case("partial", "text that a partial hands over", Call(Call(Name("functools", "partial"), (_TUPLE, _TEXT)), ()), "reject", _RUNS),
    _case("mapped", "text that map hands over", Call(Name("builtins", "list"), (Call(Name("builtins", "map"), (_TUPLE, [_TEXT])),)), "reject", _RUNS),
    _case("built", "text that another call makes, and of which nothing is known", Call(_TUPLE, (Call(Name("builtins", "str"), (_TEXT,)),)),
          "reject", frozenset({"pickle/computed-name"})),
    _case("shown", "an object that says the text when it is asked to show itself", Call(_TUPLE, (Call(Name("builtins", "Exception"), (_TEXT,)),)),
          "reject", frozenset({"pickle/computed-name"})),
    _case("array", "text in an array", Call(_TUPLE, (Call(Name("numpy._core.multiarray", "scalar"), (Call(Name("numpy", "dtype"), ("U40", False, True)), _TEXT)),)),
          "reject", frozenset({"pickle/computed-name"})),
    _case("item", "text that is set as an item of a matrix", Call(_MATRIX, (1, 1, [0]), items=((0, _TEXT),)), "reject", _RUNS),
    _case("hidden-far", "text behind many entries of a matrix", Call(_MATRIX, (1, 701, [*range(700), _TEXT])), "reject", _RUNS),
    _case("hidden-farther", "text behind more entries than are kept", Call(_TUPLE, ([*range(66_000), _TEXT],)),
          "reject", frozenset({"pickle/computed-name"})),
    _case("held", "text in a dictionary that remembers its order", Call(_TUPLE, (Call(Name("collections", "OrderedDict"), ([(1, _TEXT)],)),)),
          "reject", _RUNS),
    _case("by-keyword", "text behind a call by keywords, as protocol 2 writes it",
          Call(Call(Name("functools", "partial"), (Name("sympy.core.containers", "Tuple.__new__"), _TUPLE, _TEXT)), ()), "reject", _RUNS),
    _case("joined", "text put together by a call", Call(_TUPLE, (Call(Name("builtins", "str.join"), ("", ["os.sys", "tem('echo forged')"])),)),
          "reject", frozenset({"pickle/computed-name"})),
    Case("expressions/appended", "text put into a list by a method of it, after which nothing is known of the list", _changed, "reject",
         frozenset({"pickle/computed-name"}), ("pickle",), (), "model.pkl"),
    _case("of-undefined", "a function without a definition, called with text",
          Call(Call(Name("sympy.core.function", "_rebuild_undef"), ("f", {})), (_TEXT,), how="NEWOBJ"), "reject", _RUNS),
    Case("expressions/after-many", "nested text behind so many looks at shared lists that they are known no more", _many_shared, "reject",
         frozenset({"pickle/computed-name", "pickle/runs-code"}), ("pickle",), (), "model.pkl"),
    _case("of-a-name", "the name of a symbol, which is text", Call(_TUPLE, (Call(Name("builtins", "getattr"), (_X_OF_TEXT, "name")),)), "reject",
          frozenset({"pickle/computed-name"})),
    _case("written", "what writes an expression as text", Call(_TUPLE, (Call(Name("sympy.printing.str", "StrPrinter"), (_X_OF_TEXT,)),)), "reject",
          frozenset({"pickle/computed-name"})),
    _case("ordinary", "sin(x)**2 + 1/3, as sympy pickles it",
          _new("sympy.core.add", "Add", _new("sympy.core.power", "Pow", Call(_SIN, (_X,), how="NEWOBJ"), _new("sympy.core.numbers", "Integer", 2)),
               _new("sympy.core.numbers", "Rational", 1, 3)), "admit"),
    _case("ordinary-words", "symbols that are named after danger", _new("sympy.core.add", "Add", *(_new("sympy.core.symbol", "Symbol", name)
          for name in ("os.system", _TEXT, "eval"))), "admit"),
    _case("ordinary-float", "a float, whose digits are text", _new("sympy.core.numbers", "Float", (0, "13c0ca428c59fb", -52, 53)), "admit"),
    _case("ordinary-undefined", "f(x) of a function without a definition",
          Call(Call(Name("sympy.core.function", "_rebuild_undef"), ("f", {})), (_X,), how="NEWOBJ"), "admit"),
    _case("ordinary-matrix", "a matrix of two hundred entries", _many(200), "admit"),
    _case("ordinary-large", "a sum of three thousand terms", _new("sympy.core.add", "Add", *(_new("sympy.core.mul", "Mul", _X, n) for n in range(3_000))),
          "admit"),
    _case("ordinary-rows", "a matrix of four thousand entries", _many(4_000), "admit"),
    _case("ordinary-numpy", "a number of NumPy in a sum", _new("sympy.core.add", "Add", _X, _F8), "admit"),
    _case("ordinary-rational", "numbers of other libraries", _new("sympy.core.containers", "Tuple", Call(Name("fractions", "Fraction"), ("1/3",)),
          Call(Name("gmpy2", "from_binary"), (b"\x01\x01\x03",)), Call(Name("mpmath.ctx_mp_python", "mpf"), ("1.5",))), "admit"),
    _case("ordinary-assumed", "a positive symbol, as protocol 2 writes it",
          Call(Call(Name("functools", "partial"), (Name("sympy.core.symbol", "Symbol.__new__"), Name("sympy.core.symbol", "Symbol"), "p")), ()), "admit"),
    _case("ordinary-set", "a set of symbols, as older protocols write it", Call(_TUPLE, (Call(Name("builtins", "set"), ([_X],)),)), "admit"),
    _case("ordinary-unknown", "what a function gave that is not known, and no text", Call(_TUPLE, (Call(Name("datetime", "timedelta"), (1,)),)),
          "review", frozenset({"pickle/computed-name"})),
    _case("ordinary-model", "a model that found a formula, beside words", {"name": "formula", "equation": Call(_SIN, (_X,), how="NEWOBJ"), "words": ["os.system"]},
          "admit"),
)  # fmt: skip
