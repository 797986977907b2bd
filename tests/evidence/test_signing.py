"""Statements signed and read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.errors import UsageError, VerifyError
from openvet.evidence.bundle import Bundle
from openvet.evidence.dsse import IN_TOTO, Envelope, Signature
from openvet.evidence.keys import generate
from openvet.evidence.predicates.scan_v1 import PREDICATE_TYPE, Scan
from openvet.evidence.signing import parse_line, parse_statement, sign_payload, sign_statement, signable, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.evidence.verifier import verify_with_key
from openvet.testing import dump

KEY = generate("ed25519")


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> tuple[Statement, ...]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "config.json").write_text('{"model_type": "bert", "layer_norm_eps": 1e-12, "n": 123456789012345678901}')
    (folder / "weights.pkl").write_bytes(dump({"epoch": 3, "loss": 0.5}))
    (folder / "n\u00e4me.txt").write_text("text")
    return openvet.check(str(folder)).models[0].statements()


def test_what_is_signed_is_read_back(statements: tuple[Statement, ...]) -> None:
    for each in statements:
        line = to_line(sign_statement(each, KEY))
        bundle = parse_line(line, "the line")
        found = parse_statement(verify_with_key(bundle, KEY.public).payload)
        assert found.predicate_type == each.predicate.predicate_type
        assert found.subjects == (each.subject,)
        assert type(found.predicate) is type(each.predicate)
        assert found.body == signable(each.predicate.to_json())


def test_the_same_statement_gives_the_same_bytes(statements: tuple[Statement, ...]) -> None:
    for each in statements:
        assert to_line(sign_statement(each, KEY)) == to_line(sign_statement(each, KEY))


def test_numbers_that_readers_disagree_on_are_text() -> None:
    value = {"a": 1e-12, "b": 2**60, "c": 600.0, "d": True, "e": [0.1, None], "f": "\udc80", "g": float("nan")}
    assert signable(value) == {
        "a": "1e-12",
        "b": str(2**60),
        "c": 600,
        "d": True,
        "e": ["0.1", None],
        "f": "\\udc80",
        "g": "nan",
    }


def test_unknown_kinds_are_kept_and_not_interpreted() -> None:
    payload = b'{"_type":"https://in-toto.io/Statement/v1","predicate":{"x":[1]},"predicateType":"https://a/b","subject":[{"digest":{"sha256":"00"}}]}'
    found = parse_statement(payload)
    assert found.predicate is None
    assert found.body == {"x": [1]}


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["predicate"].update(more=1),
        lambda body: body["predicate"].pop("tool"),
        lambda body: body["predicate"]["tool"].update(more=1),
        lambda body: body["predicate"].update(files=[1]),
        lambda body: body["predicate"].update(rules={"a": "no such outcome"}),
        lambda body: body.update(more=1),
        lambda body: body.update(subject=[]),
        lambda body: body.update(subject=[{"digest": {}}]),
        lambda body: body.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda body: body.update(predicate=[]),
    ],
)
def test_a_known_kind_has_exactly_its_form(statements: tuple[Statement, ...], change: Any) -> None:
    body = json.loads(sign_statement(statements[0], KEY).envelope.payload)
    assert parse_statement(json.dumps(body).encode()).predicate_type == PREDICATE_TYPE
    change(body)
    with pytest.raises(VerifyError) as caught:
        parse_statement(json.dumps(body).encode())
    assert caught.value.reason == "malformed"


def test_what_nobody_can_name_or_repeat_is_not_signed(statements: tuple[Statement, ...]) -> None:
    with pytest.raises(UsageError, match="no digest"):
        sign_statement(Statement(ResourceDescriptor("model", {}), statements[0].predicate), KEY)
    other = ResourceDescriptor("other", {})
    with pytest.raises(UsageError, match=r"other: .* no digest"):
        sign_statement(Statement(statements[0].subject, statements[0].predicate, (other,)), KEY)
    body = {**statements[0].predicate.to_json(), "reproducible": False}
    with pytest.raises(UsageError, match="cut the scan short"):
        sign_statement(Statement(statements[0].subject, Scan.from_json(body)), KEY)


def test_a_line_has_one_spelling() -> None:
    bundle = sign_payload(b"{}", KEY)
    line = to_line(bundle)
    for other in (
        line + b" ",
        line.replace(b",", b", ", 1),
        bundle.to_bytes()[:-1],
        line.replace(b'"sig"', b'"keyid":"a","sig"'),
    ):
        with pytest.raises(VerifyError) as caught:
            parse_line(other, "the line")
        assert caught.value.reason == "malformed"
    assert to_line(Bundle.parse(bundle.to_bytes())) == line
    for envelope in (
        Envelope(IN_TOTO, b"", (Signature(b"a"), Signature(b"b"))),
        Envelope("text/plain", b"", (Signature(b"a"),)),
    ):
        with pytest.raises(VerifyError) as caught:
            to_line(Bundle(bundle.material, envelope))
        assert caught.value.reason == "unsupported"


def test_types_come_from_one_constant() -> None:
    source = Path(openvet.__file__).parent
    found = [path.name for path in source.rglob("*.py") if "openvet/predicates/" in path.read_text()]
    assert found == []
    makers = [
        *source.glob("evidence/**/*.py"),
        *(source / "workflows" / name for name in ("statements.py", "provenance.py")),
    ]
    assert [str(path) for path in makers if "//openvet" in path.read_text()] == [
        str(source / "evidence/predicates/__init__.py")
    ]
