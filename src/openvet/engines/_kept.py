"""What two texts share is evaluated once: how a runtime goes on from where it stands."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from openvet.engines._language import LanguageModel, shared

if TYPE_CHECKING:
    import numpy as np

    Row = np.ndarray[Any, Any]

__all__ = ["Keeps"]


class Keeps(LanguageModel):
    """A language model whose runtime has a state, which holds the tokens of ``_work``."""

    _work: list[int]

    def start(self, tokens: Sequence[int], kept: int | None) -> Row:
        if kept is None:
            done = min(shared([self._work, tokens]), len(tokens) - 1) if self._work else 0
            if done and self._back_to(done):
                self._work = list(tokens[:done])
            else:
                self._from_nothing()
        else:
            self._anew(tokens[:kept])
        return self._put(tokens[len(self._work) :])

    def step(self, token: int) -> Row:
        return self._put([token])

    @abstractmethod
    def _back_to(self, size: int) -> bool:
        """Cut the state down to the first ``size`` tokens; false where it cannot be cut."""

    @abstractmethod
    def _from_nothing(self) -> None:
        """Begin a text of which nothing is evaluated yet."""

    @abstractmethod
    def _anew(self, kept: Sequence[int]) -> None:
        """Begin a text with tokens that are evaluated by themselves, or were."""

    @abstractmethod
    def _put(self, tokens: Sequence[int]) -> Row:
        """Put tokens behind the text; the row behind the last."""
