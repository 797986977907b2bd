"""What a program does to whoever uses the page, the server or the build that it is a part of, in a language that has no parser here.

Where :mod:`openvet.formats._program_flows` asks what one call is given, this asks what is put in the place of something: a service worker that answers
in the place of a server, a function of the page in whose place another one listens, a shell whose streams are those of a connection, names of
modules and functions that nobody can read, a program that puts its own text into others. What counts is always two ends that no honest program joins.

Sources: MITRE ATT&CK T1056, T1059.007, T1185, T1539, T1027; https://developer.mozilla.org/docs/Web/API/Service_Worker_API .
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_bad_place, is_foreign, is_known_place
from openvet.formats._program_carried import Carried
from openvet.formats._program_gives import (
    ASKED,
    AWAY,
    DATA,
    FETCHED,
    HOME,
    HOST,
    MACHINE,
    OWN,
    PAGE,
    PLACE,
    SECRET,
    SHELL,
    TOKEN,
)
from openvet.formats._program_spans import Call
from openvet.formats._program_words import Language, Word

__all__ = ["OF_PAGE", "Hosts"]

_WHAT_IS_SENT: Final = ("sends keys, tokens or the environment of whoever runs it to another machine", "sends")
OF_PAGE: Final = "sends what a page keeps for its user, or what is typed into it, to somebody else"
#: What a page has for everybody, and through which all that it asks for goes.
_PATCHED: Final = frozenset({"fetch", "open", "send", "setRequestHeader", "sendBeacon", "getItem", "WebSocket"})
_OWNERS: Final = frozenset({"window", "globalThis", "self", "global", "prototype", "XMLHttpRequest", "http", "https"})
_INDEX: Final = pattern(r"(?:0[xX][0-9a-fA-F]{1,6}|\d{1,6})")
#: Hosts from which pages take modules.
_MODULES_OF: Final = pattern(
    r"https://(?:esm\.sh|unpkg\.com|cdn\.skypack\.dev|ga\.jspm\.io|deno\.land|esm\.run|jsr\.io|(?:[\w-]{1,30}\.)?d3js\.org|cdnjs\.cloudflare\.com|(?:[\w-]{1,30}\.)?gstatic\.com|"
    r"cdn\.plot\.ly|polyfill-fastly\.io|code\.jquery\.com|stackpath\.bootstrapcdn\.com|cdn\.tailwindcss\.com|js\.stripe\.com)/"
)
_DATA: Final = pattern(r"data:(?:text|application)/(?:javascript|ecmascript|x-javascript)[^,]{0,40},")
_LISTENS: Final = frozenset({"fetch", "message"})
_SHELL_STREAMS: Final = frozenset({"stdin", "stdout", "stderr"})
_PUBLISHES: Final = pattern(
    r"\b(?:npm|yarn|pnpm|cargo|twine|gem)\s{1,4}(?:publish|upload|push)\b|\bgit\s{1,4}(?:-C\s\S{1,80}\s{1,4})?push\b"
)
#: Where anybody can put what others read.
_SHARED: Final = pattern(
    r"api\.github\.com/(?:gists|repos|user/repos)|gist\.github\.com|api\.telegram\.org|discord(?:app)?\.com/api/webhooks|hooks\.slack\.com|huggingface\.co/api/(?:repos|datasets|models)/"
)
_ROAMS: Final = frozenset(
    {
        "readdir",
        "readdirSync",
        "opendir",
        "walk",
        "WalkDir",
        "Walk",
        "glob",
        "globSync",
        "Glob",
        "each_child",
        "entries",
        "children",
        "find",
        "list_files",
    }
)
_SH: Final = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?")
#: A script of a bare address, in a page that a program writes.
_WRITTEN: Final = pattern(
    r"<script\b[^>]{0,200}\bsrc\s{0,4}=\s{0,4}[\"'\\]{0,2}((?:https?:)?//[^\s\"'>\\]{3,200})", re.IGNORECASE
)
#: What those who mine tell each other.
_MINES: Final = frozenset({"job_id", "nonce"})


class Hosts(Carried):
    """One program: what it puts in the place of something."""

    def __init__(self, words: list[Word], language: Language, text: str) -> None:
        super().__init__(words, language, text)
        places = [found.group() for word in words if word.kind == "text" for found in PLACE.finditer(word.text)]
        machines = [
            word.text for word in words if word.kind == "text" and len(word.text) < 2_000 and MACHINE.search(word.text)
        ]
        self._places = places + machines
        self._hosts = [word.text for word in words if word.kind == "text" and HOST.fullmatch(word.text)]

    def _leads_out(self) -> bool:
        return (
            is_foreign([*self._places, *self._hosts])
            or any(_SHARED.search(each) for each in self._places)
            or bool([each for each in self._places if MACHINE.search(each)])
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

    def judged_hosts(self) -> Iterator[tuple[str, str, int]]:
        """What it does, the kind of it, and where."""
        published = any(
            "process" in each.roles and any(_PUBLISHES.search(text) for text in self._command(each))
            for each in self._calls
        )
        for call in self._calls:
            for what, kind in self._placed(call, published=published):
                yield what, kind, self._words[call.begin].start
        yield from self._assigned()
        yield from self._worded()

    def _worded(self) -> Iterator[tuple[str, str, int]]:
        """What single texts and names tell: scripts of bare addresses in pages that are written, and the words of those who mine."""
        names = {word.text: word.start for word in self._words if word.kind == "name"}
        if (
            names.keys() >= _MINES
            and ("WebSocket" in names or any("fetch" in call.roles for call in self._calls))
            and ("WebAssembly" in names or "hash" in names or "submit" in names)
        ):
            yield "makes the machine mine coins for somebody", "mines", names["nonce"]
        for word in self._words if self._language.id == "javascript" else ():
            if word.kind == "text" and "<script" in word.text and len(word.text) < 20_000:
                for found in islice(_WRITTEN.finditer(word.text), 20):
                    place = found[1] if found[1].startswith("http") else f"https:{found[1]}"
                    if is_bad_place(place) and not place.startswith("http://localhost"):
                        yield (
                            "puts a script of a bare address, or one without encryption, into a page",
                            "hidden",
                            word.start,
                        )

    def _placed(self, call: Call, *, published: bool) -> Iterator[tuple[str, str]]:
        last = call.name.rpartition(".")[2]
        if last == "pipe" and self._joins_shell(call):
            yield "hands a shell to another machine", "reverse-shell"
        if "write" in call.roles and len(call.args) > 1 and any(self._bits(*span) & OWN for span in call.args[1:]):
            yield "copies itself into other files", "hidden"
        if (
            published
            and "process" in call.roles
            and any(_PUBLISHES.search(text) for text in self._command(call))
            and self._has_own()
        ):
            yield "publishes itself with what its user keeps", "hidden"
        if (
            "code" in call.roles
            and any(self._bits(*span) & DATA for span in call.args if not self._callback(*span))
            and self._far > len(self._words)
        ):
            yield "runs what lies hidden in a file of data", "hidden"
        if "write" in call.roles and call.args and self._bits(*call.args[0]) & HOME and self._roams():
            yield "deletes or overwrites what belongs to the user or the system", "destroys"
        if "join" in call.roles and self._execs_shell():
            yield "hands a shell to another machine", "reverse-shell"
        if self._language.id != "javascript":
            return
        if last in ("require", "import", "importScripts") and call.args:
            yield from self._brought(call)
        if (
            last in ("Worker", "SharedWorker")
            and self._far > len(self._words)
            and any(self._bits(*span) & FETCHED for span in call.args[:1])
            and self._made_of_texts
        ):
            said = self._fetched("runs what another machine gives it")
            yield from [said] if said else ()
        if last == "addEventListener" and len(call.args) > 1 and self._text(call.args[0]) in _LISTENS:
            yield from self._served(call)

    @property
    def _made_of_texts(self) -> bool:
        return self._may_look() and any(call.name.endswith("createObjectURL") for call in self._calls)

    def _may_look(self) -> bool:
        """Whether all calls may be looked at once more, within what may be looked at in all."""
        self.left -= len(self._calls)
        return self.left > 0

    def _joins_shell(self, call: Call) -> bool:
        """``connection.pipe(sh.stdin)`` and ``sh.stdout.pipe(connection)``."""
        receiver = self._words[call.begin : call.open - 1]
        given = [each for span in call.args[:1] for each in self._part(*span)]
        for ours, span, others in (
            (receiver, (call.begin, call.open - 1), call.args[:1]),
            (given, call.args[0] if call.args else (0, 0), [(call.begin, call.open - 1)]),
        ):
            if (
                any(each.text in _SHELL_STREAMS for each in ours)
                and self._bits(*span) & SHELL
                and any(self._bits(*each) & (FETCHED | ASKED) for each in others)
            ):
                return True
        return False

    def _roams(self) -> bool:
        """Whether the program goes through all that lies in the home."""
        return self._may_look() and any(
            call.name.rpartition(".")[2] in _ROAMS and any(self._bits(*span) & HOME for span in call.args[:1])
            for call in self._calls
        )

    def _execs_shell(self) -> bool:
        """Whether a program connects somewhere and becomes a shell."""
        if not self._may_look():
            return False
        names = {call.name.rpartition(".")[2] for call in self._calls}
        return not names.isdisjoint(("connect", "accept")) and any(
            "process" in call.roles and any(_SH.fullmatch(each.strip()) for each in self._command(call))
            for call in self._calls
        )

    def _has_own(self) -> bool:
        return any(bits & (OWN | TOKEN) for bits in self._own.values()) and any(
            bits & OWN for bits in self._own.values()
        )

    def _text(self, span: tuple[int, int]) -> str:
        begin, end = span
        return self._words[begin].text if end - begin == 1 and self._words[begin].kind == "text" else ""

    def _brought(self, call: Call) -> Iterator[tuple[str, str]]:
        """A module by a name that nobody can read, out of a text, or of somebody else."""
        begin, end = call.args[0]
        first = self._words[begin]
        if first.kind == "text" and _DATA.match(first.text) and call.name != "require":
            yield "decodes text and runs it", "hidden"
        elif first.kind == "text" and call.name != "require" and PLACE.match(first.text):
            if is_bad_place(first.text):
                yield "runs what another machine gives it, without encryption or from a bare address", "hidden"
            elif is_foreign([first.text]) and not _MODULES_OF.match(first.text):
                yield "runs what another machine gives it", "fetch-run"
        elif (
            first.kind == "name" and end - begin >= 3 and self._is_indexed(begin) and self._indexed_members(first.text)
        ):
            yield "hides the names of what it loads and calls", "hidden"

    def _is_indexed(self, at: int) -> bool:
        """``names[3]`` or ``name(0x12)``."""
        words = self._words
        return words[at + 1].text in ("(", "[") and _INDEX.fullmatch(words[at + 2].text) is not None

    def _indexed_members(self, name: str) -> int:
        words = self._words
        self.left -= len(words)
        if self.left <= 0:
            return 0
        return sum(
            1
            for at in range(len(words) - 4)
            if words[at].text == "["
            and words[at + 1].text == name
            and self._is_indexed(at + 1)
            and at
            and (words[at - 1].kind == "name" or words[at - 1].text == ")")
        )

    def _served(self, call: Call) -> Iterator[tuple[str, str]]:
        """A service worker that answers with what somebody else gives, or tells somebody else what is asked."""
        begin, end = call.args[1]
        if self._text(call.args[0]) != "fetch" or not self._may_look():
            return
        for inner in self._calls:
            if not (begin <= inner.open < end) or "fetch" not in inner.roles:
                continue
            spans = [span for span in inner.args if not self._callback(*span)]
            if any(self._bits(*span) & AWAY for span in spans):
                yield "answers for a server, and asks somebody else in the place of it", "hidden"
                return

    def _assigned(self) -> Iterator[tuple[str, str, int]]:
        """``new Image().src = address + secret``; ``window.fetch = function that tells somebody else``."""
        if self._language.id != "javascript":
            return
        words = self._words
        for at in range(1, len(words) - 2):
            word = words[at]
            if word.kind != "name" or words[at + 1].text != "=" or words[at - 1].text != ".":
                continue
            if word.text in ("src", "href", "action", "location") or word.text in _PATCHED:
                end = self._line_end(at + 2)
                bits = self._bits(at + 2, end)
                if word.text not in _PATCHED and bits & AWAY and bits & (SECRET | PAGE | TOKEN):
                    yield OF_PAGE, "sends", word.start
                elif (
                    word.text in _PATCHED
                    and words[at - 2].text in _OWNERS
                    and bits & AWAY
                    and self._tells_away(at + 2, end)
                ):
                    yield (
                        "listens to all that a page or a program asks for, and tells somebody else",
                        "sends",
                        word.start,
                    )

    def _tells_away(self, begin: int, end: int) -> bool:
        """Whether a span holds a call that sends to somebody whom nobody knows."""
        return self._may_look() and any(
            begin <= call.open < end and "fetch" in call.roles and any(self._bits(*span) & AWAY for span in call.args)
            for call in self._calls
        )

    def sends_page(self, spans: list[tuple[int, int]]) -> tuple[str, str] | None:
        """What a call sends that is given these, where they lead to somebody whom nobody knows."""
        bits = 0
        for span in spans:
            bits |= self._bits(*span)
        if not bits & AWAY:
            return None
        if bits & PAGE:
            return OF_PAGE, "sends"
        return _WHAT_IS_SENT if bits & TOKEN else None
