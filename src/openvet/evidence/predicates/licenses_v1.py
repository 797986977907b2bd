"""The licenses predicate: which licences are declared of a model, and which texts are found in it. Spec page: ``licenses_v1.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, location_of
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "CHANGES", "EXTENTS", "FORMS", "PREDICATE_TYPE", "SCOPES", "STATES", "Change", "Declared", "Found", "LicensesV1", "Whole",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/licenses/v1"

#: How a licence is declared: by an id, a name, a link, an SPDX expression, or in the words of a notice.
FORMS: Final = ("id", "name", "link", "expression", "notice")
#: What a declaration or a text is about: the model, or only something that lies with it.
SCOPES: Final = ("model", "part")
#: How much of a text is there: ``whole``; ``part`` of it, the beginning in any case; ``near``: words of one that we know, under another name.
EXTENTS: Final = ("whole", "part", "near")
#: What was done to a text.
CHANGES: Final = ("added", "removed", "replaced")
#: What declared and found come to, see the spec page.
STATES: Final = ("agree", "differ", "declared-only", "found-only", "unclear", "nothing")
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)


def _count(found: Fields, name: str) -> int:
    count = found.take(name, int)
    if count < 0:
        raise FieldError(f"{found.at}/{name} is no count")
    return count


@dataclass(frozen=True, slots=True)
class Declared:
    """One place that says a licence.

    Attributes:
        said: what stands there, printable and shortened.
        form: one of :data:`FORMS`.
        keys: what it may mean: one key where it is sure, several where it is ambiguous, none where it is not known. Of an expression the
            keys of its licences, in order.
        expression: the SPDX expression in its normal form; empty unless it is one of more than one licence, or with an exception.
        scope: one of :data:`SCOPES`.
        source: the place, the JSON Pointer or the key, and the line where it is known.
    """

    said: str
    form: str
    keys: tuple[str, ...]
    expression: str
    scope: str
    source: Location

    @property
    def key(self) -> str | None:
        """The licence that is surely meant, ``None`` where that is not known, ambiguous, or an expression of several."""
        return self.keys[0] if len(self.keys) == 1 and not self.expression else None

    def to_json(self) -> dict[str, Any]:
        return {
            "said": self.said,
            "form": self.form,
            "keys": list(self.keys),
            "expression": self.expression,
            "scope": self.scope,
            "source": self.source.to_json(),
        }

    @classmethod
    def take(cls, found: Fields) -> Declared:
        return cls(
            found.take("said", str),
            found.word("form", FORMS),
            found.texts("keys"),
            found.take("expression", str),
            found.word("scope", SCOPES),
            location_of(found.below("source")),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a text and the published one.

    Attributes:
        kind: one of :data:`CHANGES`.
        line: of the file, from 1: where it begins, or of a removal where it is missing.
        text: what stands in the file, shortened, of a few words with some around them; empty for a removal.
        published: what the published text has there, shortened; empty for an addition.
    """

    kind: str
    line: int
    text: str
    published: str

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "line": self.line, "text": self.text, "published": self.published}

    @classmethod
    def take(cls, found: Fields) -> Change:
        return cls(
            found.word("kind", CHANGES), _count(found, "line"), found.take("text", str), found.take("published", str)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One licence's text in one place.

    Attributes:
        keys: the licences that have this text: several where it does not say which (GPL "only" or "or later"; the half that two share).
            Of ``near`` those that it looks like: the licence is not known.
        extent: one of :data:`EXTENTS`.
        matched: words of the published text that are there, in order.
        of_text: words of the published text.
        of_place: words of the place (the file, or the one value) in which it was found.
        scope: one of :data:`SCOPES`.
        source: the place, its pointer if it is a value, and the first line.
        last_line: of the text.
        words_added, words_removed: all of them, those of changes that are not listed among them; what everybody fills in (years, names
            of holders) is no change.
        changes: the first ones.
    """

    keys: tuple[str, ...]
    extent: str
    matched: int
    of_text: int
    of_place: int
    scope: str
    source: Location
    last_line: int
    words_added: int = 0
    words_removed: int = 0
    changes: tuple[Change, ...] = ()

    @property
    def key(self) -> str | None:
        """The licence whose text this surely is, changed or not; ``None`` where that is not known or ambiguous."""
        return self.keys[0] if len(self.keys) == 1 and self.extent != "near" else None

    @property
    def changed(self) -> bool:
        """Whether the words that are there are others than the published ones."""
        return bool(self.words_added or self.words_removed)

    @property
    def coverage(self) -> float:
        """How much of the published text is there, 0 to 1."""
        return self.matched / self.of_text if self.of_text else 0.0

    @property
    def containment(self) -> float:
        """How much of the place is this text, 0 to 1."""
        return self.matched / self.of_place if self.of_place else 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "keys": list(self.keys),
            "extent": self.extent,
            "matched": self.matched,
            "of_text": self.of_text,
            "of_place": self.of_place,
            "scope": self.scope,
            "source": self.source.to_json(),
            "last_line": self.last_line,
            "words_added": self.words_added,
            "words_removed": self.words_removed,
            "changes": [each.to_json() for each in self.changes],
        }

    @classmethod
    def take(cls, found: Fields) -> Found:
        keys = found.texts("keys")
        if not keys:
            raise FieldError(f"{found.at}/keys is empty")
        return cls(
            keys,
            found.word("extent", EXTENTS),
            _count(found, "matched"),
            _count(found, "of_text"),
            _count(found, "of_place"),
            found.word("scope", SCOPES),
            location_of(found.below("source")),
            _count(found, "last_line"),
            _count(found, "words_added"),
            _count(found, "words_removed"),
            tuple(map(Change.take, found.objects("changes"))),
        )


@dataclass(frozen=True, slots=True)
class Whole:
    """What the declarations and texts of the model itself come to.

    Attributes:
        declared: the sets of keys that are declared, each once.
        found: the sets of keys whose texts were found, each once.
        state: one of :data:`STATES`.
    """

    declared: tuple[tuple[str, ...], ...]
    found: tuple[tuple[str, ...], ...]
    state: str

    def to_json(self) -> dict[str, Any]:
        return {
            "declared": [list(each) for each in self.declared],
            "found": [list(each) for each in self.found],
            "state": self.state,
        }

    @classmethod
    def take(cls, found: Fields) -> Whole:
        return cls(_sets(found, "declared"), _sets(found, "found"), found.word("state", STATES))


def _sets(found: Fields, name: str) -> tuple[tuple[str, ...], ...]:
    sets = found.take(name, list)
    if not all(isinstance(each, list) and each and all(isinstance(key, str) for key in each) for each in sets):
        raise FieldError(f"{found.at}/{name} is no list of keys")
    return tuple(map(tuple, sets))


@dataclass(frozen=True, slots=True)
class LicensesV1:
    """The body of a licenses statement.

    Attributes:
        of: which data of ours it was made with: the date of the table of licences.
        model: what it comes to for the model.
        declared, found: in the order of the places.
        unknown_texts: files that are called a licence and hold a text that we do not know, one that is ``near`` to a known one among them.
        left_out: declarations and texts that were too many to be listed.
    """

    tool: Tool
    of: str
    model: Whole
    declared: tuple[Declared, ...]
    found: tuple[Found, ...]
    unknown_texts: tuple[Location, ...] = ()
    left_out: int = 0
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "of": self.of,
            "model": self.model.to_json(),
            "declared": [each.to_json() for each in self.declared],
            "found": [each.to_json() for each in self.found],
            "unknown_texts": [each.to_json() for each in self.unknown_texts],
            "left_out": self.left_out,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> LicensesV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind. Fields that it cannot have are left to the caller, who compares.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        return cls(
            tool,
            found.take("of", str),
            Whole.take(found.below("model")),
            tuple(map(Declared.take, found.objects("declared"))),
            tuple(map(Found.take, found.objects("found"))),
            tuple(map(location_of, found.objects("unknown_texts"))),
            _count(found, "left_out"),
        )
