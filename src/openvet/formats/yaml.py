"""YAML texts: training and pipeline configurations, ``hparams.yaml``, ``MLmodel``.

Any text is YAML, more or less, so that only the name tells: ``.yaml``, ``.yml``, ``MLmodel`` or ``MLproject``. The text is parsed to
plain values; a tag that asks a loader to construct an object (``!!python/object/apply:os.system``, HyperPyYAML's
``!new:`` and ``!apply:``) is recorded and never followed.

Specification: https://yaml.org/spec/1.1/ ; Python tags: https://pyyaml.org/wiki/PyYAMLDocumentation
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._decode import is_text, read_text
from openvet.formats._format import Facts, Format, Head, Likeness, Outline
from openvet.formats._yaml_events import YamlText
from openvet.io.source import Source

__all__ = ["FORMAT", "document_of", "probe", "read", "record", "tell_bomb"]

FORMAT = Format(
    id="yaml",
    title="YAML text",
    extensions=(".yaml", ".yml"),
    media_types=("application/yaml",),
    can_tell=(
        "every key and value, and keys that a map has twice",
        "tags that ask a loader to construct Python objects or to call functions",
    ),
    cannot_tell=("what the values mean to a program; the checks know those that loaders act on",),
    refines=("text", "json"),
)

#: Files of MLflow, of KitOps and of conda.
_NAMES = {"MLmodel", "MLproject", "Kitfile", "kitfile", ".kitfile", ".condarc", "condarc"}
#: Endings of settings, which are YAML where they ask for an object as Hydra reads it.
_SETTINGS = {".cfg", ".conf", ".config", ".hydra", ".ini", ""}
#: An action of a template.
_FILLED = pattern(r"\{\{[^{}\n]{0,1000}\}\}")
_TARGET = pattern(rb"^[ \t-]*[\"']?_target_[\"']?[ \t]*:[ \t]", re.MULTILINE)


def probe(head: Head) -> Likeness:
    named = head.suffix in FORMAT.extensions or head.name.rsplit("/", 1)[-1] in _NAMES
    named = named or (head.suffix in _SETTINGS and _TARGET.search(head.data) is not None)
    return Likeness.WEAK if named and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._keras import look
    from openvet.formats._secrets import scan_text
    from openvet.formats._templates import carry_templates
    from openvet.formats._tool_settings import tell_parsed_tool, tell_tool
    from openvet.formats._yaml_events import AliasBombError, parse_yaml

    text = read_text(source, facts)
    scan_text(text, facts)
    encoded = EncodedPickles(facts)
    encoded.look(text)
    tell_tool(text, facts)
    results = f"/{facts.name}".rpartition("/")[0].endswith("/.eval_results")
    if (
        _FILLED.search(text) and "/templates/" in f"/{facts.place}"
    ):  # a chart of Helm: what is filled in later is left open
        text = "\n".join(_filled(text))
    try:
        parsed = parse_yaml(text, facts.limits, facts.budget.check_time, with_lines=results)
    except AliasBombError:
        tell_bomb(facts)
        raise
    facts.document = document_of(parsed)
    if results:
        facts.outline = Outline(parsed.lines)
    spelled = "\\u00" in text or "\\x" in text or "\\\n" in text
    encoded.walk(facts.document, spelled=spelled)
    tell_parsed_tool(facts.document, facts)
    record(parsed, facts)
    look(facts)
    carry_templates(facts.document, facts)


def _filled(text: str) -> Iterator[str]:
    """The lines of a template for YAML, with something in the place of each action, and without lines that are nothing else."""
    for line in text.split("\n"):
        whole = _FILLED.sub("", line).strip()
        yield _FILLED.sub("x", line) if whole.strip("-") or not _FILLED.search(line) else ""


def tell_bomb(facts: Facts) -> None:
    """Record that a loader would need more memory than there is."""
    facts.anomaly("yaml/alias-bomb", "becomes larger than any memory with its aliases written out", line=1)


def document_of(parsed: YamlText) -> Any:
    """One document as itself, several as a list."""
    return parsed.documents[0] if len(parsed.documents) == 1 else parsed.documents or None


def record(parsed: YamlText, facts: Facts, first_line: int = 1) -> None:
    """Put what the parser noticed into ``facts``; the text begins on ``first_line`` of the file."""
    for tag in parsed.tags:
        name = shorten(printable(tag.name.replace("tag:yaml.org,2002:", "!!")), 200)
        facts.anomaly(
            "yaml/object-tag",
            f"asks the loader to construct {name}",
            line=first_line - 1 + tag.line,
            pointer=tag.pointer or None,
            tag=name,
        )
    for key, line in parsed.duplicates:
        name = shorten(printable(key), 80)
        facts.anomaly(
            "json/duplicate-key",
            f"has the key {name!r} twice; readers differ in which they take",
            line=first_line - 1 + line,
            key=name,
        )
