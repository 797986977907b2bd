"""Whatever is sent becomes a request or a refusal, and a request that was taken means what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.engines.model import Message
from openvet.gateway.asked import Rate
from openvet.gateway.parsing import chat_request, completion_request, embedding_request, model_of
from openvet.gateway.refusal import RefusalError

NAMES = st.sampled_from(
    ["messages", "model", "prompt", "input", "max_tokens", "temperature", "top_p", "stop", "stream", "stream_options", "n", "echo", "logprobs", "seed", "tools", "user",
     "logit_bias", "best_of", "dimensions", "encoding_format", "role", "content", "type", "text", "include_usage", "other"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["user", "system", "text", "float", "base64"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


PARSERS: tuple[Callable[[bytes], Any], ...] = (chat_request, completion_request, embedding_request, model_of)


def refused(parse: Callable[[bytes], Any], data: bytes) -> RefusalError | None:
    """Why it is refused; anything else than a refusal is a fault."""
    try:
        parse(data)
    except RefusalError as refusal:
        return refusal
    return None


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_what_is_sent_is_taken_or_refused(fields: dict[str, Any]) -> None:
    data = json.dumps(fields).encode()
    for refusal in filter(None, (refused(each, data) for each in PARSERS)):
        assert 400 <= refusal.status < 500
        told = json.loads(refusal.body)["error"]
        assert told["message"]
        assert set(told) == {"message", "type", "param", "code"}


@given(st.binary(max_size=300))
def test_bytes_are_refused(data: bytes) -> None:
    for refusal in filter(None, (refused(each, data) for each in PARSERS)):
        assert json.loads(refusal.body)["error"]["message"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), TEXTS), min_size=1, max_size=5),
    st.floats(0, 2), st.floats(0.01, 1), st.integers(1, 1000), st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5), max_size=4), st.booleans(),
)  # fmt: skip
def test_a_chat_means_what_it_says(
    messages: list[tuple[str, str]], temperature: float, top_p: float, most: int, stop: list[str], stream: bool
) -> None:
    fields = {
        "messages": [{"role": role, "content": text} for role, text in messages],
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": most,
        "stop": stop,
        "stream": stream,
    }
    found = chat_request(json.dumps(fields).encode())
    assert found.asked.messages == tuple(Message(role, text) for role, text in messages)
    writing = found.asked.writing
    assert (writing.temperature, writing.top_p, writing.max_tokens, writing.stop, found.stream) == (
        temperature,
        top_p,
        most,
        tuple(stop),
        stream,
    )


@given(st.lists(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(0, 5))
def test_token_numbers_are_kept(prompts: list[list[int]], logprobs: int) -> None:
    body = {"prompt": prompts, "echo": True, "logprobs": logprobs, "max_tokens": 0}
    found = completion_request(json.dumps(body).encode())
    assert [each.prompt for each in found.asked if isinstance(each, Rate)] == [tuple(each) for each in prompts]


def test_a_field_of_every_name_is_known_or_refused() -> None:
    """No field is left out in silence: each of the reference's, with a value that asks for something, is refused or changes the request."""
    base = {"messages": [{"role": "user", "content": "x"}]}
    plain = chat_request(json.dumps(base).encode())
    asks: dict[str, Any] = {
        "audio": {"voice": "a"}, "frequency_penalty": 1, "function_call": "auto", "functions": [{}], "logit_bias": {"1": 1}, "logprobs": True, "max_completion_tokens": 3,
        "max_tokens": 3, "modalities": ["audio"], "n": 2, "parallel_tool_calls": True, "prediction": {}, "presence_penalty": 1, "reasoning_effort": "high",
        "response_format": {"type": "json_object"}, "seed": 5, "service_tier": "flex", "stop": "a", "store": True, "stream": True, "temperature": 0.3, "tool_choice": "auto",
        "tools": [{}], "top_logprobs": 2, "top_p": 0.3, "verbosity": "low", "web_search_options": {},
    }  # fmt: skip
    for name, value in asks.items():
        data = json.dumps({**base, name: value}).encode()
        refusal = refused(chat_request, data)
        if refusal is not None:
            assert refusal.param == name
        else:
            assert chat_request(data) != plain, name
