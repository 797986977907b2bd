"""The registry: one folder a kind, no central list.

The built-in modules of a kind are found by walking its package; plug-ins come in through entry points of the same name.
A plug-in that cannot be imported is remembered as :class:`Broken` and reported, never silently left out.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from openvet.core.dataclass import dataclass

__all__ = ["Broken", "Registered", "load_kind"]


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that could not be used."""

    name: str
    error: str


@dataclass(frozen=True, slots=True)
class Registered:
    """The modules of one kind, built-ins first, each part in order of its name."""

    modules: tuple[ModuleType, ...]
    broken: tuple[Broken, ...]


@cache
def load_kind(package: str, needs: tuple[str, ...]) -> Registered:
    """Import every module of the kind ``package`` (``openvet.formats``, ``openvet.checks``).

    Args:
        package: dotted name of the kind's package, which is also the name of its entry point group.
        needs: names that each module must define.

    Raises:
        ImportError: a built-in module cannot be imported. That is a fault of the installation, not of a plug-in.
    """
    modules = [module for module in _walk(package) if all(hasattr(module, name) for name in needs)]
    broken: list[Broken] = []
    for point in _entry_points(package):
        try:
            module = point.load()
        except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way, and must not take us along
            broken.append(Broken(f"{package}: {point.name}", f"{type(error).__name__}: {error}"))
            continue
        missing = [name for name in needs if not hasattr(module, name)]
        if missing:
            broken.append(Broken(f"{package}: {point.name}", f"does not define {', '.join(missing)}"))
        else:
            modules.append(module)
    return Registered(tuple(modules), tuple(broken))


def _walk(package: str) -> Iterator[ModuleType]:
    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda each: each.name):
        if info.name.startswith("_"):
            continue
        name = f"{package}.{info.name}"
        if info.ispkg and package == "openvet.checks":  # a family of rules
            yield from _walk(name)
        else:
            yield importlib.import_module(name)


@cache
def _plug_ins_are_possible() -> bool:
    """Whether any installed distribution may name one of our groups.

    ``importlib.metadata`` takes longer to import than most checks take altogether, so the files that it would parse are
    first searched for our name. Where packages are found in another way than in folders, it is asked in any case.
    """
    for path in sys.path:
        try:
            with os.scandir(path or ".") as entries:
                found = [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
        except NotADirectoryError:
            return True  # a zip, or something that a finder of its own reads
        except OSError:
            continue
        for folder in found:
            try:
                with open(os.path.join(folder, "entry_points.txt"), "rb") as file:
                    if b"[openvet." in file.read():
                        return True
            except NotADirectoryError:
                return True
            except OSError:
                continue
    return False


def _entry_points(group: str) -> list[importlib.metadata.EntryPoint]:
    if not _plug_ins_are_possible():
        return []
    import importlib.metadata

    return sorted(importlib.metadata.entry_points(group=group), key=lambda point: point.name)
