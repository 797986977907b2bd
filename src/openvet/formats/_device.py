"""What is known of operators of models for devices (``data/device_operators.toml``)."""

from __future__ import annotations

from functools import cache

__all__ = ["known_names"]


@cache
def known_names(table: str, key: str) -> frozenset[str]:
    """The names under ``key`` of one table."""
    import tomllib
    from importlib.resources import files

    data = tomllib.loads(files("openvet").joinpath("data", "device_operators.toml").read_text("utf-8"))
    return frozenset(data[table][key].split())
