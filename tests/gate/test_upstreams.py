"""Where repositories come from: folders, hubs that lie about their listings, and which of several."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from openvet.errors import UsageError
from openvet.gate.answers import Refusal, Repository
from openvet.gate.folder_upstream import FolderUpstream
from openvet.gate.upstreams import HubUpstream, UpstreamError, Upstreams, about_for_clients
from openvet.testing.hub import Fault, Hub, git_blob
from tests.gate.conftest import HF, MODEL, Opening, get
from tests.gate.samples import model
from tests.gate.test_gate import refused


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def why(
    upstream: FolderUpstream | HubUpstream, repository: Repository = MODEL, revision: str = "main"
) -> tuple[Refusal, str]:
    with pytest.raises(UpstreamError) as caught:
        upstream.find(repository, revision)
    return caught.value.why, str(caught.value)


def test_a_folder_is_served_as_a_hub_is(opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.gate.folder_upstream._LFS", 100_000)
    files = model(200_000)
    put(tmp_path / "models" / "org" / "model", files)
    put(tmp_path / "models" / "gpt2", model(seed=1))
    put(tmp_path / "models" / "datasets" / "org" / "set", {"a.csv": b"a,b\n1,2\n", "README.md": files["README.md"]})
    upstream = FolderUpstream(str(tmp_path / "models"))
    found = upstream.find(MODEL, "main")
    with Hub(files, large=100_000) as hub:
        there = HubUpstream(hub.url).find(MODEL, "main")
        assert found.files == there.files, "listed as a hub lists the same files"
    assert {each.path: each.oid for each in found.files if not each.lfs} == {
        name: git_blob(data) for name, data in files.items() if len(data) < 100_000
    }
    gate = opening(upstream)
    for name, data in files.items():
        assert Path(get(gate, name).path).read_bytes() == data
        assert get(gate, name, found.commit).sha256 == hashlib.sha256(data).hexdigest()
    get(gate, "config.json", repository=Repository("model", "gpt2"))
    get(gate, "a.csv", repository=Repository("dataset", "org/set"))
    assert refused(lambda: gate.listed(Repository("model", "org/set"), "main", HF)).why is Refusal.NO_REPOSITORY
    assert refused(lambda: gate.listed(MODEL, "v1", HF)).why is Refusal.NO_REVISION


def test_a_folder_that_changes_is_another_commit(opening: Opening, tmp_path: Path) -> None:
    put(tmp_path / "models" / "org" / "model", model())
    upstream = FolderUpstream(str(tmp_path / "models"))
    gate = opening(upstream, fresh=0)
    first = get(gate, "config.json")
    assert upstream.find(MODEL, "main").commit == first.commit
    put(tmp_path / "models" / "org" / "model", {"config.json": b'{"model_type": "gpt2", "hidden_size": 4}'})
    second = get(gate, "config.json")
    assert second.commit != first.commit
    assert get(gate, "config.json", first.commit).sha256 == first.sha256, "what is in the store stays"


def cache_of(hub: Hub, files: dict[str, bytes], folder: Path, repository: str = "models--org--model") -> Path:
    """What a client leaves in its cache."""
    there = HubUpstream(hub.url).find(MODEL, "main")
    root = folder / repository
    put(root, {"refs/main": there.commit.encode(), "refs/refs/pr/1": there.commit.encode()})
    for each in there.files:
        put(root, {f"blobs/{each.etag}": files[each.path]})
        link = root / "snapshots" / there.commit / each.path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(root / "blobs" / each.etag, link.parent))
    return root


def test_a_cache_that_was_carried_here_is_served_by_its_own_commits(opening: Opening, tmp_path: Path) -> None:
    files = {**model(200_000), "sub/notes.txt": b"hello"}
    with Hub(files, large=100_000) as hub:
        cache_of(hub, files, tmp_path)
        there = HubUpstream(hub.url).find(MODEL, "main")
    upstream = FolderUpstream(str(tmp_path))
    for revision in ("main", "refs/pr/1", there.commit):
        found = upstream.find(MODEL, revision)
        assert (found.commit, found.files) == (there.commit, there.files), "as the hub lists it"
    gate = opening(upstream)
    for name, data in files.items():
        assert Path(get(gate, name, there.commit).path).read_bytes() == data
    for revision in ("v1", "../main", "0" * 40, "", "/"):
        assert why(upstream, revision=revision)[0] is Refusal.NO_REVISION
    for name in ("org/other", "models--org--model", "org--model/x", "org--model"):
        assert why(upstream, Repository("model", name))[0] is Refusal.NO_REPOSITORY
    assert why(upstream, Repository("dataset", "org/model"))[0] is Refusal.NO_REPOSITORY


def test_a_cache_that_is_damaged_is_served_by_nobody(tmp_path: Path) -> None:
    files = model(200_000)
    with Hub(files, large=100_000) as hub:
        root = cache_of(hub, files, tmp_path)
        found = FolderUpstream(str(tmp_path)).find(MODEL, "main")
    for each in found.files:
        blob = root / "blobs" / each.etag
        data = blob.read_bytes()
        blob.write_bytes(data[:-1] + b"?")
        assert "is not what its blob is called" in why(FolderUpstream(str(tmp_path)))[1]
        blob.write_bytes(data)
    link = root / "snapshots" / found.commit / "passwd"
    link.symlink_to("/etc/passwd")
    assert why(FolderUpstream(str(tmp_path)))[0] is Refusal.UPSTREAM
    link.unlink()
    upstream = FolderUpstream(str(tmp_path))
    listed = upstream.find(MODEL, "main")
    (root / "snapshots" / found.commit / "config.json").unlink()
    with pytest.raises(UpstreamError, match="has changed since"):
        upstream.open(listed)


@pytest.mark.parametrize("kind", ["link", "fifo", "empty"])
def test_what_no_folder_of_a_model_holds(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "models" / "org" / "model"
    folder.mkdir(parents=True)
    if kind == "link":
        (folder / "passwd").symlink_to("/etc/passwd")
    elif kind == "fifo":
        os.mkfifo(folder / "pipe")
    found = why(FolderUpstream(str(tmp_path / "models")))
    assert found[0] is (Refusal.NO_REPOSITORY if kind == "empty" else Refusal.UPSTREAM)


def test_names_that_are_no_upstreams(tmp_path: Path) -> None:
    for make in (
        lambda: HubUpstream("ftp://x"),
        lambda: HubUpstream("huggingface.co"),
        lambda: FolderUpstream(str(tmp_path / "no")),
        lambda: Upstreams([]),
        lambda: Upstreams([HubUpstream("https://a"), HubUpstream("https://a/")]),
    ):
        with pytest.raises(UsageError):
            make()


def test_a_listing_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.gate.upstreams.MOST_FILES", 10)
    with Hub({str(number): b"x" for number in range(50)}) as hub:
        assert "more than 10 files" in why(HubUpstream(hub.url))[1]
        assert len(hub.asked) < 8, "it is not read to its end"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("status", "/revision/", 403, headers={"X-Error-Code": "GatedRepo"}), Refusal.NOT_APPROVED),
        (Fault("status", "/revision/", 401), Refusal.NO_REPOSITORY),
        (Fault("status", "/revision/", 404), Refusal.NO_REPOSITORY),
        (Fault("status", "/revision/", 404, headers={"X-Error-Code": "RevisionNotFound"}), Refusal.NO_REVISION),
        (Fault("status", "/revision/", 429), Refusal.UPSTREAM),
        (Fault("status", "/tree/", 500), Refusal.UPSTREAM),
        (Fault("redirect", "/revision/", text="file:///etc/passwd"), Refusal.UPSTREAM),
        (Fault("redirect", "/tree/", text="ftp://x/y"), Refusal.UPSTREAM),
    ],
    ids=lambda each: f"{each.kind}-{each.value}" if isinstance(each, Fault) else str(each),
)
def test_what_a_hub_refuses(fault: Fault, expected: Refusal) -> None:
    with Hub(model()) as hub:
        hub.faults.append(fault)
        assert why(HubUpstream(hub.url, sleep=lambda _: None))[0] is expected


def test_another_commit_than_was_asked_for_is_a_lie() -> None:
    with Hub(model()) as hub:
        hub.revisions["a" * 40] = hub.commit
        assert why(HubUpstream(hub.url), revision="a" * 40)[0] is Refusal.UPSTREAM


def test_the_token_goes_to_the_hub_alone(opening: Opening) -> None:
    with Hub(model(5000), token="hf_secret") as hub:
        gate = opening(HubUpstream(hub.url, "hf_secret"))
        get(gate, "model.safetensors")
        assert {each.headers.get("authorization") for each in hub.asked} == {"Bearer hf_secret"}
        assert [each for each in hub.store.asked if "authorization" in each.headers] == []
        assert hub.store.asked


def test_what_a_hub_says_of_a_model_is_bounded() -> None:
    said = {
        "tags": ["a\x1b[31m", "b"],
        "likes": True,
        "downloads": 3,
        "pipeline_tag": "x" * 300,
        "createdAt": 5,
        "lastModified": "2026",
        "evil": 1,
    }
    assert about_for_clients(said) == {"tags": ["a\\x1b[31m", "b"], "downloads": 3, "lastModified": "2026"}
    assert about_for_clients({"tags": ["x" * 1000] * 900})["tags"] == []
