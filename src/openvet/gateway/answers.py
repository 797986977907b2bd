"""What clients get: OpenAI's objects, and events of a stream.

Source: OpenAI API reference, chat completion object and chunk, completion, embedding and transcription objects; WHATWG HTML, server-sent events.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Final

from openvet.engines.model import Token
from openvet.gateway.asked import Ended, Read, Vectors

__all__ = ["DONE", "Written", "chat_answer", "chunk", "completion_answer", "embedding_answer", "event", "last_chunk", "rated_choice", "usage_of", "written_choice"]  # fmt: skip

#: The end of a stream.
DONE: Final = b"data: [DONE]\n\n"


def event(value: Mapping[str, Any]) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def usage_of(prompt: int, completion: int) -> dict[str, int]:
    """Tokens."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class Written:
    """One answer that is text: its number and day, which all its parts bear.

    Args:
        kind: ``chat`` or ``completion``.
        model: as it is served.
    """

    def __init__(self, kind: str, model: str) -> None:
        self.chat = kind == "chat"
        self.id = f"{'chatcmpl' if self.chat else 'cmpl'}-{token_hex(12)}"
        self.model = model
        self.created = int(time.time())

    def head(self, kind: str) -> dict[str, Any]:
        """What stands before the choices."""
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def chunk(written: Written, text: str | None, ended: str | None, *, first: bool = False, usage: bool = False) -> bytes:
    """One event of a stream: text, or the end; ``first`` says who speaks; ``usage`` that the stream tells tokens at its end."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": ended, "logprobs": None}
    if written.chat:
        delta = {"role": "assistant", "content": text or ""} if first else {} if text is None else {"content": text}
        choice["delta"] = delta
    else:
        choice["text"] = text or ""
    body = written.head("chat.completion.chunk" if written.chat else "text_completion")
    return event({**body, "choices": [choice], **({"usage": None} if usage else {})})


def last_chunk(written: Written, ended: Ended) -> bytes:
    """The event that tells tokens."""
    body = written.head("chat.completion.chunk" if written.chat else "text_completion")
    return event({**body, "choices": [], "usage": usage_of(ended.prompt_tokens, ended.completion_tokens)})


def chat_answer(written: Written, text: str, ended: Ended) -> dict[str, Any]:
    """A chat completion."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": ended.why}
    usage = usage_of(ended.prompt_tokens, ended.completion_tokens)
    return {**written.head("chat.completion"), "choices": [choice], "usage": usage}


def written_choice(index: int, text: str, ended: Ended) -> dict[str, Any]:
    """One choice of a completion."""
    return {"index": index, "text": text, "logprobs": None, "finish_reason": ended.why}


def rated_choice(index: int, found: Read, tops: int) -> dict[str, Any]:
    """One choice of a completion whose text was sent: every token with its logarithm."""
    offsets, at = [], 0
    for each in found.tokens:
        offsets.append(at)
        at += len(each.text)
    logprobs = {
        "tokens": [each.text for each in found.tokens],
        "token_logprobs": [each.logprob for each in found.tokens],
        "top_logprobs": [_top(each, tops) for each in found.tokens],
        "text_offset": offsets,
    }
    text = "".join(each.text for each in found.tokens)
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": "length"}


def _top(token: Token, tops: int) -> dict[str, float] | None:
    if token.logprob is None or not tops:
        return None
    return dict(sorted(token.top, key=lambda each: -each[1])[:tops])


def completion_answer(
    written: Written, choices: Iterable[dict[str, Any]], prompt: int, completion: int
) -> dict[str, Any]:
    """A completion."""
    return {**written.head("text_completion"), "choices": list(choices), "usage": usage_of(prompt, completion)}


def embedding_answer(model: str, found: Vectors, form: str) -> dict[str, Any]:
    """Embeddings, as ``float`` or ``base64`` of 32-bit floats, little-endian."""
    data = [
        {"object": "embedding", "index": at, "embedding": _packed(each) if form == "base64" else list(each)}
        for at, each in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
