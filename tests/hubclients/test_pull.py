"""Real clients pull models through the gate, byte for byte; nothing at their side but ``HF_ENDPOINT``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.hubclients.clients import HUBS, PLACE, Client, command, environment, is_made
from tests.hubclients.conftest import bytes_in, sha256
from tests.hubproxy.running import Running
from tests.hubproxy.shelf import Shelf

from openvet.gate.answers import Refusal, RefusedError, Repository


@pytest.fixture
def hub(client: Client) -> Client:
    return client


def test_a_snapshot(hub: Client, files: dict[str, bytes], tmp_path: Path) -> None:
    found = hub.value("snapshot", repo_id="org/model", cache_dir=str(tmp_path / "cache"))
    assert found == {path: sha256(data) for path, data in files.items()}
    local = hub.value("snapshot", repo_id="org/model", local_dir=str(tmp_path / "local"))
    assert local == found


def test_patterns_and_folders(hub: Client, files: dict[str, bytes], tmp_path: Path) -> None:
    asked = {"repo_id": "org/model", "cache_dir": str(tmp_path)}
    assert set(hub.value("snapshot", allow_patterns=["sub/*"], **asked)) == {"sub/dir/a b.txt", "sub/\u00e9#?.txt"}
    some = hub.value("snapshot", ignore_patterns=["*.safetensors"], repo_id="org/model", cache_dir=str(tmp_path / "2"))
    assert set(some) == {*files} - {"model.safetensors"}


@pytest.mark.parametrize(
    "path", ["config.json", "empty.txt", "model.safetensors", "sub/dir/a b.txt", "sub/\u00e9#?.txt"]
)
def test_one_file(path: str, hub: Client, files: dict[str, bytes], tmp_path: Path) -> None:
    found = hub.value("download", repo_id="org/model", filename=path, cache_dir=str(tmp_path))
    assert found == sha256(files[path])


def test_one_segment_revisions_and_data_sets(hub: Client, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("gpt2", {"config.json": b"{1}"}, revision="refs/pr/1")
    shelf.put("gpt2", {"config.json": b"{2}"})
    shelf.put("squad", {"x.csv": b"a,b\n"}, kind="dataset")
    shelf.put("org/data", {"config.json": b"c,d\n"}, kind="dataset")
    here = {"cache_dir": str(tmp_path)}
    assert hub.value("download", repo_id="gpt2", filename="config.json", revision="refs/pr/1", **here) == sha256(b"{1}")
    assert hub.value("download", repo_id="gpt2", filename="config.json", **here) == sha256(b"{2}")
    assert hub.value("snapshot", repo_id="squad", repo_type="dataset", **here) == {"x.csv": sha256(b"a,b\n")}
    found = hub.value("snapshot", repo_id="org/data", repo_type="dataset", **here)
    assert found == {"config.json": sha256(b"c,d\n")}
    commit = shelf.names[Repository("model", "gpt2"), "main"]
    assert hub.value("download", repo_id="gpt2", filename="config.json", revision=commit, **here) == sha256(b"{2}")


def test_a_file_system(hub: Client, files: dict[str, bytes]) -> None:
    found = hub.value("file_system", path="org/model/model.safetensors", start=1000, stop=5000)
    data = files["model.safetensors"]
    assert bytes.fromhex(found["part"]) == data[1000:5000]
    assert found["whole"] == sha256(data)
    assert set(found["found"]) == {f"org/model/{path}" for path in files}
    assert set(found["listed"]) == {
        f"org/model/{name}" for name in ("config.json", "empty.txt", "model.safetensors", "sub")
    }


def test_the_api(hub: Client, shelf: Shelf, files: dict[str, bytes]) -> None:
    found = hub.value("api", repo_id="org/model")
    commit = shelf.names[Repository("model", "org/model"), "main"]
    assert found["sha"] == commit
    assert found["siblings"] == found["files"] == sorted(files)
    assert found["sizes"] == {path: len(data) for path, data in files.items()}
    assert found["tree"] == sorted([*files, "sub", "sub/dir"])
    assert found["paths"] == ["RepoFile config.json", "RepoFolder sub"]
    assert found["branches"] == [commit]
    assert found["there"] == [True, False]
    assert "org/model" in found["listed"]


def test_a_list_of_many_pages(hub: Client, shelf: Shelf) -> None:
    many = {f"part-{at:05}.txt": b"%d" % at for at in range(2300)}
    shelf.put("org/many", {"config.json": b"{}", **many})
    found = hub.value("api", repo_id="org/many")
    assert found["tree"] == found["siblings"] == sorted([*many, "config.json"])


def test_a_cut_transfer_goes_on_where_it_ended(
    hub: Client, server: Running, files: dict[str, bytes], tmp_path: Path
) -> None:
    """As the client leaves it: a part of a file under the name that it looks for."""
    data = files["model.safetensors"]
    blobs = tmp_path / "models--org--model" / "blobs"
    blobs.mkdir(parents=True)
    part = blobs / f"{sha256(data)}.incomplete"
    part.write_bytes(data[:1_000_000])
    before = len(server.notes)
    found = hub.value("download", repo_id="org/model", filename="model.safetensors", cache_dir=str(tmp_path))
    assert found == sha256(data)
    sent = [each for each in server.notes[before:] if each.method == "GET"]
    # newer clients write to a name of their own, and start anew
    assert [(each.status, each.sent) for each in sent] in ([(206, 2_000_000)], [(200, 3_000_000)])


class Cutter:
    """In front of a server: cuts the first connections that bring more than so many bytes, and lets later ones through."""

    def __init__(self, port: int, most: int, times: int) -> None:
        self._port, self._most, self.times = port, most, times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._port))
            threading.Thread(target=self._pass, args=(client, server), daemon=True).start()
            threading.Thread(target=self._bring, args=(server, client), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def _bring(self, source: socket.socket, target: socket.socket) -> None:
        brought = 0
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(1 << 16):
                brought += len(data)
                if brought > self._most and self.times > 0:
                    self.times -= 1
                    target.sendall(data[: len(data) // 2])
                    target.shutdown(socket.SHUT_RDWR)  # in the middle of a body
                    return
                target.sendall(data)


@pytest.mark.parametrize("name", HUBS)
def test_a_connection_that_breaks_in_a_body(name: str, server: Running, shelf: Shelf, tmp_path: Path) -> None:
    """Clients write blocks of 10 MB, and go on behind the last that they have: at once, or, the oldest, when they are started again."""
    if not is_made(name):
        pytest.skip(f"the environment {name} is not there; make clients makes it")
    data = os.urandom(33_000_000)
    shelf.put("org/long", {"model.safetensors": data})
    asked = {"repo_id": "org/long", "filename": "model.safetensors", "cache_dir": str(tmp_path)}
    before = len(server.notes)
    with contextlib.closing(Cutter(server.port, 12_000_000, 2)) as cutter, Client(name, cutter.url, tmp_path, DRIVER_NEVER_SLEEPS="1") as client:  # fmt: skip
        for _ in range(3 if name == "hub-0" else 1):
            told = client.ask("download", **asked)
        assert told["value"] == sha256(data)
        assert cutter.times == 0
    until = time.monotonic() + 5
    while len(server.notes) - before < 4 and time.monotonic() < until:
        time.sleep(0.02)
    kinds = sorted(each.status for each in server.notes[before:] if each.method == "GET")
    assert kinds == [200, 206, 206], "it goes on where it was cut, and does not begin anew"


def test_uploads_are_refused_in_a_sentence(hub: Client, files: dict[str, bytes]) -> None:
    told = hub.ask("upload", repo_id="org/model")
    assert "Nothing is uploaded here" in told["said"]


# --- hf ---

HF = pytest.mark.skipif(not is_made("hub-2"), reason="the environment hub-2 is not there; make clients makes it")


@HF
def test_hf_download_and_verify(server: Running, shelf: Shelf, files: dict[str, bytes], tmp_path: Path) -> None:
    done = command("hub-2", server.url, tmp_path, "download", "org/model", "--local-dir", "here")
    assert done.returncode == 0, done.stderr
    found = {path: data for path, data in bytes_in(tmp_path / "here").items() if not path.startswith(".cache")}
    assert found == files
    assert command("hub-2", server.url, tmp_path, "download", "org/model").returncode == 0
    done = command("hub-2", server.url, tmp_path, "cache", "verify", "org/model")
    assert done.returncode == 0, done.stderr
    blob = tmp_path / "hf/hub/models--org--model/blobs" / sha256(files["model.safetensors"])
    blob.write_bytes(b"\0" + files["model.safetensors"][1:])
    done = command("hub-2", server.url, tmp_path, "cache", "verify", "org/model")
    assert done.returncode != 0
    assert "model.safetensors" in done.stdout + done.stderr


@HF
def test_hf_shows_the_reason(server: Running, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("org/bad", {"model.bin": b"x"})
    for why in (Refusal.NOT_APPROVED, Refusal.REVOKED):
        shelf.refused[Repository("model", "org/bad")] = RefusedError(
            why, "org/bad runs code when it is loaded; ask security"
        )
        done = command("hub-2", server.url, tmp_path, "download", "org/bad")
        assert done.returncode == 1
        assert "org/bad runs code when it is loaded; ask security" in done.stdout + done.stderr


# --- Transformers ---

TORCH = pytest.mark.skipif(
    not is_made("transformers"),
    reason="Transformers and PyTorch are not there; make clients installs them where they can be had",
)


@TORCH
def test_from_pretrained(server: Running, shelf: Shelf, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    with Client("transformers", server.url, tmp_path) as client:
        weights = client.value("make_model", folder=str(made))
        shelf.put("org/tiny", bytes_in(made))
        asked = {"repo_id": "org/tiny", "cache_dir": str(tmp_path / "cache")}
        assert client.value("pretrained", **asked) == weights
        assert client.value("tokenizer", **asked) == ["hello", "world"]


# --- JavaScript ---

NODE = shutil.which("node")
JAVASCRIPT = pytest.mark.skipif(
    NODE is None or not is_made("js"), reason="@huggingface/hub is not there; make clients installs it"
)


def javascript(server: Running, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = PLACE / "js" / "driver.mjs"
    return subprocess.run(
        [str(NODE), str(script), server.url, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
    )


@JAVASCRIPT
def test_javascript(server: Running, shelf: Shelf, files: dict[str, bytes], tmp_path: Path) -> None:
    files = {
        path: data for path, data in files.items() if "#" not in path
    }  # it writes such a name into the URL as it is
    shelf.put("org/plain", files)
    done = javascript(server, "org/plain", "model.safetensors", str(tmp_path))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])  # it says itself what it does, on standard output
    assert told["files"] == sorted(files)
    assert told["sha256"] == sha256(files["model.safetensors"])
    assert told["info"]["size"] == len(files["model.safetensors"])
    assert told["info"]["etag"] == f'"{sha256(files["model.safetensors"])}"'
    assert told["snapshot"] == {path: sha256(data) for path, data in files.items()}
    assert told["none"] is None


@JAVASCRIPT
def test_javascript_shows_the_reason(server: Running, shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("org/bad", {"model.bin": b"x"})
    for why in (Refusal.NOT_APPROVED, Refusal.REVOKED):
        shelf.refused[Repository("model", "org/bad")] = RefusedError(
            why, "org/bad runs code when it is loaded; ask security"
        )
        done = javascript(server, "org/bad", "model.bin", str(tmp_path))
        assert done.returncode == 1
        assert "org/bad runs code when it is loaded; ask security" in done.stderr


def test_every_client_is_tried() -> None:
    """A session without the environments tests little: it says so, and does not pass for one that has them."""
    missing = [name for name in (*HUBS, "js") if not is_made(name)]
    if missing:
        pytest.skip(f"not there: {', '.join(missing)}; make clients makes them")


def test_a_client_knows_of_nothing_but_our_server(tmp_path: Path) -> None:
    found = environment("http://gate", tmp_path)
    assert found["HF_ENDPOINT"] == "http://gate"
    assert not [each for each in found if "TOKEN" in each]
