"""A model that is none, for tests of what is measured of one: it answers at once, in this process, and stands for a child that sleeps."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from openvet.engines.model import Generated, Sampling
from openvet.sandbox.session import EndedError

__all__ = ["FakeModel", "opener"]


class FakeModel:
    """Answers as :class:`openvet.engines.model.Model` does.

    Args:
        can: kinds of requests.
        fails_at: the request, from 0, at which its process is gone; -1 never.
        late: whether that is since its time was over.
    """

    def __init__(
        self,
        can: Sequence[str] = ("generate", "likelihoods"),
        fails_at: int = -1,
        pause: float = 0.0005,
        *,
        late: bool = False,
    ) -> None:
        self.engine, self.version = "gguf", "llama_cpp_python 0.0.0"
        self.can = frozenset(can)
        self.facts: dict[str, Any] = {"context": 512, "import_seconds": 0.25}
        self.asked: list[Any] = []
        self._fails_at, self._pause, self._late = fails_at, pause, late
        self.process: subprocess.Popen[bytes] | None = None

    def _next(self, what: Any) -> None:
        self.asked.append(what)
        if len(self.asked) - 1 == self._fails_at:
            raise EndedError("the model's process is gone: it was ended by SIGKILL", late=self._late)
        time.sleep(self._pause)

    def generate(self, prompt: str, sampling: Sampling, piece: Callable[[str], bool], seconds: float) -> Generated:
        self._next(prompt)
        for _ in range(sampling.max_tokens):
            time.sleep(self._pause / 10)
            piece("")
            piece(" word")
        return Generated(" word" * sampling.max_tokens, "length", len(prompt.split()), sampling.max_tokens)

    def embed(self, texts: Sequence[str], seconds: float) -> tuple[tuple[tuple[float, ...], ...], int]:
        self._next(list(texts))
        return ((0.0, 1.0),), len(texts[0].split())

    def transcribe(self, audio: bytes, *, piece: Callable[[str], bool], seconds: float) -> tuple[str, float]:
        self._next(audio)
        return "", len(audio) / 32000

    def compute(self, *, seconds: float) -> dict[str, Any]:
        self._next("compute")
        return {}

    def close(self) -> Any:
        self.kill()
        return SimpleNamespace(
            phases=[SimpleNamespace(name="prepare", seconds=0.75), SimpleNamespace(name="load", seconds=0.125)]
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def opener(made: Callable[[], FakeModel]) -> Callable[..., Any]:
    """What stands in for ``open_model``: the model, and a process for whoever is told."""

    def open_model(*_: Any, started: Callable[[int], None], **__: Any) -> Any:
        model = made()
        model.process = subprocess.Popen(["sleep", "60"])
        try:
            started(model.process.pid)
        except BaseException:
            model.kill()
            raise
        return model

    return open_model
