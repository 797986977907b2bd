"""skops files: nodes that lie about what they make, dangerous types, unknown types, and ordinary estimators."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_export import zipped
from openvet.testing.forge_tensors import npy

__all__ = ["CASES", "node", "skops"]


def node(module: str, name: str, loader: str = "ObjectNode", content: Any = None, **more: Any) -> dict[str, Any]:
    """One node of a schema."""
    return {"__class__": name, "__module__": module, "__loader__": loader, "content": content, **more}


def _text(value: Any) -> dict[str, Any]:
    return node("builtins", "str", "JsonNode", json.dumps(value), is_json=True)


def _dict(**items: Any) -> dict[str, Any]:
    return node("builtins", "dict", "DictNode", items, key_types=node("builtins", "list", "ListNode", []))


def _tuple(*items: Any) -> dict[str, Any]:
    return node("builtins", "tuple", "TupleNode", list(items))


def skops(tree: Mapping[str, Any], extra: Mapping[str, bytes] | None = None) -> bytes:
    """A skops file with this tree."""
    schema = {**tree, "protocol": 3, "_skops_version": "0.14.0"}
    return zipped({**(extra or {}), "schema.json": json.dumps(schema, indent=2)})


def _estimator(**parameters: Any) -> dict[str, Any]:
    return node("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode", _dict(C=_text(1.0), **parameters))


def _operator(name: str, *attrs: Any, module: str = "operator") -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": "OperatorFuncNode", "attrs": _tuple(*attrs)}


def _method(owner: dict[str, Any], name: str, module: str, kind: str) -> dict[str, Any]:
    return node(module, kind, "MethodNode", {"func": name, "obj": owner})


def _case(
    word: str, technique: str, tree: Callable[[], Any], decision: Literal["admit", "review", "reject"], *rules: str,
    advisories: tuple[str, ...] = (), name: str = "model.skops",
) -> Case:  # fmt: skip
    def forge() -> bytes:
        made = tree()
        return made if isinstance(made, bytes) else skops(made)

    return Case(f"skops/{word}", technique, forge, decision, frozenset(rules), ("skops",), advisories, name)


_D, _U = "skops/dangerous-node", "skops/unknown-type"


def _spelled(encoding: str, tree: Mapping[str, Any]) -> bytes:
    return zipped({"schema.json": json.dumps(tree).encode(encoding)})


def _in_the_middle(tree: Mapping[str, Any]) -> bytes:
    """The schema among thousands of members, so that its name stands near none of the ends."""
    pads = {f"{side}{index}.txt": b"words" for side in "ab" for index in range(1500)}
    names = sorted([*pads, "aschema"])
    made = {("schema.json" if name == "aschema" else name): pads.get(name, b"words") for name in names}
    return zipped({**made, "schema.json": json.dumps(tree)})


CASES: tuple[Case, ...] = (
    *(_case(f"schema-in-{encoding}", f"a schema in {encoding.upper()}, which Python's parser takes", partial(_spelled, encoding,
            _operator("methodcaller", _text("system"), _text("echo forged"))), "reject", "skops/dangerous-node",
            name="model.bin")
      for encoding in ("utf-16", "utf-16-le", "utf-32")),
    _case("schema-in-the-middle", "a schema among thousands of members", lambda: _in_the_middle(
          _operator("methodcaller", _text("system"), _text("echo forged"))), "reject", "skops/dangerous-node", name="model.bin"),
    _case("ordinary-utf-16", "an ordinary estimator whose schema is in UTF-16", lambda: _spelled("utf-16", _estimator()), "admit"),
    _case("ordinary-in-the-middle", "an ordinary estimator among thousands of members", lambda: _in_the_middle(_estimator()),
          "admit"),
    _case("operator-call", "an OperatorFuncNode calls operator.call and says that it is another type",
          lambda: _operator("call", _text("x"), module="sklearn.linear_model"), "reject", _D, advisories=("CVE-2025-54412",)),
    _case("operator-call-honest", "an OperatorFuncNode calls operator.call openly", lambda: _operator("call", _text("x")), "reject", _D),
    _case("operator-methodcaller", "an OperatorFuncNode makes a call of a method",
          lambda: _estimator(f=_operator("methodcaller", _text("__reduce__"))), "reject", _D),
    _case("method-of-another", "a MethodNode takes a method of another type than it says",
          lambda: _estimator(f=_method(node("builtins", "type", "TypeNode"), "mro", "sklearn.svm._classes", "SVC")), "reject", _D,
          advisories=("CVE-2025-54413",)),
    _case("method-globals", "a MethodNode takes __globals__ of a function",
          lambda: _estimator(f=_method(node("numpy", "log1p", "FunctionNode"), "__globals__", "numpy", "log1p")), "reject", _D),
    _case("object-os-system", "an ObjectNode is os.system", lambda: node("os", "system", "ObjectNode", _dict()), "reject", _D),
    _case("function-deep", "a FunctionNode many levels deep is subprocess.run",
          lambda: _estimator(a=_tuple(_dict(b=_tuple(_dict(c=node("subprocess", "run", "FunctionNode")))))), "reject", _D),
    _case("reduce-node", "a ConstructorFromReduceNode calls builtins.eval",
          lambda: node("builtins", "eval", "ConstructorFromReduceNode", _tuple(_text("1"))), "reject", _D),
    _case("type-node", "a TypeNode imports a module of the interpreter", lambda: _estimator(t=node("ctypes", "CDLL", "TypeNode")), "reject", _D),
    _case("partial", "a PartialNode holds os.popen",
          lambda: _estimator(f=node("functools", "partial", "PartialNode", {"func": node("os", "popen", "FunctionNode"), "args": _tuple(), "kwds": _dict(), "namespace": _dict()})),
          "reject", _D),
    _case("pickle-as-skops", "a pickle that is called model.skops, for which Card.get_model falls back to joblib",
          lambda: dump(Call(Name("os", "system"), ("echo x",)), 4), "reject", "pickle/runs-process", "file/name-mismatch", advisories=("CVE-2025-54886",)),
    _case("renamed", "the file has another name", lambda: node("os", "system", "ObjectNode", _dict()), "reject", _D, name="model.zip"),
    _case("project-type", "a type of the model's own code", lambda: _estimator(t=node("my_project.steps", "Cleaner")), "review", _U),
    _case("unknown-loader", "a loader that skops does not have", lambda: _estimator(t=node("builtins", "dict", "EvalNode")), "review", _U),
    _case("unknown-function", "a function of the model's own code", lambda: _estimator(f=node("steps", "clean", "FunctionNode")), "review", _U),
    _case("ordinary", "a logistic regression", _estimator, "admit"),
    _case("pipeline", "a pipeline with a function of NumPy",
          lambda: node("sklearn.pipeline", "Pipeline", "ObjectNode", _dict(steps=_tuple(_tuple(_text("f"), node("numpy", "log1p", "FunctionNode")), _tuple(_text("m"), _estimator())))),
          "admit"),
    _case("array", "an estimator with an array beside the schema",
          lambda: skops(_estimator(coef_=node("numpy", "ndarray", "NdArrayNode", None, type="numpy", file="1.npy")), {"1.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes(8))}), "admit"),
    _case("getter", "an item getter of operator", lambda: _estimator(key=_operator("itemgetter", _text(1))), "admit"),
    _case("words", "names of functions as texts", lambda: _estimator(a=_text("os.system"), b=_text("OperatorFuncNode")), "admit"),
    _case("types", "types as parameters", lambda: _estimator(dtype=node("numpy", "float64", "TypeNode"), kind=node("builtins", "float", "TypeNode")), "admit"),
)  # fmt: skip
