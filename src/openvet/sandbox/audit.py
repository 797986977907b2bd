"""What Python itself says of what happens in a child: every event of its audit hooks, with the code that caused it.

The hook is set after the child is confined and the frameworks are imported, and before it sees a byte of a model. It stands in the same process as
the model's code, which can silence it, or say something in its name; and native code makes no events. What was said before stays said: every
event is at the parent before what it announces is done.

Source: PEP 578, and "Audit events table" of Python's documentation.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import PosixPath, PurePosixPath
from types import CodeType, FrameType
from typing import Any, Final

from openvet.sandbox.interpreter import our_interpreter

__all__ = ["listen"]

#: Of no use to anybody: they happen all the time, and what they lead to is told by others.
_SKIPPED: Final = frozenset(
    {
        "object.__getattr__", "object.__setattr__", "object.__delattr__", "sys._getframe", "sys._getframemodulename", "sys._current_frames",
        "builtins.id", "array.__new__", "ctypes.cdata", "ctypes.cdata/buffer", "ctypes.addressof", "ctypes.get_errno", "ctypes.set_errno",
        "ctypes.get_last_error", "ctypes.set_exception", "ctypes.call_function", "code.replace", "os.putenv/quiet",
    }
)  # fmt: skip
_ABOUT: Final = 1000
_SOURCE: Final = 4000
_ITEMS: Final = 16
_IMPORTER: Final = "<frozen importlib"


def listen(say: Callable[[str, str, str, str], None]) -> None:
    """Hand every event to ``say``, from now on: its name, what it is about, more of it, and the code that caused it."""
    libraries = our_interpreter().roots
    busy: set[int] = set()
    ident = threading.get_ident

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        if name in _SKIPPED:
            return
        me = ident()
        if me in busy:
            return
        busy.add(me)
        try:
            said = _said(name, arguments, libraries)
            if said is not None:
                say(name, *said)
        except Exception as error:  # noqa: BLE001 - what cannot be described has happened all the same
            say(name, f"not described: {type(error).__name__}"[:_ABOUT], "", "")
        finally:
            busy.discard(me)

    sys.addaudithook(hook)


def _said(name: str, arguments: tuple[Any, ...], libraries: tuple[str, ...]) -> tuple[str, str, str] | None:
    caller = sys._getframe(2)
    by = caller.f_code.co_filename
    if name == "import":
        top = str(arguments[0]).partition(".")[0]
        return top, "", _by(caller)
    if name == "open":
        path, _, flags = arguments
        about = _text(path)
        about = os.path.normpath(about) if about.startswith("/") else about
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
        if not writes and about.startswith(libraries):
            return None
        return about, "to write" if writes else "to read", _by(caller)
    if name in ("os.listdir", "os.scandir") and arguments and _text(arguments[0]).startswith(libraries):
        return None
    if name in ("marshal.loads", "marshal.load") and by.startswith(_IMPORTER):
        return None
    if name == "compile":
        source, filename = arguments[0], _text(arguments[1])
        text = source if type(source) in (str, bytes) else b""
        if filename.startswith(libraries) and _is_the_file(filename, text):
            return None
        shown = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
        return filename, shown[:_SOURCE], _by(caller)
    if name == "exec":
        code = arguments[0]
        if type(code) is not CodeType:
            return _text(code), "", _by(caller)
        if code.co_filename.startswith((*libraries, "<frozen ")):
            return None  # it was compiled, unmarshalled or made anew before, which is told
        return f"{code.co_filename}: {code.co_name}", "", _by(caller)
    if name == "pickle.find_class":
        return f"{_text(arguments[0])}.{_text(arguments[1])}", "", _by(caller)
    if name == "ctypes.dlsym":
        return _text(arguments[1]), "", _by(caller)
    return ", ".join(_text(each) for each in arguments[:_ITEMS])[:_ABOUT], "", _by(caller)


def _is_the_file(path: str, text: str | bytes) -> bool:
    """Whether ``text`` is what the file has: a library that is compiled as it is imported."""
    try:
        with open(path, "rb") as file:
            return file.read() == (text.encode() if isinstance(text, str) else text)
    except (OSError, ValueError):
        return False


def _by(frame: FrameType | None) -> str:
    """The nearest code that is none of the importer's."""
    while frame is not None and frame.f_code.co_filename.startswith("<frozen "):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _text(value: Any, depth: int = 0) -> str:
    """A value of a plain type, bounded; of any other its type, since asking it would run its code."""
    kind = type(value)
    if kind is str:
        return str(value)[:_ABOUT]
    if kind is bytes:
        return bytes(value)[:_ABOUT].decode("utf-8", "backslashreplace")
    if kind in (PosixPath, PurePosixPath):
        return str(value)[:_ABOUT]
    if value is None or kind in (int, float, bool):
        return str(value)[:_ABOUT]
    if kind in (tuple, list) and depth < 3:
        return f"[{', '.join(_text(each, depth + 1) for each in value[:_ITEMS])}]"[:_ABOUT]
    return f"<{kind.__name__}>"
