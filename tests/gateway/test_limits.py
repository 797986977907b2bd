"""What is refused, and that it is named; nothing is left out in silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.gateway.conftest import Client

CHAT = {"model": "stand-in", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    ("more", "code", "param"),
    [
        ({"tools": [{"type": "function"}]}, "unsupported_parameter", "tools"),
        ({"n": 2}, "unsupported_parameter", "n"),
        ({"n": True}, "unsupported_parameter", "n"),
        ({"logit_bias": {"5": 1}}, "unsupported_parameter", "logit_bias"),
        ({"response_format": {"type": "json_object"}}, "unsupported_parameter", "response_format"),
        ({"logprobs": True}, "unsupported_parameter", "logprobs"),
        ({"frequency_penalty": 0.5}, "unsupported_parameter", "frequency_penalty"),
        ({"store": True}, "unsupported_parameter", "store"),
        ({"reasoning_effort": "low"}, "unsupported_parameter", "reasoning_effort"),
        ({"wat": 1}, "unknown_parameter", "wat"),
        ({"temperature": 3}, "invalid_value", "temperature"),
        ({"temperature": "hot"}, "invalid_value", "temperature"),
        ({"top_p": 0}, "invalid_value", "top_p"),
        ({"max_tokens": 0}, "invalid_value", "max_tokens"),
        ({"max_tokens": 5000}, "max_tokens_exceeded", "max_tokens"),
        ({"seed": 1.5}, "invalid_value", "seed"),
        ({"stop": [""]}, "invalid_value", "stop"),
        ({"stop": ["a"] * 17}, "invalid_value", "stop"),
        ({"stream": "yes"}, "invalid_value", "stream"),
        ({"stream_options": {"include_usage": True}}, "invalid_value", "stream_options"),
        ({"stream": True, "stream_options": {"more": True}}, "unsupported_parameter", "stream_options.more"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "unsupported_parameter", "messages[0].role"),
        ({"messages": [{"role": "king", "content": "x"}]}, "invalid_value", "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "invalid_value", "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "unsupported_parameter", "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "invalid_value", "messages[0].content"),
        ({"messages": [{"role": "assistant", "content": "x", "tool_calls": [1]}]}, "unsupported_parameter", "messages[0].tool_calls"),
        ({"messages": [{"role": "user", "content": "a " * 70}]}, "context_length_exceeded", "messages"),
        ({"max_tokens": 64}, "context_length_exceeded", "messages"),
        ({"messages": [{"role": "user", "content": "!refuse"}]}, "model_cannot", None),
    ],
)  # fmt: skip
def test_a_chat_that_is_refused(client: Client, more: dict[str, Any], code: str, param: str | None) -> None:
    status, found = client.post("/v1/chat/completions", {**CHAT, **more})
    assert status == 400
    assert (found["error"]["code"], found["error"]["param"], found["error"]["type"]) == (
        code,
        param,
        "invalid_request_error",
    )
    assert found["error"]["message"]


@pytest.mark.parametrize(
    "more",
    [
        {"n": 1, "tools": [], "tool_choice": "none", "logit_bias": {}, "frequency_penalty": 0, "presence_penalty": 0.0, "store": False, "logprobs": False},
        {"tools": None, "stop": None, "seed": None, "temperature": None, "max_tokens": None, "response_format": {"type": "text"}, "modalities": ["text"]},
        {"user": "me", "metadata": {"a": "b"}, "service_tier": "auto", "seed": -5, "stop": "z", "temperature": 0, "top_p": 0.5},
    ],
)  # fmt: skip
def test_what_asks_for_nothing_is_taken(client: Client, more: dict[str, Any]) -> None:
    assert client.post("/v1/chat/completions", {**CHAT, **more})[0] == 200


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"prompt": None}, "invalid_value"),
        ({"prompt": []}, "invalid_value"),
        ({"prompt": [1, 2]}, "unsupported_parameter"),
        ({"prompt": [[1], "a"]}, "invalid_value"),
        ({"prompt": "x", "logprobs": 1}, "unsupported_parameter"),
        ({"prompt": "x", "logprobs": 9, "echo": True}, "invalid_value"),
        ({"prompt": "x", "logprobs": 1, "echo": True, "max_tokens": 1}, "unsupported_parameter"),
        ({"prompt": [1, -2], "logprobs": 1, "echo": True, "max_tokens": 0}, "invalid_value"),
        ({"prompt": ["a", "b"], "stream": True}, "unsupported_parameter"),
        ({"prompt": "x", "best_of": 2}, "unsupported_parameter"),
        ({"prompt": "x", "suffix": "y"}, "unsupported_parameter"),
    ],
)
def test_a_completion_that_is_refused(client: Client, more: dict[str, Any], code: str) -> None:
    status, found = client.post("/v1/completions", {"model": "stand-in", **more})
    assert (status, found["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"input": ""}, "invalid_value"),
        ({"input": []}, "invalid_value"),
        ({"input": [1, 2]}, "unsupported_parameter"),
        ({"input": ["a", None]}, "invalid_value"),
        ({"input": "a", "dimensions": 7}, "unsupported_parameter"),
        ({"input": "a", "encoding_format": "hex"}, "invalid_value"),
        ({"input": "a " * 70}, "context_length_exceeded"),
    ],
)
def test_embeddings_that_are_refused(client: Client, more: dict[str, Any], code: str) -> None:
    status, found = client.post("/v1/embeddings", {"model": "stand-in", **more})
    assert (status, found["error"]["code"]) == (400, code)


def test_another_model(client: Client) -> None:
    status, found = client.post("/v1/chat/completions", {**CHAT, "model": "gpt-5"})
    assert (status, found["error"]["code"]) == (404, "model_not_found")
    assert client.post("/v1/chat/completions", {"messages": CHAT["messages"]})[0] == 400


def test_what_a_model_cannot(start: Callable[..., Client]) -> None:
    writes = start(options={"can": ["generate"], "template": False})
    assert "no template" in writes.post("/v1/chat/completions", CHAT)[1]["error"]["message"]
    assert (
        "gives no embeddings"
        in writes.post("/v1/embeddings", {"model": "stand-in", "input": "a"})[1]["error"]["message"]
    )
    assert writes.post("/v1/completions", {"model": "stand-in", "prompt": "a b"})[1]["choices"][0]["text"] == "a b "
    body = {"model": "stand-in", "prompt": "a", "echo": True, "logprobs": 1, "max_tokens": 0}
    assert "no logarithms" in writes.post("/v1/completions", body)[1]["error"]["message"]


def test_few_of_everything(start: Callable[..., Client]) -> None:
    """A small server: body, prompt, tokens, seconds and the line are all bounded."""
    limits = {"body": 2000, "prompt_tokens": 10, "max_tokens": 5, "seconds": 1.0, "audio_seconds": 1.0}
    small = start(limits=limits, waiting=1, restarts=0)
    assert small.chat("x" * 3000)[1]["error"]["code"] == "body_too_large"
    assert "at most 10" in small.chat("a " * 20)[1]["error"]["message"]
    assert small.chat("a b c d e f g")[1]["usage"]["completion_tokens"] == 5
    assert small.chat("a", max_tokens=6)[1]["error"]["code"] == "max_tokens_exceeded"
    # what writes is stopped at its next piece
    status, found = small.chat("!wait0.7 !wait0.7 b")
    assert (status, found["error"]["code"]) == (504, "time_limit")
    *events, last = small.events(
        "/v1/completions", {"model": "stand-in", "prompt": "a !wait0.7 !wait0.7 b", "stream": True}
    )
    assert last["error"]["code"] == "time_limit"
    assert events[0]["choices"][0]["text"] == "a "
    assert small.metric("openvet_run_restarts_total") == 0


def test_the_line_is_bounded(start: Callable[..., Client]) -> None:
    small = start(waiting=1)
    found: list[tuple[int, Any]] = []
    threads = [threading.Thread(target=lambda: found.append(small.chat("!wait1.5"))) for _ in range(4)]
    for each in threads:
        each.start()
        time.sleep(0.2)
    for each in threads:
        each.join()
    assert sorted(status for status, _ in found) == [200, 200, 429, 429]
    assert {each["error"]["code"] for status, each in found if status == 429} == {"queue_full"}
    connection, response = small.open("GET", "/health")
    assert response.status == 200
    connection.close()


def test_who_waits_and_goes_away_is_forgotten(start: Callable[..., Client]) -> None:
    server = start(waiting=4)
    first = threading.Thread(target=lambda: server.chat("!wait1.5"))
    first.start()
    time.sleep(0.3)
    body = b'{"model":"stand-in","messages":[{"role":"user","content":"!wait30"}]}'
    import http.client

    gone = http.client.HTTPConnection(server.host, server.port)
    gone.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    time.sleep(0.3)
    assert server.metric("openvet_run_waiting") == 1
    gone.close()
    first.join()
    assert server.chat("quick")[0] == 200  # and not after half a minute
    assert server.metric("openvet_run_clients_gone_total") == 1


def test_who_goes_away_stops_what_is_written(client: Client) -> None:
    words = " ".join(["!wait0.3"] * 30)
    connection, response = client.open(
        "POST", "/v1/completions", {"model": "stand-in", "prompt": words, "max_tokens": 30, "stream": True}
    )
    assert response.status == 200
    response.readline()
    response.close()
    connection.close()
    started = time.monotonic()
    assert client.chat("next")[0] == 200
    assert time.monotonic() - started < 3
