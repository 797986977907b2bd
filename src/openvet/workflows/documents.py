"""Documents from evidence: those that packs list item by item, a checklist of any pack, OSCAL, and the draft of a model card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.evidence.predicates.decision_v1 import DecisionV1
from openvet.evidence.predicates.inventory_v1 import InventoryV1
from openvet.evidence.signing import parse_line
from openvet.policy.compiled import CompiledPack
from openvet.policy.decide import decide
from openvet.policy.document import Document
from openvet.policy.fill import Placed, checklist, fill
from openvet.policy.given import Evidence, Held
from openvet.policy.pack import Question
from openvet.policy.paper import Paper, Reference
from openvet.workflows.attest import open_questions
from openvet.workflows.decide import Trusting, believed_lines, evidence_of_dossier, evidence_of_report, kind_of
from openvet.workflows.dossier import verify
from openvet.workflows.knowledge import tool
from openvet.workflows.packs import catalogue, document_files, find_pack, list_packs, load_document, load_pack

if TYPE_CHECKING:
    from openvet.policy.decision import Terms
    from openvet.reports.report import ModelReport
    from openvet.workflows.signed_packs import Verify

__all__ = [
    "DOCUMENT_TYPE", "MADE", "Asking", "Given", "card_of", "checklists_of", "decisions_of", "document_questions", "find_document", "given_dossier",
    "given_report", "list_documents", "open_in_document", "paper_of",
]  # fmt: skip

DOCUMENT_TYPE: Final = "https://openvet/document/v1"
#: Documents that are of no pack, or of any: name -> what it is.
MADE: Final[Mapping[str, str]] = {
    "checklist": "Every requirement of a policy pack with its outcome and basis (--policy PACK)",
    "oscal": "Assessment results of policy packs in OSCAL 1.2 (--policy PACK; JSON)",
    "model-card": "A draft of a model card in the hub's form (Markdown)",
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Packs, and documents with the pack of each, whose questions are asked on ``day``."""

    packs: tuple[CompiledPack, ...]
    documents: tuple[tuple[Document, CompiledPack], ...]
    day: date

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return (*(each.pack.name for each in self.packs), *(each.id for each, _ in self.documents))

    @property
    def every(self) -> dict[str, Question]:
        """Every question that they may ask, and the catalogue's."""
        out = {**catalogue().questions, **{each.id: each for pack in self.packs for each in pack.questions}}
        for document, pack in self.documents:
            out |= document_questions(document, pack)
        return out

    def open(self, evidence: Evidence | None) -> tuple[Question, ...]:
        """The questions that they wait for by what is known; without evidence all that they ask."""
        out = {each.id: each for each in open_questions(self.packs, evidence, self.day)}
        for document, pack in self.documents:
            out |= {each.id: each for each in open_in_document(document, pack, evidence, self.day)}
        return tuple(out.values())


@dataclass(frozen=True, slots=True)
class Given:
    """What documents are made from.

    Attributes:
        evidence: what is believed about one model.
        placed: where it lies.
        notes: what did not count, as sentences.
    """

    evidence: Evidence
    placed: Placed
    notes: tuple[str, ...] = ()


def list_documents(packs: Sequence[str] = ()) -> tuple[tuple[str, str, str], ...]:
    """The documents of ``packs``, by path or id, and of the packs that ship or are installed: the pack, the name, and the path."""
    names = dict.fromkeys((*packs, *list_packs()))
    return tuple((pack, name, path) for pack in names for name, path in document_files(find_pack(pack)))


def find_document(name: str, packs: Sequence[str] = (), verify: Verify | None = None) -> tuple[Document, CompiledPack]:
    """A document by its name, in ``packs`` or in those that ship; with its pack.

    Args:
        verify: verifies the signatures of what does not ship; ``None`` takes it unsigned.

    Raises:
        UsageError: there is none.
        PackError: it, or its pack, makes no sense or is not signed as it has to be; with file and line.
    """
    every = list_documents(packs)
    for pack, known, path in every:
        if known == name:
            found = load_pack(pack, verify=verify)
            return load_document(path, found, None if find_pack(pack).ships else verify), found
    names = dict.fromkeys((*(each for _, each, _ in every), *MADE))
    raise UsageError(
        f"there is no document {printable(name)!r}, but {', '.join(names)}; `openvet document list` says what they are"
    )


def document_questions(document: Document, pack: CompiledPack) -> dict[str, Question]:
    """Every question that a document may ask: the catalogue's, its pack's and its own, by id."""
    every = {**catalogue().questions, **{each.id: each for each in (*pack.pack.questions, *pack.questions)}}
    return every | {each.id: each for each in document.questions}


def given_dossier(path: str, trusting: Trusting, terms: Terms, configuration: str = "") -> Given:
    """What a dossier says, verified and with the line of each statement.

    Raises:
        VerifyError, UsageError: as :func:`openvet.workflows.decide.evidence_of_dossier`.
    """
    found = verify(path, trusting.key, trusting.checkpoint, trusting.model, by=trusting.by)
    evidence, notes = evidence_of_dossier(found, terms, configuration)
    lines: dict[str, int] = {}
    signatures = []
    for number, claim in believed_lines(found)[0]:
        sha256 = hashlib.sha256(parse_line(claim.line, "line").envelope.payload).hexdigest()
        lines[sha256] = number
        if kind_of(claim.statement.predicate_type) == "signature":
            signatures.append(Reference("signature", sha256, number))
    return Given(evidence, Placed(lines, tuple(signatures)), notes)


def given_report(report: ModelReport) -> Given:
    """What a check says that was just made; nobody has signed it."""
    return Given(evidence_of_report(report), Placed({}, signed=False))


def paper_of(document: Document, pack: CompiledPack, given: Given, as_of: date) -> Paper:
    """``document``, filled with what is known on ``as_of``."""
    decision = decide(pack, given.evidence, as_of, tool())
    return fill(document, pack, document_questions(document, pack), given.evidence, decision, given.placed)


def checklists_of(packs: Sequence[CompiledPack], given: Given, as_of: date) -> tuple[Paper, ...]:
    """A checklist for each pack."""
    return tuple(
        checklist(each, given.evidence, decide(each, given.evidence, as_of, tool()), given.placed) for each in packs
    )


def decisions_of(packs: Sequence[CompiledPack], given: Given, as_of: date) -> tuple[DecisionV1, ...]:
    """What packs make of it, for OSCAL."""
    return tuple(decide(each, given.evidence, as_of, tool()) for each in packs)


def open_in_document(
    document: Document, pack: CompiledPack, evidence: Evidence | None, day: date
) -> tuple[Question, ...]:
    """The questions that a document waits for on ``day``; without evidence all that it asks."""
    every = document_questions(document, pack)
    if evidence is None:
        asked = dict.fromkeys(name for item in document.items for name in document.questions_of(item))
        return tuple(every[each] for each in asked)
    return tuple(every[each.id] for each in paper_of(document, pack, Given(evidence, Placed({})), day).asked)


def card_of(given: Given) -> str:
    """The draft of a model card from the inventory and from what cards say, with the statements that it was made from.

    Raises:
        UsageError: there is no inventory.
    """
    from openvet.cards.draft import draft_card
    from openvet.reports._text import visible

    inventory, card = given.evidence.held.get("inventory"), given.evidence.held.get("card")
    if inventory is None or not isinstance(inventory.predicate, InventoryV1):
        raise UsageError("a model card is drafted from the inventory, and none is there; openvet check MODEL makes one")
    documents = card.predicate.documents if card is not None and isinstance(card.predicate, CardV1) else ()
    text = draft_card(given.evidence.subject.name, inventory.predicate.facts, documents, inventory.predicate.items)
    cited = [inventory] if card is None else [inventory, card]
    return (
        visible(text, keep="\n\t")
        + "\n"
        + "".join(f"<!-- made from {_cited(each, given.placed)} -->\n" for each in cited)
    )


def _cited(held: Held, placed: Placed) -> str:
    line = placed.lines.get(held.sha256)
    where = "not signed" if line is None else f"line {line} of the dossier"
    return f"the statement of kind {held.kind}, SHA-256 {held.sha256}, {where}"
