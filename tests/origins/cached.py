"""Hugging Face caches as a client leaves them behind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

FIRST, SECOND = "c" * 40, "d" * 40
SMALL, LARGE = b"{}", b"weights" * 100


def blob_name(path: str, data: bytes) -> str:
    """What a hub calls these bytes: by SHA-256 where it keeps them in LFS."""
    if path.endswith(".safetensors"):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def put(
    cache: Path,
    name: str = "org/model",
    commit: str = FIRST,
    files: Mapping[str, bytes] | None = None,
    *,
    refs: Sequence[str] = ("main",),
    kind: str = "models",
) -> Path:
    """A revision as it lies in a cache after it was pulled; the folder of its repository."""
    repository = cache / f"{kind}--{name.replace('/', '--')}"
    (repository / "blobs").mkdir(parents=True, exist_ok=True)
    (cache / ".locks" / repository.name).mkdir(parents=True, exist_ok=True)
    (repository / "snapshots" / commit).mkdir(parents=True, exist_ok=True)
    for ref in refs:
        place = repository / "refs" / ref
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(commit)
    for path, data in (files or {"config.json": SMALL, "sub/model.safetensors": LARGE}).items():
        called = blob_name(path, data)
        (repository / "blobs" / called).write_bytes(data)
        at = repository / "snapshots" / commit / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.symlink_to("../" * (len(Path(path).parts) + 1) + f"blobs/{called}")
    return repository


def loads(repository: Path, commit: str) -> dict[str, bytes] | None:
    """What a client that is offline would read of a revision; ``None`` where it finds none of it."""
    snapshot = repository / "snapshots" / commit
    if not snapshot.is_dir():
        return None
    return {str(each.relative_to(snapshot)): each.read_bytes() for each in snapshot.rglob("*") if not each.is_dir()}
