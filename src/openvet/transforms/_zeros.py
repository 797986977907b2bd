"""How many numbers of safetensors files are zero, counted where a child's word is not taken for it. Reads, and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from openvet.transforms._safetensors import FLOATS, read_header, tensor
from openvet.transforms._transform import CannotError

__all__ = ["count_zeros"]

_STEP = 1 << 22


def count_zeros(paths: Sequence[str]) -> tuple[int, int] | None:
    """Zeros and numbers of all tensors of floats; ``None`` where NumPy is not installed or a file is none of safetensors."""
    try:
        import numpy as np
    except ImportError:
        return None
    zeros = total = 0
    try:
        for path in paths:
            header = read_header(path)
            for name, (dtype, _, _, _) in header.tensors.items():
                if dtype not in FLOATS:
                    continue
                flat = tensor(header, name).reshape(-1)
                # without the sign: minus zero is zero
                mask = 0x7FFF if dtype == "BF16" else None
                for at in range(0, flat.size, _STEP):
                    part = flat[at : at + _STEP]
                    zeros += part.size - int(np.count_nonzero(part if mask is None else part & mask))
                total += flat.size
    except (CannotError, OSError):
        return None
    return zeros, total
