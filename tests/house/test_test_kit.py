"""The public test kit: what its guide and its docstring show is what happens."""

import contextlib
import doctest
import io
import re
from pathlib import Path

import openvet.testing
from openvet.testing import Case, run_case

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "test-kit.md"


def test_every_name_is_there() -> None:
    assert [name for name in openvet.testing.__all__ if not hasattr(openvet.testing, name)] == []


def test_the_docstring_is_true() -> None:
    assert doctest.testmod(openvet.testing) == (0, 3)


def test_the_guide_is_true() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    said = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        for example in examples:
            exec(compile(example, str(GUIDE), "exec"), {})
    assert said is not None
    assert printed.getvalue() == said[1]


def test_a_case_that_states_something_else_says_what_differs() -> None:
    case = Case("mine/empty", "an empty list", lambda: b"].", "reject", frozenset({"pickle/runs-code"}), name="x.pkl")
    answer = run_case(case)
    assert (answer.decision, answer.rules) == ("admit", frozenset())
    assert answer.problem == "mine/empty: the decision is admit, not reject; pickle/runs-code reports nothing"
