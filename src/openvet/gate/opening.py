"""Opens a gate: its folder, its database, its key, where repositories come from, and who does the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS
from openvet.errors import UsageError
from openvet.evidence.keys import PrivateKey
from openvet.evidence.log.disk import StorageError
from openvet.gate.folder import KEY, check_folder, database_url
from openvet.gate.folder_upstream import FolderUpstream
from openvet.gate.gate import OpenGate
from openvet.gate.hooks import HOOK, Caller
from openvet.gate.policy import Policy
from openvet.gate.publishing import PUBLISH, Publisher, ask_for_listing, ask_for_publishing
from openvet.gate.settings import Settings
from openvet.gate.upstreams import HubUpstream, Upstream, Upstreams
from openvet.gate.vetting import VET, Vetter
from openvet.gate.worker import Clock, Handler, Sign, Worker, system_clock
from openvet.io.new_file import WriteError
from openvet.store.blobs import BlobStore
from openvet.store.database import Database, open_database
from openvet.store.decisions import unpublished_revisions
from openvet.store.revocations import lists_to_publish
from openvet.workflows.keys import new_key, read_private

__all__ = ["Place", "open_gate", "open_key", "open_worker"]

_LOG_NAME: Final = "openvet/gate"


@dataclass(frozen=True, slots=True)
class Place:
    """Where repositories come from: a hub by ``url``, with a ``token`` where it wants one, or a ``folder``."""

    url: str = ""
    folder: str = ""
    token: str = ""

    def open(self, settings: Settings) -> Upstream:
        """The upstream (raises :class:`UsageError`)."""
        if bool(self.url) == bool(self.folder):
            raise UsageError("an upstream is a hub by its URL, or a folder")
        limits = settings.limits or DEFAULT_LIMITS
        return (
            HubUpstream(self.url, self.token, limits=limits) if self.url else FolderUpstream(self.folder, limits=limits)
        )


@dataclass(frozen=True, slots=True)
class _Shop:
    """What is needed to vet: the same for a server that does and for a process beside it."""

    database: Database
    blobs: BlobStore
    upstreams: Upstreams
    key: PrivateKey
    vet: Handler


def open_gate(
    folder: str,
    places: Sequence[Place | Upstream],
    settings: Settings | None = None,
    *,
    database: str = "",
    workers: int = 1,
    lease: int = 30_000,
    clock: Clock = system_clock,
) -> OpenGate:
    """A gate that is at work until it is closed.

    Args:
        folder: what it keeps: files, dossiers, the log, its key, and the database where no other is named.
        places: where repositories come from, in order.
        settings: how it behaves.
        database: the URL of the database, see :func:`openvet.store.database.open_database`.
        workers: vettings at a time in this process; with 0 others do them (:func:`open_worker`).
        lease: milliseconds after which what a process was at that is no more is begun again.
        clock: the time.

    Raises:
        UsageError, PackError: something of this makes no sense.
        StorageError: the folder or the database cannot be used.
        VerifyError: the log there is not one of this key.
    """
    settings = settings or Settings()
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the folder of the gate cannot be made: {error.strerror or error}") from error
    shop = _shop(folder, places, settings, database, clock, upgrade=True)
    opened, key = shop.database, shop.key
    try:
        publisher = Publisher(opened, folder, key, f"{_LOG_NAME}/{key.public.hint[:16]}", clock)
        with opened.writing() as connection:  # a job for what was acknowledged and has none any more
            for each in unpublished_revisions(connection):
                ask_for_publishing(connection, each, clock())
            for project in lists_to_publish(connection):
                ask_for_listing(connection, project, clock())
        # decisions do not wait behind vettings until others can verify them, and the server alone publishes
        publishing = Worker(opened, {PUBLISH: publisher.publish}, clock, lease=lease)
        vetting = Worker(opened, {VET: shop.vet}, clock, lease=lease, threads=workers, done=publishing.wake)
        with ExitStack() as ending:
            ending.callback(vetting.stop)
            ending.callback(publishing.stop)
            publishing.start()
            vetting.start()
            ending.callback(_calling(opened, settings, clock, lease))
            if workers:
                sign = Sign(opened, vetting, clock)
                sign.start()
                ending.callback(sign.stop)
            kept = ending.pop_all()
    except BaseException:
        opened.close()
        raise
    return OpenGate(opened, shop.blobs, shop.upstreams, settings, key, clock, vetting, publishing, kept.close)


def open_worker(
    folder: str,
    places: Sequence[Place | Upstream],
    settings: Settings,
    *,
    database: str = "",
    threads: int = 1,
    lease: int = 30_000,
    clock: Clock = system_clock,
    lost: Callable[[str], None] = lambda _: None,
) -> Callable[[], None]:
    """Begin to vet for the server of this folder, beside it; it may run or not. Gives what ends it: what is under way is put back.

    What is decided is published by the server alone, so that one process writes the log.

    Args:
        folder, places, settings, database, lease, clock: as of the server's :func:`open_gate`.
        threads: vettings at a time.
        lost: is told why it must not go on, where that is so.

    Raises:
        UsageError, PackError: something of this makes no sense, or the database is of another version.
        StorageError: the folder or the database cannot be used.
    """
    check_folder(folder)
    shop = _shop(folder, places, settings, database, clock, upgrade=False)
    vetting = Worker(shop.database, {VET: shop.vet}, clock, lease=lease, threads=threads)
    sign = Sign(shop.database, vetting, clock, lost)
    try:
        sign.start()
    except BaseException:
        shop.database.close()
        raise
    vetting.start()

    def end() -> None:
        vetting.stop()
        sign.stop()
        shop.database.close()

    return end


def _shop(
    folder: str, places: Sequence[Place | Upstream], settings: Settings, database: str, clock: Clock, *, upgrade: bool
) -> _Shop:
    policy = Policy(settings, clock())
    upstreams = Upstreams([each.open(settings) if isinstance(each, Place) else each for each in places])
    key = open_key(folder)
    blobs = BlobStore(folder)
    opened = open_database(database_url(folder, database), upgrade=upgrade)
    vetter = Vetter(opened, blobs, upstreams, policy, settings, key, clock)
    return _Shop(opened, blobs, upstreams, key, vetter.vet)


def _calling(database: Database, settings: Settings, clock: Clock, lease: int) -> Callable[[], None]:
    """Begin to tell others what happens, in a thread of its own: who does not listen holds nobody up. Gives what ends it."""
    if not settings.hooks:
        return lambda: None
    caller = Caller(settings.hooks, clock)
    worker = Worker(database, {HOOK: caller.deliver}, clock, lease=lease)
    worker.start()

    def end() -> None:
        worker.stop()
        caller.close()

    return end


def open_key(folder: str) -> PrivateKey:
    """The key of a gate; a new one where there is none.

    Raises:
        UsageError: it cannot be read, or is protected by a passphrase.
        StorageError: it cannot be made.
    """
    path = os.path.join(folder, KEY)
    if not os.path.lexists(path):
        try:
            new_key(path, "ed25519", None)
        except WriteError as error:
            if not os.path.lexists(path):  # else another process was faster
                raise StorageError(str(error)) from error
    return read_private(path, lambda _: None)
