"""Days on the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

__all__ = ["day_of"]


def day_of(text: str | None, option: str = "--as-of") -> date:
    """The day that an option names; today (UTC) where it is not given.

    Raises:
        click.UsageError: it is no day.
    """
    if text is None:
        return datetime.now(UTC).date()
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{option} {text!r} is no day such as 2026-11-28") from None
