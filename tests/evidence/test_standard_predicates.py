"""What others have specified and we read: strict about what is specified, and patient with what is not."""

from __future__ import annotations

import copy
import json
import os
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.vectors import FOLDER

from openvet.errors import VerifyError
from openvet.evidence.predicates import svr_v0, vulns_v0
from openvet.evidence.predicates.fields import FieldError, Fields, with_extensions
from openvet.evidence.predicates.known import KNOWN
from openvet.evidence.signing import SignedStatement, parse_statement

HEAD = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": "ab" * 32}}]}


def read(kind: str, body: Any) -> SignedStatement:
    return parse_statement(json.dumps({**HEAD, "predicateType": kind, "predicate": body}).encode())


STANDARD = ["test-result-admitted", "svr-admitted", "vsa-team", "vulns-rejected", "provenance-folder"]


@pytest.mark.parametrize("name", STANDARD)
def test_fields_that_no_specification_names_are_kept_and_told(name: str) -> None:
    value = json.loads((FOLDER / f"{name}.json").read_bytes())
    body, more = value["predicate"], {}

    def add(place: Any, at: str) -> None:
        if isinstance(place, list):
            for number, each in enumerate(place):
                add(each, f"{at}/{number}")
        elif isinstance(place, dict):
            for key, each in list(place.items()):
                if key not in FREE:
                    add(each, f"{at}/{key}")
            place["x/y~"] = {"z": [1]}
            more[f"{at}/x~1y~0"] = {"z": [1]}

    add(body, "")
    found = read(value["predicateType"], body).predicate
    assert found is not None
    assert found.to_json() == body
    assert dict(found.extensions) == more  # type: ignore[attr-defined]
    assert len(more) > 2


#: Objects whose keys are free: nothing in them is an extension.
FREE = {"digest", "annotations", "externalParameters", "internalParameters", "version"}


def test_older_versions_are_read() -> None:
    older = {"verifier": {"id": "https://v/1"}, "timeCreated": "2026-01-01T00:00:00.123Z", "properties": []}
    found = read(svr_v0.OLDER_TYPE, older).predicate
    assert isinstance(found, svr_v0.SimpleVerification)
    assert found.policies is None
    assert found.predicate_type == svr_v0.OLDER_TYPE
    with pytest.raises(VerifyError, match="policies is not there"):
        read(svr_v0.PREDICATE_TYPE, older)
    hit = {"id": "CVE-1", "severity": [{"method": "nvd", "score": "medium"}]}
    body: dict[str, Any] = {
        "invocation": {"parameters": []},
        "scanner": {"uri": "pkg:a/b", "db": {"lastUpdate": "2026-01-01T00:00:00Z"}, "result": [hit, {"vulnerability": hit}]},
        "metadata": {"scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:00:00Z"},
    }  # fmt: skip
    known = read(vulns_v0.OLDER_TYPE, body).predicate
    assert isinstance(known, vulns_v0.Vulns)
    assert [each.id for each in known.hits] == ["CVE-1", "CVE-1"]
    assert set(known.extensions) == {"/invocation"}
    with pytest.raises(VerifyError):
        read(vulns_v0.PREDICATE_TYPE, body)


def test_a_refusal_names_the_field() -> None:
    body = json.loads((FOLDER / "fail/vsa-no-policy-uri.json").read_bytes())["predicate"]
    with pytest.raises(VerifyError, match=r"none of https://slsa.dev/verification_summary/v1: /policy has no uri"):
        read("https://slsa.dev/verification_summary/v1", body)


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999999999Z"])
def test_times(time: str) -> None:
    assert Fields({"t": time}).time("t") == time


@pytest.mark.parametrize(
    "time", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01t00:00:00z", "2026-01-01T24:61:00Z", "2026-13-01T00:00:00Z",
             "2026-01-01T00:00:00.Z", "\u0662026-01-01T00:00:00Z", " 2026-01-01T00:00:00Z"],
)  # fmt: skip
def test_no_times(time: str) -> None:
    with pytest.raises(FieldError):
        Fields({"t": time}).time("t")


def test_extensions_go_back_to_where_they_were() -> None:
    body = {"a": [{"b": 1}, {}], "c": {}}
    assert with_extensions(copy.deepcopy(body), {"/a/1/x": 1, "/c/~0~1": 2, "/d": 3}) == {
        "a": [{"b": 1}, {"x": 1}], "c": {"~/": 2}, "d": 3,
    }  # fmt: skip


@pytest.mark.parametrize("kind", [each for each in KNOWN if "in-toto" in each or "slsa" in each])
@pytest.mark.parametrize(
    "body", [{}, {"verifier": []}, {"scanner": {"db": 1}}, {"buildDefinition": {}, "runDetails": {}}]
)
def test_nothing_but_a_refusal_comes_of_a_body_without_its_fields(kind: str, body: Any) -> None:
    with pytest.raises(VerifyError) as caught:
        read(kind, body)
    assert caught.value.reason == "malformed"


WORDS = sorted(
    {key for name in STANDARD for key in re.findall(r'"([A-Za-z]+)":', (FOLDER / f"{name}.json").read_text())}
    | {"", "0", "a/b~"}
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from(["", "PASSED", "FAILED", "https://a/b", "2026-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


@settings(deadline=None, max_examples=int(os.environ.get("OPENVET_FUZZ_EXAMPLES", "300")))
@given(st.sampled_from(STANDARD), st.data())
def test_any_change_is_refused_or_read_as_it_is(name: str, data: st.DataObject) -> None:
    """Something in a good body replaced or added: either a refusal, or a predicate that says the very same."""
    value = json.loads((FOLDER / f"{name}.json").read_bytes())
    place = value["predicate"]
    for _ in range(data.draw(st.integers(0, 4))):
        below = [
            each for each in (place.values() if isinstance(place, dict) else place) if isinstance(each, dict | list)
        ]
        if not below:
            break
        place = data.draw(st.sampled_from(below))
    if isinstance(place, list):
        place.append(data.draw(VALUES))
    else:
        place[data.draw(st.sampled_from(WORDS))] = data.draw(VALUES)
    try:
        found = read(value["predicateType"], value["predicate"])
    except VerifyError:
        return
    assert found.predicate is not None
    assert found.predicate.to_json() == value["predicate"]
