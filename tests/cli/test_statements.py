"""``openvet check --statement`` and ``openvet disarm --provenance`` as a shell sees them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evidence.dossier.test_tampering import SINGLE
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.cli.statements import EPOCH
from openvet.evidence.keys import load_public
from openvet.evidence.signing import SignedStatement, parse_line, parse_statement
from openvet.evidence.verifier import verify_with_key
from openvet.testing import dump
from openvet.testing.forge import Call, Name
from openvet.testing.forge_views import Stored, Strided, zip_file

TENSOR = Strided(Stored(bytes(range(16))), (2, 2), (1, 2))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(EPOCH, "1795000000")
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    for name, kind in (("owner.key", "ed25519"), ("release.key", "p256")):
        assert run("keys", "new", name, "--kind", kind, "--no-passphrase").exit_code == 0
    Path("model").mkdir()
    Path("model/config.json").write_text('{"eps": 1e-12}')
    Path("model/readme.md").write_text("read me")
    Path("evil.pkl").write_bytes(dump(Call(Name("os", "system"), ("echo hello",))))
    return tmp_path


def signed(line: str, key: str = "release.key.pub") -> SignedStatement:
    bundle = parse_line(line.rstrip("\n").encode(), "the line")
    return parse_statement(verify_with_key(bundle, load_public(Path(key).read_bytes())).payload)


def test_a_statement_takes_the_reports_place() -> None:
    found = run("check", "--statement", "svr", "--statement", "vsa", "model", "evil.pkl")
    assert found.exit_code == 1
    values = [json.loads(line) for line in found.stdout.splitlines()]
    assert [each["predicateType"].split("/")[-2] for each in values] == ["svr", "verification_summary"] * 2
    assert [each["subject"][0]["name"] for each in values] == ["model", "model", "evil.pkl", "evil.pkl"]
    assert values[0]["predicate"]["timeCreated"] == "2026-11-18T11:06:40Z"
    assert [each["predicate"]["verificationResult"] for each in values[1::2]] == ["PASSED", "FAILED"]
    assert found.stdout.endswith("}\n")
    assert found.stderr == ""


def test_it_is_signed_and_goes_into_a_file() -> None:
    found = run("check", "--statement", "vsa", "--sign", "release.key", "--output", "vsa.json", "model")
    assert (found.exit_code, found.stdout) == (0, "")
    assert found.stderr.endswith("the statement is in vsa.json\n")
    said = signed(Path("vsa.json").read_text())
    assert said.subjects[0].digest.keys() == {"dirHash"}
    assert said.body["verificationResult"] == "PASSED"


@pytest.mark.parametrize("kind", ["rights", "openness", "lineage", "licenses"])
def test_what_licences_and_lineage_say_is_signed_and_goes_into_a_dossier(kind: str) -> None:
    Path("model/README.md").write_text("---\nlicense: mit\nbase_model: meta-llama/Llama-3.1-8B\n---\n# A model\n")
    assert run("check", "--statement", kind, "--sign", "owner.key", "--output", "said.json", "model").exit_code in {
        0,
        3,
    }
    said = signed(Path("said.json").read_text(), "owner.key.pub")
    assert said.predicate_type.endswith(f"/{kind}/v1")
    assert run("check", "--dossier", "all", "--sign", "owner.key", "model").exit_code in {0, 3}
    shown = run("dossier", "show", "all", "--key", "owner.key.pub").stdout
    assert f"/predicates/{kind}/v1  about model (dirHash)" in shown
    added = run("dossier", "add", "all", "said.json", "--key", "owner.key", "--signer", "owner.key.pub")
    assert "had" in added.stdout + added.stderr or added.exit_code == 0


def test_rights_are_asked_what_a_product_asks() -> None:
    Path("model/README.md").write_text("---\nlicense: mit\nbase_model: meta-llama/Llama-3.1-8B\n---\n# A model\n")
    body = json.loads(run("check", "--statement", "rights", "model").stdout)["predicate"]
    assert body["asked"] == ["commercial", "redistribute", "serve"]
    assert [each["name"] for each in body["works"]] == ["model", "meta-llama/Llama-3.1-8B"]
    assert any(each["kind"] == "restriction-dropped" for each in body["drifts"])


def test_a_bill_in_a_statement_has_duties() -> None:
    Path("model/README.md").write_text("---\nlicense: mit\nbase_model: meta-llama/Llama-3.1-8B\n---\n# A model\n")
    body = run("check", "--statement", "cyclonedx", "model").stdout
    assert "openvet:duty:show" in body
    assert "Built with Llama" in body


def test_a_run_can_be_repeated_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("check", "--sign", "owner.key", *(f"--statement={each}" for each in ("scan", "inventory", "test-result", "svr", "vsa", "vulns")))  # fmt: skip
    first = run(*asked, "model")
    assert first.exit_code == 0
    assert first.stdout == run(*asked, "model").stdout
    assert len(first.stdout.splitlines()) == 6
    monkeypatch.setenv(EPOCH, "1795000001")
    later = run(*asked, "model").stdout.splitlines()
    same = [before == after for before, after in zip(first.stdout.splitlines(), later, strict=True)]
    assert same == [True, True, True, False, False, False]
    monkeypatch.setenv(EPOCH, "noon")
    wrong = run(*asked, "model")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "no number of seconds" in wrong.stderr


def test_all_of_them_in_a_dossier_and_both_verifiers_take_it() -> None:
    Path("in").mkdir()
    Path("in/w.pt").write_bytes(zip_file({"w": TENSOR}))
    made = run("disarm", "--provenance", "p.json", "--sign", "release.key", "in", "safe")
    assert made.exit_code == 0
    kinds = ("scan", "inventory", "test-result", "svr", "vsa", "vulns")
    found = run("check", "safe", "--dossier", "d", "--sign", "owner.key", *(f"--statement={each}" for each in kinds))
    assert found.exit_code == 0
    assert found.stderr == "openvet: the dossier d: lines 1, 2, 3, 4, 5, 6 are new\n"
    assert found.stdout.startswith("ADMIT")
    assert run("dossier", "add", "d", "p.json", "--key", "owner.key", "--signer", "release.key.pub").exit_code == 0
    ours = json.loads(run("dossier", "verify", "d", "--key", "owner.key.pub", "--model", "safe", "-f", "json").stdout)
    theirs = SINGLE.verify("d", SINGLE.load_key(Path("owner.key.pub").read_bytes(), ""), None, "safe")
    assert ours["verified"]
    assert (ours["compared"], theirs["compared"]) == (6, 6)
    assert [each["sha256"] for each in theirs["claims"]] == [each["sha256"] for each in ours["claims"]]
    assert len(ours["claims"]) == 7
    (Path("safe") / "w.safetensors").write_bytes(b"x")
    assert run("dossier", "verify", "d", "--key", "owner.key.pub", "--model", "safe").exit_code == 1
    with pytest.raises(SINGLE.Refused):
        SINGLE.verify("d", SINGLE.load_key(Path("owner.key.pub").read_bytes(), ""), None, "safe")


def test_a_body_that_is_none_does_not_come_into_a_dossier() -> None:
    from openvet.evidence.signing import sign_payload, to_line
    from openvet.workflows.keys import read_private

    run("check", "model", "--dossier", "d", "--sign", "owner.key")
    line = run("check", "model", "--statement", "vsa").stdout
    value = json.loads(line)
    value["predicate"]["verifiedLevels"].append("FAILED")
    key = read_private("release.key", lambda _: None)
    Path("odd.json").write_bytes(to_line(sign_payload(json.dumps(value).encode(), key)))
    found = run("dossier", "add", "d", "odd.json", "--key", "owner.key", "--signer", "release.key.pub")
    assert found.exit_code == 1
    assert "malformed" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--statement", "vsa", "--format", "json"), "exclude each other"),
        (("--sign", "owner.key"), "--dossier or --statement"),
        (("--dossier", "d"), "belong together"),
        (("--dossier", "d", "--statement", "vsa"), "belong together"),
        (("--resource", "a:b"), "--resource belongs to"),
        (("--statement", "svr", "--resource", "a:b"), "--resource belongs to"),
        (("--statement", "vsa", "--resource", "nothing"), "is no URI"),
        (("--statement", "vsa", "--output", "model/vsa.json"), "lies in the model"),
        (("--statement", "vsa", "--sign", "no.key"), "no.key"),
        (("--statement", "verdict"), "verdict"),
        (("--statement", "vsa", "--dossier", "d", "--sign", "release.key"), "Ed25519"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: tuple[str, ...], said: str) -> None:
    found = run("check", "model", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    assert said in found.stderr
    assert not Path("d").exists()
    assert not Path("model/vsa.json").exists()


def test_a_scan_has_no_inventory() -> None:
    assert "takes no inventory" in run("scan", "model", "--statement", "inventory").stderr
    assert json.loads(run("scan", "model", "--statement", "scan").stdout)["predicateType"].endswith("scan/v1")


def test_what_nobody_can_name_has_no_statement() -> None:
    Path("model/gone").symlink_to("nowhere")
    found = run("check", "model", "--statement", "svr", "--output", "svr.json")
    assert found.exit_code == 2
    assert "no digest" in found.stderr
    assert not Path("svr.json").exists()


def test_a_dossier_has_the_whole_inventory_and_only_where_it_is_asked_for() -> None:
    for name, kinds in (("all", ()), ("one", ("--statement=inventory",)), ("none", ("--statement=svr",))):
        assert run("check", "model", "-q", "--dossier", name, "--sign", "owner.key", *kinds).exit_code == 0
    for name in ("all", "one"):
        line = str(2 if name == "all" else 1)
        text = run("dossier", "show", name, "--key", "owner.key.pub", "--line", line).stdout
        assert len(json.loads(text)["predicate"]["items"]) == 2
    assert len(Path("none/claims.jsonl").read_text().splitlines()) == 1


def test_a_path_that_is_not_there_has_no_line() -> None:
    found = run("check", "--statement", "svr", "absent", "model")
    assert found.exit_code == 2
    assert len(found.stdout.splitlines()) == 1


# --- disarm ---


def digest(path: str) -> dict[str, str]:
    return {"sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


def provenance(path: str) -> Any:
    said = signed(Path(path).read_text())
    assert said.predicate_type == "https://slsa.dev/provenance/v1"
    assert list(schema("provenance-v1").iter_errors(said.body)) == []
    return said


def test_what_a_file_was_made_of() -> None:
    Path("in.pt").write_bytes(zip_file({"w": TENSOR, "epoch": 3}))
    asked = ("disarm", "--save-rest", "--report", "r.json", "--provenance", "p.json", "--sign", "release.key")
    assert run(*asked, "in.pt", "out.safetensors").exit_code == 0
    said = provenance("p.json")
    assert [(each.name, each.digest) for each in said.subjects] == [
        ("out.safetensors", digest("out.safetensors")),
        ("out.safetensors.rest.json", digest("out.safetensors.rest.json")),
    ]
    definition, details = said.body["buildDefinition"], said.body["runDetails"]
    assert definition["resolvedDependencies"] == [{"name": "in.pt", "digest": digest("in.pt")}]
    assert definition["externalParameters"] == {
        "source": "in.pt",
        "dropTheRest": False,
        "saveRest": True,
        "copyOthers": False,
    }
    assert details["byproducts"][0]["uri"].endswith("#whole")
    assert details["byproducts"][1]["digest"] == digest("r.json")
    before = Path("p.json").read_bytes()
    first = digest("out.safetensors")
    assert run(*asked, "--force", "in.pt", "out.safetensors").exit_code == 0
    assert digest("out.safetensors") == first
    assert signed(before.decode()).body == provenance("p.json").body, "no clock in it"


def test_what_a_folder_was_made_of() -> None:
    Path("in/sub").mkdir(parents=True)
    for number in (1, 2):
        Path(f"in/m-0000{number}-of-00002.bin").write_bytes(zip_file({f"w{number}": TENSOR}))
    Path("in/sub/config.json").write_text("{}")
    Path("in/evil.pkl").write_bytes(dump(Call(Name("os", "system"), ("echo hello",))))
    asked = ("disarm", "--copy-others", "--provenance", "p.json", "--sign", "owner.key", "in", "out")
    assert run(*asked).exit_code == 1
    said = signed(Path("p.json").read_text(), "owner.key.pub")
    there = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file())
    assert sorted(each.name for each in said.subjects) == there
    assert len(there) == 4
    for each in said.subjects:
        assert each.digest == digest(f"out/{each.name}")
    inputs = {each["name"]: each["digest"] for each in said.body["buildDefinition"]["resolvedDependencies"]}
    assert set(inputs) == {"m-00001-of-00002.bin", "m-00002-of-00002.bin", "sub/config.json"}
    for name, found in inputs.items():
        assert found == digest(f"in/{name}")
    assert said.body["runDetails"]["byproducts"][0]["uri"].endswith("#dangerous")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--provenance", "p.json"),
        ("--sign", "owner.key"),
        ("--provenance", "out", "--sign", "owner.key"),
        ("--provenance", "r.json", "--report", "r.json", "--sign", "owner.key"),
        ("--provenance", "no/p.json", "--sign", "owner.key"),
        ("--provenance", "p.json", "--sign", "no.key"),
        ("--provenance", "in.pt", "--sign", "owner.key"),
    ],
)
def test_what_disarm_refuses_before_the_work(arguments: tuple[str, ...]) -> None:
    Path("in.pt").write_bytes(zip_file({"w": TENSOR}))
    before = Path("in.pt").read_bytes()
    found = run("disarm", *arguments, "in.pt", "out")
    assert found.exit_code == 2
    assert not Path("out").exists()
    assert not Path("p.json").exists()
    assert Path("in.pt").read_bytes() == before


# --- read back ---


def test_what_was_signed_is_read_back() -> None:
    kinds = ("scan", "inventory", "test-result", "svr", "vsa", "vulns")
    asked = [f"--statement={each}" for each in kinds]
    assert run("check", "model", "--sign", "release.key", "--output", "all.jsonl", *asked).exit_code == 0
    found = run("statement", "all.jsonl", "--key", "release.key.pub", "--model", "model")
    assert found.exit_code == 0
    assert found.stdout.startswith("verified: all.jsonl: statements: 6\n")
    for said in ("findings: 0, unknowns: 0, files: 2", "files and members: 2", "\n     PASSED\n", "holds: OPENVET_SAFE_TO_LOAD, OPENVET_FULLY_READ",
                 "PASSED (SLSA_BUILD_LEVEL_UNEVALUATED, OPENVET_SAFE_TO_LOAD) by https://openvet/policies/safe-to-load/v1",
                 "hits: none", "the model is what they are about"):  # fmt: skip
        assert said in found.stdout
    value = json.loads(run("statement", "all.jsonl", "--key", "release.key.pub", "-f", "json").stdout)
    assert list(schema("statements-v1").iter_errors(value)) == []
    assert [each["known"] for each in value["statements"]] == [True] * 6
    assert value["compared"] is False
    run(
        "check",
        "evil.pkl",
        "--sign",
        "release.key",
        "--output",
        "evil.json",
        "--statement=vsa",
        "--statement=test-result",
    )
    found = run("statement", "evil.json", "--key", "release.key.pub", "--model", "evil.pkl")
    assert found.exit_code == 0  # verified; what it says is another matter
    assert "FAILED (FAILED) by" in found.stdout
    assert "FAILED: failed pickle/" in found.stdout


def refused(*arguments: str) -> str:
    found = run("statement", *arguments, "-f", "json")
    assert found.exit_code == 1
    value = json.loads(found.stdout)
    assert not value["verified"]
    assert list(schema("statements-v1").iter_errors(value)) == []
    assert run("statement", *arguments).stdout.startswith(f"NOT verified: {arguments[0]}: {value['reason']}: ")
    return str(value["reason"])


def test_why_it_is_not_verified() -> None:
    run("check", "model", "--sign", "release.key", "--output", "s", "--statement=svr", "--statement=vsa")
    good = Path("s").read_text()
    assert refused("s", "--key", "owner.key.pub") == "wrong-key"
    assert refused("s", "--key", "release.key.pub", "--model", "evil.pkl") == "mismatch"
    first, second = good.splitlines()
    Path("s").write_text(f"{first}\n{second[:-40]}\n")
    assert refused("s", "--key", "release.key.pub") == "malformed"
    one, two = json.loads(first), json.loads(second)
    one["dsseEnvelope"]["payload"] = two["dsseEnvelope"]["payload"]
    Path("s").write_text(f"{json.dumps(one)}\n{second}\n")
    assert refused("s", "--key", "release.key.pub") == "tampered"
    Path("s").write_text("")
    assert refused("s", "--key", "release.key.pub") == "malformed"
    assert run("statement", "absent", "--key", "release.key.pub").exit_code == 2
    assert run("statement", "s", "--key", "absent").exit_code == 2
    Path("s").write_text(json.dumps(two, indent=2))  # another layout is no other statement
    assert run("statement", "s", "--key", "release.key.pub").exit_code == 0


def test_a_provenance_is_held_against_the_folder_that_was_made() -> None:
    Path("in").mkdir()
    Path("in/w.pt").write_bytes(zip_file({"w": TENSOR}))
    run("disarm", "--provenance", "p.json", "--sign", "owner.key", "in", "safe")
    asked = ("statement", "p.json", "--key", "owner.key.pub", "--model")
    found = run(*asked, "safe")
    assert found.exit_code == 0
    assert "made of: w.pt" in found.stdout
    assert run(*asked, "safe/w.safetensors").exit_code == 0
    assert run(*asked, "in").exit_code == 1
    Path("safe/w.safetensors").rename("safe/v.safetensors")
    assert run(*asked, "safe").exit_code == 1


def test_what_is_not_interpreted_is_told() -> None:
    from openvet.evidence.signing import sign_payload, to_line
    from openvet.workflows.keys import read_private

    value = json.loads(run("check", "model", "--statement", "vsa").stdout)
    value["predicate"]["verifier"]["https://x/\x1b[31mmood"] = "good"
    key = read_private("owner.key", lambda _: None)
    Path("more.json").write_bytes(to_line(sign_payload(json.dumps(value).encode(), key)))
    found = run("statement", "more.json", "--key", "owner.key.pub")
    assert "not interpreted: /verifier/https:~1~1x~1" in found.stdout
    assert "\x1b" not in found.stdout
    value["predicateType"] = "https://a/b"
    Path("more.json").write_bytes(to_line(sign_payload(json.dumps(value).encode(), key)))
    assert "of a kind that this version does not know" in run("statement", "more.json", "--key", "owner.key.pub").stdout


def test_a_signature_of_files_is_one() -> None:
    assert run("sign", "--key", "release.key", "--signature", "m.sig", "model").exit_code == 0
    found = run("statement", "m.sig", "--key", "release.key.pub")
    assert found.exit_code == 0
    assert "`openvet verify` holds" in found.stdout
    assert refused("m.sig", "--key", "release.key.pub", "--model", "model") == "unsupported"


def test_a_teams_configuration_makes_another_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("openvet.toml").write_text('strict = true\n[defaults]\nformat = "sarif"\n')
    found = run("check", "--config", "openvet.toml", "--statement", "vsa", "model")
    digest_of = hashlib.sha256(Path("openvet.toml").read_bytes()).hexdigest()
    assert (
        json.loads(found.stdout)["predicate"]["policy"]["uri"]
        == f"https://openvet/policies/only-data/v1?configuration={digest_of}"
    )
    assert (
        "exclude each other"
        in run("check", "--config", "openvet.toml", "--statement", "vsa", "-f", "text", "model").stderr
    )
