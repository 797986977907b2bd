"""What a runtime keeps between requests is what it says it keeps, also after a request that failed halfway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from openvet.engines import gguf, transformers
from openvet.engines._engine import CannotError

LONG = list(range(1, 301))


class State(list[int]):
    """A cache that holds the tokens themselves, and is cut as Transformers 5 cuts one."""

    def crop(self, remove: int) -> None:
        if remove > 0:
            raise ValueError("use a negative integer")
        if remove:
            del self[remove:]

    def get_seq_length(self) -> int:
        return len(self)


class Writes(transformers._Writes):
    """Says for a row the tokens that it was made of, and fails where it is told to."""

    def __init__(self) -> None:
        self._known_tokens: list[int] = []
        self._known: Any = None
        self._work: list[int] = []
        self._cache: Any = None
        self.fails_at = 0
        self.evaluated = 0

    def _nothing(self) -> State:
        return State()

    def _run(self, tokens: Sequence[int], cache: Any) -> Any:
        cache += tokens
        self.evaluated += len(tokens)
        if self.fails_at and self.fails_at in tokens:
            raise MemoryError
        return [list(cache)]


def test_what_failed_in_between_is_not_taken_for_kept() -> None:
    model = Writes()
    model.fails_at = 140
    with pytest.raises(MemoryError):
        model.start(LONG, 200)
    model.fails_at = 0
    assert model.start(LONG, 200) == LONG
    model.fails_at = 290
    with pytest.raises(MemoryError):
        model.start([7, *LONG], None)
    model.fails_at = 0
    assert model.start(LONG[:50], None) == LONG[:50]
    model.fails_at = 60
    with pytest.raises(MemoryError):
        model.step(60)
    model.fails_at = 0
    assert model.start([*LONG[:50], 7], None) == [*LONG[:50], 7]


def test_what_two_texts_share_is_evaluated_once() -> None:
    model = Writes()
    model.start(LONG, None)
    model.evaluated = 0
    assert model.start([*LONG[:290], 999], None) == [*LONG[:290], 999]
    assert model.evaluated == 1


# --- llama.cpp ---


class Cells:
    """The cells of one KV cache for all sequences, as llama.cpp keeps them."""

    def __init__(self, size: int) -> None:
        self.size, self.fails_at, self.memory = size, 0, None
        self.cells: list[tuple[int, int, set[int]]] = []
        self.api = self

    def llama_memory_clear(self, memory: None, data: bool) -> None:
        self.cells = []

    def llama_memory_seq_rm(self, memory: None, sequence: int, begin: int, end: int) -> bool:
        for _, place, owners in self.cells:
            if place >= begin:
                owners.discard(sequence)
        self.cells = [each for each in self.cells if each[2]]
        return True

    def llama_memory_seq_cp(self, memory: None, source: int, target: int, begin: int, end: int) -> None:
        for _, _, owners in self.cells:
            if source in owners:
                owners.add(target)

    def text(self, sequence: int) -> list[tuple[int, int]]:
        return sorted((place, token) for token, place, owners in self.cells if sequence in owners)

    def decode(self, items: Sequence[tuple[int, int, int, bool]]) -> Any:
        for at, (token, place, sequence, wanted) in enumerate(items):
            if token == self.fails_at or len(self.cells) >= self.size:
                raise CannotError("no room")
            self.cells.append((token, place, {sequence}))
            if wanted:
                yield at, self.text(sequence)


class WritesGguf(gguf._Writes):
    def __init__(self, size: int) -> None:
        self._llama = self.held = Cells(size)  # type: ignore[assignment]
        self._api: Any = self._llama
        self.context = size
        self._kept_tokens: list[int] = []
        self._work: list[int] = []


def placed(tokens: Sequence[int]) -> list[list[int]]:
    return [[at, each] for at, each in enumerate(tokens)]


def test_what_nobody_asks_for_takes_no_room() -> None:
    model = WritesGguf(256)
    list(model.branches(LONG[:180], 150, [[1, 2]]))
    assert model.start([1, *LONG[150:]][:122], None).tolist() == placed([1, *LONG[150:]][:122])


def test_what_failed_in_between_is_gone() -> None:
    model = WritesGguf(256)
    model.held.fails_at = 31
    with pytest.raises(CannotError):
        list(model.branches(LONG[:20], 10, [[30, 31]]))
    assert [row for _, _, row in model.branches(LONG[:20], 10, [[40]])][1] == [*enumerate(LONG[:20]), (20, 40)]
    with pytest.raises(CannotError):
        model.start(LONG[:60], 50)
    assert not model.held.cells
