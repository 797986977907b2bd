"""The same choices through openvet eval's runtime for GGUF and through lm-eval's for Transformers: how long, and is every item answered the same.

usage: .venv/bin/python benchmarks/eval_speed.py --gguf F16.gguf --python PYTHON --hf FOLDER --lm-eval PYTHON [--items 100]

``--gguf`` is the model in F16 and ``--hf`` the same weights as a folder of Transformers (``from_pretrained(dir, gguf_file=...)``, saved again); ``--python``
has llama-cpp-python, ``--lm-eval`` has lm-eval 0.4.13 with its hf model. Items are made of the guides in ``docs/``: which of four sentences follows, three of which
are from other pages; a seed draws them. Each runs with one thread, and is timed from the loaded model to the last answer. The target is 0.6 of lm-eval's time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from openvet.core.text import printable
from openvet.evals.asking import answer
from openvet.evals.backends.local import Local
from openvet.workflows.eval_files import load_task
from openvet.workflows.opening import Asked, opened

ROOT = Path(__file__).parents[1]
TARGET = 0.6
LM_EVAL = """
import json, sys, time
import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
folder, model, out = sys.argv[1:]
import torch
torch.set_num_threads(1)
made = HFLM(pretrained=model, device="cpu", dtype="float32", batch_size=1)
begun = time.perf_counter()
found = lm_eval.simple_evaluate(made, tasks=["follows"], task_manager=TaskManager(include_path=folder, include_defaults=False), log_samples=True, bootstrap_iters=0)
seconds = time.perf_counter() - begun
rows = [[each["doc_id"], [one[0][0] if isinstance(one[0], (list, tuple)) else one[0] for one in each["resps"]]] for each in found["samples"]["follows"]]
json.dump({"seconds": seconds, "rows": rows, "results": {k: v for k, v in found["results"]["follows"].items() if isinstance(v, float)}}, open(out, "w"))
"""


def items(count: int) -> list[dict[str, Any]]:
    """Which sentence follows."""
    pages = []
    for path in sorted((ROOT / "docs").glob("guide/*.md")) + sorted((ROOT / "docs").glob("adr/*.md")):
        prose = " ".join(
            line
            for line in re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL).splitlines()
            if line[:1].isalpha()
        )
        pages.append(
            [
                each
                for each in re.split(r"(?<=[.:])\s+", re.sub(r"[*`]|\[([^]]*)\]\([^)]*\)", r"\1", prose))
                if 40 < len(each) < 220
            ]
        )
    drawn = random.Random(1)
    places = [(page, at) for page, listed in enumerate(pages) for at in range(len(listed) - 1)]
    drawn.shuffle(places)
    out = []
    for number, (page, at) in enumerate(places[:count]):
        others = [
            drawn.choice(pages[other])
            for other in drawn.sample([each for each in range(len(pages)) if each != page and pages[each]], 3)
        ]
        choices = [pages[page][at + 1], *others]
        order = drawn.sample(range(4), 4)
        out.append(
            {
                "id": str(number),
                "context": pages[page][at],
                "choices": [choices[each] for each in order],
                "right": order.index(0),
            }
        )
    return out


def by_ours(folder: Path, gguf: str, python: str) -> tuple[float, list[list[float]]]:
    task = load_task(str(folder / "task.json"))
    with opened(gguf, Asked(python=python, context=1024)) as running:
        backend = Local(running.model, running.settings(), chat=False)
        begun = time.perf_counter()
        rows = [list(answer(task, task.ask(at), backend, 0)[0].logprobs) for at in range(len(task.samples))]
        return time.perf_counter() - begun, rows


def by_theirs(folder: Path, hf: str, python: str) -> tuple[float, list[list[float]], dict[str, float]]:
    (folder / "follows.yaml").write_text(
        "task: follows\ndataset_path: json\n"
        f"dataset_kwargs: {{data_files: {{test: {folder / 'items.jsonl'}}}}}\n"
        "test_split: test\noutput_type: multiple_choice\ndoc_to_text: '{{context}}'\ndoc_to_choice: choices\ndoc_to_target: right\n"
        "metric_list: [{metric: acc}, {metric: acc_norm}]\nmetadata: {version: 1}\n"
    )
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    out = folder / "theirs.json"
    done = subprocess.run(
        [python, "-c", LM_EVAL, str(folder), hf, str(out)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"lm-eval failed:\n{done.stderr[-3000:]}")
    found = json.loads(out.read_text())
    by_id = dict(found["rows"])
    return found["seconds"], [by_id[at] for at in range(len(by_id))], found["results"]


def best(row: list[float], choices: list[str], *, normalised: bool) -> int:
    values = [value / (len(each) if normalised else 1) for value, each in zip(row, choices, strict=True)]
    return values.index(max(values))


def main() -> None:
    """Run both, and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--gguf", "--python", "--hf", "--lm-eval"):
        parser.add_argument(name, required=True)
    parser.add_argument("--items", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = items(asked.items)
        (folder / "items.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in made))
        task = {"name": "follows", "samples": "items.jsonl", "prompt": "{{context}}", "choices": "choices", "target": "{{right}}",
                "scorer": {"name": "choice", "target_means": "number"}}  # fmt: skip
        (folder / "task.json").write_text(json.dumps(task))
        ours_seconds, ours = by_ours(folder, asked.gguf, asked.python)
        print(f"openvet, GGUF by llama.cpp: {len(made)} items x 4 in {ours_seconds:.1f} s", flush=True)
        theirs_seconds, theirs, results = by_theirs(folder, asked.hf, asked.lm_eval)
    print(f"lm-eval, Transformers:      {len(made)} items x 4 in {theirs_seconds:.1f} s")
    print(f"lm-eval's own figures: {results}")
    for label, normalised in (("acc", False), ("acc_norm", True)):
        said = [
            [best(row, each["choices"], normalised=normalised) for row, each in zip(rows, made, strict=True)]
            for rows in (ours, theirs)
        ]
        totals = [
            sum(choice == each["right"] for choice, each in zip(rows, made, strict=True)) / len(made) for rows in said
        ]
        differing = [each["id"] for each, one, other in zip(made, *said, strict=True) if one != other]
        print(
            f"{label}: {totals[0]:.2f} and {totals[1]:.2f}; answered otherwise: {', '.join(map(printable, differing)) or 'none'}"
        )
    apart = sorted(abs(a - b) for one, other in zip(ours, theirs, strict=True) for a, b in zip(one, other, strict=True))
    print(f"logarithms differ by {apart[len(apart) // 2]:.3f} in the middle, {apart[-1]:.3f} at most")
    ratio = ours_seconds / theirs_seconds
    print(
        f"ratio of times: {ratio:.2f} (target at most {TARGET}): {'met' if ratio <= TARGET else 'MISSED'}; load average {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
