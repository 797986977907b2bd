"""A packaged model names a file outside its package.

What it finds:
    Paths in a ``Kitfile`` (KitOps) and its copy in an OCI artefact, names under which layers of OCI artefacts are written
    (``org.cncf.model.filepath``, ``org.opencontainers.image.title``), and artefacts of NeMo (``nemo:``), that are absolute or
    climb out of the folder.

Why it matters:
    Whoever unpacks or packs the model writes or reads where the path leads; a loader opens what it finds there.

Example:
    ``tokenizer: {model_path: "nemo:../../../etc/passwd"}``.

Remedy:
    Do not unpack or load it; ask the publisher for a package whose files lie inside it.

What it cannot see:
    Paths that are put together when the model is used.

References:
    https://kitops.org/docs/kitfile/format/ ; https://github.com/modelpack/model-spec ; CWE-22.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten
from openvet.inventory.component import Component

__all__ = ["RULE", "check"]

RULE = Rule(
    id="serving/outside-path",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(22,),
    needs=("json", "yaml"),
)

_PARTS = ("code", "datasets", "docs", "prompts")
_TITLES = ("org.cncf.model.filepath", "org.cnai.model.filepath", "org.opencontainers.image.title")
#: Keys of a flavor of MLflow that name a file or a folder of the model.
_FLAVOR_PATHS = frozenset(
    {"code", "data", "model_binary", "model_data", "model_path", "pickled_model", "python_model", "saved_model_dir"}
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each path."""
    from openvet.formats._tf_program import is_outside

    for component in ctx.components():
        for pointer, path in _named_paths(component):
            if isinstance(path, str) and is_outside(path):
                shown = printable(shorten(path, 200))
                yield ctx.finding(
                    Location(component.place, pointer=pointer),
                    f"names {shown}, which is not inside the package",
                    "Do not unpack or load it.",
                    evidence={"path": shown},
                )


def _named_paths(component: Component) -> Iterator[tuple[str, Any]]:
    document = component.document
    yield from _kitfile(document)
    yield from _layers(document)
    yield from _flavors(document)
    yield from _artefacts(component)


def _flavors(document: Any) -> Iterator[tuple[str, Any]]:
    """The files and folders that MLflow loads for a model, relative to its ``MLmodel``."""
    flavors = document.get("flavors") if isinstance(document, dict) else None
    for name, flavor in flavors.items() if isinstance(flavors, dict) else ():
        if isinstance(flavor, dict):
            for key in sorted(_FLAVOR_PATHS & flavor.keys()):
                yield f"/flavors/{printable(shorten(str(name), 100))}/{key}", flavor[key]


def _kitfile(document: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(document, dict) or "manifestVersion" not in document:
        return
    model = document.get("model")
    if isinstance(model, dict):
        yield "/model/path", model.get("path")
        yield from _paths(model.get("parts"), "/model/parts")
    for key in _PARTS:
        yield from _paths(document.get(key), f"/{key}")


def _paths(rows: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(rows, list):
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                yield f"{pointer}/{index}/path", row.get("path")


def _layers(document: Any) -> Iterator[tuple[str, Any]]:
    """The names that the layers of a manifest are written under."""
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        return
    layers = document.get("layers")
    for index, row in enumerate(layers if isinstance(layers, list) else []):
        notes = row.get("annotations") if isinstance(row, dict) else None
        if isinstance(notes, dict):
            for title in _TITLES:
                yield f"/layers/{index}/annotations/{title.replace('/', '~1')}", notes.get(title)


def _artefacts(component: Component) -> Iterator[tuple[str, Any]]:
    """What NeMo takes from its own archive, as its settings in YAML say."""
    if "yaml" not in component.formats:
        return
    stack: list[tuple[str, Any]] = [("", component.document)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            stack.extend(
                (f"{pointer}/{printable(shorten(str(key), 100))}", each)
                for key, each in items
                if isinstance(each, dict | list | str)
            )
        elif isinstance(value, str) and value.startswith("nemo:"):
            yield pointer, value[5:]
