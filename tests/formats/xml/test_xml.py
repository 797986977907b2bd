"""The reader of XML: what it records, what it refuses, and that nothing is expanded."""

from __future__ import annotations

import pytest

from openvet.core.coverage import Coverage
from openvet.core.limits import Budget, Limits
from openvet.errors import LimitError, MalformedError, ReadError
from openvet.formats import xml as reader
from openvet.formats._format import Facts, Head, Likeness, Tensor
from openvet.io.source import BytesSource


def read(data: bytes, name: str = "a.xml") -> Facts:
    facts = Facts(name, name, Budget(Limits()))
    reader.read(BytesSource(data), facts)
    return facts


NET = (
    b'<?xml version="1.0"?><net name="m" version="11"><layers><layer id="0" name="w" type="Const" version="opset1">'
    b'<data element_type="f16" shape="2, 3" offset="64" size="12"/></layer></layers></net>'
)


def test_a_network() -> None:
    facts = read(NET, "m/a.xml")
    assert facts.tensors == [Tensor("w", "F16", (2, 3), None, 12)]
    assert facts.claims == {"a.bin": [(64, 12)]}
    assert (facts.coverage, facts.anomalies, facts.unknowns) == (Coverage.READ, [], [])
    assert {key: facts.metadata[key] for key in ("root", "elements", "layers")} == {
        "root": "net",
        "elements": 4,
        "layers": 1,
    }


def test_every_cut_is_a_read_error() -> None:
    for end in range(1, len(NET)):
        with pytest.raises(ReadError):
            read(NET[:end])


@pytest.mark.parametrize(
    ("data", "name", "likeness"),
    [
        (b'<?xml version="1.0"?><a/>', "x", Likeness.WEAK),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "x", Likeness.WEAK),
        ("<?xml version='1.0'?><a/>".encode("utf-16"), "x", Likeness.WEAK),
        (b"<a/>", "a.xml", Likeness.WEAK),
        (b"<a/>", "a.txt", Likeness.NO),
        (b"<!DOCTYPE html><html></html>", "a", Likeness.NO),
        (b"<p>text</p>", "README.md", Likeness.NO),
        (b"1 < 2", "a.xml", Likeness.NO),
    ],
)
def test_what_looks_like_it(data: bytes, name: str, likeness: Likeness) -> None:
    assert reader.probe(Head(name, BytesSource(data))) is likeness


def test_refused() -> None:
    with pytest.raises(LimitError, match="nested"):
        read(b"<a>" * 10_001)
    with pytest.raises(MalformedError, match="well-formed"):
        read(b"<a></b>")
    with pytest.raises(MalformedError, match="encoding"):
        read(b'<?xml version="1.0" encoding="no-such"?><a/>')


@pytest.mark.parametrize(
    "attributes", [" ".join(f'a{n} CDATA "b"' for n in range(20_000)), f'a CDATA "{"b" * 500_000}"']
)
def test_attributes_that_the_document_type_gives_are_a_bomb(attributes: str) -> None:
    """Every element would get all of them: what is given is counted, and stops the reading."""
    text = f"<!DOCTYPE PMML [<!ATTLIST PMML {attributes}>]><PMML>{'<PMML/>' * 5_000}</PMML>"
    facts = read(text.encode())
    assert [each.rule for each in facts.anomalies] == ["xml/entity-bomb"]
    assert facts.metadata["elements"] < 200
    assert facts.unknowns


def test_a_few_attributes_that_the_document_type_gives_are_none() -> None:
    text = f'<!DOCTYPE PMML [<!ATTLIST PMML version CDATA "4.4">]><PMML>{"<PMML/>" * 5_000}</PMML>'
    facts = read(text.encode())
    assert (facts.anomalies, facts.unknowns) == ([], [])


def test_a_bomb_in_attributes_is_told_before_it_goes_off() -> None:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    facts = read(b'<!DOCTYPE a [<!ENTITY l0 "ha">' + laughs + b']><a b="&l9;"/>')
    assert [each.rule for each in facts.anomalies] == ["xml/entity-bomb"]
