"""Names of modules that a configuration, a keyword or the environment chooses: whoever writes that chooses the code that runs.

A name with a constant beginning (``f"models.{config.kind}"``) or relative to a package stays within that and does not count.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

__all__ = ["CHOSEN", "is_chosen"]

#: What a use of such a name has for its detail.
CHOSEN = "by a name that a configuration or the environment chooses"
_HOPS = 4


def is_chosen(
    node: ast.expr, values: Mapping[str, ast.expr], resolve: Callable[[ast.expr], str | None], hops: int = _HOPS
) -> bool:
    """Whether ``node`` is an attribute, an item or ``.get()`` of something that comes from outside of the source, or of the environment.

    Args:
        node: the name of the module, as it is given.
        values: what names of the source were set to.
        resolve: gives the qualified name of an expression, or nothing.
        hops: assignments that are followed.
    """
    if hops <= 0:
        return False
    if isinstance(node, ast.Name):
        held = values.get(node.id)
        return held is not None and is_chosen(held, values, resolve, hops - 1)
    if isinstance(node, ast.BoolOp):
        return any(is_chosen(each, values, resolve, hops - 1) for each in node.values)
    if isinstance(node, ast.Call):
        name = resolve(node.func) or ""
        if name in ("os.getenv", "os.environ.get", "builtins.input"):
            return True
        if name == "builtins.getattr" and node.args:
            return _is_foreign(node.args[0], resolve)
        method = isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop")
        return method and _is_foreign(node.func.value, resolve)  # type: ignore[attr-defined]
    if isinstance(node, ast.Subscript | ast.Attribute):
        return resolve(node.value) == "os.environ" or _is_foreign(node.value, resolve)
    return False


def _is_foreign(node: ast.expr, resolve: Callable[[ast.expr], str | None]) -> bool:
    """Whether an object is no module and nothing of this source: an argument, or what one was kept as (``self.config``)."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr.lstrip("_").endswith(("config", "cfg", "args", "hparams", "kwargs", "opts", "options"))
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name) and node.id not in ("self", "cls") and resolve(node) is None
