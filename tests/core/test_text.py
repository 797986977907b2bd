import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.text import lines_of, printable, shorten


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_two_names_stay_two(one: bytes, other: bytes) -> None:
    first = one.decode("utf-8", "surrogateescape")
    second = other.decode("utf-8", "surrogateescape")
    assert (printable(first) == printable(second)) == (one == other)


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(), max_size=60))
def test_what_is_printable_shows_as_itself_and_is_valid_unicode(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert all(ord(char) >= 0x20 for char in shown)


def test_escapes() -> None:
    assert printable("a\x1b[31mb") == "a\\x1b[31mb"
    assert printable("gnp.\u202etxt") == "gnp.\\u202etxt"
    assert printable("\udcff") == "\\xff"
    assert printable("a\\b") == "a\\\\b"
    assert printable("Größe 模型.bin") == "Größe 模型.bin"
    assert printable("a\nb") == "a\\x0ab"
    assert printable("a\nb", keep_newlines=True) == "a\nb"
    assert printable("\U000e0041") == "\\U000e0041"


def test_shorten_keeps_both_ends() -> None:
    assert shorten("abcdefghij", 20) == "abcdefghij"
    assert shorten("abcdefghij", 5) == "ab…ij"
    assert shorten("abcdefghij", 1) == "…"
    assert shorten("abcdefghij", 0) == ""


def test_only_the_space_of_ascii_shows_as_itself() -> None:
    assert printable("a b\xa0c\u2003d\u3000e") == "a b\\u00a0c\\u2003d\\u3000e"


@settings(deadline=None)
@given(st.text(alphabet="ab \n\r\x0b\x0c\x1c\x85\u2028", max_size=60), st.integers(1, 9))
def test_lines_are_those_of_splitlines_however_small_the_blocks(text: str, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("openvet.core.text._BLOCK", block)
        assert list(lines_of(text)) == text.splitlines()
