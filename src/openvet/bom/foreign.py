"""Bills of others, and our own, read back: CycloneDX 1.4 to 1.7, SPDX 2.3 and 3.0, in JSON. Only what can be compared is kept.

A bill is a stranger's text: what is not of its kind is left out and counted, and never stops the rest from being read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from openvet.bom.purl import Purl, parse
from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.errors import MalformedError

__all__ = ["Entry", "Foreign", "read_bill"]

_CYCLONEDX: Final = ("1.4", "1.5", "1.6", "1.7")
_MOST: Final = 200_000
_DEEPEST: Final = 60
_LONGEST: Final = 2000
_PACKAGES: Final = frozenset(
    {"software_Package", "ai_AIPackage", "dataset_DatasetPackage", "software_File", "software_Snippet"}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One component.

    Attributes:
        key: what it is recognised by in another bill: its package URL without the version, else its name.
        kind: in the form's own word.
        name, version, purl: printable; ``""`` where absent.
        hashes: algorithm in lower case without signs (``sha256``) -> hex in lower case.
        licenses: ids, expressions or names, sorted.
        properties: name -> values, sorted.
    """

    key: str
    kind: str
    name: str
    version: str = ""
    purl: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    licenses: tuple[str, ...] = ()
    properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A bill: its form (``CycloneDX`` or ``SPDX``), the form's version, its components, and how many parts of it were not understood."""

    form: str
    version: str
    entries: tuple[Entry, ...]
    left_out: int = 0


def read_bill(document: Any) -> Foreign:
    """The components of a parsed document.

    Raises:
        MalformedError: it is no bill in a form that is read.
    """
    if not isinstance(document, Mapping):
        raise MalformedError("a bill of materials is a JSON object")
    if document.get("bomFormat") == "CycloneDX":
        version = _text(document.get("specVersion"))
        if version not in _CYCLONEDX:
            raise MalformedError(f"CycloneDX {version or 'without a version'} is not read; {', '.join(_CYCLONEDX)} are")
        reader = _CycloneDX()
        reader.read(document)
        return Foreign("CycloneDX", version, _keyed(reader.found), reader.left_out)
    spdx = _text(document.get("spdxVersion"))
    if spdx:
        if spdx not in ("SPDX-2.2", "SPDX-2.3"):
            raise MalformedError(f"{spdx} is not read; SPDX-2.2, SPDX-2.3 and SPDX 3.0 are")
        older = _Spdx2()
        older.read(document)
        return Foreign("SPDX", spdx.removeprefix("SPDX-"), _keyed(older.found), older.left_out)
    context = document.get("@context")
    if any(
        "spdx.org/rdf/3.0" in each
        for each in (context if isinstance(context, list) else [context])
        if isinstance(each, str)
    ):
        newer = _Spdx3()
        newer.read(document)
        return Foreign("SPDX", newer.version, _keyed(newer.found), newer.left_out)
    raise MalformedError("this is neither CycloneDX (bomFormat) nor SPDX (spdxVersion, or an @context of SPDX 3.0)")


def _text(value: Any) -> str:
    return shorten(printable(value), _LONGEST) if isinstance(value, str) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _keyed(found: list[Entry]) -> tuple[Entry, ...]:
    """The entries, each with a key of its own: of several with the same one, the further ones are numbered in order of their digests."""
    by_key: dict[str, list[Entry]] = {}
    for each in found:
        by_key.setdefault(_base(each), []).append(each)
    out = []
    for key, entries in by_key.items():
        entries.sort(key=lambda each: (each.kind, each.version, sorted(each.hashes.items()), each.licenses))
        for number, each in enumerate(entries, 1):
            own = key if number == 1 else f"{key} ({number})"
            out.append(
                Entry(own, each.kind, each.name, each.version, each.purl, each.hashes, each.licenses, each.properties)
            )
    return tuple(sorted(out, key=lambda each: each.key))


def _base(entry: Entry) -> str:
    if entry.purl:
        try:
            found = parse(entry.purl)
        except MalformedError:
            return entry.purl
        return str(Purl.made(found.type, found.namespace, found.name, "", found.qualifiers, found.subpath))
    return entry.name


class _Reader:
    def __init__(self) -> None:
        self.found: list[Entry] = []
        self.left_out = 0

    def add(self, kind: str, name: str, **fields: Any) -> None:
        if not name or len(self.found) >= _MOST:
            self.left_out += 1
            return
        self.found.append(Entry("", kind, name, **fields))

    def hashes(self, listed: Any, algorithm: str, value: str) -> dict[str, str]:
        out = {}
        for each in _list(listed):
            if isinstance(each, Mapping) and _text(each.get(algorithm)) and _text(each.get(value)):
                name = "".join(sign for sign in _text(each[algorithm]).lower() if sign.isalnum())
                out[name] = _text(each[value]).lower()
            else:
                self.left_out += 1
        return dict(sorted(out.items()))


class _CycloneDX(_Reader):
    def read(self, document: Mapping[str, Any]) -> None:
        metadata = document.get("metadata")
        components = list(_list(document.get("components")))
        subject = metadata.get("component") if isinstance(metadata, Mapping) else None
        # ours names the subject twice, as delivered and as a model; the model says more
        if subject is not None and not _is_again(subject, components):
            components.insert(0, subject)
        self._walk(components, 0)
        for each in _list(document.get("services")):
            if isinstance(each, Mapping):
                self.add("service", _text(each.get("name")), version=_text(each.get("version")))

    def _walk(self, components: list[Any], depth: int) -> None:
        for each in components:
            if not isinstance(each, Mapping) or depth > _DEEPEST:
                self.left_out += 1
                continue
            self._component(each)
            self._walk(_list(each.get("components")), depth + 1)
            pedigree = each.get("pedigree")
            if isinstance(pedigree, Mapping):
                self._walk(_list(pedigree.get("ancestors")), depth + 1)

    def _component(self, each: Mapping[str, Any]) -> None:
        group, name = _text(each.get("group")), _text(each.get("name"))
        properties = list(_list(each.get("properties")))
        card = each.get("modelCard")
        if isinstance(card, Mapping):
            properties += _list(card.get("properties"))
            told = card.get("modelParameters")
            parameters = told if isinstance(told, Mapping) else {}
            for key in ("task", "architectureFamily", "modelArchitecture"):
                properties.append({"name": key, "value": parameters.get(key)})
        self.add(
            _text(each.get("type")), f"{group}/{name}" if group and name else name, version=_text(each.get("version")),
            purl=_text(each.get("purl")), hashes=self.hashes(each.get("hashes"), "alg", "content"),
            licenses=tuple(sorted(set(self._licenses(each.get("licenses"))))), properties=_properties(properties),
        )  # fmt: skip

    def _licenses(self, listed: Any) -> Iterator[str]:
        for each in _list(listed):
            each = each if isinstance(each, Mapping) else {}
            inner = each.get("license")
            named = inner if isinstance(inner, Mapping) else {}
            text = _text(named.get("id")) or _text(named.get("name")) or _text(each.get("expression"))
            if text:
                yield text
            else:
                self.left_out += 1


def _is_again(subject: Any, components: list[Any]) -> bool:
    if not isinstance(subject, Mapping):
        return False
    return any(
        isinstance(each, Mapping)
        and all(each.get(key) == subject.get(key) for key in ("type", "group", "name", "version", "purl"))
        for each in components
    )


def _properties(listed: list[Any]) -> dict[str, tuple[str, ...]]:
    out: dict[str, list[str]] = {}
    for each in listed:
        if isinstance(each, Mapping) and _text(each.get("name")) and isinstance(each.get("value"), str):
            out.setdefault(_text(each["name"]), []).append(_text(each["value"]))
    return {name: tuple(sorted(values)) for name, values in sorted(out.items())}


class _Spdx2(_Reader):
    def read(self, document: Mapping[str, Any]) -> None:
        for each in _list(document.get("packages")):
            if not isinstance(each, Mapping):
                self.left_out += 1
                continue
            purl = next((_text(ref.get("referenceLocator")) for ref in _list(each.get("externalRefs"))
                         if isinstance(ref, Mapping) and ref.get("referenceType") == "purl"), "")  # fmt: skip
            self.add(_text(each.get("primaryPackagePurpose")).lower() or "package", _text(each.get("name")), version=_text(each.get("versionInfo")),
                     purl=purl, hashes=self.hashes(each.get("checksums"), "algorithm", "checksumValue"), licenses=_spdx2_licenses(each))  # fmt: skip
        for each in _list(document.get("files")):
            if isinstance(each, Mapping):
                name = _text(each.get("fileName")).removeprefix("./")
                self.add(
                    "file",
                    name,
                    hashes=self.hashes(each.get("checksums"), "algorithm", "checksumValue"),
                    licenses=_spdx2_licenses(each),
                )
            else:
                self.left_out += 1


def _spdx2_licenses(each: Mapping[str, Any]) -> tuple[str, ...]:
    told = (_text(each.get("licenseDeclared")), _text(each.get("licenseConcluded")))
    return tuple(sorted({one for one in told if one not in ("", "NOASSERTION", "NONE")}))


class _Spdx3(_Reader):
    version = "3.0"

    def read(self, document: Mapping[str, Any]) -> None:
        graph = [each for each in _list(document.get("@graph")) or [document] if isinstance(each, Mapping)]
        names = {_text(each.get("spdxId") or each.get("@id")): each for each in graph}
        licenses: dict[str, set[str]] = {}
        for each in graph:
            if each.get("type") == "CreationInfo":
                self.version = _text(each.get("specVersion")) or self.version
            if each.get("type") == "Relationship" and each.get("relationshipType") in (
                "hasDeclaredLicense",
                "hasConcludedLicense",
            ):
                for to in _list(each.get("to")):
                    told = names.get(_text(to), {})
                    text = _text(told.get("simplelicensing_licenseExpression")) or _text(told.get("name"))
                    if text:
                        licenses.setdefault(_text(each.get("from")), set()).add(text)
        for each in graph:
            kind = _text(each.get("type"))
            if kind not in _PACKAGES:
                continue
            self.add(
                kind, _text(each.get("name")), version=_text(each.get("software_packageVersion")), purl=_text(each.get("software_packageUrl")),
                hashes=self.hashes(each.get("verifiedUsing"), "algorithm", "hashValue"),
                licenses=tuple(sorted(licenses.get(_text(each.get("spdxId")), ()))), properties=_ai(each),
            )  # fmt: skip


def _ai(element: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Fields of the AI and Dataset profiles, as properties."""
    out: dict[str, tuple[str, ...]] = {}
    for key, value in sorted(element.items()):
        if not isinstance(key, str) or not key.startswith(("ai_", "dataset_")):
            continue
        found: dict[str, list[str]] = {}
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str):
                found.setdefault(_text(key), []).append(_text(each))
            elif isinstance(each, Mapping) and _text(each.get("key")):
                found.setdefault(f"{_text(key)} {_text(each['key'])}", []).append(_text(each.get("value")))
        out |= {name: tuple(sorted(values)) for name, values in found.items()}
    return out
