"""Tables and records beside models: Arrow, Parquet, TFRecord, hostile and ordinary."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_flatbuffers import forge_buffer
from openvet.testing.forge_protobuf import message

__all__ = ["CASES", "arrow_file", "arrow_stream", "parquet", "records"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 0).decode()
_TYPE = dump(Call(Name("datasets.features.features", "Array2DExtensionType"), ((2, 2), "int32"), how="NEWOBJ"), 2)
_INT = ("Int", {"bitWidth": 32, "is_signed": 1})


def _pair(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def _field(name: str = "a", kind: str = "", value: str = "", children: Sequence[Any] = ()) -> dict[str, Any]:
    """A column of whole numbers, or of an extension type."""
    notes = [_pair("ARROW:extension:name", kind), _pair("ARROW:extension:metadata", value)] if kind else []
    return {"name": name, "nullable": 1, "type": _INT, "children": list(children), "custom_metadata": notes}


def _message(header: tuple[str, dict[str, Any]], body: bytes = b"", odd: bytes = b"") -> bytes:
    data = forge_buffer("arrow", {"version": 4, "header": header, "bodyLength": len(body)}, bytes(4))
    data += odd or bytes(-len(data) % 8)
    return b"\xff\xff\xff\xff" + struct.pack("<i", len(data)) + data + body


def _schema(*fields: dict[str, Any], odd: bytes = b"") -> bytes:
    header = {"fields": list(fields or (_field(),)), "custom_metadata": [_pair("pandas", "{}")]}
    return _message(("Schema", header), odd=odd)


def _batch(place: int = 0, size: int = 16) -> bytes:
    nodes = struct.pack("<qq", 4, 0)
    buffers = struct.pack("<qqqq", 0, 0, place, size)
    return _message(("RecordBatch", {"length": 4, "nodes": nodes, "buffers": buffers}), bytes(range(16)))


def arrow_stream(*fields: dict[str, Any], batch: bytes | None = None) -> bytes:
    """A stream of one batch with its end."""
    return _schema(*fields) + (_batch() if batch is None else batch) + b"\xff\xff\xff\xff" + bytes(4)


def arrow_file(place: int | None = None, footer: Sequence[dict[str, Any]] = (), *, first: bytes | None = None) -> bytes:
    """A file of one batch, which the footer finds at ``place``; ``first`` stands in place of the stream's schema."""
    head = b"ARROW1\0\0" + (_schema() if first is None else first)
    place = len(head) if place is None else place
    block = struct.pack("<qiiq", place, 200, 0, 16)
    root = {"version": 4, "schema": {"fields": list(footer or (_field(),))}, "recordBatches": block}
    data = forge_buffer("arrow", root, bytes(4), kind="Footer")
    return head + _batch() + b"\xff\xff\xff\xff" + bytes(4) + data + struct.pack("<i", len(data)) + b"ARROW1"


def _broken_footer(data: bytes) -> bytes:
    begin = len(data) - 10 - int.from_bytes(data[-10:-6], "little")
    return data[:begin] + b"\xff\xff\xff\x7f" + data[begin + 4 :]


def _bare(*fields: dict[str, Any], behind: bytes = b"") -> bytes:
    """A schema without the eight bytes in front of it, as Polars begins its files."""
    return _schema(*fields)[8:] + behind


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _thrift(fields: Mapping[int, Any]) -> bytes:
    """A structure of Thrift's compact protocol: numbers, bytes, lists of structures, structures."""
    out, last = bytearray(), 0
    for number, value in fields.items():
        kind = {int: 6, bytes: 8, list: 9, dict: 12}[type(value)]
        out += bytes([(number - last) << 4 | kind])
        last = number
        if isinstance(value, int):
            out += _varint(value << 1)
        elif isinstance(value, bytes):
            out += _varint(len(value)) + value
        elif isinstance(value, dict):
            out += _thrift(value)
        else:
            out += bytes([min(len(value), 14) << 4 | 12]) + b"".join(map(_thrift, value))
    return bytes(out) + b"\0"


def parquet(
    place: int = 4, *, schema: bytes = b"", file: bytes = b"", pages: bytes = b"p" * 24, hidden: bytes = b"",
    copy: Literal["", "column", "chunk", "changed"] = "", bits: bytes = b"",
) -> bytes:  # fmt: skip
    """A table of one column; behind its pages ``hidden``, what the footer says once more, and a filter of these bits."""
    column = {1: 1, 4: 0, 5: 4, 6: 24, 7: 24, 9: place}
    if bits:
        column[14] = 4 + len(pages)
        hidden += _thrift({1: len(bits), 2: {1: {}}, 3: {1: {}}, 4: {1: {}}}) + bits
    chunk: dict[int, Any] = {**({1: file} if file else {}), 2: 4, 3: column}
    if copy:
        hidden += _thrift({"column": column, "chunk": chunk, "changed": {**column, 20: b"more of it"}}[copy])
        chunk |= {4: 0, 5: 0}  # the index's place, which was not known when the copy was written
    notes = [{1: b"huggingface", 2: b"{}"}, *([{1: b"ARROW:schema", 2: base64.b64encode(schema)}] if schema else [])]
    meta = {
        1: 2,
        2: [{4: b"schema", 5: 1}, {1: 1, 4: b"a"}],
        3: 4,
        4: [{1: [chunk], 2: 24, 3: 4}],
        5: notes,
        6: b"forged",
    }
    footer = _thrift(meta)
    return b"PAR1" + (b"" if file else pages) + hidden + footer + struct.pack("<I", len(footer)) + b"PAR1"


def _checksum(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(*data: bytes) -> bytes:
    """A TFRecord file."""
    out = b""
    for each in data:
        length = struct.pack("<Q", len(each))
        out += length + struct.pack("<I", _checksum(length)) + each + struct.pack("<I", _checksum(each))
    return out


def _event(**fields: Any) -> bytes:
    return message("tfrecord", "Event", {"wall_time": 1.0, **fields})


_EVENTS = (
    _event(file_version="brain.Event:2"),
    _event(step=1, summary={"value": [{"tag": "loss", "simple_value": 0.5}]}),
    _event(graph_def=message("tensorflow", "GraphDef", {"node": [{"name": "a", "op": "PyFunc"}]})),
)
_EXAMPLE = message(
    "tfrecord", "Example", {"features": {"feature": [{"key": "a", "value": {"bytes_list": {"value": [b"x"]}}}]}}
)


def _case(
    word: str, technique: str, forge: Callable[[], bytes | Mapping[str, bytes]], decision: Literal["admit", "review", "reject"],
    *rules: str, name: str = "data.arrow", formats: tuple[str, ...] = ("arrow",), advisories: tuple[str, ...] = (),
) -> Case:  # fmt: skip
    return Case(f"tables/{word}", technique, forge, decision, frozenset(rules), formats, advisories, name)


_P = "data.parquet"
_PF = ("parquet", "arrow")
_E = "events.out.tfevents.1700000000.host.1.0"
_EXT = "arrow.py_extension_type"
_CVE = ("CVE-2023-47248",)
_PICKLED, _LIES = "arrow/pickled-type", "arrow/structure-lies"
CASES: tuple[Case, ...] = (
    _case("arrow-pickled-type", "the type of a column is a pickle with a payload", lambda: arrow_stream(_field("a", _EXT, _EVIL)),
          "reject", _PICKLED, "pickle/runs-process", advisories=_CVE),
    _case("arrow-pickled-nested", "the type of a column inside a column is a pickle with a payload",
          lambda: arrow_stream(_field("s", children=[_field("a", _EXT, _EVIL)])), "reject", _PICKLED, "pickle/runs-process", advisories=_CVE),
    _case("arrow-pickled-footer", "only the footer of a file has the type that is a pickle",
          lambda: arrow_file(footer=[_field("a", _EXT, _EVIL)]), "reject", _PICKLED, "pickle/runs-process", advisories=_CVE),
    _case("arrow-pickled-early", "a stream of the years before 2019 has a type that is a pickle with a payload",
          lambda: arrow_stream(_field("a", _EXT, _EVIL)).replace(b"\xff\xff\xff\xff", b""), "reject", _PICKLED, "pickle/runs-process", advisories=_CVE),
    _case("parquet-pickled-type", "Arrow's schema in a Parquet file has a type that is a pickle with a payload",
          lambda: parquet(schema=_schema(_field("a", _EXT, _EVIL))), "reject", _PICKLED, "pickle/runs-process", name=_P, formats=_PF, advisories=_CVE),
    _case("parquet-pickled-odd", "the same, as Polars would write it: of a length that is no multiple of four",
          lambda: parquet(schema=_schema(_field("a", _EXT, _EVIL), odd=bytes(3))), "reject", _PICKLED, "pickle/runs-process", name=_P, formats=_PF,
          advisories=_CVE),
    _case("parquet-pickled-behind-filter", "a filter that breaks off does not keep the schema from being looked at",
          lambda: parquet(schema=_schema(_field("a", _EXT, _EVIL)), bits=b"\xff", hidden=b"\x1d" * 300), "reject", _PICKLED,
          "pickle/runs-process", name=_P, formats=_PF, advisories=_CVE),
    _case("arrow-pickled-bare", "a file begins with the bare schema that Polars writes, in which a type is a pickle with a payload",
          lambda: arrow_file(first=_bare(_field("a", _EXT, _EVIL))), "reject", _PICKLED, "pickle/runs-process", advisories=_CVE),
    _case("arrow-pickled-broken-stream", "the stream of a file breaks; the footer, which readers take, has the type that is a pickle",
          lambda: arrow_file(first=b"\xff\xff\xff\xff\xff\xff\xff\x7f", footer=[_field("a", _EXT, _EVIL)]), "reject", _PICKLED,
          "pickle/runs-process", "file/malformed", advisories=_CVE),
    _case("arrow-pickled-broken-footer", "the footer of a file breaks; the stream has the type that is a pickle",
          lambda: _broken_footer(arrow_file(first=_schema(_field("a", _EXT, _EVIL)))), "reject", _PICKLED,
          "pickle/runs-process", "file/malformed", advisories=_CVE),
    _case("parquet-outside", "a column lies in a file elsewhere", lambda: parquet(file=b"../../../etc/passwd"), "reject",
          "parquet/outside-path", name=_P, formats=("parquet",)),
    _case("arrow-old-type", "a type of an old library is a pickle that only makes it",
          lambda: arrow_stream(_field("a", _EXT, _TYPE.decode("latin-1"))), "review", _PICKLED, advisories=_CVE),
    _case("arrow-buffer-outside", "a buffer lies outside of its batch", lambda: arrow_stream(batch=_batch(1 << 40)), "review", _LIES),
    _case("arrow-block-elsewhere", "the footer finds a batch where none begins", lambda: arrow_file(16), "review", _LIES),
    _case("arrow-two-schemas", "footer and stream describe other columns", lambda: arrow_file(footer=[_field("b")]), "review", _LIES),
    _case("arrow-bare-other", "the bare schema at the beginning describes other columns than the footer",
          lambda: arrow_file(first=_bare(_field("b"))), "review", _LIES),
    _case("arrow-bare-hidden", "bytes behind the bare schema at the beginning", lambda: arrow_file(first=_bare(behind=b"hidden, not read")), "review"),
    _case("arrow-trailing", "bytes behind a stream", lambda: arrow_stream() + b"more of it", "review", "file/trailing-data"),
    _case("arrow-cut-off", "a file that was cut off", lambda: arrow_file()[:-30], "review", "file/incomplete"),
    _case("parquet-outside-file", "pages that lie behind the end", lambda: parquet(1 << 40), "review", "parquet/structure-lies", name=_P, formats=("parquet",)),
    _case("parquet-hidden", "bytes that belong to no column", lambda: parquet(hidden=b"hidden here, not read"), "review", name=_P, formats=("parquet",)),
    _case("parquet-copy-changed", "behind a column stands more than the footer says of it", lambda: parquet(copy="changed"), "review", name=_P,
          formats=("parquet",)),
    _case("parquet-filter-hidden", "bytes behind a filter that tells its size itself", lambda: parquet(bits=b"b" * 32, copy="changed"), "review", name=_P,
          formats=("parquet",)),
    _case("parquet-cut-off", "a table that was cut off", lambda: parquet()[:-9], "review", "file/incomplete", name=_P, formats=("parquet",)),
    _case("records-unknown", "records that are neither events nor examples", lambda: records(b"\xff\xffanything", b"else"), "review",
          name="data.tfrecord", formats=("tfrecord",)),
    _case("records-cut-off", "events that were cut off", lambda: records(*_EVENTS)[:-10], "review", "file/incomplete", name=_E, formats=("tfrecord",)),
    _case("records-length", "a length that its checksum does not fit", lambda: records(_EVENTS[0]) + bytes(range(40)), "review",
          "file/malformed", name=_E, formats=("tfrecord",)),
    _case("arrow-ordinary", "an ordinary stream, as data sets have it", arrow_stream, "admit"),
    _case("arrow-ordinary-early", "an ordinary stream of the years before 2019",
          lambda: arrow_stream().replace(b"\xff\xff\xff\xff", b""), "admit"),
    _case("arrow-ordinary-file", "an ordinary file", arrow_file, "admit", name="data.feather"),
    _case("arrow-ordinary-extension", "a column of an extension type without code",
          lambda: arrow_stream(_field("a", "arrow.uuid", ""), _field("b", "arrow.json", "{}")), "admit"),
    _case("arrow-ordinary-words", "columns with words of danger for names", lambda: arrow_stream(_field("os.system"), _field("__reduce__")), "admit"),
    _case("arrow-ordinary-bare", "an ordinary file of Polars, which begins with a bare schema", lambda: arrow_file(first=_bare()), "admit"),
    _case("arrow-ordinary-bare-padded", "the same, padded to where the batch begins", lambda: arrow_file(first=_bare(behind=bytes(40))), "admit"),
    _case("parquet-ordinary-copy", "a table of Polars: behind its pages stands what the footer says of the column", lambda: parquet(copy="column"),
          "admit", name=_P, formats=("parquet",)),
    _case("parquet-ordinary-copy-chunk", "a table of Arrow before version 16: behind the pages stands what was known of the chunk then",
          lambda: parquet(copy="chunk"), "admit", name=_P, formats=("parquet",)),
    _case("parquet-ordinary-filter", "a filter that tells its size itself", lambda: parquet(bits=b"b" * 32, copy="column"), "admit", name=_P,
          formats=("parquet",)),
    _case("parquet-ordinary-odd", "Polars' schema of Arrow, of a length that is no multiple of four", lambda: parquet(schema=_schema(odd=bytes(3))),
          "admit", name=_P, formats=_PF),
    _case("parquet-ordinary", "an ordinary table", lambda: parquet(schema=_schema()), "admit", name=_P, formats=_PF),
    _case("parquet-ordinary-pickle-bytes", "a column of which the values are pickles",
          lambda: parquet(pages=_EVIL.encode()[:24].ljust(24, b"\0")), "admit", name=_P, formats=("parquet",)),
    _case("records-ordinary-events", "what TensorBoard shows, with a graph that is not run", lambda: records(*_EVENTS), "admit", name=_E, formats=("tfrecord",)),
    _case("records-ordinary-examples", "examples of a data set", lambda: records(_EXAMPLE, _EXAMPLE), "admit", name="data.tfrecord", formats=("tfrecord",)),
)  # fmt: skip
