r"""Digests of files and of folders.

A folder's digest is in-toto's ``dirHash``: SHA-256 over the sorted lines ``<sha256>  <path>\n``, which is Go's
``dirhash.Hash1`` in hex. Anybody can compute it again:
``find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sed 's#  [.]/#  #' | sha256sum``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

__all__ = ["dir_hash"]


def dir_hash(files: Mapping[str, str]) -> str | None:
    """The ``dirHash`` of ``files`` (raw relative path -> SHA-256 hex), or ``None`` where a path holds a newline.

    Source: golang.org/x/mod/sumdb/dirhash, Hash1; in-toto attestation ``digest_set.md``.
    """
    total = hashlib.sha256()
    for name in sorted(files, key=_raw):
        if "\n" in name:
            return None
        total.update(files[name].encode() + b"  " + _raw(name) + b"\n")
    return total.hexdigest()


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
