"""Files that a call changes and from which programs are started: those of a shell, of Python itself, and the sources of other packages."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any

from openvet.core.pattern import pattern
from openvet.formats._python_calls import last_name, receiver
from openvet.formats._python_names import from_beside
from openvet.formats._python_nodes import children
from openvet.formats._python_record import MOST_LOOKED_AT, Record
from openvet.formats._python_resolve import LOCAL, NEAR

__all__ = ["starts_again"]

_COPYING = frozenset({"copy", "copy2", "copyfile", "move", "copytree", "rename", "replace", "symlink", "link"})
_OF_A_MODULE = pattern(r"\w\.__(?:file|path)__|getsourcefile|getfile|find_spec")


@lru_cache(maxsize=2)
def _names_modules(text: str) -> bool:
    return _OF_A_MODULE.search(text) is not None


def starts_again(uses: Record, node: ast.Call) -> str:
    """The text that says that the changed file is one from which programs are started."""
    if _names_modules(uses.text) and (other := _of_others_file(uses, node)):
        return other
    waiting: list[Any] = [node]
    for _ in range(MOST_LOOKED_AT):
        if not waiting:
            break
        part = waiting.pop()
        held = uses.held(part.id) if isinstance(part, ast.Name) else None
        if held is not None and not isinstance(held, ast.Name):
            waiting.append(held)
        text = uses.fold(part) if isinstance(part, ast.expr) else None
        if isinstance(text, str) and (found := uses.known.places.search(text)):
            return found.group()
        if isinstance(part, ast.Attribute) and part.attr in uses.known.ways:
            return part.attr
        waiting.extend(children(part))
    return ""


def _of_others_file(uses: Record, node: ast.Call) -> str:
    """The module from elsewhere whose own source a call changes: ``open(torch.__file__, 'a')``."""
    changed = node.args[-1:] if last_name(node.func) in _COPYING else node.args[:1]
    for part in (each for given in changed or receiver(node) for each in uses.all_of(given)):
        asked = part.value if isinstance(part, ast.Attribute) and part.attr in ("__file__", "__path__") else None
        if (
            isinstance(part, ast.Call)
            and part.args
            and last_name(part.func) in ("getfile", "getsourcefile", "find_spec")
        ):
            asked = part.args[0]
        text = uses.fold(asked) if asked is not None else None
        name = text if isinstance(text, str) else uses.resolve(asked) if asked is not None else None
        if name is not None and "()" not in name and not name.startswith((LOCAL, NEAR)) and not from_beside(name):
            return f"{name.removeprefix('builtins.')}.__file__"
    return ""
