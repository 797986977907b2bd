r"""Digests of a model's tensors, whatever files they lie in: the same weights in one file, in shards, in an archive or in an OCI
layout have the same digests.

Both are SHA-256 over lines of text, sorted by their UTF-8 bytes, behind a first line that names the form::

    openvet tensors v1 named\n        <sha256 of the data>  <dtype>  <extents with commas>  <name as JSON>\n   ...
    openvet tensors v1 nameless\n     <sha256 of the data>  <dtype>  <extents with commas>\n                   ...

The data of a tensor is its elements in row-major order, little-endian, one after the other; of a quantized one its blocks. ``dtype`` is
a word of the safetensors vocabulary (``F32``), else the format's own (``Q4_K``). A scalar has no extents, so that its field is empty.

The named digest says that every tensor has the same name and value. The nameless one is of the multiset of values: it stays the same when
tensors are renamed, and changes when one is stored twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from openvet.core.dataclass import dataclass

__all__ = ["TensorDigests", "TensorLine", "tensor_digests"]


@dataclass(frozen=True, slots=True)
class TensorLine:
    """One tensor: its name, dtype, shape (row-major, outermost first), and the SHA-256 of its data in hex.

    ``nbytes`` and ``constant``, whether all of its numbers are the same, are known to whoever read it, and part of no digest.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    sha256: str
    nbytes: int = 0
    constant: bool = False


@dataclass(frozen=True, slots=True)
class TensorDigests:
    """Both digests in hex, and how many tensors they are of."""

    named: str
    nameless: str
    tensors: int


def tensor_digests(tensors: Sequence[TensorLine]) -> TensorDigests:
    """The digests of ``tensors``, in whatever order they come. Each name counts once.

    Raises:
        ValueError: one name has two values, or a name holds a lone surrogate.
    """
    lines: dict[str, str] = {}
    for each in tensors:
        line = f"{each.sha256}  {each.dtype}  {','.join(map(str, each.shape))}"
        if lines.setdefault(each.name, line) != line:
            raise ValueError(f"the tensor {each.name!r} has two values")
    named = [f"{line}  {json.dumps(name, ensure_ascii=False)}" for name, line in lines.items()]
    return TensorDigests(_digest("named", named), _digest("nameless", list(lines.values())), len(lines))


def _digest(form: str, lines: list[str]) -> str:
    total = hashlib.sha256(b"openvet tensors v1 %s\n" % form.encode())
    for line in sorted(each.encode("utf-8") for each in lines):
        total.update(line + b"\n")
    return total.hexdigest()
