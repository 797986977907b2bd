"""What can be asked of a model that is served, and what is answered. Nothing here knows of HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from openvet.core.dataclass import dataclass
from openvet.engines.model import Message, Token

__all__ = ["Asked", "Chat", "Complete", "Desk", "Embed", "Ended", "Part", "Rate", "Read", "Transcribe", "Vectors", "Writing"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Writing:
    """How text is written.

    Attributes:
        max_tokens: that are asked for; ``None`` where nobody said how many.
        usual: that are written then at most; ``None`` for as many as there may be.
        seed: ``None`` for one that is drawn anew.
    """

    max_tokens: int | None = None
    usual: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Chat:
    """Answer a chat."""

    messages: tuple[Message, ...]
    writing: Writing = Writing()


@dataclass(frozen=True, slots=True)
class Complete:
    """Write on. With ``echo`` the prompt is part of the answer."""

    prompt: str
    writing: Writing = Writing()
    echo: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """Say how likely each token of a text (or of token numbers) is.

    Attributes:
        top: so many of the most likely in each place as well.
        following: write the most likely token behind it.
    """

    prompt: str | tuple[int, ...]
    top: int = 1
    following: bool = False


@dataclass(frozen=True, slots=True)
class Embed:
    """A vector for each text."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transcribe:
    """What is said; ``audio`` is a WAV file, of any kind that :mod:`openvet.gateway.audio` takes."""

    audio: bytes
    language: str = ""


Asked = Chat | Complete | Rate | Embed | Transcribe


@dataclass(frozen=True, slots=True)
class Part:
    """Text that was written, as it came."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of what was written, and why: ``stop`` or ``length``."""

    why: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Read:
    """What a text or an audio came to: its tokens, or what was said and for how many seconds."""

    tokens: tuple[Token, ...] = ()
    text: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Vectors:
    """A vector for each text, and the tokens that were read."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int


class Desk(Protocol):
    """Where requests are answered. Whoever stops asking for the next part takes the request back."""

    @property
    def can(self) -> frozenset[str]:
        """Kinds of requests of :mod:`openvet.engines._engine` that the model answers."""
        ...

    @property
    def templated(self) -> bool:
        """Whether it knows how a chat is put to the model."""
        ...

    def ask(self, asked: Asked) -> AsyncGenerator[Part | Ended | Read | Vectors, None]:
        """The parts of the answer, the last of which is no :class:`Part` (raises :class:`openvet.gateway.refusal.RefusalError`)."""
        ...
