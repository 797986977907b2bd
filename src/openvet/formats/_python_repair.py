"""Python that does not parse, made to parse as far as possible: statements of Python 2, null characters, and lines that fit nowhere.

Who runs such a file may have another interpreter, or one that reads it as something else, or repairs it; what stands in the rest of it
is looked at all the same. The lines keep their numbers.
"""

from __future__ import annotations

import ast
from typing import Final

from openvet.core.pattern import pattern

__all__ = ["is_also_shell", "repaired"]

_LONGEST: Final = 128 * 1024
#: Lines that are given up, and characters that are parsed again and again for it.
_LINES: Final = 60
_PARSED: Final = 1_500_000
_LONGEST_LINE: Final = 2_000
_PRINT: Final = pattern(
    r"^([ \t]{0,80})(print|exec)(?:[ \t]{1,9}>>[ \t]{0,9}[\w.]{1,80},)?(?:[ \t]{1,9}(?![(=.])(.*))?$"
)
_EXCEPT: Final = pattern(r"^([ \t]{0,80}except[ \t]{1,9}[^,:\n]{1,200}),[ \t]{0,9}(\w{1,80})[ \t]{0,9}:")
_RAISE: Final = pattern(r"^([ \t]{0,80}raise[ \t]{1,9}[\w.]{1,80}),[ \t]{0,9}(.+)$")
_PREFIX: Final = pattern(r"\b[uU][rR](?=['\"])")
_OCTAL: Final = pattern(r"(?<![\w.])0(?=[0-7]{1,12}\b)")
#: First lines that a shell runs and Python takes for a text: ``''':'``, ``"exec" "sh"``, ``'''exec' sh``.
_SHELL: Final = pattern(
    r"\A(?:#![^\n]{0,200}/(?:env[ \t]+)?(?:ba|z|da|k)?sh\b|(?:[ \t]*(?:#[^\n]{0,1000})?\n){0,20}[ \t]*(?:'''':|''':|'''exec|\"\"\":|\"\"\"exec|[\"'](?:exec|eval|:|sh|bash)[\"'](?=[ \t\n;])))"
)


def is_also_shell(text: str) -> bool:
    """Whether a shell runs ``text`` too, by what it begins with."""
    return _SHELL.match(text[:40_000]) is not None


def repaired(text: str) -> ast.Module | None:
    """The tree of what can be parsed of ``text``; ``None`` where too much is in the way."""
    if len(text) > _LONGEST:
        return None
    lines = [_of_python_2(line) if len(line) <= _LONGEST_LINE else line for line in text.replace("\0", "").splitlines()]
    for _ in range(min(_LINES, _PARSED // (len(text) + 1) + 1)):
        try:
            return ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = min(error.lineno or 0, len(lines))
            if number < 1:
                return None
            before = next((each for each in reversed(lines[: number - 1]) if each.strip()), "")
            lines[number - 1] = _instead(lines[number - 1], error, before)
        except (ValueError, RecursionError, MemoryError):
            return None
    return None


def _of_python_2(line: str) -> str:
    """A line of Python 2 as Python 3 says it."""
    bare = line.rstrip().rstrip(",")
    if "print" in bare or "exec" in bare:
        bare = _PRINT.sub(r"\1\2(\3)", bare)
    if "except" in bare:
        bare = _EXCEPT.sub(r"\1 as \2:", bare)
    if "raise" in bare:
        bare = _RAISE.sub(r"\1(\2)", bare)
    if bare == line.rstrip().rstrip(","):
        bare = line
    return _OCTAL.sub("0o", _PREFIX.sub("r", bare)).replace("<>", "!=")


def _instead(line: str, error: SyntaxError, before: str) -> str:
    """What stands in the place of a line that cannot be parsed: as deep, and a block where it began one; ``before`` is the line above."""
    bare = line.strip()
    if bare and isinstance(error, IndentationError) and "unexpected indent" in str(error.msg):
        moved = before[: len(before) - len(before.lstrip())] + bare.lstrip("; \t")
        return moved if moved != line else ""  # the line above may be the rest of a longer one
    indent = line[: len(line) - len(line.lstrip())]
    if isinstance(error, IndentationError) and "expected an indented block" in str(error.msg):
        return (
            f"{indent} {bare}"
            if bare and not bare.startswith(("pass", "#")) and len(indent) < 200
            else f"{indent} pass"
        )
    if not bare or bare in ("pass", "if 1:") or isinstance(error, IndentationError):
        return ""
    return f"{indent}if 1:" if bare.endswith(":") else f"{indent}pass"
