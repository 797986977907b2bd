"""``openvet advisories`` as a whole: models, dossiers without their model, bills of materials, VEX documents, and what it costs a check."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

from openvet.advisories import snapshot
from openvet.cli import main
from openvet.core.progress import Progress
from openvet.core.rule import Severity
from openvet.errors import UsageError, VerifyError
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1, AdvisoryHit
from openvet.evidence.statement import ResourceDescriptor
from openvet.reports import vex
from openvet.reports.advisories import do_about, in_short, is_stale, subject
from openvet.reports.look import Look
from openvet.workflows.advisories import Asked, Judged, judge
from openvet.workflows.check import Options, check
from openvet.workflows.keys import new_key, read_private, read_public

VENDOR = Path(__file__).resolve().parents[1] / "vendor"
MOMENT = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = "_attn_implementation_internal"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({KEY: "somebody/kernel"}))
    (folder / "requirements.txt").write_text("torch==2.5.1\nnumpy\n")
    return folder


def ask(path: Path, **how: Any) -> Judged:
    (found,) = judge(str(path), Asked(**how), Options(), Progress())
    return found


def by_name(found: Judged) -> dict[str, AdvisoryHit]:
    return {each.published: each for each in found.advisories.hits}


def test_a_model(model: Path) -> None:
    found = ask(model)
    hits = by_name(found)
    attention = hits["CVE-2026-4372"]
    assert (attention.name, attention.status, attention.fixed) == ("transformers", "unknown", ("5.3.0",))
    assert [(feature, str(where)) for feature, where in attention.reasons] == [
        ("hub/attention-implementation", f"config.json /{KEY}")
    ]
    assert hits["CVE-2025-32434"].status == "affected"
    assert not hits["CVE-2025-32434"].reasons
    assert hits["CVE-2019-6446"].status == "may-be-affected"
    assert found.hit
    assert found.basis == "model"
    assert found.subject.digest == {}
    assert found.advisories.hits[0] == attention  # content comes first
    assert ask(model, digests=True).subject.digest["dirHash"]


def test_a_loader_that_somebody_has(model: Path) -> None:
    assert by_name(ask(model, loaders=("transformers==5.2.0",)))["CVE-2026-4372"].status == "affected"
    assert by_name(ask(model, loaders=("Transformers == 5.4",)))["CVE-2026-4372"].status == "not-affected"
    assert by_name(ask(model, loaders=("transformers>=5",)))["CVE-2026-4372"].status == "may-be-affected"
    with pytest.raises(UsageError, match="write NAME==VERSION"):
        ask(model, loaders=("transformers=5",))


def test_a_program_that_is_in_no_index(tmp_path: Path) -> None:
    record = {"id": "CVE-1", "affected": [{"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.4.0"}]}],
                                           "database_specific": {"openvet": {"loader": "R"}}}]}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(record))
    (tmp_path / "m.txt").write_text("text")
    for version, status in (("4.3.1", "affected"), ("4.4.0", None)):
        found = by_name(ask(tmp_path / "m.txt", loaders=(f"R=={version}",), more=(str(tmp_path / "a.json"),)))
        assert (found["CVE-1"].status if status else found.get("CVE-1")) == status
    for version, there in (("b8145", True), ("8000", True), ("b8146", False)):
        assert ("CVE-2026-27940" in by_name(ask(tmp_path / "m.txt", loaders=(f"LLAMA.cpp=={version}",)))) is there
    found = by_name(ask(tmp_path / "m.txt", loaders=("github.com/ollama/ollama==0.17.0",)))
    assert found["CVE-2026-7482"].status == "affected"


def test_nothing_is_known_of_a_harmless_model_and_nothing_is_read_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')

    def never(*_: object) -> None:
        raise AssertionError("the records were read")

    monkeypatch.setattr(snapshot, "bundled", never)
    found = ask(tmp_path)
    assert found.advisories.hits == ()
    assert not found.hit
    report = check([str(tmp_path)])
    assert isinstance(report.models[0].answers["advisories"], AdvisoriesV1)


def test_as_of_an_earlier_day(model: Path) -> None:
    assert "CVE-2026-4372" not in by_name(ask(model, as_of=date(2026, 5, 1)))
    found = ask(model, as_of=date(2026, 6, 1))
    assert "CVE-2026-4372" in by_name(found)
    assert found.advisories.as_of == "2026-06-01"


# --- without the model ---


@pytest.mark.parametrize("kinds", [("scan", "inventory"), ("scan",), ("advisories",)])
def test_a_dossier_answers_newer_advisories_after_its_model_is_gone(
    model: Path, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    key = tmp_path / "owner.key"
    new_key(str(key), "ed25519", None)
    kept = [option for kind in kinds for option in ("--statement", kind)]
    ran = CliRunner().invoke(main, ["check", str(model), "--dossier", str(tmp_path / "d"), "--sign", str(key), *kept])
    assert ran.exit_code == 1, ran.output
    before = ask(model)
    shutil.rmtree(model)
    newer = {"id": "GHSA-new", "published": "2026-11-28T00:00:00Z", "modified": "2026-11-28T00:00:00Z",
             "affected": [{"package": {"ecosystem": "PyPI", "name": "newloader"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}],
             "database_specific": {"openvet": {"features": ["hub/attention-implementation"], "evidence": "the same key"}}}  # fmt: skip
    (tmp_path / "newer.json").write_text(json.dumps(newer))
    found = ask(tmp_path / "d", key=read_public(f"{key}.pub"), more=(str(tmp_path / "newer.json"),))
    assert found.basis == "dossier"
    assert by_name(found)["GHSA-new"].status == "unknown"
    assert found.advisories.snapshot.date == "2026-11-28"
    if kinds != ("scan",):  # the packages are in the inventory, or in the statement itself
        assert set(by_name(found)) == {*by_name(before), "GHSA-new"}
    with pytest.raises(UsageError, match="--key"):
        ask(tmp_path / "d")
    packed = CliRunner().invoke(
        main, ["dossier", "export", str(tmp_path / "d"), str(tmp_path / "d.zip"), "--key", f"{key}.pub"]
    )
    assert packed.exit_code == 0, packed.output
    assert set(by_name(ask(tmp_path / "d.zip", key=read_public(f"{key}.pub")))) == set(by_name(found)) - {"GHSA-new"}
    new_key(str(tmp_path / "other.key"), "ed25519", None)
    with pytest.raises(VerifyError):
        ask(tmp_path / "d", key=read_public(str(tmp_path / "other.key.pub")))


def test_a_file_of_signed_statements(model: Path, tmp_path: Path) -> None:
    key = tmp_path / "k"
    new_key(str(key), "ed25519", None)
    assert read_private(str(key), lambda _: None)
    ran = CliRunner().invoke(
        main, ["check", str(model), "--statement", "advisories", "--sign", str(key), "-o", str(tmp_path / "s.json")]
    )
    assert ran.exit_code == 1, ran.output
    found = ask(tmp_path / "s.json", key=read_public(f"{key}.pub"))
    assert found.basis == "statement"
    assert "CVE-2026-4372" in by_name(found)


def test_a_bill_of_materials(tmp_path: Path) -> None:
    bill = tmp_path / "bom.json"
    bill.write_text(
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "components": [{"purl": "pkg:pypi/torch@2.5.1"}, {"purl": "pkg:pypi/safetensors@0.6"}],
            }
        )
    )
    found = ask(bill)
    assert found.basis == "bom"
    assert by_name(found)["CVE-2025-32434"].status == "affected"
    assert [str(each.location) for each in found.advisories.packages] == [
        "bom.json /components/0",
        "bom.json /components/1",
    ]


def test_what_others_say_stands_beside(model: Path, tmp_path: Path) -> None:
    said = {"@context": "https://openvex.dev/ns/v0.2.0", "author": "vendor",
            "statements": [{"vulnerability": {"name": "CVE-2025-32434"}, "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"}]}  # fmt: skip
    (tmp_path / "v.json").write_text(json.dumps(said))
    plain, found = ask(model), ask(model, vex=(str(tmp_path / "v.json"),))
    hit = by_name(found)["CVE-2025-32434"]
    assert hit.status == "affected"
    assert hit.vex[0].status == "not_affected"
    assert found.hit
    assert len(found.advisories.hits) == len(plain.advisories.hits)
    assert "said of CVE-2025-32434 by vendor in v.json: not_affected" in subject("m", found.advisories, MOMENT.date())
    (tmp_path / "v.json").write_text("{}")
    with pytest.raises(UsageError, match="neither OpenVEX nor CycloneDX"):
        ask(model, vex=(str(tmp_path / "v.json"),))


# --- what is written ---


def errors(name: str, value: Any) -> list[str]:
    document = json.loads((VENDOR / name).read_text(encoding="utf-8"))
    if not name.startswith("cyclonedx"):
        return [each.message for each in Draft202012Validator(document).iter_errors(value)]
    registry: Registry[Any] = Registry()
    for part in (
        "cyclonedx-cryptography-defs.schema.json",
        "cyclonedx-jsf-0.82.schema.json",
        "cyclonedx-spdx.schema.json",
    ):
        resource = Resource.from_contents(json.loads((VENDOR / part).read_text(encoding="utf-8")))
        registry = registry.with_resource(f"http://cyclonedx.org/schema/{part.removeprefix('cyclonedx-')}", resource)
    return [each.message[:300] for each in Draft7Validator(document, registry=registry).iter_errors(value)]


@pytest.mark.parametrize(
    "loaders", [(), ("transformers==5.2.0",), ("transformers==5.4", "github.com/ollama/ollama==0.1.0", "R==4.0")]
)
def test_the_documents_are_valid_and_say_the_same(model: Path, loaders: tuple[str, ...]) -> None:
    found = ask(model, loaders=loaders)
    open_vex = vex.openvex(found.subject, found.advisories, MOMENT)
    bill = vex.cyclonedx(found.subject, found.advisories, MOMENT)
    assert errors("openvex-0.2.0.json", open_vex) == []
    assert errors("cyclonedx-1.7.json", bill) == []
    assert open_vex == vex.openvex(found.subject, found.advisories, MOMENT)
    assert len(open_vex["statements"]) == len(bill["vulnerabilities"]) == len(found.advisories.hits)
    first = open_vex["statements"][0]
    expected = {(): "under_investigation", ("transformers==5.2.0",): "affected"}.get(loaders, "not_affected")
    assert first["vulnerability"]["name"] == "CVE-2026-4372" or loaders[2:]
    statuses = {each["vulnerability"]["name"]: each["status"] for each in open_vex["statements"]}
    assert statuses["CVE-2026-4372"] == expected


def test_what_we_write_can_be_read_back(model: Path, tmp_path: Path) -> None:
    found = ask(model)
    for name, make in (("o.json", vex.openvex), ("c.json", vex.cyclonedx)):
        (tmp_path / name).write_text(json.dumps(make(found.subject, found.advisories, MOMENT)))
        again = ask(model, vex=(str(tmp_path / name),))
        assert all(each.vex for each in again.advisories.hits)
    packages = {(each.name, each.specifier) for each in ask(tmp_path / "c.json").advisories.packages}
    assert {("torch", "==2.5.1"), ("numpy", ""), ("transformers", "")} == packages


def test_no_hit_is_a_valid_document_too(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    found = ask(tmp_path / "x.json").advisories
    about = ResourceDescriptor("x.json", {"sha256": "ab" * 32})
    assert errors("cyclonedx-1.7.json", vex.cyclonedx(about, found, MOMENT)) == []
    assert vex.openvex(about, found, MOMENT)["statements"] == []


# --- what people see ---


def test_the_text_says_how_old_the_knowledge_is(model: Path) -> None:
    found = ask(model).advisories
    day = date.fromisoformat(found.snapshot.date)
    assert not is_stale(found, day)
    assert is_stale(found, date(2027, 5, 1))
    late = subject("m", found, date(2027, 5, 1), Look(width=1000))
    assert "356 days ago: stale" in late
    assert "stale" not in subject("m", found, day)


def test_the_text_says_what_to_do(model: Path) -> None:
    text = subject("m\x1b[2J", ask(model).advisories, MOMENT.date(), Look(width=1000))
    assert "CVE-2026-4372 of transformers (critical): version not known" in text
    assert "do: use transformers 5.3.0 or later, and still look at what the rules say" in text
    assert "named: torch ==2.5.1 (requirements.txt:1)" in text
    assert "do: use torch 2.10.0 or later" in text
    assert "\x1b" not in text
    assert do_about([AdvisoryHit("A", (), "PyPI", "x", "affected")]) == "no version of x is known that repairs A"


def test_a_check_says_it_in_a_line_and_a_note(model: Path) -> None:
    (report,) = check([str(model)]).models
    found = report.answers["advisories"]
    assert isinstance(found, AdvisoriesV1)
    assert in_short(found).startswith(
        "content reaches published problems of transformers; 4 published problems of versions that it names: torch"
    )
    notes = [each for each in report.findings if each.rule == "advisories/affected-package"]
    assert [(str(each.location), each.message) for each in notes] == [
        (
            "requirements.txt:1",
            "names torch ==2.5.1, which has published problems: CVE-2026-24747, CVE-2025-32434, CVE-2025-3730, CVE-2025-2953",
        )
    ] or notes[0].message.startswith("names torch ==2.5.1")
    assert notes[0].remedy == "Use torch 2.10.0 or later."
    assert report.decision.verdict == "reject"  # for the key in the configuration alone


def test_a_named_package_alone_rejects_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch==2.5.1\n")
    (report,) = check([str(tmp_path)]).models
    assert [str(each.severity) for each in report.findings if each.rule.startswith("advisories/")] == ["note"]
    (tmp_path / "requirements.txt").write_text("torch>=2.0\nnumpy\n")  # a range that allows others is no finding
    (report,) = check([str(tmp_path)]).models
    assert not [each for each in report.findings if each.rule.startswith("advisories/")]


def test_a_note_reaches_nothing(tmp_path: Path) -> None:
    """A rule that calls what it found harmless says with a note that it was looked at."""
    from tests.evidence.vectors import REJECTED

    from openvet.advisories.facts import files_of

    (config,) = [each for each in REJECTED.scan.files if each.path == "config.json"]
    notes = replace(config, findings=tuple(replace(each, severity=Severity.NOTE) for each in config.findings))
    assert files_of(replace(REJECTED.scan, files=(config,), findings=()))[0].rules
    assert not files_of(replace(REJECTED.scan, files=(notes,), findings=()))[0].rules


def test_the_standard_statement_has_them_too(model: Path) -> None:
    from openvet.workflows.statements import Asked as When
    from openvet.workflows.statements import statements_of

    (report,) = check([str(model)]).models
    (made,) = statements_of(report, ["vulns"], When(MOMENT, MOMENT))
    results = {each["id"]: each for each in made.predicate.to_json()["scanner"]["result"]}
    assert results["CVE-2026-4372"]["severity"] == [
        {"method": "openvet", "score": "critical"},
        {"method": "published", "score": "critical"},
    ]
    assert results["CVE-2025-32434"]["annotations"] == [
        {"ecosystem": "PyPI", "package": "torch", "status": "affected", "fixed": ["2.6.0"]}
    ]
    assert "CVE-2019-6446" not in results  # numpy in any version only may be


@pytest.mark.parametrize("form", ["text", "json", "openvex", "cyclonedx"])
def test_the_command(model: Path, form: str) -> None:
    ran = CliRunner().invoke(main, ["advisories", str(model), "--format", form, "--as-of", "2026-11-28"])
    assert ran.exit_code == 1, ran.output
    assert form == "text" or json.loads(ran.stdout)


def test_the_command_refuses_what_makes_no_sense(model: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/x.txt").write_text("x")
    for more in (
        ["--as-of", "tomorrow"],
        ["--format", "openvex", str(tmp_path / "other")],
        ["--advisories", str(tmp_path / "none")],
        ["--vex", "no"],
    ):
        assert CliRunner().invoke(main, ["advisories", str(model), *more]).exit_code == 2, more
    assert CliRunner().invoke(main, ["advisories", str(tmp_path / "other")]).exit_code == 0
    assert CliRunner().invoke(main, ["advisories", str(tmp_path / "nothing")]).exit_code == 2
