"""Options that several commands share, and the values that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from openvet.core.limits import Limits

__all__ = ["complete_rules", "form_option", "make_limits", "reading_options"]

_SUFFIXES = {"k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def form_option(text: str) -> Callable[[Any], Any]:
    """``--format`` of the commands that print knowledge, for people or for programs; ``text`` is its help."""
    choice = click.Choice(["text", "json"])
    return click.option("--format", "-f", "form", type=choice, default="text", show_default=True, help=text)


def complete_rules(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Rule ids that start with what was typed."""
    from click.shell_completion import CompletionItem

    from openvet.workflows.knowledge import rule_texts

    return [CompletionItem(rule.id) for rule in rule_texts() if rule.id.startswith(incomplete)]


def make_limits(settings: Sequence[str]) -> Limits:
    """The default limits with ``NAME=VALUE`` settings on top.

    Raises:
        click.UsageError: no such limit, or no such number.
    """
    from dataclasses import asdict

    from openvet.core.limits import DEFAULT_LIMITS, Limits

    values: dict[str, Any] = asdict(DEFAULT_LIMITS)
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals or name not in values:
            raise click.UsageError(f"--limit {setting!r}: write NAME=VALUE with one of the names {', '.join(values)}")
        values[name] = _number(setting, text.strip(), whole=isinstance(values[name], int))
    return Limits(**values)


def _number(setting: str, text: str, *, whole: bool) -> int | float:
    factor = 1
    lower = text.lower().removesuffix("ib")
    if lower[-1:] in _SUFFIXES:
        factor = _SUFFIXES[lower[-1]]
        lower = lower[:-1]
    try:
        value = int(lower[:20]) * factor if whole else float(lower[:20]) * factor
    except ValueError:
        value = 0
    if not 0 < value < 2**63:
        kind = "a whole number above zero, such as 5000, 64M or 2G" if whole else "a number above zero"
        raise click.UsageError(f"--limit {setting!r}: the value must be {kind}")
    return value


def reading_options(command: Any) -> Any:
    """The options of every command that reads models."""
    for option in reversed(
        (
            click.argument(
                "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(readable=False, allow_dash=True)
            ),
            click.option(
                "--output",
                "-o",
                metavar="FILE",
                type=click.Path(readable=False),
                help="Write the report to FILE: whole or not at all.",
            ),
            click.option(
                "--jobs",
                "-j",
                type=click.IntRange(min=1, max=1024),
                metavar="N",
                help="Threads that hash files. Default: one for each core.",
            ),
            click.option(
                "--exclude",
                multiple=True,
                metavar="GLOB",
                help="Do not read names that match; they are reported as not read. May be repeated.",
            ),
            click.option(
                "--limit",
                "limits",
                multiple=True,
                metavar="NAME=VALUE",
                help="Change what one model may cost, such as decoded_bytes=200G; `openvet doctor` lists them. May be repeated.",
            ),
            click.option(
                "--digest-members",
                is_flag=True,
                help="Compute digests of all members of archives as well; usually only programs among them have one.",
            ),
            click.option("--blake3", is_flag=True, help="Compute BLAKE3 digests as well (needs openvet[blake3])."),
            click.option(
                "--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal."
            ),
        )
    ):
        command = option(command)
    return command
