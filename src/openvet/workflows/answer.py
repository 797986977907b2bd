"""One question about a model, without the rules and without a decision: what ``openvet profile`` and its like ask."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from openvet.core.coverage import Unknown
from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.evidence.statement import Predicate, ResourceDescriptor, Statement
from openvet.workflows.check import Options, Taken, take

__all__ = ["Answer", "ask", "not_read"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one room says about one subject.

    Attributes:
        path: what the user named, printable.
        subject: its name, and its digests where they were computed.
        predicate: the answer.
        unknowns: what was not read, so that there may be more than the answer says.
    """

    path: str
    subject: ResourceDescriptor
    predicate: Predicate
    unknowns: tuple[Unknown, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "subject": self.subject.to_json(),
            "statements": [Statement(self.subject, self.predicate).to_json()],
            "unknowns": [each.to_json() for each in self.unknowns],
        }


def not_read(taken: Taken) -> tuple[Unknown, ...]:
    """What was not read of a model, as a check would say it; that a server was not asked for every byte is no part of it."""
    cut = taken.snapshot.cut
    found = [Unknown("limit", cut, Location(""))] if cut else []
    found += [each for part in taken.inventory.walk() for each in part.unknowns if each.reason != "unverified"]
    return tuple(found)


def ask(
    path: str | os.PathLike[str],
    question: str,
    options: Options | None = None,
    progress: Progress | None = None,
    *,
    digests: bool = False,
) -> Answer:
    """Read a model once and answer ``question``, the name of a statement that a room makes (``profile``).

    Args:
        digests: also hash every byte, so that the answer names what it is about; without it only headers are read.

    Raises:
        SubjectError: the model cannot be examined.
        UsageError: an option makes no sense.
    """
    from openvet.workflows.assemble import answers_of, subject_of

    settled = (options or Options()).settled()
    if not digests:
        settled = replace(settled, algorithms=())
    named = os.fspath(path)
    taken = take(named, settled, progress or Progress())
    subject = subject_of(taken.snapshot, taken.inventory)
    found = answers_of(taken.inventory, [question], subject.name, subject.digest)
    return Answer(printable(named), subject, found[question], not_read(taken))
