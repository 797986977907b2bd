"""Two states of one law over a folder of dossiers: what the amendment of the AI Act changes, for whom, and from which day.

The state before is the pack that ships with what Regulation (EU) 2026/1744 changed taken back, by text: points (ba), (bb) and (1a) of Article 5 and Article 4a
out; Article 50(2) from 2 August 2026 for every system; high-risk duties from 2 August 2026 (Annex III) and 2 August 2027 (Annex I), the days of the text
of 2024; machinery back in Section A of Annex I. The days after are those of ``eu-ai-act`` and of its page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.workflows.packs import find_pack

#: Lines that the amendment brought.
NEW = ("EU-5.ba", "EU-5.bb", "EU-5.1a-P", "EU-10.4a-A")
SYSTEM: dict[str, Any] = {
    "regions": ["eu"], "exclusions": ["none"], "is_system": "yes", "learned": "yes", "role": ["provider"], "annex_i_products": ["none"],
    "annex_iii_uses": ["none"], "annex_iii_left_out": ["none"], "prohibited_practices": ["none"], "generates": ["none"], "system_placed": "2026-08-02",
    "old_system_kind": "neither", "significant_change": "yes", "profiling": "no", "interacts_with_people": "no", "emotion_or_categories": "no",
    "deep_fakes": "no", "public_interest_text": "no", "sensitive_data": "no",
}  # fmt: skip
#: Systems by their names, and what people say of them.
SYSTEMS: dict[str, dict[str, Any]] = {
    "credit": {"annex_iii_uses": ["III-5b"], "profiling": "yes"},
    "credit-as-it-was": {"annex_iii_uses": ["III-5b"], "profiling": "yes", "significant_change": "no"},
    "chatbot": {"generates": ["text"], "interacts_with_people": "yes", "obvious_to_people": "no", "assistive_editing": "no", "system_placed": "2026-06-10"},
    "pictures": {"generates": ["image"], "assistive_editing": "no", "illicit_imagery_foreseeable": ["ba"], "imagery_safeguards": "no"},
    "machine": {"annex_i_products": ["I-B-21"], "safety_function": "safety", "third_party_assessment": "yes"},
    "toy": {"annex_i_products": ["I-A-2"], "safety_function": "safety", "third_party_assessment": "yes"},
}  # fmt: skip
KEY = ("--key", "owner.key.pub")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def before_the_amendment() -> str:
    """The pack as the law was before, from the text of the one that ships."""
    text = Path(find_pack("eu-ai-act").path).read_text(encoding="utf-8")

    def change(old: str, new: str, times: int) -> None:
        nonlocal text
        assert text.count(old) == times, (old, text.count(old))
        text = text.replace(old, new)

    for line in NEW:
        text, cut = re.subn(
            rf"^  - id: {re.escape(line)}\n(?:(?!^  - id: |^  # ---|^[a-z]).*\n)*", "", text, flags=re.MULTILINE
        )
        assert cut == 1, line
    high_risk = text.count("{when: steps.annex_iii, from: 2027-12-02}")
    assert high_risk > 40
    change("version: 1.0.0\n", "version: 0.9.0\n", 1)
    change("law_snapshot: EU-2026-07-27", "law_snapshot: EU-2024-07-12", 1)
    change("{when: steps.annex_iii, from: 2027-12-02}", "{when: steps.annex_iii, from: 2026-08-02}", high_risk)
    change("      - {from: 2028-08-02}", "      - {from: 2027-08-02}", high_risk)
    change("    in_force: 2027-12-02", "    in_force: 2026-08-02", 3)  # Art. 6(3) and 6(4)
    change("    in_force: 2026-07-27", "    in_force: 2026-08-02", 1)  # Art. 2(2)
    change("      - {when: \"answers.system_placed < timestamp('2026-08-02T00:00:00Z')\", from: 2026-12-02}\n", "", 3)
    change("answers.system_placed < (steps.annex_iii ? timestamp('2027-12-02T00:00:00Z') : timestamp('2028-08-02T00:00:00Z'))",
           "answers.system_placed < (steps.annex_iii ? timestamp('2026-08-02T00:00:00Z') : timestamp('2027-08-02T00:00:00Z'))", 1)  # fmt: skip
    change("timestamp('2027-12-02T00:00:00Z')", "timestamp('2026-08-02T00:00:00Z')", 2)
    change("timestamp('2028-08-02T00:00:00Z')", "timestamp('2027-08-02T00:00:00Z')", 1)
    change("each.startsWith('I-A-'))", "each.startsWith('I-A-') || each == 'I-B-21')", 1)
    return text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of dossiers, with answers of three years, and the law of before."""
    place = tmp_path_factory.mktemp("law")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for each in ("before", "all"):
            Path(each).mkdir()
        Path("before/pack.yaml").write_text(before_the_amendment(), encoding="utf-8")
        assert run("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase").exit_code == 0
        for name, said in SYSTEMS.items():
            Path(name).mkdir()
            Path(name, "README.md").write_text(f"---\nlicense: mit\n---\n# {name}\n\nA system for tests.\n")
            made = run(
                "check", name, "--dossier", f"all/{name}", "--sign", "owner.key", "--quiet", "--fail-on", "never"
            )
            assert made.exit_code == 0, made.output
            Path("a.yaml").write_text(yaml.safe_dump({"by": {"name": "R. Lima"}, "answers": {**SYSTEM, **said}}))
            for day in ("2026-07-01", "2027-07-01", "2028-07-01"):
                given = run("attest", f"all/{name}", "--policy", "eu-ai-act", "--sign", "owner.key", "--answers", "a.yaml", "--date", day)  # fmt: skip
                assert given.exit_code == 0, given.output
    return place


def changed(place: Path, day: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, tuple[str, ...]]]:
    """System -> line -> outcomes before and after, and the days where they are told."""
    monkeypatch.chdir(place)
    asked = ("decide", "all", *KEY, "--policy", "eu-ai-act", "--before", "before", "--as-of", day, "--fail-on", "never")
    found = run(*asked, "--format", "json")
    assert found.exit_code == 0, found.output
    value = json.loads(found.stdout)
    assert list(schema("decisions-v1").iter_errors(value)) == []
    assert {(each["from"]["pack"], each["to"]["pack"]) for each in value["changes"]} == {
        ("eu-ai-act@0.9.0", "eu-ai-act@1.0.0")
    }
    assert all(each["path"].endswith(each["subject"]["name"]) for each in value["changes"])
    assert len(value["changes"]) == len(SYSTEMS)
    fields = ("before", "after", "in_force_before", "in_force_after")
    return {
        each["subject"]["name"]: {one["requirement"]: tuple(one[name] for name in fields if name in one) for one in each["requirements"]}
        for each in value["changes"]
    }  # fmt: skip


MOVED = ("not-yet-in-force", "not-yet-in-force", "2026-08-02", "2027-12-02")
#: A line for the duties of providers of high-risk systems, and one for what Article 6 asks of those who claim the derogation.
DUTY, MARKING = "EU-9-P", "EU-50.2-A"


def test_in_the_week_of_the_amendment_days_move_and_nothing_else(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = changed(place, "2026-07-28", monkeypatch)
    assert found["credit"][DUTY] == MOVED
    assert found["toy"][DUTY] == ("not-yet-in-force", "not-yet-in-force", "2027-08-02", "2028-08-02")
    assert found["chatbot"][MARKING] == ("not-yet-in-force", "not-yet-in-force", "2026-08-02", "2026-12-02")
    assert found["pictures"]["EU-5.ba"] == ("-", "not-yet-in-force", "2026-12-02")
    assert MARKING not in found["pictures"]  # placed on 2 August: its day stays
    # machinery went from Section A to Section B: nothing of Chapter III is its concern any more
    assert found["machine"][DUTY] == ("not-yet-in-force", "not-applicable", "2027-08-02")
    assert {line for each in found.values() for line in each if line.startswith(("EU-51", "EU-53", "EU-55"))} == set()
    assert all(set(each) >= set(NEW) for each in found.values())


def test_after_the_day_of_the_old_law(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = changed(place, "2026-08-03", monkeypatch)
    assert found["credit"][DUTY] == ("indeterminate", "not-yet-in-force", "2026-08-02", "2027-12-02")
    assert found["chatbot"][MARKING] == ("indeterminate", "not-yet-in-force", "2026-08-02", "2026-12-02")
    assert found["toy"][DUTY] == ("not-yet-in-force", "not-yet-in-force", "2027-08-02", "2028-08-02")
    assert "EU-50.1-A" not in found["chatbot"]  # Article 50(1) kept its day


def test_after_2_december_2026(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = changed(place, "2026-12-03", monkeypatch)
    assert MARKING not in found["chatbot"]  # due in both
    assert found["pictures"]["EU-5.ba"] == ("-", "violated")
    assert found["pictures"]["EU-5.bb"] == ("-", "satisfied-by-attestation")
    assert found["credit"]["EU-5.ba"] == ("-", "not-applicable")
    assert found["credit"][DUTY] == ("indeterminate", "not-yet-in-force", "2026-08-02", "2027-12-02")
    monkeypatch.chdir(place)
    text = run("decide", "all", *KEY, "--policy", "eu-ai-act", "--before", "before", "--as-of", "2026-12-03").stdout
    heads = [line.partition(": ")[0] for line in text.splitlines() if not line.startswith(" ")]
    assert heads == sorted(SYSTEMS)
    flat = " ".join(text.split())
    assert "pictures: eu-ai-act@0.9.0 as of 2026-12-03 -> eu-ai-act@1.0.0 as of 2026-12-03: review -> reject" in flat
    assert "(in force from 2027-12-02 in place of 2026-08-02)" in flat


def test_after_2_august_2027_and_2_december_2027(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = changed(place, "2027-08-03", monkeypatch)
    assert found["toy"][DUTY] == ("indeterminate", "not-yet-in-force", "2027-08-02", "2028-08-02")
    assert found["machine"][DUTY] == ("indeterminate", "not-applicable")
    found = changed(place, "2027-12-03", monkeypatch)
    assert DUTY not in found["credit"]  # due in both, since its design changed
    assert found["credit-as-it-was"][DUTY] == (
        "indeterminate",
        "not-applicable",
    )  # was there before the day of the new law
    assert found["toy"][DUTY] == ("indeterminate", "not-yet-in-force", "2027-08-02", "2028-08-02")


def test_after_2_august_2028_only_what_is_new_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = changed(place, "2028-08-03", monkeypatch)
    for name in ("credit", "toy", "chatbot"):
        assert set(found[name]) <= set(NEW), name
    assert found["machine"][DUTY] == ("indeterminate", "not-applicable")
