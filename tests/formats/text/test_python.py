"""Python source, read by its syntax tree."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.core.location import Location
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import notebook, python
from openvet.formats._format import Coverage, Facts, Head, Likeness
from openvet.formats.python import PythonSource, PythonUse, read_source
from openvet.io.source import BytesSource
from openvet.testing.forge_hub import WITH_CODE


def source(text: str) -> PythonSource:
    return read_source(text, Location("m.py"), DEFAULT_LIMITS)


def uses(text: str) -> list[tuple[str, str, str]]:
    read = source(text)
    assert read.error == ""
    return [(use.when, use.capability, use.name) for use in read.uses]


def read_file(data: bytes, name: str = "m.py") -> Facts:
    facts = Facts(name, name, Budget())
    python.read(BytesSource(data), facts)
    return facts


def test_the_whole_of_a_source() -> None:
    text = "import os, math as m\nfrom torch import nn\n\nclass A(nn.Module):\n    x = os.system('echo hello')\n"
    assert source(text) == PythonSource(
        location=Location("m.py"),
        size=len(text),
        imports=("math", "os", "torch"),
        uses=(PythonUse(5, "os.system", "process", "import", "'echo hello'"),),
        classes=("A",),
    )
    assert source(text).to_json() == {
        "kind": "python",
        "location": {"place": "m.py"},
        "size": len(text),
        "imports": ["math", "os", "torch"],
        "uses": [{"line": 5, "name": "os.system", "capability": "process", "when": "import", "detail": "'echo hello'"}],
        "classes": ["A"],
    }


SYSTEM = [("import", "process", "os.system")]


@pytest.mark.parametrize(
    "text",
    [
        "import os; os.system('x')",
        "import os as o; o.system('x')",
        "from os import system as s; s('x')",
        "from os import *\nsystem('x')",
        "import os.path; os.system('x')",
        "__import__('os').system('x')",
        "import importlib; importlib.import_module('os').system('x')",
        "from importlib import import_module as i; i('o' + 's').system('x')",
        "getattr(__import__('os'), 'sys' + 'tem')('x')",
        "import os; getattr(os, 'metsys'[::-1])('x')",
        "import os; getattr(os, ''.join(['sys', 'tem']))('x')",
        "import os; n = 'system'; getattr(os, n)('x')",
        "import os; os.__dict__['system']('x')",
        "import os; vars(os)['system']('x')",
        "import sys; sys.modules['os'].system('x')",
        "import shutil; shutil.os.system('x')",
        "from shutil import os as o; o.system('x')",
        "import random; random._os.system('x')",
        "import os; f = os.system; g = f; g('x')",
        "import os; (f := os.system) and f('x')",
        "import os\nfor f in [os.system]: f('x')",
        "import os\n[0 for f in [os.system] if f('x')]",
        "import os; d = {'a': os.system}; d['a']('x')",
        "import os; [os.system][0]('x')",
        "import os; (os.system if q else None)('x')",
        "import os; list(map(os.system, ['x']))",
        "import os, threading; threading.Thread(target=os.system, args=('x',)).start()",
        "import os, functools; functools.partial(os.system, 'x')()",
        "import os; from operator import attrgetter; attrgetter('system')(os)('x')",
        "import os\n@os.system\ndef f(): pass",
        "import os\ndef f(): os.system('x')\nf()",
        "def f():\n    import os\n    g(os)\ndef g(os): pass\nimport os\ndef h(): return os.system\nh()('x')",
        "import os\nf = lambda: os.system('x')\nf()",
        "import os\ndef deco(f): os.system('x')\n@deco\ndef g(): pass",
        "import os\nclass A: x = os.system('x')",
        "import os\nclass A:\n    def __init__(self): os.system('x')\nA()",
        "import os\nclass A:\n    def go(self): os.system('x')\n    def __init__(self): self.go()\nclass B(A): pass\nB()",
        "import os\nclass M(type):\n    def __new__(c, *a): os.system('x')\nclass A(metaclass=M): pass",
        "import os\nclass B:\n    def __init_subclass__(c): os.system('x')\nclass A(B): pass",
        "import os\nclass A:\n    def __class_getitem__(c, k): os.system('x')\nA[1]",
        "import os\ndef __getattr__(n): os.system('x')",
        "import os\ndef f(x=os.system('x')): pass",
        "import os\ndef f(x: os.system('x')): pass",
        "import os\nx: os.system('x') = 1",
        "import os\nx = f\"{os.system('x')}\"",
        "import os\nwith open(os.system('x')): pass",
        "import os\ntry: import q\nexcept ImportError: os.system('x')",
        "import os\nif True:\n  while os.system('x'): pass",
        "import os\nmatch 1:\n    case 1: os.system('x')",
        "import os\nassert os.system('x')",
        "import os\nsys.excepthook = os.system",
        "exec(\"import os; os.system('x')\")",
        "eval(\"__import__('os').system('x')\")",
        "c = \"import os; os.system('x')\"\nexec(compile(c, 'c', 'exec'))",
    ],
)
def test_a_process_is_seen_however_it_is_named(text: str) -> None:
    assert uses(text) == SYSTEM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\nclass A:\n    def __init__(self): os.system('x')", ("construction", "process", "os.system")),
        ("import os\nclass A:\n    __add__ = os.system", ("construction", "process", "os.system")),
        (
            "import os\ndef from_pretrained(x): run(x)\ndef run(x): os.system(x)",
            ("construction", "process", "os.system"),
        ),
        ("import os\ndef forward(x): os.system(x)", ("inference", "process", "os.system")),
        ("import os\ndef helper(x): os.system(x)", ("call", "process", "os.system")),
        ("import os\nif __name__ == '__main__': os.system('x')", ("call", "process", "os.system")),
        ("import os\nif q and '__main__' == __name__: os.system('x')", ("call", "process", "os.system")),
        ("exec(open('x').read())", ("import", "code", "exec")),
        ("import base64; exec(base64.b64decode(x))", ("import", "hidden", "exec(base64.b64decode()(…))")),
        ("import os; getattr(os, q)('x')", ("import", "hidden", "os.?")),
        ("().__class__.__base__.__subclasses__()", ("import", "hidden", "object.__subclasses__")),
        ("import pickle; pickle.loads(x)", ("import", "load", "pickle.loads")),
        ("import ctypes; ctypes.CDLL('x')", ("import", "native", "ctypes.CDLL")),
        ("from urllib.request import urlopen as u; u('x')", ("import", "network", "urllib.request.urlopen")),
        ("import shutil; shutil.rmtree('x')", ("import", "file", "shutil.rmtree")),
        ("import importlib; importlib.import_module(q)", ("import", "import", "importlib.import_module")),
        ("ｅｖａｌ(x)", ("import", "code", "eval")),
    ],
)
def test_when_and_what(text: str, expected: tuple[str, str, str]) -> None:
    assert expected in uses(text)


@pytest.mark.parametrize(
    "text",
    [
        "import os\nx = os.path.join('a', 'b'); y = os.environ.get('system')",
        "system('x')",
        "import re; re.compile('eval')",
        "class A:\n    def eval(self): pass\nA().eval()",
        "model.eval()",
        "import os\ndef os_system(): pass\nos_system()",
        "def eval(x): return x\neval('1')",
        "import subprocess\nisinstance(x, subprocess.Popen)",
        "exec('x = 1')",
        "eval('1 + 1')",
        "x = getattr(torch, name)()",
        "import torch.nn as nn\nnn.Module.load_state_dict",
        "'os.system(\"x\")'",
        "# import os; os.system('x')",
        "import importlib; importlib.import_module('torch')",
    ],
)
def test_ordinary_code_has_no_use(text: str) -> None:
    assert uses(text) == []


def test_ordinary_modelling_code_does_nothing_on_import() -> None:
    read = source(WITH_CODE["deepseek-v3"]["modeling_deepseek.py"])
    assert [(use.when, use.name) for use in read.uses] == [("call", "subprocess.run")]


def test_the_standard_library_is_quiet_on_import() -> None:
    """A sample of real code: what it does on import must be rare, and never hidden."""
    folder = Path(sys.modules["json"].__file__ or "").parents[1]
    files = sorted(folder.glob("*.py"))[::3]
    assert len(files) > 40
    loud = []
    for path in files:
        read = source(path.read_text("utf-8"))
        assert read.error == ""
        loud += [
            path.name
            for use in read.uses
            if use.when == "import" and use.capability in ("process", "hidden", "network")
        ]
    assert len(set(loud)) <= 2, loud


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("def f(:\n  eval(x)", "invalid syntax"),
        ("print 'eval'", "Missing parentheses"),
        ("eval(" + "(" * 5000, "too many nested"),
        ("eval(x)" + ".a" * 5000, "nested too deeply"),
        ("x = " + "-" * 120_000 + "eval", "nested too deeply"),
        ("eval\nif x: pass\n" + "elif x: pass\n" * 5000, "nested too deeply"),
        ("eval\nx = " + "a," * 300_000, "more than"),
        ("eval\nx = " + "9" * 5000, "4300"),
        ("eval\n\0", "null"),
    ],
)
def test_what_cannot_be_parsed_says_so(text: str, error: str) -> None:
    assert error in source(text).error


def test_warnings_of_the_subject_do_not_leak() -> None:
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        assert source("eval(\"'\\\\d' is 3\")").error == ""
        assert source("import os\nx = '\\d'\nassert (1, 'x')\nos.system('x')").error == ""
    assert leaked == []


def test_the_coding_line_decides() -> None:
    facts = read_file(b"# -*- coding: utf-7 -*-\n# +AAo-import os+ADs- os.system('x')\n")
    assert [each.rule for each in facts.anomalies] == ["python/unusual-encoding"]
    (program,) = facts.programs
    assert isinstance(program, PythonSource)
    assert [use.name for use in program.uses] == ["os.system"]
    assert read_file(b"# coding: latin-1\nx = '\xe9'\n").anomalies == []


@pytest.mark.parametrize("data", [b"# coding: no-such\nx", b"\xff\xfe", b"# coding: rot13\nx", b"x = '\xe9'"])
def test_what_cannot_be_decoded_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_file(data)


def test_lines_of_a_path_file_run_when_the_interpreter_starts() -> None:
    data = b"/opt/x (\nimport os; os.system('x')\n"
    assert python.probe(Head("x.pth", BytesSource(data))) is Likeness.WEAK
    assert python.probe(Head("x.pth", BytesSource(b"/opt/x\n"))) is Likeness.NO
    (program,) = read_file(data, "x.pth").programs
    assert [(use.line, use.when, use.name) for use in program.uses] == [(2, "import", "os.system")]  # type: ignore[attr-defined]


def test_too_long_is_not_read() -> None:
    with pytest.raises(LimitError) as caught:
        python.read(BytesSource(b"x" * 2000), Facts("m.py", "m.py", Budget(Limits(text=1000))))
    assert caught.value.limit == "text"


def test_a_broken_source_is_partly_read() -> None:
    facts = read_file(b"eval(\n")
    assert facts.coverage is Coverage.PARTIAL
    assert [each.reason for each in facts.unknowns] == ["malformed"]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                "eval",
                "(",
                ")",
                "\n",
                " ",
                "x",
                "=",
                "[",
                "]",
                "lambda",
                ":",
                "def f():",
                "class A:",
                "import os",
                "os.system",
                ".",
                ",",
                "'a'",
                "for",
                "in",
                "if",
                "@",
                "*",
                "exec",
                "return",
                "yield",
                "    ",
                "f'{",
                "}'",
                "getattr",
                "1",
            ]
        ),
        max_size=30,
    ).map(" ".join)
)
def test_any_text_gives_a_source(text: str) -> None:
    read = source(text)
    assert read.size == len(text)
    assert all(use.name.isprintable() and use.detail.isprintable() for use in read.uses)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=60))
def test_any_bytes_raise_only_read_errors(data: bytes) -> None:
    try:
        read_file(b"eval\n" + data)
    except ReadError:
        pass


def test_a_large_source_takes_its_time_only() -> None:
    def seconds(functions: int) -> float:
        lines = (f"def f{i}(x):\n    return getattr(x, 'a{i}')(f{i - 1})\n" for i in range(1, functions))
        text = "import os\n" + "".join(lines)
        before = time.process_time()
        assert source(text).error == ""
        return time.process_time() - before

    # eight times the source takes about eight times as long; what looked through all of it for each function took 64
    assert seconds(6000) < 24 * seconds(750)


@pytest.mark.parametrize(
    ("name", "data", "likeness"),
    [
        ("m.py", b"import os", Likeness.WEAK),
        ("m.pyi", b"", Likeness.WEAK),
        ("run", b"#!/usr/bin/env python3\nimport os", Likeness.WEAK),
        ("m.txt", b"import os", Likeness.NO),
        ("m.py", b"\x80\x04.", Likeness.NO),
        ("m.py", b"# coding: latin-1\nx = '\xe9'", Likeness.WEAK),
    ],
)
def test_the_probe_needs_a_name_or_a_first_line(name: str, data: bytes, likeness: Likeness) -> None:
    assert python.probe(Head(name, BytesSource(data))) is likeness


def test_cells_of_a_notebook_run_when_they_are_called() -> None:
    text = b'{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "markdown", "source": ["os.system"]},'
    text += b'{"cell_type": "code", "source": ["!pip install x\\n", "%matplotlib inline\\n", "import os\\n", "os.system(\'x\')"]}]}'
    facts = Facts("n.ipynb", "n.ipynb", Budget())
    assert notebook.probe(Head("n.ipynb", BytesSource(text))) is Likeness.STRONG
    notebook.read(BytesSource(text), facts)
    (program,) = facts.programs
    assert isinstance(program, PythonSource)
    assert [(use.line, use.when, use.name) for use in program.uses] == [(4, "call", "os.system")]
    assert program.location == Location("n.ipynb", pointer="/cells/1")
    assert facts.metadata == {"kind": "notebook", "cells": 1}


def test_a_line_that_fits_nowhere_does_not_hide_the_rest() -> None:
    text = "import os\nx = dict(\n        a=1)\n      ;y = 2\n      z = 3\nos.system('echo hello')\n"
    assert [use.name for use in source(text).uses] == ["os.system"]
