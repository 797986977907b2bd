"""A PaddlePaddle program has an operator that calls Python, or opens files or connections.

What it finds:
    Operators that call functions of the Python process (``py_func``, ``py_layer``), write or read a file that an attribute
    names (``save_combine``, ``load``, ``read_file``), or listen or connect (``listen_and_serv``, ``c_gen_nccl_id``), in
    ``.pdmodel`` and in ``inference.json``.

Why it matters:
    They run with the rights of the process as soon as the program is run. An exported model has its parameters in a file of
    its own, which the loader opens, and so needs none of them.

Example:
    ``save_combine`` with ``file_path`` ``/etc/cron.d/job``.

Remedy:
    Do not run it; export the model again with ``paddle.jit.save`` from a network that you know.

What it cannot see:
    What a function does that the process has under a number.

References:
    ``paddle/fluid/operators/py_func_op.cc``, ``save_combine_op.h``; CWE-94, CWE-73, CWE-918.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.paddle._operators import told
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="paddle/dangerous-operator",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(94, 73, 918),
    needs=("paddle-program", "json"),
)

_KINDS = (
    ("code", "calls a function of the Python process"),
    ("writes", "writes a file"),
    ("reads", "reads a file"),
    ("network", "opens a connection"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such operator. One that only reads a file beside the model wants a look."""
    from openvet.formats._tf_program import is_outside
    from openvet.formats.paddle_program import operators

    remedy = "Do not run it; export the model again from a network that you know."
    for key, what in _KINDS:
        for location, name, texts in told(ctx, operators(key)):
            given = ", ".join(texts[:3])
            near = key == "reads" and texts and not any(is_outside(text) for text in texts)
            yield ctx.finding(
                location,
                f"the operator {name} {what}{f': {given}' if given else ''}",
                remedy,
                severity=Severity.MEDIUM if near else None,
                evidence={"operator": name, "texts": texts},
            )
