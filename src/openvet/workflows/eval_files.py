"""Files of evaluations: tasks, results and plans (statements, signed or not), and the logs beside results."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError, VerifyError
from openvet.evals.limits import DEFAULT
from openvet.evals.log import LONGEST, Log, LogError, read_log
from openvet.evals.reading import take_task
from openvet.evals.scorers import SCORERS
from openvet.evals.task import Task, TaskError
from openvet.evidence.bundle import Bundle
from openvet.evidence.keys import PrivateKey, PublicKey
from openvet.evidence.predicates.eval_plan_v1 import EvalPlanV1
from openvet.evidence.predicates.eval_v1 import EvalV1, ModelRef, TaskRef
from openvet.evidence.signing import SignedStatement, parse_statement, sign_statement, statement_bytes, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.evidence.verifier import verify_with_key
from openvet.io.new_file import NewFile
from openvet.workflows.held_model import model_digest
from openvet.workflows.model_files import read_small
from openvet.workflows.stated_file import StatedReader

__all__ = [
    "ReadPlan", "ReadResult", "beside", "descriptor_of", "load_task", "log_path", "open_log", "read_plan", "read_result", "subject_of", "task_ref",
    "write_statement",
]  # fmt: skip

_RESULT: Final = 16 * 1024 * 1024


def load_task(path: str) -> Task:
    """The task in a file, with every sample held against its templates.

    Raises:
        UsageError: it makes no sense, or a file that it names; each problem with its place.
        OSError, SubjectError: the file cannot be read.
    """
    shown = printable(path)
    reader = StatedReader(
        read_small(path, DEFAULT.task_bytes),
        shown,
        os.path.splitext(path)[1].lower(),
        "name, prompt, target, scorer and samples",
    )
    document = reader.document()
    task = take_task(document, shown, beside(path), reader.problem)
    reader.finish()
    if task is None:
        raise AssertionError("a task without problems is one")
    task.check()
    return task


def beside(path: str) -> Callable[[str], bytes]:
    """What reads a file that the task at ``path`` names (raises :class:`TaskError`)."""
    shown, folder = printable(path), os.path.dirname(path)

    def read(name: str) -> bytes:
        # a task may be anybody's: what it names lies in its folder or below, and is not reached by a link out of it
        real, home = os.path.realpath(os.path.join(folder, name)), os.path.realpath(folder or ".")
        if os.path.isabs(name) or not real.startswith(os.path.join(home, "")):
            raise TaskError(f"{shown}: samples {printable(name)} are not in the task's folder, and are not read")
        try:
            return read_small(real, DEFAULT.data_bytes)
        except OSError as error:
            raise TaskError(f"{shown}: samples {printable(name)}: {error.strerror or error}") from error
        except SubjectError as error:
            raise TaskError(f"{shown}: {error} (limit data_bytes)") from error

    return read


def task_ref(task: Task) -> TaskRef:
    """The task as statements name it."""
    kind = SCORERS[task.scorer.name]
    label = kind.label
    if kind.metric == "correlation":
        label = f"{task.scorer.settings.get('by', kind.settings['by'])} {label}"
    return TaskRef(
        task.name, task.version, task.sha256, len(task.samples), task.scorer.name, label, kind.metric, kind.higher, task.clustered
    )  # fmt: skip


def subject_of(model: str | None, name: str, progress: Progress) -> tuple[ModelRef, ResourceDescriptor | None]:
    """The model at a path, which is hashed; or the one that is only known by a name.

    Raises:
        SubjectError, VerifyError: it cannot be hashed.
    """
    if model is None:
        return ModelRef(name), None
    algorithm, digest, _ = model_digest(model, progress)
    shown = printable(os.path.basename(os.path.normpath(model)))
    return ModelRef(name or shown, {algorithm: digest}), ResourceDescriptor(shown, {algorithm: digest})


def descriptor_of(path: str) -> ResourceDescriptor:
    """A file by its digest."""
    whole = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            whole.update(piece)
    return ResourceDescriptor(printable(os.path.basename(path)), {"sha256": whole.hexdigest()})


def log_path(result: str) -> str:
    """Where the log of a result lies: beside it, with another ending."""
    return f"{result.removesuffix('.json')}.log.jsonl"


def open_log(path: str) -> Log:
    """Read a log.

    Raises:
        LogError: it is not there, or none.
    """
    shown = printable(path)

    def lines() -> Iterator[bytes]:
        with open(path, "rb") as file:
            while line := file.readline(LONGEST + 2):
                yield line

    try:
        return read_log(lines(), shown)
    except OSError as error:
        raise LogError(
            f"{shown}: {error.strerror or error}; the log of a result lies beside it, or --log names it"
        ) from error


def write_statement(path: str, statement: Statement, key: PrivateKey | None, *, replace: bool) -> str:
    """Write a statement, signed where there is a key; gives the SHA-256 of what is, or would be, signed.

    Raises:
        WriteError: the file cannot be written, or is there and may not be replaced.
    """
    payload = statement_bytes(statement)
    data = payload if key is None else to_line(sign_statement(statement, key))
    with NewFile(path, replace=replace) as file:
        file.write(data + b"\n")
        file.commit()
    return hashlib.sha256(payload).hexdigest()


@dataclass(frozen=True, slots=True)
class ReadResult:
    """A result: what it says, whether a key that was named signed it, the SHA-256 of its statement, and its subject."""

    body: EvalV1
    signed: bool
    sha256: str
    subject: ResourceDescriptor


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A plan, likewise."""

    body: EvalPlanV1
    signed: bool
    sha256: str


def read_result(path: str, key: PublicKey | None) -> ReadResult:
    """Read a result.

    Args:
        key: who has to have signed it; ``None`` takes it unverified, which the answer says.

    Raises:
        VerifyError: it is not signed by that key, or malformed.
        UsageError: it is no result, or cannot be read.
    """
    found, signed, sha256 = _read(path, key)
    if not isinstance(found.predicate, EvalV1):
        raise UsageError(f"{printable(path)}: is no result of an evaluation, but of the kind {found.predicate_type}")
    body = found.predicate
    if body.run.failed > body.run.done or body.run.done > body.run.asked:
        raise VerifyError("malformed", f"{printable(path)}: its numbers of samples contradict each other")
    return ReadResult(body, signed, sha256, found.subjects[0])


def read_plan(path: str, key: PublicKey | None) -> ReadPlan:
    """Read a plan (raises like :func:`read_result`)."""
    found, signed, sha256 = _read(path, key)
    if not isinstance(found.predicate, EvalPlanV1):
        raise UsageError(f"{printable(path)}: is no plan of an evaluation, but of the kind {found.predicate_type}")
    return ReadPlan(found.predicate, signed, sha256)


def _read(path: str, key: PublicKey | None) -> tuple[SignedStatement, bool, str]:
    try:
        data = read_small(path, _RESULT).rstrip(b"\n")
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(str(error)) from error
    payload = data
    try:
        if b'"dsseEnvelope"' in data[:100_000]:
            bundle = Bundle.parse(data)
            if key is not None:
                verify_with_key(bundle, key)
            payload = bundle.envelope.payload
        elif key is not None:
            raise VerifyError("untrusted", "nobody signed it")
        return parse_statement(payload), key is not None, hashlib.sha256(payload).hexdigest()
    except VerifyError as error:
        raise VerifyError(error.reason, f"{printable(path)}: {error.message}") from error


def same_model(one: ModelRef, other: ModelRef) -> bool:
    """Whether two statements name one model: by its digest where both have one."""
    if one.digest is not None and other.digest is not None:
        return dict(one.digest) == dict(other.digest)
    return one.name == other.name
