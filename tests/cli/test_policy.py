"""``openvet policy``, ``decide`` and ``attest`` as a person uses them, on a dossier that a check has filled."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evidence.vectors import _DERIVATION, _EVAL
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.cli.attest import _question
from openvet.evidence.keys import load_private
from openvet.evidence.predicates.eval_v1 import BackendRef, ModelRef
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.reports.look import PLAIN
from openvet.workflows.eval_files import write_statement
from openvet.workflows.packs import load_pack

PACK = """\
id: acme
version: 1.0.0
title: What we ask
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
requirements:
  - {id: A-1, title: It is safe to load, clause: "1", source: acme, level: computed, pass: scan.verdict == 'admit', severity: critical, remedy: Take another.}
  - {id: A-2, title: Somebody answers for it, clause: "2", source: acme, level: attested, pass: answers.owner != '', severity: medium, remedy: Say who.}
  - id: A-3
    title: Its risks are written down
    clause: "3"
    source: acme
    level: attested
    applies: answers.public
    in_force: 2027-01-01
    pass: answers.risks && answers.risks.age_days < 400.0
    severity: high
    remedy: Write them down.
questions:
  - {id: owner, ask: Who answers for it, type: text}
  - {id: public, ask: Is it open to the public, type: yes-no}
  - {id: risks, ask: Attach the risks, type: document}
"""
CASES = "name: nothing is known\nas_of: 2026-11-28\nexpect: {verdict: review, outcomes: {A-1: indeterminate, A-3: not-yet-in-force}}\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dossier of a small model, its owner's key, and a pack, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")  # 2026-11-28
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "README.md").write_text("---\nlicense: mit\n---\n# M\n\nA model for tests.\n")
    (tmp_path / "m" / "LICENSE").write_text("see the card\n")
    (tmp_path / "pack" / "cases").mkdir(parents=True)
    (tmp_path / "pack" / "pack.yaml").write_text(PACK)
    (tmp_path / "pack" / "cases" / "a.yaml").write_text(CASES)
    (tmp_path / "risks.txt").write_text("risks\n")
    assert run("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase").exit_code == 0
    assert run("check", "m", "--dossier", "d", "--sign", "owner.key", "--quiet").exit_code in (0, 3)
    return tmp_path


DECIDE = ("decide", "d", "--key", "owner.key.pub", "--policy", "pack")


def decided(*more: str, as_of: str = "2026-11-28") -> dict[str, Any]:
    found = run(*DECIDE, "--as-of", as_of, "--format", "json", *more)
    value = json.loads(found.stdout)
    for each in value["models"][0]["statements"]:
        assert list(schema("decision-v1").iter_errors(each["predicate"])) == []
    return {each["id"]: each for each in value["models"][0]["statements"][0]["predicate"]["requirements"]}


def answer(text: str, *more: str) -> Result:
    Path("answers.yaml").write_text(text)
    return run(
        "attest",
        "d",
        "--policy",
        "pack",
        "--sign",
        "owner.key",
        "--date",
        "2026-11-28",
        "--answers",
        "answers.yaml",
        *more,
    )


def test_from_a_dossier_to_a_decision_and_back_with_answers(place: Path) -> None:
    first = run(*DECIDE, "--as-of", "2026-11-28")
    assert first.exit_code in (1, 3), first.stderr
    assert "openvet attest" in first.stdout
    assert decided()["A-2"]["missing"] == ["answers.owner"]
    listed = run("attest", "d", "--policy", "pack", "--key", "owner.key.pub", "--list", "--date", "2026-11-28")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        "owner"
    ]  # A-3 is not in force, so that nothing waits for it
    given = answer(
        "by: {name: R. Lima, role: officer}\nanswers: {owner: ML team, public: yes, risks: {answer: yes, file: risks.txt, date: 2026-10-01}}\n"
    )
    assert given.exit_code == 0, given.stderr
    lines = decided()
    assert lines["A-2"]["outcome"] == "satisfied-by-attestation"
    assert lines["A-2"]["why"] == "said by R. Lima (officer), 2026-11-28"
    assert (lines["A-3"]["outcome"], lines["A-3"]["foreseen"]) == ("not-yet-in-force", "satisfied-by-attestation")
    assert decided(as_of="2027-01-01")["A-3"]["outcome"] == "satisfied-by-attestation"
    assert decided(as_of="2028-01-01")["A-3"]["outcome"] == "violated"
    changed = run(*DECIDE, "--as-of", "2028-01-01", "--since", "2027-01-01")
    assert "A-3  satisfied-by-attestation -> violated" in changed.stdout
    assert (
        place.joinpath("risks.txt").read_text() not in Path("d/claims.jsonl").read_text()
    )  # a document is named by its digest alone


def test_what_settles_most_is_asked_first(place: Path) -> None:
    def asked(*more: str) -> list[str]:
        listed = run("attest", "d", "--policy", "eu-ai-act", *more, "--key", "owner.key.pub", "--list").stdout
        return [line.split()[0] for line in listed.splitlines() if not line.startswith(" ")]

    before = asked()
    assert (
        before.index("regions") < before.index("role") < before.index("training_compute") < before.index("deep_fakes")
    )
    (place / "a.yaml").write_text("by: {name: R}\nanswers: {regions: [eu], exclusions: [none], role: [deployer]}\n")
    assert run("attest", "d", "--policy", "eu-ai-act", "--sign", "owner.key", "--answers", "a.yaml").exit_code == 0
    assert "training_compute" not in asked()  # nobody who only uses a system is asked for it
    everything = asked("--all")
    assert everything.index("training_compute") < everything.index("role")  # in the order of the pack


def test_what_changes_says_which_answers_are_over(place: Path) -> None:
    held = PACK.replace(
        "{id: owner, ask: Who answers for it, type: text}",
        "{id: owner, ask: Who answers for it, type: text, valid_days: 365}",
    )
    (place / "pack" / "pack.yaml").write_text(held)
    (place / "a.yaml").write_text("by: {name: R}\nanswers: {owner: me, public: yes}\n")
    attest = ("attest", "d", "--policy", "pack", "--sign", "owner.key", "--answers", "a.yaml", "--date", "2026-11-28")
    assert run(*attest).exit_code == 0
    later = run(*DECIDE, "--as-of", "2027-12-02", "--since", "2026-11-28").stdout
    assert "A-2  satisfied-by-attestation -> indeterminate" in later
    assert "1 answer that counted no longer does as of 2027-12-02: owner" in later
    found = run(*DECIDE, "--as-of", "2027-12-02", "--since", "2026-11-28", "--format", "json").stdout
    assert json.loads(found)["changes"][0]["lapsed_answers"] == ["owner"]
    assert "counted no longer" not in run(*DECIDE, "--as-of", "2027-11-28", "--since", "2026-11-28").stdout
    # a question that the pack before asks and this one does not is no answer that is over
    (place / "other").mkdir()
    less = held.replace("answers.owner != ''", "scan.files > 0").replace(
        "level: attested, pass: scan", "level: computed, pass: scan"
    )
    (place / "other" / "pack.yaml").write_text(less)
    other = run(
        "decide", "d", "--key", "owner.key.pub", "--policy", "other", "--before", "pack", "--as-of", "2026-11-28"
    )
    assert "A-2  satisfied-by-attestation -> satisfied-by-evidence" in other.stdout
    assert "counted no longer" not in other.stdout


def test_a_decision_is_the_same_bytes_again_and_can_be_signed_into_the_dossier(place: Path) -> None:
    first = run(*DECIDE, "--as-of", "2026-11-28", "--statement", "decision").stdout
    shutil.copytree("d", place / "elsewhere")
    again = run("decide", "elsewhere", *DECIDE[2:], "--as-of", "2026-11-28", "--statement", "decision").stdout
    assert first == again
    signed = run(
        *DECIDE, "--as-of", "2026-11-28", "--statement", "decision", "--sign", "owner.key", "--output", "decision.json"
    )
    assert signed.exit_code in (1, 3)
    assert run("dossier", "add", "d", "decision.json", "--key", "owner.key").exit_code == 0
    assert (
        run(*DECIDE, "--as-of", "2026-11-28", "--statement", "decision").stdout == first
    )  # a decision is no evidence for the next one
    assert "decision of acme@1.0.0" in run("statement", "decision.json", "--key", "owner.key.pub").stdout


def test_a_dossier_that_was_changed_decides_nothing(place: Path) -> None:
    claims = place / "d" / "claims.jsonl"
    claims.write_bytes(claims.read_bytes().replace(b"A", b"B", 1))
    found = run(*DECIDE)
    assert found.exit_code == 1
    assert "NOT verified" in found.stderr
    assert "satisfied" not in found.stdout


def test_a_folder_of_dossiers_is_decided_one_by_one(place: Path) -> None:
    (place / "all").mkdir()
    shutil.copytree("d", place / "all" / "one")
    shutil.copytree("d", place / "all" / "two")
    found = run("decide", "all", *DECIDE[2:], "--format", "json")
    assert [Path(each["path"]).name for each in json.loads(found.stdout)["models"]] == ["one", "two"]
    assert run("decide", "pack", *DECIDE[2:]).exit_code == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answers: {owner: x, nobody: y}", "answers.yaml:1: no pack asks 'nobody'"),
        ("answers: {public: maybe}", "answers.yaml:1: public: 'maybe' is neither yes nor no"),
        ("answers:\n  risks: missing.pdf", "answers.yaml:2: missing.pdf: No such file or directory"),
        ("answers: {owner: [x, y]}", "answers.yaml:1: owner: takes one answer, and not a list"),
        ("by: {role: x}\nanswers: {owner: x}", "answers.yaml:1: 'name' is missing"),
        ("answers: {owner: x}", "say who answers"),
        ("by: {name: x}", "nothing was answered"),
        ("answers: [", "answers.yaml:"),
    ],
)
def test_answers_that_make_no_sense_are_not_written(place: Path, text: str, message: str) -> None:
    before = Path("d/claims.jsonl").read_bytes()
    found = answer(text)
    assert found.exit_code == 2
    assert message in found.stderr
    assert Path("d/claims.jsonl").read_bytes() == before


def test_a_template_is_filled_in_and_taken(place: Path) -> None:
    made = run("attest", "--policy", "pack", "--template", "--output", "t.yaml")
    assert made.exit_code == 0
    text = Path("t.yaml").read_text().replace("  name:", "  name: R. Lima").replace("  owner:", "  owner: ML team")
    assert answer(text).exit_code == 0
    assert decided()["A-2"]["outcome"] == "satisfied-by-attestation"
    assert decided()["A-3"]["outcome"] == "not-yet-in-force"


def test_answers_of_somebody_else_go_through_a_file(place: Path) -> None:
    assert run("keys", "new", "me.key", "--no-passphrase").exit_code == 0
    Path("answers.yaml").write_text("by: {name: Me}\nanswers: {owner: me}\n")
    made = run(
        "attest",
        "d",
        "--policy",
        "pack",
        "--sign",
        "me.key",
        "--key",
        "owner.key.pub",
        "--answers",
        "answers.yaml",
        "--output",
        "mine.json",
    )
    assert made.exit_code == 0, made.stderr
    assert decided()["A-2"]["outcome"] == "indeterminate"
    assert run("dossier", "add", "d", "mine.json", "--signer", "me.key.pub", "--key", "owner.key").exit_code == 0
    assert decided()["A-2"]["outcome"] == "satisfied-by-attestation"


def test_a_person_is_asked_one_by_one(place: Path) -> None:
    """At a real terminal: what is no answer is asked again, and an empty one leaves it open."""
    controller, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "openvet", "attest", "d", "--policy", "pack", "--sign", "owner.key", "--date", "2027-06-01", "--by", "R. Lima"],
        stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(terminal)
    os.write(controller, b"ML team\nmaybe\nyes\nrisks.txt\n")
    _, said = child.communicate(timeout=60)
    os.close(controller)
    assert child.returncode == 0, said
    assert "public: 'maybe' is neither yes nor no" in said
    assert "3 answers are in the dossier d" in said
    # the document has no day of its own, so that nobody can say how old it is
    assert decided(as_of="2027-06-01")["A-3"]["missing"] == ["answers.risks.age_days"]


@pytest.mark.parametrize("end", ["Ctrl-D", "Ctrl-C"])
def test_an_interview_that_is_ended_keeps_what_was_answered_or_nothing(place: Path, end: str) -> None:
    before = Path("d/claims.jsonl").read_bytes()
    controller, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "openvet", "attest", "d", "--policy", "pack", "--sign", "owner.key", "--by", "R. Lima", "--all"],
        stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=place, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(terminal)
    os.write(controller, b"ML team\n")
    assert child.stderr is not None
    said = ""
    while "2 open" not in said:  # the next question
        line = child.stderr.readline()
        assert line, said
        said += line
    if end == "Ctrl-D":
        os.write(controller, b"\x04")
    else:
        child.send_signal(signal.SIGINT)
    said += child.communicate(timeout=60)[1]
    os.close(controller)
    assert said.startswith("3 questions are open; an answer may settle others"), said
    if end == "Ctrl-D":
        assert (child.returncode, "1 answer is in the dossier d" in said) == (0, True), said
        assert decided()["A-2"]["outcome"] == "satisfied-by-attestation"
    else:
        assert (child.returncode, "interrupted; nothing was written, and no answer was kept" in said) == (130, True), (
            said
        )
        assert Path("d/claims.jsonl").read_bytes() == before


def test_none_of_these_stands_alone(place: Path) -> None:
    (place / "a.yaml").write_text("by: {name: A}\nanswers: {prohibited_practices: [none, a]}\n")
    found = run("attest", "d", "--policy", "eu-ai-act", "--sign", "owner.key", "--answers", "a.yaml")
    assert found.exit_code == 2
    assert "a.yaml:2: prohibited_practices: 'none' stands alone, and here with a" in found.stderr


def test_answers_of_a_day_that_has_not_come_are_told(place: Path) -> None:
    (place / "a.yaml").write_text("by: {name: A}\nanswers: {owner: me}\n")
    asked = ("attest", "d", "--policy", "pack", "--sign", "owner.key", "--answers", "a.yaml")
    assert (
        "2026-11-29 has not come: no decision counts these answers before it"
        in run(*asked, "--date", "2026-11-29").stderr
    )
    assert "has not come" not in run(*asked, "--date", "2026-11-28").stderr


def test_a_decision_that_nobody_answered_can_be_read(place: Path) -> None:
    """Long lists of names are cut, lines whose day is the same stand under it; --all has every name."""
    asked = ("decide", "d", "--key", "owner.key.pub", "--policy", "eu-ai-act", "--as-of", "2026-11-28")
    short, whole = run(*asked).stdout, run(*asked, "--all").stdout
    assert "not known: answers.regions, answers.exclusions, profile.parameters and 1" in " ".join(short.split())
    assert " more to do:" in " ".join(short.split())
    assert " more to do:" not in " ".join(whole.split())
    said = "in force from 2027-12-02, if it applies; by what is known today it would be indeterminate:\n"
    assert " ".join(short.split()).count(" ".join(said.split())) == 1
    assert "\n  EU-9-P " in short.partition("in force from 2027-12-02, if")[2]
    assert len(short.splitlines()) < 400 < len(whole.splitlines())
    ids = {each["id"] for each in json.loads(run(*asked, "--format", "json").stdout)["models"][0]["statements"][0]["predicate"]["requirements"]}  # fmt: skip
    assert all(f"{each} " in short for each in ids)


def test_what_changes_between_two_days_says_which_answers_are_new(place: Path) -> None:
    (place / "a.yaml").write_text("by: {name: A}\nanswers: {owner: me}\n")
    assert run("attest", "d", "--policy", "pack", "--sign", "owner.key", "--answers", "a.yaml", "--date", "2026-11-20").exit_code == 0  # fmt: skip
    changed = " ".join(run(*DECIDE, "--since", "2026-11-19", "--as-of", "2026-11-28").stdout.split())
    assert "A-2 indeterminate -> satisfied-by-attestation" in changed
    assert changed.endswith("1 answer counts as of 2026-11-28 and not as of 2026-11-19, being of a later day: owner")
    assert "later day" not in run(*DECIDE, "--since", "2026-11-20", "--as-of", "2026-11-28").stdout
    for asked, message in (
        (("--since", "2026-11-29", "--as-of", "2026-11-28"), "--since 2026-11-29 lies after --as-of 2026-11-28"),
        (("--as-of", "0026-12-03"), "no decision is about a day outside of 1900 to 2199"),
        (("--as-of", "9999-12-03"), "no decision is about a day outside of 1900 to 2199"),
    ):
        found = run(*DECIDE, *asked)
        assert (found.exit_code, found.stdout, message in found.stderr) == (2, "", True), found.stderr


def test_what_policy_prints(place: Path) -> None:
    assert run("policy", "lint", "pack", "baseline", "strict").stdout.count("makes sense") == 3
    assert run("policy", "test", "pack").stdout == "acme@1.0.0: 1 case, 0 not as expected\n"
    assert (
        "holds where    answers.risks && answers.risks.age_days < 400.0"
        in run("policy", "explain", "pack", "A-3").stdout
    )
    explained = run("policy", "explain", "eu-ai-act", "EU-26.2-A").stdout
    steps = explained.partition("\nSteps\n")[2].partition("\nQuestions\n")[0]
    # those that it names, also in its days, and those below these
    assert all(
        f"\n{name}" in f"\n{steps}"
        for name in ("in_union", "annex_iii", "old_annex_x", "placed_before", "high_risk_deployer")
    )
    assert "\nexempt " not in f"\n{steps}"
    assert "did you mean A-3, A-2 or A-1" in run("policy", "explain", "pack", "A-33").stderr.replace(
        " or A-2 or ", ", A-2 or "
    )
    value = json.loads(run("policy", "show", "pack", "--format", "json").stdout)
    assert [each["id"] for each in value["requirements"]] == ["A-1", "A-2", "A-3"]
    assert {each["id"] for each in json.loads(run("policy", "list", "--format", "json").stdout)} >= {
        "baseline",
        "strict",
    }
    assert "scan.verdict" in run("policy", "facts").stdout


def test_a_packs_words_are_no_commands_of_a_terminal(place: Path) -> None:
    hostile = '"a\\e]0;b\\a \\e[31mc\\u202e"'
    text = PACK.replace("What we ask", hostile).replace("It is safe to load", hostile).replace("Take another.", hostile)
    text = text.replace("Who answers for it", hostile).replace("House rules", hostile).replace("Say who.", hostile)
    text = text.replace('clause: "1"', f"clause: {hostile}, text: {hostile}")
    (place / "pack" / "pack.yaml").write_text(text)
    commands = (
        "policy show pack", "policy explain pack A-1", "policy crosswalk pack", "policy lint pack", "policy test pack",
        "attest --policy pack --list", "decide d --key owner.key.pub --policy pack --all", "decide d --key owner.key.pub --policy pack --before baseline",
        "policy show pack -f json", "policy crosswalk pack -f json",
    )  # fmt: skip
    for command in commands:
        found = run(*command.split())
        assert found.exit_code in {0, 1, 3}, (command, found.output)
        assert not {"\x1b", "\x07", "\u202e"} & set(found.output), command
    shown = run("policy", "explain", "pack", "A-1").stdout
    assert shown.count("\\u202e") == 5  # title, clause, source, text, what to do
    question = load_pack("pack").pack.questions[0]
    asked = _question(question, PLAIN, "1 open")
    assert "\x1b" not in asked
    assert "\\u202e" in asked


def test_a_pack_that_is_wrong_is_told_with_its_line(place: Path) -> None:
    path = place / "pack" / "pack.yaml"
    path.write_text(PACK.replace("scan.verdict ==", "scan.verdct =="))
    for command in (("policy", "lint", "pack"), DECIDE, ("policy", "test", "pack")):
        found = run(*command)
        assert found.exit_code == (1 if command[0] == "policy" else 2)
        assert "pack/pack.yaml:6: pass: there is no name 'scan.verdct'" in found.stderr
    path.write_text(
        PACK
        + "waivers:\n  - {requirement: A-1, subject: '*', reason: r, owner: o, from: 2026-01-01, expires: 2026-02-01}\n"
    )
    found = run(*DECIDE)
    assert found.exit_code == 2
    assert "pack/pack.yaml:23: the waiver of A-1 ended on 2026-02-01" in found.stderr
    (place / "pack" / "cases" / "a.yaml").write_text(CASES.replace("A-1: indeterminate", "A-1: violated"))
    path.write_text(PACK)
    found = run("policy", "test", "pack")
    assert found.exit_code == 1
    assert (
        "pack/cases/a.yaml:1: nothing is known: outcomes of A-1: 'indeterminate' came, 'violated' was expected"
        in found.stderr
    )


def test_what_is_no_pack_is_told_with_what_to_do(place: Path) -> None:
    (place / "pack" / "cases" / "a.yaml").unlink()
    found = run("policy", "test", "pack")
    assert (found.exit_code, found.stdout) == (1, "acme@1.0.0: 0 cases, 0 not as expected\n")
    assert "pack: no case lies in `cases/` beside pack.yaml" in found.stderr
    os.mkfifo(place / "pipe")
    for name, said in (
        ("m", "m: has no pack.yaml that is a file; a pack is a folder with one"),
        ("pipe", "pipe: is no file, and a pack is one, or a folder with a pack.yaml"),
        ("eu_ai_act", "there is no pack 'eu_ai_act'; did you mean 'eu-ai-act'?"),
        ("nist", "there is no pack 'nist'; did you mean 'nist-ai-rmf'?"),
        ("zzz", "there is no pack 'zzz': baseline, china"),
    ):
        found = run("policy", "lint", name)
        assert (found.exit_code, found.stdout) == (2, "")
        assert said in found.stderr, found.stderr


def test_without_the_extra_a_message_says_what_to_install(place: Path) -> None:
    code = "import sys; sys.modules['cel_expr_python'] = None; from openvet.cli import main; main()"
    found = subprocess.run(
        [sys.executable, "-c", code, *DECIDE], capture_output=True, text=True, cwd=place, timeout=60, check=False
    )
    assert found.returncode == 2
    assert 'pip install "openvet[policy]"' in found.stderr
    for command in (
        ("policy", "list"),
        ("policy", "list", "-f", "json"),
        ("policy", "facts"),
        ("document", "list"),
        ("document", "list", "-f", "json"),
    ):
        # what readline, which pytest imports, says of the terminal behind Python's back is left out
        listed = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, cwd=place, timeout=60, check=False, env=dict(os.environ))  # fmt: skip
        assert listed.returncode == 0, listed.stderr
        assert listed.stdout == run(*command).stdout


def test_lint_knows_the_kinds_of_statements(place: Path) -> None:
    """A word that no kind has is never there, so that a line could never hold; what is said of other things is no such word."""
    wrong = PACK.replace("pass: scan.verdict == 'admit', severity: critical", "pass: \"scan.verdict == 'admit' && ('cyclonedx' in evidence.kinds || 'sbom' in evidence.kinds)\", needs: [scan, spx], severity: critical")  # fmt: skip
    (place / "pack" / "pack.yaml").write_text(wrong)
    found = run("policy", "lint", "pack")
    assert found.exit_code == 0
    lines = found.stderr.splitlines()
    assert [line.partition(": ")[2].split(",")[0] for line in lines] == ["there is no kind of statement 'spx'", "there is no kind of statement 'sbom'"]  # fmt: skip
    assert all(line.startswith("pack/pack.yaml:6: ") for line in lines)
    assert lines[0].endswith("; did you mean spdx?")


def test_one_answer_is_said_to_be_one(place: Path) -> None:
    one = answer("by: {name: R. Lima}\nanswers: {owner: ML team}\n")
    assert "openvet: 1 answer is in the dossier d: line " in one.stderr
    assert "openvet: 1 answer is in the dossier d: it had them already" in answer("by: {name: R. Lima}\nanswers: {owner: ML team}\n").stderr  # fmt: skip
    two = answer("by: {name: R. Lima}\nanswers: {owner: ML team, public: yes}\n", "--output", "two.json")
    assert "openvet: 2 answers are in two.json" in two.stderr


FIGURES = """\
id: figures
version: 1.0.0
title: What was measured
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
requirements:
  - {id: F-1, title: It is good at it, clause: "1", source: acme, level: computed, pass: "eval.low['capitals'] >= 0.7", severity: high, remedy: Measure it.}
  - {id: F-2, title: It is as good as before, clause: "2", source: acme, level: computed, pass: derivation.verdict == 'as-good', severity: high, remedy: Measure it.}
  - {id: F-3, title: It is ours, clause: "3", source: acme, level: computed, pass: "eval.signer['capitals'] == '0'", severity: low, remedy: Sign it.}
"""


def test_figures_in_a_dossier_are_decided_by(place: Path) -> None:
    """Signed results about the bytes at hand count, each of them; those of other bytes and of a name alone do not, and it is said."""
    (place / "pack" / "pack.yaml").write_text(FIGURES)
    (place / "pack" / "cases" / "a.yaml").unlink()
    key = load_private(Path("owner.key").read_bytes())
    shown = json.loads(run(*DECIDE, "--format", "json").stdout)["models"][0]["subject"]
    subject = ResourceDescriptor("m", shown["digest"])
    other = ResourceDescriptor("n", {"dirHash": "1" * 64})
    good = replace(
        _EVAL,
        task=replace(_EVAL.task, name="capitals"),
        backend=BackendRef("local", {}, attests=True),
        run=replace(_EVAL.run, failed=0),
    )
    good = replace(good, model=ModelRef("m", shown["digest"]), figure=replace(good.figure, low="0.75"))
    said = [
        Statement(other, replace(good, model=ModelRef("n", dict(other.digest)))),
        Statement(subject, replace(good, model=ModelRef("m"))),
        Statement(subject, good),
        Statement(subject, replace(good, figure=replace(good.figure, low="0.65"))),
        Statement(subject, replace(_DERIVATION, verdict="as-good")),
    ]

    def add(at: int) -> dict[str, tuple[str, str]]:
        write_statement(f"{at}.json", said[at], key, replace=False)
        assert run("dossier", "add", "d", f"{at}.json", "--key", "owner.key").exit_code == 0
        return {name: (each["outcome"], each["why"]) for name, each in decided().items()}

    for at in (0, 1):
        found = add(at)
        assert {each for each, _ in found.values()} == {"indeterminate"}
    told = run(*DECIDE, "--as-of", "2026-11-28").stderr
    assert "(eval) is about other bytes, and does not count" in told
    assert "(eval) names its model otherwise than by these bytes, and does not count" in told
    assert add(2)["F-1"][0] == "satisfied-by-evidence"
    assert decided()["F-3"]["outcome"] == "violated"
    found = add(3)
    assert found["F-1"] == ("violated", "does not hold: eval.low['capitals'] >= 0.7")
    assert found["F-2"][0] == "indeterminate"
    assert add(4)["F-2"][0] == "satisfied-by-evidence"
    value = json.loads(run(*DECIDE, "--as-of", "2026-11-28", "--format", "json").stdout)
    inputs = [each["kind"] for each in value["models"][0]["statements"][0]["predicate"]["inputs"]]
    assert (inputs.count("eval"), inputs.count("derivation")) == (2, 1)
