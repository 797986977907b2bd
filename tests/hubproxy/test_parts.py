"""The small parts: paths that are taken apart, ranges, refusals as headers can carry them."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import UsageError
from openvet.gate.answers import Asking, Refusal, RefusedError, Repository
from openvet.hubproxy.hub import listing
from openvet.hubproxy.hub.ranges import MOST, UnsatisfiableError, read_ranges
from openvet.hubproxy.hub.refusal import FORMS, line, refusal_answer
from openvet.hubproxy.hub.target import BadTargetError, Target, read_target
from tests.hubproxy.shelf import Shelf

# --- targets ---

GOOD = {
    "/api/models": Target("list", "model"),
    "/api/datasets": Target("list", "dataset"),
    "/api/models/gpt2": Target("info", "model", "gpt2"),
    "/api/models/org/name": Target("info", "model", "org/name"),
    "/api/models/org/name/revision/refs%2Fpr%2F1": Target("info", "model", "org/name", "refs/pr/1"),
    "/api/models/gpt2/revision/main": Target("info", "model", "gpt2"),
    "/api/datasets/org/name/tree/v1": Target("tree", "dataset", "org/name", "v1"),
    "/api/models/org/name/tree/main/": Target("tree", "model", "org/name"),
    "/api/models/gpt2/tree/main/a%2Fb": Target("tree", "model", "gpt2", "main", "a/b"),
    "/api/models/gpt2/tree/main/a/b": Target("tree", "model", "gpt2", "main", "a/b"),
    "/api/models/org/name/paths-info/main": Target("paths-info", "model", "org/name"),
    "/api/models/gpt2/refs": Target("refs", "model", "gpt2"),
    "/api/models/org/name/auth-check": Target("auth-check", "model", "org/name"),
    "/api/models/org/name/commits/main": Target("commits", "model", "org/name"),
    "/gpt2/resolve/main/config.json": Target("file", "model", "gpt2", "main", "config.json"),
    "/org/name/resolve/refs%2Fpr%2F1/a/b.bin": Target("file", "model", "org/name", "refs/pr/1", "a/b.bin"),
    "/org/resolve/main/resolve/x": Target("file", "model", "org", "main", "resolve/x"),
    "/datasets/org/name/resolve/main/x.csv": Target("file", "dataset", "org/name", "main", "x.csv"),
    "/datasets/squad/resolve/main/x.csv": Target("file", "dataset", "squad", "main", "x.csv"),
    "/api/models/org/name/resolve/main/x": Target("file", "model", "org/name", "main", "x"),
    "/org/name/resolve/main/%C3%A9%20%23.bin": Target("file", "model", "org/name", "main", "é #.bin"),
    "/org/name/resolve/main/..a/b..": Target("file", "model", "org/name", "main", "..a/b.."),
}


@pytest.mark.parametrize("path", GOOD)
def test_what_clients_ask(path: str) -> None:
    assert read_target(path.encode()) == GOOD[path]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/org", "/org/name", "/api", "/api/", "/api/spaces", "/api/spaces/a/b", "/api/models/a/b/xet-read-token/main"),
        *("/org/name/blob/main/x", "/org/name/raw/main/x", "/a/b/c/resolve/main/x", "/api/models/a/b/likers", "/spaces/a/b/resolve/main/x"),
    ],
)  # fmt: skip
def test_what_a_hub_has_and_we_have_not(path: str) -> None:
    assert read_target(path.encode()).what == ""


@pytest.mark.parametrize(
    "tail",
    [
        *("..", "../x", "a/../b", "%2e%2e/x", "%2E%2E%2Fx", "a/%2e/b", "a//b", "a/", "/etc/passwd", "%2Fetc%2Fpasswd", "a%2F..%2Fb"),
        *("a%00b", "%0d%0aX-Evil:1", "a%5cb", "a\\b", "%zz", "%", "%f", "%ff%fe", "a%7fb", "a%1bb", "x" * 5000, "%252e%252e/%00"),
    ],
)  # fmt: skip
def test_paths_that_leave_the_repository_or_hide_something(tail: str) -> None:
    for path in (
        f"/org/name/resolve/main/{tail}",
        f"/api/models/org/name/tree/main/{tail}" if tail != "a/" else "/a/resolve/x",
    ):
        with pytest.raises(BadTargetError):
            read_target(path.encode())


@pytest.mark.parametrize("revision", ["..", "%2e%2e", "a%2F..%2Fb", "", ".", "a%00", "x" * 300, "%2F", "a%2F"])
def test_revisions_that_are_none(revision: str) -> None:
    with pytest.raises(BadTargetError):
        read_target(f"/org/name/resolve/{revision}/x".encode())


@pytest.mark.parametrize("name", ["..", "%2e%2e", "a%20b", "-a", ".hidden", "a..b", "a--b", "%2e", "a.git", "é"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(UsageError):
        _ = read_target(f"/api/models/org/{quote(name, safe='%')}".encode()).repository


@given(st.binary(max_size=60))
def test_any_path_is_read_or_refused(raw: bytes) -> None:
    try:
        found = read_target(b"/org/name/resolve/main/" + raw)
    except BadTargetError:
        return
    assert found.what == "file"
    assert not {"", ".", ".."} & set(found.path.split("/"))
    assert found.path.isprintable() or not set(found.path) & {chr(code) for code in range(32)}


# --- ranges ---


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=5-", [(5, 100)]),
        ("bytes=-7", [(93, 100)]),
        ("bytes=-700", [(0, 100)]),
        ("bytes=0-999999999999999999", [(0, 100)]),
        ("Bytes = 1-2 ,\t4-5", [(1, 3), (4, 6)]),
        ("bytes=4-5,1-2", [(1, 3), (4, 6)]),
        ("bytes=0-9,5-20", [(0, 21)]),
        ("bytes=0-9,10-20", [(0, 21)]),
        ("bytes=0-0,200-300", [(0, 1)]),
        ("lines=1-2", None),
    ],
)
def test_ranges(header: str, found: list[tuple[int, int]] | None) -> None:
    assert read_ranges(header, 100) == found


@pytest.mark.parametrize(
    "header",
    [
        *("bytes=100-", "bytes=100-200", "bytes=-0", "bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes", ""),
        *("bytes=1-2-3", "bytes=0x1-2", "bytes=+1-2", "bytes=1-2,", "bytes=,", "bytes=٣-٤", "bytes=" + "9" * 40 + "-"),
        "bytes=" + ",".join(f"{each}-{each}" for each in range(0, 100, 2)),
    ],
)  # fmt: skip
def test_absurd_ranges(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        read_ranges(header, 100)


def test_a_file_of_no_bytes_has_no_range() -> None:
    with pytest.raises(UnsatisfiableError):
        read_ranges("bytes=0-", 0)


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), min_size=1, max_size=MOST), st.integers(1, 100))
def test_ranges_are_what_was_asked_for_and_nothing_twice(wanted: list[tuple[int, int]], size: int) -> None:
    wanted = [(min(each), max(each)) for each in wanted]
    want = {at for first, last in wanted for at in range(first, last + 1) if at < size}
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in wanted)
    try:
        found = read_ranges(header, size)
    except UnsatisfiableError:
        assert not want
        return
    assert found is not None
    listed = [at for start, stop in found for at in range(start, stop)]
    assert listed == sorted(want)


# --- refusals ---


def test_every_refusal_has_a_form() -> None:
    assert set(FORMS) == set(Refusal)
    assert (FORMS[Refusal.NOT_APPROVED].status, FORMS[Refusal.NOT_APPROVED].code) == (403, "GatedRepo")
    assert (FORMS[Refusal.REVOKED].status, FORMS[Refusal.REVOKED].code) == (404, "RevisionNotFound")


@given(st.text(max_size=200))
def test_a_reason_is_one_line_of_ascii_whatever_it_says(text: str) -> None:
    shown = line(text)
    assert shown.isascii()
    assert shown.isprintable() or shown == ""
    assert shown == shown.strip()


@pytest.mark.parametrize(
    "evil",
    ["a\r\nSet-Cookie: x=1", "a\nb", "\x00\x1b[31m", "\u2028X-Evil: 1", "\u202egnp", "é" * 3000, "a\x85b", "\udc80"],
)
def test_nothing_that_a_model_is_called_becomes_a_header(evil: str) -> None:
    status, headers, body = refusal_answer(
        RefusedError(Refusal.NOT_APPROVED, evil, commit=evil, link="/x"), "http://gate"
    )
    assert status == 403
    for name, value in headers:
        assert name == name.lower()
        assert all(32 <= each < 127 for each in value), (name, value)
    told = dict(headers)
    assert b"set-cookie" not in told
    assert json.loads(body)["error"].encode() == told[b"x-error-message"]
    assert len(told[b"x-error-message"]) <= 1000


# --- listings ---


def test_a_tree_is_told_as_the_hub_tells_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("org/m", {"a.txt": b"1", "sub/b.txt": b"2", "sub/deep/c.bin": b"3" * 5000})
    listed = shelf.listed(Repository("model", "org/m"), "main", Asking())
    flat = listing.tree(listed, "", recursive=False)
    assert flat is not None
    assert [(each["type"], each["path"]) for each in flat] == [("file", "a.txt"), ("directory", "sub")]
    whole = listing.tree(listed, "", recursive=True)
    assert whole is not None
    assert [each["path"] for each in whole] == ["a.txt", "sub", "sub/b.txt", "sub/deep", "sub/deep/c.bin"]
    assert set(whole[-1]) == {"type", "oid", "size", "path", "lfs"}
    assert set(whole[-1]["lfs"]) == {"oid", "size", "pointerSize"}
    assert [each["path"] for each in listing.tree(listed, "sub", recursive=False) or []] == ["sub/b.txt", "sub/deep"]
    assert listing.tree(listed, "su", recursive=False) is None
    assert listing.tree(listed, "a.txt", recursive=False) is None
    assert [each["type"] for each in listing.paths_info(listed, ["a.txt", "sub", "", "none", "a.txt"])] == [
        "file",
        "directory",
    ]
    assert "xet" not in json.dumps([whole, listing.info(listed, blobs=True)]).lower()


def test_a_folder_has_the_id_that_git_gives_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("org/m", {"sub/b.txt": b"2\n", "sub/deep/c.txt": b"3\n", "sub.txt": b"x"})
    listed = shelf.listed(Repository("model", "org/m"), "main", Asking())
    ids = {
        each["path"]: each["oid"]
        for each in listing.tree(listed, "", recursive=True) or []
        if each["type"] == "directory"
    }
    # as git says it: git add, git write-tree, git ls-tree -d -r
    assert ids == {
        "sub": "14e6f70f54df4d353d27c0f455f77d5f65f510c7",
        "sub/deep": "263feb025a753b9dabc7d69bfef7da7228388952",
    }
