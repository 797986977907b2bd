"""Days on the command line."""

from __future__ import annotations

from datetime import date

import click

__all__ = ["day_of"]

#: Years outside these are slips of the hand, and too far away for conditions that count from day to day.
_YEARS = range(1900, 2200)


def day_of(text: str | None, option: str = "--as-of") -> date:
    """The day that an option names; where it is not given today (UTC), or the day that ``SOURCE_DATE_EPOCH`` says.

    Raises:
        click.UsageError: it is no day, or one of a year outside 1900 to 2199.
    """
    if text is None:
        from openvet.cli.statements import now

        return now().date()
    try:
        if len(text) != 10:
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{option} {text!r} is no day such as 2026-11-28") from None
    if day.year not in _YEARS:
        raise click.UsageError(f"{option} {text}: no decision is about a day outside of {_YEARS[0]} to {_YEARS[-1]}")
    return day
