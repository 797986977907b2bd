"""TorchScript: what the code in an archive, or the bytecode of the lite interpreter, names of operators.

The code is written in the syntax of Python and is only parsed. ``torch.relu`` and ``ops.aten.relu`` are one operator, as are
``getattr(torch, "relu")`` and the method ``x.relu()`` of a value. Sources live below ``code/``; bytecode is a pickle of tables, of
which one lists the operators as ``aten::relu``.

Reference: ``torch/csrc/jit/serialization/import_source.cpp`` and ``torch/csrc/jit/mobile/import.cpp`` of PyTorch.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import ReadError
from openvet.io.source import Source

if TYPE_CHECKING:
    import ast

    from openvet.formats._format import Facts

__all__ = ["Operator", "TorchScript", "read_bytecode", "read_code"]

_LONGEST: Final = 4 * 1024 * 1024
_TOTAL: Final = 32 * 1024 * 1024
_MOST: Final = 5_000
_TEXT: Final = 200
_LITERALS: Final = 2_000_000
_ROOTS: Final = frozenset({"torch", "ops", "__torch__"})
_LEXICAL: Final = pattern(r"\b(torch|ops|__torch__)((?:\s*\.\s*\w+)+)|\.\s*(save|from_file)\s*\(")
_OPERATOR: Final = pattern(r"[A-Za-z_]\w{0,80}::\w{1,120}")


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator that a script names.

    Attributes:
        name: ``aten.relu``; ``class.quantized.LinearPackedParams`` for a class in C++; ``method.save`` for a method of a value.
        place, line: of its first use.
        argument: the first text among its arguments, printable.
    """

    name: str
    place: str
    line: int
    argument: str = ""

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"name": self.name, "line": self.line}
        if self.argument:
            out["argument"] = self.argument
        return out


@dataclass(frozen=True, slots=True)
class TorchScript:
    """The scripts of one archive (a :class:`~openvet.formats._format.Program`).

    Attributes:
        location: of the archive.
        files: how many sources.
        operators: each once, in order of their names.
        methods: names of the functions that the scripts themselves define.
    """

    location: Location
    files: int
    operators: tuple[Operator, ...]
    methods: frozenset[str]

    @property
    def kind(self) -> str:
        return "torchscript"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "location": self.location.to_json(),
            "files": self.files,
            "operators": [each.to_json() for each in self.operators[:_TEXT]],
            "operators_total": len(self.operators),
        }


@dataclass(slots=True)
class Collected:
    """What the sources of one archive name, under way."""

    facts: Facts
    files: int = 0
    characters: int = 0
    operators: dict[str, Operator] = field(default_factory=dict)
    methods: set[str] = field(default_factory=set)

    def add(self, name: str, place: str, line: int, argument: str = "") -> None:
        old = self.operators.get(name)
        if old is None and len(self.operators) >= _MOST:
            self.facts.unknown("limit", f"scripts name more than {_MOST} operators; the others are not told")
        elif old is None or (argument and not old.argument):
            shown = shorten(printable(name), _TEXT)
            self.operators[name] = Operator(shown, place, line, shorten(printable(argument), _TEXT))

    def freeze(self) -> TorchScript:
        names = sorted(self.operators)
        return TorchScript(
            self.facts.at(), self.files, tuple(self.operators[name] for name in names), frozenset(self.methods)
        )


def read_code(source: Source, place: str, collected: Collected) -> None:
    """Collect what one source names."""
    import ast
    import warnings

    facts = collected.facts
    collected.files += 1
    collected.characters += source.size
    if source.size > _LONGEST or collected.characters > _TOTAL:
        facts.unknown("limit", f"{place}: TorchScript code longer than is parsed")
        return
    data = source.read(0, source.size)
    facts.budget.check_time()
    try:
        text = data.decode("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        facts.unknown("malformed", f"{place}: TorchScript code that cannot be parsed")
        _by_words(data.decode("utf-8", "replace"), place, collected)
        return
    _walk(tree, place, collected)
    from openvet.formats._format import Anomaly
    from openvet.formats._torchscript_costs import costs

    for line, what in costs(tree):
        if len(facts.anomalies) < facts.limits.records:
            facts.anomalies.append(Anomaly("torch/torchscript-exhausts", what, Location(place, line=line)))


def _by_words(text: str, place: str, collected: Collected) -> None:
    """What can be told without a syntax tree, so that what is named openly is not hidden by an error somewhere else."""
    for match in _LEXICAL.finditer(text):
        if match.group(3):
            collected.add(f"method.{match.group(3)}", place, 0)
        else:
            _named([match.group(1), *(part.strip() for part in match.group(2).split(".")[1:])], place, 0, "", collected)


def _walk(tree: ast.AST, place: str, collected: Collected) -> None:
    import ast

    called: dict[int, str] = {}
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        argument = called.pop(id(node), "")
        if isinstance(node, ast.FunctionDef):
            collected.methods.add(node.name)
        elif isinstance(node, ast.Call):
            called[id(node.func)] = _first_text(node)
            name = _getattr(node)
            if name:
                _named(name, place, node.lineno, "", collected)
                called.pop(id(node.func), None)
                waiting.extend(node.args[2:])
                if name[0]:
                    continue  # its first two arguments are the name
        elif isinstance(node, ast.Attribute):
            chain = _chain(node)
            if chain is not None and chain[0] in _ROOTS:
                _named(chain, place, node.lineno, argument, collected)
                continue  # what is left of it is a part of the name
            collected.add(f"method.{node.attr}", place, node.lineno, argument) if node.attr in _METHODS else None
        waiting.extend(ast.iter_child_nodes(node))


#: Methods of values that are noted; ``data/torchscript.toml`` says what they mean.
_METHODS: Final = frozenset({"save", "from_file", "load"})


def _chain(node: ast.expr) -> list[str] | None:
    """``a.b.c`` as a list, with ``getattr(a, "b")`` read as ``a.b``."""
    import ast

    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call) and (inner := _getattr(node)) is not None:
            return inner + parts[::-1]
        elif isinstance(node, ast.Name):
            return [node.id, *parts[::-1]]
        else:
            return None


def _getattr(node: ast.Call) -> list[str] | None:
    """``getattr(torch, "save")`` as a list."""
    import ast

    if not isinstance(node.func, ast.Name) or node.func.id != "getattr" or len(node.args) < 2:
        return None
    name = node.args[1]
    base = _chain(node.args[0])
    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
        return None
    if base is None or base[0] not in _ROOTS:
        return ["", name.value] if name.value in _METHODS else None
    return [*base, *name.value.split(".")]


def _named(chain: list[str], place: str, line: int, argument: str, collected: Collected) -> None:
    root, *rest = chain
    if not root:
        collected.add(f"method.{rest[0]}", place, line, argument)
    elif root == "torch" and rest:
        collected.add(
            f"aten.{rest[0]}" if len(rest) == 1 or rest[0] != "ops" else ".".join(rest[1:3]), place, line, argument
        )
    elif root == "ops" and rest:
        collected.add(".".join(rest[:2]) if len(rest) > 1 else f"ops.{rest[0]}", place, line, argument)
    elif rest[:2] == ["torch", "classes"]:
        collected.add(".".join(["class", *rest[2:4]]), place, line, argument)


def _first_text(node: ast.Call) -> str:
    import ast

    for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return argument.value
    return ""


def read_bytecode(source: Source, place: str, collected: Collected) -> None:
    """Collect the operators that the bytecode of the lite interpreter lists."""
    from openvet.formats.pickle.literals import is_text, text_of
    from openvet.formats.pickle.machine import Machine

    collected.files += 1
    machine = Machine(source, collected.facts.budget)
    try:
        machine.run()
        if machine.opcodes > _LITERALS:
            collected.facts.unknown("limit", f"{place}: more bytecode than is looked through")
            return
        for offset, opcode in machine.trace_again():
            text = text_of(source.upto, offset, opcode, _TEXT) if is_text(opcode) else None
            if text is not None and _OPERATOR.fullmatch(text):
                collected.add(text.replace("::", ".", 1), place, 0)
    except ReadError as error:
        collected.facts.unknown("malformed", f"{place}: bytecode that cannot be read: {error.message}", error.offset)
