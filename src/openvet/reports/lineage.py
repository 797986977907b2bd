"""A lineage for a person at a terminal: a tree of what it was made of, and what was tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvet.core.location import Location
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, WeightTest
from openvet.reports._text import plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import wrapped

__all__ = ["LIMITS", "WORDS", "compose", "edge_words", "figures_words", "verdict_words"]

#: What an edge says, from the derivative to the origin.
WORDS: Final = {
    "based-on": "based on", "finetune": "fine-tuned from", "adapter": "adapter of", "quantized": "quantized from",
    "merge": "merged from", "pruned": "pruned from", "converted": "converted from", "distilled-from": "distilled from",
    "loaded-from": "loaded from", "trained-on": "trained on", "evaluated-on": "evaluated on", "tokenizer-of": "tokenizer of",
}  # fmt: skip
LIMITS: Final = (
    "Consistent means that the weights did not come about independently; which of two models was first is not in them. "
    "What was trained anew on another model's outputs is not found."
)
_CLAIMS: Final = {
    "derived": "weights", "low-rank": "low rank", "parts": "parts", "adapter": "fits", "finetune": "changed",
}  # fmt: skip
_COLOURS: Final = {"consistent": "green", "not-consistent": "red", "cannot-tell": "yellow"}
_SETS: Final = 12
_EDGES: Final = 200
_DEPTH: Final = 8


def verdict_words(verdict: str) -> str:
    """A verdict as people read it."""
    return verdict.replace("-", " ")


def edge_words(edge: Edge, lineage: LineageV1 | None = None) -> str:
    """What is said of an edge, without who it is about; with ``lineage``, that its tests found the same weights."""
    if lineage is not None and edge.basis == "measured" and _is_same(lineage, edge):
        return "same weights as"
    said = [f"{name} {value}" for name, value in edge.parameters.items() if not isinstance(value, list)]
    more = visible(", ".join(said))
    return f"{WORDS[edge.relation]} ({more})" if said else WORDS[edge.relation]


def _is_same(lineage: LineageV1, edge: Edge) -> bool:
    wanted = (edge.derivative, edge.origin, "identical", "consistent")
    return any((each.derivative, each.origin, each.claim, each.verdict) == wanted for each in lineage.tests)


def figures_words(test: WeightTest) -> str:
    """The statistic, what it is held against, and the chance of an error."""
    said = []
    if test.statistic is not None:
        limit = f" (threshold {test.threshold})" if test.threshold is not None else ""
        said.append(f"{test.test} {test.statistic}{limit}")
    else:
        said.append(test.test)
    if test.p_value is not None:
        said.append(f"by chance at most {test.p_value}")
    if test.samples:
        said.append(f"over {test.samples:,}")
    return ", ".join(said)


def compose(lineage: LineageV1, look: Look = PLAIN) -> str:
    """The whole report."""
    this = lineage.nodes[0]
    lines = [f"{look.paint(visible(this.name), 'bold')}  {look.paint(this.kind, 'dim')}"]
    lines += _tree(lineage, THIS, look, "", {THIS})
    if not lineage.edges:
        lines.append("  nothing in it says what it was made of")
    if lineage.left_off:
        lines.append(f"  and {plural(lineage.left_off, 'further statement')} that are not listed")
    for pair in dict.fromkeys((each.derivative, each.origin) for each in lineage.tests):
        lines += ["", *_tested(lineage, pair, look)]
    if lineage.problems:
        lines += ["", look.paint(plural(len(lineage.problems), "problem"), "yellow")]
        lines += [f"  {_where(each.location)}: {visible(each.message)}" for each in lineage.problems]
    if lineage.tests:
        lines += ["", *wrapped(LIMITS, look.width)]
    return look.finish("\n".join(lines) + "\n")


def _tree(lineage: LineageV1, name: str, look: Look, indent: str, told: set[str]) -> Iterator[str]:
    """The origins of a node, and theirs; what was told of a node is not told again, also where it is its own ancestor."""
    edges = _short(lineage.origins(name))
    for at, (edge, more) in enumerate(edges[:_EDGES]):
        last = at == len(edges) - 1
        node = lineage.node(edge.origin)
        named = visible(node.name if node is not None else edge.origin)
        where = f"  {look.paint(', '.join(_where(each) for each in edge.sources[:3]), 'dim')}" if edge.sources else ""
        others = f" and {more} more" if more else ""
        yield f"{indent}{'└─ ' if last else '├─ '}{edge_words(edge, lineage)} {look.paint(named, 'cyan')}{others}  {edge.basis}{where}"
        if edge.origin not in told and len(indent) < 3 * _DEPTH and not more:
            told.add(edge.origin)
            yield from _tree(lineage, edge.origin, look, indent + ("   " if last else "│  "), told)


def _short(edges: Sequence[Edge]) -> list[tuple[Edge, int]]:
    """The edges in order of what they hand on; of many data sets the first ones, the last of these with how many more there are."""
    order = list(WORDS)
    out: list[tuple[Edge, int]] = []
    for relation in order:
        found = [each for each in edges if each.relation == relation]
        kept = found[:_SETS]
        out += [(each, len(found) - len(kept) if each is kept[-1] else 0) for each in kept]
    return out


def _where(location: Location) -> str:
    line = f":{location.line}" if location.line is not None else ""
    pointer = f" {visible(location.pointer)}" if location.pointer and location.line is None else ""
    return f"{visible(location.place)}{line}{pointer}"


def _tested(lineage: LineageV1, pair: tuple[str, str], look: Look) -> Iterator[str]:
    one, two = (lineage.node(each) for each in pair)
    names = [visible(each.name) if each is not None else "" for each in (one, two)]
    yield look.paint(f"{names[0]} → {names[1]}", "bold")
    for test in lineage.tests:
        if (test.derivative, test.origin) != pair:
            continue
        word = look.paint(verdict_words(test.verdict), _COLOURS[test.verdict])
        claim = _CLAIMS.get(test.claim, test.claim)
        yield from wrapped(f"{claim}: {word}: {visible(test.reason)}", look.width - 2, indent=4, first="  ")
        yield from wrapped(f"[{visible(figures_words(test))}]", look.width - 4, indent=6, first="    ")
        if test.claim == "derived":
            same = [
                name.removeprefix("same ")
                for name, value in test.figures.items()
                if name.startswith("same ") and value == "yes"
            ]
            if same:
                yield from wrapped(
                    f"beside the weights the same, which proves nothing: {', '.join(same)}",
                    look.width - 4,
                    indent=6,
                    first="    ",
                )
