"""Package URLs: parsed, normalised and built as the specification and its own tests say.

Of the types only those are known that models and what they need are published under: ``huggingface``, ``mlflow``, ``oci``, ``pypi``,
``github``, ``generic``. What another type's definition asks beyond the core is not applied.

Specification: https://github.com/package-url/purl-spec, at 16f3d0e39343 (2026-08-21): a slash in a qualifier's value is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import MalformedError

__all__ = ["Purl", "huggingface", "parse", "pypi"]

_TYPE: Final = pattern(r"[a-z][a-z0-9.-]*", re.ASCII)
_KEY: Final = pattern(r"[a-z][a-z0-9._-]*", re.ASCII)
_PERCENT: Final = pattern(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:")
#: Names that are one, however their letters are written.
_FOLDED: Final = frozenset({"pypi", "oci", "github", "bitbucket", "deb"})
_COMMIT: Final = pattern(r"[0-9a-fA-F]{40}", re.ASCII)


def _encode(text: str) -> str:
    return "".join(chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in text.encode("utf-8"))


def _decode(text: str) -> str:
    if _PERCENT.search(text):
        raise MalformedError(f"a percent sign in {text[:80]!r} encodes nothing")
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError(f"{text[:80]!r} does not encode UTF-8") from None


@dataclass(frozen=True, slots=True)
class Purl:
    """The components of a package URL, decoded; ``""`` and an empty map where one is absent.

    Building one (:meth:`made`, :func:`parse`) normalises it and refuses what its type does not allow.
    """

    type: str
    namespace: str
    name: str
    version: str
    qualifiers: Mapping[str, str]
    subpath: str

    @classmethod
    def made(
        cls,
        kind: str,
        namespace: str,
        name: str,
        version: str = "",
        qualifiers: Mapping[str, str] | None = None,
        subpath: str = "",
    ) -> Purl:
        """A normalised package URL.

        Raises:
            MalformedError: a component is missing, prohibited or not of its form.
        """
        kind = kind.lower()
        if not _TYPE.fullmatch(kind):
            raise MalformedError(f"{kind[:40]!r} is no type of a package URL")
        name = name.strip("/")
        if not name:
            raise MalformedError("a package URL needs a name")
        found: dict[str, str] = {}
        for key, value in (qualifiers or {}).items():
            lower = key.lower()
            if not _KEY.fullmatch(lower):
                raise MalformedError(f"{key[:40]!r} is no key of a qualifier")
            if lower in found:
                raise MalformedError(f"the qualifier {lower[:40]} is there twice")
            if value:
                found[lower] = value
        segments = [each for each in namespace.split("/") if each]
        below = [each for each in subpath.split("/") if each not in ("", ".", "..")]
        return cls(kind, "/".join(segments), name, version, found, "/".join(below))._normalised()

    def _normalised(self) -> Purl:
        namespace, name, version = self.namespace, self.name, self.version
        if self.type in ("pypi", "oci", "mlflow") and namespace:
            raise MalformedError(f"a package URL of the type {self.type} has no namespace")
        if self.type == "huggingface":
            version = version.lower()
        if self.type in _FOLDED:
            namespace, name = namespace.lower(), name.lower()
        if self.type == "pypi":
            name, version = name.replace("_", "-"), version.lower()
        if self.type == "mlflow" and "databricks" in self.qualifiers.get("repository_url", "").lower():
            name = name.lower()
        return Purl(self.type, namespace, name, version, dict(self.qualifiers), self.subpath)

    def __str__(self) -> str:
        """The canonical form."""
        out = f"pkg:{self.type}/"
        if self.namespace:
            out += "/".join(map(_encode, self.namespace.split("/"))) + "/"
        out += _encode(self.name)
        if self.version:
            out += f"@{_encode(self.version)}"
        if self.qualifiers:
            out += "?" + "&".join(sorted(f"{key}={_encode(value)}" for key, value in self.qualifiers.items()))
        if self.subpath:
            out += "#" + "/".join(map(_encode, self.subpath.split("/")))
        return out


def parse(text: str) -> Purl:
    """The package URL that ``text`` is, normalised.

    Raises:
        MalformedError: it is none.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or scheme.lower() != "pkg":
        raise MalformedError(f"{text[:80]!r} does not begin with pkg:")
    rest, _, subpath = rest.partition("#")
    rest, _, query = rest.partition("?")
    kind, slash, path = rest.strip("/").partition("/")
    if not slash:
        raise MalformedError(f"{text[:80]!r} has a type or a name, and needs both")
    left, at, version = path.rpartition("@")
    if not at:
        left, version = path, ""
    head, _, name = left.strip("/").rpartition("/")
    qualifiers: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        key, equals, value = pair.partition("=")
        if not equals and not key:
            continue
        if key.lower() in qualifiers:
            raise MalformedError(f"the qualifier {key[:40]} is there twice")
        qualifiers[key.lower()] = _decode(value)
    namespace = [_decode(each) for each in head.split("/") if each]
    below = [_decode(each) for each in subpath.split("/") if each not in ("", ".", "..")]
    if any("/" in each for each in (*namespace, *below)):
        raise MalformedError("a segment of a package URL holds a slash")
    return Purl.made(kind, "/".join(namespace), _decode(name), _decode(version), qualifiers, "/".join(below))


def huggingface(id: str, revision: str = "") -> str:  # noqa: A002
    """The package URL of a model on the hub, by its id ``org/name``; ``""`` for an id without an organisation, which has none."""
    namespace, _, name = id.partition("/")
    if not namespace or not name or "/" in name:
        return ""
    version = revision if _COMMIT.fullmatch(revision) else ""
    return str(Purl.made("huggingface", namespace, name, version))


def pypi(name: str, version: str = "") -> str:
    """The package URL of a Python package."""
    return str(Purl.made("pypi", "", name, version))
