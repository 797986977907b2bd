"""The packages that OpenVet knows: what code of models imports, and what the most downloaded projects of the index are called."""

from __future__ import annotations

import sys
from functools import cache

from openvet.core.tables import read_table
from openvet.formats._python_names import capabilities

__all__ = ["known_packages"]


@cache
def known_packages() -> frozenset[str]:
    """Top-level names of modules that are known, those of the standard library among them."""
    more = read_table("python_well_known")
    names = frozenset((*read_table("python_packages")["names"], *more["modules"], *more["projects"]))
    return names | capabilities().packages_of_names | sys.stdlib_module_names
