"""Behind nginx, which sends the files: what docs/guide/hub.md tells to write is what is tried here, where nginx is installed."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openvet.gate.answers import Refusal, RefusedError, Repository
from tests.hubproxy.running import Running
from tests.hubproxy.shelf import Shelf

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "hub.md"
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed here")
DATA = bytes(range(256)) * 8192
AROUND = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 128; }}
http {{
  access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  {inside}
}}
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "files").mkdir()
    made = Shelf(tmp_path / "files")
    made.put("org/model", {"model.safetensors": DATA, "sub/a b.txt": b"hello", "empty.txt": b""}, revision="refs/pr/1")
    return made


@pytest.fixture
def port(shelf: Shelf, tmp_path: Path) -> Iterator[int]:
    """nginx with the server of the guide, in front of ours."""
    told = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert told
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with Running(shelf, handed=(str(shelf.folder), "/openvet-files")) as ours:
        inside = re.sub(r"listen 443 ssl;.*?server_name [^;]*;", f"listen 127.0.0.1:{port};", told[1], flags=re.DOTALL)
        inside = re.sub(r"\s*ssl_\w+ [^;]*;", "", inside)
        inside = inside.replace("127.0.0.1:8470", f"127.0.0.1:{ours.port}").replace(
            "/var/lib/openvet/blobs/", f"{shelf.folder}/"
        )
        settings = tmp_path / "nginx.conf"
        settings.write_text(AROUND.format(folder=tmp_path, inside=inside))
        process = subprocess.Popen([str(NGINX), "-c", str(settings)], stderr=subprocess.PIPE)
        try:
            for _ in range(200):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=10)


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_nginx_sends_the_files_with_our_headers(port: int, shelf: Shelf) -> None:
    url = "/org/model/resolve/refs%2Fpr%2F1/model.safetensors"
    told = ask(port, "HEAD", url)[1]
    status, headers, body = ask(port, "GET", url)
    assert (status, body) == (200, DATA)
    same = (
        "x-repo-commit",
        "etag",
        "x-linked-etag",
        "x-linked-size",
        "content-length",
        "content-disposition",
        "accept-ranges",
    )
    assert {name: headers.get(name) for name in same} == {name: told[name] for name in same}
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert "x-accel-redirect" not in headers
    status, headers, body = ask(port, "GET", url, Range="bytes=1000-1999")
    assert (status, body) == (206, DATA[1000:2000])
    assert headers["content-range"] == f"bytes 1000-1999/{len(DATA)}"
    assert ask(port, "GET", url, **{"If-None-Match": told["etag"]})[0] == 304
    assert ask(port, "GET", url, Range="bytes=99999999-")[0] == 416
    assert ask(port, "GET", "/org/model/resolve/refs%2Fpr%2F1/sub/a%20b.txt")[2] == b"hello"
    assert ask(port, "GET", "/org/model/resolve/refs%2Fpr%2F1/empty.txt")[2] == b""
    assert len(shelf.given) >= 3


def test_nobody_reaches_the_files_past_the_gate(port: int, shelf: Shelf) -> None:
    name = next(shelf.folder.iterdir()).name
    assert ask(port, "GET", f"/openvet-files/{name}")[0] == 404
    shelf.refused[Repository("model", "org/model")] = RefusedError(Refusal.NOT_APPROVED, "it is hostile")
    status, headers, _ = ask(port, "GET", "/org/model/resolve/refs%2Fpr%2F1/model.safetensors")
    assert (status, headers["x-error-code"], headers["x-error-message"]) == (403, "GatedRepo", "it is hostile")
