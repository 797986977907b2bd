"""A child that stays answers what it is asked, and is gone when it says anything else, or nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from openvet.errors import SandboxError
from openvet.sandbox.interpreter import interpreter_at
from openvet.sandbox.levels import LADDER, missing
from openvet.sandbox.session import AskedError, EndedError, Session
from openvet.sandbox.supervisor import Bounds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="models are run on Linux alone")
LEVEL = next(each for each in LADDER if each.id == "2")
CHILD = """
import os, time
def prepare(request):
    def do(said):
        if request["what"] == "ends":
            os._exit(7)
        if request["what"] == "cannot":
            said.say("failed", "no such \\x1b[31m model")
            time.sleep(60)
        said.say("ready", {"here": True})
        while True:
            asked = said.hear()
            kind = asked["kind"]
            if kind == "close":
                if request["what"] == "stays":
                    time.sleep(60)
                return
            if kind == "parts":
                for number in range(asked["parts"]):
                    said.say("piece", number)
                    if said.called():
                        said.hear()
                        break
                said.say("reply", number)
            elif kind == "flood":
                said.say("reply", "one")
                while True:
                    said.say("reply", "x" * 1000)
            elif kind == "phases":
                while True:
                    said.say("phase", "load")
            elif kind == "nest":
                os.write(said._channel, b'["reply", [' + b"[]," * 400_000 + b"[]]]\\n")
            elif kind == "endless line":
                while True:
                    os.write(said._channel, b"x" * 65536)
            elif kind == "deaf":
                time.sleep(60)
            elif kind == "exit":
                os._exit(3)
            elif kind == "wrong":
                said.say("failed", "it is " + "long " * 1000)
            elif kind == "bytes":
                os.write(said._channel, bytes.fromhex(asked["bytes"]) + b"\\n")
                time.sleep(60)
            else:
                said.say("reply", asked)
    return do
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose packages hold the child."""
    folder = tmp_path_factory.mktemp("python")
    base = Path(sys.executable).resolve()
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = {sys.version.split()[0]}\n")
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (site / "staying.py").write_text(CHILD)
    return folder / "bin" / "python"


@pytest.fixture
def opened(python: Path) -> Iterator[Callable[..., Session]]:
    if missing(LEVEL):
        pytest.skip(missing(LEVEL))
    made: list[Session] = []

    def open_it(what: str = "", seconds: float = 20.0, started: Callable[[int], None] | None = None) -> Session:
        work = {"work": "staying", "what": what}
        bounds = Bounds(seconds=seconds, cpu_seconds=1000)
        made.append(Session(work, LEVEL, bounds, python=interpreter_at(str(python)), started=started))
        return made[-1]

    yield open_it
    for each in made:
        each.kill()
        assert not each.alive


def test_it_answers_and_ends(opened: Callable[..., Session]) -> None:
    numbers: list[int] = []
    session = opened(started=numbers.append)
    assert session.facts == {"here": True}
    assert session.ask({"kind": "echo", "text": "ü"}) == {"kind": "echo", "text": "ü"}
    parts: list[Any] = []

    def take(part: Any) -> bool:
        parts.append(part)
        return True

    assert session.ask({"kind": "parts", "parts": 5}, take) == 4
    assert parts == [0, 1, 2, 3, 4]
    run = session.close()
    assert run is not None
    assert run.answered
    assert len(numbers) == 1
    assert not Path(f"/proc/{numbers[0]}").exists()
    with pytest.raises(EndedError, match="gone"):
        session.ask({"kind": "echo"})


def test_who_has_heard_enough_stops_it(opened: Callable[..., Session]) -> None:
    session = opened()
    assert session.ask({"kind": "parts", "parts": 10_000}, lambda each: each < 3) < 9_999
    assert session.ask({"kind": "echo"}) == {"kind": "echo"}


def test_what_it_cannot_is_said_and_it_goes_on(opened: Callable[..., Session]) -> None:
    session = opened()
    with pytest.raises(AskedError, match="it is long") as error:
        session.ask({"kind": "wrong"})
    assert len(str(error.value)) == 1000
    assert session.ask({"kind": "echo"}) == {"kind": "echo"}


def test_what_cannot_be_loaded(opened: Callable[..., Session]) -> None:
    with pytest.raises(AskedError) as error:
        opened("cannot")
    assert "\x1b" not in str(error.value)
    with pytest.raises(EndedError, match="ended with 7"):
        opened("ends")


def test_seconds_count_while_it_is_asked(opened: Callable[..., Session]) -> None:
    session = opened(seconds=5.0)
    time.sleep(0.3)
    assert session.ask({"kind": "echo"}, seconds=3.0) == {"kind": "echo"}
    began = time.monotonic()
    with pytest.raises(EndedError, match=r"the limit seconds \(0.5\) was reached") as late:
        session.ask({"kind": "deaf"}, seconds=0.5)
    assert late.value.late
    assert time.monotonic() - began < 5.0
    with pytest.raises(EndedError, match="gone"):
        session.ask({"kind": "echo"})


@pytest.mark.parametrize("kind", ["flood", "phases", "endless line", "nest", "exit"])
def test_what_says_too_much_or_the_wrong_thing_is_gone(opened: Callable[..., Session], kind: str) -> None:
    session = opened()
    try:
        assert session.ask({"kind": kind}, seconds=20.0) == "one"
    except EndedError:
        assert kind != "flood"
    began = time.monotonic()
    session.kill()
    assert not session.alive
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    "line",
    [b"", b"[]", b"{}", b"no", b'["reply"]', b'["reply", 1, 2]', b'["piece", 1]', b'["ready", 1]', b'["confined", [], ""]', b"\xff", b"[" * 100_000],
)  # fmt: skip
def test_what_no_child_of_ours_says_ends_it(opened: Callable[..., Session], line: bytes) -> None:
    session = opened()
    with pytest.raises(EndedError):
        session.ask({"kind": "bytes", "bytes": line.hex()}, seconds=20.0)
    session._thread.join(10.0)
    assert not session.alive


def test_who_sends_more_than_it_reads_is_told(opened: Callable[..., Session]) -> None:
    """The child sleeps, its socket is full, and its time ends while somebody still sends."""
    session = opened()
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            session.ask({"kind": "deaf", "more": "x" * 8_000_000}, seconds=1.0)
        except SandboxError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(20.0)
    assert [type(each) for each in failed] == [EndedError]


def test_what_does_not_end_is_ended(opened: Callable[..., Session]) -> None:
    session = opened("stays")
    began = time.monotonic()
    session.close()
    assert not session.alive
    assert 3.0 < time.monotonic() - began < 9.0


def test_whoever_is_interrupted_leaves_no_child(opened: Callable[..., Session]) -> None:
    session = opened()

    def interrupt(_: Any) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.ask({"kind": "parts", "parts": 3}, interrupt)
    assert not session.alive


def test_a_start_that_fails_leaves_no_child(opened: Callable[..., Session]) -> None:
    numbers: list[int] = []

    def refuse(number: int) -> None:
        numbers.append(number)
        raise SandboxError("no place for it")

    with pytest.raises(EndedError, match="no place for it"):
        opened(started=refuse)
    assert not Path(f"/proc/{numbers[0]}").exists()
