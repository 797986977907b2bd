"""ONNX by ONNX Runtime: any graph computes; with a tokenizer beside it, encoders make vectors and decoders write; pairs of PP-OCR read.

Texts are evaluated one at a time, without padding: in graphs whose activations are quantized as they run, what stands beside a text would change its figures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from openvet.engines._engine import CannotError, Engine, Opened, Piece
from openvet.engines._folder import Folder
from openvet.engines._graph import TYPES, Graph, session_of
from openvet.engines._ocr import Ocr, graphs_of
from openvet.engines._onnx_writes import Writes
from openvet.engines._tokens import Tokens
from openvet.engines._vectors import as_list, pooled

__all__ = ["ENGINE"]

_USUAL: Final = ("model.onnx", "onnx/model.onnx", "decoder_model_merged.onnx", "onnx/decoder_model_merged.onnx")


class _Encoder(Graph):
    """A graph that makes vectors of texts."""

    def __init__(self, session: Any, path: str, folder: Folder, tokens: Tokens) -> None:
        super().__init__(session, path)
        self._tokens = tokens
        self._pooling = folder.pooling()
        names = [each for each in self.outputs if each in ("sentence_embedding", "embeddings")]
        ranks = {each.name: len(each.shape) for each in session.get_outputs()}
        self._whole = next((each for each in names if ranks[each] == 2), "")
        self._output = self._whole or next(each for each in self.outputs if ranks[each] == 3)

    def facts(self) -> dict[str, Any]:
        pooling = "in the graph" if self._whole else self._pooling.mode
        said = (
            {}
            if self._whole or self._pooling.stated
            else {"pooling_said": "nothing in the folder says how; mean is usual"}
        )
        return {**super().facts(), "pooling": pooling, "longest": self._pooling.longest, **said}

    def count(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """How many tokens a text has, before it is cut."""
        return {"tokens": len(self._tokens.whole(self._pooling.prompt + str(request.get("prompt")), 0)[0])}

    def embed(self, request: dict[str, Any], piece: Piece) -> dict[str, Any]:  # noqa: ARG002 - as every kind
        """A vector for each text."""
        import numpy as np

        vectors, count = [], 0
        for text in request["texts"]:
            ids, parts = self._tokens.whole(self._pooling.prompt + str(text), self._pooling.longest)
            if not ids:
                raise CannotError("a text has no token, so that there is no vector of it")
            row = {
                "input_ids": ids,
                "attention_mask": [1] * len(ids),
                "token_type_ids": parts,
                "position_ids": list(range(len(ids))),
            }
            given = {name: np.array([row[name]], TYPES[each.type]) for name, each in self.inputs.items() if name in row}
            found = self.run(given, [self._output])[0][0]
            vectors.append(
                as_list(found.astype(np.float64), normalize=False) if self._whole else pooled(found, self._pooling)
            )
            count += len(ids)
        return {"vectors": vectors, "tokens": count}


def _file(path: str, named: str) -> str:
    """The graph to open: of a folder the one that is named, the usual one, or the only one."""
    if not os.path.isdir(path):
        return path
    if named:
        return os.path.join(path, named)
    for each in _USUAL:
        if os.path.isfile(os.path.join(path, each)):
            return os.path.join(path, each)
    found = [
        os.path.join(folder, each)
        for folder in (path, os.path.join(path, "onnx"))
        if os.path.isdir(folder)
        for each in sorted(os.listdir(folder))
        if each.endswith(".onnx")
    ]
    if len(found) != 1:
        names = ", ".join(os.path.basename(each) for each in found[:5])
        raise CannotError(
            f"the folder holds {len(found)} graphs of ONNX{f' ({names})' if names else ''}; name one file"
        )
    return found[0]


def _beside(file: str, path: str) -> Folder:
    """The folder whose settings belong to a graph: its own, or the one above it."""
    own = os.path.dirname(file)
    above = os.path.dirname(own)
    known = (
        os.path.isfile(os.path.join(own, "tokenizer.json")) or not os.path.isdir(path) or own == os.path.normpath(path)
    )
    return Folder(own if known else above)


def _open(path: str, options: Mapping[str, Any]) -> Opened:
    named, threads = str(options.get("file") or ""), int(options["threads"])
    if os.path.isdir(path) and not named and (parts := graphs_of(path)):
        return Ocr({part: session_of(file, threads) for part, file in parts.items()}, path)
    file = _file(path, named)
    session = session_of(file, threads)
    inputs = {each.name for each in session.get_inputs()}
    ranks = {each.name: len(each.shape) for each in session.get_outputs()}
    if "input_ids" not in inputs:
        return Graph(session, file)
    folder = _beside(file, path)
    if not folder.has("tokenizer.json"):
        return Graph(session, file)
    tokens = Tokens(folder)
    if ranks.get("logits") == 3 and not folder.is_masked():
        return Writes(Graph(session, file), folder, tokens, options)
    if "logits" not in ranks and (3 in ranks.values() or {"sentence_embedding", "embeddings"} & set(ranks)):
        return _Encoder(session, file, folder, tokens)
    return Graph(session, file)


ENGINE = Engine("onnxruntime", ("onnxruntime",), "onnxruntime tokenizers", _open)
