"""What clients of OpenAI's interface get."""

from __future__ import annotations

import base64
import struct

from tests.gateway.conftest import Client


def test_a_chat(client: Client) -> None:
    status, found = client.chat("good morning")
    assert status == 200
    assert found["object"] == "chat.completion"
    assert found["model"] == "stand-in"
    assert found["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "user: good morning ", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert found["usage"] == {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}


def test_parts_and_roles_of_a_chat(client: Client) -> None:
    messages = [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": " two"}]},
    ]
    status, found = client.post(
        "/v1/chat/completions",
        {"model": "stand-in", "messages": messages, "max_completion_tokens": 2, "user": "somebody"},
    )
    assert status == 200
    assert found["choices"][0]["message"]["content"] == "system: be "
    assert found["choices"][0]["finish_reason"] == "length"


def test_a_stream_of_a_chat(client: Client) -> None:
    body = {
        "model": "stand-in",
        "messages": [{"role": "user", "content": "a b c"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    *events, usage, done = client.events("/v1/chat/completions", body)
    assert done == "[DONE]"
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [each["choices"][0]["delta"].get("content") for each in events[1:-1]] == ["user: ", "a ", "b ", "c "]
    assert events[-1]["choices"][0] == {"index": 0, "finish_reason": "stop", "logprobs": None, "delta": {}}
    assert usage["choices"] == []
    assert usage["usage"] == {"prompt_tokens": 4, "completion_tokens": 4, "total_tokens": 8}
    assert all(
        each["usage"] is None and each["id"] == usage["id"] and each["object"] == "chat.completion.chunk"
        for each in events
    )


def test_a_stream_says_no_usage_unless_asked(client: Client) -> None:
    body = {"model": "stand-in", "prompt": "a b", "stream": True}
    *events, done = client.events("/v1/completions", body)
    assert done == "[DONE]"
    assert not any("usage" in each for each in events)
    assert [each["choices"][0]["text"] for each in events] == ["a ", "b ", ""]


def test_parts_come_as_they_are_written(client: Client) -> None:
    import time

    body = {"model": "stand-in", "prompt": "one !wait1.5 two", "stream": True}
    times = [
        time.monotonic()
        for each in client.events("/v1/completions", body)
        if each != "[DONE]" and each["choices"][0]["text"]
    ]
    assert times[1] - times[0] > 1.0


def test_completions(client: Client) -> None:
    status, found = client.post(
        "/v1/completions", {"model": "stand-in", "prompt": ["a b", "c STOP d"], "stop": "STOP", "echo": False}
    )
    assert status == 200
    assert [each["text"] for each in found["choices"]] == ["a b ", "c "]
    assert [each["index"] for each in found["choices"]] == [0, 1]
    assert found["usage"]["prompt_tokens"] == 5


def test_echo(client: Client) -> None:
    status, found = client.post(
        "/v1/completions", {"model": "stand-in", "prompt": "a b", "echo": True, "max_tokens": 0}
    )
    assert (status, found["choices"][0]["text"], found["choices"][0]["finish_reason"]) == (200, "a b", "length")


def test_logarithms_of_a_text(client: Client) -> None:
    body = {
        "model": "stand-in",
        "prompt": "the cat sat",
        "echo": True,
        "logprobs": 1,
        "max_tokens": 1,
        "temperature": 0,
    }
    status, found = client.post("/v1/completions", body)
    assert status == 200
    assert found["choices"][0]["text"] == "the cat sat end"
    assert found["choices"][0]["logprobs"] == {
        "tokens": ["the", " cat", " sat", " end"],
        "token_logprobs": [None, -0.5, -1.0, -1.5],
        "top_logprobs": [None, {" cat": -0.5}, {" sat": -1.0}, {" end": -1.5}],
        "text_offset": [0, 3, 7, 11],
    }
    assert found["usage"] == {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}


def test_logarithms_of_token_numbers(client: Client) -> None:
    body = {"model": "stand-in", "prompt": [[5, 6], [7]], "echo": True, "logprobs": 2, "max_tokens": 0}
    status, found = client.post("/v1/completions", body)
    assert status == 200
    assert [each["logprobs"]["tokens"] for each in found["choices"]] == [["5", " 6"], ["7"]]
    assert found["choices"][0]["logprobs"]["top_logprobs"][1] == {" 6": -0.5, " other": -9.0}


def test_embeddings(client: Client) -> None:
    status, plain = client.post("/v1/embeddings", {"model": "stand-in", "input": ["abc", "de"]})
    assert status == 200
    assert [each["embedding"] for each in plain["data"]] == [[3.0, 0.5, -1.25], [2.0, 0.5, -1.25]]
    assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    _, packed = client.post(
        "/v1/embeddings", {"model": "stand-in", "input": "abc", "encoding_format": "base64", "dimensions": 3}
    )
    assert struct.unpack("<3f", base64.b64decode(packed["data"][0]["embedding"])) == (3.0, 0.5, -1.25)


def test_many_texts_keep_their_order(client: Client) -> None:
    texts = ["x" * (1 + at % 50) for at in range(100)]
    status, found = client.post("/v1/embeddings", {"model": "stand-in", "input": texts})
    assert status == 200
    assert [each["index"] for each in found["data"]] == list(range(100))
    assert [each["embedding"][0] for each in found["data"]] == [float(len(each)) for each in texts]
    assert found["usage"]["prompt_tokens"] == 100


def test_what_is_there(client: Client) -> None:
    _, found = client.get("/v1/models")
    assert [each["id"] for each in found["data"]] == ["stand-in"]
    assert found["data"][0]["openvet"] == {"digest": "sha256:00"}
    assert client.get("/v1/models/stand-in")[1] == found["data"][0]
    assert client.get("/v1/models/other")[0] == 404
    assert client.get("/health") == (200, {"status": "ok", "waiting": 0})
    assert client.get("/v1/nothing")[1]["error"]["code"] == "unknown_url"
    assert client.ask("DELETE", "/v1/models")[0] == 405


def test_figures(client: Client) -> None:
    client.chat("one two three")
    client.chat("x", tools=[{"type": "function"}])
    _, text = client.get("/metrics")
    assert "# TYPE openvet_run_request_seconds histogram" in text
    assert 'openvet_run_requests_total{route="/v1/chat/completions",status="200"}' in text
    assert 'openvet_run_refused_total{code="unsupported_parameter"}' in text
    assert client.metric("openvet_run_resident_peak_bytes") > 1_000_000
    assert client.metric("openvet_run_ready") == 1


def test_the_log_holds_no_prompt(client: Client) -> None:
    client.chat("very-secret-words")
    text = client.log.read_text()
    assert "POST /v1/chat/completions 200" in text
    assert "very-secret-words" not in text
