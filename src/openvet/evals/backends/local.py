"""A model that runs here, in a confined child (:mod:`openvet.engines.model`): its bytes were hashed before it was loaded, so that what answers is known.

What is the same in every request of a task is evaluated once and kept; an answer depends on no other sample, so that an audit that asks a few
again finds the same digits.
"""

from __future__ import annotations

import hashlib
import io
import math
import wave
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from openvet.core.text import printable
from openvet.engines.model import Message, Model, Sampling
from openvet.errors import SandboxError
from openvet.evals.backends._backend import (
    Answer,
    AskError,
    Continuations,
    Facts,
    Generate,
    Likelihoods,
    Shown,
    Usage,
)
from openvet.sandbox.session import AskedError

__all__ = ["Local"]

#: What a model can do, and what it is called in a task.
_CAN: Final = {
    "generate": "generate",
    "likelihoods": "loglikelihood",
    "embed": "embed",
    "transcribe": "transcribe",
    "match": "match",
    "read": "read",
}
_RATE: Final = 16000
_Found = TypeVar("_Found")


class Local:
    """A model that is open.

    Args:
        model: is closed by whoever opened it.
        settings: what decides its answers, for the result.
        chat: whether texts are written as answers in a chat, where the model has a template for that.
        read: gives the bytes of a file beside the task.
    """

    def __init__(
        self,
        model: Model,
        settings: Mapping[str, str],
        *,
        chat: bool = True,
        read: Callable[[str], bytes] | None = None,
    ) -> None:
        self._model, self._read = model, read
        self._chat = chat and bool(model.facts.get("template"))
        self.parallel = 1
        can = frozenset(_CAN[each] for each in model.can if each in _CAN)
        form = {"mode": "chat" if self._chat else "completions"} if "generate" in can else {}
        self.facts = Facts("local", can, {**settings, **form}, attests=True)

    def generate(self, request: Generate) -> Answer:
        """Write on, or answer."""
        sampling = Sampling(request.max_tokens, request.stop, request.temperature, 1.0, request.seed)
        if self._chat:
            system = [Message("system", request.system)] if request.system else []
            found = _answered(
                lambda: self._model.generate([*system, Message("user", request.text)], sampling, prefix=request.prefix)
            )
        else:
            before = f"{request.system}\n\n" if request.system else ""
            found = _answered(
                lambda: self._model.generate(before + request.text, sampling, prefix=len(before) + request.prefix)
            )
        return Answer(found.text, found.ended, Usage(found.prompt_tokens, found.completion_tokens))

    def likelihoods(self, request: Continuations) -> Likelihoods:
        """All continuations of a context together."""
        found = _answered(lambda: self._model.likelihoods(request.context, request.prefix, request.continuations))
        return Likelihoods(found.logprobs, found.tokens, Usage(found.prompt_tokens, sum(found.tokens)))

    def embed(self, id: str, texts: tuple[str, ...]) -> tuple[tuple[tuple[float, ...], ...], Usage]:  # noqa: A002, ARG002 - as the protocol
        """The vectors of several texts."""
        vectors, tokens = _answered(lambda: self._model.embed(texts))
        return vectors, Usage(tokens)

    def transcribe(self, request: Shown) -> Answer:
        """What is said in a recording, which is a WAV of 16 kHz, one channel and 16 bits."""
        samples = _samples(self._bytes(request), request.name)
        text, _ = _answered(lambda: self._model.transcribe(samples))
        return Answer(text, "", Usage())

    def match(self, request: Shown, texts: tuple[str, ...]) -> Likelihoods:
        """How likely each text is to be the one of an image, were it one of these: the logarithm of their softmax."""
        data = self._bytes(request)
        (row,) = _answered(lambda: self._model.match([data], texts))
        highest = max(row)
        over = highest + math.log(math.fsum(math.exp(each - highest) for each in row))
        return Likelihoods(tuple(each - over for each in row), (1,) * len(row), Usage())

    def read(self, request: Shown) -> Answer:
        """The lines of text in an image, from above to below."""
        data = self._bytes(request)
        lines = _answered(lambda: self._model.read(data))
        return Answer("\n".join(each.text for each in lines), "", Usage())

    def _bytes(self, request: Shown) -> bytes:
        if self._read is None:
            raise AskError(f"{printable(request.name)}: no file beside the task can be read here", lasting=True)
        data = self._read(request.name)
        if hashlib.sha256(data).hexdigest() != request.sha256:
            raise AskError(f"{printable(request.name)}: is not what it was when the task was read")
        return data

    def close(self) -> None:
        """End its process, if it is still there."""
        self._model.close()


def _answered(ask: Callable[[], _Found]) -> _Found:
    """What the model's process gives; what it cannot do it will not do when it is asked again."""
    try:
        return ask()
    except AskedError as error:
        raise AskError(str(error), lasting=True) from error
    except SandboxError as error:
        raise AskError(str(error)) from error


def _samples(data: bytes, name: str) -> bytes:
    """The samples of a WAV."""
    shown = printable(name)
    try:
        with wave.open(io.BytesIO(data)) as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            found: bytes = file.readframes(file.getnframes())
    except (wave.Error, EOFError, ValueError) as error:
        raise AskError(f"{shown}: is no WAV of plain samples: {printable(str(error))[:100]}", lasting=True) from error
    if shape != (1, 2, _RATE):
        raise AskError(
            f"{shown}: has {shape[0]} channels of {8 * shape[1]} bits at {shape[2]} Hz, and has to have one of 16 bits at {_RATE} Hz "
            f"(ffmpeg -i IN -ac 1 -ar {_RATE} -c:a pcm_s16le OUT.wav)",
            lasting=True,
        )
    return found
