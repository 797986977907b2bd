"""Credentials left in text files: patterns of known issuers, found in one linear pass."""

from __future__ import annotations

from openvet.formats._format import Facts

__all__ = ["scan_text"]


def scan_text(text: str, facts: Facts, first_line: int = 1) -> None:
    """Record a ``secrets/key-in-file`` anomaly for every credential in ``text``; its first line is ``first_line``."""
