"""Model files and other binary kinds that cost more to read than to write: loops, nesting, millions of tiny parts."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable

from openvet.testing.case import all_cases
from openvet.testing.forge_flatbuffers import forge_buffer
from openvet.testing.forge_hdf5 import Group, hdf5

__all__ = ["INPUTS", "stretched"]

_MIB = 1 << 20


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _inside(tag: bytes, levels: int, data: bytes = b"") -> bytes:
    """Messages of protobuf inside messages, written from the inside out."""
    parts, length = [data], len(data)
    for _ in range(levels):
        head = tag + _varint(length)
        parts.append(head)
        length += len(head)
    return b"".join(reversed(parts))


def _onnx(graph: bytes) -> bytes:
    return b"\x08\x08\x12\x04make" + b"\x3a" + _varint(len(graph)) + graph + b"\x42\x02\x10\x11"


def _node(kind: bytes, more: bytes = b"") -> bytes:
    body = b"\x0a\x01a\x12\x01b\x22" + _varint(len(kind)) + kind + more
    return b"\x0a" + _varint(len(body)) + body


def _subgraphs() -> bytes:
    """If in If in If: a graph in an attribute of a node of a graph."""
    graph = _node(b"Add")
    for _ in range(3_000):
        attribute = b"\x0a\x04then\x32" + _varint(len(graph)) + graph + b"\xa0\x01\x05"
        graph = _node(b"If", b"\x2a" + _varint(len(attribute)) + attribute)
    return _onnx(graph)


def _safetensors(count: int) -> bytes:
    header = json.dumps({f"t{n}": {"dtype": "U8", "shape": [], "data_offsets": [n, n + 1]} for n in range(count)})
    return struct.pack("<Q", len(header)) + header.encode() + bytes(count)


def _gguf(pairs: bytes, count: int, tensors: bytes = b"", tensor_count: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensor_count, count) + pairs + tensors


def _gguf_array(kind: int, count: int, data: bytes) -> bytes:
    return struct.pack("<Q", 1) + b"k" + struct.pack("<IIQ", 9, kind, count) + data


def _gguf_tensors() -> bytes:
    one = b"".join(struct.pack("<Q", 7) + b"%07d" % n + struct.pack("<IQIQ", 1, 1, 24, n * 32) for n in range(190_000))
    return _gguf(b"", 0, one, 190_000) + bytes(190_000 * 32)


def _plist(objects: list[bytes], width: int = 4) -> bytes:
    out, places = bytearray(b"bplist00"), []
    for each in objects:
        places.append(len(out))
        out += each
    table = len(out)
    out += b"".join(place.to_bytes(width, "big") for place in places)
    return bytes(out) + bytes(6) + bytes([width, 4]) + struct.pack(">QQQ", len(objects), 0, table)


def _png(chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _boxes(levels: int) -> bytes:
    parts, length = [], 0
    for _ in range(levels):
        length += 8
        parts.append(struct.pack(">I4s", length, b"moov"))
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + b"".join(reversed(parts))


def _delta_pack(count: int) -> bytes:
    """A pack of git in which every object is a difference from the one before."""
    out = bytearray(b"PACK" + struct.pack(">II", 2, count))
    last = len(out)
    out += b"\x31" + zlib.compress(b"a")
    for _ in range(count - 1):
        at, back = len(out), b""
        distance = at - last
        back = bytes([distance & 0x7F])
        distance >>= 7
        while distance:
            distance -= 1
            back = bytes([0x80 | distance & 0x7F]) + back
            distance >>= 7
        out += b"\x65" + back + zlib.compress(b"\x01\x01\x91\x00\x01")
        last = at
    import hashlib

    return bytes(out) + hashlib.sha1(out, usedforsecurity=False).digest()


def _tiff(count: int) -> bytes:
    """Directories that lead on to the next one, and the last to the first."""
    size = 2 + 12 + 4
    parts = [b"II*\0" + struct.pack("<I", 8)]
    for number in range(count):
        following = 8 + (number + 1) % count * size
        parts.append(struct.pack("<HHHIII", 1, 256, 3, 1, 1, following))
    return b"".join(parts)


def _sized(width: str, data: bytes) -> bytes:
    """``data`` behind its length."""
    return struct.pack(width, len(data)) + data


def _rows(count: int) -> bytes:
    return b"\xdd" + struct.pack(">I", count) + b"\x81\xa1a\x01" * count


def _gettext(count: int) -> bytes:
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28, 0, 28) + struct.pack("<II", 1, 28) * count + bytes(2)


def _sentencepieces(count: int) -> bytes:
    return b"".join(b"\x0a\x0d\x0a\x04%04x\x15\0\0\0\0\x18\x01" % (n & 0xFFFF) for n in range(count))


def stretched(formats: frozenset[str] = frozenset()) -> dict[str, Callable[[], bytes | dict[str, bytes]]]:
    """The first sample of each format of the test kit, its second half written again and again up to 4 MB."""
    out: dict[str, Callable[[], bytes | dict[str, bytes]]] = {}
    for case in all_cases():
        kind = case.formats[0] if case.formats else ""
        name = f"stretched: {kind}"
        if not kind or name in out or (formats and kind not in formats):
            continue
        made = case.forge()
        if isinstance(made, bytes) and 16 < len(made) < _MIB:
            half = made[len(made) // 2 :]
            out[name] = lambda made=made, half=half, file=case.name: {file: made + half * (4 * _MIB // len(half))}  # type: ignore[misc]
    return out


def _shared_tflite() -> bytes:
    """A thousand vectors of a thousand operators, all of which are one."""
    graph = {"operators": [{"opcode_index": 0}] * 100_000, "tensors": []}
    root = {"version": 3, "operator_codes": [{}], "subgraphs": [graph] * 100_000, "buffers": [{}]}
    return forge_buffer("tflite", root, b"TFL3", shared=True)


def _object_streams() -> bytes:
    one = b"1 0 obj<</Type/ObjStm/Filter/FlateDecode>>\nstream\n" + zlib.compress(b"1 0 " * 20_000, 9)
    return b"%PDF-1.5\n" + one * 60_000 + b"%%EOF"


def _tables_of_torch7(depth: int) -> bytes:
    """A table whose two entries are the next one: two to the power of the depth, if each were followed."""
    out = struct.pack("<3i", 3, 1, 2)
    for level in range(2, depth + 1):
        out += struct.pack("<id3i", 1, 1.0, 3, level, 2)
    out += struct.pack("<idid", 1, 1.0, 1, 1.0)
    for level in range(depth, 0, -1):
        out += struct.pack("<id", 1, 2.0) + (
            struct.pack("<2i", 3, level + 1) if level < depth else struct.pack("<id", 1, 1.0)
        )
    return out


def _footer(count: int) -> bytes:
    """A footer of Parquet whose groups of rows are empty structures, a byte for each."""
    body = b"\x15\x02\x39\xfc" + _varint(count) + bytes(count) + b"\0"
    return body + struct.pack("<I", len(body)) + b"PAR1"


def _matlab(levels: int) -> bytes:
    data = struct.pack("<II", 14, 0)
    for _ in range(levels):
        packed = zlib.compress(data)
        data = struct.pack("<II", 15, len(packed)) + packed
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + data


def _text(value: str) -> bytes:
    return b"\xdb" + _sized(">I", value.encode())


_R = b"X\n\0\0\0\x03\0\x04\1\0\0\x03\5\0\0\0\0\5UTF-8"
_R_WORD = b"\0\x04\0\x09\0\0\0\1a"


INPUTS: dict[str, Callable[[], bytes | dict[str, bytes]]] = {
    "100 000 files": lambda: {f"{n // 1000}/{n}.txt": b"a\n" for n in range(100_000)},
    "20 000 hostile files": lambda: {f"{n // 1000}/{n}.pkl": b"cos\nsystem\n(S'echo forged'\ntR." for n in range(20_000)},
    "ONNX: messages in messages": lambda: _onnx(_inside(b"\x0a", 200_000)),
    "ONNX: graphs in graphs": _subgraphs,
    "ONNX: 1 000 000 nodes": lambda: _onnx(_node(b"Add") * 1_000_000),
    "ONNX: 300 000 nodes of a domain": lambda: _onnx(_node(b"Run", b"\x3a\x04evil") * 300_000),
    "ONNX: 15 000 000 empty fields": lambda: _onnx(b"\x0a\0" * 15_000_000),
    "ONNX: dimensions": lambda: _onnx(b"\x2a" + _varint(20_000_000) + b"\x08\x01" * 10_000_000),
    "ONNX: external data": lambda: _onnx(b"".join(
        b"\x2a" + _varint(len(t)) + t for t in (b"\x08\x01\x10\x01\x42\x01a\x6a\x0d\x0a\x08location\x12\x01b\x70\x01",) * 200_000)),
    "SavedModel: 1 000 000 nodes": lambda: b"\x08\x01\x12" + _varint(9_000_005) + b"\x12" + _varint(9_000_000) + b"\x0a\x07\x0a\x01a\x12\x02Ad" * 1_000_000,
    "SavedModel: messages in messages": lambda: b"\x08\x01" + _inside(b"\x12", 200_000),
    "safetensors of 190 000 tensors": lambda: _safetensors(190_000),
    "safetensors: header of 90 MB": lambda: struct.pack("<Q", 90 * _MIB) + b'{"' + b" " * (90 * _MIB),
    "safetensors: one name": lambda: _sized("<Q",
        b"{" + b",".join([b'"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'] * 200_000) + b"}"),
    "GGUF: 3 000 000 texts": lambda: _gguf(_gguf_array(8, 3_000_000, bytes(8) * 3_000_000), 1),
    "GGUF: 1 000 000 keys": lambda: _gguf(b"".join(
        struct.pack("<Q", 7) + b"%07d" % n + struct.pack("<IB", 7, 1) for n in range(1_000_000)), 1_000_000),
    "GGUF: lists in lists": lambda: _gguf(_gguf_array(9, 1, struct.pack("<IQ", 9, 1) * 1_000_000), 1),
    "GGUF: 190 000 tensors": _gguf_tensors,
    "GGUF: 8 000 000 empty lists": lambda: _gguf(_gguf_array(9, 2_000_000, struct.pack("<IQ", 0, 0) * 2_000_000), 1),
    "NumPy: fields": lambda: b"\x93NUMPY\x02\0" + _sized("<I",
        b"{'descr': [" + b"".join(b"('f%d', '<f4')," % n for n in range(300_000)) + b"], 'fortran_order': False, 'shape': (0,)}\n"),
    "NumPy: nested": lambda: b"\x93NUMPY\x02\0" + _sized("<I", b"{'descr': " + b"[" * 5_000_000),
    "msgpack: maps": lambda: _rows(5_000_000),
    "msgpack: 30 MB of lists in lists": lambda: b"\x81\xa1a" + b"\x91" * (30 * _MIB) + b"\xc0",
    "msgpack: 30 MB of numbers": lambda: b"\x81\xa1a\xdd" + struct.pack(">I", 30 * _MIB) + b"\x01" * (30 * _MIB),
    "UBJSON: lists in lists": lambda: b"{L\0\0\0\0\0\0\0\x07learner" + b"[" * (10 * _MIB),
    "plist: 1 000 000 objects": lambda: _plist([b"\xa1\0\0\0\0"] * 1_000_000),
    "plist: one list, all of it": lambda: _plist([b"\xaf\x12" + struct.pack(">I", 2_000_000) + bytes(8_000_000)] + [b"\x08"] * 1000),
    "PNG: 1 000 000 chunks": lambda: _png(_chunk(b"tEXt", b"a\0b") * 1_000_000),
    "PNG: texts that expand": lambda: _png(_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(_MIB), 9)) * 5_000),
    "MP4: boxes in boxes": lambda: _boxes(1_000_000),
    "MP4: 3 000 000 boxes": lambda: _boxes(0) + struct.pack(">I4s", 8, b"free") * 3_000_000,
    "RIFF: 3 000 000 chunks": lambda: b"RIFF" + struct.pack("<I", 24_000_004) + b"WAVE" + b"junk\0\0\0\0" * 3_000_000,
    "GIF: blocks of a byte": lambda: b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xfe" + b"\x01a" * 10_000_000 + b"\0;",
    "JPEG: segments": lambda: b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\xff\xfe\0\x02" * 5_000_000 + b"\xff\xd9",
    "MP3: frames": lambda: b"\xff\xfb\x90\0".ljust(417, b"\0") * 70_000,
    "Ogg: pages": lambda: (b"OggS\0\2" + bytes(20) + b"\0") * 1_000_000,
    "FLAC: blocks": lambda: b"fLaC\0\0\0\x22" + bytes(34) + b"\x01\0\0\0" * 5_000_000,
    "MIDI: tracks": lambda: b"MThd\0\0\0\6\0\1\xff\xff\0\x60" + b"MTrk\0\0\0\0" * 3_000_000,
    "TIFF: directories in a circle": lambda: _tiff(1_000_000),
    "Matroska: in each other": lambda: b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\xff" * 5_000_000,
    "gettext: 3 000 000 texts": lambda: _gettext(3_000_000),
    "sentencepiece: 1 000 000 pieces": lambda: _sentencepieces(1_000_000),
    "git: 100 000 differences": lambda: _delta_pack(100_000),
    "git: a tree of 1 000 000": lambda: zlib.compress(b"tree 27000000\0" + (b"100644 abcdefg"[:6] + b"\0" + bytes(20)) * 1_000_000),
    "R: pairs of pairs": lambda: b"X\n\0\0\0\x03\0\x04\1\0\0\x03\5\0\0\0\0\5UTF-8" + b"\0\0\0\x02" * 5_000_000,
    "R: lists in lists": lambda: b"X\n\0\0\0\x03\0\x04\1\0\0\x03\5\0\0\0\0\5UTF-8" + b"\0\0\0\x13\0\0\0\x01" * 3_000_000,
    "Torch7: tables": lambda: struct.pack("<3i", 3, 1, 1 << 20) + b"".join(
        struct.pack("<id3i", 1, float(n), 3, n + 2, 1) for n in range(500_000)),
    "HDF5: 20 MB of one half": lambda: b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0]) + bytes(20 * _MIB),
    "HDF5: a long name above 60 000": lambda: hdf5(Group(members={
        "n" * 4_000: Group(members={f"g{n}": Group(members={}) for n in range(60_000)})})),
    "HDF5: 100 000 groups": lambda: hdf5(Group(members={f"g{n}": Group(members={}) for n in range(100_000)})),
    "TFLite: graphs that are one": _shared_tflite,
    "PDF: object streams that expand": lambda: {"a.pdf": _object_streams()},
    "plist: doubled lists": lambda: _plist([b"\xa2" + struct.pack(">II", n + 1, n + 1) for n in range(100_000)] + [b"\x08"]),
    "plist: all lists in all": lambda: _plist(
        [b"\xaf\x12" + struct.pack(">2001I", 2_000, *range(2_000)) for _ in range(2_000)]),
    "Torch7: doubled tables": lambda: {"a.t7": _tables_of_torch7(150)},
    "msgpack: a long key above maps": lambda: {"a.msgpack": b"\x81" + _text("k" * 1_000_000) + _rows(200_000)},
    "R: 3 000 000 texts": lambda: {"a.rds": _R + b"\0\0\0\x10" + struct.pack(">i", 3_000_000) + _R_WORD * 3_000_000},
    "R: 500 000 calls": lambda: {"a.rds": _R + b"\0\0\0\x13" + struct.pack(">i", 500_000) + (
        b"\0\0\0\6\0\0\0\1\0\x04\0\x09\0\0\0\6system\0\0\0\xfe") * 500_000},
    "R: 3 000 000 references": lambda: {"a.rds": _R + b"\0\0\0\x13" + struct.pack(">i", 3_000_001) + b"\0\0\0\1" + _R_WORD
        + b"\0\0\x01\xff" * 3_000_000},
    "MATLAB: compressed in compressed": lambda: {"a.mat": _matlab(100)},
    "TFRecord: one record of 5 000 000": lambda: {"a.tfrecord": struct.pack("<QI", 20_000_000, 0xB17A2BA0) + (
        b"\x0a\x02\x0a\0" * 5_000_000) + bytes(4)},
    "Parquet: 11 000 000 groups of nothing": lambda: {"a.parquet": b"PAR1" + _footer(11_000_000)},
    "protobuf: a comment": lambda: b"#" + b" a" * 15_000_000,
    "protobuf: letters": lambda: b"a" * 30_000_000,
    "noise": lambda: b"\x93" + zlib.compress(bytes(range(256)) * 2_000, 0) * 40,
    "zeros of 200 MB": lambda: bytes(200 * _MIB),
}  # fmt: skip
