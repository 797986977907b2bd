"""The Python that a child runs in: ours, or another one that has the frameworks, which is asked what it is and what it has.

Our own code is all that is added to it, from where it lies; of that a child needs only what the standard library can run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError

__all__ = ["Interpreter", "interpreter_at", "our_interpreter"]

_OLDEST: Final = (3, 11)
_ASKED: Final = """
import importlib.util, json, sys
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:
        return False
print(json.dumps([list(sys.version_info[:3]), sys.prefix, sys.base_prefix, sys.path, [name for name in sys.argv[1:] if there(name)]]))
"""
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python.

    Attributes:
        executable: its program.
        version: as ``3.11.7``.
        folders: where it and its packages lie.
    """

    executable: str
    version: str
    folders: tuple[str, ...]

    @property
    def roots(self) -> tuple[str, ...]:
        """Its folders and the system's, by both their names, each with ``/`` at the end: what is there was there before the model came."""
        paths = [*self.folders, "/usr/lib", "/lib", "/lib64"]
        real = [os.path.realpath(each) for each in paths]
        return tuple(dict.fromkeys(f"{each.rstrip('/')}/" for each in (*paths, *real) if each not in ("", "/")))

    def has(self, packages: Sequence[str]) -> tuple[str, ...]:
        """Those of ``packages`` that can be imported in it."""
        return _ask(self.executable, tuple(packages))[4]


def our_interpreter() -> Interpreter:
    """The one that runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Interpreter(sys.executable, version, _folders(sys.prefix, sys.base_prefix, sys.path))


def interpreter_at(path: str) -> Interpreter:
    """The one at ``path``, which is the user's and trusted as ours is.

    Raises:
        UsageError: there is none, or it is too old.
    """
    version, prefix, base, paths, _ = _ask(os.path.abspath(path), ())
    if version[:2] < _OLDEST:
        raise UsageError(
            f"{path}: Python {'.'.join(map(str, version))} is too old for the child; it needs {'.'.join(map(str, _OLDEST))} or later"
        )
    return Interpreter(os.path.abspath(path), ".".join(map(str, version)), _folders(prefix, base, paths))


def _folders(prefix: str, base: str, paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([prefix, base, *(each for each in paths if os.path.isabs(each) and each != "/")]))


@cache
def _ask(
    executable: str, packages: tuple[str, ...]
) -> tuple[tuple[int, ...], str, str, tuple[str, ...], tuple[str, ...]]:
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the user named
            [executable, "-I", "-c", _ASKED, *packages],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        version, prefix, base, paths, there = json.loads(done.stdout)
        return tuple(version), prefix, base, tuple(paths), tuple(there)
    except subprocess.CalledProcessError as error:
        raise UsageError(f"{executable}: is no Python that answers: it ended with {error.returncode}") from error
    except ValueError as error:
        raise UsageError(f"{executable}: is no Python: asked for its version, it said something else") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"{executable}: is no Python that answers: {error}") from error
