"""What the names of a program get, in a language that has no parser here: by imports, assignments, functions, callbacks and what is put into an object.

Names alone are followed, blind to order, conditions and scopes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Set
from typing import Final

from openvet.formats._program_roles import role_of
from openvet.formats._program_spans import FUNCTIONS, NO_NAMES, Call, Spans
from openvet.formats._program_words import Language, Word

__all__ = ["Outline"]

_ASSIGNS: Final = frozenset({"=", ":=", "+=", "<-", "<<-", "||=", ".=", "<<"})
#: Methods that put what they are given into their object; those that send it where that is a connection.
_PUTS: Final = frozenset(
    {
        "push",
        "append",
        "write",
        "add",
        "concat",
        "insert",
        "push_str",
        "extend",
        "puts",
        "pipe",
        "set",
        "unshift",
        "setItem",
        "put",
    }
)
_GLOBALS: Final = frozenset({"globalThis", "window", "self", "global", "top"})
#: Roles that a function has whose parameter goes to a call of such a role.
_HANDED_ON: Final = frozenset({"code", "process", "native", "remove"})


class Outline(Spans):
    """One program: its words, its calls, and which names get what a span of words gives."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        super().__init__(words, language, text)
        self._constants: dict[str, str] = {}
        #: names with the text that what they are set to begins with
        self._begins: dict[str, str] = {}
        self._stands_for: dict[str, tuple[int, int]] = {}
        #: names that get what a span of words gives
        self._given: list[tuple[list[str], int, int]] = []
        #: texts that name a file to which something fetched is saved
        self._saved: set[str] = set()
        self._note_imports()
        self._calls = list(self._every_call())
        self._by_open = {call.open: call for call in self._calls}
        #: functions with the names of their parameters and the span of their bodies
        self._functions = list(self._every_function())
        imported = dict(self._aliases)
        self._note_assigned()
        self._rename(self._aliases.keys() - imported.keys())
        self._note_wrappers()
        self._note_functions()
        self._note_handed()

    # what is known by name

    def _note_imports(self) -> None:
        """``const cp = require('child_process')`` and ``import { exec as run } from 'child_process'``."""
        words = self._words
        if self._language.id not in ("javascript", "lua"):
            return
        requires = {
            words[at - 2].text
            for at, word in enumerate(words)
            if word.text == "createRequire" and at > 1 and words[at - 1].text == "="
        }
        for at, word in enumerate(words):
            if (
                (word.text in ("require", "import") or word.text in requires)
                and at + 2 < len(words)
                and words[at + 1].text == "("
                and words[at + 2].kind == "text"
            ):
                module = words[at + 2].text.removeprefix("node:")
                end = at - 1
                while end >= 0 and words[end].text in ("await", "(", "\n"):
                    end -= 1
                if end >= 1 and words[end].text == "=":
                    after = self._partner.get(at + 1, at + 3) + 1
                    member = (
                        f".{words[after + 1].text}"
                        if after + 1 < len(words) and words[after].text == "." and words[after + 1].kind == "name"
                        else ""
                    )
                    if not member or after + 2 >= len(words) or words[after + 2].text != "(":
                        self._bind(end - 1, module + member)
            elif word.text == "from" and at + 1 < len(words) and words[at + 1].kind == "text":
                module = words[at + 1].text.removeprefix("node:")
                if at and words[at - 1].text == "}":
                    self._bind(at - 1, module)
                    begin = self._partner.get(at - 1, at) - 1
                    if begin > 1 and words[begin].text == "," and words[begin - 1].kind == "name":
                        self._aliases[words[begin - 1].text] = module
                elif at and words[at - 1].kind == "name":
                    self._aliases[words[at - 1].text] = module

    def _bind(self, at: int, module: str) -> None:
        word = self._words[at]
        if word.kind == "name":
            self._aliases[word.text] = module
        elif word.text == "}" and at in self._partner:
            for begin, end in self._split(self._partner[at] + 1, at):
                names = [each.text for each in self._part(begin, end) if each.kind == "name" and each.text != "as"]
                if names:
                    self._aliases[names[-1]] = f"{module}.{names[0]}"

    def _note_assigned(self) -> None:
        words = self._words
        for at, word in enumerate(words):
            assigns = word.kind == "sign" and word.text in _ASSIGNS
            if not assigns and not (
                word.text == "<" and at + 1 < len(words) and words[at + 1].text == "-" and self._language.id == "r"
            ):
                continue
            names = self._targets(at - 1)
            end = self._line_end(at + 1)
            if not names or end <= at + 1:
                continue
            self._given.append((names, at + 1, end))
            if words[at + 1].kind == "text":
                self._begins.setdefault(names[-1], words[at + 1].text)
            if end == at + 2 and words[at + 1].kind == "text":
                self._constants.setdefault(names[-1], words[at + 1].text)
            self._alias_value(names[-1], at + 1, end)
            call = next(
                (
                    self._by_open[each]
                    for each in range(at + 1, min(at + 12, end))
                    if each in self._by_open and "write" in self._by_open[each].roles
                ),
                None,
            )
            if call is not None and call.args:
                self._stands_for[names[-1]] = call.args[0]
        # for (const x of y), for x in y
        for at, word in enumerate(words):
            if (
                word.text in ("of", "in")
                and at
                and at + 1 < len(words)
                and any(each.text in ("for", "foreach", "each") for each in words[max(at - 8, 0) : at])
            ):
                names = self._targets(at - 1)
                end = at + 1
                while (
                    end < len(words)
                    and end < at + 80
                    and words[end].text not in ("{", "do")
                    and words[end].kind != "line"
                ):
                    end = self._partner[end] + 1 if words[end].text in ("(", "[") and end in self._partner else end + 1
                    if end < len(words) and words[end].text == ")":
                        break
                if names:
                    self._given.append((names, at + 1, min(end, len(words))))

    def _alias_value(self, name: str, begin: int, end: int) -> None:
        """``const run = promisify(cp.exec)`` and ``local f = loadstring`` give a callable another name."""
        words = self._words
        last = end - 1
        if self._language.id == "javascript" and end - begin < 40 and (full := self._global(begin, last)):
            self._aliases.setdefault(name, full)
            return
        if end - begin > 10:
            return
        if words[last].text == ")" and any(each.text == "promisify" for each in words[begin:last]):
            last -= 1
        elif words[last].kind != "name" or any(each.text == "(" for each in self._part(begin, end)):
            return
        full = self._plain(self._name_before(last)[0])
        if full and role_of(self._language.id, full) and words[last].text != name:
            self._aliases.setdefault(name, full)

    def _global(self, begin: int, last: int) -> str:
        """The global object, or what makes functions out of texts, by whichever of the ways that lead to them."""
        words = self._words
        if begin == last and words[begin].text in _GLOBALS:
            return "globalThis"
        if words[last].text == "constructor" and words[last - 1].text == ".":
            before = {each.text for each in words[begin:last]}
            texts = any(each.kind == "text" for each in words[begin:last]) or "[" in before
            if not before.isdisjoint(("getPrototypeOf", "function", "=>")) or texts or "constructor" in before:
                return "Function"
        return ""

    def _targets(self, at: int) -> list[str]:
        """The names to the left of an assignment."""
        words = self._words
        names: list[str] = []
        steps = 0
        while at >= 0 and steps < 24:
            word = words[at]
            steps += 1
            if word.kind == "line" or (
                word.text in (";", "{", "(", "=") and word.kind == "sign" and not (word.text == "{" and names)
            ):
                break
            if word.text in ("<", ">") and self._language.id in ("rust", "groovy", "javascript"):
                at -= 1
                continue
            if word.text == ":" and self._language.id in ("rust", "javascript"):
                names.clear()  # those of its type
            if word.kind == "name" and word.text not in NO_NAMES:
                if not (
                    at > 1
                    and words[at - 1].text == "."
                    and words[at - 2].kind == "name"
                    and words[at - 2].text not in ("this", "self")
                ):
                    names.append(word.text)
            elif word.text == "]" and at in self._partner and at - 1 >= 0:
                at = self._partner[at]
            elif word.text in (")", "}") and at in self._partner:
                names += [
                    each.text
                    for each in self._part(self._partner[at] + 1, at)
                    if each.kind == "name" and each.text not in NO_NAMES
                ][:8]
                break
            elif word.kind != "name" and word.text not in (",", ".", "->", "::", ":", "*", "&", "?"):
                break
            at -= 1
        return [each for each in names[::-1] if not (self._short and len(each) < 3)][:6]

    def _rename(self, names: Set[str]) -> None:
        """Calls by names that an assignment gives to something are calls of that."""
        for call in self._calls if names else ():
            if call.name.partition(".")[0] in names:
                call.name = self._plain(call.name)
                call.roles = role_of(self._language.id, call.name)

    def _note_wrappers(self) -> None:
        """A function whose parameter goes to what runs or removes it does that itself: ``function sh(c) { return execSync(c); }``."""
        opens = [call.open for call in self._calls]
        found: dict[str, set[str]] = {}
        for name, params, begin, end in self._functions[:2_000]:
            wanted = set(params) - NO_NAMES
            for call in self._calls[bisect_left(opens, begin) : bisect_left(opens, end)] if wanted else ():
                self.left -= 1
                roles = _HANDED_ON.intersection(call.roles)
                if (
                    roles
                    and self.left > 0
                    and any(
                        each.kind == "name" and each.text in wanted for span in call.args for each in self._part(*span)
                    )
                ):
                    found.setdefault(name, set()).update(roles)
        for call in self._calls if found else ():
            head, _, last = call.name.rpartition(".")
            if last in found and head in ("", "this", "self"):
                call.roles = (*call.roles, *sorted(found[last].difference(call.roles)))

    # what is handed on

    def _note_functions(self) -> None:
        """A function gives what flows into its body; ``function f(a) {…}``, ``def f … end``, ``const f = (a) => …``."""
        words = self._words
        for at, word in enumerate(words):
            if (
                word.kind != "name"
                or word.text not in FUNCTIONS
                or at + 2 >= len(words)
                or words[at + 1].kind != "name"
            ):
                continue
            name_at = at + 1
            while (
                name_at + 2 < len(words)
                and words[name_at + 1].text in (".", ":", "::")
                and words[name_at + 2].kind == "name"
            ):
                name_at += 2
            begin = name_at + 1
            end = self._body_end(begin)
            if not (self._short and len(words[name_at].text) < 3):
                self._given.append(([words[name_at].text], begin, end))

    def _note_handed(self) -> None:
        """What is put into an object, and what a callback or a function is handed."""
        params = self._parameters()
        for call in self._calls:
            last = call.name.rpartition(".")[2]
            self._note_put(call, last)
            self._note_callbacks(call)
            for name, span in zip(params.get(last, ()), call.args, strict=False):
                if name not in NO_NAMES:
                    self._given.append(([name], *span))
            if "holds" in call.roles and len(call.args) > 1:  # open(my $file, '<', place)
                self._given.append((self._names_in(*call.args[0])[:2], *call.args[-1]))
            if "saves" in call.roles and len(call.args) > 1:
                begin, end = call.args[1]
                self._given.append((self._names_in(begin, end)[:3], call.open - 1, call.open))
                for each in self._part(begin, end):
                    if each.kind == "text" and len(each.text) > 2:
                        self._saved.add(each.text)

    def _note_put(self, call: Call, last: str) -> None:
        words = self._words
        owner = words[call.begin].text if words[call.begin].kind == "name" and call.begin < call.open - 1 else ""
        if owner in ("this", "self") and call.begin + 2 < call.open - 1:
            owner = words[call.begin + 2].text  # this.parts.push(…)
        if last in _PUTS and owner and owner not in NO_NAMES:
            for begin, end in call.args[:4]:
                if last == "pipe":
                    self._given.append((self._names_in(begin, end)[:4], call.begin, call.open))
                else:
                    self._given.append(([owner], begin, end))

    def _note_callbacks(self, call: Call) -> None:
        for begin, end in call.args:
            if handed := self._callback(begin, end):
                self._given.append((handed, call.begin, call.open))
                if "fetch" in call.roles or "process" in call.roles:
                    self._given.append((handed, call.open - 1, call.open))
                self._given += [
                    (handed, *other) for other in call.args if other != (begin, end) and not self._callback(*other)
                ]
