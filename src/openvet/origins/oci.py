"""A model in a registry: ``oci:REGISTRY/REPO[:TAG|@DIGEST]``, as an artefact or an image of the OCI distribution specification v1.1.

The manifest is pinned by its digest once. Each layer is a file, under the title that it is annotated with; ModelPack, KitOps and
Ollama name theirs in other places, which are known. A layer that is an archive is read like any archive. Sources: distribution-spec
v1.1 ("Pull"), image-spec (manifest, index, annotations), the token authentication of CNCF distribution, and the CNCF model-spec.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any
from urllib.parse import urlencode

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Limits
from openvet.core.pattern import pattern
from openvet.core.snapshot import Snapshot
from openvet.core.text import printable
from openvet.errors import ReadError, SubjectError, UnreachableError
from openvet.io.http import Client, StatusError, is_this_machine, origin_of
from openvet.io.ranges import Claim
from openvet.origins.remote import RemoteFile, RemoteOrigin, make_entries

__all__ = ["OciName", "open_oci", "parse_oci"]

_REPOSITORY = pattern(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = pattern(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_HOST = pattern(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-f:]+\](?::[0-9]{1,5})?")
_PARAMETER = pattern(r'(?<![A-Za-z_])([A-Za-z_]+)="([^"]*)"')
#: The specification lets a registry refuse a manifest of more.
_MANIFEST = 4 * 1024 * 1024
_MANIFESTS = 32
_LISTS = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_ACCEPT = ", ".join(
    ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json", *_LISTS)
)
_TITLES = ("org.opencontainers.image.title", "org.cncf.model.filepath", "org.cnai.model.filepath")
_ARCHIVES = (
    (".tar+gzip", ".tar.gz"),
    (".tar+zstd", ".tar.zst"),
    (".tar.gzip", ".tar.gz"),
    (".tar", ".tar"),
    ("+json", ".json"),
)


@dataclass(frozen=True, slots=True)
class OciName:
    """What ``oci:REGISTRY/REPO:TAG`` says; ``reference`` is the tag or the digest."""

    registry: str
    repository: str
    reference: str = "latest"


def parse_oci(text: str) -> OciName:
    """Take ``REGISTRY/REPO[:TAG|@DIGEST]`` apart; raises :class:`SubjectError` where it is none."""
    registry, _, rest = text.removeprefix("//").partition("/")
    rest, at, digest = rest.partition("@")
    repository, colon, tag = rest.partition(":")
    named = "." in registry or ":" in registry or registry == "localhost"
    if not named or not _HOST.fullmatch(registry) or not _REPOSITORY.fullmatch(repository) or len(repository) > 255:
        raise SubjectError("a model in a registry is named oci:REGISTRY/REPO:TAG or oci:REGISTRY/REPO@sha256:DIGEST")
    if (at and not _DIGEST.fullmatch(digest)) or (colon and not _TAG.fullmatch(tag)):
        raise SubjectError("after the repository comes :TAG or @sha256: with 64 hexadecimal digits")
    return OciName(registry, repository, digest or tag or "latest")


def open_oci(
    name: OciName,
    environ: Mapping[str, str],
    *,
    exclude: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    whole: bool = False,
    client: Client | None = None,
) -> RemoteOrigin:
    """List the layers of the artefact at one manifest.

    Raises:
        SubjectError: it is not there, or may not be read; the message says what to do.
    """
    client = client or Client()
    registry = _Registry(client, name, environ)
    try:
        digest, files = registry.artefact()
    except StatusError as error:
        client.close()
        raise SubjectError(_advice(error, name, known=registry.login is not None)) from error
    except ReadError as error:
        client.close()
        raise SubjectError(f"{printable(name.registry)}: {error.message}; check the name and the network") from error
    entries, by_name, cut = make_entries(files, exclude, limits)
    title = f"oci:{name.registry}/{name.repository}@{digest}"
    return RemoteOrigin(client, Snapshot(title, entries, single=False, cut=cut), by_name, whole=whole)


@dataclass(slots=True)
class _Registry:
    """One repository of one registry, and who we are there."""

    client: Client
    name: OciName
    environ: Mapping[str, str]
    base: str = ""
    login: str | None = None
    _header: str | None = None
    _realm: str = ""
    _names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        host = {"docker.io": "registry-1.docker.io"}.get(self.name.registry, self.name.registry)
        plain = is_this_machine(
            origin_of(f"https://{host}")[1]
        )  # as every client does: a registry on this machine speaks http
        self.base = f"{'http' if plain else 'https'}://{host}"
        self.login = _login(self.name.registry, self.environ)
        home = origin_of(self.base)

        def authorize(url: str) -> str | None:
            if self._realm and url.startswith(self._realm):
                return self.login
            return self._header if origin_of(url) == home else None

        self.client.authorize = authorize

    def artefact(self) -> tuple[str, list[RemoteFile]]:
        """The digest of the manifest or index that the name means, and all files below it."""
        data, digest = self._manifest(self.name.reference)
        value = _object(data)
        files: list[RemoteFile] = []
        listed = value.get("manifests") if value.get("mediaType") in _LISTS or "manifests" in value else None
        if listed is None:
            self._add(value, "", files)
            return digest, files
        if not isinstance(listed, list) or len(listed) > _MANIFESTS:
            raise UnreachableError(f"the index lists more than {_MANIFESTS} manifests, or no list of them")
        for each in listed:
            inner, _, _ = _descriptor(each)
            below, _ = self._manifest(inner)
            self._add(_object(below), "" if len(listed) == 1 else f"{inner.partition(':')[2][:12]}/", files)
        return digest, files

    def _manifest(self, reference: str) -> tuple[bytes, str]:
        url = f"{self.base}/v2/{self.name.repository}/manifests/{reference}"
        try:
            data, _ = self.client.get(url, limit=_MANIFEST, headers={"Accept": _ACCEPT})
        except StatusError as error:
            if error.status != 401 or self._header is not None or not self._sign_in(error.headers):
                raise
            data, _ = self.client.get(url, limit=_MANIFEST, headers={"Accept": _ACCEPT})
        algorithm, _, wanted = reference.partition(":")
        if wanted and hashlib.new(algorithm, data).hexdigest() != wanted:
            raise UnreachableError("the registry gives a manifest with another digest than the one that was asked for")
        return data, reference if wanted else f"sha256:{hashlib.sha256(data).hexdigest()}"

    def _sign_in(self, headers: Mapping[str, str]) -> bool:
        """Answer the challenge; says whether there is something to try again with."""
        kind, _, text = headers.get("www-authenticate", "").partition(" ")
        asked = {key.lower(): value for key, value in _PARAMETER.findall(text)}
        if kind.lower() == "basic":
            self._header = self.login
            return self.login is not None
        realm = asked.get("realm", "")
        if kind.lower() != "bearer" or not realm:
            return False
        if origin_of(realm)[0] != "https" and origin_of(realm) != origin_of(self.base):
            raise UnreachableError("the registry wants the password to be sent over http to another host")
        # other than the registry's own host, a realm is shown a password only where it belongs to the same domain
        if _domain(origin_of(realm)[1]) == _domain(origin_of(self.base)[1]):
            self._realm = realm
        query = {"service": asked.get("service", ""), "scope": f"repository:{self.name.repository}:pull"}
        data, _ = self.client.get(f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}", limit=_MANIFEST)
        value = _object(data)
        token = value.get("token") or value.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,65536}", token):
            return False
        self._header = f"Bearer {token}"
        return True

    def _add(self, manifest: Mapping[str, Any], prefix: str, files: list[RemoteFile]) -> None:
        layers = manifest.get("layers")
        if not isinstance(layers, list):
            raise UnreachableError("the manifest has no list of layers")
        config = manifest.get("config")
        if isinstance(config, dict) and config.get("mediaType") != "application/vnd.oci.empty.v1+json":
            layers = [config, *layers]
        for layer in layers:
            digest, size, kind = _descriptor(layer)
            own = "config.json" if layer is config else _title(layer, kind)
            title = own
            if f"{prefix}{title}" in self._names:  # two layers of one name both count, whichever a puller would keep
                title = f"{digest.partition(':')[2][:12]}/{own}"
            if f"{prefix}{title}" in self._names:
                continue  # the same blob under the same name, once more
            self._names.add(f"{prefix}{title}")
            algorithm, _, value = digest.partition(":")
            url = f"{self.base}/v2/{self.name.repository}/blobs/{digest}"
            files.append(RemoteFile(f"{prefix}{title}", url, size, Claim(algorithm, value, self.name.registry)))


def _title(layer: Mapping[str, Any], kind: str) -> str:
    """The file name of a layer: as annotated, else made from its media type, which is all that Ollama and KitOps give."""
    annotations = layer.get("annotations")
    if isinstance(annotations, dict):
        for key in _TITLES:
            if isinstance(annotations.get(key), str) and annotations[key]:
                return str(annotations[key])
    word = kind.rsplit("/", 1)[-1]
    ending = next((new for old, new in _ARCHIVES if word.endswith(old)), "")
    stem = re.sub(r"\.v\d+$", "", re.split(r"\.tar|\+", word, maxsplit=1)[0]).rsplit(".", 1)[-1]
    return (re.sub(r"[^\w-]", "", stem) or "layer") + ending


def _descriptor(value: Any) -> tuple[str, int, str]:
    if isinstance(value, dict):
        digest, size, kind = value.get("digest"), value.get("size"), value.get("mediaType", "")
        if (
            isinstance(digest, str)
            and _DIGEST.fullmatch(digest)
            and type(size) is int
            and size >= 0
            and isinstance(kind, str)
        ):
            return digest, size, kind
    raise UnreachableError("the manifest holds a descriptor without a digest or a size")


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreachableError("the registry's answer is no JSON") from error
    if not isinstance(value, dict):
        raise UnreachableError("the registry's answer is no JSON object")
    return value


def _domain(host: str) -> str:
    """The last two labels: enough to tell a registry's own sign-in host from a stranger."""
    return ".".join(host.split(".")[-2:])


def _login(registry: str, environ: Mapping[str, str]) -> str | None:
    """The Basic credentials of ``~/.docker/config.json`` for ``registry``; helpers are programs and are not run."""
    folder = environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            auths = json.loads(file.read(_MANIFEST)).get("auths", {})
        keys = [registry, f"https://{registry}"]
        if registry == "docker.io":
            keys.append("https://index.docker.io/v1/")
        for key in keys:
            text = auths.get(key, {}).get("auth", "")
            if text and b":" in base64.b64decode(text, validate=True):
                return f"Basic {text}"
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        pass
    return None


def _advice(error: StatusError, name: OciName, *, known: bool) -> str:
    where = printable(name.registry)
    what = f"{name.repository} ({printable(name.reference)})"
    if error.status in {401, 403}:
        then = "your login may not read it" if known else f"log in with `docker login {where}`"
        return f"{what} may not be read from {where}, or is not there: check the name; {then}"
    if error.status == 404:
        return f"{what} is not in {where}: check the repository and the tag"
    if error.status == 429:
        return f"{where} asks us to wait (status 429): try later, or log in"
    return f"{error.message}; try again later"
