"""A runtime that stands for one, made of the standard library, in an interpreter of its own: what is asked decides what it does.

It is the real child, session and wall; only what computes is missing. ``interpreter`` makes the Python whose packages hold it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openvet.engines.model import Model
from openvet.sandbox.interpreter import interpreter_at
from openvet.sandbox.levels import LADDER, Level
from openvet.sandbox.session import Session
from openvet.sandbox.supervisor import Bounds

PACKAGE = '''
"""Says its prompt again, word by word; a word that begins with ! is done: !crash, !wait SECONDS, !hang, !refuse, !lie, !count N."""
import os, time
from openvet.engines import serving
from openvet.engines._engine import CannotError, Engine, Opened

CONTEXT = 64

class Model(Opened):
    def __init__(self, options):
        self.options = options
        if os.path.exists(options.get("broken", "/none")):
            raise CannotError("the model is broken")

    def facts(self):
        return {"context": CONTEXT, "template": self.options.get("template", True), "vocabulary": 100}

    def can(self):
        return self.options.get("can") or ["generate", "count", "tokens", "embed", "transcribe"]

    def _words(self, request):
        if request.get("messages"):
            return " ".join(each["role"] + ": " + each["content"] for each in request["messages"]).split()
        return request["prompt"].split()

    def count(self, request, piece):
        return {"tokens": len(self._words(request))}

    def generate(self, request, piece):
        words = self._words(request)
        said, stopped = 0, False
        for each in words[: request["max_tokens"]]:
            if each == "!crash":
                os._exit(9)
            if each == "!refuse":
                raise CannotError("no, said the model")
            if each == "!lie":
                return {"ended": 7, "prompt_tokens": -1, "completion_tokens": "x"}
            if each.startswith("!wait"):
                time.sleep(float(each[5:]))
            if each == "!hang":
                time.sleep(3600)
            if each in request["stop"]:
                stopped = True
                break
            said += 1
            if not piece(each + " "):
                break
        ended = "length" if not stopped and said == request["max_tokens"] and said < len(words) else "stop"
        return {"ended": ended, "prompt_tokens": len(words), "completion_tokens": said}

    def tokens(self, request, piece):
        texts = request.get("text", "").split(" ") if "ids" not in request else [str(each) for each in request["ids"]]
        texts = [("" if not at else " ") + each for at, each in enumerate(texts)]
        if request["next"]:
            texts.append(" end")
        values = [None] + [-0.5 * at for at in range(1, len(texts))]
        tops = [None] + [{each: value, " other": -9.0} for each, value in list(zip(texts, values))[1:]]
        return {"texts": texts, "logprobs": values, "tops": tops}

    def embed(self, request, piece):
        if any("!hang" in each for each in request["texts"]):
            time.sleep(3600)
        return {"vectors": [[float(len(each)), 0.5, -1.25] for each in request["texts"]], "tokens": sum(len(each.split()) for each in request["texts"])}

    def transcribe(self, request, piece):
        import base64
        audio = base64.b64decode(request["audio"])
        return {"text": f"{len(audio) // 2} samples in {request['language'] or 'any'}", "seconds": len(audio) / 32000}

    def read(self, request, piece):
        import base64
        lines = base64.b64decode(request["image"]).decode().splitlines()
        return {"lines": [{"text": each, "confidence": 0.9} for each in lines]}

    def match(self, request, piece):
        import base64
        return {"scores": [[float(len(base64.b64decode(each)) == len(text)) for text in request["texts"]] for each in request["images"]]}

ENGINE = Engine("stand-in", ("stand_in",), "stand-in", lambda path, options: Model(options))

def prepare(request):
    return serving.answering(ENGINE, request)
'''


def interpreter(folder: Path) -> Path:
    """A Python in ``folder``, as a virtual environment is one, whose packages hold the stand-in."""
    base = Path(sys.executable).resolve()
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = {sys.version.split()[0]}\n")
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (packages / "stand_in").mkdir(parents=True)
    (packages / "stand_in" / "__init__.py").write_text(PACKAGE)
    return folder / "bin" / "python"


def level() -> Level:
    """The one that is used, without what proves it, which takes a second."""
    return next(each for each in LADDER if each.number == 3)


def opener(python: str, folder: Path, **options: Any) -> Callable[[], Model]:
    """Opens the stand-in as a model."""

    def open_it() -> Model:
        work = {"work": "stand_in", "engine": "stand-in", "path": str(folder), "options": options}
        bounds = Bounds(seconds=20.0, cpu_seconds=10_000)
        session = Session(work, level(), bounds, readable=[str(folder)], python=interpreter_at(python))
        try:
            return Model(session, "stand-in")
        except BaseException:
            session.kill()
            raise

    return open_it
