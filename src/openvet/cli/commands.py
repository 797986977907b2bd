"""Which module holds which command, so that only the one that is called is imported."""

from __future__ import annotations

import importlib

import click

__all__ = ["load"]

_HOMES = {
    "check": "openvet.cli.check",
    "scan": "openvet.cli.check",
    "inspect": "openvet.cli.inspect",
    "rules": "openvet.cli.rules",
    "explain": "openvet.cli.rules",
    "formats": "openvet.cli.formats",
    "doctor": "openvet.cli.doctor",
    "completion": "openvet.cli.completion",
}


def load(name: str) -> click.Command:
    """The command called ``name``."""
    command = getattr(importlib.import_module(_HOMES[name]), name)
    if not isinstance(command, click.Command):
        raise TypeError(f"{name} is no command")
    return command
