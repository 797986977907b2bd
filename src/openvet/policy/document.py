"""A document as data: the items that a law or a framework lists, and what can fill them. How one is written says ``docs/guide/write-a-pack.md``."""

from __future__ import annotations

import re
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.policy.pack import Level, PackFile, Question, Source

__all__ = ["Document", "Item"]

_OTHER: Final = pattern(r"[^a-z0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a document.

    Attributes:
        asks: what has to stand there, in our own words.
        fills: what has to be there: of each group one of the names of facts, steps and answers, in order of preference. Of ``human`` only answers.
        beside: names whose values are shown beside and fill nothing.
        level: how the line can be known.
        human: only a person can write it; it stays open until one does.
        when: the name of a step; the item is left out where that is false. '' always counts.
        choices: the words to choose from.
        requirement: the id of the pack's requirement whose outcome stands in the line, with what that rests on; '' is none. ``fills`` are its names.
    """

    id: str
    section: str
    label: str
    clause: str
    asks: str
    fills: tuple[tuple[str, ...], ...]
    level: Level
    human: bool = False
    when: str = ""
    choices: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    requirement: str = ""
    where: str = ""

    @property
    def answers(self) -> tuple[str, ...]:
        """The questions whose answers fill it."""
        found = (name.split(".")[1] for group in self.fills for name in group if name.startswith("answers."))
        return tuple(dict.fromkeys(found))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it uses."""
        return (*(name for group in self.fills for name in group), *self.beside, *filter(None, [self.when]))


@dataclass(frozen=True, slots=True)
class Document:
    """A document.

    Attributes:
        filled_by: who has to write what only people can.
        file: what it was read from.
    """

    id: str
    title: str
    clause: str
    source: Source
    filled_by: str
    items: tuple[Item, ...]
    file: PackFile

    def question_of(self, item: Item) -> Question | None:
        """The question that an item asks by itself, where no other question's answer is what has to stand there."""
        if not item.human or item.answers or item.requirement:
            return None
        name = f"{_OTHER.sub('_', self.id)}_{_OTHER.sub('_', item.id.lower()).strip('_')}"
        words = f" Choose from: {'; '.join(item.choices)}." if item.choices else ""
        return Question(
            name, f"{item.label}: {item.asks}{words}", "text", why=f"{self.title}: {item.clause}", where=item.where
        )

    def questions_of(self, item: Item) -> tuple[str, ...]:
        """The ids of all questions whose answers fill an item."""
        own = self.question_of(item)
        return item.answers if own is None else (own.id,)

    @property
    def questions(self) -> tuple[Question, ...]:
        """Those of all items (:meth:`question_of`), in their order."""
        return tuple(found for each in self.items if (found := self.question_of(each)) is not None)

    @property
    def answers(self) -> tuple[str, ...]:
        """The questions of the pack and the catalogue whose answers it shows or waits for."""
        return tuple(dict.fromkeys(each.split(".")[1] for each in self.names if each.startswith("answers.")))

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it uses."""
        return tuple(dict.fromkeys(name for each in self.items for name in each.names))
