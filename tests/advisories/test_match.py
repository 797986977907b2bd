"""What hits what: by content, by a name with a version, by both; and what nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from openvet.advisories.match import MOST_HITS, match, safe_version, status_of
from openvet.advisories.osv import Record, read_record
from openvet.core.location import Location
from openvet.errors import MalformedError
from openvet.evidence.predicates.advisories_v1 import AdvisoryHit, FileFeatures, NamedPackage

HERE = Location("requirements.txt", line=1)
RULE = "hub/attention-implementation"
TRIGGER = {"openvet": {"features": [RULE], "evidence": "a key"}}


def osv(name: str = "transformers", events: Any = None, **more: Any) -> Record:
    events = events or [{"introduced": "4.56.0"}, {"fixed": "5.3.0"}]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}]
    return read_record(
        {"id": "GHSA-1", "aliases": ["CVE-1"], "published": "2026-05-24T01:02:03Z", "affected": affected, **more}
    )


def named(specifier: str, name: str = "transformers", ecosystem: str = "PyPI") -> NamedPackage:
    return NamedPackage(ecosystem, name, specifier, HERE, "requirements")


def file(*rules: str, formats: tuple[str, ...] = ("json",)) -> FileFeatures:
    return FileFeatures("config.json", {}, formats, {each: Location("config.json", pointer="/x") for each in rules})


@pytest.mark.parametrize(
    ("specifier", "status"),
    [
        ("==5.2.0", "affected"),
        ("==5.3.0", "not-affected"),
        ("==4.55.9", "not-affected"),
        ("==5.3.0rc1", "affected"),  # a candidate of the repaired version comes before it
        (">=5,<5.3", "affected"),  # nothing but affected versions
        ("==5.2.*", "affected"),
        ("~=5.2.0", "affected"),
        (">=4.40", "may-be-affected"),
        ("", "may-be-affected"),
        ("<4.56", "not-affected"),
        (">=5.3", "not-affected"),
        ("!=5.2.0", "may-be-affected"),
        ("latest", "unknown"),
        ("==git", "unknown"),
        (">2,<1", "not-affected"),  # nothing is allowed
    ],
)
def test_what_is_named_decides(specifier: str, status: str) -> None:
    assert status_of(osv().affected, named(specifier)) == status


def test_versions_that_are_only_listed() -> None:
    value = {
        "id": "X-1",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": ["1.0", "1.1", "odd"]}],
    }
    affected = read_record(value).affected
    assert status_of(affected, named("==1.1", "x")) == "affected"
    assert status_of(affected, named("==1.0.0", "x")) == "affected"  # the same version, written otherwise
    assert status_of(affected, named("==1.2", "x")) == "not-affected"
    assert status_of(affected, named(">=1.1", "x")) == "may-be-affected"


def test_what_nobody_can_order_is_unknown_unless_it_is_listed() -> None:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]
    value = {
        "id": "X-1",
        "affected": [{"package": {"ecosystem": "Maven", "name": "a:b"}, "ranges": ranges, "versions": ["1"]}],
    }
    affected = read_record(value).affected
    assert status_of(affected, named("==1", "a:b", "Maven")) == "affected"
    assert status_of(affected, named("==3", "a:b", "Maven")) == "unknown"
    broken = osv(events=[{"introduced": "0"}, {"fixed": "not a version"}])
    assert status_of(broken.affected, named("==1")) == "unknown"


def test_content_reaches_a_loader_whatever_is_named() -> None:
    (hit,), left = match([osv(database_specific=TRIGGER)], [file(RULE)], [])
    assert (hit.id, hit.name, hit.status, hit.fixed, left) == ("GHSA-1", "transformers", "unknown", ("5.3.0",), 0)
    assert hit.reasons == ((RULE, Location("config.json", pointer="/x")),)
    (hit,), _ = match([osv(database_specific=TRIGGER)], [file(RULE)], [named("==5.2.0"), named("==6.0")])
    assert hit.status == "affected"
    assert hit.named == (0,)
    (hit,), _ = match([osv(database_specific=TRIGGER)], [file(RULE)], [named("==6.0")])
    assert hit.status == "not-affected"
    assert hit.named == (0,)
    assert match([osv(database_specific=TRIGGER)], [file("other/rule")], [named("==6.0")]) == ((), 0)


def test_a_rule_and_a_format_are_both_needed() -> None:
    both = {"openvet": {"features": [RULE], "formats": ["hdf5"]}}
    assert match([osv(database_specific=both)], [file(RULE)], [])[0] == ()
    assert len(match([osv(database_specific=both)], [file(RULE, formats=("hdf5", "json"))], [])[0]) == 1
    alone = {"openvet": {"formats": ["torch-tar"]}}
    (hit,), _ = match([osv(database_specific=alone)], [file(formats=("torch-tar",))], [])
    assert hit.reasons == (("torch-tar", Location("config.json")),)


def test_a_package_is_hit_without_any_content() -> None:
    (hit,), _ = match([osv()], [file(RULE)], [named(">=5")])
    assert (hit.status, hit.reasons) == ("may-be-affected", ())
    assert match([osv()], [], [named("==5.3.0"), named("==5.2.0", "other")]) == ((), 0)


def test_withdrawn_and_later_ones_do_not_count() -> None:
    assert match([osv(withdrawn="2026-06-01T00:00:00Z")], [], [named("==5.2.0")])[0] == ()
    assert match([osv()], [], [named("==5.2.0")], "2026-05-23")[0] == ()
    assert len(match([osv()], [], [named("==5.2.0")], "2026-05-24")[0]) == 1


def test_a_problem_that_two_databases_describe_is_one_hit() -> None:
    ranges = [{"introduced": "0"}, {"last_affected": "5.2.9"}]
    twin = read_record({"id": "PYSEC-1", "aliases": ["CVE-1", "GHSA-1"], "affected": [
        {"package": {"ecosystem": "PyPI", "name": "transformers"}, "ranges": [{"type": "ECOSYSTEM", "events": ranges}]}]})  # fmt: skip
    (hit,), _ = match([osv(), twin], [], [named("==5.2.0")])
    assert (hit.id, hit.aliases, hit.fixed, hit.last) == ("GHSA-1", ("CVE-1", "PYSEC-1"), ("5.3.0",), ())
    (hit,), _ = match([osv(), twin], [], [named("==4.0")])  # for one of them only: the worse counts
    assert hit.status == "affected"
    assert (
        len(match([osv(), osv("other", aliases=["CVE-1"])], [], [named("==5.2.0"), named("==5.2.0", "other")])[0]) == 2
    )


def test_names_are_those_of_the_index() -> None:
    assert osv("Huggingface_Hub").affected[0].name == "huggingface-hub"


def test_no_hit_by_content_is_ever_left_out_for_length() -> None:
    many = [osv(id=f"OSV-{number}", aliases=[]) for number in range(MOST_HITS + 20)]
    hits, left = match([*many, osv(database_specific=TRIGGER)], [file(RULE)], [named("")])
    assert (len(hits), left) == (MOST_HITS, 21)
    assert hits[0].reasons


def test_from_which_version_on_all_is_well() -> None:
    def hit(*fixed: str, last: tuple[str, ...] = ()) -> AdvisoryHit:
        return AdvisoryHit("A", (), "PyPI", "x", "affected", fixed=fixed, last=last)

    assert safe_version("PyPI", [hit("2.5.3", "2.6.3"), hit("2.10.0")]) == ("2.10.0", True)
    assert safe_version("PyPI", [hit("1.2"), hit(last=("1.16.0",))]) == ("1.16.0", False)
    assert safe_version("PyPI", [hit("1.16"), hit(last=("1.16.0",))]) == ("1.16.0", False)
    assert safe_version("PyPI", [hit("1.2"), hit()]) is None
    assert safe_version("Maven", [hit("1.2")]) is None
    assert safe_version("PyPI", []) is None


@pytest.mark.parametrize(
    "value",
    [
        None, [], "GHSA-1", {}, {"id": ""}, {"id": 7}, {"id": "A", "affected": {}}, {"id": "A", "affected": [1]},
        {"id": "A", "affected": [{"package": "torch"}]},
        {"id": "A", "affected": [{"package": {"ecosystem": 1, "name": "x"}}]},
        {"id": "A", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": "all"}]},
        {"id": "A", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [{"type": "SEMVER", "events": [7]}]}]},
        {"id": "A", "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "versions": {"1": 2}}]},
        {"id": "A", "affected": [{}] * 3000}, {"id": "A", "summary": ["x"]}, {"id": "A", "aliases": "CVE-1"},
        {"id": "A", "database_specific": {"openvet": 7}}, {"id": "A", "database_specific": {"openvet": {"features": [7]}}},
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError):
        read_record(value)


def test_texts_of_others_are_cut_and_made_printable() -> None:
    found = read_record(
        {
            "id": "A\x1b[2J",
            "summary": "x" * 10_000,
            "aliases": ["a\nb"] * 500,
            "references": [{"url": 7}, "x", {"url": "u"}],
        }
    )
    assert "\x1b" not in found.id
    assert len(found.summary) == 300
    assert len(found.aliases) == 1
    assert "\n" not in found.aliases[0]
    assert found.references == ("u",)
