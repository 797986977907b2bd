"""Calls that a source does not write down as such: a function that is handed to somebody who calls it later, and a name that is put together first."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from openvet.formats._python_calls import last_name
from openvet.formats._python_ends import ends

if TYPE_CHECKING:
    from openvet.formats._python_record import Record

__all__ = ["deferred", "spelled"]

#: Names that are dangerous on whatever they are taken from, where somebody takes the trouble to spell them.
_DANGEROUS: Final = frozenset(
    {
        "eval",
        "exec",
        "system",
        "popen",
        "__import__",
        "execfile",
        "Popen",
        "check_output",
        "getoutput",
        "check_call",
        "spawn",
        "execve",
        "execv",
        "loads",
        "compile",
    }
)


def spelled(uses: Record, called: ast.expr) -> str | None:
    """The name of something dangerous that is put together to take it out of anything: ``x["".join(...)]``, ``reduce(getattr, [...], x)``."""
    if isinstance(called, ast.Subscript):
        asked: list[ast.expr] = [called.slice]
    elif (
        isinstance(called, ast.Call)
        and len(called.args) > 1
        and "builtins.getattr" in (uses.resolve(called.func), uses.resolve(called.args[0]))
    ):
        asked = [called.args[1]]
    else:
        return None
    for each in asked:
        text = None if isinstance(each, ast.Constant | ast.Name) else uses.fold(each)
        if (
            text is None
            and isinstance(each, ast.Call)
            and isinstance(each.func, ast.Attribute)
            and each.func.attr == "split"
        ):
            whole = uses.fold(each.func.value)
            text = whole.replace(".", " ").split() if isinstance(whole, str) else None
        for word in text if isinstance(text, list) else [text]:
            if isinstance(word, str) and word in _DANGEROUS:
                return word
    return None


def deferred(uses: Record, node: ast.Call) -> ast.Call | None:
    """What a call makes somebody call later, as a call: ``Thread(target=post, args=(url,))``, ``pool.submit(post, url)``, ``partial(post, url)``."""
    words = {each.arg: each.value for each in node.keywords if each.arg}
    target = words.get("target") or words.get("function")
    args, rest = (
        list(node.args),
        [
            each
            for each in node.keywords
            if each.arg not in ("target", "function", "args", "kwargs", "name", "daemon", "group")
        ],
    )
    if target is None:
        at = next(
            (
                at
                for at, each in enumerate(args[:3])
                if isinstance(each, ast.Attribute | ast.Name) and _may_be_called(uses, each)
            ),
            None,
        )
        if at is None:
            return None
        target, args = args[at], args[at + 1 :]
    elif not _may_be_called(uses, target):
        return None
    given, named = words.get("args"), words.get("kwargs")
    if last_name(node.func) == "Timer" and given is None:
        given, args = (args[0] if args else None), []
    if isinstance(given, ast.Tuple | ast.List):
        args = list(given.elts)
    if isinstance(named, ast.Dict):
        rest = [
            ast.keyword(key.value, value)
            for key, value in zip(named.keys, named.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        ]
    made = ast.Call(target, args, rest)
    return ast.copy_location(made, node)


def _may_be_called(uses: Record, node: ast.expr) -> bool:
    """Whether a callable that is handed over is one that matters by what it is given."""
    name = uses.resolve(node) or ""
    return (
        uses.known.of(name) in ("network", "process", "code", "load")
        or name in ends().runs.code
        or (
            isinstance(node, ast.Attribute) and (node.attr in ("system", "popen") or node.attr in ends().sends.messages)
        )
    )
