"""Advisories for a person: which loader falls for what, which versions do not, and how old the knowledge is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from openvet.advisories.match import safe_version
from openvet.evidence.predicates.advisories_v1 import STATUSES, AdvisoriesV1, AdvisoryHit, NamedPackage, VexStatement
from openvet.reports._text import plural, short, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import wrapped

__all__ = ["STATUS_WORDS", "age_in_days", "by_package", "do_about", "in_short", "is_stale", "subject"]

_SHOWN: Final = 6
STATUS_WORDS: Final = {
    "affected": "affected",
    "may-be-affected": "may be affected",
    "unknown": "version not known",
    "not-affected": "not affected",
}
_COLOURS: Final = {"affected": "red", "may-be-affected": "yellow", "unknown": "yellow", "not-affected": "green"}


def age_in_days(found: AdvisoriesV1, today: date) -> int | None:
    """How old the advisories are; ``None`` where their day is no date."""
    try:
        return (today - date.fromisoformat(found.snapshot.date)).days
    except ValueError:
        return None


def is_stale(found: AdvisoriesV1, today: date) -> bool:
    """Whether somebody should get newer advisories; also where nobody knows how old these are."""
    age = age_in_days(found, today)
    return age is None or age > found.snapshot.stale_after


def do_about(hits: Sequence[AdvisoryHit]) -> str:
    """What to do about problems of one package."""
    if not hits:
        return ""
    name = visible(hits[0].name)
    safe = safe_version(hits[0].ecosystem, hits)
    if safe is not None:
        version, repaired = safe
        return f"use {name} {visible(version)} or later" if repaired else f"use a later {name} than {visible(version)}"
    open_ended = [each.published for each in hits if not each.fixed and not each.last]
    if not open_ended:
        return f"use a version of {name} that is not affected"
    return f"no version of {name} is known that repairs {_listed(open_ended)}"


def in_short(found: AdvisoriesV1) -> str:
    """One line for the report of a check; '' where there is nothing to say."""
    parts = []
    reached = by_package(each for each in found.hits if each.reasons and each.status != "not-affected")
    if reached:
        parts.append(
            f"content reaches published problems of {_listed([visible(hits[0].name) for hits in reached.values()])}"
        )
    named = by_package(each for each in found.hits if not each.reasons and each.status == "affected")
    if named:
        count = sum(map(len, named.values()))
        names = _listed([visible(hits[0].name) for hits in named.values()])
        parts.append(f"{plural(count, 'published problem')} of versions that it names: {names}")
    if not parts:
        return ""
    return f"{'; '.join(parts)} (known up to {visible(found.snapshot.date)}; openvet advisories)"


def subject(
    name: str, found: AdvisoriesV1, today: date, look: Look = PLAIN, notes: Sequence[str] = (), *, every: bool = False
) -> str:
    """Everything about one subject; with ``every``, also each problem of packages that are only named."""
    return look.finish("".join(f"{line}\n" for line in _lines(name, found, today, look, notes, every)))


def _lines(name: str, found: AdvisoriesV1, today: date, look: Look, notes: Sequence[str], every: bool) -> Iterator[str]:
    yield look.paint(visible(name), "bold")
    reached = [each for each in found.hits if each.reasons]
    for hit in reached:
        yield from _reached(hit, found, look)
    for hits in by_package(each for each in found.hits if not each.reasons).values():
        yield from _named(hits, found, look, every)
    if not found.hits:
        yield from _said("nothing that is known is reached by its content or by what it names", look)
    if found.left_off:
        yield from _said(
            f"{plural(found.left_off, 'more problem')} of packages that may be affected are not listed", look
        )
    for each in notes:
        yield from _said(f"note: {short(each)}", look)
    yield from _said(_snapshot(found, today), look)


def _said(text: str, look: Look, indent: int = 2) -> Iterator[str]:
    yield from wrapped(text, look.width, indent=indent + 2, first=" " * indent)


def _reached(hit: AdvisoryHit, found: AdvisoriesV1, look: Look) -> Iterator[str]:
    head = f"{hit.published} of {visible(hit.name)}"
    severity = f" ({visible(hit.severity)})" if hit.severity else ""
    yield f"  {look.paint(visible(head), 'bold')}{severity}: {look.paint(STATUS_WORDS[hit.status], _COLOURS[hit.status])}"
    if hit.summary:
        yield from _said(short(hit.summary), look, 4)
    places = _listed([f"{feature} at {where}" if feature else str(where) for feature, where in hit.reasons])
    yield from _said(f"why: {visible(places)}" + (f" — {visible(hit.evidence)}" if hit.evidence else ""), look, 4)
    for each in found.named_by([hit])[:_SHOWN]:
        yield from _said(f"named: {_package(each)}", look, 4)
    yield from _said(f"do: {do_about([hit])}, and still look at what the rules say of that content", look, 4)
    yield from _vex(hit.vex, look)


def _named(hits: Sequence[AdvisoryHit], found: AdvisoriesV1, look: Look, every: bool) -> Iterator[str]:
    name = visible(hits[0].name)
    counts = {status: [each for each in hits if each.status == status] for status in STATUSES}
    told = ", ".join(
        look.paint(f"{len(of)} {STATUS_WORDS[status]}", _COLOURS[status]) for status, of in counts.items() if of
    )
    yield f"  {look.paint(name, 'bold')}: {told}"
    for each in found.named_by(hits)[:_SHOWN]:
        yield from _said(f"named: {_package(each)}", look, 4)
    worst = counts["affected"] or list(hits)
    shown = hits if every else worst
    ids = [f"{each.published}{f' ({visible(each.severity)})' if each.severity else ''}" for each in shown]
    yield from _said(", ".join(map(visible, ids)) if every else _listed(ids), look, 4)
    yield from _said(f"do: {do_about(hits)}", look, 4)
    for hit in hits:
        yield from _vex(hit.vex, look, hit.published)


def _package(named: NamedPackage) -> str:
    where = str(named.location) if named.location.place else "as you said"
    version = visible(named.specifier) if named.specifier else "in any version"
    return f"{visible(named.name)} {version} ({visible(where)})"


def _vex(said: Iterable[VexStatement], look: Look, about: str = "") -> Iterator[str]:
    for each in said:
        who = f"{visible(each.author)} in {visible(each.source)}" if each.author else visible(each.source)
        reason = f" ({visible(each.justification)})" if each.justification else ""
        text = f"; {short(each.text)}" if each.text else ""
        of = f"of {visible(about)} " if about else ""
        yield from _said(f"said {of}by {who}: {visible(each.status)}{reason}{text}", look, 4)


def by_package(hits: Iterable[AdvisoryHit]) -> Mapping[tuple[str, str], list[AdvisoryHit]]:
    """Problems by the package that has them, in their order."""
    out: dict[tuple[str, str], list[AdvisoryHit]] = {}
    for each in hits:
        out.setdefault((each.ecosystem, each.name), []).append(each)
    return out


def _listed(texts: Sequence[str]) -> str:
    unique = list(dict.fromkeys(texts))
    shown = ", ".join(unique[:_SHOWN])
    return shown if len(unique) <= _SHOWN else f"{shown} and {len(unique) - _SHOWN} more"


def _snapshot(found: AdvisoriesV1, today: date) -> str:
    about = found.snapshot
    age = age_in_days(found, today)
    text = (
        f"{plural(about.records, 'advisory')} known up to {visible(about.date) or 'no day that anybody said'}".replace(
            "advisorys", "advisories"
        )
    )
    if is_stale(found, today):
        old = f"{age} days ago" if age is not None else "nobody knows when"
        text += f", {old}: stale; give newer ones with --advisories (osv.dev publishes all.zip for each ecosystem)"
    if found.as_of:
        text += f"; judged as of {found.as_of}"
    return text
