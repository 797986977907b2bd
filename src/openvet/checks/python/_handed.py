"""Joining what one Python source takes from its user with another that sends it: through the functions of a repository's files."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.checks.python._follow import targets
from openvet.checks.python._uses import sources
from openvet.core.location import Location
from openvet.formats._python_told import NETWORK
from openvet.formats.python import PythonSource
from openvet.inventory.component import Inventory

__all__ = ["sent_between"]

_ROUNDS = 4
_MOST = 20

Where = tuple[Location, str]


def sent_between(inventory: Inventory) -> list[tuple[Location, str]]:
    """Each call by which something private goes to what sends it, in whichever files the two stand: where, and what is taken."""
    return list(_sent(inventory))[:_MOST]


def _sent(inventory: Inventory) -> Iterator[tuple[Location, str]]:
    read = [
        each
        for each in inventory.once(sources)
        if each.handed.gives or each.handed.passes or each.handed.sends or each.handed.meetings
    ]
    if len(read) < 2:
        return
    by_place = {each.location.place: each for each in inventory.once(sources)}
    steps = [0]

    def reached(source: PythonSource, name: str) -> list[Where]:
        return [(target.location, function) for target, function in targets(source, name, by_place, steps)]

    gives = {(each.location, name): what for each in read for name, what in each.handed.gives}
    sends = {(each.location, name) for each in read for name in each.handed.sends}
    for _ in range(_ROUNDS):
        before = len(gives) + len(sends)
        for each in read:
            for name, near in each.handed.passes:
                what = next((gives[where] for one in near for where in reached(each, one) if where in gives), None)
                if what is not None:
                    gives.setdefault((each.location, name), what)
        if len(gives) + len(sends) == before:
            break
    for each in read:
        for meeting in each.handed.meetings:
            away = meeting.name == NETWORK or any(where in sends for where in reached(each, meeting.name))
            if not away:
                continue
            what = meeting.private or next(
                (gives[where] for one in meeting.given for where in reached(each, one) if where in gives), ""
            )
            if what:
                yield Location(each.location.place, line=meeting.line), what
