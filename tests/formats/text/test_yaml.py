"""YAML texts and Markdown front matter."""

from __future__ import annotations

from typing import Any

import pytest
import yaml as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import DEFAULT_LIMITS, Budget, Limits
from openvet.errors import LimitError, MalformedError
from openvet.formats import citation, markdown, yaml
from openvet.formats._format import Facts, Head, Likeness
from openvet.io.source import BytesSource


def read(text: str, module: Any = yaml, name: str = "config.yaml", limits: Limits = DEFAULT_LIMITS) -> Facts:
    facts = Facts(name, name, Budget(limits))
    module.read(BytesSource(text.encode()), facts)
    return facts


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(st.characters(codec="ascii"), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text("abc_.", min_size=1, max_size=6), inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(deadline=None, max_examples=80)
@given(VALUES, st.sampled_from([True, False]))
def test_plain_values_are_those_of_the_safe_loader(value: Any, flow: bool) -> None:
    text = reference.safe_dump(value, default_flow_style=flow)
    assert read(text).document == reference.safe_load(text) == value


def test_aliases_and_merges() -> None:
    facts = read("a: &x {_target_: os.system, n: 1}\nb: *x\nc:\n  <<: *x\n  n: 2\nd:\n  <<: [*x, {m: 3}]\n")
    target = {"_target_": "os.system", "n": 1}
    assert facts.document == {"a": target, "b": target, "c": target | {"n": 2}, "d": target | {"m": 3}}


def test_merged_keys_count_as_values() -> None:
    first = "a0: &a0\n" + "".join(f"  k{n}: 1\n" for n in range(1_000))
    more = "".join(f"a{n + 1}: &a{n + 1}\n  <<: *a{n}\n  j{n}: 1\n" for n in range(1_000))
    with pytest.raises(LimitError, match="too many values"):
        read(first + more)


def test_a_long_key_is_not_written_out_for_every_tag() -> None:
    facts = read("? " + "k" * 100_000 + "\n: [" + "!a x, " * 100 + "!a x]\n")
    assert len(facts.anomalies) == 101
    assert all(len(each.location.pointer or "") <= 1000 for each in facts.anomalies)


def test_several_documents_are_a_list() -> None:
    assert read("a: 1\n---\nb: 2\n").document == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("a: !!python/object/apply:os.system [x]", [("!!python/object/apply:os.system", 1, "/a")]),
        ("\n- x\n- !!python/name:os.system ''", [("!!python/name:os.system", 3, "/1")]),
        ("a:\n  - !new:torch.nn.Linear {}", [("!new:torch.nn.Linear", 2, "/a/0")]),
        ("!<tag:yaml.org,2002:python/tuple> [1]", [("!!python/tuple", 1, None)]),
        (
            "%TAG ! tag:yaml.org,2002:python/object/apply:\n--- \n!os.system [x]\n",
            [("!!python/object/apply:os.system", 3, None)],
        ),
        ("a: !!str 1\nb: !!set {x}\nc: ! x", []),
    ],
)
def test_foreign_tags_are_recorded_and_not_followed(text: str, tags: list[tuple[str, int, str | None]]) -> None:
    found = [(each.evidence["tag"], each.location.line, each.location.pointer) for each in read(text).anomalies]
    assert found == tags


@pytest.mark.parametrize(
    "text",
    [
        '!!int "99"', '!!int "0x63"', "0x63", "-0x1_0", "0b101", "0143", "1_000", "+7", "09", "0o", '!!float "1.5"', '!!bool "yes"',
        '!!null ""', '"99"', "'0x63'", "!!str 99", "0x", "_1", "1_", "00", "-0",
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_reference(text: str) -> None:
    """A list of them may be the bytes of a pickle, in whatever spelling its loader knows."""
    ours = read(f"a: {text}\n").document["a"]
    try:
        theirs = reference.safe_load(f"a: {text}\n")["a"]
    except ValueError:
        return  # the reference itself fails
    assert (ours, type(ours)) == (theirs, type(theirs))


def test_a_key_twice_is_said() -> None:
    facts = read("a: 1\nb: [x]\na: 2\n")
    assert [(each.rule, each.location.line, each.evidence) for each in facts.anomalies] == [
        ("json/duplicate-key", 3, {"key": "a"})
    ]
    assert facts.document == {"a": 2, "b": ["x"]}


@pytest.mark.parametrize(
    "text", ["a: [", "a: b: c", "a: *nothing\n  x", "\x00", "{", "a: 'x", "? [", "%YAML 9.9\n---\na"]
)
def test_broken_texts_are_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 50_000 + "x",
        "{a: " * 5000,
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
        "a: 1\n" * 600_000,
        "x" * 9_000_000,
    ],
)
def test_bombs_hit_a_limit(text: str) -> None:
    with pytest.raises(LimitError):
        read(text)


def test_an_alias_of_what_holds_it_ends() -> None:
    assert read("a: &a [*a]").document == {"a": [None]}


@pytest.mark.parametrize(
    ("name", "data", "likeness"),
    [
        ("a.yaml", b"a: 1", Likeness.WEAK),
        ("a.yml", b'{"a": 1}', Likeness.WEAK),
        ("x/MLmodel", b"flavors: {}", Likeness.WEAK),
        ("a.txt", b"a: 1", Likeness.NO),
        ("a.yaml", b"a\0", Likeness.NO),
    ],
)
def test_the_probe_needs_a_name_and_text(name: str, data: bytes, likeness: Likeness) -> None:
    assert yaml.probe(Head(name, BytesSource(data))) is likeness


def test_front_matter_is_the_document() -> None:
    text = "---\nlicense: mit\ntags: [a, b]\nx: !!python/name:os.system ''\n---\n# Title\n---\nnot: this\n"
    facts = read(text, markdown, "README.md")
    assert facts.document == {"license": "mit", "tags": ["a", "b"], "x": ""}
    assert [(each.rule, each.location.line) for each in facts.anomalies] == [("yaml/object-tag", 4)]


@pytest.mark.parametrize("text", ["", "# Title\n", "---\nlicense: mit\n", "----\na: 1\n----\n", " ---\na: 1\n---\n"])
def test_a_page_without_front_matter_has_no_document(text: str) -> None:
    assert read(text, markdown, "README.md").document is None


def test_only_the_mark_itself_ends_front_matter() -> None:
    assert read("---\na: 1\n---x: 2\n---  \n# Title\n", markdown, "README.md").document == {"a": 1, "---x": 2}


def test_windows_line_ends() -> None:
    assert read("---\r\nlicense: mit\r\n---\r\ntext", markdown, "README.md").document == {"license": "mit"}


def test_broken_front_matter_is_malformed() -> None:
    with pytest.raises(MalformedError):
        read("---\na: [\n---\n", markdown, "README.md")


def test_keys_and_headings_of_a_card_have_lines() -> None:
    text = "---\nlicense: mit\ntags:\n- a\n\n- {b: 1}\n? x\n: y\n---\n# One\n\nTwo\n===\nsaid\n<!--\n# none\n-->\n~~~\n# none\n~~~\n## Three ##\n"
    for file, bare in (("README.md", True), ("docs/readme.md", True), ("notes.md", False)):
        outline = read(text, markdown, file).outline
        if not bare:
            assert outline is None
            continue
        assert outline is not None
        assert outline.lines == {"/license": 2, "/tags": 3, "/tags/0": 4, "/tags/1": 6, "/tags/1/b": 6, "/x": 7}
        assert [(each.level, each.text, each.line, each.first, each.lines) for each in outline.headings] == [
            (1, "One", 10, (), 0), (1, "Two", 12, ("said", "# none"), 2), (2, "Three", 21, (), 0),
        ]  # fmt: skip


def test_lines_are_there_where_the_front_matter_cannot_be_read() -> None:
    facts = Facts("README.md", "README.md", Budget(DEFAULT_LIMITS))
    with pytest.raises(MalformedError):
        markdown.read(BytesSource(b"---\na: [\n---\n# Title\n"), facts)
    assert facts.outline is not None
    assert facts.outline.front_matter
    assert [(each.text, each.line) for each in facts.outline.headings] == [("Title", 4)]


def test_lines_are_bounded() -> None:
    outline = read("\n".join(f"k{n}: [[[[[[[[[[1]]]]]]]]]]" for n in range(5000)), yaml, ".eval_results/a.yaml").outline
    assert outline is not None
    assert len(outline.lines) == 2000


@pytest.mark.parametrize(
    ("name", "data", "likeness"),
    [
        ("CITATION.cff", b"title: x", Likeness.WEAK),
        ("CITATION.cff", b"\0", Likeness.NO),
        ("a.yaml", b"title: x", Likeness.NO),
    ],
)
def test_a_citation_file_needs_its_name_and_text(name: str, data: bytes, likeness: Likeness) -> None:
    assert citation.probe(Head(name, BytesSource(data))) is likeness


def test_a_citation_file_that_is_no_yaml_is_a_text() -> None:
    facts = read("title: Example: a model\n", citation, "CITATION.cff")
    assert facts.document is None
    assert [each.rule for each in facts.anomalies] == ["card/citation"]
    assert facts.unknowns == []


def test_a_citation_file_has_its_keys_and_lines() -> None:
    facts = read("cff-version: 1.2.0\ntitle: x\nb: !!python/name:os.system ''\n", citation, "CITATION.cff")
    assert facts.document["title"] == "x"
    assert facts.outline is not None
    assert facts.outline.lines["/title"] == 2
    assert [each.rule for each in facts.anomalies] == ["yaml/object-tag"]
