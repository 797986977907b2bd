"""Which names a condition uses: its text read as CEL's tokens, without the grammar above them.

Source: CEL language definition, "Syntax" (https://github.com/cel-expr/cel-spec, doc/langdef.md).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["literals", "looked_for", "renamed", "used_names"]

# a string, raw or not, is passed over whole, one without an end too, so that no input takes long; a chain of identifiers is what names can be in. A chain after a closing bracket
# or a string selects from a value, and is no name.
_TOKEN: Final = pattern(
    r"""(?P<raw>(?:[rR][bB]?|[bB][rR])(?:\"\"\"(?:[^"]|"(?!""))*(?:\"\"\")?|\'\'\'(?:[^']|'(?!\'\'))*(?:\'\'\')?|"[^"\n]*"?|'[^'\n]*'?))"""
    r"""|(?P<string>[bB]?(?:\"\"\"(?:[^\\"]|\\.|"(?!""))*(?:\"\"\")?|\'\'\'(?:[^\\']|\\.|'(?!\'\'))*(?:\'\'\')?|"(?:[^\\"\n]|\\.)*"?|'(?:[^\\'\n]|\\.)*'?))"""
    r"""|(?P<comment>//[^\n]*)"""
    r"""|(?P<number>\d[\w.]*)"""
    r"""|(?P<select>\.\s*[A-Za-z_]\w*)"""
    r"""|(?P<chain>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)""",
    re.ASCII | re.DOTALL,
)
_SPACE: Final = pattern(r"\s+")
_MARK: Final = pattern(r'"(\d+)"', re.ASCII)
_LISTED: Final = pattern(
    r"\[([^\[\]]*)\]\s*\.\s*(?:all|exists|exists_one)\s*\(\s*(\w+)\s*,\s*(\w+)\s+in\s+([\w.]+)", re.ASCII
)
_IN: Final = pattern(r'"(\d+)"\s+in\s+([\w.]+)', re.ASCII)
_EACH: Final = pattern(r"(?<![\w.])([\w.]+?)\s*\.\s*(?:all|exists|exists_one|filter)\s*\(", re.ASCII)


def used_names(text: str, declared: Collection[str]) -> tuple[str, ...]:
    """The names of ``declared`` that ``text`` uses, each once, in the order in which they first stand there.

    A name is the longest beginning of a chain ``a.b.c`` that is declared, as CEL resolves it.
    """
    out: dict[str, None] = {}
    for match in _TOKEN.finditer(text):
        if match["chain"] and (found := _longest(_SPACE.sub("", match["chain"]), declared)):
            out[found] = None
    return tuple(out)


def literals(text: str) -> tuple[str, ...]:
    """The texts that stand in quotes in ``text``, as they are written between them, in order."""
    out = []
    for match in _TOKEN.finditer(text):
        if match["raw"] or match["string"]:
            bare = match[0].lstrip("rRbB")
            size = 3 if bare[:3] in {'"""', "'''"} else 1
            out.append(bare[size:-size])
    return tuple(out)


def looked_for(text: str, name: str) -> tuple[str, ...]:
    """The texts that ``text`` looks for in the list ``name``, in order: ``'x' in name``, ``['x', 'y'].all(v, v in name)``, ``name.exists(v, v == 'x')``."""
    found: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if not (match["raw"] or match["string"]):
            return "" if match["comment"] else match[0]
        found.extend(literals(match[0]))
        return f'"{len(found) - 1}"'

    bare = _TOKEN.sub(mark, text)  # no bracket that is left stands in a text
    at = {int(match[1]) for match in _IN.finditer(bare) if match[2] == name}
    for match in _LISTED.finditer(bare):
        if match[4] == name and match[2] == match[3]:
            at |= {int(each[1]) for each in _MARK.finditer(match[1])}
    for match in _EACH.finditer(bare):
        if match[1] == name:
            at |= {int(each[1]) for each in _MARK.finditer(bare[match.end() : _closed(bare, match.end())])}
    return tuple(dict.fromkeys(found[each] for each in sorted(at)))


def _closed(text: str, at: int) -> int:
    """Where the bracket is closed that was opened before ``at``."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place
    return len(text)


def renamed(text: str, declared: Collection[str]) -> str:
    """``text`` with every name of ``declared`` as one identifier, for engines that know no dots in names."""

    def one(match: re.Match[str]) -> str:
        chain = _SPACE.sub("", match["chain"] or "")
        found = _longest(chain, declared)
        return found.replace(".", "__") + chain[len(found) :] if found else match[0]

    return _TOKEN.sub(one, text)


def _longest(chain: str, declared: Collection[str]) -> str:
    while chain:
        if chain in declared:
            return chain
        chain = chain.rpartition(".")[0]
    return ""
