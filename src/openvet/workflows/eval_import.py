"""eval import: a log of lm-eval, Inspect or HELM as a result and a log of ours, so that runs of theirs are compared with error bars too."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Budget
from openvet.core.pattern import pattern
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import ReadError, SubjectError, UsageError
from openvet.evals.foreign._foreign import Foreign, ForeignError, parse
from openvet.evals.foreign.helm import read_helm
from openvet.evals.foreign.inspect_ai import read_inspect
from openvet.evals.foreign.lm_eval import read_lm_eval
from openvet.evals.limits import DEFAULT
from openvet.evals.log import header_line
from openvet.evals.metrics import MetricError, estimate
from openvet.evidence.keys import PrivateKey
from openvet.evidence.predicates.eval_v1 import BackendRef, EvalV1, Imported, Run, TaskRef
from openvet.evidence.statement import Statement
from openvet.io.archive.zip import open_zip_entry, read_zip
from openvet.io.new_file import NewFile
from openvet.io.source import FileSource
from openvet.workflows.eval_files import descriptor_of, log_path, open_log, subject_of, write_statement
from openvet.workflows.eval_run import Evaluated, interval_of, notes_on, total
from openvet.workflows.knowledge import tool
from openvet.workflows.model_files import read_small

__all__ = ["AskedImport", "import_log"]

_LM_SAMPLES: Final = pattern(r"samples_(.{1,200})_(\d{4}-\d\d-\d\dT[0-9.-]{1,30})\.jsonl\Z", re.ASCII)
_LM_RESULTS: Final = pattern(r"results_(\d{4}-\d\d-\d\dT[0-9.-]{1,30})\.json\Z", re.ASCII)
_HELM: Final = ("run_spec.json", "scenario_state.json", "per_instance_stats.json")
_SAME: Final = 1e-6


@dataclass(frozen=True, slots=True)
class AskedImport:
    """What to import: ``kind`` is ``lm-eval``, ``inspect`` or ``helm``, or '' to tell it by the file; ``model`` a path, where its files are at hand."""

    path: str
    result: str
    kind: str = ""
    metric: str | None = None
    cluster: str | None = None
    model: str | None = None
    name: str = ""
    level: float = 0.95
    replace: bool = False


def import_log(asked: AskedImport, key: PrivateKey | None, progress: Progress) -> Evaluated:
    """Read a log of another tool and write a result and a log of ours.

    Raises:
        UsageError: it is no such log, or a file is there already.
    """
    log = log_path(asked.result)
    if not asked.replace:
        for each in (asked.result, log):
            if os.path.lexists(each):
                raise UsageError(f"{printable(each)} is there already: --force replaces it, --result names another")
    try:
        found, digest = _read(asked)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError) as error:  # a stranger's JSON
        why = f"{type(error).__name__}: {error}"
        raise ForeignError(
            f"{printable(asked.path)}: is built otherwise than that tool's logs are: {printable(why)[:200]}"
        ) from error
    model, subject = subject_of(asked.model, asked.name or found.model, progress)
    header = {
        "task": {"name": found.task, "sha256": ""},
        "model": model.to_json(),
        "backend": {"id": "imported", "settings": {"metric": found.metric}},
        "imported": {"tool": found.tool, "version": found.version, "sha256": digest},
        "asked": len(found.samples),
    }
    with NewFile(log, replace=asked.replace) as file:
        file.write(header_line(header) + b"\n")
        for index, sample in enumerate(found.samples):
            file.write(sample.line(index) + b"\n")
        file.commit()
    read = open_log(log)
    try:
        figure = estimate(read.samples, "mean", asked.level)
    except MetricError as error:
        os.unlink(log)  # of no result: the next try makes it anew
        raise UsageError(f"no figure can be made of {printable(asked.path)}: {error}") from error
    failed = sum(each.score is None for each in read.samples)
    notes = notes_on(figure, failed, len(read.samples))
    if found.reported is not None and abs(found.reported - figure.value) > _SAME:
        notes.append(f"{found.tool} itself reports {found.reported:.6g} of {found.metric}")
    if found.others:
        notes.append(f"the log has other metrics as well: {', '.join(map(printable, found.others[:20]))}")
    body = EvalV1(
        tool(),
        model,
        TaskRef(
            found.task,
            found.task_version,
            "",
            len(read.samples),
            "foreign",
            found.metric,
            "mean",
            found.higher,
            asked.cluster is not None,
        ),
        BackendRef("imported", {"metric": found.metric}, attests=False),
        Run(0, "file", len(read.samples), len(read.samples), failed),
        read.tree.root().hex(),
        interval_of(figure),
        prompt_tokens=total([each.usage.prompt for each in read.samples]),
        completion_tokens=total([each.usage.completion for each in read.samples]),
        imported=Imported(found.tool, found.version, digest),
        notes=tuple(notes),
    )
    sha256 = write_statement(asked.result, Statement(subject or descriptor_of(log), body), key, replace=True)
    return Evaluated(body, asked.result, log, sha256, 0)


def _read(asked: AskedImport) -> tuple[Foreign, str]:
    path, name = asked.path, os.path.basename(os.path.normpath(asked.path))
    kind = asked.kind
    if not kind:
        kind = (
            "helm"
            if os.path.isdir(path) or name in _HELM
            else "lm-eval"
            if name.startswith(("samples_", "results_"))
            else "inspect"
        )
    if asked.cluster is not None and kind == "helm":
        raise UsageError("--cluster names a field of documents or metadata, which HELM's runs do not have")
    shown = printable(name)
    if kind == "helm":
        return _helm(path if os.path.isdir(path) else os.path.dirname(path), shown, asked)
    if kind == "lm-eval":
        return _lm_eval(path, name, asked)
    data = _whole(path)
    digest = hashlib.sha256(data).hexdigest()
    if data[:4] == b"PK\x03\x04":
        head, samples = _unzipped(path, shown)
    else:
        head = parse(data, shown)
        samples = head.get("samples") or [] if isinstance(head, dict) else []
    return read_inspect(head, samples if isinstance(samples, list) else [], shown, asked.metric, asked.cluster), digest


def _whole(path: str) -> bytes:
    try:
        return read_small(path, DEFAULT.log_bytes)
    except OSError as error:
        raise UsageError(f"{printable(path)}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(f"{error} (limit log_bytes)") from error


def _lm_eval(path: str, name: str, asked: AskedImport) -> tuple[Foreign, str]:
    folder = os.path.dirname(path)
    if found := _LM_RESULTS.match(name):
        day = found[1]
        beside = sorted(
            each for each in os.listdir(folder or ".") if (match := _LM_SAMPLES.match(each)) and match[2] == day
        )
        if len(beside) != 1:
            many = ", ".join(map(printable, beside[:10])) or "none, since it was run without --log_samples"
            raise ForeignError(f"{printable(name)}: name the samples of one task in place of the results: {many}")
        name = beside[0]
        path = os.path.join(folder, name)
    match = _LM_SAMPLES.match(name)
    task, results = (match[1], os.path.join(folder, f"results_{match[2]}.json")) if match else (name, "")
    data = _whole(path)
    head = _whole(results) if results and os.path.isfile(results) else None
    found_log = read_lm_eval(data, head, task, printable(name), asked.metric, asked.cluster)
    return found_log, hashlib.sha256(data).hexdigest()


def _helm(folder: str, shown: str, asked: AskedImport) -> tuple[Foreign, str]:
    parts = [_whole(os.path.join(folder, name)) for name in _HELM]
    spec, state, stats = (parse(data, f"{shown}/{name}") for data, name in zip(parts, _HELM, strict=True))
    return read_helm(spec, state, stats, shown, asked.metric), hashlib.sha256(parts[2]).hexdigest()


def _unzipped(path: str, shown: str) -> tuple[Any, list[Any]]:
    """The header and the samples of an ``.eval``. Names are compared and never opened; what two readers would see differently is refused."""
    with FileSource(os.open(path, os.O_RDONLY | os.O_CLOEXEC)) as source:
        budget = Budget()
        try:
            listing = read_zip(source, budget)
            if listing.problems:
                raise ForeignError(f"{shown}: is no whole zip: {listing.problems[0]}")
            head: Any = None
            samples = []
            for entry in listing.entries:
                wanted = entry.name == "header.json" or (
                    entry.name.startswith("samples/") and entry.name.endswith(".json")
                )
                if not wanted:
                    continue
                with open_zip_entry(source, entry, budget) as content:
                    data = b"".join(content.chunks())
                if entry.name == "header.json":
                    head = parse(data, f"{shown}: header.json")
                else:
                    samples.append(parse(data, f"{shown}: {printable(entry.name)[:100]}"))
        except ReadError as error:
            raise ForeignError(f"{shown}: cannot be read: {error}") from error
    if head is None:
        raise ForeignError(f"{shown}: has no header.json: it is no .eval, or of a run that did not end")
    return head, samples
