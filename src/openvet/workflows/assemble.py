"""From an inventory to a report: the rules' findings by file, both predicates, and the decision."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from openvet.checks._run import checks, import_rules, run_checks
from openvet.core.coverage import Coverage, Unknown
from openvet.core.digest import dir_hash
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.snapshot import EntryKind, Snapshot
from openvet.core.text import printable
from openvet.evidence.predicates.inventory_v1 import Fact, InventoryV1, Item, TensorEntry
from openvet.evidence.predicates.scan_v1 import FileScan, Scan
from openvet.evidence.statement import Predicate, ResourceDescriptor
from openvet.formats._format import Program
from openvet.inventory.component import Component, Inventory
from openvet.inventory.summary import summarise
from openvet.policy.builtin import decide
from openvet.policy.decision import Terms
from openvet.reports.report import ModelReport
from openvet.workflows.knowledge import tool
from openvet.workflows.use import name_of

if TYPE_CHECKING:
    from openvet.evidence.predicates.card_v1 import CardV1
    from openvet.evidence.predicates.licenses_v1 import LicensesV1
    from openvet.workflows.check import Options, Taken

__all__ = ["QUESTIONS", "answers_of", "assemble", "get_ready", "inventory_of", "subject_of", "terms_of"]

#: What the rooms below the rules answer, by the names of their statements, in the order of a report.
QUESTIONS: Final = ("profile", "card", "licenses", "lineage")
_COVERAGE_RANK = {Coverage.UNREAD: 0, Coverage.PARTIAL: 1, Coverage.READ: 2, Coverage.INERT: 3}


def get_ready(present: Collection[str], options: Options) -> None:
    """Import the rules for the formats ``present``, and digest our own knowledge where it is told, before they are needed."""
    import_rules(present)
    if not options.only_facts:
        _ = tool().knowledge


def assemble(path: str, taken: Taken, options: Options) -> ModelReport:
    """Run the rules over what was taken, write down both predicates, and decide."""
    snapshot, inventory, budget = taken.snapshot, taken.inventory, taken.budget
    config, today = options.config, options.today
    callables = config.callables_on(today) if config is not None and today is not None else {}
    result = run_checks(inventory, options.rules, callables, budget)
    subject = subject_of(snapshot, inventory)
    known = _Digests(inventory, subject)
    by_file: dict[str, list[Finding]] = {}
    whole: list[Finding] = []
    for finding in map(known.bind, result.findings):
        file = finding.location.place.split("!/", 1)[0]
        (by_file.setdefault(file, []) if file else whole).append(finding)
    files = tuple(_file_scan(component, by_file.pop(component.place, [])) for component in inventory.files)
    for findings in by_file.values():  # a place that is no file of ours: never lose a finding over it
        whole.extend(findings)
    unknowns = [Unknown("limit", snapshot.cut, Location(""))] if snapshot.cut else []
    unknowns.extend(result.unknowns)
    if options.rules:  # a rule that was not asked is not a rule that found nothing
        text = f"only {len(result.outcomes)} of {len(checks().entries)} rules were run"
        unknowns.append(Unknown("excluded", text, Location("")))
    scan = Scan(
        tool=tool(),
        limits=asdict(options.in_force),
        files=files,
        rules=result.outcomes,
        findings=tuple(sorted(whole, key=Finding.sort_key)),
        unknowns=tuple(unknowns),
        reproducible=not budget.timed_out,
    )
    body = None
    facts = summarise(inventory) if options.with_inventory else None
    if facts is not None and not options.only_facts:
        body = inventory_of(inventory, facts)
    answers: dict[str, Predicate] = {}
    if options.with_inventory:
        answers, failed = _answers(scan, path, taken, subject, options)
        scan = replace(scan, unknowns=(*scan.unknowns, *failed)) if failed else scan
    decision = decide(scan, terms_of(options))
    return ModelReport(printable(path), subject, scan, body, decision, name_of(options), facts, answers)


def inventory_of(inventory: Inventory, facts: tuple[Fact, ...] | None = None) -> InventoryV1:
    """The inventory as a predicate, with ``facts``, or those of its own summary."""
    said = summarise(inventory) if facts is None else facts
    return InventoryV1(tool(), said, tuple(_item(each) for each in inventory.walk()))


def answers_of(
    inventory: Inventory,
    questions: Collection[str] = QUESTIONS,
    name: str = "this model",
    digest: Mapping[str, str] | None = None,
    uses: Sequence[str] = (),
) -> dict[str, Predicate]:
    """What each room says to its question, by the name of the statement; ``name`` and ``digest`` are the subject's, ``uses`` for rights."""
    out: dict[str, Predicate] = {}
    if "profile" in questions:
        from openvet.evidence.predicates.profile_v1 import ProfileV1
        from openvet.profile.profile import profile_parts

        parts, left_off = inventory.once(profile_parts)
        out["profile"] = ProfileV1(tool(), parts, left_off)
    if "card" in questions:
        out["card"] = _card(inventory)
    if "openness" in questions:
        from openvet.licenses.terms import clauses_of
        from openvet.openness.examine import examine

        out["openness"] = examine(inventory, _card(inventory), tool(), _licenses(inventory), clauses_of)
    if "lineage" in questions:
        from openvet.lineage.declared import declare

        out["lineage"] = declare(inventory, _card(inventory), name, digest or {}, tool())
    if "licenses" in questions:
        out["licenses"] = _licenses(inventory)
    if "rights" in questions:
        from openvet.workflows.rights import rights_of

        said = answers_of(inventory, ["lineage"], name, digest)["lineage"]
        out["rights"] = rights_of(inventory, _licenses(inventory), said, name, uses)
    return out


def _card(inventory: Inventory) -> CardV1:
    """What the cards say; of a model without a card, what its files say in its place."""
    from openvet.cards.examine import find_cards, say_without_card
    from openvet.evidence.predicates.card_v1 import CardV1

    found = inventory.once(find_cards)
    carded = any(each.kind in ("model-card", "dataset-card") for each in found)
    return CardV1(tool(), found if carded else (*say_without_card(inventory), *found))


def _origin(path: str, taken: Taken) -> Predicate:
    """Who published it, by its place, its files and what a hub answered."""
    from openvet.workflows.origin import origin_of

    return origin_of(path, taken.inventory, taken.about)


def _licenses(inventory: Inventory) -> LicensesV1:
    """What is declared, and whose texts lie with the model."""
    from openvet.core.license_ids import table_date
    from openvet.evidence.predicates.licenses_v1 import LicensesV1
    from openvet.licenses.examine import find_licenses

    seen = inventory.once(find_licenses)
    return LicensesV1(tool(), table_date(), seen.model, seen.declared, seen.found, seen.unknown_texts, seen.left_out)


def _answers(
    scan: Scan, path: str, taken: Taken, subject: ResourceDescriptor, options: Options
) -> tuple[dict[str, Predicate], tuple[Unknown, ...]]:
    """The answers that somebody sees. A fault of ours in one of them costs no model its check, and is told as not known."""
    from openvet.workflows.advisories import advisories_of

    inventory = taken.inventory
    makers: dict[str, Callable[[], dict[str, Predicate]]] = {
        question: partial(answers_of, inventory, [question], subject.name, subject.digest, options.uses)
        for question in (*QUESTIONS, *options.also)
        if not (question in ("card", "licenses", "lineage") and options.only_facts)
    }
    if "origin" in makers:
        makers["origin"] = lambda: {"origin": _origin(path, taken)}
    # what the rules found is what reaches a loader
    makers["advisories"] = lambda: {"advisories": advisories_of(scan, inventory)}
    out: dict[str, Predicate] = {}
    failed: list[Unknown] = []
    for question, make in makers.items():
        try:
            out |= make()
        except Exception as error:  # noqa: BLE001 - see above
            text = f"the {question} could not be made: {type(error).__name__}: {printable(str(error))[:200]}"
            failed.append(Unknown("error", text, Location("")))
    return out, tuple(failed)


def terms_of(options: Options) -> Terms:
    """What the team adds to the policy, today."""
    config, today = options.config, options.today
    held = config.acceptances_on(today) if config is not None and today is not None else ()
    code = (
        frozenset(entry.facts.id for entry in checks().entries if entry.facts.code) if options.strict else frozenset()
    )
    return Terms(held, options.strict, code)


class _Digests:
    """Which bytes a finding is about."""

    def __init__(self, inventory: Inventory, subject: ResourceDescriptor) -> None:
        self._by_place = {each.place: each.digests["sha256"] for each in inventory.walk() if "sha256" in each.digests}
        self._files = {each.place for each in inventory.files}
        self._model = subject.digest.get("dirHash") or subject.digest.get("sha256")
        self._whole = {entry.facts.id for entry in checks().entries if entry.facts.whole}

    def bind(self, finding: Finding) -> Finding:
        """``finding`` with the digests by which it may be accepted."""
        place = finding.location.place
        if not place or finding.rule in self._whole:
            found = [self._model]
        else:
            file = place if place in self._files else place.split("!/", 1)[0]
            found = [self._by_place.get(file)]
            # what is wrong with an archive, or between its members, is not in the bytes of one of them
            if place != file and not finding.rule.startswith(("archive/", "file/", "torch/")):
                found.append(self._by_place.get(place))
        digests = tuple(each for each in found if each)
        return replace(finding, digests=digests) if digests else finding


def _file_scan(component: Component, findings: list[Finding]) -> FileScan:
    coverage = component.coverage
    unknowns: list[Unknown] = []
    for part in component.walk():
        # an inert member does not make its container inert, nor the other way round: only what is missing spreads
        if part.coverage in {Coverage.PARTIAL, Coverage.UNREAD} and part is not component:
            coverage = min(coverage, Coverage.PARTIAL, key=_COVERAGE_RANK.__getitem__)
        unknowns.extend(part.unknowns)
        if part.dropped:
            text = f"{part.dropped} more notes on this file were left out (limit records)"
            unknowns.append(Unknown("limit", text, Location(part.place)))
    return FileScan(
        path=component.place,
        formats=component.formats,
        size=component.size,
        digest=component.digests,
        coverage=coverage,
        findings=tuple(sorted(findings, key=Finding.sort_key)),
        unknowns=tuple(unknowns),
    )


class _Told(Mapping[str, Any]):
    """What ``program.to_json()`` says, made when somebody asks: of a hundred thousand programs it takes as much as all else."""

    __slots__ = ("_program",)

    def __init__(self, program: Program) -> None:
        self._program = program

    def to_json(self) -> dict[str, Any]:
        return self._program.to_json()

    def __getitem__(self, key: str) -> Any:
        return self._program.to_json()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._program.to_json())

    def __len__(self) -> int:
        return len(self._program.to_json())

    def __repr__(self) -> str:
        return repr(self.to_json())


def _item(component: Component) -> Item:
    return Item(
        place=component.place,
        formats=component.formats,
        size=component.size,
        digest=component.digests,
        coverage=str(component.coverage),
        metadata=component.metadata,
        tensors=tuple(TensorEntry(t.name, t.dtype, t.shape, t.offset, t.nbytes) for t in component.tensors),
        programs=tuple(map(_Told, component.programs)),
    )


def subject_of(snapshot: Snapshot, inventory: Inventory) -> ResourceDescriptor:
    """What statements about a snapshot name: its name and digests."""
    return ResourceDescriptor(snapshot.name, _subject_digest(snapshot, inventory))


def _subject_digest(snapshot: Snapshot, inventory: Inventory) -> dict[str, str]:
    """The file's digests, or the folder's dirHash; empty when a file could not be read to its end."""
    if snapshot.single:
        return dict(inventory.files[0].digests) if inventory.files else {}
    if snapshot.cut:
        return {}
    digests: dict[str, str] = {}
    for entry, component in zip(snapshot.entries, inventory.files, strict=True):
        if entry.kind is EntryKind.FOLDER_LINK:
            continue
        if "sha256" not in component.digests:
            return {}
        digests[entry.name] = component.digests["sha256"]
    total = dir_hash(digests)
    return {} if total is None else {"dirHash": total}
