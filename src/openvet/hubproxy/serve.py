"""``openvet serve``: a server from its configuration, from the lock on its folder to the last transfer."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.gate.catalogue import Catalogue
from openvet.gate.company import CALLBACK, CompanyLogin
from openvet.gate.folder import MARK, check_folder, database_url
from openvet.gate.identity import People
from openvet.gate.opening import open_gate
from openvet.gate.peopled import PeopledGate
from openvet.gate.requests import Requests
from openvet.gate.worker import system_clock
from openvet.hubproxy.api.app import make_api
from openvet.hubproxy.config import ServeConfig
from openvet.hubproxy.operating import Metrics, operating_routes
from openvet.hubproxy.seen import Seen, as_json, as_text
from openvet.hubproxy.serving import Server
from openvet.hubproxy.web.app import make_web
from openvet.listening.lines import LogLines
from openvet.listening.sockets import LOOPBACK, is_loopback, listen
from openvet.store.database import open_database
from openvet.version import VERSION

__all__ = ["claimed", "log_to", "recovery_link", "serve"]


def serve(config: ServeConfig, say: Callable[[str], None], log: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        config: how.
        say: takes what a person at the terminal has to read, once the server listens.
        log: takes a line for each request and each event.

    Raises:
        OpenVetError: it cannot begin; nothing was changed then, but for the folder that may have been made.
    """
    with claimed(config.data), contextlib.closing(listen(config.host, config.port)) as listener:
        config = replace(config, port=listener.getsockname()[1])
        at = _address(config)
        for each in config.upstreams:
            if each.url and urlsplit(each.url).netloc in {
                urlsplit(at).netloc,
                f"{_bracketed(config.host)}:{config.port}",
            }:
                raise UsageError(f"{each.url} is this server itself; an upstream is another hub")
        if config.company is not None and not config.url and not is_loopback(config.host):
            raise UsageError(
                "[oidc] needs url in [server]: the address at which browsers reach this server, which the provider has to know, too"
            )
        log_to(log, config.log)
        gate = open_gate(
            config.data, config.upstreams, config.settings, database=config.database, workers=config.workers
        )
        with contextlib.ExitStack() as ending:
            ending.callback(gate.close)
            people = People(gate.database, gate.clock, config.company)
            company = None
            if config.company is not None:
                company = CompanyLogin(config.company, people, gate.database, gate.clock, at)
            link = people.begin()
            requests = Requests(gate.database, gate, gate.clock, config.rules, config.settings.hooks)
            catalogue = Catalogue(gate.database, config.data, gate, gate.clock, config.settings)
            anonymous = _is_private(config) if config.anonymous is None else config.anonymous
            metrics, line = Metrics(), as_json if config.log == "json" else as_text

            def note(seen: Seen) -> None:
                metrics.take(seen)
                log(line(seen))

            server = Server(
                PeopledGate(gate, people, gate.database, gate.clock, anonymous=anonymous, hooks=config.settings.hooks),
                listener,
                note,
                base=config.url,
                grace=config.grace,
                proxies=config.proxies,
                hosts=_hosts(config),
                mounts={
                    "/openvet/v1": make_api(
                        gate.database, people, requests, catalogue, gate.clock, anonymous=anonymous
                    ),
                    "/openvet": make_web(
                        gate.database,
                        people,
                        requests,
                        catalogue,
                        gate.clock,
                        secure=config.url.startswith("https://"),
                        company=company,
                    ),
                },
                handed=(os.path.join(config.data, "blobs"), config.nginx) if config.nginx else None,
                more=operating_routes(gate, config.data, metrics, config.metrics),
            )
            if config.keep or config.idle:
                pruner = gate.pruner(config.idle or None, config.keep or None)
                pruner.start()
                ending.callback(pruner.stop)
            say(_greeting(config, at, link, anonymous=anonymous))
            server.run()


def recovery_link(config: ServeConfig, name: str, by: str) -> str:
    """The address at which an admin chooses a password anew and gets in, also where people log in at a provider alone; whether the server runs
    makes no difference. ``by`` is who asked for it, as it is written down.

    Raises:
        UsageError: the folder is none of a server, or that is no admin of everything.
        StorageError: the database cannot be used.
    """
    check_folder(config.data)
    database = open_database(database_url(config.data, config.database))
    try:
        secret = People(database, system_clock, config.company).recover(name, by=by)
    finally:
        database.close()
    return f"{_address(config)}/openvet/welcome?invitation={secret}"


@contextlib.contextmanager
def claimed(folder: str) -> Iterator[None]:
    """This folder is ours alone while the block runs.

    Raises:
        UsageError: another server uses it, or it holds something else.
    """
    shown = printable(folder)[:300]
    path = os.path.join(folder, MARK)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not os.path.lexists(path) and os.listdir(folder):
            raise UsageError(f"{shown} is not empty, and no folder of a server; name another with --data")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise UsageError(
            f"{shown} cannot be used as a folder for the server: {error.strerror}; name another with --data"
        ) from error
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"{shown} is used by another server, {_who(file.read(300))}; stop it first, or name another folder with --data") from error  # fmt: skip
        file.seek(0)
        file.truncate()
        file.write(json.dumps({"process": os.getpid(), "version": VERSION}).encode() + b"\n")
        file.flush()
        yield


def _address(config: ServeConfig) -> str:
    """Where browsers reach it, as far as it can know that."""
    everywhere = config.host in {"0.0.0.0", "::"}  # noqa: S104 - what it is compared with
    return config.url or f"http://{'127.0.0.1' if everywhere else _bracketed(config.host)}:{config.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_private(config: ServeConfig) -> bool:
    """Whether only people on this machine reach it: it listens to nobody else, and nothing hands requests on to it."""
    return is_loopback(config.host) and not config.proxies and not config.url


def _hosts(config: ServeConfig) -> tuple[str, ...]:
    """The names that a request to this machine alone may use: a page in a browser reaches it by others, which it makes lead here."""
    if not is_loopback(config.host) or config.proxies:
        return ()
    return (*LOOPBACK, config.host, *filter(None, [urlsplit(config.url).hostname]))


def _greeting(config: ServeConfig, at: str, link: str | None, *, anonymous: bool) -> str:
    places = ", ".join(each.url or each.folder for each in config.upstreams)
    lines = [
        f"OpenVet {VERSION} vets what is pulled from {printable(places)}; it keeps what it knows in {printable(config.data)}.",
        "Models are pulled through it by whoever has this in the environment:",
        "",
        f"export HF_ENDPOINT={at}",
        "",
    ]
    if link is not None:
        lines += [
            "The first admin chooses a password there, once, within three days:",
            "",
            f"{at}/openvet/welcome?invitation={link}",
            "",
        ]
    if config.company is not None:
        lines.append(f"People log in by {printable(config.company.name)}, which has to know {at}{CALLBACK}")
    if not anonymous:
        lines.append("Whoever pulls needs a token of theirs in HF_TOKEN; people make them under their account.")
    elif not is_loopback(config.host):
        lines.append(
            "It listens to other machines, and anonymous = true: whoever reaches it may pull what is admitted."
        )
    lines.append("Ctrl-C ends it.")
    return "\n".join(lines)


def _who(data: bytes) -> str:
    try:
        return f"process {int(json.loads(data)['process'])}"
    except (ValueError, KeyError, TypeError):
        return "or was a moment ago"


def log_to(log: Callable[[str], None], form: str) -> None:
    """Have what the rooms and libraries below say be lines of ``log``, as text or JSON."""
    for name in ("openvet", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [LogLines(log, form)]
        logger.propagate = False
    for name in ("openvet.people", "openvet.upkeep"):  # who came in, and what that changed; what was removed
        logging.getLogger(name).setLevel(logging.INFO)
