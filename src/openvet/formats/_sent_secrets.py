"""Commands that send what is secret to the user: keys and tokens of well-known places, or the whole environment.

A line is taken apart at ``;``, ``&`` and ``|`` as far as constants go. What counts is a private place (see ``_private_places``)
or the environment as a whole that goes into a program which sends: by a pipe, by an option that uploads, as a part of an address.
Keys by which somebody's own service is asked (``-i``, ``--cert``, headers) do not count, nor does what is fetched *to* such a place.
A single secret variable counts where it goes to a bare address or goes unencrypted. It is a heuristic: what is only known when it
runs, and words that are spelled in pieces, are not seen.

Sources: MITRE ATT&CK T1041, T1048, T1552; https://curl.se/docs/manpage.html .
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._private_places import PRIVATE, TELLS_SECRETS

__all__ = ["SENT", "SentSecrets"]

SENT: Final = "sends keys, tokens or the environment of whoever runs it to another machine"
#: Programs that send; those that copy to where their last argument says; words of a line by which it may gather what is sent.
_TALKS: Final = frozenset(
    {"curl", "wget", "nc", "ncat", "netcat", "socat", "http", "xh", "iwr", "irm", "invoke", "telnet", "openssl", "mail", "mailx", "sendmail",
     "nslookup", "dig", "tftp", "ftp", "uploadfile", "uploadstring"}
)  # fmt: skip
_COPIES: Final = frozenset({"scp", "rsync", "sftp", "aws", "gsutil", "gcloud", "azcopy", "rclone", "s3cmd", "mc"})
_GATHERS: Final = frozenset(
    {
        "git",
        "kubectl",
        "tar",
        "zip",
        "7z",
        "cp",
        "cat",
        "base64",
        "gpg",
        "openssl",
        "env",
        "printenv",
        "gzip",
        "xxd",
        "rsync",
        "mv",
        "set",
        "get",
        "for",
        "copy",
        "compress",
        "robocopy",
        "tojson",
        "variable",
        "passwordvariable",
        "usernamevariable",
        "keys",
        "xcopy",
        "environment",
        "userprofile",
        "localappdata",
        "appdata",
        "item",
    }
)
_COMMANDS: Final = pattern(r"&&|\|\||[;&]")
#: Options whose argument is a key, a password or a header for one's own service, or a file that is written.
_OWN: Final = pattern(
    r"(?:^|\s)(?:-[iEHKubo]|--(?:key|cert|cacert|header|user|config|cookie|cookie-jar|output|netrc-file|http-user|password|credentials?|"
    r"private-key|ca-certificate|certificate|pass|passphrase-file|kubeconfig)|-identity_file)(?:\s{1,8}|=)(?:\"[^\"]{0,400}\"|'[^']{0,400}'|\S{1,400})|"
    r"\s(?:-e|--rsh)(?:\s{1,8}|=)(?:\"[^\"]{0,400}\"|'[^']{0,400}')|(?<!<)>{1,2}\s{0,4}\S{1,400}"
)
_UPLOADS: Final = pattern(
    r"(?:^|\s)(?:-d\S{0,4}|-F|-T|--data(?:-\w{1,12})?|--form(?:-string)?|--upload-file|--json|--post-(?:file|data)|--body-(?:file|data)|-InFile|-Body|-Form)(?:[\s=\"'@]|$)|"
    r"<|\$\(|\bcat\s|@|\bUpload(?:File|String)\b",
    re.IGNORECASE,
)
_REMOTE: Final = pattern(r"(?:^|\s)(?:\S{1,200}@)?[\w.-]{2,200}:(?!\\)\S{0,200}|\b(?:s3|gs|az|https?|rsync|sftp)://")
#: The whole environment, as one command tells it, or as one text.
_ALL: Final = pattern(
    r"(?:^|^[^|;&]{0,200}?(?:\bsh\s{1,4}-\w{0,3}c\s{1,4}[\"']?|[\"'({=]))\s*(?:sudo\s+)?(?:/usr/bin/)?(?:env|printenv|export\s+-p|declare\s+-[xp]+|set)\s*(?:$|>)|^\s*(?:\$\w{1,40}\s{0,4}=\s{0,4})?(?:gci|dir|ls|Get-ChildItem|Get-Item)\s+env:",
    re.IGNORECASE,
)
_INSIDE: Final = pattern(
    r"(?:\$\(|<\()\s*(?:/usr/bin/)?(?:env|printenv|export -p|declare -[xp]+|set)\s*(?:[|)]|$)|\btoJSON\(\s*secrets\s*\)|\$\(\s*(?:gci|dir|ls|Get-ChildItem)\s+env:",
    re.IGNORECASE,
)
_VARIABLE: Final = pattern(
    r"\$\{?(?:env:|\{\s{0,4}secrets\.)?\w{0,60}(?:TOKEN|SECRET|PASSW|API_?KEY|ACCESS_KEY|PRIVATE_KEY)\w{0,60}|%\w{0,60}(?:TOKEN|SECRET|PASSW|API_?KEY|ACCESS_KEY)\w{0,60}%",
    re.IGNORECASE,
)
_PLAIN: Final = pattern(
    r"\bhttp://(?!localhost\b|127\.|\[::1|0\.0\.0\.0|10\.|192\.168\.|host\.docker|[\w-]{1,63}[:/])|\bhttps?://(?!127\.|10\.|192\.168\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d|/dev/tcp/",
    re.IGNORECASE,
)
_ASSIGNED: Final = pattern(r"^\s*(?:export\s+|local\s+|set\s+|\$)?(\w{1,60})\s{0,4}=\s{0,4}\S")
#: A file that gathers: what is written by ``>``, or a word that lies where such files lie, or ends as they do.
_FILES: Final = pattern(
    r"(?:(?<!\w)/(?:tmp|var/tmp|dev/shm)/[\w./-]{1,200}|[\w./~-]{1,200}\.(?:tgz|tar|gz|zip|7z|b64|enc|gpg|txt|log|dat|out))(?![\w/])"
)
_MOST: Final = 100
#: A loop over places; what PowerShell gives a variable, all variables of the environment in its words, and what it copies to where.
_LOOPS: Final = pattern(r"\bfor\s{1,4}(\w{1,40})\s{1,4}in\s([^;]{1,250})(?:;|$)")
_OF_WINDOWS: Final = pattern(r"\s*\$(\w{1,40})\s{0,4}\+?=\s{0,4}(.{1,2000})")
_VARIABLES_OF: Final = pattern(
    r"GetEnvironmentVariables\(|\bGet-ChildItem\s{1,4}env:|\b(?:gci|dir|ls)\s{1,4}env:", re.IGNORECASE
)
_COPIED: Final = pattern(
    r"\b(?:Copy-Item|Compress-Archive|copy|xcopy|robocopy)\s[^|;&]{0,250}\s(?:-Dest\w{0,20}\s{1,4})?(\"[^\"]{3,200}\"|'[^']{3,200}'|[^\s\"']{3,200})\s*$",
    re.IGNORECASE,
)
#: Folders of keys, as words of a command that is given folders of the home.
_BARE_FOLDERS: Final = pattern(
    r"\b(?:tar|zip|7z|cpio|find|cp|rsync)\b[^|;&]{0,200}\s\.(?:ssh|aws|kube|gnupg|azure|docker|netrc|npmrc|pypirc|git-credentials)(?=[\s/]|$)"
)
_LEADS: Final = pattern(r"://|\$\{?\w{1,60}\}?/|\s\S{1,80}\.\w{2,20}(?:[/\s]|$)")

#: Keys and passwords, looked for in all of a home.
_SOUGHT: Final = pattern(
    r"\bfind\s{1,4}[\"']?(?:~|/root|/home|/Users|/(?=\s)|\$HOME|\$\{HOME\})[^|;&\n]{0,160}?\s-i?(?:name|path|regex)\s{1,4}[\"'\\]{0,2}[^\s\"']{0,20}(?:\.pem|\.key|id_rsa|id_ed25519|id_\*|\.env|credential|wallet|secret|token|\.kdbx|\.p12|\.ovpn|passw)"
)

#: What else of its user a machine tells: changes that are not published, secrets of a cluster.
_SOURCES: Final = pattern(
    r"\bgit\s{1,4}(?:diff|show|log\s[^|]{0,40}-p\b|format-patch|bundle|stash\s{1,4}show)\b|\btar\s[^|]{0,100}\s\.git\b|\bkubectl\s[^|]{0,60}\bget\s{1,4}secrets?\b|"
    r"\bgpg\s[^|]{0,60}--export-secret|\bsecurity\s{1,4}(?:dump-keychain|find-\w{1,30}-password)|\bpass\s{1,4}show\b|\bdocker\s{1,4}inspect\b"
)
#: What is typed: each command of a shell, or a password that it asks for; and a command that somebody trusts, by another meaning.
_TYPED: Final = pattern(r"\$\{?BASH_COMMAND\b|\bfc\s{1,4}-l\b|\$\(\s{0,4}history\b|\bhistory\s{1,4}(?:-a\b|\d)")
_ASKED_FOR: Final = pattern(
    r"\bread\s{1,4}(?:-\w{0,6}\s{1,4}){0,2}-\w{0,4}s\w{0,4}\b[^;|&]{0,200}\s([A-Za-z_]\w{0,60})\s{0,4}(?=[;&]|$)"
)
_ASKS: Final = frozenset({"curl", "wget", "http", "xh"})
_SUBSHELL: Final = pattern(r"(?:^|[|&]\s{0,4}|;\s{0,4})\(([^()$]{1,400})\)\s{0,4}\|")
_BRACES: Final = pattern(r"(?:^|[|&]\s{0,4}|;\s{0,4})\{\s([^{}$]{1,400});\s{0,4}\}[^|;&]{0,40}\|")
_TABLE: Final = pattern(r"@\{[^{}]{0,2000}\}")
_FOR_WORDS: Final = pattern(
    r"\bfor\s{1,4}/f\b[^%]{0,80}%%?(\w)\s{1,4}in\s{1,4}\(([^)]{1,250})\)\s{1,4}do\b", re.IGNORECASE
)
#: Variables in which a server of builds gives its secrets, all of them or one.
_GIVEN: Final = pattern(
    r"^\s{0,40}(?:-\s)?(\w{1,40})\s{0,4}:\s{0,4}[\"']?\$\{\{\s{0,4}toJSON\(\s{0,4}secrets\s{0,4}\)|\b(?:variable|passwordVariable|usernameVariable|keyFileVariable|gitUsernameVariable)\s{0,4}[:=]\s{0,4}['\"](\w{1,40})",
    re.IGNORECASE,
)
_ARRAY: Final = pattern(r"(?:^|[;\s])(\w{1,40})=\(([^()]{3,1000})\)")
#: A function of a script that sends what it is given.
_SENDER: Final = pattern(
    r"^\s{0,40}(?:function\s{1,4})?([\w-]{1,60})\s{0,4}(?:\(\s{0,4}\))?\s{0,4}\{.{0,2000}\$(?:[1@*]|\{[1@*])"
)
_CREATED: Final = pattern(r"\bkeys\s{1,4}create\s{1,4}([\w./~-]{3,100})")
_LOOP: Final = pattern(r"\|\s{0,4}while\s{1,4}(?:IFS=\S{0,4}\s{1,4})?read\s[^;|]{0,40};\s{0,4}do\s")


def _grouped(line: str) -> str:
    """``(env; cat x) | while read l; do curl h/$l; done`` as one pipe."""
    if "@{" in line:
        line = _TABLE.sub(lambda found: found.group().replace(";", " ").replace("|", " "), line)
    line = _BRACES.sub(lambda found: f" {' | '.join(found[1].split(';'))} |", line)
    line = _SUBSHELL.sub(lambda found: f" {' | '.join(found[1].split(';'))} |", line)
    return _LOOP.sub("| ", line)


class SentSecrets:
    """What the lines of one file send; variables and files into which earlier ones gathered something are remembered."""

    __slots__ = ("_gathered", "_senders")

    def __init__(self) -> None:
        self._gathered: set[str] = set()
        self._senders: set[str] = set()

    def told(self, line: str, words: AbstractSet[str]) -> tuple[str, str] | None:
        """What a line is that sends secrets, and its kind; ``None`` for any other. ``words`` are its words in lower case."""
        sends = not words.isdisjoint(_TALKS) or not words.isdisjoint(_COPIES) or "/dev/tcp/" in line
        gathers = not words.isdisjoint(_GATHERS) or "$(" in line or line[:1] == "$" or "=(" in line
        if sends and "{" in line and (found := _SENDER.match(line)):
            self._senders.add(found[1])
        elif (
            self._senders
            and line.split(None, 1)[:1]
            and line.split(None, 1)[0] in self._senders
            and (self._secret(line) or _INSIDE.search(line))
        ):
            return SENT, "sends"
        if (
            sends
            and (_TYPED.search(line) or any(f"${found[1]}" in line for found in _ASKED_FOR.finditer(line)))
            and "://" in line
        ):
            return "sends what its user types to another machine", "sends"
        line = _grouped(line) if "(" in line or "while" in line or "{" in line else line
        if "%%" in line and (found := _FOR_WORDS.search(line)) and self._secret(found[2]):
            self._gathered.add(f"%%{found[1]}")
        for command in _COMMANDS.split(line) if sends or gathers else ():
            if sends and self._sends(command):
                return SENT, "sends"
            if gathers and len(self._gathered) < _MOST:
                self._gather(command)
        return None

    def _secret(self, text: str) -> bool:
        text = text.replace("\\", "/") if "\\" in text else text
        return (
            PRIVATE.search(text) is not None
            or TELLS_SECRETS.search(text) is not None
            or ("find" in text and _SOUGHT.search(text) is not None)
            or self._holds(text)
        )

    def _holds(self, text: str) -> bool:
        """Whether a text names something into which an earlier line gathered what is secret."""
        for each in self._gathered:
            at = text.find(each)
            while at >= 0:
                after = text[at + len(each) : at + len(each) + 1]
                if not (each[0] == "$" and each[-1] != "}" and (after.isalnum() or after in ("_", ":"))):
                    return True
                at = text.find(each, at + 1)
        return False

    def _sends(self, command: str) -> bool:
        parts = command.split("|")
        for at, part in enumerate(parts):
            words = frozenset(
                part.lower()
                .replace("/", " ")
                .replace(".", " ")
                .replace("-", " ")
                .replace("(", " ")
                .replace('"', " ")
                .replace("'", " ")
                .split()
            )
            bare = _OWN.sub(" ", part)
            if not words.isdisjoint(_COPIES):
                remote = [found.start() for found in _REMOTE.finditer(bare)]
                secret = PRIVATE.search(bare)
                start = (
                    secret.start()
                    if secret
                    else min((bare.find(each) for each in self._gathered if each in bare), default=-1)
                )
                if remote and 0 <= start < remote[-1]:
                    return True
            if words.isdisjoint(_TALKS) and "/dev/tcp/" not in part:
                continue
            upload = _UPLOADS.search(bare)
            if _INSIDE.search(bare) or (at and any(_ALL.match(each) for each in parts[:at])):
                return True
            if at and any(self._secret(each) or _BARE_FOLDERS.search(each) for each in parts[:at]):
                return True
            if (
                upload is None
                and any(each[0] in "$%" for each in self._gathered)
                and self._holds(bare)
                and _LEADS.search(bare)
            ):
                return True
            told = at and any(_INSIDE.search(each) or _SOURCES.search(each) for each in parts[:at])
            if told and (_UPLOADS.search(bare) or words.isdisjoint(_ASKS)):
                return True
            if upload is not None and self._secret(bare[upload.start() :]):
                return True
            if _PLAIN.search(bare) and _VARIABLE.search(bare):
                return True
        return "/dev/tcp/" in command and (
            _ALL.match(command) is not None or (self._secret(command) and "cat" in command)
        )

    def _gather(self, line: str) -> None:
        for given in islice(_GIVEN.finditer(line), 10):
            name = given[1] or given[2]
            self._gathered |= {f"${name}", f"${{{name}}}"}
        if found := _CREATED.search(line):
            self._gathered.add(found[1])
        if (found := _ARRAY.search(line)) and PRIVATE.search(found[2]):
            self._gathered |= {f"${found[1]}", f"${{{found[1]}}}", f"${{{found[1]}[@]}}", f"${{{found[1]}[*]}}"}
        if found := _LOOPS.search(line):
            if PRIVATE.search(found[2]) or self._holds(found[2]):
                self._gathered |= {f"${found[1]}", f"${{{found[1]}}}"}
            return
        if (found := _OF_WINDOWS.match(line)) and (
            PRIVATE.search(found[2].replace("\\", "/"))
            or _ALL.match(line)
            or _VARIABLES_OF.search(found[2])
            or self._holds(found[2])
        ):
            self._gathered.add(f"${found[1]}")
            return
        if found := _COPIED.search(line):
            if self._secret(line):
                self._gathered.add(found[1].strip("\"'"))
            return
        whole = any(_ALL.match(each) for each in _COMMANDS.split(line)) or _INSIDE.search(line) is not None
        if not whole and not self._secret(line):
            return
        assigned = _ASSIGNED.match(line)
        if assigned is not None and "$(" in line:
            self._gathered |= {f"${assigned[1]}", f"${{{assigned[1]}}}"}
            return
        for found in _FILES.finditer(line):
            if PRIVATE.search(found.group()) is None and len(found.group()) > 3:
                self._gathered.add(found.group())
