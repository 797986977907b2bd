"""The child of :mod:`openvet.sandbox.supervisor`: give up every right, import what loads, then do the work phase by phase.

Nothing but our own code is imported before: frameworks start threads as they are imported, and Landlock and filters bind one thread and what it starts
afterwards. They can be imported later, since the interpreter's folders stay readable. What the child says goes over one
socket, a line of JSON each: ``["confined", landlock, filter]``, ``["phase", name]``, ``["event", kind, about, detail, by]``,
``["over", outcome, detail]`` and at last ``["answer", value]``. A child that stays (:mod:`openvet.sandbox.session`) says ``["ready", value]``,
``["piece", value]``, ``["reply", value]`` and ``["failed", text]`` as well, and hears requests over the same socket: four bytes of length and JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any

from openvet.sandbox import confine

__all__ = ["Said", "main"]


class Said:
    """What the child says to its parent."""

    def __init__(self, channel: int) -> None:
        self._channel = channel

    def say(self, *message: Any) -> None:
        """One line."""
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._channel, data) :]

    def hear(self) -> Any:
        """What the parent sends a child that stays; waits for it."""
        size = int.from_bytes(self._exactly(4), "big")
        return json.loads(self._exactly(size))

    def called(self) -> bool:
        """Whether the parent has sent something that nobody heard yet."""
        return bool(select.select([self._channel], [], [], 0)[0])

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self._channel, min(size, 1 << 20))
            if not part:
                os._exit(1)  # the parent is gone
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


#: What is to be done, ``prepare`` of the module that a request names: it prepares (imports what is needed) and gives what does it.
Work = Callable[[dict[str, Any]], Callable[[Said], Any]]


def main(channel: int) -> None:
    """Do what comes over the channel."""
    if channel == 0:  # in the place of standard input, which the model must not have
        channel = os.dup(0)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
    ours = socket.socket(fileno=channel)
    said = Said(channel)
    request = said.hear()
    confine.end_with_parent(request["parent"])
    for path, text in request.get("decoys", {}).items():
        _put(os.path.join(request["home"], path), text)
    os.chdir(request["writable"][1])
    confine.bound(*request["bounds"])
    prepare: Work = importlib.import_module(request["work"]).prepare
    said.say("confined", *_confine(request, ours))
    answer = prepare(request)(said)
    sys.stdout.flush()
    said.say("answer", answer)
    os._exit(0)  # what is left of the model ends with the process, whatever it wants to do at the exit


def _confine(request: dict[str, Any], ours: socket.socket) -> tuple[list[str], str]:
    walls = request["walls"]
    kept: tuple[str, ...] = ()
    if {"landlock", "seccomp"} & set(walls):
        confine.only_thread()
    if walls:
        confine.drop_capabilities()
    if "landlock" in walls:
        kept = confine.keep_files(request["readable"], request["writable"])
    how = "nothing"
    if "seccomp" in walls:
        how = confine.filter_calls(ours if request["listen"] else None)
        if how == "nothing":
            sys.exit("no filter of system calls could be set")
    return list(kept), how


def _put(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
