"""A small model behind an endpoint of OpenAI's shape, on loopback: it computes answers by a rule, the same every time.

The rule is a unigram model of letters: a text is the likelier the more of its letters the prompt has. ``knows`` are texts that it continues: whoever's
prompt ends with a key is given the value. Nothing listens but on 127.0.0.1.
"""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

__all__ = ["LetterModel", "ModelEndpoint"]


class LetterModel:
    """Computes; knows nothing of HTTP."""

    def __init__(self, knows: Mapping[str, str] | None = None) -> None:
        self.knows = dict(knows or {})

    def write(self, prompt: str) -> str:
        """What follows the prompt: a text that is known, else its longest word."""
        text = prompt.rstrip()
        for key, value in self.knows.items():
            if text.endswith(key):
                return value
        return max(text.split(), key=len, default="")

    @staticmethod
    def tokens(text: str) -> list[str]:
        """Words with the space before them."""
        out: list[str] = []
        for char in text:
            if not out or char == " ":
                out.append(char)
            else:
                out[-1] += char
        return out

    @staticmethod
    def logprob(token: str, before: str) -> float:
        """The logarithm of the probability of ``token``, letter by letter, by the letters before it."""
        counts = Counter(before)
        total = counts.total() + 256
        return math.fsum(math.log((counts[char] + 1) / total) for char in token)

    @staticmethod
    def embed(text: str) -> list[float]:
        """How often each letter is in a text."""
        counts = Counter(text.lower())
        return [float(counts[chr(97 + at)]) + 0.01 for at in range(26)]


class ModelEndpoint:
    """Serves a model while the block that it guards runs; ``base`` is its address.

    Args:
        before: called with the number of the request, from 1; gives a status and a body to answer with in place of the model, or ``None``.
        key: the bearer token that every request has to have, or ''.

    Attributes:
        requests: path and body of each, in the order in which they came.
        authorizations: the header of each.
    """

    def __init__(
        self,
        model: LetterModel,
        *,
        before: Callable[[int], tuple[int, Any] | None] | None = None,
        key: str = "",
        echo: bool = True,
    ) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.authorizations: list[str | None] = []
        lock = threading.Lock()
        outer = self

        class _Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # head and body in one piece: in two, the second waits for the first to be acknowledged

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.requests.append((self.path, body))
                    outer.authorizations.append(self.headers["Authorization"])
                    number = len(outer.requests)
                instead = before(number) if before is not None else None
                if instead is None and key and self.headers["Authorization"] != f"Bearer {key}":
                    instead = 401, {"error": {"message": f"no such key: {self.headers['Authorization']}"}}
                status, answer = instead or (200, _answer(model, self.path, body, echo=echo))
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _answer(model: LetterModel, path: str, body: Mapping[str, Any], *, echo: bool) -> dict[str, Any]:
    if path.endswith("/embeddings"):
        vectors = [{"index": at, "embedding": model.embed(each)} for at, each in enumerate(body["input"])]
        return {
            "data": vectors[::-1],
            "usage": {"prompt_tokens": sum(len(model.tokens(each)) for each in body["input"])},
        }
    chat = path.endswith("/chat/completions")
    prompt = body["messages"][-1]["content"] if chat else body["prompt"]
    written = model.write(prompt)
    for each in body.get("stop", []):
        written = written.partition(each)[0]
    used = {"prompt_tokens": len(model.tokens(prompt)), "completion_tokens": max(1, len(model.tokens(written)))}
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    if chat:
        choice["message"] = {"role": "assistant", "content": written}
    elif body.get("echo") and echo:
        tokens = model.tokens(prompt)
        values: list[float | None] = []
        before = ""
        for each in tokens:
            values.append(model.logprob(each, before) if before else None)
            before += each
        choice |= {
            "text": prompt + written,
            "logprobs": {"tokens": [*tokens, written], "token_logprobs": [*values, -1.0]},
        }
    else:
        choice["text"] = written
    return {"choices": [choice], "usage": used}
