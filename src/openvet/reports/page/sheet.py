"""What a page shows about one model: the report of a check or of a dossier, and what is computed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from openvet.bom.bill import Bill
from openvet.bom.coverage import Line
from openvet.core.dataclass import dataclass
from openvet.core.text import shorten
from openvet.evidence.predicates.decision_v1 import DecisionV1
from openvet.reports.fit_page import Row
from openvet.reports.markup import Html, tag
from openvet.reports.report import ModelReport, RuleText

__all__ = ["FULL", "LIKE_IT", "MODELS", "ROWS", "Evidence", "InDossier", "Sheet", "Spot", "more"]

#: What a page shows at most, so that it stays one that people can open: rows of a table, places of a finding, models of a command,
#: those of them that are shown in full. The JSON report has all.
ROWS, LIKE_IT, MODELS, FULL = 100, 5, 500, 20
_LONGEST_COMMAND = 300


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement that the page rests on.

    Attributes:
        kind: its predicate type.
        sha256: of the statement's bytes, signed or to be signed; '' where there are none.
        says: its gist.
        line: in the dossier, 0 where it is in none.
        signed_by: whose key, as the dossier has it; '' where it is not signed.
        used: whether this page shows what it says.
    """

    kind: str
    sha256: str
    says: tuple[str, ...]
    line: int = 0
    signed_by: str = ""
    used: bool = True


@dataclass(frozen=True, slots=True)
class InDossier:
    """The dossier that a page was made from: its path as it was named, its owner's key, how many lines it has."""

    path: str
    owner: str
    lines: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything about one model.

    Attributes:
        report: the decision and the evidence.
        rules: what is known of the rules that found something, by id.
        fits: its parts held against some devices.
        bill: what it is made of; ``None`` where no inventory was taken.
        covered: the bill against the minimum elements.
        evidence: the statements, in the order of a dossier.
        policies: what policy packs make of it, one for each pack; empty where none was asked.
        dossier: where it comes from, if it comes from one.
        notes: in sentences, what could not be shown and why.
    """

    report: ModelReport
    rules: Mapping[str, RuleText] = field(default_factory=dict)
    fits: Sequence[Row] = ()
    bill: Bill | None = None
    covered: tuple[Line, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    policies: tuple[DecisionV1, ...] = ()
    dossier: InDossier | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """Where on the page a model stands: what its anchors begin with, and the level of its heading."""

    prefix: str
    level: int

    def head(self, text: str, depth: int = 1, anchor: str = "") -> Html:
        """A heading below the model's own."""
        return tag(f"h{min(self.level + depth, 6)}", text, id=self.id(anchor) if anchor else None)

    def id(self, anchor: str) -> str:
        """An anchor that is the only one on the page."""
        return f"{self.prefix}-{anchor}"


def more(count: int, shown: int, word: str, sheet: Sheet) -> Html | None:
    """What was left out, and where all of it is."""
    if count <= shown:
        return None
    where = f"openvet check --format json {shorten(sheet.report.path, _LONGEST_COMMAND)}"
    if sheet.dossier is not None:
        where = f"openvet dossier show {shorten(sheet.dossier.path, _LONGEST_COMMAND)} --key OWNER.pub --line N"
    return tag(
        "p", f"and {count - shown:,} more {word}; ", tag("code", where), " gives all of them", class_="soft left-out"
    )
