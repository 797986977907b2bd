"""Our tables of what cards may say, read once when the first card asks."""

from __future__ import annotations

from functools import cache
from typing import Any

from openvet.core.license_ids import families, hub_licenses
from openvet.core.tables import read_table

__all__ = ["forms", "ids", "words"]


@cache
def forms() -> dict[str, Any]:
    """The table ``card_forms``."""
    return read_table("card_forms")


@cache
def ids() -> dict[str, Any]:
    """The table ``card_ids``, with the hub's ids of licences and which of them stand for several texts."""
    return {**read_table("card_ids"), "licenses": hub_licenses(), "families": families()}


@cache
def words(name: str) -> frozenset[str]:
    """One of the lists of words in ``card_ids``: ``tasks`` or ``languages``."""
    return frozenset(ids()[name].split())
