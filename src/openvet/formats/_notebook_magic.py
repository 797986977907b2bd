"""Commands that a notebook decodes and gives to IPython: ``get_ipython().run_cell_magic("bash", "", b64decode(...))``, ``!{command}``.

What a reader of the notebook sees is a row of letters; what a shell runs is what they decode to. Names of all cells are shared, as they are when the
notebook is run.
"""

from __future__ import annotations

import ast
import warnings
from itertools import islice
from typing import Final

from openvet.core.pattern import pattern
from openvet.formats._format import Facts

__all__ = ["tell_decoded"]

_DECODERS: Final = frozenset(
    {"a2b_base64", "a85decode", "b16decode", "b32decode", "b64decode", "b85decode", "decodebytes", "decompress", "fromhex", "standard_b64decode", "unhexlify",
     "urlsafe_b64decode"}
)  # fmt: skip
_RUNNERS: Final = frozenset(
    {"run_cell_magic", "run_line_magic", "system", "system_raw", "system_piped", "getoutput", "run_cell", "magic", "ex"}
)
#: A line for a shell that is nothing but what a name stands for, or begins with it.
_PUT_IN: Final = pattern(
    r"^\s{0,40}(?:!{1,2}|%(?:sx|system)\s)\s{0,8}(?:(?:ba|z)?sh\s{1,8}-c\s{1,8})?[\"']?[{$]{1,2}\s{0,4}([A-Za-z_]\w{0,60})"
)
_MOST: Final = 200


def tell_decoded(cells: list[tuple[int, str]], sources: list[tuple[int, str]], facts: Facts) -> None:
    """Record each cell that gives IPython, or a shell, what it decodes.

    Args:
        cells: index and Python of each cell.
        sources: index and source of each cell, with IPython's own lines.
        facts: of the notebook.
    """
    if not any(each in text for _, text in cells for each in _DECODERS):
        return
    trees = [(index, tree) for index, text in cells if (tree := _parsed(text)) is not None]
    decoded, shells = set[str](), set[str]()
    for _, tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                names = {each.id for each in node.targets if isinstance(each, ast.Name)}
                if _decodes(node.value, decoded):
                    decoded |= names
                if _is_ipython(node.value, shells):
                    shells |= names
    told = {each.location.pointer for each in facts.anomalies if each.rule == "hub/shell-command"}
    indices = [index for index, tree in trees if _hands_over(tree, decoded, shells)]
    indices += [
        index
        for index, text in sources
        if any(found[1] in decoded for line in islice(text.split("\n"), 5_000) if (found := _PUT_IN.match(line)))
    ]
    for index in sorted(set(indices))[:_MOST]:
        if (pointer := f"/cells/{index}") not in told:
            facts.anomaly(
                "hub/shell-command", "decodes a hidden command and has IPython run it", pointer=pointer, kind="hidden"
            )


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _hands_over(tree: ast.Module, decoded: set[str], shells: set[str]) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _RUNNERS
        and _is_ipython(node.func.value, shells)
        and any(_decodes(each, decoded) for each in (*node.args, *(key.value for key in node.keywords)))
        for node in ast.walk(tree)
    )


def _is_ipython(node: ast.expr, shells: set[str]) -> bool:
    """Whether an expression is the running IPython."""
    if isinstance(node, ast.Name):
        return node.id in shells
    name = node.func if isinstance(node, ast.Call) else None
    return (isinstance(name, ast.Name) and name.id == "get_ipython") or (
        isinstance(name, ast.Attribute) and name.attr == "get_ipython"
    )


def _decodes(node: ast.expr, decoded: set[str]) -> bool:
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id in decoded:
            return True
        if isinstance(each, ast.Call):
            name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
            if name in _DECODERS:
                return True
    return False
