"""What opcodes mean: resolving, calling, building and filling, over abstract values.

This half knows nothing of bytes and blocks; the walk in :mod:`openvet.formats.pickle.machine` decodes. It is never
strict where a loader is: after something at which a loader would fail it notes the first such place and goes on,
because the two unpicklers of CPython fail at different places and what either would run must be seen.
"""

from __future__ import annotations

from array import array
from typing import Final, Protocol

from openvet.core.limits import Limits
from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats.pickle import literals
from openvet.formats.pickle.opcodes import NAMES
from openvet.formats.pickle.program import Call, Carried, Computed, Mutation, Step
from openvet.formats.pickle.references import MANY, Bags, Ref, References
from openvet.formats.pickle.values import (
    DICT,
    ENCODED,
    FROZENSET,
    KEPT_ITEMS,
    LIST,
    LIT,
    OPCODE,
    PERSISTENT,
    REF,
    RESULT,
    SET,
    TUPLE,
    UNKNOWN,
    Held,
    a_of,
    is_plain,
    make,
    offset_of,
    tag_of,
)

__all__ = ["Halt", "Observer", "Semantics"]

#: Attributes that an unpickler or the interpreter calls on an instance: a callable hidden under one of them is called.
_HIJACKED: Final = frozenset({"append", "extend", "add", "persistent_load", "find_class", "close", "shutdown"})
#: Attributes with such names that honest objects keep callables under; nothing calls them.
_HARMLESS: Final = frozenset(
    {
        "__annotations__",
        "__doc__",
        "__module__",
        "__name__",
        "__orig_class__",
        "__parameters__",
        "__qualname__",
        "__wrapped__",
    }
)
_NAME_BYTES: Final = 4_096
#: What a name may have of characters and of dots; more is no name that anybody gave to anything.
_NAME_CHARS: Final = 500
_NAME_DOTS: Final = 16
_INNER: Final = 100_000
_DEPTH: Final = 24
_STEPS: Final = 200_000  # a call listed takes some hundred bytes
_INSIDE: Final = 256
_INSIDE_DEPTH: Final = 4
_PYTHON2: Final = 3  # protocols below this one have Python 2 names


class Halt(Exception):  # noqa: N818 - control flow inside this package, not an error that anybody sees
    """A strict walk met something that a loader would refuse."""


class Observer(Protocol):
    """Somebody who follows data while the machine walks: the reader of tensors."""

    def called(self, machine: Semantics, ref: Ref, items: list[int], result: int) -> None: ...

    def placed(self, machine: Semantics, container: int, key: int, child: int) -> None: ...

    def persistent(self, machine: Semantics, identifier: int, result: int) -> int | None:
        """What a loader of this format gives for a persistent id, where that is a value of the stream itself."""


class Semantics:
    """Stack, memo and references of one program."""

    def __init__(self, limits: Limits, *, strict: bool = False, observer: Observer | None = None) -> None:
        self.limits = limits
        self.strict = strict
        self.observer = observer
        self.stack: array[int] = array("q")
        self.marks: list[int] = []
        #: no value above this index of the stack is anything but plain data
        self.hot = -1
        self.memo: array[int] = array("q")
        self.sparse: dict[int, int] = {}
        self.memo_count = 0
        self.held = Held()
        self.inner: dict[int, int] = {}
        self.inner_full = False
        self.keyed: dict[int, list[tuple[str, int]]] = {}
        self.bags = Bags()
        self.references = References()
        self.refs = self.references.rows
        self.extensions: dict[int, int] = {}
        self.protocol = 0
        self.highest_protocol = 0
        self.broken: str | None = None
        self.broken_at: int | None = None
        self.mutations: list[Mutation] = []
        self.computed: list[Computed] = []
        self.carried: list[Carried] = []
        self._carried_at: dict[int, int] = {}
        self.persistent = 0
        self.persistent_first: list[str] = []
        self.dropped = 0
        #: every call in order, where somebody wants them
        self.steps: list[Step] | None = None
        self.steps_dropped = 0
        self.raw_follows = False
        self._texts: dict[int, str | None] = {}
        self._names: dict[tuple[int, int], int] = {}
        self._depth = 0
        self._records = 0
        self._called_at = -1

    # bytes, which the walk provides

    def peek(self, offset: int, size: int) -> bytes:
        raise NotImplementedError

    # failures

    def soft(self, reason: str, offset: int) -> None:
        """Note where a loader would fail; the walk goes on unless it is strict."""
        if self.strict:
            raise Halt
        if self.broken is None:
            self.broken = reason
            self.broken_at = offset

    def room(self) -> bool:
        """Whether one more record may be kept; counts those that may not."""
        if self._records >= self.limits.records:
            self.dropped += 1
            return False
        self._records += 1
        return True

    def compute(self, kind: str, detail: str, offset: int, opcode: str) -> None:
        if self.room():
            self.computed.append(Computed(offset, opcode, kind, detail))

    # the stack

    def push(self, value: int) -> None:
        self.stack.append(value)
        if not is_plain(value):
            self.hot = len(self.stack) - 1

    def pop(self, offset: int) -> int:
        floor = self.marks[-1] if self.marks else 0
        if len(self.stack) <= floor:
            self.soft("takes a value from an empty stack", offset)
            return make(UNKNOWN, 0, offset)
        return self.stack.pop()

    def top(self, offset: int) -> int:
        floor = self.marks[-1] if self.marks else 0
        if len(self.stack) <= floor:
            self.soft("needs a value on an empty stack", offset)
            return make(UNKNOWN, 0, offset)
        return self.stack[-1]

    def pop_mark(self, offset: int) -> list[int]:
        """The values above the last mark; the mark goes too."""
        if self.marks:
            start = self.marks.pop()
        else:
            self.soft("needs a mark where there is none", offset)
            start = 0
        items = self.stack[start:].tolist()
        del self.stack[start:]
        self.hot = min(self.hot, start - 1)
        return items

    # the memo

    def memo_put(self, index: int, value: int, offset: int) -> None:
        """PUT in every form. CPython's MEMOIZE counts entries, so both must share one count."""
        if index < len(self.memo):
            if not self.memo[index] and index not in self.sparse:
                self.memo_count += 1
            self.memo[index] = value
            return
        if index not in self.sparse:
            self.memo_count += 1
        if self.memo_count > min(self.limits.memo, 12_000_000):  # eight bytes each: memory stays flat
            raise LimitError("memo", min(self.limits.memo, 12_000_000), "the pickle's memo is too large", offset=offset)
        if index <= 2 * self.memo_count + 1024:
            self.memo.extend([0] * (index - len(self.memo)))
            self.memo.append(value)
            self.sparse.pop(index, None)
        else:
            if len(self.sparse) >= 100_000:
                raise LimitError("memo", 100_000, "the pickle's memo has too many far-apart entries", offset=offset)
            self.sparse[index] = value

    def memo_get(self, index: int, offset: int) -> int:
        value = self.memo[index] if 0 <= index < len(self.memo) else 0
        if not value:
            value = self.sparse.get(index, 0)
        if not value:
            self.soft(f"gets memo entry {index}, which was never put", offset)
            return make(UNKNOWN, 0, offset)
        return value

    # looking at values

    def text(self, value: int) -> str | None:
        """The text of a literal, or ``None`` where the value is no text literal."""
        if tag_of(value) != LIT or a_of(value) & ENCODED:
            return None
        cached = self._texts.get(value, "")
        if cached or (cached is None):
            return cached
        text = literals.text_of(self.peek, offset_of(value), a_of(value), _NAME_BYTES)
        if len(self._texts) >= _NAME_BYTES:
            self._texts.clear()
        self._texts[value] = text
        return text

    def integer(self, value: int) -> int | None:
        return literals.integer_of(self.peek, offset_of(value), a_of(value)) if tag_of(value) == LIT else None

    def items(self, value: int) -> list[int] | None:
        """The items of a container while they are remembered (at most the first 64)."""
        if tag_of(value) not in (TUPLE, LIST, DICT, SET, FROZENSET):
            return None
        held = self.held.get(offset_of(value))
        return None if held is None else held[1:]

    def sure(self, value: int) -> list[int] | None:
        """All items of a container, where it is certain that they are what it holds now.

        A list, dict or set that existed when something was called may have been changed by that call
        (``list.reverse``), and of a long one only the first items are kept.
        """
        tag = tag_of(value)
        if tag in (LIST, DICT, SET) and offset_of(value) < self._called_at:
            return None
        held = None if tag not in (TUPLE, LIST, DICT, SET, FROZENSET) else self.held.get(offset_of(value))
        return None if held is None or held[0] != len(held) - 1 else held[1:]

    def bag(self, value: int) -> int:
        """Which references ``value`` is or holds."""
        tag = tag_of(value)
        if tag == LIT:
            return 0
        if tag in (TUPLE, FROZENSET):
            return a_of(value)
        if tag == REF:
            ref = self.refs[a_of(value)]
            return self.bags.of(a_of(value)) if ref.kind in ("global", "method", "unknown") else ref.bag
        inner = self.inner.get(offset_of(value), 0)
        if tag == RESULT:
            return self.bags.join(inner, self.refs[a_of(value)].bag)
        if self.inner_full and tag in (LIST, DICT, SET):
            return self.bags.join(inner, MANY)
        return inner

    def bag_of_all(self, items: list[int]) -> int:
        bag = 0
        for item in items:
            if not is_plain(item):
                bag = self.bags.join(bag, self.bag(item))
        return bag

    def show(self, value: int, depth: int = 0) -> str:
        """A value as people read it: printable and bounded in depth and count."""
        tag = tag_of(value)
        if tag == LIT:
            return literals.show_literal(self.peek, offset_of(value), a_of(value) & OPCODE)
        if tag == REF:
            return shorten(printable(self.refs[a_of(value)].qualified), 200)
        if tag == RESULT:
            return shorten(printable(self.refs[a_of(value)].qualified), 200) + "(…)"
        if tag == PERSISTENT:
            return "<persistent object>"
        if tag == UNKNOWN:
            return "<unknown>"
        left, right = {TUPLE: ("(", ")"), LIST: ("[", "]")}.get(tag, ("{", "}"))
        held = self.held.get(offset_of(value))
        if held is None or depth >= 3:
            return f"{left}…{right}"
        shown = [self.show(item, depth + 1) for item in held[1:9]]
        if tag == DICT:
            shown = [": ".join(shown[at : at + 2]) for at in range(0, len(shown), 2)]
        if held[0] > 8:
            shown.append("…")
        if tag == TUPLE and len(shown) == 1:
            shown.append("")
        return f"{left}{', '.join(shown).rstrip()}{right}"

    # resolving

    def reference(
        self,
        module: str,
        name: str,
        offset: int,
        opcode: str,
        *,
        kind: str = "global",
        via: str = "",
        variant: str = "",
    ) -> int:
        """The value that stands for ``module.name``: a reference, or something unknown where that can be no name."""
        if len(module) + len(name) > _NAME_CHARS or name.count(".") > _NAME_DOTS:
            shown = shorten(printable(f"{module} {name}"), 80)
            self.compute("name", f"a name of {len(module) + len(name)} characters: {shown}", offset, opcode)
            return make(UNKNOWN, 0, offset)
        index = self.references.intern(module, name, kind, variant, offset, opcode)
        ref = self.refs[index]
        if via and via not in ref.via and len(ref.via) < 4:
            ref.via = (*ref.via, via)
        return make(REF, index, offset)

    def resolve(self, module: str, name: str, offset: int, opcode: str) -> int:
        """GLOBAL and its kin: maps Python 2 names as ``fix_imports`` does."""
        written = f"{module}.{name}"
        if self.protocol < _PYTHON2:
            from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[module, name]
            elif module in IMPORT_MAPPING:
                module = IMPORT_MAPPING[module]
        value = self.reference(module, name, offset, opcode)
        if tag_of(value) != REF:
            return value
        ref = self.refs[a_of(value)]
        if ref.count == 1 and ref.qualified != written:
            ref.written = written
        return value

    def stack_global(self, offset: int) -> None:
        name = self.pop(offset)
        module = self.pop(offset)
        index = self._names.get((module, name))
        if index is not None:
            self.refs[index].count += 1
            self.push(make(REF, index, offset))
            return
        module_text, name_text = self.text(module), self.text(name)
        if module_text is None or name_text is None:
            self.compute("name", f"{self.show(module)} . {self.show(name)}", offset, "STACK_GLOBAL")
            if not all(tag_of(word) != LIT or literals.is_text(a_of(word)) for word in (module, name)):
                self.soft("resolves a name that is no text", offset)
            self.push(make(RESULT, 0, offset))
            return
        value = self.resolve(module_text, name_text, offset, "STACK_GLOBAL")
        if len(self._names) < 65_536 and tag_of(value) == REF:
            self._names[module, name] = a_of(value)
        self.push(value)

    def forget_names(self) -> None:
        self._names.clear()

    def extension(self, code: int, offset: int, opcode: str) -> None:
        index = self.extensions.get(code)
        self.compute("extension", f"copyreg extension code {code}", offset, opcode)
        self.push(make(RESULT, 0, offset) if index is None else make(REF, index, offset))

    def attribute(self, value: int, name: str, offset: int, via: str) -> int:
        """``getattr(value, name)``; ``name`` may be dotted as ``attrgetter`` allows."""
        tag = tag_of(value)
        opcode = via.rpartition(".")[2]
        if tag == REF:
            ref = self.refs[a_of(value)]
            if ref.kind in ("partial", "attrgetter", "itemgetter", "methodcaller"):
                if name == "func" and ref.target:
                    return ref.target
                return self.reference("functools", f"{ref.kind}().{name}", offset, opcode, kind="method", via=via)
            joined = f"{ref.name}.{name}" if ref.name else name
            return self.reference(ref.module, joined, offset, opcode, kind=ref.kind, via=via)
        if tag == RESULT:
            ref = self.refs[a_of(value)]
            return self.reference(ref.module, f"{ref.name}().{name}", offset, opcode, kind="method", via=via)
        if tag in (PERSISTENT, UNKNOWN):
            return self.reference("", f"<object>.{name}", offset, opcode, kind="method", via=via)
        kind = (
            ("bytes" if a_of(value) & ENCODED else literals.type_name(a_of(value)))
            if tag == LIT
            else {TUPLE: "tuple", LIST: "list", DICT: "dict", SET: "set", FROZENSET: "frozenset"}[tag]
        )
        return self.reference("builtins", f"{kind}.{name}", offset, opcode, kind="global", via=via)

    # calling

    def call(self, callee: int, arguments: int, offset: int, opcode: str) -> int:
        """``callee(*arguments)``: the abstract result."""
        if tag_of(arguments) == TUPLE:
            items = self.items(arguments)
        elif not self.strict:
            items = self.sure(arguments)
        else:
            self.soft("calls with arguments that are no tuple", offset)
            items = None
        bag = self.bag(arguments)
        return self.call_items(callee, items, self._bag_inside(items, bag) if items else bag, offset, opcode)

    def _bag_inside(self, items: list[int], bag: int) -> int:
        """``bag`` and what containers inside of ``items`` got only after they were put there."""
        waiting = [(items, _INSIDE_DEPTH)]
        seen = 0
        while waiting and seen < _INSIDE:
            each, depth = waiting.pop()
            seen += len(each)
            for item in each:
                if tag_of(item) in (TUPLE, LIST, DICT, SET, FROZENSET):
                    inside = self.items(item) if depth else None
                    if inside:
                        waiting.append((inside, depth - 1))
                    bag = self.bags.join(bag, self.bag(item))
        return bag

    def call_items(self, callee: int, items: list[int] | None, bag: int, offset: int, opcode: str) -> int:
        tag = tag_of(callee)
        if tag == REF:
            index = a_of(callee)
        elif tag == RESULT:
            ref = self.refs[a_of(callee)]
            index = a_of(self.reference(ref.module, f"{ref.name}()", offset, opcode, kind="method"))
        elif tag in (PERSISTENT, UNKNOWN):
            index = 0
        else:
            self.soft(f"calls {self.show(callee)}, which is no callable", offset)
            return make(UNKNOWN, 0, offset)
        self._depth += 1
        try:
            if self._depth > _DEPTH:
                self.compute("name", "calls nested too deeply to follow", offset, opcode)
                return make(UNKNOWN, 0, offset)
            return self._invoke(index, items, bag, offset, opcode)
        finally:
            self._depth -= 1

    def _invoke(self, index: int, items: list[int] | None, bag: int, offset: int, opcode: str) -> int:
        from openvet.formats.pickle.linkers import LINKERS, MADE, PURE

        ref = self.refs[index]
        ref.calls += 1
        if self.steps is not None:
            self._step(ref.module, ref.name, items, offset, opcode)
        made = MADE.get(ref.kind)
        if made is not None:
            return made(self, ref, items, bag, offset)
        ref.bag = self.bags.join(ref.bag, bag)
        if ref.keeps_calls and self.room():
            shown = ("…",) if items is None else tuple(self.show(item) for item in items[:8])
            ref.first_calls.append(Call(offset, opcode, shown))
        if items is not None and self._carried_at and ref.module != "_codecs":
            self._mark_loaded(ref, items)
        linker = LINKERS.get((ref.module, ref.name)) if ref.kind == "global" else None
        result = None if linker is None else linker(self, items, bag, offset)
        if (ref.module, ref.name) not in PURE:
            self._called_at = offset
        if result is None:
            result = make(RESULT, index, offset)
        if self.observer is not None and items is not None:
            self.observer.called(self, ref, items, result)
        return result

    def _step(self, module: str, name: str, items: list[int] | None, offset: int, opcode: str) -> None:
        if self.steps is None or len(self.steps) >= _STEPS:
            self.steps_dropped += 1
            return
        shown = ("…",) if items is None else tuple(self.show(item) for item in items)
        self.steps.append(Step(offset, opcode, printable(module), printable(name), shown))

    def instantiate(self, klass: int, items: list[int], offset: int, opcode: str) -> None:
        self.push(self.call_items(klass, items[:KEPT_ITEMS], self.bag_of_all(items), offset, opcode))

    # literals that hold programs

    def note_carried(self, offset: int, start: int, size: int, kind: str) -> None:
        if self.room():
            self._carried_at[offset] = len(self.carried)
            self.carried.append(Carried(start, size, kind))

    def _mark_loaded(self, ref: Ref, items: list[int]) -> None:
        for item in items:
            at = self._carried_at.get(offset_of(item)) if tag_of(item) == LIT else None
            if at is not None and not self.carried[at].loaded:
                old = self.carried[at]
                self.carried[at] = Carried(old.start, old.size, old.kind, ref.qualified)

    # filling

    def fill(self, container: int, items: list[int], offset: int, opcode: str) -> None:
        """APPEND(S), SETITEM(S), ADDITEMS: items go into a container, or into whatever object is there instead."""
        pairs = opcode in ("SETITEM", "SETITEMS")
        if pairs and len(items) % 2:
            self.soft("sets an odd number of items", offset)
            items = items[:-1]
        tag = tag_of(container)
        if tag == REF:
            self.mutate("item", container, items, offset, opcode)
            return
        if tag in (LIT, TUPLE, FROZENSET):
            self.soft(f"adds items to {self.show(container)}", offset)
            return
        identity = offset_of(container)
        if pairs and tag == LIST:
            self.held.forget(identity)  # these are indices and what is set there
        else:
            self.held.extend(identity, items)
        if self.observer is not None:
            self._observe(container, items, pairs)
        bag = self.bag_of_all(items)
        if bag:
            self._put_inside(identity, bag)
            if pairs:
                self._note_keys(identity, items)

    def _observe(self, container: int, items: list[int], pairs: bool) -> None:
        observer = self.observer
        if observer is None:
            return
        if pairs:
            for at in range(0, len(items) - 1, 2):
                if not is_plain(items[at + 1]):
                    observer.placed(self, container, items[at], items[at + 1])
            return
        held = self.held.get(offset_of(container))
        first = 0 if held is None else held[0] - len(items)
        for at, item in enumerate(items, first):
            if not is_plain(item):
                observer.placed(self, container, -1 - at, item)

    def _put_inside(self, identity: int, bag: int) -> None:
        old = self.inner.get(identity)
        if old is None and len(self.inner) >= _INNER:
            self.inner_full = True
            return
        self.inner[identity] = self.bags.join(old or 0, bag)

    def _note_keys(self, identity: int, items: list[int]) -> None:
        """Remember callables under keys that something would call them by."""
        for at in range(0, len(items) - 1, 2):
            value = items[at + 1]
            if tag_of(value) not in (REF, RESULT):
                continue
            if tag_of(value) == RESULT and not self.bag(value):
                continue
            text = self.text(items[at])
            if text is None:
                if tag_of(items[at]) == LIT:
                    continue
                text = "<computed>"
            if text in _HIJACKED or text == "<computed>" or (text.startswith("__") and text not in _HARMLESS):
                self.keyed.setdefault(identity, []).append((text, value))
                if len(self.keyed) > 10_000:
                    raise LimitError("records", 10_000, "too many callables under special names", offset=identity)

    def build(self, instance: int, state: int, offset: int) -> None:
        """BUILD: ``instance.__setstate__(state)``, or its attributes from ``state``."""
        tag = tag_of(instance)
        if tag == REF:
            ref = self.refs[a_of(instance)]
            if ref.kind == "partial":  # functools.partial gets its function and arguments this way
                self._rebuild_partial(ref, state)
                return
            if self.steps is not None:
                self._step(ref.module, f"{ref.name}.__setstate__", [state], offset, "BUILD")
            self.mutate("state", instance, [state], offset, "BUILD")
            return
        if tag == RESULT:
            ref = self.refs[a_of(instance)]
            ref.builds += 1
            if self.steps is not None:
                self._step(ref.module, f"{ref.name}().__setstate__", [state], offset, "BUILD")
            self.raw_follows = (ref.module, ref.name) == ("joblib.numpy_pickle", "NumpyArrayWrapper")
        elif tag not in (UNKNOWN, PERSISTENT):
            self.soft(f"sets the state of {self.show(instance)}", offset)
            return
        bag = self.bag(state)
        if bag:
            self._put_inside(offset_of(instance), bag)
        if self.observer is not None and not is_plain(state):
            self.observer.placed(self, instance, 0, state)
        states = [state]
        if tag_of(state) == TUPLE:
            states += (self.items(state) or [])[:2]
        for each in states:
            for key, value in self.keyed.get(offset_of(each), ()) if tag_of(each) in (DICT, RESULT) else ():
                self._hijack(instance, key, value, offset)

    def _hijack(self, instance: int, key: str, value: int, offset: int) -> None:
        owner = self.refs[a_of(instance)] if tag_of(instance) == RESULT else self.refs[0]
        hidden = self.refs[a_of(value)]
        # what is set here is called by a later opcode with arguments of the program's choosing
        self.call_items(value, None, 0, offset, f"BUILD {printable(key)[:40]}")
        if self.room():
            target = (owner.module, owner.name)
            self.mutations.append(
                Mutation(offset, "BUILD", "hijack", target, printable(key)[:100], (hidden.module, hidden.name))
            )

    def _rebuild_partial(self, ref: Ref, state: int) -> None:
        items = self.items(state) if tag_of(state) == TUPLE else None
        ref.bag = self.bags.join(ref.bag, self.bag(state))
        ref.target = items[0] if items else make(UNKNOWN, 0, offset_of(state))
        ref.bound = (self.items(items[1]) or []) if items and len(items) > 1 else []

    def mutate(self, how: str, target: int, items: list[int], offset: int, opcode: str) -> None:
        """Something outside of the pickle changes: a module, a class or a function."""
        ref = self.refs[a_of(target)]
        if self.room():
            shown = tuple(self.show(item) for item in items[:6])
            self.mutations.append(Mutation(offset, opcode, how, (ref.module, ref.name), arguments=shown))

    # containers

    def tuple_of(self, items: list[int], offset: int) -> int:
        bag = 0
        plain = True
        for item in items:
            if not is_plain(item):
                plain = False
                bag = self.bags.join(bag, self.bag(item))
        self.held.put(offset, [len(items), *items[:KEPT_ITEMS]])
        value = make(TUPLE, bag, offset)
        if not plain and self.observer is not None:
            for at, item in enumerate(items):
                if not is_plain(item):
                    self.observer.placed(self, value, -1 - at, item)
        return value

    def container_of(self, tag: int, items: list[int], offset: int, opcode: int) -> int:
        """LIST, DICT and FROZENSET: a container with what stands above the mark."""
        if tag == FROZENSET:
            self.held.put(offset, [len(items), *items[:KEPT_ITEMS]])
            return make(FROZENSET, self.bag_of_all(items), offset)
        value = make(tag, 0, offset)
        self.held.put(offset, [0])
        self.fill(value, items, offset, "SETITEMS" if tag == DICT else NAMES[opcode])
        return value

    def persist(self, identifier: int, offset: int) -> None:
        result = make(PERSISTENT, 0, offset)
        self.persistent += 1
        if len(self.persistent_first) < 4:
            self.persistent_first.append(self.show(identifier))
        if self.observer is not None:
            given = self.observer.persistent(self, identifier, result)
            result = result if given is None else given
        self.push(result)
