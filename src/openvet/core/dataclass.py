"""``dataclass`` as in the standard library, whose methods are written when the first instance is made.

``dataclasses.dataclass`` writes and compiles the source of up to eight methods for each class: 0.4 ms for a frozen one
with slots. A command imports about a hundred such classes and makes instances of few of them, so that this was the largest
part of its start. Here a class gets its slots at once, and its methods with its first instance, of which only
``__init__`` is compiled. ``replace``, ``asdict`` and ``fields`` take an instance as ever; ``fields`` of a class needs that an instance
was made.
"""

from __future__ import annotations

import dataclasses
import operator
import threading
from collections.abc import Callable
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass  # noqa: TID251 - the one place
else:

    def dataclass(*, slots: bool, frozen: bool = False, eq: bool = True, order: bool = False):
        """What ``dataclasses.dataclass`` makes of a class, with its methods written when they are first needed.

        Args:
            slots: must be true: it is what lets an instance tell that its class is not finished.
            frozen: assignment to a field raises :class:`dataclasses.FrozenInstanceError`.
            eq: instances with equal fields are equal.
            order: instances are ordered as tuples of their fields are.
        """
        if not slots:
            raise TypeError("a class without slots is made with dataclasses.dataclass")
        return lambda cls: _with_slots(cls, frozen=frozen, eq=eq, order=order)


_unfinished: dict[type, tuple[type, dict[str, bool]]] = {}
_lock = threading.RLock()


def _with_slots(cls: type, **options: bool) -> Any:
    """A class like ``cls`` with a slot for each field, whose first instance has the methods written."""
    held = {slot for base in cls.__mro__[1:] for slot in vars(base).get("__slots__", ())}
    names = [name for name in vars(cls).get("__annotations__", ()) if name not in held]
    body = {name: value for name, value in vars(cls).items() if name not in {*names, "__dict__", "__weakref__"}}

    def __init__(self: object, *args: Any, **keywords: Any) -> None:  # noqa: N807 - it stands in for the method
        _finish(made)
        made.__init__(self, *args, **keywords)

    body |= {"__slots__": tuple(names), "__init__": __init__, "__qualname__": cls.__qualname__}
    if options["frozen"]:
        body |= {"__setattr__": _refuse, "__delattr__": _keep, "__getstate__": _get_state, "__setstate__": _set_state}
    made: Any = type(cls)(cls.__name__, cls.__bases__, body)
    _unfinished[made] = cls, options
    return made


def _finish(made: Any) -> None:
    """Give ``made`` and its bases the methods that the standard library writes for them; a second time changes nothing."""
    with _lock:
        for each in made.__mro__[:0:-1]:
            _finish(each)
        cls, options = _unfinished.get(made, (None, {}))
        if cls is None:
            return
        before = set(vars(cls))
        # the standard library says what the fields are; it would write and compile every method by itself, and only __init__ needs that
        dataclasses.dataclass(init=False, repr=False, eq=False)(cls)  # noqa: TID251 - the one place
        for name, value in vars(cls).items():
            if name not in before and name not in vars(made):
                setattr(made, name, value)
        if vars(cls).get("__hash__") is None:
            before.discard("__hash__")  # what a class has that says when it is equal, and no more
        for name, value in _methods(made, **options).items():
            if name not in before:
                setattr(made, name, value)
        made.__init__ = _written(
            made, frozen=options["frozen"]
        )  # last: another thread that comes before finishes too, and waits here
        del _unfinished[made]


def _written(made: Any, *, frozen: bool) -> Callable[..., None]:
    """``__init__`` as the standard library writes it, but for this: values of a frozen class go straight into their slots."""
    fields = dataclasses.fields(made)
    names: dict[str, Any] = {"_absent": dataclasses.MISSING}
    positional: list[str] = []
    by_name: list[str] = []
    lines: list[str] = []
    for each in fields:
        name, value = each.name, each.name
        given = name
        if each.default_factory is not dataclasses.MISSING:
            names[f"_make_{name}"] = each.default_factory
            value = f"_make_{name}() if {name} is _absent else {name}" if each.init else f"_make_{name}()"
            given = f"{name}=_absent"
        elif each.default is not dataclasses.MISSING:
            names[f"_default_{name}"] = each.default
            value = name if each.init else f"_default_{name}"
            given = f"{name}=_default_{name}"
        elif not each.init:  # __post_init__ sets it
            continue
        if each.init:
            (by_name if each.kw_only else positional).append(given)
        if frozen:
            names[f"_set_{name}"] = getattr(made, name).__set__
        lines.append(f"_set_{name}(self, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*", *by_name] if by_name else [])])
    exec(f"def __init__({parameters}):\n " + "\n ".join(lines or ["pass"]), names)  # noqa: S102 - names of our own fields
    function: Callable[..., None] = names["__init__"]
    function.__qualname__ = f"{made.__qualname__}.__init__"
    return function


def _methods(made: Any, *, frozen: bool, eq: bool, order: bool) -> dict[str, Any]:
    """The other methods, by their names: closures, that need no compiler."""
    fields = dataclasses.fields(made)
    compared = _values([each.name for each in fields if each.compare])
    hashed = _values([each.name for each in fields if (each.compare if each.hash is None else each.hash)])
    shown = [each.name for each in fields if each.repr]

    @recursive_repr()
    def show(self: Any) -> str:
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def comparing(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda self, other: (
            compare(compared(self), compared(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    out: dict[str, Any] = {"__repr__": show}
    if eq:
        out |= {"__eq__": comparing(operator.eq), "__hash__": (lambda self: hash(hashed(self))) if frozen else None}
    if order:
        out |= {f"__{name}__": comparing(getattr(operator, name)) for name in ("lt", "le", "gt", "ge")}
    return out


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the values of these fields as a tuple."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _refuse(self: object, name: str, _: object) -> NoReturn:  # noqa: ARG001 - the method's signature
    """What assignment to a frozen instance does. The standard library's knows only the class that was decorated."""
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _keep(self: object, name: str) -> NoReturn:  # noqa: ARG001 - the method's signature
    """What deletion of a frozen instance's field does."""
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[Any]:
    """A frozen instance as :mod:`pickle` and :mod:`copy` take it along."""
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    _finish(type(self))
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
