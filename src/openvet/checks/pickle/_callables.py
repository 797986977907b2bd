"""What a callable is: one that only builds data, one with a dangerous capability, a framework's, a project's, or unknown.

Resolved callables are classified, not modules: allow what is known, name what is dangerous, call the rest unknown (design
law 3). The knowledge lives in ``openvet/data/callables/*.toml``; this module only looks things up.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from openvet.core.rule import Severity

__all__ = ["Kind", "Known", "classify"]

_FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "data", "callables")


#: The C modules behind ``os``; an attribute of theirs is the same function.
_ALIASES = {"posix": "os", "nt": "os", "_operator": "operator", "_functools": "functools"}


class Kind(StrEnum):
    """What a callable is to a loader."""

    DATA = "data"
    LINKER = "linker"
    FRAMEWORK = "framework"
    PROJECT = "project"
    DANGEROUS = "dangerous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one callable.

    Attributes:
        kind: its class.
        capability: for a dangerous one: ``process code import file network native nested other``.
        what: for a dangerous one: what it does, as the end of "a callable that …".
        severity: for a dangerous one.
        package: for a framework's: the package that it needs.
    """

    kind: Kind
    capability: str = ""
    what: str = ""
    severity: Severity = Severity.MEDIUM
    package: str = ""


@dataclass(frozen=True, slots=True)
class _Tables:
    data: frozenset[str]
    linkers: frozenset[str]
    dangerous_modules: dict[str, Known]
    dangerous_names: dict[str, Known]
    stdlib: frozenset[str]
    prefixes: tuple[tuple[str, str], ...]
    helpers: dict[str, str]
    not_below: frozenset[str]
    other: Known


def _load(name: str) -> dict[str, Any]:
    with open(os.path.join(_FOLDER, name), "rb") as file:
        return tomllib.load(file)


@cache
def _tables() -> _Tables:
    data = {f"{module}.{name}" for module, table in _load("data.toml").items() for name in table["names"]}
    modules: dict[str, Known] = {}
    names: dict[str, Known] = {}
    for capability, table in _load("dangerous.toml").items():
        known = Known(Kind.DANGEROUS, capability, table["what"], Severity[table["severity"].upper()])
        for module in table["modules"]:
            modules.setdefault(module, known)  # the first table that names it counts: they are in order of gravity
        for name in table["names"]:
            names.setdefault(name, known)
    frameworks = _load("frameworks.toml")
    prefixes = tuple((prefix, each["package"]) for each in frameworks["framework"] for prefix in each["prefixes"])
    helpers = {name: each["package"] for each in frameworks["framework"] for name in each.get("names", ())}
    return _Tables(
        data=frozenset(data),
        linkers=frozenset(_load("linkers.toml")["names"]),
        dangerous_modules=modules,
        dangerous_names=names,
        stdlib=frozenset(_load("stdlib.toml")["modules"]),
        prefixes=prefixes,
        helpers=helpers,
        not_below=frozenset(frameworks["not_below"]),
        other=modules["sys"],
    )


@cache
def classify(module: str, name: str) -> Known:
    """The class of ``module``.``name``, the name as the stream gives it (it may be dotted: an attribute walk)."""
    tables = _tables()
    module = _ALIASES.get(module, module)
    full = f"{module}.{name}"
    if full in tables.data:
        return Known(Kind.DATA)
    if full in tables.dangerous_names:
        return tables.dangerous_names[full]
    if full in tables.linkers:
        return Known(Kind.LINKER)
    inner = _module_in(name, tables)
    if inner is not None:
        return inner
    dangerous = _by_module(full, tables)
    if dangerous is not None:
        return dangerous
    framework = _framework(module, name, tables)
    if framework is not None:
        return framework
    top = module.split(".", 1)[0]
    if top in tables.stdlib:
        return tables.other
    if _is_class(name) and (top == "__main__" or top == "__mp_main__" or not _third_party(module, tables)):
        return Known(Kind.PROJECT)
    return Known(Kind.UNKNOWN)


def _module_in(name: str, tables: _Tables) -> Known | None:
    """A dotted name that walks through a module that another one happens to import: ``torch.serialization`` + ``os.system``."""
    parts = name.split(".")
    for start in range(len(parts) - 1):
        rest = ".".join(parts[start:])
        bare = ".".join(part.lstrip("_") if index == 0 else part for index, part in enumerate(parts[start:]))
        for each in (rest, bare):
            if each in tables.dangerous_names:
                return tables.dangerous_names[each]
            found = _by_module(each, tables)
            if found is not None:
                return found
        if any(part.startswith("__") for part in parts):
            return tables.other
        if parts[start].lstrip("_") in tables.stdlib:
            return tables.other
    return None


def _by_module(full: str, tables: _Tables) -> Known | None:
    parts = full.split(".")
    for end in range(len(parts) - 1, 0, -1):
        known = tables.dangerous_modules.get(".".join(parts[:end]))
        if known is not None:
            return known
    return None


def _framework(module: str, name: str, tables: _Tables) -> Known | None:
    full = f"{module}.{name}"
    if full in tables.helpers:
        return Known(Kind.FRAMEWORK, package=tables.helpers[full])
    if "." in name or not (_is_class(name) or name.startswith("__pyx_unpickle_")):
        return None
    if not tables.not_below.isdisjoint(module.split(".")):
        return None
    for prefix, package in tables.prefixes:
        if full.startswith(prefix):
            return Known(Kind.FRAMEWORK, package=package)
    return None


def _third_party(module: str, tables: _Tables) -> bool:
    """Whether the module belongs to a package that we know, so that the name is not a project's own."""
    top = module.split(".", 1)[0]
    return any(prefix.split(".", 1)[0] == top for prefix, _ in tables.prefixes)


def _is_class(name: str) -> bool:
    """CapWords, undotted (PEP 8): ``Adam``, ``_Loss``, ``LSTM``; a function would begin with a lower-case letter."""
    bare = name.lstrip("_")
    return "." not in name and bare[:1].isupper() and bare.isidentifier()
