"""What names stand for in one Python source: imports, assignments, attributes, items and results of calls.

Qualified names are text: ``os.system``; ``socket.socket()`` for what a call gives; ``<local>.f`` for a function of the
file itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from openvet.formats._python_fold import fold
from openvet.formats._python_names import BUILTINS, capabilities

__all__ = ["LOCAL", "MOST_DEPTH", "Function", "Names"]

LOCAL = "<local>."
MOST_DEPTH = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Names:
    """The names that are bound so far, and what can be said of an expression with them."""

    def __init__(self) -> None:
        self._known = capabilities()
        self._names: dict[str, str] = {}
        self._values: dict[str, ast.expr] = {}
        self._functions: dict[str, Function | ast.Lambda] = {}
        self._classes: dict[str, ast.ClassDef] = {}

    def resolve(self, node: ast.AST, depth: int = 0) -> str | None:
        """The qualified name that ``node`` stands for, as far as it can be known."""
        if depth > MOST_DEPTH:
            return None
        if isinstance(node, ast.Name):
            if node.id in self._names:
                return self._names[node.id]
            if node.id == "__builtins__":
                return "builtins"
            return f"builtins.{node.id}" if node.id in BUILTINS else None
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value, depth + 1)
            return None if base is None else self._attribute(base, node.attr)
        if isinstance(node, ast.Call):
            return self._result(node, depth + 1)
        if isinstance(node, ast.Subscript):
            return self._item(node, depth + 1)
        if isinstance(node, ast.NamedExpr | ast.Await):
            return self.resolve(node.value, depth + 1)
        if isinstance(node, ast.IfExp | ast.BoolOp):
            options: Iterable[ast.expr] = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values
            names = [name for each in options if (name := self.resolve(each, depth + 1))]
            return next((name for name in names if self._known.of(name)), names[0] if names else None)
        return None

    def _attribute(self, base: str, name: str) -> str:
        if base == "sys" and name == "modules":
            return "sys.modules"
        if name in ("__dict__", "__globals__") and not base.startswith(LOCAL):
            return f"{base}.__dict__"
        if name == "__call__":
            return base
        if name in ("__builtins__", "builtins"):
            return "builtins"
        return self._known.from_carrier(f"{base}.{name}")

    def _result(self, node: ast.Call, depth: int) -> str | None:
        """What a call gives: a module, an attribute, or an object of what is called."""
        name = self.resolve(node.func, depth)
        if name is None:
            return None
        first = fold(node.args[0], self._values) if node.args else None
        if name in ("builtins.__import__", "importlib.__import__") and isinstance(first, str):
            listed = len(node.args) > 3 or any(keyword.arg == "fromlist" for keyword in node.keywords)
            return first if listed else first.split(".", 1)[0]
        if name in ("importlib.import_module", "importlib.reload") and isinstance(first, str):
            return first
        if name in ("pkgutil.resolve_name", "pydoc.locate") and isinstance(first, str):
            return first.replace(":", ".")
        if name == "builtins.getattr" and len(node.args) >= 2:
            attribute = fold(node.args[1], self._values)
            base = self.resolve(node.args[0], depth)
            return self._attribute(base, attribute) if base and isinstance(attribute, str) else None
        if name in ("builtins.vars", "builtins.globals", "builtins.locals"):
            base = self.resolve(node.args[0], depth) if node.args else None
            return f"{base}.__dict__" if base else "<names>"
        if name.startswith(LOCAL) and isinstance(maker := self._functions.get(name[len(LOCAL) :]), ast.FunctionDef):
            returned = next((each.value for each in maker.body if isinstance(each, ast.Return)), None)
            given = None if returned is None else self.resolve(returned, depth + 10)
            return given or f"{name}()"
        if name == "functools.partial" and node.args:
            return self.resolve(node.args[0], depth)
        if name in ("operator.attrgetter()", "operator.methodcaller()") and node.args:
            return self._got(node, depth)
        return f"{name}()"

    def _got(self, node: ast.Call, depth: int) -> str | None:
        """``attrgetter('system')(os)``."""
        maker = node.func
        if not isinstance(maker, ast.Call) or not maker.args:
            return None
        attribute = fold(maker.args[0], self._values)
        base = self.resolve(node.args[0], depth)
        return self._attribute(base, attribute) if base and isinstance(attribute, str) else None

    def _item(self, node: ast.Subscript, depth: int) -> str | None:
        key = fold(node.slice, self._values)
        held = self._values.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
        if isinstance(held, ast.List | ast.Tuple) and isinstance(key, int) and -len(held.elts) <= key < len(held.elts):
            return self.resolve(held.elts[key], depth)
        if isinstance(held, ast.Dict):
            for name, value in zip(held.keys, held.values, strict=True):
                if name is not None and fold(name, self._values) == key:
                    return self.resolve(value, depth)
        base = self.resolve(node.value, depth)
        if base is None or not isinstance(key, str):
            return None
        if base == "sys.modules":
            return key
        if base == "<names>":
            return "builtins" if key == "__builtins__" else self._names.get(key)
        if base == "builtins" or base.endswith(".__dict__"):
            return self._attribute(base.removesuffix(".__dict__"), key)
        return None
