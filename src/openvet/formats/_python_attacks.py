"""What no honest code beside a model does at any time, also in functions that nothing calls: a call is judged with all that flows into it.

Published code is meant to be called. So where two things meet that have no honest use together, it does not matter when: what is fetched
is run, what is typed or secret is sent, a machine is made to start something by itself, a command comes from another machine.
Each judgement is a heuristic of one source: what flows is followed blind to order and conditions (:mod:`openvet.formats._python_flows`), and
what is computed from more than constants is not known.

Here is asked what a call runs; each other question has a room of its own, and they are put in order here.

Sources: MITRE ATT&CK T1059, T1105.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from openvet.core.pattern import pattern
from openvet.formats._addresses import ADDRESS, BARE_HOST, KNOWN, PLAIN, is_bare, is_foreign
from openvet.formats._python_acts import acts, may_act
from openvet.formats._python_calls import FINDS, arguments_of, dotted, heads_of, last_name
from openvet.formats._python_ends import ends, may_reach
from openvet.formats._python_families import Families
from openvet.formats._python_files import Files
from openvet.formats._python_harm import Harm
from openvet.formats._python_machine import changes, variable
from openvet.formats._python_nodes import walk
from openvet.formats._python_origins import Origins
from openvet.formats._python_reach import reach
from openvet.formats._python_sabotage import may_sabotage, sabotage
from openvet.formats._python_scripts import Scripts
from openvet.formats._python_sent import Sent
from openvet.formats._python_swayed import may_sway, sways
from openvet.formats._python_turned import may_turn, turns

if TYPE_CHECKING:
    from openvet.formats._python_processes import Processes

__all__ = ["Attacks"]

#: Programs that only fetch, or reach machines of one's own, by whatever address.
_DOWNLOADS: Final = pattern(
    r"\s*(?:sudo\s)?(?:[\w./-]{0,60}/)?(?:curl|wget|aria2c|axel|git|pip3?|uv|conda|ssh|scp|rsync|ping|docker|python3? -m pip|torchrun|ray|mpirun|nc)\b"
)
#: They fetch a file of weights and unpickle it.
_LOADS_FROM: Final = frozenset(
    {
        "torch.hub.load_state_dict_from_url",
        "torch.utils.model_zoo.load_url",
        "torchvision.models.utils.load_state_dict_from_url",
        "torchvision._internally_replaced_utils.load_state_dict_from_url",
    }
)
_DECODERS: Final = frozenset({"base64", "binascii", "codecs", "zlib", "marshal"})
_HEADS: Final = pattern(r"\s*[\w./~-]{2,80}(?:\s|$)")


class Attacks:
    """The judgements of one source, call by call."""

    __slots__ = (
        "_acts",
        "_families",
        "_harm",
        "_of",
        "_reaches",
        "_sabotages",
        "_sent",
        "_sways",
        "_turns",
        "files",
        "origins",
        "scripts",
    )

    def __init__(self, uses: Processes, text: str) -> None:
        self._of = uses
        self.origins = Origins(uses, text)
        self.files = Files(uses, self.origins)
        self.scripts = Scripts(uses, self.origins, text)
        self._sent = Sent(uses, self.origins, text)
        self._families = Families(uses, text)
        self._harm = Harm(uses, text)
        self._sabotages = may_sabotage(text)
        self._reaches = may_reach(text)
        self._acts = may_act(text)
        self._sways = may_sway(text)
        self._turns = may_turn(text)

    def call(self, node: ast.Call, name: str | None, when: str) -> str:
        """What a call does that nothing honest does, in a few words; empty for any other."""
        full = name or dotted(node.func, "something")
        last = last_name(node.func)
        self.origins.note_listeners(node, full, last)
        if said := changes(self._of, self.origins, node, full, last):
            return said
        capability = self._of.known.of(full)
        if said := self._families.call(node, full, last, capability) or self._harm.call(node, full, last, when):
            return said
        if capability == "process":
            command = self.scripts.started(node, full, when)
            if "://" in command and BARE_HOST.search(command) and not _DOWNLOADS.match(command):
                return "starts a program that talks to a bare address"
        if said := self._decodes(node, full, last) or self._spreads(node, last):
            return said
        if full in _LOADS_FROM and (said := self._unpickled(node, full, when)):
            return said
        table = ends()
        if not self.origins.talks:
            self.files.call(node, full, last, capability, when)
            return self._sent.watched(node, last, capability)
        if self._of.is_shown(node, table.runs.code) and (
            self._of.is_shown(node, table.hears.calls)
            or any(ADDRESS.search(each) for each in self.origins.texts([node]))
        ):
            return "runs what another machine gives it"
        if full in table.runs.code or full in table.runs.sources or last in table.runs.cells:
            return self._run(node, full, when)
        if (full in table.runs.unpickles or full in table.runs.loads) and (said := self._unpickled(node, full, when)):
            return said
        if capability == "process":
            return self._started(node, full)
        self.files.call(node, full, last, capability, when)
        return self._sent.call(node, full, last, capability, when)

    def variable(self, key: Any, value: ast.expr) -> str:
        """``os.environ['LD_PRELOAD'] = '/tmp/x.so'``."""
        return variable(self._of, key, value)

    # what is run

    def _run(self, node: ast.Call, name: str, when: str) -> str:
        found = self.origins.fetches(node.args[:1])
        if found is None:
            self.files.note_run(node, name, "", "code", when)
            return ""
        if name == "builtins.compile" or (name == "builtins.eval" and when == "call" and not is_bare(found)):
            return ""
        return "runs what another machine gives it"

    def _unpickled(self, node: ast.Call, name: str, when: str) -> str:
        """Objects out of what is fetched: from nobody's name at any time, from somebody whom nobody knows as soon as a model is built."""
        safe = any(each.arg == "weights_only" and self._of.fold(each.value) is True for each in node.keywords)
        found = self.origins.texts(node.args[:1]) if name in _LOADS_FROM else self.origins.fetches(node.args[:1])
        if found is None or safe:
            return ""
        if is_bare(found):
            return "unpickles what it fetches from a bare address"
        anything = name in ends().runs.unpickles or any(
            each.arg == "weights_only" and self._of.fold(each.value) is False for each in node.keywords
        )
        unknown = [each for each in found if "://" in each and is_foreign([each]) and not KNOWN.match(each)]
        if when in ("import", "construction") and any(anything or PLAIN.search(each) for each in unknown):
            return "unpickles what it fetches from a host that nobody knows"
        return ""

    def _decodes(self, node: ast.Call, name: str, last: str) -> str:
        """Code, or the name of a module, that is decoded first, wherever that happens."""
        if self._of.known.of(name) == "process" and self._is_numbered(node.args[:1]):
            return "runs a command that it spells by numbers"
        run = name in ends().runs.code or last in ends().runs.cells
        if not run and name not in ("importlib.import_module", "builtins.__import__"):
            return ""
        if not node.args or isinstance(node.args[0], ast.Constant):
            return ""
        for part, _ in self.origins.into(node.args[:1], self.origins.is_other):
            called = self.origins.name(part.func) if isinstance(part, ast.Call) else ""
            if called.split(".", 1)[0] in _DECODERS and self._of.known.decodes(called):
                return "runs what it decodes" if run else "imports a module whose name it decodes"
        return ""

    def _is_numbered(self, nodes: list[ast.expr]) -> bool:
        """``bytes([108, 115, 32, 47]).decode()``: a text of which nobody sees what it says."""
        for part, scopes in self.origins.into(nodes):
            if isinstance(part, ast.Call) and last_name(part.func) in ("bytes", "bytearray", "chr"):
                for row, _ in self._of.flows.into(part.args[:1], scopes):
                    elements = row.elts if isinstance(row, ast.List | ast.Tuple) else []
                    if len(elements) > 3 and all(type(getattr(each, "value", None)) is int for each in elements):
                        return True
        return False

    def _started(self, node: ast.Call, name: str) -> str:
        """What another machine says is started as a command; a shell is given a connection."""
        given = [each.value for each in node.keywords if each.arg in ("stdin", "stdout", "stderr")]
        if any(self.origins.is_connection(part) for part, _ in self.origins.into(given)):
            return "hands a shell to another machine"
        if name == "pty.spawn" and self._of.connects:
            return "hands a shell to another machine"
        if self.origins.fetches(heads_of(node), _is_headed) is not None:
            return "runs the commands that another machine gives it"
        return ""

    def _spreads(self, node: ast.Call, last: str) -> str:
        """Its own text is written into files that it finds; an archive is unpacked over the whole machine."""
        if last in ("write", "write_text", "writelines") and isinstance(node.func, ast.Attribute) and node.args:
            own = any(
                isinstance(part, ast.Call)
                and (
                    (last_name(part.func) in ("getsource", "getsourcelines") and _is_own(part))
                    or (last_name(part.func) in ("open", "Path") and _is_own(part))
                )
                for part, _ in self.origins.into(node.args[:1])
            )
            found = own and any(
                isinstance(part, ast.Call) and last_name(part.func) in FINDS
                for part, _ in self.origins.into([node.func.value])
            )
            if found and any(".py" in text for text in self.origins.texts([node.func.value])):
                return "copies itself into other files"
        if last == "drop_all" and any(
            self._of.resolve(part) == "os.environ" for part, _ in self.origins.into(arguments_of(node))
        ):
            return "drops the tables of somebody's data base"
        if last in ("extract", "extractall", "unpack_archive"):
            places = [*node.args[-1:], *(each.value for each in node.keywords if each.arg in ("path", "extract_dir"))]
            if any(self._of.place_of(each) in ("/", "~", "/etc", "/usr", "/root") for each in places):
                return "unpacks an archive over the files of the machine"
        return ""

    # what only all of it tells

    def finish(self) -> Iterator[tuple[int, str, str, str, str]]:
        """What only all of a source tells: line, callable, what it does, when, and the function in which it is."""
        yield from self.files.finish()
        for line, name, what in self._of_whole():
            yield line, name, what, "call", ""
        yield from self.scripts.finish()

    def _of_whole(self) -> Iterator[tuple[int, str, str]]:
        """What stands anywhere in the source: line, what stands there, and what it does."""
        yield from self._families.finish()
        yield from self._harm.finish(self._of.nodes)
        if self._acts:
            yield from acts(self._of.nodes, self._of.resolve)
        if self._reaches:
            yield from reach(self._of)
        if self._sabotages:
            yield from sabotage(self._of.nodes, self._of.resolve)
        if self._sways:
            yield from sways(self._of)
        if self._turns:
            yield from turns(self._of)


def _is_own(call: ast.Call) -> bool:
    """Whether a call asks for the source in which it stands."""
    given = [each for argument in call.args for each in walk(argument)]
    return any(isinstance(each, ast.Name) and each.id in ("__file__", "__name__") for each in given)


def _is_headed(part: ast.expr) -> bool:
    """A text that begins with a constant word, or a list of arguments: what flows in is no command as a whole."""
    if isinstance(part, ast.JoinedStr):
        first = part.values[0] if part.values else None
        return (
            isinstance(first, ast.Constant) and isinstance(first.value, str) and _HEADS.match(first.value) is not None
        )
    if isinstance(part, ast.BinOp):
        return isinstance(part.left, ast.Constant | ast.JoinedStr)
    if isinstance(part, ast.List | ast.Tuple):
        return bool(part.elts) and isinstance(part.elts[0], ast.Constant)
    return isinstance(part, ast.Call) and last_name(part.func) in (
        "join",
        "format",
        "quote",
        "which",
        "Path",
        "mkdtemp",
        "int",
        "float",
        "len",
    )
