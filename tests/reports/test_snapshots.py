"""Every report of every sample, whole, and what each kind must obey."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

import openvet
from openvet.core.location import Location
from openvet.reports import json as as_json
from openvet.reports import jsonl, junit, markdown, sarif, text
from openvet.reports.look import Look
from openvet.reports.report import Report
from tests.reports import samples
from tests.snapshots.snapshot import matches

SCHEMAS = Path(openvet.__file__).parent / "data" / "schema"
VENDORED = Path(__file__).resolve().parents[1] / "vendor" / "sarif-2.1.0-rtm.5.json"
KINDS: dict[str, Callable[[Report], str]] = {
    "txt": text.compose,
    "narrow.txt": lambda report: text.compose(report, Look(width=80)),
    "ascii.txt": lambda report: text.compose(report, Look(width=80, unicode=False)),
    "colour.txt": lambda report: text.compose(report, Look(width=120, colour=True)),
    "quiet.txt": lambda report: text.compose(report, quiet=True),
    "json": as_json.compose,
    "jsonl": jsonl.compose,
    "sarif": sarif.compose,
    "md": markdown.compose,
    "junit.xml": junit.compose,
}


def schema(name: str, part: str = "") -> Draft202012Validator:
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*.json")]
    registry: Registry[Any] = Registry().with_resources(
        (each["$id"], Resource.from_contents(each)) for each in documents
    )
    return Draft202012Validator({"$ref": f"https://openvet/schema/{name}.json{part}"}, registry=registry)


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from (key, *strings(each))
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def hidden(value: str, keep: str) -> set[str]:
    return {char for char in value if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}} - set(keep)


@pytest.mark.parametrize("name", samples.SAMPLES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_report(name: str, kind: str) -> None:
    matches(f"reports/{name}.{kind}", KINDS[kind](samples.SAMPLES[name]))


@pytest.mark.parametrize("name", samples.SAMPLES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bytes_twice_and_nothing_hidden_in_them(name: str, kind: str) -> None:
    first = KINDS[kind](samples.SAMPLES[name])
    assert first == KINDS[kind](samples.SAMPLES[name])
    assert first == "" or first.endswith("\n")
    first.encode()  # no lone surrogates
    keep = "\n\x1b" if kind == "colour.txt" else "\n"
    assert hidden(first, keep) - {"\ufe0f"} == set()
    if kind == "ascii.txt":
        assert first.isascii()


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_colours_are_all_that_escapes_do(name: str) -> None:
    """With colours taken out it is the same text: no escape of the subject's came through."""
    look = Look(width=90)
    coloured = text.compose(samples.SAMPLES[name], replace(look, colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text.compose(samples.SAMPLES[name], look)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_lines_keep_to_the_width(width: int) -> None:
    lines = text.compose(samples.MANY, Look(width=width)).splitlines()
    long = [line for line in lines if len(line) > width]
    # a word that is longer than a line stays whole, so that a path can be copied
    long = [line for line in long if len(line.split()) > 1]
    assert [line for line in long if not re.search(r"confidence|more like it|places?: |^Next|^To accept", line)] == []


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_json_obeys_its_schema(name: str) -> None:
    value = json.loads(as_json.compose(samples.SAMPLES[name]))
    assert list(schema("report-v1").iter_errors(value)) == []
    for line in jsonl.compose(samples.SAMPLES[name]).splitlines():
        assert list(schema("report-v1", "#/$defs/line").iter_errors(json.loads(line))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda value: value["models"][0].update(extra=1), "extra"),
        (lambda value: value["models"][0]["decision"].update(verdict="maybe"), "maybe"),
        (lambda value: value["models"][0]["statements"][0]["predicate"]["files"][0].update(coverage="some"), "some"),
        (lambda value: value["models"][0]["statements"][0]["predicate"]["files"][0].pop("digest"), "digest"),
        (lambda value: value["models"][0]["statements"][1]["predicate"]["items"][0].update(size=-1), "-1"),
        (lambda value: value["models"][0]["statements"][1].update(predicateType="https://openvet/predicates/else/v1"), "else"),
        (lambda value: value.pop("errors"), "errors"),
    ],
)  # fmt: skip
def test_the_schema_is_strict(change: Callable[[Any], None], said: str) -> None:
    value = json.loads(as_json.compose(samples.SAMPLES["clean"]))
    change(value)
    errors = list(schema("report-v1").iter_errors(value))
    assert errors
    assert said in str(errors)


def test_json_lines_are_the_parts_of_the_json_report() -> None:
    whole = json.loads(as_json.compose(samples.MANY))
    lines = [json.loads(line) for line in jsonl.compose(samples.MANY).splitlines()]
    assert lines == [*whole["models"], *whole["errors"]]


def test_numbers_that_not_every_reader_carries_become_text() -> None:
    value = json.loads(as_json.compose(samples.SAMPLES["hostile"]))
    numbers = list(schema("report-v1").iter_errors(value))
    assert numbers == []
    item = value["models"][0]["statements"][1]["predicate"]["items"][1]
    assert item["tensors"][0]["shape"] == [str(2**62), str(2**80)]
    evidence = value["models"][0]["statements"][0]["predicate"]["files"][0]["findings"][0]["evidence"]
    assert (evidence["number"], evidence["infinite"], evidence["long"]) == ("nan", "-inf", str(2**70))


# --- SARIF ---


def run_of(report: Report, index: int = 0) -> Any:
    return json.loads(sarif.compose(report))["runs"][index]


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_sarif_obeys_its_schema(name: str) -> None:
    official = json.loads(VENDORED.read_text(encoding="utf-8"))
    official.pop("$schema")  # it says draft 4, which differs from 7 only in words that it does not use
    value = json.loads(sarif.compose(samples.SAMPLES[name]))
    assert list(Draft7Validator(official).iter_errors(value)) == []


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_sarif_refers_to_what_is_there(name: str) -> None:
    for run in json.loads(sarif.compose(samples.SAMPLES[name]))["runs"]:
        rules, artifacts = run["tool"]["driver"]["rules"], run.get("artifacts", [])
        told = {each["id"] for each in run["tool"]["driver"]["notifications"]}
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            for where in result["locations"]:
                place = where.get("physicalLocation", {}).get("artifactLocation")
                if place is not None:
                    assert artifacts[place["index"]]["location"]["uri"] == place["uri"]
        notes = [each["descriptor"]["id"] for each in run["invocations"][0]["toolExecutionNotifications"]]
        assert set(notes) <= told | {"not-checked"}
        prints = [each["partialFingerprints"]["openvetFinding/v1"] for each in run["results"]]
        assert len(prints) == len(set(prints))
        uris = [each["location"]["uri"] for each in artifacts]
        assert len(uris) == len(set(uris))
        assert all(re.fullmatch(r"[A-Za-z0-9\-._~/%]+", uri) for uri in uris)


def test_sarif_shows_a_member_as_its_archive() -> None:
    result = run_of(samples.SAMPLES["hostile"])["results"][1]
    assert result["level"] == "error"
    assert result["properties"]["security-severity"] == "9.5"
    where = result["locations"][0]
    assert where["physicalLocation"] == {
        "artifactLocation": {"uri": "pytorch_model.bin", "uriBaseId": "MODEL", "index": 1}
    }
    assert where["logicalLocations"][0]["fullyQualifiedName"] == "pytorch_model.bin!/archive/data.pkl"
    assert where["properties"] == {"memberOffset": 42}


def test_sarif_paths() -> None:
    assert run_of(samples.SAMPLES["hostile"])["originalUriBaseIds"]["MODEL"]["uri"] == "file:///models/ev%20il/"
    uris = [each["location"]["uri"] for each in run_of(samples.SAMPLES["unread"])["artifacts"]]
    assert uris == ["a%20b%2520c.onnx", "b.h5", "c.bin", "d.zip", "e%80%E2%80%AE.txt", "odd%3Aname.txt"]
    assert run_of(samples.SAMPLES["clean"])["artifacts"][3]["location"] == {
        "uri": "models/all-MiniLM-L6-v2/training/state.pt"}  # fmt: skip
    assert run_of(samples.SAMPLES["safety"])["artifacts"][0]["location"]["uri"] == "single/model.pt"


def test_sarif_fingerprints_stay_when_only_the_offset_moves() -> None:
    before = run_of(samples.SAMPLES["hostile"])["results"]
    scan = samples.HOSTILE.scan
    moved = tuple(
        replace(
            file, findings=tuple(replace(each, location=replace(each.location, offset=99)) for each in file.findings)
        )
        for file in scan.files
    )
    after = run_of(samples.report(replace(samples.HOSTILE, scan=replace(scan, files=moved))))["results"]
    assert [each["partialFingerprints"] for each in before] == [each["partialFingerprints"] for each in after]


def test_sarif_fingerprints_tell_the_same_thing_in_two_places_apart() -> None:
    twice = tuple(replace(samples.RUNS, location=Location("x.bin!/data.pkl", offset)) for offset in (1, 2))
    found = run_of(samples.report(replace(samples.CLEAN, scan=replace(samples.CLEAN.scan, findings=twice))))["results"]
    prints = [each["partialFingerprints"]["openvetFinding/v1"] for each in found[:2]]
    assert prints[0].removesuffix(":1") == prints[1].removesuffix(":2")
    assert prints[0] != prints[1]


def test_sarif_messages_hold_no_link_and_no_placeholder() -> None:
    message = run_of(samples.SAMPLES["hostile"])["results"][0]["message"]["text"]
    assert r"\[x\](http://evil.example)" in message
    assert "{{0}}" in message


def test_sarif_rules_carry_their_help() -> None:
    rules = run_of(samples.SAMPLES["hostile"])["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == ["config/custom-code", "pickle/runs-process"]  # and not what found nothing
    rule = rules[1]
    assert rule["id"] == "pickle/runs-process"
    assert "Use safetensors instead." in rule["help"]["text"]
    assert "### Remedy\n\nDo not load it." in rule["help"]["markdown"]
    assert rule["properties"]["tags"] == ["security", "pickle", "external/cwe/cwe-502"]
    assert rule["defaultConfiguration"] == {"level": "error"}


def test_sarif_says_what_was_not_read_and_whether_it_worked() -> None:
    invocation = run_of(samples.SAMPLES["unread"])["invocations"][0]
    assert invocation["executionSuccessful"] is False  # a rule could not be run
    found = [each["descriptor"]["id"] for each in invocation["toolExecutionNotifications"]]
    assert found == ["unread/limit"] * 10 + ["unread/no-reader"] * 2 + [
        "unread/coverage",
        "unread/denied",
        "unread/time",
        "unread/rule",
    ]
    clean = run_of(samples.SAMPLES["clean"])
    assert clean["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    assert clean["properties"]["decision"]["verdict"] == "admit"


# --- Markdown ---


def test_markdown_shows_what_a_subject_says_as_text() -> None:
    shown = markdown.compose(samples.SAMPLES["hostile"])
    for harm in ("<script", "](", "@all", "#1 ", "http://", "www.evil", "`"):
        assert harm not in shown, harm
    for line in shown.splitlines():
        if line.startswith("|") and "---" not in line:
            assert len(line.split("|")) in {4, 7}, line


def test_markdown_is_read_as_meant() -> None:
    reader = pytest.importorskip("markdown_it")
    page = reader.MarkdownIt("gfm-like", {"linkify": False}).render(markdown.compose(samples.SAMPLES["hostile"]))
    assert "<script" not in page
    assert "<a " not in page
    assert page.count("<table>") == 2
    assert "alert(1)" in re.sub(r"&#\d+;|<b></b>", "", page)


# --- text ---


def test_folded_findings_and_the_next_step() -> None:
    shown = text.compose(samples.SAMPLES["hostile"])
    assert shown.startswith("REJECT  ev il — calls os.system('echo hello') when it is loaded (and 12 more like it)\n")
    assert "and 10 more like it; --format json lists all" in shown
    assert "\nNext: openvet explain pickle/runs-process\n" in shown
    assert "To accept it" not in shown  # nobody is invited to accept what is dangerous


def test_a_place_without_a_file_of_its_own_is_shown_all_the_same() -> None:
    lost = replace(samples.RUNS, location=Location("nowhere!/x", 1))
    broken = replace(samples.CLEAN, scan=replace(samples.CLEAN.scan, findings=(lost,)))
    shown = json.loads(sarif.compose(samples.report(broken)))["runs"][0]["results"][0]["locations"][0]
    assert shown["physicalLocation"]["artifactLocation"]["uri"] == "models/all-MiniLM-L6-v2/nowhere%21/x"
    assert "nowhere!/x @1" in text.compose(samples.report(broken))
