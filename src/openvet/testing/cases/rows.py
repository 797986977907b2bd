"""Tables of other projects than Arrow: ORC and Avro, hostile and ordinary."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_protobuf import message

__all__ = ["CASES", "avro", "orc"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_MARK = bytes(range(16))


def _chunk(data: bytes, codec: int) -> bytes:
    """One chunk as the codec writes it, or as it is."""
    if codec == 0:
        return data
    if codec == 1:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        return (len(packed) << 1).to_bytes(3, "little") + packed
    return (len(data) << 1 | 1).to_bytes(3, "little") + data


def orc(
    *,
    codec: int = 0,
    offset: int = 3,
    padding: bytes = b"",
    notes: Mapping[str, bytes] | None = None,
    behind: bytes = b"",
) -> bytes:
    """A table of one column in one stripe."""
    stripe = b"i" * 8 + b"d" * 16 + b"f" * 4
    described: dict[str, Any] = {
        "headerLength": 3,
        "contentLength": 3 + len(stripe),
        "stripes": [{"offset": offset, "indexLength": 8, "dataLength": 16, "footerLength": 4, "numberOfRows": 4}],
        "types": [{"kind": 12, "subtypes": [1], "fieldNames": ["a"]}, {"kind": 4}],
        "metadata": [{"name": name, "value": value} for name, value in (notes or {"pandas": b"{}"}).items()],
        "numberOfRows": 4,
        "statistics": [{"numberOfValues": 4}, {"numberOfValues": 4, "intStatistics": {"minimum": 0, "maximum": 6}}],
    }
    footer = _chunk(message("orc", "Footer", described), codec)
    metadata = _chunk(message("orc", "Metadata", {"stripeStats": [{"colStats": [{"numberOfValues": 4}]}]}), codec)
    post = message(
        "orc",
        "PostScript",
        {
            "footerLength": len(footer), "compression": codec, "compressionBlockSize": 65536, "version": [0, 12],
            "metadataLength": len(metadata), "writerVersion": 6, "magic": "ORC",
        },
    )  # fmt: skip
    return b"ORC" + padding + stripe + behind + metadata + footer + post + bytes([len(post)])


def _number(value: int) -> bytes:
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _text(data: bytes) -> bytes:
    return _number(len(data)) + data


def avro(
    column: Any = "long", *, notes: Mapping[str, bytes] | None = None, mark: bytes = _MARK, sized: bool = False
) -> bytes:
    """A table of one column and two rows."""
    schema = {"type": "record", "name": "row", "fields": [{"name": "a", "type": column}]}
    entries = {"avro.codec": b"null", "avro.schema": json.dumps(schema).encode(), **(notes or {})}
    written = b"".join(_text(key.encode()) + _text(value) for key, value in entries.items())
    count = _number(-len(entries)) + _number(len(written)) if sized else _number(len(entries))
    rows = _number(1) + _number(2)
    return b"Obj\1" + count + written + b"\0" + _MARK + _number(2) + _text(rows) + mark


def _java(name: str, key: str = "java-class") -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", key: name}}


def _case(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str, cve: str = ""
) -> Case:  # fmt: skip
    kind = word.partition("-")[0]
    return Case(
        f"rows/{word}", technique, forge, decision, frozenset(rules), (kind,), (cve,) if cve else (), f"data.{kind}"
    )


_SPRING = "org.springframework.context.support.ClassPathXmlApplicationContext"
CASES: tuple[Case, ...] = (
    _case("orc-note", "a note in the footer is a pickle with a payload", lambda: orc(notes={"weights": _EVIL}), "reject", "pickle/runs-process"),
    _case("orc-note-packed", "the same in a compressed footer", lambda: orc(codec=1, notes={"weights": _EVIL}), "reject", "pickle/runs-process"),
    _case("orc-note-base64", "the same in base64", lambda: orc(codec=2, notes={"weights": base64.b64encode(_EVIL)}), "reject", "pickle/runs-process"),
    _case("orc-stripe-outside", "a stripe lies outside of the file", lambda: orc(offset=1 << 40), "review", "orc/structure-lies"),
    _case("orc-stripe-in-footer", "a stripe lies in the footer", lambda: orc(offset=9), "review", "orc/structure-lies"),
    _case("orc-hidden", "bytes in front of the stripe", lambda: orc(padding=b"hidden here", offset=14), "review"),
    _case("orc-behind", "bytes behind the stripes", lambda: orc(behind=b"hidden here"), "review"),
    _case("orc-codec", "a footer in a codec that is not unpacked", lambda: orc(codec=1).replace(b"\x10\x01\x18", b"\x10\x03\x18"), "review"),
    _case("orc-cut-off", "a table that was cut off", lambda: orc()[:-9], "review", "file/incomplete"),
    _case("orc-ordinary", "an ordinary table", orc, "admit"),
    _case("orc-ordinary-packed", "an ordinary table with a compressed footer", lambda: orc(codec=1), "admit"),
    _case("orc-ordinary-stored", "one whose footer did not become shorter by Zstandard", lambda: orc(codec=5), "admit"),
    _case("orc-ordinary-padded", "one whose stripe begins with a block of the disk", lambda: orc(padding=bytes(509), offset=512), "admit"),
    _case("orc-ordinary-words", "notes with words of danger", lambda: orc(notes={"os.system": b"import os; eval(x)"}), "admit"),
    _case("avro-java", "a text becomes an object of a class that the schema names", lambda: avro(_java(_SPRING)), "review", "avro/java-class",
          cve="CVE-2024-47561"),
    _case("avro-java-key", "the keys of a map do", lambda: avro(_java("javax.naming.InitialContext", "java-key-class")), "review", "avro/java-class",
          cve="CVE-2024-47561"),
    _case("avro-java-builtin", "a class of Java's own that opens files", lambda: avro(_java("java.io.FileOutputStream")), "review", "avro/java-class",
          cve="CVE-2024-47561"),
    _case("avro-note", "a note is a pickle with a payload", lambda: avro(notes={"weights": _EVIL}), "reject", "pickle/runs-process"),
    _case("avro-mark", "a block ends with another mark", lambda: avro(mark=b"another mark...."), "review", "file/malformed"),
    _case("avro-behind", "bytes behind the last block", lambda: avro() + b"hidden here, not read", "review", "file/malformed"),
    _case("avro-cut-off", "a table that was cut off", lambda: avro()[:-9], "review", "file/incomplete"),
    _case("avro-ordinary", "an ordinary table", avro, "admit"),
    _case("avro-ordinary-sized", "one whose metadata tell their size", lambda: avro(sized=True), "admit"),
    _case("avro-ordinary-java", "texts that become Java's own texts", lambda: avro(_java("java.lang.String")), "admit"),
    _case("avro-ordinary-words", "a column that is named after the property", lambda: avro({"type": "enum", "name": "java_class", "symbols": ["os", "system"]}),
          "admit"),
)  # fmt: skip
