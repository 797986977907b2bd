"""What the source may import and call. import-linter holds the floors; this holds what it cannot see."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.house.sources import SRC, modules, nodes

THIRD_PARTY = {
    "cel_expr_python",
    "click",
    "jinja2",
    "markupsafe",
    "license_expression",
    "yaml",
    "blake3",
    "cryptography",
    "alembic",
    "fastapi",
    "jwt",
    "pydantic",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "sigstore",
    "securesystemslib",
}
# standard library modules that run or load what they are given; only the room that confines children may have them
LOADERS = {
    "pickle",
    "_pickle",
    "marshal",
    "shelve",
    "runpy",
    "code",
    "codeop",
    "ctypes",
    "subprocess",
    "multiprocessing",
}
DOORS = {"cli"}
CHILDREN = "sandbox"
#: Ends work that does not look at its clock, by a function of CPython's that only ctypes reaches.
OVERTIME = "core/overtime.py"


def imported(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            yield node.module or ""


@cache
def called(path: Path) -> tuple[tuple[str, int], ...]:
    """Dotted names of everything that is called, with the line."""
    return tuple((ast.unparse(node.func), node.lineno) for node in nodes(path) if isinstance(node, ast.Call))


#: Where models are compared, numbers are counted with NumPy, where it is installed (docs/adr/0025).
NUMBERS = {"inventory/compare/dtypes.py", "inventory/compare/numbers.py"}
#: Makes a model of another one in a confined child, with what makes it, where that is installed (docs/adr/0041).
MAKERS = {"ctranslate2", "numpy", "torch", "torchao", "transformers", "onnx", "onnxruntime", "safetensors", "llama_cpp"}
#: Runs models in a confined child (docs/adr/0038).
RUNTIMES = {
    "numpy", "jinja2", "PIL", "torch", "transformers", "tokenizers", "onnxruntime", "llama_cpp", "ctranslate2", "safetensors",
}  # fmt: skip
#: Loads models in a confined child, with what their users load them with, where that is installed (docs/adr/0036).
FRAMEWORKS = {
    "sandbox/loaders.py": {"numpy", "joblib", "onnxruntime", "transformers", "torch", "safetensors", "llama_cpp"}
}
#: Gives back the interpreter where it is compiled, for which Cython has a word; it runs without (docs/adr/0010).
LOOPS = "inventory/compare/sweep.py"
#: Writes ``__init__`` from the names of the fields of our own classes, as the standard library does for a data class.
WRITES = "core/dataclass.py"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SRC)))
def test_imports_only_what_it_may(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)} - {"openvet"}
    if path.relative_to(SRC).as_posix() in NUMBERS:
        roots -= {"numpy"}
    if path.relative_to(SRC).as_posix() == LOOPS:
        roots -= {"cython"}
    roots -= FRAMEWORKS.get(path.relative_to(SRC).as_posix(), set())
    if path.relative_to(SRC).parts[0] == "transforms":
        roots -= MAKERS
    if path.relative_to(SRC).parts[0] == "engines":
        roots -= RUNTIMES
    assert roots <= sys.stdlib_module_names | THIRD_PARTY, "a dependency that is not one"
    if path.relative_to(SRC).as_posix() == "engines/gguf.py":  # in the child: llama.cpp's own functions
        roots -= {"ctypes"}
    if path.relative_to(SRC).parts[0] != CHILDREN:
        assert not roots & LOADERS - ({"ctypes"} if path.relative_to(SRC).as_posix() == OVERTIME else set())
    if path.relative_to(SRC).parts[0] not in DOORS:
        assert "click" not in roots, "only the command line speaks click"


def test_nothing_executes_text() -> None:
    forbidden = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load",
                 "yaml.full_load", "yaml.load_all"}  # fmt: skip
    found = [
        (path.relative_to(SRC).as_posix(), name) for path in modules() for name, _ in called(path) if name in forbidden
    ]
    assert found == [(WRITES, "exec")]


def test_templates_are_parsed_and_never_rendered() -> None:
    # those of the server's own pages are, which come with the package; a subject's are not, anywhere
    ours = SRC / "hubproxy/web/pages.py"
    found = [
        f"{path}:{line} {name}"
        for path in modules()
        if path != ours
        for name, line in called(path)
        if (
            name.rsplit(".", 1)[-1] in {"render", "from_string", "get_template", "compile_expression"}
            and path.relative_to(SRC).as_posix() != "engines/_chat.py"
        )  # in the confined child, in Jinja's sandbox
        or name == "jinja2.Template"
    ]
    assert found == []


def test_nothing_takes_a_template_class_that_renders() -> None:
    taken = {
        alias.name
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jinja2"
        for alias in node.names
    }
    assert taken.isdisjoint({"Template", "environment", "compiler", "runtime"})


def test_only_doors_print_prompt_or_exit() -> None:
    forbidden = {"print", "input", "sys.exit", "exit", "quit", "os._exit"}
    found = [
        f"{path}:{line} {name}"
        for path in modules()
        if path.relative_to(SRC).parts[0] not in DOORS | {"__main__.py", CHILDREN}
        for name, line in called(path)
        if name in forbidden
    ]
    assert found == []


def test_the_network_has_one_door() -> None:
    network = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "xmlrpc"}
    # urllib.parse only takes text apart; a confined child tries a socket, to see that it gets none, talks with its parent over one, and is given
    # one that leads nowhere; the test kit serves, and so do the servers' rooms, which ask nobody
    children = {
        SRC / f"sandbox/{name}.py"
        for name in ("attempts", "canary", "confine", "no_network", "session", "shim", "supervisor")
    }
    servers = {"hubproxy", "gateway", "listening"}
    may = {SRC / "io/http.py", SRC / "testing/hub.py", SRC / "testing/endpoint.py", *children}
    found = [f"{path} {name}" for path in modules() for name in imported(path)
             if name.split(".")[0] in network and name != "urllib.parse" and path not in may and path.relative_to(SRC).parts[0] not in servers]  # fmt: skip
    assert found == []


def test_archives_are_never_extracted_by_name() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in modules()
        for name, line in called(path)
        if name.rsplit(".", 1)[-1] in {"extract", "extractall", "unpack_archive"}
    ]
    assert found == []
