"""Models that are packed for a serving framework: TorchServe's archives and MLflow's folders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.dataclass import dataclass
from openvet.inventory.component import Component

__all__ = ["Packed", "packed"]

_TORCHSERVE = "MAR-INF/MANIFEST.json"


@dataclass(frozen=True, slots=True)
class Packed:
    """One packed model: its framework, its manifest, and the files beside it by their names relative to the model."""

    framework: str
    manifest: Component
    document: dict[str, Any]
    beside: dict[str, Component]


def packed(ctx: Context) -> Iterator[Packed]:
    """Every manifest of a subject, in folders and in archives."""
    waiting: list[tuple[Component, ...]] = [ctx.inventory.files]
    while waiting:
        siblings = waiting.pop()
        for component in siblings:
            name = component.name.removeprefix("./")
            if isinstance(component.document, dict):
                if name == _TORCHSERVE or name.endswith(f"/{_TORCHSERVE}"):
                    yield _packed("TorchServe", component, name.removesuffix(_TORCHSERVE), siblings)
                elif component.basename == "MLmodel" and "flavors" in component.document:
                    yield _packed("MLflow", component, name.removesuffix("MLmodel"), siblings)
            if component.children:
                waiting.append(component.children)


def _packed(framework: str, manifest: Component, folder: str, siblings: tuple[Component, ...]) -> Packed:
    beside = {}
    for each in siblings:
        name = each.name.removeprefix("./")
        if name.startswith(folder):
            beside[name.removeprefix(folder)] = each
    return Packed(framework, manifest, manifest.document, beside)
