"""The child's side: import what a transform needs, give up every right but to write in one folder, and make."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openvet.transforms._transform import CannotError, Making

if TYPE_CHECKING:
    from openvet.sandbox.shim import Said

__all__ = ["prepare"]


def prepare(request: dict[str, Any]) -> Callable[[Said], Any]:
    """Import the transform whose module is ``request["module"]`` and its packages, and give what makes."""
    module = importlib.import_module(request["module"])
    for name in module.TRANSFORM.packages:
        importlib.import_module(name)

    def do(said: Said) -> dict[str, Any]:
        said.say("phase", "make")
        task = Making(
            request["source"],
            request["target"],
            request["settings"],
            request["data"],
            request["threads"],
            _tell,
        )
        try:
            record = module.make(task)
        except Exception as error:  # noqa: BLE001 - any: the model decides what it raises
            words = str(error) if isinstance(error, CannotError) else f"{type(error).__name__}: {error}"
            said.say("over", "failed", words[:1000])
            return {"failed": words[:2000], "refused": isinstance(error, CannotError)}
        said.say("over", "completed", "")
        return {"version": _versions(module.TRANSFORM.packages), "record": record or {}}

    return do


def _tell(text: str) -> None:
    """Say how far it is, where the parent listens."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _versions(packages: tuple[str, ...]) -> str:
    named = importlib.metadata.packages_distributions()
    out = []
    for package in packages:
        for name in named.get(package, [package])[:1]:
            try:
                out.append(f"{name} {importlib.metadata.version(name)}")
            except importlib.metadata.PackageNotFoundError:
                out.append(package)
    return ", ".join(out)
