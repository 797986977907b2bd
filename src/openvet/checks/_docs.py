"""A rule's documentation, read from its module's docstring: one source for ``explain``, SARIF and the docs site."""

from __future__ import annotations

import inspect
from types import ModuleType

__all__ = ["SECTIONS", "summary_and_sections"]

#: The sections that every rule has, in this order.
SECTIONS = ("What it finds", "Why it matters", "Example", "Remedy", "What it cannot see", "References")


def summary_and_sections(module: ModuleType) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The first paragraph, and (heading, text) for each section, indentation removed."""
    lines = inspect.cleandoc(module.__doc__ or "").splitlines()
    summary: list[str] = []
    sections: list[tuple[str, list[str]]] = []
    for line in lines:
        heading = line.removesuffix(":")
        if line.endswith(":") and heading in SECTIONS:
            sections.append((heading, []))
        elif sections:
            sections[-1][1].append(line)
        else:
            summary.append(line)
    text = " ".join(line.strip() for line in summary).strip()
    return text, tuple((heading, inspect.cleandoc("\n" + "\n".join(body)).strip()) for heading, body in sections)
