"""What TorchScript code costs for certain: loops that never end, and tensors that no machine holds.

The compiler writes loops out in two ways: ``for i in range(n)`` without a way out but an exception, and ``while c`` where the body
binds ``c`` anew. So a loop never ends where its count is absurd and constant, or where ``c`` begins as ``True`` and every binding
of it in the body is ``True``. Sizes count where they are constant, also by names that are bound to constants once.

Reference: ``torch/csrc/jit/serialization/python_print.cpp`` of PyTorch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod
from typing import Any, Final

__all__ = ["costs"]

#: Rounds of a loop, alone or with those around it, that nobody sees the end of; elements that no machine holds (128 GiB of floats).
_ENDLESS: Final = 1 << 40
_ABSURD: Final = 1 << 35
_SHAPED: Final = frozenset({"zeros", "ones", "empty", "rand", "randn", "full", "empty_strided", "new_zeros", "new_ones", "new_empty", "new_full",
                            "repeat", "tile", "eye", "randint", "randperm", "hann_window", "hamming_window", "blackman_window"})  # fmt: skip
_RANGED: Final = frozenset({"arange", "range", "linspace", "logspace"})
_COUNTED: Final = frozenset({"repeat_interleave", "one_hot", "bincount", "mul"})
_MOST: Final = 20
_DEPTH: Final = 20


def costs(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and what, of each loop that never ends and each tensor that no machine holds."""
    told = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for line, what in _function(node):
                yield line, what
                told += 1
                if told >= _MOST:
                    return


def _function(function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    bound = _bound(function)
    waiting: list[tuple[ast.AST, int]] = [(each, 1) for each in function.body]
    while waiting:
        node, rounds = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue  # is looked at on its own
        if isinstance(node, ast.For):
            rounds *= max(_count(node.iter, bound), 1)
            if rounds >= _ENDLESS and not _leaves(node):
                yield node.lineno, f"a loop of 2**{rounds.bit_length() - 1} rounds never ends"
                rounds = 1
        elif isinstance(node, ast.While) and _always(node, bound) and not _leaves(node):
            yield node.lineno, "a loop never ends, since its condition is always true"
        elif isinstance(node, ast.Call):
            elements = _elements(node, bound)
            if elements >= _ABSURD:
                yield (
                    node.lineno,
                    f"a tensor or list of 2**{elements.bit_length() - 1} elements is made out of constants",
                )
        waiting.extend((each, rounds) for each in ast.iter_child_nodes(node))


def _bound(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    """Every value that a name is bound to in the function."""
    out: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        target, value = node.targets[0], node.value
        if isinstance(target, ast.Name):
            out.setdefault(target.id, []).append(value)
        elif isinstance(target, ast.Tuple):
            values = (
                value.elts
                if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
                else [value] * len(target.elts)
            )
            for name, each in zip(target.elts, values, strict=True):
                if isinstance(name, ast.Name):
                    out.setdefault(name.id, []).append(each)
    return out


def _always(loop: ast.While, bound: dict[str, list[ast.expr]]) -> bool:
    if not isinstance(loop.test, ast.Name):
        return _value(loop.test, bound) is True
    values = bound.get(loop.test.id, ())
    return bool(values) and all(_value(each, bound) is True for each in values)


def _leaves(loop: ast.For | ast.While) -> bool:
    """Whether the body may end the loop by other ways: an exception, or what the compiler never writes."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Return | ast.Break | ast.Raise):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "RaiseException":
            return True
    return False


def _value(node: ast.expr, bound: dict[str, list[ast.expr]], depth: int = 0) -> Any:
    """A constant number, truth or list of numbers; ``None`` for anything else."""
    if depth > _DEPTH:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, bool | int | float) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand, bound, depth + 1)
        return -value if isinstance(value, int | float) else None
    if isinstance(node, ast.List | ast.Tuple):
        values = [_value(each, bound, depth + 1) for each in node.elts[:16]]
        return [each if isinstance(each, int) else 1 for each in values]
    if isinstance(node, ast.Name):
        values = bound.get(node.id, [])
        return _value(values[0], bound, depth + 1) if len(values) == 1 else None
    if isinstance(node, ast.Call):
        return _called(node, bound, depth)
    return None


def _called(node: ast.Call, bound: dict[str, list[ast.expr]], depth: int) -> Any:
    name, arguments = _name(node), node.args
    if name in ("annotate", "int", "bool", "Int", "Bool", "IntImplicit") and arguments:
        return _value(arguments[-1], bound, depth + 1)
    if name in ("mul", "add", "pow") and len(arguments) >= 2:
        one, other = (_value(each, bound, depth + 1) for each in arguments[:2])
        if isinstance(one, int) and isinstance(other, int) and abs(one) < 1 << 64 and abs(other) < 1 << 64:
            if name == "pow":
                return one**other if 0 <= other <= 64 else None
            return one * other if name == "mul" else one + other
    return None


def _count(node: ast.expr, bound: dict[str, list[ast.expr]]) -> int:
    """The rounds of ``range(...)`` where they are constant; 1 where not."""
    if not isinstance(node, ast.Call) or _name(node) not in ("range", "__range_length") or not node.args:
        return 1
    values = [_value(each, bound) for each in node.args]
    if not all(isinstance(each, int) for each in values):
        return 1
    start, stop, step = (0, values[0], 1) if len(values) == 1 else (*values[:2], values[2] if len(values) > 2 else 1)
    return max((stop - start) // step, 0) if step else 1


def _elements(node: ast.Call, bound: dict[str, list[ast.expr]]) -> int:
    name = _name(node) if isinstance(node.func, ast.Attribute) else ""
    if name not in _SHAPED and name not in _RANGED and name not in _COUNTED:
        return 0
    # a tensor comes first where the function is called as a method or of another tensor
    first = node.args[:2] if name in _SHAPED else node.args
    values = [_value(each, bound) for each in first]
    if name in _COUNTED:
        if name == "mul":  # of a list or a text: a longer one
            multiplied = (
                node.args
                and isinstance(node.args[0], ast.List | ast.Constant)
                and not isinstance(getattr(node.args[0], "value", ""), int | float)
            )
            return values[1] if multiplied and len(values) > 1 and isinstance(values[1], int) else 0
        return max((each for each in values[1:2] if isinstance(each, int)), default=0)
    if name in _RANGED:
        numbers = [each for each in values[:3] if isinstance(each, int) and not isinstance(each, bool)]
        if name in ("linspace", "logspace"):
            return values[2] if len(values) > 2 and isinstance(values[2], int) else 0
        if not numbers:
            return 0
        start, stop = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
        return max((stop - start) // max(abs(numbers[2]) if len(numbers) > 2 else 1, 1), 0)
    shapes = [each for each in values if isinstance(each, list)]
    if shapes:
        return prod(max(each, 1) for each in shapes[0])
    if name in ("full", "new_full"):
        return 0
    numbers = [each for each in values if isinstance(each, int) and not isinstance(each, bool)]
    if name == "eye":
        return numbers[0] ** 2 if len(numbers) == 1 else prod(numbers or [0])
    return max(numbers, default=0) if name in ("randperm", "hann_window", "hamming_window", "blackman_window") else 0


def _name(node: ast.Call) -> str:
    return (
        node.func.attr
        if isinstance(node.func, ast.Attribute)
        else node.func.id
        if isinstance(node.func, ast.Name)
        else ""
    )
