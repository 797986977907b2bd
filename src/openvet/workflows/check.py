"""check: read a model, run the rules, decide."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.core.progress import Progress
from openvet.errors import ConfigError, SubjectError, UsageError
from openvet.inventory.ahead import Ahead
from openvet.io.hashing import HashPool
from openvet.origins.find import find_origin

if TYPE_CHECKING:
    from openvet.core.snapshot import Entry, Snapshot
    from openvet.inventory.component import Inventory
    from openvet.io.hashing import Pending
    from openvet.io.source import FileSource
    from openvet.origins.local import LocalOrigin
    from openvet.origins.remote import RemoteOrigin
    from openvet.reports.report import ModelReport, Report
    from openvet.workflows.config import Config

__all__ = ["Begun", "Options", "Taken", "begin", "check", "check_each", "finish", "make_pool", "open_origin", "take"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to check.

    Attributes:
        jobs: hashing threads.
        exclude: shell patterns of names that are not read (and so are listed as unread).
        algorithms: digests to compute, ``sha256`` among them; none where nobody has to be able to name the bytes, which spares
            reading the tensors.
        digest_members: also of every member of an archive, and not only of those that are programs.
        every_call: programs in the inventory list every call that loading makes, and not only the first ones.
        limits: what one subject may cost; ``None`` means the configuration's, or the defaults.
        with_inventory: also say what the model is, not only whether it is safe.
        only_facts: of the inventory, give only the few facts that reports for people show: no list of files, members and
            tensors, and so no statement.
        also: questions that are answered beside the usual ones: ``openness``, ``rights`` and ``origin``, which a report of a check does
            not show.
        uses: that licences are asked about, as ``openvet licenses --use`` takes them, beside those of a product.
        download: of what is on a server, fetch every byte and compute its digests, and not only the parts that are parsed.
        rules: ids of the only rules to run; empty means all.
        config: what the team has decided; see :class:`openvet.Config`. It is never looked for here: what a program calls
            depends on nothing but its arguments.
        strict: reject whatever is not proven to be data, also where the configuration does not say so.
        today: the day by which acceptances expire; ``None`` asks the clock (UTC).
    """

    jobs: int = 0
    exclude: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ("sha256",)
    digest_members: bool = False
    every_call: bool = False
    limits: Limits | None = None
    with_inventory: bool = True
    only_facts: bool = False
    also: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    download: bool = False
    config: Config | None = None
    strict: bool = False
    today: date | None = None

    @property
    def in_force(self) -> Limits:
        """The limits that count."""
        if self.limits is not None:
            return self.limits
        return DEFAULT_LIMITS if self.config is None else self.config.limits

    def settled(self) -> Options:
        """The same, with everything filled in that the configuration and the clock say."""
        config = self.config
        return replace(
            self,
            limits=self.in_force,
            exclude=self.exclude or (() if config is None else config.exclude),
            strict=self.strict or (config is not None and config.strict),
            today=self.today or datetime.now(UTC).date(),
        )


def check(
    paths: Sequence[str | os.PathLike[str]], options: Options | None = None, progress: Progress | None = None
) -> Report:
    """Check every path and give one report.

    A path that cannot be checked does not cost the others their results: it stands in ``Report.errors``.

    Raises:
        SubjectError: no path could be checked; the error is the first one's.
        UsageError: an option makes no sense.
    """
    from openvet.core.text import printable
    from openvet.reports.report import NotChecked, Report
    from openvet.workflows.knowledge import rule_texts, tool
    from openvet.workflows.use import use_of

    options = _checked(options).settled()
    models: list[ModelReport] = []
    errors: list[NotChecked] = []
    first: SubjectError | None = None
    for path in paths:
        try:
            models.extend(check_each([path], options, progress))
        except SubjectError as error:
            shown = printable(os.fspath(path))
            errors.append(NotChecked(shown, str(error).removeprefix(f"{shown}: ")))
            first = first or error
    if first is not None and not models:
        raise first
    return Report(tool(), tuple(models), rule_texts(), tuple(errors), use_of(options, models))


def check_each(
    paths: Sequence[str | os.PathLike[str]], options: Options | None = None, progress: Progress | None = None
) -> Iterator[ModelReport]:
    """Check path after path and give each result as it is there."""
    options = _checked(options).settled()
    progress = progress or Progress()
    for path in paths:
        yield _check_one(os.fspath(path), options, progress)


def _checked(options: object) -> Options:
    """``options``, or the defaults for ``None``."""
    if options is None:
        return Options()
    if not isinstance(options, Options):
        hint = "; write openvet.Options(**options)" if isinstance(options, dict) else ""
        raise UsageError(f"options must be an openvet.Options, not a {type(options).__name__}{hint}")
    return options


def _check_one(path: str, options: Options, progress: Progress) -> ModelReport:
    taken = take(path, options, progress)
    from openvet.workflows.assemble import assemble

    return assemble(path, taken, options)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read of one path, and what reading it may still cost. ``about`` is what a hub answered when it was listed."""

    snapshot: Snapshot
    inventory: Inventory
    budget: Budget
    about: Any = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A model whose files are listed, and the large ones among them on their way to be hashed. Whoever began it closes ``origin``."""

    origin: Any
    pool: HashPool
    ahead: Ahead
    budget: Budget


def take(path: str, options: Options, progress: Progress) -> Taken:
    """Read everything at ``path`` once: what every command begins with that says something about a model.

    Raises:
        SubjectError: there is nothing that could be read.
        ConfigError: the configuration lies in what is to be examined.
    """
    pool = make_pool(options, progress)
    origin = open_origin(path, options)
    try:
        return finish(begin(origin, options, pool), options, progress)
    finally:
        pool.stop()
        origin.close()


def make_pool(options: Options, progress: Progress) -> HashPool:
    """The threads that hash; several models may share them."""
    return HashPool(options.jobs or len(os.sched_getaffinity(0)), options.algorithms, progress)


def open_origin(path: str, options: Options) -> LocalOrigin | RemoteOrigin:
    """What is at ``path``, listed (raises like :func:`take`)."""
    if options.config is not None and options.config.path:
        from openvet.workflows.find_config import Grounds

        why = Grounds([path]).why_not(options.config.path)
        if why:
            raise ConfigError(f"{options.config.shown}: is not used as configuration: {why}")
    return find_origin(path, exclude=options.exclude, limits=options.in_force, whole=options.download)


def begin(
    origin: Any,
    options: Options,
    pool: HashPool,
    submit: Callable[[Entry, FileSource], Pending] | None = None,
) -> Begun:
    """Open the first files and have the large ones hashed: before anything is parsed, and before the next model is looked at.

    Args:
        submit: hands a file to the pool, where that is not done one by one.
    """
    budget = Budget(options.in_force)
    return Begun(origin, pool, Ahead(origin, pool, submit), budget)


def finish(
    begun: Begun, options: Options, progress: Progress, meanwhile: Callable[[Collection[str]], object] | None = None
) -> Taken:
    """Parse what was begun, and wait until it is hashed.

    Args:
        meanwhile: is called with the ids of the formats that were found while threads are still hashing; imports the rules for
            them where nothing is named.
    """
    # whatever is not needed to begin hashing is imported only now
    from openvet.inventory.build import take_inventory

    inventory = take_inventory(
        begun.ahead,
        begun.budget,
        begun.pool,
        progress,
        algorithms=options.algorithms,
        digest_members=options.digest_members,
        every_call=options.every_call,
        meanwhile=meanwhile or partial(_get_ready, options),
    )
    return Taken(begun.origin.snapshot, inventory, begun.budget, getattr(begun.origin, "about", None))


def _get_ready(options: Options, present: Collection[str]) -> None:
    """Import everything else that files of these formats need, while threads are still hashing."""
    from openvet.workflows.assemble import get_ready

    get_ready(present, options)
