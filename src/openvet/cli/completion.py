"""``openvet completion``: the script that teaches a shell to complete our commands."""

from __future__ import annotations

import click

__all__ = ["completion"]


@click.command(short_help="Print a completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      eval "$(openvet completion bash)"                            in ~/.bashrc
      openvet completion zsh > ~/.zfunc/_openvet                   a folder in fpath
      openvet completion fish > ~/.config/fish/completions/openvet.fish
    """  # noqa: D301
    from click.shell_completion import ShellComplete, get_completion_class

    from openvet.cli.app import app
    from openvet.cli.output import write_text

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    # the base class's source: bash's own would start a bash only to see how old it is
    write_text(ShellComplete.source(kind(app, {}, "openvet", "_OPENVET_COMPLETE")) + "\n")
