"""Exit codes, and what is said about a failure."""

from __future__ import annotations

import os

import click

from openvet.errors import OpenVetError
from openvet.version import VERSION

__all__ = ["EXIT_CODES", "FAILED", "INTERRUPTED", "NO_READER", "fault", "wrong_usage"]

FAILED = 2
INTERRUPTED = 130  # 128 + SIGINT
NO_READER = 141  # 128 + SIGPIPE, as a program ends that does not catch it

#: Click keeps the lines of a paragraph that starts with ``\b``.
EXIT_CODES = """\b
Exit codes:
  0    admit: everything was read, nothing above a note was found
  1    reject: it is dangerous to load
  3    review: a person must look, or something was not read
  2    the command itself failed (a missing path, a wrong argument)
  130  interrupted with Ctrl-C
With several models the worst counts, in the order 1, 2, 3, 0.
"""


def fault(error: BaseException) -> str:
    """What to say about an exception that nobody expected; ``OPENVET_DEBUG`` shows its traceback as well."""
    if os.environ.get("OPENVET_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OpenVetError):
        return f"openvet: {error}"
    from openvet.reports._text import cut, visible

    trace, where = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.rpartition("/")[2]
        where, trace = f"{file}:{trace.tb_lineno}", trace.tb_next
    what = cut(visible(f"{type(error).__name__}: {error}"), 300)
    return (
        f"openvet: a fault in OpenVet {VERSION} itself: {what} (at {where}). Please report this line as CONTRIBUTING.md "
        "says; OPENVET_DEBUG=1 shows the traceback"
    )


def wrong_usage(error: click.ClickException) -> str:
    """What to say about a command line that makes no sense."""
    from openvet.reports._text import visible

    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "openvet"
    text = visible(error.format_message().replace("\n", " ")).rstrip(".")
    return f"{command}: {text}; see `{command} --help`"
