"""Dossiers as zips. The same dossier always gives the same zip.

A name in a zip is only ever compared with the names that a file of a dossier can have, none of which leads anywhere else. A zip in
which two readers would see two things is refused.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from typing import Final

from openvet.core.limits import Budget
from openvet.core.text import printable
from openvet.errors import ReadError, UsageError, VerifyError
from openvet.evidence.dossier.layout import is_name
from openvet.evidence.dossier.reading import Dossier, read_parts, verify_dossier
from openvet.evidence.keys import PublicKey
from openvet.io.archive.zip import ZipListing, open_zip_entry, read_zip
from openvet.io.new_file import NewFile, WriteError
from openvet.io.source import FileSource

__all__ = ["export_dossier", "import_dossier", "unpack"]

_STORED: Final = 0
_DEFLATED: Final = 8
#: The first moment that a zip can name.
_NEVER: Final = (1980, 1, 1, 0, 0, 0)


def export_dossier(folder: str, target: str, key: PublicKey, *, force: bool) -> Dossier:
    """Verify a dossier and write it as a zip.

    Raises:
        VerifyError: it is not verified.
        WriteError: the zip cannot be written; nothing was left there.
    """
    found = verify_dossier(folder, key)
    with NewFile(target, replace=force) as new:
        with (
            os.fdopen(os.dup(new.descriptor), "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
        ):
            for name in sorted(found.names):
                info = zipfile.ZipInfo(name, _NEVER)
                info.external_attr = 0o100644 << 16
                info.create_system = 3
                info.file_size = os.path.getsize(found.names[name])
                with archive.open(info, "w") as member:
                    for part in read_parts(found.names[name]):
                        member.write(part)
        new.commit()
    return found


def import_dossier(path: str, folder: str, key: PublicKey) -> Dossier:
    """Unpack a zip, verify what was in it, and only then give the folder its name.

    Raises:
        VerifyError: it is not verified; nothing was left there.
        UsageError: it cannot be read.
        WriteError: the folder exists, or cannot be written.
    """
    if os.path.lexists(folder):
        raise WriteError(f"{printable(folder)} exists; import into a new folder")
    above, name = os.path.split(os.path.abspath(folder))
    try:
        temporary = tempfile.mkdtemp(prefix=f".{name[:100]}.", suffix=".part", dir=above)
    except OSError as error:
        raise WriteError(f"cannot write {printable(folder)}: {error.strerror or error}") from error
    try:
        inner = os.path.join(temporary, "dossier")
        os.mkdir(inner)
        unpack(path, inner)
        found = verify_dossier(inner, key)
        for part, _, _ in os.walk(inner):
            descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(descriptor)
            os.close(descriptor)
        os.rename(inner, folder)
    except OSError as error:
        raise WriteError(f"cannot write {printable(folder)}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return found


def unpack(path: str, folder: str) -> None:
    """Write every file of the dossier in a zip into an empty folder. Nothing is verified.

    Raises:
        VerifyError: ``malformed``: no plain zip; ``tampered``: there is something in it that is no file of a dossier.
        UsageError: it cannot be read.
    """
    try:
        source = FileSource(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    with source:
        budget = Budget()
        try:
            listing = read_zip(source, budget)
            _check(listing)
            for entry in listing.entries:
                target = os.path.join(folder, *entry.name.split("/"))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open_zip_entry(source, entry, budget) as content, NewFile(target, replace=False) as new:
                    for part in content.chunks():
                        new.write(part)
                    new.commit()
        except ReadError as error:
            raise VerifyError("malformed", f"the zip cannot be read: {error}") from None


def _check(listing: ZipListing) -> None:
    """A zip in which every reader sees the same, and only files that a dossier can have."""
    if listing.problems:
        raise VerifyError("malformed", f"this is no whole zip: {listing.problems[0]}")
    for entry in listing.entries:
        if not is_name(entry.name):
            raise VerifyError("tampered", f"{printable(entry.name)[:200]} is no file of a dossier")
        if entry.method not in {_STORED, _DEFLATED} or entry.flags & 1:
            raise VerifyError("malformed", f"{entry.name} is packed in a way that a dossier is not")
    if len({entry.name for entry in listing.entries}) != len(listing.entries):
        raise VerifyError("malformed", "the zip has a name twice")
    if listing.anomalies or listing.outside or listing.dropped:
        what = listing.anomalies[0].message if listing.anomalies else "there are bytes outside of its members"
        raise VerifyError("malformed", f"readers of the zip do not see the same: {what}")
