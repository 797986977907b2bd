"""What a text would do that somebody runs as Python or as a command."""

from __future__ import annotations

import re

from openvet.core.limits import DEFAULT_LIMITS
from openvet.core.location import Location
from openvet.core.pattern import pattern

__all__ = ["as_command", "as_python", "code_does", "does"]

#: What no value that describes a model has a use for, whatever reads it; and what else is told.
_GRAVE = ("process", "code", "native", "hidden")
_DANGER = (*_GRAVE, "load", "network")
#: What a text without imports takes for given.
_GIVEN = "import os, subprocess, sys, shutil, builtins\n"
#: A function that is called sooner or later; and code that a shell is to hand to Python.
_LAMBDA = pattern(r"\s*lambda\b[^:\n]{0,200}:")
_INLINE = pattern(r"""\s{0,80}python[0-9.]{0,5}[ \t]{1,8}-c[ \t]{1,8}(?:'(.*)'|"(.*)")\s{0,80}""", re.DOTALL)


def as_python(source: str) -> tuple[str, bool] | None:
    """The dangerous callable that the Python text reaches, if any, and whether that is grave; ``None`` too for what is no Python."""
    from openvet.formats.python import read_source

    found = [use for use in read_source(source, Location(""), DEFAULT_LIMITS).uses if use.capability in _DANGER]
    worst = next((use for use in found if use.capability in _GRAVE), found[0] if found else None)
    return None if worst is None else (worst.name, worst.capability in _GRAVE)


def as_command(text: str) -> str | None:
    """What the text does as lines of a shell that nobody should run unread, if anything."""
    from openvet.formats._shell_script import dangerous_line

    return dangerous_line(text)


def does(text: str) -> tuple[str, bool] | None:
    """What a text of unknown language does as Python or as a command, for a message, and whether that is grave; ``None`` where it is neither or
    harmless. Python that only loads something or asks somebody is not grave.
    """
    inline = _INLINE.fullmatch(text)
    source = text if inline is None else inline[1] or inline[2] or ""
    bare = _LAMBDA.match(source)
    if (found := as_python(_GIVEN + (source[bare.end() :].strip() if bare is not None else source))) is not None:
        return f"is Python and calls {found[0]}", found[1]
    if (use := as_command(text)) is not None:
        return f"is a command and {use}", True
    return None


_NODE = pattern(r"['\"`](?:node:)?child_process['\"`]")
_NODE_STARTS = pattern(
    r"\b(?:exec|execSync|spawn|spawnSync|execFile|execFileSync)\s{0,4}\(\s{0,8}(?:'([^'\r\n]{1,300})'|\"([^\"\r\n]{1,300})\"|`([^`\r\n]{1,300})`)"
)


def code_does(text: str) -> tuple[str, bool] | None:
    """What a text does that is Python, JavaScript or a command, and whether nothing honest does that; ``None`` for ordinary code."""
    from openvet.formats.notebook import handed_to_a_shell
    from openvet.formats.python import read_source

    if (use := as_command(text)) is not None:
        return f"is a command and {use}", True
    if _NODE.search(text):
        commands = [found[1] or found[2] or found[3] for found in _NODE_STARTS.finditer(text)]
        worse = next((use for each in commands if (use := as_command(each)) is not None), None)
        return (f"{worse}, in JavaScript", True) if worse else ("starts a process, in JavaScript", False)
    program = read_source(_GIVEN + text, Location(""), DEFAULT_LIMITS, when="call")
    for command in handed_to_a_shell(text):
        if (use := as_command(command)) is not None:
            return f"{use}, in Python", True
    for each in program.uses:
        if each.capability == "hidden":
            return "decodes a hidden command and runs it, in Python", True
    for each in program.uses:
        if each.capability in ("process", "code"):
            return f"calls {each.name}, in Python", False
    return None
