"""Write a GGUF file with its weights as 16-bit floats: what was quantized is unpacked, and what was lost stays lost."""

from __future__ import annotations

from typing import Any, Final

from openvet.transforms import gguf_quantize
from openvet.transforms._transform import Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="gguf-convert",
    command="convert",
    inputs=("gguf",),
    output="gguf",
    folder=False,
    changes="matrices are unpacked to floats of 16 bits",
    targets=(
        Target("f16", {"type": "f16"}, "16 bits: 11 of precision, largest 65504", 16),
        Target("bf16", {"type": "bf16"}, "16 bits: 8 of precision, the range of 32 bits", 16),
    ),
    settings=(Setting("type", "text", "f16", "the type"),),
    packages=("llama_cpp",),
    install="'openvet[gguf]'",
    notes=("Unpacking brings nothing back: the file holds what the parent's blocks stood for.",),
)


def make(task: Making) -> dict[str, Any]:
    """As :mod:`openvet.transforms.gguf_quantize`, to a type that has no blocks."""
    from dataclasses import replace

    return gguf_quantize.make(replace(task, settings={"pure": False, "keep-head": False, **task.settings}))
