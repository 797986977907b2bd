"""What the dotted name of a callable in a configuration leads to."""

from __future__ import annotations

from functools import cache
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.rule import Confidence, Severity
from openvet.core.tables import read_table
from openvet.core.text import printable, shorten

__all__ = ["UNKNOWN", "Judged", "judge", "keys", "shown"]


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
    return read_table("hub_keys")


UNKNOWN = "code that no package known to OpenVet has"
#: Words in the names of functions that do more than compute.
_ACTS = pattern(
    r"run|exec|eval|system|shell|spawn|popen|process|call|command|cmd|download|fetch|install|load|open|read|write|save|remove|delete|unlink|import|url|request|"
    r"send|post|upload|file|hook|launch|main|start|script|kernel|cpp|code|lambda|apply|invoke|setup|init|path|dir|socket|connect"
)


def shown(value: Any) -> str:
    """A value of the subject in a message."""
    return shorten(printable(str(value)), 120)


def judge(name: str) -> Judged:
    """The class of ``name`` (``package.module.Class`` or ``package.module:function``) as something a loader calls."""
    name = name.strip().replace(":", ".")
    module, _, last = name.rpartition(".")
    if not module:
        module, last = "builtins", name
        name = f"builtins.{name}"
    package = module.split(".", 1)[0]
    packaged = package in keys()["packages"]
    named = _reached(name)
    if named is not None:
        return named
    danger = None if name in keys()["reviewed"] else _classified(name)
    if danger is not None:
        if packaged and last[:1].isupper():  # a class near dangerous functions: look at it, but nothing is proven
            return Judged(danger.severity, Confidence.LOW, danger.why, danger.capability)
        return danger
    if packaged:
        if last[:1].isupper() or _is_method_of_class(module, last) or _only_computes(name):
            return Judged(Severity.NOTE, Confidence.HIGH, f"a class of the package {shown(package)}")
        if _ACTS.search(last) is None:
            return Judged(
                Severity.NOTE,
                Confidence.MEDIUM,
                f"a function of the package {shown(package)}, whose name speaks of no act",
            )
        return Judged(Severity.MEDIUM, Confidence.MEDIUM, f"a function of the package {shown(package)}")
    from openvet.checks.pickle._callables import Kind, classify

    if classify(module, last).kind is Kind.DATA:
        return Judged(Severity.NOTE, Confidence.HIGH, "only builds data")
    return Judged(Severity.MEDIUM, Confidence.HIGH, UNKNOWN)


def _reached(name: str) -> Judged | None:
    """A callable with a capability, by its own name or by way of another module (``shutil.os.system``)."""
    from openvet.formats._python_names import capabilities

    plain = capabilities().from_carrier(name)
    capability = capabilities().of(plain)
    if capability in ("process", "code", "load", "native", "network"):
        return Judged(Severity.CRITICAL, Confidence.HIGH, f"reaches {shown(plain)}", capability)
    return None


def _classified(name: str) -> Judged | None:
    """What the classes of callables for pickles say about it."""
    from openvet.checks.pickle._callables import Kind, classify

    # every split into module and name, so that a class in between hides nothing
    parts = name.split(".")
    worst: Judged | None = None
    for split in range(len(parts) - 1, 0, -1):
        known = classify(".".join(parts[:split]), ".".join(parts[split:]))
        if known.kind is Kind.DANGEROUS and known.capability != "other":
            return Judged(known.severity, Confidence.HIGH, known.what, known.capability)
        if known.kind is Kind.DANGEROUS and split == len(parts) - 1:
            worst = Judged(Severity.MEDIUM, Confidence.HIGH, known.what, known.capability)
    return worst


def _is_method_of_class(module: str, last: str) -> bool:
    """``transformers.AutoModel.from_pretrained``: a maker of a class, which is as good as the class."""
    owner = module.rpartition(".")[2]
    return owner[:1].isupper() and last in ("from_pretrained", "from_config", "from_dict", "restore_from")


def _only_computes(name: str) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in keys()["functions"])
