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
    _case("hidden-far", "text behind more entries than are kept", Call(_MATRIX, (1, 701, [*range(700), _TEXT])),
          "reject", frozenset({"pickle/computed-name"})),
    _case("of-undefined", "a function without a definition, called with text",
          Call(Call(Name("sympy.core.function", "_rebuild_undef"), ("f", {})), (_TEXT,), how="NEWOBJ"), "reject", _RUNS),
    _case("ordinary", "sin(x)**2 + 1/3, as sympy pickles it",
          _new("sympy.core.add", "Add", _new("sympy.core.power", "Pow", Call(_SIN, (_X,), how="NEWOBJ"), _new("sympy.core.numbers", "Integer", 2)),
               _new("sympy.core.numbers", "Rational", 1, 3)), "admit"),
    _case("ordinary-words", "symbols that are named after danger", _new("sympy.core.add", "Add", *(_new("sympy.core.symbol", "Symbol", name)
          for name in ("os.system", _TEXT, "eval"))), "admit"),
    _case("ordinary-float", "a float, whose digits are text", _new("sympy.core.numbers", "Float", (0, "13c0ca428c59fb", -52, 53)), "admit"),
    _case("ordinary-undefined", "f(x) of a function without a definition",
          Call(Call(Name("sympy.core.function", "_rebuild_undef"), ("f", {})), (_X,), how="NEWOBJ"), "admit"),
    _case("ordinary-matrix", "a matrix of two hundred entries", _many(200), "admit"),
    _case("ordinary-model", "a model that found a formula, beside words", {"name": "formula", "equation": Call(_SIN, (_X,), how="NEWOBJ"), "words": ["os.system"]},
          "admit"),
)  # fmt: skip
