"""``openvet run`` with real models, asked by the ``openai`` package and by curl, as people ask it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openvet.sandbox.levels import ENOUGH, LADDER, missing
from tests.gateway.conftest import alive, children

HERE = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
pytestmark = pytest.mark.skipif(not HERE, reason="nothing here is enough to run a model in")

Lies = Callable[[str], Path]
Needs = Callable[..., None]


class Server:
    """``openvet run`` as a process."""

    def __init__(self, python: str, model: Path, log: Path, *more: str) -> None:
        command = [
            sys.executable,
            "-m",
            "openvet",
            "run",
            str(model),
            "--python",
            python,
            "--port",
            "0",
            "--no-config",
            *more,
        ]
        with open(log, "w") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.log = log
        self.banner: dict[str, str] = {}
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, _, value = line.strip().partition(" ")
            self.banner[name] = value.strip()
            if line.startswith("Ctrl-C"):
                break
        assert "address" in self.banner, log.read_text()
        self.address = self.banner["address"]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        self.process.communicate(timeout=60)
        return self.process.returncode


Start = Callable[..., Server]


@pytest.fixture(scope="module")
def start(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    running: list[Server] = []

    def begin(model: Path, *more: str) -> Server:
        running.append(Server(python, model, tmp_path_factory.mktemp("run") / "log", *more))
        return running[-1]

    yield begin
    for each in running:
        if each.process.poll() is None:
            each.end()


@pytest.fixture(scope="module")
def smol(start: Start, lies: Lies, needs: Needs) -> Server:
    needs("llama_cpp", "openai")
    return start(lies("smollm2"), "--name", "smol", "--context", "1024", "--max-tokens", "64")


CLIENT = """
import json, sys, openai
client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0, timeout=300)
def refused(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param]
out = {}
"""


def ask(python: str, server: Server, code: str, *more: str) -> Any:
    """What the ``openai`` package makes of a server."""
    script = f"{CLIENT}{code}\nprint(json.dumps(out))"
    done = subprocess.run(
        [python, "-c", script, server.address, *more], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_chat_by_the_openai_package(python: str, smol: Server) -> None:
    found = ask(python, smol, """
asked = dict(model="smol", messages=[{"role": "user", "content": "Write one sentence about rain."}], max_tokens=12, temperature=0)
whole = client.chat.completions.create(**asked)
out["text"], out["usage"], out["why"] = whole.choices[0].message.content, whole.usage.total_tokens, whole.choices[0].finish_reason
parts = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
out["streamed"] = "".join(each.choices[0].delta.content or "" for each in parts if each.choices)
out["streamed_usage"] = parts[-1].usage.total_tokens
out["parts"] = len(parts)
drawn = dict(asked, temperature=0.9)
out["seeds"] = [client.chat.completions.create(**drawn, seed=seed).choices[0].message.content for seed in (5, 5)]
out["models"] = [each.id for each in client.models.list()]
out["known"] = client.models.retrieve("smol").model_extra["openvet"]
""")  # fmt: skip
    assert found["text"]
    assert found["streamed"] == found["text"]
    assert found["streamed_usage"] == found["usage"]
    assert found["parts"] >= 10
    assert found["seeds"][0] == found["seeds"][1]
    assert found["why"] == "length"
    assert found["models"] == ["smol"]
    assert found["known"]["digest"] == smol.banner["digest"]
    assert (found["known"]["verdict"], found["known"]["engine"]) == ("admit", "gguf")


def test_logarithms_by_the_openai_package(python: str, smol: Server) -> None:
    found = ask(python, smol, """
asked = dict(model="smol", echo=True, logprobs=1, max_tokens=1, temperature=0)
for name, text in dict(paris="The capital of France is Paris", chinese="\\u65e5\\u672c \\u00e9 <|im_start|>x").items():
    choice = client.completions.create(prompt=text, **asked).choices[0]
    out[name] = [choice.text, choice.logprobs.tokens, choice.logprobs.token_logprobs, choice.logprobs.text_offset, choice.logprobs.top_logprobs]
""")  # fmt: skip
    text, tokens, values, offsets, tops = found["paris"]
    assert text.startswith("The capital of France is Paris")
    assert tokens[:6] == ["The", " capital", " of", " France", " is", " Paris"]
    assert values[0] is None
    assert -2 < values[5] < 0
    assert offsets[:3] == [0, 3, 11]
    assert tops[5][" Paris"] == values[5]
    text, tokens, values, *_ = found["chinese"]
    assert "".join(tokens) == text
    assert text.startswith("\u65e5\u672c \u00e9 <|im_start|>x")
    assert all(each < 0 for each in values[1:])


def test_refusals_are_the_package_s_exceptions(python: str, smol: Server) -> None:
    found = ask(python, smol, """
hello = [{"role": "user", "content": "hello"}]
chat = client.chat.completions.create
out["tools"] = refused(lambda: chat(model="smol", messages=hello, tools=[{"type": "function", "function": {"name": "x"}}]))
out["other"] = refused(lambda: chat(model="gpt-5", messages=hello))
out["long"] = refused(lambda: chat(model="smol", messages=[{"role": "user", "content": "hello " * 3000}]))
out["much"] = refused(lambda: chat(model="smol", messages=hello, max_tokens=65))
out["embed"] = refused(lambda: client.embeddings.create(model="smol", input="x"))
""")  # fmt: skip
    assert found["tools"] == ["BadRequestError", 400, "unsupported_parameter", "tools"]
    assert found["other"] == ["NotFoundError", 404, "model_not_found", "model"]
    assert found["long"] == ["BadRequestError", 400, "context_length_exceeded", "messages"]
    assert found["much"] == ["BadRequestError", 400, "max_tokens_exceeded", "max_tokens"]
    assert found["embed"] == ["BadRequestError", 400, "model_cannot", None]


def test_the_line_that_the_banner_prints_works(
    start: Start, lies: Lies, needs: Needs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """curl, with a key."""
    needs("llama_cpp")
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    key = "a-key-of-many-letters"
    monkeypatch.setenv("OPENVET_TEST_KEY", key)
    server = start(lies("smollm2"), "--key-env", "OPENVET_TEST_KEY", "--max-tokens", "8")
    line = f"curl {server.banner['curl']} -sS -w '%{{http_code}}'"
    for sent, status in ((key, 200), ("wrong", 401)):
        monkeypatch.setenv("KEY", sent)
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
        assert done.stdout.endswith(str(status))
        assert ("choices" in done.stdout) == (status == 200)
    assert key not in server.log.read_text()
    assert server.end(signal.SIGINT) == 130


def test_evaluations_are_the_same_through_the_server(python: str, smol: Server, lies: Lies, tmp_path: Path) -> None:
    """The same task, by the model itself and as an endpoint: the same choices, and the same likelihoods but for rounding."""
    samples = [
        {"q": "The capital of France is", "choices": [" Paris", " London", " a banana"], "answer": " Paris"},
        {"q": "Two and two is", "choices": [" seven hundred", " four", " a dog"], "answer": " four"},
        {"q": "The sun rises in the", "choices": [" east", " fridge", " north-west of the pole"], "answer": " east"},
        {
            "q": "Water freezes at",
            "choices": [" home", " 0 degrees Celsius", " caf\u00e9"],
            "answer": " 0 degrees Celsius",
        },
    ]
    task = {
        "name": "facts", "version": "1", "license": "CC0-1.0", "samples": samples, "prompt": "{{q}}", "target": "{{answer}}", "choices": "choices",
        "scorer": {"name": "choice"}, "join": "",
    }  # fmt: skip
    (tmp_path / "task.json").write_text(json.dumps(task))
    ways = {
        "own": [str(lies("smollm2")), "--python", python, "--context", "1024"],
        "served": ["--name", "smol", "--endpoint", smol.address, "--api", "completions"],
    }
    found = {}
    for name, way in ways.items():
        command = [
            sys.executable,
            "-m",
            "openvet",
            "eval",
            *way,
            "--task",
            str(tmp_path / "task.json"),
            "--no-progress",
            "--result",
            str(tmp_path / f"{name}.json"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in (tmp_path / f"{name}.log.jsonl").read_text().splitlines()]
        found[name] = [each for each in lines if "logprobs" in each]
    assert len(found["own"]) == len(samples)
    for own, served in zip(found["own"], found["served"], strict=True):
        assert (own["score"], own["taken"], own["tokens"]) == (served["score"], served["taken"], served["tokens"])
        for one, other in zip(own["logprobs"], served["logprobs"], strict=True):
            assert float(one) == pytest.approx(float(other), abs=0.05)


def test_embeddings_by_the_openai_package(python: str, start: Start, lies: Lies, needs: Needs) -> None:
    """base64, which the package asks for by itself, against floats; and what is alike lies near."""
    needs("torch", "transformers", "openai")
    server = start(lies("minilm"), "--name", "mini")
    found = ask(python, server, """
texts = ["a cat sits on the mat", "a kitten lies on the rug", "interest rates rose again"]
packed = client.embeddings.create(model="mini", input=texts)
plain = client.embeddings.create(model="mini", input=texts, encoding_format="float")
out["size"] = [len(each.embedding) for each in packed.data]
out["most"] = max(abs(a - b) for one, other in zip(packed.data, plain.data) for a, b in zip(one.embedding, other.embedding))
dot = lambda a, b: sum(x * y for x, y in zip(a.embedding, b.embedding))
out["near"], out["far"] = dot(plain.data[0], plain.data[1]), dot(plain.data[0], plain.data[2])
out["tokens"] = packed.usage.prompt_tokens
out["long"] = refused(lambda: client.embeddings.create(model="mini", input="hello " * 600))
out["chat"] = refused(lambda: client.chat.completions.create(model="mini", messages=[{"role": "user", "content": "x"}]))
""")  # fmt: skip
    assert found["size"] == [384, 384, 384]
    assert found["most"] < 1e-6
    assert found["near"] > 0.5 > 0.2 > found["far"]
    assert found["tokens"] > 15
    assert found["long"] == ["BadRequestError", 400, "context_length_exceeded", "input"]
    assert found["chat"] == ["BadRequestError", 400, "model_cannot", None]


def test_transcription_by_the_openai_package(
    python: str, start: Start, lies: Lies, needs: Needs, tmp_path: Path
) -> None:
    needs("ctranslate2", "tokenizers", "openai")
    if shutil.which("espeak-ng") is None:
        pytest.skip("there is no espeak-ng here, which speaks the text")
    said = tmp_path / "said.wav"  # 22,050 Hz, mono
    subprocess.run(["espeak-ng", "-w", str(said), "The quick brown fox jumps over the lazy dog."], check=True)
    server = start(lies("whisper"), "--name", "whisper")
    found = ask(python, server, """
transcribe = lambda **more: client.audio.transcriptions.create(**{"model": "whisper", "file": open(sys.argv[2], "rb"), **more})
out["json"] = transcribe().text
out["text"] = transcribe(response_format="text", language="en")
out["other"] = refused(lambda: transcribe(file=("a.mp3", b"ID3" + bytes(100))))
out["srt"] = refused(lambda: transcribe(response_format="srt"))
""", str(said))  # fmt: skip
    words = found["json"].lower().strip(". ").split()
    assert sum(each in words for each in ("quick", "brown", "fox", "over", "lazy", "dog")) >= 5
    assert found["text"].strip() == found["json"].strip()
    assert found["other"] == ["BadRequestError", 400, "unsupported_file", "file"]
    assert found["srt"] == ["BadRequestError", 400, "unsupported_parameter", "response_format"]


def test_a_client_that_leaves_stops_a_real_model(python: str, smol: Server) -> None:
    found = ask(python, smol, """
stream = client.chat.completions.create(model="smol", messages=[{"role": "user", "content": "Tell a long story."}], max_tokens=64, stream=True)
next(iter(stream))
stream.close()
out["next"] = client.completions.create(model="smol", prompt="Hello", max_tokens=1).usage.completion_tokens
""")  # fmt: skip
    assert found["next"] == 1
    until = time.monotonic() + 10
    while "client went away" not in smol.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_real_process_that_is_killed_is_started_again(python: str, start: Start, lies: Lies, needs: Needs) -> None:
    needs("llama_cpp", "openai")
    server = start(lies("smollm2"), "--name", "smol", "--context", "512")
    for each in children(server.process.pid):
        os.kill(each, signal.SIGKILL)
    until = time.monotonic() + 60
    while "was started again" not in server.log.read_text():
        assert time.monotonic() < until
        time.sleep(0.1)
    found = ask(
        python,
        server,
        'out["n"] = client.completions.create(model="smol", prompt="Hello", max_tokens=2).usage.completion_tokens',
    )
    assert found["n"] == 2
    below = children(server.process.pid)
    assert server.end() == 0
    assert not alive(below)


def test_a_model_that_is_changed_is_not_started_again(start: Start, lies: Lies, needs: Needs, tmp_path: Path) -> None:
    """After a crash the file is another one: the server ends, and does not serve it."""
    needs("llama_cpp")
    copy = tmp_path / "model.gguf"
    shutil.copy(lies("smollm2"), copy)
    server = start(copy, "--restarts", "1", "--context", "512")
    os.utime(copy)
    for each in children(server.process.pid):
        os.kill(each, signal.SIGKILL)
    server.process.communicate(timeout=60)
    assert server.process.returncode == 2
    assert "changed since it was checked" in server.log.read_text()
