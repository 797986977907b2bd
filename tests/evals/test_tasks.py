"""Tasks: what they say, what they refuse, and that one digest is over what decides."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evals.tasks import SAMPLES, lines, task

from openvet.evals.asking import needs_of
from openvet.evals.limits import EvalLimits
from openvet.evals.reading import read_samples, take_task
from openvet.evals.scorers import SCORERS, Output, score
from openvet.evals.task import Task, TaskError, draw_order
from openvet.evals.template import Template, TemplateError


def scored(found: Task, text: str, index: int = 0) -> float:
    return score(found.scorer, found.ask(index), Output(text)).value


def test_a_sample_is_asked_as_the_template_says() -> None:
    found = task()
    ask = found.ask(1)
    assert (ask.id, ask.prompt.text, ask.targets) == ("1", "Q: The capital of Peru?\nA:", ("Lima",))


def test_examples_come_first_and_are_the_same_for_all() -> None:
    found = task(
        few_shot={"samples": [{"country": "Italy", "capital": "Rome"}, {"country": "Chad", "capital": "?"}], "count": 1}
    )
    assert found.ask(0).prompt.shared == "Q: The capital of Italy?\nA: Rome\n\n"
    assert found.ask(2).prompt.shared == found.ask(0).prompt.shared


CHOICES: dict[str, Any] = {
    "scorer": "letter",
    "prompt": "{{q}}\n{{choices}}\nAnswer:",
    "choices": "options",
    "target": "{{gold}}",
    "samples": [
        {"q": "2 + 2?", "options": ["three", "four"], "gold": 1},
        {"q": "Cold?", "options": ["ice", "fire"], "gold": "A"},
    ],
}


def test_choices_are_listed_and_named_by_number_letter_or_text() -> None:
    found = task(**CHOICES)
    assert found.ask(0).prompt.own == "2 + 2?\nA. three\nB. four\nAnswer:"
    assert [found.ask(at).targets for at in (0, 1)] == [("1",), ("0",)]
    byte = task(**{**CHOICES, "samples": [{"q": "?", "options": ["x", "y"], "gold": "y"}]})
    assert byte.ask(0).targets == ("1",)
    doubtful = {
        **CHOICES,
        "samples": [{"q": "?", "options": ["0", "1", "2"], "gold": 1}, {"q": "?", "options": ["1", "0"], "gold": 1}],
    }
    with pytest.raises(TaskError, match="more than one of the choices"):
        task(**doubtful)
    settled = task(**{**doubtful, "scorer": {"name": "letter", "target_means": "text"}})
    assert settled.ask(1).targets == ("0",)


@pytest.mark.parametrize(
    ("scorer", "target", "output", "wanted"),
    [
        ("exact", "Paris", " Paris\n", 1.0),
        ("exact", "Paris", "paris", 0.0),
        ({"name": "exact", "ignore": ["case", "punctuation", "space"]}, "Paris", "paris.", 1.0),
        ({"name": "exact", "ignore": ["articles", "case", "space"]}, "The Beatles", "beatles", 1.0),
        ({"name": "exact", "ignore": []}, "Paris", "Paris\n", 0.0),
        ("contains", "Paris", "It is PARIS, of course", 1.0),
        ("contains", "Paris", "It is Lima", 0.0),
        ("numeric", "1234", "so 2 + 2 makes 1,234.", 1.0),
        ("numeric", "1234", "1234 or 5", 0.0),
        ({"name": "numeric", "take": "first"}, "1234", "1234 or 5", 1.0),
        ({"name": "numeric", "tolerance": 0.5}, "3", "about 3.4", 1.0),
        ("numeric", "-2", "x = -2", 1.0),
        ("numeric", "7", "no number", 0.0),
        ({"name": "regex", "pattern": "#### ([0-9]+)"}, "42", "so #### 42", 1.0),
        ({"name": "regex", "pattern": "#### ([0-9]+)"}, "42", "so #### 43", 0.0),
        ({"name": "regex", "pattern": "Par(?:is|ys)"}, "Paris", "in Paris", 1.0),
        ("f1", "the cat sat", "a cat ran", 0.5),
        ("f1", "cat", "dog", 0.0),
        ("wer", "the cat sat down", "the bat sat", 2.0),
        ("cer", "abc", "abd", 1.0),
    ],
    ids=str,
)
def test_scorers(scorer: Any, target: str, output: str, wanted: float) -> None:
    found = task(scorer=scorer, samples=[{"country": "x", "capital": target}])
    assert scored(found, output) == wanted


def test_an_error_rate_counts_the_words_of_the_reference() -> None:
    found = task(scorer="wer", samples=[{"country": "x", "capital": "the quick brown fox"}])
    made = score(found.scorer, found.ask(0), Output("The quick, fox jumps"))
    assert (made.value, made.weight) == (2.0, 4.0)


@pytest.mark.parametrize(
    ("reply", "right"),
    [("B", True), ("b", True), ("(B)", True), ("B. four", True), ("The answer is B.", True), ("A or B? The answer is B", True),
     ("A", False), ("Both", False), ("", False), ("I think Cats", False), ("**B**", True), ("answer: A, not B", False)],
)  # fmt: skip
def test_the_letter_of_a_reply(reply: str, right: bool) -> None:
    assert scored(task(**CHOICES), reply) == float(right)


def test_the_likeliest_choice_and_what_it_is_divided_by() -> None:
    changed = {**CHOICES, "samples": [{"q": "?", "options": ["no", "certainly"], "gold": 1}]}
    output = Output(logprobs=(-2.0, -3.0), tokens=(1, 1))
    for normalise, right in [("none", 0.0), ("characters", 1.0), ("bytes", 1.0), ("tokens", 0.0)]:
        found = task(**{**changed, "scorer": {"name": "choice", "normalise": normalise}, "prompt": "{{q}}"})
        assert score(found.scorer, found.ask(0), output).value == right


def test_an_image_with_choices_is_matched_and_without_is_read() -> None:
    document = {"name": "lines", "samples": [{"file": "a.png", "said": "one\ntwo"}], "image": "{{file}}", "target": "{{said}}", "prompt": None}  # fmt: skip
    read = task({"a.png": b"x"}, **document, scorer="exact")
    assert needs_of(read) == "read"
    assert scored(read, "one two") == 1.0
    assert scored(read, "one too") == 0.0
    matched = task({"a.png": b"x"}, **document, scorer="choice", choices=["one\ntwo", "three"])
    assert needs_of(matched) == "match"
    with pytest.raises(TaskError, match="image belongs to the scorer choice or wer or cer or exact or contains"):
        task({"a.png": b"x"}, **document, scorer="numeric")


def test_one_of_several_answers_is_enough() -> None:
    found = task(samples=[{"country": "South Africa", "capital": ["Pretoria", "Cape Town"]}])
    assert scored(found, "Cape Town") == 1.0


# --- one digest ---


def test_the_digest_is_over_what_decides_and_not_over_how_it_is_written() -> None:
    plain = task()
    assert plain.sha256 == task({"s.jsonl": lines(*SAMPLES)}, samples="s.jsonl").sha256
    assert plain.sha256 == task(description="other words", license="CC0-1.0").sha256
    others = [
        task(version="2"), task(prompt="{{country}}?"), task(join=""), task(scorer="contains"), task(generation={"max_tokens": 9}),
        task(samples=SAMPLES[:2]), task(samples=SAMPLES[::-1]), task(system="Be brief."),
        task(scorer={"name": "exact", "ignore": ["case"]}), task(few_shot={"samples": SAMPLES[:1]}),
    ]  # fmt: skip
    digests = {plain.sha256, *(each.sha256 for each in others)}
    assert len(digests) == 11


def test_an_order_is_drawn_by_a_seed_that_is_stated() -> None:
    import hashlib

    drawn = draw_order(50, "2026-11-29")
    assert sorted(drawn) == list(range(50))
    assert drawn == draw_order(50, "2026-11-29") != draw_order(50, "other")
    assert drawn[0] == min(range(50), key=lambda at: hashlib.sha256(f"2026-11-29:{at}".encode()).digest())


# --- what is refused ---


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"promt": "x"}, "did you mean prompt"),
        ({"prompt": "{{a|upper}}"}, "no name of a field"),
        ({"prompt": "{% for x in y %}"}, "another template language"),
        ({"prompt": "{{ ''.__class__ }}"}, "no name of a field"),
        ({"prompt": "{{country"}, "no }} behind it"),
        ({"prompt": "{{nation}}"}, "there is no field 'nation'"),
        ({"prompt": None}, "needs a prompt"),
        ({"target": None}, "needs a target"),
        ({"name": None}, "needs a name"),
        ({"scorer": "vibes"}, "has to be one of exact"),
        ({"scorer": {"name": "exact", "ignore": ["everything"]}}, "has to list some of case"),
        ({"scorer": {"name": "numeric", "tolerance": -1}}, "at least 0"),
        ({"scorer": "numeric"}, "has to be a number"),
        ({"scorer": "regex"}, "needs a pattern"),
        ({"scorer": {"name": "regex", "pattern": "(a)\\1"}}, "is not taken"),
        ({"scorer": {"name": "regex", "pattern": "(a)(b)"}}, "more than one group"),
        ({"scorer": {"name": "regex", "pattern": "a" * 501}}, "pattern_characters"),
        ({"scorer": "choice"}, "needs choices"),
        ({"choices": ["a", "b"]}, "belong to the scorers choice and letter"),
        ({"scorer": "similarity"}, "pair has to list two templates"),
        ({"generation": {"max_tokens": 0}}, "from 1 to"),
        ({"generation": {"stop": ["a"] * 5}}, "at most 4"),
        ({"generation": {"temperature": True}}, "from 0 to 2"),
        ({"few_shot": {"samples": [{"country": "x"}]}}, "there is no field 'capital'"),
        ({"few_shot": {"samples": [{"country": "x", "capital": "y"}], "count": 2}}, "1 examples that there are"),
        ({"samples": []}, "at least one sample"),
        ({"samples": ["Paris"]}, "has to be an object"),
        ({"samples": [{"id": "a", "country": "x", "capital": "y"}] * 2}, "sample 1 has it too"),
        ({"samples": [{"country": "x", "capital": None}]}, "is nothing, and not text"),
        ({"cluster": "continent"}, "there is no field 'continent'"),
        ({"samples": 3}, "has to be a list"),
    ],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_reason(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(TaskError, match=told):
        task(**changed)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(TaskError) as caught:
        task(prompt="{{", scorer="vibes", generation={"max_tokens": -1})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a": 1}\n{"a": ', "s:2: is not JSON"),
        (b'{"a": 1, "a": 2}', "a key is there twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"\xff", "s:1: is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"a": 1}\n' * 11, "limit samples"),
        (b'{"a": "%s"}' % (b"x" * 300), "limit sample_bytes"),
        (b" " * 400_001, "limit data_bytes"),
    ],
    ids=range(9),
)
def test_files_of_samples_that_are_refused(data: bytes, told: str) -> None:
    limits = EvalLimits(
        data_bytes=400_000,
        samples=10,
        sample_bytes=250_001 if b"{" * 0 + data[:2] in (b"[[", b'{"') and len(data) > 9_000 else 250,
    )
    with pytest.raises(TaskError, match=told):
        read_samples(data, "s", limits)


def test_what_fields_hold_is_never_a_template() -> None:
    found = task(samples=[{"country": "{{capital}}", "capital": "Paris"}])
    assert found.ask(0).prompt.text == "Q: The capital of {{capital}}?\nA:"


def test_a_field_that_is_filled_in_again_and_again_ends_at_the_limit() -> None:
    with pytest.raises(TaskError, match="limit prompt_characters"):
        task(prompt="{{country}}" * 1_000, samples=[{"country": "x" * 100_000, "capital": "Paris"}])


@given(st.text(alphabet="{}% ab|\n", max_size=40))
def test_a_template_is_taken_apart_or_refused(source: str) -> None:
    try:
        found = Template.of(source)
    except TemplateError:
        return
    assert found.fill(dict.fromkeys(found.names, "")) == "".join(found.texts)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "prompt", "scorer", "samples", "choices", "few_shot", "a"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_gets_past_with_another_error(value: Any) -> None:
    try:
        take_task(
            value if isinstance(value, dict) else {"samples": value},
            "t",
            dict[str, bytes]().__getitem__,
            lambda _, __: None,
        )
    except (TaskError, KeyError):
        pass


@pytest.mark.parametrize("name", SCORERS)
def test_long_answers_cost_little(name: str) -> None:
    changed: dict[str, Any] = {"scorer": name}
    if name == "regex":
        changed["scorer"] = {"name": "regex", "pattern": "([A-Z]+)[0-9]*!"}
    if SCORERS[name].needs != "generate":
        return
    base = CHOICES if name == "letter" else {"samples": [{"country": "x", "capital": "7"}]}
    found = task(**{**base, **changed})
    for text in ("A" * 10_000_000, "A " * 1_000_000, "answer " * 500_000, "1,1" * 1_000_000, "7e" * 1_000_000):
        begun = time.process_time()
        scored(found, text)
        assert time.process_time() - begun < 4.0
