"""The facts that advisories are matched with: per file its formats and the rules that found something, and the packages that are named.

They are taken from a scan and, where there is one, an inventory: of a check that was just made, or of statements that lie in a
dossier since last year. The subject itself is not needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from openvet.core.location import Location
from openvet.core.rule import Severity
from openvet.evidence.predicates.advisories_v1 import FileFeatures
from openvet.evidence.predicates.scan_v1 import Scan

__all__ = ["MOST_FILES", "files_of"]

#: Files in one statement; those in which a rule found something come first where there are more.
MOST_FILES: Final = 20_000


class _Item(Protocol):
    @property
    def place(self) -> str: ...
    @property
    def formats(self) -> tuple[str, ...]: ...


def files_of(scan: Scan, items: Iterable[_Item] = ()) -> tuple[FileFeatures, ...]:
    """One entry for each file of the scan. A note is no trigger: whatever it names was seen to be harmless.

    Args:
        items: files and members, whose formats count as their file's.
    """
    formats: dict[str, set[str]] = {}
    for item in items:
        formats.setdefault(item.place.split("!/", 1)[0], set()).update(item.formats)
    out = []
    for file in scan.files:
        rules = _rules((each.rule, each.location, each.severity) for each in file.findings)
        known = {*file.formats, *formats.get(file.path, ())}
        out.append(FileFeatures(file.path, dict(file.digest), tuple(sorted(known)), rules))
    whole = _rules((each.rule, each.location, each.severity) for each in scan.findings)
    if whole:
        out.insert(0, FileFeatures("", {}, (), whole))
    if len(out) > MOST_FILES:
        out = sorted(out, key=lambda each: not each.rules)[:MOST_FILES]
    return tuple(sorted(out, key=lambda each: each.place))


def _rules(found: Iterable[tuple[str, Location, Severity]]) -> Mapping[str, Location]:
    out: dict[str, Location] = {}
    for rule, where, severity in found:
        if severity > Severity.NOTE:
            out.setdefault(rule, where)
    return dict(sorted(out.items()))
