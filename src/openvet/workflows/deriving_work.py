"""One step from the parent that was read to its certificate; of a ladder the smallest rung that fits and is good enough."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from openvet.core.progress import Progress
from openvet.evals.log import number
from openvet.evidence.predicates.derivation_v1 import Budget, DerivationV1, Input, Parent, Rung
from openvet.profile.fit import room_on
from openvet.sandbox.canary import Proof
from openvet.sandbox.levels import ENOUGH
from openvet.sandbox.supervisor import Bounds, MiB
from openvet.workflows.deriving_asked import Asked, Wanted
from openvet.workflows.deriving_facts import beside_of, kept_of, parts_of, serve_bytes, weights_of, zeros_of
from openvet.workflows.deriving_said import notes_on, said
from openvet.workflows.knowledge import tool
from openvet.workflows.making import Begun, Made, RefusedError, Side, Step
from openvet.workflows.measuring import Measured, Measuring, check_can, measure
from openvet.workflows.opening import address_space

__all__ = ["Work"]

_OF_MEASURING: Final = 6144 * MiB


class Work:
    """One request, from the parent that was read to the certificate."""

    def __init__(
        self,
        asked: Asked,
        parent: Side,
        place: Begun,
        proof: Proof,
        data: tuple[Input, ...],
        progress: Progress,
        kept: dict[tuple[str, str], Any],
    ) -> None:
        self._asked, self._parent, self._place, self._proof = asked, parent, place, proof
        self._data, self._progress, self._kept = data, progress, kept

    def measured(
        self, made: Made, loss: float | None, *, answers: bool = True, speed: bool = True, looks: int = 1
    ) -> Measured:
        """Hold a child against its parent: by its answers, by its speed, or both."""
        how = self._how(max(self._parent.size, made.side.size), loss, answers=answers, speed=speed, looks=looks)
        return measure(self._parent, made.side, how, self._progress)

    def check(self) -> None:
        """Before the long work: whether the parent can do its tasks (raises like :func:`check_can`)."""
        if self._asked.tasks:
            check_can(self._parent, self._how(self._parent.size, None))

    def _how(
        self, size: int, loss: float | None, *, answers: bool = True, speed: bool = True, looks: int = 1
    ) -> Measuring:
        asked = self._asked
        texts, tasks = (asked.texts, asked.tasks) if answers else ((), ())
        scratch = os.path.join(self._place.folder, "measure")
        os.makedirs(scratch, exist_ok=True)
        bounds = Bounds(
            seconds=asked.seconds,
            cpu_seconds=int(asked.seconds * (asked.threads + 1)) + 1,
            memory=asked.memory or address_space(size),
            file_size=max(_OF_MEASURING, size),
        )
        return Measuring(
            texts, tasks, loss, self._proof.level, bounds, self._place.child.python, asked.threads, scratch, speed and asked.speed, self._kept, looks,
            sample=answers,
        )  # fmt: skip

    def certificate(self, step: Step, made: Made, found: Measured, budget: Budget | None = None) -> DerivationV1:
        """What is stated."""
        parent, transform = self._parent, step.transform
        parameters = {"to": step.to, **{name: said(value) for name, value in sorted(step.settings.items())}}
        parameters |= {
            f"made:{name}": said(value) for name, value in sorted(made.record.items()) if not isinstance(value, list)
        }
        runtime = {
            "packages": made.version, "python": self._place.child.python.version, "level": self._proof.level.id, "threads": str(self._asked.threads),
            "isolation": "proven" if self._proof.proven and self._proof.level.number >= ENOUGH else "accepted as it is",
        }  # fmt: skip
        before = weights_of(parent, parent.parameters)
        after = weights_of(made.side, parent.parameters if transform.packed else made.side.parameters)
        if transform.command == "prune":
            before, after = (
                replace(each, zeros=zeros_of(side)) for each, side in ((before, parent), (after, made.side))
            )
        loss = self._asked.loss if self._asked.wanted is None else self._asked.wanted.loss
        return DerivationV1(
            tool(),
            transform.command,
            transform.id,
            parameters,
            runtime,
            Parent(parent.name, dict([parent.digest])),
            (*self._data, *found.inputs),
            before,
            after,
            kept_of(parent, made.side, transform.command),
            found.agreement,
            found.tasks,
            found.cost,
            budget,
            None if loss is None else number(loss),
            found.verdict,
            found.why,
            (*transform.notes, *self._beside(step, made), *notes_on(step, before, after, made, found), *found.notes),
            parts_of(parent, made.side, transform.command, packed=transform.packed),
        )

    def _beside(self, step: Step, made: Made) -> list[str]:
        """What of a folder came along, where the transform changes weights alone (raises :class:`RefusedError`)."""
        if not step.transform.keeps or not os.path.isdir(self._parent.path):
            return []
        came, left = beside_of(self._parent, made.side)
        notes = [f"Files beside the weights that came along, byte for byte: {came}."] if came else []
        return notes + ([f"Left behind: {', '.join(left[:8])}{', ...' if len(left) > 8 else ''}."] if left else [])

    def search(self, steps: Sequence[Step], wanted: Wanted) -> tuple[Made, DerivationV1]:
        """Make every rung, and measure from the smallest until one fits and is not inferior.

        One lies on the disk at a time: each is made once to see how large it is, and again when its turn has come.

        Raises:
            RefusedError: not one rung can be made.
        """
        made: list[tuple[Step, int, int, str]] = []
        rungs: list[Rung] = []
        for step in steps:
            try:
                one = self._place.make(self._parent, step, self._progress)
            except RefusedError as error:
                rungs.append(Rung(step.to, 0, 0, "not-made", str(error)))
            else:
                made.append((step, one.side.size, *self._fits(one.side, wanted)))
                self._place.drop(one)
        if not made:
            raise RefusedError("no rung can be made: " + "; ".join(f"{each.to}: {each.why}" for each in rungs))
        made.sort(key=lambda each: each[1])
        # the first that is good enough is taken: each that may be it is a look, and a look by chance must not be enough
        looks = max(1, sum(not why for _, _, _, why in made))
        last: tuple[Step, Made, Measured] | None = None
        for step, size, need, why in made:
            if why:
                rungs.append(Rung(step.to, size, need, "too-large", why))
                continue
            if last is not None:
                self._place.drop(last[1])
            each = self._place.make(self._parent, step, self._progress)
            found = self.measured(each, wanted.loss, speed=False, looks=looks)
            if looks > 1:
                found = replace(found, notes=(*found.notes, _looked(looks)))
            rungs.append(Rung(step.to, each.side.size, need, found.verdict, found.why))
            last = (step, each, found)
            if found.verdict == "as-good":
                if self._asked.speed:  # of the one that was chosen alone
                    timed = self.measured(each, None, answers=False)
                    found = replace(found, cost=timed.cost, slower=timed.slower)
                return each, self.certificate(step, each, found, _budget(wanted, rungs))
        if last is None:
            step, _, _, why = made[0]
            each = self._place.make(self._parent, step, self._progress)
            verdict = Measured((), (), None, (), "worse", f"the smallest rung does not fit: {why}", ())
            last = (step, each, verdict)
        step, each, found = last
        why = "no rung that fits was shown to be as good as was asked for: " + "; ".join(
            f"{one.to}: {one.verdict}" for one in rungs
        )
        unresolved = any(one.verdict in ("unresolved", "not-made") for one in rungs)
        found = replace(found, verdict="unresolved" if unresolved else "worse", why=why)
        return each, self.certificate(step, each, found, _budget(wanted, rungs))

    def _fits(self, side: Side, wanted: Wanted) -> tuple[int, str]:
        """Bytes to serve, and why they are too many; '' where they are not."""
        need = serve_bytes(side)
        if wanted.memory and need > wanted.memory:
            return need, f"{need:,} bytes to serve are more than {wanted.memory:,}"
        if wanted.device is not None:
            available, _, word = room_on(wanted.device, need)
            if word == "no":
                return need, f"{need:,} bytes to serve are more than the {available:,} of {wanted.device.label}"
        return need, ""


def _looked(looks: int) -> str:
    return (
        f"{looks} rungs fit, and the smallest that is as good is taken: each is judged at a level of 5 % divided by {looks}, "
        f"by intervals of {100.0 - 5.0 / looks:.2f} %; those that are listed are of 95 %."
    )


def _budget(wanted: Wanted, rungs: Sequence[Rung]) -> Budget:
    return Budget("" if wanted.device is None else wanted.device.label, wanted.memory, tuple(rungs))
