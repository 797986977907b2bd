"""Layouts and stores: oci/digest-mismatch and oci/descriptor are told by the cases, and by nothing else that looks alike."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        ("oci/digest-mismatch", "blobs/sha512/" + "0" * 64, "a"),
        ("oci/digest-mismatch", "sha256/" + "0" * 64, "a"),
        ("oci/descriptor", "a.json", '{"schemaVersion": 1, "layers": [{"mediaType": "a", "digest": "b"}]}'),
        ("oci/descriptor", "a.json", '{"schemaVersion": 2, "layers": [{"class_name": "Dense"}], "config": []}'),
    ],
)
def test_look_alikes(tmp_path: Path, rule: str, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert rule not in {each.rule for each in openvet.check(tmp_path).models[0].scan.all_findings()}
