"""The command ``openvet``: its subcommands, and what every failure looks like from outside."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from openvet.cli.terminal import say
from openvet.errors import OpenVetError, SubjectError, UsageError
from openvet.version import VERSION

__all__ = ["EXIT_CODES", "FAILED", "INTERRUPTED", "NO_READER", "app", "fault", "run"]

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

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """Subcommands in the order in which they are taught, each imported when it is called or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return ["check", "scan", "inspect", "rules", "explain", "formats", "doctor", "completion"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        from openvet.cli import commands

        found: click.Command = commands.load(cmd_name)
        return found


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"openvet {VERSION}")
        ctx.exit()


@click.group(cls=_Commands, context_settings=_SETTINGS, invoke_without_command=True, epilog=EXIT_CODES)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
@click.pass_context
def app(ctx: click.Context) -> None:
    """Vet open AI models before you load them.

    OpenVet reads a model as it was published, never executing any of it, says what it is and whether it is safe to load,
    and decides: admit, review or reject, with reasons.

    \b
    Examples:
      openvet check ./my-model                 a folder
      openvet check model.pt weights.gguf      several files
      openvet explain pickle/runs-process      what a rule means
    """  # noqa: D301
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run the command and give its exit code. Nothing escapes but a second Ctrl-C."""
    try:
        return _finished(_invoke(list(arguments)))
    except KeyboardInterrupt:
        say("openvet: interrupted; what was not reported is not decided")
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return NO_READER
    except click.ClickException as error:
        say(_click_message(error))
        return FAILED
    except OpenVetError as error:
        say(f"openvet: {error}")
    except OSError as error:
        say(f"openvet: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
    except Exception as error:  # noqa: BLE001 - the last line of defence: a message and never a traceback
        say(fault(error))
    _forget_output()
    return FAILED


def _invoke(arguments: list[str]) -> int:
    app._main_shell_completion({}, "openvet")
    try:
        with app.make_context("openvet", arguments) as context:
            app.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    return 0


def _finished(code: int) -> int:
    """Write what is still held back, while an error can still be reported."""
    if sys.stdout is not None and not sys.stdout.closed:
        sys.stdout.flush()
    return code


def _click_message(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "openvet"
    from openvet.reports._wording import visible

    text = visible(error.format_message().replace("\n", " ")).rstrip(".")
    return f"{command}: {text}; see `{command} --help`"


def fault(error: BaseException) -> str:
    """What to say about an exception that nobody expected; raises it again where ``OPENVET_DEBUG`` asks for it."""
    if os.environ.get("OPENVET_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, SubjectError | UsageError):
        return f"openvet: {error}"
    from openvet.reports._wording import cut, visible

    trace, where = error.__traceback__, ""
    while trace is not None:
        where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
        trace = trace.tb_next
    what = cut(visible(f"{type(error).__name__}: {error}"), 300)
    return (
        f"openvet: a fault in OpenVet {VERSION} itself: {what} (at {where}). Please report this line as CONTRIBUTING.md "
        "says; OPENVET_DEBUG=1 shows the traceback"
    )


def _forget_output() -> None:
    """Nobody takes what is still buffered: let the interpreter's last flush go nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass
