"""Names of members, judged as the paths that an extracting tool would make of them. No file system is asked."""

from __future__ import annotations

from typing import Protocol

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.io.archive.anomaly import Remarks
from openvet.io.archive.links import Links

__all__ = ["NameJudge", "Named", "escape_of", "is_plain", "link_escapes", "normal_name", "shown"]

#: Places of link targets and names in messages are cut to this many characters.
_SHOWN = 200

_DRIVE = pattern(r"[A-Za-z]:[\\/]")
_SEPARATORS = pattern(r"[\\/]+")


#: Parts that begin with a letter or digit: such a name leads nowhere else, and is its own normal form.
_PLAIN = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]*+(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*+)*+")


def is_plain(name: str) -> bool:
    """Whether there is nothing to remark on a name by itself, as almost always."""
    return _PLAIN.fullmatch(name) is not None


def shown(name: str) -> str:
    """``name`` for a message: printable and not too long."""
    return shorten(printable(name), _SHOWN)


def escape_of(name: str) -> str | None:
    """How ``name`` would leave the folder it is extracted to, in words; ``None`` when it stays inside."""
    if name[:1] in "/\\" and name:
        return "it is absolute"
    if _DRIVE.match(name):
        return "it names a drive"
    if _lowest(name, 0) < 0:
        return "its '..' parts climb out"
    return None


def link_escapes(name: str, target: str, *, hard: bool) -> bool:
    """Whether the link ``name`` with text ``target`` points outside of the folder that the archive is extracted to.

    A symbolic link is relative to its own folder, a hard link in an archive to the root of the archive.
    """
    if target.startswith(("/", "\\")) or _DRIVE.match(target):
        return True
    depth = 0 if hard else sum(1 if part != ".." else -1 for part in _parts(name)[:-1])
    return _lowest(target, max(depth, 0)) < 0


def normal_name(name: str) -> str:
    """``name`` without ``.`` parts and doubled or trailing slashes: two names with one normal form land on one file."""
    if "./" not in name and "//" not in name and not name.startswith("/") and not name.endswith(("/", "/.")):
        return name
    return ("/" if name.startswith("/") else "") + "/".join(part for part in name.split("/") if part not in ("", "."))


def _parts(path: str) -> list[str]:
    return [part for part in _SEPARATORS.split(path) if part not in ("", ".")]


def _lowest(path: str, depth: int) -> int:
    """The lowest level that walking ``path`` from ``depth`` folders below the root reaches; -1 is outside."""
    if ".." not in path:
        return depth
    lowest = depth
    for part in _parts(path):
        depth += -1 if part == ".." else 1
        lowest = min(lowest, depth)
    return lowest


class Named(Protocol):
    """What :class:`NameJudge` needs to know of an entry."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


class NameJudge:
    """Remarks on the names of one archive, one after the other: escapes, and later on what shares a name."""

    __slots__ = ("_inside", "_links", "_remarks")

    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks
        self._links = Links(remarks.budget.check_time)
        #: links that stay inside by their own text
        self._inside: list[tuple[str, str, int | None, bool]] = []

    def name(self, name: str, offset: int | None) -> None:
        """Remark on a name that would leave the folder."""
        how = escape_of(name)
        if how is not None:
            self._remarks.anomaly(
                "archive/path-traversal",
                f"the member {shown(name)} would be written outside of the "
                f"folder that the archive is extracted to: {how}",
                offset,
                name=shown(name),
                how=how,
            )

    def link(self, name: str, target: str, offset: int | None, *, hard: bool) -> None:
        """Remark on a link, whichever way it points."""
        escapes = link_escapes(name, target, hard=hard)
        if not hard:
            self._links.add(name, target)
        if not escapes:
            self._inside.append((name, target, offset, hard))
        kind = "hard link" if hard else "symbolic link"
        where = "outside of the archive" if escapes else "inside the archive"
        self._remarks.anomaly(
            "archive/link-escape",
            f"the member {shown(name)} is a {kind} to {shown(target)}, {where}",
            offset,
            name=shown(name),
            target=shown(target),
            kind=kind,
            escapes=escapes,
        )

    def chains(self) -> None:
        """Remark on links that only lead out by way of others; call it when all links are known.

        Raises:
            LimitError: there are more than are followed.
        """
        for name, target, offset, hard in self._inside:
            if self._links.leads_out(name, target, hard=hard):
                self._remarks.anomaly(
                    "archive/link-escape",
                    f"the member {shown(name)}, a link to {shown(target)}, leads outside of the archive by way of other links in it",
                    offset,
                    name=shown(name),
                    target=shown(target),
                    kind="chain",
                    escapes=True,
                )

    def device(self, name: str, mode: int, offset: int | None) -> None:
        """Remark on a member that is extracted as a device, a pipe or a socket."""
        self._remarks.anomaly(
            "archive/special-member",
            f"the member {shown(name)} is a device, pipe or socket",
            offset,
            name=shown(name),
            kind="device",
            mode=f"{mode:06o}",
        )

    def mode(self, name: str, mode: int, offset: int | None) -> None:
        """Remark on permission bits that change who the file runs as."""
        if mode & 0o6000:
            self._remarks.anomaly(
                "archive/special-member",
                f"the member {shown(name)} would be set-user-id or set-group-id",
                offset,
                name=shown(name),
                kind="setuid",
                mode=f"{mode & 0o7777:04o}",
            )
