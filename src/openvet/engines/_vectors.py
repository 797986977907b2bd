"""One vector of a text from those of its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openvet.engines._engine import CannotError

if TYPE_CHECKING:
    import numpy as np

    from openvet.engines._folder import Pooling

    Array = np.ndarray[Any, Any]

__all__ = ["as_list", "pooled"]


def pooled(tokens: Array, pooling: Pooling) -> list[float]:
    """Pool vectors of tokens, one row each; no row is of padding.

    Raises:
        CannotError: they hold something else than numbers.
    """
    import numpy as np

    rows = tokens.astype(np.float64)
    count = len(rows)
    vector = {
        "mean": lambda: rows.sum(axis=0) / count,
        "mean_sqrt_len": lambda: rows.sum(axis=0) / np.sqrt(count),
        "max": lambda: rows.max(axis=0),
        "cls": lambda: rows[0],
        "last": lambda: rows[-1],
    }[pooling.mode]()
    return as_list(vector, normalize=pooling.normalize)


def as_list(vector: Array, *, normalize: bool) -> list[float]:
    """A vector as numbers, of length 1 where that is asked for."""
    import numpy as np

    if not np.isfinite(vector).all():
        raise CannotError("the model gives something else than numbers (NaN or infinity)")
    size = float(np.linalg.norm(vector))
    found: list[float] = ((vector / size) if normalize and size > 0 else vector).tolist()
    return found
