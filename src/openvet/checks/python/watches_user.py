"""Python code that comes with the model watches whoever loads it: keys, the clipboard, the screen, the microphone.

What it finds:
    Listeners for the keyboard and the mouse, reading and changing the clipboard, pictures of the screen and recordings of sound, when the
    file is imported or one of its classes is constructed, loaded or used.

Why it matters:
    Keys and the clipboard hold passwords and the addresses to which money is sent; code that replaces those, or sends them, is common in
    packages made to steal. A model has no use for either when it is loaded.

Example:
    ``pynput.keyboard.Listener(on_press=send).start()`` at the top of ``modeling_x.py``.

Remedy:
    Do not run this code. Where it has run, change the passwords that were typed since.

What it cannot see:
    What is read of devices directly, or by native code. What shows the screen when the model is used is not told: agents do that.

References:
    MITRE ATT&CK T1056.001, T1113, T1115, T1123 ; CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._uses import found
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/watches-user",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506,),
    needs=("python", "python-bytecode"),
)

_GRADES = {"import": (Severity.HIGH, Confidence.HIGH), "construction": (Severity.HIGH, Confidence.MEDIUM),
           "inference": (Severity.HIGH, Confidence.MEDIUM)}  # fmt: skip
#: What shows the screen or takes sound: demonstrations do so as well.
_SHOWS = ("ImageGrab", "mss.", "pyautogui.", "pyscreenshot.", "sounddevice.", "pyaudio.")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    for finding in found(
        ctx, "watch", "watches what its user types, copies, shows or says", "Do not run this code.", _GRADES
    ):
        shows = any(each in str(finding.evidence["callable"]) for each in _SHOWS)
        if not shows:
            yield finding
        elif finding.evidence["when"] != "inference":  # an agent that is used looks at the screen
            yield replace(finding, severity=Severity.MEDIUM)
