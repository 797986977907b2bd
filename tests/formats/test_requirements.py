"""Lists of packages: which texts are one, and what is taken from elsewhere."""

from __future__ import annotations

import pytest

from openvet.core.limits import Budget
from openvet.formats import requirements
from openvet.formats._format import Facts, Head, Likeness
from openvet.formats.requirements import installs_of, packages_of
from openvet.io.source import BytesSource


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("torch==2.1.0\nnumpy\n", True),
        ("# a comment\n\n--extra-index-url https://example.org/simple\nx\n", True),
        ("steps @ git+https://example.org/steps@v1\n", True),
        ("package[extra]>=1,<2 ; python_version < '3.12' # why\n", True),
        ("cat\ndog\n", True),  # under this name; see below
        ("The model was trained on x==1 data.\n", False),
        ("", False),
        ("torch==2\0", False),
    ],
)
def test_probe(text: str, likely: bool) -> None:
    head = Head("requirements.txt", BytesSource(text.encode()))
    assert requirements.probe(head) is (Likeness.WEAK if likely else Likeness.NO)


def test_nothing_but_names_is_a_list_under_its_usual_name_only() -> None:
    found = [
        requirements.probe(Head(name, BytesSource(b"cat\ndog\n"))) for name in ("labels.txt", "a/Requirements-dev.txt")
    ]
    assert found == [Likeness.NO, Likeness.WEAK]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("torch==2.5.1 --hash=sha256:00", [("torch", "==2.5.1")]),
        ("Some.Thing[a, b] >= 1 , < 2 ; python_version < '3.12'", [("Some.Thing", ">= 1 , < 2")]),
        ("x", [("x", None)]),
        ("-r more.txt", []),
        ("x" + " " * 100_000 + "y", []),  # in linear time
    ],
)
def test_the_packages_that_a_line_names(line: str, named: list[tuple[str, str | None]]) -> None:
    assert [(each["name"], each.get("versions")) for each in packages_of(line)] == named


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("torch==2.1", []),
        ("--index-url https://pypi.org/simple", []),
        ("--index-url https://pypi.org.example.net/simple", ["index"]),
        ("-i http://example.org/simple", ["index"]),
        ("--extra-index-url=https://example.org/simple torch", ["index"]),
        ("--trusted-host pypi.org", ["index"]),
        ("-e git+https://example.org/x", ["place"]),
        ("x @ https://example.org/x.whl", ["place"]),
        ("http://example.org/x.whl", ["plain"]),
        ("git+git://example.org/x", ["plain"]),
        ("https://download.pytorch.org/whl/torch.whl", []),
    ],
)
def test_installs(line: str, kinds: list[str]) -> None:
    assert [each.kind for each in installs_of(line)] == kinds


def test_a_list_is_read_as_text_too() -> None:
    facts = Facts("x", "requirements.txt", Budget())
    requirements.read(BytesSource(b"torch==2.1 \\\n  --hash=sha256:00\nhttp://example.org/x.whl\n"), facts)
    assert facts.metadata["encoding"] == "utf-8"
    assert [each.to_json()["packages"] for each in facts.programs] == [2]
