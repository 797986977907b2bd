"""What several statements of one kind say of a model together. Where they contradict each other, nobody can say which is right: the fact is unknown, and both are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.workflows.candidates import Candidate, Evidence

__all__ = ["Told", "apart", "told_of"]


@dataclass(frozen=True, slots=True)
class Told:
    """A fact.

    Attributes:
        value: ``None`` where statements contradict each other.
        source: the last that says it.
        apart: the contradiction in words; '' where there is none.
    """

    value: Any
    source: Evidence
    apart: str = ""


def told_of(
    candidate: Candidate, kind: str, read: Callable[[Any], Any], shown: Callable[[Any], str] = str
) -> Told | None:
    """A fact of the statements of one kind that count; ``None`` where none has it.

    Args:
        read: the fact of a statement's body; ``None`` where it does not say. What it raises goes through.
        shown: the fact for people.
    """
    said = [(each, value) for each in candidate.told(kind) if (value := read(each.predicate)) is not None]
    if not said:
        return None
    source, value = said[-1]
    if all(each == value for _, each in said):
        return Told(value, source)
    return Told(None, source, apart([(each, shown(one)) for each, one in said]))


def apart(said: Sequence[tuple[Evidence, str]]) -> str:
    """A contradiction in words, whatever the order of statements: each thing that is said once, with a statement that says it."""
    first: dict[str, Evidence] = {}
    for each, words in sorted(said, key=lambda one: (one[1], one[0].source, one[0].sha256)):
        first.setdefault(words, each)
    told = [f"{each.source} (sha256:{each.sha256[:12]}) says {words}" for words, each in first.items()]
    more = f"; and {len(told) - 4} more" if len(told) > 4 else ""
    return f"statements contradict each other: {'; '.join(told[:4])}{more}"
