"""The child of :mod:`openvet.sandbox.supervisor`: give up every right, import what loads, then do the work phase by phase.

Nothing but our own code is imported before: frameworks start threads as they are imported, and Landlock and filters bind one thread and what it starts
afterwards. They can be imported later, since the interpreter's folders stay readable. What the child says goes over one
socket, a line of JSON each: ``["confined", landlock, filter]``, ``["phase", name]``, ``["event", kind, about, detail, by]``,
``["over", outcome, detail]`` and at last ``["answer", value]``.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
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


Work = Callable[[dict[str, Any]], Callable[[Said], Any]]


def _work(name: str) -> Work:
    """What is to be done: a function that prepares (imports what is needed) and gives the one that does it."""
    if name == "canary":
        from openvet.sandbox import canary

        return canary.prepare
    if name == "load":
        from openvet.sandbox import lifecycle

        return lifecycle.prepare
    raise ValueError(name)


def main(channel: int) -> None:
    """Do what comes over the channel."""
    if channel == 0:  # in the place of standard input, which the model must not have
        channel = os.dup(0)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
    ours = socket.socket(fileno=channel)
    size = int.from_bytes(_exactly(ours, 4), "big")
    request = json.loads(_exactly(ours, size))
    confine.end_with_parent(request["parent"])
    for path, text in request.get("decoys", {}).items():
        _put(os.path.join(request["home"], path), text)
    os.chdir(request["writable"][1])
    confine.bound(*request["bounds"])
    prepare = _work(request["work"])
    said = Said(channel)
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


def _exactly(ours: socket.socket, size: int) -> bytes:
    out = b"".join(_parts(ours, size))
    if len(out) != size:
        sys.exit("the parent is gone")
    return out


def _parts(ours: socket.socket, size: int) -> Iterator[bytes]:
    while size and (part := ours.recv(size)):
        size -= len(part)
        yield part
