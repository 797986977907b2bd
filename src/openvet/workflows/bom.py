"""The bill of materials of one model: it is read once, and what the rooms say of it is put together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from openvet.bom.bill import Bill
from openvet.bom.gather import gather
from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.evidence.predicates.inventory_v1 import InventoryV1
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.evidence.predicates.rights_v1 import RightsV1
from openvet.evidence.signing import SignedStatement
from openvet.reports.report import ModelReport
from openvet.workflows.check import Options, check_each

__all__ = [
    "FORMS",
    "Document",
    "bill_of",
    "bill_of_report",
    "bill_of_statements",
    "document_of",
    "signable_document",
    "time_of",
]

#: Form -> the predicate type under which it is signed.
FORMS: Final = {"cyclonedx": "https://cyclonedx.org/bom", "spdx": "https://spdx.dev/Document/v3"}


@dataclass(frozen=True, slots=True)
class Document:
    """A document of somebody else's form as the body of a statement."""

    predicate_type: str
    body: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return dict(self.body)


def bill_of(path: str, options: Options | None = None, progress: Progress | None = None, purl: str = "") -> Bill:
    """Read the model at ``path`` once, hash it, and list what it is made of.

    Raises:
        SubjectError: it cannot be examined.
        UsageError: an option makes no sense, ``purl`` is none.
    """
    # the rules say which published problems of loaders the content reaches
    settled = options or Options()
    settled = replace(settled, also=tuple(dict.fromkeys((*settled.also, "rights"))))
    return bill_of_report(next(check_each([path], settled, progress)), purl)


def bill_of_report(report: ModelReport, purl: str = "") -> Bill:
    """The bill of a model that was checked with its inventory.

    Raises:
        UsageError: it was not, or ``purl`` is none.
    """
    if report.inventory is None:
        raise UsageError("only the scan was made; openvet check takes the inventory too")
    profile, card, advisories, licenses = map(report.answers.get, ("profile", "card", "advisories", "licenses"))
    lineage, rights = map(report.answers.get, ("lineage", "rights"))
    # the hub's cache is known by its folders; nothing else of where a model lies is told
    place = printable(os.path.abspath(report.path)) if os.path.exists(report.path) else report.path
    return gather(
        place,
        report.subject,
        report.inventory,
        profile if isinstance(profile, ProfileV1) else None,
        card if isinstance(card, CardV1) else None,
        purl,
        advisories if isinstance(advisories, AdvisoriesV1) else None,
        licenses if isinstance(licenses, LicensesV1) else None,
        lineage if isinstance(lineage, LineageV1) else None,
        rights if isinstance(rights, RightsV1) else None,
    )


def bill_of_statements(place: str, statements: Sequence[SignedStatement]) -> Bill:
    """The bill that a check's statements give, without the model; of several of one kind the last counts.

    Args:
        place: where the model is published, such as ``hf:org/name@commit``, or its name.

    Raises:
        UsageError: there is no inventory among them.
    """
    found = {type(each.predicate): each for each in statements}
    listed = found.get(InventoryV1)
    if listed is None or not isinstance(listed.predicate, InventoryV1):
        raise UsageError("there is no inventory among the statements")
    profile, card, advisories, licenses, lineage, rights = (
        found[each].predicate if each in found else None
        for each in (ProfileV1, CardV1, AdvisoriesV1, LicensesV1, LineageV1, RightsV1)
    )
    return gather(
        place,
        listed.subjects[0],
        listed.predicate,
        profile if isinstance(profile, ProfileV1) else None,
        card if isinstance(card, CardV1) else None,
        "",
        advisories if isinstance(advisories, AdvisoriesV1) else None,
        licenses if isinstance(licenses, LicensesV1) else None,
        lineage if isinstance(lineage, LineageV1) else None,
        rights if isinstance(rights, RightsV1) else None,
    )


def document_of(bill: Bill, form: str, time: datetime | None = None) -> Document:
    """The bill in ``form``, one of :data:`FORMS`."""
    if form == "spdx":
        from openvet.bom.spdx import spdx

        return Document(FORMS[form], spdx(bill, time))
    from openvet.bom.cyclonedx import cyclonedx

    return Document(FORMS[form], cyclonedx(bill, time))


def signable_document(document: Document) -> Document:
    """``document`` without energy in fractions of a kilowatt-hour: what is signed has whole numbers alone, and both forms want no text there.

    The same amount still stands as text, among the properties.
    """
    if not _has_fraction(document.body):
        return document
    body = _without(document.body, frozenset({"energyConsumptions", "ai_energyConsumption"}))
    # what pointed at it points at nothing now
    if "citations" in body:
        kept = []
        for each in body["citations"]:
            pointers = [one for one in each["pointers"] if "/energyConsumptions/" not in one]
            if pointers:
                kept.append({**each, "pointers": pointers})
        body["citations"] = kept
    return Document(document.predicate_type, body)


def _has_fraction(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_fraction, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_fraction, value))
    return isinstance(value, float)


def _without(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(each, names) for key, each in value.items() if key not in names}
    if isinstance(value, list | tuple):
        return [_without(each, names) for each in value]
    return value


def time_of(given: str | None) -> datetime | None:
    """The time that a bill says: ``given``, else that of ``SOURCE_DATE_EPOCH``, else none, so that the same model gives the same bytes.

    Raises:
        UsageError: it is no time.
    """
    if given is not None:
        try:
            found = datetime.fromisoformat(given)
        except ValueError:
            raise UsageError(f"--time {given!r}: write 2026-11-28 or 2026-11-28T10:00:00Z") from None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        return None
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch[:40]!r}, and has to be seconds since 1970") from None
