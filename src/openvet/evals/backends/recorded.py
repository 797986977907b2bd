"""Answers that somebody recorded: JSON lines, each with a sample's ``id`` and its ``output``, ``logprobs`` or ``embeddings``.

For models that ran elsewhere, on a machine without a network, or behind an interface of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from openvet.core.text import printable
from openvet.evals.backends._backend import (
    Answer,
    AskError,
    Continuations,
    Facts,
    Generate,
    Likelihoods,
    Shown,
    Usage,
    is_number,
)
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.reading import read_samples
from openvet.evals.task import TaskError

__all__ = ["Recorded"]

_KEYS: Final = frozenset({"id", "output", "logprobs", "tokens", "embeddings", "prompt_tokens", "completion_tokens"})


class Recorded:
    """Answers by the ids of the samples.

    Args:
        data: the file.
        shown: its name, for messages.

    Raises:
        TaskError: it makes no sense, with its place.
    """

    def __init__(self, data: bytes, shown: str, limits: EvalLimits = DEFAULT) -> None:
        from dataclasses import replace

        self._shown = shown
        self._by_id: dict[str, Mapping[str, Any]] = {}
        self.parallel = 1
        found = read_samples(data, shown, replace(limits, data_bytes=limits.outputs_bytes))
        for place, each in found:
            self._by_id[self._checked(place, each)] = each
        can = {kind for each in self._by_id.values() if "output" in each for kind in ("generate", "transcribe", "read")}
        can |= {kind for each in self._by_id.values() if "logprobs" in each for kind in ("loglikelihood", "match")}
        can |= {"embed" for each in self._by_id.values() if "embeddings" in each}
        digest = hashlib.sha256(data).hexdigest()
        self.facts = Facts("recorded", frozenset(can), {"outputs_sha256": digest}, attests=False)

    def _checked(self, place: str, each: Any) -> str:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str | int) or isinstance(each.get("id"), bool):
            raise TaskError(f"{place}: has to be an object with the id of a sample")
        key = str(each["id"])
        unknown = sorted(set(each) - _KEYS)
        if unknown:
            raise TaskError(
                f"{place}: unknown key {printable(unknown[0])[:60]!r}; known are {', '.join(sorted(_KEYS))}"
            )
        if key in self._by_id:
            raise TaskError(f"{place}: the id {printable(key)[:60]!r} has an answer already")
        if not isinstance(each.get("output", ""), str):
            raise TaskError(f"{place}: output has to be text")
        if not all(map(is_number, each.get("logprobs", []) if isinstance(each.get("logprobs", []), list) else [None])):
            raise TaskError(f"{place}: logprobs has to list numbers")
        for name in ("prompt_tokens", "completion_tokens"):
            if name in each and (type(each[name]) is not int or each[name] < 0):
                raise TaskError(f"{place}: {name} has to be a whole number")
        return key

    def _of(self, key: str, name: str) -> Any:
        found = self._by_id.get(key)
        if found is None or name not in found:
            raise AskError(f"{self._shown} has no {name} for the sample {printable(key)[:60]!r}", lasting=True)
        return found[name]

    def _usage(self, key: str) -> Usage:
        found = self._by_id.get(key, {})
        return Usage(found.get("prompt_tokens"), found.get("completion_tokens"))

    def generate(self, request: Generate) -> Answer:
        """The recorded output."""
        return Answer(self._of(request.id, "output"), "", self._usage(request.id))

    def transcribe(self, request: Shown) -> Answer:
        """The recorded output."""
        return Answer(self._of(request.id, "output"), "", self._usage(request.id))

    def read(self, request: Shown) -> Answer:
        """The recorded output."""
        return Answer(self._of(request.id, "output"), "", self._usage(request.id))

    def match(self, request: Shown, texts: tuple[str, ...]) -> Likelihoods:
        """The recorded logarithms, one for each choice."""
        return self.likelihoods(Continuations(request.id, "", 0, texts))

    def likelihoods(self, request: Continuations) -> Likelihoods:
        """The recorded logarithms, one for each choice."""
        found = self._of(request.id, "logprobs")
        count = len(request.continuations)
        tokens = self._by_id[request.id].get("tokens", [1] * count)
        if (
            len(found) != count
            or not isinstance(tokens, list)
            or len(tokens) != count
            or not all(map(is_number, tokens))
        ):
            raise AskError(
                f"{self._shown} has not one number for each of the {count} choices of {printable(request.id)[:60]!r}",
                lasting=True,
            )
        return Likelihoods(tuple(map(float, found)), tuple(map(int, tokens)), self._usage(request.id))

    def embed(self, id: str, texts: tuple[str, ...]) -> tuple[tuple[tuple[float, ...], ...], Usage]:  # noqa: A002 - as the protocol has it
        """The recorded vectors, one for each text."""
        found = self._of(id, "embeddings")
        good = isinstance(found, list) and len(found) == len(texts)
        if not good or not all(isinstance(each, list) and each and all(map(is_number, each)) for each in found):
            raise AskError(f"{self._shown} has not one vector for each text of {printable(id)[:60]!r}", lasting=True)
        return tuple(tuple(map(float, each)) for each in found), self._usage(id)

    def close(self) -> None:
        """Nothing is open."""
