"""Conditions: what is refused when they are compiled, and that nothing unknown becomes a yes or a no."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.conditions.cel import LONGEST, ConditionError, Environment, Unknown
from openvet.conditions.names import renamed, used_names

NAMES = {
    "a.yes": "bool", "a.text": "string", "a.count": "int", "a.size": "double", "a.list": "list(string)", "a.when": "timestamp",
    "a.map": "map(string, string)", "a.rows": "list(map)", "a.when.date": "bool",
}  # fmt: skip
ALL: dict[str, Any] = {
    "a.yes": True, "a.text": "x", "a.count": 3, "a.size": 2.5, "a.list": ["p", "q"], "a.when": datetime(2026, 11, 28, tzinfo=UTC),
    "a.map": {"k": "v"}, "a.rows": [{"rule": "r/s", "severity": "high"}], "a.when.date": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("a.no", "there is no name 'a.no'", 2),
        ("b", "there is no name 'b'", 1),
        ("a.size > 1", "found no matching overload for '_>_' applied to '(double, int)'", 8),
        ("a.text + 1", "found no matching overload", 8),
        ("a.yes &&", "Syntax error", 9),
        ("a.count", "it gives int, and has to give bool", 0),
        ("", "a condition is empty", 0),
        ("a.yes || " * 1000 + "a.yes", f"at most {LONGEST} characters", 0),
        ("a.list.exists(x, x > 1)", "found no matching overload for '_>_' applied to '(string, int)'", 20),
        ("now() > a.when", "there is no name 'now'", 4),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_compiled(text: str, message: str, column: int) -> None:
    with pytest.raises(ConditionError) as caught:
        Environment(NAMES).compile(text, "bool")
    assert message in caught.value.message
    assert caught.value.column == column
    assert "INVALID" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.size > 1.0", True),
        ("a.list.size() == 2 && 'p' in a.list", True),
        ("a.list.filter(x, x != 'p')", ["q"]),
        ("a.when < timestamp('2027-01-01T00:00:00Z')", True),
        ("a.map['k'] == 'v'", True),
        ("a.rows.exists(x, x.severity == 'high')", True),
        ("a.size > 2.0 ? 'above' : 'below'", "above"),
        ("a . yes", True),
        ("a.when.date", False),
        ("double(a.count) * a.size", 7.5),
    ],
)
def test_what_conditions_give(text: str, value: object) -> None:
    assert Environment(NAMES).compile(text).evaluate(ALL) == value


@pytest.mark.parametrize(
    ("text", "given", "value"),
    [
        ("a.yes || a.text == 'x'", {"a.yes": True}, True),
        ("a.text == 'x' || a.yes", {"a.yes": True}, True),
        ("a.yes && a.text == 'x'", {"a.yes": False}, False),
        ("a.yes || a.text == 'x'", {"a.yes": False}, Unknown(("a.text",))),
        ("!a.yes", {}, Unknown(("a.yes",))),
        ("a.list.all(x, x == 'p')", {}, Unknown(("a.list",))),
        ("a.list.size() == 0", {}, Unknown(("a.list",))),
        ("a.map['nothing'] == 'v'", ALL, Unknown(error='there is no value for "nothing"')),
        ("a.count / 0 == 1", ALL, Unknown(error="divide by zero")),
    ],
)
def test_unknown_stays_unknown_unless_the_rest_settles_it(text: str, given: dict[str, Any], value: object) -> None:
    assert Environment(NAMES).compile(text).evaluate(given) == value


def test_an_exhausted_budget_is_unknown_and_not_false() -> None:
    values = {"a.list": [str(number) for number in range(300)]}
    found = Environment(NAMES).compile("a.list.all(x, a.list.all(y, a.list.all(z, x != y + z)))").evaluate(values)
    assert found == Unknown(error="Iteration budget exceeded")


def test_names_in_strings_and_comments_are_none() -> None:
    text = "a.text == 'a.yes' || \"\"\"a.size\"\"\" == a.text // a.count\n || r'\\' == 'a.list' || a.map.k == 'x' || f(1).a.yes"
    assert used_names(text, NAMES) == ("a.text", "a.map")
    assert renamed("a.text == 'a.yes' && a.map.k == a . text", NAMES) == "a__text == 'a.yes' && a__map.k == a__text"


@given(st.sets(st.sampled_from(sorted(ALL))))
def test_what_is_not_there_never_changes_what_is_settled(there: set[str]) -> None:
    """Kleene's logic: with more known, an answer may come, and none turns around."""
    environment = Environment(NAMES)
    known = {name: ALL[name] for name in there}
    for text in ("a.yes && a.size > 9.0 || a.text == 'x'", "!(a.yes && a.count > 2) || a.list.exists(x, x == a.text)"):
        condition = environment.compile(text)
        found = condition.evaluate(known)
        if isinstance(found, Unknown):
            assert set(found.missing) == set(condition.names) - there
        else:
            assert found == condition.evaluate(ALL)
