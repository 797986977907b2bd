"""Predicates: the typed bodies of statements. One module, one spec page (``<name>.md``), one JSON Schema each.

``PREDICATE_BASE`` is the one constant from which every predicate type is made. It names this project's vocabulary and is
not an address: nothing is fetched from it, and it does not depend on where the project is hosted.
"""

from __future__ import annotations

__all__ = ["PREDICATE_BASE"]

PREDICATE_BASE = "https://openvet/predicates"
