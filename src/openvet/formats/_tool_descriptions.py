"""Descriptions of tools that a document hands to an assistant: lists of MCP, functions of OpenAI's interface.

An assistant reads all of them before each of its steps, whichever tool it takes, so that one description can lead it against its user
("tool poisoning"). What it says is looked at as other instructions are (:mod:`openvet.formats._instructions`).

Sources: https://modelcontextprotocol.io/specification/2025-06-18/server/tools ; OWASP LLM01:2025; MITRE ATLAS AML.T0051.001.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from openvet.formats._format import Facts

__all__ = ["tell_descriptions"]

#: Tools, and texts of one, that are looked at.
_MOST: Final = 1_000
_LONGEST: Final = 20_000
_LISTS: Final = ("tools", "functions", "prompts", "resources")
_SCHEMAS: Final = ("inputSchema", "input_schema", "parameters", "arguments", "schema")


def tell_descriptions(document: Any, facts: Facts) -> None:
    """Record the first passage of each tool's descriptions that sets an assistant against its user."""
    from openvet.formats._instructions import tell_description

    for pointer, tool in _tools(document):
        for text in _texts(tool):
            before = len(facts.anomalies)
            tell_description(text[:_LONGEST], facts, pointer=pointer)
            if len(facts.anomalies) > before:
                break


def _tools(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each tool with its place: in a list of the document, or the document that is such a list."""
    lists = [("", document)] if isinstance(document, list) else []
    if isinstance(document, dict):
        lists += [(f"/{key}", document[key]) for key in _LISTS if isinstance(document.get(key), list)]
    for place, items in lists:
        for number, item in enumerate(items[:_MOST]):
            wrapped = item.get("function") if isinstance(item, dict) else None
            tool = wrapped if isinstance(wrapped, dict) else item
            if isinstance(tool, dict) and isinstance(tool.get("name"), str) and "description" in tool:
                yield f"{place}/{number}", tool


def _texts(tool: dict[str, Any]) -> Iterator[str]:
    """What is said of a tool as a whole, and of what it is given."""
    if isinstance(tool["description"], str):
        yield tool["description"]
    for key in _SCHEMAS:
        schema = tool.get(key)
        given = schema.get("properties") if isinstance(schema, dict) else None
        for each in list(given.values())[:_MOST] if isinstance(given, dict) else ():
            if isinstance(each, dict) and isinstance(each.get("description"), str):
                yield each["description"]
