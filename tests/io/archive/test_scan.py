"""Looking through bytes in blocks finds what looking at them whole finds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from openvet.core.limits import Budget
from openvet.io.archive import scan
from openvet.io.source import BytesSource


@given(
    st.lists(st.sampled_from([b"PK", b"P", b"K", b"\0", b"xx"]), max_size=60).map(b"".join),
    st.integers(0, 20),
    st.integers(4, 9),
)
@settings(deadline=None, max_examples=200)
def test_places_agree_with_find(data: bytes, start: int, block: int) -> None:
    before, scan._SCANNED = scan._SCANNED, block
    try:
        found = list(scan.places(BytesSource(data), b"PK", start, len(data), Budget()))
    finally:
        scan._SCANNED = before
    assert found == [at for at in range(start, len(data) - 1) if data[at : at + 2] == b"PK"]


def test_place_across_the_border_of_two_blocks() -> None:
    for at in range(scan._SCANNED - 5, scan._SCANNED + 2):
        data = bytes(at) + b"ustar" + bytes(100)
        assert list(scan.places(BytesSource(data), b"ustar", 0, len(data), Budget())) == [at]


def test_places_end_where_they_are_told_to() -> None:
    data = b"PK..PK"
    assert list(scan.places(BytesSource(data), b"PK", 0, 5, Budget())) == [0]
    assert list(scan.places(BytesSource(data), b"PK", 6, 6, Budget())) == []


@given(st.integers(0, 40), st.integers(0, 40))
def test_first_nonzero(zeros: int, rest: int) -> None:
    data = bytes(zeros) + b"x" * rest
    assert scan.first_nonzero(BytesSource(data), 0, len(data), Budget()) == zeros


def test_equal_bytes() -> None:
    source = BytesSource(b"abcabcabd")
    assert scan.equal_bytes(source, 0, 3, 3, Budget())
    assert not scan.equal_bytes(source, 0, 6, 3, Budget())
    assert not scan.equal_bytes(source, 0, 8, 3, Budget())
