"""Backends: an endpoint over real HTTP on loopback, and recorded answers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.evals.tasks import lines

from openvet.errors import UsageError
from openvet.evals.backends._backend import AskError, Backend, Continuations, Generate
from openvet.evals.backends.openai import Endpoint, RateLimit
from openvet.evals.backends.recorded import Recorded
from openvet.evals.task import TaskError
from openvet.testing.endpoint import LetterModel, ModelEndpoint

MODEL = LetterModel({"France?\nA:": "Paris", "Peru?\nA:": "Lima"})
ASKED = Generate("0", "", "The capital of France?\nA:", 0, 16, (), 0.0, 0)
KEY = "sk-tests-0123456789"


@pytest.mark.parametrize("mode", ["chat", "completions"])
def test_a_text_is_written(mode: str) -> None:
    with ModelEndpoint(MODEL) as server:
        backend: Backend = Endpoint(server.base, "letters", mode)
        answer = backend.generate(ASKED)
        backend.close()
    assert (answer.text, answer.ended) == ("Paris", "stop")
    assert answer.usage.prompt == 4
    path, body = server.requests[0]
    assert path == ("/v1/chat/completions" if mode == "chat" else "/v1/completions")
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("letters", 16, 0.0, 0)
    assert "stop" not in body
    assert backend.facts.can == {"generate", "embed"} | ({"loglikelihood"} if mode == "completions" else set())


def test_likelihoods_are_of_the_continuation_alone() -> None:
    with ModelEndpoint(MODEL) as server:
        backend = Endpoint(server.base, "letters", "completions")
        found = backend.likelihoods(Continuations("0", "an apple a day", 0, (" keeps the doctor", " zzz")))
        backend.close()
    wanted = sum(
        MODEL.logprob(token, before)
        for token, before in [
            (" keeps", "an apple a day"),
            (" the", "an apple a day keeps"),
            (" doctor", "an apple a day keeps the"),
        ]
    )
    assert math.isclose(found.logprobs[0], wanted)
    assert found.tokens == (3, 1)
    assert len(server.requests) == 2
    assert all(body["echo"] and body["logprobs"] == 1 for _, body in server.requests)


def test_an_endpoint_without_likelihoods_says_so() -> None:
    with ModelEndpoint(MODEL, echo=False) as server:
        backend = Endpoint(server.base, "letters", "completions")
        with pytest.raises(AskError, match="gives no logarithms") as caught:
            backend.likelihoods(Continuations("0", "a", 0, (" b",)))
        backend.close()
    assert caught.value.lasting


def test_vectors_come_in_the_order_of_the_texts() -> None:
    with ModelEndpoint(MODEL) as server:
        backend = Endpoint(server.base, "letters")
        vectors, _ = backend.embed("0", ("aaa", "bbb"))
        backend.close()
    assert vectors[0][0] > 2.0 > vectors[0][1]
    assert vectors[1][1] > 2.0


def test_what_is_busy_is_asked_again_and_what_is_wrong_is_not() -> None:
    waits: list[float] = []

    def busy(number: int) -> tuple[int, Any] | None:
        return (503, {}) if number < 3 else None

    with ModelEndpoint(MODEL, before=busy) as server:
        backend = Endpoint(server.base, "letters", sleep=waits.append)
        assert backend.generate(ASKED).text == "Paris"
        backend.close()
    assert len(server.requests) == 3
    assert waits == [0.5, 1.0]
    with ModelEndpoint(MODEL, before=lambda _: (400, {"error": {"message": "too long\x1b[31m"}})) as server:
        backend = Endpoint(server.base, "letters", sleep=waits.append)
        with pytest.raises(AskError, match=r"status 400: too long\\x1b") as caught:
            backend.generate(ASKED)
        backend.close()
    assert caught.value.lasting
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": "x"},
        {"choices": [None]},
    ],
    ids=str,
)
def test_an_answer_of_another_shape_is_an_error_of_ours(answer: Any) -> None:
    with ModelEndpoint(MODEL, before=lambda _: (200, answer)) as server:
        backend = Endpoint(server.base, "letters")
        with pytest.raises(AskError):
            backend.generate(ASKED)
        backend.close()


def test_an_endless_answer_is_cut_off() -> None:
    with ModelEndpoint(MODEL, before=lambda _: (200, {"choices": [{"text": "x" * 70_000_000}]})) as server:
        backend = Endpoint(server.base, "letters", "completions", tries=1)
        with pytest.raises(AskError, match="longer than 67108864 bytes"):
            backend.generate(ASKED)
        backend.close()


def test_numbers_that_are_none_are_an_error_of_ours() -> None:
    for values in ([None, float("nan")], [None, float("inf")], [None, "a"], [None, True], [None]):
        logprobs = {"tokens": ["a", " b"][: len(values)], "token_logprobs": values}
        with ModelEndpoint(MODEL, before=lambda _, told=logprobs: (200, {"choices": [{"logprobs": told}]})) as server:  # type: ignore[misc]
            backend = Endpoint(server.base, "letters", "completions")
            with pytest.raises(AskError):
                backend.likelihoods(Continuations("0", "a", 0, (" b",)))
            backend.close()


def test_a_key_travels_to_the_endpoint_and_into_no_message() -> None:
    with ModelEndpoint(MODEL, key=KEY) as server:
        backend = Endpoint(server.base, "letters", key=KEY)
        assert backend.generate(ASKED).text == "Paris"
        assert server.authorizations == [f"Bearer {KEY}"]
        assert KEY not in repr(backend.facts)
        wrong = Endpoint(server.base, "letters", key="sk-another-key")
        with pytest.raises(AskError, match="status 401") as caught:
            wrong.generate(ASKED)
        assert "sk-another-key" not in str(caught.value)  # the server says it back
        without = Endpoint(server.base, "letters")
        with pytest.raises(AskError, match="--key-env"):
            without.generate(ASKED)
        assert server.authorizations[-1] is None
        for each in (backend, wrong, without):
            each.close()


def test_a_key_is_for_one_origin() -> None:
    backend = Endpoint("https://api.example.com/v1", "letters", key=KEY)
    authorize = backend._client.authorize
    assert authorize("https://api.example.com/v1/completions") == f"Bearer {KEY}"
    for other in (
        "https://example.com/v1",
        "http://api.example.com/v1",
        "https://api.example.com:8443/v1",
        "https://evil.example/v1",
    ):
        assert authorize(other) is None
    backend.close()


def test_no_redirect_is_followed() -> None:
    with ModelEndpoint(MODEL, before=lambda _: (307, {})) as server:
        backend = Endpoint(server.base, "letters", key=KEY)
        with pytest.raises(AskError, match="status 307"):
            backend.generate(ASKED)
        backend.close()


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("http://example.com/v1", "without TLS"),
        ("http://10.0.0.5:8000/v1", "without TLS"),
        ("ftp://example.com", "not followed"),
        ("https://user:pass@example.com/v1", "without user"),
        ("https://example.com/v1?key=x", "without user"),
        ("nonsense", "not followed"),
    ],
)
def test_addresses_that_are_refused(base: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Endpoint(base, "letters")


def test_plain_http_in_ones_own_network_has_to_be_asked_for() -> None:
    Endpoint("http://10.0.0.5:8000/v1", "letters", plain=True).close()


def test_a_rate_is_kept() -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limit = RateLimit(60, clock=lambda: now[0], sleep=sleep)
    for _ in range(4):
        limit.wait()
    assert slept == [1.0, 1.0, 1.0]
    RateLimit(0, sleep=sleep).wait()
    assert len(slept) == 3


def test_recorded_answers() -> None:
    data = lines({"id": "0", "output": "Paris", "prompt_tokens": 4}, {"id": 1, "logprobs": [-1, -2.5]})
    backend: Backend = Recorded(data, "a.jsonl")
    assert backend.facts.can == {"generate", "transcribe", "read", "loglikelihood", "match"}
    assert backend.generate(ASKED).text == "Paris"
    assert backend.generate(ASKED).usage.prompt == 4
    assert backend.likelihoods(Continuations("1", "x", 0, ("a", "b"))).logprobs == (-1.0, -2.5)
    with pytest.raises(AskError, match="not one number for each of the 3"):
        backend.likelihoods(Continuations("1", "x", 0, ("a", "b", "c")))
    with pytest.raises(AskError, match="no output for the sample '1'"):
        backend.generate(Generate("1", "", "", 0, 1, (), 0.0, 0))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"output": "x"}, "with the id"),
        ({"id": "0", "outptu": "x"}, "unknown key"),
        ({"id": "0", "output": 7}, "has to be text"),
        ({"id": "0", "logprobs": ["x"]}, "has to list numbers"),
        ({"id": "0", "prompt_tokens": -1}, "whole number"),
    ],
    ids=str,
)
def test_recordings_that_make_no_sense(bad: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=rf"a.jsonl:1: .*{told}"):
        Recorded(lines(bad), "a.jsonl")
    with pytest.raises(TaskError, match="has an answer already"):
        Recorded(lines({"id": "0", "output": "a"}, {"id": 0, "output": "b"}), "a.jsonl")
