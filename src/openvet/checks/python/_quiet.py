"""Which Python sources do nothing but define: what a person who vets model code wants to know first.

A source is *quiet* when it was read to its end, does nothing of note on import, on construction or in use, holds no
function that starts a process or runs text as code, and imports only the standard library, files beside it, and
packages that models are known to need.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from openvet.checks._check import Context
from openvet.checks.python._uses import sources, uses
from openvet.core.tables import read_table
from openvet.core.text import shorten
from openvet.formats._python_names import capabilities
from openvet.formats.python import PythonSource, PythonUse
from openvet.inventory.component import Inventory

__all__ = ["first_loud", "why_loud"]

#: What a function may do that nothing here calls: save a vocabulary, fetch an image, convert an older checkpoint.
_WHEN_CALLED = frozenset({"file", "import", "load", "network", "secret", "telling", "trust"})
#: Of no weight at any time: an import by a name that the code computes names a package, and ``nvidia-smi`` tells.
_ALWAYS = frozenset({"import", "telling"})
_DOES = {
    "process": "starts a process",
    "code": "runs computed text as code",
    "load": "unpickles or loads code",
    "native": "loads native code",
    "network": "uses the network",
    "file": "changes files",
    "startup": "changes a file from which programs are started",
    "hidden": "hides what it runs",
    "secret": "takes what is secret to the user",
    "trust": "runs code of another repository",
}


@cache
def _packages() -> frozenset[str]:
    names = read_table("python_packages")["names"]
    return frozenset(names) | capabilities().packages_of_names | sys.stdlib_module_names


def why_loud(ctx: Context) -> Mapping[str, str]:
    """For each place with Python source what keeps it from being quiet, in a few words; empty text where it is quiet."""
    return ctx.inventory.once(_why_loud)


def first_loud(ctx: Context) -> str:
    """The first source that is not quiet, with the reason; empty text where all of them are."""
    return ctx.inventory.once(_first_loud)


def _first_loud(inventory: Inventory) -> str:
    return next((f"in {place}, {why}" for place, why in inventory.once(_why_loud).items() if why), "")


def _why_loud(inventory: Inventory) -> dict[str, str]:
    found: dict[str, str] = {}
    here: set[str] = set()
    for program in inventory.once(sources):
        place = program.location.place
        parts = place.replace("!", "/").split("/")
        here.update([*parts[:-1], parts[-1].rpartition(".")[0]])
        found.setdefault(place, "")
    for program, use, _ in inventory.once(uses):
        if not found[program.location.place]:
            found[program.location.place] = _of_use(use)
    for program in inventory.once(sources):
        if not found[program.location.place]:
            found[program.location.place] = _of_source(program, here)
    return found


def _of_use(use: PythonUse) -> str:
    if use.capability in (_WHEN_CALLED if use.when == "call" else _ALWAYS):
        return ""
    # a function for people to call: what it does is what they ask for
    return f"line {use.line} {_DOES.get(use.capability, 'does something of note')} ({shorten(use.name, 60)})"


def _of_source(program: PythonSource, here: set[str]) -> str:
    if program.error:
        return "it could not be read to its end"
    unknown = [name for name in program.imports if name not in _packages() and name not in here]
    return f"it imports {shorten(unknown[0], 60)}, a package that OpenVet does not know" if unknown else ""
