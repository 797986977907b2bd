"""Programs in languages without a reader of their own that hand a shell to another machine, and tables that make a spreadsheet run one.

What counts is a socket that is opened and a shell that is named near it. A heuristic over constants: spelled words are not seen.

Sources: MITRE ATT&CK T1059, T1559.002; https://owasp.org/www-community/attacks/CSV_Injection .
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = ["tell_foreign_shell", "tell_spreadsheet_commands"]

_NEAR: Final = 2_000
#: Sockets that are looked at.
_MOST: Final = 100
_LONGEST: Final = 256 * 1024
_SOCKETS: Final = pattern(
    r"\bsocket\(\s{0,8}\w{1,20},\s{0,8}[AP]F_INET|\bIO::Socket::INET\b|\bTCPSocket\.(?:new|open)\b|\bfsockopen\(|\bstream_socket_client\(|\bsocket\.tcp\b|"
    r"\bnet\.(?:Socket|connect|createConnection|Dial\w{0,10})\(|/inet/tcp/|\bTcpStream::connect\(|\bnew\s{1,8}(?:java\.net\.)?Socket\(|\bTcpClient\(|\bsocketConnection\(|"
    r"\[socket\s{1,8}[\w.\"$]|\bos\.dup2\(|\bpty\.spawn\(|\bconnect\(\s{0,8}\"(?:\d{1,3}\.){3}\d"
)
_SHELL: Final = pattern(
    r"[\"'`({ =]/bin/(?:ba|z|k|da)?sh\b|[\"'`]cmd(?:\.exe)?[\"'`]|[\"'`]powershell|[\"'`](?:ba|z|da)?sh\s{1,8}-i\b|\|&\s{0,8}getline\b|\bexec\s{1,8}(?:ba|z)?sh\b|\bpty\.spawn\(\s{0,4}[\"'\\]{1,3}(?:/bin/)?(?:ba|z)?sh\b"
)
_DDE: Final = pattern(
    r"[=+@*!)-](?:cmd|msexcel|powershell|mshta|rundll32|regsvr32|wscript|certutil)(?:\.exe)?\|\s{0,4}'", re.IGNORECASE
)


def tell_foreign_shell(text: str, facts: Facts) -> None:
    """Record the first place where a socket is opened and a shell is named near it."""
    for found in islice(_SOCKETS.finditer(text, 0, _LONGEST), _MOST):
        near = _SHELL.search(text, max(found.start() - _NEAR, 0), found.end() + _NEAR)
        if near is not None:
            message = (
                f"hands a shell to another machine: {printable(shorten(text[found.start() : found.start() + 80], 80))}"
            )
            facts.anomaly(
                "hub/shell-command", message, line=text.count("\n", 0, found.start()) + 1, kind="reverse-shell"
            )
            return


def tell_spreadsheet_commands(text: str, facts: Facts) -> None:
    """Record the first cell that makes a spreadsheet start a program (DDE)."""
    found = _DDE.search(text)
    if found is not None:
        message = f"has a cell that makes a spreadsheet start a program: {printable(shorten(text[found.start() : found.start() + 80], 80))}"
        facts.anomaly("hub/shell-command", message, line=text.count("\n", 0, found.start()) + 1, kind="hidden")
