"""Pickles that reach one callable by a chain of harmless ones: how to get hold of it, and how to have it called.

``chain(random)`` draws one of each, and shapes around them. Whether it reaches its end is not known here: replay it with
:mod:`openvet.sandbox.recorder_linked`, and where ``os.system`` is called, the file has to be rejected.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from openvet.testing.forge import Call, Name, dump

__all__ = ["HOLDS", "TRIGGERS", "chain", "chained"]


def _n(dotted: str) -> Name:
    module, _, name = dotted.partition(":")
    return Name(module, name)


def _c(dotted: str, *arguments: Any, **how: Any) -> Call:
    return Call(_n(dotted), arguments, **how)


_OS: Final = _c("builtins:__import__", "os")
_GET: Final = _n("builtins:getattr")
_X: Final = "echo forged"


def _attribute(value: Any, name: Any) -> Call:
    return Call(_GET, (value, name))


def _setslots(value: Call, **slots: Any) -> Call:
    return Call(value.callable, value.arguments, state=(None, dict(slots)), how=value.how, items=value.items)


#: Ways to hold ``os.system``: name -> a value that is it, or calls it with one argument.
HOLDS: Final[dict[str, Callable[[], Any]]] = {
    "global": lambda: Name("os", "system"),
    "dotted": lambda: Name("shutil", "os.system"),
    "getattr": lambda: _attribute(_OS, "system"),
    "attrgetter": lambda: Call(_c("operator:attrgetter", "system"), (_OS,)),
    "attrgetter-dotted": lambda: Call(
        _c("_operator:attrgetter", "path.os.system"), (_c("importlib:import_module", "shutil"),)
    ),
    "resolve-name": lambda: _c("pkgutil:resolve_name", "os:system"),
    "reduce-getattr": lambda: _c("functools:reduce", _GET, ["system"], _OS),
    "partial-getattr": lambda: Call(Call(_n("functools:partial"), (_GET, _OS)), ("system",)),
    "getitem-list": lambda: _c("operator:getitem", [0, Name("os", "system")], 1),
    "getitem-dict": lambda: _c("operator:getitem", {"a": Name("os", "system")}, "a"),
    "itemgetter": lambda: Call(_c("operator:itemgetter", 0), ([Name("os", "system")],)),
    "next-iter": lambda: _c("builtins:next", _c("builtins:iter", [Name("os", "system")])),
    "list-pop": lambda: _c("builtins:list.pop", [Name("os", "system")]),
    "dict-get": lambda: _c("builtins:dict.get", {"a": Name("os", "system")}, "a"),
    "dict-pop": lambda: _c("builtins:dict.pop", {"a": Name("os", "system")}, "a"),
    "setdefault": lambda: _c("builtins:dict.setdefault", {}, "a", Name("os", "system")),
    "list-getitem": lambda: _c("builtins:list.__getitem__", [Name("os", "system")], 0),
    "tuple-getitem": lambda: _c("builtins:tuple.__getitem__", (Name("os", "system"),), 0),
    "bound-pop": lambda: Call(_attribute([Name("os", "system")], "pop")),
    "bound-get": lambda: Call(_attribute({"k": Name("os", "system")}, "get"), ("k",)),
    "min": lambda: _c("builtins:min", [Name("os", "system")]),
    "max": lambda: _c("builtins:max", (Name("os", "system"),)),
    "copy": lambda: _c("copy:copy", Name("os", "system")),
    "deepcopy-list": lambda: _c("operator:getitem", _c("copy:deepcopy", [Name("os", "system")]), 0),
    "partial": lambda: _c("functools:partial", Name("os", "system")),
    "partial-state": lambda: _c("functools:partial", _n("builtins:len"), state=(Name("os", "system"), (), {}, None)),
    "partial-func": lambda: _attribute(_c("functools:partial", Name("os", "system")), "func"),
    "partial-call": lambda: _attribute(_c("functools:partial", Name("os", "system")), "__call__"),
    "method-type": lambda: Call(_n("functools:partial"), (_c("types:MethodType", Name("os", "system"), _X),)),
    "static-method": lambda: _attribute(_c("builtins:staticmethod", Name("os", "system")), "__func__"),
    "property-fget": lambda: _attribute(_c("builtins:property", Name("os", "system")), "fget"),
    "lru-cache": lambda: Call(_c("functools:lru_cache", 4), (Name("os", "system"),)),
    "wraps": lambda: Call(_c("functools:wraps", _n("builtins:len")), (Name("os", "system"),)),
    "update-wrapper": lambda: _c("functools:update_wrapper", Name("os", "system"), _n("builtins:len")),
    "singledispatch": lambda: _c("functools:singledispatch", Name("os", "system")),
    "setitem-list": lambda: _c("operator:getitem", _c("operator:iadd", [], [Name("os", "system")]), 0),
    "concat": lambda: _c("operator:getitem", _c("operator:concat", [], [Name("os", "system")]), 0),
    "or": lambda: (
        _c("operator:or_", {}, {})
        if False
        else _c("operator:getitem", _c("operator:or_", {}, {"a": Name("os", "system")}), "a")
    ),
    "ordered-dict": lambda: _c("operator:getitem", _c("collections:OrderedDict", [("a", Name("os", "system"))]), "a"),
    "chain-map": lambda: _c("operator:getitem", _c("collections:ChainMap", {"a": Name("os", "system")}), "a"),
    "deque": lambda: Call(_attribute(_c("collections:deque", [Name("os", "system")]), "pop")),
    "deque-append": lambda: Call(_attribute(Call(_n("collections:deque"), ([Name("os", "system")],)), "popleft")),
    "namespace": lambda: _attribute(_c("types:SimpleNamespace", state={"f": Name("os", "system")}), "f"),
    "instance": lambda: _attribute(Call(_n("__main__:Net"), (), state={"f": Name("os", "system")}, how="NEWOBJ"), "f"),
    "newobj-dict": lambda: Call(
        _attribute(Call(_n("builtins:dict"), (), items=(("f", Name("os", "system")),)), "__getitem__"), ("f",)
    ),
    "vars": lambda: _c(
        "operator:getitem",
        _attribute(Call(_n("__main__:Net"), (), state={"f": Name("os", "system")}, how="NEWOBJ"), "__dict__"),
        "f",
    ),
    "mapping-proxy": lambda: _c("operator:getitem", _c("types:MappingProxyType", {"a": Name("os", "system")}), "a"),
    "repeat": lambda: _c("builtins:next", _c("itertools:repeat", Name("os", "system"))),
    "chain": lambda: _c("builtins:next", _c("itertools:chain", [Name("os", "system")])),
    "joined-name": lambda: _attribute(_OS, Call(_attribute("", "join"), (["sys", "tem"],))),
    "added-name": lambda: _attribute(_OS, _c("operator:add", "sys", "tem")),
    "sliced-name": lambda: _attribute(_OS, _c("operator:getitem", "xsystemx", _c("builtins:slice", 1, 7))),
    "decoded-name": lambda: _attribute(_OS, _c("builtins:bytes.decode", b"system")),
    "chr-name": lambda: _attribute(
        _OS, Call(_attribute("", "join"), (_c("builtins:map", _n("builtins:chr"), list(b"system")),))
    ),
    "lower-name": lambda: _attribute(_OS, _c("builtins:str.lower", "SYSTEM")),
    "format-name": lambda: _attribute(_OS, _c("builtins:str.format", "{}tem", "sys")),
    "import-join": lambda: _attribute(
        _c("importlib:import_module", Call(_attribute("", "join"), (["o", "s"],))), "system"
    ),
    "modules": lambda: _attribute(_c("operator:getitem", Name("sys", "modules"), "os"), "system"),
    "wrapped": lambda: (
        _attribute(_c("functools:wraps", Name("os", "system")), "keywords")
        if False
        else _c("operator:getitem", _attribute(_c("functools:wraps", Name("os", "system")), "keywords"), "wrapped")
    ),
}


def _kw(callable_: Any, *arguments: Any, **keywords: Any) -> Call:
    """A call with keywords: a partial whose state has them."""
    return Call(Call(_n("functools:partial"), (_n("builtins:len"),), state=(callable_, arguments, keywords, None)))


def _consume(iterator: Any, random: Random) -> Any:
    """What goes through an iterator."""
    how = random.choice(
        ("builtins:list", "builtins:set", "builtins:tuple", "builtins:frozenset", "collections:deque", "builtins:sum", "builtins:any", "builtins:all",
         "builtins:sorted", "builtins:min", "builtins:max", "collections:Counter", "builtins:next", "builtins:dict.fromkeys", "str.join", "bytes",
         "builtins:dict", "contains", "star", "extend", "append", "unpack", "countof", "zip", "enumerate", "chain", "islice", "starred", "ordered")
    )  # fmt: skip
    if how == "str.join":
        return Call(_attribute("", "join"), (iterator,))
    if how == "bytes":
        return Call(_n("builtins:bytes"), (iterator,), how="NEWOBJ")
    if how == "contains":
        return _c("operator:contains", iterator, 3)
    if how == "countof":
        return _c("operator:countOf", iterator, 3)
    if how == "star":
        return _c("builtins:apply", _n("builtins:len"), iterator)
    if how == "extend":
        return Call(_attribute([], "extend"), (iterator,))
    if how == "append":
        return _c("operator:iadd", [], iterator)
    if how == "unpack":
        return _c("itertools:starmap", _n("builtins:len"), [iterator])
    if how in ("zip", "enumerate"):
        return _c("builtins:list", _c(f"builtins:{how}", iterator))
    if how == "chain":
        return _c("builtins:list", _c("itertools:chain.from_iterable", [iterator]))
    if how == "islice":
        return _c("builtins:list", _c("itertools:islice", iterator, 2))
    if how == "starred":
        return Call(_n("builtins:tuple"), (iterator,), how="NEWOBJ")
    if how == "ordered":
        return Call(_n("collections:OrderedDict"), (iterator,))
    return _c(how, iterator)


#: Ways to have a callable called with a text, or with nothing.
TRIGGERS: Final[dict[str, Callable[[Any, Random], Any]]] = {
    "reduce": lambda f, _: Call(f, (_X,)),
    "no-arguments": lambda f, _: Call(f),
    "newobj-class": lambda f, _: _c("copyreg:__newobj__", f),
    "operator-call": lambda f, _: _c("operator:call", f, _X),
    "apply": lambda f, _: _c("builtins:apply", f, (_X,)),
    "map": lambda f, r: _consume(_c("builtins:map", f, [_X]), r),
    "map-iter": lambda f, r: _consume(_c("builtins:map", f, _c("builtins:iter", [_X])), r),
    "map-text": lambda f, r: _consume(_c("builtins:map", f, "ab"), r),
    "map-dict": lambda f, r: _consume(_c("builtins:map", f, {_X: 1}), r),
    "map-newobj": lambda f, r: _consume(Call(_n("builtins:map"), (f, [_X]), how="NEWOBJ"), r),
    "filter": lambda f, r: _consume(_c("builtins:filter", f, [_X]), r),
    "starmap": lambda f, r: _consume(_c("itertools:starmap", f, [(_X,)]), r),
    "accumulate": lambda f, r: _consume(_c("itertools:accumulate", [_X, "b"], f), r),
    "takewhile": lambda f, r: _consume(_c("itertools:takewhile", f, [_X]), r),
    "dropwhile": lambda f, r: _consume(_c("itertools:dropwhile", f, [_X]), r),
    "filterfalse": lambda f, r: _consume(_c("itertools:filterfalse", f, [_X]), r),
    "groupby": lambda f, r: _consume(_c("itertools:groupby", [_X], f), r),
    "iter-sentinel": lambda f, _: _c("builtins:next", _c("builtins:iter", _c("functools:partial", f, _X), 1)),
    "functools-reduce": lambda f, _: _c("functools:reduce", f, [_X, "b"]),
    "sorted-key": lambda f, _: _kw(_n("builtins:sorted"), [_X], key=f),
    "min-key": lambda f, _: _kw(_n("builtins:min"), [_X, "b"], key=f),
    "list-sort": lambda f, _: _kw(_attribute([_X, "b"], "sort"), key=f),
    "cmp-to-key": lambda f, _: _kw(_n("builtins:sorted"), [_X, "b"], key=_c("functools:cmp_to_key", f)),
    "default-factory": lambda f, _: _c("operator:getitem", _c("collections:defaultdict", f), "a"),
    "default-slots": lambda f, _: _c("operator:getitem", _setslots(Call(_n("collections:defaultdict"), (), how="NEWOBJ"), default_factory=f), "a"),
    "default-missing": lambda f, _: Call(_attribute(_c("collections:defaultdict", f), "__missing__"), ("a",)),
    "setstate": lambda f, _: _twice(f),
    "append": lambda f, _: _appended(f, "append"),
    "extend": lambda f, _: _appended(f, "extend"),
    "add": lambda f, _: _appended(f, "add"),
    "slot-append": lambda f, _: _slot_append(f),
    "property-get": lambda f, _: Call(_attribute(_c("builtins:property", f), "__get__"), (_X,)),
    "classmethod-get": lambda f, _: Call(Call(_attribute(_c("builtins:classmethod", f), "__get__"), (_X, _n("builtins:str")))),
    "cached-property": lambda f, _: _c("functools:cached_property.__get__", _c("functools:cached_property", f), Call(_n("__main__:Net"), (), how="NEWOBJ")),
    "call-method": lambda f, _: Call(_attribute(f, "__call__"), (_X,)),
    "methodcaller": lambda f, _: Call(_c("operator:methodcaller", "__call__", _X), (f,)),
    "partial": lambda f, _: Call(_c("functools:partial", f, _X)),
    "partial-dunder": lambda f, _: _c("functools:partial.__call__", _c("functools:partial", f), _X),
    "partial-set": lambda f, _: Call(_setpartial(f), (_X,)),
    "method-type": lambda f, _: Call(_c("types:MethodType", f, _X)),
    "reduce-operator": lambda f, _: _c("functools:reduce", _n("operator:call"), [_X], f),
    "map-call": lambda f, r: _consume(_c("builtins:map", _n("operator:call"), [f], [_X]), r),
    "map-apply": lambda f, r: _consume(_c("itertools:starmap", _n("operator:call"), [(f, _X)]), r),
    "map-partials": lambda f, r: _consume(_c("builtins:map", _n("operator:call"), [_c("functools:partial", f, _X)]), r),
    "rebuild": lambda f, _: _c("copyreg:__newobj_ex__", f, (_X,), {}),
    "user-dict": lambda f, _: _c("operator:getitem", _missing(f), "a"),
    "copy-reduce": lambda f, _: _c("copy:copy", Call(_n("__main__:Net"), (), state={"__deepcopy__": f}, how="NEWOBJ")),
    "deepcopy": lambda f, _: _c("copy:deepcopy", Call(_n("__main__:Net"), (), state={"__deepcopy__": f}, how="NEWOBJ")),
    "type-call": lambda f, _: _c("operator:call", f, _X),
    "dynamic-attribute": lambda f, _: Call(_attribute(_c("types:DynamicClassAttribute", f), "__get__"), (_X,)),
    "type-new": lambda f, _: Call(_c("builtins:type", "T", (), {"__init__": f})),
    "type-hash": lambda f, _: _c("builtins:hash", Call(_c("builtins:type", "T", (), {"__hash__": f}))),
    "lru": lambda f, _: Call(Call(_c("functools:lru_cache", 3), (f,)), (_X,)),
    "tee": lambda f, r: _consume(_c("operator:getitem", _c("itertools:tee", _c("builtins:map", f, [_X])), 0), r),
}  # fmt: skip


def _twice(function: Any) -> Any:
    """BUILD plants ``__setstate__``, and BUILD calls it."""
    planted = Call(_n("__main__:Net"), (), state={"__setstate__": function}, how="NEWOBJ")
    return Call(_n("builtins:list"), ([planted, _Built(planted)],))


def _appended(function: Any, name: str) -> Any:
    return _Built(Call(_n("__main__:Net"), (), state={name: function}, how="NEWOBJ"), name)


def _slot_append(function: Any) -> Any:
    return _Built(_setslots(Call(_n("__main__:Box"), (), how="NEWOBJ"), append=function), "append")


def _setpartial(function: Any) -> Call:
    return Call(_n("functools:partial"), (_n("builtins:len"),), state=(function, (), {}, {"a": 1}))


def _missing(function: Any) -> Call:
    return Call(_c("builtins:type", "T", (Name("builtins", "dict"),), {"__missing__": function}))


class _Built:
    """An object, and behind it an opcode that makes the unpickler call a method of it."""

    def __init__(self, planted: Call, method: str = "__setstate__") -> None:
        self.planted = planted
        self.method = method


def _flat(value: Any, protocol: int) -> bytes:
    """One value as opcodes, without a head and STOP."""
    out = dump(value, protocol)
    return out[2:-1] if protocol >= 2 else out[:-1]


def chained(hold: str, trigger: str, random: Random) -> bytes:
    """The chain of one hold and one trigger."""
    protocol = random.choice((0, 1, 2, 3, 4, 4, 5))
    value = TRIGGERS[trigger](HOLDS[hold](), random)
    text = dump({"a": 1}, protocol) if random.random() < 0.05 else b""
    if isinstance(value, Call) and any(isinstance(item, _Built) for item in _inside(value)):
        value = next(item for item in _inside(value) if isinstance(item, _Built))
    if isinstance(value, _Built):
        protocol = max(protocol, 4)
        argument = dump(_X, protocol)[2:-1]
        behind = {"__setstate__": argument + b"b", "append": argument + b"a", "extend": b"(" + argument + argument + b"e",
                  "add": b"(" + argument + b"\x90"}[value.method]  # fmt: skip
        body = _flat(value.planted, protocol) + behind
        return text + bytes([0x80, protocol]) + body + b"."
    return text + dump(value, max(protocol, 4))


def _inside(value: Call) -> list[Any]:
    return [item for argument in value.arguments for item in (argument if isinstance(argument, list) else [argument])]


def chain(random: Random) -> bytes:
    """Any hold with any trigger."""
    return chained(random.choice(list(HOLDS)), random.choice(list(TRIGGERS)), random)
