from __future__ import annotations

import hashlib
import json
import socket
import struct
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.rule import Severity
from openvet.errors import ChangedError, SubjectError, UnreachableError
from openvet.io.http import Client, is_this_machine
from openvet.io.ranges import RANGE_BLOCK, SMALL, RangeSource
from openvet.origins.find import find_origin
from openvet.origins.hub import HubName, open_hub, parse_hub
from openvet.policy.decision import Verdict
from openvet.reports.report import ModelReport
from openvet.testing.hub import Fault, Hub
from openvet.workflows.check import Options, check

TOKEN = "hf_secretsecretsecret"
BIG = SMALL + 3 * RANGE_BLOCK + 17


def tensors(size: int) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    return struct.pack("<Q", len(header)) + header + body


WEIGHTS = tensors(BIG)
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "README.md": b"# A model\n",
    "model.safetensors": WEIGHTS,
    "sub/notes.txt": b"hello\n" * 1000,
    "vocab.txt": b"a\nb\n",
}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "HF_HUB_OFFLINE",
        "HF_HUB_CACHE",
        "HF_TOKEN_PATH",
        "TRANSFORMERS_OFFLINE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr("openvet.io.http.time.sleep", lambda _: None)
    monkeypatch.setattr("openvet.io.http._wait", lambda *_: 0.0)


def run(hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str = "hf:org/model", **options: Any) -> ModelReport:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    return check([name], Options(**options)).models[0]


def unknowns(report: ModelReport) -> set[tuple[str, str]]:
    return {(each.location.place, each.reason) for each in report.scan.all_unknowns()}


def test_only_what_describes_the_weights_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub(FILES) as hub:
        report = run(hub, monkeypatch)
        assert report.subject.name == f"hf:org/model@{hub.commit}"
        assert report.subject.digest == {}
        assert (report.decision.verdict, unknowns(report)) == (Verdict.REVIEW, {("model.safetensors", "unverified")})
        (said,) = [each.message for each in report.scan.all_unknowns()]
        assert hub.digests["model.safetensors"] in said
        assert "127.0.0.1" in said
        ranges = [each.headers["range"] for each in hub.store.asked if hub.digests["model.safetensors"] in each.path]
        assert ranges == ["bytes=0-65535"] or len(ranges) <= 3
        files = {file.path: file for file in report.scan.files}
        assert files["model.safetensors"].digest == {}
        assert files["config.json"].digest == {"sha256": hub.digests["config.json"]}
        assert sorted(files) == sorted(FILES)


def test_download_verifies_and_admits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / "local" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "local" / name).write_bytes(data)
    local = check([str(tmp_path / "local")]).models[0]
    with Hub(FILES) as hub:
        report = run(hub, monkeypatch, download=True)
    assert report.decision == local.decision
    assert report.decision.verdict is Verdict.ADMIT
    assert report.subject.digest == local.subject.digest
    assert [each.to_json() for each in report.scan.files] == [each.to_json() for each in local.scan.files]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_other_bytes_than_claimed_are_rejected(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with Hub(FILES) as hub:
        data = hub.files[name]
        other = data[:-2] + b" }" if name == "config.json" else data[:-1] + b"!"
        if name == "config.json":
            item, changed = hub._item, name

            def other_oid(name: str, data: bytes) -> dict[str, Any]:
                return {**item(name, data), **({"oid": "1" * 40} if name == changed else {})}

            hub._item = other_oid  # type: ignore[method-assign]
        else:
            hub.store.files[hub.digests[name]] = other
        report = run(hub, monkeypatch, download=True)
    assert report.decision.verdict is Verdict.REJECT
    told = [each for each in report.scan.all_findings() if each.severity > Severity.NOTE]
    assert [(each.rule, each.location.place) for each in told] == [("file/digest-mismatch", name)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("org/name", HubName("org/name")),
        ("org/name@v1", HubName("org/name", "v1")),
        ("org/name@refs/pr/1", HubName("org/name", "refs/pr/1")),
        ("org/name@refs/pr/1/a/b.bin", HubName("org/name", "refs/pr/1", "a/b.bin")),
        ("org/name@feature%2Fx/a.bin", HubName("org/name", "feature/x", "a.bin")),
        ("org/name/a/b@2.bin", HubName("org/name", "main", "a/b@2.bin")),
        ("gpt2", HubName("gpt2")),
        ("gpt2@v1/config.json", HubName("gpt2", "v1", "config.json")),
        ("gpt2/config.json", HubName("gpt2/config.json")),
        ("datasets/org/name@v1/a.csv", HubName("org/name", "v1", "a.csv", "dataset")),
        ("datasets/squad", HubName("squad", kind="dataset")),
    ],
)
def test_names_are_taken_apart(text: str, name: HubName) -> None:
    assert parse_hub(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "datasets/",
        "datasets/@main",
        "/x",
        "org/",
        "../x",
        "org/..",
        "org/a b",
        "org/name@",
        "org/name@..%2F..",
        "org/name@a%00",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(SubjectError):
        parse_hub(text)


def test_one_file_or_folder_of_a_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub(FILES) as hub:
        one = run(hub, monkeypatch, "hf:org/model@v1/config.json")
        assert one.subject.digest == {"sha256": hub.digests["config.json"]}
        assert one.subject.name == f"hf:org/model@{hub.commit}/config.json"
        assert [file.path for file in run(hub, monkeypatch, "hf:org/model/sub").scan.files] == ["sub/notes.txt"]
        with pytest.raises(SubjectError, match="has no file or folder nothing"):
            run(hub, monkeypatch, "hf:org/model/nothing")


@pytest.mark.parametrize("name", ["gpt2", "datasets/org/name", "datasets/squad"])
def test_names_of_one_segment_and_data_sets(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with Hub(FILES, name) as hub:
        report = run(hub, monkeypatch, f"hf:{name}", download=True)
        assert report.subject.name == f"hf:{name}@{hub.commit}"
        assert {file.path: file.digest["sha256"] for file in report.scan.files} == hub.digests


def test_a_list_of_files_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvet.origins.hub._PAGES", 50)
    with Hub({str(number): b"x" for number in range(100)}, page=1) as hub:
        with pytest.raises(SubjectError, match="does not end within 50 pages"):
            run(hub, monkeypatch)
        monkeypatch.setattr("openvet.origins.hub._LISTING", 500)
        with pytest.raises(SubjectError, match="and 500 bytes"):
            run(hub, monkeypatch)


def test_a_local_path_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hf:org").mkdir()
    (tmp_path / "hf:org" / "model").write_text("hello\n")
    origin = find_origin("hf:org/model")
    assert origin.remote is False
    origin.close()


# --- the token ---


def test_the_token_stays_with_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with Hub(FILES, token=TOKEN) as hub:
        report = run(hub, monkeypatch, download=True)
        assert report.decision.verdict is Verdict.ADMIT
        assert all(each.headers.get("authorization") == f"Bearer {TOKEN}" for each in hub.asked)
        assert hub.store.asked
        assert [each for each in hub.store.asked if TOKEN in str(each)] == []
        assert TOKEN not in json.dumps(report.to_json())


def test_the_token_of_the_file_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text(TOKEN + "\n")
    with Hub({"a.txt": b"a\n"}, token=TOKEN) as hub:
        assert run(hub, monkeypatch).decision.verdict is Verdict.ADMIT
        monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
        with pytest.raises(SubjectError, match="gated"):
            run(hub, monkeypatch)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("status", "/revision/", 401, headers={"X-Error-Code": "RepoNotFound"}), "set HF_TOKEN if it is private"),
        (Fault("status", "/revision/", 403, headers={"X-Error-Code": "GatedRepo"}), "gated .* accept its conditions"),
        (Fault("status", "/revision/", 404, headers={"X-Error-Code": "RevisionNotFound"}), "has no revision main"),
        (Fault("status", "/revision/", 404), "check the name and the revision"),
        (Fault("status", "/revision/", 429), "asks us to wait"),
        (Fault("status", "/tree/", 500), "try again later"),
        (Fault("redirect", "/revision/", text="file:///etc/passwd"), "address of the kind file"),
        (Fault("redirect", "/revision/", text="/api/models/org/model/revision/main"), "more than 8 redirects"),
    ],
    ids=lambda each: each.kind + str(each.value) if isinstance(each, Fault) else "",
)
def test_refusals_say_what_to_do(monkeypatch: pytest.MonkeyPatch, fault: Fault, message: str) -> None:
    with Hub(FILES) as hub:
        hub.faults.append(fault)
        with pytest.raises(SubjectError, match=message):
            run(hub, monkeypatch)


# --- servers that fail and servers that lie ---


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", "/", 500, times=3),
        Fault("status", "/", 429, times=3, headers={"Retry-After": "1"}),
        Fault("status", "/", 503, times=2, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Fault("cut", "/", 100_000, times=20),
        Fault("cut", "/", 1, times=3),
        Fault("no-range", "/"),
    ],
    ids=lambda each: f"{each.kind}-{each.value}",
)
@pytest.mark.parametrize("where", ["hub", "store"])
def test_a_server_that_fails_at_times_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, where: str
) -> None:
    with Hub(FILES) as hub:
        server = hub if where == "hub" else hub.store
        server.faults.append(Fault(fault.kind, fault.path, fault.value, times=fault.times, headers=fault.headers))
        report = run(hub, monkeypatch, download=True)
        assert report.decision.verdict is Verdict.ADMIT
        assert {file.path: file.digest["sha256"] for file in report.scan.files} == hub.digests


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        (Fault("wrong-range"), {"unreachable"}),
        (Fault("length", value=5), {"changed", "unreachable"}),
        (Fault("encode"), {"unreachable"}),
        (Fault("status", value=500), {"unreachable"}),
        (Fault("cut", value=0), {"unreachable"}),
    ],
    ids=lambda each: each.kind if isinstance(each, Fault) else "",
)
def test_a_server_that_lies_is_never_admitted(monkeypatch: pytest.MonkeyPatch, fault: Fault, reasons: set[str]) -> None:
    with Hub(FILES) as hub:
        hub.store.faults.append(fault)
        report = run(hub, monkeypatch, download=True)
    assert report.decision.verdict is not Verdict.ADMIT
    assert {reason for place, reason in unknowns(report) if place == "model.safetensors"} <= reasons
    assert unknowns(report)


def test_another_commit_or_etag_is_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub(FILES) as hub:
        hub.faults.append(Fault("commit", "/resolve/"))
        report = run(hub, monkeypatch)
        assert {(place, "changed") for place in FILES} <= unknowns(report)
        assert {reason for _, reason in unknowns(report)} == {"changed", "unverified"}
    with Hub(FILES) as hub:
        hub.store.faults.append(Fault("etag"))
        report = run(hub, monkeypatch, download=True)
        assert ("model.safetensors", "changed") in unknowns(report)


def test_names_that_climb_out_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub({"../evil.txt": b"x\n", "a.txt": b"a\n", "a//b.txt": b"b\n", "/etc/x": b"c\n"}) as hub:
        report = run(hub, monkeypatch)
        assert unknowns(report) == {("../evil.txt", "special"), ("a//b.txt", "special"), ("/etc/x", "special")}
        assert [each for each in hub.asked if "evil" in each.path] == []


# --- offline ---


def test_offline_uses_the_cache_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commit = "a" * 40
    folder = tmp_path / "hf" / "hub" / "models--org--model"
    (folder / "refs").mkdir(parents=True)
    (folder / "blobs").mkdir()
    (folder / "refs" / "main").write_text(commit)
    (folder / "snapshots" / commit).mkdir(parents=True)
    (folder / "blobs" / "1").write_text("hello\n")
    (folder / "snapshots" / commit / "a.txt").symlink_to("../../blobs/1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with Hub(FILES) as hub:
        report = run(hub, monkeypatch)
        assert report.subject.name == f"hf:org/model@{commit} (from the local cache)"
        assert report.decision.verdict is Verdict.ADMIT
        for missing in ("hf:org/other", "hf:org/model@v9", "hf:org/model/b.txt", "hf:org/model/../../../x"):
            with pytest.raises(SubjectError, match="HF_HUB_OFFLINE is set"):
                run(hub, monkeypatch, missing)
        assert hub.asked == []


# --- sources ---


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 200_000), max_size=6),
    reads=st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 300_000)), max_size=6),
)
def test_wherever_bodies_are_cut_the_bytes_are_the_same(cuts: list[int], reads: list[tuple[int, int]]) -> None:
    data = bytes(hashlib.sha256(b"x").digest()) * 12_500
    with Hub({"big.bin": data}) as hub:
        hub.store.faults.extend(Fault("cut", value=each, times=1) for each in cuts)
        client = Client(sleep=lambda _: None)
        url = f"{hub.url}/org/model/resolve/main/big.bin"
        source = RangeSource(len(data), lambda start, stop: client.ranged(url, start, stop, len(data)))
        for offset, size in reads:
            offset = min(offset, len(data))
            assert source.upto(offset, size) == data[offset : offset + size]
        client.close()


def test_a_block_that_changes_between_two_fetches_is_told() -> None:
    answers = [b"a", b"b"]
    source = RangeSource(5 * RANGE_BLOCK, lambda start, stop: iter([answers[0] * (stop - start)]))
    source.read(0, 10)
    source.close()
    answers.pop(0)
    with pytest.raises(ChangedError, match="other bytes"):
        source.read(0, 10)


def test_a_redirect_to_this_machine_from_elsewhere_is_refused() -> None:
    from openvet.io.http import _check_redirect

    with pytest.raises(UnreachableError, match="this machine"):
        _check_redirect(("https", "hub.example", 443), ("https", "hub.example", 443), ("https", "169.254.169.254", 443))
    with pytest.raises(UnreachableError, match="https to http"):
        _check_redirect(("https", "hub.example", 443), ("https", "hub.example", 443), ("http", "cdn.example", 80))
    _check_redirect(("https", "hub.example", 443), ("https", "hub.example", 443), ("https", "cdn.example", 443))


def test_a_name_for_this_machine_is_not_followed_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a redirect calls it: the address is looked at when the connection is there, and names change what they mean."""
    real = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **keywords: Any) -> Any:
        return real("127.0.0.1" if host.endswith(".example") else host, *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with Hub(FILES, page=100) as hub:
        port = hub.host.rpartition(":")[2]
        monkeypatch.setenv("HF_ENDPOINT", f"http://hub.example:{port}")
        hub.store.url = hub.store.url.replace("127.0.0.1", "cdn.example")
        report = check(["hf:org/model"], Options(download=True)).models[0]
        assert hub.asked
        assert hub.store.asked == []
        (said,) = [each.message for each in report.scan.all_unknowns() if each.location.place == "model.safetensors"]
        assert "cdn.example is a name for this machine, and hub.example may not lead there" in said


def test_a_public_hub_does_not_lead_into_a_private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file host has an address in the company's network: that a public hub names it opens no way there; a hub in that network may."""
    home = {"address": "151.101.1.1"}
    with Hub(FILES, page=100) as hub:
        hub.store.url = hub.store.url.replace("127.0.0.1", "localhost")
        port = int(hub.host.rpartition(":")[2])

        def peer(connection: HTTPConnection) -> str:
            return home["address"] if connection.port == port else "10.1.2.3"

        monkeypatch.setattr("openvet.io.http._peer", peer)
        monkeypatch.setattr("openvet.io.http.is_this_machine", lambda host: host == "::1")
        monkeypatch.setenv("HF_ENDPOINT", f"http://{hub.host}")
        report = check(["hf:org/model"], Options(download=True)).models[0]
        assert hub.store.asked == []
        (said,) = [each.message for each in report.scan.all_unknowns() if each.location.place == "model.safetensors"]
        assert "localhost is in a private network, and 127.0.0.1 may not lead there" in said
        home["address"] = "10.9.9.9"
        assert check(["hf:org/model"], Options(download=True)).models[0].decision.verdict is Verdict.ADMIT
        assert hub.store.asked


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("localhost", True), ("a.localhost", True), ("127.1.2.3", True), ("[::1]", True), ("0.0.0.0", True), ("169.254.169.254", True),
        ("fe80::1%eth0", True), ("::ffff:127.0.0.1", True), ("[::ffff:a9fe:a9fe]", True), ("64:ff9b::7f00:1", True),
        ("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("151.101.1.1", False), ("hub.example", False), ("", False),
    ],
)  # fmt: skip
def test_what_this_machine_is_called(host: str, found: bool) -> None:
    assert is_this_machine(host) is found


def test_open_hub_refuses_an_endpoint_of_another_kind() -> None:
    with pytest.raises(SubjectError, match="HF_ENDPOINT"):
        open_hub(HubName("org/model"), {"HF_ENDPOINT": "ftp://x"})
