"""Instances that stand for memory at an address: NumPy, PyTorch and CuPy take the address from an attribute, and read and write there.

``numpy.array(x)`` asks ``x`` for ``__array_interface__``, a dictionary with the address of the data, and believes it, also where it is an
attribute that a pickle has set on ``types.SimpleNamespace``. An array over memory of the file's choosing is all that is needed to run code:
items that are set on it are written there. Arrays themselves are never pickled so.

A word list may have such a word. So a dictionary under this name is told, in whatever container it stands beside it, and nothing else.

An array of objects is addresses as well. NumPy takes a list of them out of a pickle, because the flags of the dtype say so; and the state of
a dtype brings its flags along. Without them the array takes its items from bytes, each eight of which are believed to be an object.
NumPy itself always writes both flags, ``ITEM_REFCOUNT`` and ``LIST_PICKLE``.

References:
    https://numpy.org/doc/stable/reference/c-api/types-and-structures.html (``NPY_ITEM_REFCOUNT``, ``NPY_LIST_PICKLE``);
    ``arraydescr_setstate`` in ``numpy/_core/src/multiarray/descriptor.c`` and ``array_setstate`` in ``methods.c`` (1.20 to 2.4);
    https://numpy.org/doc/stable/reference/arrays.interface.html, "data: A 2-tuple whose first argument is an integer that points to
the data-area".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openvet.formats.pickle.values import DICT, LIT, REF, RESULT, TUPLE, a_of, offset_of, tag_of

if TYPE_CHECKING:
    from openvet.formats.pickle.semantics import Semantics
    from openvet.formats.pickle.state import Dtype

__all__ = ["is_interface", "is_of_objects", "look_at_dtype", "look_for_interfaces"]

_INTERFACES: Final = frozenset({"__array_interface__", "__cuda_array_interface__"})
_BEGINNINGS: Final = tuple(_INTERFACES)
#: What gives a dictionary; an array, which a word may stand beside, is none.
_DICTIONARIES: Final = frozenset({"Counter", "OrderedDict", "copy", "deepcopy", "defaultdict", "dict", "fromkeys"})
#: Names for the class of all objects, and flags that a dtype of them has.
_OBJECTS: Final = frozenset({"O", "object", "object_", "Object0", "object0", "ObjectDType"})
_FLAGS: Final = 0b11
_FIELDS, _FLAGS_AT = 4, 7


def is_interface(beginning: str) -> bool:
    """Whether a text begins with such a name, in quotes or without them."""
    return beginning.lstrip("'\"").startswith(_BEGINNINGS)


def look_for_interfaces(m: Semantics, items: list[int], offset: int, opcode: str) -> None:
    """Tell each dictionary that stands behind such a name in ``items``."""
    for at in range(len(items) - 1):
        if tag_of(items[at]) == LIT and m.text(items[at]) in _INTERFACES and _may_be_dictionary(m, items[at + 1]):
            m.compute("address", f"{m.text(items[at])} of {m.show(items[at + 1])}", offset, opcode)


def _may_be_dictionary(m: Semantics, value: int) -> bool:
    if tag_of(value) == RESULT:
        return m.refs[a_of(value)].name.rpartition(".")[2] in _DICTIONARIES
    return tag_of(value) == DICT


def is_of_objects(m: Semantics, told: int) -> bool:
    """Whether what a dtype is made of says that its items are objects; a text that is computed may say so."""
    if tag_of(told) == REF:
        return m.refs[a_of(told)].name.rpartition(".")[2] in _OBJECTS
    if tag_of(told) == RESULT:
        return offset_of(told) not in m.dtypes or m.dtypes[offset_of(told)].objects
    return (m.text(told) or "").lstrip("|=<>").rstrip("0123456789") in _OBJECTS


def look_at_dtype(m: Semantics, dtype: Dtype, state: int) -> None:
    """Tell a state that takes the flags of objects from a dtype that is of objects, or has fields of such."""
    items = m.items(state) if tag_of(state) == TUPLE else None
    if items is None or len(items) <= _FLAGS_AT:
        if tag_of(state) == RESULT:  # NumPy writes a tuple; without flags in it, it finds them out
            m.compute("address", f"a dtype with a state that is not known: {m.show(state)}", offset_of(state), "BUILD")
        return
    dtype.objects = dtype.objects or any(_holds_objects(m, each, 3) for each in items[_FIELDS - 2 : _FIELDS + 1])
    flags = m.integer(items[_FLAGS_AT])
    if dtype.objects and (flags is None or flags & _FLAGS != _FLAGS):
        m.compute("address", f"a dtype of objects with the flags {m.show(items[_FLAGS_AT])}", offset_of(state), "BUILD")


def _holds_objects(m: Semantics, value: int, depth: int) -> bool:
    """Whether a dtype of objects is in the fields or the base of another."""
    if tag_of(value) == RESULT:
        known = m.dtypes.get(offset_of(value))
        return known is not None and known.objects
    inside = m.items(value) if depth and tag_of(value) in (TUPLE, DICT) else None
    return any(_holds_objects(m, each, depth - 1) for each in inside or ())
