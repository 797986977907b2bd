"""``--report`` and ``openvet dossier report``: pages in files, whole or not at all, beside whatever else is printed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.browser.models import hostile, ordinary, tuned
from tests.reports.test_markup import read
from tests.reports.test_snapshots import schema

from openvet.cli import main


def run(*arguments: str | Path) -> tuple[int, str, str]:
    found = CliRunner().invoke(main, list(map(str, arguments)))
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    return tmp_path


def left(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_a_page_beside_what_is_printed(here: Path) -> None:
    tuned(here, "m")
    plain = run("check", "m")
    code, out, said = run("check", "m", "--report", "page.html")
    assert (code, out) == plain[:2]
    assert said == "the page is in page.html\n"
    page = Path("page.html").read_text(encoding="utf-8")
    assert "What its own licence drops" in "".join(read(page).text)
    assert left(here) == {"m", "page.html"}


def test_what_is_for_programs_stays_as_it_is(here: Path) -> None:
    ordinary(here, "m")
    for form in ("json", "sarif", "jsonl", "markdown"):
        assert run("check", "m", "-f", form)[1] == run("check", "m", "-f", form, "--report", "page.html", "-q")[1]


def test_several_pages_and_several_models(here: Path) -> None:
    ordinary(here, "good")
    hostile(here, "bad")
    code, out, said = run("check", "good", "bad", "nowhere", "--report", "a.html", "--report", "a.md", "--quiet")
    assert code == 1
    assert "nowhere" in said
    assert "the page is in" not in said
    found = read(Path("a.html").read_text(encoding="utf-8"))
    text = "".join(found.text)
    assert "3 models" in text
    assert "1 reject, 1 admit, 1 not checked" in text
    assert sum(name == "article" and attributes.get("class") == "one" for name, attributes in found.elements) == 2
    assert "REJECT: bad" in Path("a.md").read_text(encoding="utf-8")
    assert len(out.splitlines()) == 2


def test_a_scan_can_have_a_page_too(here: Path) -> None:
    ordinary(here, "m")
    for form in ("text", "json", "markdown"):
        plain = run("scan", "m", "-f", form)[1]
        assert run("scan", "m", "-f", form, "--report", "page.html")[1] == plain
    assert "What it needs" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["page.txt", "page", ".html/page", "page.json"])
def test_other_endings_are_refused_before_the_work(here: Path, name: str) -> None:
    code, out, said = run("check", "nowhere", "--report", name)
    assert code == 2
    assert out == ""
    assert "ends in .html or .md" in said


def test_what_is_examined_is_never_replaced(here: Path) -> None:
    place = ordinary(here, "m")
    (place / "notes.html").write_text("<p>mine</p>")
    for target in ("m/README.md", "m/notes.html"):
        before = Path(target).read_bytes()
        code, _, said = run("check", "m", "--report", target)
        assert code == 2
        assert "it is part of what is examined" in said
        assert Path(target).read_bytes() == before
    assert run("check", "m", "--report", "gone/page.html")[0] == 2


def test_an_older_page_is_replaced_whole(here: Path) -> None:
    ordinary(here, "m")
    Path("page.html").write_text("older")
    assert run("check", "m", "--report", "page.html", "-q")[0] == 0
    first = Path("page.html").read_bytes()
    assert first.startswith(b"<!doctype html>")
    assert run("check", "m", "--report", "page.html", "-q")[0] == 0
    assert Path("page.html").read_bytes() == first
    assert left(here) == {"m", "page.html"}


def test_a_page_of_nothing(here: Path) -> None:
    code, _, _ = run("check", "nowhere", "--report", "page.html")
    assert code == 2
    assert "Not checked" in Path("page.html").read_text(encoding="utf-8")


# --- from a dossier ---


@pytest.fixture
def dossier(here: Path) -> str:
    tuned(here, "m")
    assert run("keys", "new", "k", "--kind", "ed25519", "--no-passphrase")[0] == 0
    assert run("check", "m", "--dossier", "d", "--sign", "k", "-q")[0] == 1
    shutil.rmtree("m")
    return "d"


def test_a_dossier_as_a_page_without_its_model(dossier: str) -> None:
    code, out, said = run("dossier", "report", dossier, "page.html", "--key", "k.pub")
    assert (code, said) == (0, "")
    count = len(Path("d/claims.jsonl").read_bytes().splitlines())
    assert out == f"wrote page.html: reject, from {count} statements\n"
    page = Path("page.html").read_text(encoding="utf-8")
    text = "".join(read(page).text)
    assert "calls os.system('echo hello') when the file is loaded" in text
    assert "computed again from the scan in line 1" in text
    assert "openvet dossier verify d --key OWNER.pub --model MODEL" in text
    assert "fine-tuned from" in text
    told = json.loads(run("dossier", "verify", dossier, "--key", "k.pub", "-f", "json")[1])
    assert told["owner"] in text
    assert run("dossier", "export", dossier, "d.zip", "--key", "k.pub")[0] == 0
    assert run("dossier", "report", "d.zip", "zip.html", "--key", "k.pub")[0] == 0
    assert "Reject" in Path("zip.html").read_text(encoding="utf-8")
    value = json.loads(run("dossier", "report", dossier, "page.md", "--key", "k.pub", "-f", "json")[1])
    assert (value["page"], value["verdict"], value["lines"]) == ("page.md", "reject", count)
    assert list(schema("dossier-v1").iter_errors(value)) == []
    assert "REJECT: m" in Path("page.md").read_text(encoding="utf-8")


def test_a_dossier_by_policy_packs(dossier: str) -> None:
    """Computed now with --policy; else as somebody has signed it."""
    asked = ("dossier", "report", dossier, "page.html", "--key", "k.pub", "--force")
    assert run(*asked, "--policy", "baseline", "--as-of", "2026-11-28")[0] == 0
    now = "".join(read(Path("page.html").read_text(encoding="utf-8")).text)
    assert "as of 2026-11-28" in now
    assert "satisfied-by-evidence" in now
    signed = run(
        "decide",
        dossier,
        "--key",
        "k.pub",
        "--policy",
        "baseline",
        "--as-of",
        "2026-11-27",
        "--statement",
        "decision",
        "--sign",
        "k",
        "-o",
        "s.json",
    )
    assert signed[0] == 1
    assert run("dossier", "add", dossier, "s.json", "--key", "k")[0] == 0
    assert run(*asked)[0] == 0
    then = "".join(read(Path("page.html").read_text(encoding="utf-8")).text)
    assert then.count("as of 2026-11-27") == 3  # at the top, in the matrix, and among the evidence
    assert run(*asked, "--policy", "baseline", "--as-of", "2026-11-28")[0] == 0
    again = "".join(read(Path("page.html").read_text(encoding="utf-8")).text)
    assert "as of 2026-11-28" in again
    assert again.count("as of 2026-11-27") == 1
    assert run(*asked, "--as-of", "2026-11-28")[0] == 2
    assert run(*asked, "--policy", "nothing-like-it")[0] == 2


def test_a_page_is_not_replaced_unasked(dossier: str) -> None:
    Path("page.html").write_text("mine")
    assert run("dossier", "report", dossier, "page.html", "--key", "k.pub")[0] == 2
    assert Path("page.html").read_text() == "mine"
    assert run("dossier", "report", dossier, "page.html", "--key", "k.pub", "--force")[0] == 0
    assert Path("page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_no_page_of_what_is_not_verified(dossier: str) -> None:
    claims = Path(dossier) / "claims.jsonl"
    data = claims.read_bytes()
    claims.write_bytes(data[:-200] + b"x" + data[-199:])
    code, out, _ = run("dossier", "report", dossier, "page.html", "--key", "k.pub")
    assert code == 1
    assert out.startswith("NOT verified: d: ")
    assert not Path("page.html").exists()


def test_a_dossier_without_a_scan_decides_nothing(here: Path) -> None:
    ordinary(here, "m")
    assert run("keys", "new", "k", "--kind", "ed25519", "--no-passphrase")[0] == 0
    assert run("check", "m", "--dossier", "d", "--sign", "k", "--statement", "card", "-q")[0] == 0
    code, _, said = run("dossier", "report", "d", "page.html", "--key", "k.pub")
    assert code == 2
    assert "holds no statement of a scan" in said
    assert not Path("page.html").exists()


def test_the_last_scan_counts_and_what_is_about_others_is_only_listed(here: Path) -> None:
    ordinary(here, "m")
    tuned(here, "bad")
    assert run("keys", "new", "k", "--kind", "ed25519", "--no-passphrase")[0] == 0
    assert run("check", "bad", "--dossier", "d", "--sign", "k", "-q")[0] == 1
    assert run("check", "m", "--dossier", "d", "--sign", "k", "-q", "--statement", "scan")[0] == 0
    assert run("dossier", "report", "d", "page.html", "--key", "k.pub")[0] == 0
    text = "".join(read(Path("page.html").read_text(encoding="utf-8")).text)
    assert "Admit" in text
    assert "os.system" not in text
    assert "No inventory was taken." in text
    assert text.count("(not shown here)") == len(Path("d/claims.jsonl").read_bytes().splitlines()) - 1


def test_only_what_a_trust_file_believes_counts(dossier: str) -> None:
    """Here the scan and the lineage, and not what the same owner says of licences."""
    asked = ("dossier", "report", dossier, "page.html", "--key", "k.pub")
    known = '[[key]]\nname = "owner"\nfile = "k.pub"\n'
    Path("trust.toml").write_text(
        f'{known}[[grant]]\nsays = ["https://openvet/predicates/lineage/v1"]\nby = ["owner"]\nmodels = ["*"]\n'
    )
    code, _, said = run(*asked, "--trust", "trust.toml", "--model-name", "m")
    assert (code, "holds no statement of a scan that is believed" in said) == (2, True)
    assert not Path("page.html").exists()
    Path("trust.toml").write_text(
        f'{known}[[grant]]\nsays = ["scan", "https://openvet/predicates/lineage/v1"]\nby = ["owner"]\nmodels = ["*"]\n'
    )
    assert run(*asked, "--trust", "trust.toml", "--model-name", "m")[0] == 0
    text = "".join(read(Path("page.html").read_text(encoding="utf-8")).text)
    assert "fine-tuned from" in text
    assert "Nobody looked at its licences." in text
    assert "who vouches for all keys" not in text
    assert run(*asked, "--model-name", "x")[0] == 2
