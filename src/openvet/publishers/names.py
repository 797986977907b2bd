"""Names that the files of a model state: of the model, its author, its organization, its base. All of them are declared by whoever wrote the file.

Sources: ``_name_or_path`` of transformers and diffusers, ``base_model_name_or_path`` of PEFT, the front matter of model cards (hub-docs,
``modelcard.md``), the ``general.*`` keys of GGUF (ggml, ``docs/gguf.md``) and ``modelspec.*`` in safetensors (ModelSpec 1.0).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.inventory.component import Component, Inventory

__all__ = ["Stated", "account_of", "fetched_from", "find_names", "hub_name"]

_LONGEST: Final = 300
_MOST: Final = 200
_HUBS: Final = ("huggingface.co/", "hf.co/")
#: How an origin calls what it fetched from a hub, or found in a hub's cache; a folder's name has no slash.
_SUBJECT: Final = pattern(
    r"hf:(?:datasets/(?=[^/@\s]{1,96}/))?(?!datasets/)([^/@\s]{1,96})/([^/@\s]{1,96})@([0-9a-f]{40})(?:[/ ].*)?"
)
_PART: Final = 128
#: First parts of paths on disks, which stand in configurations all the time.
_PATHS: Final = frozenset(
    ("checkpoint", "checkpoints", "ckpt", "ckpts", "content", "data", "datasets", "home", "input", "kaggle", "media", "mnt", "model", "models", "opt", "out",
     "output", "outputs", "results", "root", "runs", "save", "saved", "scratch", "share", "src", "srv", "tmp", "train", "training", "usr", "var", "weights",
     "work", "workspace")
)  # fmt: skip
_CONFIGS: Final = {
    "config.json": (("_name_or_path", "model"),),
    "model_index.json": (("_name_or_path", "model"),),
    "adapter_config.json": (("base_model_name_or_path", "base"),),
}
_GGUF: Final = (
    ("general.name", "model"), ("general.author", "author"), ("general.organization", "organization"),
    ("general.quantized_by", "quantized-by"), ("general.repo_url", "model"), ("general.source.repo_url", "base"), ("general.source.url", "base"),
)  # fmt: skip
_GGUF_BASES: Final = 8
_SPEC: Final = (("modelspec.author", "author"), ("modelspec.title", "model"))
_CARD: Final = (("model_name", "model"), ("model_creator", "organization"), ("author", "author"), ("authors", "author"), ("organization", "organization"), ("quantized_by", "quantized-by"), ("base_model", "base"))  # fmt: skip


class Stated:
    """One name as a file states it: its role, the text (raw, cut), where, and ``org/name`` where it is the name of a repository."""

    # a dataclass would cost a check of a small folder more than all else that is done for its names
    __slots__ = ("repository", "role", "source", "value")

    def __init__(self, role: str, value: str, source: Location, repository: str | None) -> None:
        self.role = role
        self.value = value
        self.source = source
        self.repository = repository


def hub_name(value: str) -> str | None:
    """``org/name`` where ``value`` is that, or a link to it; ``None`` for paths and everything else."""
    text = value.strip()[:_LONGEST]
    rest = text.partition("://")[2].removeprefix("www.") if text.lower().startswith(("https://", "http://")) else text
    host = next((each for each in _HUBS if rest.lower().startswith(each)), None)
    if host is not None:
        rest = rest[len(host) :].partition("?")[0].partition("#")[0].removeprefix("models/")
        text = "/".join(rest.split("/")[:2])
    elif rest is not text:
        return None
    account, slash, name = text.partition("/")
    if not slash or not _is_part(account) or not _is_part(name) or account[0] in ".~":
        return None
    # names of a hub's accounts and of folders on disks look the same
    return None if host is None and account.lower() in _PATHS else text


def _is_part(text: str) -> bool:
    """Whether a text can be one part of a repository's name: no separator of paths or addresses, no space."""
    return 0 < len(text) <= _PART and not any(each in "/\\:@" or each.isspace() for each in text)


def fetched_from(subject: str) -> tuple[str, str, str] | None:
    """(account, name, commit) of a subject that was fetched from a hub."""
    found = _SUBJECT.fullmatch(subject) if subject.startswith("hf:") else None
    return None if found is None else (found[1], found[2], found[3])


def account_of(repository: str) -> str:
    """The account in ``org/name``."""
    return repository.partition("/")[0]


def find_names(inventory: Inventory) -> tuple[Stated, ...]:
    """What the files state, in order of their places; ask through :meth:`~openvet.inventory.component.Inventory.once`."""
    out: dict[tuple[str, str, str], Stated] = {}
    for role, value, where in _all(inventory):
        if len(out) >= _MOST:
            break
        text = value.strip()
        if text:
            out.setdefault((role, text, where.place), Stated(role, text[:_LONGEST], where, hub_name(text)))
    return tuple(out.values())


def _all(inventory: Inventory) -> Iterator[tuple[str, str, Location]]:
    for component in inventory.of(("json",)):
        document = component.document
        for key, role in _CONFIGS.get(component.basename, ()):
            if isinstance(document, dict) and isinstance(document.get(key), str):
                yield role, document[key], Location(component.place, pointer=f"/{key}")
    for component in inventory.of(("markdown",)):
        if component.basename.lower() == "readme.md" and isinstance(component.document, dict):
            yield from _card(component, component.document)
    for component in inventory.of(("gguf",)):
        yield from _keys(component, component.metadata, _gguf_keys())
    for component in inventory.of(("safetensors",)):
        kept = component.metadata.get("metadata")
        if isinstance(kept, Mapping):
            yield from _keys(component, kept, _SPEC)


def _gguf_keys() -> Iterator[tuple[str, str]]:
    yield from _GGUF
    for index in range(_GGUF_BASES):
        yield f"general.base_model.{index}.repo_url", "base"
        yield f"general.base_model.{index}.organization", "organization"


def _keys(component: Component, kept: Mapping[str, Any], keys: Any) -> Iterator[tuple[str, str, Location]]:
    for key, role in keys:
        value = kept.get(key)
        if isinstance(value, str):
            yield role, value, Location(component.place, pointer=key)


def _card(component: Component, document: Mapping[str, Any]) -> Iterator[tuple[str, str, Location]]:
    lines = {} if component.outline is None else component.outline.lines
    for key, role in _CARD:
        value = document.get(key)
        for index, each in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(each, str):
                pointer = f"/{key}/{index}" if isinstance(value, list) else f"/{key}"
                line = lines.get(pointer, lines.get(f"/{key}"))
                yield role, each, Location(component.place, line=line, pointer=pointer)
