"""What a call takes of memory and time, where its arguments say so: ranges without end, numbers without bounds, arrays of terabytes.

``bytearray(2 ** 40)`` and ``list(itertools.count())`` call nothing but harmless callables, and end the process that loads them. Each
callable here that makes much out of little is evaluated on what is known of its arguments; what its result would be (how many items
it gives, how many bytes or bits it has) is kept where it is large, so that a chain of such calls is followed.

The bounds are far above everything that a model needs without its bytes in the file: 2^31 bytes, 2^28 items of an iterable, numbers of 2^28 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats.pickle import literals
from openvet.formats.pickle.references import Ref
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.state import State
from openvet.formats.pickle.values import DICT, FROZENSET, LIST, LIT, RESULT, SET, TUPLE, a_of, offset_of, tag_of

__all__ = ["DIGITS", "UNSETTLED", "WATCHED", "strain", "walked"]

BYTES: Final = 1 << 31
ITEMS: Final = 1 << 28
BITS: Final = 1 << 28
#: Decimal digits of a number's exponent value, and of a number that is written out (CVE-2020-10735).
_EXPONENT: Final = 100_000_000
DIGITS: Final = 200_000
_FACTORIAL: Final = 1 << 24
_ENDLESS: Final = 1 << 62
_KEPT_FROM: Final = 1 << 16
#: A number of so many bits is large where it counts something.
_LARGE_COUNT: Final = 20
_KEPT: Final = 10_000

_EXPONENTIAL: Final = pattern(r"\s*[-+]?[\d_.]+[eE]\+?(\d+)\s*")
_WIDTH: Final = pattern(r"\d{11,}")
_WIDTH_BESIDE: Final = pattern(r"%[-+ #0]*\*|\{[^{}]*\{")
_PREFIX: Final = pattern(r"[0-9A-Fa-f:.]+/(\d{1,3})")

Size = tuple[str, int]
Judge = Callable[[Semantics, list[int]], "Size | None"]


def _size(m: Semantics, value: int) -> Size | None:
    """``bytes`` of a sequence, ``items`` of an iterable, or ``bits`` of a number, as far as they are known."""
    tag = tag_of(value)
    if tag == LIT:
        code = a_of(value) & 0xFF
        if literals.is_text(code) or literals.is_bytes(code):
            return "bytes", literals.span(m.peek, offset_of(value), code, 4096)[1]
        number = m.integer(value)
        return None if number is None else ("bits", number.bit_length())
    if tag in (TUPLE, LIST, DICT, SET, FROZENSET):
        held = m.held.get(offset_of(value))
        return None if held is None else ("bytes", 8 * (held[0] // 2 if tag == DICT else held[0]))
    return m.sizes.get(offset_of(value)) if tag == RESULT else None


def _many(m: Semantics, value: int) -> int:
    """How many items iterating over a value gives; 0 where that is not known."""
    size = _size(m, value)
    if size is None or size[0] == "bits":
        return 0
    if size[0] in ("items", "addresses"):
        return size[1]
    text = tag_of(value) in (LIT, RESULT)
    return size[1] if text else size[1] // 8


def _whole(m: Semantics, value: int) -> int | None:
    """A whole number; of one that a call made and that is large, a bound from below."""
    number = m.integer(value)
    if number is not None or tag_of(value) != RESULT:
        return number
    size = m.sizes.get(offset_of(value))
    return 1 << min(size[1] - 1, 62) if size is not None and size[0] == "bits" and size[1] > 1 else None


def _numbers(m: Semantics, value: int) -> list[int]:
    """The whole numbers that a value is or directly holds."""
    inside = (m.items(value) or []) if tag_of(value) in (TUPLE, LIST, DICT) else [value]
    return [number for number in (_whole(m, each) for each in inside) if number is not None]


def _range(m: Semantics, items: list[int]) -> Size | None:
    numbers = [_whole(m, item) for item in items]
    known = [number for number in numbers if number is not None]
    if not known or len(known) != len(numbers) or len(known) > 3:
        return None
    start, stop, step = (0, known[0], 1) if len(known) == 1 else (*known[:2], known[2] if len(known) > 2 else 1)
    return ("items", max(0, -((start - stop) // step))) if step else None


def _count(_m: Semantics, _items: list[int]) -> Size | None:
    return "items", _ENDLESS


def _repeat(m: Semantics, items: list[int]) -> Size | None:
    if len(items) < 2:
        return "items", _ENDLESS
    numbers = _numbers(m, items[1])
    return ("items", max(numbers[0], 0)) if numbers else None


def _cycle(m: Semantics, items: list[int]) -> Size | None:
    return ("items", _ENDLESS) if items and _many(m, items[0]) else None


def _product(m: Semantics, items: list[int]) -> Size | None:
    times = 1
    if items and tag_of(items[-1]) == DICT:
        numbers = _numbers(m, items[-1])
        times = min(numbers[0], 1000) if numbers else 1
        items = items[:-1]
    each = math.prod(min(_many(m, item), 1 << 40) for item in items[:64])
    return "items", min(each**times if times > 0 else 0, _ENDLESS)


def _chosen(count: Callable[[int, int], int]) -> Judge:
    """Permutations and combinations."""

    def judge(m: Semantics, items: list[int]) -> Size | None:
        most = _many(m, items[0]) if items else 0
        numbers = _numbers(m, items[1]) if len(items) > 1 else [most]
        if not numbers or numbers[0] < 0:
            return None
        return "items", min(count(min(most, 2000), min(numbers[0], 2000)), _ENDLESS)

    return judge


def _passed_on(m: Semantics, items: list[int]) -> Size | None:
    """An iterator over others has as many items as the longest; over none that is known it has none."""
    return "items", max((_many(m, item) for item in items), default=0)


def _together(m: Semantics, items: list[int]) -> Size | None:
    counts = [_many(m, item) for item in items if tag_of(item) != LIT or _many(m, item)]
    return "items", min(counts, default=0)


def _slice(m: Semantics, items: list[int]) -> Size | None:
    numbers = [number for item in items[1:3] for number in _numbers(m, item)]
    return "items", min(_many(m, items[0]), max(numbers)) if numbers else _many(m, items[0])


def _filled(m: Semantics, items: list[int]) -> Size | None:
    """So many bytes as the number says, where it is one."""
    number = _whole(m, items[0]) if items else None
    return ("bytes", max(number, 0)) if number is not None else None


def _padded(m: Semantics, items: list[int]) -> Size | None:
    """A text that is filled up to a width."""
    numbers = [number for item in items[:2] for number in _numbers(m, item)]
    return ("bytes", max(numbers)) if numbers else None


def _array(m: Semantics, items: list[int]) -> Size | None:
    """An array: the product of its extents is the least that it has of bytes."""
    most = 0
    for item in items:
        parts = (m.items(item) or [])[1::2] if tag_of(item) == DICT else [item]
        for part in parts:
            numbers = _numbers(m, part)
            if numbers and min(numbers) > 0:
                most = max(most, math.prod(min(number, 1 << 62) for number in numbers))
    return "bytes", min(most, _ENDLESS)


def _extents(m: Semantics, items: list[int]) -> Size | None:
    """``torch.zeros(2, 3)`` takes extents one by one as well."""
    numbers = [number for item in items if tag_of(item) == LIT for number in _numbers(m, item)]
    loose = math.prod(min(number, 1 << 62) for number in numbers) if numbers and min(numbers) > 0 else 0
    whole = _array(m, items)
    return "bytes", min(max(loose, whole[1] if whole else 0), _ENDLESS)


def _multiplied(m: Semantics, items: list[int]) -> Size | None:
    if len(items) == 1:  # a method of a sequence that has at least one item
        return _filled(m, items)
    sizes = [_size(m, item) for item in items[:2]]
    kinds = [size[0] if size else "" for size in sizes]
    if kinds == ["bits", "bits"]:
        return "bits", sum(size[1] for size in sizes if size)
    for one, other in ((0, 1), (1, 0)):
        times, whole = m.integer(items[other]) if len(items) > other else None, sizes[one]
        if times is not None and whole is not None and whole[0] == "bytes":
            return "bytes", min(whole[1] * max(times, 0), _ENDLESS)
        if times is not None and times >= BYTES and whole is None and tag_of(items[one]) == RESULT:
            return "bytes", min(times, _ENDLESS)  # an array or a deque, of one item at least
    return None


def _added(m: Semantics, items: list[int]) -> Size | None:
    """One sequence behind another: doubled thirty times, eight bytes are gigabytes."""
    sizes = [size[1] for size in (_size(m, item) for item in items[:2]) if size is not None and size[0] == "bytes"]
    return ("bytes", min(sum(sizes), _ENDLESS)) if sizes else None


def _power(m: Semantics, items: list[int]) -> Size | None:
    if len(items) != 2:
        return None  # a third number bounds the result
    base, exponent = _size(m, items[0]), _whole(m, items[1])
    if base is None and tag_of(items[0]) == RESULT and exponent is not None and exponent >= BITS:
        return "bits", min(exponent, _ENDLESS)  # a Fraction
    if base is None or base[0] != "bits" or base[1] < 2 or exponent is None or exponent <= 0:
        return None
    if base[1] * exponent < _KEPT_FROM and (number := m.integer(items[0])) is not None:
        return "bits", (number**exponent).bit_length()
    return "bits", min((base[1] - 1) * exponent, _ENDLESS)


def _shifted(m: Semantics, items: list[int]) -> Size | None:
    """Shifting moves bytes only: what it takes is memory."""
    number = _whole(m, items[-1]) if items else None
    if number is None or number <= 0 or (len(items) > 1 and _whole(m, items[0]) == 0):
        return None
    return ("bytes", number // 8) if number // 8 >= BYTES else ("bits", min(number, BITS - 1))


def _factorial(m: Semantics, items: list[int]) -> Size | None:
    number = _whole(m, items[0]) if items else None
    return ("bits", BITS if number >= _FACTORIAL else 20 * number) if number is not None and number > 0 else None


def _chosen_number(m: Semantics, items: list[int]) -> Size | None:
    """``math.comb(n, k)`` and ``math.perm(n, k)`` multiply ``k`` numbers."""
    numbers = [number for item in items[:2] for number in _numbers(m, item)]
    if not numbers or numbers[0] <= 0 or len(numbers) != len(items):
        return None
    return "bits", min(numbers[-1] * numbers[0].bit_length(), _ENDLESS) if numbers[-1] > 0 else 1


def _as_bytes(m: Semantics, items: list[int]) -> Size | None:
    """``int.to_bytes(number, length, order)``, or the bound method without the number."""
    at = 0 if len(items) < 2 or (tag_of(items[1]) == LIT and literals.is_text(a_of(items[1]))) else 1
    return _filled(m, items[at:]) if items else None


def _replaced(m: Semantics, items: list[int]) -> Size | None:
    """``str.replace(text, old, new)``: at most one new part for each old one, or for each letter where the old one is empty."""
    sizes = [
        size[1] if size is not None and size[0] == "bytes" else 0 for size in (_size(m, item) for item in items[:3])
    ]
    if len(sizes) < 3:
        return None
    return "bytes", min(sizes[0] + (sizes[0] + 1) // max(sizes[1], 1) * sizes[2], _ENDLESS)


def _network(m: Semantics, items: list[int]) -> Size | None:
    """A network of addresses gives each of them."""
    text = m.text(items[0]) if items else None
    found = _PREFIX.fullmatch(text or "")
    bits = (128 if ":" in (text or "") else 32) - int(found[1]) if found else 0
    return ("addresses", 1 << bits) if bits > 0 else None


def _written(m: Semantics, items: list[int]) -> Size | None:
    """A number out of a text: its exponent, and how many digits are written."""
    if not items:
        return None
    if tag_of(items[0]) == RESULT:
        size = m.sizes.get(offset_of(items[0]))
        return ("bits", size[1]) if size and size[0] == "exponent" else None
    size = _size(m, items[0])
    if size is None or size[0] != "bytes" or tag_of(items[0]) != LIT:
        return None
    if size[1] >= DIGITS and m.peek(offset_of(items[0]) + 9, 64).translate(None, b"0123456789_") == b"":
        return "bits", BITS
    found = _EXPONENTIAL.fullmatch(m.text(items[0]) or "")
    exponent = int(found[1][:18]) if found else 0
    return ("bits", BITS) if exponent >= _EXPONENT else None


def _decimal(m: Semantics, items: list[int]) -> Size | None:
    """A Decimal is small whatever its exponent; what makes a whole number of it is not."""
    found = _EXPONENTIAL.fullmatch(m.text(items[0]) or "") if items else None
    exponent = int(found[1][:18]) if found else 0
    return ("exponent", BITS) if exponent >= _EXPONENT else None


def _formatted(m: Semantics, items: list[int]) -> Size | None:
    """A width of eleven digits and more in a format string, or among what is formatted where the string says so; a Decimal in full."""
    text = ""
    for item in items[:2]:
        found = _WIDTH.search(m.text(item) or "") if tag_of(item) == LIT else None
        if found:
            return "bytes", min(int(found[0][:18]), _ENDLESS)
        text += (m.text(item) or "") if tag_of(item) == LIT else ""
    inside = [each for item in items for each in ((m.items(item) or []) if tag_of(item) in (TUPLE, DICT) else [item])]
    if _WIDTH_BESIDE.search(text):
        numbers = [number for each in inside for number in _numbers(m, each)]
        return ("bytes", max(numbers)) if numbers and max(numbers) > 0 else None
    whole = any((m.sizes.get(offset_of(each)) or ("", 0))[0] == "exponent" for each in inside if tag_of(each) == RESULT)
    return ("bytes", _ENDLESS) if whole and "f" in text else None


def walked(m: State, items: list[int], offset: int, opcode: str) -> None:
    """Note it where the first item is a format string whose fields walk from a value to the inside of Python."""
    text = (m.text(items[0]) or "") if items and tag_of(items[0]) == LIT else ""
    found = _FIELD_WALK.search(text)
    if found:
        m.compute("name", f"str.format walks attributes by {found[0][:100]}", offset, opcode)


def _consumed(m: Semantics, items: list[int]) -> Size | None:
    """Takes every item of what it is given."""
    most = max((_many(m, item) for item in items if tag_of(item) == RESULT), default=0)
    return ("taken", most) if most >= _KEPT_FROM else None


def _bytes(m: Semantics, items: list[int]) -> Size | None:
    return _filled(m, items) or _consumed(m, items)


_FIELD_WALK: Final = pattern(r"(?<!\{)\{[^{}:!]{0,100}[.\[]__[a-z]{2,20}__[^{}]{0,100}\}")
_ARRAYS: Final = (
    "arange",
    "empty",
    "eye",
    "full",
    "identity",
    "ones",
    "tri",
    "zeros",
    "ndarray",
    "linspace",
    "indices",
)
_TENSORS: Final = ("arange", "empty", "eye", "full", "ones", "rand", "randn", "zeros", "range", "linspace", "Tensor",
                   "FloatTensor", "DoubleTensor", "HalfTensor", "ByteTensor", "IntTensor", "LongTensor", "FloatStorage",
                   "DoubleStorage", "ByteStorage", "IntStorage", "LongStorage", "HalfStorage", "UntypedStorage")  # fmt: skip
_CONSUMERS: Final = ("all", "any", "dict", "dict.fromkeys", "dict.update", "frozenset", "list", "list.extend", "max", "min", "set",
                     "set.update", "sorted", "str.join", "sum", "tuple", "bytes.join", "list.__init__")  # fmt: skip


def _table() -> dict[tuple[str, str], Judge]:
    table: dict[tuple[str, str], Judge] = {
        ("builtins", "range"): _range,
        ("builtins", "bytes"): _bytes,
        ("builtins", "bytearray"): _bytes,
        ("builtins", "int"): _written,
        ("builtins", "format"): _formatted,
        ("builtins", "str.format"): _formatted,
        ("builtins", "str.format_map"): _formatted,
        ("builtins", "str.__mod__"): _formatted,
        ("builtins", "bytes.__mod__"): _formatted,
        ("builtins", "pow"): _power,
        ("builtins", "int.__pow__"): _power,
        ("builtins", "int.__lshift__"): _shifted,
        ("fractions", "Fraction"): _written,
        ("decimal", "Decimal"): _decimal,
        ("math", "factorial"): _factorial,
        ("math", "comb"): _chosen_number,
        ("math", "perm"): _chosen_number,
        ("math", "floor"): _written,
        ("math", "ceil"): _written,
        ("math", "trunc"): _written,
        ("itertools", "count"): _count,
        ("itertools", "repeat"): _repeat,
        ("itertools", "cycle"): _cycle,
        ("itertools", "product"): _product,
        ("itertools", "permutations"): _chosen(math.perm),
        ("itertools", "combinations"): _chosen(math.comb),
        ("itertools", "combinations_with_replacement"): _chosen(lambda n, k: math.comb(n + k - 1, k) if n else 0),
        ("itertools", "islice"): _slice,
        ("ipaddress", "IPv4Network"): _network,
        ("ipaddress", "IPv6Network"): _network,
        ("builtins", "int.to_bytes"): _as_bytes,
        ("builtins", "zip"): _together,
        ("_codecs", "encode"): lambda m, items: _size(m, items[0]) if items else None,
    }
    for name in ("enumerate", "iter", "map", "filter", "reversed"):
        table["builtins", name] = _passed_on
    for name in ("accumulate", "chain", "compress", "dropwhile", "filterfalse", "starmap", "zip_longest", "pairwise"):
        table["itertools", name] = _passed_on
    for name in _CONSUMERS:
        table["builtins", name] = _consumed
    for module, name in (
        ("collections", "deque"),
        ("_collections", "deque"),
        ("collections", "Counter"),
        ("collections", "OrderedDict"),
        ("array", "array"),
        ("functools", "reduce"),
        ("_functools", "reduce"),
        ("builtins", "range.__contains__"),
        ("builtins", "range.count"),
        ("builtins", "range.index"),
        ("math", "fsum"),
        ("math", "prod"),
        ("numpy", "fromiter"),
        ("numpy", "array"),
    ):
        table[module, name] = _consumed
    for module in ("operator", "_operator"):
        table.update({(module, name): _multiplied for name in ("mul", "imul", "__mul__", "__imul__", "repeat")})
        table.update(
            {
                (module, name): _added
                for name in ("add", "iadd", "concat", "iconcat", "__add__", "__iadd__", "__concat__", "__iconcat__")
            }
        )
        table.update({(module, name): _power for name in ("pow", "ipow", "__pow__")})
        table.update({(module, name): _shifted for name in ("lshift", "ilshift", "__lshift__")})
        table.update({(module, name): _formatted for name in ("mod", "imod", "__mod__")})
        table[module, "countOf"] = table[module, "indexOf"] = _consumed
    for kind in ("str", "bytes", "bytearray", "list", "tuple"):
        table["builtins", f"{kind}.__add__"] = table["builtins", f"{kind}.__iadd__"] = _added
        table["builtins", f"{kind}.__mul__"] = table["builtins", f"{kind}.__rmul__"] = _multiplied
        if kind not in ("list", "tuple"):
            table.update(
                {
                    ("builtins", f"{kind}.{name}"): _padded
                    for name in ("center", "expandtabs", "ljust", "rjust", "zfill")
                }
            )
            table["builtins", f"{kind}.replace"] = _replaced
    for module in (
        "numpy",
        "numpy.core.multiarray",
        "numpy._core.multiarray",
        "numpy.core.numeric",
        "numpy._core.numeric",
    ):
        table.update({(module, name): _array for name in (*_ARRAYS, "_reconstruct")})
    table.update({("torch", name): _extents for name in _TENSORS})
    table["torch.storage", "UntypedStorage"] = _extents
    return table


WATCHED: Final = _table()
#: Those where an argument of plain data is enough: none of their calls is known beforehand. The others need an argument that is kept in
#: ``sizes``, and while there is one, no call is.
UNSETTLED: Final = frozenset(
    name for name, judge in WATCHED.items() if judge not in (_consumed, _passed_on, _together, _slice)
)
#: Methods of objects that take every item of what they are given.
_TAKES: Final = frozenset(
    (
        "difference",
        "extend",
        "extendleft",
        "fromkeys",
        "intersection",
        "join",
        "subtract",
        "symmetric_difference",
        "union",
        "update",
    )
)


#: Modules whose functions and classes go through what they are given, but for those that only look at it or take one item.
_ITERATE: Final = frozenset(
    {
        "_bisect",
        "_operator",
        "bisect",
        "collections",
        "heapq",
        "math",
        "numpy",
        "operator",
        "pandas",
        "random",
        "scipy",
        "statistics",
        "torch",
        "weakref",
    }
)
_LOOK: Final = frozenset(
    {
        "attrgetter",
        "call",
        "getitem",
        "index",
        "is_",
        "is_not",
        "itemgetter",
        "length_hint",
        "methodcaller",
        "not_",
        "truth",
    }
)


def strain(m: Semantics, ref: Ref, items: list[int], result: int, offset: int, opcode: str) -> None:
    """Judge one call; what would take more than any machine has is noted, what is large is remembered."""
    judge = WATCHED.get((ref.module, ref.name)) if ref.kind == "global" else None
    if judge is _formatted and ref.name.startswith("str.format"):
        walked(m, items[:1], offset, opcode)
    if judge is None:
        last = ref.name.rpartition(".")[2]
        if last not in _TAKES and (ref.module.partition(".")[0] not in _ITERATE or last in _LOOK):
            return
        judge = _consumed
    size = judge(m, items)
    if size is None:
        return
    kind, amount = size
    if kind == "taken":
        if amount >= ITEMS:
            _note(m, ref, f"takes {_shown(amount)} items", offset, opcode)
        return
    if kind == "bytes" and amount >= _KEPT_FROM:  # what is small counts for nothing, and is not always looked at
        m.taken += amount
        if m.taken >= BYTES:
            _note(m, ref, f"makes {_shown(m.taken)} bytes", offset, opcode)
    if kind == "bits" and amount >= BITS:
        _note(m, ref, "makes a number of more than 2^28 bits", offset, opcode)
    if (
        (amount >= (_LARGE_COUNT if kind == "bits" else _KEPT_FROM) or kind == "exponent" or judge is _added)
        and tag_of(result) == RESULT
        and len(m.sizes) < _KEPT
    ):
        m.sizes[offset_of(result)] = size


def _shown(amount: int) -> str:
    return "endlessly many" if amount >= _ENDLESS else f"more than 2^{amount.bit_length() - 1}"


def _note(m: Semantics, ref: Ref, what: str, offset: int, opcode: str) -> None:
    m.compute("resource", f"{ref.qualified} {what}", offset, opcode)
