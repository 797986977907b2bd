"""The command ``openvet``: its subcommands, and how it ends whatever happens."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from openvet.cli.failures import EXIT_CODES, FAILED, INTERRUPTED, NO_READER, fault, wrong_usage
from openvet.cli.terminal import say
from openvet.errors import OpenVetError
from openvet.version import VERSION

__all__ = ["app"]

#: The commands in the order in which they are taught, and the module of each, which is imported when it is asked for.
_COMMANDS = {
    "check": "check",
    "scan": "check",
    "inspect": "inspect",
    "card": "card",
    "licenses": "licenses",
    "openness": "openness",
    "profile": "profile",
    "origin": "origin",
    "bom": "bom",
    "advisories": "advisories",
    "detonate": "detonate",
    "run": "run",
    "disarm": "disarm",
    "quantize": "shrink",
    "prune": "shrink",
    "distill": "shrink",
    "convert": "shrink",
    "finetune": "shrink",
    "digest": "digest",
    "sign": "sign",
    "verify": "verify",
    "keys": "keys",
    "log": "log",
    "dossier": "dossier",
    "statement": "statement",
    "attest": "attest",
    "decide": "decide",
    "document": "document",
    "policy": "policy",
    "hub": "hub",
    "cache": "cache",
    "claims": "claims",
    "cost": "cost",
    "eval": "eval",
    "bench": "bench",
    "compare": "compare",
    "choose": "choose",
    "diff": "diff",
    "lineage": "lineage",
    "fingerprint": "fingerprint",
    "serve": "serve",
    "server": "server",
    "rules": "rules",
    "explain": "rules",
    "formats": "formats",
    "config": "config",
    "doctor": "doctor",
    "completion": "completion",
}

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Command(click.Group):
    """The group of all commands. However it is started, it ends with one of the exit codes and never with a traceback."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run the command and end the process."""
        extra = {name: value for name, value in extra.items() if name not in {"standalone_mode", "windows_expand_args"}}
        # a command makes few cycles: looking for them at every 700 objects takes a tenth of its time
        gc.set_threshold(400_000)
        try:
            code = self._run(list(sys.argv[1:] if args is None else args), prog_name or "openvet", extra)
        except KeyboardInterrupt:
            try:
                _end_in_peace()
            except KeyboardInterrupt:  # another Ctrl-C while the first was answered
                _end_in_peace()
            say("openvet: interrupted; what was not reported is not decided")
            code = INTERRUPTED
        sys.exit(code)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which they are taught."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name: what the others would import is not needed."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"openvet.cli.{_COMMANDS[cmd_name]}")
        return getattr(module, cmd_name)  # type: ignore[no-any-return]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; it would look for similar names among the commands that were imported."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=_COMMANDS, ctx=ctx) from None

    def _run(self, arguments: list[str], name: str, extra: dict[str, Any]) -> int:
        try:
            code = self._invoke(arguments, name, extra)
            if sys.stdout is not None and not sys.stdout.closed:
                sys.stdout.flush()  # while what goes wrong can still be reported
            return code
        except BrokenPipeError:
            _forget_output()
            return NO_READER
        except click.ClickException as error:
            say(wrong_usage(error))
            return FAILED
        except OpenVetError as error:
            say(f"openvet: {error}")
        except OSError as error:
            say(f"openvet: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
        except Exception as error:  # noqa: BLE001 - the last line of defence: a message and never a traceback
            say(fault(error))
        _forget_output()
        return FAILED

    def _invoke(self, arguments: list[str], name: str, extra: dict[str, Any]) -> int:
        self._main_shell_completion(extra, name)
        try:
            with self.make_context(name, arguments, **extra) as context:
                self.invoke(context)
        except click.exceptions.Exit as end:
            return end.exit_code
        except click.Abort:
            raise KeyboardInterrupt from None
        return 0


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"openvet {VERSION}")
        ctx.exit()


@click.group(cls=_Command, name="openvet", context_settings=_SETTINGS, invoke_without_command=True, epilog=EXIT_CODES)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
@click.pass_context
def app(ctx: click.Context, /) -> None:
    """Vet open AI models before you load them.

    OpenVet reads a model as it was published, never executing any of it, says what it is and whether it is safe to load,
    and decides: admit, review or reject, with reasons.

    \b
    Examples:
      openvet check ./my-model                 a folder
      openvet check model.pt weights.gguf      several files
      openvet explain unknown:no-reader        what a reason means
    """  # noqa: D301
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _end_in_peace() -> None:
    """We are ending already: another Ctrl-C must not turn that into a traceback."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _forget_output() -> None:
    """Nobody takes what is still buffered: let the interpreter's last flush go nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):
        pass
