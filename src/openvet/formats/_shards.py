"""Weights in numbered files without a mark, which a document beside them describes: models of TensorFlow.js and of MLC.

A document of TensorFlow.js lists groups of files and the tensors that lie in them one after the other, without gaps and in files of
one size but for the last; ``tensorflowjs_converter`` makes them of 4 MiB. One of MLC lists each file with its size.

References: ``WeightsManifestConfig`` of TensorFlow.js; ``ndarray-cache.json`` of TVM's ``NDArrayCache``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from openvet.formats._format import Facts

__all__ = ["look"]

_SHARD: Final = 4 * 1024 * 1024
_MOST: Final = 100_000
_SIZES: Final = {
    "bool": 1, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4, "complex64": 8,
}  # fmt: skip


def look(facts: Facts) -> None:
    """Claim the files that the document just read describes."""
    document = facts.document
    if not isinstance(document, dict):
        return
    groups, records = document.get("weightsManifest"), document.get("records")
    if isinstance(groups, list):
        for group in groups[:_MOST]:
            _claim_group(facts, group)
    elif isinstance(records, list):
        for record in records[:_MOST]:
            if not isinstance(record, dict) or record.get("format") != "raw-shard":
                continue
            name, size = record.get("dataPath"), record.get("nbytes")
            if _is_name(name) and type(size) is int and size > 0:
                facts.claims[name] = [(0, size)]


def _claim_group(facts: Facts, group: Any) -> None:
    paths, weights = (group.get("paths"), group.get("weights")) if isinstance(group, dict) else (None, None)
    if not isinstance(paths, list) or not isinstance(weights, list) or not 0 < len(paths) <= _MOST:
        return
    sizes = [_size(each) for each in weights]
    if not all(map(_is_name, paths)) or any(size is None for size in sizes):
        return
    left = sum(size or 0 for size in sizes)
    for at, path in enumerate(paths):
        part = left if at == len(paths) - 1 else min(left, _SHARD)
        if part > 0:
            facts.claims[path] = [(0, part)]
        left -= part


def _size(weight: Any) -> int | None:
    """Bytes of one tensor; ``None`` where that cannot be told, as for text."""
    shape = weight.get("shape") if isinstance(weight, dict) else None
    if not isinstance(shape, list) or len(shape) > 32 or not all(type(each) is int and each >= 0 for each in shape):
        return None
    quantized = weight.get("quantization")
    kind = quantized.get("dtype") if isinstance(quantized, dict) else weight.get("dtype")
    size = _SIZES.get(kind) if isinstance(kind, str) else None
    return None if size is None else size * math.prod(shape)


def _is_name(name: Any) -> TypeGuard[str]:
    """Whether this is the name of a file in the folder of the document."""
    return isinstance(name, str) and 0 < len(name) < 256 and "/" not in name and "\\" not in name
