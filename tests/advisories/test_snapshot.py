"""What ships is whole, valid and dated; what a user brings is read with limits."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import openvet
from openvet.advisories import snapshot
from openvet.advisories.osv import read_record
from openvet.advisories.snapshot import about_bundled, bundled, from_path, joined, triggers
from openvet.core.tables import read_table
from openvet.errors import UsageError
from openvet.inventory.identify import formats
from openvet.version import ADVISORIES_OF
from openvet.workflows.knowledge import rule_texts

DATA = Path(openvet.__file__).parent / "data" / "advisories"
LINES = (DATA / "records.jsonl").read_bytes().splitlines()
SCHEMA = json.loads((Path(__file__).resolve().parents[1] / "vendor" / "osv-schema.json").read_text(encoding="utf-8"))


def one(name: str = "some-loader", **more: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": "2"}]
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}]
    return {"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-11-01T00:00:00Z", "affected": affected, **more}


# --- what ships ---


def test_the_records_are_those_that_were_made() -> None:
    head = read_table("advisories/records")
    assert hashlib.sha256((DATA / "records.jsonl").read_bytes()).hexdigest() == head["sha256"]
    assert len(LINES) == head["records"]
    assert (DATA / "records.jsonl").stat().st_size < 1_500_000
    ids = [json.loads(line)["id"] for line in LINES]
    assert ids == sorted(set(ids))


def test_every_record_is_valid_and_understood() -> None:
    checker = Draft202012Validator(SCHEMA)
    wanted = {each for names in read_table("advisories/packages").values() for each in names}
    for line in LINES:
        value = json.loads(line)
        assert [each.message for each in checker.iter_errors(value)] == [], value["id"]
        record = read_record(value)
        assert record.affected
        assert not record.withdrawn
        for each in record.affected:
            assert each.name in wanted, value["id"]
            assert each.ordered, value["id"]
            assert each.intervals or each.versions, value["id"]


def test_our_own_records_are_valid() -> None:
    checker = Draft202012Validator(SCHEMA)
    for entry in read_table("advisories/loaders")["advisory"]:
        if "affected" in entry:
            value = snapshot._as_osv(entry)
            assert [each.message for each in checker.iter_errors(value)] == [], entry["id"]
            record = read_record(value)
            assert len(record.affected) == len(entry["affected"])
            assert entry.get("unfixed") or all(each.fixed for each in record.affected), entry["id"]
            assert entry["references"]


def test_the_table_names_rules_formats_and_records_that_there_are() -> None:
    rules = {each.id for each in rule_texts()}
    known = {module.FORMAT.id for module in formats().modules}
    names = {
        name for line in LINES for value in [json.loads(line)] for name in (value["id"], *value.get("aliases", []))
    }
    for entry in read_table("advisories/loaders")["advisory"]:
        assert set(entry.get("rules", ())) <= rules, entry["id"]
        assert set(entry.get("formats", ())) <= known, entry["id"]
        assert "affected" in entry or entry["id"] in names, f"{entry['id']} is in no record, and none stands here"
        assert not (entry.get("rules") or entry.get("formats")) or entry["evidence"]


def test_advisories_that_rules_call_triggers_are_in_the_table() -> None:
    """Of each rule in the table: the CVE numbers of its own documentation that are about a version."""
    table = {entry["id"]: entry for entry in read_table("advisories/loaders")["advisory"]}
    for rule in (
        "hub/attention-implementation",
        "keras/lambda-code",
        "keras/pickled-module",
        "hdf5/external-file",
        "torch/storage-mismatch",
    ):
        family, name = rule.split("/")
        text = (Path(openvet.__file__).parent / "checks" / family / f"{name.replace('-', '_')}.py").read_text(
            encoding="utf-8"
        )
        for each in re.findall(r"CVE-\d+-\d+", text.split('"""')[1]):
            assert rule in table[each]["rules"]


def test_it_says_how_old_it_is() -> None:
    about = about_bundled()
    assert date.fromisoformat(about.date) <= date.fromisoformat(ADVISORIES_OF)
    assert read_table("advisories/loaders")["date"] == ADVISORIES_OF
    assert about.date == about.sources[0].retrieved
    assert about.stale_after == snapshot.STALE_AFTER
    assert about.records == len(LINES) + sum(
        "affected" in each for each in read_table("advisories/loaders")["advisory"]
    )


def test_only_what_is_asked_for_is_parsed() -> None:
    few = bundled().records
    assert sum(each.trigger is not None for each in few) > 30
    assert len(few) < 60
    torch = bundled(["torch"]).records
    assert {one.name for each in torch if not each.trigger for one in each.affected} >= {"torch"}
    assert len(bundled(["tensorflow"]).records) > 400


def test_a_published_record_takes_the_place_of_ours() -> None:
    ids = [name for each in bundled(["keras"]).records for name in each.names]
    assert ids.count("CVE-2025-9905") == 1
    assert next(each for each in bundled().records if "CVE-2025-9905" in each.names).trigger is not None


def test_what_reaches_anything() -> None:
    rules, alone = triggers()
    assert "hub/attention-implementation" in rules
    assert alone == {"torch-tar"}


# --- what a user brings ---


def test_a_folder_a_file_and_a_zip(tmp_path: Path) -> None:
    folder = tmp_path / "osv"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(one()))
    (folder / "b.json").write_text(json.dumps(one("other", id="PYSEC-1")))
    (folder / "c.txt").write_text("no")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for each in sorted(folder.glob("*.json")):
            archive.write(each, each.name)
    (tmp_path / "list.json").write_text(json.dumps([one(), one("other", id="PYSEC-1")]))
    (tmp_path / "lines.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in (one(), one("other", id="PYSEC-1")))
    )
    for name in ("osv", "all.zip", "list.json", "lines.jsonl"):
        found = from_path(str(tmp_path / name), "", ["some-loader"])
        assert [each.id for each in found.records] == ["GHSA-aaaa-bbbb-cccc"]
        assert (found.about.records, found.about.date, found.refused) == (2, "2026-11-01", ())
    assert from_path(str(folder), "", []).about.sha256 == from_path(str(tmp_path / "all.zip"), "", []).about.sha256


def test_the_table_knows_records_of_others(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(one("transformers", aliases=["CVE-2026-4372"])))
    (record,) = from_path(str(tmp_path), "").records
    assert record.trigger is not None
    assert record.trigger.rules == ("hub/attention-implementation",)
    both = joined(from_path(str(tmp_path), ""), bundled())
    assert both.records[0].id == "GHSA-aaaa-bbbb-cccc"
    assert both.about.date == "2026-11-01"


def test_files_that_are_none_are_told_and_cost_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(one()))
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.json").write_text("[" * 100_000)
    (tmp_path / "d.json").write_text('{"id": 7}')
    (tmp_path / "e.json").write_bytes(b"\xff\xfe")
    (tmp_path / "f.json").write_text('{"id": "A", "modified": 7, "affected": []}')
    found = from_path(str(tmp_path), "2026-11-20", ["some-loader"])
    assert len(found.records) == 1
    assert len(found.refused) == 4
    assert found.about.date == "2026-11-20"
    for number in range(30):
        (tmp_path / f"x{number}.json").write_text("no")
    assert "more" in from_path(str(tmp_path), "").refused[-1]


@pytest.mark.parametrize("data", [b"", b"no", b"PK\3\4 broken", b"{}", b"[]", b"[1, 2]"])
def test_what_is_no_advisory_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(UsageError):
        from_path(str(path), "")


def test_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * 50_000_000)
    with pytest.raises(UsageError, match="more than 8388608 bytes"):
        from_path(str(tmp_path / "bomb.zip"), "")
    monkeypatch.setattr(snapshot, "_TOTAL", 500)
    (tmp_path / "lots").mkdir()
    for number in range(5):
        (tmp_path / "lots" / f"{number}.json").write_text(json.dumps(one()))
    with pytest.raises(UsageError, match="500 bytes of advisories"):
        from_path(str(tmp_path / "lots"), "")
    with pytest.raises(UsageError, match="No such file"):
        from_path(str(tmp_path / "nothing"), "")
