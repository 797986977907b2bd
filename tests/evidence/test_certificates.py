"""Certificate chains: what leads to a root, and that everything else is refused with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.evidence.authority import AT, Authority, der

from openvet.errors import UsageError, VerifyError
from openvet.evidence.certificates import load_certificate, load_roots, verify_chain

ROOT = Authority()
PAST = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
FUTURE = (datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))


def refused(chain: list[bytes], roots: bytes = ROOT.pem, at: datetime = AT) -> tuple[str, str]:
    with pytest.raises(VerifyError) as caught:
        verify_chain([der(each) for each in chain], load_roots(roots), at)
    return caught.value.reason, caught.value.message


def test_a_root_and_its_signer() -> None:
    key, leaf = ROOT.signer("me")
    found, facts, root = verify_chain([der(leaf)], load_roots(ROOT.pem), AT)
    assert (found.hint, facts.subject, facts.issuer, root.subject) == (key.public.hint, "CN=me", "CN=root", "CN=root")


def test_whom_it_may_lead_through() -> None:
    """The ones between may stand in the bundle in any order, or beside the roots."""
    middle = Authority("middle", ROOT)
    inner = Authority("inner", middle)
    _, leaf = inner.signer()
    for chain, roots in (
        ([leaf, inner.pem, middle.pem], ROOT.pem),
        ([leaf, middle.pem, inner.pem, ROOT.pem], ROOT.pem),
        ([leaf, inner.pem], ROOT.pem + middle.pem),
    ):
        assert verify_chain([der(each) for each in chain], load_roots(roots), AT)[2].subject == "CN=root"
    assert refused([leaf, inner.pem])[0] == "untrusted"


@pytest.mark.parametrize(
    ("knobs", "reason", "words"),
    [
        ({"years": PAST}, "expired", "was valid until 2021-01-01"),
        ({"years": FUTURE}, "not-yet-valid", "is valid from 2030-01-01"),
        ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "untrusted", "other purposes"),
        ({"signs": False}, "untrusted", "not one for signatures"),
        ({"usage": False, "purposes": ()}, "untrusted", "does not say that its key is for signing"),
        ({"critical": True}, "untrusted", "critical extension 1.3.6.1.4.1.99999.1"),
    ],
)
def test_a_signer_that_may_not(knobs: Any, reason: str, words: str) -> None:
    found = refused([ROOT.signer(**knobs)[1]])
    assert found[0] == reason
    assert words in found[1]


@pytest.mark.parametrize("knobs", [{"usage": False}, {"purposes": ()}])
def test_one_of_usage_and_purposes_is_enough(knobs: Any) -> None:
    verify_chain([der(ROOT.signer(**knobs)[1])], load_roots(ROOT.pem), AT)


@pytest.mark.parametrize(
    ("knobs", "reason", "words"),
    [
        ({"ca": False}, "untrusted", "not one that may issue"),
        ({"signs": False}, "untrusted", "not one for signing certificates"),
        ({"years": PAST}, "expired", "CN=middle"),
        ({"critical": True}, "untrusted", "critical extension"),
        ({"constraints": True}, "untrusted", "limits the names below it"),
        ({"constraints": False}, "untrusted", "limits the names below it"),  # which RFC 5280 forbids, and some have
        ({"bits": 1024}, "untrusted", "no root"),
    ],
)
def test_an_issuer_that_may_not(knobs: Any, reason: str, words: str) -> None:
    middle = Authority("middle", ROOT, **knobs)
    found = refused([middle.signer()[1], middle.pem])
    assert found[0] == reason
    assert words in found[1]


def test_a_root_is_checked_too() -> None:
    old = Authority("old", years=PAST)
    assert refused([old.signer()[1]], old.pem)[0] == "expired"


def test_the_length_of_a_path() -> None:
    top = Authority("top", length=0)
    _, leaf = top.signer()
    verify_chain([der(leaf)], load_roots(top.pem), AT)
    middle = Authority("middle", top)
    assert "longer" in refused([middle.signer()[1], middle.pem], top.pem)[1]


def test_another_root_of_the_same_name() -> None:
    assert refused([Authority().signer()[1]]) == (
        "untrusted",
        "no root that is trusted issued the certificate of CN=signer",
    )


def test_a_root_in_the_bundle_is_not_trusted_for_it() -> None:
    other = Authority("other")
    assert refused([other.signer()[1], other.pem])[0] == "untrusted"


def test_chains_in_a_circle_end() -> None:
    one = Authority("one")
    two = Authority("two", one)
    # each issued the other: a circle that leads to no root
    back = two.issue("one", one.key.public_key(), ca=True)
    assert refused([one.signer()[1], back.public_bytes(Encoding.PEM), two.pem])[0] == "untrusted"


def test_roots_must_be_roots() -> None:
    with pytest.raises(UsageError, match="no root to trust"):
        load_roots(Authority("middle", ROOT).pem)
    with pytest.raises(UsageError, match="no certificate"):
        load_roots(b"nothing")
    with pytest.raises(UsageError, match="no certificate"):
        load_certificate(b"nothing")


def test_what_is_no_certificate() -> None:
    with pytest.raises(VerifyError) as caught:
        verify_chain([b"\x30\x03\x02\x01\x00"], load_roots(ROOT.pem), AT)
    assert caught.value.reason == "malformed"
