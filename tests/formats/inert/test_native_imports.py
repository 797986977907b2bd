"""What compiled libraries take from the system to start programs, and what of it is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from openvet.formats._native_imports import starts_programs
from openvet.io.source import BytesSource
from openvet.testing.forge_native import elf_library, mach_o_library, pe_library


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("hashed", ["gnu", "plain"])
def test_libraries_of_linux(wide: bool, order: str, hashed: str) -> None:
    def told(imports: Sequence[str], exports: Sequence[str] = ("run",), *, program: bool = False) -> list[str]:
        made = elf_library(imports, exports, wide=wide, order=order, hashed=hashed, program=program)
        return starts_programs(BytesSource(made), "elf")

    assert told(["sin", "system", "popen"]) == ["popen", "system"]
    assert told(["sin", "malloc", "systemd_notify"]) == []
    assert told(["sin"], ["system"]) == []  # offered, not taken
    assert told(["system"], []) == ["system"]
    assert told(["system"], [f"f{each}" for each in range(64)]) == ["system"]
    assert told(["system"], [f"f{each}" for each in range(65)]) == []
    assert told(["system"], program=True) == []
    asking = elf_library(["system"], wide=wide, order=order, hashed=hashed, loader=True)
    assert starts_programs(BytesSource(asking), "elf") == ["system"]  # as libc.so does, which is loaded all the same


def test_libraries_of_macos_and_windows() -> None:
    assert starts_programs(BytesSource(mach_o_library(["sin", "posix_spawn"])), "mach-o") == ["posix_spawn"]
    assert starts_programs(BytesSource(mach_o_library(["sin"], ["system"])), "mach-o") == []
    assert starts_programs(BytesSource(mach_o_library(["system"], kind=2)), "mach-o") == []
    fat = mach_o_library(["system"])
    header = b"\xca\xfe\xba\xbe" + b"".join(each.to_bytes(4, "big") for each in (1, 0, 0, 28, len(fat), 0))
    assert starts_programs(BytesSource(header + fat), "mach-o") == ["system"]
    assert starts_programs(BytesSource(pe_library(["sin", "ShellExecuteW"])), "pe") == ["ShellExecuteW"]
    assert starts_programs(BytesSource(pe_library(["sin"])), "pe") == []
    assert starts_programs(BytesSource(pe_library(["system"], library=False)), "pe") == []
    assert starts_programs(BytesSource(b"\0asm" + bytes(60)), "wasm") == []


@pytest.mark.parametrize(
    ("kind", "made"),
    [("elf", elf_library(["system"])), ("mach-o", mach_o_library(["system"])), ("pe", pe_library(["system"]))],
)
def test_whatever_is_broken_is_no_fault(kind: str, made: bytes) -> None:
    for at in range(min(len(made), 700)):
        starts_programs(BytesSource(made[:at]), kind)
        for value in (0, 0x7F, 0xFF):
            starts_programs(BytesSource(made[:at] + bytes([value]) + made[at + 1 :]), kind)
