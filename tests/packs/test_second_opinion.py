"""Every condition of every pack that ships, computed again by cel-python, an implementation that shares nothing with the runtime that decides.

``make test`` installs it from a lock of its own; where it cannot be had (a part of it is compiled), the second opinion is left out and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from openvet.conditions.cel import Condition, Unknown
from openvet.conditions.names import renamed
from openvet.policy.cases import Case
from openvet.policy.compiled import CompiledPack
from openvet.workflows.packs import list_packs, load_pack, pack_cases

celpy = pytest.importorskip("celpy", reason="cel-python is not installed")
#: cel-python is slow; so many cases of a pack, spread over all of them, are enough to reach every condition.
MOST_CASES = 20


@cache
def program(text: str) -> Any:
    """A condition of dotted names, with one identifier for each."""
    environment = celpy.Environment()
    return environment.program(environment.compile(text))


def second(condition: Condition, values: Mapping[str, Any]) -> Any:
    """What cel-python makes of it; ``Unknown`` where it has no value. A name that has none is not in the activation."""
    given = {name.replace(".", "__"): celpy.json_to_cel(values[name]) for name in condition.names if name in values}
    try:
        found = program(renamed(condition.text, condition.names)).evaluate(given)
    except celpy.CELEvalError:
        return Unknown()
    if isinstance(found, celpy.celtypes.BoolType):
        return bool(found)
    if isinstance(found, list):
        return sorted(str(each) for each in found)  # in order, as the runtime's lists are
    if isinstance(found, celpy.celtypes.TimestampType):
        return datetime.fromisoformat(found.isoformat()).astimezone(UTC)
    return float(found) if isinstance(found, float) else str(found) if isinstance(found, str) else int(found)


def conditions(pack: CompiledPack, case: Case) -> Iterator[tuple[str, Condition, Mapping[str, Any]]]:
    """Each condition with the values that it sees in a case; values of steps are those of the runtime that decides."""
    day = datetime(case.as_of.year, case.as_of.month, case.as_of.day, tzinfo=UTC)
    values = {"as_of": day, **case.facts, **case.answers}
    for step in pack.steps:
        for each in (*step.values, step.undecided):
            if each is not None:
                yield step.step.id, each, values
        stop = step.undecided is not None and step.undecided.evaluate(values) is True
        found = (
            [] if stop else [value for each in step.values if not isinstance(value := each.evaluate(values), Unknown)]
        )
        if found:
            values[step.step.name] = found[0]
    for line in pack.requirements:
        for one in (line.applies, line.passes, line.undecided, line.offenders, *(when for _, when in line.phases)):
            if one is not None:
                yield line.requirement.id, one, values


@pytest.mark.parametrize("name", sorted(list_packs()))
def test_two_implementations_agree(name: str) -> None:
    pack = load_pack(name)
    cases = pack_cases(name, pack)
    compared, known, differ = set(), 0, []
    for case in cases[:: max(1, len(cases) // MOST_CASES)]:
        for where, condition, values in conditions(pack, case):
            first, other = condition.evaluate(values), second(condition, values)
            compared.add(condition.text)
            known += not isinstance(first, Unknown)
            same = isinstance(other, Unknown) if isinstance(first, Unknown) else first == other or (isinstance(first, float) and first == pytest.approx(other))  # fmt: skip
            if not same:
                differ.append(f"{case.where} {where}: {first!r} and {other!r}: {condition.text}")
    assert differ == []
    assert known
    every = {each.text for one in pack.requirements for each in (one.passes, one.applies) if each is not None}
    assert every <= compared
