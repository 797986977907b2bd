"""A model's life in a confined child: load, construct, forward, unload, each told to the parent, with what Python says of it."""

from __future__ import annotations

import gc
import importlib.metadata
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from openvet.sandbox import audit
from openvet.sandbox.loaders import LOADERS, LeftOutError, import_if_there

if TYPE_CHECKING:
    from openvet.sandbox.shim import Said

__all__ = ["PHASES", "prepare"]

PHASES: Final = ("load", "construct", "forward", "unload")
#: How long what the model started may go on after it is unloaded.
_LINGER: Final = 1.0


def prepare(request: dict[str, Any]) -> Callable[[Said], Any]:
    """Import the loader that was asked for, and give what leads the model at ``request["path"]`` through its life."""
    loader = LOADERS[request["loader"]]
    for name in request.get("imports", ()):
        import_if_there(name)
    steps = loader.prepare(request["path"])
    version = _version(loader.packages[0]) if loader.packages else ""

    def do(said: Said) -> dict[str, Any]:
        audit.listen(lambda name, about, detail, by: said.say("event", name, about, detail, by))
        parts: tuple[Callable[[Any], Any], ...] = (lambda _: steps.load(), steps.construct, steps.forward)
        held: Any = None
        whole = True
        for name, step in zip(PHASES, parts, strict=False):
            said.say("phase", name)
            if not whole:
                said.say("over", "left out", "an earlier phase failed")
                continue
            try:
                made = step(held)
                held = made if name != "forward" else held
                said.say("over", "completed", "")
            except LeftOutError as reason:
                said.say("over", "left out", str(reason))
            except BaseException as error:  # noqa: BLE001 - any: the model decides what it raises, SystemExit among them
                whole = False
                said.say("over", "failed", _described(error))
                del error
        said.say("phase", "unload")
        left = _unload([held] if held is not None else [])
        held = None
        gc.collect()
        said.say("over", "completed", left)
        return {"version": version}

    return do


def _unload(held: list[Any]) -> str:
    """Let go of it, run what it wants to have run at the end, and wait a while for threads that it started."""
    import atexit

    held.clear()
    gc.collect()
    try:
        atexit._run_exitfuncs()
    except BaseException as error:  # noqa: BLE001 - any
        return f"at the exit: {_described(error)}"
    others = [each for each in threading.enumerate() if each is not threading.current_thread()]
    for each in others:
        each.join(_LINGER / len(others))
    alive = sum(each.is_alive() for each in others)
    return f"threads that went on: {alive}" if alive else ""


def _described(error: BaseException) -> str:
    """An exception in a line. Its text may be anything, and asking for it may raise."""
    kind = type(error).__name__
    try:
        return f"{kind}: {str(error)[:500]}"
    except BaseException:  # noqa: BLE001 - any
        return kind


def _version(package: str) -> str:
    try:
        return importlib.metadata.version({"llama_cpp": "llama-cpp-python"}.get(package, package))
    except importlib.metadata.PackageNotFoundError:
        return ""
