"""Linkers: callables that only lead to other callables, evaluated on abstract arguments.

``getattr(module, "system")`` is not the danger, what it leads to is. Each linker here gets the machine, the items of its
arguments (``None`` where they are not known) and gives the value it leads to, or ``None`` for an ordinary result. What
it cannot evaluate although only a program that hides something would write it so is noted as a computed name.

Linkers that are dangerous by themselves (``__import__``, ``pkgutil.resolve_name``) are here as well, so that a report
names what they were used for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from openvet.formats.pickle import values
from openvet.formats.pickle.builders import BUILDERS
from openvet.formats.pickle.compiled import bound_rebuild
from openvet.formats.pickle.literals import is_text
from openvet.formats.pickle.program import UNBOUND
from openvet.formats.pickle.references import Ref
from openvet.formats.pickle.semantics import Semantics
from openvet.formats.pickle.values import DICT, ENCODED, LIT, REF, RESULT, TUPLE, a_of, make, offset_of, tag_of

__all__ = ["LINKERS", "MADE", "PURE"]

Items = list[int] | None
Linker = Callable[[Semantics, Items, int, int], int | None]

_FOLLOWED: Final = 8
#: None, true and false.
_SETTINGS: Final = frozenset(b"N\x88\x89")
#: Names of arguments that say what a call acts on.
_ACTED_ON: Final = frozenset(
    {
        "address", "args", "cmd", "code", "command", "data", "database", "dst", "expr", "expression", "f", "file", "filename", "fname", "fp",
        "fullname", "host", "input", "module", "module_name", "name", "object", "path", "pathname",
        "root", "s", "source", "src", "statement", "stmt", "string", "target", "text", "top", "url",
    }
)  # fmt: skip

#: Text encodings that turn text into bytes and run nothing but CPython's own C code.
_PLAIN_CODECS: Final = frozenset(
    {"latin1", "latin-1", "latin_1", "iso-8859-1", "iso8859-1", "ascii", "us-ascii", "utf-8", "utf8", "utf_8"}
)


def _made(m: Semantics, kind: str, target: int, bound: list[int], bag: int, offset: int) -> int:
    """A callable that a linker makes: the value that stands for it."""
    ref = Ref("", "", kind, "", offset, kind)
    ref.target = target
    ref.bound = bound
    ref.bag = bag
    if tag_of(target) == REF and kind == "partial":
        inner = m.refs[a_of(target)]
        ref.module, ref.name = inner.module, inner.name
    else:
        ref.module, ref.name = "functools", kind
    index = m.references.add(ref)
    return make(REF, index, offset)


def _getattr(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    if not items or len(items) < 2:
        m.compute("name", "getattr with arguments that are not known", offset, "builtins.getattr")
        return None
    name = m.text(items[1])
    if name is None:
        m.compute("name", f"getattr({m.show(items[0])}, {m.show(items[1])})", offset, "builtins.getattr")
        return None
    return m.attribute(items[0], name, offset, "builtins.getattr")


def _partial(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    if not items:
        m.compute("name", "functools.partial of something that is not known", offset, "functools.partial")
        return None
    arm(m, items[0], items[1:], [])
    return _made(m, "partial", items[0], items[1:], bag, offset)


def _restore_curry(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``_restore_curry(curry, f, arguments, ...)`` binds arguments to ``f``, which may be the text ``module:name``."""
    if not items or len(items) < 3:
        m.compute("name", "a curried function that is not known", offset, "toolz.functoolz._restore_curry")
        return None
    target = items[1]
    if tag_of(target) != REF:
        module, colon, name = (m.text(target) or "").partition(":")
        if not colon:
            m.compute("name", f"a curried {m.show(target)}", offset, "toolz.functoolz._restore_curry")
            return None
        target = m.reference(module, name, offset, "IMPORT", via="toolz.functoolz._restore_curry")
    return _partial(m, [target, *(m.sure(items[2]) or [])], bag, offset)


def _meta_create(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``meta_create(name, base, attributes)`` of DEAP makes a class below ``base``, and its instances one of each class among the attributes."""
    if not items or len(items) < 3:
        m.compute("name", "a class of DEAP that is not known", offset, "deap.creator.meta_create")
        return None
    for index in sorted(m.bags.rows[m.bag(items[2])]):
        if index > 0:
            m.call_items(make(REF, index, offset), [], 0, offset, "deap.creator.meta_create")
    return items[1] if tag_of(items[1]) == REF else None


def arm(m: Semantics, target: int, bound: list[int], named: list[int]) -> None:
    """Note what a partial binds to a callable: what that would act on, once somebody calls it."""
    if tag_of(target) != REF:
        return
    ref = m.refs[a_of(target)]
    by_name = [(named[at], named[at + 1]) for at in range(0, len(named) - 1, 2)]
    acts = any(_can_be_acted_on(m, each) for each in bound[:_FOLLOWED]) or any(
        m.text(key) in _ACTED_ON and _can_be_acted_on(m, each) for key, each in by_name
    )
    if acts and not ref.armed:
        shown = [m.show(each) for each in bound[:_FOLLOWED]]
        shown += [f"{m.text(key)}={m.show(each)}" for key, each in by_name[:_FOLLOWED]]
        ref.armed = ", ".join(shown)


def _can_be_acted_on(m: Semantics, value: int) -> bool:
    """A text, bytes or a number, or something that holds such or may stand for it; settings are truth values and names of others."""
    tag = tag_of(value)
    if tag == LIT:
        return a_of(value) & 0xFF not in _SETTINGS
    if tag in (TUPLE, values.LIST, DICT):
        return any(tag_of(each) == LIT and a_of(each) & 0xFF not in _SETTINGS for each in m.items(value) or [])
    return tag == RESULT


def _method_type(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    known = bound_rebuild(m, items, offset)
    return _partial(m, items, bag, offset) if known is None else known


def _named(kind: str) -> Linker:
    def linker(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
        if not items:
            m.compute("name", f"operator.{kind} with arguments that are not known", offset, f"operator.{kind}")
            return None
        name = m.text(items[0]) if kind == "methodcaller" else None
        method = 0
        if (
            name is not None
        ):  # of an object that nobody knows before it is called; the name may say what it does all the same
            method = m.reference("", f"<object>.{name}", offset, UNBOUND, kind="method")
            arm(m, method, items[1:], [])
        return _made(m, kind, method, items, bag, offset)

    return linker


def _call_first(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``operator.call(f, *arguments)`` and ``copyreg.__newobj__(cls, *arguments)``."""
    if not items:
        m.compute("name", "a call of something that is not known", offset, "operator.call")
        return None
    return m.call_items(items[0], items[1:], bag, offset, "operator.call")


def _apply(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``apply(f, arguments)``, and whatever else takes a callable and a tuple of arguments."""
    if not items:
        m.compute("name", "a call of something that is not known", offset, "apply")
        return None
    arguments = m.sure(items[1]) if len(items) > 1 else []
    return m.call_items(items[0], arguments, bag, offset, "apply")


def _calls_first(name: str) -> Linker:
    """Something that will call its first argument with what it is given later: ``map``, ``filter``."""

    def linker(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
        if items is None:
            m.compute("name", f"{name} with arguments that are not known", offset, name)
        elif items and tag_of(items[0]) in (REF, RESULT):
            for arguments in _elements(m, items[1:]):
                m.call_items(items[0], arguments, bag, offset, name)
        return None

    return linker


def _default(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``defaultdict(f)`` calls ``f`` without arguments when a key is missing."""
    if items is None:
        m.compute(
            "name", "collections.defaultdict with arguments that are not known", offset, "collections.defaultdict"
        )
    elif items and tag_of(items[0]) in (REF, RESULT):
        m.call_items(items[0], [], 0, offset, "collections.defaultdict")
    return None


def _elements(m: Semantics, iterables: list[int]) -> list[Items]:
    """What a function is called with when it is mapped over ``iterables``; ``None`` is a call with anything."""
    columns = [m.sure(each) for each in iterables]
    known = [
        column[::2] if tag_of(each) == DICT else column
        for column, each in zip(columns, iterables, strict=True)
        if column
    ]
    if not known or len(known) < len(columns):
        return [None]
    rows: list[Items] = [list(row) for row in zip(*known, strict=False)]
    return rows if len(rows) <= _FOLLOWED else [*rows[:_FOLLOWED], None]


def _starmap(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``itertools.starmap(f, rows)`` calls ``f(*row)``."""
    if not items or len(items) < 2:
        m.compute("name", "itertools.starmap with arguments that are not known", offset, "itertools.starmap")
        return None
    rows = m.sure(items[1])
    for row in [0] if not rows or len(rows) > _FOLLOWED else rows:
        m.call_items(items[0], m.sure(row), bag, offset, "itertools.starmap")
    return None


def _reduce(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    if items is None:
        m.compute("name", "functools.reduce with arguments that are not known", offset, "functools.reduce")
    elif items and tag_of(items[0]) in (REF, RESULT):
        m.call_items(items[0], None, bag, offset, "functools.reduce")
    return None


def _accumulate(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``itertools.accumulate(numbers, f)`` calls ``f`` with what it has so far and the next one; without ``f`` it adds."""
    if items is None:
        m.compute("name", "itertools.accumulate with arguments that are not known", offset, "itertools.accumulate")
    elif len(items) > 1 and tag_of(items[1]) in (REF, RESULT):
        m.call_items(items[1], None, bag, offset, "itertools.accumulate")
    return None


def _calls_any(*names: str) -> Linker:
    """Something that calls what it is given by one of its arguments: ``list.sort(key=f)``, ``SequenceMatcher(isjunk=f)``."""

    def linker(m: Semantics, _items: Items, bag: int, offset: int) -> int | None:
        for index in sorted(m.bags.rows[bag]):
            if index > 0 and m.refs[index].qualified not in names:  # a partial of it holds itself
                m.call_items(make(REF, index, offset), None, 0, offset, names[0])
        return None

    return linker


def _reconstructor(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``copyreg._reconstructor(cls, base, state)`` makes an instance of ``cls`` by ``base.__new__``."""
    if not items:
        m.compute("name", "an instance of a class that is not known", offset, "copyreg._reconstructor")
        return None
    base = m.refs[a_of(items[1])].qualified if len(items) > 1 and tag_of(items[1]) == REF else ""
    # protocols 0 and 1 write object.__new__(cls) so, which hands nothing on; any other state is told for what it is
    bare = base == "builtins.object" and len(items) == 3 and m.show(items[2]) == "None"
    given = [] if bare else items[2:3]
    result = m.call_items(items[0], given, m.bag_of_all(given), offset, "copyreg._reconstructor")
    if base and base != "builtins.object":
        m.call_items(items[1], items[2:3], 0, offset, "copyreg._reconstructor")
    return result


def _add_extension(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    if items and len(items) >= 3:
        module, name, code = m.text(items[0]), m.text(items[1]), m.integer(items[2])
        if module is not None and name is not None and code is not None and len(m.extensions) < 10_000:
            m.extensions[code] = a_of(m.reference(module, name, offset, "copyreg.add_extension"))
    return None


def _import(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``__import__(name)`` gives the topmost package, with a fromlist the module itself."""
    name = m.text(items[0]) if items else None
    if name is None:
        m.compute("name", "imports a module whose name is computed", offset, "builtins.__import__")
        return None
    if not items or len(items) < 4:
        name = name.partition(".")[0]
    return m.reference(name, "", offset, "IMPORT", via="builtins.__import__")


def _import_module(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    name = m.text(items[0]) if items else None
    if name is None:
        m.compute("name", "imports a module whose name is computed", offset, "importlib.import_module")
        return None
    return m.reference(name, "", offset, "IMPORT", via="importlib.import_module")


def _resolve_name(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``pkgutil.resolve_name("a.b:c.d")`` and ``pydoc.locate("a.b.c")``."""
    name = m.text(items[0]) if items else None
    if name is None:
        m.compute("name", "resolves a name that is computed", offset, "pkgutil.resolve_name")
        return None
    module, colon, rest = name.partition(":")
    if not colon:
        module, _, rest = name.rpartition(".")
        if not module:
            module, rest = rest, ""
    return m.reference(module, rest, offset, "IMPORT", via="pkgutil.resolve_name")


def _ufunc(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``numpy.core._ufunc_reconstruct(module, name)`` imports any module and takes any attribute of it."""
    module = m.text(items[0]) if items else None
    name = m.text(items[1]) if items and len(items) > 1 else None
    if module is None or name is None:
        m.compute("name", "numpy takes a function whose name is computed", offset, "numpy.core._ufunc_reconstruct")
        return None
    return m.reference(module, name, offset, "IMPORT", via="numpy.core._ufunc_reconstruct")


def item_of(m: Semantics, container: int, key: int, offset: int) -> int | None:
    """``container[key]`` where that leads to a name: ``sys.modules["os"]``, ``module.__dict__["system"]``."""
    text = m.text(key)
    if tag_of(container) == REF:
        ref = m.refs[a_of(container)]
        if text is None:
            if ref.qualified == "sys.modules" or ref.name.endswith("__dict__"):
                m.compute("name", f"takes {m.show(key)} out of {ref.qualified}", offset, "operator.getitem")
            return None
        if ref.qualified == "sys.modules":
            return m.reference(text, "", offset, "IMPORT", via="sys.modules")
        for tail in ("__dict__", "__builtins__", "__globals__"):
            if ref.name == tail or ref.name.endswith(f".{tail}"):
                module, name = ref.module, ref.name.removesuffix(tail).rstrip(".")
                if tail == "__builtins__":
                    module, name = "builtins", ""
                base = m.reference(module, name, offset, "IMPORT", kind=ref.kind, via="operator.getitem")
                return m._bound(m.attribute(base, text, offset, "operator.getitem"), container)
    if tag_of(container) == RESULT:
        ref = m.refs[a_of(container)]
        if text is not None and ref.qualified in ("builtins.vars", "builtins.globals", "builtins.locals"):
            arguments = m.bags.rows[ref.bag]
            for index in sorted(arguments):
                if index > 0:
                    return m.attribute(make(REF, index, offset), text, offset, "operator.getitem")
    if tag_of(container) in (values.LIST, TUPLE, DICT):
        return _inside(m, container, key)
    return None


def _inside(m: Semantics, container: int, key: int) -> int | None:
    """An item of a container that the program itself filled, where it is certain which one."""
    inside = m.sure(container) or []
    if tag_of(container) == DICT:
        return _under_key(m, inside, key)
    index = m.integer(key)
    return inside[index] if index is not None and -len(inside) <= index < len(inside) else None


def _under_key(m: Semantics, inside: list[int], key: int) -> int | None:
    wanted = m.text(key)
    found = None
    for at in range(0, len(inside) - 1, 2):
        text = m.text(inside[at])
        # what an object or a long text is equal to is not known, and loaders decode other text than ASCII differently
        if tag_of(inside[at]) != LIT or (text is None and is_text(a_of(inside[at]))) or not (text or "").isascii():
            return None
        if text == wanted:
            found = inside[at + 1]
    return found if wanted is not None else None


def _getitem(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    return item_of(m, items[0], items[1], offset) if items and len(items) > 1 else None


def _modules_get(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    return _import_module(m, items, 0, offset)


def _rebuild_from_type(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``torch._tensor._rebuild_from_type_v2(func, type, args, state)`` calls ``func(*args)`` whatever it is."""
    if not items or len(items) < 3:
        m.compute(
            "name", "torch rebuilds from a callable that is not known", offset, "torch._tensor._rebuild_from_type_v2"
        )
        return None
    result = m.call(items[0], items[2], offset, "torch._tensor._rebuild_from_type_v2")
    if tag_of(items[1]) == REF:
        m.refs[a_of(items[1])].builds += 1
    return result


def _with_state(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``_type_reconstructor(f, arguments, state)`` of numba calls ``f(*arguments)`` and sets the state of what that gives."""
    result = _apply(m, items, bag, offset)
    if items and len(items) > 2 and result is not None:
        m.build(result, items[2], offset)
    return result


def _first(_m: Semantics, items: Items, _bag: int, _offset: int) -> int | None:
    """What only wraps its first argument, which keeps its identity: a Parameter is its tensor."""
    return items[0] if items and tag_of(items[0]) in (RESULT, TUPLE) else None


def _encode(m: Semantics, items: Items, _bag: int, offset: int) -> int | None:
    """``_codecs.encode(text, "latin1")`` is how protocol 2 writes bytes; other codecs are another matter."""
    name = m.text(items[1]) if items and len(items) > 1 else "utf-8"
    if name is None or name.lower() not in _PLAIN_CODECS:
        codec = "computed" if name is None else name[:40]
        value = m.reference("_codecs", "encode", offset, "REDUCE", variant=f"codec {codec}")
        m.refs[a_of(value)].calls += 1
        return make(RESULT, a_of(value), offset)
    # the bytes are the literal's, so that a program inside them is still found where they are used
    return items[0] | ENCODED << values.A_SHIFT if items and tag_of(items[0]) == LIT else None


def _type(m: Semantics, items: Items, bag: int, offset: int) -> int | None:
    """``type(x)`` is the class of ``x``; ``type(name, bases, dict)`` makes a new one."""
    if items is not None and len(items) == 1:
        ref = m.refs[a_of(items[0])] if tag_of(items[0]) == RESULT else None
        if ref is not None and (ref.module, ref.name) not in LINKERS:
            return make(REF, a_of(items[0]), offset)
        return None
    value = m.reference("builtins", "type", offset, "REDUCE", variant="makes a class")
    ref = m.refs[a_of(value)]
    ref.calls += 1
    ref.bag = m.bags.join(ref.bag, bag)
    if items and len(items) > 2:
        for key, hidden in m.keyed.get(offset_of(items[2]), ()):
            m.call_items(hidden, None, 0, offset, f"type {key[:40]!r}")
    return make(RESULT, a_of(value), offset)


def _undefined_function(m: Semantics, _items: Items, _bag: int, offset: int) -> int | None:
    """``_rebuild_undef(name, assumptions)`` gives a class of its own for ``f(x)``, which does what ``AppliedUndef`` does."""
    return m.reference(
        "sympy.core.function", "AppliedUndef", offset, "REDUCE", via="sympy.core.function._rebuild_undef"
    )


LINKERS: Final[dict[tuple[str, str], Linker]] = {
    **BUILDERS,
    ("_codecs", "encode"): _encode,
    ("_operator", "attrgetter"): _named("attrgetter"),
    ("_operator", "call"): _call_first,
    ("_operator", "getitem"): _getitem,
    ("_operator", "itemgetter"): _named("itemgetter"),
    ("_operator", "methodcaller"): _named("methodcaller"),
    ("_functools", "partial"): _partial,
    ("_functools", "reduce"): _reduce,
    ("__builtin__", "__import__"): _import,
    ("__builtin__", "apply"): _apply,
    ("__builtin__", "filter"): _calls_first("filter"),
    ("__builtin__", "getattr"): _getattr,
    ("__builtin__", "map"): _calls_first("map"),
    ("__builtin__", "reduce"): _reduce,
    ("astropy.units.core", "_recreate_irreducible_unit"): _call_first,
    ("builtins", "__import__"): _import,
    ("builtins", "apply"): _apply,
    ("builtins", "dict.__getitem__"): _getitem,
    ("builtins", "dict.get"): _getitem,
    ("builtins", "filter"): _calls_first("filter"),
    ("builtins", "getattr"): _getattr,
    ("builtins", "iter"): _calls_first("iter"),
    ("builtins", "list.sort"): _calls_any("list.sort"),
    ("builtins", "map"): _calls_first("map"),
    ("builtins", "object.__getattribute__"): _getattr,
    ("builtins", "type"): _type,
    ("builtins", "type.__getattribute__"): _getattr,
    ("collections", "defaultdict"): _default,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("copyreg", "__newobj__"): _call_first,
    ("dask._expr", "Expr._reconstruct"): _call_first,
    ("copyreg", "__newobj_ex__"): _apply,
    ("deap.creator", "meta_create"): _meta_create,
    ("dill._dill", "_create_array"): _apply,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("copyreg", "add_extension"): _add_extension,
    ("fsspec.spec", "make_instance"): _apply,
    ("functools", "partial"): _partial,
    ("functools", "partialmethod"): _partial,
    ("functools", "reduce"): _reduce,
    ("importlib", "import_module"): _import_module,
    ("importlib", "__import__"): _import,
    ("itertools", "accumulate"): _accumulate,
    ("itertools", "dropwhile"): _calls_first("dropwhile"),
    ("itertools", "filterfalse"): _calls_first("filterfalse"),
    ("itertools", "starmap"): _starmap,
    ("itertools", "takewhile"): _calls_first("takewhile"),
    ("matplotlib.colors", "_create_empty_object_of_class"): _call_first,
    ("numba.core.types.abstract", "_type_reconstructor"): _with_state,
    ("numpy._core", "_ufunc_reconstruct"): _ufunc,
    ("numpy.core", "_ufunc_reconstruct"): _ufunc,
    ("operator", "attrgetter"): _named("attrgetter"),
    ("operator", "call"): _call_first,
    ("operator", "getitem"): _getitem,
    ("operator", "itemgetter"): _named("itemgetter"),
    ("operator", "methodcaller"): _named("methodcaller"),
    ("pkgutil", "resolve_name"): _resolve_name,
    ("pydoc", "locate"): _resolve_name,
    ("sympy.core.function", "_rebuild_undef"): _undefined_function,
    ("toolz.functoolz", "_restore_curry"): _restore_curry,
    ("cytoolz.functoolz", "_restore_curry"): _restore_curry,
    ("sys", "modules.__getitem__"): _modules_get,
    ("sys", "modules.get"): _modules_get,
    ("torch", "Size"): _first,
    ("torch._tensor", "_rebuild_from_type"): _rebuild_from_type,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("types", "MethodType"): _method_type,
}


for _module in ("_bisect", "bisect"):
    for _name in ("bisect", "bisect_left", "bisect_right"):
        LINKERS[_module, _name] = _calls_any(f"{_module}.{_name}")
# a new enumeration makes its members by the type that it is told, which an old one does not
for _name in ("Enum", "Flag", "IntEnum", "IntFlag", "StrEnum"):
    LINKERS["enum", _name] = _calls_any(f"enum.{_name}")
LINKERS["difflib", "SequenceMatcher"] = _calls_any("difflib.SequenceMatcher")


#: Linkers that by themselves change nothing, so that what containers hold stays known.
PURE: Final = frozenset(
    name
    for name, linker in LINKERS.items()
    if linker in (_encode, _getattr, _getitem, _import, _import_module, _partial)
) | {("numpy", "dtype")}


def _run_partial(m: Semantics, ref: Ref, items: Items, bag: int, offset: int) -> int:
    arguments = None if items is None else ref.bound + items
    return m.call_items(ref.target, arguments, m.bags.join(bag, ref.bag), offset, "functools.partial")


def _run_attrgetter(m: Semantics, ref: Ref, items: Items, _bag: int, offset: int) -> int:
    found: int | None = None
    for bound in ref.bound:
        name = m.text(bound)
        if name is None or not items:
            m.compute("name", f"attrgetter({m.show(bound)}) of a value", offset, "operator.attrgetter")
        else:
            found = m.attribute(items[0], name, offset, "operator.attrgetter")
    return found if found is not None else make(RESULT, 0, offset)


def _run_itemgetter(m: Semantics, ref: Ref, items: Items, _bag: int, offset: int) -> int:
    found: int | None = None
    for bound in ref.bound if items else ():
        found = item_of(m, items[0], bound, offset) if items else None
    return found if found is not None else make(RESULT, 0, offset)


def _run_methodcaller(m: Semantics, ref: Ref, items: Items, bag: int, offset: int) -> int:
    name = m.text(ref.bound[0]) if ref.bound else None
    if name is None or not items:
        m.compute("name", "methodcaller with a name or an object that is not known", offset, "operator.methodcaller")
        return make(RESULT, 0, offset)
    if ref.target:  # it is known now whose method that is
        m.refs[a_of(ref.target)].count -= 1
        ref.target = 0
    method = m.attribute(items[0], name, offset, "operator.methodcaller")
    return m.call_items(method, ref.bound[1:], m.bags.join(bag, ref.bag), offset, "operator.methodcaller")


#: What calling a linker's product does, by the kind of reference that stands for it.
MADE: Final[dict[str, Callable[[Semantics, Ref, Items, int, int], int]]] = {
    "partial": _run_partial,
    "attrgetter": _run_attrgetter,
    "itemgetter": _run_itemgetter,
    "methodcaller": _run_methodcaller,
}
