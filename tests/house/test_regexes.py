"""No regular expression of the package takes more than linear time on what a model's author writes."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from tests.house.regex_growth import growth
from tests.house.sources import SRC, modules, nodes, tree

from openvet.core import pattern as lazy
from openvet.formats import _shell_line

_Lazy: Any = type(lazy.pattern(""))
_WAYS = {"match": "match", "fullmatch": "fullmatch"} | dict.fromkeys(
    ("search", "finditer", "findall", "sub", "subn", "split"), "search"
)


#: Patterns that reach their call through a variable.
_HANDED_ON = {"openvet.formats._json_stream._PAIR_RUN": {"match"}, "openvet.formats._json_stream._ITEM_RUN": {"match"}}


def _modules() -> dict[str, Path]:
    return {
        ".".join(("openvet", *path.relative_to(SRC).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in modules()
    }


def _called(path: Path) -> dict[str, set[str]]:
    """The last part of a name, and in which ways it is called as a pattern: ``_X.search(...)`` is ``_X`` and ``search``."""
    ways: dict[str, set[str]] = defaultdict(set)
    for node in nodes(path):
        # also a method that is only taken: ``starts=_X.finditer``
        if isinstance(node, ast.Attribute) and node.attr in _WAYS:
            value = node.value
            name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
            ways[name].add(_WAYS[node.attr])
    return ways


def _value(node: ast.expr, module: Any) -> Any:
    return eval(ast.unparse(node), {"re": re, **vars(module)})


def _written(path: Path, module: Any) -> list[tuple[int, re.Pattern[Any], set[str]]]:
    """The patterns that stand in calls of ``re``, with their line."""
    out = []
    for node in nodes(path):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            continue
        if node.func.value.id != "re" or node.func.attr not in _WAYS:
            continue
        at = {"sub": 3, "subn": 3, "split": 2}.get(node.func.attr, 2)
        flags = [*node.args[at : at + 1], *(each.value for each in node.keywords if each.arg == "flags")]
        pattern = _value(node.args[0], module)
        flag = _value(flags[0], module) if flags else 0
        out.append((node.lineno, re.compile(pattern, flag), {_WAYS[node.func.attr]}))
    return out


def _patterns() -> list[tuple[str, re.Pattern[Any], str]]:
    out: dict[tuple[str, str], Any] = {}
    everywhere: dict[str, set[str]] = defaultdict(set)
    called = {name: _called(path) for name, path in _modules().items()}
    for found in called.values():
        for name, ways in found.items():
            everywhere[name] |= ways
    for name, path in _modules().items():
        imported = {
            each.name for node in nodes(path) if isinstance(node, ast.Import | ast.ImportFrom) for each in node.names
        }
        if imported.isdisjoint({"re", "pattern"}):
            continue
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            if isinstance(value, re.Pattern | _Lazy):
                own = _HANDED_ON.get(f"{name}.{attribute}") or called[name].get(attribute) or everywhere.get(attribute)
                for way in sorted(own or {"search"}):
                    out[f"{name}.{attribute}", way] = re.compile(value.pattern, value.flags)
        for line, pattern, ways in _written(path, module):
            for way in ways:
                out[f"{name}:{line}", way] = pattern
    once = {(pattern.pattern, pattern.flags, way): (where, pattern, way) for (where, way), pattern in out.items()}
    return list(once.values())


def _made() -> Iterator[tuple[str, re.Pattern[Any], str]]:
    """The patterns that a function makes, some of them out of the data; the names are those of the functions."""
    from openvet.checks.pickle._callables import _tables
    from openvet.formats import _program_roles, _protobuf, _python_ends, _python_names, _secrets
    from openvet.formats._program_roles import ROLES
    from openvet.formats.npy import _Literal
    from openvet.formats.safetensors import _Walk
    from openvet.openness.signs import _rules
    from openvet.workflows import observed

    yield "_tables", _tables().pattern, "fullmatch"
    yield "capabilities", _python_names.capabilities().places, "search"
    yield "words", _python_names.words(), "search"
    yield "split_words", _python_names.split_words()[1], "search"
    yield "_renamed", _with_few_names(_python_names), "search"
    yield "ends", _python_ends.ends().words, "search"
    starts, forms = _secrets._forms()
    yield "_forms", starts, "search"
    for form in {each.id: each for several in forms.values() for each in several}.values():
        yield "_forms", form.pattern, "search"
    for _, names, _, _ in _rules():
        if names is not None:
            yield "_rules", names, "match"
    for version in (1, 3):
        yield "__init__", _Literal("", 0, version)._token, "match"
    header = _Walk("{}", None, 0)  # type: ignore[arg-type]
    for pattern in (header._blank, header._usual):
        yield "__init__", pattern, "match"
    yield "__init__", header._marks, "search"
    for wire, texts in ((0, ()), (1, ()), (2, (b"\x0a\x01a", b"\x0a\x02ab")), (5, ())):
        yield "_run_of", _protobuf._run_of(b"\x0a", wire, texts), "match"
    for first, then in (*_shell_line._REVERSE_PAIRS, *_shell_line._DESTROYS_PAIRS, *_shell_line._HIDDEN_PAIRS):
        yield "_pair", first, "search"
        yield "_pair", then, "search"
    for folder in (False, True):
        yield "_place", observed._place("/tmp/a b", folder=folder), "search"
    # classes of one character, each held against one character
    yield "_one", re.compile(r"[\w-]"), "fullmatch"
    for language in ROLES:
        for _, names in _program_roles._patterns(language):
            yield "_patterns", names, "fullmatch"


def _with_few_names(module: Any) -> re.Pattern[str]:
    """The pattern of imports by another name, with some of its names: there are hundreds, all of one form, and each costs as much to look at."""
    names = (*(each.partition(".")[0] for each in (*module.modules(), *module.loaders())), *module._COMMON)
    assert [each for each in names if not re.fullmatch(r"\w+", each, re.ASCII)] == []
    few: dict[str, Any] = {
        "modules": lambda: ("os", "ossaudiodev", "posix"),
        "loaders": lambda: frozenset({"torch", "torchaudio.x"}),
        "_COMMON": frozenset({"load", "loads", "open"}),
    }
    with mock.patch.multiple(module, **few):
        found: re.Pattern[str] = module._renamed.__wrapped__()
    return found


def test_time_is_linear() -> None:
    # one test for all: who collects tests need not parse the package
    grown = {(where, way): found for where, pattern, way in (*_patterns(), *_made()) if (found := growth(pattern, way))}
    assert grown == {}


def test_every_pattern_is_looked_at() -> None:
    """Whatever compiles a pattern inside of a function is one of those that :func:`_made` asks; modules have lazy ones."""
    inside = {
        function.name
        for name, path in _modules().items()
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile" and not name.endswith("core.pattern")
    }
    assert inside == {name for name, _, _ in _made()}


def test_patterns_of_modules_are_compiled_when_they_are_used() -> None:
    at_start = [
        f"{name}:{node.lineno}"
        for name, path in _modules().items()
        for node in tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.value is not None
        and ast.unparse(node.value).startswith("re.compile(")
    ]
    assert not at_start, "write pattern(...) of openvet.core.pattern: the start of every command pays for re.compile"


@pytest.mark.parametrize(
    ("text", "way", "kind"),
    [
        ("(a+)+b", "match", "exponential"),
        ("(a*)*b", "match", "exponential"),
        ("(?:a|a)*b", "fullmatch", "exponential"),
        ("(x+x+)+y", "match", "exponential"),
        ("(?>(a+)+b)", "match", "exponential"),
        (r"(?:\*\*|[*a])*", "fullmatch", "exponential"),
        ("a*a*b", "match", "quadratic"),
        ("a*a++b", "match", "quadratic"),
        ("a{0,900}a{0,900}b", "match", "quadratic"),
        (r"[a-z]+[a-z0-9]+", "fullmatch", "quadratic"),
        (".*,.*,.*x", "match", "quadratic"),
        ("(?:a*b|a)*", "match", "quadratic"),
        ("a*b", "search", "quadratic"),
        ("a++b", "search", "quadratic"),
        (r"\s+$", "search", "quadratic"),
        (r"(?m)^\s*x", "search", "quadratic"),
        ("<[^>]*>", "search", "quadratic"),
        (r"\bcurl\b.*\bsh\b", "search", "quadratic"),
        ('"(?:[^"\\\\]|\\\\.)*"', "search", "quadratic"),
        ("a*b", "match", None),
        ("a++a*b", "match", None),
        ("a+", "search", None),
        ("(?:a|ab)*c", "match", None),
        ("a{0,9}a{0,9}b", "search", None),
        ("<[^<>]*>", "search", None),
        (r"\A\s*x", "search", None),
        (r"(?m)^[ \t]*x", "search", None),
        (r"\b\w+\(", "search", None),
        (r"(?<!\w)\w+\(", "search", None),
        (r"([a-z]\w*+)( *+\()?", "search", None),
        ('"(?:[^"\\\\]|\\\\.)*"?', "search", None),
    ],
)
def test_growth_is_told_from_the_structure(text: str, way: str, kind: str | None) -> None:
    found = growth(re.compile(text), way)
    assert (found.split(":")[0] if found else None) == kind
