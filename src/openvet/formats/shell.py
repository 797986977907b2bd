"""Scripts for a shell or another interpreter: ``#!`` in the first line, or the ending of one.

They are text, and a loader does not run them; a person does. Lines that open a shell to somebody else, run what they decode or
delete everything are recorded, and those that run what they download.

Specification: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re
from functools import cache

from openvet.core.text import printable, shorten
from openvet.formats import text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="shell",
    title="shell script",
    extensions=(".sh", ".bash", ".zsh", ".bat", ".cmd", ".ps1"),
    media_types=("application/x-sh", "text/x-shellscript"),
    can_tell=("Lines that open a shell over the network, run what they decode or download, or delete everything.",),
    cannot_tell=("What the rest of the script does.",),
    refines=("text",),
)

_PYTHON = re.compile(rb"#!\s*\S*/(?:env\s+)?(?:-S\s+)?(?:python|pypy|uv)")


def probe(head: Head) -> Likeness:
    """Text with a ``#!`` or an ending of scripts. Python source belongs to the reader of Python."""
    marked = head.data.startswith(b"#!") and not (
        head.suffix == ".py" or (head.suffix == "" and _PYTHON.match(head.data))
    )
    if not marked and head.suffix not in FORMAT.extensions:
        return Likeness.NO
    return Likeness.WEAK if text.probe(head) is not Likeness.NO else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read it as text, and look at each line."""
    text.read(source, facts)
    start = source.upto(0, 200)
    if start.startswith(b"#!"):
        facts.note("interpreter", shorten(start[2:].split(b"\n")[0].strip().decode("utf-8", "backslashreplace"), 80))
    if source.size > facts.limits.text:
        facts.unknown("limit", "the script is too long to be looked at", 0)
        return
    data = source.read(0, source.size)
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        data = data.decode("utf-16", "replace").encode()
    _look(data, facts)


def _look(data: bytes, facts: Facts) -> None:
    """Lines that end in a backslash go on in the next one; what follows a # at the start is a remark."""
    joined = data.replace(b"\\\r\n", b"  ").replace(b"\\\n", b"  ").replace(b"^\r\n", b"  ")
    for number, line in enumerate(joined.splitlines(), 1):
        if line.lstrip().startswith((b"#", b"::", b"rem ", b"REM ")):
            continue
        words = line[:4096].decode("utf-8", "replace").replace('""', "").replace("''", "").lower()
        shown = printable(shorten(words.strip(), 120))
        for rule, pattern in _patterns():
            if pattern.search(words):
                facts.anomaly(rule, f"line {number}: {shown}", line=number)
                break


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    shell = r"(?:sudo\s+)?(?:\S*/)?(?:ba|z|da|k)?sh\b|python3?\b|perl\b|iex\b"
    dangerous = (
        r"/dev/(?:tcp|udp)/"
        r"|\b(?:nc|ncat|netcat)\b[^|;&]*\s-[a-z]*[ec]\b"
        r"|\bmkfifo\b.*\b(?:nc|ncat|telnet|openssl)\b"
        r"|\bsocat\b.*\bexec:"
        rf"|\bbase(?:64|32)\s+(?:-d|-di|--decode)\b.*\|\s*(?:{shell})"
        rf"|\bxxd\s+-r\b.*\|\s*(?:{shell})"
        rf"|\beval\b.*\b(?:base64|curl|wget)\b"
        r"|\brm\s+(?:-\w+\s+|--no-preserve-root\s+)*-\w*[rf]\w*\s+(?:--no-preserve-root\s+)?(?:/\*?|~/?|\$home/?)(?:\s|$|;|&)"
        r"|\bpowershell\b.*\s-e(?:nc|ncodedcommand|c)?\s+[a-z0-9+/=]{16}"
        r"|\bcertutil\b.*-(?:urlcache|decode)\b|\bbitsadmin\b.*/transfer|\bmshta\b|\bregsvr32\b.*/i:http"
        r"|>\s*~?\S*/(?:\.ssh/authorized_keys|etc/(?:passwd|shadow|sudoers|crontab|ld\.so\.preload|cron\.\w+/\S*))"
        r"|\bdd\b.*\bof=/dev/(?:sd|nvme|hd)|:\(\)\s*\{\s*:\|:&\s*\}"
    )
    download = rf"\b(?:curl|wget|iwr|invoke-webrequest)\b[^;&]*\|\s*(?:{shell})|<\(\s*(?:curl|wget)\b|\$\(\s*(?:curl|wget)\b.*\)\"?\s*$"
    download += r"|\biex\b.*\b(?:downloadstring|iwr|invoke-webrequest|irm)\b"
    return (
        ("shell/dangerous-command", re.compile(dangerous)),
        ("shell/runs-download", re.compile(download)),
    )
