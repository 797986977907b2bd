"""What packaging names as entry points: functions that a host (vLLM, pytest, MLflow, Jupyter) calls once the package is installed.

Commands for people (``console_scripts``, ``gui_scripts``) are left out: somebody types their names, and what they do is asked for.

Specification: https://packaging.python.org/en/latest/specifications/entry-points/ .
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.formats.python import PythonCall, PythonSource
from openvet.inventory.component import Inventory

__all__ = ["entry_calls"]

#: Folders below the metadata in which the package may lie.
_ROOTS = ("", "src.")
#: Folders above the metadata: that of an installed package lies beside it.
_UP = ("", "^.")
_TARGET = pattern(r"([A-Za-z_][\w.]{0,200}):([A-Za-z_][\w.]{0,200})")
_MOST = 200


def entry_calls(inventory: Inventory) -> Iterator[tuple[PythonSource, PythonCall]]:
    """The calls that hosts make, each with what stands for the metadata that names it."""
    for component in inventory.walk():
        for target in islice(component.metadata.get("entry_points", ()), _MOST):
            found = _TARGET.match(target)
            if found is None:
                continue
            caller = PythonSource(Location(component.place), 0)
            for up in _UP:
                for root in _ROOTS:
                    yield caller, PythonCall(f"<near>.{up}{root}{found[1]}.{found[2]}", "construction", 1)
