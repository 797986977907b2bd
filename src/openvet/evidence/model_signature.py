"""The statement of OpenSSF Model Signing: which bytes a model consists of, file by file or shard by shard.

::

    subject        one: the model's name (for people only), and the root digest as ``sha256``
    predicateType  https://model_signing/signature/v1.0
    predicate
      serialization  method          files, or shards of shard_size bytes
                     hash_type       sha256, blake2b or blake3
                     allow_symlinks  whether what links lead to is signed too
                     ignore_paths    what is not signed, with all that lies in it
      resources[]    name            path, or path:start:end; a model that is one file is called "."
                     algorithm, digest
      openvet_declared[]  name, by: ours; files whose digests the signer took from somebody and did not measure

The root digest is SHA-256 over the resources' raw digests in the order in which they are listed. We list them by their names'
code points, as the specification says; model-signing lists paths part by part and shards by number, which is read as well.
Digests/v0.1, of model-signing 0.2, has the files as subjects and says nothing else; it is read and never written.

A statement's fields are signed, so one that nobody knows is ignored, as the specification demands (5.2.1): it can only have come
from the signer. What could be read in two ways is refused: a name that comes twice, shards that leave a gap, a digest of a length
that its algorithm does not have.

Source: https://github.com/ossf/model-signing-spec, ``spec/v1.0.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.errors import UsageError, VerifyError
from openvet.evidence.statement import STATEMENT_TYPE
from openvet.evidence.strict import fields_of, parse_json

__all__ = [
    "ALWAYS_IGNORED", "DIGESTS_V01", "SHARD_SIZE", "SIGNATURE_V1", "SINGLE", "ModelSignature", "Resource", "Serialization",
    "root_digest",
]  # fmt: skip

SIGNATURE_V1: Final = "https://model_signing/signature/v1.0"
DIGESTS_V01: Final = "https://model_signing/Digests/v0.1"
#: Top-level names that are never signed (section 6.2).
ALWAYS_IGNORED: Final = (".git", ".gitattributes", ".github", ".gitignore")
SHARD_SIZE: Final = 1_000_000_000
#: What the one file of a model that is no folder is called. Section 5.2.1 says its own name, every released tool says this.
SINGLE: Final = "."
#: Hex digits of each algorithm's digest (algorithm registry of the specification).
_LENGTHS: Final = {"sha256": 64, "blake2b": 128, "blake3": 64}
#: Verifiers ignore fields that they do not know (5.2.1), so this one is for those who do.
_DECLARED: Final = "openvet_declared"
_NUMBER: Final = pattern(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SHARDS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Resource:
    """Signed bytes: all of a file, or from ``start`` to before ``end``. ``digest`` is lower-case hex."""

    path: str
    algorithm: str
    digest: str
    start: int = 0
    end: int | None = None

    @property
    def name(self) -> str:
        return self.path if self.end is None else f"{self.path}:{self.start}:{self.end}"


@dataclass(frozen=True, slots=True)
class Serialization:
    """How a model was turned into resources. ``shard_size`` in bytes; ``None`` means whole files."""

    hash_type: str = "sha256"
    shard_size: int | None = None
    allow_symlinks: bool = False
    ignore_paths: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "method": "files" if self.shard_size is None else "shards",
            "hash_type": self.hash_type,
            **({} if self.shard_size is None else {"shard_size": self.shard_size}),
            "allow_symlinks": self.allow_symlinks,
            **({"ignore_paths": list(self.ignore_paths)} if self.ignore_paths else {}),
        }

    def ignores(self, path: str) -> bool:
        """Whether ``path`` is an ignored path or lies in one. Paths are compared part by part and are no patterns."""
        return any(path == each or path.startswith(each + "/") for each in self.ignore_paths)

    def spans(self, size: int) -> list[tuple[int, int | None]]:
        """The pieces in which a file of ``size`` bytes is signed; an empty file has no shard."""
        if self.shard_size is None:
            return [(0, None)]
        return [(at, min(at + self.shard_size, size)) for at in range(0, size, self.shard_size)]


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """The statement.

    Attributes:
        legacy: it is of the old kind, which names no root and no way of serialization.
        declared: files whose digests the signer did not measure, with a word for who named them.
    """

    name: str
    resources: tuple[Resource, ...]
    serialization: Serialization
    legacy: bool = False
    declared: tuple[tuple[str, str], ...] = ()
    _files: dict[str, list[Resource]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for each in self.resources:
            self._files.setdefault(each.path, []).append(each)

    @property
    def files(self) -> Mapping[str, Sequence[Resource]]:
        """The resources of each file, in the order of their offsets."""
        return self._files

    @property
    def root(self) -> str:
        return root_digest(self.resources)

    @classmethod
    def of(
        cls,
        name: str,
        resources: Iterable[Resource],
        serialization: Serialization,
        declared: Iterable[tuple[str, str]] = (),
    ) -> ModelSignature:
        """The statement about a model of these resources, whatever their order.

        Raises:
            UsageError: there are none; or a name is no Unicode, which no signature can carry.
        """
        listed = sorted(resources, key=lambda each: each.name)
        if not listed:
            raise UsageError("there is no file to sign; an empty model cannot be signed")
        for each in listed:
            if not _is_text(each.path):
                raise UsageError(f"the name {each.path!r} is no UTF-8, and so cannot be signed; rename the file")
        shown = name if _is_text(name) and name else "model"
        return cls(shown, tuple(listed), serialization, declared=tuple(sorted(declared)))

    def to_json(self) -> dict[str, Any]:
        algorithm = _algorithm(self.serialization)
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.name, "digest": {"sha256": self.root}}],
            "predicateType": SIGNATURE_V1,
            "predicate": {
                "serialization": self.serialization.to_json(),
                "resources": [
                    {"name": each.name, "algorithm": algorithm, "digest": each.digest} for each in self.resources
                ],
                **({_DECLARED: [{"name": name, "by": by} for name, by in self.declared]} if self.declared else {}),
            },
        }

    def to_bytes(self) -> bytes:
        """What is signed: canonical JSON, so that the same model always gives the same bytes."""
        return canonical_json(self.to_json())

    @classmethod
    def parse(cls, payload: bytes) -> ModelSignature:
        """Read a signed payload. Call it only with bytes whose signature was verified.

        Raises:
            VerifyError: ``malformed``; ``unsupported`` for another predicate, method or algorithm.
        """
        value = parse_json(payload, "the statement", whole_floats=True)  # model-signing writes shard_size so
        found = fields_of(
            value, "the statement", {"_type": str, "subject": list, "predicateType": str, "predicate": dict}
        )
        if found["_type"] != STATEMENT_TYPE:
            raise VerifyError("unsupported", f"the statement is of type {found['_type'][:80]!r}, not {STATEMENT_TYPE}")
        if found["predicateType"] == DIGESTS_V01:
            return _parse_old(found["subject"])
        if found["predicateType"] != SIGNATURE_V1:
            kind = found["predicateType"][:120]
            raise VerifyError("unsupported", f"the statement is about something else than a model's files: {kind!r}")
        return _parse_v1(found["subject"], found["predicate"])


def root_digest(resources: Iterable[Resource]) -> str:
    """SHA-256 over the raw digests of ``resources`` in their order (section 6.5.1), as lower-case hex."""
    total = hashlib.sha256()
    for each in resources:
        total.update(bytes.fromhex(each.digest))
    return total.hexdigest()


def _parse_v1(subjects: list[Any], predicate: dict[str, Any]) -> ModelSignature:
    if len(subjects) != 1:
        raise VerifyError("malformed", f"the statement has {len(subjects)} subjects, and not one")
    name, root = _subject(subjects[0])
    serialization = _serialization(_needed(predicate, "serialization", dict))
    resources = [_resource(each, serialization) for each in _needed(predicate, "resources", list)]
    made = ModelSignature(name, tuple(resources), serialization, declared=_declared(predicate))
    if not resources:
        raise VerifyError("malformed", "the statement lists no file")
    if made.root != root:
        raise VerifyError("malformed", "the statement contradicts itself: its root digest is not that of its resources")
    _check_pieces(made)
    return made


def _parse_old(subjects: list[Any]) -> ModelSignature:
    resources = []
    for each in subjects:
        name, digest = _subject(each)
        resources.append(Resource(_path(name), "sha256", digest))
    if not resources:
        raise VerifyError("malformed", "the statement lists no file")
    made = ModelSignature("", tuple(resources), Serialization(), legacy=True)
    _check_pieces(made)
    return made


def _subject(value: Any) -> tuple[str, str]:
    digests = _needed(value, "digest", dict)
    return _needed(value, "name", str), _digest(_needed(digests, "sha256", str), "sha256")


def _serialization(value: dict[str, Any]) -> Serialization:
    method, algorithm = _needed(value, "method", str), _needed(value, "hash_type", str)
    if method not in {"files", "shards"}:
        raise VerifyError("unsupported", f"the model is signed by {method[:60]!r}; known are files and shards")
    if algorithm not in _LENGTHS:
        raise VerifyError("unsupported", f"the digests are {algorithm[:60]!r}; known are {', '.join(_LENGTHS)}")
    size = None
    if method == "shards":
        size = _needed(value, "shard_size", int)
        if not 0 < size <= 2**53:
            raise VerifyError("malformed", f"a shard of {size} bytes cannot be")
    elif "shard_size" in value:
        raise VerifyError("malformed", "the model is signed by files, and its serialization has a shard_size")
    ignored = value.get("ignore_paths", [])
    if not isinstance(ignored, list) or not all(isinstance(each, str) for each in ignored):
        raise VerifyError("malformed", "the statement has something else than texts in 'ignore_paths'")
    return Serialization(algorithm, size, _needed(value, "allow_symlinks", bool), tuple(ignored))


def _declared(predicate: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = predicate.get(_DECLARED, [])
    if not isinstance(listed, list):
        raise VerifyError("malformed", f"the statement has no list in {_DECLARED!r}")
    return tuple((_path(_needed(each, "name", str)), _needed(each, "by", str)) for each in listed)


def _resource(value: Any, serialization: Serialization) -> Resource:
    name, algorithm = _needed(value, "name", str), _needed(value, "algorithm", str)
    if algorithm not in {serialization.hash_type, _algorithm(serialization)}:
        raise VerifyError(
            "malformed", f"a digest is {algorithm[:60]!r}, where all are said to be {serialization.hash_type}"
        )
    algorithm = serialization.hash_type
    digest = _digest(_needed(value, "digest", str), algorithm)
    if serialization.shard_size is None:
        return Resource(_path(name), algorithm, digest)
    path, *span = name.rsplit(":", 2)  # a path may hold colons (section 6.3.2)
    if len(span) != 2 or not all(map(_NUMBER.fullmatch, span)):
        raise VerifyError("malformed", f"a shard is called {name[:200]!r}, and not path:start:end")
    return Resource(_path(path), algorithm, digest, int(span[0]), int(span[1]))


def _algorithm(serialization: Serialization) -> str:
    """What the digests of a model's pieces are called.

    By shards, model-signing calls them ``sha256-sharded-SIZE`` in every release, and takes nothing else; the specification
    (6.3.2) says ``sha256``. Both are read. What is written is what the one verifier takes that is in use.
    """
    size = serialization.shard_size
    return serialization.hash_type if size is None else f"{serialization.hash_type}-sharded-{size}"


def _check_pieces(made: ModelSignature) -> None:
    """Each file is signed once, from its first byte to its last."""
    size = made.serialization.shard_size
    if SINGLE in made.files and len(made.files) > 1:
        raise VerifyError("malformed", "the statement is about one file, and lists others")
    if size is None:
        for path, pieces in made.files.items():
            if len(pieces) > 1:
                raise VerifyError("malformed", f"the statement lists {path[:200]!r} twice")
        return
    if len(made.resources) > _SHARDS:
        raise VerifyError("malformed", f"the statement lists more than {_SHARDS} shards")
    for path, pieces in made._files.items():
        pieces.sort(key=lambda each: each.start)
        at = 0
        for index, each in enumerate(pieces):
            whole = each.end == at + size or (
                index == len(pieces) - 1 and each.end is not None and at < each.end < at + size
            )
            if each.start != at or not whole:
                raise VerifyError("malformed", f"the shards of {path[:200]!r} are not its bytes, {size} at a time")
            at += size


def _path(text: str) -> str:
    """``text``, where it is a relative path in its one spelling (section 6.1.2)."""
    if text != SINGLE and (not text or "\0" in text or not set(text.split("/")).isdisjoint({"", ".", ".."})):
        raise VerifyError("malformed", f"a file is called {text[:200]!r}, which is no path below a model's folder")
    return text


def _digest(text: str, algorithm: str) -> str:
    if len(text) != _LENGTHS[algorithm] or not set(text) <= set("0123456789abcdef"):
        raise VerifyError("malformed", f"{text[:140]!r} is no {algorithm} digest in lower-case hex")
    return text


def _needed(value: Any, name: str, kind: type) -> Any:
    """One field of a signed object; others may be there, and mean nothing here."""
    if not isinstance(value, dict):
        raise VerifyError("malformed", f"the statement has something else than an object where {name!r} belongs")
    extra = dict.fromkeys(value, object)
    return fields_of(value, "the statement", {**extra, name: kind})[name]


def _is_text(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
