"""Lists of paths on standard input."""

import io
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import openvet
from openvet.cli import main
from openvet.cli.paths import read_paths


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"a\nb c\n", ["a", "b c"]),
        (b"a\r\nb\r\n\r\n", ["a", "b"]),
        (b"a\nb\r\n", ["a", "b\r"]),
        (b"a\0b\nc\0", ["a", "b\nc"]),
        (b"", []),
    ],
)
def test_lists(data: bytes, paths: list[str]) -> None:
    assert read_paths(io.BytesIO(data)) == paths


def test_a_named_file_that_is_excluded_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    model = openvet.check(path, options=openvet.Options(exclude=("*.txt",))).models[0]
    assert [each.reason for each in model.unknowns] == ["excluded"]
    assert str(model.decision.verdict) == "review"


def test_a_pipe_says_what_to_do(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = CliRunner().invoke(main, ["check", str(tmp_path / "pipe")])
    assert (
        "is a fifo, not a file or folder; a model is read in any order, so write what comes through it" in found.stderr
    )


@pytest.mark.parametrize("size", range(11, 24))
def test_a_safetensors_header_that_was_cut_short_is_still_one(size: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((b"\x00\x10" + bytes(6) + b'{"w":{"dtype":"F32"}}')[:size])
    model = openvet.check(path).models[0]
    assert model.scan.files[0].formats == ("safetensors",)
    assert model.unknowns[0].message.startswith("the header says that it is 4096 bytes long, and ")


def test_a_pipe_without_a_name_says_it_too() -> None:
    reading, writing = os.pipe()
    try:
        found = CliRunner().invoke(main, ["check", f"/dev/fd/{reading}"])
    finally:
        os.close(reading)
        os.close(writing)
    assert "is a fifo, not a file or folder; a model is read in any order" in found.stderr
