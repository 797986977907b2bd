"""What every backend is: it takes requests and gives answers, and says what it is.

A request for likelihoods is one context and all its continuations together, and says how much of the context is the same for the whole task. A
runtime in the same process evaluates the context once and keeps what it made of it (the KV cache) for every continuation, and the
shared part for every sample; one behind HTTP sends each and leaves that to the server.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Protocol

from openvet.core.dataclass import dataclass
from openvet.errors import OpenVetError

__all__ = [
    "Answer",
    "AskError",
    "Backend",
    "Continuations",
    "Facts",
    "Generate",
    "Likelihoods",
    "Shown",
    "Usage",
    "is_number",
]


class AskError(OpenVetError):
    """A request could not be answered. ``lasting`` says that asking again would not help, such as a prompt that is too long."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as whoever ran the model counts them; ``None`` where it does not say."""

    prompt: int | None = None
    completion: int | None = None


@dataclass(frozen=True, slots=True)
class Generate:
    """Write on. ``id`` is the sample's, for backends that look answers up; ``prefix`` characters of ``text`` are the same in every request."""

    id: str
    system: str
    text: str
    prefix: int
    max_tokens: int
    stop: tuple[str, ...]
    temperature: float
    seed: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was written, and why it ended: ``stop``, ``length`` or what the runtime says."""

    text: str
    ended: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Continuations:
    """How likely each of several continuations of one context is. ``prefix`` characters of ``context`` are the same in every request."""

    id: str
    context: str
    prefix: int
    continuations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Natural logarithms of the probabilities, and tokens, of each continuation."""

    logprobs: tuple[float, ...]
    tokens: tuple[int, ...]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Shown:
    """A recording or an image: the sample's ``id``, the file's name beside the task, and the SHA-256 that its bytes have to have."""

    id: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backend is, for the result.

    Attributes:
        id: such as ``openai``.
        can: of ``generate``, ``loglikelihood``, ``embed``, ``transcribe``, ``match`` and ``read``.
        settings: text by text: what decides answers, and nothing secret.
        attests: whether it knows which bytes it ran; a server only says which model it serves.
    """

    id: str
    can: frozenset[str]
    settings: Mapping[str, str]
    attests: bool


class Backend(Protocol):
    """A model that can be asked, by several threads at once where ``parallel`` is more than 1.

    Every method raises :class:`AskError`.
    """

    @property
    def facts(self) -> Facts: ...

    @property
    def parallel(self) -> int: ...

    def generate(self, request: Generate) -> Answer: ...

    def likelihoods(self, request: Continuations) -> Likelihoods: ...

    def embed(self, id: str, texts: tuple[str, ...]) -> tuple[tuple[tuple[float, ...], ...], Usage]: ...  # noqa: A002 - the sample's

    def transcribe(self, request: Shown) -> Answer: ...

    def match(self, request: Shown, texts: tuple[str, ...]) -> Likelihoods: ...

    def read(self, request: Shown) -> Answer: ...

    def close(self) -> None: ...


def is_number(value: Any) -> bool:
    """Whether what a stranger's JSON holds is a number that a float can be."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
