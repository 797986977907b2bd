"""choose: which of several models meets a need, by the evidence there is: what is feasible, what is excluded and by which evidence, what nobody can say yet.

A requirement is met or not met only where evidence says so, with its whole interval; else it is open, and the command is named that would make the evidence. A
model is feasible where all is met, excluded where one thing is not, open elsewhere. Among those that are feasible the need's own preference decides.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates import NAMES
from openvet.workflows.candidates import Candidate, Evidence
from openvet.workflows.choose_evidence import result_of, results_of, tasks_of
from openvet.workflows.choose_lines import lines_of
from openvet.workflows.choose_words import EXCLUDED, FEASIBLE, MET, NOT_MET, OPEN, UNKNOWN, Line, Weighed
from openvet.workflows.devices import find_devices
from openvet.workflows.eval_compare import compare as compare_results
from openvet.workflows.eval_files import log_path
from openvet.workflows.need import Need
from openvet.workflows.packs import load_pack

__all__ = ["CHOICE_TYPE", "Choice", "choose"]

CHOICE_TYPE: Final = f"{NAMES}/choice/v1"


@dataclass(frozen=True, slots=True)
class Choice:
    """What came of it.

    Attributes:
        ranked: places of those that are feasible, best first.
        as_good: places that the first is not resolved to be better than, by the first preference.
    """

    need: Need
    weighed: tuple[Weighed, ...]
    ranked: tuple[int, ...]
    as_good: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``chosen``; ``open`` where evidence is missing that could make one feasible; ``none``."""
        if self.ranked:
            return "chosen"
        return "open" if any(each.word == OPEN for each in self.weighed) else "none"

    def to_json(self) -> dict[str, Any]:
        return {
            "type": CHOICE_TYPE,
            "need": self.need.name,
            "verdict": self.verdict,
            "chosen": self.weighed[self.ranked[0]].candidate.name if self.ranked else None,
            "ranked": list(self.ranked),
            "as_good": list(self.as_good),
            "prefer": list(self.need.prefer),
            "candidates": [
                {
                    "name": each.candidate.name,
                    "digest": dict(each.candidate.digest),
                    "standing": each.word,
                    "lines": [line.to_json() for line in each.lines],
                }
                for each in self.weighed
            ],
            "notes": list(self.notes),
        }


def choose(
    need: Need, candidates: Sequence[Candidate], as_of: date, *, key: PublicKey | None = None, beside: str = ""
) -> Choice:
    """Weigh candidates against a need.

    Args:
        as_of: the day that packs are asked about.
        key: that was named, by which dossiers are verified for packs.
        beside: the folder that paths of packs start from.

    Raises:
        UsageError: there is no candidate, no such device or pack, or the need asks for signatures and no key was named.
        VerifyError: a log is not the one that its result states.
    """
    if not candidates:
        raise UsageError("there is no candidate: name models, dossiers or statements")
    if need.signed and key is None:
        raise UsageError("the need counts signed statements alone: name the key that signs them by --key")
    devices = find_devices([need.device]) if need.device else []
    if len(devices) > 1:
        raise UsageError(f"the need's device {need.device!r} is a file with {len(devices)} devices; it has to be one")
    device = devices[0] if devices else None
    packs = [load_pack(each, beside) for each in need.packs]
    weighed = []
    if need.signed:
        for candidate in candidates:
            candidate.evidence = [each for each in candidate.evidence if each.basis != "not verified"]
    tasks = tasks_of(need, candidates)
    for candidate in candidates:
        made = Weighed(candidate)
        made.lines += lines_of(need, made, device, packs, as_of, key, tasks)
        weighed.append(made)
    _hold_against_best(need, weighed)
    ranked, as_good, notes = _rank(need, weighed)
    return Choice(need, tuple(weighed), ranked, as_good, notes)


def _hold_against_best(need: Need, weighed: Sequence[Weighed]) -> None:
    """With a margin: nobody may be worse than the best that is not excluded by more than it."""
    task = need.task
    if task is None or task.margin is None:
        return
    measured = [each for each in weighed if "quality" in each.figures]
    standing = [each for each in measured if each.word != EXCLUDED] or measured
    if not standing:
        return
    best = max(standing, key=lambda each: each.figures["quality"][0])
    for each in measured:
        name = f"task {task.name} not worse than the best by more than {task.margin:g}"
        source = result_of(need, each.candidate)
        if each is best:
            each.lines.append(Line(name, MET, "it is the best that is not excluded", source))
        else:
            each.lines.append(_not_worse(name, need, each, best, task.margin, source))


def _not_worse(name: str, need: Need, each: Weighed, best: Weighed, margin: float, source: Evidence | None) -> Line:
    other = result_of(need, best.candidate)
    command = (
        f"more samples: openvet eval plan {shlex.quote(need.task.name if need.task else '')}.yaml --margin {margin:g}"
    )
    one_each = len(results_of(need, each.candidate)) == len(results_of(need, best.candidate)) == 1
    if source is not None and other is not None and one_each and _logs_at_hand(source, other):
        try:
            (task,) = compare_results(source.path, other.path, margin=margin).tasks
        except UsageError as error:
            return Line(name, UNKNOWN, f"not comparable with {best.candidate.name}: {error}", source, command)
        found = task.pairing.found.difference
        shown = f"{found.value:+.4g} ({found.low:.4g} to {found.high:.4g}) against {best.candidate.name}, on the same samples"
        if task.pairing.left_out:
            shown += f", {task.pairing.left_out} left out"
        word = task.verdict.word
        if word in ("better", "not-inferior"):
            return Line(name, MET, shown, source)
        if word == "inferior":
            return Line(name, NOT_MET, shown, source)
        return Line(name, UNKNOWN, f"{shown}: {task.verdict.why}", source, command)
    (_, low, high), (_, best_low, best_high) = each.figures["quality"], best.figures["quality"]
    shown = f"by intervals of different samples, against {best.candidate.name}"
    if low >= best_high - margin:
        return Line(name, MET, shown, source)
    if high < best_low - margin:
        return Line(name, NOT_MET, shown, source)
    return Line(
        name,
        UNKNOWN,
        f"{shown}: not resolved",
        source,
        f"{command}; with logs beside the results they are compared on the same samples",
    )


def _logs_at_hand(*results: Evidence) -> bool:
    return all(each.path and os.path.isfile(log_path(each.path)) for each in results)


def _rank(need: Need, weighed: Sequence[Weighed]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    feasible = [at for at, each in enumerate(weighed) if each.word == FEASIBLE]
    notes = []

    def key(at: int) -> tuple[float, ...]:
        # what is not known comes last
        return tuple(-weighed[at].figures[name][0] if name in weighed[at].figures else math.inf for name in need.prefer)

    ranked = sorted(feasible, key=key)
    as_good: tuple[int, ...] = ()
    if ranked:
        first = need.prefer[0]
        unknown = [weighed[at].candidate.name for at in ranked if first not in weighed[at].figures]
        if unknown:
            notes.append(f"{first} of {', '.join(unknown)} is not known: ranked behind what is")
        if first in weighed[ranked[0]].figures:
            low = weighed[ranked[0]].figures[first][1]
            as_good = tuple(
                at
                for at in ranked[1:]
                if first in weighed[at].figures
                and (weighed[at].figures[first][2] >= low or _apart(first, [weighed[ranked[0]], weighed[at]]))
            )
            if as_good:
                names = ", ".join(weighed[at].candidate.name for at in as_good)
                notes.append(f"that it has the better {first} than {names} is not resolved by the intervals")
        notes += [
            f"{name} was measured under different conditions (processor, runtime, limits or work): the order by it says nothing of the models"
            for name in need.prefer
            if _apart(name, [weighed[at] for at in ranked])
        ]
    elif weighed:
        opened = sum(each.word == OPEN for each in weighed)
        if opened:
            notes.append(f"of {opened} nobody can tell yet: the commands beside what is unknown make the evidence")
    _note_basis(weighed, notes)
    return tuple(ranked), as_good, tuple(notes)


def _apart(name: str, several: Sequence[Weighed]) -> bool:
    """Whether a figure of several was measured under conditions that are not the same."""
    return len(set().union(*(each.under.get(name, frozenset()) for each in several))) > 1


def _note_basis(weighed: Sequence[Weighed], notes: list[str]) -> None:
    if any(line.source is not None and line.source.basis == "not verified" for each in weighed for line in each.lines):
        notes.append("statements were taken as they are: without --key nobody's signature was verified")
