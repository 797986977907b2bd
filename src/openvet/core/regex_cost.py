"""What a regular expression may cost an engine that goes back and tries again: whether texts exist on which it takes exponentially long.

The expression is parsed (Oniguruma, PCRE and Python alike, as far as they agree) and never run. A heuristic: a repetition is told
whose inside can be divided between its turns in more than one way, where something behind it can still fail; sets of characters are
compared on samples of each category. What the parser does not know gives no answer.

Reference: J. Kirrage, A. Rathnayake, H. Thielecke: Static Analysis for Regular Expression Denial-of-Service Attacks, NSS 2013; CWE-1333.
"""

from __future__ import annotations

from typing import Final

from openvet.core.regex_tree import ALL, MANY, Node, Unparsed, parse

__all__ = ["slow_part"]

_LONGEST: Final = 20_000
#: Turns that count as many: of the outer repetition, and of the inner one.
_OUTER: Final = 8
_INNER: Final = 20
#: So many repetitions one behind the other of the same characters take the fourth power of the text's length.
_ADJACENT: Final = 4
_BRANCHES: Final = 64
_UNITS: Final = 60
_PARTS: Final = 200


def slow_part(expression: str) -> str | None:
    """Why an expression can take exponentially long, or a high power of the text's length; ``None`` where nothing says so."""
    if len(expression) > _LONGEST or not any(each in expression for each in "*+{"):
        return None
    try:
        tree = parse(expression)
    except (Unparsed, RecursionError):
        return None
    return _judge(tree, ends=False)


def _judge(node: Node, *, ends: bool) -> str | None:
    """``ends``: whether something that can fail follows."""
    if node.kind == "cat":
        if _run(node.inner, ends=ends):
            return "several repetitions of the same characters stand one behind the other"
        later = ends
        for each in reversed(node.inner):
            if found := _judge(each, ends=later):
                return found
            later = later or _can_fail(each)
        return None
    if node.kind == "rep":
        body = node.inner[0]
        if ends and not node.closed and node.most >= _OUTER and (_divides(body) or _overlaps(body)):
            return "a repetition can be divided between its turns in more than one way"
        if node.closed:
            return None
        return _judge(body, ends=ends or (node.most > 1 and _can_fail(body)))
    for each in node.inner:
        if found := _judge(each, ends=ends if node.kind == "or" else True):
            return found
    return None


def _can_fail(node: Node) -> bool:
    return node.kind in ("end", "any") or not _nullable(node)


def _nullable(node: Node) -> bool:
    if node.kind in ("set", "any"):
        return False
    if node.kind == "rep":
        return node.least == 0 or _nullable(node.inner[0])
    return any(map(_nullable, node.inner)) if node.kind == "or" else all(map(_nullable, node.inner))


def _chars(node: Node) -> int:
    """Every character that may be in it."""
    out = node.chars
    for each in node.inner if node.kind != "end" else ():
        out |= _chars(each)
    return out


def _divides(body: Node) -> bool:
    """Whether some way through ``body`` has a long repetition, and nothing beside it that has to be of other characters."""
    for way in body.inner if body.kind == "or" else (body,):
        parts = way.inner if way.kind == "cat" else [way]
        for at, part in enumerate(parts if len(parts) <= _PARTS else ()):
            if (
                part.kind in ("or", "cat")
                and _divides(part)
                and all(_nullable(each) for each in parts[:at] + parts[at + 1 :])
            ):
                return True
            if part.kind != "rep" or part.closed:
                continue
            if part.most < _INNER:
                if (
                    part.least <= 1
                    and _divides(part.inner[0])
                    and all(_nullable(each) for each in parts[:at] + parts[at + 1 :])
                ):
                    return True
                continue
            common = _chars(part.inner[0])
            if part.inner[0].kind == "set" and common and _all_share([*parts[:at], *parts[at + 1 :]], common):
                return True
            if part.inner[0].kind != "set" and all(_nullable(each) for each in parts[:at] + parts[at + 1 :]):
                return True
    return False


def _all_share(parts: list[Node], common: int) -> bool:
    """Whether all that has to be there can be one character of ``common``, the same everywhere."""
    for part in parts:
        if not _nullable(part):
            if part.kind in ("end", "any"):
                return False
            common &= _sure(part)
            if not common:
                return False
    return True


def _sure(node: Node) -> int:
    """Characters of which a text of any one alone can be the whole node."""
    if node.kind == "set":
        return node.chars
    if node.kind == "rep":
        return _sure(node.inner[0])
    out = ALL if node.kind == "cat" else 0
    for each in node.inner:
        if node.kind == "cat":
            out &= ALL if _nullable(each) else _sure(each)
        else:
            out |= _sure(each)
    return out


def _overlaps(body: Node) -> bool:
    """Whether one branch is what others, one behind the other, can be as well."""
    while body.kind == "cat" and len(body.inner) == 1:
        body = body.inner[0]
    if body.kind != "or" or len(body.inner) > _BRANCHES:
        return False
    ways = [way for each in body.inner if (way := _units(each))]
    for at, way in enumerate(ways):
        others = ways[:at] + ways[at + 1 :]
        reached = {0}
        for place in range(len(way)):
            if place in reached:
                reached |= {place + len(each) for each in others
                            if place + len(each) <= len(way) and all(one & other for one, other in zip(each, way[place:], strict=False))}  # fmt: skip
        if len(way) in reached:
            return True
    return False


def _units(node: Node) -> list[int]:
    """The sets of a branch of fixed length; empty for another one."""
    if node.kind == "set":
        return [node.chars]
    if node.kind == "rep" and node.least == node.most <= _UNITS:
        inner = _units(node.inner[0])
        return inner * node.least if len(inner) * node.least <= _UNITS else []
    if node.kind == "cat":
        parts = [_units(each) for each in node.inner]
        return [unit for part in parts for unit in part] if all(parts) and sum(map(len, parts)) <= _UNITS else []
    return []


def _run(parts: list[Node], *, ends: bool) -> bool:
    """Whether so many repetitions of the same characters follow each other, and something behind them."""
    count, common = 0, 0
    for at, part in enumerate(parts):
        if part.kind == "rep" and not part.closed and part.most >= MANY and part.inner[0].kind == "set":
            shared = common & part.inner[0].chars if count else part.inner[0].chars
            count, common = (count + 1, shared) if shared else (1, part.inner[0].chars)
            if count >= _ADJACENT and (ends or any(map(_can_fail, parts[at + 1 :]))):
                return True
        elif not _nullable(part):
            count = 0
    return False
