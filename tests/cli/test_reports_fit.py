"""Every report that a command prints in JSON is as its schema says, and no command is forgotten."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from tests import architectures
from tests.origins.cached import FIRST, SECOND, blob_name, put
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.evidence.dossier.index import read_index
from openvet.evidence.keys import load_public
from openvet.sandbox.levels import ENOUGH, LADDER, missing

ISOLATED = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
OWNER = ("--key", "owner.key")
PUBLIC = ("--key", "owner.key.pub")
#: Command -> its schema, and calls whose reports have to fit it; those that fail are among them.
CALLS: dict[str, tuple[str, list[tuple[str, ...]]]] = {
    "check": ("report-v1", [("m",), ("no.pkl",)]),
    "scan": ("report-v1", [("m",)]),
    "inspect": ("inspection-v1", [("m",)]),
    "card": ("cards-v1", [("m",), ("--digests", "m"), ("no.pkl",)]),
    "licenses": ("licenses-report-v1", [("m",), ("--digests", "m"), ("no.pkl",)]),
    "openness": ("openness-report-v1", [("m",), ("--digests", "m"), ("no.pkl",)]),
    "advisories": ("advisories-report-v1", [("m",), ("m", "no.pkl", "r.txt", "--loader", "torch==2.5.1"), ("d", *PUBLIC), ("s.json", "--key", "k.pub")]),
    "disarm": ("disarm-v1", [("t.npy", "out.safetensors")]),
    "detonate": ("detonation-report-v1", [("m",), ("t.npy",)]),
    "digest": ("digests-v1", [("m",), ("--tensors", "m"), ("--declared", "m")]),
    "sign": ("signing-v1", [("m", "--key", "k", "--signature", "m2.sig"), ("m", "--key", "k", "--declared", "--signature", "m3.sig")]),
    "verify": ("verification-v1", [("m", "--key", "k.pub", "--signature", "m.sig"), ("m", "--key", "owner.key.pub", "--signature", "m.sig"), ("n", "--key", "k.pub", "--signature", "m.sig"), ("m", "--trust", "trust.toml", "--signature", "m.sig")]),
    "keys new": ("keys-v1", [("more.key", "--no-passphrase")]),
    "keys list": ("keys-v1", [()]),
    "keys show": ("keys-v1", [("k.pub",)]),
    "log init": ("log-v1", [("log2", "--origin", "example.com/2", *OWNER)]),
    "log append": ("log-v1", [("log", "m.sig", "k.pub", *OWNER)]),
    "log proof": ("log-v1", [("log", "k.pub", *PUBLIC), ("log", "trust.toml", *PUBLIC)]),
    "log verify": ("log-v1", [("k.pub", *PUBLIC), ("k.pub", "--log", "log", "--checkpoint", "log/checkpoint", *PUBLIC), ("k.pub", "--key", "new.key.pub")]),
    "log audit": ("log-v1", [("log", *PUBLIC), ("log", "--key", "new.key.pub"), ("log", "--checkpoint", "log/checkpoint", *PUBLIC)]),
    "log show": ("log-v1", [("log", *PUBLIC), ("log", "--key", "new.key.pub")]),
    "dossier create": ("dossier-v1", [("d2", *OWNER)]),
    "dossier add": ("dossier-v1", [("d", "m.sig", "--signer", "k.pub", *OWNER), ("d", "m.sig", "--key", "new.key")]),
    "dossier show": ("dossier-v1", [("d", *PUBLIC)]),
    "dossier verify": ("dossier-v1", [("d", *PUBLIC), ("d", "--model", "m", "--trust", "trust.toml", *PUBLIC), ("d", "--model", "n", *PUBLIC), ("d", "--checkpoint", "d/log/checkpoint", *PUBLIC), ("d", "--key", "k.pub")]),
    "dossier report": ("dossier-v1", [("d", "page.html", *PUBLIC), ("d", "baseline.html", *PUBLIC, "--policy", "baseline")]),
    "dossier export": ("dossier-v1", [("d", "d.zip", *PUBLIC)]),
    "dossier import": ("dossier-v1", [("d.zip", "d3", *PUBLIC)]),
    "dossier diff": ("dossier-v1", [("d", "d", *PUBLIC), ("d2", "d", *PUBLIC)]),
    "dossier approve": ("dossier-v1", [("d", "a.json", "--key", "k", "--owner", "owner.key.pub", "--new-key", "new.key.pub")]),
    "dossier rotate": ("dossier-v1", [("d", *OWNER, "--new-key", "new.key"), ("d", *OWNER, "--new-key", "new.key")]),
    "statement": ("statements-v1", [("s.json", "--key", "k.pub"), ("s.json", "--key", "k.pub", "--model", "m"), ("s.json", *PUBLIC)]),
    "profile": ("profiles-v1", [("m",), ("c",), ("c", "--device", "rpi5"), ("c", "m", "--device", "rpi5:16", "--device", "t4", "--device", "mine.toml"), ("c", "--digests")]),
    "cost": ("cost-report-v1", [("--price-per-hour", "2", "--tokens-out", "3", "--api-price-out", "1..2"), ("c", "--price-per-hour", "2", "--tokens-out", "3", "--api-price-out", "1", "--device", "l4", "--utilisation", "0.5", "--requests", "9")]),
    "bom create": ("bom-coverage-v1", [("m", "--coverage"), ("m", "--coverage", "--time", "2026-11-28")]),
    "bom diff": ("bom-difference-v1", [("b.json", "b.json"), ("b.json", "n.spdx.json")]),
    "claims": ("claims-report-v1", [("--published", "bloom-176b"), ("--published", "palm-540b"), ("--parameters", "1e9")]),
    "diff": ("diff-report-v1", [("m", "m"), ("m", "n"), ("m", "t.npy")]),
    "lineage": ("lineage-report-v1", [("m",), ("c",)]),
    "decide": ("decisions-v1", [("d", *PUBLIC, "--policy", "baseline"), ("d", *PUBLIC, "--policy", "strict", "--since", "2026-05-01"), ("d", *PUBLIC, "--policy", "strict", "--before", "baseline")]),
    "document": ("document-v1", [("annex-iv", "d", *PUBLIC), ("checklist", "d", *PUBLIC, "--policy", "strict"), ("training-summary", "--model", "m"), ("list",)]),
    "policy list": ("packs-v1", [()]),
    "policy show": ("packs-v1#/$defs/pack", [("baseline",), ("eu-ai-act",)]),
    "policy explain": ("packs-v1#/$defs/requirement", [("strict", "STRICT-1"), ("eu-ai-act", "EU-53.1d-P")]),
    "policy crosswalk": ("packs-v1#/$defs/crosswalk", [(), ("baseline", "strict")]),
    "policy facts": ("packs-v1#/$defs/facts", [()]),
    "policy questions": ("packs-v1#/$defs/questions", [()]),
    "hub request": ("hub-v1", [("org/tiny", "--purpose", "p"), ("org/tiny@ccccccc", "--purpose", "p", "--project", "/vision", "--until", "2027-01-01")]),
    "hub requests": ("hub-v1", [(), ("--state", "asked")]),
    "hub show": ("hub-v1", [("1",)]),
    "hub comment": ("hub-v1", [("1", "t"), ("1", "t", "--for")]),
    "hub withdraw": ("hub-v1", [("1",)]),
    "hub decline": ("hub-v1", [("2", "99", "--reason", "r")]),
    "hub approve": ("hub-v1", [("2", "--reason", "r")]),
    "hub vet": ("hub-v1", [("org/tiny",)]),
    "hub status": ("hub-v1", [("org/tiny",)]),
    "hub timeline": ("hub-v1", [("org/tiny",), ("org/tiny", "--kind", "policy", "--kind", "pull", "--limit", "1")]),
    "hub revoke": ("hub-v1", [("org/tiny@ccccccc", "--reason", "r")]),
    "hub models": ("hub-v1", [(), ("--standing", "revoked", "--newest")]),
    "hub uses": ("hub-v1", [(), ("--by-project",), ("--project", "/vision")]),
    "hub lineage": ("hub-v1", [(), ("--troubled", "--search", "x"), ("org/tiny",), ("org/base", "--standing", "admitted")]),
    "hub caches": ("hub-v1", [(), ("--standing", "unknown", "--machine", "laptop")]),
    "hub revocations": ("hub-v1", [("--output", "r.json", "--key", "gate.pub"), ("--output", "r.json", "--project", "/vision"), ("--output", "r2.json", "--key", "k.pub")]),
    "cache report": ("cache-v1", [("--cache", "cache"), ("--cache", "cache", "--send", "--machine", "m")]),
    "cache verify": ("cache-v1", [("--cache", "cache", "--no-gate"), ("--cache", "cache"), ("--cache", "cache", "--no-hash"), ("--cache", "cache", "--revocations", "r.json", "--key", "gate.pub", "--seen", "s2.json"), ("--cache", "cache", "--revocations", "r.json", "--key", "k.pub")]),
    "cache evict": ("cache-v1", [("--cache", "cache", "--dry-run", "org/tiny"), ("--cache", "cache", "--yes", "org/tiny"), ("--cache", "cache", "--yes")]),
    "hub people list": ("hub-v1", [()]),
    "hub people add": ("hub-v1", [("zoe",), ("ci", "--service")]),
    "hub people invite": ("hub-v1", [("zoe",)]),
    "hub people disable": ("hub-v1", [("zoe",)]),
    "hub people enable": ("hub-v1", [("zoe",)]),
    "hub projects list": ("hub-v1", [()]),
    "hub projects add": ("hub-v1", [("/audio",)]),
    "hub roles list": ("hub-v1", [()]),
    "hub roles give": ("hub-v1", [("zoe", "viewer")]),
    "hub roles take": ("hub-v1", [("zoe", "viewer")]),
    "hub tokens list": ("hub-v1", [(), ("--everybody",)]),
    "hub tokens revoke": ("hub-v1", [("8",)]),
    "eval run": ("eval-report-v1", [("m", "--task", "t.json", "--recorded", "o.jsonl", "--result", "e.json"), ("--name", "m", "--task", "t.json", "--recorded", "o.jsonl", "--result", "e2.json", "--stop-at", "0.5")]),
    "eval plan": ("eval-plan-report-v1", [("t.json",), ("t.json", "--effect", "0.1", "--margin", "0.1", "--model", "m")]),
    "eval compare": ("eval-comparison-v1", [("e.json", "e.json", "--margin", "0.9"), ("e.json", "e2.json", "--margin", "0.95")]),
    "eval audit": ("eval-audit-v1", [("e.json",), ("e.json", "--task", "t.json", "--recorded", "o.jsonl", "--sample", "1", "--seed", "s")]),
    "eval import": ("eval-report-v1", [("samples_x_2026-01-01T00-00-00.jsonl", "--result", "i.json")]),
    "bench": ("bench-report-v1", []),  # a runtime is needed: tests/cli/test_bench has one that is none
    # what they need, and their reports: tests/cli/test_shrink
    **{name: ("derivation-report-v1", []) for name in ("quantize", "prune", "distill", "convert", "finetune")},
    "compare": ("comparison-v1", [("m", "t.npy"), ("m", "e.json", "t.npy")]),
    "choose": ("choice-v1", [("need.yaml", "m", "e.json", "t.npy")]),
    "rules": ("rules-v1", [()]),
    "explain": ("rules-v1#/$defs/rule", [("archive/checksum-mismatch",), ("unknown:limit",)]),
    "formats": ("formats-v1", [(), ("gguf",)]),
    "doctor": ("doctor-v1", [()]),
    "origin": ("origins-v1", [("m",), ("m", "--known", "."), ("m", "--dossier", "d", *PUBLIC)]),
    "config": ("config-v1", [(), ("--config", "openvet.toml")]),
}  # fmt: skip


def commands(group: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        context = click.Context(group)
        for each in group.list_commands(context):
            command = group.get_command(context, each)
            assert command is not None
            yield from commands(command, f"{name} {each}".strip())
    else:
        yield name, group


def speaks_json(command: click.Command) -> bool:
    kinds = [each.type for each in command.params if each.name == "form"]
    return any(isinstance(kind, click.Choice) and "json" in kind.choices for kind in kinds)


def test_no_command_is_forgotten() -> None:
    assert {name for name, command in commands(main) if speaks_json(command)} == set(CALLS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, keys, a signature, a log, a dossier, a trust file, a configuration."""
    folder = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
        for name, text in {"m/config.json": "{}", "n/config.json": "[]"}.items():
            Path(name).parent.mkdir()
            Path(name).write_text(text)
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
        Path("t.json").write_text(
            '{"name": "t", "prompt": "{{q}}", "target": "{{a}}", "scorer": "exact", "samples": [{"q": "x", "a": "y"}]}'
        )
        Path("o.jsonl").write_text('{"id": "0", "output": "y"}\n')
        Path("samples_x_2026-01-01T00-00-00.jsonl").write_text('{"doc_id": 0, "metrics": ["acc"], "acc": 1.0}\n')
        Path("t.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(4))
        shutil.copytree(architectures.configs("llama-3-8b"), "c")
        Path("mine.toml").write_text("[device.mine]\nmemory_gib = 4\nbandwidth_nominal = 9e9\n")
        Path("r.txt").write_text("torch==2.5.1\n")
        Path("need.yaml").write_text(
            "need: x\ntask: t\nbudget: {size: 1M, latency-p90: 1 s}\ndevice: rpi5\nuses: [commercial]\n"
        )
        Path("no.pkl").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
        repository = put(Path("cache"), "org/tiny")
        (repository / "snapshots" / FIRST / "evil").symlink_to("/etc/hostname")
        put(Path("cache"), "org/tiny", SECOND, {"a": b"b"}, refs=())
        (repository / "blobs" / blob_name("a", b"b")).write_bytes(b"c")
        Path("cache/odd").mkdir()
        for name, kind in (("owner.key", "ed25519"), ("new.key", "ed25519"), ("k", "p256")):
            run("keys", "new", name, "--kind", kind, "--no-passphrase")
        run("sign", "m", "--key", "k", "--signature", "m.sig")
        run("log", "init", "log", "--origin", "example.com/log", *OWNER)
        run("check", "m", "--dossier", "d", "--sign", "owner.key", "-q")
        run("bom", "m", "-o", "b.json")
        run("bom", "n", "--form", "spdx", "-o", "n.spdx.json")
        run("check", "m", "--statement", "scan", "--sign", "k", "--output", "s.json")
        Path("trust.toml").write_text(
            '[[key]]\nname = "k"\nfile = "k.pub"\n[[key]]\nname = "owner"\nfile = "owner.key.pub"\n'
            '[[grant]]\nsays = ["signature", "scan"]\nby = ["k", "owner"]\nmodels = ["*"]\n'
        )
        Path("openvet.toml").write_text(
            f'[[accept]]\nrule = "archive/checksum-mismatch"\ndigest = "{"0" * 64}"\nreason = "r"\nowner = "o"\nexpires = 2027-01-01\n'
            '[[callable]]\nname = "my.thing"\nreason = "r"\n[limits]\nfiles = 10\n'
        )
    return folder


def run(*arguments: str) -> str:
    found = CliRunner().invoke(main, arguments)
    # a report of a folder in which nothing can be profiled is a report too
    codes = (
        {0, 1, 2}
        if arguments[0] == "profile" and "m" in arguments
        else {0, 1, 3}
        if arguments[0] in {"decide", "detonate", "hub", "cache", "compare", "choose"}
        else {0, 1}
    )
    assert found.exit_code in codes, (arguments, found.output)
    return found.stdout


@pytest.fixture
def gate(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server for ``openvet hub``, with a model that policy refused and that somebody had."""
    pytest.importorskip("uvicorn")
    from tests.hubproxy.api.conftest import running

    from openvet.store.bases import Base, note_bases
    from openvet.store.pulls import add_pull
    from openvet.store.revisions import note_ref

    with running(tmp_path_factory.mktemp("gate")) as live:
        with live.database.writing() as connection:
            note_ref(connection, 1, "main", 1)
            add_pull(connection, 1, "a", "0" * 64, None, "torch/2.5.1", "", 1, live.now)
            live.decide(connection, 1, "policy", "reject", reason="r", by="policy")
            note_bases(connection, 1, [Base("model", "org/base", "", ("finetune",))])
        monkeypatch.setenv("GATE_KEY", live.key.public.pem.decode())
        monkeypatch.setenv("OPENVET_SERVER", f"http://127.0.0.1:{live.port}")
        monkeypatch.setenv("OPENVET_TOKEN", live.tokens["root"])
        yield


@pytest.mark.usefixtures("gate")
def test_they_fit(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the table, since what one command makes another one reads."""
    folder = Path(shutil.copytree(whole, tmp_path / "all", symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    Path("gate.pub").write_text(os.environ["GATE_KEY"])
    for name, (form, calls) in CALLS.items():
        if name == "detonate" and not ISOLATED:
            continue  # nothing is run, and nothing printed
        document, mark, part = form.partition("#")
        validator = schema(document, mark + part)
        for more in calls:
            value: Any = json.loads(run(*name.split(), *more, "-f", "json"))
            problems = [f"{each.json_path}: {each.message}"[:300] for each in validator.iter_errors(value)]
            assert problems == [], (name, more)


def test_an_index_fits(whole: Path) -> None:
    key = load_public((whole / "owner.key.pub").read_bytes())
    index = read_index((whole / "d/index.json").read_bytes(), key)
    value = json.loads(index.payload)
    assert list(schema("dossier-index-v1").iter_errors(value)) == []
    value["predicate"]["lines"][0] = "short"
    assert list(schema("dossier-index-v1").iter_errors(value)) != []
