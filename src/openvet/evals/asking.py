"""One sample: asked, answered, scored, and written down."""

from __future__ import annotations

import math
from collections.abc import Sequence

from openvet.evals.backends._backend import AskError, Backend, Continuations, Generate, Shown, Usage
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.log import record_line
from openvet.evals.scorers import SCORERS, Output, score
from openvet.evals.task import Ask, Task

__all__ = ["answer", "cosine", "line_of", "needs_of"]


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


def needs_of(task: Task) -> str:
    """What a model has to be able to do: of ``generate``, ``loglikelihood``, ``embed``, ``transcribe``, ``match`` and ``read``."""
    if task.audio is not None:
        return "transcribe"
    if task.image is not None:
        return "match" if task.choices is not None else "read"
    return SCORERS[task.scorer.name].needs


def answer(task: Task, ask: Ask, backend: Backend, seed: int) -> tuple[Output, Usage, str]:
    """What the model gives; tokens; and why it ended (raises :class:`AskError`)."""
    needs = needs_of(task)
    prefix = len(ask.prompt.shared)
    if ask.media is not None:
        shown = Shown(ask.id, ask.media.name, ask.media.sha256)
        if needs in ("transcribe", "read"):
            taken = backend.transcribe(shown) if needs == "transcribe" else backend.read(shown)
            return Output(_unicode(taken.text)), taken.usage, taken.ended
        seen = backend.match(shown, ask.choices)
        return Output(logprobs=seen.logprobs, tokens=seen.tokens), seen.usage, ""
    if needs == "loglikelihood":
        # a target alone is what follows a prompt, with nothing between them that is not in the task
        behind = tuple(task.join + each for each in ask.choices) or ask.targets[:1]
        asked = Continuations(ask.id, ask.prompt.text, prefix, behind)
        found = backend.likelihoods(asked)
        return Output(logprobs=found.logprobs, tokens=found.tokens), found.usage, ""
    if needs == "embed":
        vectors, usage = backend.embed(ask.id, ask.pair)
        return Output(similarity=cosine(vectors[0], vectors[1])), usage, ""
    how = task.generation
    written = backend.generate(
        Generate(ask.id, ask.prompt.system, ask.prompt.text, prefix, how.max_tokens, how.stop, how.temperature, seed)
    )
    return Output(_unicode(written.text)), written.usage, written.ended


def _unicode(text: str) -> str:
    """What is no Unicode is scored as it is written down, so that a score follows from its line."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def cosine(first: Sequence[float], second: Sequence[float]) -> float:
    """The cosine of the angle between two vectors (raises :class:`AskError` where there is none)."""
    size = math.sqrt(math.fsum(each * each for each in first)) * math.sqrt(math.fsum(each * each for each in second))
    if len(first) != len(second) or not 0.0 < size < math.inf:
        raise AskError("the vectors of a pair have no angle between them", lasting=True)
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(first, second, strict=True)) / size))
