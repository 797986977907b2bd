"""Markdown texts: README and other pages, with the YAML front matter that a hub reads.

Front matter is YAML between a first line ``---`` and the next line ``---``; it says licence, base model, data sets, tags.
It becomes the document. The rest is prose, which no loader executes; of a ``README.md`` its headings are kept, since a card is
read by them.

Model cards: https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

from dataclasses import replace

from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="markdown",
    title="Markdown text",
    extensions=(".md", ".markdown"),
    media_types=("text/markdown",),
    can_tell=("what the front matter declares: licence, base model, data sets, tags, library",),
    cannot_tell=("whether what it declares is true", "what the prose says"),
    refines=("text",),
)

#: The line on which front matter begins: the mark above it is the first.
_FIRST = 2


def probe(head: Head) -> Likeness:
    return Likeness.WEAK if head.suffix in FORMAT.extensions and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    encoded = EncodedPickles(facts)
    encoded.look(text, prose=True)
    front = _front_matter(text)
    _tell(text, facts)
    if facts.name.rsplit("/", 1)[-1].lower() == "readme.md":
        from openvet.formats._outline import outline_of

        # the line that closes front matter is left out: it would underline what stands above it
        rest = text if front is None else text.partition("\n")[2][len(front) :].partition("\n")[2]
        first = 1 if front is None else front.count("\n") + 3
        facts.outline = replace(outline_of(rest, first, facts.budget.check_time), front_matter=front is not None)
    if front is None:
        return
    from openvet.formats._templates import carry_templates
    from openvet.formats._yaml_events import AliasBombError, parse_yaml
    from openvet.formats.yaml import document_of, record, tell_bomb

    try:
        parsed = parse_yaml(
            front, facts.limits, facts.budget.check_time, with_lines=facts.outline is not None, first_line=_FIRST
        )
    except AliasBombError:
        tell_bomb(facts)
        raise
    facts.document = document_of(parsed)
    if facts.outline is not None:
        facts.outline = replace(facts.outline, lines={key: line + _FIRST - 1 for key, line in parsed.lines.items()})
    encoded.walk(facts.document)
    carry_templates(facts.document, facts)
    record(parsed, facts, first_line=_FIRST)


def _tell(text: str, facts: Facts) -> None:
    """What a page tells people, assistants and browsers to run."""
    from openvet.formats._advised import tell_advised
    from openvet.formats._instructions import is_instruction, tell_instructions

    instruction = is_instruction(facts.place)
    tell_advised(text, facts, every=instruction)
    tell_instructions(text, facts, addressed=instruction)
    if "<" in text or "script:" in text:
        from openvet.formats._notebook_output import tell_markdown

        tell_markdown(text, facts)


def _front_matter(text: str) -> str | None:
    """The text between the marks, or ``None`` where there is none."""
    if not text.startswith(("---\n", "---\r\n")):
        return None
    start = text.index("\n") + 1
    at = start
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].rstrip() == "---":
            return text[start:at]
        at = end + 1
    return None
