"""A step from beginning to end: what is put in its place, what is not, and what its certificate says."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from openvet.core.progress import Progress
from openvet.errors import UsageError, VerifyError
from openvet.evals.stats.estimate import Estimate
from openvet.evals.stats.paired import Paired
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.evidence.predicates.provenance_v1 import Provenance
from openvet.io.new_file import WriteError
from openvet.profile.devices import devices
from openvet.sandbox import canary
from openvet.sandbox.canary import Proof
from openvet.sandbox.levels import ENOUGH, LADDER, Level, missing
from openvet.workflows import deriving, deriving_work, making
from openvet.workflows.deriving import derive
from openvet.workflows.deriving_asked import Asked, Wanted, parse_budget, parse_share
from openvet.workflows.deriving_facts import beside_of
from openvet.workflows.detonate import proven_level
from openvet.workflows.held_model import model_digest
from openvet.workflows.making import RefusedError
from openvet.workflows.measuring import Measured
from openvet.workflows.measuring_figures import verdict_of

save_file = pytest.importorskip("safetensors.numpy").save_file
load_file = pytest.importorskip("safetensors.numpy").load_file

HERE = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
needs_isolation = pytest.mark.skipif(not HERE, reason="nothing here is enough to run a model in")


@pytest.fixture(autouse=True, scope="module")
def _one_proof() -> Iterator[None]:
    """The canary has tests of its own: each level is proven once for all of these."""
    proofs: dict[Level, Proof] = {}
    with pytest.MonkeyPatch.context() as patch:

        def prove(level: Level) -> Proof:
            return proofs.get(level) or proofs.setdefault(level, canary.prove(level))

        patch.setattr(deriving, "proven_level", lambda asked: proven_level(asked, prove))
        yield


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    folder = tmp_path / "model"
    folder.mkdir()
    parts = {
        "layer.weight": rng.normal(size=(16, 16)).astype("f4"),
        "layer.bias": np.zeros(16, "f4"),
        "embed.weight": rng.normal(size=(10, 16)).astype("f4"),
    }
    save_file(parts, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "bert", "torch_dtype": "float32"}')
    return folder


def asked(command: str, to: str, target: str = "out", **given: Any) -> Asked:
    return Asked(command, "model", target, to, **{"speed": False, **given})


def left() -> list[str]:
    return sorted(each.name for each in Path().iterdir())


# --- real children ---


@needs_isolation
def test_a_cast_is_made_read_again_and_certified(model: Path) -> None:
    found = derive(asked("convert", "bf16"))
    body = found.body
    assert found.made
    assert left() == ["model", "out"]
    assert DerivationV1.from_json(json.loads(json.dumps(body.to_json()))) == body
    assert (body.kind, body.method, body.verdict) == ("convert", "safetensors-cast", "not-asked")
    count = 16 * 16 + 16 + 160
    assert (body.before.parameters, body.after.parameters) == (count, count)
    assert (body.before.weight_bytes, body.after.weight_bytes) == (4 * count, 2 * count)
    assert (float(body.before.bits), float(body.after.bits)) == (32.0, 16.0)
    assert [(each.type, each.tensors, each.bytes) for each in body.after.mix] == [("BF16", 3, 2 * count)]
    assert body.kept.tensors == 0
    assert body.parameters["made:cast"] == "3"
    assert body.runtime["packages"].startswith("numpy ")
    assert found.subject.digest == {"dirHash": model_digest("out", Progress())[1]}
    assert body.parent.digest != found.subject.digest
    assert json.loads(Path("out/config.json").read_text())["torch_dtype"] == "bfloat16"
    assert Path("out").stat().st_mode & 0o777 == 0o777 & ~_umask()
    made = found.provenance
    assert Provenance.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.inputs is not None
    assert [each.digest for each in made.inputs] == [body.parent.digest]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@needs_isolation
def test_pruning_counts_zeros_itself_and_says_that_they_save_nothing() -> None:
    body = derive(asked("prune", "magnitude", given=("amount=0.75",))).body
    assert body.parameters["amount"] == "0.75"
    assert body.before.zeros == f"{16 / 432:.6f}"
    assert body.after.zeros == f"{(16 + 192) / 432:.6f}"
    assert (body.before.bytes, body.before.weight_bytes) == (body.after.bytes, body.after.weight_bytes)
    assert [name for name, _, _ in body.kept.largest] == ["embed.weight", "layer.bias"]
    assert any("It saves bytes or time only where a sparse format or kernel is used" in each for each in body.notes)


@needs_isolation
def test_a_file_is_made_of_a_file_and_the_same_bytes_each_time(model: Path) -> None:
    digests = set()
    for name in ("a.safetensors", "b.safetensors"):
        step = Asked("prune", "model/model.safetensors", name, "2:4", speed=False)
        digests.add(derive(step).subject.digest["sha256"])
    assert len(digests) == 1
    assert (load_file("a.safetensors")["layer.weight"] == 0).sum() == 128


@needs_isolation
def test_a_hubs_cache_is_read_and_what_other_links_lead_to_is_not(model: Path) -> None:
    cache, commit = Path("models--org--name"), "a" * 40
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots" / commit).mkdir(parents=True)
    for each in list(model.iterdir()):
        blob = cache / "blobs" / f"{hash(each.name) % 10**8:064d}"
        each.rename(blob)
        (cache / "snapshots" / commit / each.name).symlink_to(Path("../../blobs") / blob.name)
    source = str(cache / "snapshots" / commit)
    assert derive(Asked("prune", source, "out", "2:4", speed=False)).made
    assert not any(each.is_symlink() for each in Path("out").iterdir())
    assert Path("out/config.json").read_text() == '{"model_type": "bert", "torch_dtype": "float32"}'
    Path("secret").write_text("of the user's")
    (cache / "snapshots" / commit / "tokenizer.json").symlink_to(Path("secret").absolute())
    with pytest.raises(VerifyError, match=r"tokenizer\.json cannot be hashed"):
        derive(Asked("prune", source, "stolen", "2:4", speed=False))
    assert not Path("stolen").exists()


@needs_isolation
def test_what_cannot_be_held_is_refused_and_leaves_nothing(model: Path) -> None:
    save_file({"w": np.array([1e6], "f4")}, model / "model.safetensors")
    with pytest.raises(RefusedError, match="1 numbers would become infinite in F16"):
        derive(asked("convert", "f16"))
    assert left() == ["model"]
    assert derive(asked("convert", "f16", given=("accept-overflow=yes",))).body.parameters["made:overflow"] == "1"


@needs_isolation
def test_a_child_that_does_not_come_to_its_end_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(work: dict[str, Any], *_: Any, **__: Any) -> Any:
        write(Path(work["target"]))
        return SimpleNamespace(
            answered=False, answer=None, ended="killed: the limit seconds (9) was reached", output=b"step 3\nstep 4\n"
        )

    monkeypatch.setattr(making, "run", run)
    with pytest.raises(
        RefusedError, match=r"did not come to its end: .*the limit seconds \(9\) was reached; it said last: step 4"
    ):
        derive(asked("convert", "bf16"))
    assert left() == ["model"]


@needs_isolation
def test_what_is_there_is_replaced_only_where_that_was_asked_for(model: Path) -> None:
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="out is there already; --force replaces it"):
        derive(asked("convert", "bf16"))
    assert Path("out/mine.txt").read_text() == "mine"
    derive(asked("convert", "bf16", force=True))
    assert left() == ["model", "out"]
    assert not Path("out/mine.txt").exists()


@needs_isolation
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("done", [False, True])
def test_an_interruption_while_it_is_put_loses_neither(monkeypatch: pytest.MonkeyPatch, at: int, done: bool) -> None:
    """Ctrl-C just before (or after) each of the two renames."""
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    rename, calls = os.rename, []

    def interrupted(source: str, target: str) -> None:
        calls.append(target)
        if done or len(calls) != at:
            rename(source, target)
        if len(calls) == at:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        derive(asked("convert", "bf16", force=True))
    assert left() == ["model", "out"]
    assert Path("out/model.safetensors").exists() is (at == 2 and done)
    assert Path("out/mine.txt").exists() is not (at == 2 and done)


@needs_isolation
def test_what_cannot_go_back_is_kept_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    rename, calls = os.rename, []

    def broken(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", broken)
    with pytest.raises(WriteError, match="what was there is in"):
        derive(asked("convert", "bf16", force=True))
    (kept,) = Path().glob(".out.*.part/old/mine.txt")
    assert kept.read_text() == "mine"


@needs_isolation
def test_what_is_written_of_it_comes_before_it_is_put(model: Path) -> None:
    seen: list[bool] = []

    def full(found: Any) -> None:
        seen.append(found.made)
        assert left()[-1] == "model"
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        derive(asked("convert", "bf16"), ready=full)
    assert (seen, left()) == ([True], ["model"])


# --- children that are none ---


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], Any]], None]:
    """Let a function stand in the child's place: it is given where to write, and its answer is the child's."""

    def stand_in(do: Callable[[Path], Any]) -> None:
        def run(work: dict[str, Any], *_: Any, **__: Any) -> Any:
            answer = do(Path(work["target"]))
            return SimpleNamespace(answered=True, answer=answer, ended="answered", output=b"")

        monkeypatch.setattr(making, "run", run)

    return stand_in


def write(target: Path, **parts: Any) -> dict[str, Any]:
    target.mkdir()
    save_file(parts or {"w": np.ones((4, 4), "f4")}, target / "model.safetensors")
    return {"version": "numpy 2", "record": {}}


def test_what_lies_beside_weights_is_the_same_to_the_last_byte(tmp_path: Path) -> None:
    """Of what a child says that it copied our readers look at every byte; what it left behind is named."""
    for name, text in (("a", "said"), ("b", "said"), ("c", "sai\u0501")):
        write(tmp_path / name)
        (tmp_path / name / "characters.txt").write_text(text)
    (tmp_path / "a" / "notes.md").write_text("# Notes")
    sides = [making.read_side(str(tmp_path / name), Progress()) for name in "abc"]
    assert beside_of(sides[0], sides[1]) == (1, ["notes.md"])
    with pytest.raises(RefusedError, match=r"characters\.txt has other bytes in what was made than in the parent"):
        beside_of(sides[0], sides[2])


@needs_isolation
def test_hostile_children_are_refused(child: Callable[[Callable[[Path], Any]], None], model: Path) -> None:
    def links(target: Path) -> Any:
        answer = write(target)
        (target / "secret").symlink_to("/etc/passwd")
        return answer

    def pipes(target: Path) -> Any:
        answer = write(target)
        os.mkfifo(target / "pipe")
        return answer

    def evil(target: Path) -> Any:
        answer = write(target)
        (target / "more.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
        return answer

    def lies(target: Path) -> Any:
        target.mkdir()
        (target / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
        return {"version": "", "record": {}}

    cases: list[tuple[Callable[[Path], Any], str]] = [
        (lambda _: {"version": "x", "record": {}}, "wrote nothing"),
        (links, "secret, which is neither file nor folder"),
        (pipes, "pipe, which is neither file nor folder"),
        (evil, "the check of what was made rejects it"),
        (lambda target: {**write(target), "version": 7}, "something else than text"),
        (lambda target: {**write(target), "record": {"x": float("nan")}}, "something else than numbers and text"),
        (lambda target: {**write(target), "record": [1]}, "no object of a few entries"),
        (lambda target: {**write(target), "record": {"losses": [1.0, "two"]}}, "something else than numbers and text"),
        (lambda _: {"failed": "it\x1b[31m broke"}, r"it\\x1b\[31m broke"),
        (lambda _: "nonsense", "something else than text|wrote nothing"),
    ]
    for do, why in cases:
        child(do)
        with pytest.raises(RefusedError, match=why):
            derive(asked("convert", "bf16"))
        assert left() == ["model"]
    child(lies)
    with pytest.raises(UsageError, match="no weights"):
        derive(asked("convert", "bf16"))
    assert left() == ["model"]


@needs_isolation
def test_a_parent_that_changes_meanwhile_leaves_nothing(
    child: Callable[[Callable[[Path], Any]], None], model: Path
) -> None:
    def do(target: Path) -> Any:
        (model / "config.json").write_text("{}")
        return write(target)

    child(do)
    with pytest.raises(RefusedError, match="model: changed while it was worked on"):
        derive(asked("convert", "bf16"))
    assert left() == ["model"]


@needs_isolation
def test_training_data_that_change_meanwhile_leave_nothing(
    child: Callable[[Callable[[Path], Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making.Begun, "_needs", lambda *_: None)
    Path("texts.txt").write_text("one")

    def do(target: Path) -> Any:
        Path("texts.txt").write_text("two")
        return write(target)

    child(do)
    with pytest.raises(RefusedError, match=r"texts\.txt: changed while it was learned from"):
        derive(asked("finetune", "merged", data={"train": "texts.txt"}))
    assert left() == ["model", "texts.txt"]


@needs_isolation
def test_an_interruption_leaves_nothing(child: Callable[[Callable[[Path], Any]], None]) -> None:
    def do(target: Path) -> Any:
        write(target)
        raise KeyboardInterrupt

    child(do)
    with pytest.raises(KeyboardInterrupt):
        derive(asked("convert", "bf16"))
    assert left() == ["model"]


@needs_isolation
def test_a_disk_without_room_is_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(
        RefusedError, match=r"up to [0-9,]+ bytes are needed there, and 1,000 are free; nothing was written"
    ):
        derive(asked("convert", "bf16"))
    assert left() == ["model"]


# --- what is asked for ---


@pytest.mark.parametrize(
    ("command", "to", "given", "why"),
    [
        ("convert", "int8", {}, "there is no 'int8': of safetensors convert makes"),
        ("convert", "", {}, "--to is missing"),
        ("prune", "magnitude", {"given": ("amount=2",)}, "amount=2: it has to be from 0 to 1"),
        ("prune", "magnitude", {"given": ("amount=nan",)}, "it has to be a number"),
        ("prune", "magnitude", {"given": ("share=0.5",)}, "safetensors-prune has amount, embeddings"),
        ("prune", "2:4", {"given": ("pattern=magnitude",)}, "that is what --to 2:4 stands for"),
        ("prune", "2:4", {"given": ("embeddings=perhaps",)}, "it has to be yes or no"),
        ("distill", "layers", {}, "--train FILE names them"),
        ("prune", "2:4", {"data": {"train": "x"}}, "--train belongs to steps that learn"),
        ("prune", "2:4", {"loss": 0.02}, "--loss needs something to hold it against"),
        ("prune", "2:4", {"wanted": Wanted(0.02, 10)}, "--budget needs something to hold its loss against"),
    ],
)
def test_what_makes_no_sense_is_said_before_the_work(command: str, to: str, given: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        derive(asked(command, to, **given))
    assert left() == ["model"]


def test_of_a_folder_the_file_has_to_be_named(model: Path) -> None:
    for each in model.iterdir():
        each.unlink()
    # version 3, no tensors but one, no metadata
    head = b"GGUF" + (3).to_bytes(4, "little") + (1).to_bytes(8, "little") + bytes(8)
    tensor = (
        (1).to_bytes(8, "little") + b"w" + (1).to_bytes(4, "little") + (8).to_bytes(8, "little") + bytes(4) + bytes(8)
    )
    data = head + tensor
    (model / "m.gguf").write_bytes(data + bytes(-len(data) % 32) + bytes(32))
    with pytest.raises(UsageError, match="model is a folder: name the file of gguf in it"):
        derive(asked("quantize", "q8_0"))


def test_the_place_must_not_be_the_parents() -> None:
    if not HERE:
        pytest.skip("nothing here is enough to run a model in")
    for target in ("model", "model/child", "."):
        with pytest.raises(UsageError, match="is the parent itself, lies in it or holds it"):
            derive(asked("convert", "bf16", target, force=True))


def test_budgets_are_read() -> None:
    assert parse_budget("device=rpi5,memory=600MB,loss=2%") == ("rpi5", 600 * 10**6, 0.02)
    assert parse_budget("memory=1.5G, loss=0.01") == ("", 3 * 2**29, 0.01)
    for text in (
        "",
        "loss=2%",
        "memory=1G",
        "memory=1G,loss=200%",
        "memory=1G,memory=2G,loss=1%",
        "speed=3,loss=1%",
        "memory=,loss=1%",
    ):
        with pytest.raises(UsageError):
            parse_budget(text)
    for text in ("0", "-1%", "nan", "inf", "x"):
        with pytest.raises(UsageError):
            parse_share(text, "loss")


# --- ladders and verdicts ---


def result(word: str) -> Measured:
    return Measured((), (), None, (), word, f"because {word}", ())


@needs_isolation
def test_a_ladder_is_climbed_from_the_smallest_that_fits(
    child: Callable[[Callable[[Path], Any]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ladder of two rungs, the second of which the child makes smaller. Each is made to be weighed, and again when its turn has come; one lies on the disk."""
    from openvet.transforms import torchao_quantize

    monkeypatch.setattr(deriving, "look", lambda *_: None)
    monkeypatch.setattr(making.Begun, "_needs", lambda *_: None)
    made: list[int] = []

    def do(target: Path) -> Any:
        made.append(1)
        if broken and len(made) in broken:
            return {"failed": "it broke"}
        rooms = [each for each in target.parent.parent.iterdir() if each.name.isdigit() and any(each.iterdir())]
        assert rooms == []
        size = (64, 32, 64)[len(made) - 1] if 2 in broken else (64, 32, 32, 64)[len(made) - 1]
        return write(target, w=np.ones((size, size), "f4"))

    child(do)
    said: dict[str, str] = {}
    seen: list[str] = []
    looks: list[int] = []
    broken: list[int] = []

    def measured(parent: Any, one: Any, how: Any, *_: Any) -> Measured:
        looks.append(how.looks)
        name = "int8" if one.size > 10_000 else "int8-dynamic"
        seen.append(name)
        return result(said[name])

    monkeypatch.setattr(deriving_work, "measure", measured)
    assert [each.name for each in torchao_quantize.TRANSFORM.targets] == ["int8", "int8-dynamic"]

    def climb(wanted: Wanted, **words: str) -> Any:
        made.clear()
        seen.clear()
        said.clear()
        said.update({name.replace("_", "-"): each for name, each in words.items()})
        return derive(asked("quantize", "", wanted=wanted, texts=("model/config.json",), force=True))

    found = climb(Wanted(0.02, 10**9), int8="as-good", int8_dynamic="as-good")
    assert (found.made, seen, found.body.parameters["to"]) == (True, ["int8-dynamic"], "int8-dynamic")
    assert found.body.verdict == "as-good"
    assert (looks, [each for each in found.body.notes if "5 % divided by 2" in each] != []) == ([2], True)
    found = climb(Wanted(0.02, 10**9), int8="as-good", int8_dynamic="worse")
    assert (found.made, seen, found.body.parameters["to"]) == (True, ["int8-dynamic", "int8"], "int8")
    assert found.body.budget is not None
    assert [(each.to, each.verdict) for each in found.body.budget.rungs] == [
        ("int8-dynamic", "worse"),
        ("int8", "as-good"),
    ]
    shutil.rmtree("out")
    found = climb(Wanted(0.02, 10_000), int8="as-good", int8_dynamic="unresolved")
    assert (found.made, found.body.verdict, left()) == (False, "unresolved", ["model"])
    assert [each.verdict for each in found.body.budget.rungs] == ["unresolved", "too-large"]
    found = climb(Wanted(0.02, 100))
    assert (found.made, found.body.verdict, seen) == (False, "worse", [])
    found = climb(Wanted(0.02, 0, devices()["rpi5"]), int8_dynamic="as-good")
    assert found.made
    assert found.body.budget.device.startswith("rpi5")
    # what cannot be made is told, and the others are tried
    broken.append(2)
    looks.clear()
    found = climb(Wanted(0.02, 10**9), int8="as-good")
    assert [(each.to, each.verdict) for each in found.body.budget.rungs] == [
        ("int8-dynamic", "not-made"),
        ("int8", "as-good"),
    ]
    assert (found.made, "it broke" in found.body.budget.rungs[0].why, looks) == (True, True, [1])
    assert DerivationV1.from_json(json.loads(json.dumps(found.body.to_json()))) == found.body
    found = climb(Wanted(0.02, 10**9), int8="worse")
    assert (found.made, found.body.verdict) == (False, "unresolved")
    broken.append(1)
    with pytest.raises(RefusedError, match=r"no rung can be made: int8: .*it broke; int8-dynamic: .*it broke"):
        climb(Wanted(0.02, 10**9))


def paired(value: float, low: float, high: float) -> Paired:
    return Paired(Estimate(value, low, high, 0.95, (high - low) / 4, 100, 100, "t"), 0.001, None, None, 1.0, None)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ([paired(0.0, -0.01, 0.01)], "as-good"),
        ([paired(0.1, 0.05, 0.15)], "as-good"),
        ([paired(-0.1, -0.2, -0.05)], "worse"),
        ([paired(-0.03, -0.06, -0.001)], "unresolved"),
        ([paired(0.0, -0.1, 0.1)], "unresolved"),
        ([paired(0.0, -0.01, 0.01), paired(-0.1, -0.2, -0.05)], "worse"),
        ([], "unresolved"),
    ],
)
def test_the_worst_of_what_was_held_decides(found: list[Paired], word: str) -> None:
    assert verdict_of([("task", each, 0.02) for each in found], 0.02)[0] == word
    assert verdict_of([("task", each, 0.02) for each in found], None) == ("not-asked", "")
