"""What files say a model's licence is: cards, keys of headers, settings, packages, other bills of materials, and notices in texts.

Names and links are brought to keys by the table (:mod:`openvet.core.license_ids`); what may mean several licences stays ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openvet.core.license_ids import keys_of, notices
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.licenses_v1 import Declared
from openvet.inventory.component import Component
from openvet.licenses.expression import parse_expression
from openvet.licenses.words import Words

__all__ = ["declared_by", "declared_in_text", "say"]

_TAG = pattern(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+:() -]{1,200})")
#: Declarations taken from one file.
_MOST = 20
#: Lists of licences in one value, and components of a bill of materials, that are looked at.
_LISTED = 50
_SETTINGS = frozenset(
    {"config.json", "model_index.json", "dataset_info.json", "package.json", "adapter_config.json", "modelcard.json"}
)
_HEADER_KEYS = ("license", "modelspec.license", "license_name", "license_link")
_GGUF = (("general.license", "id"), ("general.license.name", "name"), ("general.license.link", "link"))
_METADATA = pattern(r"^(License-Expression|License):[ \t]*(\S.{0,300})$")
_CLASSIFIER = pattern(r"^Classifier:[ \t]*License :: (?:OSI Approved :: )?(.{1,200})$")


def say(said: str, form: str, scope: str, source: Location) -> Declared:
    """The declaration of ``said``, which is an expression where it joins licences."""
    text = said.strip()
    shown = printable(shorten(" ".join(text.split()), 300))
    if form != "link" and (parsed := parse_expression(text)) is not None:
        return Declared(shown, "expression", parsed.keys, printable(shorten(parsed.text, 600)), scope, source)
    keys = keys_of(text)
    if form == "id" and keys and "://" in text:
        form = "link"
    return Declared(shown, form, keys, "", scope, source)


def declared_by(component: Component, scope: str) -> Iterator[Declared]:
    """What the values of ``component`` declare: of a card, a header, a configuration, a bill of materials."""
    name, document = component.basename.lower(), component.document
    at = component.place
    if component.format == "gguf":
        for key, form in _GGUF:
            yield from _each(component.metadata.get(key), form, "model", Location(at, pointer=key))
    elif component.format == "safetensors":
        kept = component.metadata.get("metadata")
        header: Mapping[str, Any] = kept if isinstance(kept, dict) else {}
        for key in _HEADER_KEYS:
            form = "link" if key.endswith("link") else "name" if key.endswith("name") else "id"
            yield from _each(header.get(key), form, "model", Location(at, pointer=f"__metadata__/{key}"))
    if not isinstance(document, dict):
        return
    if component.format == "markdown":
        lines: Mapping[str, int] = component.outline.lines if component.outline is not None else {}
        for key, form in (("license", "id"), ("license_name", "name"), ("license_link", "link")):
            yield from _each(document.get(key), form, scope, Location(at, line=lines.get(f"/{key}"), pointer=f"/{key}"))
    elif name in _SETTINGS or component.format == "citation":
        part = "part" if name == "package.json" else scope
        yield from _each(document.get("license"), "id", part, Location(at, pointer="/license"))
    elif component.format == "toml" and name == "pyproject.toml" and isinstance(document.get("project"), dict):
        said = document["project"].get("license")
        said = said.get("text") if isinstance(said, dict) else said
        yield from _each(said, "id", "part", Location(at, pointer="/project/license"))
    elif document.get("bomFormat") == "CycloneDX" or isinstance(document.get("spdxVersion"), str):
        yield from _from_bill(document, at)


def _each(value: Any, form: str, scope: str, source: Location) -> Iterator[Declared]:
    for each in (value if isinstance(value, list) else [value])[:_LISTED]:
        if isinstance(each, dict):  # npm's old form
            each = each.get("type", each.get("name"))
        if isinstance(each, str) and each.strip():
            yield say(each, form, scope, source)


def _from_bill(document: Mapping[str, Any], place: str) -> Iterator[Declared]:
    """What a bill of materials that lies with the model says of the model itself, and of the first components in it."""
    listed: list[tuple[str, Any, str]] = []
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("component"), dict):
        listed.append(("/metadata/component", metadata["component"], "model"))
    for kind in ("components", "packages"):
        found = document.get(kind)
        for at, each in enumerate(found[:_LISTED] if isinstance(found, list) else ()):
            listed.append((f"/{kind}/{at}", each, "part"))
    for pointer, each, scope in listed:
        if not isinstance(each, dict):
            continue
        entries = each.get("licenses")
        for at, entry in enumerate(entries[:_LISTED] if isinstance(entries, list) else ()):
            inner = entry.get("license", entry) if isinstance(entry, dict) else None
            said: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
            for key in ("id", "name", "expression"):
                if isinstance(said.get(key), str):
                    yield say(
                        said[key],
                        "id" if key == "id" else "name",
                        scope,
                        Location(place, pointer=f"{pointer}/licenses/{at}"),
                    )
        for key in ("licenseDeclared", "licenseConcluded"):
            if isinstance(each.get(key), str) and each[key] not in ("NOASSERTION", "NONE"):
                yield say(each[key], "id", scope, Location(place, pointer=f"{pointer}/{key}"))


def declared_in_text(
    component: Component, words: Words, taken: list[tuple[int, int]], scope: str
) -> Iterator[Declared]:
    """SPDX tags, fields of package metadata and sentences in a text, but for those inside a licence's own text.

    Args:
        component: a file whose text was kept.
        words: of its text.
        taken: lines of licences' texts that were found in it.
    """
    text = component.text or ""
    count = 0
    for number, said, form in _lines(component, text):
        if count < _MOST and not any(first <= number <= last for first, last in taken):
            count += 1
            yield say(said, form, scope, Location(component.place, line=number))
    line = f" {' '.join(words.words)} "
    starts: list[int] | None = None
    seen: set[tuple[str, ...]] = set()
    covered: list[tuple[int, int]] = []
    for sentence, keys in notices():
        at = line.find(sentence)
        while at >= 0 and count < _MOST:
            end = at + len(sentence)
            if starts is None:
                starts = _starts(words)
            first = _word_at(starts, at + 1)
            number = words.line(first)
            inside = any(low <= number <= high for low, high in taken) or any(low <= at < high for low, high in covered)
            if not inside and tuple(keys) not in seen:
                seen.add(tuple(keys))
                covered.append((at, end))
                count += 1
                said = words.between(first, min(len(words.words), first + sentence.count(" ") - 1))
                shown = printable(shorten(" ".join(said.split()), 300))
                yield Declared(shown, "notice", tuple(keys), "", scope, Location(component.place, line=number))
                break
            at = line.find(sentence, end - 1)


def _lines(component: Component, text: str) -> Iterator[tuple[int, str, str]]:
    """(line, what it says, form) of SPDX tags and of the metadata of packages."""
    if "SPDX-License-Identifier" in text:
        for found in _TAG.finditer(text):
            said = found[1].strip().removesuffix("--").strip()
            if said:
                yield text.count("\n", 0, found.start()) + 1, said, "id"
    if component.basename.upper() in ("METADATA", "PKG-INFO"):
        for number, each in enumerate(text[:65536].split("\n"), 1):
            if not each.strip():
                return
            if (field := _METADATA.match(each)) is not None:
                yield number, field[2], "id"
            elif (field := _CLASSIFIER.match(each)) is not None:
                yield number, field[1], "name"


def _starts(words: Words) -> list[int]:
    """Where each word begins in the line of words."""
    out: list[int] = []
    at = 1
    for each in words.words:
        out.append(at)
        at += len(each) + 1
    return out


def _word_at(starts: list[int], at: int) -> int:
    from bisect import bisect_right

    return max(0, bisect_right(starts, at) - 1)
