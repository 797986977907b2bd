"""Files of models, harmless and hostile, and a clock that a test moves."""

from __future__ import annotations

import json
import struct
import time

from openvet.testing import Call, Name, dump

CARD = b"---\nlicense: apache-2.0\n---\n# A model\n\nA small model for tests.\n"
CONFIG = b'{"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 4}'
#: Loading it prints a word.
HOSTILE = dump(Call(Name("os", "system"), ("echo forged",)))


def tensors(size: int, seed: int = 0) -> bytes:
    """A safetensors file with ``size`` bytes of weights."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    run = bytes((each * 7 + seed) % 251 for each in range(251))
    return struct.pack("<Q", len(header)) + header + (run * (size // 251 + 1))[:size]


def model(size: int = 5000, seed: int = 0) -> dict[str, bytes]:
    """A model that every policy admits."""
    return {"README.md": CARD, "config.json": CONFIG, "model.safetensors": tensors(size, seed)}


class HandClock:
    """The time of this machine and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead

    def move(self, milliseconds: int) -> None:
        self.ahead += milliseconds
