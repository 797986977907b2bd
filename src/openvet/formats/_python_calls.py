"""What is asked of a Python syntax tree before anybody knows what its names stand for: names as they are written, parameters, a few lists of calls."""

from __future__ import annotations

import ast
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["DECODES", "FINDS", "arguments_of", "dotted", "heads_of", "last_name", "parameters", "receiver"]

#: Last parts of calls that give what was spelled in another way.
DECODES: Final = frozenset({
    "decode", "fromhex", "unhexlify", "a2b_hex", "a2b_base64", "b64decode", "urlsafe_b64decode", "standard_b64decode", "b32decode", "b16decode", "a85decode",
    "b85decode", "decompress", "unquote", "unquote_plus",
})  # fmt: skip
#: Last parts of calls that give the files of a folder.
FINDS: Final = frozenset({"rglob", "glob", "iglob", "walk", "listdir", "iterdir", "scandir"})
#: Programs that read what they run from what follows them.
_SHELLS: Final = pattern(
    r"(?:/\w{1,20}){0,4}/?(?:ba|z|da|k)?sh|cmd(?:\.exe)?|powershell(?:\.exe)?|pwsh|python[23]?(?:\.\d{1,2})?|node|perl|ruby|php"
)


def last_name(node: ast.AST) -> str:
    """The last part of a name as it is written; empty for what has no name."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.expr, nameless: str = "") -> str:
    """A name as it is written, with all its parts; ``nameless`` stands for what it begins with where that has none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id if isinstance(node, ast.Name) else nameless]))


def parameters(scope: ast.AST, *, starred: bool = False) -> frozenset[str]:
    """What a function is given, by name, without the object or class that it is a method of; ``starred``: ``*args`` and ``**kwargs`` as well."""
    arguments = getattr(scope, "args", None)
    if not isinstance(arguments, ast.arguments):
        return frozenset()
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if starred:
        given += filter(None, (arguments.vararg, arguments.kwarg))
    return frozenset(each.arg for each in given) - {"self", "cls"}


def receiver(call: ast.Call) -> list[ast.expr]:
    """What a method is called on; nothing for a call by a plain name."""
    return [call.func.value] if isinstance(call.func, ast.Attribute) else []


def arguments_of(call: ast.Call) -> list[ast.expr]:
    """All that a call is given, by place and by name."""
    return [*call.args, *(each.value for each in call.keywords)]


def heads_of(node: ast.Call) -> list[ast.expr]:
    """What says which program is started: the command, or the first of a list, or what a shell is given to read."""
    first = node.args[:1] or [each.value for each in node.keywords if each.arg in ("args", "cmd", "command", "source")]
    if first and isinstance(first[0], ast.List | ast.Tuple) and first[0].elts:
        elts = first[0].elts
        head = elts[0].value if isinstance(elts[0], ast.Constant) else None
        if isinstance(head, str):
            return elts[2:3] if _SHELLS.fullmatch(head) and len(elts) > 2 else []
        if last_name(elts[0]) == "executable" and len(elts) > 2:  # sys.executable, "-c", a program
            flag = elts[1].value if isinstance(elts[1], ast.Constant) else None
            return elts[2:3] if flag == "-c" else []
        return elts[:1]
    return list(first)
