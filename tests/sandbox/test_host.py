"""The machine: what it is, whether it is quiet, and what is in its page cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openvet.sandbox import host
from openvet.sandbox.host import Load, busy_words
from openvet.sandbox.page_cache import cached, forget

QUIET = Load(1.0, 0.1, 0.01, 0.0, 0.0)


def proc(root: Path, **files: str) -> str:
    for name, text in files.items():
        path = root / "proc" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_a_machine_is_described(tmp_path: Path) -> None:
    root = proc(
        tmp_path,
        cpuinfo="model name\t: A \x1b[31mCPU\nflags\t\t: fpu hypervisor avx2 amx_int8 fma sse4_2 lm\n\nmodel name: other\n",
        meminfo="MemFree: 1 kB\nMemTotal:   2048 kB\n",
    )
    found = host.machine(root)
    assert found.cpu == "A \\x1b[31mCPU"
    assert found.flags == ("amx_int8", "avx2", "fma", "sse4_2")
    assert (found.memory, found.virtual, found.governor) == (2048 * 1024, True, "")


def test_an_arm_machine_says_features(tmp_path: Path) -> None:
    found = host.machine(proc(tmp_path, cpuinfo="Features\t: fp asimd asimddp sve bf16 i8mm crc32\n"))
    assert found.flags == ("asimd", "asimddp", "bf16", "i8mm", "sve")


def test_what_others_had_is_what_is_left(tmp_path: Path) -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    times = iter([0.0, 3.0])

    def stat(user: int, idle: int, steal: int) -> str:
        return f"cpu  {user * ticks} 0 0 {idle * ticks} 0 0 0 {steal * ticks} 0 0\ncpu0 1\n"

    root = proc(
        tmp_path,
        stat=stat(100, 1000, 0),
        loadavg="1.5 1 1 1/1 1",
        pressure__cpu="some avg10=12.50 avg60=0 avg300=0 total=1\n",
    )
    watch = host.Watch(lambda: next(times), root)
    proc(tmp_path, stat=stat(106, 1012, 2))
    found = watch.ended()
    # 20 s of all processors: 6 busy, of which 3 ours (and next to nothing this process's), 2 stolen
    assert found.others == pytest.approx(0.15, abs=0.01)
    assert (found.steal, found.load, found.pressure) == (0.1, 1.5, 12.5)


def test_without_proc_nothing_is_known_and_nothing_breaks(tmp_path: Path) -> None:
    watch = host.Watch(root=str(tmp_path))
    found = watch.ended()
    assert (found.others, found.steal, found.load, found.pressure) == (0.0, 0.0, 0.0, None)
    assert host.machine(str(tmp_path)).flags == ()


def test_a_quiet_machine_has_no_words() -> None:
    assert busy_words(QUIET, QUIET, 2) == ()


@pytest.mark.parametrize(
    ("before", "during", "word"),
    [
        (Load(1, 0.1, 0.2, 0, 0), QUIET, "others used 20 % of the processors before it began"),
        (QUIET, Load(60, 0.1, 0.3, 0, 0), "others used 30 % of the processors while"),
        (QUIET, Load(60, 0.1, 0.0, 0.05, 0), "gave 5.0 % of the time to others while"),
        (Load(1, 2.5, 0, 0, 0), QUIET, "the load was 2.50"),
        (Load(1, 0.1, 0, 0, 60.0), QUIET, "something waited for a processor in 60 %"),
    ],
)
def test_a_busy_machine_is_told(before: Load, during: Load, word: str) -> None:
    (found,) = busy_words(before, during, 2)
    assert word in found


def test_our_own_load_while_measuring_is_no_reason() -> None:
    assert busy_words(QUIET, Load(60, 1.9, 0.02, 0, 80.0), 2) == ()


def test_the_bandwidth_is_one_of_memory() -> None:
    assert 1e8 < host.read_bandwidth(1, 0.05) < 1e12


def test_pages_are_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(os.urandom(1 << 20))
    assert cached([str(path)]) == 1.0
    forget([str(path), str(tmp_path / "missing")])
    left = cached([str(path)])
    if left == 1.0:
        pytest.skip("this file system keeps its pages (it lies in memory)")
    assert left == 0.0
    assert cached([str(tmp_path / "missing")]) is None
    (tmp_path / "empty").write_bytes(b"")
    assert cached([str(tmp_path / "empty")]) is None
