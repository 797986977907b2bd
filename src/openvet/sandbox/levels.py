"""The ladder: how far a child that runs a framework is kept away from everything, and what each rung is made of.

A level is a claim, and a claim holds where :mod:`openvet.sandbox.canary` proved it, on this machine and in this run. Levels 2 and above are used;
what is below is refused unless somebody says that no isolation is accepted, which is written into the evidence.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.errors import SandboxError
from openvet.sandbox.landlock import interface
from openvet.sandbox.seal import can_filter

__all__ = ["ENOUGH", "LADDER", "NO_ISOLATION", "WHERE", "Level", "NoIsolationError", "bubblewrap", "missing", "runsc"]

#: The lowest level that is used without being told.
ENOUGH: Final = 2
NO_ISOLATION: Final = (
    "no isolation available: user namespaces are off and Landlock is missing, so that nothing of the model was run. "
    "Install bubblewrap, or run `openvet doctor`; --i-accept-no-isolation runs it all the same, and is written into the evidence"
)
#: Of the system, what programs need.
WHERE: Final = ("/usr", "/bin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives")


class NoIsolationError(SandboxError):
    """Nothing on this machine is enough to run a stranger's model in."""


@dataclass(frozen=True, slots=True)
class Level:
    """One rung.

    Attributes:
        id: the number, and a letter where a number has several rungs: ``n`` is made of namespaces, ``s`` of the filter alone.
        walls: what it is made of: ``gvisor``, ``bubblewrap``, ``landlock``, ``seccomp``. Limits are always there.
        claim: what is said of it in evidence.
    """

    id: str
    walls: tuple[str, ...]
    claim: str

    @property
    def number(self) -> int:
        """4 is the strongest."""
        return int(self.id[0])

    @property
    def name(self) -> str:
        """Its walls, in one word."""
        return "+".join(self.walls) or "limits"


#: From the strongest to the weakest. Which is taken when nobody asks: the first from level 3 downwards that is proven.
LADDER: Final = (
    Level("4", ("gvisor", "seccomp"), "a separate kernel in user space, and a filter of system calls"),
    Level("3", ("bubblewrap", "landlock", "seccomp"), "namespaces, a security module of the kernel, and a filter of system calls"),
    Level("2", ("landlock", "seccomp"), "no namespaces: the process and mount view is shared; files by the kernel's security module, calls by a filter"),
    Level("2n", ("bubblewrap", "seccomp"), "namespaces and a filter of system calls; the kernel has no Landlock"),
    Level("1n", ("bubblewrap",), "namespaces alone: every system call can be made, every door of the kernel can be tried"),
    Level("1s", ("seccomp",), "a filter of system calls alone: whatever the user can read and write can be read and written"),
    Level("1", (), "limits of memory, time and size alone: no isolation"),
)  # fmt: skip


def missing(level: Level) -> str:
    """Why this machine cannot have the level; '' where it may, which is still to be proven."""
    lacks: dict[str, Callable[[], str]] = {
        "gvisor": lambda: "" if runsc() else "runsc (gVisor) is not installed, or does not run here",
        "bubblewrap": lambda: (
            "" if bubblewrap_works() else "bubblewrap is not installed, or may not make namespaces here"
        ),
        "landlock": lambda: "" if interface() else "the kernel has no Landlock, or it is switched off",
        "seccomp": lambda: "" if can_filter() else "no filter of system calls for this kernel and processor",
    }
    return "; ".join(filter(None, (lacks[each]() for each in level.walls)))


def bubblewrap(folders: Iterable[str] = (), *, nested: bool = False) -> list[str]:
    """The command that what comes behind it runs in: its own processes, mounts, network and names; of the file system only what is needed.

    Args:
        folders: read-only too, beside the interpreter, its libraries and our own code.
        nested: whether namespaces can be made inside.
    """
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = dict.fromkeys([*WHERE, sys.prefix, sys.base_prefix, ours, *folders])
    return [
        shutil.which("bwrap") or "bwrap",
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
        # nobody else is in its namespace of processes: bubblewrap's own would have no filter, and memory that can be written
        "--as-pid-1",
        *(() if nested else ("--unshare-user", "--disable-userns")),
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108 - inside its own namespace
        *(
            word for path in paths for word in ("--ro-bind-try", path, path)
        ),  # behind the empty folder, below which they may be
        *("--chdir", "/"),
    ]


@cache
def bubblewrap_works() -> bool:
    """Whether it is installed and may make its namespaces here; containers often forbid that."""
    return sys.platform == "linux" and shutil.which("bwrap") is not None and _runs([*bubblewrap(nested=True), "true"])


@cache
def closes_namespaces() -> bool:
    """Whether bubblewrap can keep a child from making namespaces (0.8 and later)."""
    return _runs([*bubblewrap(), "true"])


@cache
def runsc() -> str:
    """The program of gVisor; '' where it is not there."""
    found = shutil.which("runsc") or ""
    return found if found and _runs([found, "--version"]) else ""


def _runs(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
