"""The licence of the whole where texts of licences were found beside what is declared: they confirm it, stand in for it, or contradict it."""

from __future__ import annotations

from openvet.core.location import Location
from openvet.evidence.predicates.licenses_v1 import Found, LicensesV1
from openvet.evidence.predicates.openness_v1 import Note
from openvet.openness.gathered import Declared, Gathered

__all__ = ["settle"]


def settle(declared: Declared | None, licenses: LicensesV1, gathered: Gathered) -> Declared | None:
    """What is declared of the whole, with what the texts say to it.

    Args:
        declared: by the card, or by the files where there is no card.
        gathered: gets a note where the texts do not confirm it.
    """
    if declared is None:
        declared = _elsewhere(licenses)
    texts = [each for each in licenses.found if each.scope == "model" and each.extent != "near"]
    state = licenses.model.state
    if state == "unclear":
        where = _unclear(licenses)
        if where is not None:
            gathered.notes.append(Note("a text of a licence is changed, or has terms that are not known", where))
        return declared
    if not texts or not licenses.model.found:
        return declared
    where = texts[0].source
    found = Declared(" AND ".join(" OR ".join(each) for each in licenses.model.found), "distribution", where, where)
    if declared is None:
        return found
    if state == "differ":
        return gathered.together(found, declared)
    return Declared(declared.id, declared.scope, declared.source, where) if state == "agree" else declared


def _elsewhere(licenses: LicensesV1) -> Declared | None:
    """What another file than the card declares of the model, where that is sure: the metadata of a package, a notice."""
    for each in licenses.declared:
        said = each.expression or each.key
        if each.scope == "model" and said:
            return Declared(said, "distribution", each.source)
    return None


def _unclear(licenses: LicensesV1) -> Location | None:
    """Where it is read that the texts settle nothing."""
    changed: Found | None = next((each for each in licenses.found if each.scope == "model" and each.changed), None)
    if changed is not None:
        return changed.source
    return licenses.unknown_texts[0] if licenses.unknown_texts else None
