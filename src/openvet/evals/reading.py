"""A task's file, taken strictly: everything that makes no sense is told with its place, and nothing of it is run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from openvet.core.text import printable
from openvet.evals.limits import DEFAULT, EvalLimits
from openvet.evals.scorers import SCORERS, bad_setting
from openvet.evals.task import FewShot, Generation, Media, Sample, ScorerSpec, Task, TaskError, task_digest
from openvet.evals.template import Template, TemplateError, as_text

__all__ = ["TOP", "Problem", "read_samples", "take_task"]

#: Called with the path of a key and what is wrong there.
Problem = Callable[[tuple[str | int, ...], str], None]
#: Gives the bytes of a file that a task names, by the name that it has there.
Beside = Callable[[str], bytes]

TOP: Final = (
    "name", "version", "description", "license", "source", "samples", "id", "cluster", "prompt", "system", "target", "choices", "pair",
    "audio", "image", "join", "few_shot", "generation", "scorer",
)  # fmt: skip
_FEW_SHOT: Final = ("samples", "count", "separator")
_GENERATION: Final = ("max_tokens", "stop", "temperature")
_LONGEST: Final = 200_000
_NO_LONGER: Final = f", of at most {_LONGEST:,} characters"
_MOST_TOKENS: Final = 1_000_000
_SAID: Final = 20


def take_task(
    document: Mapping[str, Any], shown: str, beside: Beside, problem: Problem, limits: EvalLimits = DEFAULT
) -> Task | None:
    """The task that ``document`` states; what is wrong is given to ``problem``, and the result is then ``None``.

    Args:
        shown: the file's name, for messages.
        beside: reads a file that the task names.

    Raises:
        TaskError: its samples make no sense.
    """
    reader = _Reader(document, shown, beside, problem, limits)
    return reader.task()


class _Reader:
    def __init__(
        self, document: Mapping[str, Any], shown: str, beside: Beside, problem: Problem, limits: EvalLimits
    ) -> None:
        self._document, self._shown, self._beside, self._limits = document, shown, beside, limits
        self._faults = 0
        self._tell = problem

    def _problem(self, at: tuple[str | int, ...], text: str) -> None:
        self._faults += 1
        self._tell(at, text)

    def task(self) -> Task | None:
        self._known(self._document, TOP, ())
        texts = {
            name: self._text(self._document, (name,)) or ""
            for name in ("name", "version", "description", "license", "source")
        }
        if not texts["name"]:
            self._problem(("name",), "a task needs a name")
        scorer = self._scorer()
        prompt, system, target = (self._template((name,)) for name in ("prompt", "system", "target"))
        choices, pair = self._choices(), self._templates(("pair",)) or ()
        join = self._document.get("join", " ")
        if not isinstance(join, str) or len(join) > _LONGEST:
            self._problem(("join",), "join has to be text: what stands between a prompt and its answer")
        media = {name: self._template((name,)) for name in ("audio", "image")}
        if scorer is not None:
            self._fits(scorer, prompt, target, choices, pair)
            self._fits_media(scorer, media)
        generation = self._generation()
        samples = self._samples(self._document.get("samples"), ("samples",))
        for shown in media.values():
            if shown is not None and not self._faults:
                samples = self._with_media(samples, shown)
        few_shot = self._few_shot()
        if self._faults or scorer is None:
            return None
        clustered = "cluster" in self._document
        made = Task(
            texts["name"], texts["version"], texts["description"], texts["license"], texts["source"],
            prompt or Template.of(""), system, target, choices, tuple(pair), join, few_shot, generation, scorer, samples, clustered, "",
            media["audio"], media["image"],
        )  # fmt: skip
        from dataclasses import replace

        try:
            return replace(made, sha256=task_digest(made))
        except (RecursionError, ValueError) as error:
            raise TaskError(
                f"{self._shown}: a sample is nested too deeply, or has a number of thousands of digits"
            ) from error

    def _fits(
        self,
        scorer: ScorerSpec,
        prompt: Template | None,
        target: Template | None,
        choices: tuple[Template, ...] | str | None,
        pair: Sequence[Template],
    ) -> None:
        needs = SCORERS[scorer.name].needs
        if needs == "embed":
            if len(pair) != 2:
                self._problem(("pair",), f"the scorer {scorer.name} compares two texts: pair has to list two templates")
            if prompt is not None:
                self._problem(("prompt",), f"the scorer {scorer.name} asks no prompt; its texts are in pair")
        else:
            if prompt is None and not {"audio", "image"} & set(self._document):
                self._problem(("prompt",), "a task needs a prompt")
            if pair:
                self._problem(("pair",), f"the scorer {scorer.name} compares no pair of texts")
        with_choices = scorer.name in ("choice", "letter")
        if with_choices and choices is None:
            self._problem(
                ("choices",),
                f"the scorer {scorer.name} needs choices: a list of templates, or the field that lists them",
            )
        elif choices is not None and not with_choices:
            self._problem(
                ("choices",), f"choices belong to the scorers choice and letter, and the scorer is {scorer.name}"
            )
        if target is None and scorer.name != "regex":
            self._problem(("target",), f"the scorer {scorer.name} needs a target: what the answer should have been")

    def _fits_media(self, scorer: ScorerSpec, media: Mapping[str, Template | None]) -> None:
        scorers = {"audio": ("wer", "cer"), "image": ("choice", "wer", "cer", "exact", "contains")}
        for name, shown in media.items():
            if shown is None:
                continue
            if scorer.name not in scorers[name]:
                self._problem(
                    (name,),
                    f"{name} belongs to the scorer {' or '.join(scorers[name])}, and the scorer is {scorer.name}",
                )
            for other in ("prompt", "system", "few_shot", "pair", "image" if name == "audio" else "audio"):
                if other in self._document:
                    self._problem((other,), f"a task with {name} has no {other}: the model is shown the file alone")
        if media["image"] is not None and scorer.settings.get("normalise", "none") != "none":
            self._problem(("scorer", "normalise"), "what fits an image is compared as it is: normalise has to be none")

    def _with_media(self, samples: Sequence[Sample], shown: Template) -> tuple[Sample, ...]:
        """The samples, each with the file that it names and the digest of its bytes, which are not kept."""
        from dataclasses import replace

        out, problems = [], []
        for each in samples:
            try:
                name = shown.fill(each.fields)
                data = self._beside(name)
            except (TemplateError, TaskError) as error:
                problems.append(f"{each.place}: {error}")
                continue
            if len(data) > self._limits.media_bytes:
                problems.append(
                    f"{each.place}: {printable(name)[:100]} has more than {self._limits.media_bytes} bytes (limit media_bytes)"
                )
            out.append(replace(each, media=Media(name, hashlib.sha256(data).hexdigest())))
            if len(problems) >= _SAID:
                break
        if problems:
            raise TaskError(*problems[:_SAID])
        return tuple(out)

    # --- pieces ---

    def _known(self, table: Mapping[str, Any], known: Sequence[str], at: tuple[str | int, ...]) -> None:
        import difflib

        for key in table:
            if key not in known:
                near = difflib.get_close_matches(str(key)[:100], known, 1, 0.5)
                hint = f"; did you mean {near[0]}?" if near else ""
                self._problem((*at, key), f"unknown key {printable(str(key))[:100]!r}{hint}")

    def _text(self, table: Mapping[str, Any], at: tuple[str | int, ...]) -> str | None:
        value = table.get(str(at[-1]))
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = repr(value)  # a version that looks like a number
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
            self._problem(at, f"{at[-1]} has to be text{_NO_LONGER}")
            return None
        return " ".join(value.split())

    def _made(self, value: Any, at: tuple[str | int, ...]) -> Template | None:
        if not isinstance(value, str) or len(value) > _LONGEST:
            self._problem(at, f"{at[0]} has to be text with places for fields, such as {{{{question}}}}{_NO_LONGER}")
            return None
        try:
            return Template.of(value)
        except TemplateError as error:
            self._problem(at, f"{at[0]}: {error}")
            return None

    def _template(self, at: tuple[str]) -> Template | None:
        return self._made(self._document[at[0]], at) if at[0] in self._document else None

    def _templates(self, at: tuple[str]) -> tuple[Template, ...] | None:
        value = self._document.get(at[0])
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > self._limits.choices:
            self._problem(at, f"{at[0]} has to be a list of templates (limit choices = {self._limits.choices})")
            return None
        made = [self._made(each, (*at, number)) for number, each in enumerate(value)]
        return tuple(each for each in made if each is not None)

    def _choices(self) -> tuple[Template, ...] | str | None:
        value = self._document.get("choices")
        return value if isinstance(value, str) and value else self._templates(("choices",))

    def _scorer(self) -> ScorerSpec | None:
        value = self._document.get("scorer")
        table: Mapping[str, Any] = value if isinstance(value, Mapping) else {"name": value}
        name = table.get("name")
        if not isinstance(name, str) or name not in SCORERS:
            self._problem(
                ("scorer",), f"scorer has to be one of {', '.join(SCORERS)}, or a table with a name and settings"
            )
            return None
        known = SCORERS[name].settings
        self._known(table, ("name", *known), ("scorer",))
        settings = {key: each for key, each in table.items() if key in known}
        if name == "regex" and "pattern" not in settings:
            self._problem(("scorer",), "the scorer regex needs a pattern")
        for key, each in settings.items():
            if why := bad_setting(key, each, self._limits):
                self._problem(("scorer", key), f"{key} {why}")
        return ScorerSpec(name, settings)

    def _generation(self) -> Generation:
        value = self._document.get("generation", {})
        if not isinstance(value, Mapping):
            self._problem(("generation",), f"generation has to be a table of {', '.join(_GENERATION)}")
            return Generation()
        self._known(value, _GENERATION, ("generation",))
        tokens, stop, heat = value.get("max_tokens", 256), value.get("stop", []), value.get("temperature", 0)
        stop = [stop] if isinstance(stop, str) else stop
        if type(tokens) is not int or not 1 <= tokens <= _MOST_TOKENS:
            self._problem(("generation", "max_tokens"), f"max_tokens has to be a whole number from 1 to {_MOST_TOKENS}")
        if not isinstance(stop, list) or len(stop) > 4 or not all(isinstance(each, str) and each for each in stop):
            self._problem(
                ("generation", "stop"), "stop has to be a text or a list of at most 4, as endpoints take them"
            )
            stop = []
        if isinstance(heat, bool) or not isinstance(heat, int | float) or not 0 <= heat <= 2:
            self._problem(("generation", "temperature"), "temperature has to be a number from 0 to 2")
            heat = 0
        return Generation(tokens if type(tokens) is int else 1, tuple(stop), float(heat))

    def _few_shot(self) -> FewShot | None:
        value = self._document.get("few_shot")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self._problem(("few_shot",), f"few_shot has to be a table of {', '.join(_FEW_SHOT)}")
            return None
        self._known(value, _FEW_SHOT, ("few_shot",))
        examples = self._samples(value.get("samples"), ("few_shot", "samples"))
        count, separator = value.get("count", len(examples)), value.get("separator", "\n\n")
        if type(count) is not int or not 0 <= count <= len(examples):
            self._problem(
                ("few_shot", "count"), f"count has to be from 0 to the {len(examples)} examples that there are"
            )
            count = 0
        if not isinstance(separator, str):
            self._problem(("few_shot", "separator"), "separator has to be text")
            separator = ""
        return FewShot(examples, count, separator)

    def _samples(self, value: Any, at: tuple[str, ...]) -> tuple[Sample, ...]:
        names = [self._document.get("id"), self._document.get("cluster")]
        if not all(each is None or (isinstance(each, str) and each) for each in names):
            self._problem(("id",), "id and cluster have to name fields of the samples")
            return ()
        if isinstance(value, str) and value:
            found = read_samples(self._beside(value), printable(value), self._limits)
        elif isinstance(value, list):
            found = [(f"{self._shown}: sample {number}", each) for number, each in enumerate(value, 1)]
        else:
            self._problem(at, "samples has to be a list, or name a file of JSON lines beside the task")
            return ()
        return _samples(found, names[0], names[1], self._limits)


def read_samples(data: bytes, shown: str, limits: EvalLimits = DEFAULT) -> list[tuple[str, Any]]:
    """The objects of a file of JSON lines, or of a JSON list, each with its place.

    Raises:
        TaskError: it is neither, or beyond a limit.
    """
    if len(data) > limits.data_bytes:
        raise TaskError(f"{shown}: has more than {limits.data_bytes} bytes (limit data_bytes)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = data.count(b"\n", 0, error.start) + 1
        raise TaskError(f"{shown}:{at}: is not UTF-8 text") from None
    if text.lstrip()[:1] == "[":
        listed = _json(text, f"{shown}:1")
        return [(f"{shown}: sample {number}", each) for number, each in enumerate(listed, 1)]
    out: list[tuple[str, Any]] = []
    for where, line in _lines(text, shown):
        if len(line) > limits.sample_bytes:
            raise TaskError(f"{where}: has more than {limits.sample_bytes} characters (limit sample_bytes)")
        if len(out) >= limits.samples:
            raise TaskError(f"{where}: there are more than {limits.samples} samples (limit samples)")
        out.append((where, _json(line, where)))
    return out


def _lines(text: str, shown: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), 1):  # JSON lines end at a line feed and at no other character
        if line.strip():
            yield f"{shown}:{number}", line


def _json(text: str, place: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        out = dict(pairs)
        if len(out) != len(pairs):
            raise ValueError("a key is there twice")
        return out

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        why = (
            "is nested too deeply"
            if isinstance(error, RecursionError)
            else f"is not JSON: {printable(str(error))[:200]}"
        )
        raise TaskError(f"{place}: {why}") from None


def _samples(
    found: Sequence[tuple[str, Any]], id_field: str | None, cluster_field: str | None, limits: EvalLimits
) -> tuple[Sample, ...]:
    problems: list[str] = []
    if not found:
        raise TaskError("a task needs at least one sample")
    if len(found) > limits.samples:
        raise TaskError(f"there are more than {limits.samples} samples (limit samples)")
    out: list[Sample] = []
    seen: dict[str, str] = {}
    for number, (place, fields) in enumerate(found):
        if len(problems) >= _SAID:
            break
        if not isinstance(fields, dict) or not 1 <= len(fields) <= limits.fields:
            problems.append(f"{place}: a sample has to be an object of fields (limit fields = {limits.fields})")
            continue
        try:
            name = id_field or ("id" if "id" in fields else "")
            key = as_text(fields[name], name) if name else str(number)
            cluster = as_text(fields[cluster_field], cluster_field) if cluster_field else ""
        except (TemplateError, KeyError) as error:
            problems.append(f"{place}: {error if isinstance(error, TemplateError) else f'there is no field {error}'}")
            continue
        if not key or len(key) > 500 or key in seen:
            also = f"; {seen[key]} has it too" if key in seen else ""
            problems.append(f"{place}: the id {printable(key)[:60]!r} has to be a short text of its own{also}")
            continue
        seen[key] = place
        out.append(Sample(key, fields, cluster, place))
    if problems:
        raise TaskError(*problems)
    return tuple(out)
