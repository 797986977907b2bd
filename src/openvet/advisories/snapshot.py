"""The advisories that are known: those that ship, and those that a user brings.

What ships are the records of ``data/advisories`` (made by ``tools/advisories.py``) and what ``loaders.toml`` there adds by hand: which
content of a model reaches which problem, and records of problems that those sources did not have yet. The table's triggers also go to
the records of a user, which know nothing of models.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final

from openvet.advisories.osv import Record, Trigger, read_record
from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.tables import data_folder, read_table
from openvet.core.text import printable
from openvet.errors import MalformedError, UsageError
from openvet.evidence.predicates.advisories_v1 import AdvisorySource, Snapshot

__all__ = ["STALE_AFTER", "Known", "about_bundled", "bundled", "from_path", "joined", "programs", "triggers"]

#: Days after which a snapshot is called stale: advisories about loaders of models come several a week.
STALE_AFTER: Final = 90
#: The texts of a record: names and ids among them have no escapes.
_TEXTS: Final = pattern(rb'"([^"]*)"')
_FILE: Final = 8 * 1024 * 1024
_TOTAL: Final = 4 * 1024 * 1024 * 1024
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """Advisories, and where they come from.

    Attributes:
        about: what a statement says of them.
        records: of those about the packages that were asked for, and all that content of a model can reach.
        refused: files of a user that are no records, and why; the first few.
    """

    about: Snapshot
    records: tuple[Record, ...]
    refused: tuple[str, ...] = ()


@cache
def _table() -> dict[str, Any]:
    return read_table("advisories/loaders")


@cache
def triggers() -> tuple[frozenset[str], frozenset[str]]:
    """Ids of rules and of formats that reach any problem: a subject with none of them need not be held against the records."""
    rules = {rule for each in _table()["advisory"] for rule in each.get("rules", ())}
    alone = {name for each in _table()["advisory"] if not each.get("rules") for name in each.get("formats", ())}
    return frozenset(rules), frozenset(alone)


@cache
def programs() -> Mapping[str, str]:
    """Programs in the table that are in no index: in lower case -> as it is written there."""
    names = {one["loader"] for each in _table()["advisory"] for one in each.get("affected", ()) if "loader" in one}
    return {name.lower(): name for name in names}


@cache
def _hand() -> Mapping[str, dict[str, Any]]:
    return {each["id"]: each for each in _table()["advisory"]}


@cache
def about_bundled() -> Snapshot:
    """What ships, by its own account; no record is read for it."""
    head = read_table("advisories/records")
    sources = [AdvisorySource(each["retrieved"], each["uri"], each["text"]) for each in head["source"]]
    table = _table()
    sources.append(AdvisorySource(table["date"], "", "OpenVet's own table of loaders"))
    own = sum(1 for each in table["advisory"] if "affected" in each)
    return Snapshot(sources[0].retrieved, STALE_AFTER, head["records"] + own, head["sha256"], tuple(sources))


def bundled(packages: Iterable[str] = ()) -> Known:
    """What ships, about ``packages`` (names of any ecosystem) and about content of models."""
    return _bundled(frozenset(packages))


@lru_cache(4)
def _bundled(wanted: frozenset[str]) -> Known:
    # most records are about a few packages that are not asked for: they are told by their bytes
    asked = {each.encode() for each in (*wanted, *_hand())}
    path = os.path.join(data_folder(), "advisories", "records.jsonl")
    with open(path, "rb", buffering=0) as file:
        records = [
            read_record(json.loads(line))
            for line in file.read().splitlines()
            if not asked.isdisjoint(_TEXTS.findall(line))
        ]
    return Known(about_bundled(), tuple(_completed(records, wanted)))


def from_path(path: str, retrieved: str, packages: Iterable[str] = ()) -> Known:
    """Records of a folder of JSON files, of one file (a record, a list, or one a line), or of a zip such as OSV publishes.

    Args:
        retrieved: the day to which they are known; '' takes the newest day that one of them was changed on.

    Raises:
        UsageError: nothing there is a record, or there is too much of it.
    """
    wanted = frozenset(packages)
    digest = hashlib.sha256()
    kept: list[Record] = []
    refused: list[str] = []
    newest, count, bad = "", 0, 0

    def found() -> Iterator[Record]:
        nonlocal newest, count, bad
        for name, data in _files(path):
            digest.update(hashlib.sha256(data).digest())
            for value in _values(name, data):
                try:
                    if isinstance(value, MalformedError):
                        raise value
                    record = read_record(value, name)
                except MalformedError as error:
                    bad += 1
                    if len(refused) < 20:
                        refused.append(str(error))
                    continue
                count += 1
                newest = max(newest, str(value.get("modified", ""))[:10])
                yield record

    kept.extend(_completed(found(), wanted, own=False))
    if not count:
        raise UsageError(f"{printable(path)}: no advisory is in it" + (f"; {refused[0]}" if refused else ""))
    if bad > len(refused):
        refused.append(f"and {bad - len(refused)} more")
    day = retrieved or newest
    about = Snapshot(
        day,
        STALE_AFTER,
        count,
        digest.hexdigest(),
        (AdvisorySource(day, "", f"{printable(os.path.basename(path.rstrip('/')))}"),),
    )
    return Known(about, tuple(kept), tuple(refused))


def joined(one: Known, other: Known) -> Known:
    """Both; of a problem that both know, the first one's record. The day is the first one's."""
    there = {name for each in one.records for name in each.names}
    records = (*one.records, *(each for each in other.records if each.id not in there))
    about = Snapshot(
        one.about.date,
        one.about.stale_after,
        one.about.records + other.about.records,
        hashlib.sha256(f"{one.about.sha256} {other.about.sha256}".encode()).hexdigest(),
        (*one.about.sources, *other.about.sources),
    )
    return Known(about, records, (*one.refused, *other.refused))


def _completed(records: Iterable[Record], wanted: frozenset[str], *, own: bool = True) -> Iterator[Record]:
    """Those that matter, each with what the table knows of it; and, with ``own``, those that only the table has."""
    hand = dict(_hand())
    for record in records:
        entry = next((hand[name] for name in (record.id, *record.aliases) if name in hand), None)
        if entry is not None:
            hand.pop(entry["id"], None) if own else None
        if not record.withdrawn and (
            entry is not None or record.trigger or any(each.name in wanted for each in record.affected)
        ):
            yield _with_trigger(record, entry)
    for entry in hand.values() if own else ():
        if "affected" in entry:
            yield _with_trigger(read_record(_as_osv(entry), entry["id"]), entry)


def _with_trigger(record: Record, entry: Mapping[str, Any] | None) -> Record:
    if entry is None or record.trigger is not None or not (entry.get("rules") or entry.get("formats")):
        return record
    trigger = Trigger(tuple(entry.get("rules", ())), tuple(entry.get("formats", ())), entry.get("evidence", ""))
    return Record(record.id, record.aliases, record.summary, record.severity, record.published, record.withdrawn, record.affected,
                  record.references, trigger)  # fmt: skip


def _as_osv(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of our table as the OSV record that its publisher will write one day."""
    affected = []
    for each in entry["affected"]:
        events = [{"introduced": each["introduced"]}, *([{"fixed": each["fixed"]}] if "fixed" in each else [])]
        one: dict[str, Any] = {
            "ranges": [{"type": "ECOSYSTEM" if each.get("ecosystem") == "PyPI" else "SEMVER", "events": events}]
        }
        if "name" in each:
            one["package"] = {"ecosystem": each["ecosystem"], "name": each["name"]}
        else:
            one["database_specific"] = {"openvet": {"loader": each["loader"]}}
        affected.append(one)
    return {
        "id": entry["id"],
        "summary": entry["summary"],
        "published": f"{entry['published']}T00:00:00Z",
        "modified": f"{entry['published']}T00:00:00Z",
        "affected": affected,
        "references": [{"type": "WEB", "url": each} for each in entry.get("references", ())],
        "database_specific": {"severity": entry["severity"]},
    }


def _values(name: str, data: bytes) -> Iterator[Any]:
    """The records of one file; an error in the place of what cannot be read."""
    try:
        lines = data.splitlines() if name.endswith((".jsonl", ".ndjson")) else [data]
        for line in lines:
            if line.strip():
                value = json.loads(line)
                yield from value if isinstance(value, list) else [value]
    except (ValueError, RecursionError) as error:
        yield MalformedError(f"{name}: no JSON: {printable(str(error))[:200]}")


def _files(path: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every JSON file, in order of their names.

    Raises:
        UsageError: it cannot be read, or is too much.
    """
    import zipfile  # with all that it imports, only for those who bring records of their own

    total = count = 0
    try:
        for name, data in _raw(path):
            total += len(data)
            count += 1
            if total > _TOTAL or count > _MOST:
                raise UsageError(f"{printable(path)}: more than {_MOST} files or {_TOTAL} bytes of advisories")
            yield printable(name), data
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UsageError(f"{printable(path)}: no zip that can be read: {printable(str(error))[:200]}") from error


def _raw(path: str) -> Iterator[tuple[str, bytes]]:
    if os.path.isdir(path):
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".json", ".jsonl", ".ndjson")):
                    full = os.path.join(folder, name)
                    if os.path.isfile(full) and not os.path.islink(full):
                        yield os.path.relpath(full, path), _bounded(open(full, "rb"), full)  # noqa: SIM115 - closed there
        return
    with open(path, "rb") as file:
        start = file.read(4)
    if start == b"PK\3\4":
        import zipfile

        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda each: each.filename):
                if info.filename.endswith((".json", ".jsonl", ".ndjson")):
                    yield info.filename, _bounded(archive.open(info), info.filename)
    else:
        most = 1024 * 1024 * 1024
        if os.path.getsize(path) > most:
            raise UsageError(f"{printable(path)}: more than {most} bytes")
        with open(path, "rb") as file:
            yield os.path.basename(path), file.read(most)


def _bounded(file: Any, name: str) -> bytes:
    with file:
        data: bytes = file.read(_FILE + 1)
    if len(data) > _FILE:
        raise UsageError(f"{printable(name)}: more than {_FILE} bytes for one record")
    return data
