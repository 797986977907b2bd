"""A pickle carries functions or classes as code.

What it finds:
    Code objects that dill and cloudpickle put together out of bytecode, constants and names; so do the copies of cloudpickle in
    numba, joblib, Ray and PySpark. Where the names in one give it a dangerous capability (it starts processes, evaluates text,
    opens connections, loads native code or pickles), the model is rejected; else the code is only told. A function that numba compiles
    without the interpreter (the distances of UMAP and PyNNDescent) is a note: it knows numbers and arrays only.

Why it matters:
    Whoever loads the file gets code that no package provides. It runs when the function is called, or when an instance of the
    class is made, and nobody reads bytecode before.

Example:
    ``cloudpickle.dumps(lambda x: __import__("os").system(x))``

Remedy:
    Ask for the source of the function, or for a model without it: save ``state_dict`` or skops instead of the whole object.

What it cannot see:
    What names are put together at run time, and what the code does with what it is given.

References:
    CWE-506; CWE-502; https://docs.python.org/3/library/pickle.html#what-can-be-pickled-and-unpickled
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from openvet.checks._check import Context
from openvet.checks.pickle._callables import Kind, classify
from openvet.checks.pickle._verdict import DO_NOT_LOAD, NEEDS, programs
from openvet.core.finding import Finding
from openvet.core.rule import Confidence, Rule, Severity
from openvet.core.tables import read_table
from openvet.core.text import printable, shorten

if TYPE_CHECKING:
    from openvet.formats.pickle.program import CodeObject

RULE = Rule(
    id="pickle/code-object",
    severity=Severity.MEDIUM,
    confidence=Confidence.HIGH,
    since="0.1.0",
    cwe=(506, 502),
    needs=NEEDS,
)

_DANGEROUS = frozenset({"process", "code", "native", "network", "nested"})
_MODULES = 64
_TEXT = 100
#: Taken from the built-ins these run text; as the name of a method (``model.eval()``) they mean something else.
_BUILTINS = frozenset({"__builtins__", "__import__", "breakpoint", "eval", "exec", "execfile"})


def check(ctx: Context) -> Iterator[Finding]:
    """One finding for each code object."""
    remedy = "Ask for the source of what it carries, or for a model that needs no code of its own."
    for program in programs(ctx):
        # by whatever names a function has them, in its globals or in a cell
        brought = [each.module for each in program.references if not each.name] if program.codes else []
        for code in program.codes:
            found = dangers_of(code, brought)
            names = [shorten(printable(name), 60) for name in code.names[:40]]
            evidence = {"names": names, "count": len(code.names), "whole": code.whole}
            if found:
                shown = ", ".join(found[:4])
                yield ctx.finding(
                    program.at(code.offset),
                    f"carries code that uses {shown}",
                    DO_NOT_LOAD,
                    severity=Severity.CRITICAL,
                    confidence=Confidence.MEDIUM,
                    evidence={**evidence, "dangerous": found[:20]},
                )
            else:
                compiled = (
                    code.compiled and code.whole and not any(_leads_out(name) for name in (*code.names, *code.texts))
                )
                what = "a function that numba compiles" if compiled else "a code object"
                yield ctx.finding(
                    program.at(code.offset),
                    f"carries {what} that uses {shorten(', '.join(names), 120) or 'no names'}",
                    remedy,
                    severity=Severity.NOTE if compiled else None,
                    evidence=evidence,
                )


def dangers_of(code: CodeObject, brought: Sequence[str] = ()) -> list[str]:
    """The dangerous callables that the names in a code object make up.

    Args:
        brought: modules that the pickle imports for its functions.
    """
    found: dict[str, None] = {}
    for name in code.loaded:
        if name in _BUILTINS:
            found[name] = None
    for name in code.loaded if code.scope else ():
        if classify(code.scope, name).capability in _DANGEROUS:
            found[f"{code.scope}.{name}"] = None
    words = dict.fromkeys([*code.names, *(text for text in code.texts if len(text) <= _TEXT and _is_name(text))])
    modules = [word for word in words if _is_module(word)][:_MODULES]
    for module in modules:
        if classify(module, "anything").capability in _DANGEROUS:
            found[module] = None
    for module in dict.fromkeys([*modules, *brought[:_MODULES]]):
        for word in words:
            known = classify(module, word)
            if word != module and known.kind is Kind.DANGEROUS and known.capability in _DANGEROUS:
                found[f"{module}.{word}"] = None
    return list(found)


def _leads_out(name: str) -> bool:
    """Whether code that numba compiles reaches the interpreter, other libraries or memory at an address by this name."""
    return name.startswith("__") or name in _tables()


@cache
def _tables() -> frozenset[str]:
    return frozenset(read_table("code_builders")["leads_out"])


def _is_name(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _is_module(word: str) -> bool:
    """Whether anything dangerous is known below a module of this name."""
    return _is_name(word) and (
        classify(word, "anything").kind is Kind.DANGEROUS or classify(word, "system").kind is Kind.DANGEROUS
    )
