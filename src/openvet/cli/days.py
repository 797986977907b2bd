"""Days on the command line."""

from __future__ import annotations

from datetime import date

import click

__all__ = ["day_of"]


def day_of(text: str | None, option: str = "--as-of") -> date:
    """The day that an option names; where it is not given today (UTC), or the day that ``SOURCE_DATE_EPOCH`` says.

    Raises:
        click.UsageError: it is no day.
    """
    if text is None:
        from openvet.cli.statements import now

        return now().date()
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{option} {text!r} is no day such as 2026-11-28") from None
