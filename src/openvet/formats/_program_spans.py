"""Spans of words in a program in a language that has no parser here: calls with their arguments, functions with their bodies, where a statement ends.

Everything that lies within something else is looked at within one budget of words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.formats._program_roles import role_of
from openvet.formats._program_words import Language, Word

__all__ = ["FUNCTIONS", "NO_NAMES", "Call", "Spans"]

_LONGEST_SPAN: Final = 2_000
_MOST_LOOKED_AT: Final = 500_000
#: In lines longer than this, or where all of a program are longer than that together, names of one or two letters mean something else in each function.
_LONG_LINE: Final = 1_000
_LONG_ALL: Final = 200
_DECLARES: Final = frozenset(
    {
        "const",
        "let",
        "var",
        "local",
        "my",
        "our",
        "val",
        "def",
        "auto",
        "final",
        "mut",
        "static",
        "String",
        "string",
        "byte",
        "global",
        "ref",
    }
)
#: Words that are no names of what is followed, or of anything at all.
NO_NAMES: Final = frozenset({"err", "error", "ok", "_", "i", "n", "ctx", "self", "this", "true", "false", "null", "nil", "None", "undefined", "new", "await", "return", "if", "else", "for", "while", "in",
                              "of", "async", "function", "typeof", "not", "and", "or", "end", "do", "then", "public", "private", "void", "int", "console", "process", "require", "import", "from", "as", "window",
                              "document", "module", "exports", "Object", "JSON", "Array", "String", "Math", "Promise", "type", "data_dir", "length", "path", "Path", "name", "fs", "os"}) | _DECLARES  # fmt: skip
#: What stands before brackets and is no method.
_KEYWORDS: Final = frozenset(
    {"if", "for", "while", "switch", "catch", "with", "return", "function", "constructor", "super", "foreach", "elseif"}
)
FUNCTIONS: Final = frozenset({"function", "def", "sub", "fn", "func", "fun", "proc"})


class Call:
    """A call: its name, its roles, the words of its name, and its arguments as spans of words."""

    __slots__ = ("args", "begin", "close", "name", "open", "roles")

    def __init__(
        self, name: str, roles: tuple[str, ...], begin: int, opening: int, close: int, args: list[tuple[int, int]]
    ) -> None:
        self.name, self.roles, self.begin, self.open, self.close, self.args = name, roles, begin, opening, close, args


class Spans:
    """One program as its words, with what belongs together in them."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        self._words = words
        self._language = language
        lines = text.split("\n")
        self._short = any(len(each) > _LONG_LINE for each in lines) or len(text) > max(
            _LONG_ALL * len(lines), 5 * _LONG_LINE
        )
        self._partner = _partners(words)
        #: how many words may still be looked at in spans that lie within each other
        self.left = _MOST_LOOKED_AT + 10 * len(words)
        #: names that stand for something of a module
        self._aliases: dict[str, str] = {}

    def _part(self, begin: int, end: int) -> list[Word]:
        """The words of a span, as far as all of them together stay within what may be looked at."""
        end = min(end, begin + _LONGEST_SPAN)
        self.left -= max(end - begin, 0)
        return self._words[begin:end] if self.left > 0 else []

    def _split(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The arguments between two words, without what is empty."""
        parts: list[tuple[int, int]] = []
        at = start = begin
        while at < end and len(parts) < 100:
            word = self._words[at]
            if word.kind == "sign" and word.text in "([{" and at in self._partner and self._partner[at] < end:
                at = self._partner[at]
            elif word.text == ",":
                parts.append((start, at))
                start = at + 1
            at += 1
        if start < end:
            parts.append((start, end))
        return parts

    def _line_end(self, at: int) -> int:
        """Where a statement ends that has no brackets around it."""
        words = self._words
        begin = at
        last = min(len(words), begin + _LONGEST_SPAN)
        while at < last and self.left > 0:
            self.left -= 1
            word = words[at]
            if word.kind == "sign" and word.text in "([{" and at in self._partner:
                at = self._partner[at]
            elif word.text == ";" or (word.kind == "sign" and word.text in ")]}"):
                return at
            elif word.kind == "line" and at > begin:
                before = words[at - 1]
                after = next((each for each in words[at + 1 : at + 4] if each.kind != "line"), None)
                goes_on = before.kind == "sign" and before.text not in (")", "]", "}")
                if not goes_on and not (
                    after is not None and after.text in (".", "?.", "+", "..", "|", "&&", "||", "=>", ":", "?")
                ):
                    return at
            at += 1
        return min(at, len(words))

    def _name_before(self, at: int) -> tuple[str, int]:
        """The dotted name that ends at a word, and where it begins."""
        words = self._words
        parts: list[str] = []
        while at >= 0 and len(parts) < 12:
            word = words[at]
            if word.kind == "name":
                parts.append(word.text)
                at -= 1
            elif word.text in (")", "]") and at in self._partner:
                begin = self._partner[at]
                inner = self._part(begin + 1, min(at, begin + 20))
                at = begin - 1
                if at >= 0 and words[at].kind == "name":
                    module = words[at].text in ("require", "import") and len(inner) == 1 and inner[0].kind == "text"
                    parts.append(inner[0].text if module else words[at].text + "()")
                    at -= 1
                elif word.text == ")" and parts:
                    first = (
                        next((each.text for each in inner if each.kind == "text"), "")
                        if any(each.text == "require" for each in inner)
                        else ""
                    )
                    parts.append(first or "()")
                elif word.text == ")" and (last := _last_of(inner)):
                    parts.append(last)  # (0, module.exec)(…), as compilers write it
                    break
                else:
                    break
            elif word.kind == "text" and parts:
                parts.append("'")
                at -= 1
                break
            else:
                break
            step = at
            while step >= 0 and words[step].kind == "line" and parts:
                step -= 1
            if (step >= 0 and words[step].text in (".", "::", "->", "?.")) or (
                step >= 0 and words[step].text == ":" and self._language.id == "lua"
            ):
                at = step - 1
                while at >= 0 and words[at].kind == "line":
                    at -= 1
                continue
            break
        return ".".join(reversed(parts)), at + 1

    def _plain(self, name: str) -> str:
        head, dot, rest = name.partition(".")
        head = self._aliases.get(head, head)
        return (head + dot + rest).replace("node:", "").replace("/promises", "").replace("fs.promises", "fs")

    def _names_in(self, begin: int, end: int) -> list[str]:
        return [each.text for each in self._part(begin, end) if each.kind == "name" and each.text not in NO_NAMES]

    # calls

    def _every_call(self) -> Iterator[Call]:
        words, language = self._words, self._language.id
        for at, word in enumerate(words):
            if (
                word.kind == "sign"
                and word.text == "("
                and at
                and (words[at - 1].kind == "name" or words[at - 1].text == ")")
            ):
                close = self._partner.get(at)
                name, begin = self._name_before(at - 1)
                if name and close is not None:
                    name = self._plain(name)
                    yield Call(name, role_of(language, name), begin, at, close, self._split(at + 1, close))
            elif word.kind == "name" and at + 1 < len(words) and self._is_command(at):
                end = self._line_end(at + 1)
                name, begin = self._name_before(at)
                name = self._plain(name)
                if roles := role_of(language, name):
                    yield Call(name, roles, begin, at, end, self._split(at + 1, end))
            elif word.kind == "text" and word.quote == "`" and language in ("perl", "ruby", "php"):
                yield Call("system", ("process",), at, at, at + 1, [(at, at + 1)])

    def _is_command(self, at: int) -> bool:
        """``eval $code`` and ``system "…"``: a call without brackets."""
        if self._language.id not in ("perl", "ruby", "php", "groovy", "lua"):
            return False
        after = self._words[at + 1]
        return (
            after.kind in ("name", "text")
            and after.text not in NO_NAMES
            and not (at and self._words[at - 1].text in (*FUNCTIONS, "->", ">"))
        )

    # functions

    def _every_function(self) -> Iterator[tuple[str, list[str], int, int]]:
        """Each function that has a name: that, its parameters, and the span of its body."""
        words = self._words
        for at, word in enumerate(words):
            if word.text != "(" or word.kind != "sign" or not at or (close := self._partner.get(at)) is None:
                continue
            before = words[at - 1]
            after = words[close + 1].text if close + 1 < len(words) else ""
            name = ""
            if before.kind == "name" and before.text not in _KEYWORDS:
                declared = at > 1 and words[at - 2].text in FUNCTIONS
                method = self._language.id == "javascript" and after == "{" and (at < 2 or words[at - 2].kind == "line" or words[at - 2].text in (";", "{", "}", "async", "static"))  # fmt: skip
                name = before.text if declared or method else ""
            if not name and (after == "=>" or before.text in ("function", "func", "sub")):
                begin = at - 1
                while begin > 0 and words[begin].text in ("async", "function", "func", "sub"):
                    begin -= 1
                if words[begin].text in ("=", ":") and begin and words[begin - 1].kind == "name":
                    name = words[begin - 1].text
            if not name or (self._short and len(name) < 3):
                continue
            parts = [
                [each.text for each in self._part(*span) if each.kind == "name"] for span in self._split(at + 1, close)
            ]
            first = 0 if self._language.id != "groovy" else -1
            yield name, [part[first] for part in parts if part], close + 1, self._body_end(close + 1)

    def _body_end(self, begin: int) -> int:
        words = self._words
        for at in range(begin, min(begin + 200, len(words))):
            if words[at].text == "{" and words[at].kind == "sign" and at in self._partner:
                return self._partner[at]
            if words[at].kind == "line" and self._language.id in ("lua", "ruby", "julia"):
                depth_end = at
                for later in range(
                    at, min(at + 4_000, len(words))
                ):  # a body ends at the next function at the left margin
                    if (
                        words[later].text in FUNCTIONS
                        and later > at
                        and words[later - 1].kind == "line"
                        and later > begin + 1
                    ):
                        return later
                    depth_end = later
                return depth_end
        return min(begin + 200, len(words))

    def _parameters(self) -> dict[str, list[str]]:
        words = self._words
        found: dict[str, list[str]] = {}
        for at, word in enumerate(words):
            if word.kind != "name" or at + 1 >= len(words) or words[at + 1].text != "(" or not at:
                continue
            if words[at - 1].text in FUNCTIONS:
                close = self._partner.get(at + 1)
                if close is not None:
                    parts = [
                        [each.text for each in self._part(begin, end) if each.kind == "name"]
                        for begin, end in self._split(at + 2, close)
                    ]
                    which = (
                        0 if self._language.id in ("go", "rust", "javascript", "julia", "lua", "ruby", "php") else -1
                    )
                    found.setdefault(word.text, [part[which] for part in parts if part])
        return found

    def _callback(self, begin: int, end: int) -> list[str]:
        """The parameters of a function that is written where an argument stands, or of one that is named there."""
        words = self._words
        if begin >= end:
            return []
        for at in range(begin, min(begin + 3, end)):
            word = words[at]
            if word.text == "=>":
                return [each.text for each in words[begin:at] if each.kind == "name" and each.text not in NO_NAMES][:4]
            if word.text == "(" and at in self._partner and self._partner[at] + 1 < end:
                after = words[self._partner[at] + 1].text
                if after == "=>" or (at and words[at - 1].text in ("function", "func", "fn", "sub")):
                    return [
                        each.text
                        for each in self._part(at + 1, self._partner[at])
                        if each.kind == "name" and each.text not in NO_NAMES
                    ][:4]
            if word.text in ("function", "func") and at + 1 < end:
                opening = next((each for each in range(at, min(at + 3, end)) if words[each].text == "("), None)
                if opening is not None and opening in self._partner:
                    return [
                        each.text
                        for each in self._part(opening + 1, self._partner[opening])
                        if each.kind == "name" and each.text not in NO_NAMES
                    ][:4]
        return []


def _last_of(inner: list[Word]) -> str:
    """The name behind the last comma between brackets, where no more stands there."""
    at = len(inner) - 1
    names: list[str] = []
    if len(inner) == 3 and inner[1].text in ("or", "||", "??") and inner[0].kind == inner[2].kind == "name":
        return inner[2].text  # (loadstring or load)(…)
    while at >= 0 and inner[at].kind == "name":
        names.append(inner[at].text)
        if at and inner[at - 1].text == ".":
            at -= 2
            continue
        return ".".join(reversed(names)) if at and inner[at - 1].text == "," else ""
    return ""


def _partners(words: list[Word]) -> dict[int, int]:
    """The bracket that belongs to each, both ways."""
    found: dict[int, int] = {}
    open_at: list[int] = []
    pairs = {")": "(", "]": "[", "}": "{"}
    for at, word in enumerate(words):
        if word.kind != "sign":
            continue
        if word.text in "([{":
            open_at.append(at)
        elif (begins := pairs.get(word.text)) is not None:
            while open_at and words[open_at[-1]].text != begins and len(open_at) > 1 and begins != "(":
                open_at.pop()
            if open_at and words[open_at[-1]].text == begins:
                found[at] = open_at[-1]
                found[open_at.pop()] = at
    return found
