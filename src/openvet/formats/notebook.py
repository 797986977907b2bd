"""Jupyter notebooks: a JSON text (nbformat 3 or 4) whose cells hold Markdown, Python source and stored output.

Nothing loads a notebook as a model; a person runs its cells. Their Python is read as source that runs when it is called
for, and the outer text as JSON.

Specification: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openvet.core.pattern import pattern
from openvet.formats import json as json_format
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._json_stream import plain_letters
from openvet.io.source import Source

__all__ = ["FORMAT", "handed_to_a_shell", "probe", "read"]

FORMAT = Format(
    id="notebook",
    title="Jupyter notebook",
    extensions=(".ipynb",),
    media_types=("application/x-ipynb+json",),
    can_tell=(
        "what the Python in its cells would do when somebody runs them",
        "scripts in its stored outputs, and those of them that nothing honest has",
    ),
    cannot_tell=("cells in other languages than Python and shell", "magic commands behind %"),
    refines=("json", "text"),
)


_MOST = 10_000
_LONGEST = 1024 * 1024
#: Magic commands whose cell or line is Python, and those whose is a shell's.
_PYTHON_CELL = pattern(r"%%(?:time|timeit|capture|prun|python[23]?|pypy|debug|memit|mprun|snakeviz|heat|memray)\b")
_PYTHON_LINE = pattern(r"%(?:time|timeit|prun|memit)\s+(?:-\w+(?:\s+\d+)?\s+)*")
_SHELL_CELL = pattern(r"%%(?:bash|sh|zsh|system|sx|script|writefile\s+\S+\.(?:sh|bash|zsh|ps1|bat)|cmd|powershell|!)")
_ASSIGNED = pattern(r"[\w, ]{1,80}=\s*(?:!|%(?:sx|system)\b)")
_SHELL_LINE = pattern(r"(?:[\w, ]{1,80}=\s*)?(?:!{1,2}|%(?:sx|system|bash|sh)\b)")
_CALLED = pattern(
    r"get_ipython\(\)\s*\.\s*(?:system|system_raw|getoutput|run_cell_magic|run_line_magic|magic)\(|"
    r"\b(?:system|popen|Popen|check_output|check_call|getoutput|subprocess\.(?:run|call))\("
)


def probe(head: Head) -> Likeness:
    data, tail = plain_letters(head.data), plain_letters(head.tail)
    if (
        b'"cells"' not in data
        and b'"worksheets"' not in data
        and b'"nbformat"' not in data
        and b'"nbformat"' not in tail
    ):
        return Likeness.NO
    likeness = json_format.probe(head)
    if head.suffix == ".ipynb":
        return likeness
    return likeness if b'"nbformat"' in tail and b'"cell_type"' in data else Likeness.NO


#: Functions of Python that give a command to a shell, or start it.
_STARTERS = frozenset(
    {"Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "popen", "run", "system"}
)


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._notebook_magic import tell_decoded
    from openvet.formats._notebook_output import tell_active_output
    from openvet.formats._shell_script import tell_commands
    from openvet.formats.python import read_source

    json_format.read(source, facts)
    cells = _cells(facts.document)
    facts.note("kind", "notebook")
    facts.note("cells", len(cells))
    kept: list[tuple[int, str]] = []
    for index, cell in cells[:_MOST]:
        python = _python(cell)
        broken = _parse(python) is None
        if broken:
            program = read_source(python, facts.at(pointer=f"/cells/{index}"), facts.limits, when="call")
            if program.uses:
                facts.programs.append(program)
        else:
            kept.append((index, python))
        commands = [_shell(cell), *(() if broken else handed_to_a_shell(python))]
        tell_commands("\n".join(commands), facts, f"/cells/{index}")
    _tell_cells(kept, facts)
    tell_decoded(kept, cells[:_MOST], facts)
    if len(cells) > _MOST:
        facts.unknown("limit", f"more than {_MOST} cells hold code; the rest was not read")
    _tell_pages(facts)
    tell_active_output(facts.document, facts)
    facts.document = None  # the cells are read; no loader acts on a key of a notebook


def _tell_cells(cells: list[tuple[int, str]], facts: Facts) -> None:
    """Read the Python of all cells as one source, since they share their names, and keep what each of them does."""
    from openvet.formats._notebook_sent import tell_sent
    from openvet.formats.python import PythonSource, imports_of, read_source

    groups = [cells] if sum(len(text) for _, text in cells) <= _LONGEST else [[each] for each in cells]
    for group in groups:
        whole = read_source("\n".join(text for _, text in group), facts.at(), facts.limits, when="call")
        if whole.error and len(group) > 1:
            groups += [[each] for each in group]
            continue
        first = 1
        for index, text in group:
            last = first + text.count("\n")
            uses = tuple(replace(use, line=use.line - first + 1) for use in whole.uses if first <= use.line <= last)
            if uses:
                calls = tuple(
                    replace(each, line=each.line - first + 1) for each in whole.calls if first <= each.line <= last
                )
                at = facts.at(pointer=f"/cells/{index}")
                facts.programs.append(
                    PythonSource(at, len(text), imports_of(text), uses, calls=calls, error=whole.error)
                )
            first = last + 1
        tell_sent(group, whole, facts)
        _tell_homes(group, facts)


def _tell_homes(cells: list[tuple[int, str]], facts: Facts) -> None:
    """Where a cell destroys the files of whoever runs it."""
    from openvet.formats._notebook_sent import cell_of
    from openvet.formats._python_homes import tell_homes

    seen = Facts(facts.place, facts.name, facts.budget)
    tell_homes("\n".join(text for _, text in cells), seen)
    for each in seen.anomalies:
        index = cell_of(cells, each.location.line or 1)
        facts.anomaly(each.rule, each.message, pointer=f"/cells/{index}", **each.evidence)


def _parse(python: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(python)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _tell_pages(facts: Facts) -> None:
    """What the Markdown of a notebook tells its reader to run."""
    from openvet.formats._advised import tell_advised

    cells = facts.document.get("cells") if isinstance(facts.document, dict) else None
    for index, cell in enumerate(_list(cells)[:_MOST]):
        text = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "markdown" else None
        if isinstance(text, list):
            text = "".join(part for part in text if isinstance(part, str))
        if isinstance(text, str) and "://" in text:
            seen = Facts(facts.place, facts.name, facts.budget)
            tell_advised(text, seen)
            for each in seen.anomalies:
                facts.anomaly(each.rule, each.message, pointer=f"/cells/{index}", **each.evidence)


def _cells(document: Any) -> list[tuple[int, str]]:
    """Index and source of each code cell."""
    if not isinstance(document, dict):
        return []
    sheets = [document, *(each for each in _list(document.get("worksheets")) if isinstance(each, dict))]  # nbformat 3
    cells = [cell for sheet in sheets for cell in _list(sheet.get("cells"))]
    found = []
    for index, cell in enumerate(cells):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            text = cell.get("source", cell.get("input", ""))
            if isinstance(text, list):
                text = "".join(part for part in text if isinstance(part, str))
            if isinstance(text, str):
                found.append((index, text))
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _python(cell: str) -> str:
    """The cell without IPython's own lines, which are no Python; they leave an empty line each."""
    first, _, rest = cell.lstrip().partition("\n")
    if first.startswith("%%"):
        if not _PYTHON_CELL.match(first):
            return ""
        cell = rest
    kept = []
    for line in cell.split("\n"):
        bare = line.lstrip()
        indent = line[: len(line) - len(bare)]
        magic = _PYTHON_LINE.match(bare)
        if magic:
            kept.append(indent + bare[magic.end() :])
        else:
            own = bare.startswith(("!", "%", "?")) or bare.endswith("?") or _ASSIGNED.match(bare)
            kept.append(f"{indent}pass" if own else line)
    return "\n".join(kept)


def handed_to_a_shell(python: str) -> Iterator[str]:
    """The constant commands that the Python of a cell gives to a shell: ``os.system("…")``, ``subprocess.run(["sh", "-c", "…"])``."""
    if not any(name in python for name in _STARTERS):
        return
    tree = _parse(python)
    if tree is None:
        return  # read_source has told it
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _STARTERS:
            first = node.args[0]
            parts = first.elts if isinstance(first, ast.List | ast.Tuple) else [first]
            yield " ".join(
                each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def _shell(cell: str) -> str:
    """The lines of the cell that a shell runs."""
    first, _, rest = cell.lstrip().partition("\n")
    if _SHELL_CELL.match(first):
        return rest
    lines = []
    for line in cell.split("\n"):
        bare = line.strip()
        match = _SHELL_LINE.match(bare) or _CALLED.search(bare)
        if match:
            lines.append(bare[match.end() :])
    return "\n".join(lines)
