"""A Keras model carries Python bytecode that runs when it is loaded or used.

What it finds:
    Marshalled functions: the code of a Lambda layer, of any object of the class ``__lambda__`` (an activation, a loss, an
    argument), and texts that decode to marshalled code wherever they stand in the configuration, in all three
    spellings that Keras has had.

Why it matters:
    Keras rebuilds the function with ``marshal.loads`` and calls it, at the latest when the model is built. Keras 3
    refuses in safe mode for ``.keras`` files; legacy HDF5 files and plain configurations know no safe mode before
    3.11.3, and Keras 2 before 2.13 has none at all. Bytecode can do anything that Python can.

Example:
    ``{"class_name": "Lambda", "config": {"function": ["4wEAAAAA...", null, null], "function_type": "lambda"}}``.

Remedy:
    Do not load the model. Ask its author for one without Lambda layers, with the same arithmetic in layers of Keras.
    Keras 2.13 and later refuse it in ``.keras`` files unless told otherwise (``safe_mode``); in HDF5 files Keras
    refuses from 3.11.3 on (CVE-2025-9905).

What it cannot see:
    What the bytecode does; the evidence lists the texts in it.

References:
    CVE-2024-3660 (Keras before 2.13), CVE-2025-9905 (HDF5 ignores safe_mode, fixed in 3.11.3); CWE-94.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.keras._config import bytecode, configs, in_h5, strings, values
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="keras/lambda-code",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(94,),
    needs=("json", "yaml"),
)

_REMEDY = "Do not load it; ask for a model without Lambda layers."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each function."""
    told: set[tuple[str, str]] = set()
    for location, key, value in values(ctx):
        code = bytecode(value)
        if code is not None:
            told.add((location.place, location.pointer or ""))
            where = "an HDF5 file, for which no safe mode counts" if in_h5(location) else "the configuration"
            yield ctx.finding(
                location,
                f"{where} carries {len(code)} bytes of marshalled Python code, which Keras runs",
                _REMEDY,
                evidence={"key": key[:80], "bytes": len(code), "texts": strings(code)},
            )
    for each in configs(ctx):
        pointer = each.location.pointer or ""
        inner = each.config if isinstance(each.config, dict) else {}
        rebuilt = each.name == "__lambda__" or (
            each.name == "Lambda"
            and (
                any(inner.get(f"{key}_type") == "lambda" for key in ("function", "output_shape", "mask"))
                or isinstance(inner.get("function"), list)  # [bytecode, defaults, closure]
            )
        )
        if rebuilt and not any(place == each.location.place and at.startswith(pointer) for place, at in told):
            yield ctx.finding(
                Location(each.location.place, pointer=pointer),
                "asks Keras to rebuild a Python function from its bytecode",
                _REMEDY,
            )
