"""A configuration names a callable that the loader imports and calls.

What it finds:
    ``_target_`` (Hydra, NeMo, Uni2TS, FlexTok, MONAI) at any depth of a JSON or YAML file, ``target`` beside
    ``params`` or ``args`` (the older style of latent diffusion), ``target`` alone where it is dangerous (NeMo), and
    ``class_path`` beside ``init_args`` (Lightning), ``()`` (``logging.config.dictConfig``) where it is dangerous, and what jsonpickle writes beside ``py/object``,
    ``py/function``, ``py/type`` and ``py/repr``. The named callable is classified: a process, code,
    import, file or network function gives a critical or high severity; a class of a known package a note; anything
    else wants a review. Functions that only look up another one are followed to what they look up.

Why it matters:
    ``hydra.utils.instantiate`` imports whatever dotted name it finds and calls it with the arguments beside it.
    Loaders of several vendors gave it configurations out of model files, so that a text file ran code. ``jsonpickle.decode``
    does the same with a JSON text that looks like settings.

Example:
    ``{"_target_": "os.system", "_args_": ["echo hello"]}``.

Remedy:
    Do not load it with a library that instantiates from configuration. Ask the publisher why the callable is named; for
    unknown classes read their source first. NVIDIA NeMo is hit before 2.3.2 (CVE-2025-23304).

What it cannot see:
    Names that an interpolation (``${...}``) puts together; they are reported as unknown callables. What a class does
    with its arguments.

References:
    CVE-2020-22083 (jsonpickle); CVE-2025-23304 (NeMo), CVE-2026-24157, CVE-2026-24159; Unit 42 on FlexTok and Uni2TS; CWE-470, CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import UNKNOWN, Judged, judge, keys, shown
from openvet.checks.hub._walk import Entry, documents, entries
from openvet.core.finding import Finding
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.python import PythonSource

#: Modules of one folder with a class of the same name.
_MOST = 200
_DOTTED = pattern(r"\s*[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\s*")

#: Keys by which jsonpickle names what it imports; the last one is evaluated as Python (before jsonpickle 1.5.1).
_JSONPICKLE = ("py/object", "py/class", "py/function", "py/type", "py/repr")
#: The last part of a name that is a class by the way in which everybody writes one.
_CLASS = pattern(r"[.:][A-Z][A-Z0-9]{0,20}[a-z]\w{0,80}\s{0,9}$")

RULE = Rule(
    id="hub/config-target",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(470, 502),
    needs=("json", "yaml", "toml"),
)


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each callable, at the first place that names it."""
    defined = _defined(ctx)
    here = {part for each in ctx.components("python") for part in each.place.removesuffix(".py").split("/")}
    for component in documents(ctx):
        said: set[str] = set()
        for entry in entries(component, ("_target_", "target", "class_path", "()", *_JSONPICKLE)):
            if not _is_target(entry, settings="yaml" in component.formats):
                continue
            for name in _names(entry):
                if name in said:
                    continue
                said.add(name)
                yield _finding(ctx, entry, name, defined, here)


def _defined(ctx: Context) -> dict[str, list[str]]:
    """The modules of the folder that define a class, by the name of the class, each as a path without its ending."""
    found: dict[str, list[str]] = {}
    for component in ctx.components("python"):
        module = component.place.removesuffix(".py").removesuffix("/__init__")
        for program in component.programs:
            for each in program.classes if isinstance(program, PythonSource) else ():
                found.setdefault(each, []).append(module)
    return found


def _own(name: str, defined: dict[str, list[str]]) -> str:
    """The module of the folder that has a class, as a path without its ending; '' where none has: what is installed may be anything."""
    module, _, last = name.strip().replace(":", ".").rpartition(".")
    path = module.replace(".", "/")
    return next((each for each in defined.get(last, ())[:_MOST] if path and f"/{each}".endswith(f"/{path}")), "")


def _finding(ctx: Context, entry: Entry, name: str, defined: dict[str, list[str]], here: set[str]) -> Finding:
    judged = judge(name)
    if judged.severity is Severity.MEDIUM and not judged.capability and (own := _own(name, defined)):
        judged = Judged(
            Severity.NOTE,
            Confidence.HIGH,
            f"a class of {shown(own)}.py, which comes with the model and is looked at itself",
        )
    elif judged.why == UNKNOWN and _CLASS.search(name) and name.strip().partition(".")[0] not in here:
        judged = Judged(
            Severity.NOTE, Confidence.MEDIUM, "a class that no package known to OpenVet has, and that is not here"
        )
    if name.strip().endswith(".load_from_checkpoint") and not any("://" in str(each) for each in entry.parent.values()):
        judged = Judged(
            Severity.MEDIUM,
            Confidence.HIGH,
            "loads a checkpoint, which is a pickle, from where the settings say",
            "load",
        )
    evidence: dict[str, Any] = {"callable": shown(name)}
    arguments = entry.parent.get("_args_", entry.parent.get("args"))
    if arguments is not None:
        evidence["arguments"] = shown(arguments)
    if judged.capability:
        evidence["capability"] = judged.capability
    if judged.severity >= Severity.HIGH:
        remedy = "Do not load it: no model needs this callable."
    elif judged.severity > Severity.NOTE:
        remedy = "Read the source of the callable before you load the model with a library that instantiates it."
    else:
        remedy = "Nothing, where the package is one that you use."
    return ctx.finding(
        entry.location,
        f"makes a loader call {shown(name)}: {judged.why}",
        remedy,
        severity=judged.severity,
        confidence=judged.confidence,
        evidence=evidence,
    )


def _is_target(entry: Entry, *, settings: bool) -> bool:
    if entry.key == "_target_":
        return isinstance(entry.value, str | list)
    if entry.key == "class_path":
        return isinstance(entry.value, str) and "init_args" in entry.parent
    if entry.key == "()":  # handlers of files and sockets are what logging is for
        return isinstance(entry.value, str) and judge(entry.value.removeprefix("ext://")).severity >= Severity.CRITICAL
    if entry.key in _JSONPICKLE:
        return isinstance(entry.value, str) and (entry.key == "py/repr" or _DOTTED.fullmatch(entry.value) is not None)
    beside = {"params", "args", "kwargs", "_args_", "_partial_"} & entry.parent.keys()
    if entry.key != "target" or not isinstance(entry.value, str) or "." not in entry.value:
        return False
    # NeMo imports it also where nothing stands beside it, but a target is many things elsewhere: only what is dangerous counts
    return bool(beside) or (
        settings and _DOTTED.fullmatch(entry.value) is not None and judge(entry.value).severity >= Severity.HIGH
    )


def _names(entry: Entry) -> Iterator[str]:
    """What is called: the target, or what it looks up."""
    if entry.key == "py/repr":
        yield "builtins.eval"
        return
    values = entry.value if isinstance(entry.value, list) else [entry.value]
    for value in values:
        if not isinstance(value, str):
            continue
        argument = keys()["lookups"].get(value.strip())
        if argument is None:
            yield value.removeprefix("ext://") if entry.key == "()" else value
            continue
        given = [entry.parent.get(argument), *_as_list(entry.parent.get("_args_"))[:1]]
        found = [each for each in given if isinstance(each, str)]
        yield from found or [value]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
