"""A packed model makes its server install packages from elsewhere than the public index.

What it finds:
    In an archive of TorchServe (``requirementsFile``) or a folder of MLflow (``requirements.txt``, ``conda.yaml``, ``python_env.yaml``):
    requirements at a URL or in a repository, and options that name another index or trust a host without a certificate. An
    unencrypted place or another index rejects the model.

Why it matters:
    TorchServe (with ``install_py_dep_per_model``) and ``mlflow models serve`` install these before they load the model, and installing
    a package runs its code.

Example:
    ``-i http://example.org/simple`` in the requirements of a ``.mar`` file

Remedy:
    Install what the model needs yourself, from an index that you trust, and serve it with ``--env-manager local``.

What it cannot see:
    What a package on the public index does.

References:
    CWE-829; CWE-494; https://mlflow.org/docs/latest/ml/model/dependencies/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from openvet.checks._check import Context
from openvet.checks.serving._manifests import Packed, packed
from openvet.core.finding import Finding
from openvet.core.location import Location
from openvet.core.rule import Confidence, Rule, Severity
from openvet.formats.requirements import Install, Requirements, installs_of
from openvet.inventory.component import Component

__all__ = ["RULE", "check"]

RULE = Rule(
    id="serving/installs-packages",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(829, 494),
    needs=("json", "yaml"),
)

_LISTS = {"MLflow": ("requirements.txt", "conda.yaml", "conda.yml", "python_env.yaml")}
_MOST = 50


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each line."""
    for each in packed(ctx):
        for component in _lists(each):
            for place, install in _installs(component)[:_MOST]:
                yield _finding(ctx, each, place, install)


def _lists(each: Packed) -> Iterator[Component]:
    names: list[Any] = list(_LISTS.get(each.framework, ()))
    model = each.document.get("model")
    if isinstance(model, dict):
        names.append(model.get("requirementsFile"))
    for name in names:
        component = each.beside(name.removeprefix("./")) if isinstance(name, str) else None
        if component is not None:
            yield component


def _installs(component: Component) -> list[tuple[Location, Install]]:
    out = []
    for program in component.programs:
        if program.kind == "requirements":
            found = cast("Requirements", program)
            out += [(Location(component.place, line=install.line), install) for install in found.installs]
    for pointer, text in _texts(component.document):
        out += [(Location(component.place, pointer=pointer), install) for install in installs_of(text)]
    return out


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    """The texts of a description of an environment; those of ``channels`` are indexes of conda."""
    if not isinstance(document, dict):
        return
    for key in ("dependencies", "build_dependencies", "channels"):
        values = document.get(key)
        for at, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, str):
                yield f"/{key}/{at}", f"--index-url {value}" if key == "channels" and "://" in value else value
            elif isinstance(value, dict) and isinstance(value.get("pip"), list):
                for number, line in enumerate(value["pip"]):
                    if isinstance(line, str):
                        yield f"/{key}/{at}/pip/{number}", line


def _finding(ctx: Context, each: Packed, place: Location, install: Install) -> Finding:
    bad = install.kind != "place"
    how = {
        "index": "from another index",
        "plain": "from a place without encryption",
        "place": "from a place of its own",
    }
    return ctx.finding(
        place,
        f"makes {each.framework} install packages {how[install.kind]}: {install.text}",
        "Install what the model needs yourself, from an index that you trust.",
        severity=Severity.HIGH if bad else Severity.MEDIUM,
        confidence=Confidence.MEDIUM if bad else Confidence.HIGH,
        evidence=install.to_json(),
    )
