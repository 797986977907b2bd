"""The HDF5 reader: both forms of groups, what is handed on, and every broken shape by its error."""

from __future__ import annotations

import zlib

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError, UnsupportedError
from openvet.formats import hdf5 as reader
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.io.source import BytesSource
from openvet.testing.forge_hdf5 import Data, External, Group, Value, fixed, floats, hdf5, opaque, sequences, text

UNDEFINED = b"\xff" * 8
BYTE = b"\x10\0\0\0\1\0\0\0\0\0\x08\0"
FIXED3 = b"\x13\0\0\0\3\0\0\0"


def read(data: bytes, limits: Limits | None = None) -> Facts:
    facts = Facts("m.h5", "m.h5", Budget(limits or Limits()))
    reader.read(BytesSource(data), facts)
    return facts


def members(facts: Facts) -> dict[str, bytes]:
    found = {}
    for member in facts.members:
        with member.open() as source:
            found[member.name] = source.read(0, source.size)
    return found


def n(value: int, size: int = 8) -> bytes:
    return value.to_bytes(size, "little")


def small() -> bytes:
    """One group, one dataset, one attribute."""
    return hdf5(Group({"title": text("a")}, {"g": Group({}, {"k": Data(floats(2, 3))})}))


class New:
    """Writes the new form: superblock 2, version 2 headers, links as messages or in a fractal heap."""

    def __init__(self) -> None:
        self.out = bytearray(48)

    def put(self, data: bytes) -> int:
        self.out += data
        return len(self.out) - len(data)

    def header(self, *messages: tuple[int, bytes], more: int = 0) -> int:
        body = b"".join(bytes([kind]) + n(len(data), 2) + b"\0" + data for kind, data in messages)
        return self.put(b"OHDR\2\2" + n(len(body) + more, 4) + body + bytes(4 + more))

    def dataset(self) -> int:
        where = self.put(b"abc")
        return self.header((1, b"\2\1\0\1" + n(3)), (3, BYTE), (8, b"\3\1" + n(where) + n(3)))

    def heap(self, objects: list[bytes]) -> tuple[int, list[bytes]]:
        """A fractal heap with one direct block; gives its address and the ids of its objects."""
        block = bytearray(b"FHDB\0" + bytes(8) + bytes(4))
        ids = []
        for each in objects:
            ids.append(b"\0" + n(len(block), 4) + n(len(each), 2))
            block += each
        root = self.put(bytes(block).ljust(512, b"\0"))
        head = b"FRHP\0" + n(7, 2) + n(0, 2) + b"\0" + n(4096, 4) + n(0) + UNDEFINED + n(0) + UNDEFINED + n(0) * 8
        head += n(4, 2) + n(512) + n(4096) + n(32, 2) + n(1, 2) + n(root) + n(0, 2) + bytes(4)
        return self.put(head), ids

    def tree(self, kind: int, size: int, records: list[bytes]) -> int:
        leaf = self.put((b"BTLF\0" + n(kind, 1) + b"".join(records)).ljust(512, b"\0"))
        return self.put(
            b"BTHD\0"
            + n(kind, 1)
            + n(512, 4)
            + n(size, 2)
            + n(0, 2)
            + b"\0\0"
            + n(leaf)
            + n(len(records), 2)
            + n(len(records))
            + bytes(4)
        )

    def file(self, root: int) -> bytes:
        head = b"\x89HDF\r\n\x1a\n\2\x08\x08\0" + n(0) + UNDEFINED + n(len(self.out)) + n(root) + bytes(4)
        return head + bytes(self.out[48:])


def link(name: bytes, address: int) -> bytes:
    return b"\1\0" + n(len(name), 1) + name + n(address)


def attribute(name: bytes, value: bytes) -> bytes:
    return (
        b"\3\0"
        + n(len(name) + 1, 2)
        + n(8, 2)
        + n(4, 2)
        + b"\0"
        + name
        + b"\0\x13\0\0\0"
        + n(len(value), 4)
        + b"\2\0\0\0"
        + value
    )


def test_the_signature_tells_also_behind_a_user_block() -> None:
    for data in (small(), bytes(512) + small(), bytes(2048) + small()):
        assert reader.probe(Head("x", BytesSource(data))) is Likeness.STRONG
    for data in (b"", small()[:40], bytes(100) + small()):
        assert reader.probe(Head("x", BytesSource(data))) is Likeness.NO


def test_the_old_form() -> None:
    data = small()
    facts = read(data)
    place = facts.tensors[0].offset
    assert place is not None
    assert data[place : place + 24] == bytes(24)
    assert facts.tensors == [Tensor("g/k", "F32", (2, 3), place, 24)]
    assert facts.metadata == {"superblock": 0, "title": "a", "groups": 2, "datasets": 1, "attributes": 1}
    assert facts.coverage is Coverage.READ
    assert not facts.anomalies
    assert not facts.members


def test_the_new_form_with_links_and_attributes_as_messages() -> None:
    new = New()
    data = new.file(
        new.header((2, b"\0\0" + UNDEFINED * 2), (6, link(b"d", new.dataset())), (12, attribute(b"v", b"2.0")))
    )
    facts = read(data)
    assert [(each.name, each.dtype, each.shape) for each in facts.tensors] == [("d", "U8", (3,))]
    assert facts.metadata == {"superblock": 2, "v": "2.0", "groups": 1, "datasets": 1, "attributes": 1}
    assert facts.coverage is Coverage.READ


def test_the_new_form_with_a_fractal_heap() -> None:
    new = New()
    heap, ids = new.heap([link(b"a", new.dataset()), link(b"b", new.dataset())])
    tree = new.tree(5, 11, [bytes(4) + each for each in ids])
    inside, values = new.heap([attribute(b"model_config", b'{"a": 1}')])
    names = new.tree(8, 7 + 9, [each + bytes(9) for each in values])
    facts = read(new.file(new.header((2, b"\0\0" + n(heap) + n(tree)), (21, b"\0\0" + n(inside) + n(names)))))
    assert [each.name for each in facts.tensors] == ["a", "b"]
    assert members(facts) == {"attributes/model_config.json": b'{"a": 1}'}
    assert facts.coverage is Coverage.READ


def test_a_header_in_several_blocks() -> None:
    new = New()
    body = b"\x0c" + n(len(attribute(b"v", b"2.0")), 2) + b"\0" + attribute(b"v", b"2.0")
    further = new.put(b"OCHK" + body + bytes(4))
    facts = read(new.file(new.header((16, n(further) + n(len(body) + 8)))))
    assert facts.metadata["v"] == "2.0"


def test_blocks_that_lead_back_to_each_other() -> None:
    new = New()
    at = len(new.out)
    body = b"\x10" + n(16, 2) + b"\0" + n(at) + n(28)
    new.put(b"OCHK" + body + bytes(4))
    facts = read(new.file(new.header((16, n(at) + n(28)))))
    assert [each.message for each in facts.unknowns] == ["blocks of an object header lead back to each other"]


def test_a_group_inside_itself_is_visited_once() -> None:
    new = New()
    at = len(new.out)
    new.header((2, b"\0\0" + UNDEFINED * 2), (6, link(b"again", at)))
    assert read(new.file(at)).metadata["groups"] == 1


def test_what_is_json_or_a_pickle_is_handed_on() -> None:
    facts = read(
        hdf5(
            Group(
                {"model_config": text('{"b": 1}'), "plain": text("{not json}"), "list": fixed(b'["x"]', b"no")},
                {
                    "o": Data(opaque(b"\x80\2N.")),
                    "s": Data(sequences(b"ab", b"\x80\4N.")),
                    "c": Data(fixed(b"\x80\2N."), compact=True),
                },
            ),
            b"#!/bin/sh\n",
        )
    )
    found = members(facts)
    assert found.pop("user-block").startswith(b"#!/bin/sh\n\0")
    assert found == {
        "attributes/model_config.json": b'{"b": 1}',
        "attributes/list.json": b'["x"]',
        "datasets/o": b"\x80\2N.",
        "datasets/s.1": b"\x80\4N.",
        "datasets/c": b"\x80\2N.",
    }


def test_texts_behind_filters_are_decoded() -> None:
    new = New()
    plain = b'{"a":1}  ' * 20
    packed = zlib.compress(plain)
    chunk = new.put(packed)
    key = n(len(packed), 4) + n(0, 4) + n(0) * 2
    tree = new.put(b"TREE\1\0" + n(1, 2) + UNDEFINED * 2 + key + n(chunk) + bytes(24))
    dataset = new.header((1, b"\2\1\0\1" + n(1)), (3, b"\x13\0\0\0" + n(180, 4)), (8, b"\3\2\2" + n(tree) + n(1, 4) + n(180, 4)),
                         (11, b"\2\1" + n(1, 2) + n(0, 2) + n(1, 2) + n(6, 4)))  # fmt: skip
    facts = read(new.file(new.header((2, b"\0\0" + UNDEFINED * 2), (6, link(b"d", dataset)))))
    assert members(facts) == {"datasets/d.json": plain}


def test_names_that_lead_out() -> None:
    facts = read(
        hdf5(Group({}, {"g": Group({}, {"l": External(b"o.h5", b"/x")}), "d": Data(floats(2), files=((b"w.bin", 8),))}))
    )
    assert [(each.rule, each.evidence["file"], each.evidence["what"]) for each in facts.anomalies] == [
        ("hdf5/external-file", "w.bin", "data"),
        ("hdf5/external-file", "o.h5", "link"),
    ]


def test_a_virtual_dataset_names_its_file() -> None:
    new = New()
    entry = b"\0" + n(1) + b"/data/other.h5\0" + b"/x\0"
    heap = new.put((b"GCOL\1\0\0\0" + n(256) + n(1, 2) + n(1, 2) + bytes(4) + n(len(entry)) + entry).ljust(256, b"\0"))
    dataset = new.header((1, b"\2\1\0\1" + n(3)), (3, BYTE), (8, b"\4\3" + n(heap) + n(1, 4)))
    facts = read(new.file(new.header((2, b"\0\0" + UNDEFINED * 2), (6, link(b"v", dataset)))))
    assert [each.evidence["file"] for each in facts.anomalies] == ["/data/other.h5"]


@pytest.mark.parametrize(
    ("value", "lie"), [(Data(floats(4), address=1 << 40), "out-of-file"), (Data(Value(floats(1).type, (9,), b"1234")), "size")]
)  # fmt: skip
def test_lies_about_data(value: Data, lie: str) -> None:
    data = hdf5(Group({}, {"a": value, "b": Data(floats(99))}))
    assert [each.evidence["lie"] for each in read(data).anomalies] == [lie]


@pytest.mark.parametrize(
    ("at", "with_", "error"),
    [(8, b"\x09", UnsupportedError), (13, b"\3", UnsupportedError), (64, UNDEFINED, MalformedError)],
)
def test_superblocks_that_are_refused(at: int, with_: bytes, error: type[ReadError]) -> None:
    data = bytearray(small())
    data[at : at + len(with_)] = with_
    with pytest.raises(error):
        read(bytes(data))


def test_more_objects_than_are_read() -> None:
    with pytest.raises(LimitError):
        read(hdf5(Group({}, {str(number): Data(floats(1)) for number in range(20)})), Limits(tensors=5))


def test_bytes_after_the_end_are_told() -> None:
    facts = read(small() + b"more")
    assert [each.rule for each in facts.anomalies] == ["file/trailing-data"]
    assert facts.coverage is Coverage.PARTIAL


def test_a_truncated_file_never_passes_for_whole() -> None:
    data = small()
    for size in range(0, len(data), 1 if len(data) < 3000 else 7):
        facts = Facts("m.h5", "m.h5", Budget())
        try:
            reader.read(BytesSource(data[:size]), facts)
        except ReadError:
            continue
        assert facts.coverage is Coverage.PARTIAL, size


def test_every_changed_byte_ends_in_a_result() -> None:
    data = hdf5(Group({"a": text("b")}, {"k": Data(floats(2)), "s": Data(sequences(b"x", b"\x80\2N."))}))
    for at in range(len(data)):
        if data[at]:
            for value in (0, 255, data[at] ^ 1):
                facts = Facts("m.h5", "m.h5", Budget())
                try:
                    reader.read(BytesSource(data[:at] + bytes([value]) + data[at + 1 :]), facts)
                except ReadError:
                    continue
