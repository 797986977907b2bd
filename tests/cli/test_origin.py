"""``openvet origin``: copies under another name, signatures, metadata, servers, statements, and what it refuses."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.evidence.predicates.origin_v1 import OriginV1
from openvet.testing.hub import Hub, Registry

SHA = "a" * 40


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["origin", *arguments], env={"COLUMNS": "120"})


def told(*arguments: str) -> dict[str, Any]:
    found = run("--format", "json", *arguments)
    assert found.exit_code == 0, found.output
    value: dict[str, Any] = json.loads(found.stdout)
    assert list(schema("origins-v1").iter_errors(value)) == []
    predicate: dict[str, Any] = value["models"][0]["statements"][0]["predicate"]
    assert OriginV1.from_json(predicate).to_json() == predicate
    return predicate


def weights(tensors: dict[str, bytes]) -> bytes:
    header: dict[str, Any] = {}
    data = b""
    for name, each in tensors.items():
        header[name] = {"dtype": "F32", "shape": [len(each) // 4], "data_offsets": [len(data), len(data) + len(each)]}
        data += each
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def numbers(seed: int, count: int = 4096) -> bytes:
    return b"".join(struct.pack("<f", (seed * 7919 + each) % 977 / 31) for each in range(count))


TENSORS = {
    "model.a.weight": numbers(1),
    "model.b.weight": numbers(2),
    "model.zero": bytes(16384),
    "model.ones": struct.pack("<f", 1.0) * 4096,
    "model.rotary.inv_freq": numbers(3),
    "model.small": numbers(4, 8),
}


def make(folder: Path, tensors: dict[str, bytes], **files: Any) -> str:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights(tensors))
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return str(folder)


def kinds(predicate: dict[str, Any]) -> list[str]:
    return [each["kind"] for each in predicate["remarks"]]


def test_the_same_tensors_under_another_name(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", {f"renamed.{name}": each for name, each in TENSORS.items()})
    make(tmp_path / "known" / "Original", TENSORS)
    found = told("--known", str(tmp_path / "known"), model)
    assert found["copies"] == [
        {"of": "Original", "basis": "measured", "equal": 2, "tensors": 2, "equalBytes": 32768, "tensorBytes": 32768, "sameName": False, "saysSo": False}
    ]  # fmt: skip
    assert kinds(found) == ["copy-under-another-name"]
    text = run("--known", str(tmp_path / "known"), model).stdout
    assert "2 of 2 tensors, 32.8 kB of 32.8 kB, under another name (measured)" in text


def test_a_model_that_names_the_other_one_is_no_hidden_copy(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS, config={"_name_or_path": "them/Original"})
    make(tmp_path / "known" / "Original", TENSORS)
    found = told("--known", str(tmp_path / "known"), model)
    assert found["copies"][0]["saysSo"]
    assert kinds(found) == []


def test_the_same_name_is_no_copy_under_another(tmp_path: Path) -> None:
    model = make(tmp_path / "Original", TENSORS)
    make(tmp_path / "known" / "original", TENSORS)
    found = told("--known", str(tmp_path / "known"), model)
    assert found["copies"][0]["sameName"]
    assert kinds(found) == []


def test_some_tensors_that_are_shared_are_a_share(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", {**TENSORS, "model.b.weight": numbers(9)})
    make(tmp_path / "known" / "Original", TENSORS)
    found = told("--known", str(tmp_path / "known"), model)
    assert (found["copies"][0]["equal"], found["copies"][0]["tensors"]) == (1, 2)
    assert kinds(found) == []


def test_what_any_model_has_is_no_share(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", {**TENSORS, "model.a.weight": numbers(8), "model.b.weight": numbers(9)})
    make(tmp_path / "known" / "Original", TENSORS)
    assert told("--known", str(tmp_path / "known"), model)["copies"] == []


def matrices(seed: int, names: Sequence[str], dtype: str = "F32", flip: int = 0) -> bytes:
    """Three matrices of random numbers under ``names``; ``flip`` changes the first values of the first one."""
    import random

    from openvet.testing.forge_tensors import safetensors

    drawn = random.Random(seed)
    size = 64 * 64 * (4 if dtype == "F32" else 2)
    pattern = "<f" if dtype == "F32" else "<e"
    data = [b"".join(struct.pack(pattern, drawn.gauss(0, 1)) for _ in range(64 * 64)) for _ in names]
    if flip:
        data[0] = bytes(flip * 256) + data[0][flip * 256 :]
    assert all(len(each) == size for each in data)
    header = safetensors(dict.fromkeys(names, (dtype, (64, 64))), pad=False)
    return header[: len(header) - size * len(names)] + b"".join(data)


@pytest.fixture
def fingerprinted(tmp_path: Path) -> Path:
    """A folder of known models that holds nothing but a fingerprint of one."""
    pytest.importorskip("numpy")
    (tmp_path / "original").mkdir()
    (tmp_path / "original" / "model.safetensors").write_bytes(matrices(1, ("a", "b", "c")))
    (tmp_path / "known").mkdir()
    out = str(tmp_path / "known" / "original.fingerprint.json")
    assert CliRunner().invoke(main, ["fingerprint", "-o", out, str(tmp_path / "original")]).exit_code == 0
    return tmp_path


def mine(folder: Path, data: bytes) -> str:
    (folder / "mine").mkdir()
    (folder / "mine" / "model.safetensors").write_bytes(data)
    return str(folder / "mine")


def test_a_fingerprint_is_a_known_model(fingerprinted: Path) -> None:
    found = told("--known", str(fingerprinted / "known"), mine(fingerprinted, matrices(1, ("x", "y", "z"))))
    (copy,) = found["copies"]
    assert (copy["of"], copy["basis"], copy["equal"], copy["tensors"], copy["sketched"]) == (
        "original",
        "derived",
        3,
        3,
        True,
    )
    assert kinds(found) == ["copy-under-another-name"]
    assert (
        "every matrix has the values of the fingerprint of original, and nothing says" in found["remarks"][0]["message"]
    )
    assert (
        "(derived, by its fingerprint)"
        in run("--known", str(fingerprinted / "known"), str(fingerprinted / "mine")).stdout
    )


@pytest.mark.parametrize(("seed", "dtype"), [(2, "F32"), (1, "F16")])
def test_another_model_and_another_type_are_no_copy(fingerprinted: Path, seed: int, dtype: str) -> None:
    assert (
        told("--known", str(fingerprinted / "known"), mine(fingerprinted, matrices(seed, ("a", "b", "c"), dtype)))[
            "copies"
        ]
        == []
    )


def test_a_part_that_was_changed_is_not_equal(fingerprinted: Path) -> None:
    found = told("--known", str(fingerprinted / "known"), mine(fingerprinted, matrices(1, ("a", "b", "c"), flip=40)))
    assert [(each["equal"], each["tensors"]) for each in found["copies"]] == [(2, 3)]
    assert kinds(found) == []


def test_a_fingerprint_that_is_none_is_told(fingerprinted: Path) -> None:
    file = fingerprinted / "known" / "original.fingerprint.json"
    value = json.loads(file.read_text())
    value["predicate"]["tensors"][0]["probe"] = "!"
    file.write_text(json.dumps(value))
    found = told("--known", str(fingerprinted / "known"), mine(fingerprinted, matrices(1, ("a", "b", "c"))))
    assert found["copies"] == []
    assert any("its fingerprint is malformed" in each for each in found["notKnown"])


def test_without_weights_a_fingerprint_is_not_compared(fingerprinted: Path) -> None:
    (fingerprinted / "mine").mkdir()
    (fingerprinted / "mine" / "config.json").write_text("{}")
    found = told("--known", str(fingerprinted / "known"), str(fingerprinted / "mine"))
    assert any("fingerprints of known models are not compared" in each for each in found["notKnown"])


def test_statements_and_dossiers_are_known_by_digests_of_files(tmp_path: Path) -> None:
    original = make(tmp_path / "Original", TENSORS)
    model = make(tmp_path / "mine", TENSORS)
    key = str(tmp_path / "me.key")
    known = tmp_path / "known"
    known.mkdir()
    for command in (
        ["keys", "new", key, "--kind", "ed25519", "--no-passphrase"],
        ["check", "--no-config", "--statement", "inventory", "-o", str(known / "inventory.json"), original],
        ["check", "--no-config", "--format", "json", "-o", str(known / "report.json"), original],
        [
            "check",
            "--no-config",
            "--statement",
            "inventory",
            "--sign",
            key,
            "--dossier",
            str(known / "dossier"),
            "-q",
            original,
        ],
    ):
        made = CliRunner().invoke(main, command)
        assert made.exit_code in (0, 3), (command, made.output)
    (known / "other.json").write_text("{}", encoding="utf-8")
    found = told("--known", str(known), model)
    assert [(each["of"], each["basis"], each["equal"], each["tensors"]) for each in found["copies"]] == [
        ("Original", "derived", 6, 6)
    ] * 3
    assert any("other.json" in each for each in found["notKnown"])


def test_constants_are_known_in_every_packaging_and_size(tmp_path: Path) -> None:
    from openvet.core.limits import DEFAULT_LIMITS
    from openvet.core.progress import Progress
    from openvet.publishers.copies import counting
    from openvet.workflows.known_models import tensors_of

    large = {
        "zeros": bytes(3 << 20),
        "nearly": bytes((3 << 20) - 4) + b"\1\2\3\4",
        "pairs": b"\1\2\3\4\5\6\7\x08" * 4096,
    }
    model = make(tmp_path / "mine", large)
    assert [each.name for each in counting(tensors_of(model, DEFAULT_LIMITS, Progress()))] == ["nearly"]


def test_metadata_of_today_and_before(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS)
    before = {
        "_id": "66944f1fe0c5c2e493a804f5",
        "id": "me/Llama-3.1-8B",
        "author": "me",
        "sha": SHA,
        "createdAt": "2024-07-14T22:20:15.000Z",
    }
    (tmp_path / "before.json").write_text(json.dumps(before), encoding="utf-8")
    (tmp_path / "now.json").write_text(
        json.dumps(
            {**before, "_id": "676944f1e0c5c2e493a804f5", "createdAt": "2024-12-23T11:09:05.000Z", "sha": "b" * 40}
        ),
        encoding="utf-8",
    )
    (tmp_path / "commits.json").write_text(json.dumps([{"id": "b" * 40}]), encoding="utf-8")
    now, commits, earlier = (str(tmp_path / f"{each}.json") for each in ("now", "commits", "before"))
    found = told("--metadata", now, "--earlier", earlier, model)
    assert found["published"] == {
        "host": "huggingface.co",
        "account": "me",
        "repository": "me/Llama-3.1-8B",
        "revision": "b" * 40,
        "basis": "declared",
    }
    assert kinds(found) == ["namespace-reused", "name-of-another"]
    (tmp_path / "now.json").write_text(json.dumps({**before, "sha": "b" * 40}), encoding="utf-8")
    assert kinds(told("--metadata", now, "--earlier", earlier, model)) == ["name-of-another", "moved-on"]
    assert kinds(told("--metadata", now, "--metadata", commits, "--earlier", earlier, model)) == [
        "history-rewritten",
        "name-of-another",
    ]


def test_a_statement_of_an_earlier_day_keeps_what_the_hub_said(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS)
    said = {"_id": "66944f1fe0c5c2e493a804f5", "id": "me/x", "author": "me", "sha": SHA, "gated": "manual", "cardData": {"license": "mit"}, "private": False, "lastModified": "2024-10-16T22:00:37.000Z"}  # fmt: skip
    now, kept, report = (str(tmp_path / name) for name in ("now.json", "kept.json", "report.json"))
    Path(now).write_text(json.dumps(said), encoding="utf-8")
    assert run("--metadata", now, "--statement", "-o", kept, model).exit_code == 0
    assert run("--metadata", now, "--format", "json", "-o", report, model).exit_code == 0
    for earlier in (kept, report):
        assert kinds(told("--metadata", now, "--earlier", earlier, model)) == []
    Path(now).write_text(
        json.dumps({**said, "_id": "676944f1e0c5c2e493a804f5", "gated": False, "cardData": {"license": "other"}}),
        encoding="utf-8",
    )
    for earlier in (kept, report):
        assert kinds(told("--metadata", now, "--earlier", earlier, model)) == [
            "namespace-reused",
            "license-changed",
            "access-changed",
        ]
    assert run("--statement", "-o", kept, model).exit_code == 0
    assert "no origin statement that keeps one" in run("--metadata", now, "--earlier", kept, model).stderr


def test_a_model_on_a_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    files = {"model.safetensors": weights(TENSORS), "config.json": b'{"model_type": "llama"}'}
    about = {
        "author": "meta-1lama",
        "createdAt": "2024-07-14T22:20:15.000Z",
        "_id": "66944f1fe0c5c2e493a804f5",
        "gated": "manual",
    }
    make(tmp_path / "known" / "Original", TENSORS)
    with Hub(files, "meta-1lama/Llama-3.1-8B", about=about) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        found = told("--known", str(tmp_path / "known"), "hf:meta-1lama/Llama-3.1-8B")
        checked = CliRunner().invoke(main, ["check", "--no-config", "--format", "json", "hf:meta-1lama/Llama-3.1-8B"])
    assert found["published"]["basis"] == "measured"
    assert kinds(found) == ["look-alike-account", "name-of-another"]
    assert {each["name"]: each["value"] for each in found["metadata"]}["gated"] == "manual"
    assert any("on a server" in each for each in found["notKnown"])
    scan = next(
        each for each in json.loads(checked.stdout)["models"][0]["statements"] if "scan" in each["predicateType"]
    )
    (finding,) = [each for each in scan["predicate"]["findings"] if each["rule"] == "origin/look-alike"]
    assert finding["severity"] == "low"
    assert finding["evidence"]["like"] == "meta-llama"


def test_a_hub_that_answers_about_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with Hub({"config.json": b"{}"}, "old/name", about={"id": "new/name", "author": "new"}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        assert kinds(told("hf:old/name")) == ["renamed"]


def test_files_on_a_hub_are_compared_by_the_digests_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    original = make(tmp_path / "Original", TENSORS)
    known = tmp_path / "known"
    known.mkdir()
    CliRunner().invoke(
        main, ["check", "--no-config", "--statement", "inventory", "-o", str(known / "inventory.json"), original]
    )
    with Hub({"model.safetensors": weights(TENSORS), "config.json": b"{}"}, "me/mine") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        found = told("--known", str(known), "hf:me/mine")
    assert [(each["of"], each["basis"]) for each in found["copies"]] == [("Original", "derived")]
    assert kinds(found) == ["copy-under-another-name"]


def test_a_cache_of_a_hub_declares_the_account(tmp_path: Path) -> None:
    model = make(tmp_path / "models--mistra1ai--Mistral-7B" / "snapshots" / SHA, TENSORS)
    found = told(model)
    assert found["published"] == {
        "host": "huggingface.co",
        "account": "mistra1ai",
        "repository": "mistra1ai/Mistral-7B",
        "revision": SHA,
        "basis": "declared",
    }
    assert kinds(found) == ["look-alike-account", "name-of-another"]


def test_signatures_are_declared_until_somebody_trusts_them(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS)
    key = str(tmp_path / "me.key")
    CliRunner().invoke(main, ["keys", "new", key, "--no-passphrase"])
    assert CliRunner().invoke(main, ["sign", model, "--key", key]).exit_code == 0
    found = told(model)
    assert [(each["basis"], each["method"]) for each in found["signers"]] == [("declared", "key")]
    assert any("--trust" in each for each in found["notKnown"])
    trust = tmp_path / "trust.toml"
    grant = '[[grant]]\nsays = ["signature"]\nby = ["me"]\nmodels = ["*"]\n'
    trust.write_text(f'[[key]]\nname = "me"\nfile = "{key}.pub"\n\n{grant}', encoding="utf-8")
    found = told("--trust", str(trust), model)
    assert [(each["basis"], each["about"]) for each in found["signers"]] == [("attested", "the model's files")], found
    (Path(model) / "config.json").write_text("{}", encoding="utf-8")
    found = told("--trust", str(trust), model)
    assert [each["basis"] for each in found["signers"]] == ["declared"]
    assert any("mismatch" in each for each in found["notKnown"])


def test_a_dossier_says_who_signed(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS)
    key, dossier = str(tmp_path / "me.key"), str(tmp_path / "dossier")
    CliRunner().invoke(main, ["keys", "new", key, "--kind", "ed25519", "--no-passphrase"])
    CliRunner().invoke(main, ["check", "--no-config", "--sign", key, "--dossier", dossier, "-q", model])
    found = told("--dossier", dossier, "--key", f"{key}.pub", model)
    assert {each["basis"] for each in found["signers"]} == {"attested"}
    assert all(each["source"]["place"] == "dossier" and each["source"]["line"] for each in found["signers"])
    (Path(model) / "more.json").write_text("{}", encoding="utf-8")
    refused = run("--dossier", dossier, "--key", f"{key}.pub", model)
    assert refused.exit_code == 1
    assert "mismatch" in refused.stderr


def test_statements_are_signed_and_read_back(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS, config={"_name_or_path": "meta-llama/Llama-3"})
    key, out = str(tmp_path / "me.key"), str(tmp_path / "origin.json")
    CliRunner().invoke(main, ["keys", "new", key, "--kind", "ed25519", "--no-passphrase"])
    assert run("--statement", "--sign", key, "-o", out, model).exit_code == 0
    read = CliRunner().invoke(main, ["statement", out, "--key", f"{key}.pub", "--model", model])
    assert read.exit_code == 0, read.output
    assert "published at nowhere that is known, signers: 0, remarks: none" in read.stdout
    first = Path(out).read_bytes()
    dossier = str(tmp_path / "dossier")
    for command in (
        ["create", dossier, "--key", key],
        ["add", dossier, out, "--key", key],
        ["verify", dossier, "--key", f"{key}.pub", "--model", model],
    ):
        taken = CliRunner().invoke(main, ["dossier", *command])
        assert taken.exit_code == 0, taken.output
    assert run("--statement", "--sign", key, "-o", out, model).exit_code == 0
    assert Path(out).read_bytes() == first


def test_a_registry() -> None:
    layers = [("application/octet-stream", {"org.opencontainers.image.title": "config.json"}, b"{}")]
    with Registry(layers) as server:
        found = told(f"oci:{server.host}/org/model:latest")
    assert found["published"] == {
        "host": server.host,
        "account": "org",
        "repository": "org/model",
        "revision": "",
        "basis": "measured",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dossier", "x", "."], "--dossier and --key belong together"),
        (["--sign", "x", "."], "--sign belongs to --statement"),
        (["--statement", "--format", "json", "."], "--format and --statement exclude each other"),
        (["--at", "2026-01-01", "."], "belong to --trust"),
        (["--earlier", "e.json", "."], "name it with --metadata"),
        (["--metadata", "no.json", "."], "no.json: No such file"),
        (["--metadata", "bad.json", "."], "bad.json: is no JSON of a hub"),
        (["--metadata", "list.json", "."], "is no answer of a hub about a model"),
        (["--metadata", "e.json", "--metadata", "other.json", "."], "is about x/y, and the file before it about a/b"),
        (["--known", "nowhere", "."], "nowhere: No such file"),
        (["nothing-here"], "nothing-here"),
    ],
)
def test_what_makes_no_sense(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("e.json", '{"id": "a/b"}'),
        ("other.json", '{"id": "x/y"}'),
        ("bad.json", "{"),
        ("list.json", "[]"),
    ):
        Path(name).write_text(text, encoding="utf-8")
    found = run(*arguments)
    assert found.exit_code == 2
    assert message in found.stderr


def test_a_folder_of_known_models_that_holds_all_sorts(tmp_path: Path) -> None:
    model = make(tmp_path / "mine", TENSORS)
    known = tmp_path / "known"
    known.mkdir()
    (known / "a.json").write_bytes(b"\xff{")
    (known / "b.jsonl").write_text('{"payloadType": "x", "payload": "!!"}\n[[[[]]]]\n', encoding="utf-8")
    (known / "c.json").write_text("[" * 5000, encoding="utf-8")
    (known / "empty").mkdir()
    (known / "half").mkdir()
    for name in ("index.json", "claims.jsonl"):
        (known / "half" / name).write_text("no", encoding="utf-8")
    (known / "link").symlink_to("nowhere")
    (known / "text.txt").write_text("text", encoding="utf-8")
    found = told("--known", str(known), model)
    assert found["copies"] == []
    said = "\n".join(each for each in found["notKnown"] if "not compared in the folder" in each)
    assert all(name in said for name in ("a.json", "b.jsonl", "c.json", "empty", "half", "link", "text.txt"))
