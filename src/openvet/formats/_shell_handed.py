"""Programs of other languages that a script hands to their interpreters: one line (``python -c``, ``node -e``), or a here-document of Python."""

from __future__ import annotations

import textwrap
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import TYPE_CHECKING

from openvet.core.pattern import pattern
from openvet.formats._format import Facts
from openvet.formats._windows_commands import fetched

if TYPE_CHECKING:
    from openvet.formats.python import PythonUse

__all__ = ["handed_line", "tell_python"]

_PYTHON_WORDS = frozenset({"python", "python3", "python2"})
_PYTHON_RUNS = pattern(r"\b(?:exec|eval)\s{0,8}\(|\bos\.system\(")
_PYTHON_FETCHES = pattern(r"\burlopen\(|\brequests\.get\(|\burlretrieve\(|\bhttp\.client\b")
#: Python in one line of a shell.
_ONE_LINE = pattern(
    r"\bpython[23]?(?:\.\d+)?\s{1,8}(?:-\w\s{1,8}){0,3}-\w{0,3}c\s{1,8}(?:\"([^\"]{8,4000})\"|'([^']{8,4000})')"
)
_NODE_LINE = pattern(
    r"\bnode\s{1,8}(?:--?\w[\w-]{0,20}\s{1,8}){0,3}?(?:-\w{0,2}[ep]\w?|--eval|--print)\s{1,8}(?:\"((?:[^\"\\]|\\.){8,4000})\"|'([^']{8,4000})')"
)
#: One line of another language that is given to its interpreter, and what it does.
_INLINE_WORDS = frozenset(
    {"perl", "ruby", "php", "node", "deno", "bun", "lua", "julia", "rscript", "groovy", "osascript"}
)
_INLINE = pattern(
    r"\b(?:perl|ruby|php|node|deno|bun|lua|julia|Rscript|groovy|osascript)(?:\s+eval)?(?:\s+-[\w:-]{1,40}){0,6}\s+(?:-\w{0,8}[eEr]\b|--eval\b|eval\b)"
)
_INLINE_RUNS = pattern(
    r"\b(?:eval|exec|execSync|system|Function|runInThisContext|include|load|loadstring|source|assert|spawn)\b"
)
_INLINE_FETCHES = pattern(
    r"\bget\s{0,4}\(|\bLWP\b|\bHTTP::Tiny\b|\bURI\.open\b|\bopen-uri\b|\bNet::HTTP\b|\bfile_get_contents\(|\bfetch\(|\bcurl\b|\bwget\b|\bdownload\(|\burl\(|\bsource\(|\btoURL\b|\brequire\([\"'`]https?[\"'`]\)"
)
_HANDED_WORDS = _PYTHON_WORDS | _INLINE_WORDS
_HERE = pattern(r"\bpython[23]?(?:\.\d+)?\b[^\n|;<]{0,200}<<-?\s*[\"']?(\w{1,40})[\"']?[^\n]{0,200}\n")
#: Whoever reads the memory of another process asks first where in it something lies; a process that looks at its own is left alone.
_MEMORY = pattern(r"(?<!/proc/self)/mem[\"']")
_MAPS = pattern(r"(?<!/proc/self)/maps[\"']")
#: Here-documents that are read, and characters of one.
_MOST_HERE = 20
_LONGEST_HERE = 64 * 1024


def handed_line(bare: str, words: AbstractSet[str]) -> tuple[str, str] | None:
    """What a line hands to the interpreter of another language, and the kind of it; ``None`` where that is ordinary or nothing."""
    if words.isdisjoint(_HANDED_WORDS):
        return None
    if (
        not words.isdisjoint(_PYTHON_WORDS)
        and " -c" in bare
        and _PYTHON_RUNS.search(bare)
        and _PYTHON_FETCHES.search(bare)
    ):
        return fetched(bare)
    if (
        not words.isdisjoint(_PYTHON_WORDS)
        and " -" in bare
        and ("import" in bare or "exec" in bare)
        and (said := python_line(bare)) is not None
    ):
        return said
    if "node" in words and ("-e" in bare or "--eval" in bare) and (said := node_line(bare)) is not None:
        return said
    inline = _INLINE.search(bare) if "://" in bare and not words.isdisjoint(_INLINE_WORDS) else None
    if inline is not None and _INLINE_RUNS.search(bare, inline.end()) and _INLINE_FETCHES.search(bare):
        return fetched(bare)
    return None


def python_line(bare: str) -> tuple[str, str] | None:
    """What a line of Python does that a shell hands to its interpreter."""
    from openvet.core.limits import DEFAULT_LIMITS
    from openvet.core.location import Location
    from openvet.formats.python import read_source

    found = _ONE_LINE.search(bare)
    body = (found[1] or found[2]) if found else ""
    if not body:
        return None
    uses = read_source(body, Location(""), DEFAULT_LIMITS).uses
    return next((said for use in uses if (said := _of_python(use)) is not None), None)


def node_line(bare: str) -> tuple[str, str] | None:
    """What a line of JavaScript does that a shell hands to Node, where that is worse than to run what it fetches."""
    from openvet.formats._program_flows import judged_program
    from openvet.formats._program_words import LANGUAGES

    found = _NODE_LINE.search(bare)
    return None if found is None else judged_program((found[1] or found[2]).replace('\\"', '"'), LANGUAGES["js"])


def tell_python(text: str, facts: Facts) -> None:
    """Python that a script hands to its interpreter (a here-document) and that runs what it decodes."""
    from openvet.formats.python import read_source

    for found in islice(_HERE.finditer(text), _MOST_HERE):
        lines = text[found.end() : found.end() + _LONGEST_HERE].split("\n")
        end = next((at for at, line in enumerate(lines) if line.strip() == found[1]), len(lines))
        body = textwrap.dedent("\n".join(lines[:end]))
        if "/proc/" in body and (memory := _MEMORY.search(body)) is not None and _MAPS.search(body) is not None:
            number = text.count("\n", 0, found.end()) + body.count("\n", 0, memory.start()) + 1
            facts.anomaly(
                "hub/shell-command", "reads the memory of other processes, in Python", line=number, kind="hidden"
            )
        for use in read_source(body, facts.at(), facts.limits).uses:
            if (said := _of_python(use)) is not None:
                number = text.count("\n", 0, found.end()) + use.line
                facts.anomaly("hub/shell-command", f"{said[0]}, in Python: {use.name}", line=number, kind=said[1])
                break


def _of_python(use: PythonUse) -> tuple[str, str] | None:
    """What Python does that a script hands to its interpreter, and the kind of it; ``None`` for an ordinary use."""
    from openvet.formats._python_ends import ends
    from openvet.formats._sent_secrets import SENT

    if use.capability == "hidden":
        return "decodes a hidden command and runs it", "hidden"
    if use.capability == "attack":
        return use.detail, "hidden"
    if (
        use.capability == "secret"
        and use.name.rpartition(".")[2] in ends().senders
        and " of the environment" not in use.detail
    ):
        return SENT, "sends"
    return None
