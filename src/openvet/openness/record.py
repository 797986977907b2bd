"""Records of the Model Openness Tool: YAML that says which components a release has, under which licences, and where they are.

A component may name its own licence; ``unlicensed`` says that it has none. Where it names none, that of its type holds, and then that of the
whole distribution.

Format: ``schema/mof_schema.json`` and ``ModelUpdater.php`` of https://github.com/lfai/model_openness_tool
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final

from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.openness_v1 import Evidence, Note
from openvet.inventory.component import Component, Inventory
from openvet.openness.framework import components
from openvet.openness.gathered import Declared, Gathered
from openvet.openness.licenses import spdx_id

__all__ = ["is_record", "read_record", "records"]

_NAME: Final = "Model Openness Framework"
_MOST: Final = 200
_LONGEST: Final = 200


def is_record(document: Any, *, alone: bool = False) -> bool:
    """Whether a YAML document is a record; a file that is examined alone need not name the framework."""
    if not isinstance(document, dict):
        return False
    release, framework = document.get("release"), document.get("framework")
    named = isinstance(framework, dict) and framework.get("name") == _NAME
    return (named or alone) and isinstance(release, dict) and isinstance(release.get("components"), list)


def records(inventory: Inventory) -> Iterator[Component]:
    """The records among the files."""
    return (each for each in inventory.of(("yaml",)) if each.format == "yaml" and is_record(each.document))


def read_record(component: Component, gathered: Gathered, inventory: Inventory | None) -> None:
    """Add what a record says to ``gathered``.

    Args:
        inventory: the files that its paths are looked up in; ``None`` where the record is examined alone.
    """
    place = component.place
    release = component.document["release"]
    whole = _whole(release.get("license"), place, gathered)
    if inventory is not None and "distribution" in whole:
        own, card = whole["distribution"], gathered.distribution
        gathered.distribution = own if card is None else gathered.together(own, card)
    ids = {each.name: each for each in components()}
    if len(release["components"]) > _MOST:
        text = f"lists {len(release['components'])} components, of which the first {_MOST} were taken"
        gathered.notes.append(Note(text, Location(place, pointer="/release/components")))
    for index, entry in enumerate(release["components"][:_MOST]):
        at = f"/release/components/{index}"
        name = entry.get("name") if isinstance(entry, dict) else None
        known = ids.get(name) if isinstance(name, str) else None
        if known is None or not isinstance(entry, dict):
            said = _text(name) if isinstance(name, str) else "something that has no name"
            gathered.notes.append(Note(f"names no component of the framework: {said}", Location(place, pointer=at)))
            continue
        declared = _own(entry, at, place) or whole.get(known.type) or whole.get("distribution")
        path = entry.get("component_path")
        where = Location(place, pointer=at)
        _add(gathered, known.id, path.strip() if isinstance(path, str) else "", where, declared, inventory)


def _add(
    gathered: Gathered, name: str, path: str, where: Location, declared: Declared | None, inventory: Inventory | None
) -> None:
    if "://" in path:
        gathered.add(name, "linked", Evidence("named by the record", where, _text(path)), declared)
    elif path and inventory is not None:
        found = _look_up(inventory, path, where.place)
        if found:
            gathered.add(name, "found", Evidence("named by the record, and here", Location(found)), declared)
        else:
            text = f"component_path {_text(path)} is not here, so that nothing shows the component"
            gathered.notes.append(Note(text, Location(where.place, pointer=f"{where.pointer}/component_path")))
    else:
        gathered.add(name, "recorded", Evidence("named by the record", where), declared)


def _look_up(inventory: Inventory, path: str, record: str) -> str:
    """The place of the file, or of the first file of the folder, that a path relative to the record names; ``""`` for none."""
    parts = [each for each in path.split("/") if each not in ("", ".")]
    if ".." in parts or not parts:
        return ""
    wanted = "/".join((*record.split("/")[:-1], *parts))
    places = inventory.once(_places)
    for sought in (wanted, f"{wanted}/"):
        at = bisect_left(places, sought)
        if at < len(places) and (places[at] == sought or (sought.endswith("/") and places[at].startswith(sought))):
            return places[at]
    return ""


def _places(inventory: Inventory) -> list[str]:
    return sorted(each.place for each in inventory.files)


def _whole(value: Any, place: str, gathered: Gathered) -> dict[str, Declared]:
    """The licences of the distribution and of the three types, as far as they are named."""
    out: dict[str, Declared] = {}
    if not isinstance(value, dict):
        if value is not None:
            gathered.notes.append(Note("license is no map", Location(place, pointer="/release/license")))
        return out
    for kind in ("distribution", "code", "data", "document"):
        entry = value.get(kind)
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name:
            scope = "distribution" if kind == "distribution" else "type"
            out[kind] = Declared(_id(name), scope, Location(place, pointer=f"/release/license/{kind}/name"))
    return out


def _own(entry: dict[str, Any], at: str, place: str) -> Declared | None:
    """The licence that a component itself names; ``None`` where it says nothing of one."""
    name = entry.get("license")
    if not isinstance(name, str):
        return None
    where = Location(place, pointer=f"{at}/license")
    return Declared("" if name in ("", "unlicensed") else _id(name), "component", where)


def _id(name: str) -> str:
    """A licence as the record spells it: the tool compares ids letter by letter, and so do we in a record."""
    return name if spdx_id(name) == name else _text(name)


def _text(value: str) -> str:
    return shorten(printable(value[: 2 * _LONGEST]), _LONGEST)
