"""R data: promises, functions and calls, and what ordinary statisticians save."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

from openvet.testing.case import Case
from openvet.testing.forge_r import (
    GLOBAL,
    MISSING,
    active,
    bytecode,
    call,
    closure,
    environment,
    frame,
    ints,
    names,
    pairs,
    promise,
    rdata,
    rds,
    reals,
    strings,
    sym,
    vec,
)

__all__ = ["CASES"]

_SHELL = call("system", strings("echo pwned"))


def _hostile(name: str, technique: str, forge: Callable[[], bytes], *rules: str, file: str = "model.rds") -> Case:
    return Case(
        id=f"rds/{name}",
        technique=technique,
        forge=forge,
        decision="reject",
        rules=frozenset(f"rds/{rule}" for rule in rules),
        formats=("rds",),
        advisories=("CVE-2024-27322",) if "promise" in rules else (),
        name=file,
    )


def _ordinary(name: str, technique: str, forge: Callable[[], bytes], file: str = "model.rds") -> Case:
    return Case(id=f"rds/{name}", technique=technique, forge=forge, decision="admit", formats=("rds",), name=file)


def _reviewed(name: str, technique: str, forge: Callable[[], bytes], *rules: str, file: str = "model.rds") -> Case:
    found = frozenset(rule if "/" in rule else f"rds/{rule}" for rule in rules)
    return Case(
        id=f"rds/{name}", technique=technique, forge=forge, decision="review", rules=found, formats=("rds",), name=file
    )


def _linear_model(**more: list[int | bytes | float]) -> list[int | bytes | float]:
    formula = [
        6 | 0x300,
        *pairs(("class", strings("formula")), (".Environment", GLOBAL)),
        *sym("~"),
        *pairs((None, sym("y")), (None, call("log", sym("x")))),
    ]
    parts = {
        "coefficients": reals(1.0, 2.0),
        "call": call("lm", formula, sym("d")),
        "model": frame(y=reals(1.0, 2.0, 3.0)),
        **more,
    }
    return vec(*parts.values(), attributes=pairs(("names", strings(*parts)), ("class", strings("lm"))))


_GZ = gzip.compress

CASES: tuple[Case, ...] = (
    _hostile("promise", "the object is a promise", lambda: rds(promise(_SHELL)), "promise", "dangerous-call"),
    _hostile(
        "promise-gzip",
        "a promise in a gzip stream",
        lambda: _GZ(rds(promise(_SHELL)), mtime=0),
        "promise",
        "dangerous-call",
    ),
    _hostile(
        "promise-bzip2",
        "a promise in a bzip2 stream",
        lambda: bz2.compress(rds(promise(_SHELL))),
        "promise",
        "dangerous-call",
    ),
    _hostile(
        "promise-xz",
        "a promise in an xz stream",
        lambda: lzma.compress(rds(promise(_SHELL))),
        "promise",
        "dangerous-call",
    ),
    _hostile(
        "promise-text", "a promise, written as text", lambda: rds(promise(_SHELL), "A"), "promise", "dangerous-call"
    ),
    _hostile(
        "promise-little", "a promise, little-endian", lambda: rds(promise(_SHELL), "B"), "promise", "dangerous-call"
    ),
    _hostile(
        "promise-v2", "a promise in version 2", lambda: rds(promise(_SHELL), version=2), "promise", "dangerous-call"
    ),
    _hostile(
        "promise-in-list",
        "a promise deep in lists",
        lambda: rds(vec(vec(promise(_SHELL)))),
        "promise",
        "dangerous-call",
    ),
    _hostile(
        "promise-in-attribute",
        "a promise as an attribute",
        lambda: rds(vec(ints(1), attributes=pairs(("names", promise(_SHELL))))),
        "promise",
        "dangerous-call",
    ),
    _hostile(
        "promise-as-variable",
        "load() defines a promise",
        lambda: rdata(("model", promise(_SHELL))),
        "promise",
        "dangerous-call",
        file="model.RData",
    ),
    _hostile("promise-of-a-name", "a promise that only names a variable", lambda: rds(promise(sym("x"))), "promise"),
    _hostile(
        "promise-in-environment",
        "a variable of an environment is a promise with a shell",
        lambda: rds(environment(("weights", promise(_SHELL)))),
        "dangerous-call",
    ),
    _hostile(
        "function-with-shell",
        "a predict function starts a program",
        lambda: rds(_linear_model(predict=closure(call("{", _SHELL)))),
        "dangerous-call",
    ),
    _hostile(
        "qualified",
        "base::system",
        lambda: rds(closure(call(call("::", sym("base"), sym("system")), strings("echo")))),
        "dangerous-call",
    ),
    _hostile(
        "handed-on",
        "do.call with the name as text",
        lambda: rds(closure(call("do.call", strings("system"), call("list", strings("echo"))))),
        "dangerous-call",
        "carries-code",
    ),
    _hostile(
        "eval-parse",
        "text is parsed and evaluated",
        lambda: rds(closure(call("eval", call("parse", strings("1"))))),
        "dangerous-call",
        "carries-code",
    ),
    _hostile(
        "bytecode",
        "compiled code whose constants name a shell",
        lambda: rds(closure(bytecode((1, sym("system")), (16, strings("echo"))))),
        "dangerous-call",
    ),
    _hostile(
        "bytecode-call",
        "a call among the constants of compiled code",
        lambda: rds(closure(bytecode((6, [*[254], 1, *sym("system"), 2, *[254], 16, *strings("echo"), 254, 254])))),
        "dangerous-call",
    ),
    _hostile(
        "active-binding",
        "an active binding with a shell",
        lambda: rds(environment(last=active("weights", closure(_SHELL)))),
        "active-binding",
        "dangerous-call",
    ),
    _hostile(
        "first",
        "load() defines .First",
        lambda: rdata((".First", closure(call("{", ints(1))))),
        "runs-on-start",
        file=".RData",
    ),
    _hostile(
        "recorded-call",
        "the recorded call of a model is a shell",
        lambda: rds(vec(_SHELL, attributes=names("call"))),
        "dangerous-call",
    ),
    _reviewed(
        "function-of-a-package",
        "a function calls what nobody knows",
        lambda: rds(closure(call("helper", sym("x")))),
        "carries-code",
    ),
    _reviewed(
        "promise-in-environment-unknown",
        "an unkept promise in an environment calls what nobody knows",
        lambda: rds(environment(("data", promise(call("fetch_it"))))),
        "carries-code",
    ),
    _reviewed(
        "active-binding-plain",
        "an active binding that computes",
        lambda: rds(environment(last=active("n", closure(call("+", ints(1), ints(2)))))),
        "active-binding",
    ),
    _reviewed("cut-off", "an object that breaks off", lambda: rds(_linear_model())[:-40], "file/malformed"),
    _ordinary("data-frame", "a data frame", lambda: rds(frame(x=reals(1.0, 2.0, 3.0), name=strings("a", "b", "c")))),
    _ordinary(
        "data-frame-gzip", "a data frame as saveRDS writes it", lambda: _GZ(rds(frame(x=ints(1, 2, 3))), mtime=0)
    ),
    _ordinary("data-frame-text", "a data frame as text", lambda: rds(frame(name=strings("a b", "c\\d", "ä")), "A")),
    _ordinary("linear-model", "a linear model with its formula and call", lambda: rds(_linear_model())),
    _ordinary(
        "linear-model-rdata",
        "a linear model that load() defines",
        lambda: rdata(("fit", _linear_model())),
        "model.RData",
    ),
    _ordinary(
        "kept-promise",
        "an environment with a promise whose value is there",
        lambda: rds(environment(("n", promise(call("length", sym("x")), value=ints(3))))),
    ),
    _ordinary(
        "plain-promise",
        "an argument of a function that was not looked at yet",
        lambda: rds(environment(("n", promise(call("length", sym("x")))))),
    ),
    _ordinary(
        "function-that-computes",
        "a link function",
        lambda: rds(closure(call("{", call("log", call("/", sym("mu"), sym("n")))), pairs(("mu", MISSING)))),
    ),
    _ordinary(
        "column-named-system", "a formula with a column named system", lambda: rds(call("~", sym("y"), sym("system")))
    ),
    _ordinary(
        "external-pointer", "an external pointer, which loads as nothing", lambda: rds(vec([22, 254, 254], reals(1.0)))
    ),
)
