"""TensorFlow graphs as text: ``.pbtxt``, and ``saved_model.pbtxt``, which a loader takes where there is no ``saved_model.pb``.

Protocol buffers in their text form::

    node { name: "path" op: "Const" attr { key: "value" value { tensor { string_val: "/etc/hostname" } } } }
    node { name: "read" op: "ReadFile" input: "path" }
    library { function { signature { name: "f" } node_def { name: "write" op: "WriteFile" } } }

Specification: https://protobuf.dev/reference/protobuf/textformat-spec/ ; ``tensorflow/core/framework/graph.proto``
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from itertools import islice

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats.prototxt import _PIECE, _string
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tf-graph-text",
    title="TensorFlow graph as text",
    extensions=(".pbtxt",),
    media_types=(),
    can_tell=("every operation, also of functions, and the constants that they are given",),
    cannot_tell=("what the numbers do", "names of files that the graph puts together"),
    refines=("text", "prototxt"),
)

_FIRST = pattern(
    rb"\A(?:\xef\xbb\xbf)?(?:\s|#[^\n]*+\n)*+(?:(node|library)\s*+:?\s*+[{<]|saved_model_schema_version\s*+:|(?:meta_graphs|meta_info_def|graph_def|versions)\s*+:?\s*+[{<])"
)
_OPERATION = pattern(rb"\bop\s*:\s*[\"']")
_KEPT = 4096
_TEXTS = 64


@dataclass(slots=True)
class _Node:
    """One node, or a message that stands in one."""

    texts: dict[str, str] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


def probe(head: Head) -> Likeness:
    """Text that begins with a field of a graph or of what holds one; nodes by themselves must name an operation."""
    from openvet.formats._decode import is_text

    found = _FIRST.match(head.data)
    if found is None or (found[1] and not _OPERATION.search(head.data)) or not is_text(head):
        return Likeness.NO
    return Likeness.WEAK


def read(source: Source, facts: Facts) -> None:
    """Walk every token; keep the operations and the texts that they are given.

    Raises:
        MalformedError: is no text of a protocol buffer.
        LimitError: longer or deeper than is read, or more operations than are told apart.
    """
    from openvet.formats._decode import read_text
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    graph = _Graph(facts)
    at = steps = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        steps += 1
        if not steps % 65536:
            facts.budget.check_time()
        if match is None:
            raise MalformedError("is no text of a protocol buffer", offset=len(text[:at].encode("utf-8", "replace")))
        if not match[0][0].isspace() and match[0][0] not in "#,;":
            graph.take(match[0])
        at = match.end()
    graph.finish(source.size)


class _Graph:
    """The messages that are open, and what is known of their nodes."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.path: list[str] = []
        self.open: list[_Node] = []
        self.name = ""
        self.valued = False
        self.functions: set[str] = set()
        self.ops: Counter[str] = Counter()
        self.constants: dict[str, list[str]] = {}
        self.nodes: list[_Node] = []

    def take(self, piece: str) -> None:
        """One token."""
        if piece in {"{", "<"}:
            self.path.append(self.name)
            limit = self.facts.limits.nesting
            if len(self.path) > limit:
                raise LimitError("nesting", limit, "messages are nested too deeply")
            if self.name in {"node", "node_def"}:
                self.open.append(_Node())
            self.valued = False
        elif piece in {"}", ">"}:
            if not self.path:
                raise MalformedError("closes a message that was not opened")
            if self.path.pop() in {"node", "node_def"} and self.open:
                self.close(self.open.pop())
            self.valued = False
        elif piece == ":":
            self.valued = True
        elif self.valued or piece[0] in "\"'":
            self.value(piece)
        else:
            self.name = piece

    def value(self, piece: str) -> None:
        """A value; texts that follow each other are one."""
        quoted = piece[0] in "\"'"
        text = _string(piece)[:_KEPT] if quoted else piece
        more = quoted and not self.valued
        self.valued = piece == "["
        inside = self.path[-1] if self.path else ""
        if inside == "signature" and self.name == "name":
            self.functions.add(text)
        if not self.open or piece == "[":
            return
        node = self.open[-1]
        if inside in {"node", "node_def"}:
            if self.name == "input":
                _add(node.inputs, text, more=more)
            else:
                node.texts[self.name] = node.texts.get(self.name, "") + text if more else text
        elif self.name in {"s", "string_val"}:
            _add(node.values, text, more=more)

    def close(self, node: _Node) -> None:
        """A node ends."""
        from openvet.formats._tf_program import op_knowledge

        op = node.texts.get("op", "")
        self.ops[op] += 1
        if op == "Const" and len(self.constants) < self.facts.limits.records:
            self.constants[node.texts.get("name", "")] = node.values
        known = op_knowledge().get(op)
        if known is None or known.group != "ordinary":
            if len(self.nodes) >= self.facts.limits.records:
                raise LimitError("records", self.facts.limits.records, "more operations than are told apart")
            self.nodes.append(node)

    def finish(self, end: int) -> None:
        """The program, once it is known which operations are functions of the graph's own."""
        from openvet.formats._tf_program import TfGraph, TfUse, op_knowledge

        if self.path:
            raise MalformedError("ends inside a message", offset=end)
        uses: dict[tuple[str, tuple[str, ...]], TfUse] = {}
        for node in self.nodes:
            op = node.texts.get("op", "")
            if op in self.functions:
                continue
            known = op_knowledge().get(op)
            found = list(node.values)
            for index in known.inputs if known is not None else ():
                if index < len(node.inputs):
                    found += self.constants.get(node.inputs[index].partition(":")[0], [])
            arguments = tuple(dict.fromkeys(_shown(each) for each in found[:_TEXTS]))
            uses.setdefault((op, arguments), TfUse(_shown(op), _shown(node.texts.get("name", "")), "", None, arguments))
        ops = {_shown(op): count for op, count in islice(self.ops.items(), 5000) if op not in self.functions}
        self.facts.programs.append(TfGraph(self.facts.at(), ops, len(self.functions), tuple(uses.values())))


def _add(texts: list[str], text: str, *, more: bool) -> None:
    if more and texts:
        texts[-1] = (texts[-1] + text)[:_KEPT]
    elif len(texts) < _TEXTS:
        texts.append(text)


def _shown(text: str) -> str:
    return printable(shorten(text, 300))
