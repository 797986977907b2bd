"""Interpolations of configurations, which look something up or are evaluated, and the data that cards of data sets name."""

from __future__ import annotations

from functools import partial
from typing import Literal

from openvet.testing.case import Case, Files

__all__ = ["CASES"]

_Decision = Literal["admit", "review", "reject"]


def _files(files: dict[str, str]) -> Files:
    return {name: text.encode() for name, text in files.items()}


def _case(name: str, technique: str, files: dict[str, str], decision: _Decision, *rules: str) -> Case:
    return Case(f"hub-texts/{name}", technique, partial(_files, files), decision, frozenset(rules))


def _hydra(value: str) -> dict[str, str]:
    return {
        "conf/optimizer.yaml": f"optimizer:\n  _target_: torch.optim.AdamW\n  lr: {value}\n",
        "conf/config.yaml": "lr: 0.1\n",
    }


def _card(lines: str) -> dict[str, str]:
    return {"README.md": f"---\nconfigs:\n- config_name: default\n{lines}---\n# Data\n", "train.jsonl": '{"a": 1}\n'}


_LOOKED_UP = {
    "name": "${lr}", "nested": "${optim.base_lr}", "item": "${rates[0]}", "environment": "${oc.env:LR}", "default": "${oc.env:LR,0.1}",
    "relative": "${..lr}", "two": "${base}/${name}", "inner": "${rates.${stage}}", "resolver": "${multiply:2,3}", "evaluated": "'${eval:2 * 3}'",
}  # fmt: skip
_EVALUATED = {
    "eval": '"${eval:\'__import__(\\"os\\").system(\\"echo hello\\")\'}"',
    "eval-bare": '\'${eval:__import__("os").system("echo hello")}\'',
    "behind": '\'x-${py_eval:__import__("subprocess").call("echo")}\'',
    "monai": "\"$__import__('os').system('echo hello')\"",
}
_OUTSIDE = {
    "climbs": ("  data_files: ../../other/train.jsonl\n", "review"),
    "absolute": ("  data_files:\n  - split: train\n    path: /data/other/train.jsonl\n", "review"),
    "file": ("  data_files:\n  - split: train\n    path: file:///data/train.jsonl\n", "review"),
    "passwords": ("  data_files:\n  - split: train\n    path: ../../../../etc/passwd\n", "reject"),
    "key": ("  data_files:\n  - split: train\n    path:\n    - train.jsonl\n    - /root/.ssh/id_rsa\n", "reject"),
    "folder": ("  data_dir: ../../other\n", "review"),
    "program": ("  data_files: https://forged.example/setup.exe\n", "review"),
    "pickle": ("  data_files: https://forged.example/train.pkl?x=1\n", "review"),
}
_INSIDE = {
    "pattern": "  data_files: data/train-*.parquet\n",
    "splits": "  data_files:\n  - split: train\n    path: train.jsonl\n  - split: test\n    path: [a.jsonl, sub/../b.jsonl]\n",
    "address": "  data_files: https://example.org/train.jsonl\n",
    "hub": "  data_files: hf://datasets/example/other/train.parquet\n",
}

CASES: tuple[Case, ...] = (
    *(_case(f"hydra-{name}", f"a configuration of Hydra looks something up: {name}", _hydra(value), "admit") for name, value in _LOOKED_UP.items()),
    *(_case(f"evaluated-{name}", f"a text that is evaluated and starts a process: {name.replace('-', ' ')}", _hydra(value), "reject",
            "hub/config-expression") for name, value in _EVALUATED.items()),
    *(_case(f"data-{name}", f"the card of a data set names data elsewhere: {name}", _card(lines), "review" if decision == "review" else "reject",
            "hub/outside-path") for name, (lines, decision) in _OUTSIDE.items()),
    *(_case(f"ordinary-data-{name}", f"the card of a data set names its data: {name}", _card(lines), "admit") for name, lines in _INSIDE.items()),
)  # fmt: skip
