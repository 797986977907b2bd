"""How a revision stands by the decisions about it, and how that is said in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.store.decisions import DecisionRow

if TYPE_CHECKING:
    from openvet.gate.answers import Repository
    from openvet.reports.report import ModelReport

__all__ = [
    "ALL",
    "SMALL",
    "Stand",
    "Standing",
    "clock_time",
    "is_approved",
    "latest_by_policy",
    "line_of",
    "reason_of",
    "scope_of",
    "standing",
]

#: Scopes of vettings and decisions: every file; the small ones of a large revision. ``file:PATH`` is these and one large file.
ALL: Final = "all"
SMALL: Final = "small"
#: Characters of a reason: it travels in a header.
_LINE: Final = 400


class Stand(StrEnum):
    """What counts now."""

    OPEN = "open"
    ADMITTED = "admitted"
    REFUSED = "refused"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a revision stands, and the decision that says so; ``None`` where there is none."""

    stand: Stand
    decision: DecisionRow | None = None

    @property
    def by_people(self) -> bool:
        """Whether somebody decided, and not the policy."""
        return self.decision is not None and self.decision.kind != "policy"


def scope_of(path: str, size: int, total: int, whole: int, small: int) -> str:
    """Which part of a revision has to be vetted before a file of it is served."""
    if total <= whole:
        return ALL
    return SMALL if size <= small else f"file:{path}"


def standing(decisions: Sequence[DecisionRow], scope: str, now: int, project: str = "/") -> Standing:
    """What counts in ``project`` of ``decisions``, the latest first: what people decided last and has not ended, before what the policy says."""
    live = [each for each in decisions if (each.until is None or each.until > now) and _holds_in(each.project, project)]
    people = next((each for each in live if each.kind != "policy"), None)
    if people is not None:
        return Standing(Stand.REVOKED if people.kind == "revocation" else Stand.ADMITTED, people)
    found = next((each for each in live if each.scope in {ALL, scope}), None)
    if found is None:
        return Standing(Stand.OPEN)
    return Standing(Stand.ADMITTED if found.outcome == "admit" else Stand.REFUSED, found)


def latest_by_policy(decisions: Sequence[DecisionRow]) -> list[DecisionRow]:
    """What the policy said last of each part of a revision, of ``decisions``, the latest first: no more behind one that is about all of it."""
    found: dict[str, DecisionRow] = {}
    for each in decisions:
        if each.kind == "policy":
            found.setdefault(each.scope, each)
            if each.scope == ALL:
                break
    return list(found.values())


def is_approved(decisions: Sequence[DecisionRow], now: int) -> bool:
    """Whether people approved it, for whatever project, so that its bytes are wanted whatever the policy says."""
    projects = {each.project for each in decisions if each.kind == "approval"}
    found = (standing(decisions, ALL, now, each) for each in projects)
    return any(each.stand is Stand.ADMITTED and each.by_people for each in found)


def _holds_in(decided: str, project: str) -> bool:
    """Whether what was decided for a project holds in another: it is the same, or lies below."""
    return decided in {"/", project} or project.startswith(f"{decided}/")


def line_of(text: str, most: int = _LINE) -> str:
    """A text as one line of ASCII that can stand in a header."""
    flat = printable(" ".join(text.split()))
    return shorten(flat.encode("ascii", "backslashreplace").decode(), most).replace("…", "...")


def clock_time(now: int) -> str:
    """A time of day for people, such as ``14:05 UTC``."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%H:%M UTC")


def reason_of(repository: Repository, commit: str, report: ModelReport) -> str:
    """Why a report does not admit: what, where, by which rule, and what to do next; '' where it does."""
    what, then = next(_whys(report), ("", ""))
    if not what:
        return ""
    verb = "is refused" if str(report.verdict) == "reject" else "needs a review before it may be had"
    named = f"{repository}@{commit[:8]}"
    return line_of(f"{named} {verb}: {shorten(what, 220)}. {then}")


def _whys(report: ModelReport) -> Iterator[tuple[str, str]]:
    """What speaks against it, the worst first, each with what to do next."""
    built_in = [
        each
        for each in report.decision.reasons
        if each.verdict == report.decision.verdict and str(each.verdict) != "admit"
    ]
    for reason in built_in:
        if report.decision.verdict != report.verdict:
            break
        place = "" if reason.location is None or not reason.location.place else f" in {reason.location.place}"
        kind, _, name = reason.code.partition(":")
        rule = name if kind == "rule" else reason.code
        more = f" and {reason.count - 1} more" if reason.count > 1 else ""
        yield (
            f"{reason.message} ({rule}{place}{more})",
            f"Take another revision or ask for an exception; openvet explain {rule}",
        )
    for policy in report.policies:
        for each in policy.lines:
            if each.verdict == str(report.verdict) != "admit":
                yield f"{each.title}: {each.why} ({policy.pack.name} {each.id})", each.remedy or "Ask for an exception."
