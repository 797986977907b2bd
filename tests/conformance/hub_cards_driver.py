"""Runs in the environment with the hub's own library: reads cards with it and says what it makes of them. Nothing is sent anywhere."""

from __future__ import annotations

import json
import sys
from typing import Any


def read(text: str) -> dict[str, Any]:
    from huggingface_hub import ModelCard

    try:
        card = ModelCard(text)
    except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    results = card.data.eval_results or []
    return {
        "data": json.loads(json.dumps(card.data.to_dict(), default=str)),
        "text": card.text,
        "results": [[each.dataset_type, each.metric_type, each.metric_value] for each in results],
    }


def entries(value: Any) -> dict[str, Any]:
    from huggingface_hub import parse_eval_result_entries

    try:
        return {"entries": [[each.dataset_id, each.task_id, each.value] for each in parse_eval_result_entries(value)]}
    except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
        return {"error": f"{type(error).__name__}: {error}"[:300]}


for line in sys.stdin:
    case = json.loads(line)
    sys.stdout.write(json.dumps(read(case["card"]) if "card" in case else entries(case["results"])) + "\n")
    sys.stdout.flush()
