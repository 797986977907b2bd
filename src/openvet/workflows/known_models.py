"""A folder of what is known already: models, statements about models in files, dossiers. For each, which tensors or files it holds.

Nothing of it is verified: it is the user's own, and what is compared are digests. Statements name the digests of files, so that a copy is
only seen where the files are the same; of a model at hand every tensor is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import OpenVetError, SubjectError, UsageError
from openvet.evidence.dossier.layout import CLAIMS, INDEX
from openvet.evidence.predicates.fields import FieldError
from openvet.evidence.predicates.fingerprint_v1 import PREDICATE_TYPE as FINGERPRINT
from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1, unpack
from openvet.evidence.predicates.inventory_v1 import PREDICATE_TYPE as INVENTORY
from openvet.publishers.copies import Held
from openvet.workflows.model_files import read_small

__all__ = ["KnownModel", "read_known", "sketched_tensors", "statements_in", "tensors_of"]

_LARGEST: Final = 256 * 1024 * 1024
_MOST: Final = 1000
_DEPTH: Final = 12
_CACHED: Final = "models--"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model that is known.

    Attributes:
        name: as whoever keeps it calls it, printable: the name of its folder or file, or its subject's; ``org/name`` in a hub's cache.
        tensors: each of its tensors, where it was read.
        sketch: its matrices by what a fingerprint has of each, where that is what is known of it.
        files: SHA-256 -> (bytes, tensors) of its files that hold tensors, where a statement lists them.
        why: why there is neither, else ''.
    """

    name: str
    tensors: tuple[Held, ...] = ()
    files: Mapping[str, tuple[int, int]] | None = None
    why: str = ""
    sketch: tuple[Held, ...] = ()


def read_known(folder: str, apart: str, limits: Limits, progress: Progress) -> Iterator[KnownModel]:
    """Everything in ``folder``, in order of the names.

    Args:
        apart: a path that is not compared with itself.

    Raises:
        UsageError: there is no such folder, or it holds too much.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UsageError(f"{printable(folder)}: {error.strerror or error}") from error
    if len(names) > _MOST:
        raise UsageError(f"{printable(folder)}: holds {len(names)} entries; at most {_MOST} are compared")
    for name in names:
        path = os.path.join(folder, name)
        if os.path.realpath(path) != os.path.realpath(apart):
            yield from _one(path, name, limits, progress)


def _one(path: str, name: str, limits: Limits, progress: Progress) -> Iterator[KnownModel]:
    try:
        if os.path.isdir(path):
            if os.path.isfile(os.path.join(path, INDEX)) and os.path.isfile(os.path.join(path, CLAIMS)):
                yield from _stated(os.path.join(path, CLAIMS), name)
                return
            snapshots = os.path.join(path, "snapshots")
            if name.startswith(_CACHED) and os.path.isdir(snapshots):
                for each in sorted(os.listdir(snapshots)):
                    held = tensors_of(os.path.join(snapshots, each), limits, progress)
                    yield KnownModel(printable(name.removeprefix(_CACHED).replace("--", "/", 1)), held)
                return
        elif name.endswith((".json", ".jsonl")):
            yield from _stated(path, name)
            return
        held = tensors_of(path, limits, progress)
        yield KnownModel(printable(name), held, why="" if held else "no tensor of it was read")
    except (OSError, OpenVetError) as error:
        text = error.strerror if isinstance(error, OSError) else str(error)
        yield KnownModel(printable(name), why=printable(text or "cannot be read"))


def tensors_of(path: str, limits: Limits, progress: Progress) -> tuple[Held, ...]:
    """Every tensor of a model at hand that is read.

    Raises:
        SubjectError: there is no such model.
    """
    from openvet.workflows.tensors import digest_tensors

    report = digest_tensors(path, limits, progress)
    return tuple(Held(each.name, each.sha256, each.nbytes, each.constant) for each in report.lines)


def _stated(path: str, name: str) -> Iterator[KnownModel]:
    """The inventories in a file: statements, bundles, or a report of a check; one value, or one a line."""
    try:
        data = read_small(path, _LARGEST)
    except SubjectError as error:
        raise SubjectError(str(error)) from error
    values = list(_values(data))
    found = [each for value in values for each in statements_in(value, INVENTORY)]
    prints = [each for value in values for each in statements_in(value, FINGERPRINT)]
    for subject, body in found:
        files = _files(body)
        if files:
            yield KnownModel(printable(subject or name), files=files)
    for subject, body in prints:
        try:
            yield KnownModel(printable(subject or name), sketch=sketched_tensors(FingerprintV1.from_json(body)))
        except FieldError as error:
            yield KnownModel(
                printable(subject or name), why=f"its fingerprint is malformed: {printable(str(error))[:200]}"
            )
    if not found and not prints:
        yield KnownModel(printable(name), why="no inventory and no fingerprint is in it")


def sketched_tensors(fingerprint: FingerprintV1) -> tuple[Held, ...]:
    """The matrices of a fingerprint, each by what its type, its shape and the values at some places come to.

    Those places depend on the shape alone, so that a matrix gives the same under any name and in any company. The bytes are reckoned with one
    for each value: of packed types a fingerprint does not say them.
    """
    from openvet.inventory.compare.dtypes import WIDTHS

    out = []
    for each in fingerprint.tensors:
        probe = unpack(each.probe)
        seen = f"{each.dtype} {'x'.join(map(str, each.shape))} {each.zeros} {each.not_finite} ".encode() + probe
        constant = probe == probe[:4] * (len(probe) // 4)
        size = min(math.prod(each.shape) * WIDTHS.get(each.dtype, 1), 2**53)
        out.append(Held(printable(each.name), hashlib.sha256(seen).hexdigest(), size, constant))
    return tuple(out)


def _values(data: bytes) -> Iterator[Any]:
    try:
        yield json.loads(data)
        return
    except (ValueError, RecursionError):
        pass
    for line in data.split(b"\n"):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            continue


def statements_in(value: Any, kind: str, depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name of the subject, body) of every statement of a kind in a value, unpacked from its envelope, of which nothing is verified."""
    if depth > _DEPTH:
        return
    if isinstance(value, list):
        for each in value[:_MOST]:
            yield from statements_in(each, kind, depth + 1)
    elif isinstance(value, dict):
        if value.get("predicateType") == kind and isinstance(value.get("predicate"), dict):
            subject = value.get("subject")
            first = subject[0] if isinstance(subject, list) and subject and isinstance(subject[0], dict) else {}
            said = first.get("name")
            yield (said if isinstance(said, str) else ""), value["predicate"]
        elif isinstance(value.get("payload"), str) and "payloadType" in value:
            try:
                yield from statements_in(json.loads(base64.b64decode(value["payload"])), kind, depth + 1)
            except (ValueError, RecursionError):
                return
        else:
            for name in ("models", "statements", "dsseEnvelope", "claims"):
                yield from statements_in(value.get(name), kind, depth + 1)


def _files(body: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    out: dict[str, tuple[int, int]] = {}
    items = body.get("items")
    for each in items if isinstance(items, list) else []:
        if not isinstance(each, dict) or not isinstance(each.get("tensors"), list) or not each["tensors"]:
            continue
        digest, size = each.get("digest"), each.get("size")
        sha256 = digest.get("sha256") if isinstance(digest, dict) else None
        if isinstance(sha256, str) and type(size) is int and size >= 0:
            out[sha256] = (size, len(each["tensors"]))
    return out
