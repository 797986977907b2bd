"""ONNX Runtime through our child: plain graphs, language models with a state and without one, and reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openvet.engines.model import Sampling
from openvet.sandbox.session import AskedError
from openvet.workflows.opening import Running

Opener = Callable[..., AbstractContextManager[Running]]


def foretold(folder: Path, tokens: Sequence[int]) -> Any:
    """What the graph that was made says, computed by its formula."""
    weights = np.load(folder / "weights.npz")
    rows = np.cumsum(weights["embedding"][list(tokens)].astype(np.float64), axis=0) @ weights["head"]
    rows -= rows.max(axis=1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("kind", ["graph", "graph-with-state"])
def test_a_language_model_is_what_its_formula_says(
    kind: str, run: Opener, made: Callable[..., Path], needs: Callable[..., None]
) -> None:
    needs("onnxruntime", "tokenizers", "onnx")
    folder = made(kind)
    context, choices = "Every verdict is", (" computed", " computed from evidence", " z")
    with run(folder) as running:
        model = running.model
        found = model.likelihoods(context, 6, choices)
        again = [model.likelihoods(context, 0, [each]).logprobs[0] for each in choices]
        token_texts = [each.text for each in model.tokens(context + choices[1])]
        greedy = model.generate(context, Sampling(6))
        model.generate("Every", Sampling(2))
        assert model.generate(context, Sampling(6)) == greedy
        scored = model.score(context + choices[1], 256)
    assert found.logprobs == pytest.approx(again, abs=1e-4)
    assert "".join(token_texts) == context + choices[1]
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    tokens = [vocabulary[each.replace(" ", "Ġ")] for each in token_texts]
    rows = foretold(folder, tokens)
    assert scored.nll == pytest.approx([-rows[at, tokens[at + 1]] for at in range(len(tokens) - 1)], abs=1e-3)


def test_any_graph_computes(run: Opener, lies: Callable[[str], Path], needs: Callable[..., None]) -> None:
    needs("onnxruntime")
    with run(lies("vad")) as running:
        assert running.model.can == {"compute"}
        inputs = {"input": {"shape": [1, 576]}, "state": {"shape": [2, 1, 128]}, "sr": {"shape": [], "data": 16000}}
        found = running.model.compute(inputs)
        assert found["outputs"]["output"]["shape"] == [1, 1]
        assert 0.0 <= found["outputs"]["output"]["data"][0] < 0.5  # silence is no voice
        with pytest.raises(AskedError, match="has no input 'inputs'; it has input, state, sr"):
            running.model.compute({"inputs": {}})
        with pytest.raises(AskedError, match="are not what its shape and type say"):
            running.model.compute({**inputs, "input": {"shape": [1, 576], "data": [1.0]}})


def test_lines_are_read(
    run: Opener, made: Callable[..., Path], lies: Callable[[str], Path], needs: Callable[..., None]
) -> None:
    needs("onnxruntime", "PIL")
    pages = made("picture")
    said = ["Open models must be tested", "before they are used in hospitals.", "Invoice 2026-11-29: 1,234.50"]
    with run(lies("ocr")) as running:
        for page in ("page.png", "tilted.png"):
            lines = running.model.read((pages / page).read_bytes())
            assert [each.text for each in lines] == said
            assert min(each.confidence for each in lines) > 0.9
        for broken, why in ((b"GIF89a", "no PNG"), ((pages / "page.png").read_bytes()[:400], "cut off|no PNG")):
            with pytest.raises(AskedError, match=why):
                running.model.read(broken)
