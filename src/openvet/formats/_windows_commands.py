"""Command lines of Windows that nobody should run unread: what PowerShell and cmd spell in other ways, and programs of the system
that fetch or run what they were not made for.

A line is read as the two shells read it, as far as constants go: carets and backticks are dropped, texts that are put together are
put together, and the variables that a batch file sets are put in. It is a heuristic: what is only known when it runs is not seen.

Sources: https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_pwsh ;
https://lolbas-project.github.io/ ; MITRE ATT&CK T1027.010, T1059.001, T1105, T1218.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Set as AbstractSet
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import is_known_place

__all__ = ["Remembered", "batch_text", "plain_line", "windows_command"]

#: PowerShell takes any beginning of the name of a parameter, ``-ec`` too, behind a hyphen, a dash or a slash.
_PREFIXES: Final = "|".join(["ec", *("encodedcommand"[:count] for count in range(14, 0, -1))])
_SHELL: Final = pattern(r"\b(?:powershell|pwsh)\b", re.IGNORECASE)
_ENCODED: Final = pattern(
    rf"(?:^|[\s\"'(,])[-/\u2013\u2014\u2015](?:{_PREFIXES})[\s\"',:]{{1,8}}([$%!][\w{{]|[A-Za-z0-9+/]{{4,}}={{0,2}})",
    re.IGNORECASE,
)
_RUNS_TEXT: Final = pattern(
    r"\b(?:iex|Invoke-Expression)\b|\[scriptblock\]::Create\(|\bExecute(?:Global)?\s{1,8}\w{1,40}\.response(?:Text|Body)\b|\.InvokeCommand\.InvokeScript\(",
    re.IGNORECASE,
)
_FETCHES_TEXT: Final = pattern(
    r"\b(?:DownloadString|DownloadData|OpenRead|iwr|irm|Invoke-WebRequest|Invoke-RestMethod|curl|wget|certutil|bitsadmin)\b"
    r"|\b(?:Msxml2|Microsoft)\.(?:Server)?XMLHTTP\b",
    re.IGNORECASE,
)
_ANSWER: Final = pattern(r"\bExecute(?:Global)?\s{1,8}\w{1,40}\.response", re.IGNORECASE)
_DECODES_TEXT: Final = pattern(r"\bFromBase64String\b|\bIO\.Compression\.(?:Gzip|Deflate)Stream\b", re.IGNORECASE)
_LOADS_BYTES: Final = pattern(r"\bAssembly\]::Load\(", re.IGNORECASE)
_BYTES: Final = pattern(r"Assembly\]::Load\(\s*\$|\bbyte\[\]|\bFromBase64String\b|\bDownloadData\b", re.IGNORECASE)
_PLAIN_PLACE: Final = pattern(
    r"\b(?:http|ftp)://(?!localhost\b|127\.0\.0\.1\b)|\bhttps://(?:\d{1,3}\.){3}\d|\bhttps://\[", re.IGNORECASE
)
_WHOLE_PLACE: Final = pattern(r"\bhttps?://[^\s\"'`|;<>)]{3,400}", re.IGNORECASE)
#: Of this machine or network, or with a name that is only known when it runs.
_LOCAL_PLACE: Final = pattern(
    r"https?://(?:localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|[\w-]{1,63}(?:[:/]|$)|[^/]{0,200}[${}%<])"
)
_OUT_OF_SIGHT: Final = pattern(r"[-/](?:w|win\w*)\s+(?:hidden|1)\b", re.IGNORECASE)
#: Programs of the system, and what they must be given to run or fetch what they were not made for.
_TOOLS: Final = tuple(
    (re.compile(rf"\b{name}(?:\.exe)?\b", re.IGNORECASE), re.compile(given, re.IGNORECASE))
    for name, given in (
        ("mshta", r""),
        ("regsvr32", r"/i:\s*[\"']?(?:https?|ftp|\\\\)|\bscrobj\b"),
        ("rundll32", r"\b(?:java|vb)script:|\bRunHTMLApplication\b|\s[\"']?\\\\|\bcomsvcs\b"),
        ("certutil", r"[-/](?:urlcache|decode|decodehex|verifyctl)\b"),
        ("wmic", r"/format:\s*[\"']?(?:https?:|\\\\)|\bshadowcopy\b"),
        ("cmstp", r"/(?:ni|s)\b"),
        ("installutil", r"/u\b|\bhttps?:"),
        ("msbuild", r"\bhttps?:|[\s\"'=]\\\\\w"),
        ("vssadmin", r"\bdelete\b"),
        ("reg", r"\badd\b[^|&]{0,200}\\(?:Run|RunOnce|Winlogon|Image File Execution Options)\b"),
        ("bcdedit", r"\brecoveryenabled\b"),
        ("netsh", r"\badvfirewall\b[^|&]{0,100}\boff\b"),
        ("Set-MpPreference", r"-Disable\w+\s+(?:\$true|1)|-ExclusionPath"),
        ("Add-MpPreference", r"-Exclusion\w+"),
    )
)
_FETCHES_FILE: Final = pattern(
    r"\b(?:DownloadFile|iwr|irm|Invoke-WebRequest|Start-BitsTransfer|curl|wget|certutil|bitsadmin)\b", re.IGNORECASE
)
_PARTS: Final = pattern(r"[;&|]")
_ENDINGS: Final = pattern(r"\.(?:exe|scr|com|msi|bat|cmd|ps1|vbs|hta|js|wsf)\b", re.IGNORECASE)
_BASE: Final = pattern(r"[\w-]+")
#: They install what they fetch, as ``curl | sh`` does.
_INSTALLS: Final = (
    (
        re.compile(r"\bmsiexec(?:\.exe)?\b", re.IGNORECASE),
        re.compile(r"/(?:i|package)\s+[\"']?https?://", re.IGNORECASE),
    ),
)
#: One letter of a variable at a time: nobody writes commands so.
_LETTERS: Final = pattern(r"%[^%\s:]{1,40}:~-?\d+,1%")
_MOST_LETTERS: Final = 8
_SET: Final = pattern(r"\bset[ \t]{1,8}\"?([\w.$#@-]{1,40})=([^\"\r\n&|]{0,400})", re.IGNORECASE)
_USED: Final = pattern(r"%([\w.$#@-]{1,40})%|!([\w.$#@-]{1,40})!")
_JOINED: Final = pattern(r"'\s{0,4}\+\s{0,4}'|\"\s{0,4}\+\s{0,4}\"")
#: A variable of PowerShell that is set, and one that is used; VBScript has no dollar sign.
_ASSIGNED: Final = pattern(r"\$(?:\w{1,20}:)?(\w{1,40})\s{0,8}=\s{0,8}(.{1,1000})")
_VARIABLE: Final = pattern(r"\$\{?(?:\w{1,20}:)?(\w{1,40})")
_VARIABLES: Final = 1_000
#: Characters of lines in which variables are put in.
_PUT_IN: Final = 512 * 1024
_LONGEST_BATCH: Final = 256 * 1024


def batch_text(text: str) -> str:
    """The text with the variables put in that it sets to constants, as cmd puts them in; as it is where it sets none."""
    if len(text) > _LONGEST_BATCH or ("%" not in text and "!" not in text):
        return text
    values: dict[str, str] = {}
    for match in _SET.finditer(text):
        if len(values) >= _VARIABLES:
            break
        value = _USED.sub(lambda used: values.get((used[1] or used[2]).lower(), used[0]), match[2])
        values[match[1].lower()] = value[:1_000]
    if not values:
        return text
    lines, room = [], 4 * _LONGEST_BATCH
    for line in text.split("\n"):
        put = _USED.sub(lambda used: values.get((used[1] or used[2]).lower(), used[0]), line) if room > 0 else line
        room -= len(put)
        lines.append(put)
    return "\n".join(lines)


def plain_line(line: str) -> str:
    """A line without the marks that cmd and PowerShell drop, and with constant texts joined."""
    if "^" in line or "`" in line:
        line = line.replace("^", "").replace("`", "")
    return _JOINED.sub("", line) if "+" in line else line


#: Words of lines that run text, those of lines that fetch a file, and all of which a line has one that is looked at more closely.
_TEXT_WORDS: Final = frozenset({"iex", "invoke", "scriptblock", "execute", "executeglobal", "invokescript"})
_FILE_WORDS: Final = frozenset(
    {"downloadfile", "iwr", "irm", "invoke", "bitstransfer", "curl", "wget", "certutil", "bitsadmin"}
)
_SHELL_WORDS: Final = frozenset({"powershell", "pwsh"})
_TOOL_WORDS: Final = frozenset(
    {"mshta", "regsvr32", "rundll32", "certutil", "wmic", "cmstp", "installutil", "msbuild", "vssadmin", "reg", "bcdedit",
     "netsh", "mppreference"}
)  # fmt: skip
_WORDS: Final = _TEXT_WORDS | _FILE_WORDS | _SHELL_WORDS | _TOOL_WORDS | {"assembly", "msiexec"}


#: What PowerShell hands every text to before it runs it, also in pieces.
_UNSCANNED = pattern(r"AmsiUtils|amsiInitFailed|amsiContext|AmsiScanBuffer|AmsiScanString", re.IGNORECASE)
_SPELLS = pattern(
    r"\b(?:IEX|Invoke-Expression|DownloadString|DownloadFile|FromBase64String|Net\.WebClient|VirtualAlloc|Reflection\.Assembly)\b",
    re.IGNORECASE,
)
_CALLED = pattern(
    r"&\s{0,4}\(\s{0,4}['\"](?:IEX|Invoke-Expression)['\"]\s{0,4}\)|\.\(\s{0,4}['\"](?:DownloadString|DownloadFile|DownloadData|Invoke\w{0,20})['\"]\s{0,4}\)",
    re.IGNORECASE,
)
_PIECES = pattern(r"['\"]\s{0,8}\+\s{0,8}['\"]")


class Remembered:
    """What earlier lines of a script set or fetched, for those that run it."""

    __slots__ = ("_fetched", "_room", "_values")

    def __init__(self) -> None:
        self._room = _PUT_IN
        self._values: dict[str, str] = {}
        self._fetched: set[str] = set()

    def put_in(self, line: str, words: AbstractSet[str]) -> str:
        """The line with what its variables were set to behind it, where it runs text; what it sets is remembered."""
        assigned = _ASSIGNED.match(line) if line[:1] == "$" else None
        if assigned is not None and len(self._values) < _VARIABLES:
            self._values[assigned[1].lower()] = assigned[2]
        if not self._values or self._room <= 0 or words.isdisjoint(_TEXT_WORDS) or _RUNS_TEXT.search(line) is None:
            return line
        used = dict.fromkeys(match[1].lower() for match in _VARIABLE.finditer(line))
        put = " ".join([line, *(self._values[name] for name in list(used)[:4] if name in self._values)])
        self._room -= len(put)
        return put

    def runs(self, line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
        """What a line is that runs a program which an earlier line fetched without encryption or from a bare address."""
        if "." not in line or (not self._fetched and words.isdisjoint(_FILE_WORDS)):
            return None
        names = _programs(line)
        fetches = bool(names) and not words.isdisjoint(_FILE_WORDS) and _FETCHES_FILE.search(line) is not None
        if not fetches and not names.isdisjoint(self._fetched):
            return "runs what was fetched without encryption or from a bare address", "hidden"
        if fetches and len(self._fetched) < _VARIABLES and _PLAIN_PLACE.search(line):
            self._fetched |= names
        return None


def _in_pieces(line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line is that spells its command in pieces, or switches off what looks over every text before it runs."""
    if not words.isdisjoint(
        (
            "utils",
            "initfailed",
            "amsi",
            "amsiutils",
            "amsiinitfailed",
            "amsiscanbuffer",
            "siutils",
            "siinitfailed",
            "assembly",
        )
    ) and _UNSCANNED.search(_PIECES.sub("", line)):
        return "switches off what looks for hostile programs", "hidden"
    if (
        ("+" in line or "`" in line)
        and _SPELLS.search(joined := _PIECES.sub("", line).replace("`", ""))
        and not _SPELLS.search(line)
    ):
        return f"spells a command in pieces: {joined[:60]}", "hidden"
    if "(" in line and _CALLED.search(line):
        return "calls a command by a text, which nobody does who has nothing to hide", "hidden"
    return None


def windows_command(line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line (of :func:`plain_line`) does and the kind of it, ``hidden``, ``foreign`` (from a host that few know) or ``fetch-run``; ``None`` for an ordinary one.

    ``words`` are the line's, in lower case.
    """
    spelled = ":~" in line
    if not spelled and words.isdisjoint(_WORDS) and "+" not in line and "`" not in line and "msi" not in line:
        return None
    if not words.isdisjoint(_SHELL_WORDS) and (encoded := _encoded(line)) is not None:
        return encoded
    if spelled and len(_LETTERS.findall(line)) >= _MOST_LETTERS:
        return "spells a command letter by letter", "hidden"
    for tool, given in () if words.isdisjoint(_TOOL_WORDS) else _TOOLS:
        found = tool.search(line)
        if found is not None and given.search(line, found.end()) is not None:
            return f"makes {found.group().lower()} do what it is not meant for", "hidden"
    if (known := _in_pieces(line, words)) is not None:
        return known
    if "assembly" in words and _LOADS_BYTES.search(line) and _BYTES.search(line):
        return "loads a program from bytes that it decodes or fetches", "hidden"
    if not words.isdisjoint(_TEXT_WORDS) and _RUNS_TEXT.search(line):
        if ".response" in line and _ANSWER.search(line):
            return "fetches something and runs it at once", "hidden"
        if _DECODES_TEXT.search(line):
            return "decodes a hidden command and runs it", "hidden"
        if _FETCHES_TEXT.search(line):
            return fetched(line)
    for tool, given in _INSTALLS if "msiexec" in words else ():
        found = tool.search(line)
        if found is not None and given.search(line, found.end()) is not None:
            return fetched(line)
    fetches = "." in line and not words.isdisjoint(_FILE_WORDS)
    return fetched(line) if fetches and _PLAIN_PLACE.search(line) and _runs_its_file(line) else None


def _programs(line: str) -> set[str]:
    """Names of programs of Windows in a line. Endings are looked for first: a run of letters without one costs nothing."""
    names = set()
    for ending in _ENDINGS.finditer(line):
        found = _BASE.match(line[max(0, ending.start() - 100) : ending.start()][::-1])  # from the ending backwards
        if found is not None:
            names.add(line[ending.start() - found.end() : ending.end()].lower())
    return names


def _runs_its_file(line: str) -> bool:
    """Whether a part of the line fetches a program of Windows, and a later part names it again."""
    files: set[str] = set()
    for part in _PARTS.split(line):
        names = _programs(part)
        if files & names:
            return True
        if _FETCHES_FILE.search(part):
            files |= names
    return False


def fetched(line: str) -> tuple[str, str]:
    """What a line is that runs what it fetches: worse from a place that anybody on the way, or nobody's name, answers for."""
    if _PLAIN_PLACE.search(line):
        return "fetches something without encryption or from a bare address and runs it at once", "hidden"
    if _OUT_OF_SIGHT.search(line):
        return "fetches something and runs it out of sight", "hidden"
    places = [found.group().rstrip(".,;") for found in _WHOLE_PLACE.finditer(line)]
    if places and not all(is_known_place(each) or _LOCAL_PLACE.match(each) for each in places):
        return "fetches something from a host that few know and runs it at once", "foreign"
    return "fetches something and runs it at once", "fetch-run"


def _encoded(line: str) -> tuple[str, str] | None:
    """``powershell -enc`` with what it is given: text in base64, or something that is only known when it runs."""
    shell = _SHELL.search(line)
    if shell is None:
        return None
    for match in _ENCODED.finditer(line, shell.end()):
        given = match[1]
        if given[0] in "$%!":
            return "runs an encoded command that is only known when it runs", "fetch-run"
        if _is_wide_text(given):
            return "decodes a hidden command and runs it", "hidden"
    return None


def _is_wide_text(digits: str) -> bool:
    """Whether base64 holds UTF-16 text, as ``-EncodedCommand`` takes it: mostly of characters below 256."""
    kept = digits.rstrip("=")
    kept = kept[: len(kept) - 1 if len(kept) % 4 == 1 else len(kept)]
    try:
        raw = binascii.a2b_base64(kept + "=" * (-len(kept) % 4))
    except (binascii.Error, ValueError):
        return False
    raw = raw[: len(raw) // 2 * 2]
    return len(raw) >= 4 and raw[1::2].count(0) * 2 >= len(raw) // 2
