"""XML texts: PMML models, OpenVINO networks, SVG pictures and others.

The text is walked by expat, event by event. No entity is expanded and nothing outside the file is opened: what a document type
declares is recorded, and what a careless parser would make of it is computed.

Specification: https://www.w3.org/TR/xml/ ; PMML: https://dmg.org/pmml/ ; OpenVINO IR:
https://docs.openvino.ai/2025/documentation/openvino-ir-format.html
"""

from __future__ import annotations

import re

from openvet.core.pattern import pattern
from openvet.formats import text
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="xml",
    title="XML text",
    extensions=(".xml", ".pmml", ".svg", ".xsl", ".xslt", ".xsd", ".rdf"),
    media_types=("application/xml", "text/xml", "image/svg+xml"),
    can_tell=(
        "Entities, document types and inclusions that lead out of the file or blow it up.",
        "Scripts, and objects that Java rebuilds from XML.",
        "The layers of an OpenVINO network and the bytes that it takes from the file beside it.",
    ),
    cannot_tell=("What a program makes of elements that it alone knows.",),
    refines=("text",),
)

_ROOTS = pattern(r"\s*<(?:\?xml[\s?]|!DOCTYPE\s+(?!html\b)|(?:PMML|svg|net|java)[\s>/])", re.ASCII)
_HTML = (".html", ".htm", ".xhtml", ".md", ".markdown")


def probe(head: Head) -> Likeness:
    """Text that begins with an XML declaration, a document type or a known root."""
    if head.suffix in _HTML or b"<" not in head.data[:256] or text.probe(head) is Likeness.NO:
        return Likeness.NO
    wide = head.data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    start = head.data[:512].decode("utf-16" if wide else "utf-8", "ignore").removeprefix("\ufeff")
    named = head.suffix in FORMAT.extensions and re.match(r"\s*<[A-Za-z_!?]", start) is not None
    return Likeness.WEAK if named or _ROOTS.match(start) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read it as text, for secrets and what is no text; then walk the markup."""
    from openvet.core.coverage import Coverage
    from openvet.formats._started import tell_xml_settings
    from openvet.formats._xml_walk import walk

    text.read(source, facts)
    tell_xml_settings(source, facts)
    if facts.coverage is Coverage.INERT:
        facts.coverage = Coverage.READ
    walk(source, facts)
    start = source.upto(0, 256 * 1024)
    if b"<script" in start or b"document.cookie" in start or b"Storage" in start:
        from openvet.formats._notebook_output import scripts_in, tell_page
        from openvet.formats._program_flows import tell_program
        from openvet.formats._program_words import LANGUAGES

        page = start.decode("utf-8", "replace")
        tell_page(page, facts)
        for script, at in scripts_in(page):
            tell_program(script, LANGUAGES["js"], facts, page.count("\n", 0, at) + 1)
