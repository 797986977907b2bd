"""A Caffe network has layers that are classes of Python.

What it finds:
    ``python_param`` in ``.caffemodel`` and ``.prototxt`` with the module and the class. One that reaches a function which runs
    code, processes or files has a high severity; any other wants a look.

Why it matters:
    Caffe imports the module, wherever Python finds it, and calls the class when it builds the network.

Example:
    ``python_param { module: "os" layer: "system" }``.

Remedy:
    Read the source of the module that comes with the network before you build it.

What it cannot see:
    What the class does.

References:
    ``include/caffe/layers/python_layer.hpp`` and ``layer_factory.cpp`` of https://github.com/BVLC/caffe ; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import judge
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

__all__ = ["RULE", "check"]

RULE = Rule(
    id="caffe/python-layer",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("caffe", "prototxt"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each class, at the first layer that names it."""
    for component in ctx.components():
        said = set()
        for layer in component.metadata.get("python_layers", ()):
            name = f"{layer['module']}.{layer['layer']}"
            if name in said:
                continue
            said.add(name)
            judged = judge(name)
            bad = judged.severity >= Severity.HIGH
            yield ctx.finding(
                Location(component.place, layer.get("offset"), layer.get("line")),
                f"makes Caffe import and call {name}{f': {judged.why}' if bad else ''}",
                "Do not build it." if bad else "Read the source of the module before you build the network.",
                severity=judged.severity if bad else None,
                evidence={"callable": name},
            )
