"""JSON texts, short and long."""

from __future__ import annotations

import contextlib
import json as reference
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.errors import LimitError, MalformedError
from openvet.formats import json
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats._json_stream import DROPPED, JsonStream
from openvet.formats.jinja import Template
from openvet.io.source import BytesSource


def read(data: bytes | str, name: str = "config.json", limits: Limits = DEFAULT_LIMITS) -> Facts:
    facts = Facts(name, name, Budget(limits))
    json.read(BytesSource(data.encode() if isinstance(data, str) else data), facts)
    return facts


def stream(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> JsonStream:
    source = BytesSource(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    return JsonStream(source, 0, limits, lambda: None)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=40,
)


@settings(deadline=None, max_examples=150)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_both_parsers_agree_with_the_reference(value: Any, indent: Any, ascii_only: bool) -> None:
    text = reference.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if "\ud800" <= max(text.decode("utf-8", "surrogatepass"), default="") <= "\udfff":
        return
    assert read(text).document == value
    parsed = stream(text)
    assert parsed.value() == value
    assert parsed.at_end()
    assert parsed.duplicates == []


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet='{}[],:"\\ub0123-+.eEtrufalsn \n', max_size=24))
def test_the_long_parser_refuses_what_the_reference_refuses(text: str) -> None:
    expected: Any = ValueError
    with contextlib.suppress(ValueError):
        expected = reference.loads(text)
    got: Any = ValueError
    with contextlib.suppress(MalformedError):
        parsed = stream(text)
        value = parsed.value()
        got = value if parsed.at_end() else ValueError
    assert repr(got) == repr(expected)


def test_a_vocabulary_is_let_go_and_its_neighbours_kept() -> None:
    document = {
        "added_tokens": [{"id": 0, "content": "<unk>"}],
        "model": {
            "vocab": {f"tokén{i}": i for i in range(200_000)},
            "merges": [f"a b{i}" for i in range(100_000)],
            "pairs": [[f"a{i}", "b"] for i in range(100_000)],
            "scores": [["▁x", -1.5] for _ in range(50_000)],
            "_target_": "os.system",
        },
        "end": 1,
    }
    data = reference.dumps(document, ensure_ascii=False).encode()
    assert len(data) > 4 * 1024 * 1024
    facts = read(data, "tokenizer.json")
    model = facts.document["model"]
    assert facts.document["end"] == 1
    assert facts.document["added_tokens"] == document["added_tokens"]
    assert model["_target_"] == "os.system"
    assert model["merges"][0] == DROPPED
    assert [len(model[key]) < 300 for key in ("vocab", "merges", "pairs", "scores")] == [True] * 4
    assert facts.metadata == {"long-runs": 4}
    assert facts.anomalies == []


def test_a_key_hidden_behind_a_vocabulary_is_kept() -> None:
    text = "{" + "".join(f'"k{i}": {i}, ' for i in range(300_000)) + '"_target_": "os.system"}'
    document = read(text).document
    assert document["_target_"] == "os.system"
    assert len(document) < 300


def test_a_run_is_let_go_wherever_it_begins() -> None:
    before = {f"s{i}": "x" for i in range(200)}
    document = read(reference.dumps(before | {f"k{i}": i for i in range(300_000)})).document
    assert before.items() <= document.items()
    assert len(document) < 1000


def test_a_token_may_cross_the_window() -> None:
    window = 4 * 1024 * 1024
    for before in (1200, 5, 1):
        assert read(" " * (window - before) + "[" + "7" * 5000 + "]").document == ["7" * 5000]
        assert read(" " * (window - before) + "7" * 5000).document == "7" * 5000
        word = "é\\" * 60_000
        assert read(" " * (window - before) + reference.dumps([word], ensure_ascii=False)).document == [word]


def test_a_long_text_that_breaks_off_is_malformed() -> None:
    text = "[" + "1, " * 1_000_000
    with pytest.raises(MalformedError) as caught:
        read(text)
    assert caught.value.offset == len(text)


def test_a_broken_token_inside_a_run_is_malformed() -> None:
    text = '{"v": {' + "".join(f'"k{i}": {i}, ' for i in range(200_000)) + '"bad" 1}}'
    with pytest.raises(MalformedError):
        read(text)


@pytest.mark.parametrize("size", [100, 3_000_000])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "value"),
        ("{", "value"),
        ('{"a": 1', "value"),
        ('{"a" 1}', "value"),
        ("{'a': 1}", "value"),
        ("[1,]", "value"),
        ("[1 2]", "value"),
        ("{} x", "value"),
        ('{"a": tru}', "value"),
        ('"\x01"', "value"),
        ('"\\x"', "value"),
        ("01", "value"),
    ],
)
def test_broken_texts_are_malformed(text: str, reason: str, size: int) -> None:
    with pytest.raises(MalformedError):
        read(" " * size + text)


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_nesting_is_bounded(size: int) -> None:
    with pytest.raises(LimitError) as caught:
        read(" " * size + "[" * 201 + "]" * 201)
    assert caught.value.limit == "nesting"
    assert read(" " * size + "[" * 200 + "]" * 200).document is not None
    with pytest.raises(LimitError):
        read(" " * size + "[" * 100_000 + "]" * 100_000)


def test_a_text_beyond_the_limit_is_not_read() -> None:
    with pytest.raises(LimitError) as caught:
        read("[" + "1," * 3_000_000 + "1]", limits=Limits(text=1000))
    assert caught.value.limit == "text"


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_a_key_twice_is_said_where_the_values_differ(size: int) -> None:
    facts = read(" " * size + '{"a": {"b": 1, "b": 2}, "c": 1, "c": 1}')
    assert [(each.rule, each.evidence["key"]) for each in facts.anomalies] == [("json/duplicate-key", "b")]
    assert facts.document == {"a": {"b": 2}, "c": 1}


@pytest.mark.parametrize("size", [0, 3_000_000])
def test_words_that_are_no_json_are_said(size: int) -> None:
    facts = read(" " * size + '{"a": NaN, "b": [-Infinity]}')
    assert [each.rule for each in facts.anomalies] == ["json/not-standard"]
    assert math.isnan(facts.document["a"])
    assert facts.document["b"] == [-math.inf]


def test_a_byte_order_mark_is_said() -> None:
    for size in (0, 3_000_000):
        facts = read(b"\xef\xbb\xbf" + b" " * size + b'{"a": 1}')
        assert [each.rule for each in facts.anomalies] == ["json/not-standard"]
        assert facts.document == {"a": 1}


def test_an_endless_integer_stays_text() -> None:
    assert read("[" + "9" * 5000 + "]").document == ["9" * 5000]
    assert read(" " * 3_000_000 + "[" + "9" * 5000 + "]").document == ["9" * 5000]


def test_an_endless_integer_hides_no_broken_text() -> None:
    with pytest.raises(MalformedError):
        read("[" + "9" * 5000 + " 1]")


def test_lines_of_values() -> None:
    assert read('{"a": "x\u2028y"}\n[]').document == [{"a": "x\u2028y"}, []]
    facts = read('{"a": 1}\n{"a": 2}\n\n[3]\n')
    assert (facts.document, facts.metadata) == ([{"a": 1}, {"a": 2}, [3]], {"kind": "lines", "values": 3})
    many = read('{"text": "words"}\n' * 200_000, "data.jsonl")
    assert (many.document, many.metadata) == (None, {"kind": "lines", "values": 200_000})


@pytest.mark.parametrize("text", ['{"a": 1} {"b": 2}', '{"a": 1}\n{"b": ', '{"a": 1}\nfree text'])
def test_values_that_do_not_have_lines_of_their_own_are_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        read(text)
    with pytest.raises(MalformedError):
        read(" " * 3_000_000 + text)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"chat_template": "{{ a }}"}, [("default", "/chat_template")]),
        (
            {"chat_template": [{"name": "d", "template": "x"}, {"name": "tool_use", "template": "y"}]},
            [("d", "/chat_template/0/template"), ("tool_use", "/chat_template/1/template")],
        ),
        ({"chat_template": {"one": "x", "two": "y"}}, [("one", "/chat_template/one"), ("two", "/chat_template/two")]),
        ({"processor": {"chat_template": "x"}}, [("default", "/processor/chat_template")]),
        ({"chat_template": None}, []),
    ],
)
def test_chat_templates_become_programs(document: Any, expected: list[tuple[str, str]]) -> None:
    programs = [each for each in read(reference.dumps(document)).programs if isinstance(each, Template)]
    assert [(each.name, each.location.pointer) for each in programs] == expected


def test_a_template_that_cannot_be_parsed_is_unknown() -> None:
    facts = read(reference.dumps({"chat_template": "{% for %}"}))
    assert [(each.reason, each.location.pointer) for each in facts.unknowns] == [("malformed", "/chat_template")]


@pytest.mark.parametrize(
    ("name", "data", "likeness"),
    [
        ("x", b'{"a": 1}', Likeness.STRONG),
        ("x", b" \n[1, 2.5, null]", Likeness.STRONG),
        ("x", b"{}", Likeness.STRONG),
        ("x", b"[" + b'"word", ' * 20_000 + b'"x"]', Likeness.STRONG),
        ("x", b"\xef\xbb\xbf{}", Likeness.STRONG),
        ("config.json", b"{ broken", Likeness.WEAK),
        ("config.json", b"3", Likeness.WEAK),
        ("x", b"{{ messages }}", Likeness.NO),
        ("x", b"{% if a %}", Likeness.NO),
        ("x", b"[INST] hello", Likeness.NO),
        ("x", b"[1] some prose", Likeness.NO),
        ("x", b"{'a': 1}", Likeness.NO),
        ("x.yaml", b'{"a": 1}', Likeness.NO),
        ("x", b"\x80\x04}.", Likeness.NO),
        ("x.json", b"\0\0\0", Likeness.NO),
    ],
)
def test_the_probe_looks_at_bytes(name: str, data: bytes, likeness: Likeness) -> None:
    assert json.probe(Head(name, BytesSource(data))) is likeness


PAIRS = st.lists(st.tuples(st.text(max_size=6), st.text(max_size=12)), min_size=100, max_size=300)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.sampled_from(["", " ", "\n    "]), st.booleans(), st.booleans())
def test_runs_of_pairs_of_texts_are_kept_as_they_are(
    pairs: list[tuple[str, str]], blank: str, ascii_only: bool, nested: bool
) -> None:
    written = [
        f"{blank}{reference.dumps(key, ensure_ascii=ascii_only)}:{blank}{reference.dumps(value, ensure_ascii=ascii_only)}"
        for key, value in pairs
    ]
    text = "{" + ",".join([*written, '"n": [1, {"a": "b"}]', *written]) + blank + "}"
    text = f'{{"above": {text}, "z": 1}}' if nested else text
    parsed = stream(text)
    assert parsed.value() == reference.loads(text)
    twice = {key for key, value in pairs for other, another in pairs if key == other and value != another}
    twice |= {"n"} & {key for key, _ in pairs}
    assert bool(parsed.duplicates) == bool(twice)
    assert all(pointer.startswith("/above/") == nested for _, pointer in parsed.duplicates if not twice & {""})


def test_a_run_of_pairs_of_texts_counts_as_its_values_do() -> None:
    with pytest.raises(LimitError):
        stream(reference.dumps({f"t{n}": "a" for n in range(260_000)})).value()
    with pytest.raises(LimitError):
        stream(reference.dumps({f"t{n}": "a" * 2_000 for n in range(10_000)})).value()


def test_a_run_of_pairs_of_texts_that_breaks_says_where() -> None:
    good = b"".join(b'"%d": "a",' % n for n in range(200))
    with pytest.raises(MalformedError) as broken:
        stream(b"{" + good + b'"b": "\xff", ' + good + b'"c": "d"}').value()
    assert broken.value.offset == 1 + len(good) + len(b'"b": "')
