"""The classes of the Model Openness Framework, from the components of a release and their licences.

A component counts for a class where it is there under a licence that is open; whether the licence also fits its type is told and changes
no class. A research paper stands in for a technical report that is not there, and then class I needs one component less. Nothing of a class
counts before the class below it is full.

Rules: Model Openness Framework 1.0 (arXiv:2403.13784), as ``ModelEvaluator.php`` of https://github.com/lfai/model_openness_tool has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.openness_v1 import ClassProgress, Reading
from openvet.openness._tables import component_table
from openvet.openness.licenses import fits, is_open

__all__ = ["FrameworkComponent", "components", "judge", "unfitting"]

_REPORT: Final = "technical-report"
_PAPER: Final = "research-paper"


@dataclass(frozen=True, slots=True)
class FrameworkComponent:
    """One component of the framework.

    Attributes:
        id: our word for it.
        name: the framework's name.
        type: whose licences fit: ``code``, ``data`` or ``document``.
        of: the class, 1 to 3, from which it counts.
        needed: whether that class needs it.
    """

    id: str
    name: str
    type: str
    of: int
    needed: bool


@cache
def components() -> tuple[FrameworkComponent, ...]:
    """All components, those of class III first."""
    return tuple(
        FrameworkComponent(each["id"], each["name"], each["type"], each["class"], not each.get("optional", False))
        for each in component_table()["component"]
    )


def judge(name: str, licences: Mapping[str, str]) -> Reading:
    """The class that a release reaches.

    Args:
        name: what is read: ``record``, ``declared`` or ``files``.
        licences: id of each component that is there -> its licence, as SPDX spells it; ``""`` where it has none.
    """
    found = dict(licences)
    stands_in = _PAPER in found and not is_open(found.get(_REPORT, ""))
    progress = []
    reached = 0
    full = True
    for of in (3, 2, 1):
        each = _class(of, found, stands_in=stands_in, held_back=not full)
        progress.append(each)
        full = full and each.counted >= each.needed
        if full:
            reached = of
    return Reading(name, reached, tuple(progress))


def _class(of: int, found: Mapping[str, str], *, stands_in: bool, held_back: bool) -> ClassProgress:
    """What a class has and lacks, the classes below it included."""
    needed = [each.id for each in components() if each.needed and each.of >= of]
    lacking_report = False
    if stands_in:
        lacking_report = _REPORT not in found
        if lacking_report:
            needed.remove(_REPORT)
        if of > 1:
            needed.append(_PAPER)
    there = [each for each in needed if each in found]
    counted = [each for each in there if is_open(found[each])]
    total = sum(each.needed and each.of >= of for each in components())
    # the paper takes the report's place: it is counted once, and asked for once
    if of == 1 and stands_in and _PAPER in counted:
        total -= 1
    return ClassProgress(
        of=of,
        counted=min(len(counted), total),
        needed=total,
        held_back=held_back,
        missing=tuple(each for each in needed if each not in found),
        unlicensed=tuple(each for each in there if not found[each]),
        not_open=tuple(each for each in there if found[each] and not is_open(found[each])),
    )


def unfitting(licences: Mapping[str, str]) -> tuple[str, ...]:
    """Components whose licence is open and made for another type of work."""
    return tuple(
        each.id
        for each in components()
        if each.id in licences and is_open(licences[each.id]) and not fits(licences[each.id], each.type)
    )
