"""What is found in caches, told to a gate, and compared with what it is called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.origins.cached import FIRST, LARGE, SECOND, SMALL, blob_name, put

from openvet.errors import SubjectError, UnreachableError, UsageError
from openvet.workflows import caches
from openvet.workflows.caches import check_machine, find_caches, report_caches, send_report
from openvet.workflows.caches_verify import Checked, Standing, ask_gate, check_caches, list_names
from openvet.workflows.gate_client import GateClient, RefusedError


class Gate(GateClient):
    """Takes everything, and says what it was made with."""

    def __init__(self, *answers: Any) -> None:
        self.server = "http://gate"
        self.answers = list(answers)
        self.sent: list[tuple[str, str, Any]] = []

    def send(self, method: str, path: str, body: Any = None) -> Any:
        self.sent.append((method, path, body))
        answer = self.answers.pop(0) if self.answers else {"revisions": 0}
        if isinstance(answer, Exception):
            raise answer
        return answer(body) if callable(answer) else answer


def test_where_a_client_looks(tmp_path: Path) -> None:
    for name in ("home/.cache/huggingface/hub", "xdg/huggingface/hub", "hf/hub", "set", "old", "named"):
        (tmp_path / name).mkdir(parents=True)
    home = {"HOME": str(tmp_path / "home")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", home["HOME"])
        patch.setenv("PLACE", str(tmp_path))

        def found(*named: str, **environ: str) -> list[str]:
            return [os.path.relpath(each, tmp_path) for each in find_caches(named, environ)]

        assert found() == ["home/.cache/huggingface/hub"]
        assert found(XDG_CACHE_HOME=f"{tmp_path}/xdg") == ["xdg/huggingface/hub"]
        assert found(HF_HOME="$PLACE/hf") == ["hf/hub", "home/.cache/huggingface/hub"]
        everything = found(HF_HUB_CACHE="$PLACE/set", HF_HOME=f"{tmp_path}/hf", TRANSFORMERS_CACHE=f"{tmp_path}/old", XDG_CACHE_HOME=f"{tmp_path}/none")  # fmt: skip
        assert everything == ["set", "old", "hf/hub"]
        assert found(HF_HUB_CACHE=f"{tmp_path}/hf/hub", HF_HOME=f"{tmp_path}/hf", XDG_CACHE_HOME="/none") == ["hf/hub"]
        assert found(f"{tmp_path}/named", f"{tmp_path}/named", HF_HOME=f"{tmp_path}/hf") == ["named"]
        with pytest.raises(UsageError, match="/none/huggingface/hub; --cache DIR"):
            find_caches((), {"XDG_CACHE_HOME": "/none"})
        with pytest.raises(SubjectError):
            report_caches(find_caches([f"{tmp_path}/nothing"], {}), "m")


def test_a_report_and_what_is_told_of_it(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    put(hub, refs=[f"ref{at:02}" for at in range(30)])
    put(hub, commit=SECOND, refs=["dangling"])
    (hub / "models--org--model" / "refs" / "dangling").write_text("e" * 40)
    put(tmp_path / "other", files={"config.json": SMALL}, refs=["main"])
    (tmp_path / "modules").mkdir()
    report = report_caches([str(hub), str(tmp_path / "other")], "laptop")
    assert [(each.commit, each.files, each.bytes) for _, each in report.revisions()] == [
        (FIRST, 2, 2 + len(LARGE)), (SECOND, 2, 2 + len(LARGE)), (FIRST, 1, 2),
    ]  # fmt: skip
    first = report.caches[0]
    assert first.repositories[0].bytes == 2 + len(LARGE), "blobs that two revisions share lie there once"
    assert [each.place for each in first.unread] == ["models--org--model/refs/dangling"]
    assert [each.place for each in first.beside] == ["../modules"]
    gate = Gate()
    send_report(gate, report)
    ((method, path, body),) = gate.sent
    assert (method, path, body["machine"], body["more"]) == ("POST", "/caches", "laptop", False)
    assert str(tmp_path) not in str(body)
    said = {each["commit"]: each for each in body["found"]}
    assert (len(body["found"]), said[FIRST]["files"], len(said[FIRST]["refs"])) == (2, 2, 20)


def test_what_is_much_is_told_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "_PAGE", 2)
    for at in range(5):
        put(tmp_path, commit=f"{at:040x}", files={"a": SMALL}, refs=())
    gate = Gate()
    send_report(gate, report_caches([str(tmp_path)], "m"))
    assert [(len(body["found"]), body["more"]) for _, _, body in gate.sent] == [(2, True), (2, True), (1, False)]
    assert len({body["report"] for _, _, body in gate.sent}) == 1
    gate = Gate()
    (tmp_path / "none").mkdir()
    send_report(gate, report_caches([str(tmp_path / "none")], "m"))
    assert [(body["found"], body["more"]) for _, _, body in gate.sent] == [([], False)], (
        "a cache that was emptied is told of"
    )
    for name in ("", " ", "a\nb", "x" * 201):
        with pytest.raises(UsageError):
            check_machine(name)


ADMITTED = Standing("admitted")
NAME = ("model", "org/model", FIRST)


def checked(place: Path, standing: Standing | None = ADMITTED, **more: Any) -> Checked:
    standings = None if standing is None else {NAME: standing}
    return Checked(check_caches([str(place)], standings), **more)


@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (ADMITTED, 0), (None, 0), (Standing("revoked", "revocation", "reject"), 1), (Standing("refused", "policy", "reject"), 1),
        (Standing("refused", "policy", "upstream"), 1), (Standing("refused", "policy", "review"), 3), (Standing("open"), 3), (Standing("unknown"), 3),
    ],
)  # fmt: skip
def test_what_a_gate_says_decides(standing: Standing | None, code: int, tmp_path: Path) -> None:
    put(tmp_path)
    found = checked(tmp_path, standing)
    assert (found.comes_to, found.caches[0].repositories[0].blobs) == (code, 2)


def test_bytes_that_are_not_what_they_are_called(tmp_path: Path) -> None:
    repository = put(tmp_path)
    put(tmp_path, commit=SECOND, files={"config.json": b"[]"}, refs=())
    large = repository / "blobs" / blob_name(".safetensors", LARGE)
    large.write_bytes(LARGE[:-1] + b"!")
    found = checked(tmp_path)
    first, second = found.caches[0].repositories[0].revisions
    assert (found.comes_to, first.comes_to, first.corrupt_count, second.corrupt_count) == (1, 1, 1, 0)
    assert first.corrupt[0].path == "sub/model.safetensors"
    assert first.corrupt[0].why.startswith("has the SHA-256 ")
    large.write_bytes(LARGE)
    (repository / "blobs" / blob_name("", b"[]")).write_bytes(b"{ }")
    found = checked(tmp_path)
    assert [each.corrupt_count for each in found.caches[0].repositories[0].revisions] == [0, 1]
    assert "by git" in found.caches[0].repositories[0].corrupt[0].why
    # a blob that no snapshot links to is linked to by the next download, unread
    (repository / "snapshots" / SECOND / "config.json").unlink()
    assert checked(tmp_path).comes_to == 1


@pytest.mark.parametrize("what", ["copy", "odd name", "missing", "outside", "unread", "begun"])
def test_what_cannot_be_compared_is_not_fine(what: str, tmp_path: Path) -> None:
    repository = put(tmp_path)
    small = repository / "blobs" / blob_name("", SMALL)
    file = repository / "snapshots" / FIRST / "config.json"
    if what == "copy":
        file.unlink()
        file.write_bytes(SMALL)
    elif what == "odd name":
        small.rename(repository / "blobs" / "abc-2")
        file.unlink()
        file.symlink_to("../../blobs/abc-2")
    elif what == "missing":
        small.unlink()
    elif what == "outside":
        file.unlink()
        file.symlink_to("/etc/hostname")
    elif what == "unread":
        (tmp_path / "org__old").mkdir()
    else:
        (repository / f".openvet-evicted-{SECOND}").mkdir()
    assert checked(tmp_path).comes_to == 3
    assert Checked(check_caches([str(tmp_path)], {NAME: ADMITTED}, hashing=False)).comes_to == (0 if what in {"copy", "odd name"} else 3)  # fmt: skip


def test_a_file_that_may_not_be_read_is_not_corrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path)
    real = os.open

    def refusing(path: Any, *more: Any, **named: Any) -> int:
        if path == blob_name("", SMALL):
            raise PermissionError(13, "Permission denied")
        return real(path, *more, **named)

    monkeypatch.setattr(os, "open", refusing)
    found = checked(tmp_path)
    (revision,) = found.caches[0].repositories[0].revisions
    assert (found.comes_to, revision.corrupt_count, revision.problems[0].path) == (3, 0, "config.json")


def test_a_gate_that_is_away_makes_nothing_fine(tmp_path: Path) -> None:
    repository = put(tmp_path)
    assert checked(tmp_path, None, away="no answer").comes_to == 2
    (repository / "blobs" / blob_name("", SMALL)).write_bytes(b"")
    assert checked(tmp_path, None, away="no answer").comes_to == 1


def test_a_gate_is_asked_for_many_at_once(tmp_path: Path) -> None:
    for at in range(3):
        put(tmp_path, commit=f"{at:040x}", files={"a": SMALL}, refs=())
    put(tmp_path / "again", commit=f"{0:040x}", refs=())
    names = list_names([str(tmp_path), str(tmp_path / "again")])
    assert len(names) == 3

    def answer(body: Any) -> Any:
        said = [{**each, "standing": "revoked", "of": "revocation", "outcome": "reject", "by": "zoe", "at": 1, "reason": "x"} for each in body["revisions"]]  # fmt: skip
        return {"project": "/a", "standings": said}

    gate = Gate(answer, answer)
    project, found = ask_gate(gate, [("model", "m", f"{at:040x}") for at in range(700)])
    assert (project, len(found), [len(body["revisions"]) for _, _, body in gate.sent]) == ("/a", 700, [500, 200])
    assert gate.sent[1][2]["project"] == "/a"
    with pytest.raises(UnreachableError):
        ask_gate(Gate(RefusedError(503, "later")), names)
    with pytest.raises(RefusedError, match="may see no project"):
        ask_gate(Gate(RefusedError(403, "may see no project")), names)
    strange: Any
    for strange in ({}, [], {"project": "/", "standings": []}, {"project": "/", "standings": [{}] * 3}):
        with pytest.raises(RefusedError, match="answers as none does"):
            ask_gate(Gate(strange), names)
