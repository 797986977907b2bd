"""A revision as the hub's API tells it: information, trees, paths, refs. JSON out of what the gate knows, and nothing of Xet.

Source: what ``huggingface_hub`` 0.36.2 to 2.4.0 reads (``ModelInfo``, ``RepoFile``, ``RepoFolder``, ``GitRefs``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

from openvet.core.pattern import pattern
from openvet.gate.answers import Listed, ListedFile

__all__ = ["info", "paths_info", "refs", "summary", "tree"]

_ABOUT: Final = ("tags", "pipeline_tag", "library_name", "downloads", "likes", "lastModified", "createdAt")
_SHA1: Final = pattern("[0-9a-f]{40}")


def summary(listed: Listed) -> dict[str, Any]:
    """A revision without its files, as lists of repositories have it."""
    name = listed.repository.name
    value: dict[str, Any] = {
        "_id": hashlib.sha256(str(listed.repository).encode()).hexdigest()[:24],
        "id": name,
        "author": name.partition("/")[0] if "/" in name else None,
        "sha": listed.commit,
        "private": False,
        "gated": False,
        "disabled": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        **{key: listed.about[key] for key in _ABOUT if listed.about.get(key) is not None},
    }
    if listed.repository.kind == "model":
        value["modelId"] = name
    return value


def info(listed: Listed, *, blobs: bool) -> dict[str, Any]:
    """A revision and the names of its files; with ``blobs`` their sizes and digests as well."""
    return {**summary(listed), "siblings": [_sibling(each, blobs=blobs) for each in listed.files]}


def _sibling(file: ListedFile, *, blobs: bool) -> dict[str, Any]:
    value: dict[str, Any] = {"rfilename": file.path}
    if blobs:
        value |= {"size": file.size, "blobId": file.oid}
        if file.lfs:
            value["lfs"] = {"sha256": file.lfs, "size": file.size, "pointerSize": file.pointer}
    return value


def tree(listed: Listed, path: str, *, recursive: bool) -> list[dict[str, Any]] | None:
    """What lies in the folder ``path`` ('' for all), folders too; ``None`` where there is no such folder."""
    prefix = f"{path}/" if path else ""
    inside = [each for each in listed.files if each.path.startswith(prefix)]
    if path and not inside:
        return None
    folders = _folders(listed.files)
    entries: dict[str, dict[str, Any]] = {}
    for file in inside:
        parts = file.path[len(prefix) :].split("/")
        for deep in range(1, len(parts) if recursive else min(len(parts), 2)):
            name = prefix + "/".join(parts[:deep])
            entries.setdefault(name, _folder(name, folders[name]))
        if recursive or len(parts) == 1:
            entries[file.path] = _file(file)
    return [entries[name] for name in sorted(entries)]


def paths_info(listed: Listed, paths: Iterable[str]) -> list[dict[str, Any]]:
    """What the paths are; those that are not there are left out, as the hub does."""
    files = {each.path: each for each in listed.files}
    folders: dict[str, str] | None = None
    out = []
    for path in dict.fromkeys(paths):
        if path in files:
            out.append(_file(files[path]))
            continue
        folders = _folders(listed.files) if folders is None else folders
        if path in folders and path:
            out.append(_folder(path, folders[path]))
    return out


def refs(listed: Listed) -> dict[str, Any]:
    """The branch that everybody starts from. Others are known when they are asked for, and are not listed."""
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": listed.commit}
    return {"branches": [main], "converts": [], "tags": [], "pullRequests": []}


def _file(file: ListedFile) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "file", "oid": file.oid, "size": file.size, "path": file.path}
    if file.lfs:
        value["lfs"] = {"oid": file.lfs, "size": file.size, "pointerSize": file.pointer}
    return value


def _folder(path: str, oid: str) -> dict[str, Any]:
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def _folders(files: Sequence[ListedFile]) -> dict[str, str]:
    """Folder -> the id that git gives to it where each of its files is an ordinary one (mode 100644, which no listing tells)."""
    inside: dict[str, dict[str, tuple[bytes, str]]] = {"": {}}
    for file in files:
        parent, _, name = file.path.rpartition("/")
        inside.setdefault(parent, {})[name] = (b"100644", file.oid)
        while parent:
            above, _, name = parent.rpartition("/")
            inside.setdefault(above, {}).setdefault(name, (b"40000", ""))
            parent = above
    out: dict[str, str] = {}
    for folder in sorted(inside, key=lambda each: (-each.count("/"), not each, each)):
        entries = sorted((name.encode("utf-8", "surrogatepass") + b"/" * (mode == b"40000"), mode, name, oid) for name, (mode, oid) in inside[folder].items())  # fmt: skip
        data = b""
        for _, mode, name, oid in entries:
            known = oid or out[f"{folder}/{name}" if folder else name]
            data += (
                mode
                + b" "
                + name.encode("utf-8", "surrogatepass")
                + b"\0"
                + (bytes.fromhex(known) if _SHA1.fullmatch(known) else b"")
            )
        out[folder] = hashlib.sha1(b"tree %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return out
