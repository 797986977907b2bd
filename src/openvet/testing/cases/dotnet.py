"""Serialized .NET objects: chains that run commands, and objects of others."""

from __future__ import annotations

from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES"]

_HEAD = bytes.fromhex("0001000000ffffffff0100000000000000")
_RULE = "dotnet/serialized-object"
_TEXT = "Microsoft.VisualStudio.Text.Formatting.TextFormattingRunProperties"


def _text(text: str) -> bytes:
    data = text.encode()
    size = bytes([len(data)]) if len(data) < 0x80 else bytes([0x80 | len(data) & 0x7F, len(data) >> 7])
    return size + data


def _object(name: str, library: str = "", member: str = "ForegroundBrush") -> bytes:
    """One object with one member, which is text."""
    told = b"\x0c" + (2).to_bytes(4, "little") + _text(library) if library else b""
    mark, tail = (b"\x05", (2).to_bytes(4, "little")) if library else (b"\x04", b"")
    fields = (1).to_bytes(4, "little") + _text(member) + b"\x01" + tail
    value = b"\x06" + (3).to_bytes(4, "little") + _text("forged")
    return _HEAD + told + mark + (1).to_bytes(4, "little") + _text(name) + fields + value + b"\x0b"


def _case(word: str, technique: str, data: bytes, decision: Literal["review", "reject"]) -> Case:
    return Case(
        f"dotnet/{word}", technique, lambda: data, decision, frozenset({_RULE}), ("dotnet-objects",), (), "model.bin"
    )


CASES: tuple[Case, ...] = (
    _case("text-formatting", "an object whose brush is XAML that starts a program", _object(_TEXT, "Microsoft.PowerShell.Editor"), "reject"),
    *(
        _case(word, f"an object of a chain that runs commands: {name}", _object(name), "reject")
        for word, name in (
            ("data-set", "System.Data.DataSet"),
            ("delegate", "System.DelegateSerializationHolder"),
            ("identity", "System.Security.Principal.WindowsIdentity"),
            ("provider", "System.Windows.Data.ObjectDataProvider"),
            ("long-name", "System.Collections.Generic.ComparisonComparer`1[[" + "System.String, mscorlib" + "]]" * 60),
        )
    ),
    _case("of-others", "an object of a program's own class", _object("Mine.Model", "Mine, Version=1.0.0.0"), "review"),
    _case("of-the-system", "a list of the system", _object("System.Collections.Hashtable"), "review"),
)  # fmt: skip
