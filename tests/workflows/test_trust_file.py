"""``trust.toml``: what it says, and every problem with its line; and models verified by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from openvet.errors import ConfigError, UsageError, VerifyError
from openvet.evidence.bundle import Bundle, Material
from openvet.evidence.dsse import Envelope
from openvet.evidence.keys import PrivateKey, PublicKey, generate
from openvet.evidence.trust import Grant, Period, Revocation, Trust, TrustedIdentity, TrustedKey
from openvet.evidence.verifier import Signer, Verified
from openvet.workflows.sign import SignOptions, sign
from openvet.workflows.trust_file import load_trust, parse_trust
from openvet.workflows.trusted import TrustCheck, authenticate, name_of
from openvet.workflows.verify import MismatchError, Verification, VerifyOptions, verify

A, B, C = generate(), generate("p384"), generate("ed25519")
NOW = datetime(2026, 6, 15, tzinfo=UTC)


def read(name: str) -> PublicKey:
    keys = {"a.pub": A, "b.pub": B}
    if name not in keys:
        raise UsageError(f"{name}: No such file")
    return keys[name].public


def parse(text: str) -> Trust:
    return parse_trust(text.encode(), "trust.toml", read)


def test_everything_that_it_can_say() -> None:
    text = f"""
[[key]]
name = "ann"
file = "a.pub"
from = 2026-01-01
until = 2027-12-31

[[key]]
name = "bob"
pem = '''
{B.public.pem.decode()}'''

[[key]]
name = "cyd"
sha256 = "SHA256:{C.public.hint.upper()}"

[[identity]]
name = "ci"
identity = "ci@example.org"
issuer = "https://accounts.example.org"

[[grant]]
says = ["signature", "https://example.org/claim/v1"]
by = ["ann", "bob", "ci"]
models = ["acme/*"]
digests = ["{"A" * 64}"]
threshold = 2
until = 2026-12-31

[[grant]]
says = ["scan"]
by = ["cyd"]
models = ["*"]

[[revoked]]
name = "bob"
since = 2026-05-01
reason = "laptop lost"

[[revoked]]
sha256 = "{"b" * 64}"
since = 2026-05-01
reason = "old"
"""
    bob = TrustedKey("bob", B.public.hint, B.public)
    found = parse(text)
    assert [(each.name, each.hint, each.period) for each in found.keys] == [
        ("ann", A.public.hint, Period(date(2026, 1, 1), date(2027, 12, 31))),
        ("bob", B.public.hint, Period()),
        ("cyd", C.public.hint, Period()),
    ]
    assert [each.key is None for each in found.keys] == [False, False, True]
    assert found.identities == (TrustedIdentity("ci", "ci@example.org", "https://accounts.example.org"),)
    says = ("signature", "https://example.org/claim/v1")
    line = text.split("[[grant]]")[0].count("\n") + 1
    last = Period(None, date(2026, 12, 31))
    assert found.grants[0] == Grant(says, ("ann", "bob", "ci"), ("acme/*",), ("a" * 64,), 2, last, line)
    assert found.grants[1].threshold == 1
    assert found.revocations == (
        Revocation(bob.principal, date(2026, 5, 1), "laptop lost"),
        Revocation(TrustedKey("", "b" * 64).principal, date(2026, 5, 1), "old"),
    )


KEY = '[[key]]\nname = "ann"\nfile = "a.pub"\n'
GRANT = '[[grant]]\nsays = ["scan"]\nby = ["ann"]\nmodels = ["*"]\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "trusts nobody"),
        (KEY, 1, "trusts nobody"),
        ("a = ", 1, "is not TOML"),
        ("\n\n[keys]\n", 3, "unknown key 'keys'; did you mean key?"),
        ("key = 1\n", 1, "write [[key]]"),
        ('[[key]]\nfile = "a.pub"\n' + GRANT, 1, "needs name"),
        (KEY + "untill = 2026-01-01\n" + GRANT, 4, "did you mean until?"),
        (KEY + 'sha256 = "x"\n' + GRANT, 1, "one of file, pem and sha256"),
        ('[[key]]\nname = "ann"\n' + GRANT, 1, "one of file, pem and sha256"),
        ('[[key]]\nname = "ann"\nfile = "gone"\n' + GRANT, 3, "No such file"),
        ('[[key]]\nname = "ann"\nfile = 7\n' + GRANT, 3, "must be a text"),
        ('[[key]]\nname = "ann"\npem = "-----"\n' + GRANT, 3, "no public key in PEM"),
        ('[[key]]\nname = "ann"\nsha256 = "12"\n' + GRANT, 3, "must be a SHA-256"),
        (KEY + 'until = "2026-01-01"\n' + GRANT, 4, "must be a day"),
        (KEY + "until = 2026-01-01T00:00:00Z\n" + GRANT, 4, "must be a day"),
        (KEY + "from = 2026-01-02\nuntil = 2026-01-01\n" + GRANT, 5, "until is before from"),
        (KEY + KEY + GRANT, 4, "has the name of line 1"),
        (KEY + f'[[key]]\nname = "eve"\nsha256 = "{A.public.hint.upper()}"\n' + GRANT, 4, "the same signer of line 1"),
        (KEY + '[[identity]]\nname = "me"\nidentity = "a"\n' + GRANT, 4, "needs issuer"),
        (KEY + GRANT.replace('by = ["ann"]', 'by = ["anne"]'), 6, "did you mean ann?"),
        (KEY + GRANT.replace('by = ["ann"]', "by = []"), 6, "not empty"),
        (KEY + GRANT.replace('by = ["ann"]', 'by = "ann"'), 6, "must be a list"),
        (KEY + GRANT.replace('["scan"]', '["scans"]'), 5, "did you mean scan?"),
        (KEY + GRANT.replace('models = ["*"]\n', ""), 4, "needs models or digests"),
        (KEY + GRANT + 'digests = ["1"]\n', 8, "must be a SHA-256"),
        (KEY + GRANT + "threshold = 2\n", 8, "threshold is 2, and by names 1"),
        (KEY + GRANT.replace('["ann"]', '["ann", "ann"]') + "threshold = 2\n", 8, "threshold is 2, and by names 1"),
        (KEY + GRANT + "threshold = 0\n", 8, "whole number from 1 on"),
        (KEY + GRANT + "threshold = true\n", 8, "whole number from 1 on"),
        (
            KEY + GRANT + '[[revoked]]\nname = "bob"\nsince = 2026-01-01\nreason = "x"\n',
            9,
            "no key, identity or certificate 'bob'",
        ),
        (KEY + GRANT + '[[revoked]]\nsince = 2026-01-01\nreason = "x"\n', 8, "one of name and sha256"),
        (KEY + GRANT + '[[revoked]]\nname = "ann"\nreason = "x"\n', 8, "needs since"),
    ],
)
def test_problems_have_lines(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert any(each.startswith(f"trust.toml:{line}: ") and words in each for each in caught.value.problems), (
        caught.value
    )


def test_files_of_keys_are_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pub").write_bytes(A.public.pem)
    (tmp_path / "in" / "trust.toml").write_text(KEY + GRANT)
    monkeypatch.chdir(tmp_path)
    assert load_trust("in/trust.toml").keys[0].hint == A.public.hint
    for bad in ("gone.toml", "in"):
        with pytest.raises(ConfigError):
            load_trust(bad)


# --- models ---


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "llama"
    folder.mkdir()
    (folder / "w.bin").write_bytes(b"weights")
    return folder


def signature(model: Path, key: PrivateKey, name: str = "a.sig", **knobs: object) -> str:
    place = str(model.parent / name)
    sign(str(model), key, SignOptions(signature=place, **knobs))  # type: ignore[arg-type]
    return place


def trusting(threshold: int = 1, models: tuple[str, ...] = ("*",), revocations: tuple[Revocation, ...] = ()) -> Trust:
    keys = tuple(TrustedKey(name, key.public.hint, key.public) for name, key in (("ann", A), ("bob", B)))
    return Trust(keys, grants=(Grant(("signature",), ("ann", "bob"), models, (), threshold),), revocations=revocations)


def verified(model: Path, place: str, trust: Trust, *more: str) -> tuple[Verification, TrustCheck]:
    check = TrustCheck(trust, NOW, name_of(str(model)), more)
    return verify(str(model), check, VerifyOptions(place)), check


def reason(work: Callable[[], object]) -> str:
    with pytest.raises(VerifyError) as caught:
        work()
    return caught.value.reason


def test_a_model_is_verified_by_trust(model: Path) -> None:
    place = signature(model, A)
    found, check = verified(model, place, trusting())
    assert found.signer.key == A.public.hint
    assert check.judgement.accepted[0].by == ("ann",)
    assert reason(lambda: verified(model, place, trusting(models=("other",)))) == "untrusted"
    assert reason(lambda: verified(model, signature(model, generate(), "o.sig"), trusting())) == "untrusted"
    gone = (Revocation(TrustedKey("", A.public.hint).principal, date(2026, 1, 1), "lost"),)
    assert reason(lambda: verified(model, place, trusting(revocations=gone))) == "revoked"
    (model / "w.bin").write_bytes(b"others!")
    with pytest.raises(MismatchError):
        verified(model, place, trusting())


def test_a_threshold_takes_signatures_of_different_keys(model: Path) -> None:
    a, b, again = signature(model, A), signature(model, B, "b.sig"), signature(model, A, "again.sig")
    assert reason(lambda: verified(model, a, trusting(2))) == "threshold"
    assert reason(lambda: verified(model, a, trusting(2), a, again)) == "threshold"
    _, check = verified(model, a, trusting(2), again, b)
    assert check.judgement.accepted[0].by == ("ann", "bob")
    assert check.ignored == []


def test_what_is_no_use_is_listed_and_changes_nothing(model: Path) -> None:
    a, b = signature(model, A), signature(model, B, "b.sig")
    stranger = signature(model, generate(), "s.sig")
    (model.parent / "junk.sig").write_text("junk")
    (model / "w.bin").write_bytes(b"others!")
    other = signature(model, B, "other.sig")
    (model / "w.bin").write_bytes(b"weights")
    bad = [stranger, str(model.parent / "junk.sig"), other, str(model.parent / "gone.sig"), str(model)]
    assert reason(lambda: verified(model, a, trusting(2), *bad)) == "threshold"
    _, check = verified(model, a, trusting(2), *bad, b)
    assert len(check.ignored) == 5
    assert check.to_json()["as_of"] == "2026-06-15T00:00:00Z"


def test_the_first_who_counts_is_the_signer(model: Path) -> None:
    a, b = signature(model, A), signature(model, B, "b.sig")
    gone = (Revocation(TrustedKey("", A.public.hint).principal, date(2026, 1, 1), "lost"),)
    found, check = verified(model, a, trusting(revocations=gone), b)
    assert found.signer.key == B.public.hint
    assert [each.reason for each in check.judgement.refused] == ["revoked"]


def test_a_signature_that_was_changed_is_tampered_and_not_untrusted(model: Path) -> None:
    bundle = Bundle.parse(Path(signature(model, A)).read_bytes())
    envelope = Envelope(bundle.envelope.payload_type, bundle.envelope.payload + b" ", bundle.envelope.signatures)
    assert reason(lambda: authenticate(Bundle(bundle.material, envelope), trusting(), NOW)) == "tampered"
    nameless = Bundle(Material("publicKey", ""), bundle.envelope)
    assert authenticate(nameless, trusting(), NOW).signer.key == A.public.hint


def test_a_key_known_by_its_digest_has_to_be_in_the_signature(model: Path) -> None:
    only = Trust((TrustedKey("ann", A.public.hint),), grants=(Grant(("signature",), ("ann",), ("*",)),))
    bundle = Bundle.parse(Path(signature(model, A)).read_bytes())
    assert reason(lambda: authenticate(bundle, only, NOW)) == "untrusted"
    carrying = Bundle(Material("publicKey", "", A.public.pem), bundle.envelope)
    assert authenticate(carrying, only, NOW).signer.key == A.public.hint
    lying = Bundle(Material("publicKey", A.public.hint, B.public.pem), bundle.envelope)
    assert reason(lambda: authenticate(lying, only, NOW)) == "untrusted"


def test_keyless_without_an_identity_is_untrusted(model: Path) -> None:
    bundle = Bundle.parse(Path(signature(model, A)).read_bytes())
    keyless = Bundle(Material("certificate", certificates=(b"x",)), bundle.envelope)
    assert reason(lambda: authenticate(keyless, trusting(), NOW)) == "untrusted"


def test_keyless_signatures_are_tried_for_each_identity(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library itself is tried where it is installed; here it is what is asked of it, and what its answers become."""
    asked: list[tuple[str, str]] = []

    def answer(bundle: Bundle, identity: str, provider: str, root: object) -> Verified:
        asked.append((identity, provider))
        if identity != "you":
            raise VerifyError("untrusted" if identity == "me" else "tampered", "no")
        signer = Signer("sigstore", "p256", "f" * 64, identity=identity, provider=provider)
        return Verified(bundle.envelope.payload, signer)

    monkeypatch.setattr("openvet.evidence.keyless.verify_keyless", answer)
    bundle = Bundle.parse(Path(signature(model, A)).read_bytes())
    keyless = Bundle(Material("certificate", certificates=(b"x",)), bundle.envelope)

    def trust(*names: str) -> Trust:
        people = tuple(TrustedIdentity(each, each, "https://p") for each in names)
        return Trust(identities=people, grants=(Grant(("signature",), names, ("*",)),))

    root: Any = object
    found = TrustCheck(trust("me", "you"), NOW, "llama", root=root)(keyless)
    assert found.signer.identity == "you"
    assert asked == [("me", "https://p"), ("you", "https://p")]
    assert reason(lambda: authenticate(keyless, trust("me"), NOW, root)) == "untrusted"
    assert reason(lambda: authenticate(keyless, trust("them", "me"), NOW, root)) == "tampered"
