"""HELM's run folder: ``run_spec.json``, ``scenario_state.json`` and ``per_instance_stats.json``.

Source: HELM's documentation, "Reading HELM results" and "Run entries", and the data classes RunSpec, ScenarioState and PerInstanceStats of
crfm-helm 0.5; written from those, and not tried against a run of HELM.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from openvet.core.text import printable
from openvet.evals.foreign._foreign import Foreign, ForeignError, ForeignSample, as_object, text_from
from openvet.evals.scorers import Output

__all__ = ["read_helm"]

_FIRST: Final = ("exact_match", "quasi_exact_match", "prefix_exact_match", "quasi_prefix_exact_match", "f1_score")


def read_helm(spec: Any, state: Any, stats: Any, shown: str, metric: str | None) -> Foreign:
    """One run. Perturbed copies of an instance are left out; trials of one are a cluster.

    Raises:
        ForeignError: it is no such run.
    """
    spec, state = as_object(spec, f"{shown}/run_spec.json"), as_object(state, f"{shown}/scenario_state.json")
    if not isinstance(stats, list) or not isinstance(state.get("request_states"), list):
        raise ForeignError(
            f"{shown}: is no run of HELM: per_instance_stats.json lists stats, scenario_state.json request_states"
        )
    asked = {}
    for each in state["request_states"]:
        instance = as_object(as_object(each, f"{shown}: a request").get("instance"), f"{shown}: an instance")
        if instance.get("perturbation") is None:
            asked[str(instance.get("id")), int(each.get("train_trial_index", 0))] = each
    rows = [
        as_object(each, f"{shown}: per_instance_stats")
        for each in stats
        if isinstance(each, dict) and each.get("perturbation") is None
    ]
    names = list(dict.fromkeys(name for each in rows for name in _means(each)))
    chosen = metric or next((each for each in _FIRST if each in names), None)
    if chosen is None or chosen not in names:
        raise ForeignError(
            f"{shown}: has no metric {printable(str(metric))[:60]!r}; --metric names one of {', '.join(map(printable, names[:20])) or 'none'}"
        )
    trials = len({each.get("train_trial_index", 0) for each in rows}) > 1
    samples = []
    for each in rows:
        key, trial = str(each.get("instance_id")), int(each.get("train_trial_index", 0))
        request = asked.get((key, trial), {})
        samples.append(_sample(key, trial, request, _means(each).get(chosen), several=trials))
    adapter = spec.get("adapter_spec", {})
    model = adapter.get("model") or adapter.get("model_deployment") if isinstance(adapter, dict) else ""
    name = str(spec.get("name", "unnamed"))
    return Foreign("helm", "", name.partition(":")[0], "", str(model or "unknown"), chosen, tuple(each for each in names if each != chosen), True, tuple(samples), None)  # fmt: skip


def _means(row: Mapping[str, Any]) -> dict[str, float]:
    out: dict[str, float] = {}
    for each in row.get("stats", []) if isinstance(row.get("stats"), list) else ():
        name = each.get("name", {}) if isinstance(each, dict) else {}
        mean = each.get("mean") if isinstance(each, dict) else None
        if mean is None and isinstance(each, dict) and each.get("count"):
            total = each.get("sum")
            mean = total / each["count"] if isinstance(total, int | float) else None
        if (
            isinstance(name, dict)
            and isinstance(mean, int | float)
            and not isinstance(mean, bool)
            and math.isfinite(mean)
        ):
            out.setdefault(str(name.get("name")), float(mean))
    return out


def _sample(key: str, trial: int, request: Mapping[str, Any], score: float | None, *, several: bool) -> ForeignSample:
    instance = request.get("instance", {})
    listed = instance.get("references", []) if isinstance(instance, dict) else []
    targets = tuple(
        text_from(each.get("output", {}).get("text", ""))
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("output"), dict) and "correct" in (each.get("tags") or ())
    )
    result, sent = request.get("result", {}), request.get("request", {})
    written = result.get("completions", []) if isinstance(result, dict) else []
    text = written[0].get("text", "") if written and isinstance(written[0], dict) else ""
    prompt = sent.get("prompt", "") if isinstance(sent, dict) else ""
    return ForeignSample(
        f"{key}/{trial}" if several else key,
        key if several else "",
        text_from(prompt),
        targets,
        Output(text_from(text)),
        score,
    )
