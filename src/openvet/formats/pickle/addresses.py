"""Instances that stand for memory at an address: NumPy, PyTorch and CuPy take the address from an attribute, and read and write there.

``numpy.array(x)`` asks ``x`` for ``__array_interface__``, a dictionary with the address of the data, and believes it, also where it is an
attribute that a pickle has set on ``types.SimpleNamespace``. An array over memory of the file's choosing is all that is needed to run code:
items that are set on it are written there. Arrays themselves are never pickled so.

A word list may have such a word. So a dictionary under this name is told, in whatever container it stands beside it, and nothing else.

Reference: https://numpy.org/doc/stable/reference/arrays.interface.html, "data: A 2-tuple whose first argument is an integer that points to
the data-area".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openvet.formats.pickle.values import DICT, LIT, RESULT, a_of, tag_of

if TYPE_CHECKING:
    from openvet.formats.pickle.semantics import Semantics

__all__ = ["is_interface", "look_for_interfaces"]

_INTERFACES: Final = frozenset({"__array_interface__", "__cuda_array_interface__"})
_BEGINNINGS: Final = tuple(_INTERFACES)
#: What gives a dictionary; an array, which a word may stand beside, is none.
_DICTIONARIES: Final = frozenset({"Counter", "OrderedDict", "copy", "deepcopy", "defaultdict", "dict", "fromkeys"})


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
