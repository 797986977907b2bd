"""What ``openvet run`` prints where it serves nothing: one answer of a model, by what it can do."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError

if TYPE_CHECKING:
    from openvet.engines.model import Model

__all__ = ["Question", "answer", "question_of"]

_MOST_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        texts: of ``--ask``.
        file: the bytes of ``--with``; ``None`` where there are none.
        max_tokens, audio_seconds, seconds: what one answer may take.
    """

    texts: tuple[str, ...]
    file: bytes | None
    max_tokens: int
    audio_seconds: float
    seconds: float


def question_of(asked: dict[str, Any]) -> Question | None:
    """What the options ask; ``None`` where they ask nothing, so that the model is served.

    Raises:
        UsageError: the file of ``--with`` cannot be read.
    """
    if not asked["ask"] and asked["shown"] is None:
        return None
    texts = tuple(sys.stdin.read() if each == "-" else each for each in asked["ask"])
    file = None if asked["shown"] is None else _read(asked["shown"])
    return Question(texts, file, asked["max_tokens"], asked["audio_seconds"], asked["seconds"])


def _read(path: str) -> bytes:
    from openvet.core.text import printable

    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--with {printable(path)}: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"--with {printable(path)}: has more than {_MOST_BYTES} bytes")
    return data


def answer(model: Model, question: Question, ready: Callable[[], None]) -> None:
    """Print what a model makes of a question.

    Args:
        ready: is called once it is known that the model can do that.

    Raises:
        UsageError: the model cannot do that.
        SandboxError: it did not answer.
    """
    way = _without_file(model, question) if question.file is None else _with_file(model, question)
    ready()
    way(model, question)


def _without_file(model: Model, question: Question) -> Callable[[Model, Question], None]:
    if "embed" in model.can and "generate" not in model.can:
        return _vectors
    if "generate" not in model.can:
        can = ", ".join(sorted(model.can))
        raise UsageError(f"it writes no text and makes no vectors, so that --ask alone asks it nothing; it can {can}{_hint(model)}")  # fmt: skip
    if len(question.texts) > 1:
        raise UsageError("what writes text is asked one question at a time: --ask once")
    return _written


def _hint(model: Model) -> str:
    for kind, hint in (
        ("transcribe", "--with SAID.wav lets it write down a recording"),
        ("read", "--with PAGE.png lets it read an image"),
        ("match", "--with IMAGE.png and several --ask let it say which text fits"),
    ):
        if kind in model.can:
            return f": {hint}"
    return ""


def _with_file(model: Model, question: Question) -> Callable[[Model, Question], None]:
    """Of texts and a file: which fits; of a file alone: what is said or written in it."""
    for kind, way in (("match", _fitting), ("transcribe", _heard), ("read", _lines)):
        if kind in model.can:
            if kind == "match" and len(question.texts) < 2:
                raise UsageError("it says which of several texts fits an image: --ask each of them")
            if kind != "match" and question.texts:
                raise UsageError(f"it takes the file alone, to {kind} it: leave --ask away")
            return way
    raise UsageError(f"it takes no recording and no image; it can {', '.join(sorted(model.can))}")


def _written(model: Model, question: Question) -> None:
    from openvet.engines.model import Message, Sampling

    (prompt,) = question.texts
    text = [Message("user", prompt)] if model.facts.get("template", True) else prompt
    model.generate(text, Sampling(max_tokens=question.max_tokens), _print, question.seconds)
    click.echo()


def _vectors(model: Model, question: Question) -> None:
    """One line of JSON for each text."""
    for each in model.embed(question.texts, question.seconds)[0]:
        click.echo(json.dumps(each))


def _heard(model: Model, question: Question) -> None:
    from openvet.gateway.audio import to_pcm
    from openvet.gateway.refusal import RefusalError

    try:
        samples = to_pcm(question.file or b"", question.audio_seconds)
    except RefusalError as error:
        raise UsageError(f"--with: {error.message.removeprefix('file: ')}") from error
    text, _ = model.transcribe(samples, seconds=question.seconds)
    _print(f"{text}\n")


def _lines(model: Model, question: Question) -> None:
    for each in model.read(question.file or b"", question.seconds):
        _print(f"{each.text}\n")


def _fitting(model: Model, question: Question) -> None:
    """Each text behind its share, the best first: a softmax over these texts alone."""
    ((*scores,),) = model.match([question.file or b""], question.texts, question.seconds)
    for share, text in sorted(zip(_shares(scores), question.texts, strict=True), key=lambda each: -each[0]):
        _print(f"{share:.3f}  {text}\n")


def _shares(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    powers = [math.exp(each - highest) for each in scores]
    return [each / math.fsum(powers) for each in powers]


def _print(text: str) -> bool:
    """Print a part of an answer; what it could do to a terminal is taken out."""
    from openvet.core.text import printable

    shown = "".join(each if each in "\n\t" else printable(each) for each in text)
    click.echo(shown, nl=False)
    sys.stdout.flush()
    return True
