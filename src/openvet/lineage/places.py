"""Which values of a tensor a sketch takes: places that only an extent decides, and that most of stay when an extent grows.

Every index has a hash; the smallest ones are taken. So a vocabulary that grew by some words, or a layer that grew by some neurons,
still has nearly all of the places, and two makers of sketches agree without a list of places.

The hash is splitmix64 (S. Vigna, https://prng.di.unimi.it/splitmix64.c, public domain) of the index and a fixed seed.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["LARGEST", "SEED", "Places"]

#: Part of the recipe: other seeds are other sketches.
SEED: Final = 0x6F70656E766574  # "openvet"
#: Extents beyond this are not sketched: a hash of each index has to fit into memory.
LARGEST: Final = 1 << 23


class Places:
    """Indices in the order of their hashes; what was computed for an extent is kept."""

    def __init__(self, np: Any) -> None:
        self._np = np
        self._held: dict[tuple[int, int], Any] = {}

    def first(self, extent: int, count: int) -> Any:
        """The ``count`` indices below ``extent`` with the smallest hashes, the smallest first."""
        known = self._held.get((extent, count))
        if known is None:
            np = self._np
            hashes = self._hashes(extent)
            if count < extent:
                chosen = np.argpartition(hashes, count)[:count]
                known = chosen[np.argsort(hashes[chosen], kind="stable")]
            else:
                known = np.argsort(hashes, kind="stable")
            self._held[extent, count] = known
        return known

    def _hashes(self, extent: int) -> Any:
        np = self._np
        with np.errstate(over="ignore"):
            mixed = (np.arange(extent, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(
                SEED
            )
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            return mixed ^ (mixed >> np.uint64(31))
