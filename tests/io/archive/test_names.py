"""Names judged as paths, against what the file system would make of them."""

from __future__ import annotations

import posixpath

from hypothesis import given
from hypothesis import strategies as st

from openvet.io.archive.names import escape_of, link_escapes, normal_name

parts = st.lists(st.sampled_from(["a", "b", "..", ".", ""]), min_size=1, max_size=7).map("/".join)


def leaves(path: str) -> bool:
    """Whether any prefix of a relative path is outside of where it starts."""
    walked = path.split("/")
    return any(posixpath.normpath("/".join(walked[:n]) or ".").split("/")[0] == ".." for n in range(len(walked) + 1))


@given(parts.filter(lambda path: not path.startswith("/")))
def test_escape_agrees_with_normpath(path: str) -> None:
    assert (escape_of(path) is not None) == leaves(path)


@given(parts.filter(lambda path: not path.startswith("/")))
def test_backslashes_count_as_well(path: str) -> None:
    assert (escape_of(path) is None) == (escape_of(path.replace("/", "\\")) is None)


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=4).map("/".join), parts)
def test_link_is_relative_to_its_folder(name: str, target: str) -> None:
    joined = posixpath.dirname(name) + "/" + target if "/" in name else target
    expected = target.startswith("/") or leaves(joined)
    assert link_escapes(name, target, hard=False) == expected
    assert link_escapes(name, target, hard=True) == (target.startswith("/") or leaves(target))


@given(parts)
def test_normal_name_keeps_what_the_path_means(path: str) -> None:
    again = normal_name(path)
    assert normal_name(again) == again
    assert posixpath.normpath("/x/" + again) == posixpath.normpath("/x/" + path)
    assert "//" not in again
    assert not again.endswith("/") or again == "/"
