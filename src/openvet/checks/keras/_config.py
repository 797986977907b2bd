"""Walking through the configurations of Keras, and what the name of an object leads to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

from openvet.checks._check import Context
from openvet.checks.hub._targets import judge, shown
from openvet.core.dataclass import dataclass
from openvet.core.location import Location, below
from openvet.core.pattern import pattern
from openvet.core.rule import Severity
from openvet.formats._keras import decoded, is_object, known, objects

__all__ = ["Named", "Object", "bytecode", "configs", "in_h5", "in_saved_model", "named", "strings", "values"]

#: The kinds of name, the worst last.
FINE, CUSTOM, DANGEROUS = "fine", "custom", "dangerous"
_SPECIAL = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "__lambda__"})
_WORD = pattern(rb"[\x20-\x7e]{3,}")


@dataclass(frozen=True, slots=True)
class Object:
    """One object of Keras in a configuration: its place, its whole map, its class, and its ``config``."""

    location: Location
    value: dict[str, Any]
    name: str
    config: Any


@dataclass(frozen=True, slots=True)
class Named:
    """What an object makes Keras look up: how bad that is, the whole name, and why in a few words."""

    kind: str
    name: str
    why: str
    capability: str = ""


def configs(ctx: Context) -> Iterator[Object]:
    """Every object of every configuration of Keras."""
    for component in ctx.components("json", "yaml"):
        if component.metadata.get("keras"):
            for pointer, value in objects(component.document):
                if is_object(value):
                    where = Location(component.place, pointer=pointer or "/")
                    yield Object(where, value, value["class_name"].strip(), value.get("config"))


def values(ctx: Context) -> Iterator[tuple[Location, str, Any]]:
    """Place, key and value of every entry of every map in configurations of Keras."""
    for component in ctx.components("json", "yaml"):
        if component.metadata.get("keras"):
            for pointer, value in objects(component.document):
                for key, child in value.items():
                    yield Location(component.place, pointer=below(pointer, key)), str(key), child


def in_h5(location: Location) -> bool:
    """Whether the configuration is an attribute of an HDF5 file, for which loaders know no safe mode."""
    return "!/attributes/" in location.place


def in_saved_model(location: Location) -> bool:
    """Whether the configuration is one that a SavedModel carries beside its graph."""
    return "!/keras_metadata.json" in location.place


@cache
def _sets() -> dict[str, frozenset[str]]:
    data = known()
    return {
        "classes": frozenset({*data["classes"], *data["legacy"], *data["operations"], *data["words"]}),
        "functions": frozenset({*data["functions"], *data["aliases"]}),
        "packages": frozenset(data["packages"]),
    }


def _plain(module: str) -> str:
    """``module`` with ``keras`` in place of the longest prefix that is Keras under another name."""
    best = ""
    for prefix in known()["prefixes"]:
        if (module == prefix or module.startswith(f"{prefix}.")) and len(prefix) > len(best):
            best = prefix
    return f"keras{module[len(best) :]}" if best else module


def named(each: Object) -> Iterator[Named]:
    """What ``each`` makes a loader look up: mostly one name, for a function under each spelling that a loader takes."""
    module = each.value.get("module")
    registered = each.value.get("registered_name")
    if isinstance(registered, str) and ">" in registered and registered.partition(">")[0] not in _sets()["packages"]:
        yield Named(CUSTOM, shown(registered), "a class or function that other code has to register")
    elif ">" in each.name:
        yield Named(CUSTOM, shown(each.name), "a class or function that other code has to register")
        return
    module = module.strip() if isinstance(module, str) else None
    if each.name == "function":
        wanted = {text.strip() for text in (each.config, registered) if isinstance(text, str) and ">" not in text}
        for name in sorted(wanted - {"function"}):
            yield _function(module, name)
    elif each.name in ("__typespec__", "TypeSpec"):
        spec = each.value.get("spec_name")
        if isinstance(spec, str) and not (spec.endswith("Spec") and (module or "").split(".")[0] == "tensorflow"):
            yield _class(module, spec)
    else:
        yield _class(module, each.name)


def _function(module: str | None, name: str) -> Named:
    full = f"{_plain(module)}.{name}" if module else name
    keras = full.startswith("keras.")
    danger = _danger(full) if keras else None
    if name in _SPECIAL:
        danger = "a layer that runs code of its own, called as a function"
    if danger is not None:
        return Named(DANGEROUS, shown(full), danger, "keras")
    if (module in (None, "builtins") or keras) and name in _sets()["functions"]:
        return Named(FINE, name, "")
    if keras and name in _sets()["classes"]:
        return Named(FINE, name, "")
    return _foreign(full)


def _class(module: str | None, name: str) -> Named:
    full = f"{_plain(module)}.{name}" if module else name
    if module is None or full.startswith("keras."):
        if name in _sets()["classes"] or name in _SPECIAL or (module is None and name in _sets()["functions"]):
            return Named(FINE, name, "")
        danger = _danger(full)
        if danger is not None and (not name[:1].isupper() or full in known()["dangerous"]):
            return Named(DANGEROUS, shown(full), danger, "keras")
        if name in _sets()["functions"]:
            return Named(FINE, name, "")
    elif (module or "").split(".", 1)[0] in _sets()["packages"] and name[:1].isupper():
        return Named(FINE, name, "")
    if (module or "").split(".", 1)[0] in sys.stdlib_module_names:
        return Named(DANGEROUS, shown(full), "no class of Keras is in the standard library of Python", "other")
    return _foreign(full)


def _danger(full: str) -> str | None:
    """Why a name of Keras is dangerous, by itself or by any module above it."""
    dangerous = known()["dangerous"]
    why: str | None = dangerous.get(full)
    module = full.rpartition(".")[0]
    while why is None and module:
        why = dangerous.get(f"{module}.*")
        module = module.rpartition(".")[0]
    return why


def _foreign(full: str) -> Named:
    """A name outside Keras: dangerous where it is one that no model needs, else code that has to be there."""
    judged = judge(full)
    if judged.severity >= Severity.HIGH and judged.capability:
        return Named(DANGEROUS, shown(full), judged.why, judged.capability)
    return Named(CUSTOM, shown(full), "code that Keras does not have")


def bytecode(value: Any) -> bytes | None:
    """The marshalled code in ``value``: a text, or the first one of a list (code, defaults, closure)."""
    text = value[0] if isinstance(value, list) and value else value
    if not isinstance(text, str) or len(text) < 40:
        return None
    text = text.strip()
    if text.startswith(("4w", "Yw")):
        data = decoded(text)
    elif text.startswith(("\xe3", "c\0")):
        data = text.encode("latin-1", "replace")
    else:
        return None
    if data is None or data[:1] not in (b"\xe3", b"c") or len(data) < 30:
        return None
    # counts of arguments, of locals, the size of the stack: all small numbers
    if any(int.from_bytes(data[at : at + 4], "little") > 0xFFFF for at in (1, 5, 9)):
        return None
    return data


def strings(data: bytes) -> list[str]:
    """What can be read in marshalled code: names and texts that it uses."""
    found = [match.group().decode("ascii") for match in _WORD.finditer(data)]
    return [shown(each) for each in found[:40]]
