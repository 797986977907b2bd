"""The rules about Python code: python/process-at-load, python/code-at-load and their family."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.limits import DEFAULT_LIMITS, Budget
from openvet.core.location import Location
from openvet.core.rule import Confidence, Severity
from openvet.formats import python
from openvet.formats._format import Coverage, Facts
from openvet.formats.python import read_source
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource


def run(rule: str, text: str, container: str | None = None) -> list[Finding]:
    module = importlib.import_module(f"openvet.checks.{rule.replace('/', '.').replace('-', '_')}")
    program = read_source(text, Location("m.py"), DEFAULT_LIMITS)
    name = "m.py" if container is None else "a/code/m.py"
    component = Component(name, name, len(text), ("python",), Coverage.READ, programs=(program,))
    if container is not None:
        component = Component("a", "a", 1, (container,), Coverage.READ, children=(component,))
    return list(module.check(Context(Inventory((component,)), module.RULE)))


CASES = {
    "python/process-at-load": "import os\n{}os.system('echo hello')\n",
    "python/code-at-load": "{}exec(open('x').read())\n",
    "python/hidden-code": "import base64\n{}exec(base64.b64decode(q))\n",
    "python/network-at-load": "import socket\n{}socket.create_connection(q)\n",
    "python/native-at-load": "import ctypes\n{}ctypes.CDLL('x.so')\n",
    "python/unpickle-at-load": "import pickle\n{}pickle.load(q)\n",
    "python/file-at-load": "import shutil\n{}shutil.rmtree(q)\n",
    "python/watches-user": "import pynput\n{}pynput.keyboard.Listener(on_press=q).start()\n",
    "python/startup-file": "import shutil\n{}shutil.copy(q, '/etc/cron.d/x')\n",
}
GRADES: dict[str, list[tuple[str, str] | None]] = {
    "python/process-at-load": [("high", "high"), ("high", "medium"), None],
    "python/code-at-load": [("high", "medium"), ("high", "medium"), None],
    "python/hidden-code": [("critical", "high"), ("critical", "high"), ("high", "medium")],
    "python/network-at-load": [("high", "medium"), ("medium", "medium"), None],
    "python/native-at-load": [("medium", "high"), ("medium", "medium"), None],
    "python/unpickle-at-load": [("medium", "high"), None, None],
    "python/file-at-load": [("medium", "high"), None, None],
    "python/watches-user": [("high", "high"), ("high", "medium"), None],
    "python/startup-file": [("high", "high"), ("high", "medium"), ("high", "medium")],
}


def graded() -> Iterator[tuple[str, str, tuple[str, str] | None]]:
    for rule, text in CASES.items():
        moments = ("", "class A:\n    def __init__(self): ", "def helper(x): ")
        for moment, grade in zip(moments, GRADES[rule], strict=True):
            yield rule, text.format(moment), grade


@pytest.mark.parametrize(("rule", "text", "grade"), list(graded()))
def test_the_moment_decides(rule: str, text: str, grade: tuple[str, str] | None) -> None:
    found = [(each.rule, str(each.severity), str(each.confidence)) for each in run(rule, text)]
    assert found == ([] if grade is None else [(rule, *grade)])


@pytest.mark.parametrize("rule", sorted(CASES))
def test_ordinary_code_gives_no_finding(rule: str) -> None:
    assert run(rule, "import torch\nfrom torch import nn\n\nclass A(nn.Module):\n    x = getattr(nn, 'ReLU')()\n") == []


@pytest.mark.parametrize("rule", sorted(CASES))
def test_an_evasion_is_seen(rule: str) -> None:
    text = CASES[rule].format("")
    first, _, rest = text.rpartition("\n")[0].rpartition("\n")
    hidden = f"{first}\n" if first else ""
    body = f"def _a():\n    {rest}\nclass _B:\n    def go(self): _a()\n_B().go()\n"
    assert len(run(rule, hidden + body)) == 1


def test_torchscript_is_not_python() -> None:
    assert run("python/process-at-load", "import os\nos.system('x')", "torch-zip") == []
    assert len(run("python/process-at-load", "import os\nos.system('x')", "zip")) == 1


def test_the_whole_finding() -> None:
    (finding,) = run("python/process-at-load", "import os\n\nos.system('echo hello')\n")
    assert finding == Finding(
        rule="python/process-at-load",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        location=Location("m.py", line=3),
        message="starts a process when it is imported: os.system('echo hello')",
        remedy="Do not run this code; what it needs installed can be installed without it.",
        evidence={"callable": "os.system", "when": "import", "detail": "'echo hello'"},
    )


def test_many_calls_of_one_file_are_not_all_said() -> None:
    assert len(run("python/process-at-load", "import os\n" + "os.system('x')\n" * 100)) == 20


def test_unusual_encoding() -> None:
    module = importlib.import_module("openvet.checks.python.unusual_encoding")
    found = []
    for data in (b"# coding: utf-7\nx = 1\n", b"# coding: utf-8\nx = 1\n"):
        facts = Facts("m.py", "m.py", Budget())
        python.read(BytesSource(data), facts)
        component = Component("m.py", "m.py", 1, ("python",), facts.coverage, anomalies=tuple(facts.anomalies))
        found.append([each.severity for each in module.check(Context(Inventory((component,)), module.RULE))])
    assert found == [[Severity.MEDIUM], []]
