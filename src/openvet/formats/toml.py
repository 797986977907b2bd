"""TOML texts: configurations of trainers, servers and tools.

Only the name tells: ``.toml``, ``Pipfile`` and the lock files of Poetry, uv and PDM. The text is parsed to plain values, in which nothing is executed. What Python's parser refuses stays
text, in which templates are still looked for.

Specification: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

from typing import Any

from openvet.core.coverage import Coverage
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="toml",
    title="TOML text",
    extensions=(".toml",),
    media_types=("application/toml",),
    can_tell=("every key and value", "templates and pickles that the values carry"),
    cannot_tell=("what the values mean to a program; the checks know those that loaders act on",),
    refines=("text",),
)

#: Files of package managers without the ending.
_NAMES = {"Pipfile", "poetry.lock", "uv.lock", "pdm.lock"}


def probe(head: Head) -> Likeness:
    named = head.suffix in FORMAT.extensions or head.name.rsplit("/", 1)[-1] in _NAMES
    return Likeness.WEAK if named and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    import tomllib

    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text
    from openvet.formats._templates import carry_templates, template_in_text
    from openvet.formats._tool_settings import tell_parsed_tool, tell_tool

    text = read_text(source, facts)
    scan_text(text, facts)
    encoded = EncodedPickles(facts)
    encoded.look(text)
    tell_tool(text, facts)
    try:
        document = _plain(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError):
        facts.coverage = Coverage.INERT
        if template := template_in_text(text, facts):
            facts.programs.append(template)
        return
    facts.document = document
    spelled = "\\u00" in text
    encoded.walk(document, spelled=spelled)
    tell_parsed_tool(document, facts)
    carry_templates(document, facts)
    if "entry" in text or "plugins" in text:
        from openvet.formats._entry_points import note_entry_tables

        note_entry_tables(document, facts)


def _plain(value: Any) -> Any:
    """The values of JSON: dates and times become their texts."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool) else str(value)
