"""Evaluation results: ``model-index`` of a model card, and the files in ``.eval_results`` that take its place.

Specification: https://github.com/huggingface/hub-docs/blob/main/modelcard.md and eval_results.yaml; what the hub's own library refuses is
in ``model_index_to_eval_results`` and ``parse_eval_result_entries`` of huggingface_hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from openvet.cards._beside import hub_id
from openvet.cards._page import Page, child, shown, what

__all__ = ["read_eval_results", "read_model_index"]

#: Results and metrics looked at in one document.
_MOST = 2000
_NO_VALUE: tuple[Any, ...] = (None, "", [], {})


def read_model_index(page: Page, index: Any) -> None:
    """Put the metrics of ``model-index`` onto ``page``, and what the hub would not take of it."""
    at = "/model-index"
    if not isinstance(index, list):
        page.problem("model-index", f"model-index is {what(index)}, and has to be a list", at, found=index)
        return
    for number, entry in enumerate(index[:_MOST]):
        here = child(at, number)
        if not isinstance(entry, dict):
            page.problem("model-index", f"an entry of model-index is {what(entry)}, and has to be a map", here)
            continue
        if not isinstance(entry.get("name"), str):
            page.problem("model-index", "an entry of model-index has no name", here)
        results = entry.get("results")
        if not isinstance(results, list):
            page.problem("model-index", "an entry of model-index has no list of results", here)
            continue
        for place, result in enumerate(results[:_MOST]):
            _result(page, result, child(here, "results", place))


def _result(page: Page, result: Any, at: str) -> None:
    if not isinstance(result, dict):
        page.problem("model-index", f"a result is {what(result)}, and has to be a map", at)
        return
    task, data = result.get("task"), result.get("dataset")
    if not isinstance(task, dict) or not isinstance(task.get("type"), str):
        page.problem("model-index", "a result names no type of task", at)
    if not isinstance(data, dict) or not isinstance(data.get("type"), str) or not isinstance(data.get("name"), str):
        page.problem("model-index", "a result names no data set, with type and name", at)
    source = result.get("source")
    if source is not None and not (isinstance(source, dict) and isinstance(source.get("url"), str)):
        page.problem("model-index", "the source of a result has no url", child(at, "source"))
    metrics = result.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        page.problem("model-index", "a result has no metrics", at)
        return
    for number, metric in enumerate(metrics[:_MOST]):
        here = child(at, "metrics", number)
        if not isinstance(metric, dict) or not isinstance(metric.get("type"), str):
            page.problem("model-index", "a metric has no type", here)
        elif metric.get("value") in _NO_VALUE:
            page.problem("model-index", f"the metric {shown(metric['type'])} has no value", here)
        else:
            said = {
                "task": task.get("type") if isinstance(task, dict) else None,
                "dataset": data.get("type") if isinstance(data, dict) else None,
                "metric": metric.get("name") if isinstance(metric.get("name"), str) else metric["type"],
                "value": metric["value"],
                "verifyToken": True if metric.get("verifyToken") else None,
            }
            page.declare("model-index", {key: each for key, each in said.items() if each is not None}, here)


def read_eval_results(page: Page, document: Any) -> None:
    """Put the results of one file of ``.eval_results`` onto ``page``. A token is told of and not verified: that needs the hub."""
    entries = document if isinstance(document, list) else [document]
    if document is None:
        page.problem("eval-results", "holds no result", "")
        return
    for number, entry in enumerate(entries[:_MOST]):
        at = child("", number) if isinstance(document, list) else ""
        if not isinstance(entry, dict):
            page.problem("eval-results", f"a result is {what(entry)}, and has to be a map", at)
            continue
        inner = entry.get("data")
        if isinstance(inner, dict):  # the hub's library takes what lies in it
            entry, at = inner, child(at, "data")
        for wrong, where in _entry(entry, at):
            page.problem("eval-results", wrong, where)
        if isinstance(entry.get("dataset"), dict) and entry.get("value") not in _NO_VALUE:
            data, source = entry["dataset"], entry.get("source")
            said = {
                "dataset": data.get("id"),
                "task": data.get("task_id"),
                "revision": data.get("revision"),
                "value": entry["value"],
                "date": entry.get("date"),
                "source": source.get("url") if isinstance(source, dict) else None,
                "verifyToken": True if entry.get("verifyToken") else None,
                "notes": entry.get("notes"),
            }
            page.declare("result", {key: each for key, each in said.items() if each is not None}, at)


def _entry(entry: dict[str, Any], at: str) -> Iterator[tuple[str, str]]:
    """(what is wrong, where) of one result."""
    data = entry.get("dataset")
    if not isinstance(data, dict):
        yield "a result names no data set", at
    else:
        if not isinstance(data.get("id"), str) or hub_id(data["id"], "datasets") is None:
            yield "the data set of a result has no id of the hub", child(at, "dataset")
        if not isinstance(data.get("task_id"), str):
            yield "the data set of a result has no task_id", child(at, "dataset")
    if entry.get("value") in _NO_VALUE:
        yield "a result has no value", at
    elif isinstance(entry["value"], dict | list | bool):
        yield f"the value of a result is {what(entry['value'])}, and has to be a number or a text", child(at, "value")
    source = entry.get("source")
    if source is not None and not (isinstance(source, dict) and isinstance(source.get("url"), str)):
        yield "the source of a result has no url", child(at, "source")
    if entry.get("date") is not None and not _is_date(entry["date"]):
        yield f"the date {shown(entry['date'])} is none of ISO 8601", child(at, "date")


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return False
    return True
