"""Names of classes in serialized .NET objects: short, long, cut and in text that only looks like a record."""

from __future__ import annotations

import openvet
from openvet.testing import all_cases

_HEAD = bytes.fromhex("0001000000ffffffff0100000000000000")


def told(data: bytes, tmp_path: object) -> list[str]:
    """Messages of the rule dotnet/serialized-object."""
    path = tmp_path / "model.bin"  # type: ignore[operator]
    path.write_bytes(data)
    (model,) = openvet.check(path).models
    return [each.message for each in model.findings if each.rule == "dotnet/serialized-object"]


def test_a_name_that_is_cut_short_is_not_told(tmp_path: object) -> None:
    (message,) = told(_HEAD + b"\x04\x01\0\0\0\x13System.Data.Data", tmp_path)
    assert message == "makes .NET rebuild objects"


def test_a_name_of_two_bytes_of_length(tmp_path: object) -> None:
    name = b"System.Data.DataSet, " + b"x" * 200
    size = bytes([0x80 | len(name) & 0x7F, len(name) >> 7])
    (message,) = told(_HEAD + b"\x05\x01\0\0\0" + size + name, tmp_path)
    assert message.startswith("makes .NET rebuild objects of classes by which commands are run: System.Data.DataSet")


def test_the_cases_are_there() -> None:
    assert sum(case.id.startswith("dotnet/") for case in all_cases()) >= 8
