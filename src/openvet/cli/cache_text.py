"""What is said of caches, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openvet.cli.hub_text import moment, table
from openvet.reports._text import bytes_for_people, plural, visible
from openvet.reports.look import Look

if TYPE_CHECKING:
    from openvet.origins.hub_cache import Unread
    from openvet.workflows.caches import CachesReport, Problem
    from openvet.workflows.caches_evict import Evicted, Target
    from openvet.workflows.caches_verify import Checked, CheckedRevision

__all__ = ["checked_page", "evicted_page", "report_page", "targets_page"]

_LISTED = 10
#: How a word of a gate is said; what it says of what it does not admit, too.
_WORDS = {"admitted": "admitted", "refused": "refused", "revoked": "revoked", "open": "never vetted", "unknown": "unknown", "not-revoked": "not revoked"}  # fmt: skip


def report_page(found: CachesReport, sent: Mapping[str, Any] | None, look: Look) -> str:
    """What lies in caches."""
    out = []
    for cache in found.caches:
        revisions = sum(len(each.revisions) for each in cache.repositories)
        size = bytes_for_people(sum(each.bytes for each in cache.repositories))
        out.append(look.paint(cache.path, "bold") + f": {plural(revisions, 'revision')}, {size}\n")
        rows = [
            {
                "model": _named(repository.kind, repository.name, each.commit), "files": f"{each.files:,}", "size": bytes_for_people(each.bytes),
                "last used": moment(each.last_used), "refs": " ".join(each.refs),
            }
            for repository in cache.repositories
            for each in repository.revisions
        ]  # fmt: skip
        out.append(table(rows, look))
        for repository in cache.repositories:
            for each in repository.revisions:
                named = _named(repository.kind, repository.name, each.commit)
                out += _problems(f"{named}: {{}} no client made so", each.problems, each.problem_count)
        out += _unread(cache.unread, cache.beside)
    if sent is not None:
        out.append(f"the gate at {sent['server']} knows {plural(sent['revisions'], 'revision')} on {sent['machine']}\n")
    return _finish(out, look)


def checked_page(found: Checked, look: Look) -> str:
    """What was found of what lies in caches, the worst first."""
    out = []
    rows = []
    details: list[str] = []
    for cache in found.caches:
        for repository in cache.repositories:
            for each in repository.revisions:
                named = _named(repository.kind, repository.name, each.commit)
                rows.append((each.comes_to, {"gate": _gate(each), "files": _files(each, hashed=found.hashed), "model": named, "why": _why(each)}))  # fmt: skip
                details += _problems(f"{named}: {{}} not what it is called", each.corrupt, each.corrupt_count)
                details += _problems(f"{named}: {{}} no client made so", each.problems, each.problem_count)
                if each.unchecked:
                    details.append(f"{named}: {plural(each.unchecked, 'file')} that no name says the digest of\n")
            used = any(each.corrupt_count for each in repository.revisions)
            if repository.corrupt and not used:
                name = ("datasets/" if repository.kind == "dataset" else "") + repository.name
                details += _problems(f"{name}: {{}} not what it is called, in no snapshot", repository.corrupt, len(repository.corrupt))  # fmt: skip
        details += [f"{cache.path}:\n", *_unread(cache.unread, cache.beside)] if cache.unread or cache.beside else []
    order = {1: 0, 3: 1, 0: 2}
    rows.sort(key=lambda each: order[each[0]])
    out.append(table([row for _, row in rows], look) or "there is no model in these caches\n")
    out += details
    out += _asked_list(found)
    if any(each.standing is not None and each.standing.standing == "revoked" for each in _revisions(found)):
        more = "" if found.listed is None else " --revocations FILE --key FILE"
        out.append(f"next: openvet cache evict{more} removes what is revoked\n")
    elif any(each.corrupt_count for each in _revisions(found)):
        out.append("next: openvet cache evict MODEL@COMMIT removes what is corrupt; pull it again\n")
    return _finish(out, look)


def _asked_list(found: Checked) -> list[str]:
    """Of which list was asked what, and what it cannot say."""
    listed = found.listed
    if listed is None:
        return []
    said = listed.said
    lines = [
        f"asked: list {said.number:,} of {listed.gate} for {said.project}, made {said.at}, to be relied on until {said.until}: {plural(len(said.revoked), 'commit')} revoked",
        f"not asked: whether what is not revoked was ever approved, what was revoked after {said.at}, and for other projects",
    ]
    if not listed.kept:
        lines.append("an older list cannot be told from the newest one: none was kept (--seen FILE)")
    return [f"{visible(each)}\n" for each in lines]


def targets_page(targets: Sequence[Target], look: Look) -> str:
    """What is to go."""
    rows = [
        {"model": _named(each.kind, each.name, each.commit), "size": bytes_for_people(each.bytes), "cache": each.cache, "why": each.why}
        for each in targets
    ]  # fmt: skip
    return _finish([table(rows, look)], look)


def evicted_page(targets: Sequence[Target], done: Sequence[Evicted], dry_run: bool, look: Look) -> str:
    """What came of it."""
    if not targets:
        return _finish(["there is nothing to remove\n"], look)
    if dry_run:
        return targets_page(targets, look) + "nothing was removed: that was a dry run\n"
    out = []
    for each in done:
        named = _named(each.target.kind, each.target.name, each.target.commit)
        kept = f"; {plural(each.kept, 'blob')} kept for other revisions" if each.kept else ""
        what = "removed" if each.gone else "still there"
        out.append(f"{named}: {what}, {bytes_for_people(each.freed)} freed{kept}\n")
        if each.problem:
            out.append(f"  {each.problem}\n")
    return _finish(out, look)


# --- inside ---


def _finish(lines: Iterable[str], look: Look) -> str:
    return look.finish("".join(lines))


def _named(kind: str, name: str, commit: str) -> str:
    return visible(f"{'datasets/' if kind == 'dataset' else ''}{name}@{commit[:8]}")


def _revisions(found: Checked) -> Iterable[CheckedRevision]:
    return (each for cache in found.caches for repository in cache.repositories for each in repository.revisions)


def _gate(each: CheckedRevision) -> str:
    if each.standing is None:
        return "not asked"
    return _WORDS[each.standing.standing]


def _files(each: CheckedRevision, *, hashed: bool) -> str:
    if each.corrupt_count:
        return f"{each.corrupt_count:,} CORRUPT"
    if each.problem_count or each.unchecked:
        return f"{each.problem_count + each.unchecked:,} not checked"
    return f"{each.files:,} fine" if hashed else f"{each.files:,}"


def _why(each: CheckedRevision) -> str:
    said = each.standing
    if said is None or said.standing in {"admitted", "not-revoked"}:
        return ""
    if said.standing == "unknown":
        return "never came through this gate"
    if said.standing == "open":
        return "nothing is decided of it"
    return f"{said.by} on {moment(said.at)}: {said.reason}"


def _problems(head: str, problems: Sequence[Problem], count: int) -> list[str]:
    """Lines of files that are not as they should be; ``head`` has a place for how many."""
    if not count:
        return []
    verb = "is" if "what it is" in head else "that"
    lines = [visible(head.replace("{}", f"{plural(count, 'file')} {verb}")) + "\n"]
    lines += [visible(f"  {each.path}: {each.why}") + "\n" for each in problems[:_LISTED]]
    if count > _LISTED:
        lines.append(f"  and {count - _LISTED:,} more (--format json lists them)\n")
    return lines


def _unread(unread: Sequence[Unread], beside: Sequence[Unread]) -> list[str]:
    lines = [visible(f"  not read: {each.place}: {each.why}") + "\n" for each in unread[:_LISTED]]
    if len(unread) > _LISTED:
        lines.append(f"  and {len(unread) - _LISTED:,} more that were not read (--format json lists them)\n")
    return lines + [visible(f"  beside it: {each.place} {each.why}") + "\n" for each in beside]
