"""Taking every right away from the process that runs this: resource limits, then a seccomp filter.

The filter allows what a computation on memory and two open pipes needs, and answers ``EPERM`` to every other system call:
no file can be opened, no socket, no process or thread made, no signal sent. It cannot be taken off again, since
``no_new_privs`` is set (Documentation/userspace-api/seccomp_filter.rst of Linux).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from typing import Any, Final

from openvet.errors import SandboxError
from openvet.sandbox.bpf import ALLOW, Rule, assemble
from openvet.sandbox.confines import Confines

__all__ = ["Program", "architecture", "can_filter", "limit", "program_of", "seal", "set_filter"]

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_GET_SECCOMP: Final = 21
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2

#: machine -> (AUDIT_ARCH, numbers of the calls that compute, wait, answer and end)
_CALLS: Final[dict[str, tuple[int, dict[str, int]]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
            "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25,
            "madvise": 28, "getpid": 39, "exit": 60, "getrusage": 98, "gettimeofday": 96, "sigaltstack": 131, "gettid": 186,
            "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231,
            "getrandom": 318, "rseq": 334,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "close": 57, "lseek": 62, "read": 63, "write": 64, "ppoll": 73, "fstat": 80, "exit": 93, "exit_group": 94,
            "futex": 98, "clock_gettime": 113, "clock_nanosleep": 115, "sched_yield": 124, "restart_syscall": 128,
            "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getrusage": 165,
            "gettimeofday": 169, "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
            "mprotect": 226, "madvise": 233, "getrandom": 278, "rseq": 293,
        },
    ),
}  # fmt: skip


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def can_filter() -> bool:
    """Whether this machine has the filter: Linux with seccomp on an architecture whose calls are listed here."""
    if sys.platform != "linux" or platform.machine() not in _CALLS or struct.calcsize("P") != 8:
        return False
    try:
        return int(ctypes.CDLL(None).prctl(_PR_GET_SECCOMP, 0, 0, 0, 0)) >= 0
    except (OSError, AttributeError):
        return False


def seal(confines: Confines) -> None:
    """Take away everything but memory, the processor, and the descriptors that are open already. There is no way back.

    Raises:
        SandboxError: the kernel refuses.
    """
    limit(confines)
    arch, calls = _CALLS[platform.machine()]
    set_filter(assemble(arch, [Rule(tuple(calls.values()), ALLOW)]))


def limit(confines: Confines) -> None:
    """Bounds that the kernel keeps, whatever else is in the way."""
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_AS: confines.memory,
        resource.RLIMIT_CPU: confines.cpu_seconds,
    }
    for what, most in bounds.items():
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def architecture() -> int:
    """AUDIT_ARCH_* of this machine."""
    return _CALLS[platform.machine()][0]


def set_filter(code: bytes) -> None:
    """Set a filter over whatever is set already. There is no way back.

    Raises:
        SandboxError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise SandboxError(f"no_new_privs cannot be set: {os.strerror(ctypes.get_errno())}")
    program, _buffer = program_of(code)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise SandboxError(f"the seccomp filter cannot be set: {os.strerror(ctypes.get_errno())}")


def program_of(code: bytes) -> tuple[Program, Any]:
    """``struct sock_fprog`` of a program, and the memory that has to live as long as it is used."""
    buffer = ctypes.create_string_buffer(code, len(code))
    return Program(len(code) // 8, ctypes.addressof(buffer)), buffer
