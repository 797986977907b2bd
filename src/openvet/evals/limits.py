"""What a task may cost, in one frozen object; each limit is named in the message of whatever runs into it."""

from __future__ import annotations

from openvet.core.dataclass import dataclass

__all__ = ["DEFAULT", "EvalLimits"]


@dataclass(frozen=True, slots=True)
class EvalLimits:
    """Bounds of a task, its samples, and what a model answers.

    Attributes:
        task_bytes: of the task's file.
        data_bytes: of a file of samples; samples are held in memory.
        samples: of a task.
        sample_bytes: of one sample, as JSON.
        fields: of one sample.
        prompt_characters: of one prompt, with the examples before it.
        choices: of one sample.
        targets: accepted answers to one sample.
        output_characters: of one answer, that a scorer looks at; the log has all of it.
        compared: words or characters that an error rate compares, of each text.
        searched_characters: of an answer, by a regular expression.
        pattern_characters: of a scorer's regular expression.
        media_bytes: of the recording or image of one sample.
        outputs_bytes: of a file of recorded outputs.
        log_bytes: of a log of another tool.
    """

    task_bytes: int = 4 * 1024 * 1024
    data_bytes: int = 256 * 1024 * 1024
    samples: int = 200_000
    sample_bytes: int = 4 * 1024 * 1024
    fields: int = 64
    prompt_characters: int = 2_000_000
    choices: int = 64
    targets: int = 64
    output_characters: int = 200_000
    compared: int = 2_000
    searched_characters: int = 20_000
    pattern_characters: int = 500
    media_bytes: int = 64 * 1024 * 1024
    outputs_bytes: int = 1024 * 1024 * 1024
    log_bytes: int = 1024 * 1024 * 1024


DEFAULT = EvalLimits()
