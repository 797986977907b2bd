"""Limits: where groups are made, what is written there, what is said where they cannot be, and that the kernel keeps them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openvet.sandbox.cgroups import Group, cpu_seconds, descendants, peak_memory

V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = (
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "35 31 0:32 /part /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
)


def two(root: Path, where: str = "user.slice/app", controllers: str = "cpu memory pids") -> Path:
    """A hierarchy of version 2, with a group that is there before, since a folder of ours does not fill itself."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(f"0::/{where}\n")
    (root / "proc/self/mountinfo").write_text(V2)
    here = root / "sys/fs/cgroup" / where
    for each in (here, here.parent):
        each.mkdir(parents=True, exist_ok=True)
        (each / "cgroup.controllers").write_text(controllers)
        (each / "cgroup.subtree_control").write_text("")
        (each / "g").mkdir(exist_ok=True)
        (each / "g/cgroup.procs").write_text("")
    return here


def test_version_2_below_our_own_group(tmp_path: Path) -> None:
    here = two(tmp_path)
    group = Group(600_000_000, 0.5, root=str(tmp_path), name="g")
    assert [(each.what, each.enforced, each.how[:9]) for each in group.limits] == [
        ("memory", True, "cgroup v2"),
        ("cpu", True, "cgroup v2"),
    ]
    assert (here / "g/memory.max").read_text() == "600000000"
    assert (here / "g/memory.swap.max").read_text() == "0"
    assert (here / "g/cpu.max").read_text() == "50000 100000"
    (here / "g/memory.peak").write_text("123\n")
    (here / "g/memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert (group.peak, group.killed, group.address_space) == (123, 1, None)


def test_where_processes_keep_a_controller_from_going_down_the_group_beside_is_taken(tmp_path: Path) -> None:
    here = two(tmp_path)
    (here / "cgroup.subtree_control").unlink()
    (here / "cgroup.subtree_control").mkdir()  # no writing, as the rule of no internal processes has it
    group = Group(10**8, 1, root=str(tmp_path), name="g")
    assert all(each.enforced for each in group.limits)
    assert (here.parent / "g/memory.max").read_text() == "100000000"
    assert not (here / "g/memory.max").exists()


def test_what_is_not_delegated_is_said(tmp_path: Path) -> None:
    two(tmp_path, controllers="pids")
    group = Group(10**8, 0.5, root=str(tmp_path), name="g")
    memory, cpu = group.limits
    assert (memory.enforced, group.address_space) == (True, 10**8)
    assert memory.how.startswith("address space (RLIMIT_AS)")
    assert "not delegated" in memory.how
    assert not cpu.enforced
    assert "not delegated" in cpu.how


def test_whole_cores_are_kept_by_affinity_where_there_is_no_cgroup(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("")
    (tmp_path / "proc/self/mountinfo").write_text("")
    (limit,) = Group(None, 1, root=str(tmp_path)).limits
    assert (limit.enforced, limit.how) == (True, "affinity to so many cores; no cgroup: no cgroups are mounted")
    (limit,) = Group(None, 4096, root=str(tmp_path)).limits
    assert not limit.enforced
    assert "this machine gives" in limit.how


def test_version_1_where_a_part_of_the_hierarchy_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/part/ours\n1:cpu:/\n0::/\n")
    (tmp_path / "proc/self/mountinfo").write_text(V1)
    memory, cpu = tmp_path / "sys/fs/cgroup/memory/ours/g", tmp_path / "sys/fs/cgroup/cpu/g"
    for each in (memory, cpu):
        each.mkdir(parents=True)
        (each / "cgroup.procs").write_text("")
    group = Group(10**8, 0.25, root=str(tmp_path), name="g")
    assert (memory / "memory.limit_in_bytes").read_text() == "100000000"
    assert (cpu / "cpu.cfs_quota_us").read_text() == "25000"
    (memory / "memory.max_usage_in_bytes").write_text("77")
    (memory / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    assert (group.peak, group.killed) == (77, 3)


def test_all_that_a_process_has_started_is_put_into_the_group(tmp_path: Path) -> None:
    here = two(tmp_path)
    for pid, children in ((10, "11 12"), (11, ""), (12, "13"), (13, "")):
        folder = tmp_path / f"proc/{pid}/task/{pid}"
        folder.mkdir(parents=True)
        (folder / "children").write_text(children)
    assert sorted(descendants(10, str(tmp_path))) == [11, 12, 13]
    group = Group(10**8, None, root=str(tmp_path), name="g")
    group.take(10)
    assert (here / "g/cgroup.procs").read_text() in {
        "10",
        "11",
        "12",
        "13",
    }  # the kernel would keep all; a file keeps the last


def test_what_the_kernel_counts_of_a_process_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "proc/10"
    (folder / "task/10").mkdir(parents=True)
    (folder / "task/10/children").write_text("")
    (folder / "status").write_text("Name:\tx\nVmHWM:\t  2048 kB\n")
    ticks = os.sysconf("SC_CLK_TCK")
    (folder / "stat").write_text(f"10 (a ) b) S 1 10 10 0 -1 0 0 0 0 0 {3 * ticks} {2 * ticks} 0 0\n")
    assert peak_memory(10, str(tmp_path)) == 2048 * 1024
    assert cpu_seconds(10, str(tmp_path)) == 5.0
    assert (peak_memory(99, str(tmp_path)), cpu_seconds(99, str(tmp_path))) == (0, 0.0)


def test_the_kernel_keeps_a_limit_of_memory() -> None:
    with Group(64 * 2**20, None) as group:
        (limit,) = group.limits
        if "cgroup" not in limit.how[:7]:
            pytest.skip(f"no cgroup can be made here: {limit.how}")
        code = "import sys; sys.stdin.read(1); kept = bytearray(b'1') * (128 << 20)"
        child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
        group.take(child.pid)
        child.communicate(b"x")
        assert child.returncode == -9
        assert group.killed == 1
        assert group.peak is not None
        assert group.peak <= 64 * 2**20
        folder = next(iter(group._folders.values()))
    assert not Path(folder).exists()
