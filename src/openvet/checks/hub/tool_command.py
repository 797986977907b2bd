"""Settings that come with the model make a tool run a command.

What it finds:
    Settings of Git that are commands (``core.fsmonitor``, ``core.sshCommand``, ``core.hooksPath``, filters, aliases with
    ``!``) and hooks in ``.git`` that do more than call Git LFS; tasks of an editor that start when the folder is opened
    (a note where they only try or lay out the folder's files, or serve its documentation);
    commands of a development container (what runs inside of it is a note); hooks and servers (Model Context Protocol) of programmers' assistants
    (a note for the servers that the makers of the protocol publish, at a folder of the project); variables of an
    editor's terminals that load code, and such variables in ``.env``, ``.envrc`` and ``.Renviron``; files that R, Octave, IPython, Jupyter, debuggers and editors run when they start in the folder;
    commands that direnv, pre-commit and npm run once they are asked to (a note); and
    shortcuts and settings (``.lnk``, ``.url``, ``.scf``, ``desktop.ini``) by which Windows asks another machine when it shows the
    folder, or starts something once somebody opens them.

Why it matters:
    Nobody has to load the model: calling ``git status`` in the folder, or opening it in an editor, runs the command. A clone
    never brings such settings; somebody packed them.

Example:
    ``.git/config`` with ``fsmonitor = echo hello``.

Remedy:
    Delete the folder ``.git``, ``.vscode`` or ``.devcontainer`` from your copy before any tool sees it. Git from 2.35.2
    on leaves folders of other users alone; it is no loader of models, and Python's loaders do not run these settings.

What it cannot see:
    What a server or such a file does; settings of other tools, and settings with comments, which the JSON reader leaves unread.

References:
    https://git-scm.com/docs/git-config ; CVE-2022-24765 ; https://code.visualstudio.com/docs/editor/workspace-trust
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._assistants import assistant_commands, grade_of_task
from openvet.checks.hub._targets import shown
from openvet.checks.hub._walk import documents, entries
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="hub/tool-command",
    severity=Severity.HIGH,
    confidence=Confidence.MEDIUM,
    since="0.1.0",
    cwe=(829,),
    needs=("json", "shell", "text", "toml", "xml", "git-config", "yaml", "python", "windows-link"),
)

_REMEDY = "Delete these settings from your copy before any tool opens the folder."
#: How bad a command is that a reader recorded, where it is not run as soon as the folder is opened.
_SEVERITIES = {"start": Severity.MEDIUM, "asked": Severity.NOTE}
#: Python that a tool runs when it starts in the folder where it lies.
_CONFIGURED = {
    "ipython_config.py": "IPython", "ipython_kernel_config.py": "IPython", "jupyter_config.py": "Jupyter", "jupyter_lab_config.py": "Jupyter",
    "jupyter_notebook_config.py": "Jupyter", "jupyter_server_config.py": "Jupyter", "sitecustomize.py": "Python", "usercustomize.py": "Python",
}  # fmt: skip
#: Run on the machine itself, or inside of the container that it starts.
_CONTAINER = {
    "initializeCommand": Severity.MEDIUM, "onCreateCommand": Severity.NOTE, "updateContentCommand": Severity.NOTE,
    "postCreateCommand": Severity.NOTE, "postStartCommand": Severity.NOTE, "postAttachCommand": Severity.NOTE,
}  # fmt: skip


def _of_task(document: Any, options: dict[str, Any]) -> Severity:
    """How bad the task is of which these are the options for when it is run."""
    tasks = document.get("tasks") if isinstance(document, dict) else None
    tasks = tasks.get("tasks") if isinstance(tasks, dict) else tasks  # of a workspace
    for each in tasks if isinstance(tasks, list) else ():
        if isinstance(each, dict) and each.get("runOptions") is options:
            return grade_of_task(each)
    return Severity.HIGH


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each setting."""
    for finding in ctx.anomalies(_REMEDY):
        severity = _SEVERITIES.get(finding.evidence.get("kind", ""))
        yield finding if severity is None else replace(finding, severity=severity)
    for component in ctx.inventory.walk():
        place = f"/{component.place}"
        if "/.git/hooks/" in place and not place.endswith(".sample") and "shell" not in component.formats:
            yield ctx.finding(Location(component.place), "is a hook that Git runs in this folder", _REMEDY)
        tool = _CONFIGURED.get(component.basename)
        if tool is not None:
            message = f"is run by {tool} when it starts in this folder"
            yield ctx.finding(Location(component.place), message, _REMEDY, severity=Severity.MEDIUM)
    for component in documents(ctx):
        place = f"/{component.place}"
        for pointer, what, severity in assistant_commands(place, component.document):
            yield ctx.finding(Location(component.place, pointer=pointer), what, _REMEDY, severity=severity)
        if place.endswith(("/tasks.json", ".code-workspace")):
            for entry in entries(component, ("runOn",)):
                if entry.value == "folderOpen":
                    yield ctx.finding(
                        entry.location,
                        "is a task that the editor starts when the folder is opened",
                        _REMEDY,
                        severity=_of_task(component.document, entry.parent),
                    )
        elif component.basename in ("devcontainer.json", ".devcontainer.json"):
            for entry in entries(component, _CONTAINER):
                yield ctx.finding(
                    entry.location,
                    f"makes a development container run {shown(entry.value)}",
                    _REMEDY,
                    severity=_CONTAINER[entry.key],
                )
