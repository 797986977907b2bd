"""Export a model of Transformers to ONNX: the graph is traced on one input, with batch and length left open."""

from __future__ import annotations

import os
import warnings
from typing import Any, Final

from openvet.transforms._safetensors import copy_rest
from openvet.transforms._torch import open_model, open_tokenizer, seeded
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="onnx-export",
    command="convert",
    inputs=("safetensors",),
    output="onnx",
    folder=True,
    changes="the same weights in 32 bits, with the operations written down as they were traced",
    targets=(Target("onnx", {}, "an ONNX graph, model.onnx, beside tokenizer and settings", 32),),
    settings=(Setting("opset", "int", 17, "version of the operators", 14, 20),),
    packages=("torch", "transformers", "onnx"),
    install="'openvet[transformers]' onnx",
    notes=(
        (
            "A trace holds what was computed for one input: where a model decides by its input's values, the graph has one way of both. The agreement below is "
            "what was measured."
        ),
    ),
)
_TEXTS: Final = ("The graph is traced on this sentence.", "And on a shorter one.")


def make(task: Making) -> dict[str, Any]:
    """Trace with PyTorch's own exporter."""
    import torch

    seeded(0, task.threads)
    model = open_model(task.source, attn_implementation="eager")
    tokenizer = open_tokenizer(task.source)
    batch = dict(tokenizer(list(_TEXTS), padding=True, return_tensors="pt"))
    names = [each for each in ("input_ids", "attention_mask", "token_type_ids") if each in batch]
    if hasattr(model, "generation_config"):
        model.config.use_cache = False

    class Traced(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *given: Any) -> Any:
            out = self.model(**dict(zip(names, given, strict=True)), return_dict=True)
            return out.logits if "logits" in out else out.last_hidden_state

    traced = Traced().eval()
    with torch.no_grad():
        output = "logits" if "logits" in model(**batch, return_dict=True) else "last_hidden_state"
    axes = {0: "batch", 1: "sequence"}
    place = os.path.join(task.target, "model.onnx")
    os.makedirs(task.target, exist_ok=True)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                traced,
                tuple(batch[each] for each in names),
                place,
                input_names=names,
                output_names=[output],
                dynamic_axes={**dict.fromkeys(names, axes), output: axes},
                opset_version=task.settings["opset"],
                dynamo=False,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise CannotError(f"PyTorch cannot export it: {error}") from error
    copy_rest(task.source, task.target)
    return {"inputs": ", ".join(names), "output": output}
