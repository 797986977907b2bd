"""Python code that comes with the model watches whoever loads it: keys, the clipboard, the screen, the microphone.

What it finds:
    Listeners for the keyboard and the mouse, reading and changing the clipboard, when the file is imported or one of its classes is
    constructed, loaded or used; pictures of the screen and recordings of sound when it is imported.

Why it matters:
    Keys and the clipboard hold passwords and the addresses to which money is sent; code that replaces those, or sends them, is common in
    packages made to steal. A model has no use for either when it is loaded.

Example:
    ``pynput.keyboard.Listener(on_press=send).start()`` at the top of ``modeling_x.py``.

Remedy:
    Do not run this code. Where it has run, change the passwords that were typed since.

What it cannot see:
    What is read of devices directly, or by native code. Classes that take the screen or sound are not told: agents and loaders of streams do that.

References:
    MITRE ATT&CK T1056.001, T1113, T1115, T1123 ; CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator

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
#: A class for it is made by whoever asks for that; that importing a file does so is another matter.
_SHOWN = {"import": (Severity.MEDIUM, Confidence.HIGH)}


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    yield from found(ctx, "watch", "watches what its user types or copies", "Do not run this code.", _GRADES)
    yield from found(
        ctx, "show", "takes pictures of the screen, or sound", "Find out why before you run this code.", _SHOWN
    )
