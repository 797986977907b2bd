"""What documents tell their readers to run: commands in README and installation pages, and chunks of R Markdown, Quarto and Sweave.

Pages quote many commands that nobody minds. What counts is what nobody tells a stranger honestly: a line that runs at once what it
fetches without encryption or from a bare address, decodes what it runs, hands a shell to a machine on the Internet, or sends keys.
Lessons and models about security quote reverse shells, mostly with a private address or none: those are told less loudly. A
heuristic: what a page only describes in words is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._asked_tokens import tell_asked_tokens
from openvet.formats._fences import Fence, fences_of
from openvet.formats._format import Anomaly, Facts

if TYPE_CHECKING:
    from openvet.formats.python import PythonSource

__all__ = ["is_document", "tell_advised", "tell_chunks"]

#: Pages by which people set something up, whatever their suffix.
_DOCUMENTS = pattern(
    r"(?:^|/)(?:read[_-]?me|install(?:ation|ing)?|usage|set[_-]?up|quick[_-]?start|getting[_-]?started|how[_-]?to|guide|instructions?|tutorial|"
    r"start[_-]?here|run|deploy(?:ment)?|build(?:ing)?|inference|training|notes|faq)(?:[_-][a-z]{2,3}){0,2}(?:\.txt|\.text)?$"
)
#: Such a page, or the card, as Markdown.
_SETS_UP = pattern(r"(?:^|/)(?:read[_-]?me|install|setup|usage|quick[_-]?start|getting[_-]?started|run|deploy)")
#: One of these stands in every text of which anything is told.
_MAY = pattern(
    r"\b(?:curl|wget|irm|iwr|invoke|fetch|powershell|pwsh|certutil|mshta|regsvr32|rundll32|bitsadmin|socat|mkfifo|nc|ncat|netcat|stratum|urlopen|"
    r"base64|b64decode|environ|pip[23]?|xxd|openssl|scp|rsync)\b|/dev/(?:tcp|udp)/|\b(?:python[23]?|perl|ruby|node|php)\s{1,8}-|\brm\s{1,8}-|\bexec\s{0,4}\(|\bdup2\(|\bsocket\(|\bPopen\(|\bsystem\(|\bget_token\(|\bHfFolder\b"
)
_PYTHON = frozenset({"python", "py", "python3", "ipython"})
_KINDS = frozenset({"hidden", "mines", "reverse-shell", "sends"})
#: The same in what is written for a program.
_FOR_PROGRAMS = frozenset({"foreign", "hidden", "reverse-shell", "sends", "destroys"})
#: An address on the Internet, or a name of a machine there.
_PUBLIC = pattern(
    r"(?<![\d.])(?!0\.|10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|255\.)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|"
    r"\b(?:https?|ftp)://(?!localhost|[\w-]{0,40}(?:your|my|host|server|ip|domain)[\w-]{0,40}[.:/])[a-z][\w-]{0,62}\.[a-z][\w.-]{1,200}"
)
#: A machine by its name, behind ``/dev/tcp/`` or as the first argument of a program that connects.
_NAMED = pattern(
    r"(?:/dev/(?:tcp|udp)/|\bn(?:cat|etcat|c)\b[^|;&\n]{0,80}?\s|:)(?!attacker|localhost|your)[a-z][\w-]{0,62}(?:\.[a-z][\w-]{0,62}){0,4}\.(?!local\b|lan\b|internal\b|example\b)[a-z]{2,20}[/ :]\d"
)
_SPAN = pattern(r"`([^`\n]{8,400})`")
_UNGUARDED = pattern(
    r"\b(?:[Dd]isable|[Tt]urn off|[Dd]eactivate|[Ss]witch off|[Ss]top|[Pp]ause)\b[^.\n]{0,60}\b(?:[Dd]efender|[Aa]nti-?\s?[Vv]irus|[Rr]eal-time protection|[Ss]mart\s?[Ss]creen|[Gg]atekeeper)\b"
)
_LOCKED = pattern(
    r"\.(?:zip|rar|7z)\b[^\n]{0,100}\b[Pp]ass(?:word)?\b|\b[Pp]ass(?:word)?\b[^\n]{0,60}\.(?:zip|rar|7z)\b"
)
_PROGRAM = pattern(r"\b[\w-]{1,60}\.(?:exe|msi|scr|bat|cmd|dmg|pkg|apk)\b")
#: A shell of Windows that runs what it fetches.
_RUNS_FETCHED = pattern(
    r"\b(?:iwr|irm|Invoke-(?:WebRequest|RestMethod)|DownloadString|curl)\b[^\n]{0,200}\biex\b|\biex\b[^\n]{0,60}\b(?:iwr|irm|DownloadString)\b|\bmshta\s{1,4}https?:",
    re.IGNORECASE,
)
_NEAR = 400
#: What a decoded text is handed to; an address that nobody's name answers for.
_DECODED = pattern(
    r"\|\s{0,4}(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\|\s{0,4}(?:python|perl|ruby|node|php)|\s[-/](?:c|e|r|ec?|enc\w{0,12})\s|\$\(|\beval\s+[\"'`$]|\biex\b"
)
_BARE = pattern(r"\bhttp://|//(?:\d{1,3}\.){3}\d")
_SOCKET = pattern(r"\bdup2\(|\bpty\.spawn\(|\bsocket\(|\bsocket\.socket\(")
_LONGEST = 1024 * 1024
_LONGEST_FENCE = 64 * 1024
_MOST = 20
#: Marks of code within lines that are looked at.
_SPANS = 4_000


def is_document(name: str) -> bool:
    """Whether a text without a suffix of its own is called like a page that tells people what to do."""
    return _DOCUMENTS.search(name.lower()) is not None


def tell_advised(text: str, facts: Facts, *, every: bool = False) -> None:
    """Record the first line of a page that tells its reader to run what nobody should run.

    Args:
        text: of the page.
        facts: of its file.
        every: whether private addresses count as any others: in what is written for a program and not for people.
    """
    if len(text) > _LONGEST:
        return
    _tell_lure(text, facts)
    tell_asked_tokens(text, facts)
    if _MAY.search(text) is None:
        return
    from openvet.formats._foreign_shells import tell_foreign_shell
    from openvet.formats._shell_script import tell_commands

    seen = Facts(facts.place, facts.name, facts.budget)
    plain = _commands_of(text)
    tell_commands(plain, seen)
    _tell_spans(plain, seen)
    tell_foreign_shell(text, seen)
    facts.anomalies += [
        each
        for each in seen.anomalies
        if each.rule == "hub/requirement-source" and _BARE.search(each.message) and _leads_out(each.message)
    ]
    worst: tuple[Anomaly, str] | None = None
    for each in seen.anomalies:
        kind = str(each.evidence.get("kind")) if each.rule == "hub/shell-command" else ""
        kind = kind if every and kind in _FOR_PROGRAMS else _kind_in_page(each, kind, text, facts.name)
        if kind and (worst is None or worst[1] == "shown" != kind):
            worst = each, kind
    if worst is not None:
        what, _, line = worst[0].message.partition(": ")
        facts.anomaly(
            "hub/shell-command",
            f"tells its reader to run a line that {what}: {line}",
            line=worst[0].location.line,
            kind=worst[1],
        )
        if worst[1] != "shown":
            return
    for fence in islice(fences_of(text), _MOST):
        if fence.language in _PYTHON and len(fence.text) <= _LONGEST_FENCE and _in_python(fence, facts, every=every):
            return


def _kind_in_page(told: Anomaly, kind: str, text: str, name: str) -> str:
    """The kind of a line that a page for people shows; '' for one that is spoken of, or leads nowhere."""
    if kind not in _KINDS:
        return ""
    if kind == "mines":
        return "shown"
    if not _is_meant(told.message):
        return ""
    if _leads_out(told.message) or (_far(told) and _leads_out(text)):
        return kind
    quoted = kind == "reverse-shell" and _SETS_UP.search(name.lower()) is not None
    return "shown" if quoted and _is_fenced(text, told.location.line) else ""


def _tell_spans(text: str, seen: Facts) -> None:
    """The same for what stands between backticks within a line: a command by itself."""
    from openvet.formats._shell_script import tell_commands

    room = _SPANS
    for number, line in enumerate(text.split("\n"), 1):
        if "`" not in line or _MAY.search(line) is None:
            continue
        if (room := room - line.count("`")) < 0:
            return
        for span in islice(_SPAN.finditer(line), _MOST):
            inner = Facts(seen.place, seen.name, seen.budget)
            tell_commands(span[1], inner)
            for each in inner.anomalies:
                seen.anomaly(each.rule, each.message, line=number, **each.evidence)


def _tell_lure(text: str, facts: Facts) -> None:
    """Record it where a page asks people to switch off what protects them, or gives the password of an archive with a program in it."""
    unguarded, locked = _UNGUARDED.search(text), _LOCKED.search(text)
    found = unguarded or locked
    if found is None:
        return
    begin, end = max(0, found.start() - _NEAR), found.end() + _NEAR
    fetched = unguarded and _RUNS_FETCHED.search(text, begin, end)
    if fetched or _PROGRAM.search(text, begin, end):
        line = text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
        facts.anomaly(
            "hub/shell-command",
            f"asks its reader to start a program without protection: {shorten(printable(line.strip()), 120)}",
            line=text.count("\n", 0, found.start()) + 1,
            kind="hidden" if fetched or locked else "shown",  # this is how stealers are brought among people
        )


def tell_chunks(text: str, facts: Facts) -> None:
    """Record what the chunks of a document run that is knitted: R as R's own start-up files, Python as a notebook's cells."""
    from openvet.formats._started import tell_started_commands

    tell_started_commands(text, facts)
    for fence in fences_of(text):
        if fence.language in _PYTHON and len(fence.text) <= _LONGEST_FENCE:
            _in_python(fence, facts, every=True)


def _commands_of(text: str) -> str:
    """The lines that may be a command; others are left empty: rows of tables, whose bars are no pipes, and Python, which has its own."""
    lines = ["" if line.lstrip().startswith("|") and line.count("|") > 1 else line for line in text.split("\n")]
    for fence in fences_of(text):
        if fence.language in _PYTHON:
            for at in range(fence.line - 1, min(fence.line + fence.text.count("\n"), len(lines))):
                if not lines[at].lstrip().startswith(("!", "%", "$")):
                    lines[at] = ""
    return "\n".join(lines)


def _is_fenced(text: str, line: int | None) -> bool:
    """Whether a line stands in a block of code: one in a sentence is spoken of and not told to be run."""
    return line is not None and any(each.line <= line <= each.line + each.text.count("\n") for each in fences_of(text))


def _far(anomaly: Anomaly) -> bool:
    """Whether the address stands on another line than the one that is told."""
    return any(each in anomaly.message for each in ("second step", "ocket", "$", "dup2", "pty."))


def _is_meant(message: str) -> bool:
    """Whether a line is a command, and not a sentence or a list in which the words of one stand."""
    if message.startswith("decodes"):
        return _DECODED.search(message) is not None
    return not message.startswith("makes") or _BARE.search(message) is not None


def _leads_out(message: str) -> bool:
    """Whether what is run has an address on the Internet, or hides where it leads."""
    return (
        _PUBLIC.search(message) is not None
        or _NAMED.search(message) is not None
        or ("decodes" in message and "://" not in message)
    )


def _in_python(fence: Fence, facts: Facts, *, every: bool) -> bool:
    """Record what Python in a page does that nobody tells others honestly; whether anything was told."""
    from openvet.formats._shell_script import dangerous_line
    from openvet.formats.notebook import handed_to_a_shell
    from openvet.formats.python import read_source

    for command in handed_to_a_shell(fence.text):
        what = dangerous_line(command)
        if (
            what is not None
            and not what.endswith(("fetches something and runs it at once", "few know and runs it at once"))
            and (every or _leads_out(f"{what}: {command}"))
        ):
            _tell(facts, fence.line, f"{what}, in Python: {shorten(printable(command), 120)}")
            return True
    program = read_source(fence.text, facts.at(), facts.limits, when="call")
    lines = fence.text.split("\n")
    for what, line in _told(program, lines):
        if every or what.startswith("decodes") or _leads_out(fence.text):
            shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
            _tell(facts, fence.line + line - 1, f"{what}, in Python: {shorten(printable(shown), 120)}")
            return True
    return False


def _tell(facts: Facts, line: int, what: str) -> None:
    facts.anomaly("hub/shell-command", f"tells its reader to run a line that {what}", line=line, kind="hidden")


def _told(program: PythonSource, lines: list[str]) -> Iterator[tuple[str, int]]:
    """What a text does that is worth telling, and the line."""
    network = [use for use in program.uses if use.capability == "network"]
    for use in program.uses:
        if use.capability == "hidden":
            yield "decodes a hidden command and runs it", use.line
        elif use.capability == "secret" and network and "whole environment" in use.detail:
            line = next((each.line for each in network if each.line >= use.line), use.line)
            yield "sends keys, tokens or the environment of whoever runs it to another machine", line
        elif use.capability == "attack" and use.detail.startswith("sends the user's token"):
            yield "sends the token of whoever runs it to another machine", use.line
        elif use.capability == "code" and any(each.line == use.line for each in network):
            yield "fetches something and runs it at once", use.line
    text = "\n".join(lines)
    if any(use.capability == "process" for use in program.uses) and "dup2(" in text and (at := _SOCKET.search(text)):
        yield "hands a shell to another machine", text.count("\n", 0, at.start()) + 1
