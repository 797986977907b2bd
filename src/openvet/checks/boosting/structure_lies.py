"""A model of boosted trees has lists that do not fit each other.

What it finds:
    Trees of XGBoost (JSON and UBJSON), LightGBM and CatBoost whose lists differ in length from what the model says,
    or whose nodes lead to nodes, leaves or features that do not exist. High are those that lead a prediction out of the lists, or
    back to a node that it comes from.

Why it matters:
    The libraries are native code and follow these numbers without asking: a child or a feature that does not exist is
    a read beyond the memory of the model, and a node that leads back is a prediction that never ends. A list of another length is
    mostly refused when the model is loaded.

Example:
    A tree of three nodes whose first node has the child 4096.

Remedy:
    Do not load it; ask the author to save the model again.

What it cannot see:
    Trees that hold together and decide something else than the author's. Lists that are too long to be kept.

References:
    https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html ; CWE-125, CWE-129, CWE-835.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="boosting/structure-lies",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(125, 129, 835),
    needs=("json", "ubjson", "lightgbm", "catboost"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each anomaly of a reader, and one for each model of XGBoost with such a tree."""
    for finding in ctx.anomalies(_REMEDY):
        yield replace(finding, severity=Severity.HIGH) if finding.evidence.get("outside") else finding
    for component in ctx.components("json", "ubjson"):
        lie = _lie(component.document)
        if lie is not None:
            message, outside = lie
            yield ctx.finding(Location(component.place), message, _REMEDY, severity=Severity.HIGH if outside else None)


_REMEDY = "Do not load it; ask the author to save the model again."
_LISTS = ("left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left")


def _lie(document: Any) -> tuple[str, bool] | None:
    """What is wrong with the trees of a model of XGBoost, and whether it leads out of the lists; ``None`` for anything else."""
    learner = document.get("learner") if isinstance(document, dict) else None
    booster = learner.get("gradient_booster") if isinstance(learner, dict) else None
    if isinstance(booster, dict) and isinstance(booster.get("gbtree"), dict):  # dart wraps it
        booster = booster["gbtree"]
    model = booster.get("model") if isinstance(booster, dict) else None
    trees = model.get("trees") if isinstance(model, dict) else None
    if not isinstance(trees, list) or not isinstance(model, dict) or not isinstance(learner, dict):
        return None
    said = _number(model.get("gbtree_model_param"), "num_trees")
    if said is not None and said != len(trees) and all(isinstance(tree, dict) for tree in trees):
        return f"the model says that it has {said} trees, and {len(trees)} are there", False
    features = _number(learner.get("learner_model_param"), "num_feature")
    for index, tree in enumerate(trees):
        wrong = _wrong(tree, features) if isinstance(tree, dict) else None
        if wrong is not None:
            return f"tree {index}: {wrong[0]}", wrong[1]
    return None


def _number(where: Any, name: str) -> int | None:
    text = where.get(name) if isinstance(where, dict) else None
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 20 else None


def _wrong(tree: dict[str, Any], features: int | None) -> tuple[str, bool] | None:
    nodes = _number(tree.get("tree_param"), "num_nodes")
    if nodes is None:
        return None
    for name in _LISTS:
        found = tree.get(name)
        if isinstance(found, list) and len(found) != nodes and "…" not in found:
            return f"it has {nodes} nodes, and {len(found)} entries in {name}", False
    return _unreachable(tree, nodes, features)


def _unreachable(tree: dict[str, Any], nodes: int, features: int | None) -> tuple[str, bool] | None:
    """What is wrong on the ways from the root. Nodes that were pruned stay in the lists and hold anything."""
    left, right = _ints(tree.get("left_children")), _ints(tree.get("right_children"))
    parents, splits = _ints(tree.get("parents")), _ints(tree.get("split_indices"))
    if not left or len(left) != len(right):
        return None
    seen = {0}
    above: dict[int, int] = {}
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if left[node] == -1:  # a leaf; in a tree of vectors its right child is the number of its values
            continue
        if features and node < len(splits) and not 0 <= splits[node] < features:
            return f"it splits on feature {splits[node]} of {features}", True
        for child in (left[node], right[node]):
            if not 0 < child < nodes or child in seen:
                back = child in seen and _above(child, node, above)
                return f"node {node} of {nodes} has the child {child}", back or not 0 <= child < nodes
            if child < len(parents) and parents[child] != node:
                return f"node {child} of {nodes} has the parent {parents[child]}, and is a child of {node}", False
            seen.add(child)
            above[child] = node
            waiting.append(child)
    return None


def _above(wanted: int, node: int, above: dict[int, int]) -> bool:
    """Whether the way to the node leads through the other."""
    while node != wanted and node in above:
        node = above[node]
    return node == wanted


def _ints(items: Any) -> list[int]:
    """The list, if it is one of whole numbers and nothing of it was let go."""
    return items if isinstance(items, list) and all(type(item) is int for item in items) else []
