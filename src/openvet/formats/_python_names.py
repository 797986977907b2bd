"""What is known of Python's callables by name: ``data/python_capabilities.toml``, made quick to ask."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["BUILTINS", "Capabilities", "capabilities", "could_matter", "words"]

#: Builtins that matter or that others are reached through.
BUILTINS = frozenset({
    "exec", "eval", "execfile", "compile", "__import__", "getattr", "globals", "locals", "vars", "open", "map", "filter",
    "bytes", "bytearray", "chr", "isinstance", "issubclass", "hasattr", "callable", "setattr", "type", "print", "repr",
    "super", "id", "len", "str", "__builtins__",
})  # fmt: skip
# words that no capability's own name holds, by which one is reached nevertheless
_WAYS = ("__builtins__", "builtins", "globals", "vars", "locals", "__dict__", "modules", "getattr", "__getattribute__",
         "attrgetter", "methodcaller", "__subclasses__", "__globals__")  # fmt: skip
# last parts of names that are too common in ordinary code to say anything where their module is not named as well
_COMMON = frozenset({"run", "call", "get", "post", "put", "delete", "head", "patch", "request", "load", "loads", "write",
                     "open", "copy", "move", "replace", "rename", "connect", "session", "stream", "decode", "encode",
                     "resolve", "download", "main", "link", "evaluate", "unlink", "remove", "chmod"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Qualified names and package prefixes with their capability."""

    names: dict[str, str]
    packages: dict[str, str]
    decoders: frozenset[str]
    decoder_packages: frozenset[str]
    carriers: frozenset[str]

    def of(self, name: str) -> str | None:
        """The capability of the callable ``name``."""
        if name in self.names:
            return self.names[name]
        package = name.rpartition(".")[0]
        while package:
            if package in self.packages:
                return self.packages[package]
            package = package.rpartition(".")[0]
        return None

    def decodes(self, name: str) -> bool:
        """Whether ``name`` is a decoder, or the result of one."""
        plain = name.split("()", 1)[0]
        return plain in self.decoders or plain.split(".", 1)[0] in self.decoder_packages

    def from_carrier(self, name: str) -> str:
        """``name`` from the last well-known module in it on: ``shutil.os.system`` is ``os.system``."""
        parts = name.split(".")
        for index in range(len(parts) - 2, 0, -1):
            plain = parts[index].lstrip("_") if not parts[index].endswith("__") else parts[index]
            if plain in self.carriers:
                return ".".join([plain, *parts[index + 1 :]])
        return name


@cache
def _data() -> dict[str, dict[str, list[str]]]:
    data = tomllib.loads(files("openvet").joinpath("data/python_capabilities.toml").read_text("utf-8"))
    return {key: value if isinstance(value, dict) else {"names": value} for key, value in data.items()}


@cache
def capabilities() -> Capabilities:
    data = _data()
    names: dict[str, str] = {}
    packages: dict[str, str] = {}
    for capability, table in data.items():
        if capability in ("carriers", "decode"):
            continue
        for name in table["names"]:
            if name.endswith(".*"):
                packages[name[:-2]] = capability
            else:
                names[name] = capability
    decoders = data["decode"]["names"]
    return Capabilities(
        names=names,
        packages=packages,
        decoders=frozenset(name for name in decoders if not name.endswith(".*")),
        decoder_packages=frozenset(name[:-2].split(".", 1)[0] for name in decoders if name.endswith(".*")),
        carriers=frozenset(data["carriers"]["names"]),
    )


@cache
def words() -> re.Pattern[str]:
    """The words of which one must occur where a capability is used: last parts of names, modules, and ways around."""
    found = set(_WAYS)
    for capability, table in _data().items():
        if capability == "carriers":
            continue
        for name in table["names"]:
            parts = [part.removesuffix("()") for part in name.split(".")]
            if parts[-1] == "*":
                found.add(parts[-2])
            elif parts[-1] in _COMMON:
                if capability != "file":  # changing files alone makes nobody parse every source that names os
                    found.add(parts[-2])
            else:
                found.add(parts[-1])
    return re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, found))) + r")\b")


def could_matter(text: str) -> bool:
    """Whether ``text`` can use a capability at all.

    Outside ASCII an identifier may be written in letters that only normalise to the word (PEP 3131), so that such a
    text always could.
    """
    return not text.isascii() or words().search(text) is not None
