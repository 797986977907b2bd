"""Models that are packed for a serving framework: TorchServe's archives and MLflow's folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openvet.checks._check import Context
from openvet.core.dataclass import dataclass
from openvet.inventory.component import Component

__all__ = ["Packed", "packed"]

_TORCHSERVE = "MAR-INF/MANIFEST.json"


@dataclass(frozen=True, slots=True)
class Packed:
    """One packed model: its framework, its manifest, and the files of the folder or archive that it lies in."""

    framework: str
    manifest: Component
    document: dict[str, Any]
    folder: str
    files: Mapping[str, Component]

    def beside(self, name: str) -> Component | None:
        """The file of this name relative to the model."""
        return self.files.get(self.folder + name)


def packed(ctx: Context) -> Iterator[Packed]:
    """Every manifest of a subject, in folders and in archives."""
    waiting: list[tuple[Component, ...]] = [ctx.inventory.files]
    while waiting:
        siblings = waiting.pop()
        files: dict[str, Component] = {}
        for component in siblings:
            name = component.name.removeprefix("./")
            if isinstance(component.document, dict):
                if name == _TORCHSERVE or name.endswith(f"/{_TORCHSERVE}"):
                    files = files or _by_name(siblings)  # once for all manifests of one folder
                    yield Packed("TorchServe", component, component.document, name.removesuffix(_TORCHSERVE), files)
                elif component.basename == "MLmodel" and "flavors" in component.document:
                    files = files or _by_name(siblings)
                    yield Packed("MLflow", component, component.document, name.removesuffix("MLmodel"), files)
            if component.children:
                waiting.append(component.children)


def _by_name(siblings: tuple[Component, ...]) -> dict[str, Component]:
    return {each.name.removeprefix("./"): each for each in siblings}
