"""Where a dossier keeps what, and which of two files counts while a writer is at work.

::

    index.json              what there is to be, signed
    claims.jsonl            one bundle a line
    log/                    a log in tiles of the lines' digests
    trust/HINT.pem          public keys of those who signed lines
    blobs/sha256/HEX        documents that statements refer to
    .next/                  a complete change that is being put in place: what is in it counts
    .pending/               a complete change that the next writer makes count; readers do not look at it
    .staging/, .old/        what an interrupted change left; nobody looks at it
"""

from __future__ import annotations

import os
import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.errors import VerifyError
from openvet.evidence.log.layout import CHECKPOINT, Place

__all__ = [
    "BLOBS", "CLAIMS", "INDEX", "IN_THE_WAY", "LOG", "NEXT", "OLD", "PENDING", "STAGING", "TRUST", "is_name", "names_of",
]  # fmt: skip

INDEX: Final = "index.json"
CLAIMS: Final = "claims.jsonl"
LOG: Final = "log"
TRUST: Final = "trust"
BLOBS: Final = "blobs/sha256"
NEXT: Final = ".next"
PENDING: Final = ".pending"
STAGING: Final = ".staging"
OLD: Final = ".old"
#: Folders that are no part of what is signed.
IN_THE_WAY: Final = (STAGING, OLD)
_NAME: Final = pattern(r"index\.json|claims\.jsonl|trust/[0-9a-f]{64}\.pem|blobs/sha256/[0-9a-f]{64}", re.ASCII)


def is_name(name: str) -> bool:
    """Whether a file of a dossier can have this name; no such name leads anywhere else."""
    if name.startswith(f"{LOG}/"):
        return name == f"{LOG}/{CHECKPOINT}" or Place.parse(name[len(LOG) + 1 :]) is not None
    return _NAME.fullmatch(name) is not None


def names_of(folder: str) -> dict[str, str]:
    """Every file of a dossier by its name, with its path; what is in ``.next`` takes the place of what is not.

    Raises:
        VerifyError: ``missing``: it cannot be listed; ``tampered``: there is something in it that is no file of a dossier.
    """
    found = dict(_walk(folder, (PENDING, *IN_THE_WAY)))
    later = {name[len(NEXT) + 1 :]: path for name, path in found.items() if name.startswith(f"{NEXT}/")}
    found = {name: path for name, path in found.items() if not name.startswith(f"{NEXT}/")}
    if any(name.startswith(f"{LOG}/") for name in later):
        found = {name: path for name, path in found.items() if not name.startswith(f"{LOG}/")}
    found.update(later)
    for name in sorted(found):
        if not is_name(name):
            raise VerifyError("tampered", f"{printable(name)} is no file of a dossier")
    return found


def _walk(folder: str, passed_over: tuple[str, ...]) -> list[tuple[str, str]]:
    found, pending = [], [""]
    while pending:
        part = pending.pop()
        try:
            entries = list(os.scandir(os.path.join(folder, part) if part else folder))
        except OSError as error:
            if part and isinstance(error, FileNotFoundError):
                continue  # a writer has just emptied and removed it; what it held is looked for elsewhere
            raise VerifyError(
                "missing", f"cannot list {printable(part or folder)}: {error.strerror or error}"
            ) from None
        for each in entries:
            name = f"{part}/{each.name}" if part else each.name
            if name in passed_over:
                continue
            if each.is_dir(follow_symlinks=False):
                pending.append(name)
            elif each.is_file(follow_symlinks=False):
                found.append((name, each.path))
            else:
                raise VerifyError("tampered", f"{printable(name)} is no regular file")
    return found
