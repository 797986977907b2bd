"""Going through the uses of a capability in Python sources that Python itself would run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity
from openvet.formats.python import PythonSource, PythonUse
from openvet.inventory.component import Component

__all__ = ["found", "is_script", "uses"]

_WHEN = {
    "import": "when it is imported",
    "construction": "when one of its classes is constructed or loaded",
    "call": "when it is called",
}
#: Findings for one file; the rest is in the file's programs.
_MOST = 20

Grade = tuple[Severity, Confidence]


def uses(ctx: Context) -> Iterator[tuple[PythonSource, PythonUse]]:
    """Every use in every source, but for those of TorchScript archives, which Python never runs."""
    for file in ctx.inventory.files:
        stack: list[tuple[Component, bool]] = [(file, False)]
        while stack:
            component, torchscript = stack.pop()
            if not torchscript:
                for program in component.programs:
                    if isinstance(program, PythonSource):
                        for use in program.uses:
                            yield program, use
            archive = "torch-zip" in component.formats
            stack.extend(
                (child, torchscript or (archive and is_script(child.name))) for child in reversed(component.children)
            )


def is_script(name: str) -> bool:
    """Whether a member of a PyTorch archive is TorchScript, which only PyTorch's own interpreter runs."""
    parts = name.split("/")
    return len(parts) > 2 and parts[1].lower() == "code"


def found(ctx: Context, capability: str, what: str, remedy: str, grades: Mapping[str, Grade]) -> Iterator[Finding]:
    """One finding for each use of ``capability`` at a time that ``grades`` has."""
    counted: dict[str, int] = {}
    for program, use in uses(ctx):
        if use.capability != capability or use.when not in grades:
            continue
        place = program.location.place
        counted[place] = counted.get(place, 0) + 1
        if counted[place] > _MOST:
            continue
        severity, confidence = grades[use.when]
        called = f"{use.name}({use.detail})" if use.detail and "(" not in use.name else use.name
        pointer = program.location.pointer
        yield ctx.finding(
            Location(place, line=use.line, pointer=pointer),
            f"{what} {_WHEN[use.when]}: {called}",
            remedy,
            severity=severity,
            confidence=confidence,
            evidence={"callable": use.name, "when": use.when, "detail": use.detail},
        )
