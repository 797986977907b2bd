"""Constants out of Python expressions, as far as names are hidden in them: concatenation, slices, ``join``, ``chr``, base64."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections.abc import Callable
from typing import Any

__all__ = ["fold"]

_LONGEST = 64 * 1024
_DEEPEST = 30


def fold(node: ast.AST, values: dict[str, ast.expr], depth: int = 0) -> Any:
    """The text, bytes or integer that ``node`` is, or ``None``. ``values`` are what names were last assigned."""
    if depth > _DEEPEST:
        return None
    try:
        value = _folded(node, values, depth + 1)
    except (ValueError, TypeError, IndexError, OverflowError, UnicodeError, binascii.Error, LookupError):
        return None
    return None if isinstance(value, str | bytes | list) and len(value) > _LONGEST else value


def _folded(node: ast.AST, values: dict[str, ast.expr], depth: int) -> Any:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str | bytes | int) else None
    if isinstance(node, ast.Name):
        held = values.get(node.id)
        return None if held is None else fold(held, values, depth + 5)
    if isinstance(node, ast.BinOp):
        return _operation(node, values, depth)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = fold(node.operand, values, depth)
        return -value if isinstance(value, int) else None
    if isinstance(node, ast.JoinedStr):
        parts = [
            fold(each.value if isinstance(each, ast.FormattedValue) else each, values, depth) for each in node.values
        ]
        return None if None in parts else "".join(map(str, parts))
    if isinstance(node, ast.List | ast.Tuple):
        items = [fold(each, values, depth) for each in node.elts[:_LONGEST]]
        return None if None in items else items
    if isinstance(node, ast.Subscript):
        return _part(node, values, depth)
    return _call(node, values, depth) if isinstance(node, ast.Call) else None


def _operation(node: ast.BinOp, values: dict[str, ast.expr], depth: int) -> Any:
    left, right = fold(node.left, values, depth), fold(node.right, values, depth)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Mult):
        texts = [each for each in (left, right) if isinstance(each, str | bytes)]
        count = next((each for each in (left, right) if isinstance(each, int)), None)
        if len(texts) == 1 and count is not None and len(texts[0]) * max(count, 0) <= _LONGEST:
            return texts[0] * count
    if (
        isinstance(node.op, ast.Mod)
        and isinstance(left, str)
        and "*" not in left
        and not any(char in "123456789" for char in left)
    ):
        return left % (tuple(right) if isinstance(right, list) else right)
    if isinstance(node.op, ast.BitXor) and isinstance(left, int) and isinstance(right, int):
        return left ^ right
    return None


def _part(node: ast.Subscript, values: dict[str, ast.expr], depth: int) -> Any:
    base = fold(node.value, values, depth)
    if not isinstance(base, str | bytes | list):
        return None
    if isinstance(node.slice, ast.Slice):
        bounds = [node.slice.lower, node.slice.upper, node.slice.step]
        parts = [None if each is None else fold(each, values, depth) for each in bounds]
        if any(each is not None and part is None for each, part in zip(bounds, parts, strict=True)):
            return None
        return base[slice(*parts)]
    index = fold(node.slice, values, depth)
    return base[index] if isinstance(index, int) else None


def _call(node: ast.Call, values: dict[str, ast.expr], depth: int) -> Any:
    arguments = [fold(each, values, depth) for each in node.args[:4]]
    if isinstance(node.func, ast.Name):
        first = arguments[0] if len(arguments) >= 1 else None
        if node.func.id == "chr" and isinstance(first, int):
            return chr(first)
        if node.func.id in ("bytes", "bytearray") and isinstance(first, list):
            return bytes(first)
        if node.func.id == "str" and isinstance(first, str | int) and len(arguments) == 1:
            return str(first)
        if node.func.id == "compile" and isinstance(first, str | bytes):
            return first
        return _decoded(node.func.id, first)
    if not isinstance(node.func, ast.Attribute):
        return None
    name = node.func.attr
    if isinstance(node.func.value, ast.Name) and node.func.value.id in (
        "base64",
        "binascii",
        "codecs",
        "bytes",
        "bytearray",
    ):
        if name == "decode" and len(arguments) == 2 and arguments[1] in ("rot13", "rot_13"):
            return codecs.decode(arguments[0], "rot13")
        return _decoded(name, arguments[0] if arguments else None)
    base = fold(node.func.value, values, depth)
    return None if base is None or None in arguments else _method(name, base, arguments)


def _decoded(name: str, value: Any) -> Any:
    decoders: dict[str, Callable[[Any], bytes]] = {
        "b64decode": base64.b64decode,
        "standard_b64decode": base64.b64decode,
        "urlsafe_b64decode": base64.urlsafe_b64decode,
        "b32decode": base64.b32decode,
        "b16decode": base64.b16decode,
        "b85decode": base64.b85decode,
        "a2b_base64": binascii.a2b_base64,
        "unhexlify": binascii.unhexlify,
        "fromhex": bytes.fromhex,
    }
    return decoders[name](value) if name in decoders and isinstance(value, str | bytes) else None


def _method(name: str, base: Any, arguments: list[Any]) -> Any:
    if name == "join" and isinstance(base, str | bytes) and len(arguments) == 1:
        return base.join(arguments[0])
    if name == "decode" and isinstance(base, bytes):
        return base.decode(arguments[0] if arguments else "utf-8")
    if name == "encode" and isinstance(base, str):
        return base.encode("utf-8")
    if not isinstance(base, str):
        return None
    if name == "replace" and len(arguments) == 2 and len(base) * max(len(arguments[1]), 1) <= _LONGEST:
        return base.replace(arguments[0], arguments[1])
    if name == "format":
        return base.format(*arguments) if base.count("{}") == base.count("{") else None
    if name in ("lower", "upper", "strip", "lstrip", "rstrip", "title", "swapcase") and not arguments:
        return getattr(base, name)()
    return None
