"""What pickles of the same folder or archive call in Python sources: a function that a pickle calls runs when that is loaded.

A module of a pickle is looked for beside it and in the folders above, as it would be where a loader has that folder on its path;
a package of ``torch.package`` has its own importer, which takes it from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

from openvet.core.location import Location
from openvet.formats.python import PythonCall, PythonSource
from openvet.inventory.component import Component, Inventory

if TYPE_CHECKING:  # most models have no pickle, and then nobody needs its words
    from openvet.formats.pickle.program import PickleProgram

__all__ = ["brought", "pickled_calls"]

#: Folders above the pickle that may be the root of its modules.
_UP = 3
_OWN = "<torch_package_"
_PACKAGE = "torch-package"


def pickled_calls(inventory: Inventory, read: Iterable[PythonSource]) -> Iterator[tuple[PythonSource, PythonCall]]:
    """The calls, each with what stands for the pickle that makes it."""
    known = {part for source in read for part in source.location.place.removesuffix(".py").split("/")}
    if not known:
        return
    for component in inventory.walk():
        for program in component.programs:
            if program.kind != "pickle":
                continue
            pickled = cast("PickleProgram", program)
            if pickled.container == "carried":
                continue
            caller = PythonSource(Location(component.place), 0)
            for reference in pickled.references:
                module = _own(reference.module)
                if reference.calls and module.partition(".")[0] in known and "()" not in reference.name:
                    for up in range(_UP + 1):
                        yield caller, PythonCall(f"<near>.{'^.' * up}{module}.{reference.name}", "construction", 1)


def _own(module: str) -> str:
    """A module's name without the mark of a package that was packed again."""
    return module.partition(">.")[2] if module.startswith(_OWN) else module


def brought(inventory: Inventory) -> frozenset[tuple[str, str]]:
    """Place of each pickle in a ``torch.package`` and the module that comes with it: its source is judged by what it does."""
    found: set[tuple[str, str]] = set()
    for component in inventory.walk():
        if _PACKAGE in component.formats:
            found.update(_brought(component))
    return frozenset(found)


def _brought(package: Component) -> Iterator[tuple[str, str]]:
    modules = set()
    for child in package.children:
        name = child.name.partition("/")[2]
        if name.endswith(".py") and "python" in child.formats:
            modules.add(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    for child in package.children:
        for program in child.programs:
            if program.kind == "pickle":
                for reference in cast("PickleProgram", program).references:
                    if _own(reference.module) in modules:
                        yield child.place, reference.module
