"""Which evidence and which question serves which requirement, in several packs at once: read off their compiled conditions, and nothing else.

A name *settles* a requirement where ``pass`` rests on it, through steps too. Otherwise it *bears on* it: it says whether it applies, from when, whether
it can be known at all, or what is named where it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from openvet.conditions.cel import Condition
from openvet.conditions.names import literals
from openvet.core.dataclass import dataclass
from openvet.policy.compiled import CompiledPack, CompiledRequirement
from openvet.policy.pack import Question
from openvet.policy.vocabulary import KINDS, VOCABULARY

__all__ = ["Crossing", "Crosswalk", "Served", "cross", "question_of"]

_AT_HAND: Final = "evidence.kinds"


@dataclass(frozen=True, slots=True)
class Served:
    """Requirements of one pack, by their ids, in its order: those that something settles, and those that it only bears on."""

    pack: str
    settles: tuple[str, ...]
    bears_on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A kind of statement, a fact or a question, and what it serves: one :class:`Served` for each pack in which it serves anything."""

    name: str
    served: tuple[Served, ...]


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """All of it.

    Attributes:
        packs: those that were asked about.
        own: how many requirements each has that it did not take over from another one of them.
        statements: by kind, in the order of names.
        facts: in the order of the vocabulary.
        questions: in the order in which the packs first ask them; ``asked`` are these questions themselves.
        unused: facts that no requirement rests on.
    """

    packs: tuple[CompiledPack, ...]
    own: tuple[int, ...]
    statements: tuple[Crossing, ...]
    facts: tuple[Crossing, ...]
    questions: tuple[Crossing, ...]
    asked: Mapping[str, Question]
    unused: tuple[str, ...]


def cross(packs: Sequence[CompiledPack]) -> Crosswalk:
    """The crosswalk of ``packs``. What a pack takes over from another one of them counts there, and not again."""
    asked = {each.id: each for pack in packs for each in pack.questions}
    found: dict[str, dict[str, _Lists]] = {}
    own = []
    for pack in packs:
        lines = tuple(_own_lines(pack, packs))
        own.append(len(lines))
        below = _kinds_of_steps(pack)
        for line in lines:
            settling = {*_keys(line.names), *_kinds(line, line.names, (line.passes,), below)}
            rest = (line.applies, line.undecided, line.offenders, *(when for _, when in line.phases))
            bearing = {*_keys(line.all_names), *_kinds(line, line.all_names, rest, below)} - settling
            for key in settling:
                found.setdefault(key, {}).setdefault(pack.pack.id, _Lists()).settles.append(line.requirement.id)
            for key in bearing:
                found.setdefault(key, {}).setdefault(pack.pack.id, _Lists()).bears_on.append(line.requirement.id)
    served = {
        key: tuple(Served(name, tuple(each.settles), tuple(each.bears_on)) for name, each in by.items())
        for key, by in found.items()
    }
    kinds = sorted(key.removeprefix("statement ") for key in served if key.startswith("statement "))
    return Crosswalk(
        tuple(packs), tuple(own),
        tuple(Crossing(kind, served[f"statement {kind}"]) for kind in kinds),
        tuple(Crossing(name, served[name]) for name in VOCABULARY if name in served),
        tuple(Crossing(name, served[f"question {name}"]) for name in asked if f"question {name}" in served),
        asked, tuple(name for name in VOCABULARY if name not in served),
    )  # fmt: skip


class _Lists:
    def __init__(self) -> None:
        self.settles: list[str] = []
        self.bears_on: list[str] = []


def _own_lines(pack: CompiledPack, packs: Sequence[CompiledPack]) -> Iterator[CompiledRequirement]:
    below = {each.pack.name: each for each in packs if each.pack.name in pack.pack.extends}
    taken = {line.requirement.id for each in below.values() for line in each.requirements}
    return (line for line in pack.requirements if line.requirement.id not in taken)


def question_of(name: str) -> str:
    """The question that a name is the answer to: of ``answers.risk_file.date`` it is ``risk_file``; '' of what is no answer."""
    return name.split(".")[1] if name.startswith("answers.") else ""


def _keys(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        asked = question_of(name)
        yield f"question {asked}" if asked else name


def _kinds(
    line: CompiledRequirement,
    names: Sequence[str],
    conditions: Sequence[Condition | None],
    below: Mapping[str, frozenset[str]],
) -> Iterator[str]:
    """Kinds of statements: of facts, of ``needs``, and those that conditions look for in ``evidence.kinds``."""
    kinds = {VOCABULARY[name].kind for name in names if name in VOCABULARY} | set(line.requirement.needs)
    for condition in conditions:
        kinds |= _looked_for(condition, below)
    return (f"statement {kind}" for kind in kinds if kind)


def _looked_for(condition: Condition | None, below: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if condition is None:
        return frozenset()
    out = {kind for name in condition.names for kind in below.get(name, ())}
    if _AT_HAND in condition.names:
        out |= {each for each in literals(condition.text) if each in KINDS}
    return frozenset(out)


def _kinds_of_steps(pack: CompiledPack) -> Mapping[str, frozenset[str]]:
    below: dict[str, frozenset[str]] = {}
    for each in pack.steps:
        below[each.step.name] = frozenset(
            kind for condition in (*each.values, each.undecided) for kind in _looked_for(condition, below)
        )
    return below
