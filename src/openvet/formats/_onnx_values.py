"""What goes into an ONNX graph and what comes out of it: name, type and extents of each."""

from __future__ import annotations

from typing import Any

from openvet.core.text import printable, shorten
from openvet.formats._onnx_tensor import DTYPES
from openvet.formats._protobuf import Field, Walker

__all__ = ["MOST_VALUES", "described"]

#: Inputs, and outputs, that are kept; up to IR version 3 every weight is an input too.
MOST_VALUES = 2_000
_MOST_EXTENTS = 64
_NEGATIVE = 1 << 63


def described(walker: Walker, whole: Field) -> dict[str, Any]:
    """A ``ValueInfoProto`` as ``name``, ``dtype`` (as for tensors; empty where it is no tensor) and ``shape``.

    An extent is a whole number, the name that the model gives to one that is not fixed, or ``?``. A value without a shape has none.
    """
    out: dict[str, Any] = {"name": "", "dtype": ""}
    for part in walker.message("ValueInfoProto", whole.at, whole.end):
        if part.name == "name":
            out["name"] = printable(shorten(walker.text(part, 500), 200))
        elif part.name == "type":
            for kind in walker.message("TypeProto", part.at, part.end):
                if kind.name == "tensor_type":
                    _tensor(walker, kind, out)
                elif kind.spec.type:
                    walker.sweep(kind.spec.type, kind.at, kind.end)
        elif part.spec.type:
            walker.sweep(part.spec.type, part.at, part.end)
    return out


def _tensor(walker: Walker, whole: Field, out: dict[str, Any]) -> None:
    for part in walker.message("TypeProto-Tensor", whole.at, whole.end):
        if part.name == "elem_type":
            out["dtype"] = DTYPES.get(part.value, (f"ONNX_{part.value}", 0))[0]
        elif part.name == "shape":
            extents = out["shape"] = []
            for dim in walker.message("TensorShapeProto", part.at, part.end):
                extent = _extent(walker, dim) if dim.name == "dim" else "?"
                if len(extents) < _MOST_EXTENTS:
                    extents.append(extent)


def _extent(walker: Walker, whole: Field) -> int | str:
    found: int | str = "?"
    for part in walker.message("TensorShapeProto-Dimension", whole.at, whole.end):
        if part.name == "dim_value":
            found = part.value if part.value < _NEGATIVE else "?"
        elif part.name == "dim_param":
            found = printable(shorten(walker.text(part, 200), 60)) or "?"
    return found
