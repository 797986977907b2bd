"""The loops of a TensorFlow Lite model, as :mod:`openvet.formats._loops` reads them: one part for each of its graphs."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import islice

from openvet.formats._flatbuffers import Table
from openvet.formats._format import Facts
from openvet.formats._loops import KEPT, Loops, Part, Step

__all__ = ["LOOPS", "tell_loops"]

LOOPS = frozenset({"builtin:WHILE", "builtin:STABLEHLO_WHILE"})
_MOST = 100_000
#: TensorType -> how one number of it is written.
_NUMBERS = {0: "<f", 2: "<i", 3: "<B", 4: "<q", 6: "<?", 7: "<h", 9: "<b", 10: "<d", 12: "<Q", 15: "<I"}


def tell_loops(
    model: Table, names: Sequence[str], buffers: Sequence[tuple[int | None, int | None]], facts: Facts
) -> None:
    """Record the loops that never end."""
    loops = Loops()
    for number, graph in enumerate(islice(model.items("subgraphs"), 10_000)):
        part = Part(str(number))
        part.arguments = [str(each) for each in graph.numbers("inputs", 1_000)]
        results = graph.numbers("outputs", 1_000)
        part.outputs = [f"o{at}" for at in range(len(results))]
        part.results = {f"o{at}": str(each) for at, each in enumerate(results)}
        loops.part(part)
        for index, tensor in enumerate(islice(graph.items("tensors"), _MOST)):
            place, size = buffers[tensor.number("buffer")] if tensor.number("buffer") < len(buffers) else (None, 0)
            code = _NUMBERS.get(tensor.number("type"))
            if code is not None and place is not None and size == struct.calcsize(code):
                value = float(struct.unpack(code, tensor.walk.bytes_at(place, size))[0])
                loops.add(part, str(index), Step("Const", number=value))
        for operator in islice(graph.items("operators"), _MOST):
            index = operator.number("opcode_index")
            name = names[index].partition(":")[2] if index < len(names) else ""
            if name in KEPT:
                step = Step(
                    name,
                    tuple(str(each) for each in operator.numbers("inputs", 1_000)),
                    _parts(operator, name),
                    None,
                    operator.at,
                )
                for each in operator.numbers("outputs", 1):
                    loops.add(part, str(each), step)
    for at, what, beyond in loops.judge():
        facts.anomaly("flatbuffer/structure-lies", what, at, beyond=beyond)


def _parts(operator: Table, name: str) -> dict[str, str]:
    options = operator.table("builtin_options2" if name.startswith("STABLEHLO") else "builtin_options")
    if f"builtin:{name}" not in LOOPS or options is None or not options.kind.endswith("WhileOptions"):
        return {}
    return {"cond": str(options.number("cond_subgraph_index")), "body": str(options.number("body_subgraph_index"))}
