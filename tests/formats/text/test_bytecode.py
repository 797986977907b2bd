"""Compiled Python: read by our own walker of marshal, for every version, and compared with what Python itself compiles."""

from __future__ import annotations

import importlib.util
import marshal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget, Limits
from openvet.errors import MalformedError, ReadError
from openvet.formats import python_bytecode
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats.python import PythonSource
from openvet.io.source import BytesSource
from openvet.testing.forge_bytecode import code, function, import_and_call, pyc

VERSIONS = [(2, 7), *((3, minor) for minor in range(6, 15))]


def read(data: bytes) -> Facts:
    facts = Facts("a.pyc", "a.pyc", Budget(Limits()))
    python_bytecode.read(BytesSource(data), facts)
    return facts


def uses(data: bytes) -> list[tuple[str, str]]:
    (program,) = read(data).programs
    assert isinstance(program, PythonSource)
    return [(use.name, use.when) for use in program.uses]


def compiled(source: str) -> bytes:
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(compile(source, "m.py", "exec"))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_read_to_its_end(version: tuple[int, int]) -> None:
    data = pyc(version, import_and_call(version))
    assert python_bytecode.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    facts = read(data)
    assert (facts.unknowns, facts.metadata["python"]) == ([], f"{version[0]}.{version[1]}")
    assert uses(data) == [("os.system", "import")]


@pytest.mark.parametrize("version", [each for each in VERSIONS if (3, 6) <= each <= (3, 13)])
def test_a_function_counts_where_it_is_used(version: tuple[int, int]) -> None:
    assert uses(pyc(version, function(version, called=True))) == [("os.system", "import")]
    assert uses(pyc(version, function(version, called=False))) == [("os.system", "call")]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.system('echo forged')",
        "from os import system as s\ns('echo forged')",
        "import os as x\ny = x\ny.system('echo forged')",
        "__import__('os').system('echo forged')",
        "getattr(__import__('os'), 'system')('echo forged')",
        "import importlib\nimportlib.import_module('os').system('echo forged')",
        "def f():\n    import os\n    os.system('echo forged')\nf()",
        "class A:\n    import os\n    os.system('echo forged')",
        "import os\n[os.system(each) for each in ['echo forged']]",
        "import shutil\nshutil.os.system('echo forged')",
    ],
)
def test_what_this_python_compiles(source: str) -> None:
    assert ("os.system", "import") in uses(compiled(source))


@pytest.mark.parametrize(
    "source",
    ["import torch.nn as nn\nclass M(nn.Module):\n    def forward(self, x):\n        return x.eval()", "import os\nos.path.join('a', 'b')",
     "import re\nre.compile('x')", "x = {1: 'os.system'}"],
)  # fmt: skip
def test_what_does_nothing_of_note(source: str) -> None:
    assert uses(compiled(source)) == []


def test_what_only_a_script_does_is_no_import() -> None:
    guarded = "import os\nif __name__ == '__main__':\n    os.system('echo forged')\n"
    assert uses(compiled(guarded)) == [("os.system", "call")]
    assert ("os.system", "import") in uses(compiled(guarded + "os.system('echo forged')"))
    assert ("os.system", "import") in uses(compiled(guarded.replace("==", "!=")))


def test_a_header_that_keeps_python_from_looking_at_the_source_is_noted() -> None:
    assert read(pyc((3, 11), code((3, 11), b"", []), flags=1)).metadata["source"] == "never compared"


def test_more_behind_the_code_is_told() -> None:
    facts = read(pyc((3, 11), code((3, 11), b"", [])) + b"more")
    assert [each.rule for each in facts.anomalies] == ["file/trailing-data"]


@pytest.mark.parametrize(
    "body", [b"N", b"c\0\0", b"(\xff\xff\xff\x7f", b"r\0\0\0\0", b"?", b")\x01" * 300, b"s\xff\xff\xff\xff"]
)
def test_what_is_no_code(body: bytes) -> None:
    with pytest.raises(ReadError):
        read(pyc((3, 11), body))


def test_a_magic_of_no_version() -> None:
    assert python_bytecode.probe(Head("x", BytesSource(b"\x10\x27\r\n" + bytes(12) + b"c"))) is Likeness.NO
    with pytest.raises(MalformedError):
        read(b"\x10\x27\r\n" + bytes(20))


SEEDS = [pyc(version, function(version, called=True)) for version in VERSIONS if version >= (3, 0)]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(4, 200), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_raise_only_read_errors(seed: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(seed)
    for at, value in changes:
        data[at % len(data)] = value
    try:
        read(bytes(data))
    except ReadError:
        pass
