"""Predicates: the typed bodies of statements. One module, one spec page (``<name>.md``), one JSON Schema each.

``NAMES`` is the one constant from which every name of ours is made that stands in a statement. It names this project's vocabulary
and is not an address: nothing is fetched from it, and it does not depend on where the project is hosted.
"""

from __future__ import annotations

__all__ = ["NAMES", "PREDICATE_BASE"]

NAMES = "https://openvet"
PREDICATE_BASE = f"{NAMES}/predicates"
