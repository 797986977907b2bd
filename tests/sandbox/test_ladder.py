"""Each level of the ladder keeps away what it says, and each attempt of the canary succeeds where its wall is not there."""

from __future__ import annotations

import json
import os
import platform
import struct
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from openvet.cli import main
from openvet.errors import SandboxError, UsageError
from openvet.sandbox import canary, landlock, levels
from openvet.sandbox.bpf import ALLOW, REFUSE, Rule, Where, assemble
from openvet.sandbox.calls import FILES, FREE, NETWORK, REFUSED, SPECIAL, name_of
from openvet.sandbox.canary import ATTEMPTS, Proof, prove
from openvet.sandbox.levels import ENOUGH, LADDER, Level, missing
from openvet.sandbox.supervisor import Bounds, run

BY_ID = {each.id: each for each in LADDER}
HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
#: What some machines switch off for everybody.
SWITCHED_OFF = {"namespace", "io_uring", "trace"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="models are run on Linux alone")


def level(name: str) -> Level:
    if missing(BY_ID[name]):
        pytest.skip(missing(BY_ID[name]))
    return BY_ID[name]


@pytest.mark.parametrize("name", [each.id for each in LADDER if each.number >= ENOUGH])
def test_a_level_that_is_used_keeps_everything_away(name: str) -> None:
    proof = prove(level(name))
    assert proof.proven, proof
    assert list(proof.outcomes) == list(ATTEMPTS)
    if "landlock" in proof.level.walls:
        assert "files" in proof.landlock


def test_every_attempt_succeeds_without_walls() -> None:
    proof = prove(BY_ID["1"])
    assert not proof.proven
    assert {name for name, outcome in proof.outcomes.items() if outcome == "reached"} >= set(ATTEMPTS) - SWITCHED_OFF


def test_the_filter_alone_keeps_no_file_away() -> None:
    outcomes = prove(level("1s")).outcomes
    assert {name for name, outcome in outcomes.items() if outcome == "reached"} == {"write", "secret", "system"}


@pytest.mark.parametrize("taken", ["keep_files", "filter_calls"])
def test_a_level_whose_wall_is_taken_away_is_not_proven(taken: str, tmp_path: object) -> None:
    # the child is asked for fewer walls than the level names, as a fault in the child would have it
    found = level("2")
    walls = {"keep_files": ("seccomp",), "filter_calls": ("landlock",)}[taken]
    weaker = Level("2", walls, found.claim)
    proof = prove(weaker)
    assert not proof.proven
    assert "reached" in proof.outcomes.values()


def test_a_level_that_is_not_there_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "bubblewrap_works", lambda: False)
    assert "bubblewrap" in missing(BY_ID["3"])
    with pytest.raises(SandboxError, match=r"level 3 .* cannot be had here: bubblewrap"):
        run({"work": "openvet.sandbox.canary"}, BY_ID["3"])
    assert prove(BY_ID["3"]) == Proof(BY_ID["3"], {}, missing=missing(BY_ID["3"]))


def test_a_child_that_does_not_confine_itself_is_an_error() -> None:
    with pytest.raises(SandboxError, match="did not confine itself"):
        run({"work": "no such work"}, level("2"))


def test_bounds_are_positive() -> None:
    for name in ("seconds", "cpu_seconds", "memory", "file_size", "threads"):
        with pytest.raises(UsageError, match=name):
            Bounds(**{name: 0})


def test_doctor_shows_what_was_proven_here(monkeypatch: pytest.MonkeyPatch) -> None:
    proven = Proof(BY_ID["2"], dict.fromkeys(ATTEMPTS, "refused"), ("files",), ("audit",))
    absent = Proof(BY_ID["3"], {}, missing="bubblewrap is not installed")
    leaky = Proof(BY_ID["2n"], {**proven.outcomes, "secret": "reached"})
    weak = Proof(BY_ID["1"], dict.fromkeys(ATTEMPTS, "reached"))

    def doctor(*proofs: Proof, form: str = "text") -> tuple[int, str]:
        monkeypatch.setattr(canary, "prove_all", lambda: proofs)
        done = CliRunner().invoke(main, ["doctor", "--format", form], env={"COLUMNS": "100"})
        return done.exit_code, done.stdout

    code, text = doctor(absent, proven, weak)
    assert code == 0
    assert "ok    isolation: level 2 is proven" in text
    assert "level 3  not here    bubblewrap+landlock+seccomp: bubblewrap is not installed" in text
    assert "level 1  not enough" in text
    code, text = doctor(absent, weak)
    assert code == 1
    assert "FAIL  isolation: none that is enough: install bubblewrap" in text
    code, text = doctor(proven, leaky, form="json")
    assert code == 1
    assert json.loads(text)["isolation"] == [proven.to_json(), leaky.to_json()]
    (check,) = [each for each in json.loads(text)["checks"] if each["name"] == "isolation"]
    assert check["detail"] == "level 2n does not keep what it promises: secret"


# --- the filter, without a kernel ---


def decide(code: bytes, arch: int, number: int, arguments: tuple[int, ...] = (0,) * 6) -> int:
    """What a program of classic BPF says about one call."""
    data = struct.pack("=iIQ6Q", number, arch, 0, *arguments)
    word, at = 0, 0
    lines = list(struct.iter_unpack("=HBBI", code))
    while True:
        operation, yes, no, k = lines[at]
        at += 1
        if operation == 0x20:
            word = struct.unpack_from("=I", data, k)[0]
        elif operation == 0x54:
            word &= k
        elif operation == 0x05:
            at += k
        elif operation in (0x15, 0x35):
            at += yes if (word == k if operation == 0x15 else word >= k) else no
        else:
            assert operation == 0x06
            return int(k)


def test_rules_of_a_filter_are_followed_in_order() -> None:
    many = tuple(range(100, 450))
    code = assemble(
        7, [Rule((1,), ALLOW, (Where(0, (5, 6)), Where(1, (0,), high=True))), Rule((2,), ALLOW, (Where(0, (16,), 16),)), Rule(many, ALLOW)]
    )  # fmt: skip
    assert decide(code, 8, 1) == 0x80000000, "another architecture ends the process"
    assert decide(code, 7, 0x40000000 | 100) == REFUSE
    for first, second, wanted in ((5, 0, ALLOW), (6, 0, ALLOW), (7, 0, REFUSE), (5, 1 << 40, REFUSE)):
        assert decide(code, 7, 1, (first, second, 0, 0, 0, 0)) == wanted
    assert decide(code, 7, 2, (0b110001, 0, 0, 0, 0, 0)) == ALLOW
    assert decide(code, 7, 2, (0b100001, 0, 0, 0, 0, 0)) == REFUSE
    assert all(decide(code, 7, number) == (ALLOW if number in many else REFUSE) for number in range(3, 600))


def test_no_call_is_in_two_tables_and_numbers_are_told_apart() -> None:
    tables = (FILES, NETWORK, REFUSED, SPECIAL, FREE)
    for column in (0, 1):
        numbers = [numbers[column] for table in tables for numbers in table.values() if numbers[column] >= 0]
        assert len(numbers) == len(set(numbers))
    assert name_of(257, 0) == "openat"
    assert name_of(56, 1) == "openat"
    assert name_of(9999, 0) == "call 9999"
    dangerous = {"execve", "ptrace", "io_uring_setup", "socket", "connect", "fork", "unshare", "mount", "bpf", "setns", "process_vm_writev", "keyctl"}  # fmt: skip
    assert not dangerous & set(FREE)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the header is of this architecture")
@pytest.mark.skipif(not HEADER.exists(), reason="no header of the kernel")
def test_the_numbers_are_those_of_the_kernels_header() -> None:
    with HEADER.open(encoding="ascii") as file:
        words = [line.split() for line in file if line.startswith("#define __NR_")]
    listed = {name.removeprefix("__NR_"): int(number) for _, name, number in words}
    ours = {name: numbers[0] for table in (FILES, NETWORK, REFUSED, SPECIAL, FREE) for name, numbers in table.items() if numbers[0] >= 0}  # fmt: skip
    assert {name: number for name, number in ours.items() if listed.get(name, number) != number} == {}


@pytest.mark.parametrize(("version", "words"), [(0, ()), (1, ("files",)), (5, ("files", "TCP ports")), (9, ("files", "TCP ports", "abstract sockets and signals"))])  # fmt: skip
def test_landlock_gives_up_what_the_kernel_knows(version: int, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    asked = []

    class Libc:
        def syscall(self, number: int, *arguments: object) -> int:
            asked.append((number, arguments))
            return os.open("/dev/null", os.O_RDONLY) if number == 444 else 0

        def prctl(self, *_: object) -> int:
            return 0

    monkeypatch.setattr(landlock, "interface", lambda: version)
    monkeypatch.setattr(landlock, "_libc", Libc)
    if not version:
        with pytest.raises(SandboxError, match="no Landlock"):
            landlock.restrict([], [])
        return
    assert landlock.restrict(["/usr", "/no/such/path"], ["/tmp"]) == words
    files, net, scope = struct.unpack("=QQQ", asked[0][1][0])  # type: ignore[arg-type]
    assert files == (1 << {1: 13, 5: 16}.get(version, 16)) - 1
    assert (net, scope) == (3 if version >= 4 else 0, 3 if version >= 6 else 0)
    assert [number for number, _ in asked] == [444, 445, 445, 446], "what is not there is left out"
