"""Calls that run something without a word of it: machine code out of memory, an object out of a constant, a callable that a table names."""

from __future__ import annotations

import ast

from openvet.core.pattern import pattern
from openvet.formats._python_calls import arguments_of
from openvet.formats._python_ends import ends
from openvet.formats._python_nodes import walk
from openvet.formats._python_record import Record, shown

__all__ = ["hides", "unpickles"]

_NATIVE_RUNS = pattern(r"\b(?:system|popen|execl[ep]?|execv[ep]?|fork|posix_spawn|WinExec)\s*\(")
#: What makes objects of tables of settings, and the keys under which the callable stands.
_BUILDERS = frozenset({
    "logging.config.dictConfig", "logging.config.DictConfigurator", "hydra.utils.instantiate", "hydra.utils.call", "hydra.instantiate",
    "omegaconf.OmegaConf.create", "jsonargparse.ArgumentParser().instantiate_classes", "monai.bundle.ConfigParser",
})  # fmt: skip
_BUILT_BY = frozenset({"()", "_target_", "class", "factory", "class_path"})
#: What maps memory or makes functions of C; and what gives an address in memory.
_MACHINE_CODE = frozenset(
    {"mmap.mmap", "ctypes.cast", "ctypes.CFUNCTYPE()", "ctypes.WINFUNCTYPE()", "ctypes.PYFUNCTYPE()"}
)
_ADDRESSES = frozenset({"ctypes.addressof", "ctypes.cast", "ctypes.byref", "builtins.id", "mmap.mmap", "ctypes.create_string_buffer",
                        "ctypes.c_void_p", "ctypes.addressof()", "ctypes.cast()", "mmap.mmap()", "ctypes.create_string_buffer()"})  # fmt: skip


def hides(uses: Record, node: ast.Call, name: str, capability: str | None, when: str) -> tuple[str, str, str] | None:
    """What is called in truth, what it can do, and how it comes about; ``None`` for a call that says what it does."""
    if (capability == "load" or name == "yaml.load") and node.args and _is_object(uses, node.args[0]):
        return name, "hidden", "loads an object out of a constant"
    if name.rpartition(".")[2] == "__pyarmor__":
        return "__pyarmor__", "hidden", "runs what only its own native library can decode"
    if name.startswith("torch.utils.cpp_extension.load") and _source_runs(uses, node):
        return name, "process", "compiles a source that starts a process"
    if name in _BUILDERS and (built := _built(uses, node)):
        return built, "hidden", f"is made by {shown(name)}"
    if name in _MACHINE_CODE and _runs_memory(uses, node, name):
        return name, "hidden", "runs machine code out of memory"
    if name == "os.dup2" and node.args and uses.resolve(node.args[0]) == "socket.socket().fileno()":
        return name, "hidden", "hands its streams to a socket"
    if name in ends().runs.unpickles and when != "call" and _is_fetched(uses, node):
        return name, "hidden", "unpickles what it fetches"
    return None


def _is_fetched(uses: Record, node: ast.Call) -> bool:
    """Whether what is unpickled is fetched just before."""
    return any(uses.known.of(uses.resolve(part.func) or "") == "network"
               for each in node.args[:1] for part in uses.all_of(each) if isinstance(part, ast.Call))  # fmt: skip


def _built(uses: Record, node: ast.Call) -> str:
    """The dangerous callable that a table of settings names, where a call makes objects of it."""
    for argument in arguments_of(node):
        for part in uses.all_of(argument):
            if not isinstance(part, ast.Dict):
                continue
            for key, value in zip(part.keys, part.values, strict=True):
                text = uses.fold(value) if isinstance(key, ast.Constant) and key.value in _BUILT_BY else None
                name = text.removeprefix("ext://") if isinstance(text, str) else ""
                for known in (name, f"builtins.{name}"):
                    if uses.known.of(known) in ("process", "code"):
                        return known
    return ""


def _runs_memory(uses: Record, node: ast.Call, name: str) -> bool:
    """Whether a call maps memory that can be run, or makes a function of an address."""
    if name in ("mmap.mmap", "ctypes.cast"):
        wanted = {"mmap.PROT_EXEC", "ctypes.CFUNCTYPE()", "ctypes.WINFUNCTYPE()", "ctypes.PYFUNCTYPE()"}
        given = [*node.args[1:], *(each.value for each in node.keywords)]
        if any(uses.resolve(part) in wanted for each in given for part in walk(each)):
            return True
        protection = next((uses.fold(each.value) for each in node.keywords if each.arg == "prot"), None)
        return type(protection) is int and bool(protection & 4)
    return any(uses.resolve(part) in _ADDRESSES for each in node.args[:1] for part in uses.all_of(each))


def _is_object(uses: Record, node: ast.expr) -> bool:
    """A constant that an unpickler or a YAML loader makes an object of."""
    value = uses.fold(node)
    return isinstance(value, bytes) or (isinstance(value, str) and ("!!python/" in value or '"py/' in value))


def _source_runs(uses: Record, node: ast.Call) -> bool:
    """Whether the C++ that is compiled here starts a process."""
    texts = (uses.fold(each) for each in arguments_of(node))
    plain = (" ".join(map(str, text)) if isinstance(text, list) else text for text in texts)
    return any(isinstance(text, str) and _NATIVE_RUNS.search(text) for text in plain)


def unpickles(uses: Record, node: ast.Call, name: str) -> bool:
    """Whether a loader that unpickles only sometimes does so with these keywords."""
    keyword, safe = uses.known.loaders[name]
    given = next((each.value for each in node.keywords if each.arg == keyword), None)
    if name == "yaml.load":
        loader = given or (node.args[1] if len(node.args) > 1 else None)
        return loader is not None and (uses.resolve(loader) or "").rpartition(".")[2] in (
            "Loader", "UnsafeLoader", "FullLoader", "CLoader")  # fmt: skip
    if given is None:
        return name == "torch.load"
    return isinstance(given, ast.Constant) and bool(given.value) is not safe
