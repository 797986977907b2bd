"""Writes the indexes of the rules and the formats from their modules (docs/adr/0033).

usage: tools/index.py [--check]

``--check`` writes nothing and fails when an index is not what the modules say.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

SRC = Path(__file__).resolve().parent.parent / "src"
HEAD = '''"""Made by `make index` from the {what} of this folder: what has to be known of them before they are imported (docs/adr/0033)."""

from {room} import {names}

__all__ = ["INDEX"]

# fmt: off
INDEX: tuple[tuple[str, {kind} | None], ...] = (
{lines}
)
'''


def source(value: object) -> str:
    """The expression that makes ``value``."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        inside = ", ".join(map(source, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if hasattr(value, "__dataclass_fields__"):
        given = [
            f"{each.name}={source(getattr(value, each.name))}"
            for each in fields(value)  # type: ignore[arg-type]
            if each.default is MISSING or getattr(value, each.name) != each.default
        ]
        return f"{type(value).__name__}({', '.join(given)})"
    if not isinstance(value, str | bytes | bool | int | None):
        raise TypeError(f"an index holds no {type(value).__name__}")
    return repr(value)


def index_of(package: str, needs: tuple[str, ...], facts_of: Callable[[ModuleType], Any], head: dict[str, str]) -> str:
    """The index of a kind, from its modules; those that lack a name of ``needs`` are listed as no members of it."""
    from openvet.core.registry import walk_kind

    lines = []
    for module in walk_kind(package):
        facts = facts_of(module) if all(hasattr(module, name) for name in needs) else None
        lines.append(f'    ("{module.__name__.removeprefix(f"{package}.")}", {source(facts)}),')
    return HEAD.format(lines="\n".join(lines), **head)


def indexes() -> dict[Path, str]:
    """Every index by its path."""
    from openvet.core.rule import rule_of
    from openvet.formats._format import sign_of

    rules = {"what": "rules", "room": "openvet.core.rule", "names": "Confidence, Rule, Severity", "kind": "Rule"}
    signs = {"what": "formats", "room": "openvet.formats._format", "names": "Sign", "kind": "Sign"}
    return {
        SRC / "openvet" / "checks" / "_index.py": index_of("openvet.checks", ("RULE", "check"), rule_of, rules),
        SRC / "openvet" / "formats" / "_index.py": index_of(
            "openvet.formats", ("FORMAT", "probe", "read"), sign_of, signs
        ),
    }


def stale() -> dict[Path, str]:
    """What has to be written."""
    return {
        path: text for path, text in indexes().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main() -> int:
    found = stale()
    if sys.argv[1:] == ["--check"]:
        for path in found:
            print(f"{path} is not what the modules beside it say; run `make index`", file=sys.stderr)
        return 1 if found else 0
    for path, text in found.items():
        path.write_text(text, encoding="utf-8")
    print(f"index: {len(found)} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
