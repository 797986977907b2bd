"""A model that is packed for TorchServe brings code that the server runs.

What it finds:
    The handler and the model file that ``MAR-INF/MANIFEST.json`` names, where they are not one of the handlers that TorchServe has
    itself: a note where all code of the archive was seen to do nothing but define (see ``hub/python-code``). Where that code starts processes, runs text as code, or loads native code, whenever it does so, the model is rejected.

Why it matters:
    TorchServe imports the handler when the model is registered and calls it for each request. Registering a model is running a
    program.

Example:
    ``"model": {"handler": "handler.py"}`` and ``os.system(...)`` in its ``initialize``

Remedy:
    Read the handler before you register the model, and keep the management API closed to others (CVE-2023-43654, CVE-2024-35198; safe from TorchServe 0.11.0 on).

What it cannot see:
    What modules do that the handler imports from elsewhere.

References:
    CWE-829; CVE-2022-1471; CVE-2023-43654; CVE-2024-35198.
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks._check import Context
from openvet.checks.hub._targets import shown
from openvet.checks.python._quiet import first_loud
from openvet.checks.serving._manifests import Packed, packed
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.python import PythonSource, PythonUse

__all__ = ["RULE", "check"]

RULE = Rule(
    id="serving/handler-code",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829,),
    needs=("json",),
    code=True,
)

_OWN = frozenset(
    {"image_classifier", "image_segmenter", "object_detector", "text_classifier", "text_to_speech_handler"}
)
_DANGEROUS = frozenset({"process", "code", "native", "hidden"})
_REMEDY = "Read the handler before you register the model."


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each handler, and one for each dangerous use in it."""
    for each in packed(ctx):
        if each.framework != "TorchServe":
            continue
        model = each.document.get("model")
        for key in ("handler", "modelFile"):
            name = model.get(key) if isinstance(model, dict) else None
            if isinstance(name, str) and name not in _OWN:
                yield from _code(ctx, each, key, name)


def _code(ctx: Context, each: Packed, key: str, name: str) -> Iterator[Finding]:
    file = name.partition(":")[0].removeprefix("./")
    component = each.beside(file) or each.beside(f"{file}.py")
    where = Location(each.manifest.place, pointer=f"/model/{key}")
    quiet = component is not None and not first_loud(ctx)
    yield ctx.finding(
        where,
        f"makes TorchServe run {shown(name)} as its {'handler' if key == 'handler' else 'model'}"
        + ("" if component is not None else ", which is not in the archive"),
        _REMEDY,
        severity=Severity.NOTE if quiet else None,
        evidence={key: shown(name)},
    )
    for use in _uses(component.programs) if component is not None else ():
        yield ctx.finding(
            Location(component.place if component is not None else each.manifest.place, line=use.line),
            f"is run by TorchServe and calls {use.name}",
            "Do not register this model.",
            severity=Severity.HIGH,
            confidence=Confidence.MEDIUM,
            evidence={"callable": use.name, "when": use.when, "detail": use.detail},
        )


def _uses(programs: tuple[object, ...]) -> list[PythonUse]:
    found = [program for program in programs if isinstance(program, PythonSource)]
    return [use for source in found for use in source.uses if use.capability in _DANGEROUS][:20]
