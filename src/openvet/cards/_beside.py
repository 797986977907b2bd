"""The files that lie where a document lies: what they are, as far as a card says something about it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.inventory.component import Component, Inventory

__all__ = ["Base", "Beside", "Quantized", "hub_id", "same_model"]

_FULL = frozenset({"F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"})
_HUB = pattern(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:(models|datasets)/)?", re.IGNORECASE)
_ID = pattern(r"[A-Za-z0-9][\w.\-]{0,95}(?:/[A-Za-z0-9][\w.\-]{0,95})?", re.ASCII)
#: Pages of the hub that are no models' and no data sets'.
_PAGES = frozenset({"blog", "collections", "docs", "learn", "papers", "posts", "spaces", "tasks"})
_LINK_ENDS = pattern(r"[?#]")
#: After every character that a place can hold.
_LAST = "\U0010ffff"
#: Tensor names looked at to see whether a file holds an adapter.
_NAMES_SEEN = 200


@dataclass(frozen=True, slots=True)
class Quantized:
    """How the weights are quantized, in the files' own word, and where that is read."""

    method: str
    source: Location


@dataclass(frozen=True, slots=True)
class Base:
    """A base model that a file names, and where."""

    id: str
    source: Location


def hub_id(value: Any, of: str = "models") -> str | None:
    """``value`` as the id of a model or data set on the hub (``org/name``, or an old ``name``); ``None`` where it is none.

    Args:
        value: an id, or a link to the hub.
        of: ``models`` or ``datasets``; a link to one of the others is none.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    link = _HUB.match(text)
    if link:
        parts = _LINK_ENDS.split(text[link.end() :], maxsplit=1)[0].strip("/").split("/")
        if parts[0] in _PAGES or (link[1] or of).lower() != of:
            return None
        text = "/".join(parts[:2])
    return text if _ID.fullmatch(text) and not text.endswith((".git", ".ipynb")) else None


def same_model(one: str, other: str) -> bool:
    """Whether two ids can be one model: an old id without an organisation is that of any."""
    one, other = one.casefold(), other.casefold()
    return one == other or (("/" not in one or "/" not in other) and one.rpartition("/")[2] == other.rpartition("/")[2])


def _by_place(inventory: Inventory) -> tuple[list[str], list[Component]]:
    """Everything but raw storage in order of the places, and the places: what lies below a folder lies side by side."""
    found = sorted((each for each in inventory.walk() if each.role is None), key=lambda each: each.place)
    return [each.place for each in found], found


class Beside:
    """What lies in the folder of ``place`` and below it."""

    def __init__(self, inventory: Inventory, place: str) -> None:
        head, bang, inner = place.rpartition("!/")
        self.folder = head + bang + inner[: inner.rfind("/") + 1]
        places, components = inventory.once(_by_place)
        start, end = bisect_left(places, self.folder), bisect_left(places, self.folder + _LAST)
        self.components = [each for each in components[start:end] if each.place != place]
        self._top = {each.place[len(self.folder) :]: each for each in self.components}

    def named(self, name: str) -> Component | None:
        """The file of that relative name."""
        return self._top.get(name)

    def settings(self, name: str) -> dict[str, Any] | None:
        """What the file of that relative name holds, where that is a map."""
        found = self._top.get(name)
        return found.document if found is not None and isinstance(found.document, dict) else None

    def at(self, name: str, pointer: str) -> Location:
        """A location in the file of that relative name."""
        return Location(self._top[name].place, pointer=pointer)

    @property
    def top(self) -> Iterator[Component]:
        """Files of the folder itself, not of those below it."""
        return (each for name, each in self._top.items() if "/" not in name)

    @property
    def has_weights(self) -> bool:
        return any(each.tensors for each in self.components)

    def adapter(self) -> Location | None:
        """Where it is read that the weights are an adapter and no whole model."""
        found = self.settings("adapter_config.json")
        if (
            found is None
            or not ({"peft_type", "base_model_name_or_path"} & found.keys())
            or self.full_weights() is not None
        ):
            return None
        return self.at("adapter_config.json", "/peft_type" if "peft_type" in found else "/base_model_name_or_path")

    def full_weights(self) -> Component | None:
        """The first file in the folder itself that holds weights which are no adapter's."""
        for each in self.top:
            if not each.tensors or each.basename.startswith("adapter_") or each.format == "gguf":
                continue
            if not any("lora" in tensor.name or "adapter" in tensor.name for tensor in each.tensors[:_NAMES_SEEN]):
                return each
        return None

    def quantized(self) -> Quantized | None:
        """How the weights are quantized, as the settings or the tensors' types say it."""
        config = self.settings("config.json") or {}
        method = config.get("quantization_config")
        if isinstance(method, dict):
            named = method.get("quant_method")
            if not isinstance(named, str):
                named = "bitsandbytes" if "load_in_4bit" in method or "load_in_8bit" in method else "unnamed"
            return Quantized(named.lower(), self.at("config.json", "/quantization_config"))
        if isinstance(config.get("quantization"), dict) and "bits" in config["quantization"]:
            return Quantized("mlx", self.at("config.json", "/quantization"))
        for name, word in (("quantize_config.json", "gptq"), ("quant_config.json", "awq")):
            if self.settings(name) is not None:
                return Quantized(word, self.at(name, ""))
        for each in self.components:
            if each.format == "gguf":
                kinds = sorted({tensor.dtype for tensor in each.tensors} - _FULL)
                if kinds:
                    return Quantized("gguf", Location(each.place))
        return None

    def unquantized(self) -> Component | None:
        """The first file with weights where all files with weights hold plain floating-point numbers only."""
        first = None
        for each in self.components:
            if not each.tensors:
                continue
            if each.format != "safetensors" or any(
                t.dtype not in ("F64", "F32", "F16", "BF16", "I64") for t in each.tensors
            ):
                return None
            first = first or each
        return first

    def bases(self) -> Iterator[Base]:
        """Base models that an adapter's settings or GGUF keys name, where they name one of the hub."""
        adapter = self.settings("adapter_config.json") or {}
        named = hub_id(adapter.get("base_model_name_or_path"))
        if named is not None:
            yield Base(named, self.at("adapter_config.json", "/base_model_name_or_path"))
        for each in self.components:
            if each.format != "gguf":
                continue
            for index in range(8):
                key = f"general.base_model.{index}.repo_url"
                named = hub_id(each.metadata.get(key))
                if named is not None:
                    yield Base(named, Location(each.place, pointer=key))
