"""What lies with a model that a licence may ask for: texts of licences, notices, pages for people, and the names that the model gives itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from openvet.core.location import Location
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.inventory.component import Component, Inventory
from openvet.inventory.texts import is_license_name
from openvet.licenses.shipping import Held, Name

__all__ = ["held_of"]

_LONGEST_NAME: Final = 200


def held_of(inventory: Inventory, licenses: LicensesV1, published_as: str = "") -> Held:
    """What lies with the model, as far as texts were kept when they were read.

    Args:
        published_as: ``organisation/name`` on the hub that it was read from; '' for files, whose folder may be called anything.
    """
    texts: dict[str, Location] = {}
    for each in licenses.found:
        if each.extent == "whole":
            for key in each.keys:
                texts.setdefault(key, each.source)
    notices: dict[str, str] = {}
    pages: dict[str, str] = {}
    for component in inventory.walk():
        text = component.text
        if text is None:
            continue
        if is_license_name(component.name):
            notices[component.place] = text
        else:
            pages[component.place] = text
    return Held(texts, notices, pages, (*_name(published_as, Location("")), *_names(inventory)))


def _names(inventory: Inventory) -> Iterator[Name]:
    for component in inventory.files:
        if component.format == "gguf":
            yield from _name(component.metadata.get("general.name"), Location(component.place, pointer="general.name"))
        elif component.format == "safetensors":
            noted = component.metadata.get("metadata")
            if isinstance(noted, dict):
                yield from _name(
                    noted.get("modelspec.title"), Location(component.place, pointer="__metadata__/modelspec.title")
                )
        elif (
            component.format == "markdown"
            and component.basename.lower() == "readme.md"
            and isinstance(component.document, dict)
        ):
            yield from _of_card(component, component.document)


def _of_card(component: Component, front: dict[str, Any]) -> Iterator[Name]:
    lines = component.outline.lines if component.outline is not None else {}
    yield from _name(
        front.get("model_name"), Location(component.place, line=lines.get("/model_name"), pointer="/model_name")
    )
    index = front.get("model-index")
    if isinstance(index, list) and len(index) == 1 and isinstance(index[0], dict):
        pointer = "/model-index/0/name"
        yield from _name(index[0].get("name"), Location(component.place, line=lines.get(pointer), pointer=pointer))


def _name(value: Any, source: Location) -> Iterator[Name]:
    if isinstance(value, str) and value.strip():
        yield Name(printable(shorten(value.strip(), _LONGEST_NAME)).rpartition("/")[2], source)
