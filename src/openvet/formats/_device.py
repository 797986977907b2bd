"""What is known of operators of models for devices (``data/device_operators.toml``)."""

from __future__ import annotations

from functools import cache

from openvet.core.tables import read_table

__all__ = ["known_names"]


@cache
def known_names(table: str, key: str) -> frozenset[str]:
    """The names under ``key`` of one table."""
    data = read_table("device_operators")
    return frozenset(data[table][key].split())
