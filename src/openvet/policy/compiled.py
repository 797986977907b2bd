"""A pack with its conditions compiled: every name is known, every type fits, and what each line needs is known before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from openvet.conditions.cel import Condition, ConditionError, Environment
from openvet.core.dataclass import dataclass
from openvet.policy.pack import Level, Pack, Question, Requirement, Step
from openvet.policy.read_pack import Catalogue
from openvet.policy.vocabulary import VOCABULARY
from openvet.policy.yaml_reader import PackError

__all__ = ["CompiledPack", "CompiledRequirement", "CompiledStep", "compile_pack", "environment_of"]

_STEP_TYPES: Final = ("bool", "double", "int", "string", "list(string)", "timestamp")


@dataclass(frozen=True, slots=True)
class CompiledStep:
    """A step. ``names`` are the facts and answers that it rests on, through other steps too."""

    step: Step
    values: tuple[Condition, ...]
    undecided: Condition | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledRequirement:
    """A requirement. ``names`` are the facts and answers that ``passes`` rests on, ``all_names`` those of all its conditions."""

    requirement: Requirement
    applies: Condition | None
    passes: Condition
    undecided: Condition | None
    offenders: Condition | None
    phases: tuple[tuple[date, Condition | None], ...]
    names: tuple[str, ...]
    all_names: tuple[str, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of statements that it needs, in order."""
        found = {VOCABULARY[name].kind: None for name in self.all_names if name in VOCABULARY and VOCABULARY[name].kind}
        return tuple(sorted({*found, *self.requirement.needs}))


@dataclass(frozen=True, slots=True)
class CompiledPack:
    """A pack that can be decided by. ``questions`` are those that it asks, its own and the catalogue's, in the order of first use."""

    pack: Pack
    questions: tuple[Question, ...]
    steps: tuple[CompiledStep, ...]
    requirements: tuple[CompiledRequirement, ...]
    types: Mapping[str, str]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of statements that some line needs."""
        return tuple(sorted({kind for each in self.requirements for kind in each.kinds}))


def environment_of(questions: Mapping[str, Question]) -> Environment:
    """The vocabulary and the answers to ``questions``."""
    names = {each.name: each.type for each in VOCABULARY.values()}
    for question in questions.values():
        names |= question.names
    return Environment(names)


def compile_pack(pack: Pack, catalogue: Catalogue | None = None) -> CompiledPack:
    """Compile everything in ``pack``.

    Args:
        catalogue: questions that it may use beside its own.

    Raises:
        PackError: every condition that makes no sense, with its line.
        UsageError: the extra for CEL is missing.
    """
    return _Compiler(pack, catalogue).pack()


class _Compiler:
    def __init__(self, pack: Pack, catalogue: Catalogue | None) -> None:
        self._pack = pack
        self._problems: list[str] = []
        shared = {} if catalogue is None else dict(catalogue.questions)
        for each in pack.questions:
            if each.id in shared and shared[each.id] != each:
                self._problems.append(
                    f"{each.where}: the catalogue has another question {each.id!r} ({shared[each.id].where})"
                )
            shared[each.id] = each
        self._questions = shared
        self._catalogue = catalogue
        self._environment = environment_of(shared)
        self._asked: dict[str, Question] = {}
        self._owner = {name: each for each in shared.values() for name in each.names}
        self._below: dict[str, tuple[str, ...]] = {}  # step -> facts and answers

    def pack(self) -> CompiledPack:
        steps = [found for each in self._pack.steps if (found := self._step(each)) is not None]
        lines = [line for each in self._pack.requirements if (line := self._requirement(each)) is not None]
        if self._problems:
            raise PackError(*self._problems)
        pack = self._pack
        own = {each.id for each in pack.questions}
        if self._catalogue is not None and any(each not in own for each in self._asked):
            from dataclasses import replace

            pack = replace(pack, files=(*pack.files, self._catalogue.file))
        return CompiledPack(
            pack, tuple(self._asked.values()), tuple(steps), tuple(lines), dict(self._environment.names)
        )

    def _step(self, step: Step) -> CompiledStep | None:
        before = len(self._problems)
        values = [found for each in step.values if (found := self._compile(step.where, "value", each, *_STEP_TYPES))]
        undecided = self._compile(step.where, "undecided", step.undecided, "bool") if step.undecided else None
        kinds = {each.type for each in values}
        if len(kinds) > 1:
            self._problems.append(
                f"{step.where}: the values of {step.id} have several types: {', '.join(sorted(kinds))}"
            )
        if len(self._problems) > before:
            self._environment.declare(step.name, "bool")  # so that one mistake is told once
            self._below[step.name] = ()
            return None
        names = self._names(*values, undecided)
        self._environment.declare(step.name, values[0].type)
        self._below[step.name] = names
        return CompiledStep(step, tuple(values), undecided, names)

    def _requirement(self, each: Requirement) -> CompiledRequirement | None:
        before = len(self._problems)
        applies = self._compile(each.where, "applies", each.applies, "bool") if each.applies else None
        passes = self._compile(each.where, "pass", each.passes, "bool")
        undecided = self._compile(each.where, "undecided", each.undecided, "bool") if each.undecided else None
        offenders = self._compile(each.where, "offenders", each.offenders, "list(string)") if each.offenders else None
        phases = tuple(
            (phase.start, self._compile(each.where, "when", phase.when, "bool") if phase.when else None)
            for phase in each.phases
        )
        if passes is None or len(self._problems) > before:
            return None
        names = self._names(passes)
        answered = any(name.startswith("answers.") for name in names)
        if each.level is Level.COMPUTED and answered:
            self._problems.append(f"{each.where}: {each.id} is computed, and its `pass` rests on an answer")
        if each.level is Level.ATTESTED and not answered:
            self._problems.append(f"{each.where}: {each.id} is attested, and its `pass` rests on no answer")
        every = self._names(applies, passes, undecided, offenders, *(when for _, when in phases))
        return CompiledRequirement(each, applies, passes, undecided, offenders, phases, names, every)

    def _compile(self, where: str, what: str, text: str, *wanted: str) -> Condition | None:
        try:
            return self._environment.compile(text, *wanted)
        except ConditionError as error:
            at = f" (character {error.column})" if error.column else ""
            self._problems.append(f"{where}: {what}: {error.message}{at}: {_short(text)}")
            return None

    def _names(self, *conditions: Condition | None) -> tuple[str, ...]:
        """Facts and answers below some conditions; the questions of these are asked."""
        found: dict[str, None] = {}
        for condition in conditions:
            for name in () if condition is None else condition.names:
                for each in self._below.get(name, (name,)):
                    found[each] = None
                    if each in self._owner:
                        self._asked.setdefault(self._owner[each].id, self._owner[each])
        return tuple(found)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 100 else f"{flat[:97]}..."
