"""What the dotted name of a callable in a configuration leads to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from openvet.core.rule import Confidence, Severity
from openvet.core.text import printable, shorten

__all__ = ["Judged", "judge", "keys", "shown"]


@dataclass(frozen=True, slots=True)
class Judged:
    """How bad it is that a loader calls the name, and why in a few words."""

    severity: Severity
    confidence: Confidence
    why: str
    capability: str = ""


@cache
def keys() -> dict[str, Any]:
    """``data/hub_keys.toml``."""
    return tomllib.loads(files("openvet").joinpath("data/hub_keys.toml").read_text("utf-8"))


def shown(value: Any) -> str:
    """A value of the subject in a message."""
    return shorten(printable(str(value)), 120)


def judge(name: str) -> Judged:
    """The class of ``name`` (``package.module.Class`` or ``package.module:function``) as something a loader calls."""
    name = name.strip().replace(":", ".")
    module, _, last = name.rpartition(".")
    if not module:
        module, last = "builtins", name
    danger = _danger(module, last)
    if danger is not None:
        return danger
    package = module.split(".", 1)[0]
    if package in keys()["packages"]:
        if last[:1].isupper() or _is_method_of_class(module, last) or _only_computes(name):
            return Judged(Severity.NOTE, Confidence.HIGH, f"a class of the package {shown(package)}")
        return Judged(Severity.MEDIUM, Confidence.MEDIUM, f"a function of the package {shown(package)}")
    return Judged(Severity.MEDIUM, Confidence.HIGH, "code that no package known to OpenVet has")


def _danger(module: str, last: str) -> Judged | None:
    from openvet.checks.pickle._callables import Kind, classify
    from openvet.formats._python_names import capabilities

    # the longest module that is known counts, so that a class between module and name hides nothing
    parts = f"{module}.{last}".split(".")
    for split in range(len(parts) - 1, 0, -1):
        known = classify(".".join(parts[:split]), ".".join(parts[split:]))
        if known.kind is Kind.DANGEROUS and (known.capability != "other" or split == len(parts) - 1):
            severity = max(known.severity, Severity.MEDIUM)
            return Judged(severity, Confidence.HIGH, known.what or known.capability, known.capability)
    plain = capabilities().from_carrier(f"{module}.{last}")
    capability = capabilities().of(plain)
    if capability in ("process", "code", "load", "native", "network"):
        return Judged(Severity.CRITICAL, Confidence.HIGH, f"reaches {shown(plain)}", capability)
    return None


def _is_method_of_class(module: str, last: str) -> bool:
    """``transformers.AutoModel.from_pretrained``: a maker of a class, which is as good as the class."""
    owner = module.rpartition(".")[2]
    return owner[:1].isupper() and last in ("from_pretrained", "from_config", "from_dict", "restore_from")


def _only_computes(name: str) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in keys()["functions"])
