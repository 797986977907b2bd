"""What a program does that nobody should run unread, in a language that has no parser here: JavaScript, Lua, Perl, Ruby, Rust, Go, Julia, R, PHP,
Java and its kin, C.

One model for all: a word or a call *gives* something (what another machine says, what its user keeps private, what it decodes, the home),
names carry that on, and a call *takes* it: runs it as code or as a command, sends it, removes it. What flows is followed by names alone,
blind to order, conditions and scopes, through assignments, functions, callbacks and what is put into an object. Constant commands are judged
as the lines of a shell. A heuristic: no grammar is known, and what is computed from more than constants is not.

Sources: MITRE ATT&CK T1059, T1105, T1041, T1485, T1546; https://eslint.org/docs/latest/rules/no-eval .
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._addresses import is_bad_place, is_foreign, is_known_place
from openvet.formats._format import Facts
from openvet.formats._private_places import PRIVATE
from openvet.formats._program_roles import role_of
from openvet.formats._program_words import LANGUAGES, Language, Word, words_of

__all__ = ["language_of", "tell_program"]

_FETCHED: Final = 1
_SECRET: Final = 2
_DECODED: Final = 4
_HOME: Final = 8
_ASKED: Final = 16
_BITS: Final = (_FETCHED, _SECRET, _DECODED, _HOME, _ASKED)
_LONGEST: Final = 2 * 1024 * 1024
#: Words over which a name carries something in a long program: libraries that are put together have the same names everywhere.
_FAR: Final = 4_000
_ROUNDS: Final = 4
_LONGEST_SPAN: Final = 2_000
_MOST_LOOKED_AT: Final = 500_000
_MOST_TOLD: Final = 10
#: In lines longer than this, names of one or two letters mean something else in each function.
_LONG_LINE: Final = 1_000
#: What a program has to hold to be read at all: a way to run, send or remove.
_MAY: Final = pattern(
    r"eval|Function|exec|spawn|system|popen|Command|loadstring|\bload\b|include_string|\bsource\b|\brun\b|ProcessBuilder|Process\b|remove|unlink|rmdir|\brm\b|rimraf|RemoveAll|deleteDir|rmtree|rm_rf|"
    r"https?\b|fetch|axios|socket|Socket|request|URL|curl|download|reqwest|ureq|TcpStream|net\.Dial|dlopen|evaluate|defineClass|`|qx|assert|create_function|vm\b|rmSync|_compile|[wW]rite|[aA]ppend|\\x[0-9a-fA-F]{2}|\\u00|fromCharCode|atob"
)
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
_NO_NAMES: Final = frozenset({"err", "error", "ok", "_", "i", "n", "ctx", "self", "this", "true", "false", "null", "nil", "None", "undefined", "new", "await", "return", "if", "else", "for", "while", "in",
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
_SENDS: Final = frozenset({"write", "end", "send", "print", "puts", "write_all", "Write", "WriteString", "post", "emit", "body", "json", "form", "publish", "sendall", "writeBytes", "setRequestBody",
                           "query", "header", "multipart", "params", "send_json", "send_string", "data"})  # fmt: skip
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
_FUNCTIONS: Final = frozenset({"function", "def", "sub", "fn", "func", "fun", "proc"})
_CREDENTIALS: Final = frozenset({"lookupCredentials", "CredentialsProvider", "getCredentials"})
_SHELL: Final = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh|env")
_RUNS_GIVEN: Final = frozenset({"-c", "/c", "/C", "-Command", "-command", "-lc"})
_PLACE: Final = pattern(r"\b(?:https?|ftps?|wss?|tcp)://[^\s\"'`<>)]{3,400}|^//[\w.-]{1,200}\.[a-z]{2,20}/")
_MACHINE: Final = pattern(
    r"(?<![\d.])(?!0\.|10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|255\.)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
)
_HOST: Final = pattern(r"(?=[\w.-]{0,60}[a-z])[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_GETS: Final = pattern(r"\b(?:curl|wget|fetch|aria2c|iwr|irm|Invoke-WebRequest)\b")
#: The home, the root or all that people keep there, as a whole.
_WHOLE: Final = pattern(
    r"(?:~|/|/root|/home|/Users|/mnt|/media|C:[\\/](?:Users)?|[$%]\{?(?:HOME|USERPROFILE)[}%]?)[\\/]{0,4}\*{0,2}(?:[\\/]\*{1,2})?|(?:~|[$]\{?HOME\}?)/(?:Documents|Desktop|Pictures|Downloads)(?:/\*{0,2})?"
)
_OF_HOME: Final = frozenset({"HOME", "USERPROFILE", "HOMEPATH"})
_DOCUMENTS: Final = frozenset({"Documents", "Desktop", "Pictures", "Downloads"})
#: Files from which programs are started, and those from which they only are where the command is bad.
_STARTS: Final = pattern(
    r"authorized_keys|/etc/cron|/var/spool/cron|LaunchAgents|LaunchDaemons|systemd/(?:user|system)/|Start Menu[\\/]{1,4}Programs[\\/]{1,4}Startup|\.config/autostart|\.git/hooks/|CurrentVersion\\{1,4}Run|ld\.so\.preload|/etc/(?:passwd|sudoers|profile)|site-packages/[\w.-]{1,60}\.pth"
)
_PROFILES: Final = pattern(r"\.(?:bashrc|zshrc|profile|bash_profile|zprofile|zshenv|bash_login)\b")
#: Roles whose calls give something, and what; names that give something by themselves.
_GIVES: Final = (("fetch", _FETCHED), ("decode", _DECODED), ("secret", _SECRET), ("home", _HOME))
_ASKS: Final = frozenset({"query", "body", "params", "headers", "cookies", "FormValue", "rawBody"})
_BY_ITSELF: Final = (
    frozenset({"env", "ENV", "_ENV", "getenv", "HOME", "USERPROFILE", "home", "_GET", "_POST", "_REQUEST"})
    | _CREDENTIALS
    | _ASKS
)


def language_of(name: str) -> Language | None:
    """The language of a file by its name; ``None`` where it is none of those that are read here."""
    base = name.rpartition("/")[2].lower()
    if base.endswith(".d.ts"):
        return None  # types alone
    return LANGUAGES.get(base.rpartition(".")[2])


def tell_program(text: str, language: Language, facts: Facts, line: int = 1) -> None:
    """Record what a program does that nobody should run unread; what is too long to be read becomes an unknown.

    Args:
        text: the program.
        language: what it is written in.
        facts: of the file that it stands in.
        line: where it begins there.
    """
    if _MAY.search(text) is None:
        return
    words, whole = words_of(text[:_LONGEST], language)
    if not whole or len(text) > _LONGEST:
        facts.unknown(
            "limit",
            f"only the first part of the program was read: it is longer than {_LONGEST} characters or has too many words",
        )
    told = set[str]()
    program = _Program(words, language, text)
    for what, kind, start in program.judged():
        if what not in told and len(told) < _MOST_TOLD:
            told.add(what)
            number = line + text.count("\n", 0, start)
            shown = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
            if len(shown) > 200:
                shown = text[start : start + 120]
            facts.anomaly(
                "hub/shell-command", f"{what}: {shorten(printable(shown.strip()), 120)}", line=number, kind=kind
            )
    if program.left <= 0:
        facts.unknown("limit", "the program is too involved to be followed to its end")


class _Call:
    """A call: its name, its roles, the words of its name, and its arguments as spans of words."""

    __slots__ = ("args", "begin", "close", "name", "open", "roles")

    def __init__(
        self, name: str, roles: tuple[str, ...], begin: int, opening: int, close: int, args: list[tuple[int, int]]
    ) -> None:
        self.name, self.roles, self.begin, self.open, self.close, self.args = name, roles, begin, opening, close, args


class _Program:
    """One program: its words, its calls, and what its names carry."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        self._words = words
        self._language = language
        self._short = any(len(each) > _LONG_LINE for each in text.split("\n"))
        self._partner = _partners(words)
        #: how many words may still be looked at in spans that lie within each other
        self.left = _MOST_LOOKED_AT + 10 * len(words)
        self._constants: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._carried: dict[tuple[str, int], int] = {}
        self._far = _FAR if len(words) > 3 * _FAR else len(words) + 1
        self._texts: dict[str, int] = {}
        self._stands_for: dict[str, tuple[int, int]] = {}
        #: names that get what a span of words gives
        self._given: list[tuple[list[str], int, int]] = []
        self._note_imports()
        self._calls = list(self._every_call())
        self._by_open = {call.open: call for call in self._calls}
        self._note_assigned()
        self._note_functions()
        self._note_handed()
        self._own: dict[int, int] = {}
        self._places_of: list[list[int]] = [[] for _ in _BITS]
        self._follow()
        places = [found.group() for word in words if word.kind == "text" for found in _PLACE.finditer(word.text)]
        machines = [
            word.text for word in words if word.kind == "text" and len(word.text) < 2_000 and _MACHINE.search(word.text)
        ]
        self._places = places + machines
        self._hosts = [word.text for word in words if word.kind == "text" and _HOST.fullmatch(word.text)]

    def _part(self, begin: int, end: int) -> list[Word]:
        """The words of a span, as far as all of them together stay within what may be looked at."""
        end = min(end, begin + _LONGEST_SPAN)
        self.left -= max(end - begin, 0)
        return self._words[begin:end] if self.left > 0 else []

    # the structure

    def _every_call(self) -> Iterator[_Call]:
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
                    yield _Call(name, role_of(language, name), begin, at, close, self._split(at + 1, close))
            elif word.kind == "name" and at + 1 < len(words) and self._is_command(at):
                end = self._line_end(at + 1)
                name, begin = self._name_before(at)
                name = self._plain(name)
                if roles := role_of(language, name):
                    yield _Call(name, roles, begin, at, end, self._split(at + 1, end))
            elif word.kind == "text" and word.quote == "`" and language in ("perl", "ruby", "php"):
                yield _Call("system", ("process",), at, at, at + 1, [(at, at + 1)])

    def _is_command(self, at: int) -> bool:
        """``eval $code`` and ``system "…"``: a call without brackets."""
        if self._language.id not in ("perl", "ruby", "php", "groovy", "lua"):
            return False
        after = self._words[at + 1]
        return (
            after.kind in ("name", "text")
            and after.text not in _NO_NAMES
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
        while at < len(words):
            word = words[at]
            if word.kind == "sign" and word.text in "([{" and at in self._partner:
                at = self._partner[at]
            elif word.text == ";" or (word.kind == "sign" and word.text in ")]}"):
                return at
            elif word.kind == "line" and at > begin:
                before = words[at - 1]
                after = next((each for each in words[at + 1 : at + 4] if each.kind != "line"), None)
                goes_on = before.kind == "sign" and before.text not in (")", "]", "}") and before.kind != "line"
                if not goes_on and not (
                    after is not None and after.text in (".", "?.", "+", "..", "|", "&&", "||", "=>", ":", "?")
                ):
                    return at
            at += 1
        return len(words)

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
                while end >= 0 and words[end].text in ("await", "(", "line"):
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
                    and words[end].text not in ("{", "do", "line")
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
            if word.kind == "name" and word.text not in _NO_NAMES:
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
                    if each.kind == "name" and each.text not in _NO_NAMES
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
            if words[at].text == "(" and at in self._partner:
                continue
        return min(begin + 200, len(words))

    def _note_handed(self) -> None:
        """What is put into an object, and what a callback or a function is handed."""
        params = self._parameters()
        for call in self._calls:
            last = call.name.rpartition(".")[2]
            self._note_put(call, last)
            self._note_callbacks(call)
            for name, span in zip(params.get(last, ()), call.args, strict=False):
                if name not in _NO_NAMES:
                    self._given.append(([name], *span))
            if "saves" in call.roles and len(call.args) > 1:
                begin, end = call.args[1]
                self._given.append((self._names_in(begin, end)[:3], call.open - 1, call.open))
                for each in self._part(begin, end):
                    if each.kind == "text" and len(each.text) > 2:
                        self._texts[each.text] = _FETCHED

    def _names_in(self, begin: int, end: int) -> list[str]:
        return [each.text for each in self._part(begin, end) if each.kind == "name" and each.text not in _NO_NAMES]

    def _note_put(self, call: _Call, last: str) -> None:
        words = self._words
        owner = words[call.begin].text if words[call.begin].kind == "name" and call.begin < call.open - 1 else ""
        if last in _PUTS and owner and owner not in _NO_NAMES:
            for begin, end in call.args[:4]:
                if last == "pipe":
                    self._given.append((self._names_in(begin, end)[:4], call.begin, call.open))
                else:
                    self._given.append(([owner], begin, end))

    def _note_callbacks(self, call: _Call) -> None:
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
                return [each.text for each in words[begin:at] if each.kind == "name" and each.text not in _NO_NAMES][:4]
            if word.text == "(" and at in self._partner and self._partner[at] + 1 < end:
                after = words[self._partner[at] + 1].text
                if after == "=>" or (at and words[at - 1].text in ("function", "func", "fn", "sub")):
                    return [
                        each.text
                        for each in self._part(at + 1, self._partner[at])
                        if each.kind == "name" and each.text not in _NO_NAMES
                    ][:4]
            if word.text in ("function", "func") and at + 1 < end:
                opening = next((each for each in range(at, min(at + 3, end)) if words[each].text == "("), None)
                if opening is not None and opening in self._partner:
                    return [
                        each.text
                        for each in self._part(opening + 1, self._partner[opening])
                        if each.kind == "name" and each.text not in _NO_NAMES
                    ][:4]
        return []

    # what flows

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

    def _given_by_itself(self) -> dict[int, int]:
        """What each word gives by itself."""
        words = self._words
        base: dict[int, int] = {}

        def give(at: int, bits: int) -> None:
            if bits:
                base[at] = base.get(at, 0) | bits

        for at, word in enumerate(words):
            if word.kind == "text":
                if len(word.text) < 2_000 and PRIVATE.search(word.text):
                    give(at, _SECRET)
                if word.quote == "decoded":
                    give(at, _DECODED)
                if word.text in _OF_HOME or (len(word.text) < 60 and word.text != "/" and _WHOLE.fullmatch(word.text)):
                    give(at, _HOME)
            elif word.kind == "name" and word.text in _BY_ITSELF:
                give(at, self._of_name(at))
        for call in self._calls:
            at = call.open - 1 if words[call.open].text == "(" else call.open
            for role, bits in _GIVES:
                if role in call.roles and (role != "fetch" or self._fetches(call)):
                    give(at, bits)
            if "process" in call.roles and any(
                _GETS.search(each) and _PLACE.search(each) for each in self._command(call)
            ):
                give(at, _FETCHED)
        return base

    def _pass_on(self) -> bool:
        """Give names what flows into them; whether anything is new."""
        changed = False
        for names, begin, end in self._given:
            bits = self._bits(begin, end)
            for name in names if bits else ():
                changed |= self._carry(name, begin, bits)
                if bits & _FETCHED and (span := self._stands_for.get(name)) is not None:
                    changed |= self._fetched_to(*span)
        return changed

    def _save(self) -> bool:
        """What is fetched is written to a place; whether anything is new."""
        changed = False
        for call in self._calls:
            if (
                "write" in call.roles
                and len(call.args) > 1
                and any(self._bits(*each) & _FETCHED for each in call.args[1:])
                and not self._callback(*call.args[-1])
            ):
                changed |= self._fetched_to(*call.args[0])
        return changed

    def _fetched_to(self, begin: int, end: int) -> bool:
        changed = False
        for each in self._part(begin, end):
            if each.kind == "text" and len(each.text) > 2 and not self._texts.get(each.text):
                self._texts[each.text] = _FETCHED
                changed = True
            elif each.kind == "name" and each.text not in _NO_NAMES:
                changed |= self._carry(each.text, begin, _FETCHED)
        return changed

    def _carry(self, name: str, at: int, bits: int) -> bool:
        """Have a name carry something, from here as far as names mean the same; whether it did not before."""
        changed = False
        if self._far <= len(self._words) and name in _OF_ANYTHING:
            return False
        place = at // self._far
        for near in (place, *((place - 1, place + 1) if self._far <= len(self._words) else ())):
            held = self._carried.get((name, near), 0)
            if bits & ~held:
                self._carried[name, near] = held | bits
                changed = True
        return changed

    def _of_name(self, at: int) -> int:
        """What a name gives by itself: the whole environment, what a server is asked, credentials of a server of builds."""
        words = self._words
        text = words[at].text
        after = words[at + 1].text if at + 1 < len(words) else ""
        if text == "env" and at > 1 and words[at - 2].text == "process" and after not in (".", "[", "?."):
            return _SECRET
        if (
            text in ("ENV", "_ENV")
            and after not in (".", "[", "?.", "{")
            and self._language.id in ("ruby", "perl", "php", "julia")
        ):
            return _SECRET
        if (
            text == "ENV"
            and after == "."
            and at + 2 < len(words)
            and words[at + 2].text in ("to_h", "to_a", "inspect", "to_hash", "map", "to_json")
        ):
            return _SECRET
        if text == "ENV" and after == "{" and self._language.id == "perl":
            return 0
        if text == "getenv" and after == "(" and at + 2 < len(words) and words[at + 2].text == ")":
            return _SECRET
        if text in _CREDENTIALS:
            return _SECRET
        if text in ("HOME", "USERPROFILE") or (text == "home" and at > 1 and words[at - 2].text == "Dir"):
            return _HOME
        if text in _ASKS and at > 1 and words[at - 1].text == "." and words[at - 2].text in ("req", "request"):
            return _ASKED
        if text in ("_GET", "_POST", "_REQUEST"):
            return _ASKED
        return 0

    def _fetches(self, call: _Call) -> bool:
        """Whether a call of a name that may mean something else asks another machine."""
        last = call.name.rpartition(".")[2]
        language = self._language.id
        if (
            (language == "ruby" and last == "open")
            or (language == "php" and last in ("file_get_contents", "fopen"))
            or (language == "r" and last == "readLines")
        ):
            return any(word.kind == "text" and _PLACE.search(word.text) for word in self._words[call.open : call.close])
        if (language == "perl" and last in ("get", "post", "request")) or (language == "julia" and last == "connect"):
            return bool(call.args)
        return True

    def _bits(self, begin: int, end: int) -> int:
        """What the words of a span give together."""
        bits = 0
        for bit, places in zip(_BITS, self._places_of, strict=True):
            if places and (at := bisect_left(places, begin)) < len(places) and places[at] < end:
                bits |= bit
        if bits & _HOME and any(
            word.kind == "text" and len(word.text) > 1 and _is_wordy(word.text) for word in self._part(begin, end)
        ):
            bits &= ~_HOME
        return bits

    def _command(self, call: _Call) -> list[str]:
        """The constant texts of a command, with what names stand for, and those of the calls that it goes on with."""
        out = []
        for begin, end in [*call.args, *self._going_on(call, ("arg", "args", "Arg"))]:
            if self._callback(begin, end):
                continue
            for word in self._part(begin, end):
                if word.kind == "text":
                    out.append(self._filled(word))
                elif word.kind == "name" and word.text in self._constants:
                    out.append(self._constants[word.text])
        return out[:60]

    def _filled(self, word: Word) -> str:
        text = word.text
        for name in word.inner:
            if name in self._constants:
                for each in (f"${{{name}}}", f"#{{{name}}}", f"${name}", f"$({name})"):
                    text = text.replace(each, self._constants[name])
        return text[:4_000]

    def _going_on(self, call: _Call, names: tuple[str, ...]) -> list[tuple[int, int]]:
        """The arguments of ``.arg(…)`` that a call goes on with."""
        words, at = self._words, call.close + 1
        found: list[tuple[int, int]] = []
        while at < len(words) and len(found) < 20:
            while at < len(words) and words[at].kind == "line":
                at += 1
            if at + 2 >= len(words) or words[at].text not in (".", "?.", "->") or words[at + 1].kind != "name":
                break
            opening = at + 2
            if words[opening].text == "!":
                opening += 1
            if words[opening].text != "(" or opening not in self._partner:
                at += 2
                continue
            if words[at + 1].text in names:
                found.append((opening + 1, self._partner[opening]))
            at = self._partner[opening] + 1
            if at < len(words) and words[at].text == "?":
                at += 1
        return found

    # what is judged

    def judged(self) -> Iterator[tuple[str, str, int]]:
        """What it does, the kind of it, and where, call by call."""
        for call in self._calls:
            start = self._words[call.begin].start
            for what, kind in self._of_call(call):
                yield what, kind, start
        yield from self._piped()

    def _of_call(self, call: _Call) -> Iterator[tuple[str, str]]:
        roles = call.roles
        if ("code" in roles or "native" in roles) and not (
            self._words[call.open].text in ("q", "qq")
            or self._words[min(call.open + 1, len(self._words) - 1)].text in ("q", "qq")
        ):
            bits = 0
            for span in call.args:
                bits |= 0 if self._callback(*span) else self._bits(*span)
            if bits & _FETCHED and (said := self._fetched("runs what another machine gives it")):
                yield said
            elif bits & _DECODED and "code" in roles:
                yield "decodes text and runs it", "hidden"
            elif bits & _ASKED and "code" in roles:
                yield "runs what somebody who asks its server gives it", "hidden"
        if "process" in roles and (call.name != "open" or any("|" in each for each in self._command(call))):
            yield from self._started(call)
        if "remove" in roles and any(self._bits(*span) & _HOME or self._is_whole(span) for span in call.args[:2]):
            yield "deletes or overwrites what belongs to the user or the system", "destroys"
        if "write" in roles:
            yield from self._written(call)
        if "cipher" in roles and self._encrypts():
            yield "encrypts the files of whoever runs it", "destroys"
        yield from self._sent(call)

    def _sent(self, call: _Call) -> Iterator[tuple[str, str]]:
        """What is secret goes to another machine, or what comes from there to what runs it."""
        roles = call.roles
        last = call.name.rpartition(".")[2]
        receiver = self._bits(call.begin, max(call.open - 2, call.begin + 1)) if call.begin < call.open - 1 else 0
        sends = "fetch" in roles or (
            last in _SENDS and (receiver & _FETCHED or "outputStream" in call.name or "OutputStream" in call.name)
        )
        if sends:
            spans = [*call.args, *self._going_on(call, tuple(_SENDS))]
            if any(self._bits(*span) & _SECRET for span in spans if not self._callback(*span)) and self._leads_out():
                yield "sends keys, tokens or the environment of whoever runs it to another machine", "sends"
        if last in ("then", "on", "map", "addEventListener", "pipe", "tap", "each") and receiver & _FETCHED:
            for begin, end in call.args:
                name = (
                    self._plain(self._name_before(end - 1)[0])
                    if end - begin < 6 and self._words[end - 1].kind == "name"
                    else ""
                )
                if "code" in role_of(self._language.id, name) and (
                    said := self._fetched("runs what another machine gives it")
                ):
                    yield said

    def _is_whole(self, span: tuple[int, int]) -> bool:
        begin, end = span
        return (
            end - begin == 1
            and self._words[begin].kind == "text"
            and _WHOLE.fullmatch(self._words[begin].text) is not None
        )

    def _started(self, call: _Call) -> Iterator[tuple[str, str]]:
        from openvet.formats.shell import judged_script

        texts = self._command(call)
        command = " | ".join(texts) if call.name.endswith("pipeline") else " ".join(texts)
        if texts and (_SHELL.fullmatch(texts[0].strip()) and len(texts) > 2 and texts[1] in _RUNS_GIVEN):
            command = " ".join(texts[2:])
        told = judged_script(command.replace("\n", " ; ")) if command else None
        if told is not None:
            yield f"starts a command that {told[0]}", told[1]
            return
        spans = [
            span for span in [*call.args, *self._going_on(call, ("arg", "args", "Arg"))] if not self._callback(*span)
        ]
        if call.name == "open":
            spans = spans[1:]
        if not spans:
            return
        first = self._part(*spans[0])
        headed = bool(first) and first[0].kind == "text" and first[0].text[:1].isalpha() and first[0].text[:2] != "${"
        shell = headed and _SHELL.fullmatch(first[0].text.strip()) is not None
        bits = 0
        if not headed:
            bits = self._bits(*spans[0])
        elif shell:
            for span in spans[1:]:
                bits |= self._bits(*span)
        else:
            bits = self._texts.get(first[0].text.split(" ", 1)[0], 0) if first else 0
        if any(word.kind == "text" and self._texts.get(word.text) for span in spans[:2] for word in self._part(*span)):
            bits |= _FETCHED
        if bits & _FETCHED and (said := self._fetched("starts what another machine gives it")):
            yield said
        elif bits & _DECODED and not headed:
            yield "decodes a hidden command and runs it", "hidden"
        elif bits & _ASKED:
            yield "runs what somebody who asks its server gives it", "hidden"

    def _written(self, call: _Call) -> Iterator[tuple[str, str]]:
        from openvet.formats.shell import judged_script

        texts = [word.text for begin, end in call.args[:2] for word in self._part(begin, end) if word.kind == "text"]
        place = next((each for each in texts if len(each) < 400 and _STARTS.search(each)), None)
        if place is not None:
            yield f"makes the machine run or let in something later ({shorten(printable(place), 60)})", "persists"
            return
        if any(len(each) < 400 and _PROFILES.search(each) for each in texts) and any(
            judged_script(word.text)
            for word in self._words
            if word.kind == "text" and len(word.text) < 4_000 and " " in word.text
        ):
            yield "leaves a command where a shell starts from", "persists"

    def _encrypts(self) -> bool:
        documents = any(word.kind == "text" and word.text in _DOCUMENTS for word in self._words)
        home = any(each & _HOME for each in self._own.values())
        changes = any(
            "remove" in call.roles or "write" in call.roles or call.name.endswith(("rename", "Rename", "renameSync"))
            for call in self._calls
        )
        return home and documents and changes

    def _piped(self) -> Iterator[tuple[str, str, int]]:
        """Julia's commands stand between backticks, and ``"…".execute()`` is how Groovy starts one."""
        from openvet.formats.shell import judged_script

        for at, word in enumerate(self._words):
            if word.kind != "text":
                continue
            command = ""
            if (word.quote == "`" and self._language.id in ("julia", "ruby", "perl", "php")) or (
                at + 2 < len(self._words) and self._words[at + 1].text == "." and self._words[at + 2].text == "execute"
            ):
                command = self._filled(word)
            told = judged_script(command.replace("\n", " ; ")) if command else None
            if told is not None:
                yield f"starts a command that {told[0]}", told[1], word.start

    def _leads_out(self) -> bool:
        return is_foreign([*self._places, *self._hosts]) or bool(
            [each for each in self._places if _MACHINE.search(each)]
        )

    def _fetched(self, what: str) -> tuple[str, str] | None:
        """How bad it is to run what comes from the addresses of the program; ``None`` where it has none."""
        places = self._places or [
            f"https://{each}/"
            for each in self._hosts
            if each.rpartition(".")[2].isalpha() and len(each.rpartition(".")[2]) > 1
        ]
        if not places:
            return None
        if any(is_bad_place(each) for each in places):
            return f"{what}, without encryption or from a bare address", "hidden"
        return what, "fetch-run" if all(is_known_place(each) for each in places) else "hidden"


def _is_wordy(text: str) -> bool:
    """Whether a text leads below the home: it has a name of its own."""
    return (
        any(each.isalnum() for each in text)
        and text not in _OF_HOME
        and _WHOLE.fullmatch(text) is None
        and text not in ("utf8", "utf-8", "rb", "wb", "recursive")
    )


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
