"""Any graph of ONNX: loaded by ONNX Runtime, and computed on what is given, on zeros, or on what is drawn."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._engine import CannotError, Opened, Piece

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

__all__ = ["TYPES", "Graph", "session_of"]

TYPES: Final = {
    "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(int32)": "int32",
    "tensor(int16)": "int16", "tensor(int8)": "int8", "tensor(uint8)": "uint8", "tensor(uint16)": "uint16", "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64", "tensor(bool)": "bool",
}  # fmt: skip
#: A size that the graph leaves open: of a picture, and of anything else behind the first, which is 1.
_SIDE: Final = 64
_OPEN: Final = 16
#: The same of a picture that is drawn, and how high a line of strokes is in it.
_DRAWN: Final = 320
_LINE: Final = 48
#: Numbers of an output that are compared at most.
_SOME: Final = 1 << 16
_MOST_VALUES: Final = 1 << 28
_LISTED: Final = 1 << 18


def session_of(path: str, threads: int) -> Any:
    """A graph in memory.

    Raises:
        CannotError: ONNX Runtime does not take it, in its words.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the machine is not only theirs
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has classes of its own, and a graph decides which
        raise CannotError(f"ONNX Runtime cannot load it: {error}"[:800]) from error


class Graph(Opened):
    """A graph that computes."""

    def __init__(self, session: Any, path: str) -> None:
        self.session = session
        self._path = path
        self.inputs: dict[str, Any] = {each.name: each for each in session.get_inputs()}
        self.outputs: list[str] = [each.name for each in session.get_outputs()]

    def facts(self) -> dict[str, Any]:
        return {"file": os.path.basename(self._path), "inputs": len(self.inputs), "outputs": len(self.outputs)}

    def run(self, given: Mapping[str, Any], outputs: Sequence[str] | None = None) -> list[Any]:
        """Compute (raises :class:`CannotError` in the runtime's words)."""
        try:
            return list(self.session.run(outputs, dict(given)))
        except Exception as error:  # as above
            raise CannotError(f"the graph cannot compute that: {error}"[:800]) from error

    def compute(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """Compute once, on what is given, and elsewhere on zeros, or on what is drawn from a seed."""
        import numpy as np

        named = request.get("inputs") or {}
        seed = request.get("seed")
        random = None if seed is None else np.random.default_rng(int(seed))
        unknown = sorted(set(named) - set(self.inputs))
        if unknown:
            raise CannotError(f"the graph has no input {unknown[0][:60]!r}; it has {', '.join(self.inputs)}"[:800])
        given = {name: _array(each, named.get(name) or {}, random) for name, each in self.inputs.items()}
        begun = time.perf_counter()
        found = self.run(given)
        seconds = time.perf_counter() - begun
        if random is not None and not all(np.isfinite(each).all() for each in found if _counts(each)):
            raise CannotError("an output holds infinity, or what is no number")
        return {
            "outputs": {
                name: _listed(each, some=random is not None) for name, each in zip(self.outputs, found, strict=True)
            },
            "seconds": seconds,
        }


def _array(wanted: Any, given: Mapping[str, Any], random: Any = None) -> Array:
    """An input: what is given for it, or drawn where it takes numbers that are not whole, or zeros."""
    import numpy as np

    kind = TYPES.get(wanted.type)
    if kind is None:
        raise CannotError(f"the input {wanted.name!r} is a {wanted.type}, which cannot be given here")
    shape = given.get("shape") or _shape(wanted.shape, _SIDE if random is None else _DRAWN)
    if (
        not all(type(each) is int and 0 <= each < 2**31 for each in shape)
        or int(np.prod(shape, dtype=object)) > _MOST_VALUES
    ):
        raise CannotError(f"the shape of {wanted.name!r} has to be sizes, of {_MOST_VALUES} values at most together")
    if given.get("data") is None:
        drawn = random is not None and kind.startswith("float")
        return _drawn(random, shape).astype(kind) if drawn else np.zeros(shape, kind)
    try:
        return np.array(given["data"], kind).reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise CannotError(f"the data of {wanted.name!r} are not what its shape and type say: {error}") from error


def _drawn(random: Any, shape: Sequence[int]) -> Array:
    """Dark strokes on light paper where a picture is taken, from -1 to 1; else numbers of a normal distribution."""
    import numpy as np

    found: Array
    if len(shape) != 4 or shape[1] not in (1, 3):
        found = random.standard_normal(shape)
        return found
    found = np.ones(shape)
    height, width = shape[2:]
    for line in range(0, height, _LINE):
        for left in range(_LINE // 2, max(width - _LINE // 2, 0), _LINE // 2):
            for _ in range(3):
                top, across = line + int(random.integers(_LINE // 4, _LINE // 2)), int(random.integers(_LINE // 4))
                tall, wide = (_LINE // 3, 2) if random.integers(2) else (2, _LINE // 3)
                found[:, :, top : top + tall, left + across : left + across + wide] = -1.0
    return found


def _shape(sizes: Sequence[Any], side: int = _SIDE) -> list[int]:
    """The sizes of an input, a guess where the graph leaves them open."""
    picture = len(sizes) == 4
    return [
        each
        if type(each) is int and each > 0
        else 1
        if at == 0
        else side
        if picture and at > 1
        else 3
        if picture
        else _OPEN
        for at, each in enumerate(sizes)
    ]


def _counts(value: Any) -> bool:
    import numpy as np

    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def _listed(value: Any, *, some: bool = False) -> dict[str, Any]:
    """An output as JSON; its values where they are not too many, or ``some`` of them: one of so many in turn."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        return {"type": type(value).__name__, "shape": [], "data": None}
    if some and value.size and value.dtype.kind in "fiub":
        data = value.ravel()[:: -(-value.size // _SOME)].tolist()
        return {"type": str(value.dtype), "shape": list(value.shape), "data": data}
    data = value.ravel().tolist() if value.size <= _LISTED and value.dtype.kind in "fiub" else None
    return {"type": str(value.dtype), "shape": list(value.shape), "data": data}
