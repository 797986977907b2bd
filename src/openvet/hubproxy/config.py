"""``serve.toml``: where a server listens, what it keeps, where models come from, and what decides. Taken whole or not at all.

Every problem is named with its line; paths are relative to the folder of the file. docs/guide/hub.md describes it for people.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import field, replace
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import parse_amount
from openvet.core.text import printable
from openvet.errors import ConfigError, SubjectError, UsageError
from openvet.gate.hooks import EVENTS
from openvet.gate.opening import Place
from openvet.gate.provider import GroupRole, ProviderSettings, check_address
from openvet.gate.requests import Rules
from openvet.gate.roles import ROOT, Role, parse_project
from openvet.gate.settings import HOUR, Hook, Settings
from openvet.io.http import origin_of
from openvet.workflows.config import Config
from openvet.workflows.model_files import read_small
from openvet.workflows.toml_lines import Path
from openvet.workflows.toml_reader import LARGEST, TomlReader

__all__ = ["HUB", "LOGS", "PORT", "ServeConfig", "load_serve_config", "place_of"]

HUB: Final = "https://huggingface.co"
PORT: Final = 8470
LOGS: Final = ("text", "json")
_LONGEST_TOKEN: Final = 4096


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """How a server is run.

    Attributes:
        host, port: where it listens; port 0 takes a free one.
        url: where clients reach it, if that is somewhere else (behind a reverse proxy).
        proxies: addresses of reverse proxies, whose ``X-Forwarded-For`` is believed.
        nginx: the prefix of an internal location under which the reverse proxy has ``data/blobs``; '' sends files ourselves.
        metrics: addresses and networks that may read ``/metrics``.
        log: ``text`` or ``json``.
        grace: seconds that running transfers get at the end.
        data: the folder that it keeps everything in.
        database: URL of a database; '' is SQLite in ``data``.
        keep: bytes that stored files may take; 0 is as many as come.
        idle: milliseconds for which nobody has pulled a stored file that is removed; 0 is never.
        upstreams: where models come from, in order.
        workers: vettings at a time.
        settings: of the gate.
        anonymous: whether whoever sends no token may pull; ``None`` is: where only this machine reaches it.
        rules: how many people an approval takes, and how long it holds.
        company: the provider at which people log in, or ``None``.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    url: str = ""
    proxies: tuple[str, ...] = ()
    nginx: str = ""
    metrics: tuple[str, ...] = ()
    log: str = "text"
    grace: int = 30
    data: str = ""
    database: str = ""
    keep: int = 0
    idle: int = 0
    upstreams: tuple[Place, ...] = (Place(url=HUB),)
    workers: int = 1
    settings: Settings = field(default_factory=Settings)
    anonymous: bool | None = None
    rules: Rules = field(default_factory=Rules)
    company: ProviderSettings | None = None


def load_serve_config(path: str) -> ServeConfig:
    """The configuration in a file.

    Raises:
        ConfigError: it cannot be read, or says what makes no sense; every problem is named with its line.
    """
    shown = printable(path)
    try:
        data = read_small(path, LARGEST)
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}") from error
    except SubjectError as error:
        raise ConfigError(str(error)) from error
    return _Reader(data, shown, os.path.dirname(os.path.abspath(path))).config()


def place_of(text: str) -> Place:
    """Where models come from, as a command line says it: a URL, or a folder.

    Raises:
        UsageError: it is neither.
    """
    if "://" in text:
        try:
            scheme = origin_of(text)[0]
        except (OSError, ValueError) as error:
            raise UsageError(f"{printable(text)[:200]} is no URL of a hub: {error}") from error
        if scheme not in {"http", "https"}:
            raise UsageError(f"{printable(text)[:200]} is no URL of a hub")
        return Place(url=text.rstrip("/"))
    if not os.path.isdir(text):
        raise UsageError(f"{printable(text)[:200]} is neither a folder nor a URL that starts with https:// or http://")
    return Place(folder=os.path.abspath(text))


class _Reader(TomlReader):
    """One file."""

    def __init__(self, data: bytes, shown: str, folder: str) -> None:
        super().__init__(data, shown)
        self._folder = folder

    def config(self) -> ServeConfig:
        top = self.table(
            self.document(), (), {"server", "data", "upstream", "policy", "vetting", "approvals", "webhook", "oidc"}
        )
        server = self.table(
            top.get("server", {}),
            ("server",),
            {"host", "port", "url", "proxies", "nginx", "log", "grace-seconds", "anonymous", "metrics"},
        )
        data = self.table(top.get("data", {}), ("data",), {"folder", "database", "keep", "idle-days"})
        vetting = self.table(top.get("vetting", {}), ("vetting",), {"whole", "small", "workers"})
        config = ServeConfig(
            host=self._text(server, ("server",), "host", "127.0.0.1"),
            port=self._number(server, ("server",), "port", PORT, 0, 65535),
            url=self._url(server, ("server",), "url"),
            proxies=self._texts(server, ("server",), "proxies"),
            nginx=self._prefix(server, ("server",), "nginx"),
            metrics=self._networks(server, ("server",), "metrics"),
            log=self._choice(server, ("server",), "log", LOGS, "text"),
            grace=self._number(server, ("server",), "grace-seconds", 30, 1, 3600),
            data=self._path(data, ("data",), "folder"),
            database=self._text(data, ("data",), "database", ""),
            keep=self._amount(data, ("data",), "keep", 0),
            idle=self._number(data, ("data",), "idle-days", 0, 0, 3660) * 24 * HOUR,
            upstreams=self._upstreams(top.get("upstream")),
            workers=self._number(vetting, ("vetting",), "workers", 1, 0, 64),
            settings=replace(self._settings(top.get("policy", {}), vetting), hooks=self._hooks(top.get("webhook"))),
            anonymous=self._flag(server, ("server",), "anonymous") if "anonymous" in server else None,
            rules=self._rules(top.get("approvals", {})),
            company=self._company(top["oidc"]) if "oidc" in top else None,
        )
        self.finish()
        return config

    def _rules(self, value: Any) -> Rules:
        at: Path = ("approvals",)
        table = self.table(value, at, {"approvers", "exception-approvers", "alone", "longest-days"})
        return Rules(
            approvers=self._number(table, at, "approvers", Rules().approvers, 1, 10),
            exception_approvers=self._number(table, at, "exception-approvers", Rules().exception_approvers, 1, 10),
            alone=self._flag(table, at, "alone"),
            longest=self._number(table, at, "longest-days", Rules().longest, 1, 3660),
        )

    def _company(self, value: Any) -> ProviderSettings | None:
        at: Path = ("oidc",)
        known = {
            "issuer",
            "client-id",
            "client-secret-file",
            "scopes",
            "name",
            "username-claim",
            "groups-claim",
            "role",
            "create",
            "only",
        }
        table = self.table(value, at, known, {"issuer", "client-id"})
        issuer = self._address(table, at, "issuer")
        if "?" in issuer:
            self.problem((*at, "issuer"), "issuer: an issuer has no query")
        usual = ProviderSettings("", "")
        scopes = self._texts(table, at, "scopes") if "scopes" in table else usual.scopes
        if any(not each.isascii() or not each.isprintable() or " " in each for each in scopes):
            self.problem((*at, "scopes"), "scopes must be a list of words")
        groups = self._text(table, at, "groups-claim", "")
        roles = self._group_roles(table.get("role", []))
        if roles and not groups:
            self.problem(
                at, "[[oidc.role]] needs groups-claim: the claim that lists the groups of somebody, such as groups"
            )
        path = self._path(table, at, "client-secret-file")
        return ProviderSettings(
            issuer=issuer,
            client_id=self._text(table, at, "client-id", ""),
            client_secret=self._token(path, at, "client-secret-file", "secret") if path else "",
            scopes=tuple(dict.fromkeys(("openid", *scopes))),
            name=self._text(table, at, "name", usual.name),
            username_claim=self._text(table, at, "username-claim", ""),
            groups_claim=groups,
            roles=roles,
            create=self._flag(table, at, "create") if "create" in table else usual.create,
            only=self._flag(table, at, "only"),
        )

    def _group_roles(self, value: Any) -> tuple[GroupRole, ...]:
        found = []
        for at, entry in self.entries(value, ("oidc", "role"), "[[oidc.role]]"):
            table = self.table(entry, at, {"group", "role", "project"}, {"group", "role"})
            group, role = (
                self.text(table, at, "group"),
                self._choice(table, at, "role", [each.value for each in Role], "viewer"),
            )
            project = self._text(table, at, "project", ROOT)
            try:
                parse_project(project)
            except UsageError as error:
                self.problem((*at, "project"), f"project: {error}")
            found.append(GroupRole(group or "", Role(role), project))
        return tuple(found)

    def _settings(self, value: Any, vetting: Mapping[str, Any]) -> Settings:
        at: Path = ("policy",)
        known = {"packs", "trust", "config", "review-admits", "main-is-admitted", "cooldown-hours", "revocations-days"}
        table = self.table(value, at, known)
        made = Settings(
            trust=self._path(table, at, "trust"),
            review_admits=self._flag(table, at, "review-admits"),
            main_is_admitted=self._flag(table, at, "main-is-admitted"),
            cooldown=self._number(table, at, "cooldown-hours", 0, 0, 24 * 365) * HOUR,
            revocations=self._number(table, at, "revocations-days", Settings().revocations // (24 * HOUR), 1, 366)
            * 24
            * HOUR,
            whole=self._amount(vetting, ("vetting",), "whole", Settings().whole),
            small=self._amount(vetting, ("vetting",), "small", Settings().small),
        )
        if "packs" in table:
            packs = self._texts(table, at, "packs")
            made = replace(
                made, packs=tuple(os.path.join(self._folder, each) if "/" in each else each for each in packs)
            )
        if path := self._path(table, at, "config"):
            try:
                made = replace(made, config=Config.load(path))
            except ConfigError as error:
                self.problem((*at, "config"), f"config: {error}")
        return made

    def _upstreams(self, value: Any) -> tuple[Place, ...]:
        if value is None:
            return (Place(url=HUB),)
        places = []
        for at, entry in self.entries(value, ("upstream",), "[[upstream]]"):
            found = self.table(entry, at, {"url", "folder", "token-file"})
            url, folder, token = (
                self._url(found, at, "url"),
                self._path(found, at, "folder"),
                self._path(found, at, "token-file"),
            )
            if ("url" in found) == ("folder" in found):
                self.problem(at, "an upstream is given by one of url and folder")
            elif folder and not os.path.isdir(folder):
                self.problem((*at, "folder"), f"{printable(folder)[:200]} is no folder")
            elif folder and token:
                self.problem((*at, "token-file"), "a folder needs no token")
            else:
                places.append(Place(url=url, folder=folder, token=self._token(token, at) if token else ""))
        if not places and self.faultless:
            self.problem(("upstream",), "there is no upstream: nothing could be pulled")
        return tuple(places)

    def _hooks(self, value: Any) -> tuple[Hook, ...]:
        hooks: list[Hook] = []
        for at, entry in [] if value is None else self.entries(value, ("webhook",), "[[webhook]]"):
            found = self.table(entry, at, {"url", "secret-file", "events"}, {"url"})
            url, file = self._address(found, at, "url"), self._path(found, at, "secret-file")
            events = self._texts(found, at, "events") if "events" in found else EVENTS
            if unknown := [each for each in events if each not in EVENTS]:
                self.problem((*at, "events"), f"there is no event {printable(unknown[0])[:60]!r}: {', '.join(EVENTS)}")
            if "secret-file" not in found:
                self.problem(at, "a webhook needs a secret-file: who receives it knows by that who speaks")
            secret = self._secret(file, at) if file else b""
            if url and any(each.url == url for each in hooks):
                self.problem((*at, "url"), f"{printable(url)[:200]} is told already; name all its events in one place")
            elif url and secret and not unknown:
                hooks.append(Hook(url, secret, events))
        return tuple(hooks)

    def _address(self, table: Mapping[str, Any], at: Path, key: str) -> str:
        """Where something is asked for or told; in clear only on this machine."""
        text = self._text(table, at, key, "")
        try:
            if text:
                check_address(text)
            return text
        except UsageError as error:
            self.problem((*at, key), f"{key}: {error}")
            return ""

    def _secret(self, path: str, at: Path) -> bytes:
        text = self._token(path, at, "secret-file", "secret")
        try:
            secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
        except ValueError:
            secret = b""
        if text and not 24 <= len(secret) <= 64:
            made = 'echo "whsec_$(openssl rand -base64 32)"'
            self.problem((*at, "secret-file"), f"{printable(path)[:200]} must hold 24 to 64 bytes in base64; {made} makes some")  # fmt: skip
            return b""
        return secret

    def _token(self, path: str, at: Path, key: str = "token-file", what: str = "token") -> str:
        """A token or secret from a file of its own, so that a configuration can be shown to anybody."""
        where = (*at, key)
        try:
            if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
                self.problem(where, f"{printable(path)[:200]} may be read by others; chmod 600 it")
                return ""
            text = read_small(path, _LONGEST_TOKEN).decode("ascii").strip()
        except OSError as error:
            self.problem(where, f"{printable(path)[:200]} cannot be read: {error.strerror}")
            return ""
        except (SubjectError, UnicodeDecodeError):
            text = ""
        if not text or not text.isprintable() or " " in text:
            self.problem(where, f"{printable(path)[:200]} holds no {what}: one line of ASCII without spaces")
            return ""
        return text

    # --- values ---

    def _text(self, table: Mapping[str, Any], at: Path, key: str, default: str) -> str:
        return (self.text(table, at, key) or "") if key in table else default

    def _path(self, table: Mapping[str, Any], at: Path, key: str) -> str:
        text = self._text(table, at, key, "")
        return os.path.join(self._folder, os.path.expanduser(text)) if text else ""

    def _url(self, table: Mapping[str, Any], at: Path, key: str) -> str:
        text = self._text(table, at, key, "")
        if not text:
            return ""
        try:
            if "://" not in text:
                raise UsageError("has to start with https:// or http://")
            return place_of(text).url
        except UsageError as error:
            self.problem((*at, key), f"{key}: {error}")
            return ""

    def _prefix(self, table: Mapping[str, Any], at: Path, key: str) -> str:
        text = self._text(table, at, key, "")
        if text and (not text.startswith("/") or text == "/" or "//" in text or not text.isascii()):
            self.problem((*at, key), f"{key} must be the prefix of an internal location, such as /openvet-files")
            return ""
        if text and not table.get("proxies"):
            self.problem((*at, key), f"{key} needs proxies: who reaches this server past the proxy would get no bytes")
        return text.rstrip("/")

    def _texts(self, table: Mapping[str, Any], at: Path, key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
            self.problem((*at, key), f"{key} must be a list of texts")
            return ()
        return tuple(value)

    def _networks(self, table: Mapping[str, Any], at: Path, key: str) -> tuple[str, ...]:
        found = self._texts(table, at, key)
        for each in found:
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError:
                self.problem(
                    (*at, key), f"{printable(each)[:60]!r} is no address or network, such as 127.0.0.1 or 10.0.0.0/8"
                )
                return ()
        return found

    def _number(self, table: Mapping[str, Any], at: Path, key: str, default: int, least: int, most: int) -> int:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.problem((*at, key), f"{key} must be a whole number from {least} to {most:,}")
            return default
        return value

    def _amount(self, table: Mapping[str, Any], at: Path, key: str, default: int) -> int:
        value = table.get(key)
        if value is None:
            return default
        try:
            if isinstance(value, bool) or not isinstance(value, int | str):
                raise UsageError("must be a number, or a text such as '8G'")
            return int(parse_amount(str(value), whole=True))
        except UsageError as error:
            self.problem((*at, key), f"{key}: {error}")
            return default

    def _flag(self, table: Mapping[str, Any], at: Path, key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.problem((*at, key), f"{key} must be true or false")
        return value is True

    def _choice(self, table: Mapping[str, Any], at: Path, key: str, known: Collection[str], default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str) or value not in known:
            self.problem((*at, key), f"{key} must be one of {', '.join(known)}")
            return default
        return value
