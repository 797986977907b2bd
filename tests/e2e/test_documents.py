"""From a model to a draft of Annex IV and the questions that only people can answer, in two commands; and what comes after."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.documents.samples import ACME, PACK
from tests.reports.test_snapshots import schema

from openvet.cli import main

NEVER = re.compile(r"complian|presumption of conformity", re.IGNORECASE)
FORMS = {"markdown": ".md", "html": ".html", "json": ".json"}
DAY = ("--as-of", "2026-11-28")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def document(name: str, *more: str) -> str:
    found = run("document", name, "d", "--key", "owner.key.pub", *DAY, *more)
    assert found.exit_code == 0, found.stderr
    return found.stdout


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "my-model"
    model.mkdir()
    card = "---\nlicense: mit\ndatasets: ['<img src=x onerror=alert(1)>']\n---\n# M\n\n<script>alert(1)</script>\n"
    model.joinpath("README.md").write_text(card)
    model.joinpath("config.json").write_text(
        json.dumps({"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2, "architectures": ["<script>"]})
    )
    assert run("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase").exit_code == 0
    return tmp_path


@pytest.fixture
def dossier(place: Path) -> Path:
    assert run("check", "./my-model", "--dossier", "d", "--sign", "owner.key", "--quiet").exit_code in (0, 3)
    return place


def test_two_commands_give_a_draft_of_annex_iv_and_the_questions(place: Path) -> None:
    assert run("check", "./my-model", "--dossier", "d", "--sign", "owner.key").exit_code in (0, 3)
    found = run("document", "annex-iv", "d", "--key", "owner.key.pub")
    assert found.exit_code == 0, found.stderr
    text = found.stdout
    assert text.count("\n### ") == 23
    assert "questions that only people can answer" in text
    assert "`openvet attest DOSSIER --document annex-iv --sign OWNER.key` asks them" in text
    assert "openvet dossier show DOSSIER --key OWNER.pub --line 3" in text
    # the line that a document names is the statement whose digest it gives
    number, sha256 = re.findall(
        r"<code>([0-9a-f]{64})</code> \| openvet dossier show DOSSIER .* --line (\d+) \|", text
    )[0][::-1]
    shown = run("dossier", "show", "d", "--key", "owner.key.pub", "--line", number).stdout
    import hashlib

    assert hashlib.sha256(shown.removesuffix("\n").encode()).hexdigest() == sha256


def test_what_is_told_beside_a_file_is_how_far_it_is_filled(dossier: Path) -> None:
    asked = ("document", "starter-kit", "d", "--key", "owner.key.pub", *DAY)
    found = run(*asked, "--output", "kit.md")
    assert (found.exit_code, found.stdout) == (0, "")
    said = "the document is in kit.md: 10 lines: 5 open, 5 nobody can say yet; openvet attest DOSSIER --document starter-kit --sign OWNER.key asks 7 questions"
    assert said in found.stderr, found.stderr
    assert "| state | 10 lines: 5 open, 5 nobody can say yet |" in Path("kit.md").read_text()


def test_answers_fill_the_lines_and_name_who_gave_them(dossier: Path) -> None:
    before = document("annex-iv")
    assert "annex_iv_1f" in before
    template = run(
        "attest", "d", "--document", "annex-iv", "--key", "owner.key.pub", "--template", "--date", "2026-11-20"
    ).stdout
    assert "  annex_iv_1f:" in template
    assert "  oversight_plan:" in template
    Path("plan.pdf").write_text("plan")
    Path("answers.yaml").write_text(
        "by: {name: R. Lima, role: officer}\nanswers:\n  annex_iv_1f: There are none.\n  oversight_plan: {answer: yes, file: plan.pdf, date: 2026-10-01}\n"
    )
    given = run(
        "attest",
        "d",
        "--document",
        "annex-iv",
        "--sign",
        "owner.key",
        "--answers",
        "answers.yaml",
        "--date",
        "2026-11-20",
    )
    assert given.exit_code == 0, given.stderr
    after = document("annex-iv")
    assert "There are none.</code> (attested by R. Lima (officer) on 2026" in after
    assert "plan.pdf, sha256:" in after
    left = run(
        "attest", "d", "--document", "annex-iv", "--key", "owner.key.pub", "--list", "--date", "2026-11-20"
    ).stdout
    assert "annex_iv_1f" not in left
    assert "annex_iv_1g" in left
    assert run("attest", "d", "--sign", "owner.key").exit_code == 2  # nobody asks


def test_statements_that_are_added_fill_more(place: Path) -> None:
    Path("my-model/requirements.txt").write_text("torch==2.5.1\n")
    assert run("check", "my-model", "--dossier", "d", "--sign", "owner.key", "--quiet").exit_code in (0, 3)
    assert "components of the bill of materials:" not in document("annex-iv")
    made = run("check", "my-model", "--statement", "cyclonedx", "--sign", "owner.key", "--output", "bill.json")
    assert made.exit_code in (0, 3), made.stderr
    claims = ("--statement", "--model", "my-model", "--sign", "owner.key", "--output", "claims.json")
    assert run("claims", "--parameters", "1e9", "--tokens", "1e11", *claims).exit_code in (0, 3)
    assert run("dossier", "add", "d", "bill.json", "claims.json", "--key", "owner.key").exit_code == 0
    text = document("annex-iv")
    assert re.search(r"components of the bill of materials: <code>.*torch", text)
    assert re.search(r"operations of training by the declared figures, at least: <code>[^<]*</code> \(derived\)", text)


def test_every_document_in_every_form_twice_and_elsewhere_is_the_same_bytes(dossier: Path) -> None:
    names = [each["name"] for each in json.loads(run("document", "list", "--format", "json").stdout)["list"]]
    assert {
        "annex-iv",
        "annex-xi",
        "annex-xii",
        "training-summary",
        "model-documentation-form",
        "checklist",
        "oscal",
        "model-card",
    } <= set(names)
    shutil.copytree("d", "elsewhere")
    for name in names:
        packs = ("--policy", "eu-ai-act", "--policy", "nist-ai-rmf") if name in ("checklist", "oscal") else ()
        for form in {"oscal": ("json",), "model-card": ("markdown",)}.get(name, tuple(FORMS)):
            text = document(name, *packs, "--format", form)
            again = run("document", name, "elsewhere", "--key", "owner.key.pub", *DAY, *packs, "--format", form)
            assert again.stdout == text, (name, form)
            assert NEVER.findall(text) == [], (name, form)
            if form != "json" and name != "model-card":
                assert "<script" not in text
                assert "<img" not in text
            if form == "json" and name != "oscal":
                assert list(schema("document-v1").iter_errors(json.loads(text))) == []


@pytest.mark.parametrize("pack", ["nist-ai-rmf", "singapore", "china", "baseline"])
def test_a_checklist_of_any_pack(dossier: Path, pack: str) -> None:
    asked = run("policy", "show", pack, "--format", "json")
    requirements = [each["id"] for each in json.loads(asked.stdout)["requirements"]]
    made = json.loads(document("checklist", "--policy", pack, "--format", "json"))["documents"][0]
    assert [each["id"] for each in made["lines"]] == requirements


def test_a_document_of_a_pack_of_ones_own(dossier: Path) -> None:
    Path("pack/documents").mkdir(parents=True)
    Path("pack/pack.yaml").write_bytes(PACK)
    Path("pack/documents/acme.yaml").write_bytes(ACME)
    assert "# Our sheet" in document("acme", "--policy", "./pack")
    assert "acme " in run("document", "list", "--policy", "./pack").stdout
    assert run("document", "acme", "d", "--key", "owner.key.pub").exit_code == 2
    Path("pack/documents/acme.yaml").write_bytes(ACME.replace(b"profile.parameters", b"profile.params"))
    found = run("policy", "lint", "./pack", *DAY)
    assert found.exit_code == 1
    assert "documents/acme.yaml:7: there is no fact, step or answer 'profile.params'" in found.stderr


def test_a_document_of_a_model_at_once_says_that_nobody_signed_it(place: Path) -> None:
    found = run("document", "annex-xii", "--model", "./my-model", *DAY)
    assert found.exit_code == 0, found.stderr
    assert "made just now and signed by nobody" in found.stdout
    assert "--line" not in found.stdout


def test_a_dossier_that_was_changed_gives_no_document(dossier: Path) -> None:
    claims = dossier / "d" / "claims.jsonl"
    claims.write_bytes(claims.read_bytes().replace(b"A", b"B", 1))
    found = run("document", "annex-iv", "d", "--key", "owner.key.pub", "--output", "out.md")
    assert found.exit_code == 1
    assert "NOT verified: d: " in found.stderr
    assert not Path("out.md").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("annex-v", "d", "--key", "owner.key.pub"), "there is no document 'annex-v'"),
        (("annex-iv",), "name the DOSSIER that it is written from, or --model"),
        (("annex-iv", "d"), "--key says whose the dossier is"),
        (("annex-iv", "--model", "my-model", "--key", "owner.key.pub"), "belong to a DOSSIER"),
        (("checklist", "d", "--key", "owner.key.pub"), "--policy says by which packs the checklist is made"),
        (("oscal", "d", "--key", "owner.key.pub", "--policy", "baseline", "--format", "html"), "OSCAL is written as JSON"),
        (("model-card", "d", "--key", "owner.key.pub", "--format", "html"), "a model card is Markdown"),
        (("annex-iv", "d", "--key", "owner.key.pub", "--as-of", "soon"), "--as-of 'soon' is no day"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(dossier: Path, arguments: tuple[str, ...], says: str) -> None:
    found = run("document", *arguments)
    assert found.exit_code == 2
    assert says in found.stderr


def test_no_pack_and_no_document_says_what_a_tool_cannot_know() -> None:
    import openvet.packs

    folder = Path(openvet.packs.__file__).parent
    for path in sorted({*folder.rglob("*.yaml"), *folder.rglob("*.md")}):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
        assert re.findall(r"\bcompliant\b|presumption of conformity", "\n".join(lines), re.IGNORECASE) == [], path.name
