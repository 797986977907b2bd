"""The kernel's cache of a model's files: how much of them is in it, and letting go of it, so that a load is one from storage."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["cached", "forget"]


def forget(paths: Sequence[str]) -> None:
    """Ask the kernel to let go of the files' pages. It keeps those that somebody has mapped or that are not written yet."""
    for path in paths:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fdatasync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def cached(paths: Sequence[str]) -> float | None:
    """Which share of the files' bytes is in the cache, 0 to 1; ``None`` where that cannot be told."""
    try:
        mincore = ctypes.CDLL(None, use_errno=True).mincore
    except (OSError, AttributeError):
        return None
    there = total = 0
    for path in paths:
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if not size:
                    continue
                # a private map that could be written to: of such a one ctypes gives the address
                with mmap.mmap(
                    file.fileno(), size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE
                ) as view:
                    pages = -(-size // mmap.PAGESIZE)
                    told = (ctypes.c_ubyte * pages)()
                    first = ctypes.c_char.from_buffer(view)
                    failed = mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), told)
                    del first
                    if failed:
                        return None
        except (OSError, ValueError):
            return None
        there += sum(each & 1 for each in bytes(told))
        total += pages
    return there / total if total else None
