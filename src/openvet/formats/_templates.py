"""Jinja templates that a parsed document carries: the values of ``chat_template``, and those under other names.

Every loader has names of its own (``default_chat_template``, ``prompt_format``, ``tool_use``), so that a name only says how
closely a value is looked at. Under a name that speaks of templates or prompts, and under any name of a file that is a loader's
configuration, a text with Jinja's braces is parsed. It may as well be a template of another language, or none: what is no Jinja, or
does nothing that only an attack does, says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openvet.core.location import below
from openvet.core.pattern import pattern
from openvet.formats._format import Facts

__all__ = ["MAX_TEMPLATE", "carry_templates", "chat_templates", "other_templates", "template_in_text"]

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
        for name, where, text in _texts(value, pointer):
            if found >= 100:
                facts.unknown("limit", "more than 100 chat templates; the rest was not read", pointer=pointer)
                return
            found += 1
            yield read_template(text, facts.at(pointer=where), name, facts.limits)


def other_templates(document: Any, facts: Facts) -> Iterator[Any]:
    """Templates in ``document`` under other names than ``chat_template``: those that do something of note."""
    from openvet.formats.jinja import read_template

    configuration = isinstance(document, dict) and _CONFIGURATION.search(facts.name.rsplit("/", 1)[-1]) is not None
    stack: list[tuple[str, str, Any, bool]] = [("", "", document, False)]
    found = 0
    while stack and found < _MOST:
        pointer, name, value, named = stack.pop()
        if isinstance(value, dict | list):
            for key, child in value.items() if isinstance(value, dict) else enumerate(value):
                if key == "chat_template" and not isinstance(child, dict | list):
                    continue
                speaks = named or (isinstance(key, str) and _speaks(key))
                if isinstance(child, dict | list) or (
                    isinstance(child, str) and _braces(child) and not _chat(pointer, key)
                ):
                    stack.append((below(pointer, key), key if isinstance(key, str) else name, child, speaks))
        elif named or configuration:
            found += 1
            template = read_template(value, facts.at(pointer=pointer), name, facts.limits)
            if template.uses and ("template" in name.lower() or _is_attack(template)):
                yield template


def _braces(text: str) -> bool:
    return "{{" in text or "{%" in text


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
