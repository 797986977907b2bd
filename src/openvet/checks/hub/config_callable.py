"""A configuration makes a library import a class that is not its own.

What it finds:
    The other routes from a text file to an import: a component of diffusers' ``model_index.json`` that comes from an
    unknown library or from a file of the repository, a custom pipeline class, a module of sentence-transformers'
    ``modules.json`` that is not of that package, activation functions that sentence-transformers imports by name, the
    ``parent_library`` of a PEFT adapter, functions that spaCy's ``config.cfg`` takes from its registry and that are none of spaCy's, and
    the ``loader_module`` and code folders of an MLflow model. A class whose
    file is here is a note where all the code was seen to do nothing but define (see ``hub/python-code``); with
    ``--strict`` that is refused as well.

Why it matters:
    Each of these values is handed to ``importlib.import_module`` and what it names is called; some loaders ask for
    ``trust_remote_code`` first, others, or older versions, do not.

Example:
    ``{"type": "custom_st.Transformer", ...}`` in ``modules.json``, or ``"activation_function": "os.abort"`` in
    ``2_Dense/config.json``.

Remedy:
    Read the named code before you load. Where it is a callable that no model needs, do not load the model.

What it cannot see:
    What classes of packages that are installed do; whether your version of the library follows the key.

References:
    https://sbert.net/docs/sentence_transformer/usage/custom_models.html ;
    https://huggingface.co/docs/diffusers/main/en/using-diffusers/custom_pipeline_overview ; CWE-470.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import Judged, judge, keys, shown
from openvet.checks.hub._walk import Entry, documents, entries
from openvet.checks.python._quiet import first_loud, why_loud
from openvet.core.finding import Finding
from openvet.core.location import Location, below
from openvet.core.rule import Confidence, Rule, Severity
from openvet.inventory.component import Component

RULE = Rule(
    id="hub/config-callable",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(470,),
    needs=("json", "yaml", "toml", "text"),
    code=True,
)

#: Only these of diffusers' files name libraries; in the others a list of two texts is a list of block names.
_PIPELINES = ("model_index.json", "modular_model_index.json")
_READ = "Read the named code before you load the model."
_HERE = "code of this repository, and loading it only defines classes and functions"


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each foreign class."""
    for anomaly in ctx.inventory.anomalies(RULE.id):
        severity = Severity.NOTE if _only_defines(ctx) else None
        yield ctx.finding(anomaly.location, anomaly.message, _READ, severity=severity, evidence=anomaly.evidence)
    for component in documents(ctx):
        document = component.document
        if isinstance(document, dict) and component.basename in _PIPELINES:
            yield from _pipeline(ctx, component, document)
        if component.basename == "modules.json" and isinstance(document, list):
            yield from _modules(ctx, component, document)
        if isinstance(document, dict) and isinstance(document.get("types"), dict) and "structure" in document:
            yield from _routes(ctx, component, document["types"])
        for entry in entries(component, {*keys()["callables"], "code", "model_code_path"}):
            if entry.key in keys()["callables"]:
                yield from _dotted(ctx, entry)
            elif "loader_module" in entry.parent and entry.value:
                yield ctx.finding(
                    entry.location,
                    f"makes MLflow put {shown(entry.value)} of this model on the import path",
                    _READ,
                    severity=Severity.NOTE if _only_defines(ctx) else None,
                )


def _only_defines(ctx: Context) -> bool:
    """Whether there is code here, and all of it was seen to do nothing but define."""
    return bool(why_loud(ctx)) and not first_loud(ctx)


def _brought(ctx: Context, component: Component, name: str, part: str = "") -> Judged | None:
    """A class of a file of this repository, where all the code here was seen to do nothing but define.

    ``part`` is the folder of a component, in which diffusers looks for its code as well.

    Only a name that has no meaning to Python or to OpenVet: ``os.system`` is that of ``os``, whatever lies beside it.
    """
    known = judge(name)
    if known.capability or known.severity is not Severity.MEDIUM or not _only_defines(ctx):
        return None
    module, _, last = name.rpartition(".")
    if not last.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        return None
    if module.split(".", 1)[0] in sys.stdlib_module_names:
        return None
    folder = component.place.rpartition("/")[0]
    paths = (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py")
    here = {f"{folder}/{path}" if folder else path for path in paths}
    # diffusers keeps the code of a component in the folder of that component
    here.update(f"{folder}/{module}/{path}" if folder else f"{module}/{path}" for path in paths)
    if part and "/" not in part and ".." not in part:
        here.update(f"{folder}/{part}/{path}" if folder else f"{part}/{path}" for path in paths)
    found = any(place in here for place in why_loud(ctx))
    return Judged(Severity.NOTE, Confidence.HIGH, _HERE) if found else None


def _pipeline(ctx: Context, component: Component, document: dict[str, Any]) -> Iterator[Finding]:
    known = keys()["diffusers"]["libraries"]
    for key, value in document.items():
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(each, str) for each in value[:2]):
            continue
        if key.startswith("_") and key != "_class_name":
            continue
        library, name = value[0], value[1]
        if library in known or library.split(".", 1)[0] in keys()["packages"]:
            continue
        where = Location(component.place, pointer=f"/{key}")
        judged = _brought(ctx, component, f"{library}.{name}", key) or judge(f"{library}.{name}")
        if ".." in library or "/" in library or "\\" in library:
            judged = Judged(Severity.HIGH, Confidence.HIGH, "a place outside of the model's own folder")
        yield ctx.finding(
            where,
            f"makes diffusers import {shown(library)} and use its class {shown(name)}: {judged.why}",
            _READ,
            severity=judged.severity,
            confidence=judged.confidence,
            evidence={"library": shown(library), "class": shown(name)},
        )


def _modules(ctx: Context, component: Component, document: list[Any]) -> Iterator[Finding]:
    for index, each in enumerate(document):
        path = each.get("path") if isinstance(each, dict) else None
        parts = path.replace("\\", "/").split("/") if isinstance(path, str) else []
        if ".." in parts or (len(parts) > 1 and not parts[0]) or (parts and parts[0].endswith(":")):
            yield ctx.finding(
                Location(component.place, pointer=f"/{index}/path"),
                f"makes sentence-transformers load {shown(path)}, which is not in the model's own folder",
                "Do not load the model: it makes a loader open files outside of it.",
                severity=Severity.HIGH,
            )
        name = each.get("type") if isinstance(each, dict) else None
        if not isinstance(name, str):
            continue
        judged = _brought(ctx, component, name) or judge(name)
        if judged.severity is not Severity.NOTE or judged.why == _HERE:
            yield ctx.finding(
                Location(component.place, pointer=f"/{index}/type"),
                f"makes sentence-transformers import and construct {shown(name)}: {judged.why}",
                _READ,
                severity=judged.severity,
                confidence=judged.confidence,
                evidence={"callable": shown(name)},
            )


def _routes(ctx: Context, component: Component, types: dict[str, Any]) -> Iterator[Finding]:
    """``types`` of a Router (or Asym) of sentence-transformers: each is imported by its name."""
    for key, name in types.items():
        judged = (_brought(ctx, component, name) or judge(name)) if isinstance(name, str) else None
        if judged is not None and (judged.severity is not Severity.NOTE or judged.why == _HERE):
            yield ctx.finding(
                Location(component.place, pointer=below("/types", key)),
                f"makes sentence-transformers import and construct {shown(name)}: {judged.why}",
                _READ,
                severity=judged.severity,
                confidence=judged.confidence,
                evidence={"callable": shown(name)},
            )


def _dotted(ctx: Context, entry: Entry) -> Iterator[Finding]:
    """A dotted name; an undotted one is looked up in a table of the library's own."""
    name = entry.value
    if not isinstance(name, str) or ("." not in name and entry.key not in ("parent_library", "loader_module")):
        return
    who = keys()["callables"][entry.key]
    if entry.key == "loader_module" and name.split(".", 1)[0] == "mlflow":
        return  # the flavours of MLflow itself; the files that they load are read on their own
    if entry.key == "parent_library":
        base = entry.parent.get("base_model_class")
        called = f"{name}.{base}" if isinstance(base, str) else f"{name}.Unnamed"
    else:
        called = f"{name}.Loader" if entry.key == "loader_module" else name
    judged = judge(called)
    if judged.severity is Severity.NOTE:
        return
    yield ctx.finding(
        entry.location,
        f"makes {who} import {shown(name)}: {judged.why}",
        _READ,
        severity=judged.severity,
        confidence=judged.confidence,
        evidence={"callable": shown(called)},
    )
