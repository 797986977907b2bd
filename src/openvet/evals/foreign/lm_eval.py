"""lm-eval's ``samples_TASK_DATE.jsonl``, with ``results_DATE.json`` beside it.

Source: EleutherAI lm-evaluation-harness 0.4.13, ``lm_eval/loggers/evaluation_tracker.py``, and logs that it wrote.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from openvet.core.text import printable
from openvet.evals.foreign._foreign import Foreign, ForeignError, ForeignSample, as_object, parse, text_from
from openvet.evals.scorers import Output

__all__ = ["read_lm_eval"]


def read_lm_eval(
    samples: bytes, results: bytes | None, task: str, shown: str, metric: str | None, cluster: str | None
) -> Foreign:
    """One task.

    Args:
        results: of ``results_DATE.json``; ``None`` where it is not there, and then model and version stay unknown.
        task: as the file's name has it.
        metric: by its name; ``None`` takes the first that every sample has.
        cluster: a field of the documents.

    Raises:
        ForeignError: it is no such log.
    """
    head = as_object(parse(results, "the results"), "the results") if results is not None else {}
    lines = [
        (f"{shown}:{number}", as_object(parse(line, f"{shown}:{number}"), f"{shown}:{number}"))
        for number, line in enumerate(samples.split(b"\n"), 1)
        if line.strip()
    ]
    if not lines or "doc_id" not in lines[0][1]:
        raise ForeignError(f"{shown}: is no samples_*.jsonl of lm-eval")
    filters = sorted({str(each.get("filter", "none")) for _, each in lines})
    if len(filters) > 1:  # the same documents once for each way to take the answer out
        lines = [each for each in lines if str(each[1].get("filter", "none")) == filters[0]]
    listed = lines[0][1].get("metrics")
    names = [str(each) for each in listed] if isinstance(listed, list) else []
    chosen = metric or next((each for each in names if _number(lines[0][1].get(each)) is not None), None)
    if chosen is None or (metric is not None and metric not in names):
        raise ForeignError(
            f"{shown}: has no metric {printable(str(metric))[:60]!r}, but {', '.join(map(printable, names)) or 'none'}"
        )
    made = tuple(_sample(each, place, chosen, cluster) for place, each in lines)
    table = head.get("results", {}).get(task, {}) if isinstance(head.get("results"), dict) else {}
    reported = table.get(f"{chosen},{filters[0]}") if isinstance(table, dict) else None
    better = head.get("higher_is_better", {}).get(task, {}) if isinstance(head.get("higher_is_better"), dict) else {}
    versions = head.get("versions", {})
    return Foreign(
        "lm-eval",
        str(head.get("lm_eval_version") or ""),
        task,
        str(versions.get(task, "")) if isinstance(versions, dict) else "",
        str(head.get("model_name") or "unknown"),
        chosen,
        tuple(each for each in names if each != chosen),
        bool(better.get(chosen, True)) if isinstance(better, dict) else True,
        made,
        _number(reported),
    )


def _sample(each: Mapping[str, Any], place: str, metric: str, cluster: str | None) -> ForeignSample:
    doc = each.get("doc") if isinstance(each.get("doc"), dict) else {}
    group = ""
    if cluster is not None:
        if not isinstance(doc, dict) or cluster not in doc:
            raise ForeignError(f"{place}: the document has no field {printable(cluster)[:60]!r}")
        group = str(doc[cluster])
    arguments = each.get("arguments", {})
    first: Any = next(iter(arguments.values()), {}) if isinstance(arguments, dict) else {}
    prompt = first.get("arg_0", "") if isinstance(first, dict) else ""
    value = each.get(metric)
    score = float(value) if isinstance(value, bool) else _number(value)
    return ForeignSample(
        str(each.get("doc_id")), group, text_from(prompt), (text_from(each.get("target")),), _output(each.get("filtered_resps")), score
    )  # fmt: skip


def _output(found: Any) -> Output:
    """Texts, or of each choice its logarithm and whether it is the greediest."""
    if isinstance(found, list) and found and all(isinstance(each, list) and len(each) == 2 for each in found):
        try:
            values = tuple(float(each[0]) for each in found)
        except (TypeError, ValueError):
            return Output(text_from(found))
        if all(map(math.isfinite, values)):
            return Output(logprobs=values)
    return Output(text_from(found[0] if isinstance(found, list) and len(found) == 1 else found))


def _number(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else None
