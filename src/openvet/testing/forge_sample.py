"""One sample of the gallery, and short ways to write one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.testing.forge import Call, Name, assemble, dump

__all__ = ["Sample", "by_text", "by_value", "calls"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the gallery.

    Attributes:
        name: what it shows; an advisory where there is one.
        forge: gives its bytes.
        rules: ids of rules above note that must report it, exactly; empty for a harmless one.
        rejected: whether it must be rejected, not only reviewed.
    """

    name: str
    forge: Callable[[], bytes]
    rules: frozenset[str]
    rejected: bool = False


def calls(name: str, module: str, attribute: str, rule: str, *arguments: Any) -> Sample:
    """A plain call of one callable, protocol 4 (so that the name may be dotted)."""
    given = arguments or ("echo forged",)
    return Sample(
        name, lambda: dump(Call(Name(module, attribute), given), 4), frozenset({f"pickle/{rule}"}), rejected=True
    )


def by_text(name: str, text: str, *rules: str, rejected: bool = True) -> Sample:
    return Sample(name, lambda: assemble(text), frozenset(f"pickle/{rule}" for rule in rules), rejected)


def by_value(name: str, value: Any, *rules: str, protocol: int = 4, rejected: bool = False) -> Sample:
    return Sample(name, lambda: dump(value, protocol), frozenset(f"pickle/{rule}" for rule in rules), rejected)
