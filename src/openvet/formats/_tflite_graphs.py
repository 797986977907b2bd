"""The graphs of a TensorFlow Lite model that name each other, and new shapes that have no room where they are written.

An operator may run other graphs of the model: branches, loops, initializers, calls. Runtimes prepare each of them when they prepare
the operator, and know no recursion: a graph that leads back to itself exhausts the stack, whatever its condition says. A reshape
writes its new shape over that of its output; runtimes for microcontrollers, which keep the shapes in the file, have room for as many
extents as the output has there.

Reference: ``tensorflow/lite/kernels/while.cc`` and ``reshape.cc``; CVE-2021-29591.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from openvet.formats._flatbuffers import Table
from openvet.formats._format import Facts

__all__ = ["tell_graphs"]

#: Operators that run other graphs, and where those are named: fields of their options with a number, or with several.
_RUNS = {
    "WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    "IF": ("then_subgraph_index", "else_subgraph_index"),
    "CALL": ("subgraph",),
    "CALL_ONCE": ("init_subgraph_index",),
    "STABLEHLO_WHILE": ("cond_subgraph_index", "body_subgraph_index"),
    "STABLEHLO_CASE": ("branch_subgraph_indices",),
    "STABLEHLO_COMPOSITE": ("decomposition_subgraph_index",),
    "STABLEHLO_REDUCE": ("body_subgraph_index",),
    "STABLEHLO_REDUCE_WINDOW": ("body_subgraph_index",),
    "STABLEHLO_SCATTER": ("update_computation_subgraph_index",),
    "STABLEHLO_SORT": ("comparator_subgraph_index",),
}
_RULE = "flatbuffer/structure-lies"
_GRAPHS, _MOST, _EXTENTS = 10_000, 100_000, 64
_INT32 = 2


def tell_graphs(
    model: Table, names: Sequence[str], buffers: Sequence[tuple[int | None, int | None]], facts: Facts
) -> None:
    """Record a graph that leads back to itself, and reshapes that write more extents than there is room for."""
    wanted = {
        index: name
        for index, each in enumerate(names)
        if (name := each.partition(":")[2]) in _RUNS or name == "RESHAPE"
    }
    if not wanted:
        return
    runs: dict[int, list[tuple[int, int]]] = {}
    for number, graph in enumerate(islice(model.items("subgraphs"), _GRAPHS)):
        reshapes: list[Table] = []
        for operator in islice(graph.items("operators"), _MOST):
            name = wanted.get(operator.number("opcode_index"), "")
            if name == "RESHAPE":
                reshapes.append(operator)
            elif name:
                runs.setdefault(number, []).extend((each, operator.at) for each in _graphs(operator, name))
        if reshapes:
            _tell_reshapes(graph, reshapes, buffers, facts)
    back = _leads_back(runs)
    if back is not None:
        facts.anomaly(_RULE, "a graph of the model runs itself again, without end", back, beyond=True)


def _graphs(operator: Table, name: str) -> Iterator[int]:
    """The graphs that an operator runs. Options that are not there, or are those of another operator, are zeros for a runtime."""
    options = operator.table("builtin_options2" if name.startswith("STABLEHLO") else "builtin_options")
    fields = {each for each, _ in options.walk.schema.tables[options.kind]} if options is not None else set[str]()
    for field in _RUNS[name]:
        if options is None or field not in fields:
            if not name.startswith("STABLEHLO"):
                yield 0
        elif field.endswith("indices"):
            yield from options.numbers(field, _EXTENTS)
        else:
            yield options.number(field)


def _leads_back(runs: dict[int, list[tuple[int, int]]]) -> int | None:
    """Where the operator lies by which a graph comes to run itself."""
    state: dict[int, int] = {}
    for start in runs:
        waiting = [(start, False)]
        while waiting:
            graph, left = waiting.pop()
            if left:
                state[graph] = 2
            elif not state.get(graph):
                state[graph] = 1
                waiting.append((graph, True))
                for each, at in runs.get(graph, ()):
                    if state.get(each) == 1:
                        return at
                    waiting.append((each, False))
    return None


def _tell_reshapes(
    graph: Table, reshapes: Sequence[Table], buffers: Sequence[tuple[int | None, int | None]], facts: Facts
) -> None:
    tensors = list(islice(graph.items("tensors"), _MOST))
    for operator in reshapes:
        inputs, outputs = operator.numbers("inputs", 2), operator.numbers("outputs", 1)
        room = len(tensors[outputs[0]].numbers("shape", _EXTENTS)) if outputs and 0 <= outputs[0] < len(tensors) else 0
        if len(inputs) > 1 and 0 <= inputs[1] < len(tensors):  # a tensor with the shape counts before the options
            count = _numbers_in(tensors[inputs[1]], buffers)
        else:
            options = operator.table("builtin_options")
            count = options.vector("new_shape")[1] if options is not None and options.kind == "ReshapeOptions" else 0
        if count > room > 0:  # without extents the rank of the output is not known
            message = f"a reshape writes {count} extents over the {room} of its output"
            facts.anomaly(_RULE, message, operator.at, beyond=True)
            return


def _numbers_in(tensor: Table, buffers: Sequence[tuple[int | None, int | None]]) -> int:
    """How many numbers a constant of 32 bits has; 0 where it is none."""
    index = tensor.number("buffer")
    size = buffers[index][1] if index < len(buffers) else None
    return (size or 0) // 4 if tensor.number("type") == _INT32 else 0
