"""Passwords and tokens."""

from __future__ import annotations

import hashlib
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvet.errors import UsageError
from openvet.gate import credentials
from openvet.gate.credentials import check_password, hash_password, is_token, make_token, token_digest

SENTENCE = "five small models went to sea"


def test_a_password_is_kept_as_argon2id_with_its_own_salt() -> None:
    one, other = hash_password(SENTENCE), hash_password(SENTENCE)
    assert one != other
    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert SENTENCE not in one
    assert check_password(SENTENCE, one)
    assert not check_password(SENTENCE + ".", one)


def test_nobody_has_no_password_not_even_the_one_that_stands_in() -> None:
    assert not check_password(SENTENCE, None)
    assert not check_password("x", None)  # the stand-in was made of this


def test_what_looks_the_same_is_the_same() -> None:
    assert check_password("Zoe\u0308 writes a sentence", hash_password("Zo\u00eb writes a sentence"))


@pytest.mark.parametrize(("text", "says"), [("short", "at least 12"), ("é" * 600, "at most 1024 bytes")])
def test_passwords_that_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        hash_password(text)


def test_a_long_guess_costs_nothing() -> None:
    assert not check_password("x" * 2000, "not even looked at")


def test_a_flood_takes_memory_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that all check at once go through the same narrow door."""
    seen, most, lock = 0, 0, threading.Lock()
    real = credentials._AT_ONCE

    class Counting:
        def __enter__(self) -> None:
            nonlocal seen, most
            real.acquire()
            with lock:
                seen += 1
                most = max(most, seen)

        def __exit__(self, *_: object) -> None:
            nonlocal seen
            with lock:
                seen -= 1
            real.release()

    monkeypatch.setattr(credentials, "_AT_ONCE", Counting())
    threads = [threading.Thread(target=check_password, args=("guess", None)) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert 1 <= most <= 2


def test_tokens() -> None:
    one, other = make_token(), make_token()
    assert one.text != other.text
    assert re.fullmatch(r"ovt_[a-z2-7]{32}[0-9a-f]{8}", one.text)
    assert one.digest == hashlib.sha256(one.text.encode()).hexdigest() == token_digest(one.text)
    assert one.text.startswith(one.hint)
    assert len(one.hint) == 12
    assert is_token(one.text)


@given(st.integers(4, 43), st.sampled_from("abcdefgh234567xyz0189_"))
def test_a_mistyped_token_is_none(at: int, letter: str) -> None:
    text = make_token().text
    wrong = text[:at] + letter + text[at + 1 :]
    assert is_token(wrong) == (wrong == text)


@pytest.mark.parametrize(
    "text",
    ["", "hf_" + "a" * 34, "ovt_" + "a" * 32 + "00000000", "ovt_ä", "ovt_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaacab11777\n"],
)
def test_what_is_no_token(text: str) -> None:
    assert not is_token(text)
