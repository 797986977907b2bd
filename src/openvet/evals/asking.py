"""One sample: asked, answered, scored, and written down."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openvet.evals.backends._backend import AskError, Backend, Continuations, Generate, Usage
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.log import record_line
from openvet.evals.scorers import SCORERS, Output, score
from openvet.evals.task import Ask, Task

__all__ = ["answer", "cosine", "line_of"]


def line_of(
    task: Task, index: int, backend: Backend, seed: int, *, keep_going: bool, limits: EvalLimits = DEFAULT
) -> bytes:
    """The log's line for the sample at ``index``.

    Args:
        keep_going: a sample that cannot be answered becomes a line with the reason, where asking again would not help.

    Raises:
        AskError: it was not answered.
        TaskError: it cannot be asked.
    """
    ask = task.ask(index, limits)
    try:
        output, usage, ended = answer(task, ask, backend, seed)
    except AskError as error:
        if not keep_going or not error.lasting:
            raise
        return record_line(ask, None, None, Usage(), error=error.message)
    return record_line(ask, output, score(task.scorer, ask, output, limits), usage, ended)


def answer(task: Task, ask: Ask, backend: Backend, seed: int) -> tuple[Output, Usage, str]:
    """What the model gives; tokens; and why it ended (raises :class:`AskError`)."""
    needs = SCORERS[task.scorer.name].needs
    prefix = len(ask.prompt.shared)
    if needs == "loglikelihood":
        asked = Continuations(ask.id, ask.prompt.text, prefix, tuple(task.join + each for each in ask.choices))
        found = backend.likelihoods(asked)
        return Output(logprobs=found.logprobs, tokens=found.tokens), found.usage, ""
    if needs == "embed":
        vectors, usage = backend.embed(ask.id, ask.pair)
        return Output(similarity=cosine(vectors[0], vectors[1])), usage, ""
    how = task.generation
    written = backend.generate(
        Generate(ask.id, ask.prompt.system, ask.prompt.text, prefix, how.max_tokens, how.stop, how.temperature, seed)
    )
    # what is no Unicode is scored as it is written down, so that a score follows from its line
    return Output(written.text.encode("utf-8", "backslashreplace").decode("utf-8")), written.usage, written.ended


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """The cosine of the angle between two vectors (raises :class:`AskError` where there is none)."""
    size = math.sqrt(math.fsum(each * each for each in first)) * math.sqrt(math.fsum(each * each for each in second))
    if len(first) != len(second) or not 0.0 < size < math.inf:
        raise AskError("the vectors of a pair have no angle between them", lasting=True)
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(first, second, strict=True)) / size))
