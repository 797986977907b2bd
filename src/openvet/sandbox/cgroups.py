"""Limits of memory and processor time that the kernel keeps for a child and all that it starts: cgroups, version 1 and 2.

A group is made below the one that we are in, or beside it, wherever that is allowed (root, or a subtree that was delegated). What cannot be had is said,
with the reason, and something weaker may stand in for it, which is said as well.

Sources: Linux ``Documentation/admin-guide/cgroup-v2.rst`` (delegation, no internal processes) and ``cgroup-v1/memory.rst``, ``scheduler/sched-bwc.rst``.
"""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["Group", "Limit", "cpu_seconds", "descendants", "peak_memory"]

_PERIOD: Final = 100_000  # microseconds: the kernel's default, within which a quota is spent
_LEAST_QUOTA: Final = 1000
_TRIES: Final = 20
_PAGE_OF_CLOCK: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit that was asked for.

    Attributes:
        what: ``memory`` (bytes) or ``cpu`` (cores).
        asked: how much.
        enforced: whether something keeps it.
        how: what keeps it, or why nothing does.
    """

    what: str
    asked: float
    enforced: bool
    how: str


class Group:
    """Limits for processes that are put into it. :meth:`close` ends what is left in it and takes it away.

    Args:
        memory: bytes of memory together, page cache that they read included; ``None`` for no limit.
        cpus: cores' worth of processor time; ``None`` for no limit.
        root: where ``proc`` and ``sys`` are.
        name: of the folders that are made.
    """

    def __init__(self, memory: int | None, cpus: float | None, *, root: str = "/", name: str = "") -> None:
        self._root = root
        self._name = name or f"openvet-{os.getpid()}-{time.monotonic_ns():x}"
        self._folders: dict[str, str] = {}
        self._two = False
        self._affinity: set[int] = set()
        self.address_space: int | None = None
        limits = []
        if memory is not None:
            limits.append(self._memory(memory))
        if cpus is not None:
            limits.append(self._cpu(cpus))
        self.limits = tuple(limits)

    # --- making it ---

    def _memory(self, size: int) -> Limit:
        why = self._made("memory")
        if not why:
            folder = self._folders["memory"]
            try:
                if self._two:
                    _write(folder, "memory.max", str(size))
                    with suppress(OSError):
                        _write(folder, "memory.swap.max", "0")
                else:
                    _write(folder, "memory.limit_in_bytes", str(size))
                    with suppress(OSError):  # there only where swap is accounted
                        _write(folder, "memory.memsw.limit_in_bytes", str(size))
                return Limit(
                    "memory", size, True, f"cgroup v{2 if self._two else 1}; what it reads of files counts too"
                )
            except OSError as error:
                why = _said(error)
        self.address_space = size
        return Limit(
            "memory", size, True,
            f"address space (RLIMIT_AS), which is more than what is resident: what runs under it needs less, what fails may need no more; no cgroup: {why}",
        )  # fmt: skip

    def _cpu(self, cpus: float) -> Limit:
        ours = sorted(os.sched_getaffinity(0))
        if cpus > len(ours):
            return Limit("cpu", cpus, False, f"this machine gives {len(ours)} cores")
        why = self._made("cpu")
        if not why:
            folder = self._folders["cpu"]
            quota = str(max(_LEAST_QUOTA, round(cpus * _PERIOD)))
            try:
                if self._two:
                    _write(folder, "cpu.max", f"{quota} {_PERIOD}")
                else:
                    _write(folder, "cpu.cfs_period_us", str(_PERIOD))
                    _write(folder, "cpu.cfs_quota_us", quota)
                return Limit(
                    "cpu", cpus, True, f"cgroup v{2 if self._two else 1}: a quota in each {_PERIOD // 1000} ms"
                )
            except OSError as error:
                why = _said(error)
        if cpus >= 1 and cpus == math.floor(cpus):
            self._affinity = set(ours[: int(cpus)])
            return Limit("cpu", cpus, True, f"affinity to so many cores; no cgroup: {why}")
        return Limit("cpu", cpus, False, f"a part of a core needs a cgroup: {why}")

    def _made(self, controller: str) -> str:
        """Make the folder of a controller; why it cannot be, or ''."""
        if controller in self._folders:
            return ""
        mounts, ours = self._mounts(), self._ours()
        if controller in mounts and controller in ours:
            return self._make(controller, [_joined(mounts[controller], ours[controller])])
        if "" in mounts and "" in ours:
            here = _joined(mounts[""], ours[""])
            places = [each for each in (here, os.path.dirname(here)) if each.startswith(mounts[""][0])]
            if "*" in self._folders:  # one folder for both
                places = [os.path.dirname(self._folders["*"])]
            why = f"the controller {controller} is not there"
            for place in places:
                why = self._enabled(place, controller) or self._make(controller, [place])
                if not why:
                    self._two = True
                    self._folders["*"] = self._folders[controller]
                    return ""
            return why
        return "no cgroups are mounted"

    def _enabled(self, place: str, controller: str) -> str:
        """Let folders below ``place`` have a controller; why not, or ''."""
        try:
            if controller not in _read(place, "cgroup.controllers").split():
                return f"the controller {controller} is not delegated to us"
            if controller not in _read(place, "cgroup.subtree_control").split():
                _write(place, "cgroup.subtree_control", f"+{controller}")
        except OSError as error:
            return _said(error)
        return ""

    def _make(self, controller: str, places: Sequence[str]) -> str:
        why = ""
        for place in places:
            folder = os.path.join(place, self._name)
            try:
                os.makedirs(folder, exist_ok=True)
                if not os.access(os.path.join(folder, "cgroup.procs"), os.W_OK):
                    why = f"{folder} takes no processes of ours"
                    continue
            except OSError as error:
                why = _said(error)
                continue
            self._folders[controller] = folder
            return ""
        return why

    def _ours(self) -> dict[str, str]:
        """Controller -> the group that we are in; '' is version 2."""
        out = {}
        for line in _read(self._root, "proc/self/cgroup").splitlines():
            _, names, path = line.split(":", 2)
            out.update(dict.fromkeys(names.split(",") if names else [""], path))
        return out

    def _mounts(self) -> dict[str, tuple[str, str]]:
        """Controller -> where its hierarchy is mounted, and which part of it; '' is version 2."""
        out: dict[str, tuple[str, str]] = {}
        for line in _read(self._root, "proc/self/mountinfo").splitlines():
            words = line.split()
            if "-" not in words:
                continue
            kind, options = words[words.index("-") + 1], words[-1].split(",")
            place = (os.path.join(self._root, words[4].lstrip("/")), words[3])
            if kind == "cgroup2":
                out.setdefault("", place)
            elif kind == "cgroup":
                for each in options:
                    out.setdefault(each, place)
        return out

    # --- using it ---

    def take(self, pid: int) -> None:
        """Put a process and all that it has started into the group: whatever they start later is in it too.

        Raises:
            OSError: it cannot be put there.
        """
        before: set[int] = set()
        for _ in range(_TRIES):
            found = {pid, *descendants(pid, self._root)}
            if found <= before:
                return
            for each in found - before:
                for folder in set(self._folders.values()):
                    with _gone_is_well(each == pid):
                        _write(folder, "cgroup.procs", str(each))
                if self._affinity:
                    with _gone_is_well(each == pid):
                        os.sched_setaffinity(each, self._affinity)
            before |= found

    @property
    def peak(self) -> int | None:
        """Bytes that the group used at most, where the kernel counts them: page cache is in it."""
        folder = self._folders.get("memory")
        if folder is None:
            return None
        try:
            return int(_read(folder, "memory.peak" if self._two else "memory.max_usage_in_bytes"))
        except (OSError, ValueError):
            return None

    @property
    def killed(self) -> int:
        """How many processes of it the kernel ended, since there was no memory for them."""
        folder = self._folders.get("memory")
        if folder is None:
            return 0
        try:
            lines = _read(folder, "memory.events" if self._two else "memory.oom_control").splitlines()
        except OSError:
            return 0
        return next((int(each.split()[1]) for each in lines if each.startswith("oom_kill ")), 0)

    def close(self) -> None:
        """End what is left in it, and take it away."""
        for folder in set(self._folders.values()):
            for _ in range(_TRIES):
                with suppress(OSError, ValueError):
                    for each in _read(folder, "cgroup.procs").split():
                        os.kill(int(each), signal.SIGKILL)
                try:
                    os.rmdir(folder)
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)
        self._folders = {}

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _gone_is_well(suppress):  # noqa: N801 - used as a word
    """A process that has ended needs no limit; the first one has to be there."""

    def __init__(self, first: bool) -> None:
        super().__init__(*(() if first else (ProcessLookupError,)))


def descendants(pid: int, root: str = "/") -> Iterator[int]:
    """All processes that ``pid`` and its own have started and that are there, by what each thread has as children."""
    left = [pid]
    while left:
        each = left.pop()
        folder = os.path.join(root, f"proc/{each}/task")
        try:
            threads = os.listdir(folder)
        except OSError:
            continue
        for thread in threads:
            try:
                found = list(map(int, _read(folder, f"{thread}/children").split()))
            except (OSError, ValueError):
                continue
            left += found
            yield from found


def peak_memory(pid: int, root: str = "/") -> int:
    """Bytes that were resident at most in ``pid`` or one of its own, in whichever had most; 0 where none is there."""
    most = 0
    for each in (pid, *descendants(pid, root)):
        with suppress(OSError, ValueError, IndexError):
            for line in _read(root, f"proc/{each}/status").splitlines():
                if line.startswith("VmHWM:"):
                    most = max(most, int(line.split()[1]) * 1024)
    return most


def cpu_seconds(pid: int, root: str = "/") -> float:
    """Processor time that ``pid`` and its own have used."""
    total = 0
    for each in (pid, *descendants(pid, root)):
        with suppress(OSError, ValueError, IndexError):
            # behind the name, which may hold anything, also brackets
            words = _read(root, f"proc/{each}/stat").rpartition(")")[2].split()
            total += int(words[11]) + int(words[12])
    return total / _PAGE_OF_CLOCK


def _joined(mount: tuple[str, str], path: str) -> str:
    """Where a group lies; a namespace may have only a part of the hierarchy mounted."""
    place, part = mount
    inside = os.path.relpath(path, part) if path.startswith(part) else path.lstrip("/")
    return os.path.normpath(os.path.join(place, "" if inside.startswith("..") else inside))


def _read(folder: str, name: str) -> str:
    with open(os.path.join(folder, name), encoding="ascii", errors="replace") as file:
        return file.read(1 << 20)


def _write(folder: str, name: str, text: str) -> None:
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write(text)


def _said(error: OSError) -> str:
    return f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
