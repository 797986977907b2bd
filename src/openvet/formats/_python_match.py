"""The names that a pattern of a ``match`` statement binds, as expressions of its subject."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["binds"]

_MOST = 200


def binds(pattern: ast.pattern, subject: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    """``case object(system=f)`` binds ``f`` to ``subject.system``; ``case [f]`` to ``subject[0]``."""
    waiting: list[tuple[ast.pattern, ast.expr | None]] = [(pattern, subject)]
    for _ in range(_MOST):
        if not waiting:
            return
        each, of = waiting.pop()
        if isinstance(each, ast.MatchAs):
            if each.name is not None:
                yield each.name, of
            if each.pattern is not None:
                waiting.append((each.pattern, of))
        elif isinstance(each, ast.MatchOr):
            waiting.extend((part, of) for part in each.patterns)
        elif isinstance(each, ast.MatchSequence):
            waiting.extend((part, _item(of, ast.Constant(index))) for index, part in enumerate(each.patterns))
        elif isinstance(each, ast.MatchMapping):
            waiting.extend((part, _item(of, key)) for key, part in zip(each.keys, each.patterns, strict=True))
        elif isinstance(each, ast.MatchClass):
            # one pattern in place is the subject itself for the builtins, and some attribute of it otherwise
            waiting.extend((part, of) for part in each.patterns)
            pairs = zip(each.kwd_attrs, each.kwd_patterns, strict=True)
            waiting.extend((part, None if of is None else _at(ast.Attribute(of, name, ast.Load()), of))
                           for name, part in pairs)  # fmt: skip


def _item(of: ast.expr | None, key: ast.expr) -> ast.expr | None:
    return None if of is None else _at(ast.Subscript(of, key, ast.Load()), of)


def _at(node: ast.expr, of: ast.expr) -> ast.expr:
    return ast.copy_location(node, of)
