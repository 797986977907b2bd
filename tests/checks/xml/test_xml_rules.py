"""Each rule about XML, with a text that it tells and one that it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        ("xml/external-entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "b">]><a/>', '<!DOCTYPE a [<!ENTITY x "b">]><a/>'),
        (
            "xml/entity-bomb",
            '<!DOCTYPE a [<!ENTITY x "&x;">]><a/>',
            '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a/>',
        ),
        (
            "xml/external-reference",
            '<?xml-stylesheet href="http://localhost/a.xsl"?><a/>',
            '<?xml-stylesheet href="#b"?><a/>',
        ),
        ("xml/script", '<svg><a href="javascript:a"/></svg>', '<svg><a href="b"/></svg>'),
        ("xml/object-graph", '<java class="java.beans.XMLDecoder"/>', '<java class="b"/>'),
        ("openvino/custom-layer", '<net><layer version="mine"/></net>', '<net><layer version="opset12"/></net>'),
        (
            "openvino/bytes-outside",
            '<net><layer type="Const"><data offset="x" size="1"/></layer></net>',
            '<net><layer type="Const"><data offset="1" size="1"/></layer></net>',
        ),
    ],
)
def test_bad_and_good(tmp_path: Path, rule: str, bad: str, good: str) -> None:
    for text, told in ((bad, True), (good, False)):
        path = tmp_path / "a.xml"
        path.write_text(text)
        found = {each.rule for each in openvet.check(path).models[0].scan.all_findings()}
        assert (rule in found) is told, text
