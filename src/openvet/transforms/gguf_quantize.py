"""Quantize GGUF to a rung of llama.cpp's ladder, by llama.cpp itself.

A name such as Q2_K is a recipe and no type: rows that cannot be cut in blocks of 256 get another type. What came out is counted by our own reader.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

#: From the smallest; of most models that is the order of their files, and a budget sorts them by what they really are.
_LADDER: Final = ("q2_k", "q3_k_s", "q3_k_m", "q4_0", "q4_k_s", "q4_k_m", "q5_k_s", "q5_k_m", "q6_k", "q8_0", "f16")

TRANSFORM: Final = Transform(
    id="gguf-quantize",
    command="quantize",
    inputs=("gguf",),
    output="gguf",
    folder=False,
    changes="matrices are cut in blocks, each with a scale of its own, and rounded to a few bits; norms stay",
    targets=tuple(
        Target(each, {"type": each}, f"llama.cpp's {each.upper()}", 16 if each == "f16" else 9) for each in _LADDER
    ),
    settings=(
        Setting("type", "text", "q4_k_m", "the rung"),
        Setting("pure", "flag", False, "one type for all matrices, where their rows allow it"),
        Setting("keep-head", "flag", False, "leave the last matrix as it is"),
    ),
    packages=("llama_cpp",),
    install="'openvet[gguf]'",
    ladder=True,
    notes=(
        (
            "What was quantized already was quantized again (allow_requantize): its losses are losses on losses, and are measured against the parent as it is, "
            "not against what that was made of."
        ),
    ),
)


def make(task: Making) -> dict[str, Any]:
    """Let llama.cpp write the file.

    Source: ``llama_model_quantize`` in llama.h.
    """
    import llama_cpp

    name = task.settings["type"].upper()
    number = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{name}", None)
    if number is None:
        raise CannotError(f"this llama.cpp has no {name}")
    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = number
    parameters.nthread = task.threads
    parameters.allow_requantize = True
    parameters.pure = task.settings["pure"]
    parameters.quantize_output_tensor = not task.settings["keep-head"]
    code = llama_cpp.llama_model_quantize(task.source.encode(), task.target.encode(), parameters)
    if code:
        raise CannotError(f"llama.cpp could not quantize it to {name} (its code {code}); what it printed says more")
    return {"ftype": int(number)}
