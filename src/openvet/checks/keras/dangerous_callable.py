"""A Keras configuration names a function or class that no model needs and that does harm.

What it finds:
    Objects whose module and name lead to processes, code, files or the network, in Python (``os.system``,
    ``builtins.eval``) or in Keras itself (``keras.utils.get_file``, ``keras.config.enable_unsafe_deserialization``,
    loaders of models), under every name that Keras has had (``tf_keras``, ``keras.src``, ``tensorflow.keras``); the
    function that a Lambda layer names; and operations of TensorFlow that open files.

Why it matters:
    Keras up to 3.8 imports any module that a configuration names and calls what it finds there, in safe mode too; later
    versions still resolve the functions of Keras itself, which download files or switch safe mode off.

Example:
    ``{"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}``.

Remedy:
    Do not load the model. Use Keras 3.12 or later for every model that you do load.

What it cannot see:
    What a custom class does with its configuration.

References:
    CVE-2025-1550 (fixed in 3.9.0), CVE-2025-8747 (fixed in 3.11.0), CVE-2025-9906 (fixed in 3.11.0); CWE-94, CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.keras._config import DANGEROUS, Object, configs, named
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats._keras import known

RULE = Rule(
    id="keras/dangerous-callable",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(94, 502),
    needs=("json", "yaml"),
)

_REMEDY = "Do not load it; use Keras 3.12 or later for every model that you do load."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each object."""
    for each in configs(ctx):
        for name in (*named(each), *_lambda_function(each)):
            if name.kind == DANGEROUS:
                yield ctx.finding(
                    each.location,
                    f"makes Keras look up {name.name}: {name.why}",
                    _REMEDY,
                    evidence={"callable": name.name, "capability": name.capability},
                )
        operation = _operation(each)
        if operation is not None:
            yield ctx.finding(
                each.location,
                f"runs TensorFlow's {shown(operation)}, which does more than compute",
                _REMEDY,
                evidence={"operation": shown(operation)},
            )


def _lambda_function(each: Object) -> Iterator[Any]:
    """A Lambda of Keras 2 names its function by a text, and the module of it beside."""
    if each.name != "Lambda" or not isinstance(each.config, dict):
        return
    for key in ("function", "output_shape", "mask"):
        text, module = each.config.get(key), each.config.get("module" if key == "function" else f"{key}_module")
        if isinstance(text, str) and text and isinstance(module, str):
            yield from named(Object(each.location, {"module": module}, "function", text))


def _operation(each: Object) -> str | None:
    if each.name not in ("TFOpLambda", "TensorFlowOpLayer", "ClassMethod") or not isinstance(each.config, dict):
        return None
    operation: Any = each.config.get("function")
    if each.name == "TensorFlowOpLayer":
        node = each.config.get("node_def")
        operation = node.get("op") if isinstance(node, dict) else None
        operation = f"raw_ops.{operation}" if isinstance(operation, str) else None
    if each.name == "ClassMethod":
        operation = each.config.get("cls_symbol", each.config.get("class_symbol"))
    if isinstance(operation, str) and operation.startswith(tuple(known()["operations_dangerous"]["prefixes"])):
        return operation
    return None
