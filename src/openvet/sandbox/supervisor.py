"""Starting a child that runs a framework at a level of the ladder, watching it from outside, and ending it.

What happens in the child is noted with the phase that it says it is in. What it says itself (``audit``) can be forged by code that runs in it, and
silenced; what the kernel says of it (``kernel``) cannot, nor what its sockets sent (``network``). Seconds are measured here.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import SandboxError, UsageError
from openvet.sandbox import levels
from openvet.sandbox.confine import machine
from openvet.sandbox.gvisor import gvisor
from openvet.sandbox.interpreter import Interpreter, our_interpreter
from openvet.sandbox.levels import Level
from openvet.sandbox.no_network import NoNetwork
from openvet.sandbox.told import Asked, Listener

__all__ = ["AFTER", "PREPARE", "TO_END", "Bounds", "Child", "Event", "MiB", "Phase", "Run", "places", "run"]

MiB: Final = 1024 * 1024
_EVENTS: Final = 4000
_OUTPUT: Final = 64 * 1024
_LINE: Final = 256 * 1024
_SAID: Final = 32 * MiB
_HOME: Final = "/home/user"
_OURS: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: Our own code comes last: the packages of the interpreter are its own.
_BEGIN: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); import openvet.sandbox; del sys.path[0]; "
    "from openvet.sandbox.shim import main; main(int(sys.argv[2]))"
)
_FILES_WRITTEN: Final = 256
_PHASES: Final = 64
_SCRATCH: Final = 256 * MiB
#: The phase before the model is looked at.
PREPARE: Final = "prepare"
#: The phase of what happens after the child said that it is done, and how long that may take.
AFTER: Final = "after the end"
TO_END: Final = 5.0
_NO_MEMORY: Final = pattern(r"MemoryError|[Cc]an(?:no|')t allocate memory|bad_alloc|Cannot allocate memory")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may spend.

    Attributes:
        seconds: of wall time, from its start to its end; after it the child is killed.
        cpu_seconds: of processor time.
        memory: bytes of address space.
        file_size: bytes of one file that it writes.
        threads: of the child; kept where it has a user namespace of its own.
    """

    seconds: float = 120.0
    cpu_seconds: int = 600
    memory: int = 8192 * MiB
    file_size: int = 16 * MiB
    threads: int = 256

    def __post_init__(self) -> None:
        for name in ("seconds", "cpu_seconds", "memory", "file_size", "threads"):
            if getattr(self, name) <= 0:
                raise UsageError(f"bounds of a child: {name} must be greater than zero")


@dataclass(slots=True)
class Event:
    """Something that was seen, once or more often in one phase.

    Attributes:
        phase: in which.
        recorder: ``audit``, ``kernel`` or ``network``.
        kind: what it is called there.
        about, detail: what it names, bounded; paths as they are in the child.
        answer: of the kernel's calls: ``let on``, ``refused``, ``feigned``.
        by: of ``audit``: the file and line whose code caused it, as the child says.
        count: how often.
    """

    phase: str
    recorder: str
    kind: str
    about: str
    detail: str = ""
    answer: str = ""
    by: str = ""
    count: int = 1


@dataclass(slots=True)
class Phase:
    """One part of the child's life.

    Attributes:
        name: which.
        outcome: ``completed``, ``failed``, ``left out``; ``cut short`` where the child ended in it.
        detail: why.
        seconds: how long it took.
    """

    name: str
    outcome: str
    detail: str
    seconds: float


@dataclass(slots=True)
class Run:
    """What one child did.

    Attributes:
        level: at which it ran.
        landlock: what Landlock kept away.
        recorders: what watched it.
        phases, events: in their order.
        library_reads: how often files of the interpreter and its packages were opened to read, which are not listed one by one.
        lost: events beyond the number that is kept.
        ended: ``answered`` where it came to its end; else what ended it, in words.
        late: whether its time was over before its end.
        answer: what it gave, where it came to its end.
        output: the first bytes of what it printed.
        home, scratch: where its home and its folder for temporary files were, as it saw them.
    """

    level: Level
    home: str
    scratch: str
    landlock: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ()
    phases: list[Phase] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    lost: int = 0
    library_reads: int = 0
    ended: str = ""
    late: bool = False
    answer: Any = None
    output: bytes = b""

    @property
    def answered(self) -> bool:
        return self.ended == "answered"


def run(
    work: Mapping[str, Any],
    level: Level,
    bounds: Bounds | None = None,
    *,
    readable: Sequence[str] = (),
    writable: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    python: Interpreter | None = None,
    listen: bool = True,
) -> Run:
    """Run one piece of work in a child, and say what it did.

    Args:
        work: for :mod:`openvet.sandbox.shim`, as JSON.
        level: how it is confined.
        bounds: what it may spend.
        readable: files and folders that it may read beside the interpreter.
        writable: folders in which it may make and change files, which are ours and hold nothing else.
        environment: variables of the child beside a few that are always there.
        python: that the child runs in; ours where none is named.
        listen: ``False`` leaves out what the kernel tells; then everything that would be told is refused.

    Raises:
        SandboxError: the level cannot be had here, or the child did not say that it is confined.
    """
    lacks = levels.missing(level)
    if lacks:
        raise SandboxError(f"level {level.id} ({level.name}) cannot be had here: {lacks}")
    bounds = bounds or Bounds()
    with places(level) as (home, scratch):
        interpreter = python or our_interpreter()
        child = Child(
            dict(work), level, bounds, readable, writable, environment or {}, interpreter, home, scratch, listen=listen
        )
        try:
            return child.watch()
        finally:
            child.end()


@contextmanager
def places(level: Level) -> Iterator[tuple[str, str]]:
    """A home and a folder for temporary files: in the child's own mounts, or for a while among ours."""
    if {"bubblewrap", "gvisor"} & set(level.walls):
        yield _HOME, "/tmp"  # noqa: S108 - inside its own namespace
        return
    folder = os.path.realpath(tempfile.mkdtemp(prefix="openvet-child-"))
    try:
        for name in ("home", "tmp"):
            os.mkdir(os.path.join(folder, name), 0o700)
        yield os.path.join(folder, "home"), os.path.join(folder, "tmp")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Child:
    """One child, from its start to its end."""

    def __init__(
        self, work: dict[str, Any], level: Level, bounds: Bounds, readable: Sequence[str], writable: Sequence[str],
        environment: Mapping[str, str], python: Interpreter, home: str, scratch: str, *, listen: bool,
    ) -> None:  # fmt: skip
        self._run = Run(level, home, scratch)
        self._bounds = bounds
        self._seen: dict[tuple[str, ...], Event] = {}
        self._phase, self._since = PREPARE, time.monotonic()
        self._seconds = bounds.seconds
        self._deadline = self._since + bounds.seconds
        self._rest = bytearray()
        self._said, self._most_said, self._longest = 0, _SAID, _LINE
        self._written = 0
        self._confined = False
        self._python = python
        self._libraries = (*python.roots, f"{_OURS}/", "/etc/ld.so", "/sys/devices/system/")
        self._network = NoNetwork(self._from_network)
        self._listener: Listener | None = None
        self._selector = selectors.DefaultSelector()
        self._channel, theirs = socket.socketpair()
        output, theirs_output = os.pipe()
        self._output = output
        # gVisor hands on what stands in the place of the standard streams, and nothing else
        self._kept = tempfile.mkdtemp(prefix="openvet-gvisor-") if "gvisor" in level.walls else ""
        wrapped = bool({"bubblewrap", "gvisor"} & set(level.walls))
        request = {
            **work,
            "walls": list(level.walls),
            # another interpreter's folders are not where our code lies, of which parts are imported once the child is confined
            "readable": [os.path.realpath(each) for each in (os.path.join(_OURS, "openvet"), *readable)],
            "writable": [home, scratch, *map(os.path.realpath, writable)],
            "home": home,
            "listen": listen and "seccomp" in level.walls,
            "parent": 0 if wrapped else os.getpid(),
            "bounds": [bounds.memory, bounds.cpu_seconds, bounds.file_size, bounds.threads if wrapped else 0],
        }
        try:
            self._process = subprocess.Popen(  # noqa: S603 - a module of ours, in a child that confines itself
                self._command(level, readable, writable, environment, theirs.fileno()),
                stdin=theirs.fileno() if self._kept else subprocess.DEVNULL,
                stdout=theirs_output,
                stderr=theirs_output,
                pass_fds=() if self._kept else (theirs.fileno(),),
                env=self._variables(environment),
                cwd="/",
                start_new_session=True,
            )
        except BaseException:
            self._channel.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(theirs_output)
        self._channel.setblocking(True)
        data = json.dumps(request).encode()
        try:
            self._channel.sendall(len(data).to_bytes(4, "big") + data)
        except BrokenPipeError:
            pass  # it is gone already, which is seen as it is watched

    def _variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": self._run.home,
            "TMPDIR": self._run.scratch,
            # one model at a time, as in a pipeline: the machine is not only theirs
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "RES_OPTIONS": "use-vc attempts:1 timeout:2",  # names are looked up over a stream, which can be answered
            **environment,
        }

    def _command(
        self,
        level: Level,
        readable: Sequence[str],
        writable: Sequence[str],
        environment: Mapping[str, str],
        channel: int,
    ) -> list[str]:
        command = [self._python.executable, "-I", "-B", "-u", "-c", _BEGIN, _OURS, "0" if self._kept else str(channel)]
        if self._kept:
            seen = [*levels.WHERE, *self._python.folders, _OURS, *map(os.path.realpath, readable)]
            changed = list(map(os.path.realpath, writable))
            return gvisor(
                levels.runsc(),
                self._kept,
                command,
                self._variables(environment),
                seen,
                changed,
                self._run.home,
                _SCRATCH,
            )
        if "bubblewrap" not in level.walls:
            return command
        real = [os.path.realpath(each) for each in readable]
        return [
            *levels.bubblewrap([*self._python.folders, *real], nested=not levels.closes_namespaces()),
            *("--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"),
            *(word for each in map(os.path.realpath, writable) for word in ("--bind", each, each)),
            *("--size", str(_SCRATCH), "--tmpfs", self._run.home),
            *(word for name, value in self._variables(environment).items() for word in ("--setenv", name, value)),
            *command,
        ]

    def watch(self) -> Run:
        """Until the child ends, or its time is over."""
        self._selector.register(self._channel, selectors.EVENT_READ, "channel")
        self._selector.register(self._output, selectors.EVENT_READ, "output")
        while not self._run.ended:
            left = self._deadline - time.monotonic()
            if left <= 0:
                limit = f"the limit seconds ({self._seconds:g}) was reached"
                self._run.late = self._phase != AFTER
                self._over(f"killed: {'it did not end after its answer' if self._phase == AFTER else limit}")
                break
            ready = {key.data: key.fileobj for key, _ in self._selector.select(min(left, 1.0))}
            if "output" in ready:
                self._take_output()
            if "channel" in ready or "listener" in ready:
                self._take_messages()  # first: they say which phase a call belongs to
            for what, connection in ready.items():
                if what not in ("channel", "output", "listener"):
                    self._from_socket(connection)
            if "listener" in ready and self._listener is not None and not self._run.ended:
                self._answer()
            if not ready and self._process.poll() is not None:
                self._over(self._death())
        self._network.end()
        if self._output >= 0:
            os.set_blocking(self._output, False)
            try:
                self._take_output()  # what it printed last
            except BlockingIOError:
                pass
        if not self._confined:
            said = self._run.output.decode("utf-8", "replace").strip().splitlines()
            raise SandboxError(
                f"the child did not confine itself ({self._run.ended}){f': {said[-1][:300]}' if said else ''}"
            )
        return self._run

    def end(self) -> None:
        """End the child, whatever it is doing, and all that it started."""
        process = self._process
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self._listener is not None:
            self._listener.close()
        self._channel.close()
        process.wait()
        if self._kept:
            shutil.rmtree(self._kept, ignore_errors=True)
        self._selector.close()
        if self._output >= 0:
            os.close(self._output)
        for connection in self._network.descriptors.values():
            connection.ours.close()

    # --- what comes in ---

    def _take_output(self) -> None:
        data = os.read(self._output, 64 * 1024)
        if not data:
            self._selector.unregister(self._output)
            os.close(self._output)
            self._output = -1
        self._run.output = (self._run.output + data)[:_OUTPUT]

    def _take_messages(self) -> None:
        """Everything that the child has said up to now."""
        while True:
            try:
                if self._listener is None:
                    data, descriptors, _, _ = socket.recv_fds(self._channel, 64 * 1024, 4, socket.MSG_DONTWAIT)
                    self._take_descriptors(descriptors)
                else:
                    data = self._channel.recv(64 * 1024, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                if not self._run.ended:
                    self._over(self._death())
                return
            self._said += len(data)
            self._rest += data
            if b"\n" in data:
                *lines, rest = bytes(self._rest).split(b"\n")
                self._rest = bytearray(rest)
                for line in lines:
                    self._take_message(line)
            if self._said > self._most_said or len(self._rest) > self._longest:
                self._over("killed: it said more than is listened to")
            if self._run.ended or time.monotonic() > self._deadline:
                return

    def _take_descriptors(self, descriptors: Sequence[int]) -> None:
        if not descriptors:
            return
        first, *others = descriptors
        for each in others:
            os.close(each)
        if self._confined:
            os.close(first)
            return
        self._listener = Listener(first, machine(), self._from_kernel, self._network)
        self._selector.register(first, selectors.EVENT_READ, "listener")
        self._channel.send(b"L")

    def _take_message(self, line: bytes) -> None:
        try:
            message = json.loads(line.removeprefix(b"L"))
            kind, *rest = message
            if self._phase == AFTER:
                raise ValueError(kind)
            if kind == "confined" and not self._confined:
                self._confined = True
                self._run.landlock = tuple(rest[0])
                self._run.recorders = ("audit", *(("kernel", "network") if rest[1] == "told" else ()))
            elif kind == "phase":
                self._enter(str(rest[0]))
            elif kind == "over":
                self._leave(str(rest[0])[:40], self._named(str(rest[1])[:1000]))
            elif kind == "event":
                name, about, detail, by = (str(each) for each in rest)
                self._note("audit", name[:100], about[:1000], detail[:4000], "", by[:300])
            elif kind == "answer" and self._confined:
                # whoever says so may be the model: it is watched until it is gone
                self._run.answer = rest[0]
                self._leave("cut short", "")
                self._phase, self._since = AFTER, time.monotonic()
                self._deadline = min(self._deadline, self._since + TO_END)
            elif not (self._confined and self._take_other(kind, rest)):
                raise ValueError(kind)
        except (ValueError, TypeError, IndexError, RecursionError):
            self._over("killed: it said what the child of ours does not say")

    def _take_other(self, kind: Any, rest: Sequence[Any]) -> bool:  # noqa: ARG002 - of children that stay
        """Take what only some children say; ``False`` where it is nothing of theirs."""
        return False

    def _named(self, detail: str) -> str:
        """With the limit that was reached, where an error says that memory was refused, or a file too large."""
        if "[Errno 27]" in detail:
            return f"{detail} (limit file_size = {self._bounds.file_size} bytes)"
        if _NO_MEMORY.search(detail):
            return f"{detail} (limit memory = {self._bounds.memory} bytes)"
        return detail

    def _enter(self, name: str) -> None:
        self._leave("completed" if self._phase == PREPARE else "cut short", "")
        if len(self._run.phases) >= _PHASES:
            raise ValueError(name)
        self._phase, self._since = name[:40], time.monotonic()

    def _leave(self, outcome: str, detail: str) -> None:
        if self._phase not in ("between", AFTER):
            self._run.phases.append(Phase(self._phase, outcome, detail, time.monotonic() - self._since))
            self._phase, self._since = "between", time.monotonic()

    def _over(self, how: str) -> None:
        if not self._run.ended:
            self._run.ended = how
            self._leave("cut short", how)

    def _death(self) -> str:
        """How the child ended: ``answered`` where it answered and ended well."""
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return "it said nothing more, and did not end"
        if code == 0 and self._phase == AFTER:
            return "answered"
        if code < 0 or code > 128:
            number = -code if code < 0 else code - 128
            try:
                name = signal.Signals(number).name
            except ValueError:
                name = f"signal {number}"
            limits = {
                "SIGXCPU": f": the limit cpu_seconds ({self._bounds.cpu_seconds}) was reached",
                "SIGXFSZ": f": the limit file_size ({self._bounds.file_size}) was reached",
                "SIGKILL": f": by the kernel, at the limit cpu_seconds ({self._bounds.cpu_seconds}) or out of memory",
            }
            return f"it was ended by {name}{limits.get(name, '')}"
        return f"it ended with {code} before its end"

    # --- what is noted ---

    def _answer(self) -> None:
        listener = self._listener
        if listener is None:
            return
        before = set(self._network.descriptors)
        if not listener.answer():
            self._selector.unregister(listener.descriptor)
            listener.close()
            return
        for number, connection in self._network.descriptors.items():
            if number not in before:
                self._selector.register(number, selectors.EVENT_READ, connection.ours)

    def _from_socket(self, ours: Any) -> None:
        connection = self._network.descriptors.get(ours)
        if connection is None:
            return
        self._network.receive(connection)
        if connection.ours.fileno() < 0:
            self._selector.unregister(ours)

    def _from_kernel(self, asked: Asked) -> None:
        if asked.writes:
            self._written += 1
            if self._written > _FILES_WRITTEN * 16:
                self._over(f"killed: it changed files more than {_FILES_WRITTEN * 16} times")
        elif asked.call.startswith("open") and f"{asked.about}/".startswith(self._libraries):
            self._run.library_reads += 1
            return
        kind = f"{asked.call} to write" if asked.writes and asked.call.startswith("open") else asked.call
        self._note("kernel", kind, asked.about[:1000], "", asked.answer)

    def _from_network(self, kind: str, about: str, data: bytes) -> None:
        self._note("network", kind, about[:1000], data.decode("utf-8", "backslashreplace")[:4000], "feigned")

    def _note(self, recorder: str, kind: str, about: str, detail: str, answer: str, by: str = "") -> None:
        if self._phase == PREPARE:
            return  # what loads is imported: the interpreter is trusted, and nothing of the model was looked at
        key = (self._phase, recorder, kind, about, detail, answer, by)
        event = self._seen.get(key)
        if event is not None:
            event.count += 1
        elif len(self._seen) < _EVENTS:
            self._seen[key] = event = Event(self._phase, recorder, kind, about, detail, answer, by)
            self._run.events.append(event)
        else:
            self._run.lost += 1
