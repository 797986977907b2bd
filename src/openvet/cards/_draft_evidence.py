"""What the evidence says that a draft of a card may state: only what no other source contradicts."""

from __future__ import annotations

from collections.abc import Sequence

from openvet.cards._beside import hub_id
from openvet.cards._forms import forms, ids
from openvet.cards.licenses import canonical
from openvet.evidence.predicates.card_v1 import CardDocument, CardFact
from openvet.evidence.predicates.inventory_v1 import Fact, Item

__all__ = ["Evidence"]


class Evidence:
    """What is known of one model, and what of it is beyond doubt."""

    def __init__(
        self, name: str, facts: Sequence[Fact], documents: Sequence[CardDocument], items: Sequence[Item]
    ) -> None:
        self.name = name
        self.facts = {each.name: each for each in reversed(facts)}
        self.card = next((each for each in documents if each.kind in ("model-card", "files")), None)
        self.documents = documents
        self.items = items
        problems = self.card.problems if self.card is not None else ()
        self.doubted = {each.kind for each in problems}

    def said(self, name: str, basis: str = "declared") -> list[CardFact]:
        """Statements of the card, and of the files about what it states."""
        return (
            [each for each in self.card.facts if each.name == name and each.basis == basis]
            if self.card is not None
            else []
        )

    def texts(self, name: str) -> list[str]:
        """Texts that the card itself declares as ``name``."""
        out: list[str] = []
        for each in self.said(name):
            if self.card is not None and each.source.place == self.card.place:
                out += [
                    item
                    for item in (each.value if isinstance(each.value, list) else [each.value])
                    if isinstance(item, str)
                ]
        return [each for each in out if each.strip() and each != "…"]

    def bases(self) -> list[str]:
        """The base models; none where a file names another one than the card."""
        if "base-model-differs" in self.doubted:
            return []
        named = self.texts("base_model") or [
            each.value for each in self.said("base_model") if isinstance(each.value, str)
        ]
        return list(dict.fromkeys(each for each in map(hub_id, named) if each is not None))

    def relation(self) -> str | None:
        """The relation to the base model: the declared one, or the one that the files show."""
        declared = self.texts("base_model_relation")
        if declared and declared[0] in forms()["relations"] and "relation-contradicted" not in self.doubted:
            return declared[0]
        if self.said("weights", "derived"):
            return "adapter"
        return "quantized" if self.said("quantization", "derived") and not declared else None

    def license(self) -> str | None:
        """The one licence that all sources name, as an id that stands for one licence; ``None`` where there is none."""
        said = self.texts("license") or [each.value for each in self.said("license") if isinstance(each.value, str)]
        fact = self.facts.get("license")
        if not said and fact is not None and isinstance(fact.value, str):
            said = [fact.value]
        meant = {canonical(each) for each in said}
        found = meant.pop() if len(meant) == 1 else None
        if found is None or found in ids()["families"] or found == "unknown" or "license-differs" in self.doubted:
            return None
        return found

    def library(self) -> str | None:
        """The library: the declared one, or the one whose file is there."""
        declared = self.texts("library_name")
        if declared and "library-contradicted" not in self.doubted:
            return declared[0]
        found = self.said("library", "derived")
        return str(found[0].value) if found else None
