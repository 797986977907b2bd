"""From what is stated to the predicate: every reading computed, every published figure judged."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.quantity import brief, number_text
from openvet.evidence.predicates.claims_v1 import Claims, Input, Result
from openvet.evidence.predicates.tool import Tool
from openvet.profile.claims.energy import compute_energy
from openvet.profile.claims.inputs import Inputs, Stated
from openvet.profile.claims.judge import judge
from openvet.profile.claims.serving import compute_serving
from openvet.profile.claims.sheet import Computed, Sheet
from openvet.profile.claims.training import compute_training

__all__ = ["examine"]


def examine(inputs: Inputs, tool: Tool) -> Claims:
    """Compute what follows from ``inputs`` and judge what they say was published. The same inputs give the same bytes."""
    sheets: list[tuple[str, Sheet]] = []
    for chosen in inputs.readings():
        sheet = Sheet(inputs, chosen)
        compute_training(sheet)
        compute_energy(sheet)
        compute_serving(sheet)
        sheets.append((" and ".join(f"{key} {brief(value)}" for key, value in chosen.items()), sheet))
    shared = dict.fromkeys(text for _, sheet in sheets for text in sheet.assumptions)
    return Claims(
        tool,
        inputs.name,
        _inputs(inputs, sheets[0][1]),
        tuple(shared),
        tuple(_results(sheets)),
        judge(sheets),
        inputs.notes,
    )


def _results(sheets: list[tuple[str, Sheet]]) -> Iterator[Result]:
    """Those of every reading; what does not depend on the reading once."""
    for quantity, first in sheets[0][1].results.items():
        if all(sheet.results[quantity] == first for _, sheet in sheets):
            yield _result("", first)
        else:
            yield from (_result(name, sheet.results[quantity]) for name, sheet in sheets)


def _result(reading: str, each: Computed) -> Result:
    span = each.span
    return Result(
        each.quantity, each.unit, reading, number_text(span.low), number_text(span.high), number_text(span.least),
        number_text(span.most), each.formula, each.numbers, None if span.value is None else number_text(span.value),
    )  # fmt: skip


def _inputs(inputs: Inputs, sheet: Sheet) -> tuple[Input, ...]:
    found = [_input(each) for each in inputs.stated.values()]
    for number, each in enumerate(inputs.traffic, 1):
        for name, unit, value in (("tokens", "token", each.tokens), ("usd_per_million", "USD", each.usd_per_million)):
            of = f"{each.source} ({each.kind})" if each.source else each.kind
            found.append(Input(f"serving.traffic.{number}.{name}", unit, of, number_text(value)))
    if inputs.chip is not None:
        source = f"{inputs.chip.name}: {inputs.chip.source}, {inputs.chip.date}"
        found += [Input(key, unit, source, number_text(value)) for (key, unit), value in sheet.of_chip.items()]
    return tuple(found)


def _input(each: Stated) -> Input:
    value, low, high = (None if number is None else number_text(number) for number in (each.value, each.low, each.high))
    readings = tuple(map(number_text, each.others)) or None
    return Input(each.key.name, each.key.unit, each.source, value, low, high, readings, each.word or None)
