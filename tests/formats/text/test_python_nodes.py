"""The nodes of a tree are those of ``ast.walk``, without contexts and operators."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import openvet
from openvet.formats._python_nodes import children, fields_of, walk

_LEFT_OUT = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_RARE = """
import a.b as c, d
from .e import f as g, h
async def i(j: int, /, k=1, *l, m, n=2, **o) -> None:
    async with p() as q, r:
        async for s in t:
            await u
    return [v async for v in w if v]
class X(Y, metaclass=Z):
    global aa
    bb: int = {**cc, 'dd': 1}
match x:
    case {"a": 1, **rest}: pass
    case [1, *others] | Point(x=0, y=None) as p if p: pass
    case None | True: pass
try:
    raise A from b
except* E as e:
    del e, f[1:2:3], g.h
else:
    lambda *, kw, d=1: (yield)
while x < y <= z or not w: x += -1 if (n := 2) else f"{a!r:>{b}} {c}"
with a: assert b, c
"""


def test_walk_gives_what_the_standard_library_gives() -> None:
    folder = Path(openvet.__file__).parent / "formats"
    for text in (_RARE, *(each.read_text() for each in sorted(folder.glob("_python_*.py")))):
        tree = ast.parse(text)
        assert list(walk(tree)) == [each for each in ast.walk(tree) if not isinstance(each, _LEFT_OUT)]


def test_children_are_those_of_the_standard_library() -> None:
    for node in ast.walk(ast.parse(_RARE)):
        assert children(node) == [each for each in ast.iter_child_nodes(node) if not isinstance(each, _LEFT_OUT)]


@pytest.mark.parametrize("kind", [ast.Constant, ast.Name, ast.Global, ast.alias, ast.MatchSingleton])
def test_what_holds_no_node_has_no_fields(kind: type[ast.AST]) -> None:
    assert fields_of(kind()) == ()


def test_a_node_that_was_made_without_its_fields_has_no_children() -> None:
    assert children(ast.Call()) == []  # type: ignore[call-arg]
