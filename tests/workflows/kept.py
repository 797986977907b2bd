"""Statements about models that are none, for tests of comparing and choosing."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from tests.evidence.vectors import _BENCH

from openvet.cli import main
from openvet.core.progress import Progress
from openvet.evidence.keys import PrivateKey
from openvet.evidence.predicates.bench_v1 import BenchV1, Figure
from openvet.evidence.predicates.eval_v1 import ModelRef
from openvet.evidence.signing import sign_statement, statement_bytes, to_line
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.held_model import model_digest

__all__ = ["benched", "evaluated", "model"]


def model(name: str, numbers: int, licence: str = "apache-2.0", languages: str = "en") -> Path:
    """A folder with so many numbers, and a card."""
    folder = Path(name)
    folder.mkdir()
    header = json.dumps({"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * numbers))
    (folder / "README.md").write_text(f"---\nlicense: {licence}\nlanguage:\n- {languages}\n---\n# {name}\n")
    return folder


def evaluated(name: str, right: float, samples: int = 80, *, key: str = "") -> Path:
    """A result of the task ``capitals``, of which so large a share is right."""
    items = [{"q": f"Q{each}", "a": f"A{each}"} for each in range(samples)]
    Path("capitals.json").write_text(
        json.dumps({"name": "capitals", "prompt": "{{q}}", "target": "{{a}}", "scorer": "exact", "samples": items})
    )
    draw = random.Random(name)
    lines = [{"id": str(each), "output": f"A{each}" if draw.random() < right else "x"} for each in range(samples)]
    Path(f"{name}.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    sign = ["--sign", key] if key else []
    done = CliRunner().invoke(
        main,
        [
            "eval",
            name,
            "--task",
            "capitals.json",
            "--recorded",
            f"{name}.jsonl",
            "--result",
            f"{name}.eval.json",
            *sign,
        ],
    )
    assert done.exit_code == 0, done.output
    return Path(f"{name}.eval.json")


def benched(
    name: str,
    latency: float,
    *,
    certified: bool = True,
    device: bool = True,
    key: PrivateKey | None = None,
    cpu: str = "A Processor",
    **changes: Any,
) -> Path:
    """A measurement of the model ``name``; ``changes`` are fields of its body."""
    algorithm, digest, _ = model_digest(name, Progress())
    figures = (
        Figure("request-p50", "s", f"{latency:g}", f"{latency * 0.9:g}", f"{latency * 1.1:g}", "0.95", 200, "order"),
        Figure(
            "request-p90", "s", f"{latency * 2:g}", f"{latency * 1.9:g}", f"{latency * 2.2:g}", "0.95", 200, "order"
        ),
        Figure(
            "written-rate", "token/s", f"{10 / latency:g}", f"{9 / latency:g}", f"{11 / latency:g}", "0.95", 200, "t"
        ),
        Figure("peak-resident", "byte", "300000000", None, None, None, 1, "none"),
    )
    body: BenchV1 = replace(
        _BENCH, model=ModelRef(name, {algorithm: digest}), certified=certified, reasons=() if certified else ("the machine was busy",), figures=figures,
        limits=tuple(replace(each, enforced=True) for each in _BENCH.limits), device=_BENCH.device if device else None,
        machine=replace(_BENCH.machine, cpu=cpu),
    )  # fmt: skip
    body = replace(body, **changes)
    statement = Statement(ResourceDescriptor(name, {algorithm: digest}), body)
    path = Path(
        f"{name}.bench{hashlib.sha256(repr((latency, cpu, certified, device, changes)).encode()).hexdigest()[:4]}.json"
    )
    path.write_bytes(statement_bytes(statement) if key is None else to_line(sign_statement(statement, key)))
    return path
