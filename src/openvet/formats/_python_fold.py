"""Constants out of Python expressions, as far as names are hidden in them: concatenation, slices, ``join``, ``chr``, base64.

Only functions that compute on texts and numbers are followed, those of the source among them, each on values of bounded length, and every step is
counted: a source in which names stand for ever longer expressions costs no more than its allowance.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any, Final

from openvet.formats._python_applied import applied, literal

__all__ = ["Folder"]

_LONGEST = 64 * 1024
_MOST_COUNTED = 4_096
_DEEPEST = 40
#: Steps for one expression, and for all of one source.
_STEPS = 20_000
_ALL_STEPS = 3_000_000

Values = Mapping[str, ast.expr]

_DECODERS: dict[str, Callable[[Any], bytes]] = {
    "b64decode": base64.b64decode,
    "standard_b64decode": base64.b64decode,
    "urlsafe_b64decode": base64.urlsafe_b64decode,
    "b32decode": base64.b32decode,
    "b16decode": base64.b16decode,
    "b85decode": base64.b85decode,
    "a85decode": base64.a85decode,
    "decodebytes": base64.decodebytes,
    "a2b_base64": binascii.a2b_base64,
    "a2b_hex": binascii.a2b_hex,
    "unhexlify": binascii.unhexlify,
    "fromhex": bytes.fromhex,
}
_CODECS = frozenset({"rot13", "rot_13", "hex", "hex_codec", "base64", "base64_codec", "utf-8", "utf8", "ascii",
                     "latin-1", "latin1", "utf-16", "utf-16le", "utf-16be", "utf-32", "unicode_escape"})  # fmt: skip
_FAULTS = (ValueError, TypeError, IndexError, KeyError, OverflowError, ArithmeticError, LookupError, AttributeError)
_TEXT_METHODS = frozenset({"lower", "upper", "strip", "lstrip", "rstrip", "title", "swapcase", "capitalize",
                           "casefold", "removeprefix", "removesuffix", "partition", "rpartition"})  # fmt: skip


class Folder:
    """Folds expressions of one source; ``exhausted`` says that its allowance of steps is spent."""

    __slots__ = ("_functions", "_left", "_total", "exhausted")

    def __init__(self, functions: Mapping[str, ast.AST] | None = None) -> None:
        #: the functions of the source by their names, which may decode what it hides
        self._functions = functions if functions is not None else {}
        self._total = _ALL_STEPS
        self._left = 0
        self.exhausted = False

    def fold(self, node: ast.AST, values: Values) -> Any:
        """The text, bytes, integer or list of those that ``node`` is, or ``None``.

        Args:
            node: an expression.
            values: what names were last assigned.
        """
        kind = type(node)
        if kind is ast.Constant:
            return self._constant(node.value)  # type: ignore[attr-defined]
        if self._total <= 0:
            self.exhausted = True
            return None
        self._left = min(_STEPS, self._total)
        before = self._left
        value = self._value(node, values, 0)
        self._total -= before - self._left
        return value

    @staticmethod
    def _constant(value: Any) -> Any:
        return value if isinstance(value, str | bytes | int) else None

    def _value(self, node: ast.AST, values: Values, depth: int) -> Any:
        self._left -= 1
        if depth > _DEEPEST or self._left <= 0:
            return None
        try:
            value = self._folded(node, values, depth + 1)
        except _FAULTS:
            return None
        if isinstance(value, str | bytes | list) and len(value) > _LONGEST:
            return None
        return None if isinstance(value, int) and abs(value) >> 256 else value

    def _folded(self, node: ast.AST, values: Values, depth: int) -> Any:
        kind = type(node)
        if kind is ast.Constant:
            return self._constant(node.value)  # type: ignore[attr-defined]
        if kind is ast.Name:
            held = values.get(node.id)  # type: ignore[attr-defined]
            return None if held is None else self._value(held, values, depth + 5)
        fold = _FOLDED.get(kind)
        return None if fold is None else fold(self, node, values, depth)

    def _interpreter(self, node: ast.Attribute, values: Values, depth: int) -> Any:  # noqa: ARG002 - as the others
        """``sys.executable``: which file that is says nothing, that it is Python does."""
        plain = node.attr == "executable" and isinstance(node.value, ast.Name) and node.value.id == "sys"
        return "python" if plain and "sys" not in values else None

    def _unary(self, node: ast.UnaryOp, values: Values, depth: int) -> Any:
        if not isinstance(node.op, ast.USub | ast.Invert):
            return None
        value = self._value(node.operand, values, depth)
        return (-value if isinstance(node.op, ast.USub) else ~value) if isinstance(value, int) else None

    def _joined(self, node: ast.JoinedStr, values: Values, depth: int) -> Any:
        parts = [self._value(each, values, depth) for each in node.values]
        return None if None in parts else "".join(map(str, parts))

    def _formatted(self, node: ast.FormattedValue, values: Values, depth: int) -> Any:
        return None if node.format_spec is not None else self._value(node.value, values, depth)

    def _list(self, node: ast.List | ast.Tuple | ast.Set, values: Values, depth: int) -> Any:
        items = self._items(node.elts, values, depth)
        return None if None in items else items

    def _named(self, node: ast.NamedExpr | ast.Starred, values: Values, depth: int) -> Any:
        return self._value(node.value, values, depth)

    def _items(self, nodes: list[ast.expr], values: Values, depth: int) -> list[Any]:
        out: list[Any] = []
        for node in nodes[:_LONGEST]:
            value = self._value(node, values, depth)
            if isinstance(node, ast.Starred) and isinstance(value, list | str | bytes):
                out.extend(value)
            else:
                out.append(value)
            if value is None:
                return [None]
        return out

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, values: Values, depth: int) -> Any:
        """``[chr(c ^ 1) for c in ...]``: one loop over known items, without conditions."""
        loop = node.generators[0]
        if len(node.generators) != 1 or loop.ifs:
            return None
        items = self._value(loop.iter, values, depth)
        if not isinstance(items, list | str | bytes):
            return None
        out = []
        for item in items:
            inner: dict[str, ast.expr] = {}
            if isinstance(loop.target, ast.Name):
                inner[loop.target.id] = literal(item)
            elif isinstance(loop.target, ast.Tuple) and isinstance(item, list):
                for target, each in zip(loop.target.elts, item, strict=True):
                    if isinstance(target, ast.Name):
                        inner[target.id] = literal(each)
            value = self._value(node.elt, ChainMap(inner, values), depth)  # type: ignore[arg-type]
            if value is None:
                return None
            out.append(value)
        return out

    def _operation(self, node: ast.BinOp, values: Values, depth: int) -> Any:
        left, right = self._value(node.left, values, depth), self._value(node.right, values, depth)
        if left is None or right is None:
            return None
        op = node.op
        if isinstance(op, ast.Add):
            return left + right
        if isinstance(op, ast.Mult):
            if isinstance(left, int) and isinstance(right, int):
                return left * right
            item, count = (right, left) if isinstance(left, int) else (left, right)
            return item * count if isinstance(count, int) and len(item) * max(count, 0) <= _LONGEST else None
        if isinstance(op, ast.Mod) and isinstance(left, str | bytes):
            plain = left if isinstance(left, str) else left.decode("latin-1")
            if "*" in plain or any(digit in plain for digit in "123456789"):
                return None  # a width could ask for a text of any length
            return left % (tuple(right) if isinstance(right, list) else right)
        if not isinstance(left, int) or not isinstance(right, int):
            return None
        return _arithmetic(op, left, right)

    def _part(self, node: ast.Subscript, values: Values, depth: int) -> Any:
        if isinstance(node.value, ast.Dict) or (
            isinstance(node.value, ast.Name) and isinstance(values.get(node.value.id), ast.Dict)
        ):
            held = node.value if isinstance(node.value, ast.Dict) else values[node.value.id]
            return self._looked_up(held, self._value(node.slice, values, depth), values, depth)
        base = self._value(node.value, values, depth)
        if not isinstance(base, str | bytes | list):
            return None
        if isinstance(node.slice, ast.Slice):
            bounds = [node.slice.lower, node.slice.upper, node.slice.step]
            parts = [None if each is None else self._value(each, values, depth) for each in bounds]
            if any(each is not None and part is None for each, part in zip(bounds, parts, strict=True)):
                return None
            return base[slice(*parts)]
        index = self._value(node.slice, values, depth)
        return base[index] if isinstance(index, int) else None

    def _looked_up(self, held: ast.AST, key: Any, values: Values, depth: int) -> Any:
        if key is None or not isinstance(held, ast.Dict):
            return None
        for name, value in zip(held.keys, held.values, strict=True):
            if name is not None and self._value(name, values, depth) == key:
                return self._value(value, values, depth)
        return None

    def _call(self, node: ast.Call, values: Values, depth: int) -> Any:
        function: ast.AST | None = node.func
        if isinstance(function, ast.Name):
            held = values.get(function.id)
            function = held if held is not None else self._functions.get(function.id)
        if isinstance(function, ast.FunctionDef | ast.Lambda):
            deeper = depth + 5
            return applied(
                function, node.args, node.keywords, values, lambda each, names: self._value(each, names, deeper)
            )
        arguments = [self._value(each, values, depth) for each in node.args[:8]]
        if isinstance(node.func, ast.Name):
            return self._builtin(node, arguments, values, depth)
        if not isinstance(node.func, ast.Attribute):
            return None
        name, owner = node.func.attr, self._plain(node.func.value, values, depth)
        if isinstance(owner, ast.Name) and owner.id not in values:
            if owner.id in ("codecs", "_codecs") and name in ("decode", "encode") and len(arguments) == 2:
                return _coded(name, arguments[0], arguments[1])
            if owner.id in ("str", "bytes") and name == "join" and len(arguments) == 2:
                return arguments[0].join(arguments[1])
            if owner.id in ("base64", "binascii", "codecs", "bytes", "bytearray") and arguments:
                return _decoded(name, arguments[0])
            if owner.id == "str" and name == "maketrans" and None not in arguments:
                return [[ord(a), b] for a, b in zip(*arguments[:2], strict=True)]
        if isinstance(owner, ast.Attribute) and owner.attr == "path" and arguments and isinstance(arguments[0], str):
            return _path(name, arguments)
        base = self._value(owner, values, depth)
        if base is None or None in arguments:
            return None
        if name == "format" and isinstance(base, str):
            named = {each.arg: self._value(each.value, values, depth) for each in node.keywords if each.arg}
            return None if None in named.values() else _formatted(base, arguments, named)
        return _method(name, base, arguments)

    def _plain(self, node: ast.expr, values: Values, depth: int) -> ast.expr:
        """``getattr(os, 'pa' + 'th')`` as the attribute that it gives."""
        got = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr"
        if not got or len(node.args) != 2:  # type: ignore[attr-defined]
            return node
        name = self._value(node.args[1], values, depth)  # type: ignore[attr-defined]
        return ast.Attribute(node.args[0], name, ast.Load()) if isinstance(name, str) else node  # type: ignore[attr-defined]

    def _builtin(self, node: ast.Call, arguments: list[Any], values: Values, depth: int) -> Any:
        name = node.func.id  # type: ignore[attr-defined]
        if name == "map" and len(node.args) == 2 and isinstance(arguments[1], list | str | bytes):
            out = []
            for item in arguments[1]:
                call = ast.Call(node.args[0], [literal(item)], [])
                if isinstance(node.args[0], ast.Lambda):
                    names = [each.arg for each in node.args[0].args.args]
                    inner = ChainMap({names[0]: literal(item)}, values) if len(names) == 1 else values  # type: ignore[arg-type]
                    value = self._value(node.args[0].body, inner, depth)
                else:
                    value = self._value(call, values, depth)
                if value is None:
                    return None
                out.append(value)
            return out
        first = arguments[0] if arguments else None
        if first is None:
            return None
        if name in ("bytes", "bytearray") and isinstance(first, list):
            return bytes(first)
        if name in ("bytes", "bytearray") and len(arguments) == 2 and isinstance(first, str):
            return first.encode(arguments[1]) if arguments[1] in _CODECS else None
        if name == "str" and isinstance(first, bytes) and len(arguments) == 2:
            return first.decode(arguments[1]) if arguments[1] in _CODECS else None
        if name == "int" and isinstance(first, str) and len(arguments) == 2:
            return int(first, arguments[1]) if len(first) < 64 else None
        if name == "compile" and isinstance(first, str | bytes):
            return first
        if name == "zip" and None not in arguments:
            return [list(each) for each in zip(*arguments, strict=False)]
        if name == "range" and None not in arguments and all(isinstance(each, int) for each in arguments):
            counted = range(*arguments)
            return list(counted) if len(counted) <= _MOST_COUNTED else None
        if len(arguments) != 1:
            return None
        return _simple(name, first)


def _path(name: str, arguments: list[Any]) -> str | None:
    """``os.path.expanduser('~/.x')``: the text that says where, not where that is on a machine."""
    if name in ("expanduser", "expandvars", "abspath", "normpath", "realpath"):
        return str(arguments[0])
    return "/".join(map(str, arguments)) if name == "join" and None not in arguments else None


def _arithmetic(op: ast.operator, left: int, right: int) -> int | None:
    if isinstance(op, ast.BitXor):
        return left ^ right
    if isinstance(op, ast.Sub):
        return left - right
    if isinstance(op, ast.BitAnd):
        return left & right
    if isinstance(op, ast.BitOr):
        return left | right
    if isinstance(op, ast.Mod):
        return left % right
    if isinstance(op, ast.FloorDiv):
        return left // right
    if isinstance(op, ast.RShift) and 0 <= right < 256:
        return left >> right
    if isinstance(op, ast.LShift) and 0 <= right < 64:
        return left << right
    return None


def _simple(name: str, first: Any) -> Any:
    """Builtins of one argument, and decoders imported by name."""
    if name in ("chr", "int", "str") and isinstance(first, int):
        return chr(first) if name == "chr" else first if name == "int" else str(first)
    if name == "ord":
        return ord(first)
    if name == "len":
        return len(first)
    if name == "enumerate":
        return [list(each) for each in enumerate(first)]
    if name in ("str", "repr", "ascii") and isinstance(first, str):
        return first if name == "str" else repr(first)
    if name == "int" and isinstance(first, str):
        return int(first) if len(first) < 64 else None
    if name in ("list", "tuple", "iter", "set"):
        return list(first)
    if name == "reversed":
        return list(reversed(first))
    if name == "sorted":
        return sorted(first)
    return _decoded(name, first)


def _decoded(name: str, value: Any) -> Any:
    return _DECODERS[name](value) if name in _DECODERS and isinstance(value, str | bytes) else None


def _coded(name: str, value: Any, codec: Any) -> Any:
    if not isinstance(value, str | bytes) or str(codec).lower().replace("_codec", "") not in _CODECS:
        return None
    return codecs.decode(value, codec) if name == "decode" else codecs.encode(value, codec)


def _formatted(base: str, arguments: list[Any], named: dict[str, Any]) -> str | None:
    """``'{0}{name}'.format(...)`` without a format specification, which could ask for any length."""
    if ":" in base or "[" in base or "." in base:
        return None
    return base.format(*arguments, **named)


def _method(name: str, base: Any, arguments: list[Any]) -> Any:
    if name == "join" and isinstance(base, str | bytes) and len(arguments) == 1:
        return base.join(arguments[0])
    if name in ("decode", "encode") and isinstance(base, bytes | str):
        codec = arguments[0] if arguments else "utf-8"
        return _coded(name, base, codec) if isinstance(codec, str) else None
    if name == "replace" and len(arguments) == 2 and len(base) * max(len(arguments[1]), 1) <= _LONGEST:
        return base.replace(arguments[0], arguments[1])
    if name == "translate" and isinstance(base, str) and len(arguments) == 1 and isinstance(arguments[0], list):
        return base.translate({int(pair[0]): pair[1] for pair in arguments[0]})
    if name in ("split", "rsplit", "splitlines") and isinstance(base, str | bytes):
        return getattr(base, name)(*arguments[:2])
    if name == "to_bytes" and isinstance(base, int) and len(arguments) >= 2 and 0 <= arguments[0] <= 64:
        return base.to_bytes(arguments[0], arguments[1])
    if name in _TEXT_METHODS and isinstance(base, str | bytes):
        value = getattr(base, name)(*arguments)
        return list(value) if isinstance(value, tuple) else value
    if name == "__add__" and len(arguments) == 1:
        return base + arguments[0]
    if name in ("__getitem__", "pop") and isinstance(base, str | bytes | list) and len(arguments) == 1:
        return base[arguments[0]]
    return None


#: How each kind of expression is folded; any other is nothing that is known.
_FOLDED: Final[dict[type, Callable[[Folder, Any, Values, int], Any]]] = {
    ast.BinOp: Folder._operation,
    ast.UnaryOp: Folder._unary,
    ast.Attribute: Folder._interpreter,
    ast.JoinedStr: Folder._joined,
    ast.FormattedValue: Folder._formatted,
    ast.List: Folder._list,
    ast.Tuple: Folder._list,
    ast.Set: Folder._list,
    ast.ListComp: Folder._comprehension,
    ast.GeneratorExp: Folder._comprehension,
    ast.SetComp: Folder._comprehension,
    ast.Subscript: Folder._part,
    ast.NamedExpr: Folder._named,
    ast.Starred: Folder._named,
    ast.Call: Folder._call,
}
