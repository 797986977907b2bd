"""The child's side: open a model, say what it can do, and answer requests until it is asked to end."""

from __future__ import annotations

import importlib
import importlib.metadata
import resource
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from openvet.engines._engine import KINDS, CannotError, Engine, Opened

if TYPE_CHECKING:
    from openvet.sandbox.shim import Said

__all__ = ["answering", "prepare"]


def prepare(request: dict[str, Any]) -> Callable[[Said], Any]:
    """Import the runtime whose module is ``request["engine"]``, and give what opens ``request["path"]`` and answers."""
    return answering(importlib.import_module(f"openvet.engines.{request['engine']}").ENGINE, request)


def answering(engine: Engine, request: dict[str, Any]) -> Callable[[Said], Any]:
    """The same with a runtime that is at hand, such as one that lies in the interpreter and not here."""
    began = time.monotonic()
    for name in engine.packages:
        importlib.import_module(name)
    imported = time.monotonic() - began

    def do(said: Said) -> None:
        said.say("phase", "load")
        try:
            opened = engine.open(request["path"], request["options"])
        except Exception as error:  # noqa: BLE001 - any: the model decides what it raises
            said.say("over", "failed", _words(error))
            said.say("failed", _words(error))
            return
        said.say("over", "completed", "")
        said.say("phase", "forward")
        version = _version(engine.packages[0])
        said.say("ready", {"can": opened.can(), "version": version, "import_seconds": imported, **opened.facts()})
        while True:
            asked = said.hear()
            if asked["kind"] == "close":
                said.say("over", "completed", "")
                return
            if asked["kind"] == "stop":
                continue  # it came after what it was to stop had ended
            try:
                said.say("reply", _answer(opened, asked, said))
            except Exception as error:  # noqa: BLE001 - any: the next request may do better
                said.say("failed", _words(error))

    return do


def _answer(opened: Opened, asked: dict[str, Any], said: Said) -> Any:
    def piece(value: Any) -> bool:
        said.say("piece", value)
        return not said.called()

    kind = asked["kind"]
    if kind == "memory":
        return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    if kind not in opened.can():
        raise CannotError(f"it cannot be asked for {kind!r}, only for {', '.join(opened.can())}")
    assert kind in KINDS  # noqa: S101 - a method of the contract, and nothing else of the object's
    return getattr(opened, kind)(asked, piece)


def _words(error: Exception) -> str:
    text = str(error)
    return text if isinstance(error, CannotError) else f"{type(error).__name__}: {text}"[:1000]


def _version(package: str) -> str:
    for name in importlib.metadata.packages_distributions().get(package, [package]):
        try:
            return f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return package
