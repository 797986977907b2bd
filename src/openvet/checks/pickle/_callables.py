"""What a callable is: one that only builds data, one with a dangerous capability, a framework's, a project's, or unknown.

Resolved callables are classified, not modules: allow what is known, name what is dangerous, call the rest unknown (design
law 3). The knowledge lives in ``openvet/data/callables/*.toml``; this module only looks things up.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from functools import cache, lru_cache

from openvet.core.dataclass import dataclass
from openvet.core.rule import Severity
from openvet.core.tables import read_table

__all__ = ["Kind", "Known", "by_its_name", "classify", "has_no_honest_use"]


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
        on_import: resolving the name is enough, nothing needs to call it.
        by_name: only the name says what it does: the package is not known, or what the package has under that name is not.
        when_called: it does so when it is called with arguments; an instance that is rebuilt without its constructor does not.
    """

    kind: Kind
    capability: str = ""
    what: str = ""
    severity: Severity = Severity.MEDIUM
    package: str = ""
    on_import: bool = False
    by_name: bool = False
    when_called: bool = False


#: capability -> what it does, and how bad that is.
_CAPABILITIES = {
    "process": ("starts or signals processes", Severity.CRITICAL),
    "code": ("runs code that it is given", Severity.CRITICAL),
    "import": ("imports modules, which runs their code", Severity.CRITICAL),
    "native": ("loads or calls native code", Severity.CRITICAL),
    "nested": ("loads another pickle or document that can run code", Severity.CRITICAL),
    "network": ("opens network connections", Severity.CRITICAL),
    "file": ("reads, writes or removes files", Severity.HIGH),
    "other": ("belongs to the interpreter or the operating system and builds no data", Severity.HIGH),
}

#: Parts of a dotted name that are looked at; every start and end of a walk is tried, so that more would take too long.
_PARTS = 20

#: Classes without methods of their own: what is taken from an instance is what the program put there.
_OPEN = frozenset({"Namespace", "SimpleNamespace", "property"})

_DATA = Known(Kind.DATA)
_LINKER = Known(Kind.LINKER)
_PROJECT = Known(Kind.PROJECT)
_UNKNOWN = Known(Kind.UNKNOWN)
_PYTHON = Known(Kind.FRAMEWORK, package="Python")


def _dangerous(capability: str, *, on_import: bool = False) -> Known:
    what, severity = _CAPABILITIES[capability]
    return Known(Kind.DANGEROUS, capability, what, severity, on_import=on_import)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The data files, turned into look-ups."""

    exact: dict[tuple[str, str], Known]
    modules: dict[str, Known]
    below: dict[str, Known]
    methods: frozenset[str]
    stdlib: frozenset[str]
    packages: dict[str, str]
    pattern: re.Pattern[str]
    not_below: frozenset[str]
    but: frozenset[str]
    effects: frozenset[str]
    escapes: frozenset[str]
    stored: frozenset[str]
    anywhere: dict[str, Known]
    called: dict[str, Known]
    beginnings: tuple[tuple[str, Known], ...]
    when_called: dict[tuple[str, str], Known]
    endings: dict[str, tuple[str, ...]]
    uncalled: frozenset[tuple[str, str]]
    carried: frozenset[str]
    words: frozenset[str]


@cache
def _harmless() -> dict[tuple[str, str], Known]:
    """What is known to make data, or to lead on: all that most models name, and much less to read than the rest."""
    tables = ((_LINKER, read_table("callables/linkers")), (_DATA, read_table("callables/data")))
    return {
        (module, name): known for known, table in tables for module, names in table["modules"].items() for name in names
    }


@cache
def _tables() -> _Tables:
    exact: dict[tuple[str, str], Known] = {}
    modules: dict[str, Known] = {}
    below: dict[str, Known] = {}
    dangerous = read_table("callables/dangerous")
    framework = read_table("callables/framework")
    packages: dict[str, str] = framework["packages"]
    for module, names in framework["internals"].items():
        known = Known(Kind.FRAMEWORK, package=packages.get(module.partition(".")[0], module.partition(".")[0]))
        exact.update(((module, name), known) for name in names)
    exact.update(_harmless())
    for capability in _CAPABILITIES:
        known = _dangerous(capability)
        for module, names in dangerous[capability].items():
            if names != ["*"]:
                exact.update(((module, name), known) for name in names)
            elif module.endswith(".*"):
                below[module.removesuffix(".*")] = known
            else:
                modules[module] = known
    called = read_table("callables/when_called")
    endings: dict[str, tuple[str, ...]] = {}
    for table in called.values():
        for module, names in table.items():
            more = tuple(name.removeprefix("*") for name in names if name.startswith("*"))
            endings[module] = endings.get(module, ()) + more
    return _Tables(
        exact=exact,
        modules=modules,
        below=below,
        methods=frozenset(read_table("callables/data")["methods"]),
        stdlib=frozenset(read_table("callables/stdlib")["names"].split()),
        packages=packages,
        pattern=re.compile("|".join(framework["patterns"]["names"])),
        not_below=frozenset(framework["not_below"]["parts"]),
        but=frozenset(framework["not_below"]["but"]),
        effects=frozenset(dangerous["effects"]["modules"]),
        escapes=frozenset(dangerous["escapes"]["names"]),
        stored=frozenset(dangerous["stored"]["names"]),
        anywhere={name: _dangerous(key) for key, names in dangerous["anywhere"].items() for name in names},
        called={
            name: replace(_dangerous(key), by_name=True)
            for table in ("anywhere", "called")
            for key, names in dangerous[table].items()
            for name in names
        },
        beginnings=tuple(
            (start, replace(_dangerous(key), by_name=True))
            for key, starts in dangerous["beginnings"].items()
            for start in starts
        ),
        when_called={
            (module, name): replace(_dangerous(key), when_called=True)
            for key, table in called.items()
            for module, names in table.items()
            for name in names
        },
        endings={module: more for module, more in endings.items() if more},
        uncalled=frozenset((module, name) for module, names in framework["uncalled"].items() for name in names),
        carried=frozenset(framework["carried"]["packages"]),
        words=frozenset(framework["carried"]["words"]),
    )


@lru_cache(maxsize=65_536)
def classify(module: str, name: str, *, called: bool = True, opens: bool = False) -> Known:
    """The class of ``module.name``, the name as the stream gives it.

    An attribute of a class that nobody calls (a member of an enumeration, a bound method) is what its class is.

    With ``opens`` what a class does with what it is told when it is called counts as well: settings may name such a class, a pickle that
    calls it has no honest use for that.

    A dotted name is an attribute walk: it counts as what its last known part is, so that an innocent module in front of
    it hides nothing. A method of an instance is written ``Class().method``.
    """
    name = name.removesuffix(".__call__")
    known = _harmless().get((module, name))
    if known is _DATA:  # nothing else is said of these, which a test holds
        return known
    tables = _tables()
    if not called and (module, name) in tables.uncalled:
        return _PYTHON
    known = tables.exact.get((module, name))
    if known is not None:
        return known
    if module in tables.effects or (module.endswith(".__main__") and module.count(".")):
        return _dangerous("code", on_import=True)
    plain = name.removesuffix(".__new__").replace("()", "")
    known = _when_called(module, plain, tables) if called and opens else None
    if known is not None:
        return known
    if name.endswith(".__new__"):  # as protocol 2 writes what has arguments by name: what the class is
        made = _plain(module, name.removesuffix(".__new__"), tables)
        if made.kind is Kind.FRAMEWORK:
            return made
    if "." in name or "()" in name:
        return _walk(module, name, tables, called=called, opens=opens)
    known = _plain(module, name, tables)
    return _carried(module, name, tables) if known.kind is Kind.UNKNOWN and not called else known


def by_its_name(module: str, name: str) -> Known:
    """What a callable that is not known does by its name, where that says so: ``their_lib.pickle_loads``. A heuristic.

    The methods of the model's own classes are left out: ``Model.load`` may be anything.
    """
    first, _, rest = name.removesuffix(".__call__").partition(".")
    if not module:
        return _UNKNOWN  # no import takes it
    if rest and classify(module, first.removesuffix("()")).kind is not Kind.FRAMEWORK:
        return _UNKNOWN
    tables = _tables()
    last = rest.rpartition(".")[2] if rest else first
    known = tables.called.get(last)
    if known is None:
        bare = last.lstrip("_")
        known = next((known for start, known in tables.beginnings if bare.startswith(start)), _UNKNOWN)
    return known


def _when_called(module: str, name: str, tables: _Tables) -> Known | None:
    """What a class or function of a package does when it is called; packages hand theirs on, so any module below counts."""
    known = None
    while known is None and module:
        known = tables.when_called.get((module, name))
        for ending in tables.endings.get(module, ()) if known is None else ():
            if name.endswith(ending):
                known = tables.when_called[module, f"*{ending}"]
        module = module.rpartition(".")[0]
    return known


def _carried(module: str, name: str, tables: _Tables) -> Known:
    """A function of a well-known package that nothing calls: a metric, an activation, what a transformer applies."""
    top = module.partition(".")[0]
    if top not in tables.carried or _is_below(module, tables) or not name.isidentifier():
        return _UNKNOWN
    if not tables.words.isdisjoint(name.lower().split("_")) or "__" in name:
        return _UNKNOWN
    return Known(Kind.FRAMEWORK, package=tables.packages.get(top, top))


def has_no_honest_use(known: Known, name: str) -> bool:
    """Whether a dangerous callable is one that no model holds even as a value, because what holds it will call it."""
    last = name.removesuffix(".__call__").rpartition(".")[2]
    return known.capability in ("process", "code", "import") and last in _tables().stored


def _plain(module: str, name: str, tables: _Tables) -> Known:
    """A name without dots."""
    known = _by_module(module, tables)
    if known is not None:
        return known
    top = module.partition(".")[0]
    if top in tables.stdlib:
        return _dangerous("other")
    if top == "__torch__":
        return Known(Kind.FRAMEWORK, package="torch")
    if name.startswith("__") and name in tables.escapes:
        return _dangerous("other")
    package = tables.packages.get(top)
    if package is None:
        return _PROJECT if _is_class(name) else _UNKNOWN
    if name in tables.anywhere:
        return tables.anywhere[name]
    if (_is_class(name) and not _is_below(module, tables)) or tables.pattern.fullmatch(name):
        return Known(Kind.FRAMEWORK, package=package)
    return _UNKNOWN


def _is_below(module: str, tables: _Tables) -> bool:
    """Whether a module lies in a part of its package where even a class is not taken for harmless."""
    return module not in tables.but and not tables.not_below.isdisjoint(module.split("."))


def _by_module(module: str, tables: _Tables) -> Known | None:
    """The nearest module that is dangerous as a whole."""
    known = tables.modules.get(module)
    while known is None and module:
        known = tables.below.get(module)
        module = module.rpartition(".")[0]
    return known


def _walk(module: str, name: str, tables: _Tables, *, called: bool, opens: bool) -> Known:
    """A dotted name: the worst of everything that it can mean, by exact names before whole modules."""
    parts = [part.removesuffix("()") for part in name.split(".")]
    if len(parts) > _PARTS:
        return _UNKNOWN
    if not tables.escapes.isdisjoint(parts):
        return _dangerous("other")
    if f"{module}.{parts[0]}" in tables.methods:
        return _DATA
    exact: list[Known | None] = []
    whole: list[Known | None] = []
    for at in range(1, len(parts)):
        rest = ".".join(parts[at:])
        # the parts in front may be modules of their own, or names by which this module imported others
        below = ".".join([module, *parts[:at]])
        exact.append(tables.exact.get((below, rest)))
        exact.append(_when_called(below, rest, tables) if called and opens else None)
        whole.append(_by_module(below, tables))
        for start in range(at):
            inner = ".".join([parts[start].lstrip("_"), *parts[start + 1 : at]])
            exact.append(tables.exact.get((inner, rest)))
            whole.append(_by_module(inner, tables) or (_dangerous("other") if inner in tables.stdlib else None))
    whole.append(_by_module(module, tables))
    dangerous = [known for known in [*exact, *whole] if known is not None and known.kind is Kind.DANGEROUS]
    if dangerous:
        return max(dangerous, key=lambda known: known.severity)
    return _member(module, parts, tables, called=called, opens=opens)


def _member(module: str, parts: list[str], tables: _Tables, *, called: bool, opens: bool) -> Known:
    """An attribute of a class: as good as the class where it is written as one, or where its methods are data."""
    base = classify(module, parts[0], opens=called and opens)
    if not called and base.kind in (Kind.FRAMEWORK, Kind.PROJECT, Kind.DATA):
        return base
    if module in ("pathlib", "pathlib._local"):
        return _dangerous("file")
    if base.kind in (Kind.FRAMEWORK, Kind.PROJECT) and _is_class(parts[-1]):
        return base  # a nested class
    if base.kind is Kind.DANGEROUS:
        return base
    if (
        called
        and module.partition(".")[0] in tables.stdlib
        and not parts[-1].startswith("__")
        and parts[0] not in _OPEN
    ):
        return _dangerous("other")  # a method of what only builds data: the list of the harmless ones is in data.toml
    return tables.anywhere.get(parts[-1], _UNKNOWN)


def _is_class(name: str) -> bool:
    """CapWords, undotted (PEP 8): ``Adam``, ``_Loss``, ``LSTM``; a function would begin with a lower-case letter."""
    bare = name.lstrip("_")
    return "." not in name and bare[:1].isupper() and bare.isidentifier()
