"""Trust: who is believed about what. Every way in which a signature does not count, and what no further signature can change."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from openvet.errors import UsageError
from openvet.evidence.judging import Accepted, Judgement, Said, judge
from openvet.evidence.model_signature import DIGESTS_V01, SIGNATURE_V1
from openvet.evidence.trust import WORDS, Grant, Period, Revocation, Trust, TrustedIdentity, TrustedKey
from openvet.evidence.verifier import Signer

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ROOT = "d" * 64


def key(at: int, **knobs: Any) -> TrustedKey:
    return TrustedKey(f"k{at}", f"{at:064x}", **knobs)


def by_key(at: int, method: str = "key", when: datetime | None = None) -> Signer:
    return Signer(method, "p256", f"{at:064x}", signed_at=when)


def keyless(identity: str = "me", at: int = 99, when: datetime | None = None) -> Signer:
    return Signer("sigstore", "p256", f"{at:064x}", identity=identity, provider="https://p", signed_at=when)


def said(signer: Signer, claim: str = "c", **knobs: Any) -> Said:
    made = Said(claim, SIGNATURE_V1, ("acme/llama", "acme/llama"), frozenset({ROOT}), signer)
    return replace(made, **knobs)


def grant(*by: str, **knobs: Any) -> Grant:
    return Grant(**{"says": ("signature",), "by": by, "models": ("*",), **knobs})


def reasons(found: Judgement) -> list[str]:
    return [each.reason for each in found.refused]


def judged(signer: Signer, trust: Trust, as_of: datetime = NOW, **knobs: Any) -> str:
    found = judge([said(signer, **knobs)], trust, as_of)
    assert len(found.accepted) + len(found.refused) == 1
    return "" if found.accepted else found.refused[0].reason


def test_who_is_trusted_is_accepted_by_name() -> None:
    trust = Trust((key(1),), grants=(grant("k1", line=7),))
    found = judge([said(by_key(1)), said(by_key(2))], trust, NOW)
    assert found.accepted == (Accepted("c", SIGNATURE_V1, ("k1",), 1, 7),)
    assert reasons(found) == ["untrusted"]
    assert found.to_json()["refused"][0]["key"] == f"{2:064x}"


@pytest.mark.parametrize(
    ("first", "last", "at", "reason"),
    [
        (None, date(2026, 6, 15), "2026-06-15T23:59:59", ""),
        (None, date(2026, 6, 15), "2026-06-16T00:00:00", "expired"),
        (date(2026, 6, 15), None, "2026-06-15T00:00:00", ""),
        (date(2026, 6, 15), None, "2026-06-14T23:59:59", "not-yet-valid"),
        (date.min, date.max, "2026-06-14T23:59:59", ""),
    ],
)
def test_days_of_keys_and_grants(first: date | None, last: date | None, at: str, reason: str) -> None:
    as_of, period = datetime.fromisoformat(at).replace(tzinfo=UTC), Period(first, last)
    assert judged(by_key(1), Trust((key(1, period=period),), grants=(grant("k1"),)), as_of) == reason
    assert judged(by_key(1), Trust((key(1),), grants=(grant("k1", period=period),)), as_of) == reason


def test_a_proven_time_counts_for_keys_and_not_for_grants() -> None:
    over = Period(None, date(2026, 5, 31))
    before = datetime(2026, 5, 1, tzinfo=UTC)
    assert judged(by_key(1, when=before), Trust((key(1, period=over),), grants=(grant("k1"),))) == ""
    assert judged(by_key(1, when=before), Trust((key(1),), grants=(grant("k1", period=over),))) == "expired"
    assert judged(by_key(1, when=datetime(2026, 7, 1, tzinfo=UTC)), Trust((key(1),), grants=(grant("k1"),))) == "not-yet-valid"  # fmt: skip


def test_revoked_since_a_day() -> None:
    trust = Trust(
        (key(1),), grants=(grant("k1"),), revocations=(Revocation(key(1).principal, date(2026, 6, 15), "lost"),)
    )
    assert judged(by_key(1), trust) == "revoked"
    assert judged(by_key(1), trust, datetime(2026, 6, 14, 23, tzinfo=UTC)) == ""
    assert judged(by_key(1, when=datetime(2026, 6, 14, 23, tzinfo=UTC)), trust) == ""
    assert judged(by_key(1, when=datetime(2026, 6, 15, tzinfo=UTC)), trust) == "revoked"


def test_a_revoked_identity_does_not_come_back_as_a_key() -> None:
    me = TrustedIdentity("me", "me", "https://p")
    trust = Trust((key(1),), (me,), (grant("k1", "me"),), (Revocation(me.principal, date(2026, 1, 1), "left"),))
    assert judged(keyless(at=1), trust) == "revoked"


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [
        ({"models": ("acme/*",)}, ""),
        ({"models": ("other/*", "acme/llam?")}, ""),
        ({"models": ("ACME/*",)}, "untrusted"),
        ({"models": ("acme",)}, "untrusted"),
        ({"models": (), "digests": (ROOT,)}, ""),
        ({"models": (), "digests": ("e" * 64,)}, "untrusted"),
        ({"models": ("other",), "digests": (ROOT,)}, "untrusted"),
        ({"says": ("scan", "bom", "decision")}, "untrusted"),
        ({"says": (SIGNATURE_V1,)}, ""),
        ({"says": (SIGNATURE_V1 + "/more",)}, "untrusted"),
        ({"says": (SIGNATURE_V1[:-1],)}, "untrusted"),
    ],
    ids=str,
)
def test_what_a_grant_is_about(knobs: dict[str, Any], reason: str) -> None:
    assert judged(by_key(1), Trust((key(1),), grants=(grant("k1", **knobs),))) == reason


def test_both_names_of_a_model_have_to_match() -> None:
    """Who may speak about toys cannot sign anything as a toy for somebody to put in another place."""
    trust = Trust((key(1),), grants=(grant("k1", models=("toys-*",)),))
    assert judged(by_key(1), trust, names=("toys-1", "toys-1")) == ""
    assert judged(by_key(1), trust, names=("toys-1", "llama")) == "untrusted"
    assert judged(by_key(1), trust, names=("llama", "toys-1")) == "untrusted"
    assert judged(by_key(1), trust, names=("", "toys-1")) == "untrusted"
    assert judged(by_key(1), trust, names=()) == "untrusted"


@pytest.mark.parametrize(
    ("word", "uri"),
    [
        ("signature", DIGESTS_V01),
        ("scan", "https://openvet/predicates/scan/v1"),
        ("bom", "https://cyclonedx.org/bom"),
        ("bom", "https://cyclonedx.org/bom/v1.6"),
        ("bom", "https://spdx.dev/Document/v3"),
        ("decision", "https://slsa.dev/verification_summary/v1"),
        ("decision", "https://in-toto.io/attestation/svr/v0.2"),
    ],
)
def test_words_for_kinds_of_statements(word: str, uri: str) -> None:
    for each in WORDS:
        trust = Trust((key(1),), grants=(grant("k1", says=(each,)),))
        granted = each == word or (each == "check" and word == "scan")  # a scan is one of the things that a check says
        assert judged(by_key(1), trust, predicate_type=uri) == ("" if granted else "untrusted")


def test_our_scan_is_a_scan() -> None:
    from openvet.evidence.predicates.scan_v1 import PREDICATE_TYPE

    assert PREDICATE_TYPE.startswith(WORDS["scan"][0])


def test_a_threshold_counts_signers_and_not_signatures() -> None:
    twice = replace(key(1), name="again")
    trust = Trust((key(1), twice, key(2)), (TrustedIdentity("me", "me", "https://p"),), (grant("k1", "again", "k2", "me", threshold=2),))  # fmt: skip
    alone = [said(by_key(1)), said(by_key(1, "certificate")), said(by_key(1), source="x"), said(keyless(at=1))]
    assert reasons(judge(alone, trust, NOW)) == ["threshold"] * 4
    assert reasons(judge([*alone, said(by_key(2), claim="another")], trust, NOW)) == ["threshold"] * 5
    assert judge([*alone, said(by_key(2))], trust, NOW).accepted[0].by == ("again", "k2")
    assert judge([said(keyless()), said(by_key(2))], trust, NOW).accepted[0].by == ("k2", "me")
    assert reasons(judge([said(keyless()), said(keyless(at=98))], trust, NOW)) == ["threshold"] * 2
    assert "2 different signers have to sign this, and 1 did" in judge(alone, trust, NOW).refused[0].message


def test_a_grant_that_is_over_accepts_nothing_beside_one_that_holds() -> None:
    over = Period(None, date(2026, 5, 31))
    trust = Trust((key(1), key(2)), grants=(grant("k1", period=over), grant("k1", "k2", threshold=2)))
    assert judged(by_key(1), trust) == "threshold"


def test_signers_of_two_grants_do_not_add_up() -> None:
    trust = Trust(tuple(map(key, range(4))), grants=(grant("k0", "k1", threshold=2), grant("k2", "k3", threshold=2)))
    assert reasons(judge([said(by_key(0)), said(by_key(2))], trust, NOW)) == ["threshold"] * 2


@pytest.mark.parametrize("bad", [grant("nobody"), grant("k1", threshold=2), grant("k1", "k1", threshold=2), grant("k1", "again", threshold=2), grant("k1", threshold=0)])  # fmt: skip
def test_trust_that_makes_no_sense(bad: Grant) -> None:
    with pytest.raises(UsageError):
        Trust((key(1), replace(key(1), name="again")), grants=(bad,))


# --- properties, over worlds made by chance: many small ones find more than a few large ones ---


def world(chance: random.Random) -> tuple[Trust, list[Said]]:
    def period() -> Period:
        days = [None, date(2026, 1, 1), date(2026, 6, 15), date(2027, 1, 1)]
        return Period(chance.choice(days[:3]), chance.choice([None, None, *days[1:]]))

    keys = tuple(key(at, period=period()) for at in range(4))
    if chance.random() < 0.3:
        keys += (replace(keys[0], name="again", period=period()),)
    people = (TrustedIdentity("me", "me", "https://p", period()), TrustedIdentity("you", "you", "https://p"))
    everybody: tuple[TrustedKey | TrustedIdentity, ...] = (*keys, *people)
    names = [each.name for each in everybody]
    grants = []
    for line in range(chance.randrange(1, 4)):
        by = tuple(chance.sample(names, chance.randrange(1, 5)))
        most = len({each.principal for each in everybody if each.name in by})
        says = chance.choice([("signature",), ("scan",), ("signature", "scan")])
        models = chance.choice([("*",), ("acme/*",), ("other",)])
        grants.append(Grant(says, by, models, (), chance.randrange(1, most + 1), period(), line))
    gone = tuple(
        Revocation(each.principal, date(2026, chance.randrange(1, 12), 1), "lost")
        for each in everybody
        if chance.random() < 0.15
    )
    times = [None, None, datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)]
    signatures = []
    for _ in range(chance.randrange(1, 9)):
        when = chance.choice(times)
        signer = by_key(chance.randrange(6), when=when)
        if chance.random() < 0.3:
            signer = keyless(chance.choice(["me", "you", "them"]), chance.randrange(8), when)
        kind = chance.choice([SIGNATURE_V1, SIGNATURE_V1, "https://openvet/predicates/scan/v1"])
        signatures.append(said(signer, chance.choice("ab"), predicate_type=kind))
    return Trust(keys, people, tuple(grants), gone), signatures


@pytest.mark.parametrize("seed", range(20))
def test_properties(seed: int) -> None:
    chance = random.Random(seed)
    accepted = 0
    for _ in range(200):
        trust, signatures = world(chance)
        whole = judge(signatures, trust, NOW)
        claims = {(each.claim, each.predicate_type) for each in whole.accepted}
        accepted += len(claims)
        # one more signature makes nothing worthless, be it a statement or a signature that counted
        few = judge(signatures[:-1], trust, NOW)
        assert {(each.claim, each.predicate_type) for each in few.accepted} <= claims
        counted = [each for each in signatures[:-1] if not any(each is other.said for other in few.refused)]
        assert not any(each is other.said for each in counted for other in whole.refused)
        # neither the order nor repeating one matters
        assert {(each.claim, each.predicate_type) for each in judge(signatures[::-1], trust, NOW).accepted} == claims
        assert judge(signatures + signatures, trust, NOW).accepted == whole.accepted
        # one revocation more accepts nothing more
        gone = Revocation(chance.choice(trust.keys).principal, date(2026, 1, 1), "lost")
        less = judge(signatures, replace(trust, revocations=(*trust.revocations, gone)), NOW)
        assert {(each.claim, each.predicate_type) for each in less.accepted} <= claims
        # who is counted is as many different signers as it takes
        for each in whole.accepted:
            principals = [one.principal for one in trust.signers if one.name in each.by]
            assert len(set(principals)) == len(each.by) >= each.threshold
    assert accepted > 5
