"""What a program does that nobody should run unread, in a language that has no parser here: JavaScript, Lua, Perl, Ruby, Rust, Go, Julia, R, PHP,
Java and its kin, C.

One model for all: a word or a call *gives* something (:mod:`openvet.formats._program_gives`), and a call *takes* it: runs it as code or as a
command, sends it, removes it. Constant commands are judged as the lines of a shell. A heuristic: no grammar is known, and what is computed
from more than constants is not.

Sources: MITRE ATT&CK T1059, T1105, T1041, T1485, T1546; https://eslint.org/docs/latest/rules/no-eval .
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._addresses import is_foreign
from openvet.formats._format import Facts
from openvet.formats._program_gives import ASKED, DECODED, FETCHED, HOME, SECRET, WHOLE
from openvet.formats._program_hosts import Hosts
from openvet.formats._program_roles import role_of
from openvet.formats._program_spans import Call
from openvet.formats._program_words import LANGUAGES, Language, Word, words_of

__all__ = ["judged_program", "language_of", "tell_program"]

_LONGEST: Final = 2 * 1024 * 1024
_MOST_TOLD: Final = 10
#: What a program has to hold to be read at all: a way to run, send or remove.
_MAY: Final = pattern(
    r"eval|Function|exec|spawn|system|popen|Command|loadstring|\bload\b|include_string|\bsource\b|\brun\b|ProcessBuilder|Process\b|remove|unlink|rmdir|\brm\b|rimraf|RemoveAll|deleteDir|rmtree|rm_rf|"
    r"https?\b|fetch|axios|socket|Socket|request|URL|curl|download|reqwest|ureq|TcpStream|net\.Dial|dlopen|evaluate|defineClass|`|qx|assert|create_function|vm\b|rmSync|_compile|[wW]rite|[aA]ppend|\\x[0-9a-fA-F]{2}|\\u00|fromCharCode|atob|require\(|import\(|Worker|cookie|Storage|io::|os\."
)
_SENDS: Final = frozenset({"write", "end", "send", "print", "puts", "write_all", "Write", "WriteString", "post", "emit", "body", "json", "form", "publish", "sendall", "writeBytes", "setRequestBody",
                           "query", "header", "multipart", "params", "send_json", "send_string", "data"})  # fmt: skip
SENT: Final = "sends keys, tokens or the environment of whoever runs it to another machine"
_UPLOADS: Final = pattern(
    r"\b(?:curl|wget|http|xh|nc|ncat|scp|rsync)\b.{0,250}?(?:\s-(?:d|F|T)\b|--data|--form|--post-|--upload|@-|<<<|://|\d\s\d{2,5})",
    re.DOTALL,
)
_SHELL: Final = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh|env")
_RUNS_GIVEN: Final = frozenset({"-c", "/c", "/C", "-Command", "-command", "-lc"})
_DOCUMENTS: Final = frozenset({"Documents", "Desktop", "Pictures", "Downloads"})
#: Files from which programs are started, and those from which they only are where the command is bad.
_STARTS: Final = pattern(
    r"authorized_keys|/etc/cron|/var/spool/cron|LaunchAgents|LaunchDaemons|systemd/(?:user|system)/|Start Menu[\\/]{1,4}Programs[\\/]{1,4}Startup|\.config/autostart|\.git/hooks/|CurrentVersion\\{1,4}Run|ld\.so\.preload|/etc/(?:passwd|sudoers|profile)|site-packages/[\w.-]{1,60}\.pth"
)
_PROFILES: Final = pattern(r"\.(?:bashrc|zshrc|profile|bash_profile|zprofile|zshenv|bash_login)\b")


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


def judged_program(text: str, language: Language) -> tuple[str, str] | None:
    """What a short program does that nobody should run unread, and the kind of it, where that is worse than to run what it fetches."""
    if _MAY.search(text) is None:
        return None
    words, _ = words_of(text[:_LONGEST], language)
    return next(
        ((what, kind) for what, kind, _ in _Program(words, language, text).judged() if kind != "fetch-run"), None
    )


class _Program(Hosts):
    """One program: what its calls take."""

    # what is judged

    def judged(self) -> Iterator[tuple[str, str, int]]:
        """What it does, the kind of it, and where, call by call."""
        for call in self._calls:
            start = self._words[call.begin].start
            for what, kind in self._of_call(call):
                yield what, kind, start
        yield from self._piped()
        yield from self.judged_hosts()

    def _of_call(self, call: Call) -> Iterator[tuple[str, str]]:
        roles = call.roles
        if ("code" in roles or "native" in roles) and not (
            self._words[call.open].text in ("q", "qq")
            or self._words[min(call.open + 1, len(self._words) - 1)].text in ("q", "qq")
        ):
            bits = 0
            for span in call.args:
                bits |= 0 if self._callback(*span) else self._bits(*span)
            if bits & FETCHED and (said := self._fetched("runs what another machine gives it")):
                yield said
            elif bits & DECODED and "code" in roles:
                yield "decodes text and runs it", "hidden"
            elif bits & ASKED and "code" in roles:
                yield "runs what somebody who asks its server gives it", "hidden"
        if "process" in roles and (call.name != "open" or any("|" in each for each in self._command(call))):
            yield from self._started(call)
        if "remove" in roles and any(self._bits(*span) & HOME or self._is_whole(span) for span in call.args[:2]):
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
            last in _SENDS and (receiver & FETCHED or "outputStream" in call.name or "OutputStream" in call.name)
        )
        if sends:
            spans = [*call.args, *self._going_on(call, tuple(_SENDS))]
            if any(self._bits(*span) & SECRET for span in spans if not self._callback(*span)) and self._leads_out():
                yield SENT, "sends"
            elif said := self.sends_page([span for span in self._told(call, spans) if not self._callback(*span)]):
                yield said
        if last in ("then", "on", "map", "addEventListener", "pipe", "tap", "each") and receiver & FETCHED:
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

    def _told(self, call: Call, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The spans of what a call sends, without headers, by which one's own service is asked; and where that goes."""
        words = self._words
        return (
            [*spans, (call.begin, call.open)]
            if not any(
                words[at].text in ("headers", "Authorization", "setRequestHeader")
                for span in spans
                for at in range(*span)
            )
            else []
        )

    def _is_whole(self, span: tuple[int, int]) -> bool:
        begin, end = span
        return (
            end - begin == 1
            and self._words[begin].kind == "text"
            and WHOLE.fullmatch(self._words[begin].text) is not None
        )

    def _started(self, call: Call) -> Iterator[tuple[str, str]]:
        from openvet.formats._shell_script import judged_script

        texts = self._command(call)
        command = " | ".join(texts) if call.name.endswith("pipeline") else " ".join(texts)
        if texts and (_SHELL.fullmatch(texts[0].strip()) and len(texts) > 2 and texts[1] in _RUNS_GIVEN):
            command = " ".join(texts[2:])
        told = judged_script(command.replace("\n", " ; ")) if command else None
        if told is not None:
            yield f"starts a command that {told[0]}", told[1]
            return
        if (
            command
            and _UPLOADS.search(command)
            and any(self._bits(*span) & SECRET for span in [*call.args, *self._going_on(call, ("arg", "args", "Arg"))])
            and is_foreign([command])
        ):
            yield SENT, "sends"
            return
        spans = [
            span for span in [*call.args, *self._going_on(call, ("arg", "args", "Arg"))] if not self._callback(*span)
        ]
        if call.name == "open":
            spans = spans[1:]
        if not spans:
            return
        first = self._part(*spans[0])
        head = first[0] if first else None
        if head is not None and len(first) == 1 and head.text in self._begins:
            head = Word("text", self._begins[head.text], head.start)
        headed = (
            head is not None
            and head.kind == "text"
            and (head.text[:1].isalpha() or _SHELL.fullmatch(head.text.strip()) is not None)
        )
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
            bits |= FETCHED
        if bits & FETCHED and (said := self._fetched("starts what another machine gives it")):
            yield said
        elif bits & DECODED and not headed:
            yield "decodes a hidden command and runs it", "hidden"
        elif bits & ASKED:
            yield "runs what somebody who asks its server gives it", "hidden"

    def _written(self, call: Call) -> Iterator[tuple[str, str]]:
        from openvet.formats._shell_script import judged_script

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
        home = any(each & HOME for each in self._own.values())
        changes = any(
            "remove" in call.roles or "write" in call.roles or call.name.endswith(("rename", "Rename", "renameSync"))
            for call in self._calls
        )
        return home and documents and changes

    def _piped(self) -> Iterator[tuple[str, str, int]]:
        """Julia's commands stand between backticks, and ``"…".execute()`` is how Groovy starts one."""
        from openvet.formats._shell_script import judged_script

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
