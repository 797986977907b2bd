"""The registry: one folder a kind, no central list.

The built-in modules of a kind are found by walking its package; plug-ins come in through entry points of the same name.
A plug-in that cannot be imported is remembered as :class:`Broken` and reported, never silently left out.

A kind may have an index: ``_index.py`` in its folder, made by ``make index``, says what has to be known of each module before it is
imported, so that only those are imported that a model needs (docs/adr/0033). It counts only while it names exactly the modules
that are in the folder; otherwise the folder is walked. A module that turns out to be another than the index says is an error.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any, Final

from openvet.core.dataclass import dataclass

__all__ = ["Broken", "Entry", "Registered", "load_kind", "walk_kind"]

#: The kind whose folders are families, with the modules in them.
_OF_FAMILIES: Final = "openvet.checks"
_ENDINGS: Final = frozenset(importlib.machinery.all_suffixes())


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that could not be used."""

    name: str
    error: str


class Entry:
    """One module of a kind: what is known of it at once, and the module, which may be imported only when somebody asks for it.

    Attributes:
        name: the module's dotted name.
        facts: what ``facts_of`` of its kind says of the module; ``None`` for a kind that has no such function.
    """

    __slots__ = ("_facts_of", "_module", "facts", "name")

    def __init__(self, name: str, facts: Any, facts_of: Callable[[ModuleType], Any]) -> None:
        self.name = name
        self.facts = facts
        self._facts_of = facts_of
        self._module: ModuleType | None = None

    @classmethod
    def of(cls, module: ModuleType, facts_of: Callable[[ModuleType], Any]) -> Entry:
        """The entry of a module that is imported already."""
        entry = cls(module.__name__, facts_of(module), facts_of)
        entry._module = module
        return entry

    @property
    def module(self) -> ModuleType:
        """The module.

        Raises:
            ImportError: it cannot be imported, or is not what the index says.
        """
        if self._module is None:
            module = importlib.import_module(self.name)
            if self._facts_of(module) != self.facts:
                raise ImportError(f"{self.name} is not what the index of its folder says; `make index` makes it anew")
            self._module = module
        return self._module

    def __repr__(self) -> str:
        return f"<Entry {self.name}>"


@dataclass(frozen=True, slots=True)
class Registered:
    """The modules of one kind, built-ins first, each part in order of its name."""

    entries: tuple[Entry, ...]
    broken: tuple[Broken, ...]

    @property
    def modules(self) -> tuple[ModuleType, ...]:
        """All of them, imported (raises like :attr:`Entry.module`)."""
        return tuple(entry.module for entry in self.entries)


def _no_facts(_: ModuleType) -> None:
    """What is said of the modules of a kind that are always imported."""


@cache
def load_kind(package: str, needs: tuple[str, ...], facts_of: Callable[[ModuleType], Any] = _no_facts) -> Registered:
    """Find every module of the kind ``package`` (``openvet.formats``, ``openvet.checks``).

    Args:
        package: dotted name of the kind's package, which is also the name of its entry point group.
        needs: names that each module must define.
        facts_of: what has to be known of a module before it is used. With it the kind's index is used where there is one that
            fits; without it, and without an index, every module is imported at once. Raises for a module that has not got its shape.

    Raises:
        ImportError: a built-in module cannot be imported. That is a fault of the installation, not of a plug-in.
    """
    entries = None if facts_of is _no_facts else _indexed(package, facts_of)
    if entries is None:
        entries = [Entry.of(module, facts_of) for module in walk_kind(package) if _has_shape(module, needs)]
    broken: list[Broken] = []
    for point in _entry_points(package):
        try:
            module = point.load()
            missing = [name for name in needs if not hasattr(module, name)]
            if missing:
                broken.append(Broken(f"{package}: {point.name}", f"does not define {', '.join(missing)}"))
            else:
                entries.append(Entry.of(module, facts_of))
        except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way, and must not take us along
            broken.append(Broken(f"{package}: {point.name}", f"{type(error).__name__}: {error}"))
    return Registered(tuple(entries), tuple(broken))


def _has_shape(module: ModuleType, needs: tuple[str, ...]) -> bool:
    return all(hasattr(module, name) for name in needs)


def walk_kind(package: str) -> Iterator[ModuleType]:
    """Every module in the folder of a kind, imported, in order of their names; those that begin with ``_`` are no members of it."""
    import pkgutil

    folder = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(folder.__path__), key=lambda each: each.name):
        if info.name.startswith("_"):
            continue
        name = f"{package}.{info.name}"
        if info.ispkg and package == _OF_FAMILIES:
            yield from walk_kind(name)
        else:
            yield importlib.import_module(name)


def _indexed(package: str, facts_of: Callable[[ModuleType], Any]) -> list[Entry] | None:
    """The built-in modules as the kind's index names them; ``None`` where there is none, or not one of what is in the folder."""
    try:
        index: tuple[tuple[str, Any], ...] = importlib.import_module(f"{package}._index").INDEX
        (folder,) = importlib.import_module(package).__path__
        fits = {name for name, _ in index} == set(_names_in(folder, package))
        entries = [Entry(f"{package}.{name}", facts, facts_of) for name, facts in index if facts is not None]
    except Exception:  # noqa: BLE001 - whatever is wrong with it: walking the folder finds what is there
        return None
    return entries if fits else None


def _names_in(folder: str, package: str) -> Iterator[str]:
    """The names of the modules in a kind's folder, as :func:`walk_kind` finds them; raises :class:`OSError` for what is no folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name, dot, _ = entry.name.partition(".")
            if name.startswith("_") or not name:
                continue
            if dot:
                if entry.name[len(name) :] in _ENDINGS:
                    yield name
            elif entry.is_dir() and os.path.exists(f"{entry.path}/__init__.py"):
                if package == _OF_FAMILIES:
                    yield from (f"{name}.{each}" for each in _names_in(entry.path, ""))
                else:
                    yield name


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
