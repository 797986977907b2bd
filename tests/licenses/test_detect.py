"""Texts of licences: every known one in every form, none that is not known, and what was changed."""

from __future__ import annotations

import html
import itertools
import json
import lzma
import re
import runpy
import textwrap
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.license_ids import known_licenses
from openvet.licenses.detect import Match, detect
from openvet.licenses.index import Index, keys_of_text

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src/openvet/data/licenses"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted((FOLDER / "texts").glob("*.txt"))}
AI = {name for each in known_licenses().values() if each.ai for name in each.texts}


def _html(text: str) -> str:
    paragraphs = "\n".join(f'<p class="a">{html.escape(each)}</p>' for each in text.split("\n\n"))
    return f"<!DOCTYPE html><html><head><title>License</title></head><body>{paragraphs}</body></html>"


def _list(text: str) -> str:
    """As a list of HTML, which numbers its items itself."""
    bare = [re.sub(r"^\s*(\(?[0-9a-z]{1,2}[.)])\s", "", each, flags=re.MULTILINE) for each in text.split("\n\n")]
    return f"<ol>{''.join(f'<li><span>{html.escape(each)}</span></li>' for each in bare)}</ol>"


FORMS: dict[str, Callable[[str], str]] = {
    "as published": lambda text: text,
    "first half": lambda text: text[: len(text) // 2],
    "first 30 lines": lambda text: "\n".join(text.splitlines()[:30]),
    "wrapped at 60": lambda text: "\n\n".join(textwrap.fill(each, 60) for each in text.split("\n\n")),
    "in one line": lambda text: " ".join(text.split()),
    "below a header": lambda text: f"LICENSE of Foo\n====\n\nCopyright (c) 2024 Foo Labs Ltd. All rights reserved.\n\n{text}\n\nContact: a@b.c\n",
    "in a comment": lambda text: "\n".join(f"# {line}" for line in text.splitlines()),
    "quoted in Markdown": lambda text: "\n\n".join(
        f"## {each}" if len(each) < 60 and "\n" not in each else "> " + each.replace("\n", "\n> ") for each in text.split("\n\n")
    ),
    "bold in Markdown": lambda text: re.sub(r"\b([A-Z][a-z]+)\b", r"**\1**", text),
    "HTML": _html,
    "a list of HTML": _list,
    "upper case": str.upper,
}  # fmt: skip


def _known(matches: tuple[Match, ...]) -> list[Match]:
    return [each for each in matches if each.extent != "near"]


def test_there_are_as_many_as_we_say() -> None:
    assert len(TEXTS) >= 180
    assert len({key for name in TEXTS for key in keys_of_text(name)}) >= 180


@pytest.mark.parametrize("form", FORMS)
def test_known_texts(form: str) -> None:
    """All of them as published; at least 98 of 100 in other forms, where one that cannot be told from another is right if it says so."""
    wrong = {}
    for name, text in TEXTS.items():
        found = _known(detect(FORMS[form](text)))
        if not (len(found) == 1 and name in found[0].texts and (len(found[0].texts) == 1 or form.startswith("first"))):
            wrong[name] = found
    assert len(wrong) <= (0 if form == "as published" else len(TEXTS) * 2 // 100), wrong


def test_a_text_as_published_is_whole_and_not_changed() -> None:
    for name, text in TEXTS.items():
        (found,) = _known(detect(text))
        assert (found.extent, found.matched, found.words_added, found.words_removed, found.changes) == (
            "whole", found.of_text, 0, 0, (),
        ), name  # fmt: skip


def _index(leave_out: str) -> Index:
    index = runpy.run_path(str(ROOT / "tools" / "license_texts.py"))["index"]
    known = tomllib.loads((FOLDER / "texts.toml").read_text("utf-8"))
    return Index(index(FOLDER / "texts", known, frozenset([leave_out])), str(FOLDER / "texts"))


#: Each has near relatives in the collection.
RELATIVES = ["llama-3", "llama-3.1-license-2024", "llama-3.3-license-2024", "gemma-tou-2025-03-24", "bigscience-open-rail-m",
             "stable-diffusion-2022-08-22", "tongyi-qianwen-2023", "stability-ai-nc-2023-12-06"]  # fmt: skip


@pytest.mark.parametrize("name", RELATIVES)
def test_a_licence_that_is_not_known_is_not_taken_for_its_relative(name: str) -> None:
    found = detect(TEXTS[name], _index(name))
    assert not _known(found)
    assert found, "its words are those of a relative, and that is said"


def test_texts_that_are_not_known_are_no_licence_of_a_model() -> None:
    unknown = json.loads(lzma.decompress((ROOT / "tests/vendor/license-texts/unknown.json.xz").read_bytes()))
    assert len(unknown) > 500
    wrong = {}
    for name, text in unknown.items():
        found = [each for each in _known(detect(text)) if not AI.isdisjoint(each.texts)]
        if found:
            wrong[name] = found
    assert not wrong


def test_a_paragraph_that_is_quoted_is_no_licence() -> None:
    text = TEXTS["llama-3.1-license-2024"]
    paragraph = next(each for each in text.split("\n") if "monthly active users" in each)
    card = (
        f"# Model\n\nThis model does this and that.\n\n> {paragraph}\n\nSee the licence of the base model. "
        + "More words. " * 60
    )
    assert not _known(detect(card))


def test_several_texts_in_one_file() -> None:
    text = "\n\n---\n\n".join(
        f"{name}:\n\n{TEXTS[name]}" for name in ("apache-2.0", "mit", "bsd-new", "mit", "qwen-2024")
    )
    found = detect(text)
    assert [each.texts for each in found] == [("apache-2.0",), ("mit",), ("bsd-new",), ("mit",), ("qwen-2024",)]
    assert all(each.extent == "whole" and not each.changes for each in found)
    assert all(one.last_line < other.line for one, other in itertools.pairwise(found))


def test_what_was_changed_is_named() -> None:
    text = TEXTS["mit"].replace("without restriction", "for non-commercial purposes")
    (found,) = detect("MIT License\n\nCopyright (c) 2024 Foo\n\n" + text)
    (change,) = found.changes
    assert (found.texts, found.extent, change.kind) == (("mit",), "whole", "replaced")
    assert "for non-commercial purposes" in change.text
    assert "without restriction" in change.published
    assert change.line == next(n for n, line in enumerate(text.splitlines(), 5) if "commercial" in line)


def test_a_number_that_was_changed_is_named() -> None:
    (found,) = detect(TEXTS["llama-3.1-license-2024"].replace("700 million", "7 million"))
    (change,) = found.changes
    assert ("7 million" in change.text, "700 million" in change.published) == (True, True)
    assert (found.words_added, found.words_removed) == (1, 1)


def test_a_clause_that_was_left_out_is_named() -> None:
    text = TEXTS["apache-2.0"]
    start, end = text.index("3. Grant of Patent License"), text.index("4. Redistribution")
    (found,) = detect(text[:start] + text[end:])
    (change,) = found.changes
    assert (found.extent, change.kind) == ("whole", "removed")
    assert change.published.startswith("Grant of Patent License")


def test_what_everybody_fills_in_is_no_change() -> None:
    bsd = TEXTS["bsd-new"].replace("the ORGANIZATION", "the Example Foundation")
    apache = TEXTS["apache-2.0"].replace("[yyyy] [name of copyright owner]", "2024 Example Labs, Inc.")
    without = TEXTS["apache-2.0"][: TEXTS["apache-2.0"].index("APPENDIX: How to apply")]
    for text in (bsd, apache, without):
        (found,) = detect("Copyright 2019-2024 The Example Authors.\n\n" + text)
        assert (found.extent, found.changes) == ("whole", ()), found


def test_a_clause_in_the_line_of_a_copyright_is_a_change() -> None:
    text = TEXTS["apache-2.0"].replace("[yyyy] [name of copyright owner]", "2024 Foo, for research purposes only")
    (found,) = detect(text)
    assert found.changes


def test_versions_are_told_apart() -> None:
    for name in (
        "llama-3.1-license-2024",
        "llama-3.2-license-2024",
        "llama-3.3-license-2024",
        "cc-by-nc-4.0",
        "agpl-3.0",
        "bsd-simplified",
        "bsd-original",
    ):
        assert [each.texts for each in detect(TEXTS[name])] == [(name,)]


@pytest.mark.parametrize(
    ("name", "own", "other"), [("afl-2.1", "2.1", "2.0"), ("osl-2.1", "2.1", "2.0"), ("osl-3.0", "3.0", "2.0")]
)
def test_an_older_version_that_is_not_there_is_not_taken_for_the_next(name: str, own: str, other: str) -> None:
    """As it stands in copyright files of Debian: the version is in a line of its own, and a dot is on empty lines."""
    text = TEXTS[name].replace(own, other).replace("\n\n", "\n .\n")
    assert [each.extent for each in detect(text)] == ["near"]


@pytest.mark.parametrize("name", [each for each in TEXTS if each.startswith("cc-by") and each.endswith("4.0")])
def test_creative_commons_without_what_stands_around_it(name: str) -> None:
    """Models bring the licence alone, as its page for lawyers has it: neither the advice before it nor the note after it."""
    whole = TEXTS[name]
    alone = whole[whole.index("Creative Commons Attribution", whole.index("for the public:")) : whole.rindex("=" * 60)]
    (found,) = detect(f"# {alone}")
    assert (found.texts, found.extent, found.words_added, found.words_removed) == ((name,), "whole", 0, 0)


@pytest.mark.parametrize("beside", ["", "mit", "bsd-original", "isc"])
def test_holes_that_a_longer_text_fills_in_the_same_way(beside: str) -> None:
    """BSD of the Regents has words of BSD-4-Clause-UC in its holes and in its copyright lines, and is no part of it."""
    owners = "Copyright: 1983, 1990, Regents of the University of California\nCopyright: 1990, The Regents of the University of California\n\n"
    text = TEXTS["bsd-new"].replace("ORGANIZATION", "University", 1)
    text = text.replace("THE COPYRIGHT HOLDERS AND CONTRIBUTORS", "THE REGENTS AND CONTRIBUTORS")
    text = text.replace("THE COPYRIGHT HOLDER OR CONTRIBUTORS", "THE REGENTS OR CONTRIBUTORS")
    assert text.count("REGENTS") == 2
    made = f"{owners}License: BSD-3-clause\n Copyright (c) The Regents of the University of California.\n All rights reserved.\n\n{text}"
    found = detect(f"{made}\n\n{'-' * 70}\n\n{TEXTS[beside]}" if beside else made)
    assert found[0].texts == ("bsd-new",), found[0]
    assert (found[0].extent, found[0].words_added, found[0].words_removed) == ("whole", 0, 0)
    assert [each.texts for each in found[1:]] == ([(beside,)] if beside else [])


def test_half_of_what_two_share_is_ambiguous() -> None:
    (found,) = detect(FORMS["first half"](TEXTS["mit"]))
    assert found.extent == "part"
    assert "mit" in found.texts


_WORDS = TEXTS["gpl-3.0"].split()
HOSTILE = {
    "one word": "license " * 400_000,
    "no spaces": "a" * 3_000_000,
    "angle brackets": "<" * 2_000_000,
    "hyphens": "a-" * 1_000_000,
    "enumerations": "(a) " * 500_000,
    "entities": "&#" * 1_000_000,
    "one text again and again": TEXTS["mit"] * 300,
    "shuffled shingles": " ".join(" ".join(_WORDS[n * 7 % 5000 :][:6]) for n in range(20_000)),
    "lines": "\n" * 3_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_take_bounded_time(name: str) -> None:
    start = time.process_time()
    detect(HOSTILE[name])
    assert time.process_time() - start < 8


_PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(sorted(TEXTS)).flatmap(
        lambda name: st.integers(0, len(TEXTS[name])).map(lambda at: TEXTS[name][at : at + 900])
    ),
    st.sampled_from(["\0", "<", "](", "&amp;", "(a)", "\r\n", "Copyright (c) 2024", "*" * 50, "許可"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES, max_size=8).map("".join))
def test_whatever_the_text_holds(text: str) -> None:
    lines = text.count("\n") + 1
    for each in detect(text):
        assert 0 < each.matched <= min(each.of_text, each.of_place)
        assert 1 <= each.line <= each.last_line <= lines
        assert each.extent in ("whole", "part", "near")
        assert each.start < each.end
