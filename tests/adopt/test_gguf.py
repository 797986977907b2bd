"""llama.cpp through our child: against a plain evaluation of everything by the library itself, and against itself."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from openvet.engines.model import Message, Sampling
from openvet.sandbox.session import AskedError
from openvet.workflows.opening import Running

Opener = Callable[..., AbstractContextManager[Running]]
SHOTS = "Question: What is two and two?\nAnswer: four\n\n"
CONTEXT = f"{SHOTS}Question: What is the capital of France?\nAnswer:"
CHOICES = (" Paris", " London, of course", " a banana", " 42", " Paris is the capital")
#: Every token evaluated anew, by the class of the library, which keeps the logits of all of them.
PLAIN = """
import json, sys
import numpy as np
import llama_cpp
path, context, choices = json.loads(sys.stdin.read())
model = llama_cpp.Llama(path, n_ctx=1024, n_threads=1, logits_all=True, flash_attn=True, verbose=False)
out = []
for each in choices:
    model.reset()
    inside = len(model.tokenize(context.encode(), add_bos=False, special=True))
    tokens = model.tokenize((context + each).encode(), add_bos=False, special=True)
    model.eval(tokens)
    rows = np.array(model.scores[: len(tokens)], np.float64)
    rows -= rows.max(axis=1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    behind = range(inside, len(tokens))
    out.append([sum(rows[at - 1, tokens[at]] for at in behind), len(behind), all(rows[at - 1].argmax() == tokens[at] for at in behind)])
print(json.dumps([[float(a), b, bool(c)] for a, b, c in out]))
"""


def test_what_it_is(smollm2: Running) -> None:
    assert smollm2.model.can == {"generate", "likelihoods", "score", "tokens", "count"}
    assert smollm2.model.facts["vocabulary"] == 49152
    assert smollm2.model.facts["parameters"] == 134_515_008
    assert smollm2.model.facts["template"] is True
    settings = smollm2.settings()
    assert settings["engine"] == "gguf"
    assert settings["version"].startswith("llama_cpp_python ")
    assert settings["context"] == "1024"


def test_likelihoods_are_those_of_a_plain_evaluation(
    smollm2: Running, python: str, lies: Callable[[str], Path]
) -> None:
    found = smollm2.model.likelihoods(CONTEXT, len(SHOTS), CHOICES)
    asked = json.dumps([str(lies("smollm2")), CONTEXT, CHOICES])
    done = subprocess.run([python, "-c", PLAIN], input=asked, capture_output=True, text=True, check=True)
    plain = json.loads(done.stdout)
    assert found.tokens == tuple(each[1] for each in plain)
    assert found.greedy == tuple(each[2] for each in plain)
    # batches of other sizes round otherwise
    assert found.logprobs == pytest.approx([each[0] for each in plain], abs=0.02)


def test_a_sample_has_the_same_digits_whatever_was_asked_before(smollm2: Running) -> None:
    first = smollm2.model.likelihoods(CONTEXT, len(SHOTS), CHOICES)
    smollm2.model.generate("Once upon a time", Sampling(8))
    smollm2.model.likelihoods(f"{SHOTS}Question: Where is Rome?\nAnswer:", len(SHOTS), (" Italy", " there"))
    assert smollm2.model.likelihoods(CONTEXT, len(SHOTS), CHOICES) == first
    chat = [Message("user", f"{SHOTS}What is the capital of France?")]
    answer = smollm2.model.generate(chat, Sampling(12), prefix=len(SHOTS))
    smollm2.model.generate([Message("user", f"{SHOTS}Where?")], Sampling(4), prefix=len(SHOTS))
    assert smollm2.model.generate(chat, Sampling(12), prefix=len(SHOTS)) == answer


def test_a_token_that_begins_in_the_context_belongs_to_the_continuation(smollm2: Running) -> None:
    whole = smollm2.model.likelihoods("The capital of France is", 0, [" Paris"])
    split = smollm2.model.likelihoods("The capital of France is ", 0, ["Paris"])
    assert split.tokens == whole.tokens == (1,)
    assert split.logprobs == pytest.approx(whole.logprobs, abs=1e-6)


def test_continuations_of_one_context_begin_alike(smollm2: Running) -> None:
    """Of "a" + "nd" no token lies in the context, and the model wants nothing at the beginning of a text."""
    found = smollm2.model.likelihoods("a", 0, ["nd", " b"])
    assert found.tokens == (1, 1)
    with pytest.raises(AskedError, match="no token of its own"):
        smollm2.model.likelihoods("a", 0, ["nd", ""])


def test_what_was_kept_takes_no_room_from_another_text(
    run: Opener, lies: Callable[[str], Path], needs: Callable[..., None]
) -> None:
    needs("llama_cpp")
    with run(lies("smollm2"), context=256) as running:
        shots = " ".join(["word"] * 150)
        running.model.likelihoods(f"{shots} x", len(shots), [" a", " b"])
        found = running.model.generate("word" + " cat" * 121, Sampling(2))
    assert (found.prompt_tokens, found.completion_tokens) == (122, 2)


def test_it_answers_a_chat_by_its_template(smollm2: Running) -> None:
    found = smollm2.model.generate([Message("user", "What is the capital of France? One word.")], Sampling(20))
    assert "Paris" in found.text
    assert found.ended == "stop"
    assert smollm2.model.count([Message("user", "What is the capital of France? One word.")]) == found.prompt_tokens


def test_text_comes_in_pieces_and_stops_where_it_is_asked_to(smollm2: Running) -> None:
    pieces: list[str] = []

    def take(text: str) -> bool:
        pieces.append(text)
        return True

    found = smollm2.model.generate("1, 2, 3, 4,", Sampling(24), take)
    assert "".join(pieces) == found.text
    assert len(pieces) > 3
    stopped = smollm2.model.generate("1, 2, 3, 4,", Sampling(24, stop=("6",)))
    assert stopped.ended == "stop"
    assert stopped.text == found.text[: found.text.index("6")]
    assert smollm2.model.generate("1, 2, 3, 4,", Sampling(24), lambda text: False).completion_tokens < 8


def test_a_seed_draws_the_same_text(smollm2: Running) -> None:
    drawn = [
        smollm2.model.generate("Once", Sampling(16, temperature=1.2, top_p=0.9, seed=seed), prefix=0).text
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_what_does_not_fit_is_refused_and_the_next_is_answered(smollm2: Running) -> None:
    with pytest.raises(AskedError, match="open with a context of 1024; open it with a larger one"):
        smollm2.model.likelihoods("word " * 2000, 0, [" end"])
    with pytest.raises(AskedError, match="temperature has to be"):
        smollm2.model.generate("x", Sampling(temperature=-1.0))
    with pytest.raises(AskedError, match="cannot be asked for 'embed'"):
        smollm2.model.embed(["x"])
    assert smollm2.model.likelihoods("The capital of France is", 0, [" Paris"]).tokens == (1,)


def test_a_text_is_scored_and_a_model_diverges_from_itself_by_nothing(
    run: Opener, lies: Callable[[str], Path], needs: Callable[..., None], python: str, tmp_path: Path
) -> None:
    needs("llama_cpp")
    from openvet.workflows.opening import Asked, opened

    text = "The sun rises in the east and sets in the west. Water boils at one hundred degrees. " * 6
    base = str(tmp_path / "base")
    with opened(
        str(lies("smollm2")), Asked(python=python, context=256, file_size=1 << 30), writable=[str(tmp_path)]
    ) as running:
        written = running.model.score(text, 64, write=base)
        again = running.model.score(text, 64, against=base)
        with pytest.raises(AskedError, match="other tokens than this model makes"):
            running.model.score(text, 32, against=base)
        with pytest.raises(AskedError, match="cannot be written"):
            running.model.score(text, 64, write=base)  # it is there
        Path(base).write_bytes(Path(base).read_bytes()[:-1])
        with pytest.raises(AskedError, match="cut off"):
            running.model.score(text, 64, against=base)
    assert again.nll == written.nll
    assert max(map(abs, again.kl)) < 1e-6
    assert all(again.same)
    assert len(written.nll) == written.tokens - math.ceil(
        written.tokens / 64
    )  # it wants nothing at the beginning of a text
    assert 1.0 < written.perplexity < 60.0


def test_scores_and_likelihoods_agree(smollm2: Running) -> None:
    text = "The sun rises in the east and sets in the west."
    scored = smollm2.model.score(text, 512)
    first = "The"
    likely = smollm2.model.likelihoods(first, 0, [text[len(first) :]])
    assert likely.tokens == (len(scored.nll),)
    assert -math.fsum(scored.nll) == pytest.approx(likely.logprobs[0], abs=0.02)


def test_a_broken_file_is_refused_in_words(
    run: Opener, lies: Callable[[str], Path], needs: Callable[..., None], tmp_path: Path
) -> None:
    needs("llama_cpp")
    cut = tmp_path / "cut.gguf"
    with open(lies("smollm2"), "rb") as file:
        cut.write_bytes(file.read(2_000_000))
    with pytest.raises(AskedError, match=r"llama\.cpp cannot load it"), run(cut):
        pass


def test_a_folder_with_two_models_asks_which(
    run: Opener, lies: Callable[[str], Path], needs: Callable[..., None], tmp_path: Path
) -> None:
    needs("llama_cpp")
    shutil.copy(lies("smollm2"), tmp_path / "a.gguf")
    (tmp_path / "b.gguf").hardlink_to(tmp_path / "a.gguf")
    with pytest.raises(AskedError, match=r"2 models \(a.gguf, b.gguf\) in GGUF; name one file"), run(tmp_path):
        pass
    with run(tmp_path, file="b.gguf", context=64) as running:
        assert running.settings()["file"] == "b.gguf"
