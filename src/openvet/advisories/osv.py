"""OSV records: the one form in which advisories are taken, ours included.

A record comes from others and is read as such: what has the wrong type is refused with its place, texts are cut, lists end. What a
record says of an ecosystem whose versions nobody here can order is kept, and its answer is that nothing is known.

What models need and OSV has no field for stands in ``database_specific.openvet``: of a record ``features`` (ids of rules), ``formats``
and ``evidence``; of an affected range ``loader``, the name of a program that is in no index.

Source: https://ossf.github.io/osv-schema/ (1.6, 1.7), "Evaluation" for the meaning of events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from openvet.advisories import pep440, semver
from openvet.advisories.interval import Interval, Key
from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import MalformedError

__all__ = ["Affected", "Record", "Trigger", "order_of", "package_name", "read_record"]

_MOST: Final = 2_000
_MOST_VERSIONS: Final = 20_000
_TEXT: Final = 300
_SCHEMES: Final[Mapping[str, Callable[[str], Key | None]]] = {"PyPI": pep440.key}
#: Ecosystems whose versions are Semantic Versions, or dotted numbers.
_DOTTED: Final = frozenset({"Go", "npm", "crates.io", "Hex", "Pub", "SwiftURL", "NuGet", "Julia", ""})


@dataclass(frozen=True, slots=True)
class Trigger:
    """What in a model's files reaches a problem.

    Attributes:
        rules: ids of rules that find something there.
        formats: ids of formats of the file, or of a member of it; with ``rules``, both are needed.
        evidence: where that is said.
    """

    rules: tuple[str, ...]
    formats: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Affected:
    """Versions of one package, or of one program that is in no index, that have a problem.

    Attributes:
        ecosystem: as OSV names it; '' for a program.
        name: as its index spells it after normalisation.
        intervals: the versions, in order of the ecosystem.
        versions: single ones.
        fixed: the first versions without the problem, as they are written.
        last: the last versions with it, where that is what is published.
        ordered: false where some versions could not be put in order: whatever is in no interval is not known to be well.
    """

    ecosystem: str
    name: str
    intervals: tuple[Interval, ...]
    versions: frozenset[str]
    fixed: tuple[str, ...]
    last: tuple[str, ...] = ()
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """One advisory."""

    id: str
    aliases: tuple[str, ...]
    summary: str
    severity: str
    published: str
    withdrawn: str
    affected: tuple[Affected, ...]
    references: tuple[str, ...]
    trigger: Trigger | None = None

    @property
    def names(self) -> frozenset[str]:
        """Every id under which it is known."""
        return frozenset((self.id, *self.aliases))


def package_name(ecosystem: str, name: str) -> str:
    """``name`` as its index spells it: PEP 503 for PyPI."""
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "PyPI" else name


def order_of(ecosystem: str, kind: str = "ECOSYSTEM") -> Callable[[str], Key | None] | None:
    """What orders the versions of an ecosystem; ``None`` where nobody here can."""
    if ecosystem in _SCHEMES:
        return _SCHEMES[ecosystem]
    return semver.key if kind == "SEMVER" or ecosystem in _DOTTED else None


def read_record(value: Any, what: str = "the record") -> Record:
    """An OSV record.

    Raises:
        MalformedError: it is none.
    """
    found = _object(value, what)
    name = _text(found, "id", what)
    if not name:
        raise MalformedError(f"{what} has no id")
    specific = found.get("database_specific")
    own = specific.get("openvet") if isinstance(specific, dict) else None
    return Record(
        id=name,
        aliases=tuple(dict.fromkeys(printable(each)[:_TEXT] for each in _list(found, "aliases", what) if isinstance(each, str)))[:50],
        summary=_text(found, "summary", what) or _text(found, "details", what).split("\n", 1)[0],
        severity=_severity(specific),
        published=_text(found, "published", what)[:10],
        withdrawn=_text(found, "withdrawn", what)[:10],
        affected=tuple(_affected(found, what)),
        references=tuple(
            printable(each["url"])[:_TEXT]
            for each in _list(found, "references", what)[:5]
            if isinstance(each, dict) and isinstance(each.get("url"), str)
        ),
        trigger=_trigger(own, what) if own is not None else None,
    )  # fmt: skip


def _trigger(own: Any, what: str) -> Trigger:
    found = _object(own, f"{what}: database_specific.openvet")
    rules, formats = (_texts(found, key, what) for key in ("features", "formats"))
    return Trigger(rules, formats, _text(found, "evidence", what))


def _texts(found: Mapping[str, Any], key: str, what: str) -> tuple[str, ...]:
    texts = _list(found, key, what)
    if not all(isinstance(each, str) for each in texts):
        raise MalformedError(f"{what}: {key} has something else than texts")
    return tuple(printable(each)[:_TEXT] for each in texts)


def _severity(specific: Any) -> str:
    """In the words of GitHub's database, in lower case; '' where only a vector is given."""
    word = specific.get("severity") if isinstance(specific, dict) else None
    if not isinstance(word, str) or not word.isalpha():
        return ""
    return {"MODERATE": "medium"}.get(word.upper(), word.lower())[:20]


def _affected(found: Mapping[str, Any], what: str) -> Iterator[Affected]:
    for each in _list(found, "affected", what):
        one = _object(each, f"{what}: affected")
        package = _object(one.get("package") or {}, f"{what}: package")
        specific = one.get("database_specific")
        mine = specific.get("openvet") if isinstance(specific, dict) else None
        loader = mine.get("loader") if isinstance(mine, dict) else None
        ecosystem = _text(package, "ecosystem", what).split(":", 1)[0]
        name = package_name(ecosystem, _text(package, "name", what))
        name = name or (printable(loader[:_TEXT]) if isinstance(loader, str) else "")
        if not name:
            continue  # a range of commits alone: nobody states a loader's commit
        intervals: list[Interval] = []
        fixed: list[str] = []
        last: list[str] = []
        ordered = True
        for raw in _list(one, "ranges", what):
            span = _object(raw, f"{what}: ranges")
            kind = _text(span, "type", what)
            if kind == "GIT":
                continue
            order = order_of(ecosystem, kind)
            events = [_object(event, f"{what}: events") for event in _list(span, "events", what)]
            for key, texts in (("fixed", fixed), ("last_affected", last)):
                texts.extend(printable(event[key])[:100] for event in events if isinstance(event.get(key), str))
            made = None if order is None else _intervals(events, order)
            ordered = ordered and made is not None
            intervals.extend(made or ())
        versions = _list(one, "versions", what, _MOST_VERSIONS)
        listed = frozenset(each for each in versions if isinstance(each, str) and len(each) <= 200)
        yield Affected(
            ecosystem, name, tuple(intervals), listed, tuple(dict.fromkeys(fixed)), tuple(dict.fromkeys(last)), ordered
        )


def _intervals(events: list[dict[str, Any]], order: Callable[[str], Key | None]) -> list[Interval] | None:
    """The stretches between events; ``None`` where one of them is no version."""
    steps: list[tuple[int, Key, int]] = []
    limits: list[Key] = []
    for event in events:
        for rank, name in enumerate(("fixed", "last_affected", "introduced", "limit")):
            if name not in event:
                continue
            text = event[name]
            if name == "introduced" and text == "0":
                steps.append((0, (), rank))  # before every version
                continue
            if name == "limit" and text == "*":
                continue
            at = order(text) if isinstance(text, str) else None
            if at is None:
                return None
            if name == "limit":
                limits.append(at)
            else:
                steps.append((1, at, rank))
    out: list[Interval] = []
    start: tuple[Key | None] | None = None
    for begin, at, rank in sorted(steps):
        if rank == 2:
            start = start or ((at if begin else None),)
        elif start is not None:
            out.append(Interval(start[0], at, closed=rank == 1))
            start = None
    if start is not None:
        out.append(Interval(start[0], None))
    if limits:  # a version counts where it lies before any of the limits
        from openvet.advisories.interval import intersect

        out = list(intersect(tuple(out), (Interval(None, max(limits)),)))
    return [each for each in out if not each.empty]


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is no object")
    return value


def _list(found: Mapping[str, Any], key: str, what: str, most: int = _MOST) -> list[Any]:
    value = found.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedError(f"{what}: {key} is no list")
    if len(value) > most:
        raise MalformedError(f"{what}: {key} has {len(value)} entries, more than {most}")
    return value


def _text(found: Mapping[str, Any], key: str, what: str) -> str:
    value = found.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError(f"{what}: {key} is no text")
    return printable(value[: 4 * _TEXT])[:_TEXT]
