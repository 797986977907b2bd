"""Which command a call starts, and whether all that it may be is one that only tells something, fetches or installs."""

from __future__ import annotations

import ast
import re
from collections import ChainMap

from openvet.core.pattern import pattern
from openvet.formats._python_calls import arguments_of, last_name
from openvet.formats._python_commands import kind_of_command
from openvet.formats._python_nodes import walk
from openvet.formats._python_record import UNCERTAIN, Record
from openvet.formats._python_settled import Overlay
from openvet.formats._python_tools import is_tool, only_converts

__all__ = ["LONGEST_COMMAND", "Processes"]

#: A variable of the environment, which a shell puts in as words only; and programs that pass on some of what they read.
_VARIABLE = pattern(r"\$[A-Z][A-Z_]{0,60}")
#: Any program that is asked for its version; and options by which a program that tells something does something else.
_VERSION = pattern(r"[A-Za-z][\w.+-]{0,40} (?:--version|-version|-V|-v|--help|-h|version)", re.ASCII)
_ACTS = pattern(
    r"(?:^| )(?:--output\b|--ext-diff|--textconv|-w\b|-p\b|--system|--load|--write|--filename|--gpu-reset|-[A-Za-z]?f\b|-F\b|\w[\w.]*=)"
)
_FILTER = pattern(r"(?:head|tail|wc|grep|cut|tr|nl)(?: [\w.,:-]{1,40}){0,6}", re.ASCII)
_SHELL_WORD = pattern(r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh")
#: Of the kinds of one command, the one that counts is the first of these.
_KINDS = ("process", "native", "fetch", "install", "telling")
_FILE = pattern(r"\w[\w.-]{0,80}\.\w{1,10}", re.ASCII)
#: How much of a command is kept.
LONGEST_COMMAND = 2_000


class Processes(Record):
    """What the calls of one source start."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        #: what the parameters of the function being read stand for in the call that is followed
        self._handed: Overlay = {}

    def command_of(self, node: ast.Call) -> str:
        """The command that a call starts, in one line, where it is constant; what is computed in it is left open."""
        first = (
            node.args[0]
            if node.args
            else next((each.value for each in node.keywords if each.arg in ("args", "cmd", "command")), None)
        )
        if first is None:
            return ""
        if isinstance(first, ast.Name):
            first = self._values.get(first.id, first)
        value = self.fold(first)
        if value is None and isinstance(first, ast.List | ast.Tuple):
            value = [self._word(each) for each in first.elts[:40]]
        elif value is None and isinstance(first, ast.JoinedStr | ast.BinOp):
            value = self._word(first)
        if (
            isinstance(value, str)
            and len(node.args) > 1
            and last_name(node.func).startswith(("exec", "spawn", "create_subprocess_exec", "posix_spawn"))
        ):
            rest = [self.fold(each) for each in node.args[1:10]]
            value = [
                value,
                *(
                    word
                    for each in rest
                    for word in (each if isinstance(each, list) else [each])
                    if isinstance(word, str)
                ),
            ]
        if isinstance(value, list):
            words = [each for each in value if isinstance(each, str)]
            if any(_SHELL_WORD.fullmatch(each) for each in words[:2]) and "-c" in words[:4]:
                value = " ".join(words[words.index("-c") + 1 :])
            else:
                value = " ".join(words)
        return value[:LONGEST_COMMAND] if isinstance(value, str) else ""

    def _word(self, node: ast.expr) -> str:
        """A word of a command; what is computed in it is left open."""
        if isinstance(node, ast.Name | ast.Attribute | ast.Call) and self.resolve(node) == "sys.executable":
            return "python"
        if isinstance(node, ast.JoinedStr):
            return "".join(self._word(each) for each in node.values)
        if isinstance(node, ast.FormattedValue):
            return self._word(node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._word(node.left) + self._word(node.right)
        value = self.fold(node)
        if value is None:
            _, mark, last = (self.place_of(node) or "").rpartition("/")  # os.path.join(here, "requirements.txt")
            return f"{UNCERTAIN}/{last}" if mark and _FILE.fullmatch(last) else UNCERTAIN
        return value if isinstance(value, str) else str(value) if type(value) is int else UNCERTAIN

    def _kind(self, node: ast.Call, name: str) -> str:
        """What a command does, where all that it may be is harmless; the worst of it otherwise."""
        found: set[str] = set()
        values = self._values
        self._is_tool = True
        for overlay in self._overlays(arguments_of(node)):
            self._values = ChainMap(overlay, values)
            self._is_tool = self._is_tool and is_tool(self, node)
            found.add("telling" if self._only_tells(node) else kind_of_command(self, node, name) or "process")
        self._values = values
        return next(kind for kind in _KINDS if kind in found)

    def _overlays(self, nodes: list[ast.expr]) -> list[Overlay]:
        """Each way in which the names of expressions may be bound here."""
        names = {part.id for node in nodes for part in walk(node) if isinstance(part, ast.Name)}
        modules = frozenset(name for name in names if (full := self._names.get(name)) is not None and "()" not in full)
        if names <= modules:
            return [{}]
        return self.bindings.overlays(nodes, self._scopes_around(), self._handed, modules)

    def _only_tells(self, node: ast.Call) -> bool:
        """``subprocess.run(['nvidia-smi'])``: all constant, and a program that only tells something."""
        if not node.args or any(each.arg in ("executable", "env", "preexec_fn") for each in node.keywords):
            return False
        first = node.args[0]
        if isinstance(first, ast.Name):
            first = self._values.get(first.id, first)
        if isinstance(first, ast.IfExp):
            both = (ast.Call(node.func, [each], []) for each in (first.body, first.orelse))
            return all(self._only_tells(each) for each in both)
        if only_converts(self, node, first):
            return True
        command = self.fold(first)
        if isinstance(command, list):
            if not all(isinstance(part, str) for part in command):
                return False
            command = " ".join(command)
        if not isinstance(command, str) or any(sign in command for sign in ";&`><\n(){}\\'\""):
            return False
        if _VERSION.fullmatch(command.strip()):
            return True
        asked, *passed = (part.strip() for part in command.split("|"))
        if passed and _VERSION.fullmatch(asked) and all(_FILTER.fullmatch(part) for part in passed):
            return True  # nvcc --version | tail -n 1
        if _ACTS.search(command) or self._known.places.search(command):
            return False
        told, *filters = (part.strip() for part in _VARIABLE.sub("", command).split("|"))
        if "$" in told or not all(_FILTER.fullmatch(part) for part in filters):
            return False
        return any(told == known or told.startswith(f"{known} ") for known in self._known.telling)
