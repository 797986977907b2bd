"""What a command imports before it has anything to do. Seconds are measured in `benchmarks/`, never here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"yaml", "jinja2", "importlib.metadata", "email", "socket", "ssl", "http", "asyncio", "json.tool", "decimal",
         "cryptography", "sigstore", "securesystemslib"}  # fmt: skip
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


def modules_after(*arguments: str) -> set[str]:
    text = PROGRAM.format(arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    code, names = json.loads(done.stdout.splitlines()[-1])
    assert code in {0, None}
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


def test_a_check_imports_only_what_the_files_need(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see\n")
    names = modules_after("check", str(tmp_path))
    assert names & {"yaml", "jinja2", "ssl", "http", "asyncio", "numpy", "torch"} == set()
