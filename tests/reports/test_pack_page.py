"""Pages of packs: everything of a pack is on its page, and nothing that a pack says becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openvet.policy.compiled import CompiledPack, compile_pack
from openvet.policy.crosswalk import cross
from openvet.policy.read_pack import read_pack
from openvet.reports.pack_page import anchors, compose_crosswalk_page, compose_pack_page, prose
from openvet.workflows.packs import list_packs, load_pack
from tests.policy.test_pack import GOOD

HOSTILE = "<b>x</b> | [a](b) ![c](d) `e` `f | *g* _h_ # i ~j~ &lt; https://k.example www.l.example @m"


def compiled(text: str) -> CompiledPack:
    return compile_pack(read_pack(text.encode(), "pack.yaml"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain - text (1) of 2026-08-02.", "plain - text (1) of 2026-08-02."),
        ("run `openvet check`\n  now", "run `openvet check` now"),
        ("`a || b`", "`a \\|\\| b`"),
        ("one ` alone <b>", "one &#96; alone &#60;b&#62;"),
        ("``", ""),
        ("[x](javascript:a)", "&#91;x&#93;(javascript:a)"),
        ("https://a.example", "&#104;ttps://a.example"),
        ("a\x1b[31m\u202eb", "a&#92;x1b&#91;31m&#92;u202eb"),
    ],
)
def test_words_stay_words(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_nothing_that_a_pack_says_is_markup() -> None:
    said = HOSTILE.replace("'", "''")
    text = GOOD
    for plain in (
        "What we ask",
        "House rules",
        "It is safe to load",
        "Take another.",
        "How many tokens",
        "Attach the file.",
    ):
        text = text.replace(plain, f"'{said}'")  # fmt: skip
    text = text.replace('clause: "1"', f"clause: '{said}'\n    text: '{said}'")
    found = compiled(text)
    page = compose_pack_page(found, "# acme\n\nWords.") + compose_crosswalk_page(cross([found]))
    bare = re.sub(r"`[^`\n]*`", "", page)
    assert "<" not in bare.replace("<-", "")
    assert "https:" not in bare
    assert not re.search(r"\]\((?!#|packs/|\.\./guide/)", bare)
    assert "![" not in bare
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} <= {5, 6}


def test_every_part_of_a_pack_is_on_its_page() -> None:
    for name in list_packs():
        found = load_pack(name)
        page = compose_pack_page(found, "# x\n\nWords about it.")
        heads = re.findall(r"^### (.*)$", page, re.MULTILINE)
        assert heads == [each.requirement.id for each in found.requirements]
        assert "Words about it." in page
        assert "\n# x" not in page
        for line in found.requirements:
            each = line.requirement
            part = page.split(f"\n### {each.id}\n")[1].partition("\n### ")[0]
            for words in (each.title, each.clause, each.remedy, each.text):
                assert prose(words) in part, (name, each.id)
            for condition in (each.applies, each.passes, each.undecided, *(phase.when for phase in each.phases)):
                assert " ".join(condition.split()) in part, (name, each.id)
            assert all(phase.start.isoformat() in part for phase in each.phases)
        for question in found.questions:
            assert f"`{question.id}`" in page
        for one in found.steps:
            assert f"`{one.step.name}`" in page


def test_anchors_are_those_of_hosts() -> None:
    text = GOOD.replace("id: A-2", "id: A-1.")
    assert anchors(compiled(text)) == {"A-1": "a-1", "A-1.": "a-1-1"}


def test_every_pack_has_a_page_that_the_documentation_links() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    told = (docs / "README.md").read_text(encoding="utf-8")
    assert {path.stem for path in (docs / "reference" / "packs").glob("*.md")} == set(list_packs())
    assert all(f"(reference/packs/{name}.md)" in told for name in list_packs())
