"""Landlock: a process gives up every file but those that it names, TCP, and what leads to other processes; without privileges, for good.

What can be given up depends on the kernel, whose version of the interface is read at run time: files from 1, moving between folders from 2,
truncating from 3, TCP ports from 4, ``ioctl`` of devices from 5, abstract Unix sockets and signals from 6.

Only the thread that calls is bound, and what it starts afterwards; whoever calls this has no other threads.

Source: ``Documentation/userspace-api/landlock.rst`` and ``include/uapi/linux/landlock.h`` of Linux.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from typing import Final

from openvet.errors import SandboxError

__all__ = ["interface", "restrict"]

# the numbers are the same on every architecture
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TRUNCATE: Final = 1 << 14
#: Bits of LANDLOCK_ACCESS_FS_*, in the order of their versions: how many there are in each.
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_EXECUTE, _REFER, _IOCTL_DEVICE = 1, 1 << 13, 1 << 15
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
#: What may be made: neither devices nor sockets, and nothing that is run.
_CHANGE: Final = sum(1 << bit for bit in (1, 2, 3, 4, 5, 7, 8, 10, 12, 14)) | _REFER
_TCP: Final = 0b11  # bind, connect
_OTHERS: Final = 0b11  # abstract Unix sockets, signals


def interface() -> int:
    """The version of Landlock's interface; 0 where the kernel has none, or it is switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))))
    except (OSError, AttributeError):
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str], devices: Iterable[str] = ()) -> tuple[str, ...]:
    """Give up everything else.

    Args:
        readable: files and folders that may be read, with all below them. One that is not there is left out.
        writable: folders below which files may be read, made, changed and removed. Nothing anywhere may be run.
        devices: files that may be read and written.

    Returns:
        What this kernel lets give up, in words.

    Raises:
        SandboxError: the kernel has no Landlock, or refuses.
    """
    version = interface()
    if version < 1:
        raise SandboxError("this kernel has no Landlock, or it is switched off")
    files = (1 << _FILE_RIGHTS[min(version, 5)]) - 1
    attributes = struct.pack("=QQQ", files, _TCP if version >= 4 else 0, _OTHERS if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    libc = _libc()
    rules = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    if rules < 0:
        raise SandboxError(f"Landlock cannot be used: {os.strerror(ctypes.get_errno())}")
    try:
        for paths, rights in (
            (readable, _READ_FILE | _READ_DIR),
            (writable, _CHANGE),
            (devices, _WRITE_FILE | _READ_FILE),
        ):
            for path in paths:
                _allow(libc, rules, path, rights & files)
        if (
            libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.syscall(_RESTRICT_SELF, rules, ctypes.c_uint(0)) != 0
        ):
            raise SandboxError(f"Landlock cannot be used: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(rules)
    words = [(1, "files"), (4, "TCP ports"), (6, "abstract sockets and signals")]
    return tuple(word for since, word in words if version >= since)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_FILES
        beneath = struct.pack("=Qi", rights, opened)
        if libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, beneath, ctypes.c_uint(0)) != 0:
            raise SandboxError(f"Landlock does not take {path}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(opened)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
