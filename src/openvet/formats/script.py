"""Scripts that a double click runs, or Node: VBScript and JScript, also in ``.hta``, ``.wsf`` and ``.sct``, and JavaScript.

No loader runs one; a person does, and Windows does not ask. Texts are read as far as constants go: parts that are put together,
letters by their numbers, texts that are turned around. What counts is an object of Windows that starts programs or writes files,
a command that Node is given, and text that is decoded and run. It is a heuristic: what is only known when it runs is not seen.

Sources: https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/windows-scripting/ ; MITRE ATT&CK
T1059.005, T1059.007, T1218.005; https://nodejs.org/api/child_process.html .
"""

from __future__ import annotations

import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

_HOSTED: Final = (".vbs", ".vbe", ".jse", ".wsf", ".wsc", ".sct", ".hta")
_JAVASCRIPT: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".wsh", ".html", ".htm")
#: Settings in XML that name a command, which a double click runs.
_SETTINGS: Final = (".settingcontent-ms", ".terminal")

FORMAT = Format(
    id="script",
    title="script of Windows or JavaScript",
    extensions=(*_HOSTED, *_JAVASCRIPT, *_SETTINGS),
    media_types=("application/hta", "text/javascript", "text/vbscript"),
    can_tell=(
        "objects of Windows that start programs or write files, commands that Node is given, and text that is decoded and run",
        "everything that a reader of shell scripts tells",
    ),
    cannot_tell=("what the rest of the script does", "commands that are only known when it runs"),
    refines=("shell", "text", "xml", "apple-plist"),
)

_LONGEST: Final = 1024 * 1024
_FOLDED: Final = 256 * 1024
_ROUNDS: Final = 3
_SHOWN: Final = 120
#: Scripts that Microsoft's encoder made unreadable begin so.
_ENCODED: Final = "#@~^"
#: Texts that are put together: ``+`` in JScript, ``&`` in VBScript.
_JOINED: Final = pattern(r"'\s{0,8}[+&]\s{0,8}_?\s{0,8}'|\"\s{0,8}[+&]\s{0,8}_?\s{0,8}\"")
_NUMBERED: Final = pattern(r"\bChrW?\$?\(\s{0,4}(?:(&H[0-9a-f]{1,4})|(\d{1,5}))\s{0,4}\)", re.IGNORECASE)
_CODES: Final = pattern(r"\bString\.fromCharCode\(([\d\s,]{1,4000})\)")
_TURNED: Final = pattern(r"\bStrReverse\(\s{0,8}\"([^\"\r\n]{1,1000})\"\s{0,8}\)", re.IGNORECASE)
_HEX: Final = pattern(r"\\x([0-9a-fA-F]{2})|\\u00([0-9a-fA-F]{2})")
#: Objects of Windows that start programs, or write the bytes of one.
_OBJECTS: Final = pattern(
    r"['\"]\s{0,8}(WScript\.Shell\b|Shell\.Application\b|Schedule\.Service\b|ADODB\.Stream\b|winmgmts:|new:\{?(?:72C24DD5|13709620|9BA05972|C08AFD90|F935DC22)|script:)",
    re.IGNORECASE,
)
_MAKES: Final = pattern(r"\b(?:CreateObject|GetObject|ActiveXObject)\b", re.IGNORECASE)
_CALLS: Final = pattern(
    r"\.\s{0,4}(?:Run|Exec|ShellExecute|RegWrite|CreateShortcut)\b|\[\s{0,4}['\"](?:Run|Exec)['\"]", re.IGNORECASE
)
#: A file of the model as the only thing that is started: no shell with a command, no path that leads out.
_BESIDE: Final = pattern(
    r"\s{0,8}\(?\s{0,8}['\"]{1,4}(?:cmd(?:\.exe)?\s+/c\s+)?['\"]{0,4}(?:\.\\)?(?!cmd\b|powershell|pwsh|mshta|[wc]script|rundll32|regsvr32|msiexec|certutil|bitsadmin)"
    r"[\w-]{1,100}\.(?:bat|cmd|py)['\"]{1,4}\s{0,8}(?:,[\s\w]{1,20}){0,3}\)?\s*(?:[\r\n;:']|$)",
    re.IGNORECASE,
)
_HIDDEN: Final = pattern(
    r"\b(?:eval|Function|setTimeout)\s{0,4}\(\s{0,8}(?:(?:window|globalThis|self)\.)?(?:atob|unescape|decodeURIComponent)\s{0,4}\(|"
    r"\b(?:eval|Function)\s{0,4}\(\s{0,8}Buffer\.from\(|\.then\(\s{0,8}eval\s{0,8}\)|\bvm\.runIn\w{1,20}\(\s{0,8}(?:atob|Buffer\.from)\("
)
#: The beginning of a program of Windows or Linux in base64, and how a page makes a browser save something.
_SMUGGLED: Final = pattern(r"[\"'`](?:data:[\w/.+-]{1,60};base64,)?(?:TV[oqpr][A-Q]|f0VMRg)[A-Za-z0-9+/]{6}")
_DOWNLOADS: Final = pattern(r"\bcreateObjectURL\(|\bmsSave(?:OrOpen)?Blob\(|\bdownload\s{0,4}=")
_PUT_TOGETHER: Final = pattern(
    r"^[ \t]{0,80}(?:Execute(?:Global)?|eval)\b[ \t]{0,8}\(?[ \t]{0,8}[A-Za-z_]", re.IGNORECASE | re.MULTILINE
)
_NODE: Final = pattern(
    r"(?:\brequire\s{0,4}\(|\bfrom\b|\bimport\b\s{0,4}\(?)\s{0,8}['\"`](?:node:)?child_process['\"`]"
)
_STARTS: Final = pattern(
    r"\b(?:exec|execSync|spawn|spawnSync|execFile|execFileSync)\s{0,4}\(\s{0,8}(?:'([^'\r\n]{1,300})'|\"([^\"\r\n]{1,300})\"|`([^`\r\n]{1,300})`)"
)
#: Programs that builds and tools start, by a constant command.
_TOOLS: Final = pattern(
    r"\s*(?:sudo\s)?(?:[\w./-]{0,60}/)?(?:git|npm|npx|yarn|pnpm|node|python3?|pip3?|tsc|make|cmake|ninja|cargo|rustc|go|docker|which|where|uname|echo|ls|dir|open|xdg-open|start|tar|unzip|ffmpeg|ffprobe|"
    r"conda|java|javac|mvn|gradle|cat|pwd|hostname|nvidia-smi|sw_vers|sysctl|lscpu|code|clang-format|clang|gcc|g\+\+|llvm-config|pkg-config|brew|apt(?:-get)?|mkdir|cp|mv|chmod|sleep|clear|cls|date|whoami|stty|tput|rm|find|wc|sort|du|df|ps|kill)\b"
)
_COMMAND: Final = pattern(
    r"<DeepLink>\s{0,8}([^<]{1,400})|<key>CommandString</key>\s{0,80}<string>([^<]{1,400})", re.IGNORECASE
)
#: A script, or a module of an import map, of an address without a name.
_OF_BARE: Final = pattern(
    r"(?:<script\b[^>]{0,200}\bsrc\s{0,4}=\s{0,4}[\"']?|[\"'][\w@/.-]{1,80}[\"']\s{0,4}:\s{0,4}[\"'])(?:https?:)?//(?!127\.|10\.|192\.168\.|0\.0\.0\.0|172\.(?:1[6-9]|2\d|3[01])\.)\d{1,3}(?:\.\d{1,3}){3}[:/][^\s\"']{0,200}\.m?js\b",
    re.IGNORECASE,
)
#: An application of HTML runs its scripts with the rights of the user.
_ACTIVE: Final = pattern(r"<script\b|\bon(?:load|error|click)\s*=|<object\b", re.IGNORECASE)


def probe(head: Head) -> Likeness:
    return Likeness.WEAK if head.suffix in FORMAT.extensions and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text
    from openvet.formats._shell_script import tell_commands

    text = read_text(source, facts)
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    if "<script" in text or "document.cookie" in text or "Storage" in text:
        from openvet.formats._notebook_output import tell_page

        tell_page(text, facts)
    suffix = facts.name[facts.name.rfind(".") :].lower()
    if suffix in (".html", ".htm"):
        from openvet.formats._advised import tell_advised

        tell_advised(text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&").replace("&quot;", '"'), facts)
    if suffix not in _JAVASCRIPT:  # pages and their scripts show commands that they do not run
        tell_commands(text, facts)
    if len(text) > _LONGEST:
        facts.note("judged", False)
        return
    found = _judged(text if len(text) > _FOLDED else _folded(text), suffix)
    if found is None or found[1] == "fetch-run":
        before = len(facts.anomalies)
        _tell_programs(text, facts, suffix)
        if len(facts.anomalies) > before:
            return  # that it starts a program as well is no news
    if found is not None:
        what, kind, start = found
        facts.anomaly("hub/shell-command", what, line=text.count("\n", 0, start) + 1, kind=kind)


def _tell_programs(text: str, facts: Facts, suffix: str) -> None:
    """What JavaScript does that flows from one of its parts to another: of a file, or of the scripts of a page."""
    from openvet.formats._notebook_output import scripts_in
    from openvet.formats._program_flows import tell_program
    from openvet.formats._program_hosts import OF_PAGE
    from openvet.formats._program_words import LANGUAGES

    if suffix in (".html", ".htm"):
        if found := _OF_BARE.search(text):
            facts.anomaly(
                "hub/shell-command",
                f"takes a script from a bare address: {_shown(found.group())}",
                line=text.count("\n", 0, found.start()) + 1,
                kind="hidden",
            )
        for script, start in scripts_in(text):
            tell_program(script, LANGUAGES["js"], facts, text.count("\n", 0, start) + 1)
    elif suffix in _JAVASCRIPT:
        tell_program(text, LANGUAGES["js"], facts)
    if any(each.rule == "hub/active-output" for each in facts.anomalies):  # what a page sends is told already
        facts.anomalies[:] = [
            each for each in facts.anomalies if each.rule != "hub/shell-command" or not each.message.startswith(OF_PAGE)
        ]


def _judged(text: str, suffix: str) -> tuple[str, str, int] | None:
    """What a script does, the kind of it, and about where; ``None`` for an ordinary one."""
    if suffix in _HOSTED and _ENCODED in text:
        return "is a script that an encoder made unreadable, and that Windows runs", "hidden", text.index(_ENCODED)
    if (found := _OBJECTS.search(text)) and _MAKES.search(text) and not _starts_what_is_beside(text):
        return (
            f"is run by Windows, and makes the object {_shown(found[1])}, which starts programs or writes files",
            "hidden",
            found.start(),
        )
    if (found := _SMUGGLED.search(text)) and _DOWNLOADS.search(text):
        return "makes a browser save a program that the page holds", "hidden", found.start()
    if found := _HIDDEN.search(text):
        return f"decodes text and runs it: {_shown(found.group())}", "hidden", found.start()
    if _NODE.search(text) and (started := _STARTS.search(text)):
        from openvet.formats._shell_script import dangerous_line

        command = started[1] or started[2] or started[3]
        worse = dangerous_line(command)
        if worse is None and _TOOLS.match(command):
            return None
        return f"makes Node start a program: {_shown(command)}", "hidden" if worse else "fetch-run", started.start()
    if suffix in _HOSTED and (found := _PUT_TOGETHER.search(text)):
        return "runs text that it puts together", "hidden", found.start()
    if suffix in _SETTINGS and (found := _COMMAND.search(text)):
        return f"runs a command by a double click: {_shown(found[1] or found[2])}", "hidden", found.start()
    if suffix == ".hta" and (found := _ACTIVE.search(text)):
        return (
            "is an application of HTML, whose scripts Windows runs with the rights of the user",
            "fetch-run",
            found.start(),
        )
    return None


def _starts_what_is_beside(text: str) -> bool:
    """Whether a script does no more with the shell than to start a file of the model, as those do that hide its window."""
    objects = {found[1].lower() for found in _OBJECTS.finditer(text)}
    calls = [text[found.end() : found.end() + 300] for found in _CALLS.finditer(text)]
    return objects == {"wscript.shell"} and bool(calls) and all(_BESIDE.match(each) for each in calls)


def _shown(text: str) -> str:
    return shorten(printable(text), _SHOWN)


def _folded(text: str) -> str:
    """The text with its constants put together; lines stay where they are as far as they can."""
    for _ in range(_ROUNDS):
        before = text
        if "hr" in text or "HR" in text:
            text = _NUMBERED.sub(
                lambda found: f'"{_letter(int(f"0x{found[1][2:]}", 0) if found[1] else int(found[2]))}"', text
            )
        if "fromCharCode" in text:
            text = _CODES.sub(lambda found: '"' + "".join(map(_letter, _numbers(found[1]))) + '"', text)
        if "\\" in text:
            text = _HEX.sub(lambda found: _letter(int(found[1] or found[2], 16)), text)
        text = _TURNED.sub(lambda found: f'"{found[1][::-1]}"', text)
        text = _JOINED.sub("", text)
        if text == before:
            break
    return text


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",") if each.strip().isdecimal() and len(each.strip()) <= 5]


def _letter(code: int) -> str:
    """A letter by its number; what would end a text or a line is left out."""
    return chr(code) if 0x20 <= code < 0x7F and code not in (0x22, 0x27) else " "
