"""Tables of vectors: one for each token, whose mean stands for a text (model2vec's form: ``embeddings`` in safetensors, and a tokenizer)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from openvet.engines._engine import CannotError, Engine, Opened

if TYPE_CHECKING:
    from openvet.engines._engine import Piece

__all__ = ["ENGINE"]

_MOST_TEXTS: Final = 4096


class _Table(Opened):
    """A table in memory."""

    def __init__(self, table: Any, tokenizer: Any, *, normalize: bool) -> None:
        self._table = table
        self._tokenizer = tokenizer
        self._normalize = normalize

    def facts(self) -> dict[str, Any]:
        return {"vocabulary": int(self._table.shape[0]), "dimensions": int(self._table.shape[1])}

    def embed(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """The mean of the tokens' vectors, of length 1 where the table says so; no tokens are the zero vector."""
        import numpy as np

        texts = request["texts"]
        if len(texts) > _MOST_TEXTS:
            raise CannotError(f"{len(texts)} texts at once are more than {_MOST_TEXTS}")
        vectors, tokens = [], 0
        for found in self._tokenizer.encode_batch(texts, add_special_tokens=False):
            ids = [each for each in found.ids if each < len(self._table)]
            tokens += len(ids)
            vector = self._table[ids].mean(axis=0) if ids else np.zeros(self._table.shape[1], np.float32)
            length = float(np.linalg.norm(vector)) if self._normalize else 1.0
            vectors.append((vector / (length or 1.0)).tolist())
        return {"vectors": vectors, "tokens": tokens}


def _open(path: str, options: Mapping[str, Any]) -> Opened:  # noqa: ARG001 - one thread is enough for a mean
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights, rules = (os.path.join(path, name) for name in ("model.safetensors", "tokenizer.json"))
    for each in (weights, rules):
        if not os.path.isfile(each):
            raise CannotError(f"there is no {os.path.basename(each)} in the folder")
    table = load_file(weights).get("embeddings")
    if table is None or table.ndim != 2 or table.dtype.kind != "f":
        raise CannotError("model.safetensors has no table of floats called embeddings")
    try:
        with open(os.path.join(path, "config.json"), encoding="utf-8") as file:
            normalize = json.load(file).get("normalize", True) is not False
    except (OSError, ValueError, AttributeError):
        normalize = True
    tokenizer = Tokenizer.from_file(rules)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return _Table(table, tokenizer, normalize=normalize)


ENGINE = Engine("static", ("numpy", "tokenizers", "safetensors"), "openvet[static]", _open)
