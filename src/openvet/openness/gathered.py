"""What was gathered about each component: evidence of four strengths, and the licence that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.evidence.predicates.openness_v1 import COMPONENTS, STATES, Evidence, License, Note, Part
from openvet.openness.framework import components
from openvet.openness.licenses import standing

__all__ = ["TYPE_OF", "Declared", "Gathered"]

TYPE_OF: Final[Mapping[str, str]] = {each.id: each.type for each in components()}
#: Pieces of evidence that are listed of one component.
_LISTED: Final = 6


@dataclass(frozen=True, slots=True)
class Declared:
    """A licence as it is declared: SPDX's id or what is written, ``""`` for none at all; of what; where; and where its text is."""

    id: str
    scope: str
    source: Location
    text: Location | None = None

    def of(self, component: str) -> License | None:
        """The licence of one component."""
        kind = TYPE_OF[component]
        return License(self.id, standing(self.id, kind), self.scope, self.source, self.text) if self.id else None


class Gathered:
    """Evidence of all components, as it comes in.

    Attributes:
        distribution: the licence of the whole, where one is declared.
        model: what the card says of the model, which holds for the weights whatever a record says beside it.
        notes: what could not be taken as it is written.
    """

    def __init__(self) -> None:
        self.distribution: Declared | None = None
        self.model: Declared | None = None
        self.notes: list[Note] = []
        self._found: dict[str, list[tuple[int, Evidence, Declared | None]]] = {each: [] for each in COMPONENTS}
        self._seen: set[tuple[str, str, str]] = set()

    def add(self, component: str, state: str, evidence: Evidence, declared: Declared | None = None) -> None:
        """Add one piece of evidence; the same place says the same thing once.

        Args:
            declared: the licence that is declared of this very piece, of its type or of all that a record lists.
        """
        key = (component, evidence.source.place, evidence.link or evidence.what)
        if key not in self._seen:
            self._seen.add(key)
            self._found[component].append((STATES.index(state), evidence, declared))

    def has(self, component: str, state: str = "") -> bool:
        """Whether there is evidence, of at least ``state`` if that is named."""
        most = STATES.index(state) if state else len(STATES)
        return any(rank <= most for rank, _, _ in self._found[component])

    def together(self, one: Declared, other: Declared) -> Declared:
        """Both, where two places name different licences for the same thing: neither is chosen."""
        if other.id in one.id.split(" AND ") or one.id == other.id:
            return one
        text = f"names {one.id}, and the card names {other.id}; what is under both is as open as the stricter one"
        note = Note(text, one.source)
        if note not in self.notes:
            self.notes.append(note)
        return Declared(f"{one.id} AND {other.id}", one.scope, one.source)

    def parts(self) -> tuple[Part, ...]:
        """Every component with its best evidence first."""
        return tuple(map(self._part, COMPONENTS))

    def _part(self, name: str) -> Part:
        found = sorted(self._found[name], key=lambda each: each[0])
        if not found:
            return Part(name, TYPE_OF[name], "missing")
        best = found[0][0]
        # what a record says of the component holds for every piece of it; the licence of the whole only for what lies in the whole
        said = next((each for _, _, each in found if each is not None), None)
        if said is None and STATES[best] == "found":
            said = self.distribution
        if name == "final-parameters" and said is not None and said.id and self.model is not None:
            said = self.together(said, self.model)
        return Part(
            name,
            TYPE_OF[name],
            STATES[best],
            tuple(each for _, each, _ in found[:_LISTED]),
            max(0, len(found) - _LISTED),
            None if said is None else said.of(name),
        )
