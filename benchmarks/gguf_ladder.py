"""llama.cpp's ladder of one model, rung by rung: what is in each file, and how far it is from its parent. `make adopt` makes the environment.

    python benchmarks/gguf_ladder.py MODEL.gguf --python .cache/adopt/bin/python --lee FOLDER [--rungs q2_k,q8_0] [--samples 60]

FOLDER holds `lee_background.cor` (300 news texts; `gensim/test/test_data` of the wheel gensim==4.4.0). The text is its beginning, the task is made of it: 20 words of a
text, and which of four continues it. Divergence and flips follow the bits; whether the task's figure does, few samples cannot tell: that is what is to be seen (arXiv 2407.09141).

The figures beside ours are of SmolLM2-135M-Instruct Q4_1 on 2 cores of another machine, with 1,023 tokens of another text: a trend, and no equality, is expected.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path

from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.workflows.deriving import derive
from openvet.workflows.deriving_asked import Asked

#: rung -> bits, perplexity, KL, same likeliest token, as measured elsewhere.
ELSEWHERE = {
    "f16": (16.0, 28.79, 0.003, 0.966), "q8_0": (8.5, 28.93, 0.005, 0.954), "q5_k_m": (6.6, 31.82, 0.084, 0.839), "q4_k_m": (6.2, 30.90, 0.060, 0.858),
    "q3_k_m": (5.5, 33.65, 0.151, 0.792), "q2_k": (5.1, 41.81, 0.510, 0.632),
}  # fmt: skip
TASK = """name: continuations
version: '1'
license: the corpus's own
samples: items.jsonl
prompt: '{{ context }}'
choices: choices
target: '{{ right }}'
join: ' '
scorer:
  name: choice
  normalise: characters
"""


def write_inputs(corpus: Path, folder: Path, characters: int, samples: int) -> None:
    """The text and the task."""
    texts = [each.split() for each in corpus.read_text(encoding="latin-1").splitlines() if each.strip()]
    (folder / "text.txt").write_text("\n".join(" ".join(each) for each in texts)[:characters])
    draw = random.Random(0)
    items = []
    for number, words in enumerate(texts[-samples:]):
        others = draw.sample([each for each in texts[:-samples] if len(each) >= 28], 3)
        choices = [" ".join(each[20:28]) for each in (words, *others)]
        right = draw.randrange(4)
        choices[0], choices[right] = choices[right], choices[0]
        items.append({"id": str(number), "context": " ".join(words[:20]), "choices": choices, "right": right})
    (folder / "items.jsonl").write_text("".join(json.dumps(each) + "\n" for each in items))
    (folder / "task.yaml").write_text(TASK)


def row(to: str, body: DerivationV1, seconds: float) -> str:
    """One rung."""
    found = {each.measure: float(each.value) for each in body.agreement}
    total = sum(each.bytes for each in body.after.mix)
    mix = ", ".join(f"{100 * each.bytes / total:.0f} % {each.type}" for each in body.after.mix[:3])
    (task,) = body.tasks
    known = ELSEWHERE.get(to)
    beside = f"{known[0]:.1f} | {known[1]:.2f} | {known[2]:.3f} | {known[3]:.3f}" if known else " | | | "
    return (
        f"| {to} | {body.after.bytes / 1e6:.1f} | {float(body.after.bits):.2f} | {mix} | {found['perplexity']:.2f} | {found['nll-difference']:+.3f} | {found['kl']:.3f} | "
        f"{found['same-top-1']:.3f} | {float(task.child):.2f} | +{task.better} -{task.worse} | {seconds:.0f} | {beside} |"
    )


def main() -> None:
    """Make the rungs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--python", required=True)
    parser.add_argument("--lee", required=True, type=Path)
    parser.add_argument("--rungs", default=",".join(ELSEWHERE))
    parser.add_argument("--characters", type=int, default=4500)
    parser.add_argument("--samples", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(asked.lee / "lee_background.cor", folder, asked.characters, asked.samples)
        print(
            "| rung | MB | bits | largest types | ppl | dNLL | KL | same | task | flips | s | elsewhere: bits | ppl | KL | same |\n"
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
            flush=True,
        )
        for to in asked.rungs.split(","):
            begin = time.monotonic()
            step = Asked("quantize", asked.model, str(folder / f"{to}.gguf"), to, texts=(str(folder / "text.txt"),), tasks=(str(folder / "task.yaml"),),
                         python=asked.python, speed=False)  # fmt: skip
            body = derive(step).body
            print(row(to, body, time.monotonic() - begin), flush=True)
            (folder / f"{to}.gguf").unlink()
        parents = {each.measure: each.value for each in body.agreement}
        print(
            f"\nparent: perplexity {float(parents['perplexity-of-parent']):.2f}, task {float(body.tasks[0].parent):.2f}; load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
