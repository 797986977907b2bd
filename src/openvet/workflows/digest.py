"""What a model is called by: its files, its root as OpenSSF Model Signing has it, its ``dirHash``, a hub's revision, its tensors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.digest import dir_hash
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import SubjectError
from openvet.evidence.model_signature import Resource, Serialization, root_digest
from openvet.origins.local import LocalOrigin
from openvet.workflows.model_files import FileError, NotCovered, digest, list_files

if TYPE_CHECKING:
    from openvet.workflows.tensors import TensorReport

__all__ = ["DIGESTS_TYPE", "FileDigest", "ModelDigests", "digest_model"]

DIGESTS_TYPE: Final = "https://openvet/digests/v1"
#: The signature of a folder, which is never about itself.
_SIGNATURE: Final = "model.sig"
#: How the cache of a hub keeps a commit of a repository: ``models--ORG--NAME/snapshots/COMMIT``.
_SNAPSHOT: Final = pattern(r"/(models|datasets|spaces)--([^/]+)/snapshots/([0-9a-f]{40})\Z")


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file: its printable path, its size in bytes, its SHA-256 in hex."""

    path: str
    size: int
    sha256: str


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

    def to_json(self) -> dict[str, Any]:
        digests = {"sha256": self.root, **({"dirHash": self.dir_hash} if self.dir_hash else {})}
        out: dict[str, Any] = {
            "type": DIGESTS_TYPE,
            "model": self.name,
            "digest": digests,
            "declared": None if self.revision is None else {"repository": self.repository, "gitCommit": self.revision},
            "files": [{"path": each.path, "size": each.size, "sha256": each.sha256} for each in self.files],
            "not_covered": [each.to_json() for each in self.not_covered],
        }
        if self.tensors is not None:
            out["tensors"] = self.tensors.to_json()
        return out


def digest_model(
    path: str | os.PathLike[str], *, tensors: bool = False, jobs: int = 0, progress: Progress | None = None
) -> ModelDigests:
    """Hash every file of a local model, and its tensors where they are wanted.

    Args:
        path: a folder or a file.
        tensors: whether to read the tensors as well, which reads the weights a second time.
        jobs: hashing threads; 0 for all cores.

    Raises:
        SubjectError: there is no such model, it has too many files, or a file cannot be read or changes meanwhile.
    """
    progress = progress or Progress()
    origin = LocalOrigin(os.fspath(path))
    try:
        found = list_files(origin, Serialization(allow_symlinks=True), None if origin.snapshot.single else _SIGNATURE)
        if not found.files:
            raise SubjectError(f"{origin.snapshot.name}: holds no file")
        wanted = [(name, entry, [(0, None)]) for name, entry in found.files.items()]
        try:
            resources = list(digest(origin, wanted, "sha256", jobs, progress))
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
        files=tuple(_line(each, found.files[each.path].place, found.files[each.path].size) for each in resources),
        root=root_digest(resources),
        dir_hash=None if single else dir_hash({each.path: each.digest for each in resources}),
        repository=None if place is None else printable(place[2].replace("--", "/")),
        revision=None if place is None else place[3],
        not_covered=(*found.not_covered, *found.others),
        tensors=report,
    )


def _line(resource: Resource, place: str, size: int) -> FileDigest:
    return FileDigest(place, size, resource.digest)
