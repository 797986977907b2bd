"""Which ``openvet.toml`` counts: one, and never one that whoever made the model may have written.

In this order, the first that is there: ``--config FILE``; ``OPENVET_CONFIG``; the nearest ``openvet.toml`` from the working
directory upwards; the one in the user's own folder. Files are not merged.

A file in an examined folder, below one, or in the folder that holds an examined file is never used. One that is named
explicitly is refused; one that the walk meets is skipped, and the report says so. Folders are compared by device and inode, so
that links, ``..``, the case of letters and mounts in two places make no difference; a file with several names (hard links) is
looked for in what is examined.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import ConfigError
from openvet.origins.local import cache_repository

if TYPE_CHECKING:
    from openvet.workflows.config import Config

__all__ = ["NAME", "VARIABLE", "Found", "Grounds", "Ignored", "Looked", "find_config"]

NAME = "openvet.toml"
VARIABLE = "OPENVET_CONFIG"
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Ignored:
    """A configuration that is there and is not used."""

    file: str
    why: str

    def to_json(self) -> dict[str, str]:
        return {"file": self.file, "why": self.why}


@dataclass(frozen=True, slots=True)
class Looked:
    """A place that was looked at: how, where, and what came of it."""

    how: str
    file: str
    result: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the search gave. ``source`` says how ``config`` was found."""

    config: Config | None = None
    source: str = ""
    ignored: tuple[Ignored, ...] = ()
    looked: tuple[Looked, ...] = ()


class Grounds:
    """What is examined, and so may have been written by anybody."""

    def __init__(self, subjects: Iterable[str | os.PathLike[str]]) -> None:
        self._folders: dict[tuple[int, int], str] = {}
        self._trees: list[str] = []
        self._holders: list[str] = []
        self._files: set[tuple[int, int]] = set()
        for each in subjects:
            self._add(os.fspath(each))

    def _add(self, path: str) -> None:
        shown = printable(path)
        try:
            real = os.path.realpath(path, strict=True)
            status = os.stat(real)
        except (OSError, ValueError):
            return  # it is not there, so it is not examined
        if stat.S_ISDIR(status.st_mode):
            repository = cache_repository(real)
            self._trees.append(repository or real)
            for folder in (real, repository):
                self._remember(folder, f"it lies in {shown}, which is examined")
            return
        self._files.add((status.st_dev, status.st_ino))
        for folder in (os.path.dirname(real), os.path.realpath(os.path.dirname(os.path.abspath(path)))):
            self._holders.append(folder)
            self._remember(folder, f"it lies in the folder that holds {shown}, which is examined")

    def _remember(self, folder: str | None, why: str) -> None:
        if folder is None:
            return
        try:
            status = os.stat(folder)
        except OSError:
            return
        self._folders.setdefault((status.st_dev, status.st_ino), why)

    def why_not(self, file: str) -> str:
        """Why ``file`` may not be used; empty where it may."""
        places = (os.path.dirname(os.path.realpath(file)), os.path.realpath(os.path.dirname(os.path.abspath(file))))
        for place in places:
            for folder in _upwards(place):
                try:
                    status = os.stat(folder)
                except OSError:
                    continue
                if (status.st_dev, status.st_ino) in self._folders:
                    return self._folders[status.st_dev, status.st_ino]
        return self._same_bytes(file)

    def _same_bytes(self, file: str) -> str:
        """Whether another name of the same file lies in what is examined."""
        try:
            status = os.stat(file)
        except OSError:
            return ""
        if status.st_nlink < 2:
            return ""
        key = (status.st_dev, status.st_ino)
        if key in self._files or any(_holds(folder, key, deep=False) for folder in self._holders):
            return "the same file has another name in what is examined"
        if any(_holds(folder, key, deep=True) for folder in self._trees):
            return "the same file has another name in what is examined"
        return ""


def _holds(folder: str, key: tuple[int, int], *, deep: bool) -> bool:
    """Whether the file ``key`` has a name in ``folder``; also when that is too large to say."""
    waiting, seen = [folder], 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    seen += 1
                    if seen > _MOST:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        if deep:
                            waiting.append(entry.path)
                    elif entry.inode() == key[1] and entry.stat(follow_symlinks=False).st_dev == key[0]:
                        return True
        except OSError:
            continue
    return False


def find_config(
    subjects: Iterable[str | os.PathLike[str]],
    named: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    platform: str = sys.platform,
) -> Found:
    """The configuration that counts when ``subjects`` are examined.

    Args:
        subjects: the paths that are going to be examined.
        named: the file that the user named, if any.
        environ: the environment; the process's own unless given.
        platform: as ``sys.platform``.

    Raises:
        ConfigError: a file that is named explicitly is not there or lies in what is examined; or the file that counts
            cannot be read or makes no sense. It is never passed over for the next one.
    """
    environ = os.environ if environ is None else environ
    grounds = Grounds(subjects)
    for source, file in (("--config", named), (VARIABLE, environ.get(VARIABLE))):
        if file:
            why = grounds.why_not(file)
            if why:
                raise ConfigError(
                    f"{source}: {printable(file)} is not used: {why}, and whoever made that may have written it; "
                    "keep the configuration elsewhere"
                )
            config = _load(file)
            return Found(config, source, (), (Looked(source, config.shown, "used"),))
    return _search(grounds, environ, platform)


def _load(file: str, shown: str = "") -> Config:
    from openvet.workflows.config import Config  # most runs have no configuration, and then nobody needs its words

    return Config.load(file, shown)


def _search(grounds: Grounds, environ: Mapping[str, str], platform: str) -> Found:
    ignored: list[Ignored] = []
    looked: list[Looked] = []
    for how, path, shown in _candidates(environ, platform):
        if not os.path.lexists(path):
            looked.append(Looked(how, shown, "not there"))
            continue
        why = grounds.why_not(path)
        why = f"{why}, and whoever made that may have written it" if why else _foreign(path, how)
        if why:
            ignored.append(Ignored(shown, why))
            looked.append(Looked(how, shown, f"ignored: {why}"))
            continue
        looked.append(Looked(how, shown, "used"))
        return Found(_load(path, shown), how, tuple(ignored), tuple(looked))
    return Found(None, "", tuple(ignored), tuple(looked))


def _candidates(environ: Mapping[str, str], platform: str) -> Iterator[tuple[str, str, str]]:
    """(how, path, how reports name it), in order of precedence."""
    try:
        here = os.getcwd()
    except OSError:  # the working directory was removed
        here = ""
    for folder in _upwards(here):
        path = os.path.join(folder, NAME)
        yield "upwards from the working directory", path, printable(os.path.relpath(path, here))
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME", "")
    folder = _user_folder(environ, platform, home)
    if folder:
        path = os.path.join(folder, "openvet", NAME)
        inside = home and path.startswith(home.rstrip(os.sep) + os.sep)
        yield "the user's folder", path, printable(f"~{path[len(home.rstrip(os.sep)) :]}" if inside else path)


def _user_folder(environ: Mapping[str, str], platform: str, home: str) -> str:
    asked = environ.get("APPDATA" if platform == "win32" else "XDG_CONFIG_HOME", "")
    if asked and os.path.isabs(asked):  # the XDG base directory specification: a relative one is ignored
        return asked
    if not home or not os.path.isabs(home):
        return ""
    if platform == "darwin":
        return os.path.join(home, "Library", "Application Support")
    return os.path.join(home, *(("AppData", "Roaming") if platform == "win32" else (".config",)))


def _upwards(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _foreign(path: str, how: str) -> str:
    """Why a file that the walk met is somebody else's: in a folder for everybody, or writable by everybody."""
    if how == "the user's folder" or not hasattr(os, "geteuid"):
        return ""
    try:
        file, folder = os.stat(path), os.stat(os.path.dirname(path))
    except OSError:
        return ""  # reading it says why
    if file.st_mode & stat.S_IWOTH:
        return "everybody may write it"
    if folder.st_mode & stat.S_IWOTH and file.st_uid not in {os.geteuid(), 0}:
        return "it belongs to another user, in a folder where everybody may write"
    return ""
