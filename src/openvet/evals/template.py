"""Prompts with places for fields: ``Question: {{question}}``, and nothing else.

There are no expressions, loops, filters or attributes. A task may be anybody's, and a template language that computes is one more program
to run. What a field holds is put in as it is and never looked at for places again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.text import printable
from openvet.evals.limits import DEFAULT

__all__ = ["Template", "TemplateError", "as_text"]

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")


class TemplateError(ValueError):
    """A template makes no sense, or a sample has not what it asks for; the text says what."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template, taken apart.

    Attributes:
        source: as it was written.
        texts, names: ``texts[0] + fields[names[0]] + texts[1] + ...``; there is one text more than names.
    """

    source: str
    texts: tuple[str, ...]
    names: tuple[str, ...]

    @classmethod
    def of(cls, source: str) -> Template:
        """Take a template apart.

        Raises:
            TemplateError: it holds anything but names between ``{{`` and ``}}``.
        """
        texts: list[str] = []
        names: list[str] = []
        at = 0
        for sign in ("{%", "{#"):
            if sign in source:
                raise TemplateError(
                    f"{sign} begins a statement of another template language; only {{{{field}}}} is taken"
                )
        while True:
            begin = source.find("{{", at)
            if begin < 0:
                texts.append(source[at:])
                return cls(source, tuple(texts), tuple(names))
            end = source.find("}}", begin)
            if end < 0:
                raise TemplateError("a {{ has no }} behind it")
            name = source[begin + 2 : end].strip()
            if not _NAME.match(name):
                raise TemplateError(
                    f"{{{{{printable(name)[:60]}}}}} is no name of a field; expressions and filters are not taken"
                )
            texts.append(source[at:begin])
            names.append(name)
            at = end + 2

    @property
    def alone(self) -> str | None:
        """The one field that it is, with nothing around it; ``None`` where it is more."""
        return self.names[0] if len(self.names) == 1 and self.texts == ("", "") else None

    def fill(self, fields: Mapping[str, Any]) -> str:
        """The text (raises :class:`TemplateError` where a field is not there, or is no text or number)."""
        out, size = [self.texts[0]], len(self.texts[0])
        for name, text in zip(self.names, self.texts[1:], strict=True):
            if name not in fields:
                raise TemplateError(f"there is no field {name!r}")
            out += [as_text(fields[name], name), text]
            size += len(out[-2]) + len(text)
            if size > DEFAULT.prompt_characters:
                raise TemplateError(f"is longer than {DEFAULT.prompt_characters} characters (limit prompt_characters)")
        return "".join(out)


def as_text(value: Any, name: str) -> str:
    """A value of a sample as a prompt shows it (raises :class:`TemplateError` for what has no one text)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    kind = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else "nothing"
    raise TemplateError(f"the field {name!r} is {kind}, and not text or a number")
