"""What a model is called by: its files, its root as OpenSSF Model Signing has it, its ``dirHash``, a hub's revision, its tensors.

All of it is measured, from bytes that were read, unless digests that somebody named already are asked for; then each file says
which it is, and what is computed from a declared digest is declared as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.digest import dir_hash
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError
from openvet.evidence.model_signature import Resource, Serialization, root_digest
from openvet.origins.local import LocalOrigin
from openvet.workflows.declared import Declared, declared_digests, is_remote, measure_remote, open_model, take
from openvet.workflows.model_files import SIGNATURE, FileError, NotCovered, digest, list_files

if TYPE_CHECKING:
    from openvet.workflows.tensors import TensorReport

__all__ = ["DIGESTS_TYPE", "FileDigest", "ModelDigests", "digest_model"]

DIGESTS_TYPE: Final = "https://openvet/digests/v1"
#: How the cache of a hub keeps a commit of a repository: ``models--ORG--NAME/snapshots/COMMIT``.
_SNAPSHOT: Final = pattern(r"/(models|datasets|spaces)--([^/]+)/snapshots/([0-9a-f]{40})\Z")


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file: its printable path, its size in bytes, its SHA-256 in hex.

    Attributes:
        declared: who named the digest where nobody read the file for it; ``None`` where it was measured.
    """

    path: str
    size: int
    sha256: str
    declared: Declared | None = None

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"path": self.path, "size": self.size, "sha256": self.sha256, "basis": "measured"}
        if self.declared is not None:
            value |= {"basis": "declared", "by": self.declared.by, "here": self.declared.here}
        return value


@dataclass(frozen=True, slots=True)
class ModelDigests:
    """The names of one model.

    Attributes:
        name: of the folder or file, printable.
        files: every file, in order of their paths, those apart that the root does not cover and the signature ``model.sig``.
        root: SHA-256 over the files' digests in order of their names (OpenSSF Model Signing 1.0); what ``openvet sign`` signs.
        dir_hash: SHA-256 over digests and names (in-toto ``dirHash``), which a renamed file changes as well; ``None`` for a single
            file, or where a name holds a newline.
        repository, revision: what the folder is in the cache of a hub, as its place says; declared, not verified. Else ``None``.
        not_covered: what is there and in none of the digests.
        tensors: where they were asked for.
    """

    name: str
    files: tuple[FileDigest, ...]
    root: str
    dir_hash: str | None
    repository: str | None
    revision: str | None
    not_covered: tuple[NotCovered, ...]
    tensors: TensorReport | None = None

    @property
    def basis(self) -> str:
        """``measured`` where every file was read, else ``declared``: a root is worth what the weakest of its digests is."""
        return "declared" if any(each.declared is not None for each in self.files) else "measured"

    def to_json(self) -> dict[str, Any]:
        digests = {"sha256": self.root, **({"dirHash": self.dir_hash} if self.dir_hash else {})}
        out: dict[str, Any] = {
            "type": DIGESTS_TYPE,
            "model": self.name,
            "digest": digests,
            "basis": self.basis,
            "declared": None if self.revision is None else {"repository": self.repository, "gitCommit": self.revision},
            "files": [each.to_json() for each in self.files],
            "not_covered": [each.to_json() for each in self.not_covered],
        }
        if self.tensors is not None:
            out["tensors"] = self.tensors.to_json()
        return out


def digest_model(
    path: str | os.PathLike[str],
    *,
    tensors: bool = False,
    declared: bool = False,
    jobs: int = 0,
    progress: Progress | None = None,
) -> ModelDigests:
    """Hash every file of a model, and its tensors where they are wanted.

    Args:
        path: a folder or a file; with ``declared`` also a model on a server.
        tensors: whether to read the tensors as well, which reads the weights a second time.
        declared: take digests that somebody named already, and do not read those files (:mod:`openvet.workflows.declared`).
        jobs: hashing threads; 0 for all cores.

    Raises:
        SubjectError: there is no such model, it has too many files, or a file cannot be read or changes meanwhile.
        UsageError: ``tensors`` and ``declared`` at once, or a model on a server without ``declared``.
    """
    progress = progress or Progress()
    if tensors and declared:
        raise UsageError("--tensors reads the weights, which --declared does not: choose one")
    if is_remote(os.fspath(path)) and not declared:
        raise UsageError(
            f"{printable(os.fspath(path))}: is on a server; download it to measure its digests, or take those that the "
            "server names with --declared"
        )
    origin = open_model(os.fspath(path)) if declared else LocalOrigin(os.fspath(path))
    try:
        found = list_files(origin, Serialization(allow_symlinks=True), None if origin.snapshot.single else SIGNATURE)
        if not found.files:
            raise SubjectError(f"{origin.snapshot.name}: holds no file")
        known = declared_digests(origin) if declared else {}
        resources, _, left = take(found.files, known)
        if origin.remote:
            resources += measure_remote(origin, left, progress)
        else:
            wanted = [(name, entry, [(0, None)]) for name, entry in left.items()]
            try:
                resources += digest(origin, wanted, "sha256", jobs, progress)
            except FileError as error:
                raise SubjectError(str(error)) from error
        name = origin.snapshot.name
        single = origin.snapshot.single
    finally:
        origin.close()
    resources.sort(key=lambda each: each.name)
    report = None
    if tensors:
        from openvet.workflows.tensors import digest_tensors

        report = digest_tensors(path, progress=progress)
    place = _SNAPSHOT.search(os.path.realpath(path))
    return ModelDigests(
        name=name,
        files=tuple(_line(each, found.files[each.path], known) for each in resources),
        root=root_digest(resources),
        dir_hash=None if single else dir_hash({each.path: each.digest for each in resources}),
        repository=None if place is None else printable(place[2].replace("--", "/")),
        revision=None if place is None else place[3],
        not_covered=(*found.not_covered, *found.others),
        tensors=report,
    )


def _line(resource: Resource, entry: Entry, known: Mapping[str, Declared]) -> FileDigest:
    said = known.get(entry.name)
    return FileDigest(entry.place, entry.size if said is None else said.size, resource.digest, said)
