"""The gate: what is served was hashed, read and decided; what is refused says why; what the upstream does changes nothing of that."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from openvet.errors import UsageError
from openvet.gate import vetting
from openvet.gate.answers import Asking, Listed, Ready, Refusal, RefusedError, Repository, Waiting
from openvet.gate.gate import OpenGate
from openvet.io.ranges import SMALL
from openvet.io.source import FileSource
from openvet.store.tables import JOB
from openvet.store.vettings import note_progress, start_vetting
from openvet.testing.hub import Fault, Hub
from tests.gate.conftest import HF, MODEL, Opening, get
from tests.gate.samples import CARD, CONFIG, HOSTILE, HandClock, model, tensors

NOBODY = Asking()


def refused(ask: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        ask()
    assert caught.value.reason.isascii()
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) <= 400
    return caught.value


def test_a_harmless_model_is_served_byte_for_byte(opening: Opening) -> None:
    files = model(SMALL + 100_000)
    with Hub(files) as hub:
        gate = opening(hub)
        listed = gate.listed(MODEL, "main", HF)
        assert (listed.commit, listed.repository) == (hub.commit, MODEL)
        assert [(each.path, each.size) for each in listed.files] == [(name, len(files[name])) for name in sorted(files)]
        for name, data in files.items():
            ready = get(gate, name)
            assert Path(ready.path).read_bytes() == data
            assert (ready.sha256, ready.commit) == (hashlib.sha256(data).hexdigest(), hub.commit)
            assert ready.file == next(each for each in listed.files if each.path == name)
        assert (
            next(each for each in listed.files if each.path == "model.safetensors").etag
            == hub.digests["model.safetensors"]
        )
        asked = len(hub.asked) + len(hub.store.asked)
        gate.file(MODEL, "main", "config.json", HF)
        gate.file(MODEL, hub.commit, "config.json", HF)
        assert len(hub.asked) + len(hub.store.asked) == asked, "what is here is not asked for again"
        gate.pulled(get(gate, "config.json"), HF, 10)


def test_a_hostile_model_is_refused_and_says_why(opening: Opening) -> None:
    with Hub({"README.md": CARD, "config.json": CONFIG, "pytorch_model.bin": HOSTILE}) as hub:
        gate = opening(hub)
        said = refused(lambda: get(gate, "pytorch_model.bin"))
        assert (said.why, said.commit) == (Refusal.NOT_APPROVED, hub.commit)
        assert said.reason.startswith(f"org/model@{hub.commit[:8]} is refused: ")
        assert "(pickle/runs-process in pytorch_model.bin)" in said.reason
        assert said.reason.endswith("openvet explain pickle/runs-process")
        assert refused(lambda: get(gate, "config.json")).reason == said.reason, "no file of it"
        assert refused(lambda: gate.listed(MODEL, "main", HF)).why is Refusal.NOT_APPROVED


def test_a_rejection_costs_headers_and_not_the_model(opening: Opening) -> None:
    size = 3 * SMALL
    with Hub({"README.md": CARD, "a.bin": HOSTILE, "model.safetensors": tensors(size)}) as hub:
        gate = opening(hub)
        assert refused(lambda: get(gate, "model.safetensors")).why is Refusal.NOT_APPROVED
        ranges = [each.headers["range"] for each in hub.store.asked if hub.digests["model.safetensors"] in each.path]
        assert ranges
        assert f"bytes=0-{size + 100}" not in str(ranges)
        assert sum(int(each.split("-")[1]) - int(each[6:].split("-")[0]) for each in ranges) < SMALL


def test_what_is_not_there(opening: Opening) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        assert refused(lambda: gate.listed(Repository("model", "org/other"), "main", HF)).why is Refusal.NO_REPOSITORY
        assert refused(lambda: gate.listed(Repository("dataset", "org/model"), "main", HF)).why is Refusal.NO_REPOSITORY
        assert refused(lambda: gate.listed(MODEL, "v9", HF)).why is Refusal.NO_REVISION
        assert refused(lambda: gate.listed(MODEL, "a" * 40, HF)).why is Refusal.NO_REVISION
        assert refused(lambda: gate.listed(MODEL, "../..", HF)).why is Refusal.NO_REVISION
        said = refused(lambda: gate.file(MODEL, "main", "no.bin", HF))
        assert (said.why, said.commit) == (Refusal.NO_FILE, hub.commit)
        assert isinstance(gate.file(MODEL, "v1", "config.json", HF), Waiting | Ready)


@pytest.mark.parametrize("name", ["gpt2", "datasets/org/name", "datasets/squad"])
def test_names_of_one_segment_and_data_sets(opening: Opening, name: str) -> None:
    files = {"README.md": CARD, "data.csv": b"a,b\n1,2\n"} if "datasets" in name else model()
    with Hub(files, name) as hub:
        gate = opening(hub)
        repository = Repository.parse("dataset" if "datasets" in name else "model", name.removeprefix("datasets/"))
        for path, data in files.items():
            assert Path(get(gate, path, repository=repository).path).read_bytes() == data


def test_many_who_ask_for_one_cold_file_cause_one_fetch(opening: Opening) -> None:
    files = model(SMALL + 50_000)
    with Hub(files) as hub:
        gate = opening(hub, workers=2)
        found: list[Ready] = []
        threads = [threading.Thread(target=lambda: found.append(get(gate, "model.safetensors"))) for _ in range(16)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(found) == 16
        assert len(set(found)) == 1
        size = len(files["model.safetensors"])
        whole = [each for each in hub.store.asked if each.headers.get("range") == f"bytes=0-{size - 1}"]
        assert len(whole) == 1
        assert len([each for each in hub.asked if "/revision/" in each.path]) == 1
        for name in ("README.md", "config.json"):
            assert len([each for each in hub.asked if each.path.endswith(f"/{name}")]) == 1


LIES = [
    Fault("whole", data=tensors(SMALL + 50_000, seed=9)),  # as harmless as what it lists, and as long
    Fault("whole", data=b"short"),
    Fault("flip"),
    Fault("length", value=7),
    Fault("cut", value=1000),
    Fault("wrong-range"),
    Fault("etag"),
    Fault("encode"),
]


@pytest.mark.parametrize("fault", LIES, ids=lambda each: f"{each.kind}-{len(each.data)}")
def test_an_upstream_that_lies_has_nothing_served(opening: Opening, fault: Fault, clock: HandClock) -> None:
    files = model(SMALL + 50_000)
    with Hub(files) as hub:
        hub.store.faults.append(Fault(fault.kind, "", fault.value, data=fault.data))
        gate = opening(hub)
        said = refused(lambda: get(gate, "model.safetensors"))
        # what the first pass reads wrong it refuses
        why = Refusal.NOT_APPROVED if fault.kind == "flip" else Refusal.UPSTREAM
        assert (said.why, "model.safetensors" in said.reason) == (why, True)
        for name in files:
            assert refused(lambda name=name: get(gate, name)).why is why  # type: ignore[misc]
        assert gate._blobs.size(hub.digests["model.safetensors"]) is None
        hub.store.faults.clear()
        clock.move(25 * 3600 * 1000)
        assert Path(get(gate, "model.safetensors").path).read_bytes() == files["model.safetensors"], (
            "it recovers by itself"
        )


def test_a_store_that_somebody_touches_is_not_the_fault_of_the_upstream(
    opening: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What backs up, or scans for viruses, may change the times of a file while it is vetted."""
    files = model()
    touched: list[int] = []

    class Touched(FileSource):
        def check_unchanged(self) -> None:
            if len(touched) < 2:
                os.utime(self.descriptor, (len(touched), 0))
                touched.append(self.descriptor)
            super().check_unchanged()

    monkeypatch.setattr(vetting, "FileSource", Touched)
    with Hub(files) as hub:
        gate = opening(hub)
        assert Path(get(gate, "model.safetensors").path).read_bytes() == files["model.safetensors"]
        assert len(touched) == 2
        assert gate.upstream_failures["lying"] == 0


def test_a_small_file_has_to_be_the_git_blob_that_is_listed(opening: Opening, clock: HandClock) -> None:
    with Hub(model()) as hub:
        hub.faults.append(Fault("whole", "/README.md", data=CARD.replace(b"small", b"large")))
        gate = opening(hub)
        said = refused(lambda: get(gate, "config.json"))
        assert said.why is Refusal.UPSTREAM
        assert "README.md: the git blob" in said.reason
        assert gate.upstream_failures["lying"] == 2  # once more, since a bit may be lost on the way
        assert gate.upstream_failures["listing"] == 0
        hub.faults.clear()
        clock.move(3601_000)
        get(gate, "README.md")


def test_ranges_that_are_harmless_prove_nothing_of_the_whole(opening: Opening) -> None:
    """The hub lists the digest of a hostile file, answers ranges with a harmless one, and whoever wants all of it gets the hostile one."""
    hostile = dump_of(SMALL + 200_000)
    with Hub({"README.md": CARD, "model.bin": hostile}) as hub:
        hub.store.files[hub.digests["model.bin"]] = tensors(2 * len(hostile) - len(tensors(len(hostile))))
        assert len(hub.store.files[hub.digests["model.bin"]]) == len(hostile)
        hub.store.faults.append(Fault("whole", data=hostile))
        gate = opening(hub)
        said = refused(lambda: get(gate, "model.bin"))
        assert said.why is Refusal.NOT_APPROVED
        assert "pickle/runs-process" in said.reason


def dump_of(size: int) -> bytes:
    from openvet.testing import Call, Name, dump

    return dump([b"x" * size, Call(Name("os", "system"), ("echo forged",))])


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"path": "../evil"}, "no plain path"),
        ({"path": "a/../../evil"}, "no plain path"),
        ({"path": "/etc/passwd"}, "no plain path"),
        ({"path": "a\\b"}, "no plain path"),
        ({"path": "a\r\nX-Evil: 1"}, "no plain path"),
        ({"path": "a//b"}, "no plain path"),
        ({"path": "x" * 2000}, "no plain path"),
        ({"path": "config.json"}, "twice"),
        ({"path": "config.json/x"}, "as a file and as a folder"),
        ({"size": -1}, "without a size"),
        ({"size": 2**60}, "without a size"),
        ({"size": "5"}, "without a name or a size"),
        ({"oid": "zz"}, "without a size or a digest"),
        ({"oid": None}, "without a size or a digest"),
    ],
)
def test_what_an_upstream_lists_is_bounded(opening: Opening, item: dict[str, object], said: str) -> None:
    with Hub(model()) as hub:
        made = hub._item
        hub._item = lambda name, data: {**made(name, data), **(item if name == "README.md" else {})}  # type: ignore[method-assign]
        found = refused(lambda: opening(hub).listed(MODEL, "main", HF))
        assert (found.why, said in found.reason) == (Refusal.UPSTREAM, True), found.reason


def test_an_upstream_that_is_away(opening: Opening, clock: HandClock) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        get(gate, "config.json")
        hub.faults.append(Fault("status", value=503))
        clock.move(3600_000)
        get(gate, "config.json")
        said = refused(lambda: gate.listed(Repository("model", "org/other"), "main", HF))
        assert said.why is Refusal.UPSTREAM
        assert "503" in said.reason
        assert gate.upstream_failures["listing"] >= 1


def test_the_next_upstream_is_only_asked_where_the_one_before_has_no_such_repository(opening: Opening) -> None:
    with Hub(model(), "org/a") as first, Hub(model(seed=1), "org/model") as second:
        gate = opening(first, second)
        assert gate.listed(MODEL, "main", HF).commit == second.commit
        first.faults.append(Fault("status", value=500))
        assert refused(lambda: gate.listed(MODEL, "v1", HF)).why is Refusal.UPSTREAM


def test_a_long_vetting_is_refused_after_a_wait_and_says_when(opening: Opening) -> None:
    with Hub(model()) as hub:
        gate = opening(hub, workers=0, patience=(1000, 500))
        found = gate.file(MODEL, "main", "config.json", HF)
        assert isinstance(found, Waiting)
        said = found.late
        assert said is not None
        assert said.why is Refusal.NOT_APPROVED
        assert "is being vetted, ready about " in said.reason
        assert " UTC. " in said.reason
        other = opening(hub, folder="other", workers=0, patience=(60_000, 500))
        found = other.file(MODEL, "main", "config.json", HF)
        assert isinstance(found, Waiting)
        assert found.late is None
        assert 1 <= found.seconds <= 5
        found = other.file(MODEL, "main", "config.json", NOBODY)
        assert isinstance(found, Waiting)
        assert found.late is not None
        assert found.late.why is Refusal.NOT_APPROVED


def test_a_vetting_that_is_under_way_says_by_its_own_rate_how_long_it_takes(opening: Opening) -> None:
    with Hub(model()) as hub:
        gate = opening(hub, workers=0)
        first = gate.file(MODEL, "main", "config.json", HF)
        assert isinstance(first, Waiting)
        with gate.database.writing() as connection:
            row = connection.execute(select(JOB.c.id, JOB.c.payload)).one()
            revision = json.loads(row.payload)["revision"]
            total = 1_000_000_000
            began = gate.clock() - 10_000
            vetting = start_vetting(connection, revision, row.id, "", "bytes", total, began)
            note_progress(connection, vetting, 1000)
        slow = gate.file(MODEL, "main", "config.json", HF)
        assert isinstance(slow, Waiting)
        size = sum(each.size for each in gate.listed(MODEL, "main", HF).files)
        assert slow.seconds >= first.seconds + size // 100 - 1


def test_a_store_that_is_full(opening: Opening, monkeypatch: pytest.MonkeyPatch, clock: HandClock) -> None:
    import errno

    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 4000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    with Hub(model()) as hub:
        gate = opening(hub)
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            said = refused(lambda: get(gate, "model.safetensors"))
        assert said.why is Refusal.STORAGE
        assert "no room" in said.reason
        clock.move(60_000)
        get_again(gate)


def get_again(gate: OpenGate) -> Ready:
    """As whoever asks again until it is there."""
    import time

    for _ in range(400):
        try:
            return get(gate, "model.safetensors")
        except RefusedError:
            time.sleep(0.05)
    raise AssertionError


def test_a_revision_that_is_too_large_is_fetched_as_it_is_asked_for(opening: Opening) -> None:
    """The small files at once, each large one when somebody wants it; a hostile large one does not keep the others away."""
    files = {
        "README.md": CARD, "config.json": CONFIG, "a.safetensors": tensors(SMALL + 1000), "b.safetensors": tensors(SMALL + 1000, 1),
    }  # fmt: skip
    with Hub(files) as hub:
        gate = opening(hub, whole=SMALL, small=100_000)
        assert Path(get(gate, "config.json").path).read_bytes() == CONFIG
        assert gate._blobs.size(hub.digests["a.safetensors"]) is None
        assert Path(get(gate, "a.safetensors").path).read_bytes() == files["a.safetensors"]
        assert gate._blobs.size(hub.digests["b.safetensors"]) is None
        get(gate, "b.safetensors")


def test_two_commits_with_the_same_weights_are_fetched_once(opening: Opening) -> None:
    files = model(SMALL + 1000)
    with Hub(files) as hub:
        gate = opening(hub, fresh=0)
        get(gate, "model.safetensors")
        first = hub.commit
        hub.push({**files, "notes.txt": b"new\n"})
        get(gate, "notes.txt")
        get(gate, "model.safetensors", first)
        size = len(files["model.safetensors"])
        assert len([each for each in hub.store.asked if each.headers.get("range") == f"bytes=0-{size - 1}"]) == 1
        assert len([each for each in hub.asked if each.path.endswith("/config.json")]) == 1


def test_what_was_pruned_is_fetched_again_and_has_to_be_the_same(opening: Opening, clock: HandClock) -> None:
    files = model(SMALL + 1000)
    with Hub(files) as hub:
        gate = opening(hub)
        for name in files:
            gate.pulled(get(gate, name), HF, len(files[name]))
        assert gate.prune(idle=1000).files == 0
        clock.move(3600_000)
        gate.pulled(get(gate, "config.json"), HF, 10)
        for sha256 in gate._blobs.names():
            os.utime(gate._blobs.path(sha256), (0, 0))
        assert gate.prune(idle=600_000).files == 2, "but for what was just given to somebody"
        assert Path(get(gate, "model.safetensors").path).read_bytes() == files["model.safetensors"]
        assert gate._blobs.remove(hub.digests["README.md"]) > 0
        hub.faults.append(Fault("flip", "/README.md"))
        assert refused(lambda: get(gate, "README.md")).why is Refusal.UPSTREAM


def test_main_is_the_last_commit_that_is_admitted(opening: Opening) -> None:
    with Hub(model()) as hub:
        gate = opening(hub, fresh=0, main_is_admitted=True)
        get(gate, "config.json")
        good = hub.commit
        bad = hub.push({**model(), "evil.bin": HOSTILE})
        assert gate.listed(MODEL, "main", HF).commit == good
        assert refused(lambda: get(gate, "evil.bin", bad)).why is Refusal.NOT_APPROVED
        assert get(gate, "config.json").commit == good
        gate.revoke(MODEL, good, by="Ada", reason="stolen weights")
        assert refused(lambda: gate.listed(MODEL, "main", HF)).commit == bad
        better = hub.push(model(seed=3))
        get(gate, "config.json", better)
        assert gate.listed(MODEL, "main", HF).commit == better


def test_a_new_commit_is_held_back_for_a_while(opening: Opening, clock: HandClock) -> None:
    day = 24 * 3600 * 1000
    with Hub(model()) as hub:
        gate = opening(hub, fresh=0, cooldown=3 * day)
        said = refused(lambda: gate.listed(MODEL, "main", HF))
        assert said.why is Refusal.NOT_APPROVED
        assert "ask again in about 72 h" in said.reason
        first = hub.commit
        get(gate, "config.json", first)
        clock.move(3 * day + 1000)
        assert gate.listed(MODEL, "main", HF).commit == first
        second = hub.push(model(seed=1))
        assert gate.listed(MODEL, "main", HF).commit == first
        clock.move(3 * day + 1000)
        assert gate.listed(MODEL, "main", HF).commit == second


def test_revoked_and_approved(opening: Opening, clock: HandClock) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        ready = get(gate, "config.json")
        gate.revoke(MODEL, hub.commit, by="Ada", reason="the publisher's account was taken over")
        for ask in (lambda: gate.listed(MODEL, "main", HF), lambda: gate.file(MODEL, hub.commit, "config.json", HF)):
            said = refused(ask)
            assert said.why is Refusal.REVOKED
            assert "was revoked by Ada: the publisher's account was taken over" in said.reason
        gate.approve(MODEL, hub.commit, by="Bob", reason="it is the old content", until=clock() + 1000)
        assert get(gate, "config.json") == ready
        clock.move(2000)
        assert refused(lambda: gate.file(MODEL, "main", "config.json", HF)).why is Refusal.REVOKED


def test_an_approved_model_is_fetched_and_served_whatever_the_policy_says(opening: Opening, clock: HandClock) -> None:
    files = {"README.md": CARD, "a.bin": HOSTILE, "model.safetensors": tensors(2 * SMALL)}
    with Hub(files) as hub:
        gate = opening(hub)
        assert refused(lambda: get(gate, "a.bin")).why is Refusal.NOT_APPROVED
        gate.approve(
            MODEL,
            hub.commit,
            by="Ada",
            reason="a sample for our own tests",
            until=clock() + 3600_000,
            conditions="only in the lab",
        )
        for name, data in files.items():
            assert Path(get(gate, name).path).read_bytes() == data
        clock.move(3600_001)
        assert refused(lambda: get(gate, "a.bin")).why is Refusal.NOT_APPROVED


def test_what_is_approved_for_a_project_holds_there_and_below(opening: Opening) -> None:
    with Hub({"README.md": CARD, "a.bin": HOSTILE}) as hub:
        gate = opening(hub)
        assert refused(lambda: get(gate, "a.bin")).why is Refusal.NOT_APPROVED
        gate.approve(MODEL, hub.commit, by="Ada", reason="for tests", project="/vision")
        get(gate, "a.bin", asking=replace(HF, project="/vision"))
        get(gate, "a.bin", asking=replace(HF, project="/vision/ocr"))
        for project in ("/", "/visions", "/other"):
            with pytest.raises(RefusedError, match="is refused"):
                get(gate, "a.bin", asking=replace(HF, project=project))
        gate.revoke(MODEL, hub.commit, by="Bob", reason="not in ocr", project="/vision/ocr")
        assert refused(lambda: get(gate, "a.bin", asking=replace(HF, project="/vision/ocr"))).why is Refusal.REVOKED
        get(gate, "a.bin", asking=replace(HF, project="/vision"))


def test_a_decision_has_to_make_sense(opening: Opening, clock: HandClock) -> None:
    with Hub(model()) as hub:
        gate = opening(hub)
        for wrong in ({"by": ""}, {"reason": " "}, {"until": clock() - 1}, {"project": "vision"}):
            given = {"by": "Ada", "reason": "why", **wrong}
            with pytest.raises(UsageError):
                gate.approve(MODEL, hub.commit, **given)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="40 hex"):
            gate.approve(MODEL, "main", by="Ada", reason="why")
        assert refused(lambda: gate.revoke(MODEL, "a" * 40, by="Ada", reason="why")).why is Refusal.NO_REVISION


def test_search_finds_what_is_admitted(opening: Opening) -> None:
    with (
        Hub(model(), "Org/Fine-BERT", about={"tags": ["x"], "downloads": 3}) as one,
        Hub({"a.bin": HOSTILE}, "org/bad-bert") as two,
    ):
        gate = opening(one, two)
        fine = Repository("model", "Org/Fine-BERT")
        get(gate, "config.json", repository=fine)
        refused(lambda: get(gate, "a.bin", repository=Repository("model", "org/bad-bert")))
        assert gate.admitted("model", "bert", "", 10, HF) == [
            Listed(fine, one.commit, (), {"tags": ["x"], "downloads": 3})
        ]
        assert gate.admitted("model", "bert", "Org/Fine-BERT", 10, HF) == []
        assert gate.admitted("model", "%", "", 10, HF) == []
        assert gate.admitted("dataset", "bert", "", 10, HF) == []
