"""``openvet dossier --trust``: who is believed about which line: keys, certificates and keyless, k of n, until when, and who is revoked."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.evidence.authority import Authority
from tests.evidence.dossier.test_tampering import SINGLE
from tests.evidence.test_bundle import RELEASED
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import generate
from openvet.evidence.signing import parse_line, to_line
from openvet.evidence.verifier import Verified

NAMES = ("ann", "bob", "cid")
TWO = ("--statement", "scan", "--statement", "inventory")


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(main, arguments)
    return found.exit_code, found.stdout


def done(*arguments: str) -> str:
    code, text = run(*arguments)
    assert code == 0, text
    return text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with a scan by its dossier's owner, and signatures of three people; one of them has a certificate."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    done("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase")
    Path("model").mkdir()
    Path("model/config.json").write_text("{}")
    root = Authority("acme root")
    key, leaf = root.signer("cid")
    Path("root.pem").write_bytes(root.pem)
    Path("cid.pem").write_bytes(leaf)
    for name, private in (("ann", generate()), ("bob", generate("p384")), ("cid", key)):
        Path(f"{name}.key").write_bytes(private.pem())
        Path(f"{name}.pub").write_bytes(private.public.pem)
        more = ("--certificate", "cid.pem") if name == "cid" else ()
        done("sign", "model", "--key", f"{name}.key", "--signature", f"{name}.sig", *more)
    done("check", "model", "--dossier", "dossier", "--sign", "owner.key", *TWO, "-q")
    return tmp_path


def trust(*grants: str, keys: str = "", more: str = "") -> None:
    text = "".join(f'[[key]]\nname = "{each}"\nfile = "{each}.pub"\n{keys}\n' for each in ("ann", "bob"))
    text += '[[key]]\nname = "owner"\nfile = "owner.key.pub"\n'
    text += '[[certificate]]\nname = "cid"\nfile = "root.pem"\nsubject = "CN=cid"\n'
    Path("trust.toml").write_text(text + "".join(f"[[grant]]\n{each}\n" for each in grants) + more)


SIGNATURE = 'says = ["signature"]\nby = ["ann", "bob", "cid"]\nmodels = ["model"]\n'
SCAN = 'says = ["scan"]\nby = ["owner"]\nmodels = ["*"]\n'


def add(*names: str) -> None:
    signers = [each for name in names if name != "cid" for each in ("--signer", f"{name}.pub")]
    done("dossier", "add", "dossier", *(f"{name}.sig" for name in names), "--key", "owner.key", *signers, "--trust", "trust.toml")  # fmt: skip


def verify(*more: str, key: str = "owner.key.pub") -> dict[str, Any]:
    code, text = run("dossier", "verify", "dossier", "--key", key, "--trust", "trust.toml", "-f", "json", *more)
    value: dict[str, Any] = json.loads(text)
    assert list(schema("dossier-v1").iter_errors(value)) == []
    assert code == (0 if value["verified"] else 1)
    return value


def believed(value: dict[str, Any]) -> dict[str, list[str]]:
    return {each["predicate_type"].split("/")[-2]: each["by"] for each in value["trust"]["accepted"]}


def test_a_key_a_certificate_and_the_owner() -> None:
    trust(SIGNATURE, SCAN)
    add("ann", "cid")
    value = verify("--require", "scan", "--require", "signature")
    assert believed(value) == {"scan": ["owner"], "signature": ["ann", "cid"]}
    assert [each["signed_with"] for each in value["claims"]] == ["key", "key", "key", "certificate"]
    assert [(each["line"], each["reason"]) for each in value["trust"]["refused"]] == [(2, "untrusted")]  # the inventory
    text = done("dossier", "verify", "dossier", "--key", "owner.key.pub", "--trust", "trust.toml")
    assert "  believed  line 3, 4: https://model_signing/signature/v1.0\n" in text
    assert "  NOT believed  line 2: untrusted: owner is not trusted to say this" in text
    shown = done("dossier", "show", "dossier", "--key", "owner.key.pub")
    assert "(with a certificate; whose that is was not looked at here)" in shown
    # the single-file verifier checks the certificate's key, and nothing about whose it is
    told = SINGLE.verify("dossier", SINGLE.load_key(Path("owner.key.pub").read_bytes(), "k"))
    assert [each["key"] for each in told["claims"]] == [each["key"] for each in value["claims"]]


def test_a_certificate_needs_a_trust_file_that_knows_it() -> None:
    code, text = run("dossier", "add", "dossier", "cid.sig", "--key", "owner.key")
    assert (code, "say with a trust file whose certificate that is" in text) == (1, True)
    trust(SIGNATURE)
    Path("trust.toml").write_text(Path("trust.toml").read_text().replace("CN=cid", "CN=sid"))
    code, text = run("dossier", "add", "dossier", "cid.sig", "--key", "owner.key", "--trust", "trust.toml")
    assert (code, "untrusted: the certificate is that of CN=cid" in text) == (1, True)
    trust(SIGNATURE)
    Path("root.pem").write_bytes(Authority("acme root").pem)
    code, text = run("dossier", "add", "dossier", "cid.sig", "--key", "owner.key", "--trust", "trust.toml")
    assert (code, "no root that is trusted issued" in text) == (1, True)


def test_k_of_n() -> None:
    trust(SIGNATURE + "threshold = 2\n", SCAN)
    add("ann")
    assert verify("--require", "scan")["verified"]
    value = verify("--require", "signature")
    assert value["reason"] == "threshold"
    done("sign", "model", "--key", "ann.key", "--signature", "ann.sig", "--force")
    add("ann")  # another signature of the same key counts once
    assert verify("--require", "signature")["reason"] == "threshold"
    add("cid")
    assert believed(verify("--require", "signature"))["signature"] == ["ann", "cid"]
    trust(SIGNATURE + "threshold = 3\n", SCAN)
    assert verify("--require", "signature")["reason"] == "threshold"
    add("bob")
    assert believed(verify("--require", "signature"))["signature"] == ["ann", "bob", "cid"]


def test_another_certificate_of_the_same_person_counts_once(here: Path) -> None:
    root = Authority("acme root")
    for at in range(2):
        key, leaf = root.signer("cid")
        Path("root.pem").write_bytes(root.pem)
        Path("cid.key").write_bytes(key.pem())
        Path("cid.pem").write_bytes(leaf)
        done("sign", "model", "--key", "cid.key", "--signature", "cid.sig", "--certificate", "cid.pem", "--force")
        trust(SIGNATURE + "threshold = 2\n", SCAN)
        add("cid")
        assert verify("--require", "signature")["reason"] == "threshold", at
    add("bob")
    assert verify("--require", "signature")["verified"]


def test_expiry_and_revocation() -> None:
    trust(SIGNATURE, SCAN)
    add("ann", "cid")
    assert believed(verify())["signature"] == ["ann", "cid"]
    trust(SIGNATURE, SCAN, keys="until = 2026-06-30")
    assert believed(verify("--at", "2026-06-30"))["signature"] == ["ann", "cid"]
    assert believed(verify("--at", "2026-07-01"))["signature"] == ["cid"]
    assert (
        verify("--at", "2036-01-01", "--require", "signature")["reason"] == "expired"
    )  # ann's key, and cid's certificate
    gone = '[[revoked]]\nname = "{}"\nsince = 2026-05-01\nreason = "lost"\n'
    trust(SIGNATURE, SCAN, more=gone.format("cid"))
    assert {each["line"]: each["reason"] for each in verify("--at", "2026-06-01")["trust"]["refused"]}[4] == "revoked"
    assert 4 not in {each["line"] for each in verify("--at", "2026-04-30")["trust"]["refused"]}
    trust(SIGNATURE, SCAN, more=gone.format("cid") + gone.format("ann"))
    assert verify("--at", "2026-06-01", "--require", "signature")["reason"] == "revoked"
    assert verify("--at", "2026-06-01")["verified"]  # the scan is the owner's word


def test_a_revoked_owner() -> None:
    gone = '[[revoked]]\nname = "owner"\nsince = 2026-05-01\nreason = "laptop stolen"\n'
    trust(SIGNATURE, SCAN)
    add("ann")
    trust(SIGNATURE, SCAN, more=gone)
    value = verify("--at", "2026-06-01")
    assert (value["reason"], "the dossier's owner" in value["message"]) == ("revoked", True)
    assert verify("--at", "2026-04-30")["verified"]
    trust(SIGNATURE, SCAN)
    text = (
        Path("trust.toml")
        .read_text()
        .replace('file = "owner.key.pub"\n', 'file = "owner.key.pub"\nuntil = 2026-05-01\n')
    )
    Path("trust.toml").write_text(text)
    assert verify("--at", "2026-06-01", "--require", "signature")["reason"] == "expired"
    assert verify("--at", "2026-05-01", "--require", "signature")["verified"]


def test_what_is_required() -> None:
    trust(SIGNATURE, SCAN)
    assert verify()["verified"]
    assert verify("--require", "signature")["reason"] == "missing"
    assert verify("--require", "bom")["reason"] == "missing"
    assert verify("--require", "https://openvet/predicates/inventory/v1")["reason"] == "untrusted"
    trust(SIGNATURE)
    assert verify()["reason"] == "untrusted"
    assert run("dossier", "verify", "dossier", "--key", "owner.key.pub", "--require", "scan")[0] == 2
    assert run("dossier", "verify", "dossier", "--key", "owner.key.pub", "--at", "2026-01-01")[0] == 2


def test_what_is_believed_has_to_be_about_the_model() -> None:
    trust(SIGNATURE, SCAN)
    add("ann")
    assert verify("--model", "model", "--require", "scan")["verified"]
    value = verify("--model", "model", "--require", "signature")
    assert (value["verified"], believed(value), value["compared"]) == (
        True,
        {"signature": ["ann"], "scan": ["owner"]},
        3,
    )
    shutil.copytree("model", "other")
    assert verify("--model", "other", "--require", "scan")["verified"]  # models = ["*"]
    trust(SIGNATURE, SCAN.replace('"*"', '"model"'))
    assert verify("--model", "other", "--require", "scan")["reason"] == "untrusted"
    assert verify("--model", "other", "--model-name", "model", "--require", "scan")["verified"]


def test_a_signature_is_held_against_the_model_file_by_file(here: Path) -> None:
    """By shards too; one about an earlier version is told, and takes nothing away from the scan."""
    trust(SIGNATURE, SCAN)
    (here / "old").mkdir()
    (here / "old/config.json").write_text('{"v":0}')
    done("sign", "old", "--key", "bob.key", "--signature", "bob.sig", "--force")
    add("bob")
    value = verify("--model", "model", "--require", "signature")
    assert (value["reason"], "is not what was signed: config.json (changed" in value["message"]) == ("mismatch", True)
    value = verify("--model", "model", "--require", "scan")
    assert [(each["line"], each["reason"]) for each in value["trust"]["refused"]] == [
        (2, "untrusted"),
        (3, "mismatch"),
    ]
    done("sign", "model", "--key", "ann.key", "--signature", "ann.sig", "--force", "--shards")
    add("ann")
    value = verify("--model", "model", "--require", "signature")
    assert (value["verified"], believed(value)["signature"]) == (True, ["ann"])
    (here / "model/more.py").write_text("")
    assert verify("--model", "model")["reason"] == "mismatch"  # the scan's


def test_a_key_that_is_trusted_by_its_digest_is_taken_from_the_dossier() -> None:
    trust(SIGNATURE, SCAN)
    add("ann")
    hint = json.loads(done("keys", "show", "ann.pub", "-f", "json"))["keys"][0]["sha256"]
    text = Path("trust.toml").read_text().replace('file = "ann.pub"', f'sha256 = "{hint}"')
    Path("trust.toml").write_text(text)
    assert believed(verify())["signature"] == ["ann"]


KEYLESS = [name for name in RELEASED["signatures"] if name.endswith("v1.1.0-sigstore")]


def test_a_keyless_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the library says stands for what it checks; that it checks our lines is in tests/conformance."""
    data = RELEASED["signatures"][KEYLESS[0]]["signature"].encode()
    line = to_line(Bundle.parse(data))
    assert to_line(parse_line(line, "it")) == line
    Path("keyless.sig").write_bytes(data)
    identity = '[[identity]]\nname = "ci"\nidentity = "me@example.org"\nissuer = "https://example.org"\n'
    trust(SCAN, 'says = ["signature"]\nby = ["ci"]\nmodels = ["*"]\n', more=identity)
    asked = []

    def checked(bundle: Bundle, who: str, provider: str, root: object) -> Verified:
        from openvet.evidence.certificates import facts_of
        from openvet.evidence.verifier import Signer

        asked.append(bundle.raw)
        key, facts = facts_of(bundle.material.certificates[0])
        when = datetime(2025, 10, 10, tzinfo=UTC)
        signer = Signer("sigstore", key.kind, key.hint, facts, identity=who, provider=provider, signed_at=when)
        return Verified(bundle.envelope.payload, signer)

    monkeypatch.setattr("openvet.evidence.keyless.verify_keyless", checked)
    monkeypatch.setattr("openvet.evidence.keyless.load_trusted_root", lambda _: object())
    done("dossier", "add", "dossier", "keyless.sig", "--key", "owner.key", "--trust", "trust.toml")
    value = verify("--require", "signature")
    assert (value["claims"][2]["signed_with"], believed(value)["signature"]) == ("keyless", ["ci"])
    assert asked[-1] == line  # what is in the dossier, and not what was handed in
    told = SINGLE.verify("dossier", SINGLE.load_key(Path("owner.key.pub").read_bytes(), "k"))
    assert told["claims"][2]["key"] == value["claims"][2]["key"]
    # a keyless line counts as of the time that the log proves, and needs the identity
    until = identity.replace("issuer", "until = 2025-12-31\nissuer")
    trust(SCAN, 'says = ["signature"]\nby = ["ci"]\nmodels = ["*"]\n', more=until)
    assert believed(verify())["signature"] == ["ci"]
    trust(SCAN, SIGNATURE)
    assert verify("--require", "signature")["reason"] == "untrusted"


def test_lines_with_certificates_that_were_changed() -> None:
    """The chain itself is not signed: a certificate for another key is refused, and so is what belongs to keyless ones."""
    bundle = Bundle.parse(Path("cid.sig").read_bytes())
    other = Bundle(replace(bundle.material, log_entries=({},)), bundle.envelope)
    with pytest.raises(Exception, match="not one signature by a key"):
        to_line(other)
    trust(SIGNATURE, SCAN)
    _, stranger = Authority("acme root").signer("cid")
    Path("cid.pem").write_bytes(stranger)
    from openvet.workflows.sign import certificates_of

    Path("cid.sig").write_bytes(Bundle(replace(bundle.material, certificates=certificates_of(["cid.pem"])), bundle.envelope).to_bytes())  # fmt: skip
    code, _ = run("dossier", "add", "dossier", "cid.sig", "--key", "owner.key", "--trust", "trust.toml")
    assert code == 1


def test_a_lost_key_is_replaced_by_those_who_may() -> None:
    done("keys", "new", "new.key", "--kind", "ed25519", "--no-passphrase")
    owner = 'says = ["owner"]\nby = ["ann", "bob", "cid"]\nmodels = ["openvet/dossier/*"]\nthreshold = 2\n'
    trust(SIGNATURE, SCAN, owner)
    for name in ("ann", "bob"):
        done("dossier", "approve", "dossier", f"{name}.json", "--key", f"{name}.key", "--owner", "owner.key.pub", "--new-key", "new.key.pub")  # fmt: skip
    asked = (
        "dossier",
        "rotate",
        "dossier",
        "--owner",
        "owner.key.pub",
        "--new-key",
        "new.key",
        "--trust",
        "trust.toml",
    )
    one = ("--approval", "ann.json", "--signer", "ann.pub")
    code, text = run(*asked, *one)
    assert (code, "nobody who may hands the dossier over" in text) == (1, True)
    assert verify()["verified"]
    assert run(*asked)[0] == 2
    text = done(*asked, *one, "--approval", "bob.json", "--signer", "bob.pub")
    assert text.startswith("handed dossier over")
    # with the trust file the old key leads to the new one; without it, and for the single file, nothing says so
    value = verify()
    assert (value["owner"] != value["trusted"], [each["line"] for each in value["handovers"]]) == (True, [3])
    assert verify(key="new.key.pub")["verified"]
    code, text = run("dossier", "verify", "dossier", "--key", "owner.key.pub")
    assert (code, "wrong-key" in text) == (1, True)
    with pytest.raises(SINGLE.Refused):
        SINGLE.verify("dossier", SINGLE.load_key(Path("owner.key.pub").read_bytes(), "k"))
    # whoever found the old key adds nothing that those with the trust file believe
    assert run("check", "model", "--dossier", "dossier", "--sign", "owner.key", *TWO)[0] == 2
    trust(SIGNATURE, SCAN, owner.replace("= 2", "= 3"))
    assert verify()["reason"] == "wrong-key"


def test_rotating_with_the_old_key() -> None:
    done("keys", "new", "new.key", "--kind", "ed25519", "--no-passphrase")
    assert run("dossier", "rotate", "dossier", "--new-key", "new.key")[0] == 2
    code, text = run("dossier", "rotate", "dossier", "--key", "owner.key", "--new-key", "new.key", "-f", "json")
    value = json.loads(text)
    assert list(schema("dossier-v1").iter_errors(value)) == []
    assert (code, value["lines"]) == (0, [3])
    for key in ("owner.key.pub", "new.key.pub"):
        text = done("dossier", "verify", "dossier", "--key", key, "--model", "model")
        assert "  handover  line 3: from " in text
    code, text = run("dossier", "add", "dossier", "ann.sig", "--signer", "ann.pub", "--key", "owner.key")
    assert (code, "revoked: this key handed the dossier over" in text) == (1, True)
    done("dossier", "add", "dossier", "ann.sig", "--signer", "ann.pub", "--key", "new.key")
    assert run("dossier", "rotate", "dossier", "--key", "owner.key", "--new-key", "ann.key")[0] == 1  # revoked
    assert run("dossier", "rotate", "dossier", "--key", "new.key", "--new-key", "ann.key")[0] == 2  # not of Ed25519
    assert run("dossier", "rotate", "dossier", "--key", "new.key", "--new-key", "new.key")[0] == 2
    done("dossier", "export", "dossier", "d.zip", "--key", "owner.key.pub")
    done("dossier", "verify", "d.zip", "--key", "owner.key.pub")


def test_a_signature_over_declared_digests_is_marked() -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 7\n"
    Path("model/w.bin").write_text(pointer)
    done("sign", "model", "--key", "ann.key", "--signature", "d.sig", "--declared")
    done("dossier", "add", "dossier", "d.sig", "--key", "owner.key", "--signer", "ann.pub")
    text = done("dossier", "show", "dossier", "--key", "owner.key.pub")
    assert "     1 of its digests are declared: who signed it had not measured them\n" in text
