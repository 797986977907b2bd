"""``openvet server``: what whoever runs ``openvet serve`` does beside it, for years."""

from __future__ import annotations

import os
import sys
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
      openvet server prune --keep 500G --dry-run
      openvet server worker --config serve.toml --vettings 4

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
    from openvet.cli.serve import whoever_types
    from openvet.gate.backup import back_up
    from openvet.gate.worker import system_clock
    from openvet.reports._text import bytes_for_people

    config = _config(file, data)
    found = back_up(config.data, target, system_clock(), config.database, by=whoever_types())
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
    from openvet.cli.serve import whoever_types
    from openvet.core.text import printable
    from openvet.gate.restoring import restore as run
    from openvet.gate.worker import system_clock
    from openvet.reports._text import bytes_for_people

    config = _config(file, data)
    found = run(source, config.data, system_clock(), config.database, by=whoever_types(), dry=dry)
    what = f"{found.files} files, {bytes_for_people(found.bytes)}, a log of {found.log} entries, as of {printable(found.made)}"
    if dry:
        click.echo(f"the backup is whole: {what}")
        return
    click.echo(f"restored to {config.data}: {what}\nWhat was decided after that is not in it. Where the log had gone on, whoever kept a later checkpoint sees a rollback: tell them.")  # fmt: skip


@server.command(short_help="Remove stored files that nobody has pulled for long.")
@click.option("--idle-days", "days", metavar="N", type=click.IntRange(1, 3660), help="Those that nobody pulled for N days. Default: idle-days of serve.toml.")  # fmt: skip
@click.option("--keep", metavar="SIZE", help="Until the store has at most SIZE (500G, powers of 1024). Default: keep of serve.toml.")  # fmt: skip
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be removed, and remove nothing.")
@_which
def prune(days: int | None, keep: str | None, dry: bool, file: str | None, data: str | None) -> None:
    """Make room: remove files of models from the store, those first that were not pulled for longest.

    Decisions, reports, dossiers and the log stay whole. Whoever asks for a removed file waits until it was fetched again from where it
    came, and it has to be the same bytes: what is not there any more cannot be had again. Do not remove what only you have.
    """
    from openvet.cli.serve import whoever_types
    from openvet.core.limits import parse_amount
    from openvet.errors import UsageError
    from openvet.gate.folder import check_folder, database_url
    from openvet.gate.pruning import prune as run
    from openvet.gate.settings import HOUR
    from openvet.gate.worker import system_clock
    from openvet.store.blobs import BlobStore
    from openvet.store.database import open_database

    config = _config(file, data)
    idle = days * 24 * HOUR if days is not None else config.idle or None
    try:
        most = int(parse_amount(keep, whole=True)) if keep is not None else config.keep or None
    except UsageError as error:
        raise UsageError(f"--keep: {error}") from error
    check_folder(config.data)
    database = open_database(database_url(config.data, config.database), upgrade=False)
    try:
        found = run(database, BlobStore(config.data), system_clock(), idle=idle, keep=most, dry=dry, by=whoever_types())
    finally:
        database.close()
    click.echo(f"{'would remove' if dry else 'removed'} {found}")
    if most is not None and found.left_bytes > most:
        click.echo("openvet: that is more than --keep says; what is left came within the last hour, or is being vetted", err=True)  # fmt: skip
        raise click.exceptions.Exit(_PARTLY)


@server.command(short_help="Vet for a server, in a process beside it.")
@click.option("--vettings", "threads", metavar="N", type=click.IntRange(1, 64), help="So many at a time. Default: workers in [vetting] of serve.toml, and at least 1.")  # fmt: skip
@_which
def worker(threads: int | None, file: str | None, data: str | None) -> None:
    """Take over vettings of a server, until Ctrl-C or SIGTERM; start as many of these as there is work for.

    They share the folder and the database with the server, so on one machine, or on several with the folder on a shared file system
    and PostgreSQL. With `workers = 0` in [vetting] the server itself vets nothing. One that dies is noticed after 30 seconds, and what
    it was at is done by another.
    """
    from openvet.hubproxy.working import work

    config = _config(file, data)
    work(config, threads or max(1, config.workers), _say, _log)


def _say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


def _log(line: str) -> None:
    click.echo(line, err=True)


def _config(file: str | None, data: str | None) -> ServeConfig:
    from openvet.cli.serve import configured

    return configured(file, data)
