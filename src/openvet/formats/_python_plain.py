"""A source as anybody would write it: ``getattr(o, "re" + "move")(path)`` after ``import os as o`` becomes ``os.remove(path)``, line by line.

Rules say what an act looks like, and whoever hides it writes the same act in other words. Instead of teaching each rule each of
them, a source in which names and texts are put together is read once more in its plain form. What is looked through is written
out in the expression itself, or in a name that the module binds once; other names are followed by the reading itself.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, islice

from openvet.formats._python_fold import Folder
from openvet.formats._python_nodes import fields_of, walk

__all__ = ["plain"]

#: Nodes that are looked at, and expressions that are written anew.
_MOST = 200_000
_MOST_CHANGES = 10_000
#: Expressions that may be something else in plain words.
_WRITTEN = frozenset({ast.Name, ast.BinOp, ast.JoinedStr, ast.Call, ast.Subscript})
#: The names under which everybody has them.
_USUAL = {
    "numpy": "np", "pandas": "pd", "tensorflow": "tf", "torch.nn": "nn", "torch.nn.functional": "F", "jax.numpy": "jnp", "flax.linen": "nn",
    "matplotlib.pyplot": "plt", "seaborn": "sns", "onnxruntime": "ort", "networkx": "nx", "streamlit": "st", "gradio": "gr",
}  # fmt: skip


def plain(text: str, tree: ast.Module) -> str | None:
    """The source with names and texts that it puts together spelled out, each on its line, or ``None`` where it hides none.

    Args:
        text: a source.
        tree: its syntax; it is changed, and of no use to others afterwards.
    """
    writer = _Plain(tree)
    try:
        writer.look()
        changes = [(each, ast.unparse(each)) for each in writer.changed]
        # what is called by another name is imported by its own as well
        changes += [(_end(each), f"; {words}") for each, words in writer.imports]
    except (RecursionError, ValueError):
        return None
    if not writer.hidden:
        return None
    lines = text.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]

    def place(line: int, column: int) -> int:
        own = lines[line - 1] if line <= len(lines) else ""
        return starts[line - 1] + (column if own.isascii() else len(own.encode()[:column].decode(errors="replace")))

    pieces: list[str] = []
    at = 0
    spans = [
        (place(each.lineno, each.col_offset), place(each.end_lineno or each.lineno, each.end_col_offset or 0), words)
        for each, words in changes
    ]
    for begin, end, words in sorted(spans):
        if begin < at:
            continue
        # as many lines as before, so that what is found is found where it stands
        pieces += [text[at:begin], "(" if "\n" in text[begin:end] else "", words]
        pieces.append("\n" * text.count("\n", begin, end) + ")" if "\n" in text[begin:end] else "")
        at = end
    return "".join([*pieces, text[at:]])


def _end(node: ast.stmt) -> ast.expr:
    """The place behind a statement."""
    line, column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return ast.Name("", ast.Load(), lineno=line, end_lineno=line, col_offset=column, end_col_offset=column)


class _Plain:
    """Goes through a tree and writes anew what is put together; ``changed`` holds the outermost of these expressions."""

    __slots__ = ("_aliases", "_folder", "_left", "_modules", "_tree", "_values", "changed", "hidden", "imports")

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._folder = Folder()
        self._left = _MOST
        self.changed: list[ast.expr] = []
        #: whether anything is put together, renamed, or asked of a module by its name; ``getattr(config, "x", None)`` is what everybody writes
        self.hidden = False
        self.imports: list[tuple[ast.stmt, str]] = []
        bound: Counter[str] = Counter()
        modules = {"__builtins__"}
        imported: list[tuple[ast.stmt, str, str, str]] = []
        for each in islice(walk(tree), _MOST):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store | ast.Del):
                bound[each.id] += 1
            elif isinstance(each, ast.arg):
                bound[each.arg] += 2
            elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                bound[each.name] += 1
            elif isinstance(each, ast.Import | ast.ImportFrom):
                modules |= {(name.asname or name.name).split(".", 1)[0] for name in each.names}
                for name, full, words in _renamed(each):
                    bound[name] += 1
                    imported.append((each, name, full, words))
        self._values = {
            target.id: each.value
            for each in tree.body
            if isinstance(each, ast.Assign)
            and len(each.targets) == 1
            and isinstance(target := each.targets[0], ast.Name)
            and bound[target.id] == 1
        }
        self._modules = frozenset(modules)
        self._aliases: dict[str, str] = {}
        for statement, name, full, words in imported:
            if bound[name] == 1:
                self._aliases[name] = full
                self.imports.append((statement, words))

    def look(self) -> None:
        waiting: list[ast.AST] = [self._tree]
        while waiting and len(self.changed) < _MOST_CHANGES:
            node = waiting.pop()
            self._left -= 1
            if self._left < 0:
                return
            if isinstance(node, ast.JoinedStr):
                continue  # where its parts stand is known from Python 3.12 only
            for field in fields_of(node):
                value = getattr(node, field, None)
                for index, each in enumerate(value if isinstance(value, list) else [value]):
                    if not isinstance(each, ast.AST):
                        continue
                    other = self._other(each) if type(each) in _WRITTEN else None  # type: ignore[arg-type]
                    if other is None:
                        waiting.append(each)
                        continue
                    self.changed.append(other)
                    waiting.append(other)  # what an attribute is taken of may hold more
                    if isinstance(value, list):
                        value[index] = other
                    else:
                        setattr(node, field, other)

    def _other(self, node: ast.expr) -> ast.expr | None:
        """What an expression is in plain words, at its place; ``None`` where it is plain already."""
        if isinstance(node, ast.Name):
            full = self._aliases.get(node.id) if isinstance(node.ctx, ast.Load) else None
            self.hidden |= full is not None
            return None if full is None else ast.copy_location(_dotted(full), node)
        if isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call | ast.Subscript):
            found = self._folder.fold(node, self._values)
            if isinstance(found, str) and found:
                self.hidden = True
                return ast.copy_location(ast.Constant(found), node)
        of, name = _asked(node)
        if of is None or name is None:
            return None
        found = self._folder.fold(name, self._values)
        if not isinstance(found, str) or not found.isidentifier():
            return None
        usual = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and isinstance(name, ast.Constant)
        self.hidden |= not usual or _first(of) in self._modules
        return ast.copy_location(ast.Attribute(self._other(of) or of, found, ast.Load()), node)


def _renamed(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    """Names that are given to what has another one, what that is, and how it is imported by its own; not those that everybody gives."""
    for each in node.names:
        if each.asname is None:
            continue
        if isinstance(node, ast.Import):
            if each.asname != _USUAL.get(each.name) and each.asname != each.name:
                yield each.asname, each.name, f"import {each.name}"
        elif node.module and not node.level and each.asname != each.name and each.name != "*":
            yield each.asname, f"{node.module}.{each.name}", f"import {node.module}"


def _first(node: ast.expr) -> str:
    """The name that an expression begins with."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        asked, _ = _asked(node)
        node = asked or (node.func if isinstance(node, ast.Call) else node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(full: str) -> ast.expr:
    first, *others = full.split(".")
    node: ast.expr = ast.Name(first, ast.Load())
    for each in others:
        node = ast.Attribute(node, each, ast.Load())
    return node


def _asked(node: ast.expr) -> tuple[ast.expr | None, ast.expr | None]:
    """Of what an attribute is taken by its name, and the name: ``getattr(x, n)``, ``vars(x)[n]``, ``x.__dict__[n]``."""
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Name) and called.id == "getattr" and len(node.args) in (2, 3):
            return node.args[0], node.args[1]
        if isinstance(called, ast.Attribute) and called.attr in ("__getattribute__", "__getattr__") and node.args:
            return (called.value, node.args[0]) if len(node.args) == 1 else (node.args[0], node.args[1])
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        of = node.value
        if isinstance(of, ast.Attribute) and of.attr == "__dict__":
            return of.value, node.slice
        if isinstance(of, ast.Call) and isinstance(of.func, ast.Name) and of.func.id == "vars" and len(of.args) == 1:
            return of.args[0], node.slice
    return None, None
