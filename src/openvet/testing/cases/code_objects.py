"""Functions and classes that dill and cloudpickle carry as code objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump

__all__ = ["CASES"]

_CLOUD = "cloudpickle.cloudpickle"
_DILL = "dill._dill"
#: LOAD_GLOBAL 0, RETURN_VALUE; and LOAD_FAST 0, LOAD_ATTR 0, RETURN_VALUE.
_GLOBAL = b"\x97\x00t\x00\x53\x00"
_ATTRIBUTE = b"\x97\x00|\x00j\x00\x53\x00"


def _fields(names: tuple[str, ...], constants: tuple[Any, ...], code: bytes) -> tuple[Any, ...]:
    head = (1, 0, 0, 1, 2, 3, code, (None, *constants), names, ("x",), "model.py", "f", "f")
    return (*head, 1, b"\x80\x00", b"", (), ())


def _cloud_code(names: tuple[str, ...], constants: tuple[Any, ...] = (), code: bytes = _ATTRIBUTE) -> Call:
    return Call(Call(Name(_CLOUD, "_builtin_type"), ("CodeType",)), _fields(names, constants, code))


def _dill_code(names: tuple[str, ...], constants: tuple[Any, ...] = (), code: bytes = _ATTRIBUTE) -> Call:
    return Call(Name(_DILL, "_create_code"), (b"", *_fields(names, constants, code)))


def _cloud(code: Call, scope: Any = None) -> Call:
    return Call(
        Name(_CLOUD, "_make_function"), (code, {"__name__": "__main__"} if scope is None else scope, None, None, None)
    )


def _dill(code: Call, scope: Any = None) -> Call:
    return Call(Name(_DILL, "_create_function"), (code, {} if scope is None else scope, "f", None, None))


def _cloud_class(methods: dict[str, Any], metaclass: Any = None, base: Any = None) -> Call:
    kind = Call(
        Name(_CLOUD, "_make_skeleton_class"),
        (
            metaclass or Name("builtins", "type"),
            "Net",
            (base or Name("builtins", "object"),),
            {"__module__": "__main__"},
            "a1b2",
            None,
        ),
    )
    return Call(Name(_CLOUD, "_class_setstate"), (kind, (methods, {})))


def _mlflow(**methods: Any) -> list[Call]:
    """A model of one's own as MLflow keeps it: a class that stands in the file, and the types of its method."""
    hints = Call(Name("mlflow.models.signature", "_TypeHints"), (), state={"input": None, "output": None})
    kind = _cloud_class(methods, base=Name("mlflow.pyfunc.model", "PythonModel"))
    return [kind, hints]


def _enum(members: dict[str, Any], base: Name = Name("enum", "Enum")) -> Call:  # noqa: B008
    return Call(Name(_CLOUD, "_make_skeleton_enum"), ((base,), "Color", "Color", members, "__main__", "a1b2", None))


def _dill_class(methods: dict[str, Any]) -> Call:
    meta = Call(Name(_DILL, "_load_type"), ("type",))
    base = Call(Name(_DILL, "_load_type"), ("object",))
    return Call(Name(_DILL, "_create_type"), (meta, "Net", (base,), {"__module__": "__main__", **methods}))


def _of(home: str, names: tuple[str, ...], constants: tuple[Any, ...] = ()) -> Call:
    """A function as the copy of cloudpickle in another package carries it."""
    code = Call(Call(Name(home, "_builtin_type"), ("CodeType",)), _fields(names, constants, _ATTRIBUTE))
    return Call(Name(home, "_make_function"), (code, {"__name__": "umap.distances"}, None, None, None))


def _dispatcher(function: Any, signatures: tuple[Any, ...] = (), **options: bool) -> dict[str, Any]:
    options = options or {"nopython": True}
    return {"uuid": "a", "py_func": function, "locals": {}, "targetoptions": options, "sigs": [*signatures]}


def _numba(
    function: Any,
    kind: tuple[str, str] = ("numba.core.registry", "CPUDispatcher"),
    signatures: tuple[Any, ...] = (),
    **options: bool,
) -> Call:
    """A compiled function as numba carries it: a pickle of its class and its parts in a literal."""
    parts = _dispatcher(function, signatures, **options)
    made = Call(Name("numba.core.serialize", "_unpickle__CustomPickled"), (dump((Name(*kind), parts), 4),))
    return Call(Name("numba.core.serialize", "custom_rebuild"), (made,))


#: ``return cls(ctor, states)`` in CPython 3.12, as numba's copy of cloudpickle writes it for a function that another one uses.
_REBUILD = bytes.fromhex("970002007c007c017c02ab020000000000005300")


def _rebuild(code: bytes = _REBUILD, **state: Any) -> Call:
    """``_CustomPickled._rebuild`` as code: numba's own where nothing is said."""
    fields = (
        3,
        0,
        0,
        3,
        5,
        3,
        code,
        (None,),
        (),
        ("cls", "ctor", "states"),
        "s.py",
        "_rebuild",
        "_rebuild",
        1,
        b"",
        b"",
        (),
        (),
    )
    built = Call(Call(Name(_NUMBA, "_builtin_type"), ("CodeType",)), fields)
    given = (built, {"__name__": "numba.core.serialize"}, None, None, None)
    return Call(Name(_NUMBA, "_make_function"), given, state=(None, state) if state else None)


def _inner(function: Any, rebuild: Any, kind: tuple[str, str] = ("numba.core.registry", "CPUDispatcher")) -> Call:
    """A compiled function inside of the literal of another one."""
    method = Call(
        Call(Name(_NUMBA, "_builtin_type"), ("MethodType",)), (rebuild, Name("numba.core.serialize", "_CustomPickled"))
    )
    made = Call(method, (Name(*kind), _dispatcher(function)))
    return Call(Name("numba.core.serialize", "custom_rebuild"), (made,))


def _call_code() -> Call:
    return Call(Call(Name(_NUMBA, "_builtin_type"), ("CodeType",)), _fields((), (), _ATTRIBUTE))


def _uses(inner: Any) -> Call:
    """A compiled function that uses another one."""
    code = Call(Call(Name(_NUMBA, "_builtin_type"), ("CodeType",)), _fields(("heap_push", "range"), (), _ATTRIBUTE))
    return _numba(Call(Name(_NUMBA, "_make_function"), (code, {"heap_push": inner}, None, None, None)))


_NUMBA = "numba.cloudpickle.cloudpickle"


def _method(name: str, owner: str) -> Call:
    return Call(Name(_DILL, "_getattr"), (Name("builtins", "str"), name, f"<method '{name}' of '{owner}' objects>"))


def _signature(rebuilds: Name) -> Call:
    given = (Name("numba.core.types.scalars", "Float"), Name("builtins", "object"), None)
    number = Call(
        Name("numba.core.types.abstract", "_type_reconstructor"), (rebuilds, given, {"name": "float64", "bitwidth": 64})
    )
    return Call(
        Name("numba.core.typing.templates", "Signature"),
        (),
        state={"return_type": number, "args": (number,)},
        how="NEWOBJ",
    )


_UNDEFINED = (Name("sympy.core.function", "UndefinedFunction"), "f", (Name("sympy.core.function", "AppliedUndef"),))


def _undefined(home: str, **attributes: Any) -> Call:
    """A function of sympy that somebody only named, put together as a class, and applied."""
    if home == _DILL:
        return Call(Name(home, "_create_type"), (*_UNDEFINED, {"_kwargs": {}, "__module__": None, **attributes}))
    made = Call(
        Name(home, "_make_skeleton_class"),
        (*_UNDEFINED, {"__module__": None}, "3e17d717cc16468589a403612da78af3", None),
    )
    return Call(Name(home, "_class_setstate"), (made, ({"__doc__": None, "_kwargs": {}, **attributes}, {})))


def _case(
    word: str,
    technique: str,
    value: Callable[[], Any],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    protocol: int = 4,
) -> Case:
    return Case(
        id=f"code-objects/{word}",
        technique=technique,
        forge=lambda: dump(value(), protocol),
        decision=decision,
        rules=frozenset(f"pickle/{rule}" for rule in rules),
        formats=("pickle",),
        name="model.pkl",
    )


CASES: tuple[Case, ...] = (
    _case("cloudpickle-os-system", "cloudpickle carries a function that calls os.system",
          lambda: _cloud(_cloud_code(("os", "system"), ("echo x",))), "reject", "code-object"),
    _case("cloudpickle-import-by-name", "cloudpickle carries __import__ of a module whose name is a constant",
          lambda: _cloud(_cloud_code(("__import__", "run"), ("subprocess",), _GLOBAL)), "reject", "code-object"),
    _case("cloudpickle-eval", "cloudpickle carries a function that evaluates its argument",
          lambda: _cloud(_cloud_code(("eval",), (), _GLOBAL)), "reject", "code-object"),
    _case("cloudpickle-getattr-of-constant", "cloudpickle carries getattr of a module with a constant as the name",
          lambda: _cloud(_cloud_code(("os", "getattr"), ("popen",))), "reject", "code-object"),
    _case("cloudpickle-inner-function", "the dangerous code is an inner function among the constants",
          lambda: _cloud(_cloud_code(("map",), (_cloud_code(("socket", "create_connection")),))), "reject", "code-object"),
    _case("cloudpickle-called", "cloudpickle's function is called while the file is loaded",
          lambda: Call(_cloud(_cloud_code(("print",), (), _GLOBAL)), ("x",)), "reject", "code-object", "runs-code"),
    _case("cloudpickle-class-method", "a class that cloudpickle carries has a method with a payload",
          lambda: _cloud_class({"__setstate__": _cloud(_cloud_code(("subprocess", "Popen"), ("echo",)))}), "reject", "code-object"),
    _case("cloudpickle-class-hijack", "a class that cloudpickle carries gets os.system for a __setstate__",
          lambda: _cloud_class({"__setstate__": Name("os", "system")}), "reject", "runs-process", "state-on-callable"),
    _case("cloudpickle-metaclass", "cloudpickle makes a class by a metaclass that is os.system",
          lambda: _cloud_class({}, Name("os", "system")), "reject", "runs-process", "runs-code"),
    _case("cloudpickle-module", "cloudpickle imports a module that is no package anybody knows",
          lambda: Call(Name(_CLOUD, "subimport"), ("payload",)), "reject", "imports-module"),
    _case("dill-import-attribute", "dill imports os.system by a dotted name, and the pickle calls it",
          lambda: Call(Call(Name(_DILL, "_import_module"), ("os.system",)), ("echo forged",)), "reject", "runs-process"),
    _case("dill-os-system", "dill carries a function that calls os.system",
          lambda: _dill(_dill_code(("os", "system"), ("echo x",))), "reject", "code-object"),
    _case("dill-ctypes", "dill carries a function that loads native code",
          lambda: _dill(_dill_code(("ctypes", "CDLL"), ("libc.so.6",))), "reject", "code-object"),
    _case("dill-closure", "dill carries a closure whose cell holds os.system",
          lambda: Call(Name(_DILL, "_create_function"), (_dill_code(("f",)), {}, "f", None, (Call(Name(_DILL, "_create_cell"), (Name("os", "system"),)),))),
          "reject", "code-object", "carried-code"),
    _case("cloudpickle-alias", "a function calls os.system under another name, by which its globals have the module",
          lambda: _cloud(_cloud_code(("o", "system"), ("echo x",)), {"o": Call(Name(_CLOUD, "subimport"), ("os",))}), "reject", "code-object"),
    _case("dill-cell-of-a-module", "a closure calls system of what its cell holds, which is the module os",
          lambda: Call(Name(_DILL, "_create_function"), (_dill_code(("system",), ("echo x",)), {}, "f", None,
                                                         (Call(Name(_DILL, "_create_cell"), (Call(Name(_DILL, "_import_module"), ("os",)),)),))),
          "reject", "code-object"),
    _case("dill-cell-of-a-harmless-module", "a closure joins paths by what its cell holds, which is the module os",
          lambda: Call(Name(_DILL, "_create_function"), (_dill_code(("path", "join"), ("x",)), {}, "f", None,
                                                         (Call(Name(_DILL, "_create_cell"), (Call(Name(_DILL, "_import_module"), ("os",)),)),))),
          "review", "code-object"),
    _case("dill-eval-repr", "dill evaluates a text on loading",
          lambda: Call(Name(_DILL, "_eval_repr"), ("print('x')",)), "reject", "runs-code"),
    _case("dill-range", "dill pickles a range as its text, and evaluates it",
          lambda: Call(Name(_DILL, "_eval_repr"), ("range(0, 10, 3)",)), "admit"),
    _case("dill-range-of-more", "The text is a range of what else it calls",
          lambda: Call(Name(_DILL, "_eval_repr"), ("range(0, print('x'))",)), "reject", "runs-code"),
    _case("dill-class-called", "a class that dill carries has a method that is called with a payload",
          lambda: _dill_class({"m": _dill(_dill_code(("os", "popen"), ("echo",)))}), "reject", "code-object", "unknown-callable"),
    _case("types-code", "types.CodeType and types.FunctionType without either package",
          lambda: Call(Call(Name("types", "FunctionType"), (Call(Name("types", "CodeType"), _fields(("os", "system"), ("echo",), _ATTRIBUTE)), {})), ()),
          "reject", "code-object", "runs-code"),
    _case("types-code-by-names", "a function of names that are not in the file",
          lambda: Call(Name("types", "FunctionType"), (Name("secret", "CODE"), {})), "reject", "project-class", "runs-code"),
    _case("cloudpickle-lambda", "cloudpickle carries a key for sorting",
          lambda: {"key": _cloud(_cloud_code((), (0,)))}, "review", "code-object"),
    _case("cloudpickle-numpy", "cloudpickle carries a function that uses numpy, which it imports",
          lambda: _cloud(_cloud_code(("np", "mean")), {"np": Call(Name(_CLOUD, "subimport"), ("numpy",))}), "review", "code-object"),
    _case("cloudpickle-model-eval", "cloudpickle carries a function that calls model.eval() and os.path.join",
          lambda: _cloud(_cloud_code(("eval", "os", "path", "join"))), "review", "code-object"),
    _case("cloudpickle-class", "cloudpickle carries a class with a method",
          lambda: _cloud_class({"predict": _cloud(_cloud_code(("weights",)))}), "review", "code-object"),
    _case("mlflow-model", "a model of one's own for MLflow, whose method gives back what it is given",
          lambda: _mlflow(predict=_cloud(_cloud_code((), (0,)))), "review", "code-object"),
    _case("mlflow-model-os-system", "the same with a method that calls os.system, which MLflow calls when the model is loaded",
          lambda: _mlflow(load_context=_cloud(_cloud_code(("os", "system"), ("echo x",)))), "reject", "code-object"),
    _case("mlflow-loader", "MLflow is called to load another model", lambda: Call(Name("mlflow.pyfunc", "load_model"), ("models:/x/1",)), "reject",
          "loads-nested"),
    _case("cloudpickle-instance", "cloudpickle carries an instance of a class of the script",
          lambda: [_cloud_class({"predict": _cloud(_cloud_code(("weights",)))})], "review", "code-object"),
    *(_case(f"cloudpickle-{name}", f"cloudpickle carries a class with a {name}",
            lambda name=name: _cloud_class({"make": Call(Name("builtins", name), (_cloud(_cloud_code(("weights",))),))}), "review", "code-object")  # type: ignore[misc]
      for name in ("staticmethod", "classmethod", "property")),
    _case("cloudpickle-staticmethod-called", "a static method that cloudpickle carries is called while the file is loaded",
          lambda: Call(Call(Name("builtins", "staticmethod"), (_cloud(_cloud_code(("print",), (), _GLOBAL)),)), ("x",)), "reject", "code-object",
          "other-dangerous-callable"),
    _case("cloudpickle-staticmethod-of-a-danger", "a static method is os.system",
          lambda: _cloud_class({"make": Call(Name("builtins", "staticmethod"), (Name("os", "system"),))}), "reject", "carried-code", "other-dangerous-callable"),
    _case("cloudpickle-enum", "cloudpickle carries a member of an enumeration of the script", lambda: Call(_enum({"RED": 1}), (1,)), "admit"),
    _case("cloudpickle-enum-hijack", "an enumeration whose missing members os.system makes",
          lambda: Call(_enum({"RED": 1, "_missing_": Name("os", "system")}), ("echo forged",)), "reject", "carried-code"),
    _case("cloudpickle-enum-below-a-danger", "an enumeration below what starts a process", lambda: _enum({"RED": 1}, Name("subprocess", "Popen")), "reject", "runs-code",
          "carried-code"),
    _case("dill-enum-hijack", "a class of enumerations whose values os.system makes",
          lambda: Call(Name(_DILL, "_create_type"), (Name("enum", "EnumMeta"), "Color", (Name("enum", "Enum"),), {"_generate_next_value_": Name("os", "system")})),
          "reject", "carried-code"),
    _case("dill-super", "dill carries super, which a method uses", lambda: {"f": Call(Name(_DILL, "_load_type"), ("SuperType",))}, "admit"),
    _case("cloudpickle-dataclass", "cloudpickle carries what a data class says of itself",
          lambda: [Call(Name(_CLOUD, "_get_dataclass_field_type_sentinel"), ("_FIELD",)), Call(Name("dataclasses", "_DataclassParams"), (), state=(None, {"init": True}), how="NEWOBJ")],
          "admit"),
    _case("dill-import-submodules", "dill imports modules by their dotted names",
          lambda: [Call(Name(_DILL, "_import_module"), (each,)) for each in ("os.path", "collections.abc", "numpy.linalg")],
          "admit"),
    _case("dill-lambda", "dill carries a lambda", lambda: [_dill(_dill_code((), (1,)))], "review", "code-object"),
    _case("dill-class", "dill carries a class with a method",
          lambda: _dill_class({"m": _dill(_dill_code(("y",)))}), "review", "code-object", "unknown-callable"),
    _case("numba-os-system", "numba carries a compiled function that calls os.system",
          lambda: _numba(_of(_NUMBA, ("os", "system"), ("echo forged",))), "reject", "code-object"),
    _case("numba-another-class", "the literal that numba loads rebuilds another class than a compiled function",
          lambda: _numba(1, ("mine", "Forged")), "reject", "runs-code", "project-class"),
    _case("numba-call", "a call in the literal that numba loads",
          lambda: _numba(Call(Name("os", "system"), ("echo forged",))), "reject", "runs-process"),
    _case("dill-method", "dill carries a method of text", lambda: {"tokenizer": _method("split", "str")}, "admit"),
    _case("dill-method-of-a-module", "dill evaluates the name of another module as the owner of a method", lambda: {"tokenizer": _method("system", "os")},
          "reject", "runs-code"),
    _case("numba-signature-as-text", "numba evaluates the text of a signature as it compiles a function out of a literal",
          lambda: _numba(_of(_NUMBA, ("range",)), signatures=("__import__('forged')",)), "reject", "runs-code"),
    _case("numba-signature", "a compiled function with a signature, which numba writes as an object",
          lambda: _numba(_of(_NUMBA, ("range",)), signatures=(_signature(Name("copyreg", "_reconstructor")),)), "admit"),
    _case("numba-type-by-a-call", "a type of numba that is rebuilt by what starts a process",
          lambda: _signature(Name("os", "system")), "reject", "runs-process"),
    _case("dill-undefined-function", "dill carries a function of sympy that was only named", lambda: _undefined(_DILL), "review", "unknown-callable"),
    _case("dill-undefined-hijack", "such a function whose attribute starts a process", lambda: _undefined(_DILL, __reduce__=Name("os", "system")),
          "reject", "unknown-callable", "runs-process"),
    _case("cloudpickle-undefined-function", "cloudpickle carries a function of sympy that was only named", lambda: _undefined(_CLOUD), "admit"),
    _case("cloudpickle-undefined-hijack", "such a function whose attribute starts a process",
          lambda: _undefined(_CLOUD, __reduce__=Name("os", "system")), "reject", "runs-process", "state-on-callable"),
    _case("numba-function", "a distance of UMAP as numba carries it", lambda: _numba(_of(_NUMBA, ("range", "np", "sqrt"))), "admit"),
    _case("numba-elements", "a function of elements that numba compiled",
          lambda: _numba(_of(_NUMBA, ("np", "sqrt")), ("numba.np.ufunc.dufunc", "DUFunc")), "admit"),
    _case("numba-function-in-a-function", "the search of PyNNDescent, which uses a distance",
          lambda: _uses(_inner(_of(_NUMBA, ("np", "sqrt")), _rebuild())), "admit"),
    _case("numba-objects", "a function of numba that may fall back to the interpreter",
          lambda: _numba(_of(_NUMBA, ("np", "sqrt")), nopython=False), "review", "code-object"),
    _case("numba-forced-objects", "a function that numba leaves to the interpreter",
          lambda: _numba(_of(_NUMBA, ("np", "sqrt")), nopython=True, forceobj=True), "review", "code-object"),
    _case("numba-object-mode", "a compiled function with a block that the interpreter runs",
          lambda: _numba(_of(_NUMBA, ("objmode", "np"))), "review", "code-object"),
    _case("numba-address", "a compiled function that takes memory at an address for an array",
          lambda: _numba(_of(_NUMBA, ("carray",))), "review", "code-object"),
    _case("numba-escape", "a compiled function with the names of a way out of a class",
          lambda: _numba(_of(_NUMBA, ("__subclasses__",))), "review", "code-object"),
    _case("numba-other-rebuild", "code in the place of numba's own, which loading runs",
          lambda: _uses(_inner(1, _rebuild(_REBUILD.replace(b"\x7c\x01", b"\x7c\x02")))), "reject", "runs-code"),
    _case("numba-changed-rebuild", "numba's own code, whose function is given other code by its state",
          lambda: _uses(_inner(1, _rebuild(__code__=_call_code()))), "reject", "runs-code"),
    _case("numba-rebuild-of-another", "numba's own code is handed another class than one of a compiled function",
          lambda: _uses(_inner(1, _rebuild(), ("os", "system"))), "reject", "runs-code", "carried-code"),
    *(_case(f"{home.partition('.')[0]}-function", "a function as another package's copy of cloudpickle carries it",
            lambda home=home: _of(home, ("np", "sqrt")), "review", "code-object")  # type: ignore[misc]
      for home in ("joblib.externals.cloudpickle.cloudpickle", "ray.cloudpickle.cloudpickle", "pyspark.cloudpickle.cloudpickle")),
    _case("ray-os-system", "the same with os.system",
          lambda: _of("ray.cloudpickle.cloudpickle", ("os", "system"), ("echo forged",)), "reject", "code-object"),
    _case("words-only", "a vocabulary of the names of dill and cloudpickle",
          lambda: {"_create_code": 1, "cloudpickle.cloudpickle": 2, "CodeType": 3, "os.system": 4}, "admit"),
    _case("types-as-values", "types as values in a table", lambda: {"float": Name("builtins", "float"), "f": Name("numpy", "float32")}, "admit"),
)  # fmt: skip
