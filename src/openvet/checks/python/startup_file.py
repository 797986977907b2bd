"""Python code that comes with the model changes a file from which programs are started.

What it finds:
    Calls that write, copy, move or link files where an argument names a start-up file: the profiles of shells,
    ``authorized_keys``, tables of cron, autostart folders, ``sitecustomize``, ``site-packages``. In a function that somebody must
    call, and in cells of notebooks, profiles of shells and installed packages do not count.

Why it matters:
    What is written there runs again later, without the model and without anybody asking for it.

Example:
    ``open(os.path.expanduser('~/.bashrc'), 'a').write('echo hello')`` at the top of ``modeling_x.py``.

Remedy:
    Do not run this code.

What it cannot see:
    Paths that only come about while the code runs.

References:
    MITRE ATT&CK T1546, T1547 ; CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/startup-file",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {
    "import": (Severity.HIGH, Confidence.HIGH),
    "construction": (Severity.HIGH, Confidence.MEDIUM),
    "inference": (Severity.HIGH, Confidence.MEDIUM),
}
_CALLED = {"call": (Severity.HIGH, Confidence.MEDIUM)}
_PROFILE = pattern(
    r"rc$|profile|aliases|config/fish|packages|purelib|platlib|SITE|python_lib|Startup|systemd|passwd|__file__"
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    for finding in found(
        ctx,
        "startup",
        "changes a file from which programs are started",
        "Do not run this code.",
        {**_GRADES, **_CALLED},
    ):
        # people change the profile of their own shell, or patch a package, by a function that they call
        if finding.evidence["when"] != "call" or not _PROFILE.search(str(finding.evidence["detail"])):
            yield finding
