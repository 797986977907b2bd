"""What opcodes mean: calling and filling, over abstract values; and, in rooms of their own, resolving (:mod:`openvet.formats.pickle.naming`) and
building (:mod:`openvet.formats.pickle.building`).

This half knows nothing of bytes and blocks; the walk in :mod:`openvet.formats.pickle.machine` decodes. It is never
strict where a loader is: after something at which a loader would fail it notes the first such place and goes on,
because the two unpicklers of CPython fail at different places and what either would run must be seen.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Final, Protocol

from openvet.core.limits import Limits
from openvet.core.text import printable
from openvet.errors import LimitError
from openvet.formats.pickle.addresses import is_of_objects, look_for_interfaces
from openvet.formats.pickle.building import FACTORY, set_state
from openvet.formats.pickle.evaluated import (
    KEPT_OF_EXPRESSIONS,
    Expressions,
    builds_expression,
    evaluates,
    makes_the_same,
)
from openvet.formats.pickle.naming import Naming
from openvet.formats.pickle.opcodes import NAMES
from openvet.formats.pickle.program import BUILDS, Call, Mutation, Step
from openvet.formats.pickle.references import SETTLED, SETTLED_ENCODES, SETTLED_SHAPED, Ref
from openvet.formats.pickle.state import Dtype
from openvet.formats.pickle.stated import evaluates_state
from openvet.formats.pickle.values import (
    DICT,
    ENCODED_BIT,
    FROZENSET,
    KEPT_ITEMS,
    LIST,
    LIT,
    PERSISTENT,
    REF,
    RESULT,
    TUPLE,
    UNKNOWN,
    a_of,
    make,
    offset_of,
    tag_of,
)

__all__ = ["Observer", "Semantics"]

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
        "__signature__",
        "__wrapped__",
    }
)
#: What makes a class out of what a program carries, and the opcodes that make an instance of one.
_CLASSES: Final = frozenset({"_create_type", "_make_skeleton_class"})
_MAKES: Final = frozenset({"NEWOBJ", "NEWOBJ_EX"})
#: What is looked at each time that it is called or built.
_LOOKED_AT: Final = frozenset({"BytesIO", "dtype", "NumpyArrayWrapper", "ObjectDType", "VoidDType"})
#: What makes a dtype of NumPy: of what it is told, or by its own name.
_DTYPE_NAMES: Final = frozenset({"dtype", "ObjectDType", "VoidDType"})
#: The method of a class that calls its first argument.
_CALLS_FIRST: Final = ".__call__"
#: Methods of the built-in containers that change what they are called on, which may belong to the interpreter.
_CHANGES: Final = frozenset(
    f"{kind}.{name}"
    for kind, names in (
        ("list", "append extend insert remove pop clear sort reverse __setitem__ __delitem__ __iadd__ __imul__"),
        ("dict", "update setdefault pop popitem clear __setitem__ __delitem__ __ior__"),
        ("set", "add update discard remove pop clear __ior__ __iand__ __isub__ __ixor__"),
    )
    for name in names.split()
)
#: Packages whose models are archives in a pickle, and what loads one.
_KERAS: Final = frozenset({"keras", "tf_keras", "tensorflow"})
_LOADS_ARCHIVE: Final = ("._unpickle_model", "deserialize_model_from_bytecode")
_DEPTH: Final = 24
_DTYPES: Final = 100_000
_STEPS: Final = 200_000  # a call listed takes some hundred bytes


class Observer(Protocol):
    """Somebody who follows data while the machine walks: the reader of tensors.

    Attributes:
        followed: identities of the values that :meth:`placed` is to be told of; of others it may be told too.
    """

    followed: set[int]

    def called(self, machine: Semantics, ref: Ref, items: list[int], result: int) -> None: ...

    def placed(self, machine: Semantics, container: int, key: int, child: int) -> None: ...

    def persistent(self, machine: Semantics, identifier: int, result: int) -> int | None:
        """What a loader of this format gives for a persistent id, where that is a value of the stream itself."""


class Semantics(Naming):
    """One program under way."""

    def __init__(
        self, limits: Limits, *, strict: bool = False, curious: bool = True, observer: Observer | None = None
    ) -> None:
        super().__init__(limits, strict=strict, curious=curious)
        self.observer = observer
        self.cut = False  # a call has more arguments than are kept of them
        self.expressions: Expressions | None = None  # of what evaluates its arguments, once something of it was named
        self.arguments: tuple[list[int] | None, int | list[int]] = (None, 0)  # kept of a call, and all of them
        self.interfaces = False  # there is a name by which an instance stands for memory at an address
        self.tape.machine = self
        if observer is not None:
            self.tape.observed = True
            self.tape.followed = observer.followed

    def told(self, ref: Ref, arguments: int, result: int) -> None:
        """The tape called something that is settled."""
        items = self.items(arguments)
        if self.observer is not None and items is not None:
            self.observer.called(self, ref, items, result)

    def evaluator_named(self) -> None:
        self.tape.alone = False
        self.tape.kept = max(self.tape.kept, KEPT_OF_EXPRESSIONS)
        if self.expressions is None:
            self.expressions = Expressions(self)

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
        held = self.held.get(offset_of(arguments)) if items else None
        self.cut = held is not None and held[0] != len(items or ())
        self.arguments = (items, arguments)
        result = self.call_items(
            callee, items, self.bag_within(items, bag, arguments) if items else bag, offset, opcode
        )
        self.cut = False
        return result

    def call_items(self, callee: int, items: list[int] | None, bag: int, offset: int, opcode: str) -> int:
        tag = tag_of(callee)
        if tag == REF:
            index = a_of(callee)
            if items and tag_of(items[0]) == REF and self.refs[index].name.endswith(".__new__"):
                ref, klass = self.refs[index], self.refs[a_of(items[0])]
                if makes_the_same(ref, klass):
                    return self.call_items(items[0], items[1:], bag, offset, opcode)
        elif tag == RESULT:
            ref = self.refs[a_of(callee)]
            # an instance of a class that the program put together runs what that class carries, which is judged as such
            makes = ref.name in _CLASSES and opcode in _MAKES
            # and a call of an enumeration finds one of its members, as long as there is no code that it could run
            finds = ref.name == "_make_skeleton_enum" and opcode == "REDUCE" and not self.codes
            variant = BUILDS if ref.variant == BUILDS and (makes or finds) else ""
            index = a_of(self.reference(ref.module, f"{ref.name}()", offset, opcode, kind="method", variant=variant))
            bag = self.bags.join(bag, self.bag(callee))  # it may be any of what the first call was given
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
        linkers, resources = _later()
        ref = self.refs[index]
        ref.calls += 1
        if self.steps is not None:
            self.step(ref.module, ref.name, items, offset, opcode)
        made = linkers.MADE.get(ref.kind)
        if made is not None:
            answer: int = made(self, ref, items, bag, offset)
            return answer
        ref.bag = self.bags.join(ref.bag, bag)
        if ref.keeps_calls and self.room():
            shown = ("…",) if items is None else tuple(self.show(item) for item in items[:8])
            ref.first_calls.append(Call(offset, opcode, shown))
        if items is not None and self._carried_at and ref.module != "_codecs":
            self.mark_given(ref, items, offset)
        if self.expressions is not None:
            self.expressions.follow(ref, items, offset, opcode)
        key = (ref.module, ref.name)
        linker = linkers.LINKERS.get(key) if ref.kind == "global" else None
        result = None if linker is None else linker(self, items, bag, offset)
        if linker is None and items and ref.name.endswith(_CALLS_FIRST) and tag_of(items[0]) in (REF, RESULT):
            result = self.call_items(items[0], items[1:], bag, offset, "__call__")  # partial.__call__(f, ...) calls f
        elif linker is None and items and ref.name in _CHANGES and ref.module == "builtins" and tag_of(items[0]) == REF:
            method = self.attribute(
                items[0], ref.name.partition(".")[2], offset, ref.name
            )  # list.append(sys.path, ...)
            result = self.call_items(method, items[1:], bag, offset, opcode)
        result = self._given_a_file(ref, items, offset) if self.files and result is None else result
        if key not in linkers.PURE and not builds_expression(ref):
            self.tape.called_at = offset
        if result is None:
            result = make(RESULT, index, offset)
            if ref.name in _DTYPE_NAMES and ref.module.startswith("numpy") and len(self.dtypes) < _DTYPES:
                told = items[0] if items else make(REF, index, offset)
                self.dtypes[offset] = Dtype(self.text(told) or "", objects=is_of_objects(self, told))
        if items is not None and (self.sizes or key in resources.WATCHED) and tag_of(result) != REF:
            resources.strain(self, ref, items, result, offset, opcode)
        if not ref.keeps_calls:
            self._settle(ref, items, bag, result, linked=linker is not None)
        if self.observer is not None and items is not None:
            self.observer.called(self, ref, items, result)
        return result

    def _given_a_file(self, ref: Ref, items: list[int] | None, offset: int) -> int | None:
        """A model of Keras in a pickle is an archive in memory, which is read and judged by itself: loading that is all that this call does."""
        if not items or len(items) != 1 or offset_of(items[0]) not in self.files:
            return None
        if ref.name == "BytesIO" and ref.module in ("_io", "io"):
            self.files.add(offset)
        elif ref.module.partition(".")[0] in _KERAS and ref.name.endswith(_LOADS_ARCHIVE):
            from openvet.formats.pickle.builders import builds

            return builds(self, ref.module, ref.name, offset)
        return None

    @staticmethod
    def _settle(ref: Ref, items: list[int] | None, bag: int, result: int, *, linked: bool) -> None:
        """Note what further calls of this with plain data do, where none may ever lead on.

        ``partial.__call__(1)`` does not lead on, but ``partial.__call__(f)`` calls ``f``.
        """
        _, resources = _later()
        looked_at = ref.name in _LOOKED_AT or ref.name.endswith(_CALLS_FIRST) or evaluates_state(ref)
        if ref.kind != "global" or looked_at:
            return
        if not linked and (ref.module, ref.name) not in resources.UNSETTLED:
            ref.settled = SETTLED
        elif not linked and ref.name == "_reconstruct":
            ref.settled = SETTLED_SHAPED
        elif items is not None and len(items) == 2 and result == items[0] | ENCODED_BIT:
            ref.settled, ref.settled_codec = SETTLED_ENCODES, items[1]
        ref.settled_bag = bag

    def step(self, module: str, name: str, items: list[int] | None, offset: int, opcode: str) -> None:
        if self.steps is None or len(self.steps) >= _STEPS:
            self.steps_dropped += 1
            return
        shown = ("…",) if items is None else tuple(self.show(item) for item in items)
        self.steps.append(Step(offset, opcode, printable(module), printable(name), shown))

    def instantiate(self, klass: int, items: list[int], offset: int, opcode: str) -> None:
        self.cut = len(items) > KEPT_ITEMS
        kept = items[:KEPT_ITEMS]
        self.arguments = (kept, items)
        self.push(self.call_items(klass, kept, self.bag_of_all(items), offset, opcode))
        self.cut = False

    # filling

    def fill(self, container: int, items: list[int], offset: int, opcode: str) -> None:
        """APPEND(S), SETITEM(S), ADDITEMS: items go into a container, or into whatever object is there instead."""
        pairs = opcode in ("SETITEM", "SETITEMS")
        if self.interfaces:
            look_for_interfaces(self, items, offset, opcode)
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
        if self.expressions is not None and tag == RESULT and evaluates(self.refs[a_of(container)]):
            self.expressions.called(self.refs[a_of(container)], items, offset, opcode)
        if pairs and tag == LIST:
            self.held.forget(identity)  # these are indices and what is set there
        else:
            self.held.extend(identity, items, self.tape.kept)
        if self.observer is not None:
            self._observe(container, items, pairs)
        bag = self.bag_of_all(items)
        if bag:
            self.put_inside(identity, bag)
            if pairs:
                self._note_keys(identity, items)

    def _observe(self, container: int, items: list[int], pairs: bool) -> None:
        observer = self.observer
        if observer is None:
            return
        if pairs:
            for at in range(0, len(items) - 1, 2):
                if tag_of(items[at + 1]) != LIT:
                    observer.placed(self, container, items[at], items[at + 1])
            return
        held = self.held.get(offset_of(container))
        first = 0 if held is None else held[0] - len(items)
        for at, item in enumerate(items, first):
            if tag_of(item) != LIT:
                observer.placed(self, container, -1 - at, item)

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
            if (
                text in _HIJACKED
                or text == FACTORY
                or text == "<computed>"
                or (text.startswith("__") and text not in _HARMLESS)
            ):
                self.keyed.setdefault(identity, []).append((text, value))
                if len(self.keyed) > 10_000:
                    raise LimitError("records", 10_000, "too many callables under special names", offset=identity)

    def build(self, instance: int, state: int, offset: int) -> None:
        """BUILD: ``instance.__setstate__(state)``, or its attributes from ``state``."""
        set_state(self, instance, state, offset)

    def mutate(self, how: str, target: int, items: list[int], offset: int, opcode: str) -> None:
        """Something outside of the pickle changes: a module, a class or a function."""
        ref = self.refs[a_of(target)]
        if self.room():
            shown = tuple(self.show(item) for item in items[:6])
            self.mutations.append(Mutation(offset, opcode, how, (ref.module, ref.name), arguments=shown))

    # containers

    def _keep(self, offset: int, items: list[int]) -> None:
        self.held.put(offset, [0])
        self.held.extend(offset, items, self.tape.kept)

    def tuple_of(self, items: list[int], offset: int) -> int:
        bag = self.bag_of_all(items)
        if self.interfaces:
            look_for_interfaces(self, items, offset, "TUPLE")
        self._keep(offset, items)
        self.tape.weights.weigh(offset, items)
        value = make(TUPLE, bag, offset)
        if self.observer is not None:
            for at, item in enumerate(items):
                if tag_of(item) != LIT:
                    self.observer.placed(self, value, -1 - at, item)
        return value

    def container_of(self, tag: int, items: list[int], offset: int, opcode: int) -> int:
        """LIST, DICT and FROZENSET: a container with what stands above the mark."""
        if tag == FROZENSET:
            self._keep(offset, items)
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
        self.tape.push(result)


@cache
def _later() -> tuple[ModuleType, ModuleType]:
    """The rooms that know this one, looked up once: a pickle may make millions of calls."""
    from openvet.formats.pickle import linkers, resources

    return linkers, resources
