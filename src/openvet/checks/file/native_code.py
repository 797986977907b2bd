"""A model carries compiled code: a program, a library or bytecode.

What it finds:
    Files and members of archives that a processor or a virtual machine runs: ELF, PE, Mach-O and APE programs and
    libraries, static libraries, Java, Android, WebAssembly, Lua, Python and LLVM bytecode, programs for GPUs. They are
    recognised by their bytes, whatever their name. A portable program (llamafile) is high: such a model is used by starting it.
    A script with what it unpacks behind it (self-extracting) is told as well: one has to start it to have the model.
    High is a library of Linux, macOS or Windows that takes ``system``, ``popen``, ``exec*``, ``posix_spawn``, ``CreateProcess`` or their
    like from the system, and offers few functions of its own: loading it may already start a program. That is a heuristic.

Why it matters:
    Weights are data and need no program. Whatever loads or starts it gives it all rights of the process, and nobody can
    review it by reading. Some honest models ship libraries for custom operations; that is a decision to take with open eyes.

Example:
    ``custom_ops.so`` beside a SavedModel, a ``model.so`` of AOTInductor whose constructor calls ``system``, or a ``__pycache__`` folder whose sources differ.

Remedy:
    Delete it where the model works without it. Otherwise build it from source, or take it from a publisher that you trust
    with your machine.

What it cannot see:
    What the code does: whether an import is ever called, functions that are looked up by their name at run time, system calls. Of
    the libraries of runtimes (PyTorch, ggml, XGBoost, Python) several start programs, to print where they broke for one; they offer
    hundreds of functions and stay under review, so a library that offers as many is not told. Code that is compressed or encrypted in a way that is not read.

References:
    CWE-506; MITRE ATLAS AML.T0011.000 (unsafe artefacts).
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.known import code_titles

RULE = Rule(id="file/native-code", severity=Severity.MEDIUM, confidence=Confidence.HIGH, since="0.1.0", cwe=(506,))

#: Kinds of which a file is a server and its weights in one, so that using the model is starting the program.
_WHOLE = frozenset({"ape"})
_SELF = "self-extracting"


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each file that is code."""
    titles = code_titles()
    for component in ctx.components():
        for kind in component.formats:
            if kind == _SELF:
                message = "is a script with what it unpacks behind it: to have that is to run the script"
                remedy = "Ask for the files that it unpacks; cut them out without running it, and check them."
                yield ctx.finding(Location(component.place), message, remedy, evidence={"format": kind})
            elif kind in titles:
                starts = component.metadata.get("starts_programs", ())
                by = f", a library that starts programs by {', '.join(starts)}" if starts else ""
                yield ctx.finding(
                    Location(component.place),
                    f"is compiled code: {titles[kind]}{by}",
                    "Delete it if the model works without it; otherwise build it from source that you have read.",
                    severity=Severity.HIGH if kind in _WHOLE or starts else None,
                    confidence=Confidence.MEDIUM if starts else None,
                    evidence={"format": kind, **({"starts_programs": list(starts)} if starts else {})},
                )
