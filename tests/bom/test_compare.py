"""Bills of others and ours, read back and compared."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.bom.compare import Difference, compare
from openvet.bom.cyclonedx import cyclonedx
from openvet.bom.foreign import read_bill
from openvet.bom.spdx import spdx
from openvet.errors import MalformedError
from openvet.workflows.bom import bill_of
from tests.bom.models import whole

CYCLONEDX: dict[str, Any] = {
    "bomFormat": "CycloneDX", "specVersion": "1.4",
    "metadata": {"component": {"type": "application", "name": "app", "version": "1"}},
    "components": [
        {"type": "library", "name": "a", "version": "1", "purl": "pkg:pypi/a@1", "hashes": [{"alg": "SHA-256", "content": "AB"}],
         "licenses": [{"license": {"id": "MIT"}}, {"expression": "MIT OR Apache-2.0"}], "components": [{"type": "file", "name": "inner"}]},
        {"type": "library", "name": "b", "properties": [{"name": "x", "value": "1"}]},
    ],
}  # fmt: skip
SPDX2: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {"name": "a", "versionInfo": "2", "licenseDeclared": "MIT", "licenseConcluded": "NOASSERTION",
         "checksums": [{"algorithm": "SHA256", "checksumValue": "ab"}],
         "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/a@2"}]},
    ],
    "files": [{"fileName": "./inner", "checksums": []}],
}  # fmt: skip


def differing(one: Any, other: Any) -> Difference:
    return compare(read_bill(one), read_bill(other))


def test_nested_components_and_the_subject_are_read() -> None:
    found = read_bill(CYCLONEDX)
    assert [each.key for each in found.entries] == ["app", "b", "inner", "pkg:pypi/a"]
    assert found.entries[3].hashes == {"sha256": "ab"}
    assert found.entries[3].licenses == ("MIT", "MIT OR Apache-2.0")


def test_what_changed() -> None:
    after = copy.deepcopy(CYCLONEDX)
    after["components"][0] |= {
        "version": "2",
        "purl": "pkg:pypi/a@2",
        "hashes": [{"alg": "SHA-256", "content": "cd"}],
        "licenses": [],
    }
    after["components"][1]["properties"] = [{"name": "x", "value": "2"}]
    after["components"].append({"type": "file", "name": "new"})
    found = differing(CYCLONEDX, after)
    assert [(each.key, each.what, each.detail, each.before, each.after) for each in found.changes] == [
        ("b", "property", "x", "1", "2"),
        ("pkg:pypi/a", "version", "", "1", "2"),
        ("pkg:pypi/a", "hash", "sha256", "ab", "cd"),
        ("pkg:pypi/a", "license", "", "MIT, MIT OR Apache-2.0", ""),
    ]
    assert [each.key for each in found.added] == ["new"]
    assert (found.removed, found.same) == ((), 2)


def test_another_name_with_the_same_bytes_is_the_same_file() -> None:
    after = copy.deepcopy(CYCLONEDX)
    after["components"][0] |= {"name": "z", "purl": "pkg:pypi/z@1"}
    found = differing(CYCLONEDX, after)
    assert [(each.what, each.before, each.after) for each in found.changes] == [("name", "pkg:pypi/a", "pkg:pypi/z")]
    assert not found.added
    assert not found.removed


def test_forms_are_compared_with_one_another() -> None:
    found = differing(CYCLONEDX, SPDX2)
    assert found.not_compared == ("properties", "kinds")
    assert [(each.what, each.before, each.after) for each in found.changes] == [
        ("version", "1", "2"),
        ("license", "MIT, MIT OR Apache-2.0", "MIT"),
    ]
    assert [each.key for each in found.removed] == ["app", "b"]


def test_our_two_forms_list_the_same(tmp_path: Path) -> None:
    bill = bill_of(str(whole(tmp_path)))
    first, second = cyclonedx(bill), spdx(bill)
    assert not differing(first, first).differs
    assert not differing(second, second).differs
    found = differing(first, second)
    assert not found.added
    assert not found.removed
    assert {each.what for each in found.changes} <= {"license"}


def test_a_change_of_one_byte_is_seen_in_both(tmp_path: Path) -> None:
    model = whole(tmp_path)
    before = bill_of(str(model))
    (model / "LICENSE").write_text("Other\n")
    after = bill_of(str(model))
    for form in (cyclonedx, spdx):
        changed = {(each.key, each.what) for each in differing(form(before), form(after)).changes}
        assert ("LICENSE", "hash") in changed


@pytest.mark.parametrize(
    "document",
    [
        7,
        [],
        {},
        {"bomFormat": "CycloneDX"},
        {"bomFormat": "CycloneDX", "specVersion": "1.0"},
        {"spdxVersion": "SPDX-2.1"},
        {"@context": "https://schema.org"},
    ],
)
def test_what_is_no_bill_is_refused(document: Any) -> None:
    with pytest.raises(MalformedError):
        read_bill(document)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "components",
                    "type",
                    "hashes",
                    "alg",
                    "content",
                    "licenses",
                    "license",
                    "purl",
                    "to",
                    "from",
                    "pedigree",
                    "ancestors",
                    "modelCard",
                    "properties",
                    "value",
                    "verifiedUsing",
                    "packages",
                    "files",
                    "relationshipType",
                ]
            ),
            each,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_ANY, _ANY, st.sampled_from(["1.4", "1.7"]))
def test_any_shape_is_read(one: Any, other: Any, version: str) -> None:
    for document in (
        {"bomFormat": "CycloneDX", "specVersion": version, "components": one, "metadata": other, "services": one},
        {"spdxVersion": "SPDX-2.3", "packages": one, "files": other},
        {
            "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
            "@graph": [one, other, {"type": "ai_AIPackage", "name": "x", "ai_metric": one}],
        },
    ):
        found = read_bill(document)
        assert not compare(found, found).differs
        json.dumps(compare(found, found).to_json())
