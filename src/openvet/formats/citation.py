"""Citation files, ``CITATION.cff``: how a model or data set wants to be cited, by whom it was made, under which licence.

A citation file is YAML with the keys of the Citation File Format. No loader of models reads it, and many are not quite YAML (a title
with a colon and without quotes), so that one that is none is a plain text, of which that is said.

Specification: https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md
"""

from __future__ import annotations

from openvet.errors import MalformedError
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness, Outline
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="citation",
    title="Citation File Format",
    extensions=(".cff",),
    media_types=(),
    can_tell=("what it declares: title, authors, version, licence, identifiers",),
    cannot_tell=("whether what it declares is true",),
    refines=("text", "yaml"),
)


def probe(head: Head) -> Likeness:
    return Likeness.WEAK if head.suffix == ".cff" and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text
    from openvet.formats._yaml_events import parse_yaml
    from openvet.formats.yaml import document_of, record

    text = read_text(source, facts)
    scan_text(text, facts)
    encoded = EncodedPickles(facts)
    encoded.look(text)
    try:
        parsed = parse_yaml(text, facts.limits, facts.budget.check_time, with_lines=True)
    except MalformedError as error:
        facts.anomaly("card/citation", error.message)
        return
    facts.document = document_of(parsed)
    facts.outline = Outline(parsed.lines)
    encoded.walk(facts.document)
    record(parsed, facts)
