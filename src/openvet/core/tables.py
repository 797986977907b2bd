"""Our own knowledge: the tables in ``openvet/data``, which a person can read and change without knowing the code."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["data_folder", "read_table"]

_DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")


def data_folder() -> str:
    """Where the tables lie, for those that are many files of one kind."""
    return _DATA


def read_table(name: str) -> dict[str, Any]:
    """The table ``data/NAME.toml``, read anew at each call; whoever asks keeps what it makes of it.

    ``importlib.resources`` would import half of the standard library for this, which each start would pay for.

    Raises:
        OSError, tomllib.TOMLDecodeError: a fault of the installation.
    """
    import tomllib

    with open(os.path.join(_DATA, f"{name}.toml"), "rb", buffering=0) as file:
        return tomllib.loads(file.read().decode())
