"""A script or notebook that comes with the model has a command that nobody should run unread.

What it finds:
    Lines of shell scripts and shell cells of notebooks that fetch something and run it at once; and, which is worse, lines that
    hand a shell to another machine, send keys, tokens or the environment, decode a hidden command and run it, fetch what they run without encryption or from a bare
    address or a host that few know, make a program of Windows do what it is not meant for, or delete what belongs to the user or the system.
    The same in programs in JavaScript, Lua, Perl, Ruby, Rust, Go, Julia, R, PHP, Java and its kin, and C, where it flows from one part of the
    program to another; and in files by which images are built, without what only changes the image. The public key of whoever starts an
    image, from a variable that nothing in the script sets, may go to ``authorized_keys``; a key that is written out may not. Scripts of
    Windows and of Node that start programs, links that do so by a double click, and entries of the registry that make Windows
    start something are told as well.

Why it matters:
    No loader runs a script; the people who follow the instructions of a model do. What is fetched can change at any time.

Example:
    ``curl https://example.org/x | sh`` in ``install.sh``.

Remedy:
    Do not run it. Fetch the file, read it, and run what you have read.

What it cannot see:
    The same in two steps, unless the file has the same name in both; commands that are put together from more than constants. Programs are
    followed by names alone, within one file; whether settings of another file give a variable that lets somebody in; what a language is not known for here (its less usual packages) is not seen.

References:
    CWE-494 ; MITRE ATT&CK T1059.004, T1059.005, T1059.007, T1204.002, T1547.001.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/shell-command",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(494,),
    needs=(
        "shell",
        "script",
        "windows-link",
        "notebook",
        "json",
        "yaml",
        "toml",
        "text",
        "markdown",
        "pdf",
        "xml",
        "python",
        "debian-package",
        "rpm-package",
    ),
    recorded=True,
)

_REMEDY = "Do not run it before you have read what it runs."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each line."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        worse = anomaly.evidence.get("kind") not in ("fetch-run", "shown")
        yield ctx.finding(
            anomaly.location,
            anomaly.message,
            _REMEDY,
            severity=Severity.HIGH if worse else Severity.MEDIUM,
            evidence=anomaly.evidence,
        )
