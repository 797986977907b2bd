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
from openvet.errors import LimitError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._protobuf_text import KEPT, Messages
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
    rb"\A(?:\xef\xbb\xbf)?(?:\s|#[^\n]*+\n)*+(?:(node|library)\s*+:?\s*+\[?\s*+[{<]|saved_model_schema_version\s*+:|(?:meta_graphs|meta_info_def|graph_def|versions)\s*+:?\s*+\[?\s*+[{<])"
)
_OPERATION = pattern(rb"\bop\s*:\s*[\"']")
_TEXTS = 64
_NODES = frozenset({"node", "node_def"})


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
    graph = _Graph(facts)
    graph.walk(source)
    graph.finish()


class _Graph(Messages):
    """What is known of the nodes."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.open: list[_Node] = []
        self.functions: set[str] = set()
        self.ops: Counter[str] = Counter()
        self.constants: dict[str, list[str]] = {}
        self.nodes: list[_Node] = []

    def opened(self) -> None:
        if self.name in _NODES:
            self.open.append(_Node())

    def closed(self, kind: str, at: int) -> None:  # noqa: ARG002 - the method's signature
        if kind in _NODES and self.open:
            self._node(self.open.pop())

    def value(self, text: str, *, more: bool) -> None:
        inside = self.path[-1] if self.path else ""
        if inside == "signature" and self.name == "name":
            self.functions.add(text)
        if not self.open:
            return
        node = self.open[-1]
        if inside in _NODES:
            if self.name == "input":
                _add(node.inputs, text, more=more)
            else:
                node.texts[self.name] = node.texts.get(self.name, "") + text if more else text
        elif self.name in {"s", "string_val"}:
            _add(node.values, text, more=more)

    def _node(self, node: _Node) -> None:
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

    def finish(self) -> None:
        """The program, once it is known which operations are functions of the graph's own."""
        from openvet.formats._tf_program import TfGraph, TfUse, op_knowledge

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
        texts[-1] = (texts[-1] + text)[:KEPT]
    elif len(texts) < _TEXTS:
        texts.append(text)


def _shown(text: str) -> str:
    return printable(shorten(text, 300))
