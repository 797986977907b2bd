"""Where requests are answered: by one model, within limits. What is asked too much of is refused with the figures."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.engines.model import Message, Model, Sampling
from openvet.gateway.asked import Asked, Chat, Complete, Embed, Ended, Part, Rate, Read, Transcribe, Vectors, Writing
from openvet.gateway.audio import to_pcm
from openvet.gateway.keeper import MARGIN, Keeper, Ticket
from openvet.gateway.refusal import RefusalError

__all__ = ["Limits", "ModelDesk"]

#: Texts whose vectors are asked for together.
_AT_A_TIME = 32
#: What a request needs the model to be able to do, and what such models are called.
_NEEDS = {
    Chat: ("generate", "writes no text"), Complete: ("generate", "writes no text"), Rate: ("tokens", "gives no logarithms of a text"),
    Embed: ("embed", "gives no embeddings"), Transcribe: ("transcribe", "transcribes no speech"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost.

    Attributes:
        body: bytes of it.
        prompt_tokens: that are read; 0 for as many as the model's context has.
        max_tokens: that are written.
        seconds: once it is its turn.
        audio_seconds: of audio.
    """

    body: int = 32 * 1024 * 1024
    prompt_tokens: int = 0
    max_tokens: int = 4096
    seconds: float = 300.0
    audio_seconds: float = 600.0


class ModelDesk:
    """Answers by the model that a keeper keeps; see :class:`openvet.gateway.asked.Desk`."""

    def __init__(self, keeper: Keeper, limits: Limits) -> None:
        self._keeper, self._limits = keeper, limits

    @property
    def can(self) -> frozenset[str]:
        """Kinds of requests that the model answers."""
        return self._keeper.model.can

    @property
    def templated(self) -> bool:
        """Whether it knows how a chat is put to the model."""
        return bool(self._keeper.model.facts.get("template", True))

    async def ask(self, asked: Asked) -> AsyncGenerator[Part | Ended | Read | Vectors, None]:
        """The parts of the answer."""
        needs, cannot = _NEEDS[type(asked)]
        if needs not in self.can:
            raise RefusalError(400, "model_cannot", f"this model {cannot}; it can {', '.join(sorted(self.can))}")
        if isinstance(asked, Chat) and not self.templated:
            raise RefusalError(400, "model_cannot", "this model has no template for chats; use /v1/completions")
        most = asked.writing.max_tokens if isinstance(asked, Chat | Complete) else None
        if most is not None and most > self._limits.max_tokens:
            raise RefusalError(400, "max_tokens_exceeded", f"max_tokens is {most}, and this server writes at most {self._limits.max_tokens}", param="max_tokens")  # fmt: skip
        ticket = self._keeper.submit(partial(_answer, asked, self._limits), self._limits.seconds)
        try:
            while True:
                part = await ticket.heard()
                yield part
                if not isinstance(part, Part):
                    return
        finally:
            self._keeper.give_up(ticket)


def _answer(asked: Asked, limits: Limits, model: Model, ticket: Ticket) -> Any:
    """Ask the model, in the keeper's thread. All that it is asked for one request has the time of one request together."""
    match asked:
        case Chat(messages, writing):
            return _write(messages, writing, limits, model, ticket)
        case Complete(prompt, writing, echo):
            return _write(prompt, writing, limits, model, ticket, echo=echo)
        case Rate(prompt, top, following):
            if isinstance(prompt, str):
                _room(_counted(model, prompt, ticket), 1 if following else 0, limits, model)
            else:
                _room(len(prompt), 1 if following else 0, limits, model)
            return Read(tokens=model.tokens(prompt, top=top, following=following, seconds=_left(ticket)))
        case Embed(texts):
            return _embedded(texts, limits, model, ticket)
        case Transcribe(audio, language):
            # here and not before the line: it is work, which the line bounds
            sound = to_pcm(audio, limits.audio_seconds, partial(_go_on, ticket))
            text, duration = model.transcribe(sound, language, lambda _: ticket.wanted, _left(ticket))
            _in_time(ticket)
            return Read(text=text, seconds=duration)


def _write(
    prompt: str | Sequence[Message], writing: Writing, limits: Limits, model: Model, ticket: Ticket, *, echo: bool = False
) -> Ended:  # fmt: skip
    most = writing.max_tokens
    count = _counted(model, prompt, ticket)
    room = _room(count, most or 0, limits, model)
    if most is None:
        most = min(each for each in (limits.max_tokens, room, writing.usual) if each is not None)
    if echo:
        ticket.say(Part(str(prompt)))
    if most == 0:
        return Ended("length", count or 0, 0)
    seed = secrets.randbelow(2**31) if writing.seed is None else writing.seed
    sampling = Sampling(most, writing.stop, writing.temperature, writing.top_p, seed)

    def piece(text: str) -> bool:
        if text:  # a piece without any asks whether it is still wanted
            ticket.say(Part(text))
        return ticket.wanted

    done = model.generate(prompt, sampling, piece, _left(ticket))
    _in_time(ticket)
    return Ended("length" if done.ended == "length" else "stop", done.prompt_tokens, done.completion_tokens)


def _embedded(texts: Sequence[str], limits: Limits, model: Model, ticket: Ticket) -> Vectors:
    """A few at a time: who went away is seen in between, and no reply is larger than what is listened to of a child."""
    for each in texts:
        _short_enough(each, limits, model, ticket)
    vectors: list[tuple[float, ...]] = []
    count = 0
    for at in range(0, len(texts), _AT_A_TIME):
        found, tokens = model.embed(texts[at : at + _AT_A_TIME], seconds=_left(ticket))
        vectors += found
        count += tokens
    _in_time(ticket)
    if len(set(map(len, vectors))) != 1 or not vectors[0]:
        raise RefusalError(500, "fault", "the model's vectors differ in their length, or have none")
    return Vectors(tuple(vectors), count)


def _in_time(ticket: Ticket) -> None:
    """What was stopped is no answer."""
    if ticket.cut:
        raise RefusalError(503, "server_ending", "the server ended while it was answered", retry=5)
    if ticket.late:
        raise RefusalError(504, "time_limit", f"it took more than {ticket.seconds:g} seconds; ask for fewer tokens")


def _go_on(ticket: Ticket) -> None:
    """Nothing more is done for who waits no longer."""
    _in_time(ticket)
    if ticket.given_up:
        raise RefusalError(499, "client_gone", "whoever asked went away")


def _left(ticket: Ticket) -> float:
    """Seconds after which the model's process is ended, where it does not end by itself."""
    _go_on(ticket)
    return ticket.left + MARGIN


def _counted(model: Model, prompt: str | Sequence[Message], ticket: Ticket) -> int | None:
    return model.count(prompt, _left(ticket)) if "count" in model.can else None


def _context(model: Model) -> int | None:
    known = model.facts.get("context")
    return known if isinstance(known, int) and known > 0 else None


def _room(count: int | None, most: int, limits: Limits, model: Model) -> int | None:
    """Tokens that may be written behind a prompt; ``None`` where nobody knows."""
    if count is None:
        return None
    if limits.prompt_tokens and count > limits.prompt_tokens:
        raise RefusalError(400, "context_length_exceeded", f"the prompt has {count} tokens, and this server reads at most {limits.prompt_tokens}", param="messages")  # fmt: skip
    context = _context(model)
    if context is None:
        return None
    if count + max(most, 1) > context and (most or count >= context):
        raise RefusalError(400, "context_length_exceeded", f"this model's context is {context} tokens, and {count + most} were asked for: {count} in the prompt, {most} to be written", param="messages")  # fmt: skip
    return context - count


def _short_enough(text: str, limits: Limits, model: Model, ticket: Ticket) -> None:
    """A text of which the model would read the beginning alone is refused: its vector would be that of another text."""
    cut_at = model.facts.get("longest")
    known = cut_at if isinstance(cut_at, int) and cut_at > 0 else _context(model)
    most = min(filter(None, (known, limits.prompt_tokens)), default=0)
    if not most or len(text.encode()) + 8 <= most or "count" not in model.can:
        return  # no tokenizer makes more tokens than a text has bytes, beside those around it
    count = model.count(text, _left(ticket))
    if count > most:
        raise RefusalError(400, "context_length_exceeded", f"a text has {count} tokens, and {most} are read at most; cut it into parts", param="input")  # fmt: skip
