"""Serialized Java objects (``java/serialized-object``): the walk, what breaks it, and what is told of the classes."""

from __future__ import annotations

import struct

import pytest

from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats import java_serialized
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource
from openvet.testing.forge_java import array_of, described, java_object, java_stream, text_of


def classes(data: bytes) -> list[str]:
    facts = Facts("a.ser", "a.ser", Budget(Limits()))
    java_serialized.read(BytesSource(data), facts)
    return list(facts.metadata.get("classes", []))


def test_the_magic() -> None:
    assert java_serialized.probe(Head("a", BytesSource(java_stream(b"p")))) is Likeness.STRONG
    assert java_serialized.probe(Head("a", BytesSource(b"\xac\xed\x00\x04p"))) is Likeness.NO


def test_objects_with_parents_blocks_references_and_enums() -> None:
    parent = described("a.Parent", [("n", "J")], flags=3)
    child = java_object(
        "a.Child",
        bytes(8) + b"w\x02ab" + text_of("x") + b"x" + b"q\x00\x7e\x00\x00",
        [("o", "Ljava/lang/Object;")],
        parent=parent,
    )
    kind = b"~" + described("a.Kind", flags=0x12) + text_of("ONE")
    assert classes(java_stream(child, kind, b"y", b"v" + described("a.Other"))) == [
        "a.Child",
        "java.lang.Object",
        "a.Parent",
        "a.Kind",
        "a.Other",
    ]


def test_a_proxy() -> None:
    proxy = b"s}" + struct.pack(">I", 1) + struct.pack(">H", 3) + b"a.I" + b"x" + b"p"
    assert classes(java_stream(proxy)) == ["a.I"]


def test_arrays_of_arrays() -> None:
    assert classes(java_stream(array_of("[[La.B;", array_of("[La.B;", b"p")))) == ["a.B"]


@pytest.mark.parametrize("cut", range(5, 60, 5))
def test_what_is_cut_off(cut: int) -> None:
    data = java_stream(java_object("a.B", text_of("x" * 20), [("s", "Ljava/lang/String;")]))
    with pytest.raises(MalformedError):
        classes(data[:cut])


@pytest.mark.parametrize(
    "content",
    [b"\x60", b"q\x00\x7e\x00\x09", b"s" + text_of("x"), b"r\x00\x01a" + bytes(8) + b"\x02\x00\x01Q\x00\x01a", b"up"],
)
def test_what_is_no_content(content: bytes) -> None:
    with pytest.raises(MalformedError):
        classes(java_stream(content))


def test_an_object_that_only_its_class_reads() -> None:
    with pytest.raises(UnsupportedError):
        classes(java_stream(java_object("a.B", flags=4)))


def test_objects_nested_too_deeply() -> None:
    with pytest.raises(LimitError):
        classes(java_stream(b"u" + described("[La.B;") + b"\0\0\0\1" + b"uq\x00\x7e\x00\x00\0\0\0\1" * 6_000))


def test_a_class_above_itself() -> None:
    with pytest.raises(MalformedError):
        classes(java_stream(java_object("a.B", parent=b"q\x00\x7e\x00\x00")))


def test_a_key_that_refers_to_an_address() -> None:
    """The address stands before the table, which refers to it: handle 1 is the object, handle 0 its class."""

    def hashed(key: bytes) -> int | None:
        facts = Facts("m.ser", "m.ser", Budget(Limits()))
        table = java_object("java.util.Hashtable", b"w\x08" + bytes(8) + key + text_of("b") + b"x", flags=3)
        java_serialized.read(BytesSource(java_stream(java_object("java.net.URL"), text_of("a"), table)), facts)
        found: int | None = facts.anomalies[0].evidence["hashed"]
        return found

    assert hashed(b"q\x00\x7e\x00\x01") is not None
    assert hashed(b"q\x00\x7e\x00\x02") is None
