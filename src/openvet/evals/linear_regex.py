r"""Regular expressions that take time in proportion to the text, whatever they are and whatever it is.

A task's expression runs over what a stranger's model wrote. An engine that goes back and tries again can be made to take years by either;
this one goes through the text once, with all that could still match side by side (R. Cox, "Regular Expression Matching: the Virtual Machine
Approach", 2009; after K. Thompson, CACM 11 (1968) 419). It finds what Python's :mod:`re` would find: the leftmost match, preferring as written,
but where a repeated part may match nothing, of which engines make different things.

Taken: characters, escapes, classes, ``.``, ``^ $ \A \Z \b \B``, ``|``, groups ``( )`` and ``(?: )``, and ``* + ? {m,n}``, also lazy.
Not taken: references back, looking around, conditions, flags, names. One group may capture.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["LinearRegex", "RegexError"]

_MOST_STATES: Final = 2_000
_DEEPEST: Final = 40
_COUNTED: Final = pattern(r"\{([0-9]{0,4})(,?)([0-9]{0,4})\}")
_ESCAPE: Final = pattern(r"\\(?:[dDwWsSnrtfv]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[^A-Za-z0-9])")
_WORD: Final = pattern(r"\w")


class RegexError(ValueError):
    """An expression is none, or has something that is not taken; the text says what."""


# Nodes of the tree: ("one", test), ("at", sign), ("cat", [nodes]), ("or", [nodes]), ("rep", node, least, most, greedy), ("group", node)
_Node = tuple[object, ...]


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.groups = text, 0, 0

    def whole(self) -> _Node:
        node = self._either(0)
        if self.at < len(self.text):
            raise RegexError("a ) has no ( before it")
        return node

    def _peek(self, what: str) -> bool:
        if self.text.startswith(what, self.at):
            self.at += len(what)
            return True
        return False

    def _either(self, depth: int) -> _Node:
        if depth > _DEEPEST:
            raise RegexError("is nested too deeply")
        ways = [self._row(depth)]
        while self._peek("|"):
            ways.append(self._row(depth))
        return ways[0] if len(ways) == 1 else ("or", ways)

    def _row(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            node = self._atom(depth)
            parts.append(self._repeated(node))
        return ("cat", parts)

    def _atom(self, depth: int) -> _Node:
        if self._peek("("):
            captures = not self._peek("?:")
            if captures and self._peek("?"):
                raise RegexError("(? begins something that is not taken; groups are ( ) and (?: )")
            self.groups += captures
            inner = self._either(depth + 1)
            if not self._peek(")"):
                raise RegexError("a ( has no ) behind it")
            return ("group", inner) if captures else inner
        for sign in ("^", "$", r"\A", r"\Z", r"\b", r"\B"):
            if self._peek(sign):
                return ("at", sign)
        return ("one", self._one())

    def _one(self) -> Callable[[str], bool]:
        char = self.text[self.at]
        if char in "*+?":
            raise RegexError(f"{char} repeats nothing")
        if char == "[":
            end = self._class_end()
        elif char == "\\":
            found = _ESCAPE.match(self.text, self.at)
            if found is None:
                raise RegexError(f"{self.text[self.at : self.at + 2]} is not taken")
            end = found.end()
        else:
            end = self.at + 1
        source, self.at = self.text[self.at : end], end
        if source != "." and source[0] not in "[\\":
            return source.__eq__
        try:
            compiled = re.compile(source)
        except re.error as error:
            raise RegexError(f"{source} is no class of characters") from error
        return lru_cache(maxsize=512)(lambda each: compiled.fullmatch(each) is not None)

    def _class_end(self) -> int:
        at = self.at + 1
        at += self.text.startswith("^", at)
        at += self.text.startswith("]", at)  # the first is a character
        while at < len(self.text) and self.text[at] != "]":
            if self.text[at] == "[":
                raise RegexError(r"a [ in a class is written \[")
            at += 2 if self.text[at] == "\\" else 1
        if at >= len(self.text):
            raise RegexError("a [ has no ] behind it")
        return at + 1

    def _repeated(self, node: _Node) -> _Node:
        found = _COUNTED.match(self.text, self.at)
        least: int
        most: int | None
        if self._peek("*"):
            least, most = 0, None
        elif self._peek("+"):
            least, most = 1, None
        elif self._peek("?"):
            least, most = 0, 1
        elif found and (found[1] or found[3]):
            self.at = found.end()
            least = int(found[1] or 0)
            most = least if not found[2] else int(found[3]) if found[3] else None
            if most is not None and most < least:
                raise RegexError(f"{found[0]} counts backwards")
        else:
            return node
        if node[0] == "at":
            raise RegexError("a place in the text is not repeated")
        greedy = not self._peek("?")
        if self.at < len(self.text) and self.text[self.at] in "*+?":
            raise RegexError("a repetition is not repeated without a group")
        return ("rep", node, least, most, greedy)


class LinearRegex:
    """An expression, ready to search.

    Raises:
        RegexError: it is none that is taken, or too large when its counts are written out.

    Attributes:
        groups: 1 where it captures, else 0.
    """

    def __init__(self, source: str) -> None:
        parser = _Parser(source)
        tree = parser.whole()
        self.groups = parser.groups
        if self.groups > 1:
            raise RegexError("has more than one group; the one group is the answer, others are written (?:...)")
        # ("one", test) | ("at", sign) | ("split", first, second) | ("jump", to) | ("save", slot) | ("match",)
        self._code: list[tuple[object, ...]] = []
        self._emit(tree)
        self._add("match")

    def _add(self, *what: object) -> int:
        if len(self._code) >= _MOST_STATES:
            raise RegexError("is too large when its counts are written out")
        self._code.append(what)
        return len(self._code) - 1

    def _emit(self, node: _Node) -> None:
        kind = node[0]
        if kind in ("one", "at"):
            self._add(kind, node[1])
        elif kind == "cat":
            for each in node[1]:  # type: ignore[attr-defined]
                self._emit(each)
        elif kind == "group":
            self._add("save", 0)
            self._emit(node[1])  # type: ignore[arg-type]
            self._add("save", 1)
        elif kind == "or":
            self._emit_either(node[1])  # type: ignore[arg-type]
        else:
            self._emit_repeat(*node[1:])  # type: ignore[arg-type]

    def _emit_either(self, ways: list[_Node]) -> None:
        ends = []
        for each in ways[:-1]:
            split = self._add("split")
            self._emit(each)
            ends.append(self._add("jump"))
            self._code[split] = ("split", split + 1, len(self._code))
        self._emit(ways[-1])
        for end in ends:
            self._code[end] = ("jump", len(self._code))

    def _emit_repeat(self, node: _Node, least: int, most: int | None, greedy: bool) -> None:
        for _ in range(least):
            self._emit(node)
        if most is None:
            split = self._add("split")
            self._emit(node)
            self._add("jump", split)
            self._split(split, greedy)
            return
        splits = []
        for _ in range(most - least):
            splits.append(self._add("split"))
            self._emit(node)
        for split in splits:
            self._split(split, greedy)

    def _split(self, at: int, greedy: bool) -> None:
        behind = len(self._code)
        self._code[at] = ("split", at + 1, behind) if greedy else ("split", behind, at + 1)

    def search(self, text: str) -> str | None:
        """What the group captured in the leftmost match, the whole match where there is no group, or ``None`` where nothing matches."""
        found: tuple[int, int, int, int] | None = None
        threads: list[
            tuple[int, tuple[int, int, int]]
        ] = []  # a state, and where match and group begin and the group ends
        for at in range(len(text) + 1):
            if found is None:  # what begins earlier goes first
                threads.append((0, (at, -1, -1)))
            if not threads:
                break
            char = text[at] if at < len(text) else ""
            following: list[tuple[int, tuple[int, int, int]]] = []
            seen: set[int] = set()
            for state, saved in threads:
                if self._step(state, saved, text, at, char, seen, following):
                    break
            else:
                threads = following
                continue
            saved = self._matched
            found = (saved[0], at, saved[1], saved[2])
            threads = following
        if found is None:
            return None
        begin, end, group, behind = found
        if not self.groups:
            return text[begin:end]
        return text[group:behind] if behind >= 0 else ""

    def _step(
        self,
        state: int,
        saved: tuple[int, int, int],
        text: str,
        at: int,
        char: str,
        seen: set[int],
        following: list[tuple[int, tuple[int, int, int]]],
    ) -> bool:
        """Follow one thread over what takes no character; whether it matched. Threads that prefer less are then given up."""
        stack = [(state, saved)]
        while stack:
            state, saved = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            what = self._code[state]
            kind = what[0]
            if kind == "one":
                if char and what[1](char):  # type: ignore[operator]
                    following.append((state + 1, saved))
            elif kind == "split":
                stack.append((what[2], saved))  # type: ignore[arg-type]
                stack.append((what[1], saved))  # type: ignore[arg-type]
            elif kind == "jump":
                stack.append((what[1], saved))  # type: ignore[arg-type]
            elif kind == "save":
                slot = (saved[0], at, -1) if what[1] == 0 else (saved[0], saved[1], at)
                stack.append((state + 1, slot))
            elif kind == "at":
                if _holds(str(what[1]), text, at):
                    stack.append((state + 1, saved))
            else:
                self._matched = saved
                return True
        return False


def _holds(sign: str, text: str, at: int) -> bool:
    if sign in ("^", r"\A"):
        return at == 0
    if sign == r"\Z":
        return at == len(text)
    if sign == "$":
        return at == len(text) or (at == len(text) - 1 and text[at] == "\n")
    before = at > 0 and _WORD.match(text[at - 1]) is not None
    behind = at < len(text) and _WORD.match(text[at]) is not None
    return (before != behind) == (sign == r"\b")
