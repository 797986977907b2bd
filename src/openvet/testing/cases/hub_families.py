"""Ordinary repositories of well-known families, whole: none of them may be held up."""

from __future__ import annotations

from openvet.testing.case import Case
from openvet.testing.forge_families import FAMILIES

__all__ = ["CASES"]

CASES: tuple[Case, ...] = tuple(
    Case(
        id=f"hub-families/{name}",
        technique=f"a repository in the shape in which models of the family {name.replace('-', ' ')} are published",
        forge=lambda files=files: files,  # type: ignore[misc]
        decision="admit",
        formats=("gguf",) if name == "gguf" else ("safetensors", "json"),
    )
    for name, files in FAMILIES.items()
)
