"""Models of boosted trees from plain values: UBJSON, LightGBM's text and CatBoost's buffer."""

from __future__ import annotations

import struct
from typing import Any

from openvet.testing.forge_flatbuffers import forge_buffer

__all__ = ["catboost_model", "forge_ubjson", "lightgbm_model", "xgboost_document"]


def _length(size: int) -> bytes:
    return b"L" + struct.pack(">q", size)


def forge_ubjson(value: Any) -> bytes:
    """The bytes of a value as XGBoost writes it; bytes become a list of the type U."""
    if value is None:
        return b"Z"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, int):
        return b"L" + struct.pack(">q", value)
    if isinstance(value, float):
        return b"d" + struct.pack(">f", value)
    if isinstance(value, str):
        return b"S" + _length(len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"[$U#" + _length(len(value)) + value
    if isinstance(value, dict):
        pairs = (_length(len(key.encode())) + key.encode() + forge_ubjson(each) for key, each in value.items())
        return b"{" + b"".join(pairs) + b"}"
    if value and all(type(each) is int for each in value):
        return b"[$l#" + _length(len(value)) + struct.pack(f">{len(value)}i", *value)
    return b"[#" + _length(len(value)) + b"".join(map(forge_ubjson, value))


def xgboost_document(*, nodes: int = 3, trees: int = 1, features: int = 2, **lists: Any) -> dict[str, Any]:
    """A model of one tree with three nodes; every list of it can be another one."""
    tree: dict[str, Any] = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "parents": [2147483647, 0, 0],
        "split_indices": [1, 0, 0],
        "split_conditions": [0.5, -0.25, 0.25],
        "default_left": [1, 0, 0],
        "tree_param": {"num_nodes": str(nodes), "num_feature": str(features)},
        **lists,
    }
    booster = {"model": {"gbtree_model_param": {"num_trees": str(trees)}, "trees": [tree]}, "name": "gbtree"}
    learner = {
        "attributes": {},
        "feature_names": ["a", "b"],
        "gradient_booster": booster,
        "learner_model_param": {"num_feature": str(features)},
        "objective": {"name": "reg:squarederror"},
    }
    return {"learner": learner, "version": [3, 2, 0]}


def lightgbm_model(*, leaves: int = 3, end: bool = True, sizes: str = "300", **lists: str) -> bytes:
    """A model of one tree with three leaves; every line of it can be another one."""
    tree = {
        "num_leaves": str(leaves),
        "num_cat": "0",
        "split_feature": "0 1",
        "threshold": "0.5 0.25",
        "decision_type": "2 2",
        "left_child": "1 -1",
        "right_child": "-2 -3",
        "leaf_value": "0.1 0.2 0.3",
        **lists,
    }
    head = f"tree\nversion=v4\nnum_class=1\nmax_feature_idx=1\nfeature_names=a b\ntree_sizes={sizes}\n\nTree=0\n"
    body = "".join(f"{key}={value}\n" for key, value in tree.items())
    tail = (
        "\n\nend of trees\n\nfeature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\nend of parameters\n"
        if end
        else ""
    )
    return (head + body + tail).encode()


def catboost_model(part: bytes = b"", size: int | None = None, **trees: Any) -> bytes:
    """A model of one tree of depth one; ``part`` stands behind the core under the name of the counters."""
    fields: dict[str, Any] = {
        "approx_dimension": 1,
        "tree_splits": [0],
        "tree_sizes": [1],
        "tree_start_offsets": [0],
        "float_features": [{"index": 0, "borders": [0.5]}],
        "leaf_values": [0.1, 0.2],
        **trees,
    }
    core: dict[str, Any] = {
        "format_version": "FlabuffersModel_v1",
        "model_trees": fields,
        "info_map": [{"key": "params", "value": "{}"}],
    }
    if part:
        core["model_part_ids"] = ["static_provider_v1"]
    buffer = forge_buffer("catboost", core, bytes(4))
    return b"CBM1" + (len(buffer) if size is None else size).to_bytes(4, "little") + buffer + part
