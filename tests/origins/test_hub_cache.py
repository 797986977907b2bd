"""A cache as clients make it, and as somebody makes it who wants to lead a reader out of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.origins.cached import FIRST, LARGE, SECOND, SMALL, blob_name, put

from openvet.errors import ReadError, SubjectError
from openvet.origins.hub_cache import CachedFile, HubCache

SECRET = b"a secret of somebody else"


def read(place: Path) -> tuple[dict[str, dict[str, list[CachedFile]]], list[tuple[str, str]]]:
    """Repository -> commit -> files; and what was not read."""
    with HubCache(str(place)) as cache:
        found = {}
        for each in cache.repositories():
            each.refs()
            found[f"{each.kind} {each.name}"] = {commit: list(each.files(commit)) for commit in each.revisions()}
        return found, [(each.place, each.why) for each in cache.unread]


def test_what_a_client_leaves(tmp_path: Path) -> None:
    put(tmp_path, refs=["main", "refs/pr/1"])
    put(tmp_path, commit=SECOND, refs=["v2"])
    put(tmp_path, "bert", kind="datasets")
    for name in ("version.txt", "CACHEDIR.TAG"):
        (tmp_path / name).write_text("1")
    found, unread = read(tmp_path)
    assert unread == []
    assert list(found) == ["dataset bert", "model org/model"]
    assert list(found["model org/model"]) == [FIRST, SECOND]
    files = found["model org/model"][FIRST]
    assert [(each.path, each.size, each.blob, each.problem) for each in files] == [
        ("config.json", 2, blob_name("", SMALL), ""),
        ("sub/model.safetensors", len(LARGE), blob_name(".safetensors", LARGE), ""),
    ]
    with HubCache(str(tmp_path)) as cache:
        all_of = cache.repositories()  # each is open until the next is asked for
        repository = next(each for each in all_of if each.kind == "model")
        assert repository.refs() == {FIRST: ["main", "refs/pr/1"], SECOND: ["v2"]}
        assert sorted(each.size for each in repository.blobs()) == [2, len(LARGE)]
        blob = tmp_path / repository.folder / "blobs" / files[1].blob
        os.utime(blob, ns=(10**9, 10**9))
        with repository.open_blob(files[1].blob) as source:
            assert source.read(0, source.size) == LARGE
        assert blob.stat().st_atime_ns == 10**9, "hashing a file is no use of it"


def test_where_links_cannot_be_made_and_where_blobs_are_shared(tmp_path: Path) -> None:
    repository = put(tmp_path)
    copy = repository / "snapshots" / FIRST / "config.json"
    copy.unlink()
    copy.write_bytes(SMALL)
    blob = repository / "blobs" / blob_name(".safetensors", LARGE)
    shared = "ab" + "0" * 62
    store = tmp_path / "blobs" / "ab"
    store.mkdir(parents=True)
    (tmp_path / "blobs" / ".huggingface-shared-blobs").write_text("1\n")
    blob.rename(store / shared)
    blob.symlink_to(f"../../blobs/ab/{shared}")
    found, unread = read(tmp_path)
    assert unread == []
    files = found["model org/model"][FIRST]
    assert [(each.size, bool(each.blob), each.problem) for each in files] == [(2, False, ""), (len(LARGE), True, "")]
    with HubCache(str(tmp_path)) as cache:
        all_of = cache.repositories()  # each is open until the next is asked for
        each = next(all_of)
        assert each.blob(blob.name).shared
        with each.open_blob(blob.name) as source:
            assert source.size == len(LARGE)


def link(target: str, path: str = f"snapshots/{FIRST}/evil") -> Callable[[Path], None]:
    return lambda repository: (repository / path).symlink_to(target.replace("OUT", str(repository.parent.parent)))


GOOD = blob_name("", SMALL)
#: How somebody changes a good cache -> what is said of the file ``evil``.
WAYS_OUT = {
    "absolute": (link("OUT/secret"), "no blob of this repository"),
    "relative": (link("../../../../secret"), "no blob of this repository"),
    "through blobs": (link("../../blobs/../../../secret"), "no blob of this repository"),
    "a folder": (link("../../blobs/.."), "no blob of this repository"),
    "not as a client spells it": (link(f"../../blobs/./{GOOD}"), "no blob of this repository"),
    "another repository": (link(f"../../../models--org--other/blobs/{GOOD}"), "no blob of this repository"),
    "itself": (link("evil"), "no blob of this repository"),
    "nothing": (link("../../blobs/none"), "its blob is missing"),
    "a newline": (link("../../blobs/a\nb"), "its blob is missing"),
}


@pytest.mark.parametrize("way", WAYS_OUT)
def test_links_that_lead_out(way: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    repository = put(tmp_path / "cache")
    put(tmp_path / "cache", "org/other")
    change, said = WAYS_OUT[way]
    change(repository)
    found, _ = read(tmp_path / "cache")
    (evil,) = [each for each in found["model org/model"][FIRST] if each.path == "evil"]
    assert (said in evil.problem, evil.blob if not said.startswith("its") else "", evil.size) == (True, "", 0)


@pytest.mark.parametrize(
    "target", ["OUT/secret", "../../../secret", "../../blobs/ab/" + "ab" + "0" * 62, "LOOP", "../../blobs/cd/" + "ab" + "0" * 62]
)  # fmt: skip
def test_blobs_that_lead_out_are_not_opened(target: str, tmp_path: Path) -> None:
    """The folder of shared blobs is a link itself, out of the cache."""
    (tmp_path / "outside" / "ab").mkdir(parents=True)
    for place in (tmp_path / "secret", tmp_path / "outside" / "ab" / ("ab" + "0" * 62)):
        place.write_bytes(SECRET)
    repository = put(tmp_path / "cache")
    (tmp_path / "cache" / "blobs").symlink_to(tmp_path / "outside")
    blob = repository / "blobs" / GOOD
    blob.unlink()
    blob.symlink_to(GOOD if target == "LOOP" else target.replace("OUT", str(tmp_path)))
    found, unread = read(tmp_path / "cache")
    assert found["model org/model"][FIRST][0].problem
    assert [place for place, _ in unread] == ["blobs"]
    with HubCache(str(tmp_path / "cache")) as cache:
        for each in cache.repositories():
            with pytest.raises(ReadError):
                each.open_blob(GOOD)


def swap(name: str) -> Callable[[Path], None]:
    """A folder of the repository moved out of the cache, and a link to it in its place."""

    def change(repository: Path) -> None:
        place = repository / name if name else repository
        out = repository.parent.parent / "elsewhere"
        place.rename(out)
        place.symlink_to(out)

    return change


@pytest.mark.parametrize("name", ["", "snapshots", f"snapshots/{FIRST}", "refs", "blobs", f"snapshots/{FIRST}/sub"])
def test_folders_that_are_links_are_not_read(name: str, tmp_path: Path) -> None:
    repository = put(tmp_path / "cache")
    swap(name)(repository)
    found, unread = read(tmp_path / "cache")
    files = [each for commits in found.values() for part in commits.values() for each in part]
    assert unread or any(each.problem for each in files)
    assert name == "refs" or not any(each.size == len(LARGE) for each in files)


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    repository = put(tmp_path)
    for place in (f"snapshots/{FIRST}/pipe", "refs/pipe", "blobs/" + "0" * 64, "snapshots/pipe"):
        os.mkfifo(repository / place)
    (repository / "snapshots" / FIRST / "to-pipe").symlink_to("../../blobs/" + "0" * 64)
    found, unread = read(tmp_path)
    problems = {each.path: each.problem for each in found["model org/model"][FIRST] if each.problem}
    assert problems == {"pipe": "is neither a file nor a link", "to-pipe": "its blob is no regular file"}
    with HubCache(str(tmp_path)) as cache:
        all_of = cache.repositories()  # each is open until the next is asked for
        each = next(all_of)
        assert each.refs() == {FIRST: ["main"]}
        with pytest.raises(ReadError):
            each.open_blob("0" * 64)
    assert [place for place, _ in unread] == ["models--org--model/refs/pipe", "models--org--model/snapshots/pipe"]


@pytest.mark.parametrize(
    "name",
    [
        "models", "models--", "models--a--b--c", "models--..", "models--a--..", "models---x", "spaces--a--b", "org__name", "0" * 64 + "." + "1" * 64,
        "models--a\nb", "models--\x1b[2J", "models--caf\u00e9", "blobs", ".openvet-evicted-x",
    ],
)  # fmt: skip
def test_names_that_are_no_repositories(name: str, tmp_path: Path) -> None:
    put(tmp_path)
    (tmp_path / name).mkdir()
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/models--\xff\xfe"))).mkdir()
    found, unread = read(tmp_path)
    assert list(found) == ["model org/model"]
    assert len(unread) == 2
    assert all(place.isprintable() and why for place, why in unread)


def test_what_is_very_deep_very_much_or_not_there(tmp_path: Path) -> None:
    repository = put(tmp_path)
    deep = repository / "snapshots" / FIRST / "/".join(["d"] * 80)
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(SECRET)
    for at in range(1100):
        (tmp_path / f"odd{at}").mkdir()
    (repository / "refs" / "long").write_text("c" * 5000)
    (repository / "refs" / "odd").write_bytes(b"\xff\x00" + b"c" * 40)
    (tmp_path / "models--empty").mkdir()
    found, unread = read(tmp_path)
    deepest = [each for each in found["model org/model"][FIRST] if each.path.startswith("d/")]
    assert [each.problem for each in deepest] == ["cannot be listed, or is nested too deeply"]
    assert (len(unread), unread[-1][0]) == (1001, "...")
    assert found["model empty"] == {}
    for place in (tmp_path / "none", tmp_path / "odd0" / "x", repository / "refs" / "main"):
        with pytest.raises(SubjectError, match="--cache"):
            HubCache(str(place))


# --- whatever lies there ---

NAMES = st.sampled_from(["blobs", "snapshots", "refs", FIRST, "main", "x", "a\nb", "\x1b]0;x", GOOD, "models--a", "models--a--b", "datasets--a", ".locks"])  # fmt: skip
TARGETS = st.lists(st.sampled_from(["..", "blobs", GOOD, "secret", "x", ".", "", FIRST, "snapshots", "/"]), max_size=6).map("/".join)  # fmt: skip
ITEMS = st.lists(
    st.tuples(st.lists(NAMES, min_size=1, max_size=5), st.sampled_from(["folder", "file", "link", "pipe"]), TARGETS), max_size=14
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(items=ITEMS)
def test_whatever_lies_there_nothing_outside_is_read(items: list[tuple[list[str], str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "deep" / "cache"
        place.mkdir(parents=True)
        for at in (Path(folder), place.parent):
            (at / "secret").write_bytes(SECRET)
        for parts, kind, target in items:
            at = place.joinpath(*parts)
            try:
                at.parent.mkdir(parents=True, exist_ok=True)
                if kind == "folder":
                    at.mkdir()
                elif kind == "file":
                    with at.open("xb") as file:  # what was a pipe stays one
                        file.write(SMALL)
                elif kind == "link":
                    at.symlink_to(target)
                else:
                    os.mkfifo(at)
            except OSError:
                continue
        real = os.path.realpath(place)
        with HubCache(str(place)) as cache:
            for repository in cache.repositories():
                for refs in repository.refs().values():
                    assert all(each.isprintable() for each in refs)
                for commit in repository.revisions():
                    for each in repository.files(commit):
                        lies = place / repository.folder / "snapshots" / commit / each.path
                        assert each.problem or os.path.realpath(lies).startswith(real + os.sep)
                for blob in repository.blobs():
                    try:
                        with repository.open_blob(blob.name) as source:
                            assert SECRET not in source.read(0, source.size)
                    except ReadError:
                        pass
            assert all(each.place.isprintable() for each in cache.unread)
