"""``openvet serve`` as a process: the real gate behind the real door, its configuration, its folder, its end."""

from __future__ import annotations

import http.client
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from openvet.cli import main
from openvet.errors import ConfigError, UsageError
from openvet.gate.hooks import EVENTS
from openvet.gate.provider import GroupRole, ProviderSettings
from openvet.gate.roles import Role
from openvet.gate.settings import HOUR, Hook
from openvet.hubproxy.config import HUB, ServeConfig, load_serve_config
from openvet.hubproxy.serve import claimed
from openvet.listening.sockets import is_loopback


class Shout:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo hi",)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder of two models, of which one runs something when it is loaded."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [16 << 20], "data_offsets": [0, 16 << 20]}}).encode()
    good = tmp_path / "models" / "org" / "good"
    good.mkdir(parents=True)
    (good / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(16 << 20))
    (good / "config.json").write_text("{}")
    (good / "README.md").write_text("---\nlicense: apache-2.0\n---\n# good\n")
    bad = tmp_path / "models" / "org" / "bad"
    bad.mkdir()
    (bad / "pytorch_model.bin").write_bytes(pickle.dumps(Shout()))
    return tmp_path / "models"


class Served:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self.errors = errors
        self.greeting = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.greeting += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"export HF_ENDPOINT=(http://127\.0\.0\.1:(\d+))\n", self.greeting)
        assert found, self.greeting + errors.read_text()
        self.url, self.port = found[1], int(found[2])

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, headers={"User-Agent": "x; hf_hub/2.4.0", **headers})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def pull(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """As a client does: again and again where it is told to wait."""
        for _ in range(10):
            found = self.ask(path)
            if found[0] != 503:
                break
            time.sleep(0.5)
        return found


@contextmanager
def served(tmp_path: Path, *arguments: str) -> Iterator[Served]:
    errors = tmp_path / "errors"
    command = [sys.executable, "-m", "openvet", "serve", "--port", "0", *arguments]
    with errors.open("w") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, cwd=tmp_path)
    try:
        yield Served(process, errors)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(40) == 0, errors.read_text()
        finally:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()


def test_a_good_model_is_pulled_and_a_bad_one_refused(models: Path, tmp_path: Path) -> None:
    with served(tmp_path, "--data", "data", "--upstream", str(models), "--log", "json") as server:
        assert str(models) in server.greeting
        status, _, body = server.pull("/org/good/resolve/main/model.safetensors")
        assert status == 200
        assert body == (models / "org/good/model.safetensors").read_bytes()
        status, headers, _ = server.pull("/org/bad/resolve/main/pytorch_model.bin")
        assert (status, headers["x-error-code"]) == (403, "GatedRepo")
        assert "runs-process" in headers["x-error-message"]
        assert [each["id"] for each in json.loads(server.ask("/api/models")[2])] == ["org/good"]
        assert server.ask("/api/models/org/good", Host="evil.example")[0] == 421
        assert server.ask("/api/models/org/good", Host=f"localhost:{server.port}")[0] == 200
        with pytest.raises(UsageError, match=f"process {server.process.pid}"), claimed(str(tmp_path / "data")):
            pass
    lines = [json.loads(each) for each in server.errors.read_text().splitlines()]
    assert all(each["event"] in {"request", "log"} for each in lines)
    assert {"ready", "not-approved"} <= {each.get("outcome") for each in lines}
    # what was decided is there when it is started again
    with served(tmp_path, "--data", "data", "--upstream", str(models)) as server:
        assert server.ask("/org/good/resolve/main/config.json")[0] == 200


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_running_transfer_is_finished(kind: signal.Signals, models: Path, tmp_path: Path) -> None:
    size = (models / "org/good/model.safetensors").stat().st_size
    with served(tmp_path, "--data", "data", "--upstream", str(models)) as server:
        server.pull("/org/good/resolve/main/config.json")
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(b"GET /org/good/resolve/main/model.safetensors HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = len(client.recv(1000))
            server.process.send_signal(kind)
            time.sleep(0.5)
            with pytest.raises(OSError, match=r"refused|reset"):
                socket.create_connection(("127.0.0.1", server.port), timeout=1).recv(1)
            while block := client.recv(1 << 20):
                got += len(block)
        assert got > size
        assert server.process.wait(20) == 0


def test_folders_that_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="not empty, and no folder of a server"), claimed(str(tmp_path / "other")):
        pass
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot be used"), claimed(str(tmp_path / "file")):
        pass
    with claimed(str(tmp_path / "new")):
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0
        with pytest.raises(UsageError, match="another server"), claimed(str(tmp_path / "new")):
            pass
    with claimed(str(tmp_path / "new")):
        pass


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--upstream", "no-such-folder"], "neither a folder nor a URL"),
        (["--upstream", "ftp://x"], "of the kind ftp"),
        (["--host", "no such host", "--upstream", "."], "cannot listen"),
        (["--host", "203.0.113.7", "--upstream", "."], "cannot listen"),
        (["--config", "none.toml"], "cannot be read"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, ["serve", "--data", str(tmp_path / "data"), "--port", "0", *arguments])
    assert found.exit_code == 2
    assert said in found.stderr
    assert "fault" not in found.stderr


def test_itself_is_no_upstream(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = [
        "serve",
        "--data",
        str(tmp_path / "data"),
        "--port",
        str(port),
        "--upstream",
        f"http://127.0.0.1:{port}",
    ]
    found = CliRunner().invoke(main, arguments)
    assert (found.exit_code, "this server itself" in found.stderr) == (2, True), found.stderr


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys, importlib.util as util\nreal = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name in {'uvicorn', 'fastapi'} else real(name, *more)\n"
        "from openvet.cli import main\nmain(['serve'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'openvet[server]'" in done.stderr
    assert "fastapi, uvicorn" in done.stderr


# --- serve.toml ---

WHOLE = """
[server]
host = "0.0.0.0"
port = 80
url = "https://models.example/"
proxies = ["10.0.0.2"]
nginx = "/files/"
log = "json"
metrics = ["10.0.0.0/8", "::1"]
grace-seconds = 5
[data]
folder = "var"
database = "postgresql+psycopg://gate@db/gate"
keep = "2G"
idle-days = 90
[[upstream]]
url = "https://hub.example"
token-file = "token"
[[upstream]]
folder = "models"
[policy]
packs = ["baseline", "packs/ours"]
review-admits = true
main-is-admitted = true
cooldown-hours = 72
revocations-days = 30
[vetting]
whole = "1G"
small = 1000
workers = 3
[[webhook]]
url = "https://chat.example/hook"
secret-file = "secret"
events = ["request.asked"]
[[webhook]]
url = "http://127.0.0.1:8080/"
secret-file = "secret"
"""


def test_a_whole_configuration(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("hf_secret\n")
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    (tmp_path / "serve.toml").write_text(WHOLE)
    found = load_serve_config(str(tmp_path / "serve.toml"))
    assert (found.host, found.port, found.url, found.log, found.grace) == (
        "0.0.0.0",
        80,
        "https://models.example",
        "json",
        5,
    )
    assert (found.data, found.workers, found.proxies) == (str(tmp_path / "var"), 3, ("10.0.0.2",))
    assert (found.keep, found.idle) == (2 << 30, 90 * 24 * HOUR)
    assert found.nginx == "/files"
    assert found.metrics == ("10.0.0.0/8", "::1")
    assert [(each.url, each.folder, each.token) for each in found.upstreams] == [
        ("https://hub.example", "", "hf_secret"),
        ("", str(tmp_path / "models"), ""),
    ]
    settings = found.settings
    assert settings.packs == ("baseline", str(tmp_path / "packs/ours"))
    assert (settings.review_admits, settings.main_is_admitted, settings.cooldown) == (True, True, 72 * HOUR)
    assert settings.revocations == 30 * 24 * HOUR
    assert (settings.whole, settings.small) == (1 << 30, 1000)
    secret = bytes.fromhex("31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0")
    assert settings.hooks == (
        Hook("https://chat.example/hook", secret, ("request.asked",)),
        Hook("http://127.0.0.1:8080/", secret, EVENTS),
    )


def test_a_provider(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(0o600)
    (tmp_path / "secret").write_text("hush\n")
    (tmp_path / "serve.toml").write_text(
        """[oidc]
issuer = "https://login.example/realms/acme"
client-id = "openvet"
client-secret-file = "secret"
scopes = ["profile", "groups"]
name = "Acme"
groups-claim = "groups"
create = false
only = true
[[oidc.role]]
group = "ml-approvers"
role = "approver"
project = "/vision"
"""
    )
    found = load_serve_config(str(tmp_path / "serve.toml")).company
    assert found == ProviderSettings(
        "https://login.example/realms/acme", "openvet", "hush", ("openid", "profile", "groups"), "Acme", "", "groups",
        (GroupRole("ml-approvers", Role.APPROVER, "/vision"),), False, True,
    )  # fmt: skip


def test_an_admin_who_is_locked_out_gets_a_link(models: Path, tmp_path: Path) -> None:
    arguments = ["serve", "--data", str(tmp_path / "data"), "--recover", "admin"]
    found = CliRunner().invoke(main, arguments)
    assert (found.exit_code, "no folder of a server" in found.stderr) == (2, True)
    assert not (tmp_path / "data").exists()
    with served(tmp_path, "--data", "data", "--upstream", str(models)) as server:  # it may run meanwhile
        found = CliRunner().invoke(main, arguments)
        assert found.exit_code == 0, found.stderr
        link = re.search(r"http://127\.0\.0\.1:8470(/openvet/welcome\?invitation=r\.[\w-]{43})", found.stdout)
        assert link
        assert server.ask(link[1])[0] == 200
        assert CliRunner().invoke(main, [*arguments[:-1], "who"]).exit_code == 2


def test_nothing_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text("")
    found = load_serve_config(str(tmp_path / "serve.toml"))
    assert found == ServeConfig()
    assert (found.host, found.port, found.upstreams[0].url) == ("127.0.0.1", 8470, HUB)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 80", ":2: unknown key 'prot' in [server]; did you mean port?"),
        ("[server]\nport = 70000", ":2: port must be a whole number from 0 to 65,535"),
        ("[server]\nport = true", ":2: port must be"),
        ("[server]\nhost = 5", ":2: host must be a text"),
        ("[server]\nlog = 'loud'", ":2: log must be one of text, json"),
        ("[server]\nurl = 'models.example'", ":2: url: has to start with https://"),
        ("[server]\nproxies = '10.0.0.1'", ":2: proxies must be a list"),
        ("[server]\nmetrics = ['everybody']", ":2: 'everybody' is no address or network"),
        ("[server]\nnginx = 'files'", ":2: nginx must be the prefix of an internal location"),
        ("[server]\nnginx = '/files'", ":2: nginx needs proxies"),
        ("[[upstream]]\nurl = 'https://a'\nfolder = '.'", ":1: an upstream is given by one of"),
        ("[[upstream]]\nfolder = 'none'", "is no folder"),
        ("[[upstream]]\nfolder = '.'\ntoken-file = 'x'", "a folder needs no token"),
        ("[[upstream]]\nurl = 'https://a'\ntoken-file = 'none'", ":3: "),
        ("[[upstream]]\nurl = 'https://a'\ntoken-file = 'open'", "may be read by others; chmod 600"),
        ("upstream = []", ":1: there is no upstream"),
        ("upstream = 'x'", ":1: upstream must be a list of tables; write [[upstream]]"),
        ("[policy]\nreview-admits = 'yes'", ":2: review-admits must be true or false"),
        ("[policy]\nconfig = 'none.toml'", ":2: config: "),
        ("[vetting]\nwhole = 'much'", ":2: whole: the value must be"),
        (
            "[[webhook]]\nurl = 'http://chat.example/'\nsecret-file = 'hook'",
            ":2: url: http://chat.example/ has to start with https://",
        ),
        ("[[webhook]]\nsecret-file = 'hook'", ":1: webhook needs url"),
        ("[[webhook]]\nurl = 'https://a/'", ":1: a webhook needs a secret-file"),
        (
            "[[webhook]]\nurl = 'https://a/'\nsecret-file = 'hook'\nevents = ['x']",
            ":4: there is no event 'x': decision.made",
        ),
        ("[[webhook]]\nurl = 'https://a/'\nsecret-file = 'short'", ":3: "),
        ("[[webhook]]\nurl = 'https://a/'\nsecret-file = 'open'", "may be read by others; chmod 600"),
        (
            "[[webhook]]\nurl = 'https://a/'\nsecret-file = 'hook'\n[[webhook]]\nurl = 'https://a/'\nsecret-file = 'hook'",
            ":5: https://a/ is told already",
        ),
        ("[oidc]\nclient-id = 'x'", ":1: oidc needs issuer"),
        (
            "[oidc]\nissuer = 'http://login.example'\nclient-id = 'x'",
            ":2: issuer: http://login.example has to start with https://",
        ),
        ("[oidc]\nissuer = 'https://login.example?a'\nclient-id = 'x'", ":2: issuer: an issuer has no query"),
        (
            "[oidc]\nissuer = 'https://a'\nclient-id = 'x'\nclient-secret-file = 'open'",
            "may be read by others; chmod 600",
        ),
        ("[oidc]\nissuer = 'https://a'\nclient-id = 'x'\nscopes = ['a b']", ":4: scopes must be a list of words"),
        (
            "[oidc]\nissuer = 'https://a'\nclient-id = 'x'\n[[oidc.role]]\ngroup = 'g'\nrole = 'king'",
            ":6: role must be one of viewer",
        ),
        (
            "[oidc]\nissuer = 'https://a'\nclient-id = 'x'\n[[oidc.role]]\ngroup = 'g'\nrole = 'admin'",
            "needs groups-claim",
        ),
        ("[server\n", ":1: is not TOML"),
        ("password = 'x'", ":1: unknown key 'password'"),
    ],
)
def test_problems_are_named_with_their_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "open").write_text("hf_secret")
    (tmp_path / "open").chmod(0o644)
    for name, text_ in (("hook", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), ("short", "whsec_c2hvcnQ=")):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(text_)
    (tmp_path / "serve.toml").write_text(text)
    with pytest.raises(ConfigError) as found:
        load_serve_config(str(tmp_path / "serve.toml"))
    assert "serve.toml" in str(found.value)
    assert said in str(found.value)
    assert "hf_secret" not in str(found.value)


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("x", False),
    ],
)
def test_this_machine_alone(host: str, is_one: bool) -> None:
    assert is_loopback(host) == is_one
