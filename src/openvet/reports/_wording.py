"""What reports about models share: findings in groups, words for what was not read; and safe text, from ``_text``."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.core.coverage import Coverage, Unknown
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.evidence.predicates.scan_v1 import Scan
from openvet.policy.decision import Acceptance, Decision, Reason, Verdict
from openvet.reports._text import (
    DEEPEST,
    LONGEST,
    bytes_for_people,
    clean,
    columns,
    count_for_people,
    cut,
    plural,
    short,
    visible,
)

__all__ = [
    "DEEPEST",
    "UNREAD",
    "Group",
    "Unread",
    "accepted_text",
    "bytes_for_people",
    "clean",
    "columns",
    "count_for_people",
    "cut",
    "group_findings",
    "group_unknowns",
    "headline",
    "lookup_unread",
    "plural",
    "reason_text",
    "reasons_by_weight",
    "short",
    "visible",
]


@dataclass(frozen=True, slots=True)
class Unread:
    """What a word for something that was not read means, and what to do about it."""

    meaning: str
    remedy: str


#: The reasons of :class:`openvet.core.coverage.Unknown`, and those that the built-in policy adds.
UNREAD: Mapping[str, Unread] = {
    "no-reader": Unread(
        "no reader for this kind of file",
        "`openvet formats` lists what is read. Leave the file out of the model, or have a person look at it.",
    ),
    "limit": Unread(
        "a limit was reached",
        "Raise the limit that the message names with --limit NAME=VALUE, if you trust the size of this model.",
    ),
    "timeout": Unread(
        "the time for it was spent",
        "Raise the limit that the message names with --limit NAME=VALUE, or check the file on a faster or less busy machine.",
    ),
    "malformed": Unread(
        "the bytes break the rules of their format", "Get the file again from its source; compare its digest."
    ),
    "unsupported": Unread(
        "a part of the format that the reader does not know",
        "Convert the file to a plain form of its format, or have a person look at it.",
    ),
    "encrypted": Unread("encrypted", "Decrypt it first: what cannot be read cannot be vetted."),
    "changed": Unread("it changed while it was read", "Let the writing end, then check again."),
    "denied": Unread("the system refuses to open it", "Make it readable for this user, then check again."),
    "excluded": Unread(
        "excluded by the command's own options", "Leave out --exclude, --rule or --limit to have everything looked at."
    ),
    "link": Unread("a link that leads out of the model, or nowhere", "Put the file itself in the place of the link."),
    "special": Unread("no regular file", "Remove it: a model consists of files."),
    "vanished": Unread("it was listed, then it was gone", "Let the copying end, then check again."),
    "unverified": Unread(
        "its digest is the server's word: only parts of it were fetched",
        "Add --download to fetch every byte and to verify the digest; or check the copy that you load.",
    ),
    "unreachable": Unread("the server gave no usable answer", "Check the network, then check again."),
    "absent": Unread("the model refers to it, but it is not there", "Get the missing file, then check again."),
    "error": Unread("a reader of OpenVet failed", "Please report this: it is a fault of OpenVet or of a plug-in."),
    "empty": Unread("there is no file", "Check the path."),
    "coverage": Unread("not read to its end", "Have a person look at it."),
    "time": Unread(
        "a guard in seconds cut the reading short", "Raise it with --limit seconds=VALUE, then check again."
    ),
    "rule": Unread("a rule could not be run", "Please report this: it is a fault of OpenVet or of a plug-in."),
}


def lookup_unread(reason: str) -> Unread:
    """The words for ``reason``; a plug-in may use one of its own."""
    return UNREAD.get(reason) or Unread(visible(reason), "Have a person look at it.")


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one rule at one severity, worst first; ``acceptance`` where the team accepts them."""

    findings: tuple[Finding, ...]
    acceptance: Acceptance | None = None

    @property
    def first(self) -> Finding:
        return self.findings[0]


def group_findings(scan: Scan, decision: Decision) -> list[Group]:
    """Findings by severity and rule, worst first; those that an acceptance holds for stand apart, behind the others."""
    groups: dict[tuple[int, str, str], list[Finding]] = {}
    acceptances: dict[str, Acceptance] = {}
    for finding in sorted(scan.all_findings(), key=Finding.sort_key):
        acceptance = decision.acceptance_of(finding) if decision.accepted else None
        digest = "" if acceptance is None else acceptance.digest
        if acceptance is not None:
            acceptances[f"{finding.rule} {digest}"] = acceptance
        groups.setdefault((-finding.severity, finding.rule, digest), []).append(finding)
    return [Group(tuple(groups[key]), acceptances.get(f"{key[1]} {key[2]}")) for key in sorted(groups)]


def accepted_text(acceptance: Acceptance) -> str:
    """Who accepts it, until when and why."""
    return f"accepted by {visible(acceptance.owner)} until {acceptance.expires}: {short(acceptance.reason)}"


def group_unknowns(scan: Scan) -> list[tuple[str, list[Unknown]]]:
    """What was not read by its reason, the most frequent first; a file that does not say why is there as ``coverage``."""
    groups: dict[str, list[Unknown]] = {}
    for unknown in scan.all_unknowns():
        groups.setdefault(unknown.reason, []).append(unknown)
    for file in scan.files:
        if file.coverage in {Coverage.PARTIAL, Coverage.UNREAD} and not file.unknowns:
            groups.setdefault("coverage", []).append(
                Unknown("coverage", "was not read to its end", Location(file.path))
            )
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


def reason_text(reason: Reason) -> str:
    """One reason of a decision as a sentence."""
    kind, _, word = reason.code.partition(":")
    message = short(reason.message)
    if kind != "unknown":
        return message if reason.count == 1 else f"{message} (and {reason.count - 1:,} more like it)"
    if word in {"empty", "time", "rule"}:
        return message
    where = "" if reason.location is None or not reason.location.place else f"{visible(str(reason.location))} "
    if reason.count == 1:
        return f"not read: {where}{'' if not where else '('}{message}{'' if not where else ')'}"
    return f"{reason.count:,} places not read: {lookup_unread(word).meaning}"


def reasons_by_weight(decision: Decision, scan: Scan) -> list[Reason]:
    """The reasons for the decision, the one to tell first at the top: what was found by severity, then what was not read."""
    worst: dict[str, int] = {}
    for finding in scan.all_findings():
        code = f"rule:{finding.rule}"
        worst[code] = max(worst.get(code, 0), finding.severity)
    rank = {Verdict.REJECT: 0, Verdict.REVIEW: 1, Verdict.ADMIT: 2}
    return sorted(
        decision.reasons,
        key=lambda each: (
            rank[each.verdict],
            each.code.startswith("unknown:"),
            -worst.get(each.code, 0),
            -each.count,
            each.code,
        ),
    )


def headline(decision: Decision, scan: Scan) -> str:
    """The first line's answer to the question why."""
    if decision.reasons and decision.verdict is not Verdict.ADMIT:
        return cut(reason_text(reasons_by_weight(decision, scan)[0]), LONGEST)
    count = plural(len(scan.files), "file")
    if decision.accepted:
        taken = sum(len(each.findings) for each in decision.accepted)
        return f"{count} read to the last byte, {plural(taken, 'finding')} accepted by the team"
    if next(scan.all_findings(), None) is None:
        return f"{count} read to the last byte, nothing found"
    return f"{count} read to the last byte, nothing found beyond notes"
