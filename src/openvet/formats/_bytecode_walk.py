"""What compiled Python code does: names followed through its instructions, as `_python_tree` does it for sources.

Only the instructions that import, load and store names matter. A name that has a capability (``data/python_capabilities.toml``)
counts where it is loaded. Before 3.6 instructions have no fixed width, and versions to come have other numbers: there all names
of a code object are put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.formats._marshal import Code
from openvet.formats._python_names import Capabilities, capabilities
from openvet.formats.python import PythonSource, PythonUse

__all__ = ["program_of"]

_MOST_USES = 500
_MOST_CODES = 50_000
_MOST_PAIRS = 400
_OPTIMIZED = 1  # of a function; a module and the body of a class have no such flag
_CONSTRUCTION = frozenset({"__init__", "__new__", "__call__", "__setstate__", "__getattr__", "__init_subclass__",
                           "__set_name__", "from_pretrained", "__del__"})  # fmt: skip
_IMPORTERS = frozenset({"builtins.__import__", "importlib.import_module"})
_BUILTINS = frozenset({"exec", "eval", "compile", "__import__", "getattr", "execfile", "breakpoint"})


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers of the instructions that matter in some versions; ``shifts``: of the argument, by instruction."""

    extended: int
    import_name: int
    import_from: int
    load_names: frozenset[int]
    load_attributes: frozenset[int]
    store_names: frozenset[int]
    load_fast: frozenset[int]
    store_fast: int
    load_const: int
    load_global: int
    compare: int
    jump_if_false: int


_OLD = _Numbers(144, 108, 109, frozenset({101, 116}), frozenset({106, 160}), frozenset({90, 97}), frozenset({124}), 125,
                100, 116, 107, 114)  # fmt: skip


def _numbers(version: tuple[int, int]) -> _Numbers | None:
    if (3, 6) <= version <= (3, 12):
        return _OLD
    return {
        (3, 13): _Numbers(
            71,
            75,
            74,
            frozenset({91, 92}),
            frozenset({82}),
            frozenset({113, 114}),
            frozenset({85}),
            110,
            83,
            91,
            58,
            97,
        ),
    }.get(version)


def program_of(code: Code, version: tuple[int, int], location: Location, size: int) -> PythonSource:
    """The program that ``code``, the module's, is."""
    walk = _Walk(version)
    walk.all(code)
    uses = tuple(sorted(walk.uses, key=lambda use: (use.line, use.name, use.capability)))
    return PythonSource(location, size, tuple(sorted(walk.imports)[:200]), uses, error=walk.error)


class _Walk:
    def __init__(self, version: tuple[int, int]) -> None:
        self._version = version
        self._numbers = _numbers(version)
        self._known: Capabilities = capabilities()
        self._aliases: dict[str, str] = {}
        self._used: set[str] = set()
        self._methods: set[str] = set()  # names of attributes that the module itself uses
        self._seen: set[tuple[str, str, str]] = set()
        self.uses: list[PythonUse] = []
        self.imports: set[str] = set()
        self.error = ""

    def all(self, module: Code) -> None:
        """Go through the code that runs on import until nothing more is reached, then through the rest."""
        codes = list(_inside(module))
        if len(codes) >= _MOST_CODES:
            self.error = "more code objects than are read"
        waiting = [module]
        done: set[int] = set()
        while waiting:
            for code in waiting:
                done.add(id(code))
                self._one(code, "import")
            waiting = [code for code in codes if id(code) not in done and self._reached(code)]
        for code in codes:
            if id(code) not in done:
                self._one(code, "construction" if code.name in _CONSTRUCTION else "call")

    def _reached(self, code: Code) -> bool:
        used = code.name in self._used or code.name in self._methods
        return not code.flags & _OPTIMIZED or code.name.startswith("<") or used

    def _one(self, code: Code, when: str) -> None:
        if self._numbers is None:
            self._together(code, when)
        else:
            self._instructions(code, when, self._numbers)

    def _together(self, code: Code, when: str) -> None:
        """Every pair of names: what is loaded and what is stored look the same here."""
        self._used.update(code.names)
        names = [*code.names, *(each for each in code.constants if isinstance(each, str) and each.isidentifier())]
        for name in names[:_MOST_PAIRS]:
            if name in _BUILTINS:
                self._mention(f"builtins.{name}", code, when)
            for other in names[:_MOST_PAIRS]:
                self._mention(f"{name}.{other}", code, when)

    def _instructions(self, code: Code, when: str, numbers: _Numbers) -> None:
        local: dict[str, str] = {}
        top = module = imported = ""
        importing = getting = False  # __import__ or getattr was loaded and waits for its arguments
        guard, given = _Guard(numbers, self._version), when
        for at, op, argument in self._operations(code.bytecode, numbers):
            name = _at(code.names, argument)
            when = "call" if guard.holds(at, op, argument, code) else given
            if op == numbers.import_name:
                top = module = imported = name
                self.imports.add(printable(name.split(".", 1)[0]))
            elif op == numbers.import_from:
                top, imported = f"{module}.{name}", ""
            elif op in numbers.load_names or op in numbers.load_attributes or op in numbers.load_fast:
                if op not in numbers.load_fast and when == given:
                    self._use(op, name, code, numbers)
                top = self._loaded(op, name, _at(code.variables, argument), top, local, numbers)
                self._mention(top, code, when)
                importing = importing or top in _IMPORTERS
                getting = getting or top == "builtins.getattr"
            elif op in numbers.store_names or op == numbers.store_fast:
                table, to = (
                    (local, _at(code.variables, argument)) if op == numbers.store_fast else (self._aliases, name)
                )
                if top:
                    table[to] = to if to == imported.split(".", 1)[0] else top
                top = imported = ""
                importing = getting = False
            elif op == numbers.load_const:
                text = _at(code.constants, argument)
                if not isinstance(text, str):
                    continue
                if importing:
                    top, importing = text, False
                elif getting and top and top != "builtins.getattr":
                    top, getting = f"{top}.{text}", False
                    self._mention(top, code, when)

    def _use(self, op: int, name: str, code: Code, numbers: _Numbers) -> None:
        if op not in numbers.load_attributes:
            self._used.add(name)
        elif not code.flags & _OPTIMIZED:
            self._methods.add(name)

    def _loaded(self, op: int, name: str, variable: str, top: str, local: dict[str, str], numbers: _Numbers) -> str:
        """The qualified name of what an instruction loads; nothing where that is not known."""
        if op in numbers.load_fast:
            return local.get(variable, "")
        if op in numbers.load_attributes:
            return f"{top}.{name}" if top else ""
        return local.get(name) or self._aliases.get(name, f"builtins.{name}" if name in _BUILTINS else "")

    def _operations(self, bytecode: bytes, numbers: _Numbers) -> Iterator[tuple[int, int, int]]:
        extended = 0
        for at in range(0, len(bytecode) - 1, 2):
            op, argument = bytecode[at], bytecode[at + 1] | extended
            if op == numbers.extended:
                extended = (argument << 8) & 0xFFFFFFFF
                continue
            extended = 0
            halved = (op == numbers.load_global and self._version >= (3, 11)) or (
                op in numbers.load_attributes and self._version >= (3, 12)
            )
            yield at, op, argument >> 1 if halved else argument

    def _mention(self, name: str, code: Code, when: str) -> None:
        if not name or name in {"builtins.compile", "builtins.__import__", "builtins.getattr"}:
            return
        plain = self._known.from_carrier(name)
        capability = self._known.of(plain)
        if capability in {None, "import"} or (plain, code.name, when) in self._seen or len(self.uses) >= _MOST_USES:
            return
        self._seen.add((plain, code.name, when))
        shown = shorten(printable(plain.removeprefix("builtins.")), 120)
        self.uses.append(PythonUse(code.line, shown, str(capability), when, "in bytecode", "" if when != "call" else
                                   printable(code.name)))  # fmt: skip


class _Guard:
    """Follows ``if __name__ == "__main__":``, whose body does not run on import."""

    def __init__(self, numbers: _Numbers, version: tuple[int, int]) -> None:
        self._numbers = numbers
        self._version = version
        self._step = 0
        self._end = 0

    def holds(self, at: int, op: int, argument: int, code: Code) -> bool:
        """Whether the instruction at ``at`` stands in such a body; to be asked of each one in turn."""
        numbers = self._numbers
        if at < self._end:
            return True
        if op in numbers.load_names:
            self._step = 1 if _at(code.names, argument) == "__name__" else 0
        elif op == numbers.load_const:
            self._step = 2 if self._step == 1 and _at(code.constants, argument) == "__main__" else 0
        elif op == numbers.compare:
            shift = 5 if self._version >= (3, 13) else 4 if self._version >= (3, 12) else 0
            self._step = 3 if self._step == 2 and argument >> shift == 2 else 0  # 2: ==
        elif op == numbers.jump_if_false and self._step == 3:
            self._step = 0
            if self._version >= (3, 11):  # from behind the instruction and its cache
                self._end = at + 2 + (2 if self._version >= (3, 13) else 0) + 2 * argument
            else:
                self._end = argument * (2 if self._version >= (3, 10) else 1)
        return False


def _at(items: tuple[Any, ...], index: int) -> Any:
    return items[index] if index < len(items) else ""


def _inside(module: Code) -> Iterator[Code]:
    """``module`` and every code object in its constants."""
    waiting: list[Any] = [module]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_CODES:
        each = waiting.pop()
        if isinstance(each, Code):
            if id(each) not in seen:
                seen.add(id(each))
                yield each
                waiting.extend(each.constants)
        elif isinstance(each, tuple):
            waiting.extend(item for item in each if isinstance(item, (Code, tuple)))
