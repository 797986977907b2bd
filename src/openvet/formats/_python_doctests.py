"""Examples in the documentation of Python sources (``>>> …``), which ``pytest --doctest-modules`` and ``python -m doctest`` run.

What an example does is judged as what a function does that somebody calls: only what nothing honest does, and commands that nobody should run.

Format: https://docs.python.org/3/library/doctest.html
"""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator
from itertools import islice
from typing import Final

from openvet.core.text import printable, shorten
from openvet.formats._format import Facts
from openvet.formats._python_nodes import walk

__all__ = ["tell_doctests"]

_MOST: Final = 200
_LONGEST: Final = 64 * 1024
_MOST_NODES: Final = 100_000


def tell_doctests(text: str, facts: Facts) -> None:
    """Record the first example that nobody should run."""
    from openvet.formats.python import read_source

    for line, code in islice(_examples(text), _MOST):
        for use in read_source(code, facts.at(), facts.limits, when="call").uses:
            what = (
                use.detail
                if use.capability == "attack"
                else "runs what it decodes"
                if use.capability == "hidden"
                else ""
            )
            if not what and use.capability == "process":
                what = _command(use.detail)
            if what:
                message = f"an example in its documentation {what}: {shorten(printable(use.name), 80)}"
                facts.anomaly("python/hostile-code", message, line=line)
                return


def _examples(text: str) -> Iterator[tuple[int, str]]:
    """The line of each documentation (or other text) that has examples, and these as one source."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    parser = doctest.DocTestParser()
    for node in islice(walk(tree), _MOST_NODES):
        if (
            not isinstance(node, ast.Constant)
            or not isinstance(node.value, str)
            or ">>> " not in node.value
            or len(node.value) > _LONGEST
        ):
            continue
        try:
            examples = parser.get_examples(node.value)
        except ValueError:
            continue
        if examples:
            yield node.lineno, "".join(each.source for each in examples)


def _command(detail: str) -> str:
    from openvet.formats._shell_script import judged_script

    told = judged_script(detail.strip("'\""))
    return f"starts a command that {told[0]}" if told is not None and told[1] != "fetch-run" else ""
