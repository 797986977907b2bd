"""Every archive rule, from the bytes to the finding: one that is bad, one that is good, one that evades."""

from __future__ import annotations

import stat
from types import ModuleType

import pytest

from openvet.checks._check import Context
from openvet.checks.archive import (
    checksum_mismatch,
    duplicate_member,
    encrypted_member,
    header_mismatch,
    hidden_data,
    hidden_member,
    link_escape,
    overlapping_members,
    path_traversal,
    special_member,
)
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.rule import Severity
from openvet.formats import gzip as gzip_format
from openvet.formats import tar as tar_format
from openvet.formats import zip as zip_format
from openvet.formats._format import Facts
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip

RULES = (
    checksum_mismatch, duplicate_member, encrypted_member, header_mismatch, hidden_data, hidden_member, link_escape,
    overlapping_members, path_traversal, special_member,
)  # fmt: skip
NOTE, MEDIUM, HIGH = Severity.NOTE, Severity.MEDIUM, Severity.HIGH


def inventory(data: bytes) -> Inventory:
    module: ModuleType = zip_format
    if data[257:262] == b"ustar":
        module = tar_format
    elif data.startswith(b"\x1f\x8b"):
        module = gzip_format
    facts = Facts("model.bin", "model.bin", Budget())
    module.read(BytesSource(data), facts)
    for member in facts.members:
        member.open().close()
    return Inventory((
        Component("model.bin", "model.bin", len(data), (module.FORMAT.id,), Coverage.READ, anomalies=tuple(facts.anomalies)),
    ))  # fmt: skip


def findings(data: bytes) -> list[Finding]:
    """What all archive rules say, in their order."""
    subject = inventory(data)
    return [finding for module in RULES for finding in module.check(Context(subject, module.RULE))]


def said(data: bytes) -> list[tuple[str, Severity]]:
    return [(finding.rule, finding.severity) for finding in findings(data)]


LINK = {"attributes": (stat.S_IFLNK | 0o777) << 16}
TAMPERED: list[tuple[str, bytes, list[tuple[str, Severity]]]] = [
    ("traversal in a zip", forge_zip([ZipPart(b"../a", b"1")]), [("archive/path-traversal", HIGH)]),
    ("traversal by backslash", forge_zip([ZipPart(b"a\\..\\..\\b", b"1")]), [("archive/path-traversal", HIGH)]),
    ("traversal in a tar", forge_tar([TarPart(b"/a", b"1")]), [("archive/path-traversal", HIGH)]),
    ("link out of a tar", forge_tar([TarPart(b"a", kind=b"2", linkname=b"/etc")]), [("archive/link-escape", HIGH)]),
    ("hard link out of a tar", forge_tar([TarPart(b"d/a", kind=b"1", linkname=b"../b")]), [("archive/link-escape", HIGH)]),
    ("link out of a zip", forge_zip([ZipPart(b"a", b"../b", central=LINK)]), [("archive/link-escape", HIGH)]),
    ("link inside", forge_tar([TarPart(b"a", kind=b"2", linkname=b"b")]), [("archive/link-escape", NOTE)]),
    ("duplicates", forge_tar([TarPart(b"a", b"1"), TarPart(b"./a", b"2")]), [("archive/duplicate-member", MEDIUM)]),
    ("same duplicates", forge_tar([TarPart(b"a", b"1"), TarPart(b"a", b"1")]), [("archive/duplicate-member", NOTE)]),
    ("other name", forge_zip([ZipPart(b"a", b"1", local={"name": b"b"})]), [("archive/header-mismatch", HIGH)]),
    ("NUL in a name", forge_zip([ZipPart(b"a\0b", b"1")]), [("archive/header-mismatch", HIGH)]),
    ("other size", forge_zip([ZipPart(b"a", b"12", 8, local={"size": 1})]), [("archive/header-mismatch", MEDIUM)]),
    ("other count", forge_zip([ZipPart(b"a", b"1")], count=2), [("archive/header-mismatch", MEDIUM)]),
    ("unlisted", forge_zip([ZipPart(b"a", b"1"), ZipPart(b"b", b"2", listed=False)]), [("archive/hidden-member", MEDIUM)]),
    ("after the end", forge_tar([TarPart(b"a", b"1")], suffix=forge_tar([TarPart(b"b")])), [("archive/hidden-member", MEDIUM)]),
    ("prefix", forge_zip([ZipPart(b"a", b"1")], prefix=b"MZ"), [("archive/hidden-data", MEDIUM)]),
    ("suffix", forge_zip([ZipPart(b"a", b"1")], suffix=b"\0\0x"), [("archive/hidden-data", MEDIUM)]),
    ("folder with content", forge_zip([ZipPart(b"d/", b"1")]), [("archive/hidden-data", MEDIUM)]),
    ("wrong CRC", forge_zip([ZipPart(b"a", b"1", local={"crc": 1}, central={"crc": 1})]), [("archive/checksum-mismatch", MEDIUM)]),
    ("wrong sum", forge_tar([TarPart(b"a", b"1", checksum=1)]), [("archive/checksum-mismatch", MEDIUM)]),
    ("encrypted", forge_zip([ZipPart(b"a", b"1", flags=1)]), [("archive/encrypted-member", MEDIUM)]),
    (
        "overlap",
        forge_zip([ZipPart(b"a", b"1"), ZipPart(b"a", b"1", written=False, central={"offset": 0})]),
        [("archive/duplicate-member", NOTE), ("archive/overlapping-members", HIGH)],
    ),
    ("device", forge_tar([TarPart(b"a", kind=b"3")]), [("archive/special-member", HIGH)]),
    ("set-user-id", forge_zip([ZipPart(b"a", b"1", central={"attributes": (stat.S_IFREG | 0o4755) << 16})]),
     [("archive/special-member", MEDIUM)]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), [case[1:] for case in TAMPERED], ids=[case[0] for case in TAMPERED])
def test_tampered(data: bytes, expected: list[tuple[str, Severity]]) -> None:
    assert said(data) == expected


def test_honest_archives_say_nothing() -> None:
    assert said(forge_zip([ZipPart(b"d/", b""), ZipPart(b"d/a", b"1" * 99, 8), ZipPart(b"b", b"2", flags=8)])) == []
    assert said(forge_tar([TarPart(b"d/", kind=b"5"), TarPart(b"d/a", b"1" * 99)])) == []


def test_a_finding_in_full() -> None:
    assert [
        finding.to_json()
        for finding in findings(forge_zip([ZipPart(b"notes.txt", b"1", local={"name": b"data\x1b.pkl"})]))
    ] == [
        {
            "rule": "archive/header-mismatch",
            "severity": "high",
            "confidence": "high",
            "location": {"place": "model.bin", "offset": 0},
            "message": "the member notes.txt has another name in its local header than in the directory",
            "remedy": "Do not load the file; ask its publisher for one that an ordinary tool wrote.",
            "evidence": {"kind": "name", "differs": {"name": ["notes.txt", "data\\x1b.pkl"]}},
        }
    ]


def test_remedies_end_and_messages_are_printable() -> None:
    for _, data, _ in TAMPERED:
        for finding in findings(data):
            assert finding.remedy.endswith(".")
            assert finding.message.isprintable()
            assert finding.evidence


@pytest.mark.parametrize("module", RULES, ids=lambda module: module.RULE.id)
def test_a_rule_without_anomalies_is_silent(module: ModuleType) -> None:
    empty = Inventory((Component("a", "a", 0, (), Coverage.READ),))
    assert list(module.check(Context(empty, module.RULE))) == []
