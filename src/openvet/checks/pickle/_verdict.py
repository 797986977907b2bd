"""What the rules about pickles share: the programs of an inventory, and every reference of one with what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind, Known, by_its_name, classify
from openvet.core.dataclass import dataclass
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Severity
from openvet.core.text import printable, shorten
from openvet.inventory.component import Inventory

if TYPE_CHECKING:  # most models have no pickle, and then nobody needs its words
    from openvet.formats.pickle.program import PickleProgram, Reference

__all__ = [
    "DO_NOT_LOAD",
    "NEEDS",
    "Judged",
    "dangers",
    "evidence",
    "is_handed",
    "judged",
    "known_to_team",
    "programs",
    "spelled",
]

#: Formats that have pickle programs.
NEEDS = ("pickle", "torch-zip", "torch-legacy", "torch-tar")
DO_NOT_LOAD = (
    "Do not load this file: pickle.load and joblib.load run it in every version, and so does torch.load, unless with "
    "weights_only=True from PyTorch 2.6 on (CVE-2025-32434). Ask the publisher for safetensors, and report the file to where you got it."
)

_RANGES = "dill._dill._eval_repr"
_RANGE = pattern(r"'(?:(?:range|slice)\((?:-?\d{1,18}|None)(?:, (?:-?\d{1,18}|None)){0,2}\)|Ellipsis|NotImplemented)'")
_LITERAL_LOADER = "torch.storage._load_from_bytes"

#: Classes that open what they are told to, and nothing where unpickling makes them without their constructors.
_OPEN_WHEN_TOLD = (
    "joblib.memory.Memory",
    "mimetypes.MimeTypes",
    "sentence_transformers.SentenceTransformer.SentenceTransformer",
    "sentence_transformers.cross_encoder.CrossEncoder.CrossEncoder",
    "ultralytics.engine.model.Model",
    "ultralytics.models.yolo.model.YOLO",
    "ultralytics.yolo.engine.model.YOLO",
)

#: What makes an instance and calls no constructor.
_WITHOUT_CONSTRUCTOR = ("NEWOBJ", "copyreg.__newobj__", "copyreg._reconstructor")


@dataclass(frozen=True, slots=True)
class Judged:
    """One reference of one program, and what is known of it."""

    program: PickleProgram
    reference: Reference
    known: Known

    @property
    def reached(self) -> bool:
        """Whether loading runs it."""
        return bool(self.reference.calls) or self.known.on_import


def programs(ctx: Context, *, carried: bool = False) -> Iterator[PickleProgram]:
    """Every pickle program that loading runs; with ``carried`` those in literals that nothing loads instead."""
    yield from ctx.inventory.once(_carried if carried else _run)


def _run(inventory: Inventory) -> list[PickleProgram]:
    return [each for each in _all(inventory) if each.container != "carried"]


def _carried(inventory: Inventory) -> list[PickleProgram]:
    return [each for each in _all(inventory) if each.container == "carried"]


def _all(inventory: Inventory) -> Iterator[PickleProgram]:
    for component in inventory.walk():
        for program in component.programs:
            if program.kind == "pickle":
                yield cast("PickleProgram", program)


def _dangerous(inventory: Inventory) -> dict[str, list[PickleProgram]]:
    """The programs that loading runs and that name something dangerous, or hand it on, by its capability.

    Of a hundred thousand programs every rule about a danger would else look at each reference again.
    """
    out: dict[str, list[PickleProgram]] = {}
    for program in inventory.once(_run):
        found: dict[str, None] = {}
        for each in judged(program):
            if each.known.kind is Kind.DANGEROUS:
                found[each.known.capability] = None
            if _may_call(each):
                found.update(dict.fromkeys(capability for _, _, capability in _passed(each)))
        for capability in found:
            out.setdefault(capability, []).append(program)
    return out


def known_to_team(ctx: Context, each: Judged) -> bool:
    """Whether the team's configuration accepts this callable. What is dangerous, or used in an unusual way, it cannot accept."""
    usual = each.known.by_name or each.known.kind in (Kind.UNKNOWN, Kind.PROJECT, Kind.FRAMEWORK)
    usual = usual and not each.reference.variant
    return usual and each.reference.qualified in ctx.callables


def judged(program: PickleProgram) -> Iterator[Judged]:
    """Every reference of a program. Modules by themselves are left out: what is taken from them counts."""
    from openvet.formats.pickle.program import BUILDS  # only where there is a pickle

    building = {(each.module, each.name) for each in program.references if each.variant == BUILDS}
    for reference in program.references:
        if (reference.module, reference.name) in building and (reference.variant or not reference.calls):
            continue  # what it builds is judged by the code in it
        if reference.name:
            known = classify(reference.module, reference.name, called=bool(reference.calls), opens=True)
            waits = known.kind is Kind.FRAMEWORK and not reference.calls and known.package != "Python"
            if waits and _handed_on(program, reference):
                known = classify(reference.module, reference.name, opens=True)
            elif waits and reference.armed:  # a method that is bound to an instance is what its class is
                told = classify(reference.module, reference.name, opens=True)
                known = told if told.kind is Kind.DANGEROUS else known
            if known.when_called and _without_constructor(reference):
                plain = classify(reference.module, reference.name)
                known = Known(Kind.DATA) if plain.capability == "other" else plain  # of the standard library
            if known.kind is Kind.UNKNOWN and reference.calls:
                known = by_its_name(reference.module, reference.name)
            yield Judged(program, reference, known)


def _handed_on(program: PickleProgram, reference: Reference) -> bool:
    """Whether a call that is more than a constructor of data gets this reference: such a call may call it."""
    pair = (reference.module, reference.name)
    return any(
        other.calls
        and (other.passes_more or pair in other.passes)
        and classify(other.module, other.name).kind not in (Kind.DATA, Kind.LINKER)
        for other in program.references
    )


def spelled(reference: Reference) -> str:
    """A reference as people read it."""
    return shorten(printable(reference.qualified), 120)


def evidence(reference: Reference) -> dict[str, Any]:
    """What anybody needs to check a finding about a reference again."""
    out: dict[str, Any] = {"callable": shorten(printable(reference.qualified), 400), "opcode": reference.opcode}
    if reference.written:
        out["written"] = shorten(printable(reference.written), 400)
    if reference.via:
        out["via"] = list(reference.via)
    if reference.calls:
        out["calls"] = reference.calls
    if reference.armed:
        out["bound"] = shorten(printable(reference.armed), 200)
    if reference.first_calls:
        first = reference.first_calls[0]
        out["called_by"] = first.opcode
        out["arguments"] = list(first.arguments)
    return out


def dangers(ctx: Context, capability: str, remedy: str) -> Iterator[Finding]:
    """Every reached callable with one capability, and every one that is handed to something that may call it."""
    for program in ctx.inventory.once(_dangerous).get(capability, ()):
        handed: set[tuple[str, str]] = set()
        for each in judged(program):
            reported = (
                each.known.kind is Kind.DANGEROUS
                and each.known.capability == capability
                and each.reached
                and not _reads_literals(each)
                and not _bare(each)
                and not _only_ranges(each)
            )
            if reported and not (each.known.by_name and known_to_team(ctx, each)):
                yield _reached(ctx, each, remedy)
            if _may_call(each):
                for module, name, can in _passed(each):
                    if can == capability and (module, name) not in handed:
                        handed.add((module, name))
                        yield _handed(ctx, each, (module, name), remedy)


def _reached(ctx: Context, each: Judged, remedy: str) -> Finding:
    reference = each.reference
    if reference.first_calls:
        first = reference.first_calls[0]
        arguments = shorten(", ".join(first.arguments), 200)
        times = f" (and {reference.calls - 1} more times)" if reference.calls > 1 else ""
        message = f"calls {spelled(reference)}({arguments}) when the file is loaded{times}"
        offset = first.offset
    elif reference.calls:
        message, offset = f"calls {spelled(reference)} when the file is loaded", reference.offset
    else:
        message, offset = f"imports {spelled(reference)}, which runs code as soon as it is imported", reference.offset
    if each.known.by_name:
        message += f"; by its name it {each.known.what}"
    if reference.via:
        message += f", reached through {', '.join(reference.via)}"
    return ctx.finding(
        each.program.at(offset),
        message,
        remedy,
        severity=each.known.severity,
        confidence=Confidence.MEDIUM if each.known.by_name else None,
        evidence=evidence(reference),
    )


def _handed(ctx: Context, each: Judged, passed: tuple[str, str], remedy: str) -> Finding:
    """A dangerous callable among the arguments of something that may call it."""
    name = shorten(printable(".".join(passed)), 120)
    first = each.reference.first_calls[0] if each.reference.first_calls else None
    return ctx.finding(
        each.program.at(first.offset if first else each.reference.offset),
        f"hands {name} to {spelled(each.reference)}, which may call it when the file is loaded",
        remedy,
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        evidence={**evidence(each.reference), "handed": name},
    )


def _passed(each: Judged) -> Iterator[tuple[str, str, str]]:
    """The dangerous callables that the calls of a reference are given, and what each of them can do."""
    reference = each.reference
    names = list(reference.passes)
    if reference.passes_more:
        names += [(other.module, other.name) for other in each.program.references if other.name]
    for module, name in names:
        known = classify(module, name, opens=True)
        if known.kind is Kind.DANGEROUS:
            yield module, name, known.capability


def _may_call(each: Judged) -> bool:
    """Whether a call may call what it is given. What builds data does not, but what it gave may be what it was given:
    ``[os.system].pop()("…")`` calls ``list.pop()()``.
    """
    known = each.known
    if known.kind is Kind.DANGEROUS:  # said already, but for methods of what is harmless by itself
        return bool(each.reference.calls) and known.capability == "other" and "()" in each.reference.name
    return bool(each.reference.calls) and (
        each.reference.name.endswith("()") or known.kind not in (Kind.DATA, Kind.LINKER)
    )


def is_handed(program: PickleProgram, reference: Reference) -> bool:
    """Whether something that may call it gets ``reference`` as an argument (so that :func:`dangers` has reported it)."""
    pair = (reference.module, reference.name)
    for each in judged(program):
        if _may_call(each) and (pair in each.reference.passes or each.reference.passes_more):
            return True
    return False


def _reads_literals(each: Judged) -> bool:
    """How torch pickles a tensor: a loader that only ever gets literals, whose pickles are judged themselves."""
    if each.reference.qualified != _LITERAL_LOADER:
        return False
    literals = sum(1 for carried in each.program.carried if carried.loaded == _LITERAL_LOADER)
    return literals == each.reference.calls


def _bare(each: Judged) -> bool:
    """A cache of joblib that is made without a place, as NEWOBJ does for HDBSCAN and Pipeline, or a table of MIME types without files."""
    return each.reference.qualified in _OPEN_WHEN_TOLD and _without_constructor(each.reference)


def _only_ranges(each: Judged) -> bool:
    """How dill pickles a range: by evaluating its text, which is nothing but that here."""
    reference = each.reference
    return (
        reference.qualified == _RANGES
        and len(reference.first_calls) == reference.calls
        and all(len(call.arguments) == 1 and _RANGE.fullmatch(call.arguments[0]) for call in reference.first_calls)
    )


def _without_constructor(reference: Reference) -> bool:
    """Whether every call only makes an instance, which is rebuilt from its parts then, and hands nothing to it."""
    return (
        bool(reference.calls)
        and len(reference.first_calls) == reference.calls
        and all(call.opcode in _WITHOUT_CONSTRUCTOR and not call.arguments for call in reference.first_calls)
    )
