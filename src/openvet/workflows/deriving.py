"""quantize, prune, distill, convert, finetune: one step, its certificate, and where a budget asks for it the smallest rung of a ladder that is good enough."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.derivation_v1 import DerivationV1, Input
from openvet.evidence.predicates.provenance_v1 import Provenance
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.deriving_asked import Asked
from openvet.workflows.deriving_said import provenance_of
from openvet.workflows.deriving_work import Work
from openvet.workflows.detonate import Asked as AskedLevel
from openvet.workflows.detonate import proven_level
from openvet.workflows.held_model import model_digest
from openvet.workflows.log import digest_of
from openvet.workflows.making import RefusedError, Side, Step, begin, find_step, read_side
from openvet.workflows.measuring import read_inputs
from openvet.workflows.opening import Asked as Opening
from openvet.workflows.opening import look

__all__ = ["DERIVED_TYPE", "Derived", "derive"]

DERIVED_TYPE: Final = f"{NAMES}/derivation-report/v1"


@dataclass(frozen=True, slots=True)
class Derived:
    """What came of it. ``made`` says whether a child is in its place: a budget that no rung meets leaves none."""

    subject: ResourceDescriptor
    body: DerivationV1
    provenance: Provenance
    made: bool

    @property
    def statement(self) -> Statement:
        return Statement(self.subject, self.body)

    def to_json(self) -> dict[str, Any]:
        return {
            "type": DERIVED_TYPE,
            "subject": self.subject.to_json(),
            "made": self.made,
            "derivation": self.body.to_json(),
        }


def derive(
    asked: Asked, progress: Progress | None = None, ready: Callable[[Derived], None] = lambda _: None
) -> Derived:
    """Make a step and say what it did.

    Args:
        ready: is given what came of it before anything is put in its place, which what it raises prevents.

    Raises:
        UsageError: what is asked for makes no sense.
        RefusedError: it cannot be made; nothing is in its place.
        NoIsolationError, SandboxError: no child could be started.
        SubjectError, VerifyError: the parent cannot be read, or changed meanwhile.
    """
    progress = progress or Progress()
    if asked.loss is not None and not (asked.texts or asked.tasks):
        raise UsageError("--loss needs something to hold it against: --text FILE or --task FILE")
    if asked.wanted is not None and not (asked.texts or asked.tasks):
        raise UsageError("--budget needs something to hold its loss against: --text FILE or --task FILE")
    if asked.texts or asked.tasks:
        look(asked.source, Opening(python=asked.python))  # before the long work: whether anything here runs it
    kept = read_inputs(asked.texts, asked.tasks)
    parent = read_side(asked.source, progress)
    steps = _steps(asked, parent)
    data = tuple(
        Input(role, printable(os.path.basename(path)), digest_of(path)) for role, path in sorted(asked.data.items())
    )
    proof = proven_level(AskedLevel(asked.level, asked.accepted))
    with begin(
        asked.source, asked.target, proof, python=asked.python, threads=asked.threads, seconds=asked.seconds, memory=asked.memory, force=asked.force
    ) as place:  # fmt: skip
        work = Work(asked, parent, place, proof, data, progress, kept)
        work.check()
        if asked.wanted is None:
            made = place.make(parent, steps[0], progress)
            body = work.certificate(steps[0], made, work.measured(made, asked.loss))
        else:
            made, body = work.search(steps, asked.wanted)
        if model_digest(asked.source, progress)[:2] != parent.digest:
            raise RefusedError(
                f"{printable(asked.source)}: changed while it was worked on, so that nothing was kept; run it again"
            )
        for each in data:
            if digest_of(asked.data[each.role]) != each.sha256:
                raise RefusedError(
                    f"{each.name}: changed while it was learned from, so that nothing was kept; run it again"
                )
        good = asked.wanted is None or body.verdict == "as-good"
        step = next(each for each in steps if each.to == body.parameters["to"])
        subject = ResourceDescriptor(made.side.name, dict([made.side.digest]))
        found = Derived(subject, body, provenance_of(body, step, made), good)
        ready(found)
        if good:
            place.put(made)
        return found


def _steps(asked: Asked, parent: Side) -> list[Step]:
    if asked.wanted is None:
        return [find_step(asked.command, parent, asked.to, asked.given, asked.data)]
    if asked.to:
        raise UsageError("--budget searches the ladder, and --to names one rung: only one of both")
    from openvet.transforms._transform import transforms

    ladders = [
        each.TRANSFORM
        for each in transforms().values()
        if each.TRANSFORM.command == asked.command and each.TRANSFORM.ladder and parent.format in each.TRANSFORM.inputs
    ]
    if not ladders:
        raise UsageError(
            f"{printable(asked.source)}: {asked.command} has no ladder for {parent.format}: --to names what to make"
        )
    return [find_step(asked.command, parent, each.name, asked.given, asked.data) for each in ladders[0].targets]
