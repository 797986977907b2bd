"""What a model is asked while it is measured, one request after the other, and how long each part of it took.

Requests differ from each other in their first words, so that no runtime answers one from what it kept of another.
"""

from __future__ import annotations

import array
import hashlib
import io
import math
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import field
from itertools import pairwise
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.engines.model import Model, Sampling
from openvet.errors import UsageError
from openvet.evals.stats.estimate import ratio
from openvet.evals.stats.order import quantile
from openvet.evidence.predicates.bench_v1 import Figure

__all__ = ["ASKED", "TEXT", "Inputs", "Seen", "Timed", "ask", "figures_of", "inputs_of", "text_of", "work"]

#: Kinds of requests that are measured; the first that a model can answer is taken where none is named.
ASKED: Final = ("generate", "transcribe", "embed", "compute")
_QUANTILES: Final = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
_RATE: Final = 16_000
_AUDIO_SECONDS: Final = 5
_MOST_LINES: Final = 100_000
_LONGEST_AUDIO: Final = 30 * 60 * _RATE
#: A text of ours, for whoever names none.
TEXT: Final = (
    "A small boat leaves the harbour before the sun is up and comes back at noon with what the sea has given. The people of the town wait at the pier, "
    "count the baskets, agree on a price, and carry the fish to the kitchens behind the market. Nobody remembers when this began. Old letters tell of a "
    "storm that took the first pier, of the winter in which the next one was built from the beams of a church, and of a clerk who wrote down every "
    "basket that was sold for thirty years. His books are kept in the library above the school. They show that good years follow bad ones, that prices "
    "rise before every feast, and that one family has never been in debt. Whoever reads them learns more about weather, work and trust than about fish. "
    "In the spring the children are asked to choose a page, to find out who the people on it were, and to tell the others what became of them."
)
_WORDS: Final = tuple(TEXT.split())


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is asked.

    Attributes:
        kind: of :data:`ASKED`.
        lines: prompts or texts of the user's, in turn; none: made from words of ours, numbered.
        words: that a prompt of ours has.
        tokens: that a request may write.
        audio: 16 kHz, mono, 16 bits.
        synthetic: whether the audio is a signal of ours.
        sha256: of all of it.
    """

    kind: str
    lines: tuple[str, ...]
    words: int
    tokens: int
    audio: bytes
    synthetic: bool
    sha256: str


@dataclass(slots=True)
class Timed:
    """One request: seconds in all, until its first part, and between parts; what was read and written; seconds of audio."""

    seconds: float
    first: float | None = None
    between: list[float] = field(default_factory=list)
    read: int = 0
    written: int = 0
    audio: float = 0.0


@dataclass(slots=True)
class Seen:
    """All requests that count, and the seconds from the first to the end of the last; ``ended``: ``queries`` or ``seconds``."""

    timed: list[Timed] = field(default_factory=list)
    spent: float = 0.0
    ended: str = ""


def inputs_of(kind: str, data: bytes | None, named: str, *, words: int, tokens: int) -> Inputs:
    """What is asked for one kind.

    Args:
        data: a file of the user's: lines of text, or a WAV; ``None`` takes what we have.
        named: how messages name it.

    Raises:
        UsageError: the file holds nothing that could be asked.
    """
    lines: tuple[str, ...] = ()
    audio, synthetic = b"", False
    if kind == "transcribe":
        audio, synthetic = (_signal(), True) if data is None else (_wav(data, named), False)
    elif data is not None:
        if kind == "compute":
            raise UsageError("--input: a graph is computed on zeros; it takes no file")
        try:
            lines = tuple(each for each in data.decode("utf-8").splitlines() if each.strip())[:_MOST_LINES]
        except UnicodeDecodeError as error:
            raise UsageError(f"{printable(named)}: is no text in UTF-8") from error
        if not lines:
            raise UsageError(f"{printable(named)}: has no line to ask")
    said = "\n".join((kind, str(words), str(tokens), *(lines or _WORDS))).encode() + b"\0" + audio
    return Inputs(kind, lines, words, tokens, audio, synthetic, hashlib.sha256(said).hexdigest())


def text_of(inputs: Inputs, number: int) -> str:
    """The text of one request. Ours begin with their number and go on elsewhere in the text each time."""
    if inputs.lines:
        return inputs.lines[number % len(inputs.lines)]
    at = number * 17 % len(_WORDS)
    count = inputs.words if inputs.kind == "generate" else 4 + number * 7 % 29
    words = [_WORDS[(at + each) % len(_WORDS)] for each in range(count)]
    return f"{number + 1}. {' '.join(words)}"


def ask(model: Model, inputs: Inputs, number: int, seconds: float) -> Timed:
    """Ask one request.

    Raises:
        SandboxError: it gave no answer, or no longer lives.
    """
    at: list[float] = []

    def piece(text: str) -> bool:
        if text:  # a token may have none of its own
            at.append(time.perf_counter())
        return True

    began = time.perf_counter()
    if inputs.kind == "generate":
        answer = model.generate(text_of(inputs, number), Sampling(max_tokens=inputs.tokens), piece, seconds)
        took = time.perf_counter() - began
        between = [later - sooner for sooner, later in pairwise(at)]
        return Timed(took, at[0] - began if at else None, between, answer.prompt_tokens, answer.completion_tokens)
    if inputs.kind == "embed":
        _, tokens = model.embed([text_of(inputs, number)], seconds)
        return Timed(time.perf_counter() - began, read=tokens)
    if inputs.kind == "transcribe":
        _, length = model.transcribe(inputs.audio, piece=piece, seconds=seconds)
        return Timed(time.perf_counter() - began, audio=length)
    model.compute(seconds=seconds)
    return Timed(time.perf_counter() - began)


def work(
    model: Model, inputs: Inputs, queries: int, seconds: float, patience: float, told: Callable[[Timed], None]
) -> Seen:
    """Ask until there were ``queries`` requests, or ``seconds`` are over; what was asked before an error stays known.

    Args:
        patience: seconds that one request may take.
        told: gets each as it is done.

    Raises:
        SandboxError: as :func:`ask`.
    """
    seen = Seen()
    began = time.perf_counter()
    while len(seen.timed) < queries:
        found = ask(model, inputs, len(seen.timed) + 1, patience)  # number 0 was asked before, to be warm
        seen.timed.append(found)
        told(found)
        seen.spent = time.perf_counter() - began
        if seen.spent >= seconds:
            seen.ended = "seconds"
            return seen
    seen.ended = "queries"
    return seen


# --- what follows from it ---


def figures_of(inputs: Inputs, timed: Sequence[Timed], level: float) -> list[Figure]:
    """Latencies and rates. Requests that wrote nothing have no first token and are left out of what is about tokens."""
    out = _quantiles("request", [each.seconds for each in timed], level)
    if inputs.kind == "generate":
        first = [each.first for each in timed if each.first is not None]
        out += _quantiles("first-token", first, level)
        out += _quantiles("between-tokens", [gap for each in timed for gap in each.between], level)
        # the first token belongs to the prompt: what comes after it is the speed of writing
        wrote = [each for each in timed if each.first is not None and each.written > 1 and each.seconds > each.first]
        out += _rate(
            "decode-rate",
            "token/s",
            [each.written - 1.0 for each in wrote],
            [each.seconds - (each.first or 0.0) for each in wrote],
            level,
        )
        read = [each for each in timed if each.first]
        out += _rate(
            "prefill-rate", "token/s", [float(each.read) for each in read], [each.first or 0.0 for each in read], level
        )
        out += _rate(
            "written-rate", "token/s", [float(each.written) for each in timed], [each.seconds for each in timed], level
        )
    elif inputs.kind == "embed":
        out += _rate(
            "read-rate", "token/s", [float(each.read) for each in timed], [each.seconds for each in timed], level
        )
        out += _rate("text-rate", "text/s", [1.0] * len(timed), [each.seconds for each in timed], level)
    elif inputs.kind == "transcribe":
        out += _rate("real-time-factor", "", [each.seconds for each in timed], [each.audio for each in timed], level)
    else:
        out += _rate("pass-rate", "pass/s", [1.0] * len(timed), [each.seconds for each in timed], level)
    return out


def _quantiles(name: str, values: Sequence[float], level: float) -> list[Figure]:
    if not values:
        return []
    out = []
    for word, probability in _QUANTILES:
        found = quantile(values, probability, level)
        out.append(
            Figure(
                f"{name}-{word}",
                "s",
                _number(found.value),
                _may(found.low),
                _may(found.high),
                _number(level),
                found.n,
                "order",
            )
        )
    return out


def _rate(name: str, unit: str, amounts: Sequence[float], seconds: Sequence[float], level: float) -> list[Figure]:
    """All amounts over all seconds, with the interval of a ratio of sums over requests."""
    if not amounts or math.fsum(seconds) <= 0.0 or math.fsum(amounts) <= 0.0:
        return []
    found = ratio(amounts, seconds, level=level)
    bounded = math.isfinite(found.low) and math.isfinite(found.high)
    return [
        Figure(
            name, unit, _number(found.value), _number(max(0.0, found.low)) if bounded else None, _number(found.high) if bounded else None,
            _number(level) if bounded else None, found.n, "t" if bounded else "none",
        )
    ]  # fmt: skip


def _may(value: float | None) -> str | None:
    return None if value is None else _number(value)


def _number(value: float) -> str:
    """Six digits: more are noise of a clock."""
    return f"{value:.6g}"


# --- audio ---


def _signal() -> bytes:
    """Five seconds of a signal with the pitch and the pace of speech, that says nothing."""
    out = array.array("h")
    for at in range(_AUDIO_SECONDS * _RATE):
        moment = at / _RATE
        pitch = 120.0 + 30.0 * math.sin(2.0 * math.pi * 0.7 * moment)
        pace = max(0.0, math.sin(2.0 * math.pi * 4.0 * moment))
        tones = sum(math.sin(2.0 * math.pi * pitch * each * moment) / each for each in (1, 4, 9))
        out.append(int(6000.0 * pace * tones))
    return out.tobytes()


def _wav(data: bytes, named: str) -> bytes:
    try:
        with wave.open(io.BytesIO(data)) as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            frames = bytes(file.readframes(_LONGEST_AUDIO))
    except (wave.Error, EOFError, ValueError) as error:
        raise UsageError(f"{printable(named)}: is no WAV with plain samples: {printable(str(error))[:200]}") from error
    if form != (_RATE, 1, 2):
        raise UsageError(
            f"{printable(named)}: has {form[0]} samples a second, {form[1]} channels of {8 * form[2]} bits; a model of speech is asked with 16,000, 1 and 16"
        )
    if len(frames) < _RATE // 5:
        raise UsageError(f"{printable(named)}: holds less than a tenth of a second")
    return frames
