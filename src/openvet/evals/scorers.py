"""Scorers: an answer and what it should have been, to a score. The same answer always has the same score; nothing of a task is run.

Sources: word error rate as NIST counts it (substitutions, deletions and insertions over the reference's words); F1 over tokens and the
normal form of answers as in SQuAD (P. Rajpurkar et al., EMNLP 2016); log-likelihood of choices as in lm-eval (``acc``, and ``acc_norm``,
which divides by the characters of a choice).
"""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.linear_regex import LinearRegex, RegexError
from openvet.evals.task import Ask, ScorerSpec

__all__ = ["SCORERS", "Kind", "Output", "Score", "bad_setting", "score"]

_NUMBER: Final = pattern(r"[-+]?(?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_LETTER: Final = pattern(r"(?<![A-Za-z0-9'’])([A-Z])(?![A-Za-z0-9'’])")
_ARTICLES: Final = frozenset({"a", "an", "the"})
_IGNORE: Final = ("case", "punctuation", "articles", "space")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation + "“”‘’«»…–—¿¡")
_DEFAULT_IGNORE: Final = ("space",)


@dataclass(frozen=True, slots=True)
class Output:
    """What a model gave.

    Attributes:
        text: what it wrote; '' for the other kinds.
        logprobs: of each choice, natural logarithm.
        tokens: of each choice, where the runtime says so.
        similarity: of a pair.
    """

    text: str = ""
    logprobs: tuple[float, ...] = ()
    tokens: tuple[int, ...] = ()
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A score, its ``weight`` in a ratio of sums (1 in a mean), and what was taken from the answer, for people."""

    value: float
    weight: float = 1.0
    taken: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a scorer needs and makes.

    Attributes:
        needs: ``generate``, ``loglikelihood`` or ``embed``.
        metric: ``mean``, ``ratio`` or ``correlation``.
        label: of its metric.
        higher: whether more is better.
        settings: those that it has, with what each takes when it is not set.
    """

    needs: str
    metric: str
    label: str
    higher: bool
    settings: Mapping[str, Any]


SCORERS: Final[Mapping[str, Kind]] = {
    "exact": Kind("generate", "mean", "exact match", True, {"ignore": _DEFAULT_IGNORE}),
    "contains": Kind("generate", "mean", "contains", True, {"ignore": ("case", "space")}),
    "numeric": Kind("generate", "mean", "numeric match", True, {"take": "last", "tolerance": 0.0}),
    "regex": Kind("generate", "mean", "match", True, {"pattern": "", "ignore": _DEFAULT_IGNORE}),
    "letter": Kind("generate", "mean", "accuracy", True, {"target_means": ""}),
    "f1": Kind("generate", "mean", "token F1", True, {"ignore": _IGNORE}),
    "wer": Kind("generate", "ratio", "word error rate", False, {"ignore": ("case", "punctuation", "space")}),
    "cer": Kind("generate", "ratio", "character error rate", False, {"ignore": ("case", "space")}),
    "choice": Kind("loglikelihood", "mean", "accuracy", True, {"normalise": "none", "target_means": ""}),
    "nll": Kind("loglikelihood", "ratio", "negative log-likelihood", False, {"per": "token"}),
    "similarity": Kind("embed", "correlation", "correlation", True, {"by": "spearman"}),
}
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "take": ("first", "last"),
    "normalise": ("none", "characters", "bytes", "tokens"),
    "by": ("spearman", "pearson"),
    "per": ("token", "byte", "character"),
    "target_means": ("text", "number", "letter"),
}


def bad_setting(name: str, value: Any, limits: EvalLimits = DEFAULT) -> str:
    """Why a setting of a scorer cannot be ``value``; '' where it can."""
    if name == "ignore":
        good = isinstance(value, Sequence) and not isinstance(value, str) and all(each in _IGNORE for each in value)
        return "" if good else f"has to list some of {', '.join(_IGNORE)}"
    if name == "tolerance":
        good = isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1e300
        return "" if good else "has to be a number of at least 0: what the answer may differ by"
    if name == "pattern":
        return _bad_pattern(value, limits)
    return "" if value in _WORDS[name] else f"has to be one of {', '.join(_WORDS[name])}"


def _bad_pattern(value: Any, limits: EvalLimits) -> str:
    if not isinstance(value, str) or not value or len(value) > limits.pattern_characters:
        return f"has to be a regular expression (limit pattern_characters = {limits.pattern_characters})"
    try:
        LinearRegex(value)
    except RegexError as error:
        return f"cannot be used: {error}"
    return ""


@lru_cache(maxsize=8)
def _compiled(source: str) -> LinearRegex:
    return LinearRegex(source)


def score(spec: ScorerSpec, ask: Ask, output: Output, limits: EvalLimits = DEFAULT) -> Score:
    """The score of ``output``. Only the first ``limits.output_characters`` of a text count."""
    settings = {**SCORERS[spec.name].settings, **spec.settings}
    return _SCORE[spec.name](settings, ask, output, limits)


def _plain(text: str, ignore: Sequence[str]) -> str:
    if "case" in ignore:
        text = text.casefold()
    if "punctuation" in ignore:
        text = text.translate(_PUNCTUATION)
    if "articles" in ignore:
        text = " ".join(each for each in text.split() if each not in _ARTICLES)
    return " ".join(text.split()) if "space" in ignore else text


def _cut(output: Output, limits: EvalLimits) -> str:
    return output.text[: limits.output_characters]


def _exact(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    found = _plain(_cut(output, limits), settings["ignore"])
    return Score(float(any(found == _plain(each, settings["ignore"]) for each in ask.targets)), taken=found)


def _contains(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    found = _plain(_cut(output, limits), settings["ignore"])
    wanted = [_plain(each, settings["ignore"]) for each in ask.targets]
    return Score(float(any(each and each in found for each in wanted)))


def _number_of(text: str, take: str) -> float | None:
    found = _NUMBER.findall(text)
    if not found:
        return None
    try:
        value = float(found[-1 if take == "last" else 0].replace(",", "").rstrip("."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _numeric(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    found = _number_of(_cut(output, limits), settings["take"])
    if found is None:
        return Score(0.0)
    wanted = [_number_of(each, "last") for each in ask.targets]
    room = float(settings["tolerance"])
    return Score(float(any(each is not None and abs(found - each) <= room for each in wanted)), taken=repr(found))


def _regex(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    found = _compiled(settings["pattern"]).search(_cut(output, limits)[: limits.searched_characters])
    if found is None:
        return Score(0.0)
    taken = _plain(found, settings["ignore"])
    right = not ask.targets or any(taken == _plain(each, settings["ignore"]) for each in ask.targets)
    return Score(float(right), taken=taken)


def _letter(_: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    """The letter after the word *answer* where there is one, else the first letter of a choice that stands alone."""
    text = _cut(output, limits)
    letters = string.ascii_uppercase[: len(ask.choices)]
    alone = text.strip().strip("().:*\"'` ")
    if len(alone) == 1 and alone.upper() in letters:
        found = alone.upper()
    else:
        behind = text.casefold().rfind("answer")
        # casefold can change lengths; where it did, the whole text is looked through
        parts = [text[behind:], text] if behind >= 0 and len(text.casefold()) == len(text) else [text]
        found = next((each for part in parts for each in _LETTER.findall(part) if each in letters), "")
    return Score(float(found != "" and str(letters.index(found)) in ask.targets), taken=found)


def _f1(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    found = Counter(_plain(_cut(output, limits), settings["ignore"]).split())
    best = 0.0
    for each in ask.targets:
        wanted = Counter(_plain(each, settings["ignore"]).split())
        same = (found & wanted).total()
        if not found or not wanted:
            best = max(best, float(found == wanted))
        elif same:
            best = max(best, 2.0 * same / (found.total() + wanted.total()))
    return Score(best)


def _errors(heard: Sequence[str], said: Sequence[str]) -> int:
    """The fewest substitutions, deletions and insertions (Levenshtein), in time |heard| x |said|."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, 1):
        before, row[0] = row[0], at
        for place, other in enumerate(heard, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (word != other)),
            )
    return row[-1]


def _wer(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    return _error_rate(settings, ask, output, limits, str.split)


def _cer(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:
    return _error_rate(settings, ask, output, limits, list)


def _error_rate(
    settings: Mapping[str, Any],
    ask: Ask,
    output: Output,
    limits: EvalLimits,
    parts: Callable[[str], list[str]],
) -> Score:
    said = parts(_plain(ask.targets[0], settings["ignore"]))[: limits.compared]
    heard = parts(_plain(_cut(output, limits), settings["ignore"]))
    # what goes beyond is counted as insertions and compared no more
    beyond = max(0, len(heard) - limits.compared)
    return Score(float(_errors(heard[: limits.compared], said) + beyond), float(len(said)))


def _choice(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:  # noqa: ARG001 - as its kind
    by = settings["normalise"]
    sizes: Sequence[float] = [1.0] * len(ask.choices)
    if by == "characters":
        sizes = [float(len(each)) for each in ask.choices]
    elif by == "bytes":
        sizes = [float(len(each.encode("utf-8", "surrogatepass"))) for each in ask.choices]
    elif by == "tokens":
        sizes = [float(each) for each in output.tokens]
    values = [value / max(size, 1.0) for value, size in zip(output.logprobs, sizes, strict=True)]
    best = values.index(max(values))  # the first of equals, as lm-eval takes it
    return Score(float(str(best) in ask.targets), taken=str(best))


def _nll(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:  # noqa: ARG001 - as its kind
    """Nats of the target, over its tokens, bytes or characters: perplexity is e to this where it is by tokens."""
    target = ask.targets[0]
    size = {
        "token": sum(output.tokens),
        "byte": len(target.encode("utf-8", "surrogatepass")),
        "character": len(target),
    }[settings["per"]]
    return Score(-output.logprobs[0], float(max(size, 1)))


def _similarity(settings: Mapping[str, Any], ask: Ask, output: Output, limits: EvalLimits) -> Score:  # noqa: ARG001 - as its kind
    return Score(output.similarity or 0.0)


_SCORE: Final[Mapping[str, Callable[[Mapping[str, Any], Ask, Output, EvalLimits], Score]]] = {
    "exact": _exact,
    "contains": _contains,
    "numeric": _numeric,
    "regex": _regex,
    "letter": _letter,
    "f1": _f1,
    "wer": _wer,
    "cer": _cer,
    "choice": _choice,
    "nll": _nll,
    "similarity": _similarity,
}
