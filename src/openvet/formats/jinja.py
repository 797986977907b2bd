"""Jinja templates: how a language model's messages become its prompt.

A template is text with ``{{ expression }}``, ``{% statement %}`` and ``{# comment #}``. It arrives as
``chat_template.jinja``, as a string in ``tokenizer_config.json``, ``chat_template.json`` or ``processor_config.json``,
and as ``tokenizer.chat_template`` in a GGUF header; readers of those call :func:`read_template`.

It is a program. An environment without a sandbox lets ``{{ ''.__class__.__mro__ }}`` walk from any value to every
class of the process (CVE-2024-34359, CVE-2026-5760). It is read here as a syntax tree and never compiled or rendered;
names that it puts together from pieces are put together as far as constants go.

Syntax: https://jinja.palletsprojects.com/en/stable/templates/ ; what its sandbox refuses: ``jinja2.sandbox``.
"""

from __future__ import annotations

import hashlib
import warnings
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from openvet.core.dataclass import dataclass
from openvet.core.limits import KiB, Limits
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["FORMAT", "Template", "Use", "probe", "read", "read_template"]

FORMAT = Format(
    id="jinja",
    title="Jinja template",
    extensions=(".jinja", ".jinja2", ".j2"),
    media_types=("text/x-jinja",),
    can_tell=(
        "whether a template reaches for the inside of Python objects, loads other templates or calls processes",
        "which line does it, also where the name is put together from constant pieces",
    ),
    cannot_tell=(
        "what text the template puts before a model, and whether that text steers it",
        "a name that is put together from data that only exists when the template is rendered",
    ),
    refines=("text",),
)

#: Longest template that is parsed. Published ones have at most some tens of thousands of characters.
MAX_TEMPLATE = 256 * KiB
#: Conditions of one template on words that are told.
_MOST_BACKDOORS = 20


@dataclass(frozen=True, slots=True)
class Use:
    """A suspicious construct: ``what`` is a word of :mod:`openvet.formats._jinja_tree`, ``detail`` the name."""

    what: str
    line: int
    detail: str

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "line": self.line, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Template:
    """One template, read as a syntax tree (a :class:`~openvet.formats._format.Program`).

    Attributes:
        location: where it is.
        name: what its publisher calls it (``default``, ``tool_use``), printable; may be empty.
        digest: sha256 of its UTF-8 text, in hex.
        size: its characters.
        uses: suspicious constructs in the order of their lines.
        error: why it could not be parsed; empty where it was.
        error_line: the line where parsing stopped.
    """

    location: Location
    name: str
    digest: str
    size: int
    uses: tuple[Use, ...] = ()
    error: str = ""
    error_line: int | None = None

    @property
    def kind(self) -> str:
        return "jinja"

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "kind": self.kind,
            "location": self.location.to_json(),
            "name": self.name,
            "digest": {"sha256": self.digest},
            "size": self.size,
        }
        if self.uses:
            out["uses"] = [use.to_json() for use in self.uses]
        if self.error:
            out["error"] = self.error
        return out


#: Where an argument of a tool that runs commands begins, or a command in the words that a model is told; and how far it goes.
_BEGINS = pattern(
    r"""["'](?:command|cmd|code|script|shell|bash|input|arguments?|args)\\?["']\s{0,4}:\s{0,4}\[?\\?"|`"""
)
_ARGUMENT = pattern(r'(?:[^"\\\n]|\\[^\n]){6,2000}')
_LONGEST_COMMAND = 2_000
_MOST_COMMANDS = 200


def probe(head: Head) -> Likeness:
    return Likeness.WEAK if head.suffix in FORMAT.extensions and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    base = facts.name.rsplit("/", 1)[-1]
    template = read_template(text, facts.at(), base.removesuffix(".jinja"), facts.limits)
    facts.programs.append(template)
    if template.error:
        facts.unknown("malformed", f"the template cannot be parsed: {template.error}")


def read_template(text: str, location: Location, name: str, limits: Limits) -> Template:
    """Parse ``text`` and say what suspicious things it does. Raises nothing: what fails is in ``error``.

    Args:
        text: the template.
        location: where it was found; the lines of its uses count from the template's own first line.
        name: as its publisher names it (raw).
        limits: ``text`` and ``records`` bound the work and the result.
    """
    raw = text.encode("utf-8", "surrogatepass")
    label = shorten(printable(name), 80)
    digest = hashlib.sha256(raw).hexdigest()
    if "{{" not in text and "{%" not in text:
        return Template(location, label, digest, len(text))
    longest = min(MAX_TEMPLATE, limits.text)
    if len(text) > longest:
        return Template(location, label, digest, len(text), error=f"longer than {longest} characters")
    from jinja2 import TemplateSyntaxError

    from openvet.formats._jinja_backdoor import backdoors
    from openvet.formats._jinja_tree import suspicious
    from openvet.formats._unbound import unbound

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a template's string is no matter of ours
            tree = _environment().parse(text)
        found = suspicious(tree, limits.records)
        found += islice(backdoors(tree), _MOST_BACKDOORS)
        found += unbound(tree)
    except TemplateSyntaxError as error:
        message = shorten(printable(error.message or "syntax error"), 200)
        return Template(location, label, digest, len(text), error=message, error_line=error.lineno)
    except RecursionError:
        return Template(location, label, digest, len(text), error="nested too deeply")
    except (ValueError, OverflowError, MemoryError) as error:  # digits of an integer, an escape that is no character
        message = shorten(printable(str(error) or type(error).__name__), 200)
        return Template(location, label, digest, len(text), error=message)
    for told in (_poisons(text), _commands(text), _instructs(text), _hides(text)):
        if told is not None:
            found.append(told)
    uses = tuple(Use(what, line, shorten(printable(detail), 120)) for what, line, detail in found)
    return Template(location, label, digest, len(text), uses)


def _poisons(text: str) -> tuple[str, int, str] | None:
    """Words of a template that make a model give an address away and keep quiet about it: (word, line, the address)."""
    if "http" not in text:
        return None
    from openvet.formats._instructions import hides_address

    found = hides_address(text)
    return None if found is None else ("hidden-instruction", text.count("\n", 0, found[0]) + 1, found[1])


def _hides(text: str) -> tuple[str, int, str] | None:
    """What a template says to a model that nobody sees: (word, line, what)."""
    from openvet.formats._unseen import unseen

    found = unseen(text)
    return None if found is None else ("unseen", text.count("\n", 0, found[0]) + 1, found[1])


def _instructs(text: str) -> tuple[str, int, str] | None:
    """What a template tells a model to do against its user: (word, line, what)."""
    from openvet.formats._instructed import instructed

    found = instructed(text)
    return None if found is None else ("instruction", text.count("\n", 0, found[0]) + 1, found[1])


def _commands(text: str) -> tuple[str, int, str] | None:
    """What a template gives a tool to run, or tells a model to run, that nobody should run: (word, line, what it does)."""
    from openvet.formats._shell_script import dangerous_line

    for begin in islice(_BEGINS.finditer(text), _MOST_COMMANDS):
        at = begin.end()
        if begin.group() == "`":
            command = text[at : max(text.find("`", at, at + _LONGEST_COMMAND), at)].partition("\n")[0]
        else:
            found = _ARGUMENT.match(text, at)
            command = "" if found is None else found.group().replace("\\\\", "\\").replace('\\"', '"').rstrip('\\"')
        if command and (what := dangerous_line(command)) is not None:
            return "command", text.count("\n", 0, begin.start()) + 1, f"{shorten(command, 60)} ({what})"
    return None


@cache
def _environment() -> Environment:
    """The syntax that transformers accepts (its ``chat_template_utils``): loop controls, ``do``, ``generation``."""
    from jinja2 import Environment
    from jinja2.ext import Extension
    from jinja2.nodes import Node
    from jinja2.parser import Parser

    class Generation(Extension):
        tags = {"generation"}  # noqa: RUF012 - as jinja2 declares it

        def parse(self, parser: Parser) -> list[Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    return Environment(  # noqa: S701 - only its parser is used; nothing is rendered
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", Generation],
    )
