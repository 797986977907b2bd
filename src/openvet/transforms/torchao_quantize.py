"""Quantize the linear layers of a model of Transformers with torchao: whole numbers of 8 bits, saved as safetensors.

The file holds whole numbers and scales as plain tensors, and what they make together as JSON in the metadata; Transformers with torchao opens it again.
"""

from __future__ import annotations

from typing import Any, Final

from openvet.transforms._safetensors import copy_rest
from openvet.transforms._torch import open_model, seeded
from openvet.transforms._transform import Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="torchao-quantize",
    command="quantize",
    inputs=("safetensors",),
    output="safetensors",
    folder=True,
    changes="matrices of linear layers become whole numbers of 8 bits, with one scale for each row; embeddings and norms stay",
    targets=(
        Target("int8", {"activations": "float"}, "8 bits, weights only"),
        Target("int8-dynamic", {"activations": "int8"}, "8 bits; activations are rounded as well whenever it runs"),
    ),
    settings=(Setting("activations", "text", "float", "what a linear layer computes with"),),
    packages=("torch", "transformers", "torchao"),
    install="'openvet[transformers]' torchao",
    packed=True,
    notes=(
        "Only Transformers with torchao opens it: the numbers are plain tensors, and which of them belong together is torchao's own word.",
    ),
    ladder=True,
)


def make(task: Making) -> dict[str, Any]:
    """Quantize as the weights are loaded, and save what came out."""
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    seeded(0, task.threads)
    kind = Int8WeightOnlyConfig if task.settings["activations"] == "float" else Int8DynamicActivationInt8WeightConfig
    model = open_model(task.source, quantization_config=TorchAoConfig(kind()))
    model.save_pretrained(task.target)
    copy_rest(task.source, task.target)
    return {}
