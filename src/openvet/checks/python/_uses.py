"""Going through the uses of a capability in Python sources that Python itself would run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._entry_points import entry_calls
from openvet.checks.python._follow import Followed, follow
from openvet.checks.python._pickled import pickled_calls
from openvet.checks.python._programs import RUN, as_program, programs
from openvet.core.coverage import Unknown
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Severity
from openvet.formats._python_told import CALLERS, HANDED_ON
from openvet.formats.python import PythonSource, PythonUse
from openvet.inventory.component import Component, Inventory

__all__ = ["commanded", "found", "is_script", "sources", "started", "uses"]

_WHEN = {
    "import": "when it is imported",
    "construction": "when one of its classes is constructed or loaded",
    "inference": "when the model is used",
    "call": "when it is called",
    RUN: "when somebody starts it",
}
_APP = pattern(
    r"(?:^|[/_-])(?:app|demo|ui|main|home|dashboard|streamlit|playground)(?:[_-]\w{1,40})?\.py$|(?:^|/)pages/[^/]{1,100}\.py$",
    re.IGNORECASE,
)
#: What runs a text as code, of what runs what it is handed.
_OF_TEXT = {"exec": "code", "eval": "code"}
#: What an older build left, which the setup.py of many projects removes.
_LEFT = pattern(r"""['"](?:[^'"]{0,200}/)?[\w-]{1,80}\.egg-info['"]""")
#: The packages of a list that lies beside the source, and is judged as one; a place of other packages is another thing.
_LISTED = pattern(
    r"""['"](?:python3? -m )?pip3? install(?: -[qUv]{1,2}| --(?:quiet|upgrade|user|no-cache-dir))* -r (?:\./)?([\w.-]{1,80}\.txt)['"]"""
)
#: Findings for one file; the rest is in the file's programs.
_MOST = 20

Grade = tuple[Severity, Confidence]


def uses(inventory: Inventory) -> list[tuple[PythonSource, PythonUse, str]]:
    """Every use in every source, with where it is called from when another file calls it; not those of TorchScript.

    What a script does as scripts do, which only a person starts by its name, has a moment of its own, at which no rule refuses it.
    """
    read = inventory.once(sources)
    followed = follow(read, (*pickled_calls(inventory, read), *entry_calls(inventory)))
    if followed.left_off is not None:
        text = "too many calls lead from file to file; those from here on were not followed"
        inventory.left_off(Unknown("limit", text, followed.left_off))
    by_name = inventory.once(started)
    lists = {each.place for each in inventory.files if each.basename.endswith(".txt")}
    return [
        (program, as_program(use) if program.location.place in by_name else _of_its_own(program, use, lists), via)
        for program, use, via in _uses(read, followed)
        if not (use.capability == "file" and _LEFT.fullmatch(use.detail))
    ]


def _of_its_own(program: PythonSource, use: PythonUse, lists: Collection[str]) -> PythonUse:
    """``use``, where packages of a list that lies here are installed as what the list says of itself."""
    found = _LISTED.fullmatch(use.detail) if use.capability == "fetch" else None
    folder, mark, _ = program.location.place.rpartition("/")
    return use if found is None or f"{folder}{mark}{found[1]}" not in lists else replace(use, capability="install")


def started(inventory: Inventory) -> frozenset[str]:
    """The places of the sources that only a person starts, by their names."""
    return programs(inventory, inventory.once(sources))


def _uses(read: list[PythonSource], followed: Followed) -> Iterator[tuple[PythonSource, PythonUse, str]]:
    for program in read:
        for use in program.uses:
            where = (program.location, use.owner)
            when, via = followed.reached.get(where, ("", "")) if use.when == "call" else ("", "")
            if use.detail == CALLERS and (when in ("import", "construction") or program.location in followed.addressed):
                use = replace(use, detail="…")  # another file gives the address, when it loads or by its own choice
            if use.when == "import" and use.capability in ("network", "attack") and _is_app(program):
                if use.detail.startswith(HANDED_ON):
                    continue  # what people type into it goes to the service that it is made for
                when = "call" if use.capability == "network" else when
            if when and use.capability == "handed":  # another file hands over what it likes
                yield program, replace(use, when=when, capability=_OF_TEXT.get(use.name, "process")), via
            else:
                yield program, replace(use, when=when) if when else use, via


def _is_app(program: PythonSource) -> bool:
    """A script of Streamlit, which somebody starts and which asks its service each time that it is drawn; nothing imports it."""
    return "streamlit" in program.imports and _APP.search(program.location.place) is not None


def sources(inventory: Inventory) -> list[PythonSource]:
    """Every Python source that Python itself would run."""
    return list(_sources(inventory))


def _sources(inventory: Inventory) -> Iterator[PythonSource]:
    for file in inventory.files:
        stack: list[tuple[Component, bool]] = [(file, False)]
        while stack:
            component, torchscript = stack.pop()
            if not torchscript:
                yield from (each for each in component.programs if isinstance(each, PythonSource))
            archive = "torch-zip" in component.formats
            stack.extend(
                (child, torchscript or (archive and is_script(child.name))) for child in reversed(component.children)
            )


def is_script(name: str) -> bool:
    """Whether a member of a PyTorch archive is TorchScript, which only PyTorch's own interpreter runs."""
    parts = name.split("/")
    return len(parts) > 2 and parts[1].lower() == "code"


def commanded(program: PythonSource, use: PythonUse) -> str:
    """What a constant command does that nobody should run whenever its function is called; empty for any other use."""
    if use.when != "call" or use.capability not in ("process", "hidden") or not use.detail or program.location.pointer:
        return ""  # the cells of a notebook are read as commands already
    from openvet.formats._shell_script import dangerous_line

    what = dangerous_line(use.detail.strip("'\""))
    return "" if what is None or what.endswith("something and runs it at once") else what


def found(ctx: Context, capability: str, what: str, remedy: str, grades: Mapping[str, Grade]) -> Iterator[Finding]:
    """One finding for each use of ``capability`` at a time that ``grades`` has."""
    counted: dict[str, int] = {}
    for program, use, via in ctx.inventory.once(uses):
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
            f"{what} {_WHEN[use.when]}: {called}" + (f", called from {via}" if via else ""),
            remedy,
            severity=severity,
            confidence=confidence,
            evidence={"callable": use.name, "when": use.when, "detail": use.detail},
        )
