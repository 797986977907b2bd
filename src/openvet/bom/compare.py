"""Two bills side by side: what is only in one, what has another name, and what differs in what both have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openvet.bom.foreign import Entry, Foreign
from openvet.core.dataclass import dataclass

__all__ = ["Change", "Difference", "compare"]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: of which component, what (``name version hash license property``), the detail, before and after."""

    key: str
    what: str
    detail: str
    before: str
    after: str

    def to_json(self) -> dict[str, str]:
        return {
            "component": self.key,
            "what": self.what,
            "detail": self.detail,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What is only in the first, only in the second, and what differs; ``same`` counts the components that are equal in all of it.

    ``not_compared`` says what one of the two forms does not have, so that its absence is no change.
    """

    removed: tuple[Entry, ...]
    added: tuple[Entry, ...]
    changes: tuple[Change, ...]
    same: int
    not_compared: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        return bool(self.removed or self.added or self.changes)

    def to_json(self) -> dict[str, Any]:
        return {
            "removed": [_shown(each) for each in self.removed],
            "added": [_shown(each) for each in self.added],
            "changes": [each.to_json() for each in self.changes],
            "same": self.same,
            "notCompared": list(self.not_compared),
        }


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        "component": entry.key,
        "kind": entry.kind,
        "version": entry.version,
        "purl": entry.purl,
        "hashes": dict(entry.hashes),
    }


def compare(one: Foreign, other: Foreign) -> Difference:
    """What changed from ``one`` to ``other``. Between two different forms, kinds and properties have different words and are not compared."""
    alike = one.form == other.form
    first, second = {each.key: each for each in one.entries}, {each.key: each for each in other.entries}
    removed = {key: each for key, each in first.items() if key not in second}
    added = {key: each for key, each in second.items() if key not in first}
    changes: list[Change] = []
    moved = _by_digest(added)
    for key, each in list(removed.items()):
        found = next((moved[digest] for digest in each.hashes.items() if moved.get(digest) in added), None)
        if found is not None:
            changes.append(Change(key, "name", "", key, found))
            changes.extend(_changes(each, added.pop(found), alike=alike))
            del removed[key]
    same = 0
    for key in sorted(first.keys() & second.keys()):
        differing = list(_changes(first[key], second[key], alike=alike))
        changes.extend(differing)
        same += not differing
    left = () if alike else ("properties", "kinds")
    return Difference(tuple(removed.values()), tuple(added.values()), tuple(changes), same, left)


def _by_digest(entries: Mapping[str, Entry]) -> dict[tuple[str, str], str]:
    """Digest -> the only entry that has it; where several have it, nobody knows which one was renamed."""
    out: dict[tuple[str, str], str] = {}
    twice = set()
    for key, each in entries.items():
        for digest in each.hashes.items():
            if digest in out:
                twice.add(digest)
            out[digest] = key
    return {digest: key for digest, key in out.items() if digest not in twice}


def _changes(one: Entry, other: Entry, *, alike: bool) -> Iterator[Change]:
    if one.version != other.version:
        yield Change(one.key, "version", "", one.version, other.version)
    # a digest that only one of them gives says nothing about the bytes
    for name in sorted(one.hashes.keys() & other.hashes.keys()):
        if one.hashes[name] != other.hashes[name]:
            yield Change(one.key, "hash", name, one.hashes[name], other.hashes[name])
    if one.licenses != other.licenses:
        yield Change(one.key, "license", "", ", ".join(one.licenses), ", ".join(other.licenses))
    if alike:
        for name in sorted({*one.properties, *other.properties}):
            before, after = one.properties.get(name, ()), other.properties.get(name, ())
            if before != after:
                yield Change(one.key, "property", name, ", ".join(before), ", ".join(after))
