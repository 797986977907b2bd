"""What the names of a program carry, in a language that has no parser here: what another machine says, what its user keeps private, what it decodes, the home.

A word or a call *gives* something (:mod:`openvet.formats._program_gives`), and names carry that on through assignments, functions, callbacks and
what is put into an object: by names alone, blind to order, conditions and scopes. :mod:`openvet.formats._program_flows` judges what takes it.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from openvet.formats._program_gives import (
    ASKED,
    AWAY,
    DATA,
    DECODED,
    FETCHED,
    HOME,
    OF_HOME,
    OWN,
    PAGE,
    SECRET,
    SHELL,
    TOKEN,
    WHOLE,
    Gives,
)
from openvet.formats._program_spans import NO_NAMES, Call
from openvet.formats._program_words import Language, Word

__all__ = ["Carried"]

_BITS: Final = (FETCHED, SECRET, DECODED, HOME, ASKED, AWAY, TOKEN, PAGE, OWN, SHELL, DATA)
#: Words over which a name carries something in a long program: libraries that are put together have the same names everywhere.
_FAR: Final = 4_000
_ROUNDS: Final = 4
#: Names that libraries have for everything.
_OF_ANYTHING: Final = frozenset(
    {
        "options",
        "opts",
        "config",
        "env",
        "headers",
        "input",
        "args",
        "params",
        "context",
        "result",
        "value",
        "url",
        "init",
        "request",
        "res",
        "response",
        "message",
        "msg",
        "key",
        "code",
        "text",
        "body",
        "content",
        "cmd",
        "command",
    }
)
_COPIES: Final = {
    "io.Copy": 0,
    "io.CopyBuffer": 0,
    "io.copy": 1,
    "std.io.copy": 1,
    "tokio.io.copy": 1,
    "stream.pipeline": 1,
    "IO.copy_stream": 1,
}
_RECEIVES: Final = frozenset({"write_all", "write", "Write", "WriteString", "write_str", "puts", "print", "ReadFrom"})


class Carried(Gives):
    """One program: what its names carry."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        super().__init__(words, language, text)
        self._carried: dict[tuple[str, int], int] = {}
        self._far = _FAR if len(words) > 3 * _FAR else len(words) + 1
        self._texts = dict.fromkeys(self._saved, FETCHED)
        self._own: dict[int, int] = {}
        self._places_of: list[list[int]] = [[] for _ in _BITS]
        self._follow()

    def _follow(self) -> None:
        words = self._words
        base = self._given_by_itself()
        where: dict[str, list[int]] = {}
        filled: dict[str, list[int]] = {}
        known: dict[str, list[int]] = {}
        for at, word in enumerate(words):
            if word.kind == "name":
                where.setdefault(word.text, []).append(at)
            elif word.kind == "text":
                known.setdefault(word.text, []).append(at)
                for name in word.inner:
                    filled.setdefault(name, []).append(at)
        for _ in range(_ROUNDS):
            own = dict(base)
            for (name, place), bits in self._carried.items():
                for at in (*where.get(name, ()), *filled.get(name, ())):
                    if at // self._far == place and not (
                        at > 1 and words[at - 1].text in (".", "?.") and words[at - 2].text not in ("this", "self")
                    ):
                        own[at] = own.get(at, 0) | bits
            for text, bits in self._texts.items():
                for at in known.get(text, ()):
                    own[at] = own.get(at, 0) | bits
            self._own = own
            self._places_of = [sorted(at for at, bits in own.items() if bits & bit) for bit in _BITS]
            if not (self._pass_on() | self._save()):
                break

    def _pass_on(self) -> bool:
        """Give names what flows into them; whether anything is new."""
        changed = False
        for names, begin, end in self._given:
            bits = self._bits(begin, end)
            for name in names if bits else ():
                changed |= self._carry(name, begin, bits)
                if bits & FETCHED and (span := self._stands_for.get(name)) is not None:
                    changed |= self._fetched_to(*span)
        return changed

    def _save(self) -> bool:
        """What is fetched is written to a place; whether anything is new."""
        changed = False
        for call in self._calls:
            changed |= self._copied(call)
            if (
                "write" in call.roles
                and len(call.args) > 1
                and any(self._bits(*each) & FETCHED for each in call.args[1:])
                and not self._callback(*call.args[-1])
            ):
                changed |= self._fetched_to(*call.args[0])
        return changed

    def _copied(self, call: Call) -> bool:
        """``io.Copy(file, answer.Body)`` and ``File::create(p)?.write_all(&b)``; whether anything is new."""
        which = _COPIES.get(call.name)
        changed = False
        if which is not None and len(call.args) > 1:
            to, source = call.args[which], call.args[1 - which]
            if self._bits(*source) & FETCHED:
                for each in self._part(*to):
                    if each.kind == "name" and each.text not in NO_NAMES:
                        changed |= self._carry(each.text, to[0], FETCHED)
                        if (span := self._stands_for.get(each.text)) is not None:
                            changed |= self._fetched_to(*span)
        elif call.name.rpartition(".")[2] in _RECEIVES and any(self._bits(*each) & FETCHED for each in call.args):
            for at in range(call.begin, call.open):
                inner = self._by_open.get(at)
                if inner is not None and "write" in inner.roles and inner.args:
                    changed |= self._fetched_to(*inner.args[0])
            owner = self._stands_for.get(self._words[call.begin].text)
            if owner is not None:
                changed |= self._fetched_to(*owner)
        return changed

    def _fetched_to(self, begin: int, end: int) -> bool:
        changed = False
        for each in self._part(begin, end):
            if each.kind == "text" and len(each.text) > 2 and not self._texts.get(each.text):
                self._texts[each.text] = FETCHED
                changed = True
            elif each.kind == "name" and each.text not in NO_NAMES:
                changed |= self._carry(each.text, begin, FETCHED)
        return changed

    def _carry(self, name: str, at: int, bits: int) -> bool:
        """Have a name carry something, from here as far as names mean the same; whether it did not before."""
        changed = False
        if (self._far <= len(self._words) and name in _OF_ANYTHING) or (self._short and len(name) < 3):
            return False
        place = at // self._far
        for near in (place, *((place - 1, place + 1) if self._far <= len(self._words) else ())):
            held = self._carried.get((name, near), 0)
            if bits & ~held:
                self._carried[name, near] = held | bits
                changed = True
        return changed

    def _bits(self, begin: int, end: int) -> int:
        """What the words of a span give together."""
        bits = 0
        for bit, places in zip(_BITS, self._places_of, strict=True):
            if places and (at := bisect_left(places, begin)) < len(places) and places[at] < end:
                bits |= bit
        if bits & HOME and any(
            word.kind == "text" and len(word.text) > 1 and _is_wordy(word.text) for word in self._part(begin, end)
        ):
            bits &= ~HOME
        return bits


def _is_wordy(text: str) -> bool:
    """Whether a text leads below the home: it has a name of its own."""
    return (
        any(each.isalnum() for each in text)
        and text not in OF_HOME
        and WHOLE.fullmatch(text) is None
        and text not in ("utf8", "utf-8", "rb", "wb", "recursive")
    )
