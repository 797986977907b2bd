"""Graphs of TensorFlow: the nodes of a GraphDef and of the functions in its library.

A node is a name, an operation, inputs (``node``, ``node:0``, ``node:output:0``, ``^control``) and attributes; a function
has arguments that its callers give. Constants that are texts are kept, so that the name of a file can be followed from the
operation that opens it through joins, identities and calls back to where it is written down. Everything else is walked and
let go.

Reference: ``tensorflow/core/framework/graph.proto``, ``node_def.proto``, ``function.proto``, ``tensor.proto``.
"""

from __future__ import annotations

import struct
from dataclasses import field, replace
from itertools import islice

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats._format import Facts, Tensor
from openvet.formats._loops import KEPT, Loops, Part, Step
from openvet.formats._onnx_sizes import TF_SIZED, Sized, Sizes
from openvet.formats._protobuf import Field, Walker, schema
from openvet.formats._tf_program import OpKnowledge, TfGraph, TfUse, op_knowledge, text_operations
from openvet.io.source import Source

__all__ = ["DTYPES", "GraphReader", "Node", "Scope", "read_shape"]

RULE = "tensorflow/graph-lies"

#: DataType -> (name, bits of an element; 0 where it has no fixed width)
DTYPES = {
    1: ("F32", 32), 2: ("F64", 64), 3: ("I32", 32), 4: ("U8", 8), 5: ("I16", 16), 6: ("I8", 8), 7: ("STRING", 0),
    8: ("C64", 64), 9: ("I64", 64), 10: ("BOOL", 8), 11: ("QI8", 8), 12: ("QU8", 8), 13: ("QI32", 32),
    14: ("BF16", 16), 15: ("QI16", 16), 16: ("QU16", 16), 17: ("U16", 16), 18: ("C128", 128), 19: ("F16", 16),
    20: ("RESOURCE", 0), 21: ("VARIANT", 0), 22: ("U32", 32), 23: ("U64", 64), 24: ("F8_E5M2", 8),
    25: ("F8_E4M3", 8), 26: ("F8_E4M3FNUZ", 8), 27: ("F8_E4M3B11FNUZ", 8), 28: ("F8_E5M2FNUZ", 8), 29: ("I4", 8),
    30: ("U4", 8), 31: ("I2", 8), 32: ("U2", 8),
}  # fmt: skip
_STRING = 7
_TEXTS_KEPT = 16
_TEXT_KEPT = 1024
_LISTED = 16  # a constant of fewer elements is an axis or a shape and is not listed as a tensor
_STEPS = 2000
#: Types of shapes and counts, and their bytes.
_WHOLE = {3: 4, 9: 8, 10: 1}
_FLOATING = {1: ("<f", 4), 2: ("<d", 8)}
#: Inputs of a node that decide how often a loop is gone through.
_INPUTS = 2_000
_NESTED = 4
_NESTED_USES = 1000


@dataclass(slots=True)
class Node:
    """A node that is kept: one that is told about, hands on texts, or calls a function."""

    op: str
    inputs: list[str]
    texts: tuple[str, ...] = ()
    attributes: dict[str, list[str]] = field(default_factory=dict)
    name: str = ""
    offset: int | None = None
    #: the numbers of a small constant of whole numbers
    numbers: list[float] = field(default_factory=list)
    #: the functions that its attributes name
    functions: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Scope:
    """The main graph (without a name) or one function."""

    name: str
    arguments: list[str] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    part: Part = field(default_factory=lambda: Part(""))


class GraphReader:
    """Reads all graphs of one file; :meth:`finish` gives the program."""

    def __init__(self, source: Source, facts: Facts, walker: Walker | None = None, depth: int = 0) -> None:
        self.source = source
        self.facts = facts
        self.walker = walker or Walker(source, facts, schema("tensorflow"))
        self.depth = depth
        self.ops: dict[str, int] = {}
        self.functions: set[str] = set()
        self.callers: dict[str, list[tuple[Scope, Node]]] = {}
        self.told: list[tuple[Scope, Node]] = []
        self.nested: list[TfUse] = []
        self.known = op_knowledge()
        self.same, self.made = text_operations()
        self.kept = 0
        #: names of the constants that the loader replaces by the places of assets
        self.assets: set[str] = set()
        self.computed = self.asset = False
        self.steps = 0
        self.sizes = Sizes(shared=False)
        self.loops = Loops()
        self.graphs = 0

    # --- walking

    def graph(self, at: int, end: int) -> None:
        """A GraphDef: its nodes and its library."""
        scope = Scope("")
        self.graphs += 1
        scope.part.name = f"\0{self.graphs}"
        self.loops.part(scope.part)
        for field_ in self.walker.message("GraphDef", at, end):
            if field_.name == "node":
                self.node(scope, field_)
            elif field_.name == "library":
                self.library(field_.at, field_.end)
            elif field_.spec.type:
                self.walker.sweep(field_.spec.type, field_.at, field_.end)

    def library(self, at: int, end: int) -> None:
        for field_ in self.walker.message("FunctionDefLibrary", at, end):
            if field_.name == "function":
                self.function(field_.at, field_.end)
            else:
                self.walker.sweep(field_.spec.type, field_.at, field_.end)

    def function(self, at: int, end: int) -> None:
        """A FunctionDef: the signature comes first in what TensorFlow writes, but may come anywhere."""
        scope = Scope("")
        parts = list(self.walker.message("FunctionDef", at, end))
        for part in parts:
            if part.name == "signature":
                self.signature(scope, part)
        self.enter(scope, at)
        for part in parts:
            if part.name == "node_def":
                self.node(scope, part)
            elif part.name == "ret":
                self.result(scope, part)
            elif part.name != "signature" and part.spec.type:
                self.walker.sweep(part.spec.type, part.at, part.end)

    def result(self, scope: Scope, whole: Field) -> None:
        """Where one result of a function comes from."""
        key = value = ""
        for part in self.walker.message("FunctionDef-RetEntry", whole.at, whole.end):
            if part.name == "key":
                key = self.walker.text(part, _TEXT_KEPT)
            else:
                value = self.walker.text(part, _TEXT_KEPT)
        scope.part.results[key] = value

    def enter(self, scope: Scope, offset: int | None) -> None:
        """A function begins; two of one name make two programs of one file."""
        scope.part.name, scope.part.arguments = scope.name, scope.arguments
        self.loops.part(scope.part)
        if scope.name in self.functions:
            self.lie("function-twice", f"the library has the function {_shown(scope.name)} twice", offset)
        self.functions.add(scope.name)

    def signature(self, scope: Scope, whole: Field) -> None:
        walker = self.walker
        for part in walker.message("OpDef", whole.at, whole.end):
            if part.name == "name":
                scope.name = walker.text(part)
            elif part.name in ("input_arg", "output_arg"):
                for inner in walker.message("OpDef-ArgDef", part.at, part.end):
                    if inner.name == "name":
                        (scope.arguments if part.name == "input_arg" else scope.part.outputs).append(walker.text(inner))
                    elif inner.spec.type:
                        walker.sweep(inner.spec.type, inner.at, inner.end)
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)

    def node(self, scope: Scope, whole: Field) -> None:
        """One NodeDef. Where it has two operations, both are judged."""
        walker = self.walker
        names: list[str] = []
        ops: list[str] = []
        inputs: list[str] = []
        attributes: list[Field] = []
        for part in walker.message("NodeDef", whole.at, whole.end):
            if part.number == 3:
                inputs.append(walker.text(part, _TEXT_KEPT))
            elif part.number == 5:
                attributes.append(part)
            elif part.number == 1:
                names.append(walker.text(part))
            elif part.number == 2:
                ops.append(walker.text(part))
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)
        node = Node("", inputs, name=names[-1] if names else "", offset=whole.tag_at)
        called: set[str] = set()
        for each in attributes:
            self.attribute(node, each, called)
        self.add(scope, node, ops or [""], called)

    def add(self, scope: Scope, node: Node, ops: list[str], called: set[str]) -> None:
        """A node that was read: count it, and keep it where it matters."""
        if node.name in scope.names:
            self.lie("node-twice", f"two nodes have the name {_shown(node.name)}", node.offset)
        scope.names.add(node.name)
        self.sizes.enter(id(scope))
        self.sizes.constant(node.name, node.numbers)
        scope.part.nodes += 1
        for op in ops:
            self.ops[op] = self.ops.get(op, 0) + 1
            if op in KEPT or called or len(node.numbers) == 1 or op not in self.known:
                number = node.numbers[0] if op == "Const" and len(node.numbers) == 1 else None
                ends = tuple(each for each in node.inputs[:_INPUTS] if not each.startswith("^"))
                self.loops.add(scope.part, node.name, Step(op, ends, node.functions, number, node.offset))
            if (meant := TF_SIZED.get(op)) is not None and self.sizes.room:
                inputs = [each.partition(":")[0] for each in node.inputs[:8] if not each.startswith("^")]
                inputs = inputs[:-1] if op == "ConcatV2" else inputs  # the last one is the axis
                self.sizes.node(Sized(meant, inputs, [node.name], {}, [], node.offset))
            node = replace(node, op=op)
            known = self.known.get(op)
            group = known.group if known is not None else ""
            if group == "ordinary" and not called and not (node.texts or op in self.same or op in self.made):
                continue
            self.kept += 1
            if self.kept > self.facts.limits.members:
                raise LimitError(
                    "members", self.facts.limits.members, "more nodes than are followed", offset=node.offset
                )
            if group != "ordinary":
                self.told.append((scope, node))
            scope.nodes[node.name] = node
            if not group:
                called.add(op)  # a function of the library may be called by its name
            for name in called:
                self.callers.setdefault(name, []).append((scope, node))

    def attribute(self, node: Node, entry: Field, called: set[str]) -> None:
        """One attribute: texts that may matter, functions that it names, and the tensor of a constant."""
        walker = self.walker
        key = ""
        waiting: list[tuple[str, Field, int]] = []
        for part in walker.message("NodeDef-AttrEntry", entry.at, entry.end):
            if part.name == "key":
                key = walker.text(part, 200)
            else:
                waiting.append(("AttrValue", part, 0))
        while waiting:
            kind, whole, depth = waiting.pop()
            if depth > self.facts.limits.nesting:
                raise LimitError(
                    "nesting", self.facts.limits.nesting, "attributes are nested too deeply", offset=whole.at
                )
            for part in walker.message(kind, whole.at, whole.end):
                if part.name == "tensor":
                    self.tensor(node, part)
                elif part.spec.type == "TensorShapeProto":
                    walker.sweep(part.spec.type, part.at, part.end)
                elif part.spec.type:
                    waiting.append((part.spec.type, part, depth + 1))
                elif part.name == "name" and kind == "NameAttrList":
                    called.add(walker.text(part))
                    node.functions.setdefault(key, walker.text(part))
                elif part.name == "s" and depth < 2:
                    kept = node.attributes.setdefault(key, [])
                    if len(kept) < _TEXTS_KEPT:
                        kept.append(walker.text(part, _TEXT_KEPT))

    def tensor(self, node: Node, whole: Field) -> None:
        """A TensorProto: listed where it is more than a few numbers, and its texts kept."""
        walker = self.walker
        dtype = 0
        shape: tuple[int, ...] | None = ()
        content: Field | None = None
        floating: Field | None = None
        texts: list[str] = []
        numbers: list[int] = []
        for part in walker.message("TensorProto", whole.at, whole.end):
            if part.name == "dtype":
                dtype = part.value
            elif part.name == "tensor_shape":
                shape = read_shape(walker, part)
            elif part.name == "tensor_content":
                content = part
            elif part.name in ("int_val", "int64_val", "bool_val") and len(numbers) <= _LISTED:
                numbers += walker.numbers(part, _LISTED + 1)
            elif part.name in ("float_val", "double_val"):
                floating = part
            elif part.name == "string_val":
                texts += [walker.text(part, _TEXT_KEPT)] if len(texts) < _TEXTS_KEPT else []
                self.carried(part)
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)
        node.texts += tuple(texts)
        name, bits = DTYPES.get(dtype, (f"type {dtype}", 0))
        elements = 1
        for extent in shape or ():
            elements *= extent
        if shape is not None and elements <= _LISTED:
            node.numbers = self.known_numbers(dtype, elements, numbers, content, floating)
        if content is not None and bits and shape is not None and content.size and content.size * 8 != elements * bits:
            message = f"the constant {_shown(node.name)} has {content.size} bytes for {elements} elements of {name}"
            self.lie("tensor-size", message, content.tag_at)
        if elements >= _LISTED and shape is not None and dtype != _STRING:
            if len(self.facts.tensors) >= self.facts.limits.tensors:
                raise LimitError("tensors", self.facts.limits.tensors, "holds more tensors", offset=whole.at)
            at, size = (content.at, content.size) if content is not None else (None, None)
            self.facts.tensors.append(Tensor(printable(node.name[:500]), name, shape, at, size))

    def known_numbers(
        self, dtype: int, elements: int, numbers: list[int], content: Field | None, floating: Field | None
    ) -> list[float]:
        """The numbers of a small constant: whole ones, truths, or a single other one."""
        if dtype in _WHOLE:
            return self.few(numbers, content, _WHOLE[dtype], elements)
        given = content or floating
        if dtype in _FLOATING and elements == 1 and given is not None and given.size == _FLOATING[dtype][1]:
            return list(struct.unpack(_FLOATING[dtype][0], self.walker.bytes(given.at, given.size)))
        return []

    def few(self, numbers: list[int], content: Field | None, width: int, elements: int) -> list[float]:
        """The numbers of a small constant: one that stands for all, a number each, or their bytes."""
        if content is not None and content.size == width * elements:
            data = self.walker.bytes(content.at, content.size)
            numbers = [
                int.from_bytes(data[at : at + width], "little", signed=True) for at in range(0, len(data), width)
            ]
        elif numbers and len(numbers) < elements:
            numbers += numbers[-1:] * (elements - len(numbers))
        return [float(each) for each in numbers[:_LISTED]]

    def carried(self, part: Field) -> None:
        """A text that is a serialized graph, which operations such as DatasetFromGraph run."""
        if part.size < 16 or self.walker.bytes(part.at, 1) not in {b"\x0a", b"\x12"}:
            return
        from openvet.formats._format import Head
        from openvet.formats.tf_graph import is_graph

        inner = self.source.window(part.at, part.size)
        if not is_graph(Head("", inner)):
            return
        if self.depth >= _NESTED or len(self.nested) > _NESTED_USES:
            self.facts.unknown("limit", "a graph inside a constant was not read: too many of them, or too deep")
            return
        reader = GraphReader(inner, self.facts, depth=self.depth + 1)
        reader.graph(0, inner.size)
        program = reader.finish(part.at)
        self.nested.extend(program.uses)
        for op, count in program.ops.items():
            self.ops[op] = self.ops.get(op, 0) + count

    def lie(self, lie: str, message: str, offset: int | None) -> None:
        self.facts.anomaly(RULE, message, offset, lie=lie)

    # --- what the operations are told

    def finish(self, base: int = 0) -> TfGraph:
        """The program: every operation that is not ordinary, with the constants that reach it."""
        self.walker.report(RULE, "TensorFlow")
        for at, what, certain in self.sizes.judge():
            offset = None if at is None else at + base
            self.facts.anomaly(RULE, what, offset, lie="absurd-size", beyond=certain)
        for at, what, certain in self.loops.judge():
            offset = None if at is None else at + base
            self.facts.anomaly(RULE, what, offset, lie="endless", beyond=certain)
        uses: dict[tuple[str, tuple[str, ...], bool], TfUse] = {}
        for scope, node in self.told:
            if node.op in self.functions:
                continue
            use = self.use(scope, node, base)
            uses.setdefault((use.op, use.arguments, use.computed), use)
            if len(uses) > self.facts.limits.records:
                raise LimitError("records", self.facts.limits.records, "more operations than are told apart")
        ops = {_shown(op): count for op, count in islice(self.ops.items(), 5000) if op not in self.functions}
        return TfGraph(self.facts.at(), ops, len(self.functions), (*uses.values(), *self.nested))

    def use(self, scope: Scope, node: Node, base: int) -> TfUse:
        known = self.known.get(node.op, OpKnowledge(""))
        found: list[str] = []
        self.computed = self.asset = False
        self.steps = 0
        for index in known.inputs:
            if index < len(node.inputs):
                found.extend(self.resolve(scope, node.inputs[index], set()))
        for key in known.attributes:
            found.extend(node.attributes.get(key, ()))
        arguments = tuple(dict.fromkeys(shorten(_shown(each), 300) for each in found[:_TEXTS_KEPT]))
        offset = None if node.offset is None else node.offset + base
        return TfUse(
            _shown(node.op), _shown(node.name), _shown(scope.name), offset, arguments, self.computed, self.asset
        )

    def resolve(self, scope: Scope, reference: str, seen: set[tuple[int, str]]) -> list[str]:
        """The texts that reach an input, as far as they are constants; through calls from the callers' side."""
        name = reference.partition(":")[0]
        self.steps += 1
        if reference.startswith("^") or (id(scope), name) in seen or self.steps > _STEPS or len(seen) > 200:
            return []
        seen.add((id(scope), name))
        node = scope.nodes.get(name)
        if node is None:
            if name not in scope.arguments:
                return []
            index = scope.arguments.index(name)
            out = []
            for caller, call in self.callers.get(scope.name, ())[:64]:
                if index < len(call.inputs):
                    out.extend(self.resolve(caller, call.inputs[index], seen))
            return out[:_TEXTS_KEPT]
        if node.op == "Const":
            self.asset |= not scope.name and name in self.assets
            return list(node.texts)
        if node.op == "StringJoin":
            pieces = [self.resolve(scope, each, seen)[:1] for each in node.inputs[:_TEXTS_KEPT]]
            separator = "".join(node.attributes.get("separator", [])[:1])
            return [separator.join(piece[0] if piece else "*" for piece in pieces)] if any(pieces) else []
        if node.op in self.same or node.op in self.made:
            out = [text for each in node.inputs[:_TEXTS_KEPT] for text in self.resolve(scope, each, seen)]
            self.computed |= bool(out) and node.op in self.made
            return out[:_TEXTS_KEPT]
        return []


def read_shape(walker: Walker, whole: Field) -> tuple[int, ...] | None:
    """A TensorShapeProto; ``None`` where an extent or the rank is unknown, or is no size."""
    shape: list[int] | None = []
    for part in walker.message("TensorShapeProto", whole.at, whole.end):
        if part.name == "unknown_rank":
            shape = None if part.value else shape
        elif part.name == "dim":
            extent = 0
            for inner in walker.message("TensorShapeProto-Dim", part.at, part.end):
                if inner.name == "size":
                    extent = inner.value
            if extent >= 1 << 63 or shape is None or len(shape) >= 254:
                shape = None
            else:
                shape.append(extent)
    return None if shape is None else tuple(shape)


def _shown(text: str) -> str:
    return printable(shorten(text, 300))
