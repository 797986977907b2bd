"""What is known of Python's callables by name: ``data/python_capabilities.toml``, made quick to ask."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.tables import read_table
from openvet.formats._python_acts import may_act
from openvet.formats._python_ends import may_reach
from openvet.formats._python_sabotage import may_sabotage
from openvet.formats._python_swayed import may_sway
from openvet.formats._python_turned import may_turn

__all__ = ["BUILTINS", "Capabilities", "capabilities", "could_matter", "from_beside", "words"]

#: Builtins that matter or that others are reached through.
BUILTINS = frozenset({
    "exec", "eval", "execfile", "compile", "__import__", "getattr", "globals", "locals", "vars", "open", "map", "filter",
    "bytes", "bytearray", "chr", "isinstance", "issubclass", "hasattr", "callable", "setattr", "type", "print", "repr",
    "super", "id", "len", "str", "__builtins__", "list", "tuple", "set", "dict", "iter", "next", "reversed", "sorted",
    "max", "min", "any", "all", "sum", "zip", "enumerate", "object", "dir", "staticmethod", "classmethod", "property",
})  # fmt: skip
# words that no capability's own name holds, by which one is reached nevertheless
_WAYS = ("__builtins__", "builtins", "globals", "vars", "locals", "__dict__", "modules", "getattr", "__getattribute__",
         "attrgetter", "methodcaller", "__subclasses__", "__globals__", "getattr_static", "getmembers", "load_module",
         "__getitem__", "__loader__", "__spec__", "f_builtins", "f_globals", "f_locals", "mmap",
         "CFUNCTYPE", "WINFUNCTYPE", "PYFUNCTYPE", "upload_file", "upload_folder", "upload_large_folder", "put_object", "storbinary", "fput_object",
         "upload_fileobj", "create_commit", "winreg", "_winreg", "SetValueEx", "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "HF_ENDPOINT",
         "PYTHONSTARTUP", "BASH_ENV", "userdata", "rfile", "getfile", "getsourcefile", "getsource", "open(__file__",
         "Path(__file__).read_text", "hooksPath", "read_pickle", "SlaveService", "ClassicService", "SimpleHTTPRequestHandler", "containers.run", "containers.create", "base_url", "keyring",
         "get_credential", "Celery", "Fernet", "AES.new", "build_hf_headers", "huggingface_hub.constants", "register_module_forward_hook", "register_module_forward_pre_hook", "df.query",
         "urlsafe_b64encode", "save_file", "read_block_documents", "os.fork", "open(os.path.expanduser", "os.environ")  # fmt: skip
# tables that are no capability of a name
_OTHER = frozenset({"carriers", "decode", "natives", "packages", "sometimes", "startup", "telling"})
# a neighbour's functions may be called: whether that matters is seen when both are read
_NEIGHBOUR = pattern(r"^[ \t]*from[ \t]+\.[\w.]*[ \t]+import\b", re.MULTILINE)
_NAME = pattern(r"\w+")
# what is kept with a service, other processes, and loops that nothing ends
_HARMS = pattern(
    r"\.(?:delete_(?:bucket|object|repo|namespaced_\w{1,40}|branch)|drop_(?:database|collection)|flush(?:all|db))\w{0,10}\(|\.all\(\)\.delete\(|\bgetppid\(|\bprocess_iter\(|resolve_trust_remote_code\s{0,4}=|target\s{0,4}=\s{0,4}\w{1,60}\b[^\n]{0,60}\.start\(|HTTPHandler\(|^[ \t]{0,40}>>> ",
    re.MULTILINE,
)
# a file is opened to be written, or changed by its name: apart, since a pattern that begins with a text is found faster
_WRITES = pattern(r"open\([^\n]{0,200}?[\"'](?:[wax]b?\+?|r\+|rb\+|[wax]t|r\+b)[\"']")
_OF_OS = pattern(r"os\.(?:remove|unlink|rename|replace|chmod|link|write|open)\b")
_CHANGED = ("shutil.copy", "shutil.move", ".unlink(", ".chmod(", ".rename(")
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
    natives: frozenset[str]
    loaders: Mapping[str, tuple[str, bool]]
    places: re.Pattern[str]
    ways: frozenset[str]
    telling: tuple[str, ...]
    packages_of_names: frozenset[str]
    runners: frozenset[str]

    def of(self, name: str) -> str | None:
        """The capability of the callable ``name``."""
        if name in self.names:
            return self.names[name]
        package = name.rpartition(".")[0]
        if name.startswith(("ctypes.", "cffi.")) and name.rpartition(".")[2] in self.natives:
            return "process"
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
def _data() -> dict[str, dict[str, Any]]:
    data = read_table("python_capabilities")
    return {key: value if isinstance(value, dict) else {"names": value} for key, value in data.items()}


@cache
def capabilities() -> Capabilities:
    data = _data()
    names: dict[str, str] = {}
    packages: dict[str, str] = {}
    for capability, table in data.items():
        if capability in _OTHER:
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
        natives=frozenset(data["natives"]["names"]),
        loaders={name: (keyword, safe) for name, keyword, safe in data["sometimes"]["loaders"]},
        places=re.compile(data["startup"]["places"], re.VERBOSE),
        ways=frozenset(data["startup"]["ways"]),
        telling=tuple(data["telling"]["commands"]),
        runners=frozenset(
            name.rpartition(".")[2] for name, capability in names.items() if capability in ("process", "code")
        )
        - {"open", "get", "listen", "bootstrap", "repeat"},
        packages_of_names=frozenset(
            {*data["packages"]["names"], *(name.split(".", 1)[0] for name in [*names, *packages, *decoders])}
        ),
    )


@cache
def modules() -> frozenset[str]:
    """The modules that have a capability; those of arrays apart, whose one dangerous function is a word of its own."""
    found: set[str] = set()
    known = capabilities()
    for name in [*known.names, *(f"{package}.*" for package in known.packages)]:
        parts = name.split(".")
        found.update(".".join(parts[:end]) for end in range(1, len(parts)))
    return frozenset(found - {"numpy", "torch", "pandas", "builtins"})


@cache
def _words() -> frozenset[str]:
    """The words of which one must occur where a capability is used: last parts of names, modules, and ways around."""
    found = {*_WAYS, *_data()["startup"]["words"], "weights_only", "allow_pickle", "np.load", "trust_remote_code"}
    found.update(name for name, _, _ in _data()["sometimes"]["loaders"])
    for capability, table in _data().items():
        if capability in ("carriers", "packages"):
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
    return frozenset(found)


@cache
def words() -> re.Pattern[str]:
    """One of these words."""
    return re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, _words()))) + r")\b")


@cache
def split_words() -> tuple[frozenset[str], re.Pattern[str]]:
    """Those of these words that are one name each, and a pattern of the others."""
    plain = frozenset(each for each in _words() if _NAME.fullmatch(each))
    return plain, re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, _words() - plain))) + r")\b")


def could_matter(text: str) -> bool:
    """Whether ``text`` can use a capability at all.

    Outside ASCII an identifier may be written in letters that only normalise to the word (PEP 3131), so that such a
    text always could. So could one that changes files, or has a module or a common function of one under a name of its own.
    """
    if not text.isascii() or any(each in text for each in _CHANGED) or '"\\\\' in text or "'\\\\" in text:
        return True
    if may_sabotage(text) or may_reach(text) or may_act(text) or may_sway(text) or may_turn(text):
        return True
    if _HARMS.search(text) is not None:
        return True
    return any(each.search(text) is not None for each in (words(), _NEIGHBOUR, _WRITES, _OF_OS, _renamed()))


@cache
def _renamed() -> re.Pattern[str]:
    """``import torch as t``, by another name than everybody's; ``from torch import load``."""
    first = {name.split(".", 1)[0] for name in (*modules(), *loaders())} - {"builtins"}
    return re.compile(
        rf"^[ \t]*(?:import\b[^\n#]*\b(?:{'|'.join(sorted(first))})(?:\.\w+){{0,4}}[ \t]+as[ \t]+(?!(?:np|torch|tf|keras|K|yaml|joblib)\b)"
        rf"|from[ \t]+(?:{'|'.join(sorted(first))})(?:\.\w+){{0,4}}[ \t]+import\b[^\n#]*\b(?:{'|'.join(sorted(_COMMON))})\b)",
        re.MULTILINE,
    )


@cache
def loaders() -> frozenset[str]:
    """The modules that have a loader which unpickles with some keywords only."""
    return frozenset(name.rpartition(".")[0] for name in capabilities().loaders)


def from_beside(module: str) -> bool:
    """Whether an absolute import of ``module`` may be of a file beside the one that has it."""
    package = module.split(".", 1)[0]
    return bool(package) and package not in sys.stdlib_module_names and package not in capabilities().packages_of_names
