"""What is to be measured, found before: which model it is, what runs it, at which proven level, and what is known of it by reading."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.engines.model import Model, open_model
from openvet.errors import OpenVetError, SubjectError
from openvet.evidence.predicates.eval_v1 import ModelRef
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.evidence.statement import ResourceDescriptor
from openvet.sandbox.levels import ENOUGH
from openvet.sandbox.supervisor import Bounds
from openvet.workflows.answer import ask
from openvet.workflows.bench import Opened, Opening
from openvet.workflows.detonate import Asked as Isolation
from openvet.workflows.detonate import proven_level
from openvet.workflows.held_model import identities, model_digest
from openvet.workflows.opening import CPU_SECONDS, Asked, address_space, look

__all__ = ["to_measure"]


@contextmanager
def to_measure(path: str, asked: Asked, progress: Progress | None = None) -> Iterator[Opened]:
    """Everything that has to be known before the first start.

    What gives a copy of the model is among it; copies are there until the end.

    Raises:
        NoIsolationError: nothing here is enough to run a stranger's model in.
        SubjectError, VerifyError: the model cannot be read, or changed meanwhile.
        UsageError: no engine here runs it.
    """
    progress = progress or Progress()
    progress.doing = "reading the model"
    found = look(path, asked)
    before = identities(path)
    algorithm, digest, _ = model_digest(path, progress)
    name = printable(os.path.basename(os.path.normpath(os.path.abspath(path))))
    subject = ResourceDescriptor(name, {algorithm: digest})
    proof = proven_level(Isolation(asked.level, asked.accepted))
    memory = asked.memory or address_space(found.size)
    options = asked.engine_options
    settings = {each: str(options[each]) for each in ("context", "file") if options[each]}
    if asked.trust_remote_code:
        settings["own code"] = "was run"
    profile = _profile(path, progress)
    with ExitStack() as stack:

        def at(lies: str, *, copied: bool) -> Opened:
            files = _files(lies)
            inside = os.path.join(lies, "")

            def opening(how: Opening) -> Model:
                space = memory if how.address_space is None else how.address_space
                bounds = Bounds(seconds=how.seconds, cpu_seconds=CPU_SECONDS, memory=space)
                return open_model(
                    found.engine, lies, proof.level, bounds, python=found.python, threads=asked.threads, options=options,
                    readable=[each for each in files if not each.startswith(inside)], started=how.started,
                )  # fmt: skip

            def copy() -> Opened:
                return at(_copied(lies, stack, progress), copied=True)

            return Opened(
                opening, ModelRef(name, {algorithm: digest}), subject, tuple(files), found.python.version, proof.level.id,
                asked.accepted and not (proof.proven and proof.level.number >= ENOUGH), settings, profile, None if copied else copy, copied,
            )  # fmt: skip

        yield at(os.path.realpath(path), copied=False)
        if identities(path) != before:
            raise SubjectError(
                f"{printable(path)}: changed while it was measured, so that nothing can be said about it; run it again"
            )


def _copied(path: str, stack: ExitStack, progress: Progress) -> str:
    """A copy of the model that nobody else has mapped; it is gone at the end."""
    progress.doing = "copying the model: somebody else has it in memory"
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="openvet-bench-"))
    copy = os.path.join(folder, os.path.basename(path))
    if os.path.isdir(path):
        shutil.copytree(path, copy)
    else:
        shutil.copyfile(path, copy)
    return copy


def _profile(path: str, progress: Progress) -> ProfileV1 | None:
    try:
        found = ask(path, "profile", progress=progress).predicate
    except OpenVetError:
        return None
    return found if isinstance(found, ProfileV1) else None


def _files(path: str) -> list[str]:
    if os.path.isfile(path):
        return [path]
    return [
        os.path.realpath(os.path.join(folder, each)) for folder, _, files in os.walk(path) for each in sorted(files)
    ]
