"""Facts about a subject against advisories: what reaches what, and what the versions that are named have to do with it.

Two ways lead to a problem. A file's content reaches a *loader*: then every loader that has the problem is a hit, whatever version of
it anybody has, and the versions that are named say whether that one is affected. Or a *package* is named whose versions have the
problem, whatever the files are. Content that is dangerous in itself is a finding of the rules; here is only which program falls for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from openvet.advisories.interval import Interval, Key, covers, holds, meets
from openvet.advisories.osv import Affected, Record, order_of
from openvet.advisories.pep440 import allowed, exact
from openvet.core.location import Location
from openvet.evidence.predicates.advisories_v1 import STATUSES, AdvisoryHit, FileFeatures, NamedPackage

__all__ = ["MOST_HITS", "match", "safe_version", "status_of"]

#: Hits of packages that are only named, in one statement; the number of further ones is told.
MOST_HITS: Final = 500
_MOST_REASONS: Final = 20
_SEVERITIES: Final = {"critical": 0, "high": 1, "medium": 2, "low": 3}


#: Read once for all that is known of a package, which may be hundreds of problems.
_exact, _allowed = lru_cache(2_000)(exact), lru_cache(2_000)(allowed)


def match(
    records: Iterable[Record], files: Sequence[FileFeatures], packages: Sequence[NamedPackage], as_of: str = ""
) -> tuple[tuple[AdvisoryHit, ...], int]:
    """The hits, the worst first, and how many more there are.

    Args:
        as_of: leave out what was published after this day (``2026-11-28``); '' leaves out nothing.
    """
    named: dict[tuple[str, str], list[int]] = {}
    for number, each in enumerate(packages):
        named.setdefault((each.ecosystem, each.name), []).append(number)
    hits: list[AdvisoryHit] = []
    for record in records:
        if record.withdrawn or (as_of and record.published > as_of):
            continue
        reasons = tuple(_reasons(record, files))
        for ecosystem, name in dict.fromkeys((each.ecosystem, each.name) for each in record.affected):
            of = [each for each in record.affected if (each.ecosystem, each.name) == (ecosystem, name)]
            at = named.get((ecosystem, name), [])
            stated = [status_of(of, packages[number]) for number in at]
            status = min(stated, key=STATUSES.index, default="unknown")
            # a package in which nothing is wrong is only worth a line where a file asks for it
            if reasons or status in {"affected", "may-be-affected"} or (stated and status == "unknown"):
                counted = tuple(number for number, each in zip(at, stated, strict=True) if each == status)
                hits.append(_hit(record, of[0].ecosystem, name, status, of, reasons, counted))
    hits = sorted(_merged(hits), key=_order)
    listed = [each for each in hits if each.reasons or each.status == "affected"]
    rest = [each for each in hits if not each.reasons and each.status != "affected"]
    room = max(0, MOST_HITS - len(listed))
    return tuple(sorted((*listed, *rest[:room]), key=_order)), len(rest[room:])


def _merged(hits: Iterable[AdvisoryHit]) -> Iterator[AdvisoryHit]:
    """One hit for each problem of a package: GitHub and PyPA describe many twice, under ids that name each other.

    The first record's words stay; of what they say about versions the worst counts.
    """
    by_name: dict[tuple[str, str, str], int] = {}
    out: list[AdvisoryHit] = []
    for hit in hits:
        keys = [(hit.ecosystem, hit.name, each) for each in sorted(hit.names)]
        at = next((by_name[key] for key in keys if key in by_name), len(out))
        if at == len(out):
            out.append(hit)
        else:
            kept = out[at]
            worst = min((kept, hit), key=lambda each: STATUSES.index(each.status))
            out[at] = replace(
                kept,
                aliases=tuple(
                    dict.fromkeys((*kept.aliases, *(each for each in (hit.id, *hit.aliases) if each != kept.id)))
                )[:20],
                status=worst.status,
                named=worst.named,
                summary=kept.summary or hit.summary,
                severity=kept.severity or hit.severity,
                fixed=tuple(dict.fromkeys((*kept.fixed, *hit.fixed))),
                last=tuple(dict.fromkeys((*kept.last, *hit.last))) if not (kept.fixed or hit.fixed) else (),
                reasons=tuple(dict.fromkeys((*kept.reasons, *hit.reasons))),
                evidence=kept.evidence or hit.evidence,
            )
        for key in keys:
            by_name.setdefault(key, at)
    yield from out


def _order(hit: AdvisoryHit) -> tuple[int, int, int, str, str]:
    return (not hit.reasons, STATUSES.index(hit.status), _SEVERITIES.get(hit.severity, 4), hit.name, hit.id)


def _hit(record: Record, ecosystem: str, name: str, status: str, of: Sequence[Affected], reasons: tuple[tuple[str, Location], ...],
         named: tuple[int, ...]) -> AdvisoryHit:  # fmt: skip
    return AdvisoryHit(
        id=record.id,
        aliases=record.aliases[:10],
        ecosystem=ecosystem,
        name=name,
        status=status,
        summary=record.summary,
        severity=record.severity,
        fixed=tuple(dict.fromkeys(text for each in of for text in each.fixed))[:20],
        last=tuple(dict.fromkeys(text for each in of for text in each.last))[:20],
        reasons=reasons,
        evidence=record.trigger.evidence if record.trigger and reasons else "",
        named=named[:100],
        references=record.references[:3],
    )


def _reasons(record: Record, files: Sequence[FileFeatures]) -> Iterator[tuple[str, Location]]:
    """Where the subject reaches ``record``, a few places of it."""
    trigger = record.trigger
    if trigger is None:
        return
    count = 0
    for file in files:
        formats = [each for each in trigger.formats if each in file.formats]
        if trigger.formats and not formats:
            continue
        found = [(rule, file.rules[rule]) for rule in trigger.rules if rule in file.rules]
        if not trigger.rules:
            found = [(formats[0], Location(file.place))]
        for each in found:
            if count < _MOST_REASONS:
                yield each
            count += 1


def status_of(affected: Sequence[Affected], package: NamedPackage) -> str:
    """What one statement about a version has to do with a problem.

    ``affected`` also where a range allows nothing else. A version that nobody can put in order is affected where it is listed, and
    unknown otherwise.
    """
    pinned = _exact(package.specifier) if package.ecosystem == "PyPI" else package.specifier.removeprefix("==")
    if pinned:
        return _status_of_version(affected, package.ecosystem, pinned)
    wanted = _allowed(package.specifier) if package.ecosystem == "PyPI" else None
    if wanted is None:
        return "unknown"
    stretches = [each for one in affected for each in _stretches(one)]
    if wanted and covers(stretches, wanted):
        return "affected"
    if meets(stretches, wanted):
        return "may-be-affected"
    return "not-affected" if all(each.ordered for each in affected) else "unknown"


def _status_of_version(affected: Sequence[Affected], ecosystem: str, version: str) -> str:
    order = order_of(ecosystem)
    at = None if order is None else order(version)
    for each in affected:
        if version in each.versions or (at is not None and holds(_stretches(each), at)):
            return "affected"
    return "not-affected" if at is not None and all(each.ordered for each in affected) else "unknown"


def _stretches(affected: Affected) -> tuple[Interval, ...]:
    """Intervals, and the versions that are listed, as one."""
    order = order_of(affected.ecosystem)
    if order is None or not affected.versions:
        return affected.intervals
    keys = (order(each) for each in affected.versions)
    return (*affected.intervals, *(Interval(at, at, closed=True) for at in keys if at is not None))


def safe_version(ecosystem: str, hits: Iterable[AdvisoryHit]) -> tuple[str, bool] | None:
    """From which version on every one of these problems of one package is repaired, as far as known; ``None`` where one is not.

    Of each problem the highest version counts: a repair of an older line of releases says nothing about the newest.

    Returns:
        the version, and whether it is repaired itself, or only what comes after it.
    """
    order = order_of(ecosystem)
    best: tuple[Key, bool, str] | None = None
    for hit in hits:
        known = [(at, not repaired, text) for texts, repaired in ((hit.fixed, True), (hit.last, False)) for text in texts
                 if order is not None and (at := order(text)) is not None]  # fmt: skip
        if not known:
            return None
        best = max(known if best is None else [*known, best])
    return None if best is None else (best[2], not best[1])
