"""A SavedModel carries Python bytecode in the settings of a Keras layer.

What it finds:
    Lambda layers whose function is bytecode, in ``keras_metadata.pb`` or in the objects of ``saved_model.pb``, at any depth.
    A Lambda that only names a function is a lesser thing.

Why it matters:
    ``tf.keras.models.load_model`` unmarshals the bytecode and makes a function of it, which runs when the model is built.
    Bytecode can do whatever Python can.

Example:
    ``{"class_name": "Lambda", "config": {"function": {"class_name": "__tuple__", "items": ["4wEAAAA...", null, null]}}}``

Remedy:
    Do not load it with Keras. Load the SavedModel with ``tf.saved_model.load``, which ignores the settings, or ask for a model
    without Lambda layers. Keras 3 loads ``.keras`` files without bytecode by default (``safe_mode``); SavedModels have no such
    guard.

What it cannot see:
    What the bytecode does.

References:
    https://keras.io/api/layers/core_layers/lambda/ ; CVE-2024-3660; CWE-502, CWE-94.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.text import printable, shorten

RULE = Rule(
    id="tensorflow/keras-lambda",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(94, 502),
    needs=("keras-metadata", "tf-saved-model"),
)

_REMEDY = "Do not load it with Keras; tf.saved_model.load ignores these settings."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each Lambda layer."""
    for component in ctx.components():
        for child in component.children:
            for pointer, settings in _lambdas(child.document):
                where = Location(child.place, pointer=pointer)
                function = settings.get("function")
                if isinstance(function, str):
                    shown = printable(shorten(function, 100))
                    message = f"a Lambda layer calls the function {shown} by its name"
                    yield ctx.finding(where, message, _REMEDY, severity=Severity.MEDIUM, evidence={"function": shown})
                else:
                    yield ctx.finding(where, "a Lambda layer carries Python bytecode, which Keras runs", _REMEDY)


def _lambdas(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(pointer, configuration) of every Lambda layer."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((f"{pointer}/{index}", each) for index, each in enumerate(value))
        elif isinstance(value, dict):
            settings = value.get("config")
            if isinstance(settings, dict) and _is_lambda(value.get("class_name"), settings):
                yield pointer, settings
            waiting.extend((f"{pointer}/{key}", each) for key, each in value.items())


def _is_lambda(name: Any, settings: dict[str, Any]) -> bool:
    """By its class, under whatever package it is registered, or by what only a Lambda has."""
    if isinstance(name, str) and name.rsplit(">", 1)[-1].rsplit(".", 1)[-1] == "Lambda":
        return True
    return "function" in settings and "function_type" in settings
