"""diff: what changed between two models, each read and hashed once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.check import Options, make_pool
from openvet.workflows.opened import Opened
from openvet.workflows.side_by_side import SideBySide

if TYPE_CHECKING:
    from openvet.evidence.predicates.diff_v1 import DiffV1

__all__ = ["Difference", "diff"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from ``a`` to ``b``."""

    a: ResourceDescriptor
    b: ResourceDescriptor
    predicate: DiffV1

    @property
    def statement(self) -> Statement:
        """About B."""
        return Statement(self.b, self.predicate)


def diff(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    options: Options | None = None,
    progress: Progress | None = None,
) -> Difference:
    """Read both models once, hash them, and say what changed from ``a`` to ``b``.

    Raises:
        SubjectError: one of them cannot be read.
        UsageError: an option makes no sense.
    """
    settled = (options or Options()).settled()
    progress = progress or Progress()
    pool = make_pool(settled, progress)
    with Opened(os.fspath(a), settled) as one, Opened(os.fspath(b), settled) as other:
        beside = SideBySide(one, other, pool)
        one.begin(pool, beside.submit_a)
        other.begin(pool, beside.submit_b)
        # hashing is under way: whatever is not needed for that is imported only now
        for each in (one, other):
            each.read(progress)
        from openvet.workflows.assemble import subject_of
        from openvet.workflows.comparing import Comparing

        subjects = [subject_of(each.taken.snapshot, each.taken.inventory) for each in (one, other)]
        comparing = Comparing(one, other, settled.jobs or len(os.sched_getaffinity(0)), progress, beside.found())
        return Difference(subjects[0], subjects[1], comparing.all(subjects[0]))
