"""Options that several commands share, and the values that they make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from openvet.core.limits import Limits

__all__ = [
    "complete_formats", "complete_limits", "complete_rules", "form_option", "make_limits", "reading_options", "with_options",
]  # fmt: skip


def form_option(text: str) -> Callable[[Any], Any]:
    """``--format`` of the commands that print knowledge, for people or for programs; ``text`` is its help."""
    choice = click.Choice(["text", "json"])
    return click.option("--format", "-f", "form", type=choice, default="text", show_default=True, help=text)


def with_options(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """One decorator of several options, which come in this order in the help."""

    def all_of(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return all_of


def complete_rules(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Rule ids that start with what was typed."""
    from click.shell_completion import CompletionItem

    from openvet.workflows.knowledge import rule_texts

    return [CompletionItem(rule.id) for rule in rule_texts() if rule.id.startswith(incomplete)]


def complete_formats(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Format ids that start with what was typed."""
    from click.shell_completion import CompletionItem

    from openvet.workflows.knowledge import all_formats

    return [CompletionItem(each.id) for each in all_formats() if each.id.startswith(incomplete)]


def complete_limits(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Names of limits that start with what was typed, ready for a value."""
    from dataclasses import fields

    from click.shell_completion import CompletionItem

    from openvet.core.limits import Limits

    return [CompletionItem(f"{each.name}=") for each in fields(Limits) if each.name.startswith(incomplete)]


def make_limits(settings: Sequence[str], base: Limits | None = None) -> Limits:
    """``base``, or the default limits, with ``NAME=VALUE`` settings on top.

    Raises:
        click.UsageError: no such limit, or no such number.
    """
    from dataclasses import asdict

    from openvet.core.limits import DEFAULT_LIMITS, Limits, parse_amount
    from openvet.errors import UsageError

    values: dict[str, Any] = asdict(base or DEFAULT_LIMITS)
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals or name not in values:
            raise click.UsageError(f"--limit {setting!r}: write NAME=VALUE with one of the names {', '.join(values)}")
        try:
            values[name] = parse_amount(text, whole=isinstance(values[name], int))
        except UsageError as error:
            raise click.UsageError(f"--limit {setting!r}: {error}") from error
    return Limits(**values)


def amount_of(text: str, option: str) -> int:
    """The bytes that an option names (raises :class:`click.UsageError`)."""
    from openvet.core.limits import parse_amount
    from openvet.errors import UsageError

    try:
        return int(parse_amount(text, whole=True))
    except UsageError as error:
        raise click.UsageError(f"{option} {text!r}: {error}") from error


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
                shell_complete=complete_limits,
                help="Change what one model may cost, such as decoded_bytes=200G; `openvet doctor` lists them. May be repeated.",
            ),
            click.option(
                "--digest-members",
                is_flag=True,
                help="Compute digests of all members of archives as well; usually only programs among them have one.",
            ),
            click.option(
                "--config",
                metavar="FILE",
                type=click.Path(readable=False),
                help="Use this openvet.toml; `openvet config` shows which one counts otherwise.",
            ),
            click.option("--no-config", is_flag=True, help="Use no configuration at all."),
            click.option(
                "--download",
                is_flag=True,
                help="Of hf: and oci: models, fetch every byte and verify digests; else tensor bytes are left where they are.",
            ),
            click.option("--blake3", is_flag=True, help="Compute BLAKE3 digests as well (needs openvet[blake3])."),
            click.option(
                "--no-progress", is_flag=True, help="Show no progress line. It is only ever drawn on a terminal."
            ),
        )
    ):
        command = option(command)
    return command
