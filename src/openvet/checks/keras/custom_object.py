"""A Keras model needs classes or functions that Keras does not have.

What it finds:
    Objects in a Keras configuration that are registered under a package of their own (``Custom>Name``) or that come from
    another module than those of Keras and of its sister packages, and Lambda layers that name a function; a text of code in
    the place of that name is worse. Of a SavedModel, whose classes Keras brings back from the graph, the name is only noted.

Why it matters:
    The model does not load without code that comes from elsewhere, and that code decides what happens. Keras up to 3.8
    imports the named module by itself.

Example:
    ``{"module": null, "class_name": "Attention", "config": {}, "registered_name": "my_package>Attention"}``.

Remedy:
    Read the code that defines the class before you import it, and load with Keras 3.9 or later.

What it cannot see:
    Where the code is, and what it does.

References:
    https://keras.io/guides/serialization_and_saving/ ; CVE-2025-1550; CWE-829.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.hub._texts import does
from openvet.checks.keras._config import CUSTOM, Named, Object, configs, in_saved_model, named
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="keras/custom-object",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("json", "yaml"),
)

_EVALUATES = pattern(r"\b(?:eval|exec|compile|__import__|getattr|open)[ \t]{0,4}\(")


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each name in each file."""
    told: set[tuple[str, str]] = set()
    for each in configs(ctx):
        for name in (*named(each), *_lambda_function(each)):
            key = (each.location.place, name.name)
            if name.kind == CUSTOM and key not in told:
                told.add(key)
                # Keras brings a class of a SavedModel that it does not know back from the graph, without its code
                graph = in_saved_model(each.location) and each.name != "Lambda"
                if (use := _code(each, name)) is not None:
                    yield ctx.finding(
                        each.location,
                        f"gives a Lambda layer code in place of the name of a function: {name.name} {use}",
                        "Do not load it; ask for a model without Lambda layers.",
                        severity=Severity.HIGH,
                        evidence={"name": name.name},
                    )
                    continue
                yield ctx.finding(
                    each.location,
                    f"needs {name.name}: {name.why}",
                    "Read the code that defines it before you import it.",
                    severity=Severity.NOTE if graph else Severity.MEDIUM,
                    evidence={"name": name.name},
                )


def _code(each: Object, name: Named) -> str | None:
    """What the text does that stands where the name of a Lambda layer's function should."""
    text = each.config.get("function") if each.name == "Lambda" and isinstance(each.config, dict) else None
    if not isinstance(text, str) or shown(text) != name.name or "(" not in text:
        return None
    # what is evaluated here may be harmless today; nobody writes that where a name belongs
    found = does(text)
    if found is not None:
        return found[0]
    return "is Python and evaluates text" if _EVALUATES.search(text) else None


def _lambda_function(each: Object) -> Iterator[Named]:
    """The function that a Lambda layer of Keras 2 calls by its name."""
    if each.name != "Lambda" or not isinstance(each.config, dict) or each.config.get("function_type") == "lambda":
        return
    if isinstance(each.config.get("function"), str):
        yield Named(CUSTOM, shown(each.config["function"]), "a function that a Lambda layer calls")
