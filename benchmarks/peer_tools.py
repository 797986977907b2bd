"""The peers: how each is asked, and what its answer means to those who use it.

"Unsafe" is what a pipeline that runs the tool as its documentation says would stop at. Where the exit code alone would hide
what a tool's own report says, the report counts, in the tool's favour for hostile samples and to its cost for harmless ones.
An error, a crash and a run out of time are neither; they are counted apart, and for a hostile sample each is a miss.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TOOLS", "Answer", "Tool"]

#: What a run comes to: ``unsafe`` stops a pipeline, ``safe`` does not, ``review`` asks a person, ``error`` says nothing.
Answer = str
TIMEOUT = -1
CRASHED = 70


@dataclass(frozen=True)
class Tool:
    """One way to run one tool.

    Attributes:
        name: as the table shows it.
        package: the environment and lock that it is installed from; ``""`` is ours.
        licence: SPDX id of the tool.
        script: its console script.
        ask: the arguments for one path.
        mean: the answer, from exit code and output.
        reads: how the answer is read, for those who check the table.
        preload: modules to import once; ``package.*`` imports every module of a package.
        one_file: it takes one file and no folder; the worst answer of the files of a folder counts.
    """

    name: str
    package: str
    licence: str
    script: str
    ask: Callable[[Path], Sequence[str]]
    mean: Callable[[int, str], Answer]
    reads: str
    preload: tuple[str, ...] = ()
    one_file: bool = False


def by_code(unsafe: int, *, review: int | None = None) -> Callable[[int, str], Answer]:
    """Exit 0 is safe, ``unsafe`` is unsafe, everything else is an error."""

    def mean(code: int, _: str) -> Answer:
        return {0: "safe", unsafe: "unsafe", review: "review"}.get(code, "error")

    return mean


def picklescan(code: int, text: str) -> Answer:
    """It exits with 1 for dangerous imports; with 2 where files could not be read, whatever else it found."""
    if code == 1 or (code == 2 and _count(text, "Infected files:")):
        return "unsafe"
    return "safe" if code == 0 else "error"


def _count(text: str, label: str) -> int:
    for line in text.splitlines():
        if line.startswith(label) and line.removeprefix(label).strip().isdecimal():
            return int(line.removeprefix(label))
    return 0


def modelscan(code: int, _: str) -> Answer:
    """0 no issues, 1 issues, 2 failed, 3 nothing that it supports. 3 lets a file pass: it is not scanned, and no error."""
    return {0: "safe", 1: "unsafe", 3: "safe"}.get(code, "error")


def modelaudit(code: int, text: str) -> Answer:
    """It exits with 2 after any operational error, also where its report lists critical issues: those count."""
    if code == 1:
        return "unsafe"
    if code == 2:
        start = text.find("{")
        try:
            issues = json.JSONDecoder().raw_decode(text[start:])[0].get("issues", []) if start >= 0 else []
        except (ValueError, AttributeError):
            issues = []
        if any(str(issue.get("severity", "")).lower() == "critical" for issue in issues):
            return "unsafe"
    return "safe" if code == 0 else "error"


TOOLS: tuple[Tool, ...] = (
    Tool(
        "openvet", "", "Apache-2.0", "openvet",
        lambda path: ("check", str(path), "--quiet", "--no-progress", "--no-config", "--fail-on", "review"),
        by_code(1, review=3), "exit 1 is unsafe; exit 3 (review) is no detection, and is a false alarm",
        ("openvet.cli", "openvet.workflows.check", "openvet.workflows.assemble", "openvet.formats.*"),
    ),
    Tool(
        "picklescan", "picklescan", "MIT", "picklescan", lambda path: ("-p", str(path)), picklescan,
        "exit 1 is unsafe; exit 2 too where it counts infected files", ("picklescan.cli", "numpy", "py7zr"),
    ),
    Tool(
        "picklescan --strict", "picklescan", "MIT", "picklescan", lambda path: ("-p", str(path), "--strict"), picklescan,
        "as above", ("picklescan.cli", "numpy", "py7zr"),
    ),
    Tool(
        "modelscan", "modelscan", "Apache-2.0", "modelscan", lambda path: ("-p", str(path)), modelscan,
        "exit 1 is unsafe; exit 3 (nothing supported) is safe", ("modelscan.cli", "modelscan.scanners.*", "tensorflow", "h5py"),
    ),
    Tool(
        "fickling", "fickling", "LGPL-3.0-or-later", "fickling",
        lambda path: ("--check-safety", "--json-output", "/dev/null", str(path)), by_code(1),
        "exit 1 is unsafe; the worst file of a folder counts", ("fickling.__main__", "fickling.*"), one_file=True,
    ),
    Tool(
        "modelaudit", "modelaudit", "MIT", "modelaudit",
        lambda path: ("scan", "--no-cache", "--format", "json", str(path)), modelaudit,
        "exit 1 is unsafe; exit 2 too where its report lists a critical issue",
        ("modelaudit.__main__", "modelaudit.cli", "modelaudit.core", "modelaudit.scanners.*"),
    ),
    Tool(
        "hayward", "hayward", "MIT", "hayward", lambda path: ("scan", str(path), "--color", "never", "--quiet"), by_code(1),
        "exit 1 (high or critical) is unsafe", ("hayward.cli", "hayward.*"),
    ),
)  # fmt: skip
