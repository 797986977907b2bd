"""The machine that something is measured on: its processor, and whether anybody else is working on it.

What ``/proc/stat`` counts is all processor time of the machine; less what the child and we have used, it is others'. A virtual machine is told how long
it was not run (steal).

Sources: Linux ``Documentation/filesystems/proc.rst`` section 1.7 (``/proc/stat``), ``Documentation/accounting/psi.rst`` (pressure).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable

__all__ = ["Load", "Machine", "Watch", "busy_words", "machine", "read_bandwidth"]

#: Flags of a processor that decide how fast, and by which code, numbers are multiplied.
_FAMILIES: Final = (
    "sse",
    "ssse",
    "avx",
    "fma",
    "f16c",
    "amx",
    "bmi",
    "asimd",
    "neon",
    "sve",
    "sme",
    "fphp",
    "bf16",
    "i8mm",
    "vnni",
    "rvv",
)
#: What others may have of the machine while it is measured: of its processors' time, stolen, waiting for a processor (10 s), load for each core.
_OTHERS, _STEAL, _PRESSURE, _LOAD = 0.10, 0.02, 25.0, 1.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MiB: Final = 1 << 20
_READ: Final = 256 * _MiB
_READING: Final = (
    "import sys, time; data = b'o' * {size}; end = time.monotonic() + {seconds}; best = 0.0\n"
    "while time.monotonic() < end:\n"
    "    began = time.perf_counter(); data.find(b'x'); best = max(best, len(data) / (time.perf_counter() - began))\n"
    "print(best)"
)


@dataclass(frozen=True, slots=True)
class Machine:
    """What is measured on.

    Attributes:
        cpu: the processor's name, or the architecture where it says none.
        cores: that we may use.
        flags: of the processor, those that decide which code multiplies.
        governor: of its clock; '' where the system does not say.
        memory: bytes.
        virtual: whether a hypervisor is below.
    """

    cpu: str
    architecture: str
    cores: int
    flags: tuple[str, ...]
    governor: str
    kernel: str
    memory: int
    virtual: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What others had of the machine over ``seconds``.

    Attributes:
        load: the average number of processes that wanted to run, over a minute, at the end.
        others: processor time of others, as a share of all cores' time.
        steal: likewise what the hypervisor gave to others.
        pressure: percent of ten seconds in which something waited for a processor, at the end; ``None`` where the kernel does not tell.
    """

    seconds: float
    load: float
    others: float
    steal: float
    pressure: float | None


def machine(root: str = "/") -> Machine:
    """This machine."""
    text = _read(root, "proc/cpuinfo")
    said: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            said.setdefault(name.strip().lower(), value.strip())
    flags = (said.get("flags") or said.get("features") or "").split()
    wanted = sorted(
        each for each in set(flags) if each.startswith(_FAMILIES) or each.endswith(("bf16", "i8mm", "dotprod", "dp"))
    )
    name = said.get("model name") or said.get("hardware") or said.get("cpu") or platform.machine()
    memory = next(
        (
            int(line.split()[1]) * 1024
            for line in _read(root, "proc/meminfo").splitlines()
            if line.startswith("MemTotal:")
        ),
        0,
    )
    return Machine(
        printable(name)[:100],
        platform.machine(),
        len(os.sched_getaffinity(0)),
        tuple(printable(each)[:40] for each in wanted)[:100],
        printable(_read(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip())[:40],
        platform.release(),
        memory,
        "hypervisor" in flags,
    )  # fmt: skip


class Watch:
    """What others have of the machine from now on.

    Args:
        ours: gives the processor time, in seconds, of what is measured; our own process is counted beside it.
        root: where ``proc`` is.
    """

    def __init__(self, ours: Callable[[], float] = lambda: 0.0, root: str = "/") -> None:
        self._ours, self._root = ours, root
        self._began = self._now()

    def _now(self) -> tuple[float, float, float, float, float]:
        words = _read(self._root, "proc/stat").partition("\n")[0].split()[1:]
        numbers = [int(each) / _TICKS for each in words[:8]] or [0.0] * 8
        user, nice, system, idle, wait, irq, softirq, steal = (*numbers, *[0.0] * (8 - len(numbers)))
        mine = os.times()
        busy = user + nice + system + irq + softirq
        return time.monotonic(), busy, steal, busy + idle + wait + steal, self._ours() + mine.user + mine.system

    def ended(self) -> Load:
        """What they had until now."""
        at, busy, steal, total, ours = self._now()
        before = self._began
        whole = max(total - before[3], 1e-9)
        others = max(0.0, busy - before[1] - (ours - before[4]))
        load = 0.0
        with suppress(OSError, ValueError, IndexError):
            load = float(_read(self._root, "proc/loadavg").split()[0])
        return Load(
            at - before[0],
            load,
            min(1.0, others / whole),
            min(1.0, max(0.0, steal - before[2]) / whole),
            self._pressure(),
        )

    def _pressure(self) -> float | None:
        for line in _read(self._root, "proc/pressure/cpu").splitlines():
            if line.startswith("some "):
                with suppress(ValueError, IndexError):
                    return float(line.split("avg10=")[1].split()[0])
        return None


def busy_words(before: Load, during: Load, cores: int) -> tuple[str, ...]:
    """Why what was measured between the two is about a busy machine; nothing where it was quiet."""
    out = []
    for load, when in ((before, "before it began"), (during, "while it was measured")):
        if load.others > _OTHERS:
            out.append(
                f"others used {100 * load.others:.0f} % of the processors {when} (at most {100 * _OTHERS:.0f} %)"
            )
        if load.steal > _STEAL:
            out.append(
                f"the hypervisor gave {100 * load.steal:.1f} % of the time to others {when} (at most {100 * _STEAL:.0f} %)"
            )
    if before.load > _LOAD * cores:
        out.append(f"the load was {before.load:.2f} before it began, with {cores} cores")
    if before.pressure is not None and before.pressure > _PRESSURE:
        out.append(
            f"something waited for a processor in {before.pressure:.0f} % of the ten seconds before (at most {_PRESSURE:.0f} %)"
        )
    return tuple(out)


def read_bandwidth(processes: int = 1, seconds: float = 0.4) -> float:
    """Bytes/s that so many processes read of memory together, at best: each looks through 256 MiB with ``memchr``.

    A program cannot stream weights faster than it reads memory; ``memchr`` is within a few percent of what a core can read.
    """
    code = _READING.format(size=_READ, seconds=seconds)
    started = [
        subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 - our own interpreter
        for _ in range(processes)
    ]
    total = 0.0
    for each in started:
        out, _ = each.communicate(timeout=60)
        with suppress(ValueError):
            total += float(out)
    return total


def _read(root: str, name: str) -> str:
    try:
        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""
