"""Where the links of an archive lead once all of its links are followed. No file system is asked.

Each link of a chain may stay inside by its own text and the chain still leads out: ``a -> .`` and ``a/b -> ..`` (``a/b`` lies in
the root itself), or a hard link in the root to the symbolic link ``d/e/up -> ../..`` that lies two folders deeper.
(CVE-2025-4517 and CVE-2025-4138 get past the filters of ``tarfile`` by such chains.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from openvet.core.pattern import pattern
from openvet.errors import LimitError

__all__ = ["Links"]

#: As many links a kernel follows in one path (Linux: 40) before it refuses.
_FOLLOWED: Final = 40
#: Parts of paths that are walked for one archive.
_STEPS: Final = 2_000_000
_SEPARATORS: Final = pattern(r"[\\/]+")


def _parts(path: str) -> list[str]:
    return [part for part in _SEPARATORS.split(path) if part not in ("", ".")]


class Links:
    """The links of one archive. The order of the members is left aside: a tool that extracts twice, or later, meets them all.

    Args:
        check_time: is called now and then, and raises where time is over.
    """

    __slots__ = ("_check_time", "_steps", "_symbolic")

    def __init__(self, check_time: Callable[[], None]) -> None:
        self._symbolic: dict[tuple[str, ...], str] = {}
        self._steps = 0
        self._check_time = check_time

    def add(self, name: str, target: str) -> None:
        """A symbolic link."""
        self._symbolic.setdefault(tuple(_parts(name)), target)

    def symbolic(self) -> Mapping[tuple[str, ...], str]:
        return self._symbolic

    def leads_out(self, name: str, target: str, *, hard: bool) -> bool:
        """Whether the link ``name`` with the text ``target`` leads out of the folder by way of other links.

        Raises:
            LimitError: there are more links than are followed.
        """
        if not self._symbolic:
            return False
        if not hard:
            return self._escapes([*_parts(name)[:-1], *_parts(target)])
        copied = self._symbolic.get(tuple(_parts(target)))
        if copied is not None:  # a second name of a symbolic link, whose text now counts from another folder
            return copied[:1] in ("/", "\\") or self._escapes([*_parts(name)[:-1], *_parts(copied)])
        return self._escapes(_parts(target))

    def _escapes(self, path: list[str]) -> bool:
        waiting, at, followed = path[::-1], list[str](), 0
        while waiting:
            self._steps += 1
            if self._steps > _STEPS:
                raise LimitError("members", _STEPS, "the links of the archive were not all followed")
            if not self._steps % 65536:
                self._check_time()
            part = waiting.pop()
            if part == "..":
                if not at:
                    return True
                at.pop()
                continue
            at.append(part)
            target = self._symbolic.get(tuple(at)) if len(at) <= _DEEPEST else None
            if target is None:
                continue
            if target[:1] in ("/", "\\"):
                return True
            followed += 1
            if followed > _FOLLOWED:
                return False  # no kernel follows it to its end
            at.pop()
            waiting.extend(_parts(target)[::-1])
        return False


#: Folders below which no link is looked for, so that a path of thousands of parts takes no quadratic time.
_DEEPEST: Final = 256
