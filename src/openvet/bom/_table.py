"""The table ``bom.toml``, once, in the form in which it is asked."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from openvet.core.license_ids import keys_of, spdx_id
from openvet.core.pattern import pattern
from openvet.core.tables import read_table

__all__ = ["file_kinds", "formats_of", "license_reference", "spdx_id", "table"]

_REFERENCE: Final = pattern(r"[^A-Za-z0-9.-]+")


@cache
def table() -> dict[str, Any]:
    return read_table("bom")


@cache
def file_kinds() -> dict[str, str]:
    """Name of a file in lower case -> which part of a model it is."""
    return {name: kind for kind, names in table()["files"].items() for name in names.split()}


@cache
def formats_of(kind: str) -> frozenset[str]:
    """The formats of ``weights`` or ``code``."""
    return frozenset(table()["formats"][kind].split())


def license_reference(name: str) -> str:
    """A ``LicenseRef-`` for a licence without an SPDX id: that of our table where it is known, else one of the name alone."""
    known = keys_of(name)
    if len(known) == 1 and known[0].startswith("LicenseRef-"):
        return known[0]
    bare = _REFERENCE.sub("-", name.strip())[:80].strip("-.")
    return f"LicenseRef-{bare or 'unnamed'}"
