"""Python code that comes with the model starts a process as soon as it is imported or constructed.

What it finds:
    Calls of ``os.system``, ``subprocess``, ``os.exec*``, ``pty.spawn`` and their kind at module level, in class
    bodies, in functions that those call, in constructors and ``from_pretrained`` of classes, and in what runs when the
    model is used (``forward``, ``generate``, ``tokenize``, operators, properties); a note where the command is constant and only
    tells about the machine (``nvidia-smi``) or clears the terminal, or only installs
    packages that OpenVet knows from the public index. A constant command that installs other packages, or fetches weights with
    ``pget``, or copies by ``aws s3`` what its function is given the places of, wants a review. One that nobody should
    run (it hands a shell over, sends keys, destroys files, runs what it fetches from a bare address) counts in any function, called or not; so do functions that packaging names as entry points of plugins. Names are
    followed through imports, aliases, ``getattr`` and containers, and calls into other files of the repository.

Why it matters:
    Importing the file is enough to run the command. Code that describes a model has no reason to start a process
    then.

Example:
    ``import os; os.system('echo hello')`` at the top of ``modeling_x.py``.

Remedy:
    Do not load the model with its code. Where the process installs a package, install it yourself and delete the
    line.

What it cannot see:
    What modules from elsewhere do when this file calls them; names that only come about while the code runs. An ordinary program that
    a constant names is not told in a script that only a person starts by its name (``hub/python-code`` says which those are).

References:
    https://docs.python.org/3/reference/import.html ; CWE-78, CWE-506.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.python._uses import commanded, found, uses
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/process-at-load",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(78, 506),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.HIGH, Confidence.HIGH), "construction": (Severity.HIGH, Confidence.MEDIUM),
           "inference": (Severity.HIGH, Confidence.MEDIUM)}  # fmt: skip
_MOST = 20
# nvidia-smi and its kind
_TELLING = {"import": (Severity.NOTE, Confidence.HIGH), "construction": (Severity.NOTE, Confidence.HIGH)}
_INSTALLING = {"import": (Severity.NOTE, Confidence.HIGH), "construction": (Severity.NOTE, Confidence.HIGH),
               "inference": (Severity.NOTE, Confidence.HIGH)}  # fmt: skip
_FETCHING = {"import": (Severity.MEDIUM, Confidence.HIGH), "construction": (Severity.MEDIUM, Confidence.MEDIUM),
             "inference": (Severity.MEDIUM, Confidence.MEDIUM)}  # fmt: skip


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    yield from found(
        ctx,
        "process",
        "starts a process",
        "Do not run this code; what it needs installed can be installed without it.",
        _GRADES,
    )
    yield from found(
        ctx, "install", "installs well-known packages", "Install them yourself and delete the line.", _INSTALLING
    )
    yield from found(
        ctx, "fetch", "installs or fetches something", "Look at what is installed or fetched before you run this code.",
        _FETCHING,
    )  # fmt: skip
    yield from found(
        ctx, "telling", "starts a process that tells about the machine", "Look at the command before you run this code.",
        _TELLING,
    )  # fmt: skip
    yield from _commands(ctx)


def _commands(ctx: Context) -> Iterator[Finding]:
    """Commands that nobody should run, whenever their function is called: there is no use of the code in which they are right."""
    told = 0
    for program, use, _ in ctx.inventory.once(uses):
        what = commanded(program, use) if told < _MOST else ""
        if not what:
            continue
        told += 1
        yield ctx.finding(
            Location(program.location.place, line=use.line, pointer=program.location.pointer),
            f"starts a process when it is called that {what}: {use.name}({use.detail})",
            "Do not run this code.",
            confidence=Confidence.MEDIUM,
            evidence={"callable": use.name, "when": use.when, "detail": use.detail},
        )
