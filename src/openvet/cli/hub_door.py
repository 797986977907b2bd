"""What the commands of ``openvet hub`` share: the gate that is meant, and how an answer is printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.days import day_of
from openvet.cli.options import form_option
from openvet.cli.terminal import look_of, say

if TYPE_CHECKING:
    from openvet.reports.look import Look
    from openvet.workflows.gate_client import GateClient

__all__ = ["DONE", "PARTLY", "begin_of", "gate_options", "most_option", "open_gate", "print_found", "project_option", "tell", "until_of"]  # fmt: skip

DONE, PARTLY = 0, 1


def gate_options(command: Any) -> Any:
    """``--server`` and ``--format``."""
    command = form_option("How to print it.")(command)
    return click.option("--server", metavar="URL", help="The gate; OPENVET_SERVER or HF_ENDPOINT if not given.")(command)  # fmt: skip


def project_option(text: str) -> Callable[[Any], Any]:
    """``--project``; ``text`` is its help."""
    return click.option("--project", metavar="PATH", default="", help=text)


def most_option(command: Any) -> Any:
    """``--limit``."""
    how = click.IntRange(1, 1_000_000)
    return click.option("--limit", type=how, metavar="N", default=100, show_default=True, help="How many to list.")(command)  # fmt: skip


def open_gate(server: str | None, *, anonymous: bool = False) -> GateClient:
    """The gate, as whoever the environment says.

    Args:
        anonymous: whether it is asked as nobody where no token is set: a gate that gives models to anybody tells them what that needs.

    Raises:
        UsageError: it is not said which, or who.
    """
    from openvet.io.http import is_this_machine, origin_of
    from openvet.workflows.gate_client import GateClient, credentials

    url, token = credentials(server, os.environ, anonymous=anonymous)
    scheme, host, _ = origin_of(url)
    if token and scheme == "http" and not is_this_machine(host):
        say("openvet: the address begins with http://, so the token travels readable for everybody on the way")
    gate = GateClient(url, token)
    click.get_current_context().call_on_close(gate.close)
    return gate


def until_of(text: str | None) -> int | None:
    """The end of the last day on which something is to hold, in milliseconds UTC."""
    if text is None:
        return None
    day = day_of(text, "--until") + timedelta(days=1)
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def begin_of(text: str) -> int:
    """The beginning of a day, in milliseconds UTC."""
    day = day_of(text, "--since")
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def print_found(form: str, gate: GateClient, value: Mapping[str, Any], text: Callable[[Look], str]) -> None:
    """An answer, for programs or for people."""
    from openvet.cli.output import open_output, write_text

    if form == "json":
        import json

        from openvet.reports._text import clean
        from openvet.workflows.gate_client import GATE_TYPE

        said = {"type": GATE_TYPE, "server": gate.server, **value}
        with open_output(None) as output:
            output.write(json.dumps(clean(said), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        return
    write_text(text(look_of(sys.stdout)))


def tell(lines: Sequence[str]) -> Callable[[Look], str]:
    """Some lines as text."""
    from openvet.reports._text import visible

    return lambda look: look.finish("".join(visible(each) + "\n" for each in lines))
