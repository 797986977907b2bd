"""secrets/key-in-file: credentials by their form. The samples are put together here, so that no file holds one."""

from __future__ import annotations

import random
import string
import time

import pytest

from openvet.checks._check import Context
from openvet.checks.secrets import key_in_file
from openvet.core.limits import Budget
from openvet.core.rule import Confidence
from openvet.formats import json, python, text, yaml
from openvet.formats._format import Facts
from openvet.formats._secrets import redacted, scan_text
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource

LETTERS = string.ascii_letters + string.digits


def some(count: int, alphabet: str = LETTERS, seed: int = 7) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=count))


KEYS = {
    "aws-access-key": "AKIA" + some(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    "aws-secret-key": 'aws_secret_access_key = "' + some(40) + '"',
    "google-api-key": "AIza" + some(35),
    "azure-storage-key": "AccountKey=" + some(86) + "==",
    "github-token": "ghp_" + some(36),
    "gitlab-token": "glpat-" + some(20),
    "hugging-face-token": "hf_" + some(34),
    "openai-key": "sk-" + some(48),
    "anthropic-key": "sk-ant-api03-" + some(93),
    "slack-token": "xoxb-" + some(11, string.digits) + "-" + some(24),
    "slack-webhook": "hooks.slack.com/services/T" + some(9, "ABCDEF98") + "/B" + some(9, "ABCDEF98") + "/" + some(24),
    "stripe-key": "sk_live_" + some(24),
    "wandb-key": "WANDB_API_KEY=" + some(40, "0123456789abcdef"),
    "pypi-token": "pypi-AgEIcHlwaS5vcmc" + some(60),
    "npm-token": "npm_" + some(36),
    "private-key": "-----BEGIN RSA PRIVATE" + " KEY-----\n" + "\n".join(some(64, seed=n) for n in range(4)) + "\n",
    "json-web-token": "eyJ" + some(20) + ".eyJ" + some(30) + "." + some(43),
}


def found(value: str) -> list[tuple[str, int | None]]:
    facts = Facts("f", "f", Budget())
    scan_text(value, facts)
    return [(each.evidence["kind"], each.location.line) for each in facts.anomalies]


@pytest.mark.parametrize("line", ["AWS_ACCESS_KEY_ID={}", "export K='{}'", '"key": "{}",', "key: {}", "{}"])
def test_an_access_key_is_found_however_it_is_assigned(line: str) -> None:
    assert found(line.format(KEYS["aws-access-key"])) == [("aws-access-key", 1)]


@pytest.mark.parametrize("kind", sorted(KEYS))
def test_each_form_is_found_on_its_line(kind: str) -> None:
    assert found(f"one\ntwo {KEYS[kind]} three\n") == [(kind, 2)]


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7" + "EXAMPLE",
        "hf_" + "x" * 34,
        "ghp_" + "Aa" * 18,
        "hf_" + some(33),
        "hf_" + some(35),
        "a" + "hf_" + some(34),
        "sk-your" + "-key-here",
        "-----BEGIN PRIVATE" + " KEY-----",
        "-----BEGIN PUBLIC" + " KEY-----\n" + some(64) + "\n" + some(64) + "\n",
        "wandb_api_key: null",
        "a commit: " + some(40, "0123456789abcdef"),
        "eyJ" + "a" * 30,
    ],
)
def test_placeholders_and_lookalikes_are_left_out(value: str) -> None:
    assert found(value) == []


def test_a_private_key_inside_json_is_found() -> None:
    escaped = KEYS["private-key"].replace("\n", "\\n")
    assert found('{"private_key": "' + escaped + '"}') == [("private-key", 1)]


def test_one_key_is_said_once() -> None:
    assert len(found((KEYS["github-token"] + "\n") * 5)) == 1


def test_the_message_does_not_give_the_key_away() -> None:
    key = KEYS["github-token"]
    facts = Facts("f", "f", Budget())
    scan_text(key, facts)
    (anomaly,) = facts.anomalies
    assert key[4:-2] not in anomaly.message
    assert redacted(key) == f"ghp_…{key[-2:]}"
    assert redacted(key) in anomaly.message


@pytest.mark.parametrize(
    "value",
    [
        "eyJ" * 700_000,
        "sk-" * 700_000,
        "eyJ" + "a" * 400 + ".",
        "-----BEGIN RSA PRIVATE" + " KEY-----\n" * 50_000,
        "AKIA" * 500_000,
    ],
)
def test_the_time_is_linear(value: str) -> None:
    before = time.process_time()
    found(value)
    assert time.process_time() - before < 8


@pytest.mark.parametrize(
    ("reader", "name", "wrapped"),
    [
        (json, "a.json", '{{"k": "{}"}}'),
        (yaml, "a.yaml", "k: {}\n"),
        (python, "a.py", "K = '{}'\n"),
        (text, "a.txt", "key: {}\n"),
    ],
)
def test_every_reader_of_text_looks(reader: object, name: str, wrapped: str) -> None:
    facts = Facts(name, name, Budget())
    reader.read(BytesSource(wrapped.format(KEYS["hugging-face-token"]).encode()), facts)  # type: ignore[attr-defined]
    component = Component(name, name, 1, ("x",), facts.coverage, anomalies=tuple(facts.anomalies))
    findings = list(key_in_file.check(Context(Inventory((component,)), key_in_file.RULE)))
    assert [(each.rule, each.confidence, each.location.line) for each in findings] == [
        ("secrets/key-in-file", Confidence.HIGH, 1)
    ]


def test_a_long_json_text_is_searched_to_its_end() -> None:
    facts = Facts("a.json", "a.json", Budget())
    body = "[" + "1,\n" * 1_500_000 + f'"{KEYS["github-token"]}"]'
    json.read(BytesSource(body.encode()), facts)
    assert [each.location.line for each in facts.anomalies] == [1_500_001]


@pytest.mark.parametrize("before", [1, 20, 39])
def test_a_key_between_two_blocks_is_found(before: int) -> None:
    facts = Facts("a.json", "a.json", Budget())
    key = KEYS["github-token"]
    json.read(BytesSource((" " * (1024 * 1024 - before) + f'"{key}"' + " " * 2_000_000).encode()), facts)
    assert [each.evidence["kind"] for each in facts.anomalies] == ["github-token"]


def test_the_confidence_is_that_of_the_form() -> None:
    facts = Facts("f", "f", Budget())
    scan_text(KEYS["json-web-token"], facts)
    component = Component("f", "f", 1, ("text",), facts.coverage, anomalies=tuple(facts.anomalies))
    (finding,) = key_in_file.check(Context(Inventory((component,)), key_in_file.RULE))
    assert finding.confidence is Confidence.LOW
