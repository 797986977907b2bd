"""Speech whose text is known, said by espeak-ng, through Whisper: word error rate with its interval, and seconds of work for a second of sound.

usage: .venv/bin/python benchmarks/whisper.py --model FOLDER --python PYTHON [--sentences 40]

The sentences are of the guides in ``docs/``. A synthetic voice is harder for Whisper than people are, and the same on every machine.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

from openvet.core.progress import Progress
from openvet.evals.backends.local import Local
from openvet.workflows.eval_files import beside, load_task
from openvet.workflows.eval_run import Asked as Run
from openvet.workflows.eval_run import evaluate
from openvet.workflows.opening import Asked, opened

ROOT = Path(__file__).parents[1]


def sentences(count: int) -> list[str]:
    """Plain ones, without code or figures."""
    found: list[str] = []
    for path in sorted((ROOT / "docs").glob("adr/*.md")):
        text = " ".join(line for line in path.read_text().splitlines() if line[:1].isalpha())
        found += [each for each in re.split(r"(?<=\.)\s+", text) if re.fullmatch(r"[A-Z][a-z ,;']{40,160}\.", each)]
    return found[:: max(1, len(found) // count)][:count]


def speak(text: str, path: Path) -> float:
    """Say a text into a WAV of 16 kHz; gives its seconds."""
    done = subprocess.run(["espeak-ng", "-s", "150", "--stdout", text], capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(10**8), "<i2").astype(float)
    at = np.arange(int(len(samples) * 16000 / rate)) * rate / 16000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes())
    return len(at) / 16000


def main() -> None:
    """Say them, have them written down, and print how well that went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--sentences", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        said = sentences(asked.sentences)
        seconds = sum(speak(text, folder / f"{number}.wav") for number, text in enumerate(said))
        listed = "".join(f'  - {{file: {number}.wav, said: "{text}"}}\n' for number, text in enumerate(said))
        task = folder / "task.yaml"
        task.write_text(f'name: speech\nsamples:\n{listed}audio: "{{{{file}}}}"\ntarget: "{{{{said}}}}"\nscorer: wer\n')
        with opened(asked.model, Asked(python=asked.python)) as running:
            backend = Local(running.model, running.settings(), read=beside(str(task)))
            begun = time.perf_counter()
            run = Run(load_task(str(task)), asked.model, "", str(folder / "r.json"), subject=running.subject)
            figure = evaluate(run, backend, None, Progress()).body.figure
            took = time.perf_counter() - begun
    print(f"{len(said)} sentences, {seconds:.0f} s of sound")
    print(
        f"word error rate {float(figure.value):.3f} (95 %: {float(figure.low or 0):.3f} to {float(figure.high or 0):.3f})"
    )
    print(f"real-time factor {took / seconds:.2f} on one thread; load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
