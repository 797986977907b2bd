"""From the graph of a pickle to named tensors, plain values, and what can be neither.

Names are the keys on the way from the root, joined with dots, as a nested ``state_dict`` spells them. An object is looked at
through the state that it is given: of a ``torch.nn.Module`` the words ``_parameters``, ``_buffers`` and ``_modules`` do not belong to
the name. What only a call would give is never part of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.disarm.graph import CONTAINERS, Graph, NotPlainError
from openvet.disarm.view import View
from openvet.errors import LimitError, MalformedError, UnsupportedError
from openvet.formats.pickle.values import DICT, LIT, PERSISTENT, REF, RESULT, TUPLE, a_of, offset_of, tag_of

__all__ = ["Left", "Named", "Plain", "Tree", "walk"]

_MODULE: Final = frozenset({"_parameters", "_buffers", "_modules"})
_DICTIONARIES: Final = frozenset({("collections", "OrderedDict"), ("collections", "defaultdict"), ("builtins", "dict")})
_WRAPPERS: Final = frozenset({"_rebuild_parameter", "_rebuild_parameter_with_state"})
_NAME: Final = 4_096
_NESTING: Final = 200
_VISITS: Final = 2_000_000
_LISTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Named:
    """A tensor, its name, and the offset of what makes it."""

    name: str
    view: View
    offset: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A value that safetensors cannot carry and JSON can."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not carried over.

    Attributes:
        kind: ``call`` (only running it would give the value), ``object`` (an instance, whose tensors are carried but not its class),
            ``tensor`` (one that safetensors cannot carry), ``value`` (anything else).
        name: where it is in the tree, printable.
        what: what it is, printable.
        callable: of a call or an object: module and name.
    """

    kind: str
    name: str
    what: str
    offset: int | None = None
    callable: tuple[str, str] | None = None


@dataclass(slots=True)
class Tree:
    """What one checkpoint holds.

    Attributes:
        notes: what a loader keeps for its own use and no tensor depends on (the versions that a ``state_dict`` records).
        dropped: how many more things were left than are listed.
    """

    tensors: list[Named] = field(default_factory=list)
    plain: list[Plain] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    notes: list[Plain] = field(default_factory=list)
    dropped: int = 0

    def leave(self, left: Left) -> None:
        if len(self.left) < _LISTED:
            self.left.append(left)
        else:
            self.dropped += 1


#: What makes a view of a call that rebuilds a tensor or an array; ``None`` where it does nothing of the kind.
Rebuild = Callable[[Graph, int], View | None]


def walk(graph: Graph, tree: Tree, rebuild: Rebuild) -> None:
    """Put everything below the root of ``graph`` into ``tree``.

    Raises:
        LimitError: the tree is too large or too deep.
    """
    _Walk(graph, tree, rebuild).run()


class _Walk:
    def __init__(self, graph: Graph, tree: Tree, rebuild: Rebuild) -> None:
        self.graph = graph
        self.tree = tree
        self.rebuild = rebuild
        self.visits = 0
        self.open: set[int] = set()
        self.views: dict[int, View | None] = {}
        self.mixed: set[int] = set()

    def run(self) -> None:
        if not self.graph.result:
            raise MalformedError("the pickle gives nothing", offset=self.graph.end)
        waiting: list[Iterator[tuple[str, int]]] = [iter([("", self.graph.result)])]
        path: list[int] = [0]
        while waiting:
            step = next(waiting[-1], None)
            if step is None:
                waiting.pop()
                self.open.discard(path.pop())
                continue
            name, value = step
            self.visits += 1
            self.graph.budget.check_time()
            if self.visits > _VISITS:
                raise LimitError("records", _VISITS, "the checkpoint holds too many values")
            below = self._visit(name, value)
            if below is None:
                continue
            if value in self.open:
                self._leave("value", name, "a container that holds itself", value)
                continue
            if len(waiting) > _NESTING:
                raise LimitError("nesting", _NESTING, "the checkpoint is nested too deeply")
            self.open.add(value)
            path.append(value)
            waiting.append(iter(below))

    def _leave(self, kind: str, name: str, what: str, value: int, called: tuple[str, str] | None = None) -> None:
        self.tree.leave(Left(kind, printable(shorten(name, 500)), printable(what), offset_of(value), called))

    def _visit(self, name: str, value: int) -> list[tuple[str, int]] | None:
        """Take what ``value`` is; the named values below it where it is something that holds others."""
        tag = tag_of(value)
        if tag in (LIT, REF):
            self._plain(name, value)
            return None
        if tag in CONTAINERS:
            if value not in self.mixed and self._is_plain(name, value):
                return None
            self.mixed.add(value)
            return self._items(name, value)
        if tag == PERSISTENT:
            view = self._view(name, value)
            if view is not None:
                self.tree.tensors.append(Named(name, view, offset_of(value)))
            elif value not in self.views:
                self._leave("value", name, "a storage without a tensor", value)
            return None
        if tag == RESULT:
            return self._result(name, value)
        self._leave("value", name, "a value that is not known", value)
        return None

    def _plain(self, name: str, value: int) -> None:
        if not self._is_plain(name, value):
            self._leave("value", name, self.graph.what(value), value)

    def _is_plain(self, name: str, value: int) -> bool:
        try:
            plain = self.graph.plain(value)
        except NotPlainError:
            return False
        if len(self.tree.plain) < _LISTED:
            self.tree.plain.append(Plain(printable(name), plain))
        else:
            self.tree.dropped += 1
        return True

    def _items(self, name: str, value: int) -> list[tuple[str, int]] | None:
        try:
            if tag_of(value) == DICT:
                return self._below(name, self.graph.pairs(value))
            return [(_join(name, str(at)), each) for at, each in enumerate(self.graph.children(value))]
        except NotPlainError as error:
            self._leave("value", name, str(error), value)
            return None

    def _below(self, name: str, pairs: list[tuple[int, int]]) -> list[tuple[str, int]]:
        out = []
        for key, item in pairs:
            text = self.graph.text(key)
            number = self.graph.integer(key) if text is None else None
            if text is None and number is None:
                self._leave("value", name, f"an entry under the key {self.graph.what(key)}, which is no text", item)
                continue
            own = str(number) if text is None else text
            if len(name) + len(own) > _NAME:
                raise LimitError("member_name", _NAME, "a name is too long", offset=offset_of(key))
            out.append((_join(name, own), item))
        return out

    # what calls gave

    def _result(self, name: str, value: int) -> list[tuple[str, int]] | None:
        view = self._view(name, value)
        if view is not None:
            if len(self.tree.tensors) >= self.graph.limits.tensors:
                raise LimitError("tensors", self.graph.limits.tensors, "the checkpoint has too many tensors")
            self.tree.tensors.append(Named(name, view, offset_of(value)))
            made = self.graph.call_of(value)
            if made is not None and made.module.startswith("torch"):  # the state of an array is the array
                self._attributes(name, value)
            return None
        if value in self.views:
            return None
        made = self.graph.call_of(value)
        called = (made.module, made.name) if made is not None else None
        if made is not None and made.module == "torch._utils" and made.name in _WRAPPERS and made.items:
            if made.name == "_rebuild_parameter_with_state" and len(made.items) > 3:
                self._state(name, made.items[3], value)
            return [(name, made.items[0])]
        if called in _DICTIONARIES:
            try:
                pairs = self.graph.pairs(value)
            except NotPlainError as error:
                self._leave("value", name, str(error), value)
                return None
            self._attributes(name, value)
            if not pairs:
                self._is_plain(name, value)
            return self._below(name, pairs)
        try:
            return None if self._is_plain(name, value) else self._object(name, value)
        except NotPlainError as error:
            self._leave("value", name, str(error), value)
            return None

    def _view(self, name: str, value: int) -> View | None:
        """The view that a value is. What is a tensor and cannot be carried is left, and told once for each name."""
        if value in self.views and self.views[value] is not None:
            return self.views[value]
        try:
            view = self.rebuild(self.graph, value)
        except LimitError:
            raise
        except (MalformedError, UnsupportedError) as error:
            self.views[value] = None
            made = self.graph.call_of(value)
            self._leave("tensor", name, error.message, value, (made.module, made.name) if made else None)
            return None
        if view is not None:
            self.views[value] = view
        return view

    def _attributes(self, name: str, value: int) -> None:
        """Attributes that a dictionary or a tensor is given besides what it holds."""
        for state in self.graph.built.get(value, []):
            self._state(name, state, value)

    def _state(self, name: str, state: int, value: int) -> None:
        try:
            plain = self.graph.plain(state)
        except NotPlainError:
            self._leave("value", name, "attributes that are not plain data", value)
            return
        if plain in ({}, None, {"dict": []}) or (isinstance(plain, dict) and plain.get("tuple") == []):
            return
        self.tree.notes.append(Plain(printable(name), plain))

    def _object(self, name: str, value: int) -> list[tuple[str, int]] | None:
        """An instance: what its state holds. Without one it is only what a call would give."""
        ref = self.graph.refs[a_of(value)]
        called = (ref.module, ref.name)
        made = self.graph.call_of(value)
        shown = shorten(printable(ref.qualified) or "something unknown", 200)
        states = self.graph.built.get(value, [])
        below: list[tuple[str, int]] = []
        for state in states:
            below += self._of_state(name, state)
        for by_key, items in self.graph.filled.get(value, []):
            if by_key:
                below += self._below(name, list(zip(items[::2], items[1::2], strict=False)))
            else:
                below += [(_join(name, str(at)), each) for at, each in enumerate(items)]
        if states or below:
            self._leave("object", name, f"an instance of {shown}", value, called)
            return below
        given = ", ".join(self.graph.what(each) for each in (made.items or [])[:4]) if made else "…"
        self._leave("call", name, f"what {shown}({shorten(given, 200)}) would give", value, called)
        return None

    def _of_state(self, name: str, state: int) -> list[tuple[str, int]]:
        """The attributes in a state: a dictionary, or one and the slots in a pair."""
        parts = [state]
        if tag_of(state) == TUPLE:
            items = self.graph.children(state)
            if len(items) == 2 and all(tag_of(each) in (DICT, LIT, RESULT) for each in items):
                parts = items
        out: list[tuple[str, int]] = []
        for part in parts:
            made = self.graph.call_of(part)
            if tag_of(part) == DICT or (made is not None and (made.module, made.name) in _DICTIONARIES):
                for key, item in self.graph.pairs(part):
                    own = self.graph.text(key)
                    out += [(name, item)] if own in _MODULE else self._below(name, [(key, item)])
            elif tag_of(part) != LIT:
                out.append((_join(name, "state"), part))
            elif self.graph.plain(part) is not None:
                self._plain(_join(name, "state"), part)
        return out


def _join(name: str, own: str) -> str:
    return f"{name}.{own}" if name else own
