"""Digests that somebody has named already, taken for those of the files without reading them: *declared*, and not measured.

=================  =======================================================================  =======================
word               where the SHA-256 stands                                                 the file
=================  =======================================================================  =======================
``git-lfs``        in a Git LFS pointer, which stands where the file should be              is not here
``hub-cache``      the name of the blob in a Hugging Face cache to which the file links     is here, and not read
``hub-metadata``   ``.cache/huggingface/download/PATH.metadata``, of a hub's local folder   is here, and not read
``oci-layout``     the name of a blob in an OCI image layout                                is here, and not read
``hub``            in the list of files that a hub serves                                   on a server
``registry``       in the manifest that a registry serves                                   on a server
=================  =======================================================================  =======================

Whoever can write the folder, or serves the list, can write any digest, so nothing may be *verified* with one: only bytes that were
read are. What has no such name is read. A hub's metadata counts only while the file was not written to after it, by the hub
library's own rule; that keeps honest edits apart and no attacker.

Sources: Git LFS ``docs/spec.md``; huggingface_hub, ``_local_folder.py`` (``read_download_metadata``) and "Understand caching";
OCI image-spec ``image-layout.md``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry, EntryKind
from openvet.errors import ReadError, SubjectError
from openvet.evidence.model_signature import Resource
from openvet.io.source import Source
from openvet.origins.find import SCHEMES, find_origin
from openvet.origins.local import LocalOrigin

if TYPE_CHECKING:
    from openvet.origins.remote import RemoteOrigin

__all__ = [
    "Declared", "Taken", "declared_digests", "is_remote", "measure_remote", "open_model", "pointer_in", "take",
]  # fmt: skip

_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_COMMIT: Final = pattern(r"[0-9a-f]{40}", re.ASCII)
_NUMBER: Final = pattern(r"\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_METADATA: Final = (".cache/huggingface/download/", ".metadata")
_METADATA_BYTES: Final = 4096
#: Larger files are not opened to see whether they are pointers.
_POINTER: Final = 1024
#: The hub library's own tolerance, in seconds, between writing a file and writing what it knows of it.
_SLACK: Final = 1.0


@dataclass(frozen=True, slots=True)
class Declared:
    """A digest that somebody named.

    Attributes:
        sha256: lower-case hex.
        size: of the file that it stands for, in bytes.
        by: who named it: a word of the table above.
        here: whether the bytes are there to be read.
    """

    sha256: str
    size: int
    by: str
    here: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """A file whose digest was declared and not measured; ``path`` is printable."""

    path: str
    by: str
    here: bool

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "by": self.by, "here": self.here}


def is_remote(path: str) -> bool:
    """Whether ``path`` names a model on a server, where nothing of that name is here."""
    return path.startswith(SCHEMES) and not os.path.lexists(path)


def open_model(path: str) -> LocalOrigin | RemoteOrigin:
    """The model that ``path`` names, here or on a server, listed.

    Raises:
        SubjectError: nothing is there, or it may not be read.
    """
    return find_origin(path, whole=True)


def declared_digests(origin: LocalOrigin | RemoteOrigin) -> dict[str, Declared]:
    """What is declared about the files of a model, by their names in it. Files that say nothing are not in it."""
    files = [each for each in origin.snapshot.entries if each.kind is EntryKind.FILE]
    found = {}
    if origin.remote:
        for entry in files:
            claim = origin.claim_of(entry)
            if claim is not None and claim.algorithm == "sha256":
                by = "hub" if origin.snapshot.name.startswith("hf:") else "registry"
                found[entry.name] = Declared(claim.value, entry.size, by, here=False)
        return found
    names = {each.name: each for each in files}
    layout = "oci-layout" in names and "index.json" in names
    for entry in files:
        said = _pointer(origin, entry) or _cached(origin, entry) or _recorded(origin, entry, names)
        if said is None and layout:
            said = _blob(entry)
        if said is not None:
            found[entry.name] = said
    return found


def take(
    wanted: Mapping[str, Entry], known: Mapping[str, Declared]
) -> tuple[list[Resource], list[Taken], dict[str, Entry]]:
    """Digests of whole files that are declared, which they are, and the files that are left to be read.

    Args:
        wanted: files by their names in the statement.
        known: what is declared, by the files' names in the model.
    """
    resources, taken, left = [], [], {}
    for name, entry in wanted.items():
        said = known.get(entry.name)
        if said is None:
            left[name] = entry
        else:
            resources.append(Resource(name, "sha256", said.sha256))
            taken.append(Taken(entry.place, said.by, said.here))
    return resources, taken, left


def measure_remote(origin: RemoteOrigin, files: Mapping[str, Entry], progress: Progress) -> Iterator[Resource]:
    """The SHA-256 of files on a server, every byte fetched, one after another.

    Args:
        files: by their names in the statement.

    Raises:
        SubjectError: a file cannot be fetched, or is not the one that the server lists.
    """
    origin.only(files.values())
    progress.files_total, progress.bytes_total = len(files), sum(entry.size for entry in files.values())
    for name, entry in files.items():
        progress.doing = entry.place
        try:
            with origin.open(entry) as source:
                digests, agree = source.digest(("sha256",), progress)
        except ReadError as error:
            raise SubjectError(f"{entry.place}: {error}") from error
        if not agree:
            raise SubjectError(f"{entry.place}: the server gives other bytes than those that it lists")
        progress.files_done += 1
        yield Resource(name, "sha256", digests["sha256"])


def pointer_in(source: Source) -> Declared | None:
    """What a Git LFS pointer stands for; ``None`` where the bytes are none."""
    from openvet.formats.lfs import LONGEST, pointed_at

    found = pointed_at(source.read(0, source.size)) if 0 < source.size < LONGEST else None
    return None if found is None else Declared(*found, "git-lfs", here=False)


def _pointer(origin: LocalOrigin, entry: Entry) -> Declared | None:
    if not 0 < entry.size <= _POINTER:
        return None
    try:
        with origin.open(entry) as source:
            return pointer_in(source)
    except ReadError:
        return None  # it is said when it is read


def _cached(origin: LocalOrigin, entry: Entry) -> Declared | None:
    name = origin.blob_of(entry)
    return Declared(name, entry.size, "hub-cache") if _SHA256.fullmatch(name) else None


def _recorded(origin: LocalOrigin, entry: Entry, names: Mapping[str, Entry]) -> Declared | None:
    """What the hub library wrote down when it put the file in this folder."""
    record = names.get(f"{_METADATA[0]}{entry.name}{_METADATA[1]}")
    if record is None or not 0 < record.size <= _METADATA_BYTES:
        return None
    try:
        with origin.open(record) as source:
            lines = source.read(0, source.size).decode("ascii").split("\n")
        with origin.open(entry) as file:
            written = file.identity[3] / 1e9
    except (ReadError, UnicodeDecodeError):
        return None
    if len(lines) < 3 or not _COMMIT.fullmatch(lines[0]) or not _SHA256.fullmatch(lines[1].strip('"')):
        return None
    if not _NUMBER.fullmatch(lines[2]) or written - _SLACK > float(lines[2]):
        return None
    return Declared(lines[1].strip('"'), entry.size, "hub-metadata")


def _blob(entry: Entry) -> Declared | None:
    algorithm, _, name = entry.name.removeprefix("blobs/").partition("/")
    good = entry.name.startswith("blobs/") and algorithm == "sha256" and _SHA256.fullmatch(name)
    return Declared(name, entry.size, "oci-layout") if good else None
