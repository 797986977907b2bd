"""The child's side of the talk: import what is needed, give up every right, then answer questions.

A message in either direction is its length, four bytes, big endian, and then its bytes. The first answer says how the child
is confined; the parent asks nothing before it has seen that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from openvet.sandbox.confines import Confines
from openvet.sandbox.seal import can_filter, limit, seal

__all__ = ["FILTERED", "LIMITED", "serve"]

FILTERED = b"filtered"
LIMITED = b"limited"


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer every question that comes on standard input until it ends. Everything is imported before this is called."""
    confines = Confines.from_text(sys.argv[1])
    inside = sys.argv[2] == "inside"  # bubblewrap keeps everything away already
    if can_filter():
        seal(confines)
        _put(FILTERED)
    elif inside:
        limit(confines)
        _put(LIMITED)
    else:
        sys.exit("neither bubblewrap nor seccomp: nothing is run here")
    while (size := _exactly(4)) is not None:
        question = _exactly(int.from_bytes(size, "big"))
        if question is None:
            return
        _put(answer(question))


def _exactly(size: int) -> bytes | None:
    out = bytearray()
    while len(out) < size:
        part = os.read(0, min(size - len(out), 1 << 20))
        if not part:
            return None
        out += part
    return bytes(out)


def _put(message: bytes) -> None:
    data = memoryview(len(message).to_bytes(4, "big") + message)
    while data:
        data = data[os.write(1, data) :]
