"""Reading a subject: snapshot x formats -> inventory.

Hashing runs in threads while this one parses; both use the same descriptor, and the file's identity is compared after
both are done (design law 12). A file that fits into one block is read once into memory and hashed and parsed there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from openvet.core.coverage import Coverage, Unknown
from openvet.core.limits import DEFAULT_LIMITS, Budget
from openvet.core.location import Location, member_place
from openvet.core.overtime import Overtime
from openvet.core.progress import Progress
from openvet.core.snapshot import Entry, EntryKind
from openvet.core.text import printable
from openvet.errors import (
    BombError,
    ChangedError,
    LimitError,
    MalformedError,
    ReadError,
    UnreachableError,
    UnsupportedError,
)
from openvet.formats._between import leaves_room, look_between
from openvet.formats._format import Anomaly, Facts, Head, Member
from openvet.formats._tensor_starts import look_at_names, look_at_start, look_at_starts
from openvet.inventory.ahead import AHEAD, Ahead, Opened
from openvet.inventory.claims import claims_through, settle_claims
from openvet.inventory.component import Component, Inventory
from openvet.inventory.documents import weight
from openvet.inventory.identify import identify
from openvet.inventory.texts import kept_text
from openvet.io.hashing import HashPool, StoppedError, digest_chunks
from openvet.io.ranges import SMALL, RangeSource
from openvet.io.source import BytesSource, Source
from openvet.origins.local import DeniedError, VanishedError

__all__ = ["take_inventory"]

_REASONS: tuple[tuple[type[ReadError], str], ...] = (
    (VanishedError, "vanished"),
    (DeniedError, "denied"),
    (ChangedError, "changed"),
    (UnreachableError, "unreachable"),
    (LimitError, "limit"),
    (UnsupportedError, "unsupported"),
    (MalformedError, "malformed"),
)

#: Limits on time, which say less about a file than about this machine.
_SECONDS = frozenset({"seconds", "subject_seconds"})

#: What readers say of an end that a limit of ours made.
_BY_THE_CUT = frozenset({"file/incomplete", "file/malformed"})

_NOT_READ = {
    EntryKind.ESCAPING_LINK: ("link", "file/link-escapes"),
    EntryKind.BROKEN_LINK: ("link", None),
    EntryKind.SPECIAL: ("special", "file/special"),
    EntryKind.DENIED: ("denied", None),
    EntryKind.EXCLUDED: ("excluded", None),
}


def take_inventory(
    ahead: Ahead,
    budget: Budget,
    pool: HashPool,
    progress: Progress,
    *,
    algorithms: tuple[str, ...] = ("sha256",),
    digest_members: bool = False,
    every_call: bool = False,
    meanwhile: Callable[[Collection[str]], object] = lambda _: None,
) -> Inventory:
    """Read every file once and say what it contains. Never raises for what a file holds.

    Args:
        ahead: the files, opened, with those hashing that are large.
        budget: what reading may cost.
        pool: hashes the large files; it is stopped when reading is interrupted.
        progress: counters to raise.
        algorithms: digests of the small files and of members, which are hashed here.
        digest_members: of every member, and not only of those that are programs.
        every_call: programs list every call that they make.
        meanwhile: called once with the ids of the formats that were found, when everything is parsed and threads may still be
            hashing.
    """
    snapshot = ahead.snapshot
    progress.subject = snapshot.name
    progress.files_total += len(snapshot.entries)
    progress.bytes_total += snapshot.total_bytes
    watch = Overtime(budget)
    reading = _Reading(watch, algorithms, digest_members=digest_members, every_call=every_call)
    files: list[Component] = []
    waiting: deque[tuple[int, Opened]] = deque()
    try:
        for opened in ahead:
            progress.doing = opened.entry.place
            files.append(reading.file(opened, progress))
            if opened.pending is None:
                progress.files_done += 1
            else:
                waiting.append((len(files) - 1, opened))
            while len(waiting) > AHEAD:
                _settle(files, waiting, pool, budget, progress)
        meanwhile(reading.found)
        while waiting:
            progress.doing = waiting[0][1].entry.place
            _settle(files, waiting, pool, budget, progress)
    except BaseException:  # Ctrl-C: no thread may be left with a descriptor that we close
        pool.stop()
        ahead.close()
        for _, opened in waiting:
            opened.close()
        watch.close()
        raise
    if any(file.claims for file in files):
        budget.start_file()
        files = reading.settled(files, lambda index: ahead.reopen(snapshot.entries[index]))
    watch.close()
    return Inventory(tuple(files), snapshot.name)


def _look_at_bytes(source: Source, facts: Facts, ids: tuple[str, ...]) -> None:
    """Look for programs where no reader went: at the starts of tensors, and between them."""
    if facts.tensors:
        look_at_starts(source, facts, ids)
        look_at_names(facts)
    look_between(source, facts, ids)


def _settle(
    files: list[Component], waiting: deque[tuple[int, Opened]], pool: HashPool, budget: Budget, progress: Progress
) -> None:
    """Put the digests of the file that has waited longest into its component."""
    index, opened = waiting[0]
    if opened.pending is None or opened.source is None:
        raise AssertionError("only files that are being hashed wait")
    component = files[index]
    try:
        if not opened.pending.done(budget.subject_left):
            pool.stop()  # no thread may be left with a descriptor that we close
        digests = opened.pending.wait()
        opened.source.check_unchanged()
        files[index] = replace(component, digests=digests)
    except StoppedError:
        files[index] = _out_of_time(component, budget)
    except ReadError as error:
        files[index] = _with_change(component, error)
    waiting.popleft()
    opened.source.close()
    progress.files_done += 1


def _out_of_time(component: Component, budget: Budget) -> Component:
    """``component`` without digests: the seconds for the whole subject were spent before it was hashed to its end."""
    coverage = Coverage.UNREAD if component.coverage is Coverage.UNREAD else Coverage.PARTIAL
    message = f"it was not hashed to its end: {budget.out_of_time().message}"
    unknown = Unknown("timeout", message, Location(component.place))
    return replace(component, coverage=coverage, digests={}, unknowns=(*component.unknowns, unknown))


def _with_change(component: Component, error: ReadError) -> Component:
    where = Location(component.place, error.offset)
    return replace(
        component,
        coverage=Coverage.PARTIAL,
        digests={},
        anomalies=(*component.anomalies, Anomaly("file/changed", error.message, where)),
        unknowns=(*component.unknowns, Unknown("changed", error.message, where)),
    )


class _Reading:
    """One subject's reading: its budget and the digests it wants."""

    def __init__(self, watch: Overtime, algorithms: tuple[str, ...], *, digest_members: bool, every_call: bool) -> None:
        self._watch = watch
        self._budget = watch.budget
        self._algorithms = algorithms
        self._digest_members = digest_members
        self._every_call = every_call
        #: ids of the formats that were read so far
        self.found: set[str] = set()

    def file(self, opened: Opened, progress: Progress) -> Component:
        """The component of one entry; its digests come later where threads are computing them."""
        entry = opened.entry
        self._budget.start_file()
        if opened.error is not None:
            return self._not_read(entry, opened.error)
        if entry.kind is EntryKind.FOLDER_LINK:
            return Component(entry.place, entry.name, 0, ("link",), Coverage.INERT, metadata={"link": entry.detail})
        if opened.source is None:
            return self._not_a_file(entry)
        source = opened.source
        if self._budget.left < 0:
            if opened.pending is None:
                source.close()
            return self._not_read(entry, self._budget.out_of_time())
        if isinstance(source, RangeSource):
            return self._remote(source, entry, progress)
        if opened.pending is not None:
            return _named(self.examine(source, entry.name, entry.place, 0), entry)
        with source:
            try:
                data = source.read(0, source.size)
                source.check_unchanged()
            except ReadError as error:
                return self._not_read(entry, error)
        progress.bytes_done += len(data)
        component = self.examine(BytesSource(data), entry.name, entry.place, 0)
        return _named(replace(component, digests=digest_chunks([data], self._algorithms)), entry)

    def _remote(self, source: RangeSource, entry: Entry, progress: Progress) -> Component:
        """The component of a file on a server: hashed when every byte came, else marked as not verified."""
        with source:
            try:
                small = source.size <= SMALL
                held = BytesSource(source.read(0, source.size)) if small else source
                component = self.examine(held, entry.name, entry.place, 0)
            except ReadError as error:
                return self._not_read(entry, error)
            try:
                if not source.whole:
                    progress.bytes_done += source.size
                    return _named(_unverified(component, source), entry)
                self._budget.start_transfer()
                digests, agree = self._watch.within(lambda: source.digest(self._algorithms, progress))
            except LimitError:
                return _named(_out_of_time(component, self._budget), entry)
            except ReadError as error:
                return self._not_read(entry, error)
        if not agree and source.claim is not None:
            message = f"has another digest than {printable(source.claim.host)} names: {source.claim.value}"
            anomaly = Anomaly("file/digest-mismatch", message, Location(entry.place), {"claimed": source.claim.value})
            component = replace(component, anomalies=(*component.anomalies, anomaly))
        return _named(replace(component, digests=digests), entry)

    def examine(
        self,
        source: Source,
        name: str,
        place: str,
        depth: int,
        role: str | None = None,
        walked: tuple[str, Any] | None = None,
    ) -> Component:
        """Identify and read one file or member, then everything inside it."""
        ids: tuple[str, ...] = ()
        if role is not None:
            facts = Facts(place, name, self._budget)
            facts.coverage = Coverage.INERT
            if not isinstance(source, RangeSource):
                look_at_start(source, 0, source.size, "", facts)
        else:
            ids, facts = self._read(source, name, place, walked)
            self.found.update(ids)
            # a request for each tensor would cost too much
            if (facts.tensors or leaves_room(ids)) and not isinstance(source, RangeSource):
                try:
                    self._watch.within(lambda: _look_at_bytes(source, facts, ids))
                except ReadError as error:
                    _failed(facts, error)
            if source.cut:
                _say_cut(facts)
        if facts.document is not None:
            self._keep_document(facts)
        children = tuple(self._member(member, place, depth + 1) for member in facts.members)
        if any(child.claims for child in children):
            children = tuple(self.settled(children, lambda index: facts.members[index].open()))
        digests = {}
        if depth and (facts.programs or self._digest_members):
            try:
                digests = self._watch.within(lambda: digest_chunks(source.chunks(), self._algorithms))
            except ReadError as error:
                _failed(facts, error)
        return Component(
            place=place,
            name=name,
            size=source.size,
            formats=ids,
            coverage=facts.coverage,
            digests=digests,
            role=role,
            metadata=facts.metadata,
            document=facts.document,
            tensors=tuple(facts.tensors),
            programs=tuple(facts.programs),
            anomalies=tuple(facts.anomalies),
            unknowns=tuple(facts.unknowns),
            dropped=facts.dropped,
            claims=claims_through(ids, facts.claims, children),
            children=children,
            outline=facts.outline,
            text=facts.text,
        )

    def _keep_document(self, facts: Facts) -> None:
        """Let go of the values of a text where all of them together would take too much: no rule can look at them then."""
        try:
            self._budget.add_document(weight(facts.document))
        except LimitError as error:
            facts.document = None
            _failed(facts, error)

    def settled(self, files: Sequence[Component], reopen: Callable[[int], Source]) -> list[Component]:
        """``files``, those that others describe among them read as tensors; as they are where the time does not last."""
        try:
            return self._watch.within(lambda: settle_claims(files, reopen))
        except LimitError:
            return list(files)

    def _read(
        self, source: Source, name: str, place: str, walked: tuple[str, Any] | None
    ) -> tuple[tuple[str, ...], Facts]:
        """The ids of the formats that the bytes were read as, and what reading them found."""
        facts = self._facts(place, name)
        try:
            head = Head(name, source)
            identity = self._watch.within(lambda: identify(head))
        except ReadError as error:
            _failed(facts, error)
            return (), facts
        program = identity.recognised
        if walked is None and not self._every_call and self._budget.limits == DEFAULT_LIMITS:  # by which a probe walks
            walked = head.walked
        if walked is not None and [module.FORMAT.id for module in identity.readers] == [walked[0]]:
            facts.walked = walked[1]
        if not identity.readers:
            if program is None:
                facts.unknown("no-reader", "no format that OpenVet knows", coverage=Coverage.UNREAD)
                return (), facts
            from openvet.formats.known import advice

            helps = advice(program.id)
            message = f"{program.title}: recognised, but its contents are not read yet{'; ' * bool(helps)}{helps}"
            facts.unknown("no-reader", message, coverage=Coverage.UNREAD)
            self._note_imports(program.id, source, facts)
            return (program.id,), facts
        if identity.polyglot:
            ids = tuple(module.FORMAT.id for module in identity.readers)
            facts.anomaly("file/polyglot", f"reads as {' and as '.join(ids)} at once", formats=list(ids))
            for module in identity.readers:
                self._read_as(module, source, facts)
        else:
            ids, facts = self._read_first(identity.readers, source, facts)
        if program is not None:
            ids = (program.id, *ids)
            facts.unknown("no-reader", f"{program.title} in front of the rest: recognised, but not read yet", 0)
            self._note_imports(program.id, source, facts)
        self._keep_text(head, ids, facts)
        return ids, facts

    def _note_imports(self, kind: str, source: Source, facts: Facts) -> None:
        """Note by what a compiled library starts programs."""
        from openvet.formats._native_imports import starts_programs

        starts = self._watch.within(lambda: starts_programs(source, kind))
        if starts:
            facts.note("starts_programs", starts)

    def _keep_text(self, head: Head, ids: tuple[str, ...], facts: Facts) -> None:
        """Keep what may say a licence, where there is room for it among the documents."""
        try:
            text = kept_text(head, ids)  # bounded, and no clock is to be asked again where one has run out
            if text is not None:
                self._budget.add_document(len(text))
                facts.text = text
        except ReadError as error:
            _failed(facts, error)

    def _facts(self, place: str, name: str) -> Facts:
        facts = Facts(place, name, self._budget)
        facts.every_call = self._every_call
        return facts

    def _read_first(
        self, readers: tuple[ModuleType, ...], source: Source, empty: Facts
    ) -> tuple[tuple[str, ...], Facts]:
        """Alternatives: the first one that can read the bytes counts; where none can, the first one's failure does."""
        first: Facts | None = None
        for module in readers:
            attempt = self._facts(empty.place, empty.name)
            attempt.walked = empty.walked
            if self._read_as(module, source, attempt):
                return (module.FORMAT.id,), attempt
            first = first or attempt
        return (readers[0].FORMAT.id,), first or empty

    def _member(self, member: Member, container: str, depth: int) -> Component:
        place = member_place(container, member.name)
        if member.role is not None and member.plain and not self._digest_members:
            return Component(place, member.name, member.size, (), Coverage.INERT, role=member.role)
        try:
            self._budget.check_depth(depth)
            with self._watch.within(member.open) as source:
                return self.examine(source, member.name, place, depth, member.role, member.walked)
        except ReadError as error:
            facts = Facts(place, member.name, self._budget)
            _failed(facts, error, coverage=Coverage.UNREAD)
            return _unread(facts, member.size)

    def _read_as(self, module: ModuleType, source: Source, facts: Facts) -> bool:
        """Read with one format; whatever it raises becomes an unknown. Says whether it came to the end."""
        try:
            self._watch.within(lambda: module.read(source, facts))
        except ReadError as error:
            _failed(facts, error)
            return False
        except Exception as error:  # noqa: BLE001 - a fault of ours (or of a plug-in) must not hide the other files
            what = f"{type(error).__name__}: {printable(str(error))[:200]}"
            facts.unknown("error", f"the {module.FORMAT.id} reader failed: {what}")
            return False
        return True

    def _not_read(self, entry: Entry, error: ReadError) -> Component:
        facts = Facts(entry.place, entry.name, self._budget)
        _failed(facts, error, coverage=Coverage.UNREAD)
        return _named(_unread(facts, entry.size), entry)

    def _not_a_file(self, entry: Entry) -> Component:
        reason, rule = _NOT_READ[entry.kind]
        facts = Facts(entry.place, entry.name, self._budget)
        facts.unknown(reason, entry.detail, coverage=Coverage.UNREAD)
        if rule is not None:
            facts.anomaly(rule, entry.detail)
        return _named(_unread(facts, entry.size), entry)


def _say_cut(facts: Facts) -> None:
    """A reader met the end that a limit of ours made: neither a download that was cut short nor a fault of the file."""
    facts.anomalies[:] = [each for each in facts.anomalies if each.rule not in _BY_THE_CUT]
    facts.unknowns[:] = [each for each in facts.unknowns if each.reason not in ("absent", "malformed")]
    facts.unknown("limit", "only what was decoded before a limit was read")


def _unverified(component: Component, source: RangeSource) -> Component:
    """``component`` of a file of which only parts were fetched: its digest is somebody else's word."""
    claim = source.claim
    said = (
        "no digest is named for it"
        if claim is None
        else f"{claim.algorithm} {claim.value} is what {printable(claim.host)} says"
    )
    message = f"only the parts that describe it were fetched; {said}, and was not computed here"
    return replace(
        component,
        coverage=Coverage.UNREAD if component.coverage is Coverage.UNREAD else Coverage.PARTIAL,
        unknowns=(*component.unknowns, Unknown("unverified", message, Location(component.place))),
    )


def _unread(facts: Facts, size: int) -> Component:
    """The component of something whose bytes nobody saw."""
    return Component(
        facts.place,
        facts.name,
        size,
        (),
        facts.coverage,
        anomalies=tuple(facts.anomalies),
        unknowns=tuple(facts.unknowns),
    )


def _failed(facts: Facts, error: ReadError, coverage: Coverage = Coverage.PARTIAL) -> None:
    """Turn an error into an unknown with a place, and a broken structure into an anomaly as well."""
    reason = next((word for kind, word in _REASONS if isinstance(error, kind)), "error")
    if isinstance(error, LimitError) and error.limit in _SECONDS:
        reason = "timeout"
    facts.unknown(reason, error.message, error.offset, coverage=coverage)
    if reason == "malformed":
        facts.anomaly("file/malformed", error.message, error.offset)
    elif reason == "changed":
        facts.anomaly("file/changed", error.message, error.offset)
    elif isinstance(error, BombError):
        facts.anomaly("archive/decompression-bomb", error.message, error.offset)


def _named(component: Component, entry: Entry) -> Component:
    """``component`` with an anomaly when its name holds what does not show on a screen."""
    if entry.place == entry.name.replace("\\", "\\\\"):
        return component
    where = Location(entry.place)
    anomaly = Anomaly(
        "file/name-hides", "the name holds characters that do not show as themselves", where, {"name": entry.place}
    )
    return replace(component, anomalies=(*component.anomalies, anomaly))
