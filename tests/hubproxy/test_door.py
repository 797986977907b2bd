"""The protocol over real sockets: what a client sends, and the answer, header by header."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from openvet.gate.answers import Asking, Listed, Refusal, RefusedError, Repository
from openvet.hubproxy.hub.refusal import FORMS
from openvet.hubproxy.seen import as_json, as_text
from tests.hubproxy.running import Running
from tests.hubproxy.shelf import Shelf

BIG = bytes(range(256)) * 4096
FILES = {
    "config.json": b'{"a": 1}',
    "empty.txt": b"",
    "model.safetensors": BIG,
    "sub/dir/a b é.txt": b"hello",
    "page.html": b"<script>alert(1)</script>",
}
MODEL = Repository("model", "org/model")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.put("org/model", FILES)
    made.put("gpt2", {"config.json": b"{}"}, revision="refs/pr/1")
    made.put("org/data", {"x.csv": b"a,b\n"}, kind="dataset")
    return made


@pytest.fixture
def server(shelf: Shelf) -> Iterator[Running]:
    with Running(shelf) as running:
        yield running


def commit_of(shelf: Shelf, name: str = "org/model", kind: str = "model", revision: str = "main") -> str:
    return shelf.names[Repository(kind, name), revision]


# --- the API ---


@pytest.mark.parametrize("path", ["/api/models/org/model", "/api/models/org/model/revision/main"])
def test_information(path: str, shelf: Shelf, server: Running) -> None:
    status, headers, body = server.ask("GET", path)
    value = json.loads(body)
    assert status == 200
    assert value["sha"] == headers["x-repo-commit"] == commit_of(shelf)
    assert (value["id"], value["modelId"], value["private"], value["gated"]) == ("org/model", "org/model", False, False)
    assert {each["rfilename"] for each in value["siblings"]} == set(FILES)
    assert value["tags"] == ["safetensors"]
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_information_with_blobs(server: Running) -> None:
    value = json.loads(server.ask("GET", "/api/models/org/model?blobs=true")[2])
    one = next(each for each in value["siblings"] if each["rfilename"] == "model.safetensors")
    assert one["lfs"]["sha256"] == hashlib.sha256(BIG).hexdigest()
    assert one["size"] == len(BIG)


def test_one_segment_data_sets_and_slashes_in_revisions(shelf: Shelf, server: Running) -> None:
    assert json.loads(server.ask("GET", "/api/models/gpt2/revision/refs%2Fpr%2F1")[2])["id"] == "gpt2"
    assert server.ask("GET", "/gpt2/resolve/refs%2Fpr%2F1/config.json")[2] == b"{}"
    assert server.ask("GET", "/datasets/org/data/resolve/main/x.csv")[2] == b"a,b\n"
    value = json.loads(server.ask("GET", "/api/datasets/org/data")[2])
    assert "modelId" not in value
    assert server.ask("GET", "/org/data/resolve/main/x.csv")[0] == 404


def test_a_tree_comes_in_pages_of_one_commit(shelf: Shelf, server: Running) -> None:
    status, headers, body = server.ask("GET", "/api/models/org/model/tree/main?recursive=true&expand=false&limit=2")
    seen = [each["path"] for each in json.loads(body)]
    shelf.put("org/model", {"other.txt": b"another commit"})
    while "link" in headers:
        url = urlsplit(headers["link"].partition("<")[2].partition(">")[0])
        assert f"{url.scheme}://{url.netloc}" == server.url
        status, headers, body = server.ask("GET", f"{url.path}?{url.query}")
        assert status == 200
        assert len(json.loads(body)) <= 2
        seen += [each["path"] for each in json.loads(body)]
    assert seen == sorted([*FILES, "sub", "sub/dir"])


def test_a_folder_and_none(server: Running) -> None:
    found = json.loads(server.ask("GET", "/api/models/org/model/tree/main/sub%2Fdir")[2])
    assert [each["path"] for each in found] == ["sub/dir/a b é.txt"]
    status, headers, _ = server.ask("GET", "/api/models/org/model/tree/main/nothing")
    assert (status, headers["x-error-code"]) == (404, "EntryNotFound")


def test_paths_as_a_form_and_as_json(server: Running) -> None:
    form = urlencode([("paths", "config.json"), ("paths", "sub"), ("paths", "none"), ("expand", "False")])
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    first = server.ask("POST", "/api/models/org/model/paths-info/main", kind, form)
    value = json.dumps({"paths": ["config.json", "sub", "none"], "expand": False})
    second = server.ask("POST", "/api/models/org/model/paths-info/main", {"Content-Type": "application/json"}, value)
    assert first[0] == second[0] == 200
    assert first[2] == second[2]
    assert [each["path"] for each in json.loads(first[2])] == ["config.json", "sub"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"paths": [1]}'),
        ("application/json", b"[]"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"paths"),
        ("application/x-www-form-urlencoded", b"&".join([b"paths=x"] * 20_000)),
        ("application/json", b" " * (2 << 20)),
    ],
    ids=["cut", "deep", "numbers", "list", "bytes", "no-value", "many", "large"],
)
def test_bodies_that_make_no_sense(kind: str, body: bytes, server: Running) -> None:
    status, headers, _ = server.ask("POST", "/api/models/org/model/paths-info/main", {"Content-Type": kind}, body)
    assert status == 400
    assert "x-error-message" in headers


def test_lists_of_repositories(shelf: Shelf, server: Running) -> None:
    for at in range(5):
        shelf.put(f"team/m{at}", {"x": b"x"})
    shelf.refused[Repository("model", "team/m3")] = RefusedError(Refusal.NOT_APPROVED, "no")
    _, headers, body = server.ask("GET", "/api/models?search=TEAM&limit=3")
    names = [each["id"] for each in json.loads(body)]
    url = urlsplit(headers["link"].partition("<")[2].partition(">")[0])
    names += [each["id"] for each in json.loads(server.ask("GET", f"{url.path}?{url.query}")[2])]
    assert names == ["team/m0", "team/m1", "team/m2", "team/m4"]
    assert [each["id"] for each in json.loads(server.ask("GET", "/api/datasets")[2])] == ["org/data"]


def test_the_small_routes(shelf: Shelf, server: Running) -> None:
    assert json.loads(server.ask("GET", "/api/agent-harnesses")[2]) == {"standardEnvVars": [], "harnesses": {}}
    refs = json.loads(server.ask("GET", "/api/models/org/model/refs")[2])
    assert refs["branches"] == [{"name": "main", "ref": "refs/heads/main", "targetCommit": commit_of(shelf)}]
    assert {"converts", "tags", "pullRequests"} < set(refs)
    assert server.ask("GET", "/api/models/org/model/auth-check")[0] == 200
    assert server.ask("GET", "/api/whoami-v2", {"Authorization": "Bearer hf_secret"})[0] == 401
    assert server.url in server.ask("GET", "/")[2].decode()
    status, headers, _ = server.ask("GET", "/api/models/org/model/commits/main")
    assert (status, headers["x-error-code"]) == (404, "EntryNotFound")


@pytest.mark.parametrize(
    "path", ["/nothing", "/api/spaces/a/b", "/api/models/org/model/xet-read-token/main", "/org/model", "/a%0Ab/c"]
)
def test_unknown_routes_are_told_in_the_hubs_form(path: str, server: Running) -> None:
    status, headers, body = server.ask("GET", path)
    assert status in {400, 404}
    if "%0A" not in path:
        assert json.loads(body)["error"] == headers["x-error-message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/repos/create"),
        ("DELETE", "/api/repos/delete"),
        ("POST", "/api/models/org/model/preupload/main"),
        ("POST", "/api/models/org/model/commit/main"),
        ("PUT", "/api/models/org/model/settings"),
        ("POST", "/org/model.git/info/lfs/objects/batch"),
        ("POST", "/api/models/org/model/branch/x"),
        ("PATCH", "/anything"),
        ("POST", "/org/model.git/git-receive-pack"),
    ],
)
def test_uploads_are_refused_in_a_sentence(method: str, path: str, server: Running) -> None:
    status, headers, body = server.ask(method, path, body=b"x" * 100_000)
    assert status == 403
    assert "Nothing is uploaded here" in headers["x-error-message"]
    assert json.loads(body)["error"] == headers["x-error-message"]


def test_git_is_told_in_words_that_it_shows(server: Running) -> None:
    status, headers, body = server.ask("GET", "/org/model.git/info/refs?service=git-upload-pack")
    assert (status, headers["content-type"]) == (403, "text/plain")
    assert b"git does not pass" in body


# --- files ---


def test_head_and_get_agree(shelf: Shelf, server: Running) -> None:
    for path, data in FILES.items():
        from urllib.parse import quote

        url = f"/org/model/resolve/main/{quote(path)}"
        first, second = server.ask("HEAD", url), server.ask("GET", url)
        changing = {"date", "x-request-id"}
        assert first[0] == second[0] == 200
        assert {k: v for k, v in first[1].items() if k not in changing} == {
            k: v for k, v in second[1].items() if k not in changing
        }
        assert first[2] == b""
        assert second[2] == data
        headers = second[1]
        assert headers["x-repo-commit"] == commit_of(shelf)
        assert headers["content-length"] == str(len(data))
        assert headers["content-type"] == "application/octet-stream"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].endswith("sandbox")
        assert headers["content-disposition"].startswith("attachment")
        assert not [each for each in headers if "xet" in each or each == "location"]
    large = server.ask("HEAD", "/org/model/resolve/main/model.safetensors")[1]
    assert large["x-linked-etag"] == large["etag"] == f'"{hashlib.sha256(BIG).hexdigest()}"'
    assert large["x-linked-size"] == str(len(BIG))


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=1000000-", 1_000_000, len(BIG)), ("bytes=-5", len(BIG) - 5, len(BIG)),
     ("bytes=100-699999", 100, 700_000), ("bytes=0-99999999999", 0, len(BIG))],
)  # fmt: skip
def test_one_range(wanted: str, start: int, stop: int, server: Running) -> None:
    status, headers, body = server.ask("GET", "/org/model/resolve/main/model.safetensors", {"Range": wanted})
    assert status == 206
    assert headers["content-range"] == f"bytes {start}-{stop - 1}/{len(BIG)}"
    assert headers["content-length"] == str(stop - start)
    assert body == BIG[start:stop]


@pytest.mark.parametrize("size", [10, 300_000])
def test_several_ranges(size: int, server: Running) -> None:
    asked = {"Range": f"bytes=0-{size - 1},400000-{400_000 + size - 1}"}
    status, headers, body = server.ask("GET", "/org/model/resolve/main/model.safetensors", asked)
    assert status == 206
    boundary = headers["content-type"].partition("boundary=")[2].encode()
    assert int(headers["content-length"]) == len(body)
    parts = body.split(b"--" + boundary)
    assert parts[0] == b""
    assert parts[-1] == b"--\r\n"
    for part, start in zip(parts[1:-1], (0, 400_000), strict=True):
        head, _, data = part.partition(b"\r\n\r\n")
        assert f"bytes {start}-{start + size - 1}/{len(BIG)}".encode() in head
        assert data.removesuffix(b"\r\n") == BIG[start : start + size]


def test_conditions(server: Running) -> None:
    url = "/org/model/resolve/main/model.safetensors"
    etag = server.ask("HEAD", url)[1]["etag"]

    def ask(method: str = "GET", **headers: str) -> tuple[int, int]:
        status, _, body = server.ask(method, url, {name.replace("_", "-"): value for name, value in headers.items()})
        return status, len(body)

    assert ask(If_None_Match=etag) == (304, 0)
    assert ask("HEAD", If_None_Match=etag) == (304, 0)
    assert ask(If_None_Match=f'"x", W/{etag}') == (304, 0)
    assert ask(If_None_Match="*") == (304, 0)
    assert ask(If_None_Match='"x"') == (200, len(BIG))
    assert ask(Range="bytes=0-9", If_Range=etag) == (206, 10)
    assert ask(Range="bytes=0-9", If_Range='"x"') == (200, len(BIG))
    assert ask(Range="bytes=0-9", If_Range=f"W/{etag}") == (200, len(BIG))
    assert ask(Range="bytes=0-9", If_Range="Sun, 29 Nov 2026 00:00:00 GMT") == (200, len(BIG))
    assert ask("HEAD", Range="bytes=0-9") == (200, 0)
    assert ask(Range="lines=0-9") == (200, len(BIG))


@pytest.mark.parametrize(
    "wanted", ["bytes=99999999-", "bytes=-0", "bytes=9-1", "bytes=x", "bytes=" + ",".join(["0-0"] * 1000)]
)
def test_absurd_ranges_are_416(wanted: str, server: Running) -> None:
    status, headers, _ = server.ask("GET", "/org/model/resolve/main/model.safetensors", {"Range": wanted})
    assert status == 416
    assert headers["content-range"] == f"bytes */{len(BIG)}"


def test_a_range_of_no_bytes(server: Running) -> None:
    status, headers, body = server.ask("GET", "/org/model/resolve/main/empty.txt", {"Range": "bytes=0-0"})
    assert (status, headers["content-range"], body) == (200, "bytes */0", b"")


def test_what_was_given_is_remembered(shelf: Shelf, server: Running) -> None:
    agent = "unknown/None; hf_hub/2.4.0"
    server.ask("GET", "/org/model/resolve/main/config.json", {"User-Agent": agent})
    server.ask("GET", "/org/model/resolve/main/model.safetensors", {"Range": "bytes=0-99"})
    server.ask("HEAD", "/org/model/resolve/main/model.safetensors")
    until = time.monotonic() + 5
    while len(shelf.given) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert [each[:2] for each in shelf.given] == [
        ("config.json", len(FILES["config.json"])),
        ("model.safetensors", 100),
    ]
    assert shelf.given[0][2] == Asking(agent=agent, address="127.0.0.1")


def test_who_goes_away_is_not_said_to_have_it_all(shelf: Shelf, server: Running) -> None:
    shelf.put("org/large", {"model.safetensors": bytes(64 << 20)})
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /org/large/resolve/main/model.safetensors HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(1000)
    until = time.monotonic() + 10
    while not shelf.given and time.monotonic() < until:
        time.sleep(0.01)
    assert len(shelf.given) == 1
    assert shelf.given[0][1] < 64 << 20


def test_bytes_that_are_not_as_long_as_listed_are_not_served(shelf: Shelf, server: Running) -> None:
    file = shelf.folder / hashlib.sha256(BIG).hexdigest()
    file.write_bytes(BIG + b"x")
    status, headers, body = server.ask("GET", "/org/model/resolve/main/model.safetensors")
    assert status == 500
    assert headers["x-request-id"] in json.loads(body)["error"]
    file.unlink()
    assert server.ask("GET", "/org/model/resolve/main/model.safetensors")[0] == 500
    assert server.noted(2).outcome == "fault"


def test_a_link_in_the_place_of_bytes_is_not_followed(shelf: Shelf, server: Running, tmp_path: Path) -> None:
    file = shelf.folder / hashlib.sha256(BIG).hexdigest()
    other = tmp_path / "other"
    other.write_bytes(bytes(len(BIG)))
    file.unlink()
    file.symlink_to(other)
    assert server.ask("GET", "/org/model/resolve/main/model.safetensors")[0] == 500


# --- no, and not yet ---


@pytest.mark.parametrize("why", list(Refusal))
def test_every_refusal_in_its_form(why: Refusal, shelf: Shelf, server: Running) -> None:
    reason = f"org/model is not for you\r\nX-Evil: 1 ({why})"
    shelf.refused[MODEL] = RefusedError(why, reason, commit="a" * 40, link="/models/org/model")
    form = FORMS[why]
    for method, path in (
        ("GET", "/api/models/org/model"),
        ("GET", "/api/models/org/model/tree/main?recursive=true"),
        ("HEAD", "/org/model/resolve/main/config.json"),
        ("GET", "/org/model/resolve/main/config.json"),
    ):
        status, headers, body = server.ask(method, path)
        assert status == form.status
        assert headers.get("x-error-code", "") == form.code
        assert (
            headers["x-error-message"]
            == f"org/model is not for you X-Evil: 1 ({why}). See {server.url}/models/org/model"
        )
        assert headers["x-hf-warning"].partition("; ")[2] == headers["x-error-message"]
        assert headers["x-repo-commit"] == "a" * 40
        assert "x-evil" not in headers
        if method == "GET":
            assert json.loads(body) == {"error": headers["x-error-message"]}
    assert server.noted(4).outcome == why.value


def test_no_such_thing(server: Running) -> None:
    def code(path: str) -> tuple[int, str]:
        status, headers, _ = server.ask("HEAD", path)
        return status, headers["x-error-code"]

    assert code("/org/none/resolve/main/x") == (404, "RepoNotFound")
    assert code("/org/model/resolve/none/x") == (404, "RevisionNotFound")
    assert code("/org/model/resolve/main/none") == (404, "EntryNotFound")
    assert code("/-a/b/resolve/main/none") == (404, "RepoNotFound")


def test_a_file_is_held_until_it_is_ready(shelf: Shelf, server: Running) -> None:
    shelf.waiting[MODEL] = 2
    before = time.monotonic()
    status, _, body = server.ask("GET", "/org/model/resolve/main/config.json")
    assert (status, body) == (200, FILES["config.json"])
    assert 0.2 <= time.monotonic() - before < 5


def test_a_file_that_does_not_come_in_time_is_asked_for_again(shelf: Shelf, server: Running) -> None:
    shelf.waiting[MODEL] = 1_000_000
    for seconds, told in ((20, "20"), (0, "1"), (500, "30")):
        shelf.seconds = seconds
        before = time.monotonic()
        status, headers, _ = server.ask("HEAD", "/org/model/resolve/main/config.json")
        assert (status, headers["retry-after"]) == (503, told)
        assert "being vetted" in headers["x-error-message"]
        assert 0.4 <= time.monotonic() - before < 5
    assert server.ask("GET", "/api/models/org/model")[0] == 200
    assert [each.outcome for each in server.notes[:3]] == ["waiting"] * 3


def test_whom_it_takes_too_long_is_held_all_the_same_and_then_refused(shelf: Shelf, server: Running) -> None:
    shelf.late = RefusedError(Refusal.NOT_APPROVED, "org/model is being vetted, ready about 12:00 UTC")
    shelf.waiting[MODEL] = 2
    status, _, body = server.ask("GET", "/org/model/resolve/main/config.json")
    assert (status, body) == (200, FILES["config.json"])
    shelf.waiting[MODEL] = 1_000_000
    before = time.monotonic()
    status, headers, _ = server.ask("GET", "/org/model/resolve/main/config.json")
    assert (status, headers["x-error-code"]) == (403, "GatedRepo")
    assert headers["x-error-message"] == shelf.late.reason
    assert 0.4 <= time.monotonic() - before < 5


def test_a_refusal_while_a_file_is_held(shelf: Shelf, server: Running) -> None:
    shelf.waiting[MODEL] = 1_000_000
    refusal = RefusedError(Refusal.NOT_APPROVED, "it is hostile")
    threading.Timer(0.25, lambda: shelf.refused.update({MODEL: refusal})).start()
    status, headers, _ = server.ask("HEAD", "/org/model/resolve/main/config.json")
    assert (status, headers["x-error-message"]) == (403, "it is hostile")


def test_many_that_wait_ask_the_gate_as_often_as_few(shelf: Shelf, tmp_path: Path) -> None:
    shelf.waiting[MODEL] = 1_000_000
    with Running(shelf, hold=1.0) as running:
        threads = [
            threading.Thread(target=running.ask, args=("GET", "/org/model/resolve/main/config.json")) for _ in range(30)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    # each once when it comes, and then all together five times a second
    assert len([each for each in shelf.asked if each[0] == "listed"]) <= 30 + 15


def test_who_waits_and_goes_is_forgotten(shelf: Shelf) -> None:
    shelf.waiting[MODEL] = 1_000_000
    with Running(shelf, hold=8.0) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(b"GET /org/model/resolve/main/config.json HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.3)
        until = time.monotonic() + 3
        while not running.notes and time.monotonic() < until:
            time.sleep(0.02)
        assert [each.outcome for each in running.notes] == ["gone"]


# --- faults and lines ---


def test_a_fault_of_the_gate_shows_no_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Shelf):
        def listed(self, repository: Repository, revision: str, asking: Asking) -> Listed:
            raise RuntimeError("the password is hunter2")

    with Running(Broken(tmp_path)) as running:
        for path in ("/api/models/org/model", "/org/model/resolve/main/x"):
            status, headers, body = running.ask("GET", path)
            assert status == 500
            assert headers["x-request-id"] in body.decode()
            assert b"hunter2" not in body
            assert b"Traceback" not in body
        assert running.noted(2).outcome == "fault"
    assert "hunter2" in caplog.text


def test_a_line_has_an_id_and_never_a_token(server: Running) -> None:
    secret = "hf_" + "s" * 30
    _, headers, _ = server.ask(
        "GET",
        f"/api/models/org/model?token={secret}",
        {"Authorization": f"Bearer {secret}", "Cookie": secret, "User-Agent": "x\xa0 y"},
    )
    note = server.noted()
    assert headers["x-request-id"] == note.id
    for shown in (as_text(note), as_json(note), repr(note)):
        assert secret not in shown
        assert note.id in shown
        assert "\n" not in shown
    value = json.loads(as_json(note))
    assert (value["method"], value["status"], value["repository"]) == ("GET", 200, "org/model")
    assert value["bytes"] == int(headers["content-length"])


def test_two_hundred_at_once(shelf: Shelf, server: Running) -> None:
    data = os.urandom(3 << 20)
    shelf.put("org/many", {"model.safetensors": data})
    digests: list[str] = []

    def pull() -> None:
        body = server.ask("GET", "/org/many/resolve/main/model.safetensors")[2]
        digests.append(hashlib.sha256(body).hexdigest())

    threads = [threading.Thread(target=pull) for _ in range(200)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert digests == [hashlib.sha256(data).hexdigest()] * 200
