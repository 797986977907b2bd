"""What BUILD does to an instance: its ``__setstate__``, or the attributes that it gets, among which a callable may be hidden that something calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openvet.core.text import printable
from openvet.formats.pickle.addresses import look_at_dtype
from openvet.formats.pickle.program import Mutation
from openvet.formats.pickle.references import Ref
from openvet.formats.pickle.stated import evaluates_state, look_at_state
from openvet.formats.pickle.values import (
    DICT,
    LIT,
    PERSISTENT,
    REF,
    RESULT,
    TUPLE,
    UNKNOWN,
    a_of,
    is_plain,
    make,
    offset_of,
    tag_of,
)

if TYPE_CHECKING:
    from openvet.formats.pickle.semantics import Semantics

__all__ = ["FACTORY", "hijack", "set_state"]

#: What a ``defaultdict`` calls; a field of a dataclass keeps one as well, and calls it only where somebody makes an instance.
FACTORY: Final = "default_factory"
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
#: Packages whose classes load bytes of their state as a file: skorch keeps there what belongs on a device.
_LOADS_ITS_STATE: Final = frozenset({"skorch"})
#: What joblib before 0.10 put in the place of an array that lies in a file beside.
_FILE_WRAPPERS: Final = frozenset({"NDArrayWrapper", "ZNDArrayWrapper"})


def set_state(machine: Semantics, instance: int, state: int, offset: int) -> None:
    """BUILD: ``instance.__setstate__(state)``, or its attributes from ``state``."""
    tag = tag_of(instance)
    if tag == REF:
        ref = machine.refs[a_of(instance)]
        if ref.kind == "partial":  # functools.partial gets its function and arguments this way
            _rebuild_partial(machine, ref, state)
            return
        if machine.steps is not None:
            machine.step(ref.module, f"{ref.name}.__setstate__", [state], offset, "BUILD")
        machine.mutate("state", instance, [state], offset, "BUILD")
        return
    if tag == RESULT:
        ref = machine.refs[a_of(instance)]
        ref.builds += 1
        if (ref.module, ref.name) in _GIVES_WHAT_IS_THERE:
            machine.mutate("state", instance, [state], offset, "BUILD")
        if machine.steps is not None:
            machine.step(ref.module, f"{ref.name}().__setstate__", [state], offset, "BUILD")
        _built(machine, ref, instance, state)
    elif tag not in (UNKNOWN, PERSISTENT):
        machine.soft(f"sets the state of {machine.show(instance)}", offset)
        return
    bag = machine.bag(state)
    if bag:
        machine.put_inside(offset_of(instance), bag)
    if machine.observer is not None and tag_of(state) != LIT:
        machine.observer.placed(machine, instance, 0, state)
    for each in _attributes(machine, instance, state, offset):
        for key, value in machine.keyed.get(offset_of(each), ()) if tag_of(each) in (DICT, RESULT) else ():
            if key != FACTORY or _has_factory(machine, instance):
                hijack(machine, instance, key, value, offset)


def _built(machine: Semantics, ref: Ref, instance: int, state: int) -> None:
    """Note the state of what is looked at later, and the literals in it that its class loads."""
    machine.rebuilds.discard(offset_of(instance))
    if ref.name == "BytesIO" and machine.files:
        held = machine.items(state)
        if held and offset_of(held[0]) in machine.files:
            machine.files.add(offset_of(instance))
        else:
            machine.files.discard(offset_of(instance))
    if evaluates_state(ref):
        look_at_state(machine, ref, state, offset_of(state))
    if ref.name == "NumpyArrayWrapper":
        machine.wrapper = state
    elif ref.name in _FILE_WRAPPERS and len(machine.beside) < machine.limits.records:
        machine.beside.append((offset_of(state), ref.name, _file_of(machine, state)))
    if machine._carried_at and ref.module.partition(".")[0] in _LOADS_ITS_STATE:
        machine.mark_loaded(ref, machine.items(state) or [])
    dtype = machine.dtypes.get(offset_of(instance))
    if dtype is not None:
        dtype.state = state
        look_at_dtype(machine, dtype, state)


def _file_of(machine: Semantics, state: int) -> str | None:
    """The name of the file in which joblib before 0.10 put the array; ``None`` where it is not certain."""
    items = machine.sure(state) if tag_of(state) == DICT else None
    names = (
        [items[at + 1] for at in range(0, len(items) - 1, 2) if machine.text(items[at]) == "filename"] if items else []
    )
    return machine.text(names[0]) if len(names) == 1 else None


def _has_factory(machine: Semantics, instance: int) -> bool:
    """Whether what is set as ``default_factory`` is called for a key that is not there."""
    return tag_of(instance) != RESULT or "defaultdict" in machine.refs[a_of(instance)].name


def _attributes(machine: Semantics, instance: int, state: int, offset: int) -> list[int]:
    """The state, and the dictionaries in it whose entries become attributes."""
    states = [state]
    if tag_of(state) == TUPLE:
        states += (machine.items(state) or [])[:2]
        if len(states) == 3:
            states += _whole_dictionaries(machine, instance, states[2], offset)
    return states


def _whole_dictionaries(machine: Semantics, instance: int, slots: int, offset: int) -> list[int]:
    """What is set as ``__dict__`` through the state of slots: its entries are attributes of the instance as well."""
    held = machine.held.get(offset_of(slots))
    if tag_of(slots) == RESULT:
        made = machine.refs[a_of(slots)]
        if held is None and made.name.rsplit(".", 1)[-1] not in _MAPPINGS:
            return []  # it has no items(), and loading ends with an error
    elif tag_of(slots) != DICT:
        return []
    items = machine.items(slots) or []
    if machine.bag(slots) and (held is None or held[0] != len(items)):
        _hide(machine, instance, "<computed>", offset)  # what else is in it is not known
    out = []
    for at in range(0, len(items) - 1, 2):
        if tag_of(items[at]) != LIT or machine.text(items[at]) == "__dict__":
            if tag_of(items[at + 1]) == DICT:
                out.append(items[at + 1])
            elif not is_plain(items[at + 1]):
                _hide(machine, instance, "__dict__", offset)
    return out


def _hide(machine: Semantics, instance: int, key: str, offset: int) -> None:
    """Attributes are set that are not known, so that any of them may hold a callable."""
    owner = machine.refs[a_of(instance)] if tag_of(instance) == RESULT else machine.refs[0]
    if machine.room():
        machine.mutations.append(Mutation(offset, "BUILD", "hijack", (owner.module, owner.name), key))


def hijack(machine: Semantics, instance: int, key: str, value: int, offset: int) -> None:
    """A callable is set as an attribute that something calls, with arguments of the program's choosing."""
    owner = machine.refs[a_of(instance)] if tag_of(instance) == RESULT else machine.refs[0]
    hidden = machine.refs[a_of(value)]
    # what is set here is called by a later opcode with arguments of the program's choosing
    machine.call_items(value, None, 0, offset, f"BUILD {printable(key)[:40]}")
    if machine.room():
        target = (owner.module, owner.name)
        machine.mutations.append(
            Mutation(offset, "BUILD", "hijack", target, printable(key)[:100], (hidden.module, hidden.name))
        )


def _rebuild_partial(machine: Semantics, ref: Ref, state: int) -> None:
    from openvet.formats.pickle.linkers import arm  # a room that knows the machine

    items = machine.items(state) if tag_of(state) == TUPLE else None
    ref.bag = machine.bags.join(ref.bag, machine.bag(state))
    ref.target = items[0] if items else make(UNKNOWN, 0, offset_of(state))
    ref.bound = (machine.items(items[1]) or []) if items and len(items) > 1 else []
    arm(machine, ref.target, ref.bound, (machine.items(items[2]) or []) if items and len(items) > 2 else [])
