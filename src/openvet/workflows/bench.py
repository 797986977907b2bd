"""bench: how long a model takes and what memory, in a confined child under the limits of a device, on a machine that is watched meanwhile.

The model's files are taken out of the page cache before each start: a cache that is warm hides both the time of a load and a limit of memory, since what
others have read is not counted against the child. What others did on the machine decides whether the figures are vouched for; they are shown all the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from statistics import median
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.engines.model import Model
from openvet.errors import SandboxError, UsageError
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.bench_v1 import (
    BenchV1,
    Cold,
    DeviceRef,
    Figure,
    LimitSet,
    LoadSeen,
    MachineRef,
    RuntimeRef,
    Work,
)
from openvet.evidence.predicates.eval_v1 import ModelRef
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.profile.device import Device
from openvet.sandbox import host
from openvet.sandbox.cgroups import Group, Limit, cpu_seconds, peak_memory
from openvet.sandbox.page_cache import cached, forget
from openvet.sandbox.session import AskedError, EndedError
from openvet.workflows.bench_beside import energy, predictions, text, this_machine
from openvet.workflows.bench_says import KILLED, memory_of
from openvet.workflows.bench_work import ASKED, Inputs, Timed, figures_of, inputs_of, work
from openvet.workflows.bench_work import ask as ask_once
from openvet.workflows.knowledge import tool

__all__ = ["BENCH_TYPE", "STAYED", "Asked", "Benched", "Opened", "Opening", "bench"]

BENCH_TYPE: Final = f"{NAMES}/bench-report/v1"
#: Which share of the model's files may stay in the page cache.
STAYED: Final = 0.01
_BEFORE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Opening:
    """How the model is to be opened this time: with what ``address_space`` (``None`` as usual), until when, and who is told the child's process."""

    address_space: int | None
    seconds: float
    started: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Opened:
    """What opens the model, and what is known of that before.

    Attributes:
        open: opens it once more; raises :class:`openvet.errors.SandboxError` where it cannot.
        model, subject: which it is.
        files: whose pages are let go of.
        python, level: the interpreter's version, and the level of the sandbox.
        accepted: whether less isolation than is enough was accepted.
        settings: of the engine, such as ``context``.
        profile: what is known of the model by reading it; ``None`` where nothing is.
        copy: gives the same of a copy of the files, for where they stay in the page cache since somebody else has them mapped.
        copied: whether this is one.
    """

    open: Callable[[Opening], Model]
    model: ModelRef
    subject: ResourceDescriptor
    files: tuple[str, ...]
    python: str
    level: str
    accepted: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    profile: ProfileV1 | None = None
    copy: Callable[[], Opened] | None = None
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """How to measure.

    Attributes:
        kind: of :data:`openvet.workflows.bench_work.ASKED`; '' takes the first that the model can do.
        data, named: a file of what is asked, and its name.
        words, tokens: of prompts of ours, and that a request may write.
        queries, seconds: it ends with whichever comes first.
        patience: seconds that a start, or one request, may take.
        starts: cold starts.
        threads: that compute.
        memory, cpus: limits; ``None`` for none.
        device: whose limits these are, if anybody's, and the SHA-256 of its file ('' for the table that ships).
        level: of the intervals.
        quiet_wait: seconds over which the machine is watched before.
    """

    kind: str = ""
    data: bytes | None = None
    named: str = ""
    words: int = 64
    tokens: int = 64
    queries: int = 1024
    seconds: float = 60.0
    patience: float = 120.0
    starts: int = 3
    threads: int = 1
    memory: int | None = None
    cpus: float | None = None
    device: Device | None = None
    device_file: str = ""
    level: float = 0.95
    quiet_wait: float = _BEFORE


@dataclass(frozen=True, slots=True)
class Benched:
    """What came of it."""

    subject: ResourceDescriptor
    body: BenchV1

    @property
    def statement(self) -> Statement:
        return Statement(self.subject, self.body)

    def to_json(self) -> dict[str, Any]:
        return {"type": BENCH_TYPE, "subject": self.subject.to_json(), "bench": self.body.to_json()}


@dataclass(slots=True)
class _Start:
    """One start: seconds until it was ready, of its parts, and until the first request was answered."""

    ready: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    first: float | None = None


@dataclass(slots=True)
class _Course:
    """What is known so far."""

    starts: list[_Start] = field(default_factory=list)
    cached: float | None = None
    timed: list[Timed] = field(default_factory=list)
    spent: float = 0.0
    capped: str = ""
    resident: int = 0
    group: int | None = None
    outcome: str = "measured"
    detail: str = ""
    limits: tuple[Limit, ...] = ()
    inputs: Inputs | None = None
    engine: str = ""
    version: str = ""
    pid: int = 0


def bench(opened: Opened, asked: Asked, progress: Progress | None = None) -> Benched:
    """Measure.

    Raises:
        UsageError: the model cannot do what is to be measured, or a limit makes no sense.
        SandboxError: no child can be started at all.
    """
    progress = progress or Progress()
    if asked.kind and asked.kind not in ASKED:
        raise UsageError(f"{printable(asked.kind)} is nothing that is measured; it may be {', '.join(ASKED)}")
    seen = host.machine()
    progress.doing = "looking whether the machine is quiet"
    watch = host.Watch()
    time.sleep(asked.quiet_wait)
    before = watch.ended()
    bandwidth = host.read_bandwidth(max(1, min(asked.threads, seen.cores)))
    course = _Course()
    watch = host.Watch(lambda: _ours(course.pid))
    during = None
    at = opened
    for number in range(max(1, asked.starts)):
        last = number == max(1, asked.starts) - 1
        progress.doing = f"cold start {number + 1} of {max(1, asked.starts)}"
        at = _let_go(at, course)
        during = _one(at, asked, course, progress, watch, last=last)
        if course.outcome != "measured":
            break
    return _made(at, asked, seen, course, before, during or watch.ended(), bandwidth)


def _ours(pid: int) -> float:
    """Processor time of the children that are gone, and of the one that lives."""
    gone = os.times()
    return gone.children_user + gone.children_system + (cpu_seconds(pid) if pid else 0.0)


def _let_go(opened: Opened, course: _Course) -> Opened:
    """The model with its files out of the page cache; a copy of it, where they stay."""
    forget(opened.files)
    left = cached(opened.files)
    if left is not None and left > STAYED and opened.copy is not None:
        opened = opened.copy()
        forget(opened.files)
        left = cached(opened.files)
    if left is not None:
        course.cached = max(left, course.cached or 0.0)
    return opened


def _one(
    opened: Opened, asked: Asked, course: _Course, progress: Progress, watch: host.Watch, *, last: bool
) -> host.Load | None:
    """One start, and with the last one all that is asked; gives what others had of the machine until its end."""
    memory = None if asked.memory is not None and asked.memory >= host.machine().memory else asked.memory
    with Group(memory, asked.cpus) as group:
        course.limits = group.limits
        if memory is None and asked.memory is not None:
            course.limits = (Limit("memory", asked.memory, False, "this machine has less"), *course.limits)

        def started(pid: int) -> None:
            course.pid = pid
            group.take(pid)

        start = _Start()
        began = time.perf_counter()
        model: Model | None = None
        try:
            model = opened.open(Opening(group.address_space, asked.patience, started))
            start.ready = time.perf_counter() - began
            course.engine, course.version = model.engine, model.version
            course.inputs = course.inputs or _inputs(model, asked)
            ask_once(model, course.inputs, 0, asked.patience)
            start.first = time.perf_counter() - began
            if last:
                _ask_all(model, asked, course, progress)
        except SandboxError as error:
            _went_wrong(error, asked, course, group, loaded=model is not None)
        finally:
            course.resident = max(course.resident, peak_memory(course.pid) if course.pid else 0)
            during = watch.ended()
            imported = model.facts.get("import_seconds") if model is not None else None
            run = model.close() if model is not None and course.outcome == "measured" else None
            if model is not None and run is None:
                model.kill()
            course.pid = 0
            if group.peak is not None:
                course.group = max(course.group or 0, group.peak)
        if start.ready:
            phases = {each.name: each.seconds for each in run.phases} if run is not None else {}
            if isinstance(imported, float) and 0.0 <= imported <= phases.get("prepare", 0.0):
                start.parts = {"interpreter": phases["prepare"] - imported, "import": imported}
            if "load" in phases:
                start.parts["load"] = phases["load"]
            course.starts.append(start)
    return during


def _inputs(model: Model, asked: Asked) -> Inputs:
    kind = asked.kind or next((each for each in ASKED if each in model.can), "")
    if kind not in model.can:
        raise UsageError(
            f"{model.engine} cannot be asked to {kind or 'do any of ' + ', '.join(ASKED)} with this model, only for {', '.join(sorted(model.can)) or 'nothing'}"
        )
    return inputs_of(kind, asked.data, asked.named, words=asked.words, tokens=asked.tokens)


def _ask_all(model: Model, asked: Asked, course: _Course, progress: Progress) -> None:
    if course.inputs is None:
        raise AssertionError("inputs are there once a model is open")
    progress.doing = f"asking it to {course.inputs.kind}"

    def told(found: Timed) -> None:
        course.timed.append(found)
        course.spent += found.seconds

    seen = work(model, course.inputs, asked.queries, asked.seconds, asked.patience, told)
    course.spent, course.capped = seen.spent, seen.ended


def _went_wrong(error: SandboxError, asked: Asked, course: _Course, group: Group, *, loaded: bool) -> None:
    """Why nothing more is measured: a result as well."""
    said = printable(str(error))[:500]
    if group.killed:
        course.outcome, course.detail = "ended", f"{KILLED}; {said}"
    elif isinstance(error, EndedError) and error.late:
        course.outcome = "too-slow"
        course.detail = f"{'the first request had no answer' if loaded else 'it was not loaded'} within {asked.patience:g} s; {said}"
    elif loaded and not isinstance(error, AskedError):
        course.outcome, course.detail = "ended", said
    else:
        course.outcome, course.detail = "refused", said


# --- what follows ---


def _made(
    opened: Opened,
    asked: Asked,
    seen: host.Machine,
    course: _Course,
    before: host.Load,
    during: host.Load,
    bandwidth: float,
) -> Benched:
    figures = _figures(opened, asked, course)
    reasons = [] if course.outcome == "measured" else [f"it was not measured to the end: {course.detail}"]
    reasons += host.busy_words(before, during, seen.cores)
    reasons += [f"the limit of {each.what} was not kept: {each.how}" for each in course.limits if not each.enforced]
    if course.cached is not None and course.cached > STAYED:
        reasons.append(f"{100 * course.cached:.0f} % of the model's files stayed in the page cache: its starts were not cold, and a limit of memory does not see them")  # fmt: skip
    here = this_machine(seen, bandwidth, asked.threads, asked.cpus, asked.memory)
    inputs = course.inputs
    prompt = [each.read for each in course.timed if each.read]
    body = BenchV1(
        tool(),
        opened.model,
        MachineRef(seen.cpu, seen.architecture, seen.cores, seen.flags, seen.governor, seen.kernel, seen.memory, seen.virtual),
        RuntimeRef(course.engine, printable(course.version), opened.python, opened.level, asked.threads, dict(opened.settings)),
        Work(
            inputs.kind if inputs else asked.kind, inputs.sha256 if inputs else "", asked.queries, text(asked.seconds), len(course.timed),
            text(course.spent), asked.tokens if inputs and inputs.kind == "generate" else 0,
            text(sum(prompt) / len(prompt)) if prompt and inputs and inputs.kind == "generate" else None,
        ),
        course.outcome,
        course.detail,
        not reasons,
        tuple(reasons),
        tuple(LimitSet(each.what, text(each.asked), each.enforced, each.how) for each in course.limits),
        (_load("before", before), _load("during", during)),
        Cold(len(course.starts), None if course.cached is None else text(course.cached)) if course.starts else None,
        tuple(figures),
        tuple(predictions(opened.profile, here, asked.device, course.timed, figures)),
        tuple(energy(asked.device, figures)),
        None if asked.device is None else DeviceRef(asked.device.label, asked.device.name, asked.device_file),
        tuple(_notes(opened, asked, course, seen)),
    )  # fmt: skip
    return Benched(opened.subject, body)


def _figures(opened: Opened, asked: Asked, course: _Course) -> list[Figure]:
    out = []
    for name, values in (
        ("cold-start", [each.ready for each in course.starts]),
        *(
            (f"cold-{part}", [each.parts[part] for each in course.starts if part in each.parts])
            for part in ("interpreter", "import", "load")
        ),
        ("cold-first-answer", [each.first for each in course.starts if each.first is not None]),
    ):
        if values:
            several = len(values) > 1
            out.append(
                Figure(
                    name, "s", text(median(values)), text(min(values)) if several else None, text(max(values)) if several else None, None,
                    len(values), "range" if several else "none",
                )
            )  # fmt: skip
    if course.inputs is not None and course.timed:
        out += figures_of(course.inputs, course.timed, asked.level)
    for name, size in (
        ("peak-resident", course.resident),
        ("peak-with-cache", course.group),
        ("files", _size(opened.files)),
    ):
        if size:
            out.append(Figure(name, "byte", str(size), None, None, None, 1, "none"))
    return out


def _size(files: Sequence[str]) -> int:
    return sum(os.stat(each).st_size for each in files if os.path.isfile(each))


def _notes(opened: Opened, asked: Asked, course: _Course, seen: host.Machine) -> list[str]:
    out = []
    inputs = course.inputs
    if course.capped:
        count = f"{len(course.timed)} request{'' if len(course.timed) == 1 else 's'}"
        ended = f"after {count}" if course.capped == "queries" else f"after {asked.seconds:g} s, with {count}"
        out.append(
            f"one request at a time; it ended {ended}, of at most {asked.queries} requests and {asked.seconds:g} s"
        )
    if inputs is not None:
        if inputs.synthetic:
            out.append(
                "the audio is a signal with the pace of speech that says nothing: real speech has more words to write, and may take longer"
            )
        if inputs.kind == "compute":
            out.append("inputs are zeros, of size 1 where the graph leaves sizes open")
        if inputs.kind == "generate" and any(each.written < inputs.tokens for each in course.timed):
            out.append("some answers ended before the tokens that they were allowed")
    if asked.device is not None:
        out.append(
            f"{_whose(asked.memory, asked.device)}, the processor is not the device's: a core of this machine is another core, and memory another memory"
        )
    if not asked.memory and not asked.cpus:
        out.append("no limit was asked for")
    if seen.virtual:
        out.append("this is a virtual machine: what its host does otherwise is seen only as far as it is told (steal)")
    if seen.governor and seen.governor != "performance":
        out.append(f"the governor of the clock is {seen.governor}: the clock may have risen and fallen")
    if opened.accepted:
        out.append("less isolation than is enough was accepted")
    if opened.copied:
        out.append("a copy of the model's files was measured, since somebody else has them in memory")
    if course.cached is None:
        out.append("how much of the model's files was in the page cache cannot be told here")
    return out


def _whose(memory: int | None, device: Device) -> str:
    """How the limit of memory stands to a device's."""
    there = memory_of(device)
    if memory is None:
        return "memory is not limited as the device's is"
    if memory == there:
        return "the limit of memory is what the device has"
    return f"the limit of memory is {'less' if memory < there else 'more'} than the device has"


def _load(when: str, load: host.Load) -> LoadSeen:
    return LoadSeen(
        when,
        f"{load.seconds:.2f}",
        f"{load.load:.2f}",
        f"{load.others:.4f}",
        f"{load.steal:.4f}",
        None if load.pressure is None else f"{load.pressure:.2f}",
    )
