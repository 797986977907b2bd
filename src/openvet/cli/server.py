"""``openvet server``: what whoever runs ``openvet serve`` does beside it, for years."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from openvet.hubproxy.config import ServeConfig

__all__ = ["server"]

_PATH = click.Path(readable=False)
_PARTLY = 1


def _which(command: Any) -> Any:
    """Which server is meant: the same two options as ``openvet serve`` has."""
    for option in (
        click.option("--data", metavar="DIR", type=_PATH, help="The folder of the server, where it is not the one that the file names."),
        click.option("--config", "file", metavar="FILE", type=_PATH, help="The serve.toml of the server."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(short_help="Back up, restore and look after a server of `openvet serve`.")
def server() -> None:
    """Look after a server that `openvet serve` runs, on the machine that it runs on. All but restore may be done while it runs.

    Which server is said as for `openvet serve`: by --config, or --data, or neither.

    \b
    Examples:
      openvet server backup /mnt/backups --config serve.toml
      openvet server restore /mnt/backups/20261129T104500.000Z --dry-run
      openvet server restore /mnt/backups/20261129T104500.000Z --data /srv/openvet

    \b
    Exit codes:
      0    done
      1    done but for some files, which are named
      2    nothing was done: a damaged backup, something in the way, or a command without sense
    """  # noqa: D301


@server.command(short_help="Copy everything that a server knows, while it runs.")
@click.argument("target", metavar="TARGET", type=_PATH)
@_which
def backup(target: str, file: str | None, data: str | None) -> None:
    """Make a backup below the folder TARGET, in a folder called by the time. It is there when it is complete, or not at all.

    What the backup before has already becomes a hard link to it, so that each takes the room of what is new, and any of them may
    be removed. It holds the key with which the server signs: keep it as safe as the server.
    """
    from openvet.gate.backup import back_up
    from openvet.gate.worker import system_clock
    from openvet.reports._text import bytes_for_people

    config = _config(file, data)
    found = back_up(config.data, target, system_clock(), config.database)
    click.echo(found.path)
    click.echo(
        f"{found.files} files, {bytes_for_people(found.bytes)}, of which {bytes_for_people(found.written)} are new; "
        f"the log has {found.log} entries; it holds the private key {os.path.join(found.path, 'key.pem')}"
    )
    for sha256 in found.damaged:
        click.echo(f"openvet: blobs/sha256/{sha256[:2]}/{sha256[2:]} has other bytes than its name says and is not in the backup; remove it, and it is fetched again", err=True)  # fmt: skip
    if found.absent:
        click.echo(f"openvet: {len(found.absent)} files that the database lists are not there, and not in the backup; they are fetched again when somebody asks", err=True)  # fmt: skip
    if found.damaged or found.absent:
        raise click.exceptions.Exit(_PARTLY)


@server.command(short_help="Make a server anew from a backup.")
@click.argument("source", metavar="BACKUP", type=_PATH)
@click.option("--dry-run", "dry", is_flag=True, help="Verify the backup and write nothing.")
@_which
def restore(source: str, dry: bool, file: str | None, data: str | None) -> None:
    """Make the server what it was at BACKUP, in a folder that is new or empty (and an empty database, where serve.toml names one).

    Every file is held against its digest, and the log is computed anew. Nothing stays where something is wrong, and a folder in
    which a restore was cut off is none that `openvet serve` takes.
    """
    from openvet.core.text import printable
    from openvet.gate.restoring import restore as run
    from openvet.reports._text import bytes_for_people

    config = _config(file, data)
    found = run(source, config.data, config.database, dry=dry)
    what = f"{found.files} files, {bytes_for_people(found.bytes)}, a log of {found.log} entries, as of {printable(found.made)}"
    if dry:
        click.echo(f"the backup is whole: {what}")
        return
    click.echo(f"restored to {config.data}: {what}\nWhat was decided after that is not in it. Where the log had gone on, whoever kept a later checkpoint sees a rollback: tell them.")  # fmt: skip


def _config(file: str | None, data: str | None) -> ServeConfig:
    from openvet.cli.serve import configured

    return configured(file, data)
