"""What is held in many places is looked at once, and counts and is written as often as it is held."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from openvet.core.limits import DEFAULT_LIMITS, Budget
from openvet.disarm.graph import Graph, NotPlainError
from openvet.io.source import BytesSource


class Counting(Graph):
    looked = 0

    def children(self, value: int) -> list[int]:
        self.looked += 1
        return super().children(value)


def walked(value: Any) -> tuple[Counting, int]:
    graph = Counting(BytesSource(pickle.dumps(value, 4)), Budget(DEFAULT_LIMITS))
    graph.run()
    return graph, graph.result


def lattice(depth: int, width: int) -> list[Any]:
    value: list[Any] = [1]
    for _ in range(depth):
        value = [value] * width
    return value


def test_what_is_shared_is_written_in_each_place() -> None:
    shared = [1, [2, {"x": (3,)}]]
    graph, root = walked([shared, {"again": shared}, shared])
    once = [1, [2, {"dict": [["x", {"tuple": [3]}]]}]]
    assert graph.plain(root) == [once, {"dict": [["again", once]]}, once]
    assert graph.plain(root) == [once, {"dict": [["again", once]]}, once]


@pytest.mark.parametrize(("depth", "width", "fits"), [(3, 20, True), (4, 20, False), (50, 2, False)])
def test_it_counts_as_often_as_it_is_held_and_is_looked_at_once(depth: int, width: int, fits: bool) -> None:
    graph, root = walked(lattice(depth, width))
    if fits:
        assert graph.plain(root) == lattice(depth, width)
        assert graph.looked == depth + 1
    else:
        with pytest.raises(NotPlainError, match="too large"):
            graph.plain(root)
        assert graph.looked <= depth + 1


def test_what_is_known_is_not_put_deeper_than_the_limit() -> None:
    deep: list[Any] = []
    for _ in range(40):
        deep = [deep]
    below: Any = deep
    for _ in range(30):
        below = [below]
    graph, root = walked([deep, below])
    with pytest.raises(NotPlainError, match="nested too deeply"):
        graph.plain(root)
    assert graph.plain(graph.children(root)[0]) == deep
