"""A task: samples, how they are asked, and how answers are scored; all of it data, and one digest over all of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.template import Template, TemplateError, as_text
from openvet.evidence.predicates import NAMES
from openvet.evidence.signing import signable

__all__ = [
    "TASK_TYPE", "Ask", "FewShot", "Generation", "Media", "Prompt", "Sample", "ScorerSpec", "Task", "TaskError", "draw_order", "task_digest",
]  # fmt: skip

TASK_TYPE: Final = f"{NAMES}/eval-task/v1"
_SAID: Final = 20
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class TaskError(UsageError):
    """A task, or one of its samples, makes no sense. ``problems`` are lines, each with its place."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n  ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Media:
    """A file of a sample, beside the task: its name there and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One question: ``place`` is where it stands, for messages; ``cluster`` is '' where samples have none; ``media`` is the recording or image of it."""

    id: str
    fields: Mapping[str, Any]
    cluster: str
    place: str
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class FewShot:
    """Examples before each prompt: the first ``count`` of them, each with its answer, and ``separator`` behind."""

    examples: tuple[Sample, ...]
    count: int
    separator: str


@dataclass(frozen=True, slots=True)
class Generation:
    """How much a model may write, where it stops, and how it draws; 0 draws nothing."""

    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    temperature: float = 0.0


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """Which scorer, with its settings; :mod:`openvet.evals.scorers` knows what they mean."""

    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is shown.

    Attributes:
        system: what a chat begins with, or ''.
        shared: the examples, the same before every sample: a runtime may keep what it made of them.
        own: what follows.
    """

    system: str
    shared: str
    own: str

    @property
    def text(self) -> str:
        return self.shared + self.own


@dataclass(frozen=True, slots=True)
class Ask:
    """One sample, ready to be asked.

    Attributes:
        index: its place in the task, from 0.
        choices: the texts of the choices; empty where there are none.
        targets: accepted answers; of choices the number of the right one, from 0, as text.
        pair: two texts whose similarity is asked for; empty for every other scorer.
        media: the recording that is to be written down, or the image that the choices are of, or whose lines are read; ``None`` for every other task.
    """

    index: int
    id: str
    cluster: str
    prompt: Prompt
    choices: tuple[str, ...]
    targets: tuple[str, ...]
    pair: tuple[str, ...] = ()
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task.

    Attributes:
        choices: templates of the choices, or the name of the field that lists them, or ``None``.
        join: what stands between a prompt and its answer, in examples and before choices.
        audio, image: a template of the name of a file of each sample, which is shown in place of a prompt; one of both at most.
        sha256: one digest over everything here, see :func:`task_digest`.
    """

    name: str
    version: str
    description: str
    license: str
    source: str
    prompt: Template
    system: Template | None
    target: Template | None
    choices: tuple[Template, ...] | str | None
    pair: tuple[Template, ...]
    join: str
    few_shot: FewShot | None
    generation: Generation
    scorer: ScorerSpec
    samples: tuple[Sample, ...]
    clustered: bool
    sha256: str
    audio: Template | None = None
    image: Template | None = None
    #: The examples as they were filled, by the limits that held: the same before every sample.
    _filled: dict[EvalLimits, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def ask(self, index: int, limits: EvalLimits = DEFAULT) -> Ask:
        """The sample at ``index``, ready to be asked.

        Raises:
            TaskError: the sample has not what the templates ask for, or is too large.
        """
        sample = self.samples[index]
        try:
            choices = self._choices(sample.fields, limits)
            fields = sample.fields if not choices else {"choices": _listed(choices), **sample.fields}
            targets = self._targets(sample.fields, choices, limits)
            prompt = Prompt(
                self.system.fill(fields) if self.system else "", self._shared(limits), self.prompt.fill(fields)
            )
            pair = tuple(each.fill(fields) for each in self.pair)
        except TemplateError as error:
            raise TaskError(f"{sample.place}: {error}") from None
        size = len(prompt.text) + len(prompt.system) + sum(map(len, choices)) + sum(map(len, pair))
        if size > limits.prompt_characters:
            raise TaskError(
                f"{sample.place}: the prompt has {size} characters (limit prompt_characters = {limits.prompt_characters})"
            )
        return Ask(index, sample.id, sample.cluster, prompt, choices, targets, pair, sample.media)

    def check(self, limits: EvalLimits = DEFAULT) -> None:
        """Whether every sample can be asked and scored: said before the first is, and all of it at once.

        Raises:
            TaskError: some cannot; the first twenty, each with its place.
        """
        problems: list[str] = []
        for index, sample in enumerate(self.samples):
            try:
                ask = self.ask(index, limits)
            except TaskError as error:
                problems += error.problems
            else:
                if self.scorer.name in ("numeric", "similarity") and not all(_has_number(each) for each in ask.targets):
                    problems.append(f"{sample.place}: the target of the scorer {self.scorer.name} has to be a number")
                if self.scorer.name == "nll" and not ask.targets[0]:
                    problems.append(f"{sample.place}: a likelihood needs a target that says something")
                if self.scorer.name in ("wer", "cer") and not ask.targets[0].strip():
                    problems.append(f"{sample.place}: an error rate needs a reference that says something")
            if len(problems) >= _SAID:
                break
        if problems:
            raise TaskError(*problems[:_SAID])

    def _shared(self, limits: EvalLimits) -> str:
        if self.few_shot is None:
            return ""
        found = self._filled.get(limits)
        if found is None:
            found = self._filled[limits] = self._examples(self.few_shot, limits)
        return found

    def _examples(self, few_shot: FewShot, limits: EvalLimits) -> str:
        out = []
        for each in few_shot.examples[: few_shot.count]:
            try:
                choices = self._choices(each.fields, limits)
                fields = each.fields if not choices else {"choices": _listed(choices), **each.fields}
                target = self._targets(each.fields, choices, limits)[0]
                if self.scorer.name == "choice":
                    target = choices[int(target)]
                elif self.scorer.name == "letter":
                    target = _LETTERS[int(target)]
                out.append(self.prompt.fill(fields) + self.join + target + few_shot.separator)
            except (TemplateError, IndexError) as error:
                raise TaskError(f"{each.place}: {error or 'an example needs an answer'}") from None
        return "".join(out)

    def _choices(self, fields: Mapping[str, Any], limits: EvalLimits) -> tuple[str, ...]:
        if self.choices is None:
            return ()
        if isinstance(self.choices, str):
            listed = fields.get(self.choices)
            if not isinstance(listed, list):
                raise TemplateError(f"the field {self.choices!r} has to list the choices")
            found = tuple(as_text(each, self.choices) for each in listed)
        else:
            found = tuple(each.fill(fields) for each in self.choices)
        if (
            not 2
            <= len(found)
            <= min(limits.choices, len(_LETTERS) if self.scorer.name == "letter" else limits.choices)
        ):
            raise TemplateError(
                f"there have to be 2 choices at least (limit choices = {limits.choices}), and here are {len(found)}"
            )
        return found

    def _targets(self, fields: Mapping[str, Any], choices: Sequence[str], limits: EvalLimits) -> tuple[str, ...]:
        if self.target is None:
            return ()
        alone = self.target.alone
        value = fields.get(alone) if alone is not None else None
        if isinstance(value, list):
            found = tuple(as_text(each, str(alone)) for each in value)
        else:
            found = (self.target.fill(fields),)
        if not 1 <= len(found) <= limits.targets:
            raise TemplateError(f"the target has to be 1 answer at least (limit targets = {limits.targets})")
        if not choices:
            return found
        return (_place_of(found[0], choices, str(self.scorer.settings.get("target_means", ""))),)


def _has_number(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace(",", "")))
    except ValueError:
        return False


def _listed(choices: Sequence[str]) -> str:
    return "\n".join(f"{letter}. {text}" for letter, text in zip(_LETTERS, choices, strict=False))


def _place_of(target: str, choices: Sequence[str], means: str) -> str:
    """Which choice a target names: by its number from 0, its letter, or its text; by any of them where ``means`` is ''."""
    text = target.strip()
    by = {
        "text": [at for at, each in enumerate(choices) if each.strip() == text],
        "number": [int(text)]
        if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < len(choices)
        else [],
        "letter": [_LETTERS.index(text)] if len(text) == 1 and text in _LETTERS[: len(choices)] else [],
    }
    found = by[means] if means else sorted({at for each in by.values() for at in each})
    if len(found) == 1:
        return str(found[0])
    if found:
        raise TemplateError(
            "the target names more than one of the choices, read as text, number or letter; say which with scorer.target_means"
        )
    raise TemplateError(
        f"the target names none of the choices{f' by its {means}' if means else ', neither by text nor by number from 0 nor by letter'}"
    )


def task_digest(task: Task) -> str:
    """SHA-256 in hex over what decides a result: templates, settings, every sample in order; however the files were written."""
    whole = hashlib.sha256()
    head = {
        "type": TASK_TYPE,
        "name": task.name,
        "version": task.version,
        "prompt": task.prompt.source,
        "system": task.system.source if task.system else None,
        "target": task.target.source if task.target else None,
        "choices": task.choices if isinstance(task.choices, str) else [each.source for each in task.choices or ()],
        "pair": [each.source for each in task.pair],
        "join": task.join,
        "generation": {
            "max_tokens": task.generation.max_tokens,
            "stop": list(task.generation.stop),
            "temperature": repr(float(task.generation.temperature)),
        },
        "scorer": {"name": task.scorer.name, "settings": dict(task.scorer.settings)},
        "few_shot": None
        if task.few_shot is None
        else {
            "count": task.few_shot.count,
            "separator": task.few_shot.separator,
            "examples": [dict(each.fields) for each in task.few_shot.examples],
        },
        "samples": len(task.samples),
        # absent where a task has none, so that its digest is what it was before there were any
        **{name: made.source for name, made in (("audio", task.audio), ("image", task.image)) if made is not None},
    }
    whole.update(canonical_json(signable(head)))
    for each in task.samples:
        media = {} if each.media is None else {"media": each.media.sha256}
        whole.update(
            b"\n"
            + canonical_json(signable({"id": each.id, "cluster": each.cluster, "fields": dict(each.fields), **media}))
        )
    return whole.hexdigest()


def order_of(size: int, order: str) -> list[int]:
    """The order of a run: ``file``, or the seed that draws it."""
    return list(range(size)) if order == "file" else draw_order(size, order)


def draw_order(size: int, seed: str) -> list[int]:
    """The numbers below ``size`` in the order that ``seed`` draws: by SHA-256 of ``seed``, a colon and the number, so that anybody can."""
    return sorted(range(size), key=lambda at: hashlib.sha256(f"{seed}:{at}".encode()).digest())
