"""Our tables of what counts as open, read once when the first model asks."""

from __future__ import annotations

from functools import cache
from typing import Any

from openvet.core.tables import read_table

__all__ = ["component_table", "exemption_table", "license_table", "osaid_table", "sign_table"]


@cache
def component_table() -> dict[str, Any]:
    """The components of the Model Openness Framework."""
    return read_table("openness/components")


@cache
def license_table() -> dict[str, Any]:
    """Which licences are open, by the rules of the same framework."""
    return read_table("openness/licenses")


@cache
def sign_table() -> dict[str, Any]:
    """By which files, links and sections a component is known."""
    return read_table("openness/signs")


@cache
def osaid_table() -> dict[str, Any]:
    """What the Open Source AI Definition asks for."""
    return read_table("openness/osaid")


@cache
def exemption_table() -> dict[str, Any]:
    """What the AI Act's exemption for open source asks for, and terms that are against it."""
    return read_table("openness/exemption")
