"""Quantize an ONNX graph: whole numbers of 8 bits by ONNX Runtime's own quantizer, or blocks of 4 bits for MatMulNBits.

Dynamic quantization rounds weights when the file is made, and activations whenever it runs. Blocks of 4 bits are those that ONNX Runtime's
``com.microsoft.MatMulNBits`` reads, and are written here, since its own writer needs a package more. What is stored in 8 bits becomes 32-bit floats again when the graph
is loaded, by operators that every runtime has.

Of a folder whose graphs work together, such as those that find and read lines of text, each becomes a smaller one; one that would not be smaller comes along as it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from itertools import permutations
from typing import Any, Final

from openvet.transforms._onnx_graph import drop, lift, store_in_eight_bits
from openvet.transforms._safetensors import copy_rest
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "blocks_of_four", "graphs_in", "make"]

TRANSFORM: Final = Transform(
    id="onnx-quantize",
    command="quantize",
    inputs=("onnx",),
    output="onnx",
    folder=True,
    changes="constant matrices become whole numbers of a few bits with scales; what no such operator takes stays as it is",
    targets=(
        Target("int8", {"method": "int8"}, "8 bits, one scale for each matrix"),
        Target("int8-per-channel", {"method": "int8", "per-channel": True}, "8 bits, one scale for each column"),
        Target(
            "uint8-reduce-range", {"method": "uint8", "reduce-range": True}, "7 of 8 bits, for processors without VNNI"
        ),
        Target(
            "int8-matmul", {"method": "int8", "only-matmul": True}, "8 bits in products of matrices; embeddings stay"
        ),
        Target(
            "int8-stored",
            {"method": "int8-stored"},
            "8 bits in the file, one scale for each channel; computed in 32 bits, in the parent's memory",
        ),
        Target("int4", {"method": "int4"}, "4 bits in blocks along the rows, weights only; embeddings stay"),
    ),
    settings=(
        Setting("method", "text", "int8", "which quantizer"),
        Setting("per-channel", "flag", False, "one scale for each column"),
        Setting(
            "reduce-range", "flag", False, "7 of 8 bits, so that sums of 16 bits do not overflow where there is no VNNI"
        ),
        Setting("only-matmul", "flag", False, "leave embeddings as they are"),
        Setting("block", "int", 32, "numbers of one block of 4 bits", 16, 256),
    ),
    packages=("onnxruntime", "onnx", "numpy"),
    install="'openvet[onnx]' onnx",
    packed=True,
    ladder=True,
    keeps=True,
)
_LARGEST: Final = 2_000_000_000
_MOST_GRAPHS: Final = 16
#: Behind the name of a graph: the same one in another form.
_FORM: Final = ("_", "-", ".")


def graphs_in(source: str) -> list[str]:
    """The graphs of a folder that are parts of one model, relative to it; '' for a file.

    Raises:
        CannotError: there is none, there are too many, or one is another in a different form: nobody says which of them is meant.
    """
    if os.path.isfile(source):
        return [""]
    found = sorted(
        os.path.relpath(os.path.join(root, name), source)
        for root, _, names in os.walk(source)
        for name in names
        if name.endswith(".onnx")
    )
    if not 1 <= len(found) <= _MOST_GRAPHS:
        raise CannotError(f"there are {len(found)} graphs in the folder ({', '.join(found[:5])}): name the file of one")
    stems = [each.removesuffix(".onnx") for each in found]
    for one, other in permutations(stems, 2):
        if other.startswith(tuple(one + each for each in _FORM)):
            raise CannotError(
                f"{other}.onnx seems to be another form of {one}.onnx, and not another part of the model: name the file of one"
            )
    return found


def make(task: Making) -> dict[str, Any]:
    """Quantize each graph; of a folder the files that are no weights come along."""
    names = graphs_in(task.source)
    record: dict[str, Any] = {}
    kept: dict[str, str] = {}
    for name in names:
        source, target = (os.path.join(each, name) if name else each for each in (task.source, task.target))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if len(names) == 1:
            record = _smaller(source, target, task)
            continue
        task.said(name)
        try:
            done = _smaller(source, target, task)
        except CannotError as error:
            kept[name] = str(error)
        else:
            record |= {each: record.get(each, 0) + count for each, count in done.items()}
            if os.path.getsize(target) >= os.path.getsize(source):
                kept[name] = "it would not be smaller"
        if name in kept:
            shutil.copyfile(source, target)
    if len(names) == len(kept):
        raise CannotError("not one graph becomes smaller: " + "; ".join(f"{each}: {why}" for each, why in kept.items()))
    if len(names) > 1:
        record["graphs"] = len(names)
    if kept:
        record["kept"] = "; ".join(f"{each}: {why}" for each, why in kept.items())
    if names != [""]:
        copy_rest(task.source, task.target)
    return record


def _smaller(source: str, target: str, task: Making) -> dict[str, Any]:
    """Quantize one graph (raises :class:`CannotError`)."""
    import onnx

    if os.path.getsize(source) > _LARGEST:
        raise CannotError("a graph of more than 2 GB cannot be quantized here: protobuf does not hold it")
    model = onnx.load(source, load_external_data=False)
    if any(each.data_location == onnx.TensorProto.EXTERNAL for each in model.graph.initializer):
        raise CannotError("weights beside the graph are not followed here: put them into it first (onnx.save_model)")
    lifted = lift(model)
    if task.settings["method"] == "int4":
        record = _four_bits(model, task.settings["block"])
        onnx.save(model, target)
    elif task.settings["method"] == "int8-stored":
        record = {"stored": store_in_eight_bits(model)}
        onnx.save(model, target)
    else:
        record = _eight_bits(model if lifted else None, source, target, task)
    _opens(target)
    return record


def _opens(target: str) -> None:
    """Whether ONNX Runtime takes what was written (raises :class:`CannotError`): a file that nothing opens is no model."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(target, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own classes have no other base
        raise CannotError(f"ONNX Runtime does not open what was made: {error}") from error


def _eight_bits(model: Any, source: str, target: str, task: Making) -> dict[str, Any]:
    """By ONNX Runtime, of ``model`` or, where that is ``None``, of the file."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # shapes are inferred into a file beside the input, which must not be the parent's folder
    with tempfile.TemporaryDirectory() as folder:
        beside = os.path.join(folder, "model.onnx")
        if model is None:
            shutil.copyfile(source, beside)
        else:
            onnx.save(model, beside)
        _quantize(beside, target, task, quantize_dynamic, QuantType)
    return {}


def _quantize(source: str, target: str, task: Making, quantize_dynamic: Any, types: Any) -> None:
    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul"] if task.settings["only-matmul"] else None,
        per_channel=task.settings["per-channel"],
        reduce_range=task.settings["reduce-range"],
        weight_type=types.QUInt8 if task.settings["method"] == "uint8" else types.QInt8,
    )


def blocks_of_four(weight: Any, block: int) -> tuple[Any, Any]:
    """A matrix of K rows and N columns as MatMulNBits has it: packed ``[N, blocks, block / 2]``, and a scale for each block of each column.

    The number of the largest magnitude becomes -8 exactly, so that all sixteen values are used; a zero point of 8 is what the operator takes by itself.

    Source: ``com.microsoft.MatMulNBits`` in ONNX Runtime's ContribOperators.md.
    """
    import numpy as np

    rows, columns = weight.shape
    count = -(-rows // block)
    padded = np.zeros((columns, count * block), np.float32)
    padded[:, :rows] = weight.T
    parts = padded.reshape(columns, count, block)
    at = np.abs(parts).argmax(axis=2, keepdims=True)
    scales = np.take_along_axis(parts, at, axis=2) / -8.0
    inverse = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales != 0)
    whole = np.clip(np.rint(parts * inverse) + 8, 0, 15).astype(np.uint8)
    return whole[..., 0::2] | (whole[..., 1::2] << 4), scales.reshape(-1).astype(np.float32)


def _four_bits(model: Any, block: int) -> dict[str, Any]:
    """Every product with a constant matrix of 32-bit floats becomes one with blocks."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    if block & (block - 1):
        raise CannotError(f"a block of {block} numbers is none that MatMulNBits takes: powers of two from 16 to 256")
    graph = model.graph
    constants = {each.name: each for each in graph.initializer}
    made: dict[str, tuple[str, str]] = {}
    done = 0
    for node in graph.node:
        constant = constants.get(node.input[1]) if node.op_type == "MatMul" and len(node.input) == 2 else None
        if constant is None or len(constant.dims) != 2 or constant.data_type != onnx.TensorProto.FLOAT:
            continue
        rows, columns = constant.dims
        if constant.name not in made:
            weight = numpy_helper.to_array(constant)
            if not np.all(np.isfinite(weight)):
                raise CannotError(f"{constant.name} holds infinity or NaN, which no block of 4 bits can hold")
            packed, scales = blocks_of_four(weight, block)
            names = (f"{constant.name}_Q4", f"{constant.name}_scales")
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(packed), names[0]))
            graph.initializer.append(numpy_helper.from_array(scales, names[1]))
            made[constant.name] = names
        node.input[1:] = made[constant.name]
        node.op_type, node.domain = "MatMulNBits", "com.microsoft"
        del node.attribute[:]
        for key, value in (("K", rows), ("N", columns), ("bits", 4), ("block_size", block)):
            node.attribute.append(helper.make_attribute(key, value))
        done += 1
    if not done:
        raise CannotError(
            "no product with a constant matrix of 32-bit floats was found, so that there is nothing to quantize to 4 bits"
        )
    drop(graph, made)
    if not any(each.domain == "com.microsoft" for each in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return {"products": done}
