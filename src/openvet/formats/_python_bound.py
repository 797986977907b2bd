"""What the expressions, assignments and imports of a source use, and which names they bind.

Each is read with the names as they are then; what a name stands for afterwards is kept as far as it can be said.
"""

from __future__ import annotations

import ast
from typing import Any

from openvet.formats._python_names import from_beside
from openvet.formats._python_queue import Waiting
from openvet.formats._python_record import NOTHING
from openvet.formats._python_resolve import LOCAL, NEAR
from openvet.formats._python_uses import Uses

__all__ = ["Bound"]

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
# what an expression holds that holds no expression: skipped before it is looked at, since most nodes are of these
_LEAVES = frozenset({
    ast.Constant, ast.Name, ast.Load, ast.Store, ast.Del, ast.arg, int, str, type(None), bytes, float, complex, bool, type(...),
    *ast.operator.__subclasses__(), *ast.cmpop.__subclasses__(), *ast.boolop.__subclasses__(), *ast.unaryop.__subclasses__(),
})  # fmt: skip
# what gives a text out of others: kept as the text, since the names in it may be bound anew before it is used
_COMPUTED = (ast.BinOp, ast.JoinedStr, ast.Subscript, ast.Call, ast.ListComp, ast.Name)
_MOST_VALUES = 20_000


class Bound(Uses):
    """The names of one source as its statements bind them."""

    def __init__(self, text: str, most: int, depth: int = 0) -> None:
        super().__init__(text, most, depth)
        #: whether what is read may be left out: the other branch may be taken
        self._nested_block = False

    def _expression(self, node: ast.expr, when: str) -> None:
        stack: list[Any] = [node]
        while stack:
            each = stack.pop()
            kind = type(each)
            if kind is ast.Call:
                self._call(each, when)
            elif kind is ast.NamedExpr:
                self._bind(each.target, each.value)
            elif kind in _COMPREHENSIONS:
                for generator in each.generators:
                    self._loop(generator.target, generator.iter, when)
            elif kind is ast.Subscript:
                self._use_item(each, when)
            elif kind is ast.Attribute:
                if each.attr in self._properties:
                    self._waiting[when].extend(Waiting(name) for name in self._methods.get(each.attr, ())[:10])
            elif kind is ast.List or kind is ast.Dict or kind is ast.Tuple or kind is ast.Set:
                self._use_items(each, when)
            # the first child is taken first, so that what binds a name comes before what uses it
            for value in reversed(each.__dict__.values()):
                if type(value) is list:
                    stack.extend([part for part in reversed(value) if type(part) not in _LEAVES])
                elif type(value) not in _LEAVES:
                    stack.append(value)

    def _loop(self, target: ast.expr, items: ast.expr, when: str) -> None:
        """The target of a loop is the first item of what is written out; functions among the items may all be called."""
        held = self._values.get(items.id, items) if isinstance(items, ast.Name) else items
        if isinstance(held, ast.List | ast.Tuple | ast.Set) and held.elts:
            for each in held.elts[:100]:
                if isinstance(each, ast.Name | ast.Attribute | ast.Lambda):
                    self._use_callable(each, when, "is looped over")
            self._bind(target, held.elts[0])
            return
        self._bind(target, None)
        if isinstance(target, ast.Name):
            self._names[target.id] = self.listed(items)
        elif isinstance(target, ast.Tuple) and target.elts and isinstance(target.elts[-1], ast.Name):
            self._names[target.elts[-1].id] = self.listed(items)

    # what binds names

    def _import(self, node: ast.Import | ast.ImportFrom, when: str) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                near = NEAR if from_beside(alias.name) else ""
                whole = alias.name if alias.asname else alias.name.split(".", 1)[0]
                if near:
                    self._attacks.files.imports(node, alias.name, when)
                self._set(alias.asname or whole, near + whole)
            return
        near = NEAR + "^." * (node.level - 1) if node.level else NEAR if from_beside(node.module or "") else ""
        module = node.module or ""
        if near and not node.level:
            self._attacks.files.imports(node, module, when)
        for alias in node.names:
            if alias.name != "*":
                full = f"{module}.{alias.name}" if module else alias.name
                # a module may hand on what it imported itself: `from .x import os`
                plain = self._known.from_carrier(full)
                reached = plain if plain != full or (near and alias.name in self._known.carriers) else near + full
                self._set(alias.asname or alias.name, alias.name if alias.name in self._known.carriers else reached)
                continue
            if near:
                self._stars.append(near + module)
            module = self._known.from_carrier(module)
            for name in self._known.names:
                if name.rpartition(".")[0] == module:
                    self._set(name.rpartition(".")[2], name)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, when: str, scope: str) -> None:
        if isinstance(node, ast.AnnAssign):
            self._expression(node.annotation, when)
        if node.value is None:
            return
        self._expression(node.value, when)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Attribute | ast.Subscript):
                self._expression(target, when)
                self._use_callable(node.value, when, "is put in place of something", local=False)
                self._replaced(target, node.value, when)
                self._named_by_item(target, node.value)
                self._watch_target(node, target, node.value, when)
                self._keep_attribute(target, node.value)
            elif (isinstance(target, ast.Name) and target.id.startswith("__")
                  and scope.removesuffix(".") in self._classes):  # fmt: skip
                self._use_callable(node.value, "construction", f"is made {target.id}")
            if isinstance(node, ast.AugAssign):
                if isinstance(target, ast.Name) and (held := self._values.get(target.id)) is not None:
                    self._values[target.id] = ast.BinOp(held, node.op, node.value)
                    self._values[target.id] = self._plain(self._values[target.id])
            else:
                self._bind(target, node.value)

    def _watch_target(self, node: ast.stmt, target: ast.Attribute | ast.Subscript, value: ast.expr, when: str) -> None:
        """``client.on_message = f``; ``os.environ['LD_PRELOAD'] = x``."""
        if isinstance(target, ast.Attribute):
            self._attacks.origins.listens(target.attr, value)
        elif self.resolve(target.value) == "os.environ" and (
            said := self._attacks.variable(self.fold(target.slice), value)
        ):
            self._record(node.lineno, "os.environ", "attack", when, said)

    def _keep_attribute(self, target: ast.Attribute | ast.Subscript, value: ast.expr) -> None:
        """``self.run = os.system``: the attribute is remembered whatever it is an attribute of."""
        name = self.resolve(value)
        if name is None:
            return
        matters = (
            name.startswith(LOCAL)
            or name in self._known.carriers
            or self._known.of(name)
            or self._known.of(name.removesuffix("()")) == "network"
        )
        if matters and isinstance(target, ast.Attribute) and len(self._attributes) < 5_000:
            self._attributes.setdefault(target.attr, name)

    def _bind(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            held = self._values.get(value.id, value) if isinstance(value, ast.Name) else value
            values = (
                held.elts if isinstance(held, ast.Tuple | ast.List) and len(held.elts) == len(target.elts) else None
            )
            for index, each in enumerate(target.elts):
                self._bind(each, values[index] if values else None)
            return
        if not isinstance(target, ast.Name):
            return
        name = None if value is None else self.resolve(value)
        before = self._names.get(target.id)
        if name is None and self._nested_block and before is not None and self._known.of(before):
            name = before  # the other branch may not be taken
        self._set(target.id, name)
        if value is None:
            self._values[target.id] = NOTHING
        elif self._kept < _MOST_VALUES:
            self._kept += 1
            ambiguous = self._nested_block and target.id in self._values
            self._values[target.id] = NOTHING if ambiguous and _is_text(value) else self._plain(value)

    def _plain(self, value: ast.expr) -> ast.expr:
        if not isinstance(value, _COMPUTED):
            return value
        if isinstance(value, ast.Name):
            return self._values.get(value.id, value)
        text = self.fold(value)
        return ast.Constant(text) if isinstance(text, str | bytes | int) else value


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (
        isinstance(value, ast.Constant) and isinstance(value.value, str | bytes)
    )
