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
from openvet.formats._program_outline import NO_NAMES, Call, Outline
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
_MOST_TOLD: Final = 10
#: What a program has to hold to be read at all: a way to run, send or remove.
_MAY: Final = pattern(
    r"eval|Function|exec|spawn|system|popen|Command|loadstring|\bload\b|include_string|\bsource\b|\brun\b|ProcessBuilder|Process\b|remove|unlink|rmdir|\brm\b|rimraf|RemoveAll|deleteDir|rmtree|rm_rf|"
    r"https?\b|fetch|axios|socket|Socket|request|URL|curl|download|reqwest|ureq|TcpStream|net\.Dial|dlopen|evaluate|defineClass|`|qx|assert|create_function|vm\b|rmSync|_compile|[wW]rite|[aA]ppend|\\x[0-9a-fA-F]{2}|\\u00|fromCharCode|atob"
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


class _Program(Outline):
    """One program: what its names carry, and what its calls take."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        super().__init__(words, language, text)
        self._carried: dict[tuple[str, int], int] = {}
        self._far = _FAR if len(words) > 3 * _FAR else len(words) + 1
        self._texts = dict.fromkeys(self._saved, _FETCHED)
        self._own: dict[int, int] = {}
        self._places_of: list[list[int]] = [[] for _ in _BITS]
        self._follow()
        places = [found.group() for word in words if word.kind == "text" for found in _PLACE.finditer(word.text)]
        machines = [
            word.text for word in words if word.kind == "text" and len(word.text) < 2_000 and _MACHINE.search(word.text)
        ]
        self._places = places + machines
        self._hosts = [word.text for word in words if word.kind == "text" and _HOST.fullmatch(word.text)]

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
            elif each.kind == "name" and each.text not in NO_NAMES:
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

    def _fetches(self, call: Call) -> bool:
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

    def _command(self, call: Call) -> list[str]:
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

    def _going_on(self, call: Call, names: tuple[str, ...]) -> list[tuple[int, int]]:
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

    def _of_call(self, call: Call) -> Iterator[tuple[str, str]]:
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

    def _sent(self, call: Call) -> Iterator[tuple[str, str]]:
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

    def _started(self, call: Call) -> Iterator[tuple[str, str]]:
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

    def _written(self, call: Call) -> Iterator[tuple[str, str]]:
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
