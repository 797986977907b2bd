"""Pickles by which harmless classes of Python's own library and of NumPy do harm: they call what they are given, have methods that open
files, or take an address of memory for data. Beside each family stand honest uses of the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_CARRIED, _CODE, _COMPUTED, _FILES, _IMPORTS, _NATIVE, _OTHER, _RESOURCE = (
    "pickle/carried-code", "pickle/runs-code", "pickle/computed-name", "pickle/touches-files", "pickle/imports-module", "pickle/loads-native-code",
    "pickle/other-dangerous-callable", "pickle/resource-bomb",
)  # fmt: skip
_REMOVE, _IMPORT = Name("os", "remove"), Name("importlib", "import_module")


def _call(name: str, *arguments: Any) -> Call:
    module, _, attribute = name.partition(":")
    return Call(Name(module, attribute), arguments)


def _by_name(function: Name, arguments: tuple[Any, ...], names: dict[str, Any]) -> Call:
    """A call with arguments by name: of a partial that has them."""
    return Call(Call(Name("functools", "partial"), (function,), state=(function, arguments, names, {})), ())


def _method(value: Any, name: str, *arguments: Any) -> Call:
    return Call(Call(Name("builtins", "getattr"), (value, name)), arguments)


def _instance(name: str, state: Any, **how: Any) -> Call:
    module, _, attribute = name.partition(":")
    return Call(Name(module, attribute), (), state=state, **how)


def _partial(function: Name, *arguments: Any, **names: Any) -> Call:
    return Call(Name("functools", "partial"), (function,), state=(function, arguments, names, {}))


def _hook(function: Any) -> Call:
    hooks = Call(Name("collections", "OrderedDict"), (), items=((0, function),))
    return _instance("torch.nn.modules.linear:Linear", {"training": False, "_forward_hooks": hooks}, how="NEWOBJ")


def _dtype(code: Any, state: tuple[Any, ...]) -> Call:
    return Call(Name("numpy", "dtype"), (code, False, True), state=state)


def _objects(flags: int, code: Any = "O8") -> Call:
    return _dtype(code, (3, "|", None, None, None, -1, -1, flags))


def _array(dtype: Call, items: Any) -> Call:
    made = Name("numpy._core.multiarray", "_reconstruct")
    return Call(made, (Name("numpy", "ndarray"), (0,), b"b"), state=(1, (1,), dtype, False, items))


_INTERFACE = {"__array_interface__": {"data": (4096, False), "shape": (16,), "typestr": "|u1", "version": 3}}
_MEMORY = _instance("types:SimpleNamespace", _INTERFACE)
_COUNT = _call("itertools:count")

_HOSTILE: tuple[tuple[str, str, Any, tuple[str, ...]], ...] = (
    # an address of memory
    ("address-array", "an array over memory at an address that the file names", _call("numpy:array", _MEMORY), (_NATIVE,)),
    ("address-frame", "the same through a frame of pandas", _call("pandas:DataFrame", _MEMORY), (_NATIVE,)),
    ("address-slots", "an exception whose slots are set to an address of memory",
     _call("numpy:matrix", _instance("builtins:Exception", (None, _INTERFACE))), (_NATIVE,)),
    ("address-pairs", "the address as an item of a dictionary of pairs", _call("builtins:dict", [("__array_interface__", {"data": (4096, False)})]), (_NATIVE,)),
    ("address-of-a-device", "memory of a GPU at an address", _instance("types:SimpleNamespace", {"__cuda_array_interface__": {"data": (4096, False)}}), (_NATIVE,)),
    ("pointers", "an array of objects whose items are bytes that NumPy takes for addresses", _array(_objects(0), b"forged.."), (_NATIVE,)),
    ("pointers-of-a-class", "the same with the class of all objects in place of its code", _array(_objects(0, Name("builtins", "object")), b"forged.."), (_NATIVE,)),
    ("pointers-in-fields", "a record whose fields are objects, and whose flags say nothing of them",
     _array(_dtype("V8", (3, "|", None, ("a",), {"a": (_objects(63), 0)}, 8, 1, 0)), b"forged.."), (_NATIVE,)),
    ("pointers-in-a-subarray", "an array in an array of objects without flags",
     _array(_dtype("V16", (3, "|", (_objects(63), (2,)), None, None, 16, 8, 0)), b"forged..forged.."), (_NATIVE,)),
    ("pointers-by-a-call", "the state of a dtype is what a call gives",
     Call(Name("numpy", "dtype"), ("O8", False, True), state=_call("builtins:tuple", [3, "|", None, None, None, -1, -1, 0])), (_NATIVE,)),
    ("pointers-by-a-method", "the state of a dtype is set by its method", _method(_call("numpy:dtype", "O8", False, True), "__setstate__", (3,)), (_NATIVE,)),
    ("strides", "an array over more memory than its buffer has", _call("numpy.lib.stride_tricks:as_strided", [1], (1 << 20,), (1,)), (_NATIVE,)),
    # what calls what it is given
    ("junk-of-a-matcher", "SequenceMatcher calls what should tell junk", _call("difflib:SequenceMatcher", _REMOVE, "", ["forged"]), (_FILES,)),
    ("key-of-a-search", "a search in a sorted list calls its key", _by_name(Name("bisect", "bisect_left"), (["forged"], "z"), {"key": _IMPORT}), (_IMPORTS, _COMPUTED)),
    ("type-of-an-enumeration", "a new enumeration makes its members by a type that opens files",
     _by_name(Name("enum", "Enum"), ("E", [("A", ("forged", "w"))]), {"type": Name("io", "FileIO")}), (_FILES,)),
    # methods of what is data by itself
    ("values-read-module", "settings of optparse that import a module", _method(_call("optparse:Values"), "read_module", "forged"), (_OTHER,)),
    ("values-read-file", "settings of optparse that run a file", _call("optparse:Values.read_file", _call("optparse:Values"), "forged"), (_OTHER,)),
    ("formatter-field", "a Formatter that walks to an attribute", _method(_call("string:Formatter"), "get_field", "0.__class__", (1,), {}), (_OTHER,)),
    ("parser-read", "a ConfigParser that reads a file", _method(_call("configparser:ConfigParser"), "read", "forged"), (_OTHER,)),
    ("lock-for-ever", "a lock that is waited for", _method(_call("threading:Event"), "wait"), (_OTHER,)),
    ("summary-of-a-frame", "the summary of a frame reads the line of a file", _call("traceback:FrameSummary", "forged", 1, "f"), (_FILES,)),
    # what somebody calls later
    ("partial-removes", "a hook that removes a file: a partial with its name", _hook(_partial(_REMOVE, "forged")), (_CARRIED,)),
    ("partial-loads", "a hook that loads a pickle that it carries", _hook(_partial(Name("pickle", "loads"), b"N.")), (_CARRIED,)),
    ("partial-connects", "a partial with an address by name", _partial(Name("urllib.request", "urlopen"), url="https://example.org"), (_CARRIED,)),
    ("partial-of-a-package", "a partial of a class of PyArrow that opens the file", _partial(Name("pyarrow", "OSFile"), "forged", "w"), (_CARRIED,)),
    ("method-of-a-thread", "a method that is bound to a text", _call("types:MethodType", Name("importlib", "import_module"), "forged"), (_CARRIED,)),
    ("method-by-name", "a transformer that writes the frame that it gets", {"func": _call("operator:methodcaller", "to_csv", "forged")}, (_CARRIED,)),
    ("runs-later", "subprocess.run as the function of a transformer", {"func": Name("subprocess", "run")}, (_CARRIED,)),
    # what the end of an instance removes
    ("end-of-a-lock", "a lock that is rebuilt from its parts removes its file where it ends",
     _instance("filelock._soft:SoftFileLock", {"_context": None}, how="NEWOBJ"), (_FILES,)),
    ("end-of-a-callback", "a callback of Transformers that removes a folder where it ends",
     _instance("transformers.integrations.integration_utils:NeptuneCallback", {"_volatile_checkpoints_dir": "forged"}, how="NEWOBJ"), (_FILES,)),
    ("state-opens", "a table of datasets that opens the file that its state names",
     _instance("datasets.table:MemoryMappedTable", {"path": "forged"}, how="NEWOBJ"), (_FILES,)),
    ("frame-by-a-name", "a method of a Series that calls another by its name", _method(_call("pandas:Series", ["a"]), "agg", "to_pickle"), (_CODE,)),
    # what goes through everything that it is given
    ("mean-of-a-count", "the mean of numbers without end", _call("statistics:fmean", _COUNT), (_RESOURCE,)),
    ("list-of-a-count", "a UserList of numbers without end", _call("collections:UserList", _COUNT), (_RESOURCE,)),
    ("found-in-a-count", "a number that is looked for among numbers without end", _call("operator:contains", _COUNT, -1), (_RESOURCE,)),
    ("array-of-a-count", "numbers without end in a Series", _call("pandas:Series", _COUNT), (_RESOURCE,)),
    ("network", "every address of a network", _call("builtins:list", _call("ipaddress:IPv6Network", "::/0")), (_RESOURCE,)),
    ("combinations", "a number of combinations with a billion digits", _call("math:comb", 1 << 40, 1 << 39), (_RESOURCE,)),
    ("long-bytes", "a number as bytes of a terabyte", _call("builtins:int.to_bytes", 1, 1 << 40, "little"), (_RESOURCE,)),
    ("width-beside", "a number in a width that stands beside the format", _call("operator:mod", "%*d", (1 << 40, 1)), (_RESOURCE,)),
    ("width-in-a-field", "a width that is a field of its own", _call("builtins:str.format", "{:{}}", 1, 1 << 40), (_RESOURCE,)),
    ("decimal-in-full", "all digits of a Decimal", _call("builtins:format", _call("decimal:Decimal", "1e999999999"), "f"), (_RESOURCE,)),
    ("repeated-array", "an array that is repeated", _call("operator:mul", _call("array:array", "b", [1]), 1 << 40), (_RESOURCE,)),
    ("power-of-a-fraction", "a Fraction to the power of a trillion", _call("operator:pow", _call("fractions:Fraction", 3, 2), 1 << 40), (_RESOURCE,)),
    ("place-in-a-range", "a number that is none of a range, looked for in it", _call("builtins:range.index", _call("builtins:range", 1 << 50), 0.5), (_RESOURCE,)),
    ("state-of-a-logger", "the state of a logger of the process", _instance("logging:getLogger", {"disabled": True}), ("pickle/state-on-callable",)),
    ("wide-tabs", "a tabulator of a terabyte", _call("builtins:str.expandtabs", "\t", 1 << 40), (_RESOURCE,)),
)  # fmt: skip

_HARMLESS: tuple[tuple[str, str, Any], ...] = (
    ("word-interface", "a vocabulary with the names of NumPy's protocols", {"__array_interface__": 17, "__cuda_array_interface__": [1.0], "__array_ufunc__": {}}),
    ("vector-interface", "the vector of such a word",
     {"__array_interface__": Call(Name("numpy._core.multiarray", "_reconstruct"), (Name("numpy", "ndarray"), (0,), b"b"))}),
    ("array-of-objects", "an array of objects as NumPy writes it", _array(_objects(63), [{"a": 1}])),
    ("records-of-objects", "records with objects and numbers",
     _array(_dtype("V16", (3, "|", None, ("a", "b"), {"a": (_objects(63), 0), "b": (_dtype("f8", (3, "<", None, None, None, -1, -1, 0)), 8)}, 16, 1, 27)), [(None, 1.0)])),
    ("records-of-numbers", "records of numbers",
     _array(_dtype("V8", (3, "|", None, ("b",), {"b": (_dtype("f8", (3, "<", None, None, None, -1, -1, 0)), 0)}, 8, 1, 16)), bytes(8))),
    ("bfloat16", "a dtype of ml_dtypes", _dtype(Name("ml_dtypes", "bfloat16"), (3, "<", None, None, None, -1, -1, 0))),
    ("matcher", "a matcher that was pickled", _instance("difflib:SequenceMatcher", {"isjunk": None, "a": "x", "b": "y"}, how="NEWOBJ")),
    ("search", "a place in a sorted list", _call("bisect:bisect_left", [1, 2, 3], 2)),
    ("key-that-computes", "a search whose key computes", _by_name(Name("bisect", "bisect_left"), ([1, 2], 2), {"key": Name("builtins", "abs")})),
    ("summary-of-its-parts", "the summary of a frame, rebuilt from its parts", _instance("traceback:FrameSummary", (None, {"lineno": 3}), how="NEWOBJ")),
    ("network-kept", "a network that nothing goes through", _call("ipaddress:IPv4Network", "10.0.0.0/8")),
    ("small-network", "the addresses of a small network", _call("builtins:list", _call("ipaddress:IPv4Network", "10.0.0.0/24"))),
    ("count-kept", "a count that an object keeps", _instance("argparse:Namespace", {"ids": _COUNT})),
    ("method-kept", "a method of a logger that is kept", {"log": Call(Name("builtins", "getattr"), (_call("logging:getLogger", "x"), "info"))}),
    ("partial-of-settings", "partials that bind settings",
     [_partial(Name("numpy", "clip"), a_min=0), _partial(Name("torch.nn.functional", "relu"), inplace=True), _partial(Name("builtins", "print"), "epoch")]),
    ("formats", "formats with widths", [_call("builtins:str.format", "{:{}}", 1, 8), _call("operator:mod", "%*d of %s", (8, 1, "x")),
                                        _call("builtins:format", _call("decimal:Decimal", "1.50"), "f")]),
    ("logger", "a logger as it is pickled", {"log": _call("logging:getLogger", "x")}),
    ("method-of-a-class", "a method of SciPy bound to an instance",
     _call("types:MethodType", Name("scipy.stats._distn_infrastructure", "rv_sample._entropy"), _call("collections:OrderedDict"))),
    ("methods-by-name", "methods by their names", [_call("operator:methodcaller", "strip"), _call("operator:methodcaller", "astype", "f4")]),
    ("bunch", "a data set's dictionary of scikit-learn 0.20", Call(Name("sklearn.datasets.base", "Bunch"), (), items=(("target", [1]),), how="NEWOBJ")),
    ("day", "a date from its text", _call("datetime:date.fromisoformat", "2026-01-01")),
    ("combinations-few", "few combinations, and few bytes", [_call("math:comb", 10, 3), _call("builtins:int.to_bytes", 1 << 40, 8, "little")]),
)  # fmt: skip


def _case(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "reject", "review"], *rules: str
) -> Case:
    return Case(f"gadgets/{name}", technique, forge, decision, frozenset(rules), ("pickle",), (), "model.pkl")


_SETTINGS = [_partial(Name("numpy", "load"), mmap_mode="r"), _partial(Name("torch", "load"), map_location="cpu")]

CASES: tuple[Case, ...] = (
    _case(
        "partial-of-a-loader", "partials of loaders that bind no file", lambda: dump(_SETTINGS, 4), "review", _CARRIED
    ),
    _case(
        "client-of-its-parts",
        "a client that is rebuilt from its parts",
        lambda: dump(_instance("redis.client:Redis", {"a": 1}, how="NEWOBJ"), 4),
        "review",
        "pickle/project-class",
    ),
    *(_case(word, technique, partial(dump, value, 4), "reject", *rules) for word, technique, value, rules in _HOSTILE),
    *(_case(word, technique, partial(dump, value, 4), "admit") for word, technique, value in _HARMLESS),
)
