"""Ten things that a hostile model would do, tried at every level: the proof that a level keeps what it promises, here and now.

The child tries, with code of ours; the parent puts up what there is to reach, and looks from outside at what was reached. So an attempt that the
child believes to have succeeded, because something was feigned or lies in a view that is thrown away, is told apart from one that reached this
machine: ``reached``, ``hidden``, ``refused``.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import SandboxError

if TYPE_CHECKING:
    from openvet.sandbox.levels import Level
    from openvet.sandbox.shim import Said

__all__ = ["ATTEMPTS", "Proof", "prove", "prove_all"]

#: Name -> what it is, in the order in which they are tried.
ATTEMPTS: Final[Mapping[str, str]] = {
    "write": "write a file of the user's",
    "secret": "read a secret of the user's",
    "system": "read /etc/passwd",
    "tcp": "connect to a server",
    "udp": "send a datagram",
    "program": "run a program",
    "signal": "signal a process",
    "trace": "trace a process",
    "namespace": "make a user namespace",
    "io_uring": "open a queue past the filter (io_uring)",
}
_CLONE_NEWUSER: Final = 0x10000000
_PTRACE_SEIZE: Final = 0x4206
_IO_URING_SETUP: Final = 425
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the canary found at one level.

    Attributes:
        level: which.
        outcomes: attempt -> ``reached``, ``hidden`` or ``refused``; empty where the level cannot be had here.
        landlock: what Landlock kept away.
        recorders: what watched the child.
        missing: why the level cannot be had; ''.
    """

    level: Level
    outcomes: Mapping[str, str]
    landlock: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ()
    missing: str = ""

    @property
    def proven(self) -> bool:
        """Whether all ten were tried and none reached anything."""
        return set(self.outcomes) == set(ATTEMPTS) and "reached" not in self.outcomes.values()

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level.id,
            "walls": list(self.level.walls),
            "claim": self.level.claim,
            "proven": self.proven,
            "missing": self.missing,
            "outcomes": dict(self.outcomes),
            "landlock": list(self.landlock),
            "recorders": list(self.recorders),
        }


# --- in the parent ---


def prove_all() -> tuple[Proof, ...]:
    """Every level of the ladder, from the strongest to the weakest, several at once."""
    from concurrent.futures import ThreadPoolExecutor

    from openvet.sandbox.levels import LADDER

    with ThreadPoolExecutor(len(LADDER)) as pool:
        return tuple(pool.map(prove, LADDER))


def prove(level: Level) -> Proof:
    """Let a canary try its ten attempts at a level.

    Returns:
        What came of it; a level that cannot be had here has a reason and no outcomes.
    """
    from openvet.sandbox.levels import missing
    from openvet.sandbox.supervisor import Bounds, run

    lacks = missing(level)
    if lacks:
        return Proof(level, {}, missing=lacks)
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="openvet-canary-") as folder, _Targets() as targets:
        secret, written = os.path.join(folder, "secret"), os.path.join(folder, "written")
        with open(secret, "w", encoding="ascii") as file:
            file.write(token)
        work = {"work": "openvet.sandbox.canary", "secret": secret, "written": written, **targets.named}
        try:
            found = run(work, level, Bounds(seconds=30, memory=1 << 31))
        except SandboxError as error:
            return Proof(level, {}, missing=str(error))
        tried = found.answer if isinstance(found.answer, dict) else {}
        reached = {
            "write": os.path.exists(written),
            "secret": tried.get("secret") == token,
            "system": "root:" in str(tried.get("system")),
            **targets.reached(),
        }
    outcomes = {}
    for name in ATTEMPTS:
        if name not in tried:
            continue
        refused = str(tried[name]).startswith("refused")
        # what has no trace outside is believed of the child, which is code of ours
        there = reached.get(name, not refused)
        outcomes[name] = "reached" if there else "refused" if refused else "hidden"
    if found.answered is False:
        return Proof(level, {}, missing=f"the canary did not come to its end: {found.ended}")
    if "bubblewrap" in level.walls:  # a program that runs in its own view reaches nothing of this machine
        for name in ("program", "trace"):
            outcomes[name] = {"reached": "hidden"}.get(outcomes[name], outcomes[name])
    return Proof(level, outcomes, found.landlock, found.recorders)


class _Targets:
    """What there is to reach: a server, a socket for datagrams, a process."""

    def __enter__(self) -> _Targets:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        for each in (self._tcp, self._udp):
            each.setblocking(False)
        # ends when it is signalled, and else with its input
        self._victim = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.named = {
            "tcp": self._tcp.getsockname()[1],
            "udp": self._udp.getsockname()[1],
            "victim": self._victim.pid,
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.close()
        self._udp.close()
        if self._victim.stdin is not None:
            self._victim.stdin.close()
        self._victim.kill()
        self._victim.wait()

    def reached(self) -> dict[str, bool]:
        """What reached them."""
        try:
            self._tcp.accept()[0].close()
            tcp = True
        except BlockingIOError:
            tcp = False
        try:
            udp = bool(self._udp.recv(16))
        except BlockingIOError:
            udp = False
        try:
            self._victim.wait(0.05)
            signalled = True
        except subprocess.TimeoutExpired:
            signalled = False
        return {"tcp": tcp, "udp": udp, "signal": signalled}


# --- in the child ---


def _ask(call: str, *arguments: Any) -> str:
    """A function of the C library that gives less than nothing where it is refused."""
    if getattr(ctypes.CDLL(None, use_errno=True), call)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"


def _write(path: str) -> str:
    with open(path, "w", encoding="ascii") as file:
        file.write("x")
    return "done"


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(4096)


def _connect(port: int) -> str:
    with socket.create_connection((_HOST, port), 2):
        return "done"


def _send(port: int) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"x", (_HOST, port))
    return "done"


def _run_a_program() -> str:
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/true", ["true"])  # noqa: S606 - that it is refused is the point
        finally:
            os._exit(1)
    return "done" if os.waitpid(pid, 0)[1] == 0 else "refused: the program could not be run"


def _signal(pid: int) -> str:
    os.kill(pid, signal.SIGTERM)
    return "done"


def prepare(request: dict[str, Any]) -> Callable[[Said], Any]:
    """The attempts of one canary."""
    victim = request["victim"]
    tries: dict[str, Callable[[], str]] = {
        "write": lambda: _write(request["written"]),
        "secret": lambda: _read(request["secret"]),
        "system": lambda: _read("/etc/passwd"),
        "tcp": lambda: _connect(request["tcp"]),
        "udp": lambda: _send(request["udp"]),
        "program": _run_a_program,
        "trace": lambda: _ask("ptrace", _PTRACE_SEIZE, victim, None, None),
        "signal": lambda: _signal(victim),
        "namespace": lambda: _ask("unshare", _CLONE_NEWUSER),
        "io_uring": lambda: _ask("syscall", _IO_URING_SETUP, 1, ctypes.create_string_buffer(120)),
    }

    def do(said: Said) -> dict[str, str]:
        said.say("phase", "attempts")
        out = {}
        for name, attempt in tries.items():
            try:
                out[name] = attempt()
            except (OSError, RuntimeError) as error:
                out[name] = f"refused: {error}"
        said.say("over", "completed", "")
        return out

    socket.getaddrinfo(_HOST, 1)  # whatever it imports late is imported now
    sys.stdout.flush()
    return do
