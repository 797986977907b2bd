"""Any endpoint that speaks OpenAI's interface: ``/chat/completions``, ``/completions`` and ``/embeddings``.

Likelihoods need ``/completions`` with ``echo`` and ``logprobs``, as vLLM and llama-cpp-python's server have it; OpenAI's own chat models
give none. The key comes from the environment, travels only to the endpoint that was named, and is in no message and no result.

Source: OpenAI API reference, chat completions, completions and embeddings; requests as lm-eval's ``local-completions`` sends them.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from openvet.core.text import printable
from openvet.errors import UnreachableError, UsageError
from openvet.evals.backends._backend import (
    Answer,
    AskError,
    Continuations,
    Facts,
    Generate,
    Likelihoods,
    Shown,
    Usage,
    is_number,
)
from openvet.io.http import Client, StatusError, is_this_machine, origin_of

__all__ = ["Endpoint", "RateLimit"]

_LARGEST: Final = 64 * 1024 * 1024
_MODES: Final = ("chat", "completions")
_SAID: Final = 300


class RateLimit:
    """At most so many requests a minute, evenly: each waits for its turn.

    ``clock`` and ``sleep`` are passed in so that a test can move time.
    """

    def __init__(
        self,
        per_minute: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 60.0 / per_minute if per_minute > 0 else 0.0
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next = -math.inf

    def wait(self) -> None:
        """Return when it is this request's turn."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


class Endpoint:
    """A model behind an endpoint. May be used by several threads.

    Args:
        base: its address, such as ``http://127.0.0.1:8000/v1``. It is what whoever runs this named: this machine and private networks are
            reached only where it names them, and no redirect is followed.
        model: the name that it serves the model by.
        mode: ``chat`` or ``completions``: by which of both texts are written.
        key: a bearer token, or ''.
        plain: let a key and prompts travel without TLS to another machine.

    Raises:
        UsageError: the address is none, or without TLS.
    """

    def __init__(
        self,
        base: str,
        model: str,
        mode: str = "chat",
        *,
        key: str = "",
        timeout: float = 120.0,
        tries: int = 5,
        parallel: int = 1,
        rate: RateLimit | None = None,
        plain: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if mode not in _MODES:
            raise UsageError(f"a mode is one of {', '.join(_MODES)}")
        if not base.isascii() or any(each in base for each in "?#@ "):
            raise UsageError("the endpoint is an address such as https://host/v1, without user, query or fragment")
        try:
            origin = origin_of(base)
        except UnreachableError as error:
            raise UsageError(f"the endpoint: {error}") from None
        if origin[0] != "https" and not is_this_machine(origin[1]) and not plain:
            raise UsageError(
                f"the endpoint {printable(origin[1])} is reached without TLS, so that anybody on the way can read and change answers; "
                "use https, or --unsafe-plain-http in a network that you trust"
            )
        self.parallel = parallel
        self._base, self._model, self._mode = base.rstrip("/"), model, mode
        self._rate = rate or RateLimit(0)
        self._key = key

        def authorize(url: str) -> str | None:
            return f"Bearer {key}" if key and origin_of(url) == origin else None

        self._client = Client(authorize, timeout=timeout, tries=tries, sleep=sleep, home=origin[1])
        can = {"generate", "embed"} | ({"loglikelihood"} if mode == "completions" else set())
        settings = {"endpoint": self._base, "model": model, "mode": mode}
        self.facts = Facts("openai", frozenset(can), settings, attests=False)

    def generate(self, request: Generate) -> Answer:
        """One request to write on."""
        body: dict[str, Any] = {
            "model": self._model, "max_tokens": request.max_tokens, "temperature": request.temperature, "seed": request.seed,
        }  # fmt: skip
        if request.stop:
            body["stop"] = list(request.stop)
        if self._mode == "chat":
            system = [{"role": "system", "content": request.system}] if request.system else []
            body["messages"] = [*system, {"role": "user", "content": request.text}]
            answer = self._post("/chat/completions", body)
            message = _choice(answer).get("message")
            text = message.get("content") if isinstance(message, dict) else None
        else:
            body["prompt"] = f"{request.system}\n\n{request.text}" if request.system else request.text
            answer = self._post("/completions", body)
            text = _choice(answer).get("text")
        ended = _choice(answer).get("finish_reason")
        if text is None and isinstance(ended, str):
            text = ""  # a model that refuses, or calls tools, wrote nothing
        if not isinstance(text, str):
            raise AskError("the endpoint's answer holds no text")
        return Answer(text, str(ended or "")[:100], _usage(answer))

    def likelihoods(self, request: Continuations) -> Likelihoods:
        """One request for each continuation; a server that keeps what it made of the context evaluates it once."""
        logprobs, tokens, prompt, completion = [], [], 0, 0
        for each in request.continuations:
            body = {
                "model": self._model, "prompt": request.context + each, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1,
            }  # fmt: skip
            answer = self._post("/completions", body)
            value, count = _likelihood(_choice(answer).get("logprobs"), request.context, each)
            logprobs.append(value)
            tokens.append(count)
            used = _usage(answer)
            prompt, completion = prompt + (used.prompt or 0), completion + (used.completion or 0)
        return Likelihoods(tuple(logprobs), tuple(tokens), Usage(prompt, completion))

    def embed(self, id: str, texts: tuple[str, ...]) -> tuple[tuple[tuple[float, ...], ...], Usage]:  # noqa: A002, ARG002 - as the protocol
        """The vectors of several texts, in one request."""
        answer = self._post("/embeddings", {"model": self._model, "input": list(texts), "encoding_format": "float"})
        listed = answer.get("data")
        if not isinstance(listed, list) or len(listed) != len(texts):
            raise AskError("the endpoint's answer holds not one vector for each text")
        out: list[tuple[float, ...]] = [()] * len(texts)
        for at, each in enumerate(listed):
            place = each.get("index", at) if isinstance(each, dict) else None
            vector = each.get("embedding") if isinstance(each, dict) else None
            if not isinstance(vector, list) or not vector or not all(is_number(one) for one in vector):
                raise AskError("the endpoint's answer holds something else than vectors")
            if type(place) is not int or not 0 <= place < len(texts) or out[place]:
                raise AskError("the endpoint's answer numbers its vectors otherwise than the texts")
            out[place] = tuple(map(float, vector))
        return tuple(out), _usage(answer)

    def transcribe(self, request: Shown) -> Answer:
        """No recording is sent to an endpoint."""
        raise AskError(f"{request.name} is not sent to an endpoint", lasting=True)

    def match(self, request: Shown, texts: tuple[str, ...]) -> Likelihoods:  # noqa: ARG002 - as the protocol
        """Nor is an image."""
        raise AskError(f"{request.name} is not sent to an endpoint", lasting=True)

    def read(self, request: Shown) -> Answer:
        """Nor to be read."""
        raise AskError(f"{request.name} is not sent to an endpoint", lasting=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._rate.wait()
        sent = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            data, reply = self._client.send(
                "POST", self._base + path, sent, limit=_LARGEST, headers=headers, repeatable=True
            )
        except StatusError as error:
            raise AskError(f"{error}; lower --rate or --parallel, or wait, and go on with --resume") from error
        except UnreachableError as error:
            raise AskError(f"the endpoint gives no usable answer: {error}") from error
        if reply.status != 200:
            raise AskError(self._refusal(reply.status, path, data), lasting=400 <= reply.status < 500)
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            raise AskError("the endpoint's answer is not JSON") from None
        if not isinstance(found, dict):
            raise AskError("the endpoint's answer is no object")
        return found

    def _refusal(self, status: int, path: str, data: bytes) -> str:
        """What the endpoint says, without anything that it was sent."""
        try:
            told = json.loads(data)["error"]
            text = told["message"] if isinstance(told, dict) else told
        except (ValueError, KeyError, TypeError, RecursionError):
            text = ""
        said = printable(" ".join(str(text).split()))[:_SAID]
        if self._key:
            said = said.replace(self._key, "***")
        hint = {401: "; --key-env names the variable that holds its key", 403: "; the key may not do that", 404: "; does it know this model, and is the address right?"}  # fmt: skip
        return f"the endpoint answers {path} with status {status}{f': {said}' if said else ''}{hint.get(status, '')}"


def _choice(answer: Mapping[str, Any]) -> dict[str, Any]:
    listed = answer.get("choices")
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        raise AskError("the endpoint's answer holds no choice")
    return listed[0]


def _usage(answer: Mapping[str, Any]) -> Usage:
    found = answer.get("usage")
    if not isinstance(found, dict):
        return Usage()
    counts = [found.get(name) for name in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (each if type(each) is int and 0 <= each < 2**53 else None for each in counts)
    return Usage(prompt, completion)


def _likelihood(found: Any, context: str, continuation: str) -> tuple[float, int]:
    """The sum over the continuation's tokens. A token that begins in the context and ends behind it belongs to the continuation."""
    texts = found.get("tokens") if isinstance(found, dict) else None
    values = found.get("token_logprobs") if isinstance(found, dict) else None
    if (
        not isinstance(texts, list)
        or not isinstance(values, list)
        or len(texts) != len(values)
        or not all(isinstance(each, str) for each in texts)
    ):
        raise AskError(
            "the endpoint gives no logarithms of what it was sent (echo with logprobs), which the scorer choice needs; "
            "use the scorer letter, or a server that has them",
            lasting=True,
        )
    whole = len(context) + len(continuation)
    offsets = found.get("text_offset")
    if "".join(map(str, texts)).startswith(
        context + continuation
    ):  # what stands there is surer than what is said about it
        ends, at = [], 0
        for each in texts:
            at += len(each)
            ends.append(at)
    elif isinstance(offsets, list) and len(offsets) == len(texts) and all(type(each) is int for each in offsets):
        ends = [*offsets[1:], whole + 1]
    else:
        raise AskError("the endpoint does not say where its tokens stand", lasting=True)
    begins = [0, *ends[:-1]]
    chosen = [
        value for begin, end, value in zip(begins, ends, values, strict=True) if end > len(context) and begin < whole
    ]
    if not chosen or not all(map(is_number, chosen)):
        raise AskError("the endpoint gives no logarithm for a token of a choice", lasting=True)
    return math.fsum(chosen), len(chosen)
