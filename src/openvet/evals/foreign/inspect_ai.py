"""Inspect's logs: ``.json``, and ``.eval``, a zip of JSON with ``header.json`` and ``samples/ID_epoch_N.json``.

Source: Inspect AI 0.3.285, "Log Files" (log format version 2), and logs that it wrote. A sample that was run several times is a cluster.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from openvet.core.text import printable
from openvet.evals.backends._backend import Usage
from openvet.evals.foreign._foreign import Foreign, ForeignError, ForeignSample, as_object, text_from
from openvet.evals.scorers import Output

__all__ = ["read_inspect"]

#: ``value_to_float`` of Inspect.
_WORDS: Final = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def read_inspect(head: Any, samples: Sequence[Any], shown: str, metric: str | None, cluster: str | None) -> Foreign:
    """One run.

    Args:
        head: the whole log, or its header.
        metric: a scorer's name; ``None`` takes the first that a sample has.
        cluster: a field of the samples' metadata.

    Raises:
        ForeignError: it is no such log, or the run did not end well.
    """
    log = as_object(head, shown)
    spec = as_object(log.get("eval"), f"{shown}: eval")
    if log.get("status") != "success":
        raise ForeignError(
            f"{shown}: the run's status is {printable(str(log.get('status')))[:40]!r}, and not success; its samples are not all there"
        )
    found = [as_object(each, f"{shown}: a sample") for each in samples]
    names = list(dict.fromkeys(str(name) for each in found for name in (each.get("scores") or {})))
    chosen = metric or next(iter(names), None)
    if chosen is None or chosen not in names:
        raise ForeignError(
            f"{shown}: has no scorer {printable(str(metric))[:60]!r}, but {', '.join(map(printable, names)) or 'none'}"
        )
    epochs = len({each.get("epoch", 1) for each in found}) > 1
    made = tuple(_sample(each, shown, chosen, cluster, several=epochs) for each in found)
    packages = spec.get("packages", {})
    return Foreign(
        "inspect",
        str(packages.get("inspect_ai", "")) if isinstance(packages, dict) else "",
        str(spec.get("task", "unnamed")),
        str(spec.get("task_version", "")),
        str(spec.get("model", "unknown")),
        chosen,
        tuple(each for each in names if each != chosen),
        True,
        made,
        _reported(log.get("results"), chosen),
    )


def _sample(each: Mapping[str, Any], shown: str, metric: str, cluster: str | None, *, several: bool) -> ForeignSample:
    key, epoch = str(each.get("id")), each.get("epoch", 1)
    group = key if several else ""
    if cluster is not None:
        kept = each.get("metadata")
        if not isinstance(kept, dict) or cluster not in kept:
            raise ForeignError(
                f"{shown}: the metadata of the sample {printable(key)[:60]!r} has no field {printable(cluster)[:60]!r}"
            )
        group = str(kept[cluster])
    scores = each.get("scores") or {}
    scored = scores.get(metric) if isinstance(scores, dict) else None
    value = _value(scored.get("value")) if isinstance(scored, dict) else None
    output = each.get("output")
    text = output.get("completion") if isinstance(output, dict) else ""
    used = output.get("usage") if isinstance(output, dict) else None
    target = each.get("target", "")
    targets = tuple(map(text_from, target)) if isinstance(target, list) else (text_from(target),)
    usage = Usage(_count(used, "input_tokens"), _count(used, "output_tokens"))
    wrong = each.get("error")
    why = "" if wrong is None else "the sample ended with an error"
    return ForeignSample(
        f"{key}/{epoch}" if several else key, group, text_from(each.get("input", "")), targets, Output(text_from(text or "")), value, why, usage
    )  # fmt: skip


def _value(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        if value in _WORDS or value.lower() in _WORDS:
            return _WORDS.get(value, _WORDS.get(value.lower()))
        try:
            number = float(value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


def _count(used: Any, name: str) -> int | None:
    found = used.get(name) if isinstance(used, dict) else None
    return found if type(found) is int and 0 <= found < 2**53 else None


def _reported(results: Any, metric: str) -> float | None:
    """The first mean or accuracy that the log states of the scorer."""
    for each in results.get("scores", []) if isinstance(results, dict) else ():
        if isinstance(each, dict) and each.get("name") == metric and isinstance(each.get("metrics"), dict):
            for name in ("accuracy", "mean"):
                value = each["metrics"].get(name)
                if isinstance(value, dict) and isinstance(value.get("value"), int | float):
                    return float(value["value"])
    return None
