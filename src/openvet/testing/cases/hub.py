"""Repositories of a hub: configurations, templates and Python code, hostile and ordinary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from openvet.testing.case import Case
from openvet.testing.forge_hub import HOSTILE, ORDINARY

__all__ = ["CASES"]


def _forge(files: Mapping[str, str]) -> Mapping[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def _also(name: str, files: Mapping[str, str]) -> Iterator[str]:
    """What is told besides: that there is code at all."""
    if any(each.endswith(".py") for each in files):
        yield "hub/python-code"
    if name == "CVE-2026-5241":
        yield "hub/custom-code"


def _hostile() -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"hub/{name.lower()}",
            technique=name.replace("-", " ") if not name.startswith("CVE") else f"{each.rule} in {each.place}",
            forge=lambda files=each.files: _forge(files),  # type: ignore[misc]
            decision="reject",
            rules=frozenset({each.rule, *_also(name, each.files)}),
            advisories=tuple(re.findall(r"CVE-\d+-\d+", name)),
        )
        for name, each in HOSTILE.items()
    )


def _ordinary() -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"hub/ordinary-{name}",
            technique=f"an ordinary repository: {name}",
            forge=lambda files=files: _forge(files),  # type: ignore[misc]
            decision="admit",
        )
        for name, files in ORDINARY.items()
    )


CASES: tuple[Case, ...] = _hostile() + _ordinary()
