"""Distil an encoder of sentences to a table: one vector for each token, whose mean stands for a text.

Each token of the vocabulary goes through the parent once; principal components make the vectors shorter, and frequent tokens, by their rank in the
vocabulary, count less (SIF). The folder has model2vec's form (``embeddings`` in safetensors, and a tokenizer).

Sources: S. Tulkens, T. van Dongen, Model2Vec, 2024; S. Arora, Y. Liang, T. Ma, ICLR 2017 (SIF).
"""

from __future__ import annotations

import json
import os
import shutil
from typing import Any, Final

from openvet.transforms._torch import batches, open_model, open_tokenizer, pooled, seeded
from openvet.transforms._transform import CannotError, Making, Setting, Target, Transform

__all__ = ["TRANSFORM", "make"]

TRANSFORM: Final = Transform(
    id="static-embedding",
    command="distill",
    inputs=("safetensors",),
    output="safetensors",
    folder=True,
    changes="the network becomes a table with one vector for each token; what depends on other words is gone",
    targets=(Target("static", {}, "a table of vectors, in model2vec's form"),),
    settings=(
        Setting("dimensions", "int", 256, "of a vector, at most the parent's", 8, 4096),
        Setting("sif", "float", 1e-4, "how strongly frequent tokens count less; 0: all alike", 0.0, 1.0),
        Setting("batch", "int", 256, "tokens at once", 1, 4096),
    ),
    packages=("torch", "transformers", "safetensors", "numpy"),
    install="'openvet[transformers]'",
    notes=("A table knows no word order and no context: two texts with the same tokens are the same to it.",),
)


def make(task: Making) -> dict[str, Any]:
    """Run each token through the parent, and write the table."""
    import numpy as np
    import torch
    from safetensors.numpy import save_file

    seeded(0, task.threads)
    rules = os.path.join(task.source, "tokenizer.json")
    if not os.path.isfile(rules):
        raise CannotError("there is no tokenizer.json, without which nobody could use the table")
    model, tokenizer = open_model(task.source), open_tokenizer(task.source)
    size = len(tokenizer)
    begin, end = (getattr(tokenizer, each) for each in ("cls_token_id", "sep_token_id"))
    if begin is None or end is None:
        begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    special = set(tokenizer.all_special_ids)
    vectors = np.zeros((size, model.config.hidden_size), np.float32)
    with torch.inference_mode():
        for number, part in enumerate(batches(range(size), task.settings["batch"])):
            ids = torch.tensor([[each for each in (begin, token, end) if each is not None] for token in part])
            vectors[part[0] : part[-1] + 1] = pooled(
                model, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
            ).numpy()
            if number % 20 == 19:
                task.said(f"token {part[-1] + 1} of {size}")
    table = _shortened(vectors, task.settings["dimensions"])
    table *= _weights(size, task.settings["sif"])[:, None]
    table[sorted(each for each in special if each < size)] = 0.0
    os.makedirs(task.target, exist_ok=True)
    save_file({"embeddings": np.ascontiguousarray(table)}, os.path.join(task.target, "model.safetensors"))
    shutil.copyfile(rules, os.path.join(task.target, "tokenizer.json"))
    settings = {
        "model_type": "model2vec", "architectures": ["StaticModel"], "apply_pca": int(table.shape[1]), "sif_coefficient": task.settings["sif"],
        "hidden_dim": int(table.shape[1]), "seq_length": 1_000_000, "normalize": True,
    }  # fmt: skip
    with open(os.path.join(task.target, "config.json"), "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)
        file.write("\n")
    return {"tokens": size}


def _shortened(vectors: Any, dimensions: int) -> Any:
    """On the axes along which they differ most; the sign of each axis is set, so that the same vectors give the same table."""
    import numpy as np

    kept = min(dimensions, vectors.shape[1])
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :kept]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), range(kept)])
    return (centred @ axes).astype(np.float32)


def _weights(size: int, sif: float) -> Any:
    """Zipf's law for want of counts: vocabularies are in the order of how often a token was seen."""
    import numpy as np

    share = 1.0 / np.arange(2, size + 2)
    share /= share.sum()
    return (sif / (sif + share) if sif else np.ones(size)).astype(np.float32)
