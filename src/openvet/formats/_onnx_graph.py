"""The walk over an ONNX model: graphs in attributes, functions, operations, and the texts that they carry."""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._carried import hand_on
from openvet.formats._encoded import EncodedPickles
from openvet.formats._format import Facts
from openvet.formats._onnx_sizes import SIZED, Sized, Sizes
from openvet.formats._onnx_tensor import LIES, TensorReader
from openvet.formats._onnx_values import MOST_VALUES, described
from openvet.formats._protobuf import Field, Walker, schema
from openvet.formats._tf_program import is_outside
from openvet.io.source import Source

__all__ = ["OnnxReader"]

#: Operations that import and call the Python which they name, and what onnxruntime-extensions calls the functions that a program registers.
_PYTHON = frozenset({"PythonOp", "PythonOpGrad", "PyOp", "PyCustomOp"})
_REGISTERED = "PyCustomOpDef"
_NAMES = 2_000
#: Characters that are kept of a text about the model.
_TOLD = 8_192
_CARRIED = 200
#: Short texts of one attribute that are stepped over once they were there so often: a forest repeats a few words.
_REPEATED = 16
#: Nodes that the calls of functions may become; more of them is a bomb.
_EXPANDED = 10**9
#: Numbers of an attribute that are kept: those of a shape are few.
_SHAPE = 16
_KEPT_ATTRIBUTES = frozenset(
    {"ep_cache_context", "embed_mode", "onnx_model_filename", "operator", "func_name", "module", "name", "class_name"}
)


@dataclass(slots=True)
class _Node:
    """What is kept of a node."""

    at: int
    op: str = ""
    domain: str = ""
    inputs: list[Field] = field(default_factory=list)
    outputs: list[Field] = field(default_factory=list)
    attributes: dict[str, str | int] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.domain or 'ai.onnx'}:{self.op}"


def places_beside(source: Source, facts: Facts) -> dict[str, tuple[str, int]]:
    """Where a model says that tensors lie in other files: tensor -> (relative name of the file, offset of its first byte).

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more fields, tensors or nesting than is followed.
    """
    reader = OnnxReader(source, facts)
    reader.model()
    return {tensor: place for tensor, place in reader.tensors.placed.items() if tensor and place[0]}


class OnnxReader:
    """Reads one model; :meth:`finish` puts down what was counted, also after a break."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.walker = Walker(source, facts, schema("onnx"))
        self.tensors = TensorReader(self.walker, facts)
        self.used: Counter[str] = Counter()
        self.functions: set[str] = set()
        self.calls: dict[str, Counter[str]] = {}
        self.opsets: dict[str, int] = {}
        self.python: list[_Node] = []
        self.producer = ["", ""]
        self.graph: Field | None = None
        self.values: dict[str, list[dict[str, Any]]] = {"input": [], "output": []}
        self.carried = 0
        self.encoded = EncodedPickles(facts)
        self.sizes = Sizes()

    def model(self) -> None:
        """Walk everything, graphs and functions one after the other and not in each other."""
        waiting: list[tuple[str, Field, int, str]] = []
        broken: MalformedError | None = None
        try:
            self._top(waiting)
        except MalformedError as error:  # what stands in front of the break is walked all the same
            broken = error
        limit = self.facts.limits.nesting
        while waiting:
            kind, whole, depth, inside = waiting.pop()
            if depth > limit:
                raise LimitError("nesting", limit, "graphs are nested too deeply", offset=whole.at)
            waiting += [(type_, part, depth + 1, scope) for type_, part, scope in self._body(kind, whole, inside)]
        if broken is not None:
            raise broken

    def value(self, kind: str) -> None:
        """Walk a source that is one tensor, one sequence or optional value, or one function."""
        waiting: list[tuple[str, Field, int, str]] = [(kind, Field(0, 2, 0, 0, self.source.size, 0), 0, "")]
        limit = self.facts.limits.nesting
        while waiting:
            kind, whole, depth, inside = waiting.pop()
            if depth > limit:
                raise LimitError("nesting", limit, "values are nested too deeply", offset=whole.at)
            if kind == "TensorProto":
                self._tensor(whole, listed=True)
            elif kind == "SparseTensorProto":
                self._sparse(whole, listed=True)
            elif kind in ("GraphProto", "FunctionProto"):
                waiting += [(type_, part, depth + 1, scope) for type_, part, scope in self._body(kind, whole, inside)]
            else:
                for part in self.walker.message(kind, whole.at, whole.end):
                    if part.spec.type:
                        waiting.append((part.spec.type, part, depth + 1, ""))
                    elif part.spec.kind == "s":
                        self._carry(part, "text")

    def _top(self, waiting: list[tuple[str, Field, int, str]]) -> None:
        """The fields of the model itself; graphs and functions are put aside."""
        for part in self.walker.message("ModelProto", 0, self.source.size):
            if part.name == "ir_version":
                self.facts.note("ir_version", part.value)
            elif part.name in ("producer_name", "producer_version"):
                self.producer[part.name == "producer_version"] = self.walker.text(part, 200)
            elif part.name == "opset_import":
                self._opset(part)
            elif part.name == "metadata_props":
                self._texts(part)
                self._told(part)
            elif part.spec.type in ("GraphProto", "FunctionProto", "TrainingInfoProto"):
                self.graph = part if part.name == "graph" else self.graph
                waiting.append((part.spec.type, part, 0, ""))
            elif part.spec.type:
                self.walker.sweep(part.spec.type, part.at, part.end)
            elif part.spec.kind == "s":
                self._carry(part, "doc")

    def _body(self, kind: str, whole: Field, inside: str) -> list[tuple[str, Field, str]]:
        """One graph or function without the graphs in its nodes, which are given back with the function they stand in."""
        walker = self.walker
        later: list[tuple[str, Field, str]] = []
        if kind == "FunctionProto":
            inside = self._function(whole)
        self.sizes.enter(whole.at)
        for part in walker.message(kind, whole.at, whole.end):
            inner = part.spec.type
            if inner == "NodeProto":
                later += [("GraphProto", graph, inside) for graph in self._node(part, inside)]
            elif part.name == "initializer":
                self._tensor(part, listed=True)
                if self.tensors.last is not None:
                    self.sizes.constant(*self.tensors.last)
            elif inner == "SparseTensorProto":
                self._sparse(part, listed=True)
            elif inner == "GraphProto":
                later.append((inner, part, inside))
            elif inner == "AttributeProto":
                later += [("GraphProto", graph, inside) for graph in self._attribute(part, None)]
            elif inner == "StringStringEntryProto":
                self._texts(part)
            elif part.name == "opset_import":
                self._opset(part)
            elif whole is self.graph and part.name in self.values and len(self.values[part.name]) < MOST_VALUES:
                self.values[part.name].append(described(walker, part))
            elif inner:
                if part.name in ("input", "output") and inner == "ValueInfoProto":
                    self.sizes.end(part.name, self._name_of(part))
                walker.sweep(inner, part.at, part.end)
        return later

    def _name_of(self, whole: Field) -> str:
        names = (part for part in self.walker.message("ValueInfoProto", whole.at, whole.end) if part.name == "name")
        return _text_of(self.walker, next(names, None))

    def _function(self, whole: Field) -> str:
        named = {"name": "", "domain": "", "overload": ""}
        for part in self.walker.message("FunctionProto", whole.at, whole.end):
            if part.name in named:
                named[part.name] = self.walker.text(part, 500)
        name = f"{named['domain'] or 'ai.onnx'}:{named['name']}"
        self.functions.add(name)
        return name

    def _node(self, whole: Field, inside: str) -> list[Field]:
        node = _Node(whole.tag_at)
        graphs: list[Field] = []
        for part in self.walker.message("NodeProto", whole.at, whole.end):
            if part.name == "input":
                node.inputs.append(part)
            elif part.name == "output":
                node.outputs.append(part)
            elif part.name == "op_type":
                node.op = printable(shorten(self.walker.text(part, 500), 200))
            elif part.name == "domain":
                node.domain = printable(shorten(self.walker.text(part, 500), 200))
            elif part.name == "attribute":
                graphs += self._attribute(part, node)
            elif part.spec.type == "StringStringEntryProto":
                self._texts(part)
            elif part.spec.type:
                self.walker.sweep(part.spec.type, part.at, part.end)
        if len(self.used) < _NAMES * 10 or node.name in self.used:
            self.used[node.name] += 1
        if inside:
            self.calls.setdefault(inside, Counter())[node.name] += 1
        self._special(node)
        if node.op in SIZED and self.sizes.room:
            names = [[_text_of(self.walker, each) for each in ends[:8]] for ends in (node.inputs, node.outputs)]
            self.sizes.node(Sized(node.op, names[0], names[1], node.values, [each.at for each in graphs], node.at))
        return graphs

    def _attribute(self, whole: Field, node: _Node | None) -> list[Field]:
        """What an attribute holds: graphs are given back, tensors and texts are looked at."""
        walker = self.walker
        key = ""
        text: Field | None = None
        number: int | None = None
        numbers: list[int] = []
        seen: dict[bytes, int] = {}
        graphs: list[Field] = []
        for part in walker.message("AttributeProto", whole.at, whole.end):
            if part.name == "name":
                key = walker.text(part, 200)
            elif part.name == "s":
                text = part
                self._carry(part, "text")
            elif part.name == "strings":
                self._carry(part, "text")
                self._step_over(part, whole.end, seen)
            elif part.name in ("floats", "ints"):
                self._listed(part, whole.end, numbers)
            elif part.name == "i":
                number = part.value
            elif part.spec.type == "GraphProto":
                graphs.append(part)
            elif part.spec.type == "TensorProto":
                self._tensor(part, listed=False)  # a constant
                if node is not None and self.tensors.last is not None:
                    node.values[key] = self.tensors.last[1]
            elif part.spec.type == "SparseTensorProto":
                self._sparse(part, listed=False)
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)
        if node is not None:
            self._keep(node, key, text, number, numbers)
        return graphs

    def _listed(self, part: Field, end: int, numbers: list[int]) -> None:
        """Numbers of an attribute; the first few are kept."""
        if part.name == "ints" and len(numbers) <= _SHAPE:
            numbers += self.walker.numbers(part, _SHAPE + 1)
        else:
            self.walker.skip_like(part, end)

    def _keep(self, node: _Node, key: str, text: Field | None, number: int | None, numbers: list[int]) -> None:
        if 0 < len(numbers) <= _SHAPE or number is not None:
            node.values.setdefault(key, [*map(float, numbers)] or [float(number or 0)])
        if key in _KEPT_ATTRIBUTES:
            if text is not None:
                node.attributes[key] = self.walker.text(text, 1_000)
            elif number is not None:
                node.attributes[key] = number

    def _step_over(self, part: Field, end: int, seen: dict[bytes, int]) -> None:
        """Step over the texts that follow where they are a few short ones again and again."""
        if part.size > 40:
            return
        text = self.walker.bytes(part.tag_at, part.end - part.tag_at)
        if text in seen or len(seen) < _REPEATED:
            seen[text] = seen.get(text, 0) + 1
        if seen.get(text, 0) >= _REPEATED:
            self.walker.skip_like(part, end, seen)

    def _tensor(self, whole: Field, *, listed: bool) -> None:
        for part in self.tensors.tensor(whole, listed=listed):
            self._carry(part, "raw-data" if part.name == "raw_data" else "text")

    def _sparse(self, whole: Field, *, listed: bool) -> None:
        for part in self.walker.message("SparseTensorProto", whole.at, whole.end):
            if part.spec.type == "TensorProto":
                for text in self.tensors.tensor(part, listed=listed and part.name == "values", owner=part.name):
                    self._carry(text, "raw-data" if text.name == "raw_data" else "text")

    def _opset(self, whole: Field) -> None:
        domain, version = "", 0
        for part in self.walker.message("OperatorSetIdProto", whole.at, whole.end):
            if part.name == "domain":
                domain = printable(shorten(self.walker.text(part, 200), 200))
            else:
                version = part.value
        if len(self.opsets) < _NAMES:
            self.opsets[domain or "ai.onnx"] = version

    def _texts(self, whole: Field) -> None:
        """A pair of texts."""
        for part in self.walker.message("StringStringEntryProto", whole.at, whole.end):
            self._carry(part, part.name)

    def _told(self, whole: Field) -> None:
        """Keep a pair that says something of the whole model."""
        pair = {
            part.name: self.walker.text(part, _TOLD)
            for part in self.walker.message("StringStringEntryProto", whole.at, whole.end)
        }
        told = self.facts.metadata.setdefault("metadata_props", {})
        if len(told) < _NAMES and pair.get("key"):
            told[printable(pair["key"])[:200]] = printable(pair.get("value", ""))

    def _carry(self, part: Field, what: str) -> None:
        """A text that begins like a pickle, an archive or a program is handed on as a member."""
        if part.size < 16 or self.carried >= _CARRIED:
            return
        window, name = self.source.window(part.at, part.size), f"{what}-at-{part.at}"
        if what == "raw-data":
            self.carried += hand_on(window, self.facts, name, part.at)
        else:
            self.encoded.field(window, name, part.at)

    def _special(self, node: _Node) -> None:
        """Nodes that load something, or that call Python."""
        facts = self.facts
        if node.op == "EPContext":
            named = node.attributes.get("embed_mode", 1) != 1
            paths = [str(node.attributes.get("onnx_model_filename", ""))]
            paths += [str(node.attributes.get("ep_cache_context", ""))] if named else []
            for path in filter(None, paths):
                shown, outside = printable(shorten(path, 300)), is_outside(path)
                where = "outside the model" if outside else "beside the model"
                message = f"a compiled model for one device is loaded from {shown}, {where}"
                facts.anomaly("onnx/compiled-context", message, node.at, path=shown, outside=outside)
            if not named and "ep_cache_context" in node.attributes:
                message = "a compiled model for one device is carried in the node"
                facts.anomaly("onnx/compiled-context", message, node.at, outside=False)
                facts.unknown("unsupported", f"{message}, which nothing here can read", node.at)
        elif (node.op in _PYTHON or node.op.startswith(_REGISTERED)) and len(self.python) < _NAMES:
            self.python.append(node)
        elif node.op == "ATen" and isinstance(node.attributes.get("operator"), str):
            operator = printable(shorten(str(node.attributes["operator"]), 100))
            known = facts.metadata.setdefault("aten", {})
            if operator in known or len(known) < _NAMES:
                known[operator] = known.get(operator, node.at)

    def finish(self) -> None:
        """Put down what was counted, and judge what only the whole model tells."""
        facts = self.facts
        producer = " ".join(each for each in self.producer if each)
        for key, value in (("producer", producer), ("opsets", dict(sorted(self.opsets.items())))):
            if value:
                facts.note(key, value)
        facts.note("operations", dict(sorted(self.used.items())[:_NAMES]))
        for name, values in self.values.items():
            if values:
                facts.note(f"{name}s", values)
        if len(self.used) > _NAMES:
            facts.unknown("limit", f"{len(self.used) - _NAMES} more kinds of operations are not listed")
        if self.functions:
            facts.note("functions", [printable(shorten(each, 200)) for each in sorted(self.functions)[:_NAMES]])
        if self.tensors.external:
            facts.note("external_data", [printable(each) for each in sorted(self.tensors.external)[:_NAMES]])
        for node in self.python:
            if node.name not in self.functions:
                words = [
                    str(node.attributes[key])
                    for key in ("module", "class_name", "name", "func_name")
                    if key in node.attributes
                ]
                given = printable(shorten(".".join(words), 200))
                message = f"the operation {node.op} calls Python" + (f": {given}" if given else "")
                registered = node.op.startswith(_REGISTERED)
                message += " that whoever loads it has registered" if registered else ""
                kind = "registered" if registered else "named"
                facts.anomaly("onnx/python-operation", message, node.at, operation=node.name, given=given, kind=kind)
        self._cycle()
        for at, what, certain in self.sizes.judge():
            facts.anomaly(LIES, what, at, lie="absurd-size", beyond=certain)
        self.walker.report(LIES, "ONNX")

    def _cycle(self) -> None:
        """A function that calls itself, by whatever way, never ends where it is put in place of its calls."""
        open_calls = {name: self.functions.intersection(self.calls.get(name, ())) for name in self.functions}
        callers: dict[str, list[str]] = {}
        for name, called in open_calls.items():
            for each in called:
                callers.setdefault(each, []).append(name)
        ready = [name for name, called in open_calls.items() if not called]
        sizes: dict[str, int] = {}
        while ready:  # take away what calls nothing; what is left at the end goes round
            name = ready.pop()
            del open_calls[name]
            called_here = self.calls.get(name, Counter())
            sizes[name] = min(sum(times * sizes.get(each, 1) for each, times in called_here.items()), _EXPANDED)
            for caller in callers.get(name, ()):
                open_calls[caller].discard(name)
                if not open_calls[caller]:
                    ready.append(caller)
        if max(sizes.values(), default=0) >= _EXPANDED:
            message = "the calls of its functions become more than a thousand million nodes"
            self.facts.anomaly(LIES, message, lie="expansion", beyond=True)
        if open_calls:
            shown = printable(shorten(min(open_calls), 200))
            self.facts.anomaly(LIES, f"functions call each other in a circle: {shown}", lie="recursion", beyond=True)


def _text_of(walker: Walker, part: Field | None) -> str:
    """A name of a value; empty where there is none, or where nobody would call a value so."""
    return walker.text(part, 500) if part is not None and part.size <= 500 else ""
