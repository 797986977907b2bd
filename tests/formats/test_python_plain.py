"""Sources in other words are read as if somebody had written them plainly."""

import ast
import random

import pytest

from openvet.core.limits import Limits
from openvet.core.location import Location
from openvet.formats._python_plain import plain
from openvet.formats.python import read_source
from openvet.testing.mutate.texts import respelled


def plain_form(text: str) -> str | None:
    return plain(text, ast.parse(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('getattr(os, "re" + "move")(p)', "os.remove(p)"),
        ('import os\ngetattr(os, "remove", None)(p)', "import os\nos.remove(p)"),
        ('getattr(config, "head_dim", None)', None),
        ('vars(os)["remove"](p)', "os.remove(p)"),
        ('os.__dict__["".join(["re", "move"])](p)', "os.remove(p)"),
        ('object.__getattribute__(os, "remove")(p)', "os.remove(p)"),
        ('N = "re" + "move"\ngetattr(os, N)(p)', "N = 'remove'\nos.remove(p)"),
        ("import os as o\no.remove(p)", "import os as o; import os\nos.remove(p)"),
        ("from os import remove as r\nr(p)", "from os import remove as r; import os\nos.remove(p)"),
        ('é = getattr(o, "é" + "é")', "é = o.éé"),
        ('getattr(getattr(os, "pa" +\n    "th"), "exists")(p)', "(os.path.exists\n)(p)"),
        ("import numpy as np\nnp.load(p)", None),
        ("import os as o\no = 1\no.remove(p)", None),
        ("def f(o):\n    return o.remove\nimport os as o", None),
        ("getattr(os, name)(p)", None),
        ('getattr(os, "not a name")(p)', None),
        ("x = 1 + 2", None),
    ],
)
def test_plain_words(text: str, expected: str | None) -> None:
    assert plain_form(text) == expected


ACT = "import os, glob\n\ndef _clean():\n    for p in glob.glob('/mnt/**/*.safetensors', recursive=True):\n        os.remove(p)\n\n_clean()\n"


@pytest.mark.parametrize("seed", range(20))
def test_an_act_in_other_words_is_the_same_act(seed: int) -> None:
    other = respelled("m.py", ACT.encode(), random.Random(seed))
    assert other is not None
    text = other.decode("utf-8-sig")
    found = {use.detail for use in read_source(text, Location("m.py"), Limits()).uses if use.capability == "attack"}
    assert found == {
        use.detail for use in read_source(ACT, Location("m.py"), Limits()).uses if use.capability == "attack"
    }
    assert found


def test_lines_stay_where_they_are() -> None:
    text = "\n".join([*("a = 1" for _ in range(50)), 'getattr(os, "re" +\n  "move")(p)', "b = 2", 'getattr(os, "x")'])
    other = plain_form(text)
    assert other is not None
    assert other.count("\n") == text.count("\n")
    assert other.split("\n")[-1] == "os.x"


def test_many_names_hide_none_that_is_put_together() -> None:
    many = "\n".join(f"getattr(x, 'a{number}')" for number in range(1_001))
    assert plain_form(many) is None  # generated: nothing in it is put together
    assert str(plain_form(many + "\ngetattr(os, 're' + 'move')(p)")).endswith("os.remove(p)")
