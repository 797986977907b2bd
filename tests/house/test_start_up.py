"""What a command imports before it has anything to do. Seconds are measured in `benchmarks/`, never here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openvet.checks._run import checks
from openvet.cli import main
from openvet.inventory.compare.sweep import COMPILED
from openvet.workflows import knowledge

HEAVY = {"yaml", "jinja2", "importlib.metadata", "email", "socket", "ssl", "http", "asyncio", "json.tool", "decimal",
         "cryptography", "sigstore", "securesystemslib"}  # fmt: skip
#: What rooms begin with that read programs.
READERS = ("python", "program", "shell")
PROGRAM = """
import json, sys
from openvet.cli import main
try:
    main({arguments!r})
except SystemExit as end:
    code = end.code
names = sorted(sys.modules)
print("\\n" + json.dumps([code, names]))
"""


def modules_after(*arguments: str, code: int = 0) -> set[str]:
    text = PROGRAM.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    ended, names = json.loads(done.stdout.splitlines()[-1])
    assert (ended or 0) == code
    return set(names)


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("--help",), ("check", "--help"), ("sign", "--help"), ("verify", "--help"), ("keys", "--help")],
    ids=" ".join,
)
def test_help_and_version_import_no_room_but_their_own(arguments: tuple[str, ...]) -> None:
    names = modules_after(*arguments)
    assert names & HEAVY == set()
    rooms = {name.split(".")[1] for name in names if name.startswith("openvet.")}
    assert rooms <= {"cli", "core", "errors", "version", "reports", "policy"}


@pytest.mark.skipif(not COMPILED, reason="the loops are not compiled here")
def test_a_diff_of_plain_numbers_imports_no_numpy(tmp_path: Path) -> None:
    for side, fill in (("a", b"\0\x3c"), ("b", b"\1\x3c")):
        header = json.dumps({"x": {"dtype": "F16", "shape": [700_000], "data_offsets": [0, 1_400_000]}}).encode()
        header += b" " * (-len(header) % 8)
        data = len(header).to_bytes(8, "little") + header + fill * 700_000
        (tmp_path / f"{side}.safetensors").write_bytes(data)
    names = modules_after("diff", *(str(tmp_path / f"{side}.safetensors") for side in "ab"), code=1)
    assert "numpy" not in names
    assert "openvet.io.twins" in names


def test_a_check_imports_only_what_the_files_need(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    names = modules_after("check", str(tmp_path))
    assert names & {"yaml", "jinja2", "ssl", "http", "asyncio", "numpy", "torch", "zipfile"} == set()
    assert names & {"openvet.formats.gguf", "openvet.formats.png", "openvet.checks.keras.lambda_code"} == set()
    rules = {each.name for each in checks().entries}
    assert len(names & rules) < 60, "a rule without needs that is not recorded is imported for every file"
    assert names.isdisjoint(each.name for each in checks().entries if each.facts.recorded)


def test_a_check_of_weights_imports_no_reader_of_programs(tmp_path: Path) -> None:
    header = json.dumps({"x": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    header += b" " * (-len(header) % 8)
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    names = modules_after("check", str(tmp_path))
    readers = {name for name in names if name.startswith(tuple(f"openvet.formats._{of}_" for of in READERS))}
    assert readers == {"openvet.formats._python_told"}, "what rules know, and nothing that reads"
    assert "openvet.formats.pickle.semantics" not in names


def test_our_own_knowledge_is_digested_only_for_reports_that_tell_it(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    for form, times in (("text", 0), ("json", 1)):
        knowledge._digest.cache_clear()
        with pytest.raises(SystemExit) as end:
            main(
                ["check", "--format", form, "--output", str(tmp_path.parent / f"{tmp_path.name}.{form}"), str(tmp_path)]
            )
        assert not end.value.code
        assert knowledge._digest.cache_info().misses == times, form
