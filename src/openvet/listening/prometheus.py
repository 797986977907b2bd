"""Figures as Prometheus reads them, in its text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["FORMAT", "family"]

#: The media type.
FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"


def family(name: str, kind: str, said: str, values: Mapping[Any, float]) -> Iterator[str]:
    """The lines of one figure.

    Args:
        kind: ``counter`` or ``gauge``.
        said: what it is, for people.
        values: by its labels, pairs of a name and a value.
    """
    yield f"# HELP {name} {said}"
    yield f"# TYPE {name} {kind}"
    for labels, value in sorted(values.items()):
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        yield f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
