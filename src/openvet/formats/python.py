"""Python source: modelling code, handlers, pipelines that a repository carries.

The source is parsed to a syntax tree and never compiled to code or run. What it does is sorted by when it happens: when
the module is imported, when one of its classes is constructed or loaded, or only when something calls it. Names are
followed through imports, assignments, ``getattr`` with constant names, and calls of functions of the same file.

A source in which no word occurs that such a name could be written with is not parsed at all.

Grammar: https://docs.python.org/3/reference/ ; encodings: PEP 263
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings
from dataclasses import field, replace
from itertools import islice
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits, MiB
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._decode import is_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._python_told import Handed
from openvet.io.source import BytesSource, Source

__all__ = ["FORMAT", "PythonCall", "PythonSource", "PythonUse", "imports_of", "probe", "read", "read_source"]

FORMAT = Format(
    id="python",
    title="Python source",
    extensions=(".py", ".pyi", ".pyw"),
    media_types=("text/x-python",),
    can_tell=(
        "calls that start processes, run text as code, load native code, unpickle, use the network or change files",
        "whether such a call runs on import, on construction, or only when something calls it",
        "code that is decoded before it runs",
    ),
    cannot_tell=(
        "what the code does with the data that it is given",
        "what modules that it imports from elsewhere do",
        "names that only come about while it runs",
    ),
    refines=("text",),
)

#: Longest source that is parsed, and the most words and signs in it: a syntax tree takes some hundred bytes for each.
_LONGEST = 4 * MiB
_MOST_TOKENS = 150_000
_SHORT = 128 * 1024
_PATH_LINE = pattern(rb"^import[ \t]", re.MULTILINE)
_TOKEN = pattern(r"\w+|[^\w\s]")
_IMPORT = pattern(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
#: An import that stands alone at the left margin runs whenever the file is imported; and where a block begins that need not.
_BLOCK = pattern(
    r"^([ \t]*)(?:(?:async[ \t]+)?(def|class|try|except|finally|else|elif|if|with|for|while)\b([^\n]{0,80})"
    r"|(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+)))",
    re.MULTILINE,
)
_MOST_IMPORTS = 200


#: A class at the top level, in a text that is not parsed since nothing in it could matter.
_CLASS = pattern(r"^class[ \t]{1,8}([A-Za-z_]\w{0,100})[ \t]{0,8}[(:\[]", re.MULTILINE)
_MOST_CLASSES = 200


@dataclass(frozen=True, slots=True)
class PythonUse:
    """One use of a capability.

    Attributes:
        line: where, from 1.
        name: qualified name of what is called, printable.
        capability: ``process code load native network file import watch show`` of ``data/python_capabilities.toml``, or
            ``hidden``: code that is decoded before it runs, or a dangerous callable whose name is put together; or
            ``startup``: a file is changed from which programs are started; or ``install`` and ``fetch``: a constant
            command installs packages that OpenVet knows, or others, or fetches weights; or ``telling``: a process that only tells
            something about the machine; or ``trust``: a call that hands on ``trust_remote_code=True``; or ``handed``: a function
            runs the command or the text that it is given, and every call in the file hands over a harmless one; or ``attack``: what
            nothing honest does at any time, which ``detail`` names.
        when: ``import``, ``construction``, ``inference`` or ``call``.
        detail: a few words of the arguments, printable.
        owner: the function in which it is, where nothing in the file calls that; not in the JSON.
        tool: whether the process is an ordinary program that a constant names; not in the JSON.
    """

    line: int
    name: str
    capability: str
    when: str
    detail: str = ""
    owner: str = ""
    tool: bool = False

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"line": self.line, "name": self.name, "capability": self.capability, "when": self.when}
        if self.detail:
            out["detail"] = self.detail
        return out


@dataclass(frozen=True, slots=True)
class PythonCall:
    """A call that leads on: into a neighbouring file (``<near>.x.f``), or to a function of the file (``<local>.f``).

    Attributes:
        name: what is called; each ``^`` after ``<near>`` is a folder up.
        when: as in :class:`PythonUse`.
        line: where, from 1.
        owner: the function in which it is, where ``when`` is ``call``.
        addressed: whether it hands over an address, or a word of a configuration, by the source's own choice.
    """

    name: str
    when: str
    line: int
    owner: str = ""
    addressed: bool = False


@dataclass(frozen=True, slots=True)
class PythonSource:
    """One Python source, read as a syntax tree (a :class:`~openvet.formats._format.Program`).

    Attributes:
        location: where it is.
        size: its characters.
        imports: top-level names of the modules that it imports, in order of their names.
        spared: those of ``imports`` that importing the file can do without, by its lines: they only stand in functions,
            in ``try``, or under ``TYPE_CHECKING``; not in the JSON.
        modules: whole names of the modules that it imports; not in the JSON.
        started: whether it shows that people start it by its name, and no loader takes it (see ``_python_started``); not in the JSON.
        handed: what its functions give and take, so that rules can join files; not in the JSON.
        uses: in the order of their lines.
        classes: names of the classes that it defines at its top level.
        error: why it could not be parsed; empty where it was.
        calls: calls that lead on, so that rules can follow them from file to file; not in the JSON.
        handed_on: names that it only has from neighbouring files; not in the JSON.
    """

    location: Location
    size: int
    imports: tuple[str, ...] = ()
    uses: tuple[PythonUse, ...] = ()
    classes: tuple[str, ...] = ()
    error: str = ""
    calls: tuple[PythonCall, ...] = ()
    handed_on: tuple[tuple[str, str], ...] = ()
    spared: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    handed: Handed = field(default_factory=Handed)
    started: bool = False

    @property
    def kind(self) -> str:
        return "python"

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"kind": self.kind, "location": self.location.to_json(), "size": self.size,
                               "imports": list(self.imports)}  # fmt: skip
        if self.uses:
            out["uses"] = [use.to_json() for use in self.uses]
        if self.classes:
            out["classes"] = list(self.classes)
        if self.error:
            out["error"] = self.error
        return out


def probe(head: Head) -> Likeness:
    named = head.suffix in FORMAT.extensions or (head.suffix == ".pth" and _PATH_LINE.search(head.data) is not None)
    if not named and not (head.data.startswith(b"#!") and b"python" in head.data[:80].split(b"\n", 1)[0]):
        return Likeness.NO
    # another encoding than UTF-8 is legal where the first lines say so (PEP 263)
    if is_text(head) or b"coding" in head.data[:200]:
        return Likeness.WEAK
    # older interpreters stop at a null character, and run what stands before it
    few = head.suffix == ".py" and head.data.count(b"\0") * 20 < len(head.data)
    return (
        Likeness.WEAK
        if few and b"import" in head.data and is_text(Head(head.name, _without_nulls(head)))
        else Likeness.NO
    )


#: A requirement with its place, and an address in a list of places, as texts of ``setup()``.
_REQUIRED = pattern(
    r"""["']([\w.\[\],-]{1,80}\s{0,9}@\s{0,9}[\w+]{3,20}://[^"'\s]{1,400})["']|dependency_links\s{0,20}=\s{0,20}\[([^\]]{1,4000})"""
)


def _tell_required(text: str, facts: Facts) -> None:
    """Record the packages that ``setup.py`` takes from a place that nobody knows."""
    from openvet.formats.requirements import installs_of, is_foreign

    for found in islice(_REQUIRED.finditer(text), 100):
        for install in installs_of(found[1] or found[2].replace('"', " ").replace("'", " ").replace(",", " ")):
            if is_foreign(install.text):
                number = text.count("\n", 0, found.start()) + 1
                message = f"takes packages from a place of its own: {install.text.strip()}"
                facts.anomaly("hub/requirement-source", message, line=number, kind=install.kind, text=install.text)


def _without_nulls(head: Head) -> BytesSource:
    return BytesSource(head.data.replace(b"\0", b""))


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._python_homes import tell_homes
    from openvet.formats._python_overwritten import OF_HOMES
    from openvet.formats._python_started import is_started
    from openvet.formats._reordered import reordered_line
    from openvet.formats._secrets import scan_text

    limit = min(_LONGEST, facts.limits.text)
    if source.size > limit:
        raise LimitError("text", limit, "the source is too long to be parsed; it was not read")
    text = _decode(source.read(0, source.size), facts)
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    tell_homes(text, facts)
    if (reordered := reordered_line(text)) is not None:
        number, turned = reordered
        message = "has marks that show this line in another order than it is run in"
        facts.anomaly("python/reordered-text", message, line=number, turned=turned)
    if facts.at().place.endswith(".pth"):
        # a path configuration file: each line that begins with import is run when the interpreter starts
        text = "\n".join(line if line.startswith(("import ", "import\t")) else "" for line in text.split("\n"))
    spared, modules = _told_of_imports(text)
    started = is_started(text, facts.at().place)
    program = replace(read_source(text, facts.at(), facts.limits), spared=spared, modules=modules, started=started)
    if any(each.rule == "hub/shell-command" for each in facts.anomalies):  # what is done to homes is told already
        program = replace(program, uses=tuple(each for each in program.uses if each.detail not in OF_HOMES))
    facts.programs.append(program)
    if facts.place.rsplit("/", 1)[-1] == "setup.py":
        from openvet.formats._entry_points import note_entry_points

        _tell_required(text, facts)
        note_entry_points(text, facts)
    if ">>> " in text and not program.error:
        from openvet.formats._python_doctests import tell_doctests

        tell_doctests(text, facts)
    if _DESCRIBED.search(text) and not program.error:
        _tell_described(text, facts)
    if facts.place.rsplit("/", 1)[-1] in _TASKS and not program.error:
        _tell_tasks(text, facts)
    from openvet.formats._python_repair import is_also_shell

    if program.error or is_also_shell(text):
        from openvet.formats._shell_script import tell_commands

        tell_commands(text, facts)
    if program.error:
        facts.unknown("malformed", f"the source cannot be parsed: {program.error}")


#: Functions that an assistant is told of by their documentation.
_DESCRIBED = pattern(r"@[\w.]{1,80}\b(?:tool|resource|prompt|function_tool)\b|\bBaseTool\b|\bTool\(")
_DESCRIBES = frozenset({"tool", "resource", "prompt", "function_tool", "kernel_function"})


def _tell_described(text: str, facts: Facts) -> None:
    """Record what the description of a tool tells an assistant to do against its user."""
    from openvet.formats._instructions import tell_description
    from openvet.formats._python_nodes import walk

    for node in walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        marks = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
        names = {
            each.attr if isinstance(each, ast.Attribute) else each.id
            for each in marks
            if isinstance(each, ast.Attribute | ast.Name)
        }
        texts = [
            ast.get_docstring(node, clean=False)
            if not isinstance(node, ast.ClassDef) and not _DESCRIBES.isdisjoint(names)
            else None
        ]
        if isinstance(node, ast.ClassDef) and any("Tool" in ast.unparse(each) for each in node.bases):
            texts += [
                each.value.value
                for each in node.body
                if isinstance(each, ast.Assign | ast.AnnAssign)
                and isinstance(each.value, ast.Constant)
                and isinstance(each.value.value, str)
            ]
        for described in texts:
            if described:
                tell_description(described, facts, line=node.lineno)


#: Files of tools that run tasks, whose functions hand texts to a shell.
_TASKS = frozenset({"tasks.py", "fabfile.py", "noxfile.py", "dodo.py", "conanfile.py", "pavement.py", "duties.py"})


def _tell_tasks(text: str, facts: Facts) -> None:
    """Record the first call of a task that is given a command which nobody should run unread, by whatever name it is called."""
    from openvet.formats._python_nodes import walk
    from openvet.formats._shell_script import dangerous_line

    for node in walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        parts = [
            each for given in node.args for each in (given.elts if isinstance(given, ast.List | ast.Tuple) else [given])
        ]
        command = " ".join(
            each.value for each in parts if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        what = dangerous_line(command) if command else None
        if what is not None:
            message = f"{what}: {shorten(printable(command), 120)}"
            plain = what.endswith("fetches something and runs it at once")
            facts.anomaly("hub/shell-command", message, line=node.lineno, kind="fetch-run" if plain else "hidden")
            return


def _decode(data: bytes, facts: Facts) -> str:
    """The text as the interpreter would decode it: by its mark or its coding line."""
    try:
        name, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if codecs.lookup(name).name not in ("utf-8", "ascii", "iso8859-1", "utf-8-sig"):
            facts.anomaly(
                "python/unusual-encoding",
                f"is written in the encoding {printable(name)[:40]}",
                line=1,
                encoding=printable(name)[:40],
            )
        return data.decode(name)
    except (SyntaxError, LookupError, UnicodeError, ValueError) as error:
        raise MalformedError(f"cannot be decoded: {shorten(printable(str(error)), 120)}") from None


def read_source(text: str, location: Location, limits: Limits, when: str = "import") -> PythonSource:
    """Parse ``text`` and say what it does and when. Raises nothing: what fails is in ``error``.

    Args:
        text: the source.
        location: where it was found.
        limits: ``records`` bounds the uses that are kept.
        when: when the module level runs (``call`` for the cells of a notebook).
    """
    from openvet.formats._python_names import could_matter, from_beside

    imports = imports_of(text)
    if not could_matter(text) and not any(map(from_beside, imports)):
        return PythonSource(location, len(text), imports, classes=tuple(islice(_CLASS.findall(text), _MOST_CLASSES)))
    if len(text) > _SHORT and sum(1 for _ in _TOKEN.finditer(text)) > _MOST_TOKENS:
        return PythonSource(location, len(text), imports, error=f"more than {_MOST_TOKENS} words and signs")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in the subject's text is no warning of ours
        return _parsed(text, location, imports, limits, when)


def _parsed(text: str, location: Location, imports: tuple[str, ...], limits: Limits, when: str) -> PythonSource:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        message = f"{error.msg} in line {error.lineno}" if error.lineno else str(error.msg)
        return _rest(text, location, imports, limits, when, shorten(printable(message), 200))
    except (RecursionError, MemoryError):
        return PythonSource(location, len(text), imports, error="nested too deeply")
    except (ValueError, UnicodeError, OverflowError) as error:
        return _rest(text, location, imports, limits, when, shorten(printable(str(error)), 200))
    from openvet.formats._python_tree import Reading

    file = location.place.replace("!", "/").rpartition("/")[2]
    reading = Reading(text, min(limits.records, 500))
    reading.file = file
    try:
        reading.module(tree, when)
    except RecursionError:
        return PythonSource(location, len(text), imports, _frozen(reading), error="nested too deeply")
    classes = tuple(node.name for node in tree.body if isinstance(node, ast.ClassDef))[:_MOST_CLASSES]
    involved = "" if not (reading.exhausted or reading.overflown) else "names are too involved to be followed"
    calls = (
        PythonCall(each[1], each[2], line, each[0], each in reading.addressed) for each, line in reading.near.items()
    )
    handed = _handed(reading)
    uses = _with_plain(_frozen(reading), text, tree, limits, when, file)
    return PythonSource(location, len(text), imports, uses, tuple(map(printable, classes)), involved,
                        tuple(calls), tuple(reading.handed_on()), handed=handed)  # fmt: skip


def _with_plain(
    uses: tuple[PythonUse, ...], text: str, tree: ast.Module, limits: Limits, when: str, file: str
) -> tuple[PythonUse, ...]:
    """``uses``, and those that are seen where what the source puts together is spelled out; what runs as code is followed by any name."""
    from openvet.formats._python_plain import plain
    from openvet.formats._python_tree import Reading

    words = plain(text, tree)
    if words is None:
        return uses
    reading = Reading(words, min(limits.records, 500))
    reading.file = file
    try:
        reading.module(ast.parse(words), when)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return uses  # what was read of it as it stands counts nevertheless
    known = {_told(each) for each in uses}
    more = (each for each in _frozen(reading) if each.capability != "code" and _told(each) not in known)
    return tuple(sorted((*uses, *more), key=lambda use: (use.line, use.name, use.capability)))


def _told(use: PythonUse) -> tuple[int, str, str, str]:
    return use.line, use.capability, use.when, use.detail if use.capability == "attack" else ""


def _handed(reading: Any) -> Handed:
    from openvet.formats._python_handed import handed

    try:
        return handed(reading)
    except RecursionError:
        return Handed()


def _rest(
    text: str, location: Location, imports: tuple[str, ...], limits: Limits, when: str, error: str
) -> PythonSource:
    """What can be said of a source that does not parse as it is; ``error`` says why."""
    from openvet.formats._python_repair import repaired
    from openvet.formats._python_tree import Reading

    tree = repaired(text)
    reading = Reading(text, min(limits.records, 500))
    try:
        if tree is not None:
            reading.module(tree, when)
    except RecursionError:
        error = "nested too deeply"
    return PythonSource(location, len(text), imports, _frozen(reading), error=error)


def _frozen(reading: Any) -> tuple[PythonUse, ...]:
    uses = (
        PythonUse(
            line,
            shorten(printable(name), 120),
            capability,
            when,
            shorten(printable(detail), 120),
            owner if when == "call" else "",
            capability in ("process", "fetch", "handed") and reading.tools.get((line, name, when), False),
        )
        for line, name, capability, when, detail, owner in reading.uses
    )
    return tuple(sorted(uses, key=lambda use: (use.line, use.name, use.capability)))


def _told_of_imports(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``spared`` and ``modules`` of a source, by its lines: a heuristic, which a text of many lines can lead astray."""
    needed: set[str] = set()
    modules: set[str] = set()
    blocks: list[tuple[int, bool]] = []
    matches = list(islice(_BLOCK.finditer(text), 20_000))
    caught = _caught(matches)
    for match in matches:
        depth = len(match.group(1))
        while blocks and blocks[-1][0] >= depth:
            blocks.pop()
        word = match.group(2)
        if word:
            spares = (
                word in ("def", "except")
                or match.start() in caught
                or (word == "if" and "TYPE_CHECKING" in match.group(3))
            )
            blocks.append((depth, spares or (bool(blocks) and blocks[-1][1])))
            continue
        whole = (
            [match.group(4)]
            if match.group(4)
            else [each.split(" as ")[0].strip() for each in match.group(5).split(",")]
        )
        if len(modules) < _MOST_IMPORTS:
            modules.update(printable(each) for each in whole if each)
        if not (depth and blocks and blocks[-1][1]):
            needed.update(each.split(".", 1)[0] for each in whole)
    spared = (each for each in {name.split(".", 1)[0] for name in modules} - needed if each)
    return tuple(sorted(spared)), tuple(sorted(modules))


def _caught(matches: list[re.Match[str]]) -> set[int]:
    """Where those blocks of ``try`` begin whose next branch of the same depth is ``except``."""
    found: set[int] = set()
    following: dict[int, str] = {}
    for match in reversed(matches):
        word, depth = match.group(2), len(match.group(1))
        if word == "try" and following.get(depth) == "except":
            found.add(match.start())
        elif word in ("except", "finally"):
            following[depth] = word
    return found


def imports_of(text: str) -> tuple[str, ...]:
    """Top-level module names by their import lines: cheap, and enough to say what a source needs."""
    found: set[str] = set()
    for match in _IMPORT.finditer(text):
        if match.group(1):
            found.add(match.group(1).split(".", 1)[0])
        else:
            found.update(part.split(" as ")[0].strip().split(".", 1)[0] for part in match.group(2).split(","))
        if len(found) >= 200:
            break
    return tuple(sorted(printable(name) for name in found if name))
