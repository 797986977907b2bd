"""Jinja templates that a parsed document carries: the values of ``chat_template``, and those under other names.

Every loader has names of its own (``default_chat_template``, ``prompt_format``, ``tool_use``), so that a name only says how
closely a value is looked at. Under a name that speaks of templates or prompts, and under any name of a file that is a loader's
configuration, a text with Jinja's braces is parsed. It may as well be a template of another language, or none: what is no Jinja, or
does nothing that only an attack does, says nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = [
    "MAX_TEMPLATE",
    "carry_templates",
    "chat_templates",
    "format_string",
    "other_templates",
    "read_pieces",
    "template_in_text",
    "text_of_numbers",
]

#: Longest text that is looked at as a template where nothing says that it is one.
MAX_TEMPLATE = 256 * 1024
_MOST = 200
_PROMPTS = ("initial_prompt_value", "pre_message", "post_message", "final_prompt_value")
_SPEAKS = pattern(r"template|prompt|jinja|chat|system|instruct|messag|preamble|tool_use|role|_format\b", re.IGNORECASE)
_CONFIGURATION = pattern(
    r"config|tokenizer|processor|generation|template|special_tokens|params|settings|tekken", re.IGNORECASE
)
#: What only an attack does, wherever it stands.
_PLAIN_ATTACK = frozenset({"internal-attribute", "format-string", "call-process"})
_OPENS = pattern(r"\{(?:\{|%-?\s*+(set|do|if|elif|for|with|call|filter)\b)")
#: A field of ``str.format`` that walks by names of Python's data model, not one in doubled braces.
_FORMAT_WALK = pattern(r"(?<!\{)\{[^{}:!]{0,100}[.\[]__[a-z]{2,20}__[^{}]{0,100}\}")
_IN = pattern(r"\bin\b")
_LONGEST_PIECE = 4000
#: Openings in one text that are looked at, whether or not they are closed.
_OPENINGS = 20_000


def carry_templates(document: Any, facts: Facts) -> None:
    """Put the templates of a document that is no tokenizer's into ``facts``: those that do something of note."""
    if isinstance(document, dict | list):
        facts.programs.extend(each for each in chat_templates(document, facts) if each.uses)
        facts.programs.extend(other_templates(document, facts))


def chat_templates(document: Any, facts: Facts) -> Iterator[Any]:
    """The chat templates in ``document``: every value of a key ``chat_template`` (one text, or several with names)."""
    from openvet.formats.jinja import read_template

    found = 0
    for pointer, value in _named(document, "chat_template"):
        texts = list(_texts(value, pointer))
        pieces = _pieces_of(value)
        if pieces is not None:
            found += 1
            yield from read_pieces(pieces, texts if len(texts) <= 100 else [], pointer, facts)
            continue
        for name, where, text in texts:
            if found >= 100:
                facts.unknown("limit", "more than 100 chat templates; the rest was not read", pointer=pointer)
                return
            found += 1
            yield read_template(text, facts.at(pointer=where), name, facts.limits)


def read_pieces(
    whole: str, texts: Sequence[tuple[str, str | None, str]], pointer: str | None, facts: Facts
) -> list[Any]:
    """The templates of a list: each text is one, or all are pieces of one, which some programs put together.

    Args:
        whole: all pieces behind one another.
        texts: name, pointer and text of each that may be a template by itself; none where there are too many.
        pointer: where the list is.
        facts: of the file.
    """
    from openvet.formats.jinja import read_template

    joined = read_template(whole, facts.at(pointer=pointer), "in pieces", facts.limits)
    separate = [read_template(text, facts.at(pointer=where), name, facts.limits) for name, where, text in texts]
    if not separate or len(whole) > MAX_TEMPLATE:
        return [*separate, joined]
    if joined.uses or (not joined.error and any(each.error for each in separate)):
        return [joined, *(each for each in separate if each.uses)]
    return separate


def _pieces_of(value: Any) -> str | None:
    """The text that a list puts together: of texts, bytes or characters as numbers, or of lists of those; ``None`` for others."""
    if isinstance(value, dict) and len(value) > 1 and all(isinstance(key, str) and key.isdecimal() for key in value):
        value = [
            value[key] for key in sorted(value, key=lambda key: (len(key), key))
        ]  # by number, whatever their order
    if not isinstance(value, list) or len(value) < 2:
        return None
    waiting = value[::-1]
    out: list[str] = []
    numbers: list[int] = []
    while waiting:
        each = waiting.pop()
        if len(out) + len(numbers) + len(waiting) > MAX_TEMPLATE:
            return None
        if isinstance(each, str):
            out.append(each)
        elif isinstance(each, list):
            waiting.extend(each[::-1])
        elif type(each) is int and 0 <= each < 0x110000:
            numbers.append(each)
        else:
            return None
    if numbers:
        return None if out else text_of_numbers(numbers)
    return "".join(out)


def text_of_numbers(numbers: Sequence[int]) -> str:
    """Bytes of UTF-8 or code points as the text that they are."""
    if max(numbers, default=0) < 256:
        raw = bytes(numbers)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")
    return "".join(map(chr, numbers))


def other_templates(document: Any, facts: Facts, *, rows: bool = False) -> Iterator[Any]:
    """Templates in ``document`` under other names than ``chat_template``: those that do something of note.

    Args:
        rows: whether it is the rows of a data set, whose prompts are texts and no templates.
    """
    from openvet.formats.jinja import read_template

    configuration = isinstance(document, dict) and _CONFIGURATION.search(facts.name.rsplit("/", 1)[-1]) is not None
    stack: list[tuple[str, str, Any, bool]] = [("", "", document, False)]
    found = 0
    while stack and found < _MOST:
        pointer, name, value, named = stack.pop()
        if isinstance(value, dict | list):
            if (named or (configuration and pointer)) and not _chat(pointer, ""):
                yield from _attack_in_pieces(value, pointer, name, facts)
            for key, child in value.items() if isinstance(value, dict) else enumerate(value):
                if key == "chat_template" and not isinstance(child, dict | list):
                    continue
                if isinstance(child, dict | list) or (
                    isinstance(child, str) and (_braces(child) or _walks(child)) and not _chat(pointer, key)
                ):
                    speaks = named or (isinstance(key, str) and ("template" in key.lower() if rows else _speaks(key)))
                    stack.append((below(pointer, key), key if isinstance(key, str) else name, child, speaks))
        elif named or configuration:
            found += 1
            template = format_string(value, facts, name, pointer) or read_template(
                value, facts.at(pointer=pointer), name, facts.limits
            )
            if template.uses and ("template" in name.lower() or _is_attack(template)):
                yield template


def _attack_in_pieces(value: Any, pointer: str, name: str, facts: Facts) -> Iterator[Any]:
    """A template that is an attack once the pieces are put together; none where the pieces are no template, or say so one by one."""
    from openvet.formats.jinja import read_template

    if len(value) > MAX_TEMPLATE:
        return
    text = _pieces_of(value)
    if text is None or not _braces(text) or len(text) > MAX_TEMPLATE:
        return
    template = read_template(text, facts.at(pointer=pointer), name, facts.limits)
    if _is_attack(template):
        yield template


def _braces(text: str) -> bool:
    return "{{" in text or "{%" in text


def _walks(text: str) -> bool:
    """Whether ``str.format`` would walk from a value to the inside of Python: no prompt has need of that."""
    return "__" in text and _FORMAT_WALK.search(text) is not None


def format_string(text: str, facts: Facts, name: str, pointer: str | None = None) -> Any:
    """The template that a text is for ``str.format`` where a field of it walks to the inside of Python; ``None`` for others.

    Prompts of many libraries are such texts. What a field walks to stands in the prompt afterwards: settings and keys of the
    process (LangChain, CVE-2025-65106).
    """
    from openvet.formats.jinja import Template, Use

    if not _walks(text):
        return None
    uses = [
        Use("format-string", text.count("\n", 0, match.start()) + 1, shorten(printable(match.group()), 120))
        for match, _ in zip(_FORMAT_WALK.finditer(text), range(20), strict=False)
    ]
    raw = text.encode("utf-8", "surrogatepass")
    label = shorten(printable(name), 80)
    return Template(facts.at(pointer=pointer), label, hashlib.sha256(raw).hexdigest(), len(text), tuple(uses))


def _chat(pointer: str, key: str | int) -> bool:
    """Whether :func:`chat_templates` gives the text under ``key`` of the value at ``pointer``."""
    return pointer.endswith("/chat_template") or (
        key == "template" and pointer.rpartition("/")[0].endswith("/chat_template")
    )


def _speaks(key: str) -> bool:
    """Whether a key speaks of templates or prompts; a whole text that stands as a key does not."""
    return len(key) <= 100 and (key.startswith(_PROMPTS) or _SPEAKS.search(key) is not None)


def _is_attack(template: Any) -> bool:
    return any(
        use.what in _PLAIN_ATTACK or (use.what == "attr-filter" and use.detail.startswith("_")) for use in template.uses
    )


def template_in_text(text: str, facts: Facts, pointer: str | None = None) -> Any:
    """The template that a text of another language holds (a setting in an INI file), where it does what only an attack does.

    What stands outside of Jinja's braces is no matter of it, so the text is read as one template; where that cannot be parsed,
    expression by expression.
    """
    from openvet.formats.jinja import read_template

    if len(text) > MAX_TEMPLATE or ("{{" not in text and "{%" not in text):
        return None
    template = read_template(text, facts.at(pointer=pointer), "", facts.limits)
    if not template.error:
        return template if _is_attack(template) else None
    for count, (start, piece) in enumerate(_pieces(text)):
        if count >= _MOST:
            break
        line = text.count("\n", 0, start)
        for spelled in (piece, piece.replace('\\"', '"').replace("\\'", "'")):
            template = read_template("\n" * line + spelled, facts.at(pointer=pointer), "", facts.limits)
            if _is_attack(template):
                return template
    return None


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Expressions and statements with the places where they begin; a statement that needs an end, as the expression that it evaluates."""
    done = 0
    for count, match in enumerate(_OPENS.finditer(text)):
        if count >= _OPENINGS:
            return
        if match.start() < done:
            continue
        closes = "}}" if match[1] is None else "%}"
        end = text.find(closes, match.end() + 1, match.end() + _LONGEST_PIECE)
        if end < 0:
            continue
        done = end + 2
        yield match.start(), _expression(match[1], text[match.start() : done], text[match.end() : end])


def _expression(word: str | None, piece: str, inside: str) -> str:
    if word in ("if", "elif", "do"):
        return "{{" + inside.removesuffix("-") + "}}"
    if word == "for" and (found := _IN.search(inside)):
        return "{{" + inside[found.end() :].removesuffix("-") + "}}"
    return piece


def _named(document: Any, wanted: str) -> Iterator[tuple[str, Any]]:
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            for key, child in value.items():
                if key == wanted:
                    yield below(pointer, key), child
                elif isinstance(child, dict | list):
                    stack.append((below(pointer, key), child))
        elif isinstance(value, list):
            stack.extend(
                (below(pointer, index), child) for index, child in enumerate(value) if isinstance(child, dict | list)
            )


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, str):
        yield "default", pointer, value
    elif isinstance(value, dict):
        for key, text in value.items():
            if isinstance(text, str):
                yield str(key), below(pointer, key), text
    elif isinstance(value, list):
        for index, each in enumerate(value):
            if isinstance(each, dict) and isinstance(each.get("template"), str):
                yield str(each.get("name", index)), below(below(pointer, index), "template"), each["template"]
            elif isinstance(each, str):
                yield str(index), below(pointer, index), each
