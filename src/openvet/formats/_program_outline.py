"""What stands in a program in a language that has no parser here: its calls, and which names get what a span of words gives.

Names alone are followed, blind to order, conditions and scopes. Everything that lies within something else is looked at within one budget of words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from openvet.formats._program_roles import role_of
from openvet.formats._program_words import Language, Word

__all__ = ["NO_NAMES", "Call", "Outline"]

_LONGEST_SPAN: Final = 2_000
_MOST_LOOKED_AT: Final = 500_000
#: In lines longer than this, names of one or two letters mean something else in each function.
_LONG_LINE: Final = 1_000
_ASSIGNS: Final = frozenset({"=", ":=", "+=", "<-", "<<-", "||=", ".=", "<<"})
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
_FUNCTIONS: Final = frozenset({"function", "def", "sub", "fn", "func", "fun", "proc"})


class Call:
    """A call: its name, its roles, the words of its name, and its arguments as spans of words."""

    __slots__ = ("args", "begin", "close", "name", "open", "roles")

    def __init__(
        self, name: str, roles: tuple[str, ...], begin: int, opening: int, close: int, args: list[tuple[int, int]]
    ) -> None:
        self.name, self.roles, self.begin, self.open, self.close, self.args = name, roles, begin, opening, close, args


class Outline:
    """One program: its words, its calls, and which names get what a span of words gives."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        self._words = words
        self._language = language
        self._short = any(len(each) > _LONG_LINE for each in text.split("\n"))
        self._partner = _partners(words)
        #: how many words may still be looked at in spans that lie within each other
        self.left = _MOST_LOOKED_AT + 10 * len(words)
        self._constants: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._stands_for: dict[str, tuple[int, int]] = {}
        #: names that get what a span of words gives
        self._given: list[tuple[list[str], int, int]] = []
        #: texts that name a file to which something fetched is saved
        self._saved: set[str] = set()
        self._note_imports()
        self._calls = list(self._every_call())
        self._by_open = {call.open: call for call in self._calls}
        self._note_assigned()
        self._note_functions()
        self._note_handed()

    def _part(self, begin: int, end: int) -> list[Word]:
        """The words of a span, as far as all of them together stay within what may be looked at."""
        end = min(end, begin + _LONGEST_SPAN)
        self.left -= max(end - begin, 0)
        return self._words[begin:end] if self.left > 0 else []

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
            and not (at and self._words[at - 1].text in (*_FUNCTIONS, "->", ">"))
        )

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

    # what is known by name

    def _note_imports(self) -> None:
        """``const cp = require('child_process')`` and ``import { exec as run } from 'child_process'``."""
        words = self._words
        if self._language.id not in ("javascript", "lua"):
            return
        for at, word in enumerate(words):
            if (
                word.text == "require"
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
        if end - begin > 10:
            return
        last = end - 1
        if words[last].text == ")" and any(each.text == "promisify" for each in words[begin:last]):
            last -= 1
        elif words[last].kind != "name" or any(each.text == "(" for each in self._part(begin, end)):
            return
        full = self._plain(self._name_before(last)[0])
        if full and role_of(self._language.id, full) and words[last].text != name:
            self._aliases.setdefault(name, full)

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
            if word.text == ">" and self._language.id in ("rust", "groovy"):
                at -= 1
                continue
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

    def _note_functions(self) -> None:
        """A function gives what flows into its body; ``function f(a) {…}``, ``def f … end``, ``const f = (a) => …``."""
        words = self._words
        for at, word in enumerate(words):
            if (
                word.kind != "name"
                or word.text not in _FUNCTIONS
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
                        words[later].text in _FUNCTIONS
                        and later > at
                        and words[later - 1].kind == "line"
                        and later > begin + 1
                    ):
                        return later
                    depth_end = later
                return depth_end
        return min(begin + 200, len(words))

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
            if "saves" in call.roles and len(call.args) > 1:
                begin, end = call.args[1]
                self._given.append((self._names_in(begin, end)[:3], call.open - 1, call.open))
                for each in self._part(begin, end):
                    if each.kind == "text" and len(each.text) > 2:
                        self._saved.add(each.text)

    def _names_in(self, begin: int, end: int) -> list[str]:
        return [each.text for each in self._part(begin, end) if each.kind == "name" and each.text not in NO_NAMES]

    def _note_put(self, call: Call, last: str) -> None:
        words = self._words
        owner = words[call.begin].text if words[call.begin].kind == "name" and call.begin < call.open - 1 else ""
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

    def _parameters(self) -> dict[str, list[str]]:
        words = self._words
        found: dict[str, list[str]] = {}
        for at, word in enumerate(words):
            if word.kind != "name" or at + 1 >= len(words) or words[at + 1].text != "(" or not at:
                continue
            if words[at - 1].text in _FUNCTIONS:
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
