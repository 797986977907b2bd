"""Confining a process in which a framework works: it reads the interpreter and a model, starts threads, writes to an empty home, and no more.

What :mod:`openvet.sandbox.seal` does for children that only compute cannot be done here: frameworks open files and start threads while they run.
So files are given up by Landlock, and system calls by two filters. The first sends what names a file, a socket or a process to the parent,
which sees what was asked for and answers in the kernel's place (``SECCOMP_RET_USER_NOTIF``); the second refuses whatever is not listed. Where
nobody listens any more, what is sent fails: a parent that dies opens nothing.

Source: seccomp_unotify(2), ``Documentation/userspace-api/seccomp_filter.rst`` and ``landlock.rst`` of Linux.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import socket
from collections.abc import Iterable
from typing import Final

from openvet.errors import SandboxError
from openvet.sandbox.bpf import ALLOW, REFUSE, TELL, UNKNOWN_CALL, Rule, Where, assemble
from openvet.sandbox.calls import ATTRIBUTES, FILES, FREE, NETWORK, REFUSED, SPECIAL
from openvet.sandbox.interpreter import our_interpreter
from openvet.sandbox.landlock import interface, restrict
from openvet.sandbox.levels import WHERE
from openvet.sandbox.seal import architecture, can_filter, program_of, set_filter

__all__ = ["bound", "drop_capabilities", "end_with_parent", "filter_calls", "keep_files", "machine", "only_thread"]

_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
_CAPSET: Final = {"x86_64": 126, "aarch64": 91}
_SET_MODE_FILTER: Final = 1
_NEW_LISTENER: Final = 8
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION_3: Final = 0x20080522
_CLONE_THREAD: Final = 0x00010000
#: PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_GET_TIMERSLACK, PR_SET_VMA
_PRCTL: Final = (3, 15, 16, 23, 30, 0x53564D41)
#: TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
_IOCTL: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
#: All but what names an owner for signals: F_DUPFD to F_SETLKW, F_OFD_*, F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS
_FCNTL: Final = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032, 1033, 1034)
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
#: What libraries look at to know the processor; nothing of it is about people.
_MACHINE: Final = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/devices/system/node")


def machine() -> int:
    """The column of this machine in :mod:`openvet.sandbox.calls`."""
    return 0 if platform.machine() == "x86_64" else 1


def end_with_parent(parent: int) -> None:
    """Die when the process that started this one does, however it ends; at once where it is gone already.

    Args:
        parent: its number as this process sees it, or 0 where another process namespace hides it.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(1)


def bound(memory: int, cpu_seconds: int, file_size: int, threads: int) -> None:
    """Bounds that the kernel keeps.

    Args:
        memory: bytes of address space.
        cpu_seconds: of processor time.
        file_size: bytes of one file that is written.
        threads: of this user in this user namespace; 0 leaves it as it is.
    """
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: file_size,
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_NOFILE: 1024,
        **({resource.RLIMIT_NPROC: threads} if threads else {}),
    }
    for what, most in bounds.items():
        _, hard = resource.getrlimit(what)
        # a second more until the kernel kills without a word
        over = most + 1 if what == resource.RLIMIT_CPU else most
        over = over if hard == resource.RLIM_INFINITY else min(over, hard)
        resource.setrlimit(what, (min(most, over), over))


def only_thread() -> None:
    """Landlock binds one thread only.

    Raises:
        SandboxError: the process has others already.
    """
    count = len(os.listdir("/proc/self/task"))
    if count != 1:
        raise SandboxError(f"{count} threads run already, and only one of them could be confined")


def drop_capabilities() -> None:
    """What root may do beyond owning files, given up for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if libc.syscall(_CAPSET[platform.machine()], header, nothing) != 0:
        raise SandboxError(f"capabilities cannot be dropped: {os.strerror(ctypes.get_errno())}")


def keep_files(readable: Iterable[str], writable: Iterable[str]) -> tuple[str, ...]:
    """Landlock: the interpreter, what it imports from, and ``readable`` can be read, below ``writable`` files can be changed.

    Returns:
        What Landlock keeps away here; nothing where the kernel has none.
    """
    if not interface():
        return ()
    return restrict([*WHERE, *_MACHINE, *our_interpreter().folders, *readable], writable, _DEVICES)


def filter_calls(channel: socket.socket | None) -> str:
    """Set the filters.

    Args:
        channel: where the descriptor that tells of calls is handed to the parent. ``None`` where nobody listens: what would be told is refused.

    Returns:
        ``told`` where the parent listens, ``refused`` where this kernel cannot tell it, ``nothing`` where it has no filters.
    """
    if not can_filter():
        return "nothing"
    column = machine()
    listener = -1
    told = tuple(
        number
        for table in (FILES, NETWORK, REFUSED)
        for name, numbers in table.items()
        if (number := numbers[column]) >= 0 and name not in ("sendto", "seccomp")
    )
    special = {name: numbers[column] for name, numbers in SPECIAL.items()}
    addressed = NETWORK["sendto"][column]
    own = (os.getpid(),)
    #: a send without an address goes where its socket leads, which is to the parent
    nowhere = (Where(4, (0,)), Where(4, (0,), high=True))
    allowed = [
        Rule((special["clone3"],), UNKNOWN_CALL),
        Rule((special["clone"],), ALLOW, (Where(0, (_CLONE_THREAD,), _CLONE_THREAD),)),
        Rule((special["kill"], special["tgkill"]), ALLOW, (Where(0, own),)),
        Rule((special["prctl"],), ALLOW, (Where(0, _PRCTL),)),
        Rule((special["ioctl"],), ALLOW, (Where(1, _IOCTL),)),
        Rule((special["fcntl"],), ALLOW, (Where(1, _FCNTL),)),
        Rule((special["prlimit64"],), ALLOW, (Where(0, (0, *own)), Where(2, (0,)), Where(2, (0,), high=True))),
        Rule((special["sched_setaffinity"],), ALLOW, (Where(0, (0, *own)),)),
        Rule((addressed,), ALLOW, nowhere),
    ]
    handing = (NETWORK["sendmsg"][column],)
    through = (Where(0, (-1 if channel is None else channel.fileno(),)),)
    tell = [
        *([Rule(handing, ALLOW, through)] if channel is not None else []),
        *allowed,
        Rule((addressed, special["clone"], special["kill"], special["tgkill"]), TELL),
        Rule(told, TELL),
    ]
    if channel is not None:
        listener = _listen(assemble(architecture(), tell, ALLOW))
    if listener >= 0 and channel is not None:
        socket.send_fds(channel, [b"L"], [listener])
        os.close(listener)
        channel.recv(1)  # the parent listens
        rest = (*told, addressed, special["clone"], special["kill"], special["tgkill"])
    else:
        rest = tuple(numbers[column] for name, numbers in FILES.items() if name not in ATTRIBUTES)
    free = tuple(numbers[column] for numbers in FREE.values())
    # what handed the descriptor over is a way out no longer, whatever is put in its place
    closed = [Rule(handing, REFUSE, through)] if channel is not None else []
    set_filter(assemble(architecture(), [*closed, *allowed, Rule((*free, *rest), ALLOW)], REFUSE))
    return "told" if listener >= 0 else "refused"


def _listen(code: bytes) -> int:
    """Set a filter that tells, and give the descriptor that tells; -1 where this kernel has none."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise SandboxError(f"no_new_privs cannot be set: {os.strerror(ctypes.get_errno())}")
    program, _buffer = program_of(code)
    call = _SECCOMP[platform.machine()]
    return int(libc.syscall(call, _SET_MODE_FILTER, ctypes.c_ulong(_NEW_LISTENER), ctypes.byref(program)))
