"""gVisor: the child's system calls go to a kernel in user space, which has a view of the file system of its own.

``runsc`` runs a bundle of the OCI runtime specification that is made for one child: an empty root, the interpreter, its packages and the model bound
read-only, an empty home, no network. It needs neither a daemon nor root. Our filter is set inside as well; Landlock, and a parent that is told of calls,
are no part of that kernel, so that what is told elsewhere is refused there.

Source: OCI runtime specification 1.0.2, ``config.md`` and ``config-linux.md``; gVisor's ``runsc --help``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

__all__ = ["gvisor"]

_KINDS: Final = ("bounding", "effective", "inheritable", "permitted", "ambient")
_NAMESPACES: Final = ("pid", "ipc", "uts", "mount", "network")
#: ``runsc`` ends its sandbox when it ends; this ends ``runsc`` when its own parent ends, however that ends.
_WITH_PARENT: Final = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9, 0, 0, 0); os.getppid() == int(sys.argv[1]) or os._exit(1); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def gvisor(
    runsc: str,
    folder: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    readable: Iterable[str],
    writable: Iterable[str],
    home: str,
    scratch: int,
) -> list[str]:
    """The command that runs ``command`` in gVisor.

    Args:
        runsc: its program.
        folder: an empty one, in which the bundle and what runsc remembers are kept; to be removed afterwards.
        readable: files and folders that it sees, read-only.
        writable: folders in which it may make and change files.
        home: an empty folder in memory.
        scratch: bytes that it and ``/tmp`` may hold, each.
    """
    bundle = os.path.join(folder, "bundle")
    os.makedirs(os.path.join(bundle, "root"))
    bound: list[str] = []
    for each in sorted({os.path.abspath(path) for path in readable}):
        if os.path.exists(each) and not any(each.startswith(f"{seen}/") for seen in bound):
            bound.append(each)
    with open(os.path.join(bundle, "config.json"), "w", encoding="utf-8") as file:
        json.dump(_config(command, environment, bound, writable, home, scratch), file)
    rootless = ["--rootless"] if os.geteuid() else []
    run = [runsc, *rootless, "--network=none", "--ignore-cgroups", f"--root={folder}/state", "run", "--bundle", bundle]
    return [
        sys.executable,
        "-I",
        "-c",
        _WITH_PARENT,
        str(os.getpid()),
        *run,
        f"openvet-{os.getpid()}-{os.path.basename(folder)}",
    ]


def _config(
    command: Sequence[str],
    environment: Mapping[str, str],
    bound: Sequence[str],
    writable: Iterable[str],
    home: str,
    scratch: int,
) -> dict[str, Any]:
    size = f"size={scratch}"
    return {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": list(command),
            "env": [f"{name}={value}" for name, value in environment.items()],
            "cwd": "/",
            "capabilities": {kind: [] for kind in _KINDS},
            "noNewPrivileges": True,
        },
        "root": {"path": "root", "readonly": True},
        "hostname": "sandbox",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": [size]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": [size]},  # noqa: S108 - inside
            {"destination": home, "type": "tmpfs", "source": "tmpfs", "options": [size]},
            *({"destination": each, "type": "bind", "source": each, "options": ["ro", "rbind"]} for each in bound),
            *({"destination": each, "type": "bind", "source": each, "options": ["rw", "rbind"]} for each in writable),
        ],
        "linux": {"namespaces": [{"type": each} for each in _NAMESPACES]},
    }
