"""A decision over a dossier, made again under newer advisories: without the model, with the snapshot's name, and the same bytes each time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.advisories.snapshot import about_bundled
from openvet.cli import main
from openvet.evidence.signing import parse_statement

RECORD = {
    "schema_version": "1.6.7",
    "id": "GHSA-test-test-test",
    "summary": "Files that run code",
    "published": "2026-11-20T00:00:00Z",
    "modified": "2026-11-25T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "some-loader"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4"}]}],
        }
    ],
}
DECIDE = ("decide", "d", "--key", "owner.key.pub", "--policy", "baseline", "--fail-on", "never")
NOW = ("--as-of", "2026-11-28")
NEWER = ("--advisories", "new.json")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("newer")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SOURCE_DATE_EPOCH", "1795867200")  # 2026-11-28
        Path("m").mkdir()
        Path("m/README.md").write_text("---\nlicense: apache-2.0\n---\n# M\n\nA model for tests.\n")
        Path("m/requirements.txt").write_text("some-loader==1.2\n")
        Path("new.json").write_text(json.dumps(RECORD))
        assert run("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase").exit_code == 0
        assert run("check", "m", "--dossier", "d", "--sign", "owner.key", "--quiet").exit_code == 0
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")
    return tmp_path


def decided(*more: str) -> dict[str, Any]:
    found = run(*DECIDE, *more, "--statement", "decision")
    assert found.exit_code == 0, found.output
    body: dict[str, Any] = json.loads(found.stdout)["predicate"]
    assert list(schema("decision-v1").iter_errors(body)) == []
    assert parse_statement(found.stdout.encode()).predicate is not None
    return body


def outcomes(body: dict[str, Any], *lines: str) -> list[str]:
    known = {each["id"]: each["outcome"] for each in body["requirements"]}
    return [known[each] for each in lines]


def test_newer_advisories_decide_otherwise_and_are_named(place: Path) -> None:
    shutil.rmtree("m")  # nobody needs the model
    before, after = decided(*NOW), decided(*NOW, *NEWER)
    assert outcomes(before, "BASE-3", "BASE-4") == ["satisfied-by-evidence", "violated"]
    assert outcomes(after, "BASE-3", "BASE-4") == ["violated", "satisfied-by-evidence"]
    (line,) = (each for each in after["requirements"] if each["id"] == "BASE-3")
    assert line["offenders"] == ["GHSA-test-test-test"]
    ships = about_bundled()
    assert before["advisories"] == {"date": ships.date, "records": ships.records, "sha256": ships.sha256}
    named = after["advisories"]
    assert (named["date"], named["records"], named["judgedAgain"]) == ("2026-11-25", ships.records + 1, True)
    assert named["sha256"] != ships.sha256
    one, other = ({each["kind"]: each["sha256"] for each in body["inputs"]} for body in (before, after))
    assert {kind for kind in one if one[kind] != other[kind]} == {"advisories"}
    text = run(*DECIDE, *NOW, *NEWER).stdout
    assert f"published problems are known up to 2026-11-25, 3 days before; judged again for this decision (snapshot {named['sha256'][:12]}...)" in text  # fmt: skip
    assert f"known up to {ships.date}, 202 days before\n" in run(*DECIDE, *NOW).stdout


def test_the_same_gives_the_same_bytes(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("--statement", "decision", "--statement", "vsa")
    first = run(*DECIDE, *NOW, *NEWER, *kinds).stdout
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1827403200")
    assert run("dossier", "export", "d", "d.zip", "--key", "owner.key.pub").exit_code == 0
    shutil.move("new.json", "elsewhere.json")
    moved = run("decide", "d.zip", *DECIDE[2:], *NOW, "--advisories", "elsewhere.json", *kinds).stdout
    digests = [json.loads(each.splitlines()[0])["predicate"]["advisories"]["sha256"] for each in (first, moved)]
    assert digests[0] == digests[1]  # the same records, by whatever name
    shutil.move("elsewhere.json", "new.json")
    assert run("decide", "d.zip", *DECIDE[2:], *NOW, *NEWER, *kinds).stdout == first
    Path("new.json").write_text(json.dumps({**RECORD, "summary": "Otherwise"}))
    assert run(*DECIDE, *NOW, *NEWER, *kinds).stdout != first


def test_what_is_published_after_the_day_does_not_count(place: Path) -> None:
    assert outcomes(decided("--as-of", "2026-11-10", *NEWER), "BASE-3") == ["satisfied-by-evidence"]
    changed = run(*DECIDE, *NEWER, "--since", "2026-11-10", *NOW).stdout
    assert "BASE-3  satisfied-by-evidence -> violated" in changed


def test_a_check_decides_by_them_as_well(place: Path) -> None:
    found = json.loads(run("check", "m", "--policy", "baseline", *NOW, *NEWER, "--format", "json", "--fail-on", "never").stdout)  # fmt: skip
    (policy,) = found["models"][0]["policies"]
    again = decided(*NOW, *NEWER)
    assert policy["advisories"] == again["advisories"]
    assert {each["id"]: each["outcome"] for each in policy["requirements"]}["BASE-3"] == "violated"
    assert "judged again" in run("check", "m", "--policy", "baseline", *NOW, *NEWER).stdout
    assert run("check", "m", *NEWER).exit_code == 2  # belongs to --policy
    assert run("check", "m", "--policy", "baseline", *NOW, *NEWER, "--report", "p.html", "--quiet").exit_code == 3
    assert "judged again for this decision" in Path("p.html").read_text()


def test_a_dossier_without_that_statement_is_judged_by_its_scan_and_inventory(place: Path) -> None:
    asked = ("check", "m", "--dossier", "e", "--sign", "owner.key", "--quiet", "--statement", "scan", "--statement", "inventory")  # fmt: skip
    assert run(*asked).exit_code == 0
    bare = run("decide", "e", *DECIDE[2:], *NOW, "--format", "json")
    assert "advisories" not in json.loads(bare.stdout)["models"][0]["statements"][0]["predicate"]
    found = run("decide", "e", *DECIDE[2:], *NOW, *NEWER, "--format", "json")
    assert "there is no advisories statement" in found.stderr
    value = json.loads(found.stdout)["models"][0]["statements"][0]["predicate"]
    assert value["advisories"]["judgedAgain"] is True
    assert outcomes(value, "BASE-4") == ["satisfied-by-evidence"]


@pytest.mark.parametrize("text", ["[]", "{", '{"id": 3}'])
def test_what_is_no_advisory_is_refused(place: Path, text: str) -> None:
    Path("new.json").write_text(text)
    for command in (DECIDE, ("check", "m", "--policy", "baseline")):
        found = run(*command, *NOW, *NEWER)
        assert found.exit_code == 2, found.output
        assert "new.json: no advisory is in it" in found.stderr
