"""What people and scripts ask of a gate's API: requests, decisions, models, people. The gate is another process, mostly on another machine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import OpenVetError, UsageError
from openvet.io.http import Client, StatusError, origin_of

__all__ = ["GATE_TYPE", "GateClient", "ModelName", "RefusedError", "credentials"]

GATE_TYPE: Final = "https://openvet/hub/v1"
#: What is said to whoever is not known where that is needed.
UNKNOWN: Final = "the gate has to know who you are: set HF_TOKEN (or OPENVET_TOKEN) to a token that it made"
_API: Final = "/openvet/v1"
_LARGEST: Final = 64 * 1024 * 1024
_PAGES: Final = 10_000
_TOKEN: Final = pattern(r"ovt_[A-Za-z0-9_-]{20,200}", re.ASCII)
_SEGMENT: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}", re.ASCII)


class RefusedError(OpenVetError):
    """The gate did not do it, and says why. ``status`` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class ModelName:
    """``[hf:][datasets/]NAME[@REVISION]`` as somebody writes it."""

    kind: str
    name: str
    revision: str

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Hold a name to what a hub allows.

        Raises:
            UsageError: it can be no name of a model or data set.
        """
        name, at, revision = text.removeprefix("hf:").partition("@")
        kind = "dataset" if name.startswith("datasets/") else "model"
        name = name.removeprefix("datasets/")
        parts = name.split("/")
        if len(parts) > 2 or not all(_SEGMENT.fullmatch(each) for each in parts) or (at and not revision):
            raise UsageError(
                f"{printable(text)[:200]!r} is no name of a model: write ORG/NAME, ORG/NAME@REVISION or datasets/ORG/NAME"
            )
        return cls(kind, name, revision)

    def __str__(self) -> str:
        return self.name if self.kind == "model" else f"datasets/{self.name}"


def credentials(server: str | None, environ: Mapping[str, str], *, anonymous: bool = False) -> tuple[str, str]:
    """Address and token of the gate: ``--server``, else ``OPENVET_SERVER``, else ``HF_ENDPOINT``; ``OPENVET_TOKEN``, else ``HF_TOKEN``.

    Args:
        anonymous: whether a gate that gives models to anybody is asked without a token, too; the token is '' then.

    Raises:
        UsageError: one of the two is missing, or cannot be one of a gate.
    """
    url = (server or environ.get("OPENVET_SERVER") or environ.get("HF_ENDPOINT") or "").strip().rstrip("/")
    if not url:
        raise UsageError("which gate? Set HF_ENDPOINT (or OPENVET_SERVER) to its address, or say --server URL")
    try:
        origin_of(url)
    except OpenVetError:
        raise UsageError(f"{printable(url)[:200]!r} is no address of a gate such as https://gate.example.com") from None
    which = "OPENVET_TOKEN" if environ.get("OPENVET_TOKEN") else "HF_TOKEN"
    token = environ.get(which, "").strip()
    if anonymous and (not token or token.startswith("hf_")):
        return url, ""
    if not token:
        raise UsageError(UNKNOWN)
    if not _TOKEN.fullmatch(token):
        kind = "a token of another hub" if token.startswith("hf_") else "no token of a gate"
        raise UsageError(
            f"{which} is {kind}, and is not sent: set OPENVET_TOKEN to one that the gate made (it begins with ovt_)"
        )
    return url, token


class GateClient:
    """The API of one gate, as one person.

    Args:
        server: address, without a path of the API.
        token: whose; '' is nobody's, for what a gate tells anybody.
        client: opens connections.
    """

    def __init__(self, server: str, token: str, client: Client | None = None) -> None:
        self.server = server
        self._client = client or Client()
        self._known = bool(token)
        here = origin_of(server)
        self._client.authorize = lambda url: f"Bearer {token}" if token and origin_of(url) == here else None

    def close(self) -> None:
        """Close what is open to the gate."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """One answer as JSON (raises :class:`RefusedError`; :class:`UnreachableError`)."""
        return self._ask("GET", path, None, query)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Have something done; what it led to as JSON, or ``None`` (raises like :meth:`get`)."""
        return self._ask(method, path, body or {}, {})

    def every(self, path: str, most: int, **query: Any) -> list[dict[str, Any]]:
        """The items of a list from all of its pages, at most ``most`` (raises like :meth:`get`)."""
        found: list[dict[str, Any]] = []
        after: dict[str, Any] = {}
        for _ in range(_PAGES):
            page = self.get(path, **query, **after)
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise RefusedError(200, self._strange())
            found += page["items"]
            if page.get("next") is None or len(found) >= most:
                break
            after = {"after": page["next"]}
        return found[:most]

    def revision(self, model: ModelName, project: str = "") -> dict[str, Any]:
        """The revision that is meant, as the gate lists it: of a branch the commit that it was seen as last. A gate that does not know it asks its upstream.

        Raises:
            RefusedError: it cannot be found, or several commits begin so.
        """
        query = {"kind": model.kind, "name": model.name, "ref": model.revision or "main", "project": project}
        found = self.every("/revisions", 2, **query)
        said = ""
        if not found:
            said = self._listed(model)
            found = self.every("/revisions", 2, **query)
        if not found and not model.revision:
            found = self.every("/revisions", 1, **{**query, "ref": ""})
        if not found:
            raise RefusedError(
                404,
                said or f"the gate knows no {model}{'@' if model.revision else ''}{model.revision}: is the name right?",
            )
        if len(found) > 1:
            raise RefusedError(404, f"several commits of {model} begin with {model.revision}: write more of it")
        return found[0]

    def _listed(self, model: ModelName) -> str:
        """Have the gate list a revision as a client of a hub would; what it says against it, or ''."""
        kind = "models" if model.kind == "model" else "datasets"
        url = f"{self.server}/api/{kind}/{model.name}/revision/{quote(model.revision or 'main', safe='')}"
        _, reply = self._client.send("GET", url, limit=_LARGEST)
        return printable(reply.headers.get("x-error-message", ""))[:600]

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any]) -> Any:
        said = {name: value for name, value in query.items() if value is not None and value not in ("", ())}
        url = f"{self.server}{_API}{path}" + (f"?{urlencode(said, doseq=True)}" if said else "")
        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
            headers["Content-Type"] = "application/json"
        try:
            answer, reply = self._client.send(method, url, data, limit=_LARGEST, headers=headers)
        except StatusError as error:
            raise RefusedError(error.status, f"the gate {error.message.partition(' ')[0]} cannot do it now (status {error.status}); try again later") from error  # fmt: skip
        if reply.status == 204:
            return None
        try:
            value = json.loads(answer)
        except (ValueError, RecursionError):
            raise RefusedError(reply.status, self._strange(reply.status)) from None
        if reply.status == 401 and not self._known:
            raise RefusedError(401, UNKNOWN)
        if not 200 <= reply.status < 300:
            raise RefusedError(reply.status, _why(value, reply.status) or self._strange(reply.status))
        return value

    def _strange(self, status: int = 200) -> str:
        return f"{printable(self.server)[:200]} answers as no gate does (status {status}): is the address that of openvet serve?"


def _why(value: Any, status: int) -> str:
    """What a problem (RFC 9457) says."""
    if not isinstance(value, dict) or not isinstance(value.get("detail"), str):
        return ""
    errors = value.get("errors")
    more = ""
    if isinstance(errors, list):
        parts = [f"{each.get('at')}: {each.get('detail')}" for each in errors[:5] if isinstance(each, dict)]
        more = f" ({'; '.join(parts)})" if parts else ""
    return shorten(printable(f"{value['detail']}{more}"), 1000) or f"status {status}"
