"""Croissant descriptions of data sets: JSON-LD, read with a small parser of our own.

Names are brought to one spelling by the document's own ``@context``: ``sc:name``, ``https://schema.org/name`` and ``name`` under
``"@vocab": "https://schema.org/"`` are all ``name``. A context that is only a link is never fetched; the names then mean what the
specification's own context says.

Specification: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html (1.0 and 1.1), with the terms of Croissant RAI 1.0
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.cards._beside import Beside
from openvet.cards._page import Page, child, shown, what
from openvet.core.pattern import pattern

__all__ = ["is_croissant", "read_croissant"]

_HOME = pattern(r"https?://mlcommons\.org/croissant/(?!RAI)[0-9.]*\Z")
_KNOWN = ("http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/1.1")
_SHA256 = pattern(r"[0-9a-fA-F]{64}\Z")
_SIZE = pattern(r"(\d{1,18})(?: ?B)?\Z")
_VOCABULARIES = (
    ("schema.org/", ""),
    ("mlcommons.org/croissant/RAI/", "rai:"),
    ("mlcommons.org/croissant/", ""),
    ("purl.org/dc/terms/", ""),
)
#: Prefixes that everybody uses, where the context does not name others.
_PREFIXES = {
    "sc": "https://schema.org/",
    "schema": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "ml": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
}
_REQUIRED = ("conformsTo", "name", "description", "license", "url", "creator", "datePublished", "distribution")
_TOLD = ("name", "description", "license", "url", "version", "datePublished", "inLanguage", "keywords", "citeAs", "isLiveDataset", "sameAs",
         "sdLicense", "dateModified", "alternateName")  # fmt: skip
#: Objects looked at in one document.
_MOST = 20_000


def is_croissant(document: Any) -> bool:
    """Whether a JSON document is a Croissant description: it says so by what it conforms to, or by the vocabulary in its context."""
    if not isinstance(document, dict) or "@context" not in document:
        return False
    context = document["@context"]
    contexts = context if isinstance(context, list) else [context]
    for each in contexts:
        values = [value for value in each.values() if isinstance(value, str)] if isinstance(each, dict) else [each]
        if any(isinstance(value, str) and "mlcommons.org/croissant" in value for value in values):
            return True
    return any(isinstance(value, str) and _HOME.match(value) for value in _conforms(document))


def _conforms(document: dict[str, Any]) -> list[Any]:
    found = next((document[key] for key in ("conformsTo", "dct:conformsTo") if key in document), None)
    values = found if isinstance(found, list) else [found]
    return [each.get("@id") if isinstance(each, dict) else each for each in values]


class _Names:
    """The spelling that a document's context gives to names."""

    def __init__(self, context: Any) -> None:
        self._terms: dict[str, str] = dict(_PREFIXES)
        self._vocabulary = "https://schema.org/"
        for each in context if isinstance(context, list) else [context]:
            if not isinstance(each, dict):
                continue
            for key, value in each.items():
                meant = value.get("@id") if isinstance(value, dict) else value
                if key == "@vocab" and isinstance(meant, str):
                    self._vocabulary = meant
                elif isinstance(meant, str) and isinstance(key, str):
                    self._terms[key] = meant

    def of(self, name: str) -> str:
        """``name`` as its vocabulary spells it; unknown ones as they are."""
        iri = self._iri(name, 0)
        bare = iri.partition("://")[2].removeprefix("www.") or iri
        for start, prefix in _VOCABULARIES:
            if bare.startswith(start):
                return prefix + bare[len(start) :]
        return name

    def _iri(self, name: str, depth: int) -> str:
        if name.startswith("@") or "://" in name or depth > 4:
            return name
        if name in self._terms and self._terms[name] != name:
            return self._iri(self._terms[name], depth + 1)
        prefix, colon, rest = name.partition(":")
        if colon and prefix in self._terms:
            return self._iri(self._terms[prefix], depth + 1) + rest
        return name if colon else self._vocabulary + name

    def keys(self, value: dict[str, Any]) -> dict[str, tuple[str, Any]]:
        """Properties of an object by their spelling: (key as it is written, value)."""
        return {key if key.startswith("@") else self.of(key): (key, each) for key, each in value.items()}

    def types(self, value: dict[str, Any]) -> set[str]:
        found = value.get("@type", value.get("type"))
        return {self.of(each) for each in (found if isinstance(found, list) else [found]) if isinstance(each, str)}


def read_croissant(page: Page, document: dict[str, Any], beside: Beside) -> None:
    """Put what the description declares onto ``page``, what its specification requires of it, and what the files say against it."""
    names = _Names(document["@context"])
    at = ""
    if "name" not in document and isinstance(document.get("@graph"), list):
        for index, each in enumerate(document["@graph"][:_MOST]):
            if isinstance(each, dict) and "Dataset" in names.types(each):
                document, at = each, child("", "@graph", index)
                break
    found = names.keys(document)
    if "Dataset" not in names.types(document):
        page.problem("croissant", "is no Dataset of schema.org, as a description has to be", child(at, "@type"))
    for name in _REQUIRED:
        if name not in found or found[name][1] in (None, "", [], {}):
            page.lack("property", name)
    _version(page, found, at)
    for name in _TOLD:
        if name in found:
            page.declare(name, _told(found[name][1]), child(at, found[name][0]))
    for key, (written, value) in found.items():
        if key.startswith("rai:"):
            page.declare(key, _told(value), child(at, written))
    if "creator" in found:
        page.declare("creator", _people(found["creator"][1]), child(at, found["creator"][0]))
    _Graph(page, names, beside, live=_told(found.get("isLiveDataset", ("", None))[1]) is True).read(found, at)


def _version(page: Page, found: dict[str, tuple[str, Any]], at: str) -> None:
    key, value = found.get("conformsTo", ("conformsTo", None))
    values = [_told(each) for each in _listed(value)]
    said = [each for each in values if isinstance(each, str) and _HOME.match(each)]
    page.specification = said[0] if said else ""
    if value is not None and not said:
        page.problem(
            "croissant", f"conforms to {shown(values)}, and to no version of Croissant", child(at, key), found=values
        )
    elif said and said[0].replace("https:", "http:") not in _KNOWN:
        page.problem(
            "croissant",
            f"conforms to {shown(said[0])}; the versions 1.0 and 1.1 are known here",
            child(at, key),
            found=said[0],
        )


def _told(value: Any) -> Any:
    """A value without the forms that JSON-LD may wrap it in."""
    if isinstance(value, dict):
        for key in ("@value", "@id", "url", "name"):
            if key in value:
                return value[key]
    if isinstance(value, list):
        return [_told(each) for each in value[:200]]
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _people(value: Any) -> list[Any]:
    found = _listed(value)
    return [
        each.get("name", each.get("sc:name", _told(each))) if isinstance(each, dict) else each for each in found[:200]
    ]


class _Graph:
    """The distribution and the record sets of one description, and the references between them."""

    def __init__(self, page: Page, names: _Names, beside: Beside, *, live: bool) -> None:
        self._page = page
        self._names = names
        self._beside = beside
        self._live = live
        self._ids: set[str] = set()
        self._references: list[tuple[str, str]] = []
        self._left = _MOST
        self._here = ""

    def read(self, found: dict[str, tuple[str, Any]], at: str) -> None:
        for each, where in self._objects(found, "distribution", at):
            self._file(each, where)
        for each, where in self._objects(found, "recordSet", at):
            self._record_set(each, where)
        for name, where in self._references:
            if name not in self._ids:
                self._page.problem(
                    "croissant", f"refers to {shown(name)}, and nothing in it has that @id", where, found=name
                )

    def _objects(self, found: dict[str, tuple[str, Any]], name: str, at: str) -> Iterator[tuple[dict[str, Any], str]]:
        """(object, pointer) of a property that holds one or many; what is no object is a problem."""
        key, value = found.get(name, (name, None))
        if value is None:
            return
        for index, each in enumerate(_listed(value)):
            where = child(at, key, index) if isinstance(value, list) else child(at, key)
            self._left -= 1
            if self._left < 0:
                return
            if isinstance(each, dict):
                self._here = where
                yield each, where
            elif not isinstance(each, str):
                self._page.problem("croissant", f"{name} holds {what(each)}, and has to hold objects", where)

    def _own(self, found: dict[str, tuple[str, Any]]) -> str:
        """The id of an object, which others may refer to; older descriptions refer by the name."""
        names = [found[key][1] for key in ("@id", "name") if key in found and isinstance(found[key][1], str)]
        self._ids.update(names)
        if "@id" in found and isinstance(found["@id"][1], str) and any(char.isspace() for char in found["@id"][1]):
            self._page.problem("croissant", f"the @id {shown(found['@id'][1])} holds a space", self._here)
        return names[0] if names else ""

    def _refer(self, value: Any, where: str) -> None:
        for each in _listed(value):
            name = each.get("@id") if isinstance(each, dict) else each
            if isinstance(name, str):
                self._references.append((name, where))

    def _file(self, each: dict[str, Any], where: str) -> None:
        found, types = self._names.keys(each), self._names.types(each)
        own = self._own(found)
        said: dict[str, Any] = {
            key: _told(found[key][1])
            for key in ("contentUrl", "encodingFormat", "contentSize", "sha256", "md5", "includes")
            if key in found
        }
        self._page.declare("distribution", {"id": own, **said}, where)
        if not types & {"FileObject", "FileSet"}:
            self._page.problem(
                "croissant", f"the distribution {shown(own)} is neither a FileObject nor a FileSet", where
            )
            return
        if "encodingFormat" not in said:
            self._page.problem("croissant", f"the distribution {shown(own)} has no encodingFormat", where)
        if "containedIn" in found:
            self._refer(found["containedIn"][1], child(where, found["containedIn"][0]))
        if "FileSet" in types:
            if "includes" not in said:
                self._page.problem("croissant", f"the file set {shown(own)} does not say what it includes", where)
            return
        if "contentUrl" not in said:
            self._page.problem("croissant", f"the file {shown(own)} has no contentUrl", where)
        elif "containedIn" not in found:
            if "sha256" not in said and "md5" not in said and not self._live:
                self._page.lack("property", f"distribution {own}: sha256")
            self._compare(said, found, where)

    def _compare(self, said: dict[str, Any], found: dict[str, tuple[str, Any]], where: str) -> None:
        """A digest and a size against the file itself, where it lies beside the description."""
        url = said["contentUrl"]
        file = self._beside.named(url.removeprefix("./")) if isinstance(url, str) else None
        if file is None:
            return
        digest, actual = said.get("sha256"), file.digests.get("sha256")
        if isinstance(digest, str) and _SHA256.match(digest) and actual is not None and digest.lower() != actual:
            self._page.problem(
                "croissant",
                f"gives another sha256 than the file {shown(url)} has",
                child(where, found["sha256"][0]),
                found=digest,
                file=actual,
            )
        size = _SIZE.match(str(said.get("contentSize", "")))
        if size is not None and int(size[1]) != file.size:
            self._page.problem(
                "croissant",
                f"gives {size[1]} bytes as the size of {shown(url)}, which has {file.size}",
                child(where, found["contentSize"][0]),
                found=said["contentSize"],
                file=file.size,
            )

    def _record_set(self, each: dict[str, Any], where: str) -> None:
        found = self._names.keys(each)
        own = self._own(found)
        if "RecordSet" not in self._names.types(each):
            self._page.problem("croissant", f"the record set {shown(own)} is not of the type RecordSet", where)
        fields: list[str] = []
        inline = "data" in found
        waiting = [(field, at, False) for field, at in self._objects(found, "field", where)]
        while waiting:
            field, at, typed = waiting.pop(0)
            parts = self._names.keys(field)
            fields.append(self._own(parts))
            below = list(self._objects(parts, "subField", at))
            self._field(parts, field, at, inline=inline, leaf=not below, typed=typed)
            waiting += [(deeper, place, typed or "dataType" in parts) for deeper, place in below]
        self._page.declare("recordSet", {"id": own, "fields": fields}, where)

    def _field(
        self,
        parts: dict[str, tuple[str, Any]],
        field: dict[str, Any],
        at: str,
        *,
        inline: bool,
        leaf: bool,
        typed: bool,
    ) -> None:
        name = shown(parts.get("@id", parts.get("name", ("", "")))[1])
        if "Field" not in self._names.types(field):
            self._page.problem("croissant", f"the field {name} is not of the type Field", at)
        source = parts.get("source", ("", None))[1]
        if leaf and not inline and "value" not in parts and source in (None, "", [], {}):
            self._page.problem("croissant", f"the field {name} has neither a source nor a value", at)
        from_field = isinstance(source, dict) and "field" in self._names.keys(source)
        if leaf and not typed and not from_field and parts.get("dataType", ("", None))[1] in (None, "", []):
            self._page.problem("croissant", f"the field {name} has no dataType", at)
        for key in ("source", "references"):
            if key in parts and isinstance(parts[key][1], dict):
                for target, (written, value) in self._names.keys(parts[key][1]).items():
                    if target in ("fileObject", "fileSet", "field", "recordSet"):
                        self._refer(value, child(at, parts[key][0], written))
