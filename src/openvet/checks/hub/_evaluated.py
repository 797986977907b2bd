"""Texts of configurations that a loader evaluates as Python or runs as a script, beside MONAI's, each by the shape of its file.

* Model descriptions of YOLOv5 to YOLO11 (``backbone`` and ``head``): modules, arguments and the activation are given to ``eval``.
* Descriptions of data for Ultralytics (``train``, ``names``): ``download`` is Python that is given to ``exec``, or a line for bash.
* Workflows of ComfyUI: nodes of extensions run the Python that stands in their fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.location import below

__all__ = ["Evaluated", "evaluated"]

_LONGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One text: where, what it is, and who evaluates it. ``script`` says that a shell runs it."""

    pointer: str
    text: str
    who: str
    script: bool = False


def evaluated(document: Any) -> Iterator[Evaluated]:
    """Every such text of a document that has the shape; ordinary ones (``None``, ``nn.SiLU()``) among them."""
    if not isinstance(document, dict):
        return
    if isinstance(document.get("backbone"), list) and isinstance(document.get("head"), list):
        yield from _layers(document)
    download = document.get("download")
    if isinstance(download, str) and ("train" in document or "names" in document) and len(download) <= _LONGEST:
        bash = download.startswith("bash ")
        if bash or not (download.startswith(("http://", "https://")) and "\n" not in download.strip()):
            yield Evaluated("/download", download, "Ultralytics", script=bash)
    if _is_workflow(document):
        yield from _fields(document)


def _layers(document: dict[str, Any]) -> Iterator[Evaluated]:
    who = "a loader of YOLO models"
    if isinstance(document.get("activation"), str):
        yield Evaluated("/activation", document["activation"], who)
    stack = [(f"/{key}", document[key]) for key in ("backbone", "head")]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, list):
            stack.extend((below(pointer, at), each) for at, each in enumerate(value))
        elif isinstance(value, str) and "(" in value:
            yield Evaluated(pointer, value, who)


def _is_workflow(document: dict[str, Any]) -> bool:
    nodes = document.get("nodes")
    if isinstance(nodes, list):
        return any(isinstance(each, dict) and "widgets_values" in each for each in nodes[:50])
    values = list(document.values())[:50]
    return any(isinstance(each, dict) and "class_type" in each and "inputs" in each for each in values)


def _fields(document: dict[str, Any]) -> Iterator[Evaluated]:
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            stack.extend((below(pointer, key), each) for key, each in value.items())
        elif isinstance(value, list):
            stack.extend((below(pointer, at), each) for at, each in enumerate(value))
        elif isinstance(value, str) and "(" in value and 10 <= len(value) <= _LONGEST:
            yield Evaluated(pointer, value, "an extension of ComfyUI")
