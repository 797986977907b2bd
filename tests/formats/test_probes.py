"""No probe reads on and on: whatever a long file begins with, each looks at a bounded part of it."""

from __future__ import annotations

from contextlib import suppress

import pytest

from openvet.errors import ReadError
from openvet.formats._format import Head
from openvet.formats._protobuf import Walker
from openvet.inventory.identify import formats
from openvet.io.source import BytesSource

_SIZE = 8_000_000
#: What one probe may read: the head, the tail, and some blocks.
_MOST = 3 << 20

#: Letters, blanks and zeros are tags of protocol buffers (# and [ begin groups), lengths, opcodes, counts, marks.
_LONG = {
    "letters": b"a" * _SIZE,
    "blanks": b"a" + b" " * _SIZE,
    "comment": b"#" + b" a" * (_SIZE // 2),
    "list": b"[" + b" " * _SIZE,
    "numbers in a list": b"[" + b"1," * (_SIZE // 2),
    "texts in a map": b'{"a":' * (_SIZE // 5),
    "line ends": b"\n" * _SIZE,
    "carriage returns": b"#\r\n" * (_SIZE // 3),
    "tags of YAML": b"- - " * (_SIZE // 4),
    "tags of XML": b"<!---" * (_SIZE // 5),
    "zeros": bytes(_SIZE),
    "ones": b"\1" * _SIZE,
    "fields that are empty": b"\x0a\0" * (_SIZE // 2),
    "varints": b"\x08\x01" * (_SIZE // 2),
    "messages": b"\x0a\x80\x80\x80\x03" * (_SIZE // 5),
    "groups": b"\x0b\x0c" * (_SIZE // 2),
    "marks of pickle": b"(" * _SIZE,
    "pickle": b"\x80\x04" + b"N0" * (_SIZE // 2),
    "old pickle": b"(lp0\n" + b"I1\na" * (_SIZE // 4),
    "lists of msgpack": b"\x81\xa1a" + b"\x91" * _SIZE,
    "marshal": b"\xa7\x0d\x0d\x0a" + bytes(12) + b")\1" * (_SIZE // 2),
    "R": b"X\n\0\0\0\x03\0\x04\1\0\0\x03\5\0\0\0\0\5UTF-8" + b"\0\0\0\2" * (_SIZE // 4),
    "boxes": b"\0\0\0\x08free" * (_SIZE // 8),
    "RIFF": b"RIFF\xf8\xff\xff\x7fWAVE" + b"junk\0\0\0\0" * (_SIZE // 8),
    "all": bytes(range(256)) * (_SIZE // 256),
    "backwards": bytes(range(255, -1, -1)) * (_SIZE // 256),
}
_NAMES = (
    "model.bin",
    "a.txt",
    "a.json",
    "a.pkl",
    "a.pb",
    "a.onnx",
    "a.mlmodel",
    "a.caffemodel",
    "a.pt",
    "a.h5",
    "a.t7",
)


class _Counted(BytesSource):
    """Counts the bytes and the times that something is read of it."""

    __slots__ = ("taken", "times")

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.taken = self.times = 0

    def _read(self, offset: int, size: int) -> bytes:
        self.taken += size
        self.times += 1
        return super()._read(offset, size)


def _steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers that walkers of protocol buffers decode, counted."""
    steps = [0]
    plain = Walker.varint

    def counted(self: Walker, at: int, end: int) -> tuple[int, int]:
        steps[0] += 1
        return plain(self, at, end)

    monkeypatch.setattr(Walker, "varint", counted)
    return steps


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in _LONG.items()])
def test_no_probe_reads_on(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    costly = []
    steps = _steps(monkeypatch)
    for name in _NAMES:
        head = Head(name, source := _Counted(data))
        for each in formats().modules:
            source.taken = source.times = steps[0] = 0
            with suppress(ReadError):
                each.probe(head)
            if source.taken > _MOST or source.times > 2_000 or steps[0] > 400_000:
                costly.append((each.FORMAT.id, name, source.taken, source.times, steps[0]))
    assert costly == []
