"""The source of the package as syntax trees, each parsed and gone through once, whichever test asks."""

from __future__ import annotations

import ast
import gc
import tokenize
from functools import cache
from pathlib import Path

import openvet

__all__ = ["SRC", "modules", "nodes", "tree"]

SRC = Path(openvet.__file__).resolve().parent


@cache
def modules() -> tuple[Path, ...]:
    """Every file of Python, in order."""
    return tuple(sorted(SRC.rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The tree of one file."""
    collecting = gc.isenabled()
    gc.disable()  # millions of nodes that stay: looking for those that do not takes longer than reading them
    try:
        with tokenize.open(path) as file:
            return ast.parse(file.read(), str(path))
    finally:
        if collecting:
            gc.enable()


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """What it imports, calls, takes an attribute of, and defines; the outer before the inner."""
    kinds = (ast.Import, ast.ImportFrom, ast.Call, ast.Attribute, ast.FunctionDef)
    return tuple(node for node in ast.walk(tree(path)) if isinstance(node, kinds))
