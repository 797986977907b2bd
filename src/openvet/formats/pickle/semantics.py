"""What opcodes mean: resolving, calling, building and filling, over abstract values.

This half knows nothing of bytes and blocks; the walk in :mod:`openvet.formats.pickle.machine` decodes. It is never
strict where a loader is: after something at which a loader would fail it notes the first such place and goes on,
because the two unpicklers of CPython fail at different places and what either would run must be seen.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Final, Protocol

from openvet.core.limits import Limits
from openvet.core.text import printable, shorten
from openvet.errors import LimitError
from openvet.formats.pickle import literals
from openvet.formats.pickle.addresses import is_of_objects, look_at_dtype, look_for_interfaces
from openvet.formats.pickle.evaluated import (
    KEPT_OF_EXPRESSIONS,
    Expressions,
    builds_expression,
    evaluates,
    is_evaluator,
    makes_the_same,
)
from openvet.formats.pickle.opcodes import NAMES
from openvet.formats.pickle.program import BUILDS, Call, Carried, Mutation, Step
from openvet.formats.pickle.references import SETTLED, SETTLED_ENCODES, SETTLED_SHAPED, Ref
from openvet.formats.pickle.state import Dtype, State
from openvet.formats.pickle.stated import evaluates_state, look_at_state
from openvet.formats.pickle.values import (
    DICT,
    ENCODED,
    ENCODED_BIT,
    FROZENSET,
    KEPT_ITEMS,
    LIST,
    LIT,
    PERSISTENT,
    REF,
    RESULT,
    SET,
    TUPLE,
    UNKNOWN,
    a_of,
    is_plain,
    make,
    offset_of,
    tag_of,
)

__all__ = ["Observer", "Semantics"]

#: Modules with names for the class of text that are written as classes are: ``typing.Text``, ``types.StringType``.
_NAMES_OF_TEXT: Final = frozenset({"builtins", "__builtin__", "six", "types", "typing"})
#: Classes of NumPy and SciPy whose names are written like those of functions.
_LOWER_CLASSES: Final = frozenset({
    *(f"{kind}_{what}" for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil") for what in ("matrix", "array")),
    "cKDTree", "gaussian_kde", "interp1d", "matrix", "ndarray", "recarray",
})  # fmt: skip
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
#: What a ``defaultdict`` calls; a field of a dataclass keeps one as well, and calls it only where somebody makes an instance.
_FACTORY: Final = "default_factory"
#: What makes a class out of what a program carries, and the opcodes that make an instance of one.
_CLASSES: Final = frozenset({"_create_type", "_make_skeleton_class"})
_MAKES: Final = frozenset({"NEWOBJ", "NEWOBJ_EX"})
#: What gives an object with ``items()``, or may give one.
_MAPPINGS: Final = frozenset(
    {
        "ChainMap", "Counter", "DataFrame", "NDFrame", "OrderedDict", "Series", "UserDict", "__new__", "__newobj__",
        "__newobj_ex__", "_reconstructor", "copy", "deepcopy", "defaultdict", "dict", "fromkeys", "getattr", "loads",
        "mappingproxy", "partial", "reduce",
    }
)  # fmt: skip
#: What gives an object of the process instead of a new one.
_GIVES_WHAT_IS_THERE: Final = frozenset({("logging", "getLogger")})
#: What a name may have of characters and of dots; more is no name that anybody gave to anything.
#: Literals of one program that hold files and are told apart.
_CONTAINERS: Final = 1_000
_NAME_CHARS: Final = 500
_NAME_DOTS: Final = 16
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
#: Packages whose classes load bytes of their state as a file: skorch keeps there what belongs on a device.
_LOADS_ITS_STATE: Final = frozenset({"skorch"})
#: What joblib before 0.10 put in the place of an array that lies in a file beside.
_FILE_WRAPPERS: Final = frozenset({"NDArrayWrapper", "ZNDArrayWrapper"})
#: Packages whose models are archives in a pickle, and what loads one.
_KERAS: Final = frozenset({"keras", "tf_keras", "tensorflow"})
_LOADS_ARCHIVE: Final = ("._unpickle_model", "deserialize_model_from_bytecode")
_INNER: Final = 100_000
_DEPTH: Final = 24
_DTYPES: Final = 100_000
_STEPS: Final = 200_000  # a call listed takes some hundred bytes
_INSIDE: Final = 256
_INSIDE_DEPTH: Final = 4
_WITHIN: Final = 4_096
_PYTHON2: Final = 3  # protocols below this one have Python 2 names


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


class Semantics(State):
    """One program under way."""

    def __init__(
        self, limits: Limits, *, strict: bool = False, curious: bool = True, observer: Observer | None = None
    ) -> None:
        super().__init__(limits, strict=strict, curious=curious)
        self.observer = observer
        self.cut = False  # a call has more arguments than are kept of them
        self.expressions: Expressions | None = None  # of what evaluates its arguments, once something of it was named
        self._put = 0  # how often a container got a reference that it had not
        self._within: dict[int, tuple[tuple[int, int], int]] = {}
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
        if is_evaluator(module):  # every call of it, and every item set on what it gives, is looked at
            self.tape.alone = False
            self.tape.kept = max(self.tape.kept, KEPT_OF_EXPRESSIONS)
            if self.expressions is None:
                self.expressions = Expressions(self)
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

    def _no_text(self, value: int) -> bool:
        """Whether a value cannot be text, of which alone a name is taken: a container, a class, an instance of one."""
        if tag_of(value) not in (REF, RESULT):
            return tag_of(value) in (DICT, LIST, TUPLE, SET, FROZENSET)
        ref = self.refs[a_of(value)]
        last = ref.name.lstrip("_")
        written = (last[:1].isupper() and last.isidentifier() and not last.isupper()) or last in _LOWER_CLASSES
        return written and ref.kind == "global" and ref.module.partition(".")[0] not in _NAMES_OF_TEXT

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
            if self.strict and (self._no_text(module) or self._no_text(name)):
                self.soft("resolves a name that is no text", offset)
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
                if name == "func" and ref.target and ref.kind == "partial":
                    return ref.target
                if name == "__call__":
                    return value
                return self.reference("functools", f"{ref.kind}().{name}", offset, opcode, kind="method", via=via)
            if ref.kind == "method" and name == "__call__":
                return value
            joined = f"{ref.name}.{name}" if ref.name else name
            found = self.reference(ref.module, joined, offset, opcode, kind=ref.kind, via=via)
            return self._bound(found, value) if ref.kind == "method" else found
        if tag == RESULT:
            if name == "__call__":
                return value
            ref = self.refs[a_of(value)]
            method = self.reference(ref.module, f"{ref.name}().{name}", offset, opcode, kind="method", via=via)
            return self._bound(method, value)
        if tag in (PERSISTENT, UNKNOWN):
            return self.reference("", f"<object>.{name}", offset, opcode, kind="method", via=via)
        kind = (
            ("bytes" if a_of(value) & ENCODED else literals.type_name(a_of(value)))
            if tag == LIT
            else {TUPLE: "tuple", LIST: "list", DICT: "dict", SET: "set", FROZENSET: "frozenset"}[tag]
        )
        if name in ("format", "format_map"):
            from openvet.formats.pickle.resources import walked

            walked(self, [value], offset, opcode)
        return self._bound(self.reference("builtins", f"{kind}.{name}", offset, opcode, kind="global", via=via), value)

    def _bound(self, method: int, value: int) -> int:
        """An attribute of an object may be, or give, anything that the object holds."""
        if tag_of(method) == REF:
            ref = self.refs[a_of(method)]
            ref.bag = self.bags.join(ref.bag, self.bag(value))
        return method

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
            callee, items, self._bag_within(items, bag, arguments) if items else bag, offset, opcode
        )
        self.cut = False
        return result

    def _bag_within(self, items: list[int], bag: int, arguments: int) -> int:
        """:meth:`_bag_inside`, found once for arguments that are used again while no container gets anything new."""
        known = self._within.get(arguments)
        if known is not None and known[0] == (self._put, len(items)):
            return known[1]
        found = self._bag_inside(items, bag)
        if len(self._within) >= _WITHIN:
            self._within.clear()
        self._within[arguments] = ((self._put, len(items)), found)
        return found

    def _bag_inside(self, items: list[int], bag: int) -> int:
        """``bag`` and what containers inside of ``items`` got only after they were put there."""
        if not self.inner and not self.tape.inner_full:
            return bag  # no container got anything but data
        waiting = [(item, _INSIDE_DEPTH) for item in items if tag_of(item) in (TUPLE, LIST, DICT, SET, FROZENSET)]
        seen = len(items)
        while waiting:
            item, depth = waiting.pop()
            bag = self.bags.join(bag, self.bag(item))
            inside = self.items(item) if depth and seen < _INSIDE else None
            if inside:
                seen += len(inside)
                holders = (each for each in inside if tag_of(each) in (TUPLE, LIST, DICT, SET, FROZENSET))
                waiting.extend((each, depth - 1) for each in holders)
        return bag

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
            self._step(ref.module, ref.name, items, offset, opcode)
        made = linkers.MADE.get(ref.kind)
        if made is not None:
            answer: int = made(self, ref, items, bag, offset)
            return answer
        ref.bag = self.bags.join(ref.bag, bag)
        if ref.keeps_calls and self.room():
            shown = ("…",) if items is None else tuple(self.show(item) for item in items[:8])
            ref.first_calls.append(Call(offset, opcode, shown))
        if items is not None and self._carried_at and ref.module != "_codecs":
            self._mark_loaded(ref, items)
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

    def _step(self, module: str, name: str, items: list[int] | None, offset: int, opcode: str) -> None:
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

    # literals that hold programs

    def note_carried(self, offset: int, start: int, size: int, kind: str) -> None:
        if self.room():
            self._carried_at[offset] = len(self.carried)
            self.carried.append(Carried(start, size, kind))

    def note_container(self, start: int, size: int, kind: str) -> None:
        """A literal holds a file that is read by itself; calls that get it stay as they are."""
        if len(self.containers) < _CONTAINERS:
            self.containers.append(Carried(start, size, kind))
        else:
            self.dropped += 1

    def is_carried(self, value: int) -> bool:
        """Whether a literal holds a program that is walked by itself."""
        return tag_of(value) == LIT and offset_of(value) in self._carried_at

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
            self._put_inside(identity, bag)
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

    def _put_inside(self, identity: int, bag: int) -> None:
        old = self.inner.get(identity)
        if old is None and len(self.inner) >= _INNER:
            self.tape.inner_full = True
            return
        joined = self.bags.join(old or 0, bag)
        if joined != old:
            self.inner[identity] = joined
            self._put += 1

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
                or text == _FACTORY
                or text == "<computed>"
                or (text.startswith("__") and text not in _HARMLESS)
            ):
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
            if (ref.module, ref.name) in _GIVES_WHAT_IS_THERE:
                self.mutate("state", instance, [state], offset, "BUILD")
            if self.steps is not None:
                self._step(ref.module, f"{ref.name}().__setstate__", [state], offset, "BUILD")
            self._built(ref, instance, state)
        elif tag not in (UNKNOWN, PERSISTENT):
            self.soft(f"sets the state of {self.show(instance)}", offset)
            return
        bag = self.bag(state)
        if bag:
            self._put_inside(offset_of(instance), bag)
        if self.observer is not None and tag_of(state) != LIT:
            self.observer.placed(self, instance, 0, state)
        for each in self._attributes(instance, state, offset):
            for key, value in self.keyed.get(offset_of(each), ()) if tag_of(each) in (DICT, RESULT) else ():
                if key != _FACTORY or self._has_factory(instance):
                    self._hijack(instance, key, value, offset)

    def _built(self, ref: Ref, instance: int, state: int) -> None:
        """Note the state of what is looked at later, and the literals in it that its class loads."""
        self.rebuilds.discard(offset_of(instance))
        if ref.name == "BytesIO" and self.files:
            held = self.items(state)
            if held and offset_of(held[0]) in self.files:
                self.files.add(offset_of(instance))
            else:
                self.files.discard(offset_of(instance))
        if evaluates_state(ref):
            look_at_state(self, ref, state, offset_of(state))
        if ref.name == "NumpyArrayWrapper":
            self.wrapper = state
        elif ref.name in _FILE_WRAPPERS and len(self.beside) < self.limits.records:
            self.beside.append((offset_of(state), ref.name, self._file_of(state)))
        if self._carried_at and ref.module.partition(".")[0] in _LOADS_ITS_STATE:
            self._mark_loaded(ref, self.items(state) or [])
        dtype = self.dtypes.get(offset_of(instance))
        if dtype is not None:
            dtype.state = state
            look_at_dtype(self, dtype, state)

    def _file_of(self, state: int) -> str | None:
        """The name of the file in which joblib before 0.10 put the array; ``None`` where it is not certain."""
        items = self.sure(state) if tag_of(state) == DICT else None
        names = (
            [items[at + 1] for at in range(0, len(items) - 1, 2) if self.text(items[at]) == "filename"] if items else []
        )
        return self.text(names[0]) if len(names) == 1 else None

    def _has_factory(self, instance: int) -> bool:
        """Whether what is set as ``default_factory`` is called for a key that is not there."""
        return tag_of(instance) != RESULT or "defaultdict" in self.refs[a_of(instance)].name

    def _attributes(self, instance: int, state: int, offset: int) -> list[int]:
        """The state, and the dictionaries in it whose entries become attributes."""
        states = [state]
        if tag_of(state) == TUPLE:
            states += (self.items(state) or [])[:2]
            if len(states) == 3:
                states += self._whole_dictionaries(instance, states[2], offset)
        return states

    def _whole_dictionaries(self, instance: int, slots: int, offset: int) -> list[int]:
        """What is set as ``__dict__`` through the state of slots: its entries are attributes of the instance as well."""
        held = self.held.get(offset_of(slots))
        if tag_of(slots) == RESULT:
            made = self.refs[a_of(slots)]
            if held is None and made.name.rsplit(".", 1)[-1] not in _MAPPINGS:
                return []  # it has no items(), and loading ends with an error
        elif tag_of(slots) != DICT:
            return []
        items = self.items(slots) or []
        if self.bag(slots) and (held is None or held[0] != len(items)):
            self._hide(instance, "<computed>", offset)  # what else is in it is not known
        out = []
        for at in range(0, len(items) - 1, 2):
            if tag_of(items[at]) != LIT or self.text(items[at]) == "__dict__":
                if tag_of(items[at + 1]) == DICT:
                    out.append(items[at + 1])
                elif not is_plain(items[at + 1]):
                    self._hide(instance, "__dict__", offset)
        return out

    def _hide(self, instance: int, key: str, offset: int) -> None:
        """Attributes are set that are not known, so that any of them may hold a callable."""
        owner = self.refs[a_of(instance)] if tag_of(instance) == RESULT else self.refs[0]
        if self.room():
            self.mutations.append(Mutation(offset, "BUILD", "hijack", (owner.module, owner.name), key))

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
        _later()[0].arm(self, ref.target, ref.bound, (self.items(items[2]) or []) if items and len(items) > 2 else [])

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
