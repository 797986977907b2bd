"""Pickles that reach the interpreter by ways round: format strings that walk, methods of containers, classes that load by a name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, assemble, dump

__all__ = ["CASES"]

_WALK = "{0.__class__.__init__.__globals__}"
_CLASS = Name("collections", "OrderedDict")
_COMPUTED, _OTHER, _NESTED, _CARRIED = (
    "pickle/computed-name",
    "pickle/other-dangerous-callable",
    "pickle/loads-nested",
    "pickle/carried-code",
)


def _method(value: Any, name: str, *arguments: Any) -> Call:
    return Call(Call(Name("builtins", "getattr"), (value, name)), arguments)


_HOSTILE: tuple[tuple[str, str, Any, tuple[str, ...]], ...] = (
    ("format-bound", "format of a text that walks to the globals", _method(_WALK, "format", _CLASS), (_COMPUTED,)),
    ("format-unbound", "str.format as a function", Call(Name("builtins", "str.format"), (_WALK, _CLASS)), (_COMPUTED,)),
    ("format-map", "the same by format_map", Call(Name("builtins", "str.format_map"), ("{a.__class__}", {"a": 1})), (_COMPUTED,)),
    ("append-path", "the search path grows by list.append", Call(Name("builtins", "list.append"), (Name("sys", "path"), "forged")),
     (_OTHER, _CARRIED)),
    ("update-environment", "the environment changes by dict.update",
     Call(Name("builtins", "dict.update"), (Name("os", "environ"), {"PYTHONSTARTUP": "x"})), (_OTHER, _CARRIED)),
    ("yolo", "a class of Ultralytics that loads the pickle that it is given", Call(Name("ultralytics", "YOLO"), ("forged.pt",)), (_NESTED,)),
    ("sentence-transformer", "a class of sentence-transformers that loads what it is given",
     Call(Name("sentence_transformers.SentenceTransformer", "SentenceTransformer"), ("forged/model",)), (_NESTED,)),
    ("fastai", "a learner of fastai from a pickle", Call(Name("fastai.learner", "load_learner"), ("forged.pkl",)), (_NESTED,)),
    ("frame-query", "a frame that evaluates an expression", _method(Call(Name("pandas", "DataFrame"), ({"a": [1]},)), "query", "@x"),
     ("pickle/runs-code",)),
)  # fmt: skip
_REBUILT = "PROTO 4\nGLOBAL {}\nEMPTY_TUPLE\nNEWOBJ\nEMPTY_DICT\nBUILD\nSTOP"
_HARMLESS: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
    ("format-plain", "format of a text with plain fields",
     partial(dump, Call(Name("builtins", "str.format"), ("{0} {1[a]} {x.y} {{a.__class__}}", 1)), 4)),
    ("append-own", "list.append on a list of the file", partial(dump, Call(Name("builtins", "list.append"), ([1], 2)), 4)),
    ("rebuilt-yolo", "a model of Ultralytics that is rebuilt from its parts",
     lambda: assemble(_REBUILT.format("ultralytics.models.yolo.model YOLO"))),
    ("rebuilt-sentence-transformer", "a model of sentence-transformers that is rebuilt from its parts",
     lambda: assemble(_REBUILT.format("sentence_transformers.SentenceTransformer SentenceTransformer"))),
)  # fmt: skip


def _case(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "reject"], *rules: str
) -> Case:
    return Case(f"walks/{name}", technique, forge, decision, frozenset(rules), ("pickle",), (), "model.pkl")


CASES: tuple[Case, ...] = (
    *(_case(name, technique, partial(dump, value, 4), "reject", *rules) for name, technique, value, rules in _HOSTILE),
    *(_case(name, technique, forge, "admit") for name, technique, forge in _HARMLESS),
)
