"""Python code that comes with the model unpickles something, or loads code from elsewhere, as soon as it is imported.

What it finds:
    ``pickle``, ``marshal``, ``dill``, ``joblib``, ``torch.hub.load``, ``zipimport`` and module loaders that take a
    path, at module level, in class bodies, or in functions that those call.

Why it matters:
    An unpickled file is a program. What is loaded from a path or a hub is code that was not looked at here. Where a source fetches
    files from a hub and makes a module of a path that it computes, as soon as it is imported, it runs what somebody may change at any
    time: that is high (a heuristic).

Example:
    ``TABLE = pickle.load(open('table.pkl', 'rb'))`` at the top of ``modeling_x.py``.

Remedy:
    Vet the file that is unpickled (OpenVet reads pickles) and the place that code comes from.

What it cannot see:
    What modules from elsewhere, or other files of the repository, do when this file calls them; names that only
    come about while the code runs. Files of weights that a script loads which only a person starts by its name (``hub/python-code``
    says which those are): those that lie here are read by themselves.

References:
    https://docs.python.org/3/library/pickle.html ; CWE-502.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openvet.checks._check import Context
from openvet.checks.python._uses import found, sources, uses
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity

RULE = Rule(
    id="python/unpickle-at-load",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(502,),
    needs=("python", "notebook", "python-bytecode"),
)

_GRADES = {"import": (Severity.MEDIUM, Confidence.HIGH)}
_LATER = {"construction": (Severity.HIGH, Confidence.MEDIUM), "inference": (Severity.HIGH, Confidence.MEDIUM)}


#: What makes a module of a file, and what fetches files from anywhere. A repository of a hub is one that can be checked, as with
#: ``trust_remote_code``: its module wants a review.
_MODULES = frozenset(
    {
        "importlib.util.spec_from_file_location",
        "importlib.machinery.SourceFileLoader",
        "importlib.machinery.SourcelessFileLoader",
        "imp.load_source",
        "imp.load_compiled",
        "imp.load_dynamic",
    }
)
_ARCHIVES = frozenset(
    {
        "zipimport.zipimporter",
        "runpy.run_path",
        "importlib.machinery.SourceFileLoader",
        "importlib.util.spec_from_file_location",
    }
)
_FETCHERS = frozenset({"gdown", "wget", "pooch", "mega"})


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each such call."""
    for finding in found(
        ctx, "load", "unpickles or loads code", "Vet what is unpickled or loaded before you run this code.", _GRADES
    ):
        fetched = finding.evidence["callable"] in _MODULES and _fetches(ctx, finding.location.place)
        yield (
            replace(finding, severity=Severity.HIGH, confidence=Confidence.MEDIUM)
            if fetched and "\u2026" in str(finding.evidence["detail"])
            else finding
        )
    fetching = {program.location.place for program, use, _ in ctx.inventory.once(uses)
                if use.capability == "network" and use.when != "call"}  # fmt: skip
    for finding in found(
        ctx, "load", "loads code", "Do not run this code before you know what it fetches and loads.", _LATER
    ):
        if finding.evidence["callable"] in _ARCHIVES and finding.location.place in fetching:
            yield replace(finding, message=f"{finding.message}, in a file that fetches files then")


def _fetches(ctx: Context, place: str) -> bool:
    """Whether a source takes files from anywhere."""
    return any(
        source.location.place == place and not _FETCHERS.isdisjoint(name.partition(".")[0] for name in source.imports)
        for source in ctx.inventory.once(sources)
    )
