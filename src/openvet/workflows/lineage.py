"""lineage: what a model declares that it was made of, and what its weights say beside other models or their fingerprints."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from openvet.core.coverage import Unknown
from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import ReadError, UsageError
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node, WeightTest
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.answer import not_read
from openvet.workflows.check import Options, make_pool
from openvet.workflows.fingerprints import (
    Fingerprinted,
    Held,
    hold,
    is_statement,
    numpy_or_usage,
    read_fingerprint,
    sketched,
    spreader,
)
from openvet.workflows.knowledge import tool
from openvet.workflows.opened import Opened

if TYPE_CHECKING:
    from openvet.evidence.keys import PublicKey
    from openvet.lineage.judge import Judged
    from openvet.lineage.mixing import Origin
    from openvet.lineage.sides import Side

__all__ = ["Lined", "lineage"]

#: Other models that one is held against at once.
_MOST: Final = 16
_BESIDE: Final = ("config", "tokenizer", "vocabulary", "chat-template", "names", "shapes")


@dataclass(frozen=True, slots=True)
class Lined:
    """What came out.

    Attributes:
        subject: the model that it is about.
        predicate: the graph and the tests.
        notes: what a person has to know beside it: fingerprints that nobody signed, weights that were not read.
        tested: whether another model was at hand.
        path: what the user named, printable.
        unknowns: what was not read of the model.
    """

    subject: ResourceDescriptor
    predicate: LineageV1
    notes: tuple[str, ...] = ()
    tested: bool = False
    path: str = ""
    unknowns: tuple[Unknown, ...] = ()

    @property
    def statement(self) -> Statement:
        return Statement(self.subject, self.predicate)

    @property
    def verdict(self) -> str | None:
        """The worst of what was tested; ``None`` where nothing was."""
        found = {each.verdict for each in self.predicate.tests if each.claim in {"derived", "adapter"}}
        return next((each for each in ("not-consistent", "cannot-tell", "consistent") if each in found), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "subject": self.subject.to_json(),
            "statements": [self.statement.to_json()],
            "unknowns": [each.to_json() for each in self.unknowns],
            "verdict": self.verdict,
            "notes": list(self.notes),
        }


def lineage(
    path: str,
    others: Sequence[str] = (),
    options: Options | None = None,
    progress: Progress | None = None,
    key: PublicKey | None = None,
) -> Lined:
    """Say what ``path`` declares, and test whether it may come from each of ``others``.

    Args:
        path: a model, or a file with the statement of a fingerprint.
        others: the same.
        key: who has to have signed fingerprints; ``None`` takes them unsigned.

    Raises:
        SubjectError: one of them cannot be read.
        UsageError: NumPy is missing, or an option makes no sense.
        VerifyError: a fingerprint is not signed by ``key``, or its body is none.
        ReadError: the numbers of a fingerprint make no sense.
    """
    if len(others) > _MOST:
        raise UsageError(f"at most {_MOST} other models are held against one; there are {len(others)}")
    settled = (options or Options()).settled()
    progress = progress or Progress()
    np = numpy_or_usage() if others else None
    with ExitStack() as stack:
        pool = make_pool(settled, progress)
        models = [_Model(each, settled, pool, key, stack) for each in (path, *others)]
        for each in models:
            each.read(progress, np)
        return _Lining(np, models[0], models[1:], settled).all()


class _Model:
    """One of the models: open, or only a fingerprint."""

    def __init__(self, path: str, options: Options, pool: Any, key: PublicKey | None, stack: ExitStack) -> None:
        self.path, self._options = path, options
        self.opened: Opened | None = None
        self.held: Held | None = None
        self.fingerprinted = read_fingerprint(path, key) if is_statement(path) else None
        if self.fingerprinted is None:
            self.opened = stack.enter_context(Opened(os.fspath(path), options))
            self.opened.begin(pool)

    def read(self, progress: Progress, np: Any) -> None:
        """Parse, and sketch where something is compared."""
        if self.opened is None:
            return
        self.opened.read(progress)
        if np is not None:
            self.held = hold(np, self.opened)
            self.fingerprinted = sketched(np, self.opened, self.held, self._options)

    @property
    def subject(self) -> ResourceDescriptor:
        if self.fingerprinted is not None:
            return self.fingerprinted.subject
        from openvet.workflows.assemble import subject_of

        return subject_of(self.opened.taken.snapshot, self.opened.taken.inventory)  # type: ignore[union-attr] # it is one of the two

    def declared(self) -> LineageV1:
        """What its files say; of a fingerprint nothing but what it is of."""
        subject = self.subject
        if self.opened is None:
            return LineageV1(tool(), (Node(THIS, "model", subject.name, digest=dict(subject.digest)),))
        from openvet.workflows.assemble import answers_of

        made = answers_of(self.opened.taken.inventory, ["lineage"], subject.name, subject.digest)["lineage"]
        if not isinstance(made, LineageV1):
            raise TypeError("the question is answered by another predicate")
        return made

    def notes(self) -> Iterator[str]:
        shown = printable(self.path)
        if self.fingerprinted is None:
            return
        if self.opened is None and not self.fingerprinted.signed:
            yield f"{shown}: whoever made this fingerprint was not asked for a signature (--key)"
        for each in self.fingerprinted.predicate.not_sketched:
            yield f"{shown}: {f'{each.place}: ' if each.place else ''}{each.reason}"
        if self.fingerprinted.predicate.left_off:
            yield f"{shown}: {self.fingerprinted.predicate.left_off} further matrices are not in the sketch"


class _Lining:
    """One model and the others, all read."""

    def __init__(self, np: Any, model: _Model, others: Sequence[_Model], options: Options) -> None:
        self.np, self.model, self.others, self.options = np, model, others, options
        self.tests: list[WeightTest] = []
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []

    def all(self) -> Lined:
        declared = self.model.declared()
        notes = [*self.model.notes()]
        judged: list[Origin] = []
        if self.others:
            from openvet.lineage.sides import open_side

            side = open_side(self.np, self._print(self.model).predicate)
            for each in self.others:
                notes.extend(each.notes())
                found = self._one(side, each, self._node(each, declared), declared.nodes[0].kind)
                if found is not None and found.judged.test.verdict == "consistent":
                    judged.append(found)
            self._mixtures(judged)
        made = replace(
            declared,
            nodes=(declared.nodes[0], *sorted((*declared.nodes[1:], *self.nodes), key=lambda each: each.id)),
            edges=tuple(
                sorted((*declared.edges, *self.edges), key=lambda each: (each.derivative, each.relation, each.origin))
            ),
            tests=tuple(self.tests),
        )
        opened = self.model.opened
        unknowns = () if opened is None else not_read(opened.taken)
        shown = printable(self.model.path)
        return Lined(self.model.subject, made, tuple(notes), bool(self.others), shown, unknowns)

    @staticmethod
    def _print(model: _Model) -> Fingerprinted:
        if model.fingerprinted is None:
            raise AssertionError("everything that is compared was sketched")
        return model.fingerprinted

    def _node(self, other: _Model, declared: LineageV1) -> str:
        """The node of another model: the declared one of that digest, or one of its own."""
        subject = other.subject
        for each in declared.nodes[1:]:
            if any(each.digest.get(name) == value for name, value in subject.digest.items()):
                return each.id
        known = {each.id for each in (*declared.nodes, *self.nodes)}
        identifier = f"given:{subject.name}"
        while identifier in known:
            identifier += "'"
        self.nodes.append(Node(identifier, "model", subject.name, digest=dict(subject.digest)))
        return identifier

    def _one(self, side: Side, other: _Model, node: str, kind: str) -> Origin | None:
        from openvet.lineage.judge import judge
        from openvet.lineage.manner import manner
        from openvet.lineage.mixing import Origin
        from openvet.lineage.sides import open_side

        np = self.np
        two = open_side(np, self._print(other).predicate)
        if kind == "adapter":
            from openvet.lineage.adapters import fits

            self.tests.append(fits(side, two, THIS, node))
            return None
        judged = judge(np, side, two, THIS, node)
        test = replace(judged.test, figures={**judged.test.figures, **self._beside(other)})
        self.tests.append(test)
        if test.verdict != "consistent":
            return None
        said = manner(np, judged, side, two)
        exactly = self._exact(other, node, judged)
        claims = {each.claim for each in exactly}
        if any(each.verdict == "consistent" for each in exactly) and claims & {
            "quantized",
            "cast",
            "pruned",
            "identical",
        }:
            claims |= {
                "quantized",
                "cast",
                "pruned",
                "identical",
                "finetune",
            }  # what every value said is not asked of a few
        self.tests += [*exactly, *(each for each in said if each.claim not in claims)]
        self.edges.append(Edge(THIS, node, "based-on", "measured"))
        return Origin(judged, two)

    def _beside(self, other: _Model) -> dict[str, str]:
        """What is the same beside the weights. It is told, and no reason for anything."""
        one, two = (self._print(each).predicate.digests for each in (self.model, other))
        return {
            f"same {word}": "yes" if one[word] == two[word] else "no" for word in _BESIDE if word in one and word in two
        }

    def _exact(self, other: _Model, node: str, judged: Judged) -> list[WeightTest]:
        """Value by value, where both models are open and their tensors stand at the same places."""
        if self.model.held is None or other.held is None or judged.test.test != "vector-correlation":
            return []
        from openvet.lineage.exact import Weights, exact

        with ThreadPoolExecutor(self.options.jobs or len(os.sched_getaffinity(0)), "compare") as pool:
            try:
                a, b = (Weights(each.tensors, each.heads) for each in (self.model.held, other.held))
                return exact(self.np, a, b, THIS, node, spreader(pool))
            except ReadError:
                return []
            except BaseException:
                for each in (self.model, other):
                    if each.opened is not None:
                        each.opened.stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _mixtures(self, origins: Sequence[Origin]) -> None:
        """The models that it is consistent with: does it lie between two of them, or was it merged out of all in another way?"""
        from openvet.lineage.manner import mixture
        from openvet.lineage.mixing import combination, stacked, value_by_value

        np = self.np
        together = combination(np, origins)
        if together is not None:
            self.tests.append(together)
            return
        for at, first in enumerate(origins):
            for second in origins[at + 1 :]:
                found = mixture(np, first.judged, second.judged)
                if found is not None:
                    self.tests.append(found)
        rests = ([*origins[:at], *origins[at + 1 :]] for at in range(len(origins)))
        sparse = (value_by_value(np, base, rest) for base, rest in zip(origins, rests, strict=True))
        self.tests += [each for each in (stacked(np, origins), *sparse) if each is not None]
