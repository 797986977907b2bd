"""The origin predicate: who published and signed a model, as far as somebody declares or attests it, and what speaks against it.

Spec page: ``origin_v1.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, location_of, without_none
from openvet.evidence.predicates.inventory_v1 import BASES
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "METHODS", "PREDICATE_TYPE", "REMARKS", "ROLES", "Copy", "OriginFact", "OriginName", "OriginV1", "Place", "PublisherEntry", "Remark",
    "Signer",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/origin/v1"

#: What a name is the name of: the account that a hub lists the model under; an author, an organization that files state; the model
#: itself; a base model; whoever quantized it.
ROLES: Final = ("account", "author", "organization", "model", "base", "quantized-by")
#: How a signer is known: by a key, by a certificate of a chain, by an identity that a provider vouched for.
METHODS: Final = ("key", "certificate", "keyless")
#: Kinds of remarks, the grave ones first; :mod:`openvet.publishers` says when each is made.
REMARKS: Final = (
    "namespace-reused", "history-rewritten", "look-alike-account", "claims-official", "contradiction", "copy-under-another-name", "author-changed",
    "renamed", "look-alike-name", "hidden-characters", "name-of-another", "disabled", "license-changed", "access-changed", "weights-changed",
    "moved-on", "republished",
)  # fmt: skip
_WORD: Final = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)


def _count(found: Fields, name: str) -> int:
    value = found.take(name, int)
    if value < 0:
        raise FieldError(f"{found.at}/{name} is no count")
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """Where the model was published, and who says so.

    Attributes:
        host: of the hub or registry.
        account: the first part of the repository's name, ``""`` where it has none.
        repository: ``org/name``, or a registry's path.
        revision: a commit or digest, ``""`` where none is known.
        basis: ``declared`` (a folder of a cache, or a file of metadata says so), or ``measured`` (it was fetched from there).
    """

    host: str
    account: str
    repository: str
    revision: str
    basis: str

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "account": self.account,
            "repository": self.repository,
            "revision": self.revision,
            "basis": self.basis,
        }

    @classmethod
    def take(cls, found: Fields) -> Place:
        return cls(
            found.take("host", str),
            found.take("account", str),
            found.take("repository", str),
            found.take("revision", str),
            found.word("basis", BASES),
        )


@dataclass(frozen=True, slots=True)
class PublisherEntry:
    """A publisher that is known, and what it says of itself; ``because`` are the names that led here, ``own`` whether the account is its.

    Attributes:
        legal_name, seat, law, says: ``None`` where its text does not say it, or no text was read.
        source, date: of that text.
    """

    id: str
    name: str
    own: bool
    because: tuple[str, ...]
    legal_name: str | None = None
    seat: str | None = None
    law: str | None = None
    says: str | None = None
    source: str | None = None
    date: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "id": self.id,
                "name": self.name,
                "own": self.own,
                "because": list(self.because),
                "legalName": self.legal_name,
                "seat": self.seat,
                "law": self.law,
                "says": self.says,
                "source": self.source,
                "date": self.date,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> PublisherEntry:
        id_ = found.take("id", str)
        if not _WORD.fullmatch(id_):
            raise FieldError(f"{found.at}/id is no word")
        return cls(
            id_,
            found.take("name", str),
            found.take("own", bool),
            found.texts("because"),
            *(found.may(each, str) for each in ("legalName", "seat", "law", "says", "source", "date")),
        )


@dataclass(frozen=True, slots=True)
class OriginName:
    """A name that somebody states: in which role (:data:`ROLES`), who says it (``basis``), where, and whose name it is if that is known."""

    role: str
    value: str
    basis: str
    source: Location
    publisher: str | None = None

    def to_json(self) -> dict[str, Any]:
        out = {"role": self.role, "value": self.value, "basis": self.basis, "source": self.source.to_json()}
        return out if self.publisher is None else {**out, "publisher": self.publisher}

    @classmethod
    def take(cls, found: Fields) -> OriginName:
        return cls(
            found.word("role", ROLES),
            found.take("value", str),
            found.word("basis", BASES),
            location_of(found.below("source")),
            found.may("publisher", str),
        )


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed something about the model.

    Attributes:
        method: one of :data:`METHODS`.
        key: SHA-256 of the public key; ``""`` where the bundle does not carry it.
        identity, issuer: what the certificate says, and who issued it; ``""`` for a bare key.
        verified: whether the signature was verified by what the user trusts; otherwise it is only what the file says of itself.
        about: what was signed, in the name of its kind of statement.
        source: the file, and for a dossier the line.
    """

    method: str
    key: str
    identity: str
    issuer: str
    verified: bool
    about: str
    source: Location

    def to_json(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "key": self.key,
            "identity": self.identity,
            "issuer": self.issuer,
            "basis": "attested" if self.verified else "declared",
            "about": self.about,
            "source": self.source.to_json(),
        }

    @classmethod
    def take(cls, found: Fields) -> Signer:
        return cls(
            found.word("method", METHODS),
            found.take("key", str),
            found.take("identity", str),
            found.take("issuer", str),
            found.word("basis", ("attested", "declared")) == "attested",
            found.take("about", str),
            location_of(found.below("source")),
        )


@dataclass(frozen=True, slots=True)
class OriginFact:
    """What a hub says about the repository: its own key, the value, and the file or answer that it stands in."""

    name: str
    value: Any
    basis: str
    source: Location

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "basis": self.basis, "source": self.source.to_json()}

    @classmethod
    def take(cls, found: Fields) -> OriginFact:
        return cls(
            found.take("name", str),
            found.take("value", object),
            found.word("basis", BASES),
            location_of(found.below("source")),
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """Another model with tensors of the same bytes, whatever they are called.

    Attributes:
        of: the other model's name, as whoever keeps it calls it.
        basis: ``measured`` where the tensors of both were read; ``derived`` where files of the same digest were found.
        equal, tensors: tensors of this model that the other has too, of all that count: constants and small ones are any model's.
        equal_bytes, tensor_bytes: the same in bytes.
        same_name: whether both have one name.
        says_so: whether this model names the other as its base.
        sketched: whether values at some places of each matrix were compared, by a fingerprint, and not all of them.
    """

    of: str
    basis: str
    equal: int
    tensors: int
    equal_bytes: int
    tensor_bytes: int
    same_name: bool
    says_so: bool
    sketched: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything that counts is in the other model too."""
        return self.equal == self.tensors > 0

    def to_json(self) -> dict[str, Any]:
        return {
            "of": self.of,
            "basis": self.basis,
            "equal": self.equal,
            "tensors": self.tensors,
            "equalBytes": self.equal_bytes,
            "tensorBytes": self.tensor_bytes,
            "sameName": self.same_name,
            "saysSo": self.says_so,
            **({"sketched": True} if self.sketched else {}),
        }

    @classmethod
    def take(cls, found: Fields) -> Copy:
        return cls(
            found.take("of", str),
            found.word("basis", BASES),
            _count(found, "equal"),
            _count(found, "tensors"),
            _count(found, "equalBytes"),
            _count(found, "tensorBytes"),
            found.take("sameName", bool),
            found.take("saysSo", bool),
            found.may("sketched", bool) or False,
        )


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a person who asks where a model comes from should look at.

    Attributes:
        kind: one of :data:`REMARKS`.
        message: a sentence without its end.
        basis: ``derived`` from names and metadata, ``measured`` from bytes.
        heuristic: whether it is a guess from spelling or wording, which may be wrong about an honest publisher.
        source: where.
        evidence: what anybody needs to see it again.
    """

    kind: str
    message: str
    basis: str
    heuristic: bool
    source: Location
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "basis": self.basis,
            "heuristic": self.heuristic,
            "source": self.source.to_json(),
            "evidence": dict(self.evidence),
        }

    @classmethod
    def take(cls, found: Fields) -> Remark:
        return cls(
            found.word("kind", REMARKS),
            found.take("message", str),
            found.word("basis", BASES),
            found.take("heuristic", bool),
            location_of(found.below("source")),
            found.take("evidence", dict),
        )


@dataclass(frozen=True, slots=True)
class OriginV1:
    """The body of an origin statement; every list is in a fixed order.

    Attributes:
        published: ``None`` where nothing says where the model was published.
        not_known: what was not looked at, or could not be looked up, as sentences.
        left_out: names and remarks that were too many to be listed.
    """

    tool: Tool
    published: Place | None
    publishers: tuple[PublisherEntry, ...]
    names: tuple[OriginName, ...]
    signers: tuple[Signer, ...] = ()
    metadata: tuple[OriginFact, ...] = ()
    copies: tuple[Copy, ...] = ()
    remarks: tuple[Remark, ...] = ()
    not_known: tuple[str, ...] = ()
    left_out: int = 0
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"tool": self.tool.to_json()}
        if self.published is not None:
            out["published"] = self.published.to_json()
        return {
            **out,
            "publishers": [each.to_json() for each in self.publishers],
            "names": [each.to_json() for each in self.names],
            "signers": [each.to_json() for each in self.signers],
            "metadata": [each.to_json() for each in self.metadata],
            "copies": [each.to_json() for each in self.copies],
            "remarks": [each.to_json() for each in self.remarks],
            "notKnown": list(self.not_known),
            "leftOut": self.left_out,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OriginV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind. Fields that it cannot have are left to the caller, who compares.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        place = found.may_below("published")
        return cls(
            tool,
            None if place is None else Place.take(place),
            tuple(map(PublisherEntry.take, found.objects("publishers"))),
            tuple(map(OriginName.take, found.objects("names"))),
            tuple(map(Signer.take, found.objects("signers"))),
            tuple(map(OriginFact.take, found.objects("metadata"))),
            tuple(map(Copy.take, found.objects("copies"))),
            tuple(map(Remark.take, found.objects("remarks"))),
            found.texts("notKnown"),
            _count(found, "leftOut"),
        )
