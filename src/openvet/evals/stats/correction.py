"""Several tests at once: p-values adjusted so that all of them together may be held against one level.

Sources: S. Holm, Scandinavian Journal of Statistics 6 (1979) 65 (the chance of any false positive); Y. Benjamini, Y. Hochberg, JRSS B 57
(1995) 289 (the expected share of false ones among the positives, for independent or positively dependent tests).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

__all__ = ["CORRECTIONS", "benjamini_hochberg", "holm"]


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order of ``p``."""
    order = sorted(range(len(p)), key=p.__getitem__)
    out, least = [1.0] * len(p), 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[at]))
        out[at] = least
    return out


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Benjamini's and Hochberg's adjusted p-values, in the order of ``p``."""
    order = sorted(range(len(p)), key=p.__getitem__)
    out, most = [1.0] * len(p), 1.0
    for rank in range(len(p), 0, -1):
        at = order[rank - 1]
        most = min(most, len(p) / rank * p[at])
        out[at] = most
    return out


#: By the names that plans and options have for them.
CORRECTIONS: Final[Mapping[str, Callable[[Sequence[float]], list[float]]]] = {
    "holm": holm,
    "benjamini-hochberg": benjamini_hochberg,
    "none": list,
}
