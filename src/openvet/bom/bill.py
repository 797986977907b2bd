"""What a bill of materials lists, before it takes anybody's form: pieces, what is said of each by whom, and how they belong together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.profile_v1 import Comparison
from openvet.evidence.predicates.rights_v1 import RightsV1
from openvet.evidence.predicates.tool import Tool
from openvet.evidence.statement import ResourceDescriptor

__all__ = ["KINDS", "Bill", "License", "Piece", "Relation", "Said"]

#: What a piece is.
KINDS: Final = (
    "model", "model-part", "weights", "adapter", "tokenizer", "chat-template", "generation-config", "configuration", "code", "license",
    "documentation", "file", "library", "service", "base-model", "dataset",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One statement: a value, whether it is ``declared`` or ``derived`` (:data:`~openvet.evidence.predicates.inventory_v1.BASES`), and where.

    ``note`` tells who says so where that is no file of the subject.
    """

    value: Any
    basis: str
    sources: tuple[Location, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """The value as text: a list joined by commas, a map as JSON."""
        if isinstance(self.value, Mapping):
            return json.dumps(self.value, ensure_ascii=False, sort_keys=True, default=str)
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, list | tuple):
            return ", ".join(str(each) for each in self.value)
        return str(self.value)


@dataclass(frozen=True, slots=True)
class License:
    """One licence that somebody names.

    Attributes:
        id: SPDX's, ``""`` where it has none or the name does not say which.
        reference: ``LicenseRef-...`` where SPDX has none.
        name: as it is written.
        link: to the text, where one is given.
        said: by whom.
        found: in another file than the card, beside which it is to be shown.
        text: by its text, which lies with the model; everything else is a name that somebody gives.
    """

    id: str
    reference: str
    name: str
    link: str
    said: Said
    found: bool = False
    text: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that is listed.

    Attributes:
        ref: its name inside the document, stable for the same subject.
        kind: one of :data:`KINDS`.
        name, version, purl: ``""`` where unknown.
        place: the file that it is, or below which it lies; ``""`` for what is only named.
        size: bytes.
        digests: algorithm -> hex, of the bytes it is.
        format: what it was read as.
        said: what is said about it, by stable words.
        named: by whom a piece that is only named is named.
    """

    ref: str
    kind: str
    name: str
    version: str = ""
    purl: str = ""
    place: str = ""
    size: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    format: str = ""
    said: Mapping[str, Said] = field(default_factory=dict)
    named: Said | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """``one`` stands in this relation to ``other``: contains, depends, trained-on, tested-on, descends (weights come from there)."""

    one: str
    kind: str
    other: str
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """All of it.

    Attributes:
        subject: name and digests of what was examined.
        tool: what examined it.
        model: the model as a whole, as its documents describe it; ``parts`` are the models that it consists of, or is packed as, where
            there are several.
        pieces: everything else, in a fixed order.
        relations: between them.
        licenses: of the model, the card's first.
        metrics: results that documents declare.
        links: (kind, URL, by whom): ``vcs distribution website paper``.
        disputed: statements that contradict one another.
        left_out: how many files and members are not listed.
        advisories: published problems of loaders and packages that it reaches; ``None`` where nobody looked for them.
        rights: what licences say and ask for; ``None`` where nobody asked.
        works: what ``rights`` calls a work -> the piece that it is.
    """

    subject: ResourceDescriptor
    tool: Tool
    model: Piece
    parts: tuple[Piece, ...] = ()
    pieces: tuple[Piece, ...] = ()
    relations: tuple[Relation, ...] = ()
    licenses: tuple[License, ...] = ()
    metrics: tuple[Said, ...] = ()
    links: tuple[tuple[str, str, Said], ...] = ()
    disputed: tuple[Comparison, ...] = ()
    left_out: int = 0
    advisories: AdvisoriesV1 | None = None
    rights: RightsV1 | None = None
    works: Mapping[str, str] = field(default_factory=dict)

    def of(self, *kinds: str) -> Iterable[Piece]:
        """The pieces of these kinds."""
        return (each for each in self.pieces if each.kind in kinds)

    @property
    def digests_by_place(self) -> dict[str, Mapping[str, str]]:
        """File or member -> its digests. What lies inside a file, such as a template, has some of its own that are not the file's."""
        return {each.place: each.digests for each in self.pieces if each.ref.startswith("file:") and each.digests}
