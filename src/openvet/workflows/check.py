"""check: read a model, run the rules, decide."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.core.progress import Progress
from openvet.inventory.ahead import Ahead
from openvet.io.hashing import HashPool
from openvet.origins.local import LocalOrigin

if TYPE_CHECKING:
    from openvet.reports.report import ModelReport, Report

__all__ = ["Options", "check", "check_each"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to check.

    Attributes:
        jobs: hashing threads.
        exclude: shell patterns of names that are not read (and so are listed as unread).
        algorithms: digests to compute; ``sha256`` is always among them.
        digest_members: also of every member of an archive, and not only of those that are programs.
        every_call: programs in the inventory list every call that loading makes, and not only the first ones.
        limits: what one subject may cost.
        with_inventory: also say what the model is, not only whether it is safe.
        rules: ids of the only rules to run; empty means all.
    """

    jobs: int = 0
    exclude: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ("sha256",)
    digest_members: bool = False
    every_call: bool = False
    limits: Limits = DEFAULT_LIMITS
    with_inventory: bool = True
    rules: tuple[str, ...] = ()


def check(
    paths: Sequence[str | os.PathLike[str]], options: Options | None = None, progress: Progress | None = None
) -> Report:
    """Check every path and give one report.

    Raises:
        SubjectError: a path does not exist or may not be opened.
        UsageError: an option makes no sense.
    """
    from openvet.reports.report import Report
    from openvet.workflows.knowledge import rule_texts, tool

    models = tuple(check_each(paths, options, progress))
    return Report(tool(), models, rule_texts())


def check_each(
    paths: Sequence[str | os.PathLike[str]], options: Options | None = None, progress: Progress | None = None
) -> Iterator[ModelReport]:
    """Check path after path and give each result as it is there."""
    options = options or Options()
    progress = progress or Progress()
    for path in paths:
        yield _check_one(os.fspath(path), options, progress)


def _check_one(path: str, options: Options, progress: Progress) -> ModelReport:
    jobs = options.jobs or len(os.sched_getaffinity(0))
    budget = Budget(options.limits)
    pool = HashPool(jobs, options.algorithms, progress)
    origin = LocalOrigin(path, exclude=options.exclude, limits=options.limits)
    try:
        ahead = Ahead(origin, pool)
        # whatever is not needed to begin hashing is imported only now
        from openvet.inventory.build import take_inventory

        inventory = take_inventory(
            ahead,
            budget,
            pool,
            progress,
            algorithms=options.algorithms,
            digest_members=options.digest_members,
            every_call=options.every_call,
            meanwhile=_get_ready,
        )
    finally:
        pool.stop()
        origin.close()
    from openvet.workflows.assemble import assemble

    return assemble(path, origin.snapshot, inventory, budget, options)


def _get_ready() -> None:
    """Import everything else, while threads are still hashing."""
    from openvet.workflows.assemble import get_ready

    get_ready()
