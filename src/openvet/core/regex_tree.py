"""The tree of a regular expression, with sets of characters as samples of each category; parsed and never run.

Oniguruma, PCRE and Python alike, as far as they agree. References back, conditions and calls of groups are not parsed.

Reference: https://github.com/kkos/oniguruma/blob/master/doc/RE ; https://docs.python.org/3/library/re.html#regular-expression-syntax
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import field
from functools import cache
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["ALL", "MANY", "Node", "Unparsed", "parse"]

_DEEP: Final = 60
#: Turns of a repetition without an end.
MANY: Final = 1 << 30

_SAMPLES: Final = (
    "".join(map(chr, range(32, 127))) + "\n\r\t\x0b\xa0\u2003éÉßЖж中あア한\u0627\u0301\u0903ǅʰªⅣ²٣€“’…—\u200d\u3002😀"
)
ALL: Final = (1 << len(_SAMPLES)) - 1


@dataclass(slots=True)
class Node:
    """``set`` (one character of it), ``cat``, ``or``, ``rep`` (of one node), ``end`` (an anchor, or a look around), ``any`` (unknown)."""

    kind: str
    chars: int = 0
    inner: list[Node] = field(default_factory=list)
    least: int = 1
    most: int = 1
    #: no way back into it
    closed: bool = False


class Unparsed(Exception):  # noqa: N818 - it says what the expression is, not what went wrong
    """The expression has something that is not parsed."""


def parse(expression: str) -> Node:
    """The tree of an expression.

    Raises:
        Unparsed: it has something that is not parsed.
    """
    try:
        return _Parser(expression).whole()
    except (IndexError, ValueError, OverflowError, RecursionError):
        raise Unparsed from None


class _Parser:
    """One expression, left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.folded = False

    def whole(self) -> Node:
        node = self.either(0)
        if self.at < len(self.text):
            raise Unparsed
        return node

    def either(self, depth: int) -> Node:
        if depth > _DEEP:
            raise Unparsed
        ways = [self.row(depth)]
        while self.peek() == "|":
            self.at += 1
            ways.append(self.row(depth))
        return ways[0] if len(ways) == 1 else Node("or", inner=ways)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def row(self, depth: int) -> Node:
        parts: list[Node] = []
        while (sign := self.peek()) and sign not in "|)":
            atom = self.atom(depth)
            if atom is not None:
                parts.append(self.repeated(atom))
        return parts[0] if len(parts) == 1 else Node("cat", inner=parts)

    def repeated(self, atom: Node) -> Node:
        while True:
            sign = self.peek()
            if sign in ("*", "+", "?") and sign:
                least, most = {"*": (0, MANY), "+": (1, MANY), "?": (0, 1)}[sign]
                self.at += 1
            elif sign == "{" and (bounds := self.bounds()) is not None:
                least, most = bounds
            else:
                return atom
            atom = Node("rep", inner=[atom], least=least, most=most)
            if self.peek() == "?":
                self.at += 1
            elif self.peek() == "+" and sign != "{":
                self.at += 1
                atom.closed = True

    def bounds(self) -> tuple[int, int] | None:
        end = self.text.find("}", self.at, self.at + 24)
        low, comma, high = self.text[self.at + 1 : max(end, self.at + 1)].partition(",")
        if end < 0 or not all(each.isdigit() or not each for each in (low, high)) or not (low or high):
            return None
        self.at = end + 1
        least = int(low or 0)
        return least, (int(high) if high else MANY) if comma else least

    def atom(self, depth: int) -> Node | None:
        sign = self.text[self.at]
        self.at += 1
        if sign == "(":
            return self.group(depth)
        if sign == "[":
            return Node("set", self.members(depth))
        if sign == ".":
            return Node("set", ALL & ~_mask("\n"))
        if sign in "^$":
            return Node("end")
        if sign == "\\":
            return self.escape()
        return Node("set", self.one(sign))

    def one(self, sign: str) -> int:
        both = sign.lower() + sign.upper() if self.folded else sign
        return _mask(both) or (0 if sign.isascii() else _mask("中"))

    def group(self, depth: int) -> Node | None:
        closed = looks = False
        folded = self.folded
        if self.peek() == "?":
            self.at += 1
            rest = self.text[self.at : self.at + 4]
            if rest.startswith("#"):
                self.at = self.text.index(")", self.at) + 1 if ")" in self.text[self.at :] else len(self.text)
                return None
            if rest.startswith(("=", "!", "<=", "<!")):
                looks = True
                self.at += 2 if rest[0] == "<" else 1
            elif rest.startswith(">"):
                closed = True
                self.at += 1
            elif rest.startswith(("<", "P<", "'")):
                end = self.text.find("'" if rest[0] == "'" else ">", self.at + 1)
                if end < 0:
                    raise Unparsed
                self.at = end + 1
            elif rest.startswith(("P=", "P>", "R", "&", "(", "|")) or rest[:1].isdigit():
                raise Unparsed
            else:
                while self.peek() and self.peek() in "imsxuaLUnJ-":
                    self.folded = self.folded or self.peek() == "i"
                    self.at += 1
                if self.peek() == ")":
                    self.at += 1
                    return None
                if self.peek() != ":":
                    raise Unparsed
                self.at += 1
        inner = self.either(depth + 1)
        if self.peek() != ")":
            raise Unparsed
        self.at += 1
        self.folded = folded
        if looks:
            return Node("end", inner=[inner])
        return Node("rep", inner=[inner], closed=True) if closed else inner

    def escape(self) -> Node:
        sign = self.peek()
        if sign and sign in "bBAzZG<>Ky":
            self.at += 1
            return Node("end")
        if sign and sign in "123456789k":
            raise Unparsed
        return Node("set", self.escaped())

    def escaped(self) -> int:
        """The characters of an escape, in a set or outside."""
        sign = self.text[self.at]
        self.at += 1
        if sign in "dDwWsShHvVNRX":
            known = _CLASSES.get(sign.lower(), "any")
            chars = _category(known)
            return ALL & ~chars if sign in "DWSHV" else chars
        if sign in "pP":
            name = self.text[self.at]
            self.at += 1
            if name == "{":
                end = self.text.index("}", self.at)
                name = self.text[self.at : end]
                self.at = end + 1
            negated = (sign == "P") != name.startswith("^")
            chars = _category(name.lstrip("^"))
            return ALL & ~chars if negated else chars
        if sign in "xuU":
            return self.numbered(sign)
        return self.one({"n": "\n", "r": "\r", "t": "\t", "f": "\x0b", "e": "\x0b", "0": "\x0b"}.get(sign, sign))

    def numbered(self, sign: str) -> int:
        if self.peek() == "{":
            end = self.text.index("}", self.at)
            digits, self.at = self.text[self.at + 1 : end], end + 1
        else:
            length = {"x": 2, "u": 4, "U": 8}[sign]
            digits = self.text[self.at : self.at + length]
            self.at += length
        try:
            return self.one(chr(int(digits, 16)))
        except (ValueError, OverflowError):
            raise Unparsed from None

    def members(self, depth: int) -> int:
        """A set, up to its bracket; sets inside and what two have in common included."""
        if depth > _DEEP:
            raise Unparsed
        negated = self.peek() == "^"
        self.at += negated
        out, common, first, last = 0, ALL, True, ""
        while True:
            sign = self.text[self.at]
            if sign == "]" and not first:
                self.at += 1
                break
            first = False
            if self.text.startswith("&&", self.at):
                self.at += 2
                common, out, last = common & out, 0, ""
                continue
            if self.text.startswith("[:", self.at) and ":]" in self.text[self.at : self.at + 14]:
                end = self.text.index(":]", self.at)
                out |= _category(self.text[self.at + 2 : end].strip("^"))
                self.at, last = end + 2, ""
            elif sign == "[":
                self.at += 1
                out |= self.members(depth + 1)
                last = ""
            elif sign == "-" and last and self.text[self.at + 1 : self.at + 2] not in ("]", "[", ""):
                self.at += 1
                high = self.single()
                if high:
                    out |= _between(last, high, folded=self.folded)
                last = ""
            else:
                at = self.at
                single = self.single()
                if single:
                    out |= self.one(single)
                else:
                    self.at = at + 1
                    out |= self.escaped()
                last = single
        out &= common
        return ALL & ~out if negated else out

    def single(self) -> str:
        """One character of a set as itself; '' for a class."""
        sign = self.text[self.at]
        self.at += 1
        if sign != "\\":
            return sign
        sign = self.text[self.at]
        if sign in "dDwWsShHvVNRXpP":
            return ""
        self.at += 1
        if sign in "xuU":
            start = self.at
            self.numbered(sign)
            digits = self.text[start : self.at].strip("{}")
            return chr(int(digits, 16))
        return {"n": "\n", "r": "\r", "t": "\t"}.get(sign, sign)


_CLASSES: Final = {
    "d": "digit",
    "w": "word",
    "s": "space",
    "h": "blank",
    "v": "vertical",
    "n": "line",
    "r": "vertical",
    "x": "any",
}


@cache
def _category(name: str) -> int:
    """The samples of a category, a class or a script; of one that is not known those that are no ASCII."""
    plain = name.replace("_", "").replace(" ", "").lower().removeprefix("is")
    tests: dict[str, Callable[[str], bool]] = {
        "digit": str.isdigit, "nd": str.isdecimal, "word": lambda c: c.isalnum() or c == "_" or unicodedata.category(c)[0] == "M",
        "space": str.isspace, "whitespace": str.isspace, "blank": lambda c: c in " \t\xa0\u2003", "vertical": lambda c: c in "\n\r\x0b",
        "line": lambda c: c != "\n", "any": bool, "alpha": str.isalpha, "alphabetic": str.isalpha, "alnum": str.isalnum,
        "upper": str.isupper, "lower": str.islower, "uppercase": str.isupper, "lowercase": str.islower, "xdigit": lambda c: c in "0123456789abcdefABCDEF",
        "punct": lambda c: unicodedata.category(c)[0] in "PS", "han": lambda c: c == "中", "hiragana": lambda c: c == "あ", "katakana": lambda c: c == "ア",
        "hangul": lambda c: c == "한", "cyrillic": lambda c: c in "Жж", "arabic": lambda c: c == "\u0627", "latin": lambda c: c.isalpha() and ord(c) < 592,
    }  # fmt: skip
    test = tests.get(plain)
    names = {
        "letter": "l",
        "mark": "m",
        "number": "n",
        "punctuation": "p",
        "symbol": "s",
        "separator": "z",
        "other": "c",
    }
    short = names.get(plain, plain)
    if test is None and len(short) <= 2 and short[:1] in "lmnpszc":
        return sum(1 << at for at, each in enumerate(_SAMPLES) if unicodedata.category(each).lower().startswith(short))
    if test is None:
        return sum(1 << at for at, each in enumerate(_SAMPLES) if not each.isascii())
    return sum(1 << at for at, each in enumerate(_SAMPLES) if test(each))


def _mask(signs: str) -> int:
    return sum(1 << at for at in {_SAMPLES.find(each) for each in signs} if at >= 0)


def _between(low: str, high: str, *, folded: bool) -> int:
    out = sum(
        1 << at
        for at, each in enumerate(_SAMPLES)
        if low <= each <= high or (folded and low <= each.swapcase() <= high)
    )
    return out or (_mask("中") if high > "\x7f" else 0)
