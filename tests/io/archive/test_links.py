"""Links that lead out only by way of other links."""

from __future__ import annotations

import pytest

from openvet.errors import LimitError
from openvet.io.archive.links import Links


def _links(*pairs: tuple[str, str]) -> Links:
    links = Links(lambda: None)
    for name, target in pairs:
        links.add(name, target)
    return links


@pytest.mark.parametrize(
    ("pairs", "name", "target", "hard", "out"),
    [
        ((("a", "."), ("a/b", "..")), "a/b", "..", False, True),
        ((("d/a", ".."), ("d/b", "a/..")), "d/b", "a/..", False, True),
        ((("d/e/up", "../.."),), "up", "d/e/up", True, True),
        ((("d/e/up", "../.."),), "d/f/up", "d/e/up", True, False),
        ((("a", "b"), ("b", "a")), "a", "b", False, False),
        ((("lib", "lib64"), ("x", "lib/y")), "x", "lib/y", False, False),
        ((), "d/x", "../y", False, False),
    ],
)
def test_chains(pairs: tuple[tuple[str, str], ...], name: str, target: str, hard: bool, out: bool) -> None:
    assert _links(*pairs).leads_out(name, target, hard=hard) is out


def test_many_long_links_end_at_a_limit() -> None:
    links = _links(*((f"l{at}", "d/" * 2000) for at in range(2000)))
    with pytest.raises(LimitError):
        any(links.leads_out(f"l{at}", "d/" * 2000, hard=False) for at in range(2000))
